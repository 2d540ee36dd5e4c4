#include <check.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "random.h"

#define SECOND INT64_C(1000000)

/* What PostgreSQL 15 makes of the same texts. */
static const struct parse_case {
    const char *text;
    bst_time_result result;
    const char *expected; /* as formatted */
} parse_cases[] = {
    {"2021-03-02 10:11:12+00", BST_TIME_OK, "2021-03-02T10:11:12Z"},
    {"2021-03-02T10:11:12Z", BST_TIME_OK, "2021-03-02T10:11:12Z"},
    {"2021-03-02t10:11:12z", BST_TIME_OK, "2021-03-02T10:11:12Z"},
    {"2021-03-02 10:11Z", BST_TIME_OK, "2021-03-02T10:11:00Z"},
    {"2021-03-02 10:11:12.5Z", BST_TIME_OK, "2021-03-02T10:11:12.5Z"},
    {"2021-03-02 10:11:12.000001Z", BST_TIME_OK, "2021-03-02T10:11:12.000001Z"},
    {"2021-03-02 10:11:12.120000000000Z", BST_TIME_OK, "2021-03-02T10:11:12.12Z"},
    /* offsets */
    {"2021-03-02 10:11:12+02", BST_TIME_OK, "2021-03-02T08:11:12Z"},
    {"2021-03-02 10:11:12-0530", BST_TIME_OK, "2021-03-02T15:41:12Z"},
    {"2021-03-02 10:11:12+05:45", BST_TIME_OK, "2021-03-02T04:26:12Z"},
    {"2021-03-02 10:11:12+02:00:30", BST_TIME_OK, "2021-03-02T08:10:42Z"},
    {"2021-03-02 10:11:12+15:59:59", BST_TIME_OK, "2021-03-01T18:11:13Z"},
    {"2021-03-02 10:11:12-15:59:59", BST_TIME_OK, "2021-03-03T02:11:11Z"},
    {"2021-03-02 10:11:12-00", BST_TIME_OK, "2021-03-02T10:11:12Z"},
    {"2021-03-02 10:11:12+16", BST_TIME_RANGE, NULL},
    {"2021-03-02 10:11:12+02:60", BST_TIME_RANGE, NULL},
    {"2021-03-02 10:11:12+02:00:60", BST_TIME_RANGE, NULL},
    /* the next midnight, and leap seconds */
    {"2021-03-02 24:00Z", BST_TIME_OK, "2021-03-03T00:00:00Z"},
    {"2021-12-31 24:00:00.000Z", BST_TIME_OK, "2022-01-01T00:00:00Z"},
    {"2021-03-02 24:00:00+02", BST_TIME_OK, "2021-03-02T22:00:00Z"},
    {"2021-03-02 24:00:00.000001Z", BST_TIME_RANGE, NULL},
    {"2021-03-02 24:01Z", BST_TIME_RANGE, NULL},
    {"2021-03-02 25:00Z", BST_TIME_RANGE, NULL},
    {"2021-03-02 23:59:60Z", BST_TIME_OK, "2021-03-03T00:00:00Z"},
    {"2021-03-02 23:59:60.5Z", BST_TIME_RANGE, NULL},
    {"2021-03-02 10:59:60.999999Z", BST_TIME_OK, "2021-03-02T11:00:00.999999Z"},
    {"2021-03-02 10:11:61Z", BST_TIME_RANGE, NULL},
    {"2021-03-02 10:60Z", BST_TIME_RANGE, NULL},
    /* days that are not */
    {"2021-02-29 00:00Z", BST_TIME_RANGE, NULL},
    {"2020-02-29 00:00Z", BST_TIME_OK, "2020-02-29T00:00:00Z"},
    {"1900-02-29 00:00Z", BST_TIME_RANGE, NULL},
    {"2000-02-29 00:00Z", BST_TIME_OK, "2000-02-29T00:00:00Z"},
    {"2021-00-01 00:00Z", BST_TIME_RANGE, NULL},
    {"2021-13-01 00:00Z", BST_TIME_RANGE, NULL},
    {"2021-04-31 00:00Z", BST_TIME_RANGE, NULL},
    {"2021-04-00 00:00Z", BST_TIME_RANGE, NULL},
    {"0000-01-01 00:00Z", BST_TIME_RANGE, NULL},
    /* both ends */
    {"294276-12-31 23:59:59.999999Z", BST_TIME_OK, "294276-12-31T23:59:59.999999Z"},
    {"294276-12-31 24:00:00Z", BST_TIME_RANGE, NULL},
    {"294277-01-01 00:00Z", BST_TIME_RANGE, NULL},
    {"294277-01-01 00:30+01", BST_TIME_OK, "294276-12-31T23:30:00Z"},
    {"999999-12-31 00:00Z", BST_TIME_RANGE, NULL},
    {"4714-11-24 00:00:00Z BC", BST_TIME_OK, "4714-11-24T00:00:00Z BC"},
    {"4714-11-23 23:59:59.999999Z BC", BST_TIME_RANGE, NULL},
    {"4714-11-23 23:30:00-01 BC", BST_TIME_OK, "4714-11-24T00:30:00Z BC"},
    {"999999-01-01 00:00Z BC", BST_TIME_RANGE, NULL},
    {"0001-01-01 00:00:00Z", BST_TIME_OK, "0001-01-01T00:00:00Z"},
    {"0001-12-31 23:59:59Z BC", BST_TIME_OK, "0001-12-31T23:59:59Z BC"},
    {"0001-02-29 00:00Z BC", BST_TIME_OK, "0001-02-29T00:00:00Z BC"},
    {"0002-02-29 00:00Z BC", BST_TIME_RANGE, NULL},
    {"10000-01-01 00:00Z", BST_TIME_OK, "10000-01-01T00:00:00Z"},
    {"012021-01-01 00:00Z", BST_TIME_OK, "12021-01-01T00:00:00Z"},
    /* no days at all */
    {"infinity", BST_TIME_OK, "infinity"},
    {"-infinity", BST_TIME_OK, "-infinity"},
    {"Infinity", BST_TIME_OK, "infinity"},
    {"+infinity", BST_TIME_SYNTAX, NULL},
    {"infinit", BST_TIME_SYNTAX, NULL},
    {"infinityy", BST_TIME_SYNTAX, NULL},
    {"--infinity", BST_TIME_SYNTAX, NULL},
    /* too fine */
    {"2021-03-02 10:11:12.1234567Z", BST_TIME_INEXACT, NULL},
    {"2021-03-02 10:11:12.00000000001Z", BST_TIME_INEXACT, NULL},
    {"2021-03-32 10:11:12.1234567Z", BST_TIME_RANGE, NULL},
    /* no offset, and no zone */
    {"2021-03-02 10:11:12", BST_TIME_NO_ZONE, NULL},
    {"2021-03-02", BST_TIME_NO_ZONE, NULL},
    {"0044-03-15 BC", BST_TIME_NO_ZONE, NULL},
    {"2021-03-02 10:11:12 BC", BST_TIME_NO_ZONE, NULL},
    /* no timestamps */
    {"", BST_TIME_SYNTAX, NULL},
    {"now", BST_TIME_SYNTAX, NULL},
    {"2021", BST_TIME_SYNTAX, NULL},
    {"2021-03", BST_TIME_SYNTAX, NULL},
    {"2021-3-2 10:11Z", BST_TIME_SYNTAX, NULL},
    {"21-03-02 10:11Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02T", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 ", BST_TIME_SYNTAX, NULL},
    {"2021-03-02Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02  10:11Z", BST_TIME_SYNTAX, NULL},
    {" 2021-03-02 10:11Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11Z ", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 1:11Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12.Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11.5Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12,5Z", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12+2", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12+020", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12+02:", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12+02:00:", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12+020030", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12Z+02", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12 UTC", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12Z AD", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12Z BC BC", BST_TIME_SYNTAX, NULL},
    {"2021-03-02 10:11:12Z bc", BST_TIME_SYNTAX, NULL},
    {"-2021-03-02 10:11Z", BST_TIME_SYNTAX, NULL},
    {"1234567-03-02 10:11Z", BST_TIME_SYNTAX, NULL},
    {"2021/03/02 10:11Z", BST_TIME_SYNTAX, NULL},
    {"2021-13-45 garbage", BST_TIME_SYNTAX, NULL},
};

static void check_parse(const struct parse_case *c) {
    char text[BST_TIME_TEXT_MAX];
    int64_t time = -77;
    const bst_time_result result = bst_time_parse(c->text, strlen(c->text), NULL, &time);
    ck_assert_msg(result == c->result, "\"%s\": %d", c->text, (int)result);
    if (result != BST_TIME_OK) {
        ck_assert_int_eq(time, -77);
        return;
    }
    ck_assert_uint_eq(bst_time_format(time, text), strlen(c->expected));
    ck_assert_str_eq(text, c->expected);
}

START_TEST(test_parse) {
    for (size_t i = 0; i < sizeof parse_cases / sizeof *parse_cases; i++)
        check_parse(&parse_cases[i]);
}
END_TEST

static const struct {
    const char *text;
    int64_t time;
} known[] = {
    {"2000-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00Z", BST_TIME_UNIX_EPOCH},
    {"4714-11-24T00:00:00Z BC", BST_TIME_MIN},
    {"294276-12-31T23:59:59.999999Z", BST_TIME_END - 1},
    {"1999-12-31T23:59:59.999999Z", -1},
    {"2021-03-02T10:11:12.123456Z", INT64_C(667995072123456)},
    {"0044-03-15T12:00:00Z BC", INT64_C(-64464465600000000)},
    {"infinity", BST_TIME_INFINITY},
    {"-infinity", BST_TIME_MINUS_INFINITY},
};

START_TEST(test_known_times) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[BST_TIME_TEXT_MAX];
        int64_t time;
        ck_assert_uint_eq(bst_time_format(known[i].time, text), strlen(known[i].text));
        ck_assert_str_eq(text, known[i].text);
        ck_assert_int_eq(bst_time_parse(text, strlen(text), NULL, &time), BST_TIME_OK);
        ck_assert_int_eq(time, known[i].time);
    }
}
END_TEST

static int64_t random_time(uint64_t *seed) {
    int64_t time;
    do {
        time = random_int64(seed);
    } while (time < BST_TIME_MIN || time >= BST_TIME_END);
    return time;
}

START_TEST(test_round_trip) {
    uint64_t seed = 6;
    char text[BST_TIME_TEXT_MAX];
    for (int i = 0; i < 100000; i++) {
        const int64_t time = random_time(&seed);
        const size_t len = bst_time_format(time, text);
        int64_t again = 0;
        if (len != strlen(text) || bst_time_parse(text, len, NULL, &again) != BST_TIME_OK ||
            again != time)
            ck_abort_msg("%" PRId64 " is \"%s\"", time, text);
    }
}
END_TEST

/* Any number can be formatted, also one that is no timestamp. */
START_TEST(test_format_out_of_range) {
    char text[BST_TIME_TEXT_MAX];
    ck_assert_uint_lt(bst_time_format(INT64_MIN + 1, text), sizeof text);
    ck_assert_str_eq(text, "290279-12-22T19:59:05.224193Z BC");
    ck_assert_uint_lt(bst_time_format(INT64_MAX - 1, text), sizeof text);
    ck_assert_str_eq(text, "294277-01-09T04:00:54.775806Z");
}
END_TEST

/* Each day of four centuries follows the one before. */
START_TEST(test_every_day) {
    char text[BST_TIME_TEXT_MAX], expected[BST_TIME_TEXT_MAX];
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t days = -36524; /* 1900-01-01 */
    for (int year = 1900; year < 2300; year++) {
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            const int last = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= last; day++, days++) {
                int32_t parsed;
                bst_date_format(days, text);
                snprintf(expected, sizeof expected, "%04d-%02d-%02d", year, month, day);
                if (strcmp(text, expected) != 0 ||
                    bst_date_parse(text, 10, &parsed) != BST_TIME_OK || parsed != days)
                    ck_abort_msg("%s is \"%s\"", expected, text);
            }
        }
    }
}
END_TEST

static const struct date_case {
    const char *text;
    bst_time_result result;
    int32_t days;
} date_cases[] = {
    {"2000-01-01", BST_TIME_OK, 0},
    {"4714-11-24 BC", BST_TIME_OK, -2451545},
    {"4713-01-01 BC", BST_TIME_OK, -2451507},
    {"4714-11-23 BC", BST_TIME_RANGE, 0},
    {"5874897-12-31", BST_TIME_OK, 2145031948},
    {"5874898-01-01", BST_TIME_RANGE, 0},
    {"9999999-01-01", BST_TIME_RANGE, 0},
    {"9999999-01-01 BC", BST_TIME_RANGE, 0},
    {"infinity", BST_TIME_OK, INT32_MAX},
    {"-infinity", BST_TIME_OK, INT32_MIN},
    {"2021-02-29", BST_TIME_RANGE, 0},
    {"0000-01-01", BST_TIME_RANGE, 0},
    {"2021-02-28 ", BST_TIME_SYNTAX, 0},
    {"2021-02-28 00:00", BST_TIME_SYNTAX, 0},
    {"2021-2-28", BST_TIME_SYNTAX, 0},
    {"20210228", BST_TIME_SYNTAX, 0},
    {"", BST_TIME_SYNTAX, 0},
};

static void check_date(const struct date_case *c) {
    char text[BST_TIME_TEXT_MAX];
    int32_t days = -77;
    ck_assert_int_eq(bst_date_parse(c->text, strlen(c->text), &days), c->result);
    ck_assert_int_eq(days, c->result == BST_TIME_OK ? c->days : -77);
    if (c->result == BST_TIME_OK) {
        ck_assert_uint_eq(bst_date_format(days, text), strlen(c->text));
        ck_assert_str_eq(text, c->text);
    }
}

START_TEST(test_month) {
    static const struct {
        const char *time, *month;
        int32_t number;
    } cases[] = {{"2000-01-01T00:00:00Z", "2000-01", 0},
                 {"2022-12-31T23:59:59.999999Z", "2022-12", 275},
                 {"1999-12-31T23:59:59.999999Z", "1999-12", -1},
                 {"294276-12-31T00:00:00Z", "294276-12", 3507323},
                 {"4714-11-24T00:00:00Z BC", "4714-11 BC", -80546}};
    char text[BST_TIME_TEXT_MAX];
    int64_t time;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(bst_time_parse(cases[i].time, strlen(cases[i].time), NULL, &time),
                         BST_TIME_OK);
        ck_assert_int_eq(bst_time_month(time), cases[i].number);
        ck_assert_uint_eq(bst_month_format(cases[i].number, text), strlen(cases[i].month));
        ck_assert_str_eq(text, cases[i].month);
    }
    ck_assert_int_eq(bst_time_month(BST_TIME_INFINITY), INT32_MIN);
    ck_assert_int_eq(bst_time_month(BST_TIME_MINUS_INFINITY), INT32_MIN);
}
END_TEST

START_TEST(test_date) {
    for (size_t i = 0; i < sizeof date_cases / sizeof *date_cases; i++)
        check_date(&date_cases[i]);
}
END_TEST

static const struct duration_case {
    const char *text;
    bst_time_result result;
    int64_t us;
    const char *formatted; /* NULL: as it was read */
} duration_cases[] = {
    {"PT0S", BST_TIME_OK, 0, NULL},
    {"-PT0S", BST_TIME_OK, 0, "PT0S"},
    {"P0D", BST_TIME_OK, 0, "PT0S"},
    {"PT0.5S", BST_TIME_OK, SECOND / 2, NULL},
    {"PT1.000001S", BST_TIME_OK, SECOND + 1, NULL},
    {"-PT5M", BST_TIME_OK, -300 * SECOND, NULL},
    {"P1DT2H", BST_TIME_OK, 93600 * SECOND, NULL},
    {"P1DT2H3M4.5S", BST_TIME_OK, 93784 * SECOND + SECOND / 2, NULL},
    {"P2W", BST_TIME_OK, 14 * 86400 * SECOND, "P14D"},
    {"P1W1D", BST_TIME_OK, 8 * 86400 * SECOND, "P8D"},
    {"PT36H", BST_TIME_OK, 36 * 3600 * SECOND, "P1DT12H"},
    {"PT90M", BST_TIME_OK, 5400 * SECOND, "PT1H30M"},
    {"PT0000000000000000000000001S", BST_TIME_OK, SECOND, "PT1S"},
    {"P106751991DT4H54.775807S", BST_TIME_OK, INT64_MAX, NULL},
    {"-P106751991DT4H54.775808S", BST_TIME_OK, INT64_MIN, NULL},
    {"P106751991DT4H54.775808S", BST_TIME_RANGE, 0, NULL},
    {"-P106751991DT4H54.775809S", BST_TIME_RANGE, 0, NULL},
    {"P99999999999999999999999999W", BST_TIME_RANGE, 0, NULL},
    {"PT18446744073709551616S", BST_TIME_RANGE, 0, NULL},
    {"P213503982DT18446744073709S", BST_TIME_RANGE, 0, NULL},
    {"PT0.1234567S", BST_TIME_INEXACT, 0, NULL},
    {"P", BST_TIME_SYNTAX, 0, NULL},
    {"PT", BST_TIME_SYNTAX, 0, NULL},
    {"P1DT", BST_TIME_SYNTAX, 0, NULL},
    {"", BST_TIME_SYNTAX, 0, NULL},
    {"-", BST_TIME_SYNTAX, 0, NULL},
    {"1D", BST_TIME_SYNTAX, 0, NULL},
    {"P1", BST_TIME_SYNTAX, 0, NULL},
    {"P1Y", BST_TIME_SYNTAX, 0, NULL},
    {"P1M", BST_TIME_SYNTAX, 0, NULL},
    {"P1H", BST_TIME_SYNTAX, 0, NULL},
    {"PT1D", BST_TIME_SYNTAX, 0, NULL},
    {"PT1S1M", BST_TIME_SYNTAX, 0, NULL},
    {"PT1M1M", BST_TIME_SYNTAX, 0, NULL},
    {"P1DT1HT1M", BST_TIME_SYNTAX, 0, NULL},
    {"PT1.5M", BST_TIME_SYNTAX, 0, NULL},
    {"P0.5D", BST_TIME_SYNTAX, 0, NULL},
    {"PT1.S", BST_TIME_SYNTAX, 0, NULL},
    {"PT.5S", BST_TIME_SYNTAX, 0, NULL},
    {"PT-5M", BST_TIME_SYNTAX, 0, NULL},
    {"PT5M ", BST_TIME_SYNTAX, 0, NULL},
    {"pt5m", BST_TIME_SYNTAX, 0, NULL},
};

static void check_duration(const struct duration_case *c) {
    char text[BST_TIME_TEXT_MAX];
    int64_t us = -77;
    const bst_time_result result = bst_duration_parse(c->text, strlen(c->text), &us);
    ck_assert_msg(result == c->result, "\"%s\": %d", c->text, (int)result);
    ck_assert_int_eq(us, result == BST_TIME_OK ? c->us : -77);
    if (result == BST_TIME_OK) {
        ck_assert_uint_eq(bst_duration_format(us, text), strlen(text));
        ck_assert_str_eq(text, c->formatted ? c->formatted : c->text);
    }
}

START_TEST(test_duration) {
    for (size_t i = 0; i < sizeof duration_cases / sizeof *duration_cases; i++)
        check_duration(&duration_cases[i]);
}
END_TEST

START_TEST(test_duration_round_trip) {
    uint64_t seed = 7;
    char text[BST_TIME_TEXT_MAX];
    for (int i = 0; i < 100000; i++) {
        const int64_t us = random_int64(&seed);
        int64_t again = 0;
        const size_t len = bst_duration_format(us, text);
        if (bst_duration_parse(text, len, &again) != BST_TIME_OK || again != us)
            ck_abort_msg("%" PRId64 " is \"%s\"", us, text);
    }
}
END_TEST

Suite *test_base_timestamp_suite(void) {
    Suite *suite = suite_create("timestamp");
    TCase *tc = tcase_create("timestamp");
    tcase_add_test(tc, test_parse);
    tcase_add_test(tc, test_known_times);
    tcase_add_test(tc, test_round_trip);
    tcase_add_test(tc, test_format_out_of_range);
    tcase_add_test(tc, test_every_day);
    tcase_add_test(tc, test_month);
    tcase_add_test(tc, test_date);
    tcase_add_test(tc, test_duration);
    tcase_add_test(tc, test_duration_round_trip);
    suite_add_tcase(suite, tc);
    return suite;
}
