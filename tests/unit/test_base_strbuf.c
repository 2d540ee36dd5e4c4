#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "backstory/strbuf.h"
#include "random.h"

START_TEST(test_empty) {
    bst_strbuf sb = BST_STRBUF_INIT;
    ck_assert_str_eq(sb.text, "");
    ck_assert_uint_eq(sb.len, 0);
    bst_strbuf_add(&sb, NULL, 0);
    bst_strbuf_adds(&sb, "");
    ck_assert_uint_eq(sb.size, 0);
    bst_strbuf_clear(&sb);
    bst_strbuf_release(&sb);
    ck_assert_str_eq(sb.text, "");
}
END_TEST

START_TEST(test_append) {
    bst_strbuf sb;
    bst_strbuf_init(&sb);
    bst_strbuf_adds(&sb, "one");
    bst_strbuf_addc(&sb, ',');
    bst_strbuf_add(&sb, "two\0!", 5);
    bst_strbuf_addf(&sb, ",%d%s", 3, "!");
    ck_assert_uint_eq(sb.len, 12);
    ck_assert_mem_eq(sb.text, "one,two\0!,3!", 13);
    bst_strbuf_cut(&sb, 12);
    bst_strbuf_cut(&sb, 13);
    ck_assert_uint_eq(sb.len, 12);
    bst_strbuf_cut(&sb, 3);
    ck_assert_str_eq(sb.text, "one");
    bst_strbuf_clear(&sb);
    ck_assert_str_eq(sb.text, "");
    ck_assert(sb.size > 0);
    bst_strbuf_release(&sb);
}
END_TEST

/* Around every size at which the buffer grows. */
START_TEST(test_grow) {
    char expected[1100] = "";
    bst_strbuf sb = BST_STRBUF_INIT;
    for (size_t i = 0; i < sizeof expected - 1; i++) {
        const char c = (char)('a' + i % 26);
        expected[i] = c;
        if (i % 3 == 0)
            bst_strbuf_addf(&sb, "%c", c);
        else
            bst_strbuf_addc(&sb, c);
        ck_assert_uint_eq(strlen(sb.text), i + 1);
    }
    ck_assert_str_eq(sb.text, expected);
    bst_strbuf_release(&sb);
}
END_TEST

START_TEST(test_format_longer_than_the_buffer) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_strbuf_adds(&sb, "x");
    bst_strbuf_addf(&sb, "%0500d", 7);
    ck_assert_uint_eq(sb.len, 501);
    ck_assert_uint_eq(strlen(sb.text), 501);
    ck_assert_int_eq(sb.text[500], '7');
    bst_strbuf_release(&sb);
}
END_TEST

START_TEST(test_failure_is_sticky) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_strbuf_adds(&sb, "kept");
    ck_assert(!bst_strbuf_reserve(&sb, SIZE_MAX));
    ck_assert(sb.failed);
    bst_strbuf_adds(&sb, "a");
    bst_strbuf_addc(&sb, 'b');
    bst_strbuf_addf(&sb, "%d", 1);
    bst_strbuf_add_int(&sb, 1);
    bst_strbuf_add_json(&sb, "c", 1);
    ck_assert_str_eq(sb.text, "kept");
    ck_assert(!bst_strbuf_reserve(&sb, 0));
    bst_strbuf_clear(&sb);
    bst_strbuf_adds(&sb, "again");
    ck_assert_str_eq(sb.text, "again");
    ck_assert(!bst_strbuf_reserve(&sb, SIZE_MAX - 3));
    ck_assert_ptr_null(bst_strbuf_detach(&sb));
    ck_assert_uint_eq(sb.size, 0);
    ck_assert(!sb.failed);
}
END_TEST

START_TEST(test_detach) {
    bst_strbuf sb = BST_STRBUF_INIT;
    char *text = bst_strbuf_detach(&sb);
    ck_assert_str_eq(text, "");
    free(text);
    bst_strbuf_adds(&sb, "mine");
    text = bst_strbuf_detach(&sb);
    ck_assert_str_eq(text, "mine");
    ck_assert_str_eq(sb.text, "");
    ck_assert_uint_eq(sb.size, 0);
    free(text);
}
END_TEST

static void check_int(int64_t value) {
    char expected[32];
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_strbuf_add_int(&sb, value);
    snprintf(expected, sizeof expected, "%" PRId64, value);
    if (strcmp(sb.text, expected) != 0)
        ck_abort_msg("%s is \"%s\"", expected, sb.text);
    bst_strbuf_release(&sb);
}

START_TEST(test_int) {
    static const int64_t values[] = {0, INT64_MAX, INT64_MIN, INT32_MIN, UINT32_MAX};
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check_int(values[i]);
    for (int64_t power = 1, digits = 1; digits < 19; power *= 10, digits++) {
        for (int64_t value = power - 1; value <= power + 1; value++) {
            check_int(value);
            check_int(-value);
        }
    }
    for (int64_t four = 0; four < 10000; four++) { /* in either half of eight digits */
        check_int(four);
        check_int(four * 10000);
    }
    for (int i = 0; i < 10000; i++)
        check_int(random_int64(&seed));
}
END_TEST

static const struct json_case {
    const char *text;
    size_t len;
    const char *expected;
} json_cases[] = {
    {NULL, 0, "\"\""},
    {"abc", 3, "\"abc\""},
    {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
    {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
    {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
    {"\xC3\xA9\xF0\x9F\x98\x80", 6, "\"\xC3\xA9\xF0\x9F\x98\x80\""},
    {"a\xFF"
     "b",
     3,
     "\"a\xEF\xBF\xBD"
     "b\""},
    {"\xC3", 1, "\"\xEF\xBF\xBD\""},                                 /* cut */
    {"\xC0\x80", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                 /* too long a form */
    {"\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* a surrogate */
    {"\xF4\x90\x80\x80x", 5, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\""},
};

static void check_json(const struct json_case *c) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_strbuf_add_json(&sb, c->text, c->len);
    ck_assert_str_eq(sb.text, c->expected);
    bst_strbuf_release(&sb);
}

START_TEST(test_json) {
    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++)
        check_json(&json_cases[i]);
}
END_TEST

/* Whatever bytes go in, valid JSON comes out; and what is UTF-8 comes back as it was. */
START_TEST(test_json_is_always_valid) {
    uint64_t seed = 2;
    for (int round = 0; round < 20000; round++) {
        char bytes[24];
        const size_t len = random_next(&seed) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)random_next(&seed);
        bst_strbuf sb = BST_STRBUF_INIT;
        bst_strbuf_add_json(&sb, bytes, len);
        json_error_t error;
        json_t *const json = json_loadb(sb.text, sb.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        json_t *const plain = json_stringn(bytes, len);
        if (!json || (plain && !json_equal(plain, json)))
            ck_abort_msg("%s: %s", sb.text, json ? "another text" : error.text);
        /* Text for its own sake is the same text. */
        bst_strbuf text = BST_STRBUF_INIT;
        bst_strbuf_add_utf8(&text, bytes, len);
        ck_assert_uint_eq(text.len, json_string_length(json));
        ck_assert_mem_eq(text.text, json_string_value(json), text.len);
        bst_strbuf_release(&text);
        json_decref(plain);
        json_decref(json);
        bst_strbuf_release(&sb);
    }
}
END_TEST

Suite *test_base_strbuf_suite(void) {
    Suite *suite = suite_create("strbuf");
    TCase *tc = tcase_create("strbuf");
    tcase_add_test(tc, test_empty);
    tcase_add_test(tc, test_append);
    tcase_add_test(tc, test_grow);
    tcase_add_test(tc, test_format_longer_than_the_buffer);
    tcase_add_test(tc, test_failure_is_sticky);
    tcase_add_test(tc, test_detach);
    tcase_add_test(tc, test_int);
    tcase_add_test(tc, test_json);
    tcase_add_test(tc, test_json_is_always_valid);
    suite_add_tcase(suite, tc);
    return suite;
}
