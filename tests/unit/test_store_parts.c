/* The small parts that readers and sinks are made of. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/history.h"
#include "backstory/reader.h"
#include "backstory/sink.h"

#include "confidence_private.h"
#include "json_scan_private.h"

static const struct {
    double confidence;
    const char *text;
} confidences[] = {
    {1, "1"},
    {0.5, "0.5"},
    {0.1, "0.1"},
    {1.0 / 3, "0.333333"},
    {2.0 / 3, "0.666667"},
    {0.123456789, "0.123457"},
    {0.99, "0.99"},
    {0.9999994, "0.999999"},
    {0.9999999, "0.999999"}, /* not 1 */
    {0.99999999999999994, "0.999999"},
    {0.00001, "0.00001"},
    {0.0000123456, "0.0000123456"},
    {0.000001, "1e-6"},
    {0, "0"},
    {1.5e-9, "1.5e-9"},
    {5e-324, "4.94066e-324"},
    {0.009999999, "0.01"},
};
#define CONFIDENCES (int)(sizeof confidences / sizeof *confidences)

START_TEST(confidence_has_one_form) {
    char text[BST__CONFIDENCE_TEXT];
    double back;
    ck_assert_uint_eq(bst__confidence_format(confidences[_i].confidence, text),
                      strlen(confidences[_i].text));
    ck_assert_str_eq(text, confidences[_i].text);
    ck_assert(bst__confidence_parse(text, strlen(text), &back));
    ck_assert_double_eq_tol(back, confidences[_i].confidence, 1e-6);
    ck_assert((back == 1) == (confidences[_i].confidence == 1));
    char again[BST__CONFIDENCE_TEXT];
    bst__confidence_format(back, again);
    ck_assert_str_eq(again, text);
}
END_TEST

START_TEST(confidence_is_a_number_from_0_to_1) {
    static const char *const wrong[] = {"",  "00",    "-0.5", "1.1", "1e999",
                                        "x", "\"1\"", "0x1",  "01"};
    double back;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!bst__confidence_parse(wrong[i], strlen(wrong[i]), &back), "%s", wrong[i]);
    ck_assert(bst__confidence_parse("1.0", 3, &back) && back == 1);
    ck_assert(bst__confidence_parse("0", 1, &back) && back == 0);
}
END_TEST

START_TEST(every_basis_has_its_text) {
    bst_basis basis;
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        ck_assert(bst_basis_parse(bst_basis_text((bst_basis)i), &basis));
        ck_assert_int_eq(basis, i);
    }
    ck_assert_str_eq(bst_basis_text(BST_BASIS_ASSUMED), "assumed");
    ck_assert(!bst_basis_parse("guessed", &basis));
}
END_TEST

static const struct {
    const char *target;
    bool is;
} targets[] = {
    {"postgresql://u:p@h/db", true},
    {"postgres://", true},
    {"host=db1 dbname=x", true},
    {"  dbname = 'my db'", true},
    {"service=prod", true},
    {"dbname=x.jsonl", true},
    {"", false},
    {"payments.csv", false},
    {"out.jsonl", false},
    {"/data/day=1/payments.csv", false},
    {"./a=b", false},
    {"mysql://u@h/db", false},
};

START_TEST(connection_strings_are_told_by_their_form) {
    ck_assert_int_eq(bst_is_connection_string(targets[_i].target), targets[_i].is);
}
END_TEST

START_TEST(what_is_neither_file_nor_server_is_refused) {
    const bst_run_info run = {0};
    bst_diags *const diags = bst_diags_new();
    bst_sink *sink = NULL;
    ck_assert_int_eq(bst_sink_open("out.csv", NULL, &run, &sink, diags), BST_USAGE);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "unknown-store");
    ck_assert_ptr_nonnull(strstr(bst_diags_at(diags, 0)->message, "out.csv"));
    /* A misspelt connection string is not repeated: there may be a password in it. */
    ck_assert_int_eq(bst_sink_open("postgre://u:secret@h/db", NULL, &run, &sink, diags), BST_USAGE);
    ck_assert_ptr_null(strstr(bst_diags_at(diags, 1)->message, "secret"));
    bst_diags_free(diags);
}
END_TEST

#if !BACKSTORY_POSTGRES
START_TEST(without_postgres_a_connection_string_says_so) {
    const bst_run_info run = {0};
    bst_diags *const diags = bst_diags_new();
    bst_sink *sink = NULL;
    bst_reader *reader = NULL;
    ck_assert_int_eq(bst_sink_open("dbname=x", NULL, &run, &sink, diags), BST_USAGE);
    ck_assert_int_eq(bst_reader_open("dbname=x", NULL, NULL, &reader, diags), BST_USAGE);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "no-postgres");
    ck_assert_str_eq(bst_diags_at(diags, 1)->code, "no-postgres");
    bst_diags_free(diags);
}
END_TEST
#endif

static const struct {
    const char *text;
    bool fits;
    int64_t value;
} numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {" 17 ", true, 17},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"99999999999999999999", false, 0},
    {"18446744073709551616", false, 0},
    {"00", false, 0},
    {"-", false, 0},
    {"+1", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"\"1\"", false, 0},
    {"", false, 0},
};

START_TEST(whole_numbers_fit_or_are_none) {
    const char *const text = numbers[_i].text;
    bst__scan scan = {text, text + strlen(text)};
    int64_t value = 0;
    ck_assert_int_eq(bst__scan_int(&scan, &value), numbers[_i].fits);
    ck_assert_int_eq(value, numbers[_i].value);
}
END_TEST

static const struct {
    const char *text;
    size_t len; /* of the item; SIZE_MAX: there is none */
    bst__item_kind kind;
} items[] = {
    {"\"a\"", 1, BST__STRING},         {"\"\\\"\"", 2, BST__STRING},
    {"\"\\\\\"", 2, BST__STRING},      {"  {\"a\":[\"}\"]}x", 11, BST__OBJECT},
    {"[[],[1]]]", 8, BST__ARRAY},      {"null,", 4, BST__WORD},
    {"-1.5e+3]", 7, BST__NUMBER},      {"", SIZE_MAX, BST__WORD},
    {"\"a", SIZE_MAX, BST__WORD},      {"\"a\\", SIZE_MAX, BST__WORD},
    {"\"a\nb\"", SIZE_MAX, BST__WORD}, {"[[]", SIZE_MAX, BST__WORD},
    {"{\"a", SIZE_MAX, BST__WORD},     {"]", SIZE_MAX, BST__WORD},
    {"?", SIZE_MAX, BST__WORD},
};

START_TEST(values_end_where_they_end) {
    const char *const text = items[_i].text;
    /* Behind the text there is nothing that may be read: the sanitizer sees to that. */
    char *const copy = malloc(strlen(text) + 1);
    memcpy(copy, text, strlen(text));
    bst__scan scan = {copy, copy + strlen(text)};
    bst__item item;
    const bool there = bst__scan_value(&scan, &item);
    ck_assert_int_eq(there, items[_i].len != SIZE_MAX);
    if (there) {
        ck_assert_uint_eq(item.len, items[_i].len);
        ck_assert_int_eq(item.kind, items[_i].kind);
    }
    free(copy);
}
END_TEST

#define COUNT_OF(table) (int)(sizeof table / sizeof *table)

Suite *test_store_parts_suite(void) {
    Suite *const suite = suite_create("store parts");
    TCase *const tests = tcase_create("parts");
    tcase_add_loop_test(tests, confidence_has_one_form, 0, CONFIDENCES);
    tcase_add_test(tests, confidence_is_a_number_from_0_to_1);
    tcase_add_test(tests, every_basis_has_its_text);
    tcase_add_loop_test(tests, connection_strings_are_told_by_their_form, 0, COUNT_OF(targets));
    tcase_add_test(tests, what_is_neither_file_nor_server_is_refused);
#if !BACKSTORY_POSTGRES
    tcase_add_test(tests, without_postgres_a_connection_string_says_so);
#endif
    tcase_add_loop_test(tests, whole_numbers_fit_or_are_none, 0, COUNT_OF(numbers));
    tcase_add_loop_test(tests, values_end_where_they_end, 0, COUNT_OF(items));
    suite_add_tcase(suite, tests);
    return suite;
}
