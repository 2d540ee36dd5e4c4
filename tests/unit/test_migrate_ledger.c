/* What a transaction's changes of its ledger come to, held against what it did to the row. */
#include <check.h>
#include <string.h>

#include "follow/follow_private.h"

static const bst_type type = {.kind = BST_KIND_DECIMAL, .precision = 12, .scale = 2};
static const bst__ledger_table table = {.oid = 1, .entity_at = 1, .amount_at = 2};

static bst__tallies tallies;
static bst_arena *scratch;
static bst_wal_value values[6];

static void begin(void) {
    tallies = (bst__tallies){.type = &type};
    scratch = bst_arena_new();
}

static void end(void) {
    bst__tallies_clear(&tallies);
    scratch = bst_arena_free(scratch);
}

/* NULL: NULL in the row; "": it is not sent, because it did not change. */
static bst_wal_value value(const char *text) {
    if (!text)
        return (bst_wal_value){.form = BST_WAL_NULL};
    return (bst_wal_value){.form = *text ? BST_WAL_TEXT : BST_WAL_UNCHANGED,
                           .len = (uint32_t)strlen(text),
                           .text = text};
}

static bst_wal_tuple row(bst_wal_value *at, const char *key, const char *amount) {
    at[0] = value("1");
    at[1] = value(key);
    at[2] = value(amount);
    return (bst_wal_tuple){.count = 3, .values = at};
}

static void put(const char *key, const char *amount) {
    const bst__ledger_change c = {.kind = BST_WAL_INSERT, .new_row = row(values, key, amount)};
    bst__tallies_entry(&tallies, &table, &c, scratch);
}

static void take_out(char old_kind, const char *key, const char *amount) {
    const bst__ledger_change c = {
        .kind = BST_WAL_DELETE, .old_kind = old_kind, .old_row = row(values, key, amount)};
    bst__tallies_entry(&tallies, &table, &c, scratch);
}

static void update(char old_kind, const char *old_key, const char *old_amount, const char *key,
                   const char *amount) {
    bst__ledger_change c = {
        .kind = BST_WAL_UPDATE, .old_kind = old_kind, .new_row = row(values, key, amount)};
    if (old_kind)
        c.old_row = row(values + 3, old_key, old_amount);
    bst__tallies_entry(&tallies, &table, &c, scratch);
}

/* A write of the balance, in hundredths; absent below 0. */
static void write_row(const char *key, int64_t found, int64_t wrote) {
    bst_value before = {.present = found >= 0, .u.i = found};
    bst_value after = {.present = wrote >= 0, .u.i = wrote};
    const bst__known known = {.key = key, .key_len = strlen(key), .version = 1, .fields = &before};
    const bst_entity entity = {0, &after};
    const bst__write w = {.known = &known, .row = &entity, .xid = 7};
    bst__tallies_write(&tallies, &w, 0);
}

/* How much is lost of an entity; 0: nothing is proved. */
static int64_t lost(const char *key) {
    const bst__tally *tally;
    int64_t seen, amount;
    HASH_FIND(hh, tallies.all, key, strlen(key), tally);
    return tally && bst__tally_lost(&tallies, tally, &seen, &amount) ? amount : 0;
}

START_TEST(the_sum_is_what_is_held_against_the_row) {
    put("7", "4");
    update('O', "7", "4.00", "7", "6");
    put("7", "5.00");
    take_out('O', "7", "5.00");
    write_row("7", 1000, 1600);
    ck_assert_int_eq(lost("7"), 0);
    put("7", "-1");
    ck_assert_int_eq(lost("7"), -100); /* it saw 11.00 */
    write_row("7", 1600, 1500);        /* and wrote again: what it found first counts */
    ck_assert_int_eq(lost("7"), 0);
    write_row("7", 1500, 300);
    ck_assert_int_eq(lost("7"), 1200);
}
END_TEST

START_TEST(entities_have_sums_of_their_own) {
    put("7", "4");
    put("8", "-4");
    update('O', "7", "4", "9", "4"); /* moved: 7 has nothing left, 9 has it */
    write_row("7", 1000, 1000);
    write_row("8", 1000, 700);
    write_row("9", 0, 400);
    ck_assert_int_eq(lost("7"), 0);
    ck_assert_int_eq(lost("8"), -100);
    ck_assert_int_eq(lost("9"), 0);
    take_out('O', "9", "3");
    ck_assert_int_eq(lost("9"), -300);
}
END_TEST

START_TEST(what_says_nothing_proves_nothing) {
    put(NULL, "4");
    put("7", NULL);
    write_row("7", 1000, 1700); /* the ledger says nothing of it */
    put("8", "4");
    take_out('O', "8", "4");
    write_row("8", 1000, 1700);
    update('O', "9", "4", "9", "4"); /* another column of it */
    write_row("9", 1000, 1700);
    put("10", "4"); /* the row is not written */
    ck_assert_int_eq(lost("7"), 0);
    ck_assert_int_eq(lost("8"), 0);
    ck_assert_int_eq(lost("9"), 0);
    ck_assert_int_eq(lost("10"), 0);
}
END_TEST

START_TEST(an_old_row_that_is_not_known_leaves_all_open) {
    static const char kinds[] = {'\0', 'K'};
    for (size_t i = 0; i < 4; i++) {
        put("7", "4");
        put("8", "4");
        write_row("7", 1000, 1700);
        write_row("8", 1000, 1700);
        ck_assert_int_eq(lost("7"), -300);
        if (i < 2)
            update(kinds[i], NULL, NULL, "7", "7");
        else
            take_out('K', i == 2 ? "7" : NULL, i == 2 ? NULL : "4");
        ck_assert_int_eq(lost("7"), 0);
        ck_assert_int_eq(lost("8"), 0); /* it may have been of any entity */
        bst__tallies_clear(&tallies);
    }
    put("7", "4");
    write_row("7", 1000, 1700);
    take_out('K', "7", "1"); /* both are in the key */
    ck_assert_int_eq(lost("7"), -400);
}
END_TEST

START_TEST(a_value_that_was_not_sent_is_the_old_one) {
    update('O', "7", "4", "", "6");
    write_row("7", 1000, 1300);
    ck_assert_int_eq(lost("7"), -100);
}
END_TEST

START_TEST(an_amount_that_cannot_be_read_leaves_the_entity_open) {
    put("7", "4");
    put("7", "NaN");
    put("8", "4");
    put("8", "0.001");
    put("9", "4");
    write_row("7", 1000, 1700);
    write_row("8", 1000, 1700);
    write_row("9", 1000, 1700);
    ck_assert_int_eq(lost("7"), 0);
    ck_assert_int_eq(lost("8"), 0);
    ck_assert_int_eq(lost("9"), -300);
}
END_TEST

START_TEST(an_entity_that_began_elsewhere_is_passed_over) {
    put("7", "4");
    put("8", "4");
    bst__tallies_pass_over(&tallies, "7", 1);
    write_row("7", 1000, 1700);
    write_row("8", -1, 1700); /* the value was NULL */
    write_row("8", 1000, 1700);
    ck_assert_int_eq(lost("7"), 0);
    ck_assert_int_eq(lost("8"), 0);
}
END_TEST

Suite *test_migrate_ledger_suite(void) {
    Suite *const s = suite_create("ledger");
    TCase *const t = tcase_create("ledger");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_sum_is_what_is_held_against_the_row);
    tcase_add_test(t, entities_have_sums_of_their_own);
    tcase_add_test(t, what_says_nothing_proves_nothing);
    tcase_add_test(t, an_old_row_that_is_not_known_leaves_all_open);
    tcase_add_test(t, a_value_that_was_not_sent_is_the_old_one);
    tcase_add_test(t, an_amount_that_cannot_be_read_leaves_the_entity_open);
    tcase_add_test(t, an_entity_that_began_elsewhere_is_passed_over);
    suite_add_tcase(s, t);
    return s;
}
