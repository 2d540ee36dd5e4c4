#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "backstory/decimal.h"
#include "random.h"

#define MAX18 INT64_C(999999999999999999)

static const struct parse_case {
    const char *text;
    int precision, scale;
    bst_decimal_result result;
    int64_t units;
} parse_cases[] = {
    {"0", 1, 0, BST_DECIMAL_OK, 0},
    {"-0", 5, 2, BST_DECIMAL_OK, 0},
    {"+0.000", 5, 2, BST_DECIMAL_OK, 0},
    {"0e999999999999999999999", 5, 2, BST_DECIMAL_OK, 0},
    {"12.30", 12, 2, BST_DECIMAL_OK, 1230},
    {"-12.3", 12, 2, BST_DECIMAL_OK, -1230},
    {"+12", 12, 2, BST_DECIMAL_OK, 1200},
    {"007.50", 3, 2, BST_DECIMAL_OK, 750},
    {"999999999999999999", 18, 0, BST_DECIMAL_OK, MAX18},
    {"-999999999999999999", 18, 0, BST_DECIMAL_OK, -MAX18},
    {"0.999999999999999999", 18, 18, BST_DECIMAL_OK, MAX18},
    {"0.000000000000000001", 18, 18, BST_DECIMAL_OK, 1},
    {"9999999999.99", 12, 2, BST_DECIMAL_OK, INT64_C(999999999999)},
    /* more digits than there is room for */
    {"1000000000000000000", 18, 0, BST_DECIMAL_OVERFLOW, 0},
    {"1", 18, 18, BST_DECIMAL_OVERFLOW, 0},
    {"10000000000.00", 12, 2, BST_DECIMAL_OVERFLOW, 0},
    {"-10000000000", 12, 2, BST_DECIMAL_OVERFLOW, 0},
    {"10", 1, 0, BST_DECIMAL_OVERFLOW, 0},
    {"123456789012345678901234567890", 18, 0, BST_DECIMAL_OVERFLOW, 0},
    {"1e18", 18, 0, BST_DECIMAL_OVERFLOW, 0},
    {"1e99999999999999999999999999", 18, 0, BST_DECIMAL_OVERFLOW, 0},
    {"1234567890123456789.5", 18, 0, BST_DECIMAL_OVERFLOW, 0},
    /* digits beyond the scale: zeros are fine */
    {"12.300000000000000000000000000", 12, 2, BST_DECIMAL_OK, 1230},
    {"12.301", 12, 2, BST_DECIMAL_INEXACT, 0},
    {"0.001", 12, 2, BST_DECIMAL_INEXACT, 0},
    {"9999999999.999", 12, 2, BST_DECIMAL_INEXACT, 0},
    {"1.5", 5, 0, BST_DECIMAL_INEXACT, 0},
    {"0.0000000000000000000000000000000000001", 18, 18, BST_DECIMAL_INEXACT, 0},
    {"1e-99999999999999999999999999", 18, 18, BST_DECIMAL_INEXACT, 0},
    /* exponents */
    {"1e2", 5, 2, BST_DECIMAL_OK, 10000},
    {"1E+2", 5, 2, BST_DECIMAL_OK, 10000},
    {"100e-2", 5, 2, BST_DECIMAL_OK, 100},
    {"1.25e1", 5, 2, BST_DECIMAL_OK, 1250},
    {"125e-3", 5, 2, BST_DECIMAL_INEXACT, 0},
    {"0.000000000000000000000012e24", 5, 2, BST_DECIMAL_OK, 1200},
    {"120000000000000000000000e-22", 5, 2, BST_DECIMAL_OK, 1200},
    {"1e17", 18, 0, BST_DECIMAL_OK, INT64_C(100000000000000000)},
    {"1e000000000000000000000000000001", 5, 2, BST_DECIMAL_OK, 1000},
    /* no numbers */
    {"", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"-", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"+", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {".", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {".5", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"5.", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1.2.3", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1,5", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {" 1", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1 ", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"--1", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"+-1", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1e", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1e+", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1e1.5", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"e5", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1.e5", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"0x10", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"1_000", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"NaN", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"Infinity", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"-Infinity", 5, 2, BST_DECIMAL_SYNTAX, 0},
    {"\xD9\xA1", 5, 2, BST_DECIMAL_SYNTAX, 0}, /* an Arabic digit */
};

static void check_parse(const struct parse_case *c) {
    int64_t units = -77;
    const bst_decimal_result result =
        bst_decimal_parse(c->text, strlen(c->text), c->precision, c->scale, &units);
    ck_assert_msg(result == c->result, "\"%s\": %d", c->text, (int)result);
    ck_assert_msg(units == (result == BST_DECIMAL_OK ? c->units : -77), "\"%s\": %" PRId64, c->text,
                  units);
}

START_TEST(test_parse) {
    for (size_t i = 0; i < sizeof parse_cases / sizeof *parse_cases; i++)
        check_parse(&parse_cases[i]);
}
END_TEST

START_TEST(test_parse_reads_no_further_than_len) {
    int64_t units;
    ck_assert_int_eq(bst_decimal_parse("12345", 2, 5, 0, &units), BST_DECIMAL_OK);
    ck_assert_int_eq(units, 12);
    ck_assert_int_eq(bst_decimal_parse("1.5", 2, 5, 1, &units), BST_DECIMAL_SYNTAX);
    ck_assert_int_eq(bst_decimal_parse("1\0", 2, 5, 0, &units), BST_DECIMAL_SYNTAX);
    ck_assert_int_eq(bst_decimal_parse("", 0, 5, 0, &units), BST_DECIMAL_SYNTAX);
}
END_TEST

static const struct format_case {
    int64_t units;
    int scale;
    const char *text;
} format_cases[] = {
    {0, 0, "0"},
    {0, 2, "0.00"},
    {-1230, 2, "-12.30"},
    {5, 2, "0.05"},
    {-5, 2, "-0.05"},
    {100, 2, "1.00"},
    {MAX18, 0, "999999999999999999"},
    {MAX18, 18, "0.999999999999999999"},
    {-MAX18, 18, "-0.999999999999999999"},
    {1, 18, "0.000000000000000001"},
    {INT64_MAX, 0, "9223372036854775807"},
    {INT64_MIN, 0, "-9223372036854775808"},
    {INT64_MIN, 18, "-9.223372036854775808"},
    {INT64_MIN, 2, "-92233720368547758.08"},
};

static void check_format(const struct format_case *c) {
    char text[BST_DECIMAL_TEXT_MAX];
    ck_assert_uint_eq(bst_decimal_format(c->units, c->scale, text), strlen(c->text));
    ck_assert_str_eq(text, c->text);
}

START_TEST(test_format) {
    for (size_t i = 0; i < sizeof format_cases / sizeof *format_cases; i++)
        check_format(&format_cases[i]);
}
END_TEST

START_TEST(test_round_trip) {
    uint64_t seed = 5;
    for (int i = 0; i < 100000; i++) {
        const int precision = 1 + (int)(random_next(&seed) % 18);
        const int scale = (int)(random_next(&seed) % (unsigned)(precision + 1));
        int64_t units = random_int64(&seed);
        while (!bst_decimal_fits(units, precision))
            units /= 10;
        char text[BST_DECIMAL_TEXT_MAX];
        const size_t len = bst_decimal_format(units, scale, text);
        int64_t again = 0;
        if (bst_decimal_parse(text, len, precision, scale, &again) != BST_DECIMAL_OK ||
            again != units)
            ck_abort_msg("%" PRId64 " at scale %d is \"%s\"", units, scale, text);
    }
}
END_TEST

static const struct rescale_case {
    int64_t units;
    int from, to, precision;
    bst_decimal_result result;
    int64_t expected;
} rescale_cases[] = {
    {1230, 2, 2, 4, BST_DECIMAL_OK, 1230},
    {1230, 2, 4, 6, BST_DECIMAL_OK, 123000},
    {1230, 2, 1, 4, BST_DECIMAL_OK, 123},
    {-1200, 2, 0, 2, BST_DECIMAL_OK, -12},
    {1, 0, 17, 18, BST_DECIMAL_OK, INT64_C(100000000000000000)},
    {MAX18, 18, 18, 18, BST_DECIMAL_OK, MAX18},
    {0, 0, 18, 18, BST_DECIMAL_OK, 0},
    {1230, 2, 0, 4, BST_DECIMAL_INEXACT, 0},
    {-1, 18, 0, 18, BST_DECIMAL_INEXACT, 0},
    {1230, 2, 4, 5, BST_DECIMAL_OVERFLOW, 0},
    {1, 0, 18, 18, BST_DECIMAL_OVERFLOW, 0},
    {10, 0, 18, 18, BST_DECIMAL_OVERFLOW, 0},
    {INT64_MAX, 0, 0, 18, BST_DECIMAL_OVERFLOW, 0},
    {INT64_MIN, 0, 1, 18, BST_DECIMAL_OVERFLOW, 0},
    {INT64_MIN, 1, 0, 18, BST_DECIMAL_INEXACT, 0},
};

static void check_rescale(const struct rescale_case *c) {
    int64_t units = -77;
    ck_assert_int_eq(bst_decimal_rescale(c->units, c->from, c->to, c->precision, &units),
                     c->result);
    ck_assert_int_eq(units, c->result == BST_DECIMAL_OK ? c->expected : -77);
}

START_TEST(test_rescale) {
    for (size_t i = 0; i < sizeof rescale_cases / sizeof *rescale_cases; i++)
        check_rescale(&rescale_cases[i]);
}
END_TEST

START_TEST(test_arithmetic) {
    int64_t result = -77;
    ck_assert(!bst_decimal_add(INT64_MAX, 1, &result));
    ck_assert(!bst_decimal_add(INT64_MIN, -1, &result));
    ck_assert(!bst_decimal_sub(INT64_MIN, 1, &result));
    ck_assert(!bst_decimal_sub(0, INT64_MIN, &result));
    ck_assert(!bst_decimal_mul(INT64_MIN, -1, &result));
    ck_assert(!bst_decimal_mul(INT64_C(3037000500), INT64_C(3037000500), &result));
    ck_assert_int_eq(result, -77);
    ck_assert(bst_decimal_add(MAX18, MAX18, &result) && result == 2 * MAX18);
    ck_assert(bst_decimal_sub(-MAX18, MAX18, &result) && result == -2 * MAX18);
    ck_assert(bst_decimal_mul(-12, 12, &result) && result == -144);
    ck_assert(bst_decimal_mul(INT64_MIN, 1, &result) && result == INT64_MIN);
}
END_TEST

START_TEST(test_fits) {
    ck_assert(bst_decimal_fits(9, 1) && bst_decimal_fits(-9, 1));
    ck_assert(!bst_decimal_fits(10, 1) && !bst_decimal_fits(-10, 1));
    ck_assert(bst_decimal_fits(MAX18, 18) && bst_decimal_fits(-MAX18, 18));
    ck_assert(!bst_decimal_fits(MAX18 + 1, 18) && !bst_decimal_fits(-MAX18 - 1, 18));
    ck_assert(!bst_decimal_fits(INT64_MIN, 18) && !bst_decimal_fits(INT64_MAX, 18));
}
END_TEST

static const struct compare_case {
    int64_t a;
    int a_scale;
    int64_t b;
    int b_scale;
    int expected;
} compare_cases[] = {
    {0, 0, 0, 18, 0},
    {1, 0, 100, 2, 0},
    {-1, 0, -100, 2, 0},
    {5, 1, 49, 2, 1},
    {-5, 1, 5, 1, -1},
    {-5, 1, -49, 2, -1},
    {-15, 1, -12, 1, -1},
    {1, 18, 0, 0, 1},
    {-1, 18, 0, 0, -1},
    {INT64_MAX, 0, INT64_MAX, 18, 1},
    {INT64_MIN, 0, INT64_MAX, 18, -1},
    {INT64_MAX, 18, INT64_C(9223372036854775806), 18, 1},
    {INT64_MIN, 18, -9, 0, -1},
};

static void check_compare(const struct compare_case *c) {
    ck_assert_int_eq(bst_decimal_compare(c->a, c->a_scale, c->b, c->b_scale), c->expected);
    ck_assert_int_eq(bst_decimal_compare(c->b, c->b_scale, c->a, c->a_scale), -c->expected);
}

START_TEST(test_compare) {
    for (size_t i = 0; i < sizeof compare_cases / sizeof *compare_cases; i++)
        check_compare(&compare_cases[i]);
}
END_TEST

Suite *test_base_decimal_suite(void) {
    Suite *suite = suite_create("decimal");
    TCase *tc = tcase_create("decimal");
    tcase_add_test(tc, test_parse);
    tcase_add_test(tc, test_parse_reads_no_further_than_len);
    tcase_add_test(tc, test_format);
    tcase_add_test(tc, test_round_trip);
    tcase_add_test(tc, test_rescale);
    tcase_add_test(tc, test_arithmetic);
    tcase_add_test(tc, test_fits);
    tcase_add_test(tc, test_compare);
    suite_add_tcase(suite, tc);
    return suite;
}
