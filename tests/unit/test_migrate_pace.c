/* So many rows a second, whatever the readers do: counted by a clock of the test's own. */
#include <check.h>

#include "source/pace_private.h"

#define SECOND 1000000

/* Rows that `readers` read in so many seconds, each of which would read a row in a microsecond. */
static uint64_t read_for(bst__pace *pace, unsigned readers, int64_t begin, unsigned seconds) {
    const int64_t end = begin + (int64_t)seconds * SECOND;
    const uint64_t step = bst__pace_step(pace);
    int64_t ready[64] = {0}; /* when each reader has read its next step of rows */
    uint64_t rows = 0;
    for (unsigned i = 0; i < readers; i++) {
        ready[i] = begin + (int64_t)step;
    }
    for (;;) {
        unsigned next = 0;
        for (unsigned i = 1; i < readers; i++) {
            next = ready[i] < ready[next] ? i : next;
        }
        if (ready[next] >= end) {
            return rows;
        }
        rows += step;
        ready[next] += bst__pace_take(pace, step, ready[next]) + (int64_t)step;
    }
}

static const struct {
    uint64_t rate;
    unsigned readers, seconds;
} runs[] = {{1, 1, 100},    {3, 2, 100},    {100, 1, 10},    {999, 4, 10},    {4000, 1, 10},
            {4000, 64, 10}, {65536, 3, 10}, {300000, 2, 10}, {700000, 8, 10}, {4294967295, 1, 1}};

START_TEST(rate) {
    bst__pace pace = {.rate = runs[_i].rate, .due_us = 5 * SECOND};
    const uint64_t rows = read_for(&pace, runs[_i].readers, 5 * SECOND, runs[_i].seconds);
    uint64_t wanted = runs[_i].rate * runs[_i].seconds;
    const uint64_t possible = (uint64_t)runs[_i].readers * runs[_i].seconds * SECOND;
    wanted = wanted < possible ? wanted : possible;
    ck_assert_uint_ge(rows * 100, wanted * 95);
    ck_assert_uint_le(rows * 100, wanted * 105 + 100 * bst__pace_step(&pace) * runs[_i].readers);
}
END_TEST

/* A minute without a row is not made up for. */
START_TEST(lost_time) {
    bst__pace pace = {.rate = 1000};
    const uint64_t before = read_for(&pace, 2, 0, 10);
    const uint64_t after = read_for(&pace, 2, 70 * SECOND, 10);
    ck_assert_uint_le(before, 10100);
    ck_assert_uint_ge(after, 9900);
    ck_assert_uint_le(after, 10200);
}
END_TEST

/* A reader that is a little late each time, as sleeping is, still reads what it may. */
START_TEST(late_each_time) {
    bst__pace pace = {.rate = 10000};
    const uint64_t step = bst__pace_step(&pace);
    uint64_t rows = 0;
    int64_t now = 0;
    while (now < 10 * SECOND) {
        rows += step;
        now += 2000 + bst__pace_take(&pace, step, now);
    }
    ck_assert_uint_ge(rows, 99000);
    ck_assert_uint_le(rows, 102000);
}
END_TEST

Suite *test_migrate_pace_suite(void) {
    Suite *suite = suite_create("migrate pace");
    TCase *tcase = tcase_create("pace");
    tcase_add_loop_test(tcase, rate, 0, (int)(sizeof runs / sizeof runs[0]));
    tcase_add_test(tcase, lost_time);
    tcase_add_test(tcase, late_each_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
