/* SQL that only asks for NULLs, as CEL. */
#include <check.h>

#include "mapping/mapping_private.h"

static const struct {
    const char *sql, *cel; /* cel NULL: stays SQL */
} cases[] = {
    {"deleted_at IS NULL", "!has(deleted_at)"},
    {"deleted_at is not null", "has(deleted_at)"},
    {"  Deleted_At\tIS\n NULL ", "!has(deleted_at)"},
    {"\"Deleted_At\" IS NULL", "!has(Deleted_At)"},
    {"a IS NULL AND b IS NOT NULL AND c IS NULL", "!has(a) && has(b) && !has(c)"},
    {"deleted_at IS NULLS", NULL},
    {"deleted_at ISNULL", NULL},
    {"a IS NULL OR b IS NULL", NULL},
    {"a IS NULL AND", NULL},
    {"a IS NULL b IS NULL", NULL},
    {"t.a IS NULL", NULL},
    {"\"order total\" IS NULL", "!has(`order total`)"},
    {"\"in\" IS NULL", "!has(`in`)"},
    {"\"\" IS NULL", NULL},
    {"\"a`b\" IS NULL", NULL},
    {"\"a", NULL},
    {"\"a\"\"b\" IS NULL", NULL},
    {"in IS NULL", NULL},
    {"NOT IS NULL", NULL},
    {"1 IS NULL", NULL},
    {"", NULL},
};

START_TEST(where_as_cel) {
    bst_strbuf cel = BST_STRBUF_INIT;
    bool fits = bst__map_where_cel(cases[_i].sql, &cel);
    ck_assert_int_eq(fits, cases[_i].cel != NULL);
    if (fits) {
        ck_assert_str_eq(cel.text, cases[_i].cel);
    }
    bst_strbuf_release(&cel);
}
END_TEST

Suite *test_migrate_where_suite(void) {
    Suite *suite = suite_create("migrate where");
    TCase *tcase = tcase_create("sql");
    tcase_add_loop_test(tcase, where_as_cel, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
