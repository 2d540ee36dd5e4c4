#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "random.h"
#include "zone_private.h"

/* Where clocks showed each of these; what PostgreSQL 15 makes of them, and where it has to
 * choose. */
static const struct local_case {
    const char *zone, *local;
    bst_time_result result;
    const char *utc;
} local_cases[] = {
    {"UTC", "2021-07-01 12:00", BST_TIME_OK, "2021-07-01T12:00:00Z"},
    {"+02", "2021-07-01 12:00", BST_TIME_OK, "2021-07-01T10:00:00Z"},
    {"+02:00", "2021-07-01 12:00", BST_TIME_OK, "2021-07-01T10:00:00Z"},
    {"-0530", "2021-07-01 12:00", BST_TIME_OK, "2021-07-01T17:30:00Z"},
    {"+00:19:32", "1930-07-01", BST_TIME_OK, "1930-06-30T23:40:28Z"},
    {"Etc/GMT-3", "2021-07-01 12:00", BST_TIME_OK, "2021-07-01T09:00:00Z"},
    /* summer and winter, by the file and by its footer */
    {"Europe/Copenhagen", "2021-07-01 12:00:00.5", BST_TIME_OK, "2021-07-01T10:00:00.5Z"},
    {"Europe/Copenhagen", "2021-01-01", BST_TIME_OK, "2020-12-31T23:00:00Z"},
    {"Europe/Copenhagen", "2150-07-01 12:00", BST_TIME_OK, "2150-07-01T10:00:00Z"},
    {"Europe/Copenhagen", "2150-01-01 12:00", BST_TIME_OK, "2150-01-01T11:00:00Z"},
    {"Australia/Sydney", "2150-01-01 12:00", BST_TIME_OK, "2150-01-01T01:00:00Z"},
    {"Australia/Sydney", "2150-07-01 12:00", BST_TIME_OK, "2150-07-01T02:00:00Z"},
    {"Asia/Kolkata", "2150-07-01 12:00", BST_TIME_OK, "2150-07-01T06:30:00Z"},
    /* the gap, to the microsecond */
    {"Europe/Copenhagen", "2021-03-28 01:59:59.999999", BST_TIME_OK, "2021-03-28T00:59:59.999999Z"},
    {"Europe/Copenhagen", "2021-03-28 02:00", BST_TIME_GAP, NULL},
    {"Europe/Copenhagen", "2021-03-28 02:59:59.999999", BST_TIME_GAP, NULL},
    {"Europe/Copenhagen", "2021-03-28 03:00", BST_TIME_OK, "2021-03-28T01:00:00Z"},
    {"Europe/Copenhagen", "2150-03-29 02:30", BST_TIME_GAP, NULL},
    /* the overlap */
    {"Europe/Copenhagen", "2021-10-31 01:59:59.999999", BST_TIME_OK, "2021-10-30T23:59:59.999999Z"},
    {"Europe/Copenhagen", "2021-10-31 02:00", BST_TIME_OVERLAP, NULL},
    {"Europe/Copenhagen", "2021-10-31 02:59:59.999999", BST_TIME_OVERLAP, NULL},
    {"Europe/Copenhagen", "2021-10-31 03:00", BST_TIME_OK, "2021-10-31T02:00:00Z"},
    {"Europe/Copenhagen", "2150-10-25 02:30", BST_TIME_OVERLAP, NULL},
    {"America/New_York", "2021-03-14 02:30", BST_TIME_GAP, NULL},
    {"America/New_York", "2021-11-07 01:30", BST_TIME_OVERLAP, NULL},
    {"America/New_York", "2021-11-07 02:00", BST_TIME_OK, "2021-11-07T07:00:00Z"},
    {"Australia/Lord_Howe", "2021-10-03 02:15", BST_TIME_GAP, NULL}, /* half an hour */
    {"Australia/Lord_Howe", "2021-10-03 02:30", BST_TIME_OK, "2021-10-02T15:30:00Z"},
    {"Australia/Lord_Howe", "2150-04-05 01:45", BST_TIME_OVERLAP, NULL},
    /* a day left out, a day twice */
    {"Pacific/Apia", "2011-12-29 23:59:59", BST_TIME_OK, "2011-12-30T09:59:59Z"},
    {"Pacific/Apia", "2011-12-30 00:00", BST_TIME_GAP, NULL},
    {"Pacific/Apia", "2011-12-30 23:59:59", BST_TIME_GAP, NULL},
    {"Pacific/Apia", "2011-12-31 00:00", BST_TIME_OK, "2011-12-30T10:00:00Z"},
    {"Pacific/Kwajalein", "1993-08-21 12:00", BST_TIME_GAP, NULL},
    {"America/Juneau", "1867-10-19 12:00", BST_TIME_OVERLAP, NULL},
    /* standard time in summer, as Irish law has it */
    {"Europe/Dublin", "2150-07-01 12:00", BST_TIME_OK, "2150-07-01T11:00:00Z"},
    {"Europe/Dublin", "2150-01-01 12:00", BST_TIME_OK, "2150-01-01T12:00:00Z"},
    {"Europe/Dublin", "2150-03-29 01:30", BST_TIME_GAP, NULL},
    {"Europe/Dublin", "2150-10-25 01:30", BST_TIME_OVERLAP, NULL},
    /* local mean time, and before any clock */
    {"Asia/Kathmandu", "1900-01-01 00:00", BST_TIME_OK, "1899-12-31T18:18:44Z"},
    {"Africa/Monrovia", "1971-12-31 12:00", BST_TIME_OK, "1971-12-31T12:44:30Z"},
    {"Europe/Berlin", "0044-03-15 12:00 BC", BST_TIME_OK, "0044-03-15T11:06:32Z BC"},
    /* both ends */
    {"-01", "294276-12-31 23:30", BST_TIME_RANGE, NULL},
    {"-01", "294276-12-31 22:30", BST_TIME_OK, "294276-12-31T23:30:00Z"},
    {"+01", "294277-01-01 00:30", BST_TIME_OK, "294276-12-31T23:30:00Z"},
    {"+01", "4714-11-24 00:30 BC", BST_TIME_RANGE, NULL},
    {"-01", "4714-11-23 23:30 BC", BST_TIME_OK, "4714-11-24T00:30:00Z BC"},
    {"Europe/Copenhagen", "294276-07-01 12:00", BST_TIME_OK, "294276-07-01T10:00:00Z"},
    /* a text that names its offset needs no zone; infinity has none */
    {"Europe/Copenhagen", "2021-03-28 02:30Z", BST_TIME_OK, "2021-03-28T02:30:00Z"},
    {"Europe/Copenhagen", "infinity", BST_TIME_OK, "infinity"},
};

static void check_local(const struct local_case *c) {
    const bst_zone *zone = bst_zone_new(c->zone);
    char text[BST_TIME_TEXT_MAX];
    int64_t time = -77;
    ck_assert_msg(zone != NULL, "no zone %s", c->zone);
    const bst_time_result result = bst_time_parse(c->local, strlen(c->local), zone, &time);
    ck_assert_msg(result == c->result, "%s in %s: %d", c->local, c->zone, (int)result);
    if (result == BST_TIME_OK) {
        bst_time_format(time, text);
        ck_assert_str_eq(text, c->utc);
    } else {
        ck_assert_int_eq(time, -77);
    }
    ck_assert_ptr_null(bst_zone_free(zone));
}

START_TEST(test_local) {
    for (size_t i = 0; i < sizeof local_cases / sizeof *local_cases; i++)
        check_local(&local_cases[i]);
}
END_TEST

START_TEST(test_from_naive) {
    const bst_zone *zone = bst_zone_new("Europe/Copenhagen");
    int64_t naive = 0, time = -77;
    ck_assert_int_eq(bst_time_parse("2021-07-01 12:00:00.25Z", 23, NULL, &naive), BST_TIME_OK);
    ck_assert_int_eq(bst_time_from_naive(naive, zone, &time), BST_TIME_OK);
    ck_assert_int_eq(time, naive - INT64_C(7200000000));
    ck_assert_int_eq(bst_time_from_naive(-1, zone, &time), BST_TIME_OK);
    ck_assert_int_eq(time, INT64_C(-3600000001));
    time = -77;
    ck_assert_int_eq(bst_time_from_naive(naive, NULL, &time), BST_TIME_NO_ZONE);
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_MIN, zone, &time), BST_TIME_RANGE);
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_MIN - 1, zone, &time), BST_TIME_RANGE);
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_END, zone, &time), BST_TIME_RANGE);
    ck_assert_int_eq(bst_time_from_naive(INT64_MAX - 1, zone, &time), BST_TIME_RANGE);
    ck_assert_int_eq(bst_time_from_naive(INT64_MIN + 1, zone, &time), BST_TIME_RANGE);
    ck_assert_int_eq(time, -77);
    ck_assert_int_eq(bst_time_parse("2021-03-28 02:30Z", 17, NULL, &naive), BST_TIME_OK);
    ck_assert_int_eq(bst_time_from_naive(naive, zone, &time), BST_TIME_GAP);
    const bst_zone *west = bst_zone_new("-01");
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_END - 1, west, &time), BST_TIME_RANGE);
    bst_zone_free(west);
    ck_assert_int_eq(time, -77);
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_INFINITY, NULL, &time), BST_TIME_OK);
    ck_assert_int_eq(time, BST_TIME_INFINITY);
    ck_assert_int_eq(bst_time_from_naive(BST_TIME_MINUS_INFINITY, zone, &time), BST_TIME_OK);
    ck_assert_int_eq(time, BST_TIME_MINUS_INFINITY);
    bst_zone_free(zone);
    bst_zone_free(NULL);
}
END_TEST

static const char *const no_zones[] = {
    "",
    "Nowhere/Atlantis",
    "Europe",
    "/usr/share/zoneinfo/UTC",
    "..",
    "../zoneinfo/Europe",
    "Europe/../UTC",
    "./Europe/Copenhagen",
    "zone.tab",
    "zone1970.tab",
    "tzdata.zi",
    "Europe/Copenhagen ",
    "+2",
    "+16:00",
    "+02:60",
    "+02:00x",
    "02:00",
    "Europe/Copenhagen/",
    "europe copen",
    "right/Europe/Copenhagen",
    "Europe//../",
};

START_TEST(test_no_zone) {
    for (size_t i = 0; i < sizeof no_zones / sizeof *no_zones; i++) {
        ck_assert_msg(bst_zone_new(no_zones[i]) == NULL, "\"%s\"", no_zones[i]);
    }
}
END_TEST

START_TEST(test_name_of_any_length) {
    char name[5000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_ptr_null(bst_zone_new(name));
    name[255] = '\0';
    ck_assert_ptr_null(bst_zone_new(name));
}
END_TEST

static const struct rule_case {
    const char *text;
    int32_t standard, daylight;
    int64_t year;
    const char *start, *end; /* of daylight time; NULL: there is none */
} rule_cases[] = {
    {"UTC0", 0, 0, 2021, NULL, NULL},
    {"<+0545>-5:45", 20700, 20700, 2021, NULL, NULL},
    {"LMT0:50:39", -3039, -3039, 2021, NULL, NULL},
    {"CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200, 2021, "2021-03-28T01:00:00Z",
     "2021-10-31T01:00:00Z"},
    {"EST5EDT,M3.2.0,M11.1.0", -18000, -14400, 2024, "2024-03-10T07:00:00Z",
     "2024-11-03T06:00:00Z"},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 0, 2021, "2021-10-31T01:00:00Z", "2021-03-28T01:00:00Z"},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600, 2024, "2024-03-31T01:00:00Z",
     "2024-10-27T01:00:00Z"},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, 10800, 2024, "2024-03-30T00:00:00Z",
     "2024-10-25T23:00:00Z"},
    {"AAA3BBB,J60/0,J365/23", -10800, -7200, 2024, "2024-03-01T03:00:00Z", "2025-01-01T01:00:00Z"},
    {"AAA3BBB,59/0,365/0", -10800, -7200, 2024, "2024-02-29T03:00:00Z", "2024-12-31T02:00:00Z"},
    {"AAA-24BBB-25,M2.1.0/167:59:59,M12.5.6", 86400, 90000, 2021, NULL, NULL},
};

static void check_second(int64_t seconds, const char *expected) {
    char text[BST_TIME_TEXT_MAX];
    bst_time_format(seconds * 1000000, text);
    ck_assert_str_eq(text, expected);
}

static void check_rule(const struct rule_case *c) {
    const char *const end = c->text + strlen(c->text);
    bst__zone_rule rule;
    const bool too_far = c->daylight > 86400;
    ck_assert_msg(bst__zone_rule_parse(c->text, end, &rule) == !too_far, "%s", c->text);
    if (too_far)
        return;
    ck_assert_int_eq(rule.standard, c->standard);
    ck_assert_int_eq(rule.daylight, c->daylight);
    ck_assert_int_eq(rule.has_daylight, c->start != NULL);
    if (c->start) {
        check_second(bst__zone_rule_start(&rule, c->year), c->start);
        check_second(bst__zone_rule_end(&rule, c->year), c->end);
    }
}

START_TEST(test_rule) {
    for (size_t i = 0; i < sizeof rule_cases / sizeof *rule_cases; i++)
        check_rule(&rule_cases[i]);
}
END_TEST

static const char *const no_rules[] = {
    "",
    "CET",
    "C-1",
    "CET-1CEST",
    "CET-1CEST,",
    "CET-1CEST,M3.5.0",
    "CET-1CEST,M3.5.0,",
    "CET-1CEST,M13.5.0,M10.5.0",
    "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0",
    "CET-1CEST,M3.5,M10.5.0",
    "CET-1CEST,J0,J365",
    "CET-1CEST,J1,J366",
    "CET-1CEST,0,366",
    "CET-1CEST,M3.5.0/168,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0x",
    "CET-25",
    "CET-1:60",
    "<CET-1",
    "CET-1 ",
};

START_TEST(test_no_rule) {
    for (size_t i = 0; i < sizeof no_rules / sizeof *no_rules; i++) {
        const char *const text = no_rules[i];
        bst__zone_rule rule;
        ck_assert_msg(!bst__zone_rule_parse(text, text + strlen(text), &rule), "%s", text);
    }
}
END_TEST

static size_t read_berlin(uint8_t *bytes, size_t size) {
    FILE *const file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    ck_assert_ptr_nonnull(file);
    const size_t len = fread(bytes, 1, size, file);
    fclose(file);
    ck_assert_uint_lt(len, size);
    return len;
}

/* A file that is cut anywhere is no zone. */
START_TEST(test_cut_file) {
    uint8_t bytes[8192];
    const size_t len = read_berlin(bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        /* Behind this copy ends the memory: reading on would be seen. */
        uint8_t *const copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        if (bst__zone_parse(copy, cut))
            ck_abort_msg("%zu of %zu bytes", cut, len);
        free(copy);
    }
    const bst_zone *zone = bst__zone_parse(bytes, len);
    ck_assert_ptr_nonnull(zone);
    bst_zone_free(zone);
}
END_TEST

/* Whatever a file holds, asking it for the time comes to an end. */
START_TEST(test_damaged_file) {
    uint8_t good[8192], bytes[8192];
    const size_t len = read_berlin(good, sizeof good);
    uint64_t seed = 10;
    size_t read = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(bytes, good, len);
        for (uint64_t n = random_next(&seed) % 3 + 1; n > 0; n--)
            bytes[random_next(&seed) % len] = (uint8_t)random_next(&seed);
        const bst_zone *zone = bst__zone_parse(bytes, len);
        read += zone != NULL;
        for (int i = 0; zone && i < 10; i++) {
            int64_t time;
            bst_time_from_naive(random_int64(&seed), zone, &time);
        }
        bst_zone_free(zone);
    }
    ck_assert_uint_gt(read, 0);
    ck_assert_uint_lt(read, 20000);
}
END_TEST

Suite *test_base_zone_suite(void) {
    Suite *suite = suite_create("zone");
    TCase *tc = tcase_create("zone");
    tcase_add_test(tc, test_local);
    tcase_add_test(tc, test_from_naive);
    tcase_add_test(tc, test_no_zone);
    tcase_add_test(tc, test_name_of_any_length);
    tcase_add_test(tc, test_cut_file);
    tcase_add_test(tc, test_damaged_file);
    tcase_add_test(tc, test_rule);
    tcase_add_test(tc, test_no_rule);
    suite_add_tcase(suite, tc);
    return suite;
}
