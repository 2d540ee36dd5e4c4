/* PostgreSQL's binary numerics into decimals: exactly or not at all. */
#include <check.h>

#include "backstory/strbuf.h"
#include "backstory/value.h"

#include "source/pg_binary_private.h"

static const struct {
    const char *bytes; /* as PostgreSQL sends them */
    size_t len;
    int precision, scale;
    bst_value_result result;
    int64_t units;
    const char *text;
} numerics[] = {
    /* 12.30 */ {"\0\2\0\0\0\0\0\2\0\014\013\270", 12, 12, 2, BST_VALUE_OK, 1230, "12.30"},
    /* -12.30 */ {"\0\2\0\0\x40\0\0\2\0\014\013\270", 12, 12, 2, BST_VALUE_OK, -1230, "-12.30"},
    /* 12.30 at scale 1 and 0 */
    {"\0\2\0\0\0\0\0\2\0\014\013\270", 12, 12, 1, BST_VALUE_OK, 123, "12.30"},
    {"\0\2\0\0\0\0\0\2\0\014\013\270", 12, 12, 0, BST_VALUE_INEXACT, 0, "12.30"},
    /* 0 */ {"\0\0\0\0\0\0\0\2", 8, 12, 2, BST_VALUE_OK, 0, "0.00"},
    /* 100000000 */ {"\0\1\0\2\0\0\0\0\0\1", 10, 12, 2, BST_VALUE_OK, 10000000000, "100000000"},
    {"\0\1\0\2\0\0\0\0\0\1", 10, 10, 2, BST_VALUE_RANGE, 0, "100000000"},
    /* 0.0001 */ {"\0\1\377\377\0\0\0\4\0\1", 10, 12, 2, BST_VALUE_INEXACT, 0, "0.0001"},
    {"\0\1\377\377\0\0\0\4\0\1", 10, 12, 4, BST_VALUE_OK, 1, "0.0001"},
    {"\0\1\377\377\0\0\0\4\0\1", 10, 12, 6, BST_VALUE_OK, 100, "0.0001"},
    /* 1e-8 */ {"\0\1\377\376\0\0\0\010\0\1", 10, 12, 2, BST_VALUE_INEXACT, 0, "0.00000001"},
    /* 999999999999999999 */
    {"\0\5\0\4\0\0\0\0\0\143\047\017\047\017\047\017\047\017", 18, 18, 0, BST_VALUE_OK,
     999999999999999999, "999999999999999999"},
    {"\0\5\0\4\0\0\0\0\0\143\047\017\047\017\047\017\047\017", 18, 18, 1, BST_VALUE_RANGE, 0,
     "999999999999999999"},
    /* 10^131068, near the largest there is */
    {"\0\1\177\377\0\0\0\0\0\1", 10, 18, 0, BST_VALUE_RANGE, 0, NULL},
    {"\0\0\0\0\xC0\0\0\0", 8, 12, 2, BST_VALUE_RANGE, 0, "NaN"},
    {"\0\0\0\0\xD0\0\0\0", 8, 12, 2, BST_VALUE_RANGE, 0, "Infinity"},
    {"\0\0\0\0\xF0\0\0\0", 8, 12, 2, BST_VALUE_RANGE, 0, "-Infinity"},
    {"\0\1\0\0\0\0\0\0\x7F\xFF", 10, 12, 2, BST_VALUE_SYNTAX, 0, NULL},
    {"\0\2\0\0\0\0\0\0\0\1", 10, 12, 2, BST_VALUE_SYNTAX, 0, NULL},
    {"\0\0", 2, 12, 2, BST_VALUE_SYNTAX, 0, NULL},
};

START_TEST(numeric_in_binary) {
    const bst_type type = {.kind = BST_KIND_DECIMAL,
                           .precision = (uint8_t)numerics[_i].precision,
                           .scale = (uint8_t)numerics[_i].scale};
    int64_t units = 0;
    ck_assert_int_eq(bst__pg_numeric(numerics[_i].bytes, numerics[_i].len, &type, &units),
                     numerics[_i].result);
    ck_assert_int_eq(units, numerics[_i].units);
    if (numerics[_i].text) {
        bst_strbuf shown = BST_STRBUF_INIT;
        ck_assert(bst__pg_numeric_text(numerics[_i].bytes, numerics[_i].len, &shown));
        ck_assert_str_eq(shown.text, numerics[_i].text);
        bst_strbuf_release(&shown);
    }
}
END_TEST

Suite *test_migrate_pg_binary_suite(void) {
    Suite *suite = suite_create("pg_binary");
    TCase *numeric = tcase_create("numeric");
    tcase_add_loop_test(numeric, numeric_in_binary, 0, (int)(sizeof numerics / sizeof numerics[0]));
    suite_add_tcase(suite, numeric);
    return suite;
}
