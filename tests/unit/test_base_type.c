#include <check.h>
#include <string.h>

#include "backstory/value.h"

static bst_arena *arena;

static void setup(void) {
    arena = bst_arena_new();
}

static void teardown(void) {
    arena = bst_arena_free(arena);
}

static const struct type_case {
    const char *text;
    bst_kind kind;
    bool optional;
    uint8_t precision, scale;
    uint32_t length;
    const char *formatted; /* NULL: as it was read */
} type_cases[] = {
    {"bool", BST_KIND_BOOL, false, 0, 0, 0, NULL},
    {"int2", BST_KIND_INT2, false, 0, 0, 0, NULL},
    {"int4?", BST_KIND_INT4, true, 0, 0, 0, NULL},
    {"int8", BST_KIND_INT8, false, 0, 0, 0, NULL},
    {"decimal(12,2)", BST_KIND_DECIMAL, false, 12, 2, 0, NULL},
    {"decimal(18,18)?", BST_KIND_DECIMAL, true, 18, 18, 0, NULL},
    {"decimal(1,0)", BST_KIND_DECIMAL, false, 1, 0, 0, NULL},
    {"decimal(5)", BST_KIND_DECIMAL, false, 5, 0, 0, "decimal(5,0)"},
    {" decimal ( 12 , 2 ) ? ", BST_KIND_DECIMAL, true, 12, 2, 0, "decimal(12,2)?"},
    {"text", BST_KIND_TEXT, false, 0, 0, 0, NULL},
    {"text?", BST_KIND_TEXT, true, 0, 0, 0, NULL},
    {"varchar", BST_KIND_VARCHAR, false, 0, 0, 0, NULL},
    {"varchar(10485760)", BST_KIND_VARCHAR, false, 0, 0, 10485760, NULL},
    {"char(3)", BST_KIND_CHAR, false, 0, 0, 3, NULL},
    {"char", BST_KIND_CHAR, false, 0, 0, 1, "char(1)"}, /* as in SQL */
    {"uuid", BST_KIND_UUID, false, 0, 0, 0, NULL},
    {"date", BST_KIND_DATE, false, 0, 0, 0, NULL},
    {"timestamptz", BST_KIND_TIMESTAMPTZ, false, 0, 0, 0, NULL},
    {"duration", BST_KIND_DURATION, false, 0, 0, 0, NULL},
    {"bytea", BST_KIND_BYTEA, false, 0, 0, 0, NULL},
    {"json", BST_KIND_JSON, false, 0, 0, 0, NULL},
};

static void check_parse(const struct type_case *c) {
    bst_type type;
    const char *wrong = NULL;
    ck_assert_msg(bst_type_parse(c->text, arena, &type, &wrong), "%s: %s", c->text, wrong);
    ck_assert_ptr_null(wrong);
    ck_assert_int_eq(type.kind, c->kind);
    ck_assert_int_eq(type.optional, c->optional);
    ck_assert_uint_eq(type.precision, c->precision);
    ck_assert_uint_eq(type.scale, c->scale);
    ck_assert_uint_eq(type.length, c->length);
    bst_strbuf out = BST_STRBUF_INIT;
    bst_type_format(&type, &out);
    ck_assert_str_eq(out.text, c->formatted ? c->formatted : c->text);
    bst_type again;
    ck_assert(bst_type_parse(out.text, arena, &again, &wrong));
    ck_assert(bst_type_equal(&type, &again));
    bst_strbuf_release(&out);
}

START_TEST(test_parse) {
    for (size_t i = 0; i < sizeof type_cases / sizeof *type_cases; i++)
        check_parse(&type_cases[i]);
}
END_TEST

START_TEST(test_enum) {
    bst_type type;
    const char *wrong = NULL;
    char text[] = "enum( new,paid in full ,\xC3\xA9)?";
    ck_assert(bst_type_parse(text, arena, &type, &wrong));
    memset(text, 'x', strlen(text)); /* members are kept in the arena */
    ck_assert_int_eq(type.kind, BST_KIND_ENUM);
    ck_assert(type.optional);
    ck_assert_uint_eq(type.member_count, 3);
    ck_assert_str_eq(type.members[0], "new");
    ck_assert_str_eq(type.members[1], "paid in full");
    ck_assert_str_eq(type.members[2], "\xC3\xA9");
    bst_strbuf out = BST_STRBUF_INIT;
    bst_type_format(&type, &out);
    ck_assert_str_eq(out.text, "enum(new,paid in full,\xC3\xA9)?");
    bst_strbuf_release(&out);
}
END_TEST

static const struct wrong_case {
    const char *text, *wrong;
} wrong_cases[] = {
    {"", "unknown type"},
    {"?", "unknown type"},
    {"Text", "unknown type"},
    {"integer", "unknown type"},
    {"text??", "unknown type"},
    {"tex", "unknown type"},
    {"textt", "unknown type"},
    {"(3)", "unknown type"},
    {"text ?x", "unknown type"},
    {"text(3)", "this type takes nothing in parentheses"},
    {"int4()", "this type takes nothing in parentheses"},
    {"decimal(12,2", "a parenthesis is not closed"},
    {"decimal(12,2)x", "a parenthesis is not closed"},
    {"decimal", "decimal needs a precision, as in decimal(12,2)"},
    {"decimal()", "the precision of a decimal must be 1 to 18"},
    {"decimal(0)", "the precision of a decimal must be 1 to 18"},
    {"decimal(19,2)", "the precision of a decimal must be 1 to 18"},
    {"decimal(99999999999999999999)", "the precision of a decimal must be 1 to 18"},
    {"decimal(-1,2)", "the precision of a decimal must be 1 to 18"},
    {"decimal(a)", "the precision of a decimal must be 1 to 18"},
    {"decimal(5,6)", "the scale of a decimal must be 0 to its precision"},
    {"decimal(5,)", "the scale of a decimal must be 0 to its precision"},
    {"decimal(5,-1)", "the scale of a decimal must be 0 to its precision"},
    {"decimal(5,2,1)", "the scale of a decimal must be 0 to its precision"},
    {"decimal(5,2,)", "the scale of a decimal must be 0 to its precision"},
    {"varchar()", "the length must be 1 to 10485760"},
    {"varchar(0)", "the length must be 1 to 10485760"},
    {"varchar(10485761)", "the length must be 1 to 10485760"},
    {"char(3,4)", "the length must be 1 to 10485760"},
    {"char(3))", "the length must be 1 to 10485760"},
    {"char(x)", "the length must be 1 to 10485760"},
    {"enum", "enum needs its members, as in enum(new,paid)"},
    {"enum()", "an enum member must not be empty"},
    {"enum(a,)", "an enum member must not be empty"},
    {"enum(a,,b)", "an enum member must not be empty"},
    {"enum(a,\xFF)", "an enum member must be UTF-8"},
    {"enum(a,b, a )", "an enum member is named twice"},
};

START_TEST(test_wrong) {
    for (size_t i = 0; i < sizeof wrong_cases / sizeof *wrong_cases; i++) {
        bst_type type;
        const char *wrong = "";
        ck_assert_msg(!bst_type_parse(wrong_cases[i].text, arena, &type, &wrong), "\"%s\"",
                      wrong_cases[i].text);
        ck_assert_str_eq(wrong, wrong_cases[i].wrong);
    }
}
END_TEST

START_TEST(test_equal) {
    static const char *const texts[] = {
        "text",          "text?",         "varchar",       "varchar(3)",    "varchar(4)",
        "decimal(12,2)", "decimal(12,3)", "decimal(11,2)", "enum(a,b)",     "enum(b,a)",
        "enum(a,b,c)",   "enum(a,c)",     "char(3)",       "decimal(12,2)?"};
    enum { COUNT = sizeof texts / sizeof *texts };
    bst_type types[COUNT], twins[COUNT];
    const char *wrong;
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert(bst_type_parse(texts[i], arena, &types[i], &wrong));
        ck_assert(bst_type_parse(texts[i], arena, &twins[i], &wrong));
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++)
            ck_assert_int_eq(bst_type_equal(&types[i], &twins[j]), i == j);
    }
}
END_TEST

START_TEST(test_names) {
    size_t count;
    const char *const *const names = bst_type_names(&count);
    ck_assert_uint_eq(count, BST_KIND_COUNT);
    ck_assert_str_eq(names[BST_KIND_BOOL], "bool");
    ck_assert_str_eq(names[BST_KIND_ENUM], "enum");
}
END_TEST

Suite *test_base_type_suite(void) {
    Suite *suite = suite_create("type");
    TCase *tc = tcase_create("type");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_parse);
    tcase_add_test(tc, test_enum);
    tcase_add_test(tc, test_wrong);
    tcase_add_test(tc, test_equal);
    tcase_add_test(tc, test_names);
    suite_add_tcase(suite, tc);
    return suite;
}
