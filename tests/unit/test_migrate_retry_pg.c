/* How long a run waits before it tries again. */
#include <check.h>

#include "run/run_team_private.h"

#define SECOND INT64_C(1000000)

/* The time of the `tries`th try without chance, in microseconds. */
static const int64_t whole[] = {100000,  200000,     400000,     800000,    1600000,
                                3200000, 5 * SECOND, 5 * SECOND, 5 * SECOND};
enum { TRIES = sizeof whole / sizeof *whole };

static void wait_all(bst__patience *patience, int64_t *ret) {
    for (int i = 0; i < TRIES; i++) {
        patience->tries++;
        ret[i] = bst__patience_us(patience);
    }
}

START_TEST(grows_and_stays_between_half_and_whole) {
    for (uint64_t chance = 0; chance < 1000; chance++) {
        bst__patience patience = {.chance = chance};
        int64_t waits[TRIES];
        wait_all(&patience, waits);
        for (int i = 0; i < TRIES; i++) {
            ck_assert_int_ge(waits[i], whole[i] / 2);
            ck_assert_int_le(waits[i], whole[i]);
        }
    }
}
END_TEST

/* Of 1,000 workers that lose their sessions at once no moment of 10 ms gets more than its share of
 * those that come back with the seventh try: 4 of 1,000 on the average, between 2.5 and 5 s. */
START_TEST(spreads_workers) {
    int at[251] = {0};
    for (uint64_t worker = 0; worker < 1000; worker++) {
        bst__patience patience = {.tries = 7, .chance = 4711 + worker};
        at[(bst__patience_us(&patience) - 5 * SECOND / 2) / 10000]++;
    }
    for (int i = 0; i < 251; i++)
        ck_assert_int_le(at[i], 20);
}
END_TEST

START_TEST(is_repeatable_from_its_chance_alone) {
    bst__patience one = {.chance = 7}, other = {.chance = 7}, third = {.chance = 8};
    int64_t waits[3][TRIES];
    wait_all(&one, waits[0]);
    wait_all(&other, waits[1]);
    wait_all(&third, waits[2]);
    ck_assert_mem_eq(waits[0], waits[1], sizeof waits[0]);
    ck_assert_mem_ne(waits[0], waits[2], sizeof waits[0]);
}
END_TEST

/* What has passed is forgotten, but not where the draws are. */
START_TEST(rests) {
    bst__patience patience = bst__patience_new(1, 0);
    patience.tries = 9;
    bst__patience_us(&patience);
    const uint64_t chance = patience.chance;
    bst__patience_rest(&patience);
    ck_assert_uint_eq(patience.tries, 0);
    ck_assert_uint_eq(patience.chance, chance);
}
END_TEST

static bool left_after(int64_t seconds, uint32_t limit_seconds, const char *code) {
    bst_diags *diags = bst_diags_new();
    bst__patience patience = bst__patience_new(1, limit_seconds);
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, code, NULL, "it was lost");
    bool left = bst__patience_left(&patience, diags);
    if (left) {
        patience.since_us -= seconds * SECOND;
        left = bst__patience_left(&patience, diags);
    }
    bst_diags_free(diags);
    return left;
}

START_TEST(ends_at_its_limit) {
    ck_assert(left_after(119, 0, "connect"));
    ck_assert(!left_after(121, 0, "connect"));
    ck_assert(left_after(599, 600, "sqlstate-57P01"));
    ck_assert(!left_after(4, 3, "rolled-back"));
    ck_assert(!left_after(0, 600, "sqlstate-42501")); /* that does not pass */
}
END_TEST

Suite *test_migrate_retry_pg_suite(void) {
    Suite *suite = suite_create("migrate: tries again");
    TCase *tcase = tcase_create("patience");
    tcase_add_test(tcase, grows_and_stays_between_half_and_whole);
    tcase_add_test(tcase, spreads_workers);
    tcase_add_test(tcase, is_repeatable_from_its_chance_alone);
    tcase_add_test(tcase, rests);
    tcase_add_test(tcase, ends_at_its_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}
