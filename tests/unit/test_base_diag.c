#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "backstory/diag.h"
#include "random.h"

static const bst_loc place = {"payment.fsm.json", 5, 14};

static char *text_of(const bst_diags *diags, size_t index, const char *source, size_t len) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_diag_format_text(bst_diags_at(diags, index), source, len, &out);
    return bst_strbuf_detach(&out);
}

static void check_text(const bst_diags *diags, const char *source, const char *expected) {
    char *const text = text_of(diags, 0, source, source ? strlen(source) : 0);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(test_add_returns_its_status) {
    bst_diags *diags = bst_diags_new();
    ck_assert_int_eq(bst_diag_add(diags, BST_IO, BST_ERROR, "a", NULL, "x"), BST_IO);
    ck_assert_int_eq(bst_diag_add(NULL, BST_LIMIT, BST_ERROR, "a", NULL, "x"), BST_LIMIT);
    ck_assert_int_eq(bst_diag_nomem(diags), BST_NOMEM);
    ck_assert_int_eq(bst_diag_nomem(NULL), BST_NOMEM);
    ck_assert_uint_eq(bst_diags_count(diags), 2);
    ck_assert_int_eq(bst_diags_at(diags, 1)->status, BST_NOMEM);
    bst_diag_nomem(diags); /* once is enough */
    ck_assert_uint_eq(bst_diags_count(diags), 2);
    ck_assert_ptr_null(bst_diags_at(diags, 2));
    ck_assert_ptr_null(bst_diags_free(diags));
}
END_TEST

START_TEST(test_null_list) {
    bst_diag_detail(NULL, "x");
    bst_diag_hint(NULL, "x");
    bst_diag_also(NULL, &place, "x");
    bst_diags_sort(NULL);
    ck_assert_uint_eq(bst_diags_count(NULL), 0);
    ck_assert_uint_eq(bst_diags_dropped(NULL), 0);
    ck_assert_uint_eq(bst_diags_count_of(NULL, BST_ERROR), 0);
    ck_assert_ptr_null(bst_diags_at(NULL, 0));
    ck_assert_ptr_null(bst_diags_free(NULL));
}
END_TEST

/* The list copies what it is given. */
START_TEST(test_texts_are_copied) {
    bst_diags *diags = bst_diags_new();
    char file[] = "a.json", code[] = "code", name[] = "name";
    const bst_loc where = {file, 1, 2};
    bst_diag_add(diags, BST_INVALID, BST_WARNING, code, &where, "state \"%s\"", name);
    bst_diag_detail(diags, "detail %s", name);
    bst_diag_hint(diags, "hint %s", name);
    bst_diag_also(diags, &where, "also %s", name);
    memset(file, 'x', strlen(file));
    memset(code, 'x', strlen(code));
    memset(name, 'x', strlen(name));
    const bst_diag *const diag = bst_diags_at(diags, 0);
    ck_assert_str_eq(diag->file, "a.json");
    ck_assert_str_eq(diag->code, "code");
    ck_assert_str_eq(diag->message, "state \"name\"");
    ck_assert_str_eq(diag->detail, "detail name");
    ck_assert_str_eq(diag->hint, "hint name");
    ck_assert_str_eq(diag->also_file, "a.json");
    ck_assert_str_eq(diag->also_message, "also name");
    bst_diags_free(diags);
}
END_TEST

START_TEST(test_details_without_a_finding) {
    bst_diags *diags = bst_diags_new();
    bst_diag_hint(diags, "lost");
    ck_assert_uint_eq(bst_diags_count(diags), 0);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "a", NULL, "x");
    bst_diags_clear(diags);
    bst_diag_hint(diags, "lost");
    ck_assert_uint_eq(bst_diags_count(diags), 0);
    bst_diags_free(diags);
}
END_TEST

START_TEST(test_limit) {
    bst_diags *diags = bst_diags_new();
    for (int i = 0; i < BST_DIAGS_LIMIT + 5; i++)
        bst_diag_add(diags, BST_INVALID, i % 2 ? BST_ERROR : BST_WARNING, "a", NULL, "%d", i);
    bst_diag_hint(diags, "of a finding that was dropped");
    ck_assert_uint_eq(bst_diags_count(diags), BST_DIAGS_LIMIT);
    ck_assert_uint_eq(bst_diags_dropped(diags), 5);
    ck_assert_uint_eq(bst_diags_count_of(diags, BST_WARNING), BST_DIAGS_LIMIT / 2);
    ck_assert_str_eq(bst_diags_at(diags, 999)->message, "999");
    ck_assert_ptr_null(bst_diags_at(diags, 999)->hint);
    bst_diag_nomem(diags); /* there is always room for this one */
    ck_assert_uint_eq(bst_diags_count(diags), BST_DIAGS_LIMIT + 1);
    bst_diags_clear(diags);
    ck_assert_uint_eq(bst_diags_count(diags), 0);
    ck_assert_uint_eq(bst_diags_dropped(diags), 0);
    bst_diags_free(diags);
}
END_TEST

START_TEST(test_sort) {
    static const struct {
        const char *file;
        uint32_t line, column;
    } added[] = {{"b", 1, 1}, {"a", 2, 5}, {NULL, 0, 0}, {"a", 2, 1},
                 {"a", 0, 0}, {"a", 2, 5}, {"a", 10, 1}};
    static const char order[] = "2431560";
    bst_diags *diags = bst_diags_new();
    for (size_t i = 0; i < 7; i++) {
        const bst_loc where = {added[i].file, added[i].line, added[i].column};
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "a", &where, "%zu", i);
    }
    bst_diags_sort(diags);
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(bst_diags_at(diags, i)->message[0], order[i]);
    bst_diags_free(diags);
}
END_TEST

START_TEST(test_format_whole) {
    bst_diags *diags = bst_diags_new();
    const bst_loc also = {NULL, 4, 7}, nowhere = {"x", 0, 0};
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "unknown-state", &place,
                 "initial state \"%s\" is not declared", "craeted");
    bst_diag_detail(diags, "First line.\nSecond line.");
    bst_diag_hint(diags, "Did you mean \"%s\"?", "created");
    bst_diag_also(diags, &also, "first declared here");
    bst_diag_also(diags, &nowhere, "not a place");
    check_text(diags, "{\n\n\n\n  \"initial\": \"craeted\",\r\n}",
               "payment.fsm.json:5:14: error: initial state \"craeted\" is not declared "
               "[unknown-state]\n"
               "    5 |   \"initial\": \"craeted\",\n"
               "      |              ^\n"
               "  First line.\n"
               "  Second line.\n"
               "  hint: Did you mean \"created\"?\n"
               "  payment.fsm.json:4:7: note: first declared here\n");
    check_text(diags, NULL,
               "payment.fsm.json:5:14: error: initial state \"craeted\" is not declared "
               "[unknown-state]\n"
               "  First line.\n"
               "  Second line.\n"
               "  hint: Did you mean \"created\"?\n"
               "  payment.fsm.json:4:7: note: first declared here\n");
    bst_diags_free(diags);
}
END_TEST

static const struct format_case {
    bst_loc where;
    const char *source, *expected;
} format_cases[] = {
    {{NULL, 0, 0}, "x", "warning: m [c]\n"},
    {{NULL, 3, 4}, "x", "warning: m [c]\n"},
    {{"f", 0, 0}, "x", "f: warning: m [c]\n"},
    {{"f", 0, 9}, "x", "f: warning: m [c]\n"},
    {{"f", 1, 0}, "x", "f:1: warning: m [c]\n    1 | x\n"},
    {{"f", 1, 1}, "", "f:1:1: warning: m [c]\n    1 | \n      | ^\n"},
    {{"f", 2, 1}, "x", "f:2:1: warning: m [c]\n"},
    {{"f", 2, 1}, "x\n", "f:2:1: warning: m [c]\n    2 | \n      | ^\n"},
    {{"f", 1, 3}, "xy", "f:1:3: warning: m [c]\n    1 | xy\n      |   ^\n"},
    {{"f", 1, 99}, "xy", "f:1:99: warning: m [c]\n    1 | xy\n      |   ^\n"},
    {{"f", 1, 3}, "\t\tx", "f:1:3: warning: m [c]\n    1 |   x\n      |   ^\n"},
    /* wide characters take two columns, combining ones none */
    {{"f", 1, 3},
     "\xE4\xB8\x96\xE7\x95\x8Cx",
     "f:1:3: warning: m [c]\n    1 | \xE4\xB8\x96\xE7\x95\x8Cx\n      |     ^\n"},
    {{"f", 1, 3}, "e\xCC\x81x", "f:1:3: warning: m [c]\n    1 | e\xCC\x81x\n      |  ^\n"},
    /* nothing that steers a terminal, or turns a line round */
    {{"f\x1B[0m", 1, 2},
     "\x1B[1m\x7F",
     "f\\u001B[0m:1:2: warning: m [c]\n    1 | \\u001B[1m\\u007F\n      |       ^\n"},
    {{"f", 1, 2},
     "\xE2\x80\xAEx\xC2\x9B\xFFy",
     "f:1:2: warning: m [c]\n    1 | \\u202Ex\\u009B\\xFFy\n      |       ^\n"},
    {{"f", 123456, 1}, "x", "f:123456:1: warning: m [c]\n"},
};

static void check_format(const struct format_case *c) {
    bst_diags *diags = bst_diags_new();
    bst_diag_add(diags, BST_INVALID, BST_WARNING, "c", &c->where, "m");
    check_text(diags, c->source, c->expected);
    bst_diags_free(diags);
}

START_TEST(test_format) {
    for (size_t i = 0; i < sizeof format_cases / sizeof *format_cases; i++)
        check_format(&format_cases[i]);
}
END_TEST

START_TEST(test_message_is_made_harmless) {
    bst_diags *diags = bst_diags_new();
    bst_diag_add(diags, BST_INVALID, BST_NOTE, "c", NULL, "value \"\x1B]0;x\x07\r\" is long");
    check_text(diags, NULL, "note: value \"\\u001B]0;x\\u0007\\r\" is long [c]\n");
    bst_diags_free(diags);
}
END_TEST

/* A long line is cut to a window, and the caret still stands under its character. */
START_TEST(test_long_lines) {
    enum { LEN = 1000 };
    char line[LEN + 1];
    for (int i = 0; i < LEN; i++)
        line[i] = (char)('!' + i % 90);
    line[LEN] = '\0';
    for (uint32_t column = 1; column <= LEN; column += 7) {
        bst_diags *diags = bst_diags_new();
        const bst_loc where = {"f", 1, column};
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "c", &where, "m");
        char *const text = text_of(diags, 0, line, LEN);
        char *const shown = strchr(text, '\n') + 1;
        char *const caret = strchr(shown, '\n') + 1;
        const size_t at = strcspn(caret, "^");
        ck_assert_int_eq(shown[at], line[column - 1]);
        ck_assert(caret - shown <= 120);
        free(text);
        bst_diags_free(diags);
    }
}
END_TEST

START_TEST(test_json) {
    bst_diags *diags = bst_diags_new();
    const bst_loc also = {"b", 4, 0};
    bst_strbuf out = BST_STRBUF_INIT;
    bst_diags_format_json(diags, &out);
    ck_assert_str_eq(out.text, "{\"diagnostics\":[]}\n");
    bst_strbuf_clear(&out);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "x-y", &place, "say \"%s\"", "\xFF\n");
    bst_diag_detail(diags, "d");
    bst_diag_hint(diags, "h");
    bst_diag_also(diags, &also, "a");
    bst_diag_add(diags, BST_INVALID, BST_NOTE, "z", NULL, "m");
    bst_diags_format_json(diags, &out);
    ck_assert_str_eq(out.text,
                     "{\"diagnostics\":[{\"severity\":\"error\",\"code\":\"x-y\",\"file\":"
                     "\"payment.fsm.json\",\"line\":5,\"column\":14,"
                     "\"message\":\"say \\\"\xEF\xBF\xBD\\n\\\"\",\"detail\":\"d\",\"hint\":\"h\","
                     "\"also\":{\"message\":\"a\",\"file\":\"b\",\"line\":4}},"
                     "{\"severity\":\"note\",\"code\":\"z\",\"message\":\"m\"}]}\n");
    json_error_t error;
    json_t *const json = json_loads(out.text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s", error.text);
    json_decref(json);
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}
END_TEST

static const char *const names[] = {"pending", "authorized", "captured", "refunded", "failed"};

static const struct nearest_case {
    const char *name, *expected;
} nearest_cases[] = {
    {"captrued", "captured"}, /* a swap is one mistake */
    {"capturd", "captured"},
    {"ccaptured", "captured"},
    {"Captured", "captured"},
    {"refund", "refunded"},
    {"fialde", "failed"},
    {"pending", "pending"},
    {"fail", NULL}, /* two letters are more than a third of four */
    {"shipped", NULL},
    {"", NULL},
    {"x", NULL},
};

static void check_nearest_name(const struct nearest_case *c) {
    const char *const found = bst_nearest_name(c->name, names, sizeof names / sizeof *names);
    ck_assert_pstr_eq(found, c->expected);
}

START_TEST(test_nearest_name) {
    for (size_t i = 0; i < sizeof nearest_cases / sizeof *nearest_cases; i++)
        check_nearest_name(&nearest_cases[i]);
}
END_TEST

START_TEST(test_nearest_of_several) {
    static const char *const close[] = {"statf", "stated", "state", "statu"};
    ck_assert_str_eq(bst_nearest_name("stats", close, 4), "statf"); /* the first of equals */
    ck_assert_str_eq(bst_nearest_name("state", close, 4), "state");
    ck_assert_ptr_null(bst_nearest_name("state", NULL, 0));
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const one = longest;
    ck_assert_ptr_null(bst_nearest_name(longest, &one, 1));
    ck_assert_ptr_null(bst_nearest_name("state", &one, 1));
}
END_TEST

Suite *test_base_diag_suite(void) {
    Suite *suite = suite_create("diag");
    TCase *tc = tcase_create("diag");
    tcase_add_test(tc, test_add_returns_its_status);
    tcase_add_test(tc, test_null_list);
    tcase_add_test(tc, test_texts_are_copied);
    tcase_add_test(tc, test_details_without_a_finding);
    tcase_add_test(tc, test_limit);
    tcase_add_test(tc, test_sort);
    tcase_add_test(tc, test_format_whole);
    tcase_add_test(tc, test_format);
    tcase_add_test(tc, test_message_is_made_harmless);
    tcase_add_test(tc, test_long_lines);
    tcase_add_test(tc, test_json);
    tcase_add_test(tc, test_nearest_name);
    tcase_add_test(tc, test_nearest_of_several);
    suite_add_tcase(suite, tc);
    return suite;
}
