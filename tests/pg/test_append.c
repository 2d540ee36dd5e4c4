/* Live appends in a real PostgreSQL: versions, commands, positions, and what happens when two come
 * at once. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "pg_fixture.h"
#include "store_fixture.h"

static store_fixture fixture;
static const char target[] = "application_name=append-test"; /* the rest is in the environment */

static void setup(void) {
    pg_setup();
    store_setup(&fixture);
    run_sql("DROP SCHEMA IF EXISTS backstory CASCADE");
    store_write_all(&fixture, target);
}

static void teardown(void) {
    store_teardown(&fixture);
    pg_teardown();
}

#define CHANGED                                                                                    \
    "{\"type\":\"ThingChanged\",\"type_version\":3,\"state\":\"open\",\"command\":\"change\","     \
    "\"data\":{\"i4\":5},\"occurred_at\":\"2021-03-02T10:11:12.123456Z\"}"
#define CLOSED "{\"type\":\"ThingClosed\",\"state\":\"closed\",\"command\":\"close\"}"

/* SQL that appends, giving "version position repeated". */
static const char *append_sql(const char *entity, const char *expected, const char *command,
                              const char *events) {
    static char sql[2000];
    snprintf(sql, sizeof sql,
             "SELECT concat_ws(' ', version, position, repeated) FROM backstory.append('thing',"
             " '%s', %s, %s, '[%s]')",
             entity, expected, command, events);
    return sql;
}

START_TEST(versions_go_on_where_they_are) {
    const bst_stored_event *event = NULL;
    bst_reader *reader = NULL;
    ck_assert_str_eq(value_of(append_sql("new", "0", "NULL", CHANGED)), "1 1 f");
    ck_assert_str_eq(value_of(append_sql("new", "1", "NULL", CHANGED "," CLOSED)), "3 2 f");
    ck_assert_str_eq(value_of(append_sql("new", "NULL", "NULL", CLOSED)), "4 3 f");
    store_expect(&fixture, bst_reader_open(target, fixture.machine, "new", &reader, fixture.diags),
                 BST_OK);
    for (int64_t version = 1; version <= 4; version++) {
        store_expect(&fixture, bst_reader_next(reader, &event, fixture.diags), BST_OK);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(event->version, version);
        ck_assert_int_eq(event->basis, BST_BASIS_LIVE);
        ck_assert(event->has_recorded_at && !event->interval);
        if (version <= 2) {
            ck_assert(event->fields[2].present && event->fields[2].u.i == 5);
            ck_assert_int_eq(event->occurred_at, INT64_C(667995072123456));
        }
    }
    store_expect(&fixture, bst_reader_next(reader, &event, fixture.diags), BST_OK);
    ck_assert_ptr_null(event);
    bst_reader_free(reader);
    ck_assert_str_eq(value_of("SELECT concat_ws(' ', version, state, certain)"
                              " FROM backstory.entity WHERE entity = 'new'"),
                     "4 closed");
}
END_TEST

START_TEST(a_migrated_history_goes_on_live) {
    ck_assert_str_eq(value_of(append_sql("10", "1", "NULL", CLOSED)), "2 1 f");
    ck_assert_str_eq(value_of("SELECT string_agg(concat_ws(' ', version, type, basis, position),"
                              " ', ') FROM backstory.history('thing', '10')"),
                     "1 ThingCreated recorded 0, 2 ThingClosed live 1");
    ck_assert_str_eq(value_of("SELECT concat_ws(' ', version, state, certain)"
                              " FROM backstory.entity WHERE entity = '10'"),
                     "2 closed t");
    bst_strbuf lines = BST_STRBUF_INIT;
    store_lines(&fixture, target, &lines); /* and the reader takes it all */
    ck_assert_ptr_nonnull(strstr(lines.text, "\"live\""));
    bst_strbuf_release(&lines);
}
END_TEST

START_TEST(another_version_is_a_conflict) {
    refuse_sql(append_sql("new", "1", "NULL", CLOSED), "sqlstate-BST01");
    ck_assert_str_eq(pg_last()->detail, "0");
    refuse_sql(append_sql("1", "3", "NULL", CLOSED), "sqlstate-BST01");
    ck_assert_str_eq(pg_last()->detail, "4");
    ck_assert_int_eq(pg_last()->status, BST_CONFLICT);
    ck_assert_str_eq(bst_pg_own_words(pg, pg_last()->message),
                     "entity \"1\" of machine \"thing\" is at version 4, not 3");
}
END_TEST

START_TEST(a_command_is_answered_once) {
    ck_assert_str_eq(value_of(append_sql("new", "0", "'c1'", CHANGED)), "1 1 f");
    ck_assert_str_eq(value_of(append_sql("new", "1", "'c2'", CLOSED)), "2 2 f");
    ck_assert_str_eq(value_of(append_sql("new", "0", "'c1'", CHANGED)), "1 1 t");
    ck_assert_str_eq(value_of(append_sql("new", "7", "'c2'", CHANGED)), "2 2 t");
    ck_assert_str_eq(value_of(append_sql("newer", "0", "'c1'", CHANGED)), "1 3 f");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.history('thing', 'new')"), "2");
}
END_TEST

START_TEST(what_is_no_event_is_refused) {
    static const char *const wrong[] = {
        "",
        "1",
        "{}",
        "{\"type\":\"A\"}",
        "{\"type\":1,\"state\":\"a\"}",
        "{\"type\":\"A\",\"state\":\"a\",\"data\":[]}",
        "{\"type\":\"A\",\"state\":\"a\",\"data\":null}",
        "{\"type\":\"A\",\"state\":\"a\",\"occurred_at\":\"infinity\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse_sql(append_sql("new", "0", "NULL", wrong[i]), "sqlstate-22023");
    refuse_sql("SELECT backstory.append('unknown', 'a', 0, NULL, '[]')", "sqlstate-42704");
}
END_TEST

START_TEST(times_are_exact_both_ways) {
    ck_assert_str_eq(
        value_of(
            "SELECT count(*) FROM (VALUES (-211813488000000000), (-1), (0), (1),"
            " (86399999999), (86400000000), (-86400000001), (9007199254740993),"
            " (9223371331199999999)) AS t (us)"
            " WHERE us < 9000000000000000000 AND backstory.to_us(backstory.to_time(us)) <> us"),
        "0");
    ck_assert_str_eq(value_of("SELECT backstory.to_time(9223371331199999999)"),
                     "294276-12-31 23:59:59.999999+00");
}
END_TEST

/* Two at once */

typedef struct second {
    bst_pg *pg;
    char sql[2000];
    char answer[100];
    bst_diags *diags;
    bst_status status;
} second;

static void *run_second(void *context) {
    second *const s = context;
    bst_pg_rows *rows = NULL;
    s->status = bst_pg_query(s->pg, s->sql, 0, NULL, &rows, s->diags);
    if (s->status == BST_OK)
        snprintf(s->answer, sizeof s->answer, "%s", bst_pg_rows_text(rows, 0, 0));
    bst_pg_rows_free(rows);
    return NULL;
}

/* The first has appended and not committed; the second comes, and waits; then the first ends. It
 * must be this very session, and wait for what the first has done: a lock on a table, which it may
 * meet before, would mean that it has not looked yet where the entity is. */
static void race(second *s, const char *second_sql, const char *first_end) {
    pthread_t thread;
    bst_pg_rows *rows = NULL;
    char waits[300];
    memset(s, 0, sizeof *s);
    s->diags = bst_diags_new();
    snprintf(s->sql, sizeof s->sql, "%s", second_sql);
    pg_expect(bst_pg_connect("application_name=second", BST_PG_STORE, &s->pg, pg_diags), BST_OK);
    pg_expect(bst_pg_query(s->pg, "SELECT pg_backend_pid()", 0, NULL, &rows, pg_diags), BST_OK);
    snprintf(waits, sizeof waits,
             "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
             " AND wait_event IN ('transactionid', 'advisory')",
             bst_pg_rows_text(rows, 0, 0));
    bst_pg_rows_free(rows);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_second, s), 0);
    while (strcmp(value_of(waits), "1") != 0)
        run_sql("SELECT pg_stat_clear_snapshot()");
    run_sql(first_end);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    bst_pg_free(s->pg);
}

START_TEST(of_two_appends_at_once_one_is_a_conflict) {
    static const char *const expected[] = {"1", "NULL"};
    second s;
    run_sql("BEGIN");
    ck_assert_str_eq(value_of(append_sql("10", expected[_i], "NULL", CHANGED "," CHANGED)),
                     "3 1 f");
    race(&s, append_sql("10", expected[_i], "NULL", CLOSED), "COMMIT");
    ck_assert_int_eq(s.status, BST_CONFLICT);
    ck_assert_str_eq(bst_diags_at(s.diags, 0)->code, "sqlstate-BST01");
    ck_assert_str_eq(bst_diags_at(s.diags, 0)->detail, "3");
    bst_diags_free(s.diags);
    ck_assert_str_eq(value_of("SELECT max(version) FROM backstory.history('thing', '10')"), "3");
}
END_TEST

START_TEST(when_the_first_gives_up_the_second_goes_on) {
    second s;
    run_sql("BEGIN");
    ck_assert_str_eq(value_of(append_sql("10", "1", "'c'", CHANGED)), "2 1 f");
    race(&s, append_sql("10", "1", "'c'", CLOSED), "ROLLBACK");
    ck_assert_int_eq(s.status, BST_OK);
    ck_assert_str_eq(s.answer, "2 2 f");
    bst_diags_free(s.diags);
}
END_TEST

START_TEST(of_two_equal_commands_at_once_one_counts) {
    static const char *const expected[] = {"1", "NULL"};
    second s;
    run_sql("BEGIN");
    ck_assert_str_eq(value_of(append_sql("10", expected[_i], "'c'", CHANGED)), "2 1 f");
    race(&s, append_sql("10", expected[_i], "'c'", CHANGED), "COMMIT");
    ck_assert_int_eq(s.status, BST_OK);
    ck_assert_str_eq(s.answer, "2 1 t");
    bst_diags_free(s.diags);
}
END_TEST

/* Positions */

START_TEST(the_horizon_waits_for_who_is_under_way) {
    bst_pg *other = NULL;
    ck_assert_str_eq(value_of("SELECT backstory.horizon()"), "0");
    ck_assert_str_eq(value_of(append_sql("a", "NULL", "NULL", CLOSED)), "2 1 f");
    pg_expect(bst_pg_connect("", BST_PG_STORE, &other, pg_diags), BST_OK);
    pg_expect(bst_pg_exec(other, "BEGIN", pg_diags), BST_OK);
    pg_expect(bst_pg_exec(other, append_sql("b", "0", "NULL", CLOSED), pg_diags), BST_OK);
    ck_assert_str_eq(value_of(append_sql("c", "0", "NULL", CLOSED)), "1 3 f");
    ck_assert_str_eq(value_of("SELECT backstory.horizon()"), "1");
    pg_expect(bst_pg_exec(other, "COMMIT", pg_diags), BST_OK);
    ck_assert_str_eq(value_of("SELECT backstory.horizon()"), "3");
    bst_pg_free(other);
}
END_TEST

#define WRITERS 6
#define APPENDS 150

typedef struct writer {
    int number;
    uint32_t conflicts;
    bool failed;
} writer;

/* Appends to a stream that all share and to one of its own, in transactions of one or two, every
 * fifth given up. */
static bool write_one(bst_pg *session, writer *w, int i, bst_diags *diags) {
    char sql[2][600];
    bst_status status = bst_pg_exec(session, "BEGIN", diags);
    for (int part = 0; part < 2; part++)
        snprintf(sql[part], sizeof sql[part],
                 "SELECT backstory.append('thing', '%s%d', NULL, NULL, '[" CLOSED "]')",
                 part ? "own" : "shared", part ? w->number : i % 3);
    if (status == BST_OK && i % 2)
        status = bst_pg_exec(session, sql[1], diags);
    if (status == BST_OK)
        status = bst_pg_exec(session, sql[0], diags);
    w->conflicts += status == BST_CONFLICT;
    if (status != BST_OK && status != BST_CONFLICT)
        return false;
    const char *const end = status != BST_OK || (i + w->number) % 5 == 0 ? "ROLLBACK" : "COMMIT";
    return bst_pg_exec(session, end, diags) == BST_OK;
}

static void *run_writer(void *context) {
    writer *const w = context;
    bst_diags *const diags = bst_diags_new();
    bst_pg *session = NULL;
    w->failed = bst_pg_connect("application_name=writer", BST_PG_STORE, &session, diags) != BST_OK;
    for (int i = 0; !w->failed && i < APPENDS; i++) {
        w->failed = !write_one(session, w, i, diags);
        bst_diags_clear(diags);
    }
    bst_pg_free(session);
    bst_diags_free(diags);
    return NULL;
}

/* Reads all positions after *last up to the horizon, into a table of its own. */
static void read_on(long long *last) {
    char sql[300];
    const long long horizon = strtoll(value_of("SELECT backstory.horizon()"), NULL, 10);
    snprintf(sql, sizeof sql,
             "INSERT INTO seen SELECT position FROM backstory.segment"
             " WHERE position > %lld AND position <= %lld",
             *last, horizon);
    run_sql(sql);
    *last = horizon > *last ? horizon : *last;
}

/* He has looked at the sequence, others append, and only then he locks what he saw. */
START_TEST(a_writer_held_up_appends_above_the_horizon_that_was) {
    bst_pg *late = NULL;
    bst_diags *const diags = bst_diags_new();
    pg_expect(bst_pg_connect("", BST_PG_STORE, &late, diags), BST_OK);
    ck_assert_str_eq(value_of(append_sql("a", "NULL", "NULL", CLOSED)), "2 1 f");
    ck_assert_str_eq(value_of(append_sql("b", "NULL", "NULL", CLOSED)), "1 2 f");
    run_sql("CREATE TEMP TABLE seen (position bigint PRIMARY KEY)");
    long long last = 0;
    read_on(&last);
    ck_assert_int_eq(last, 2);
    pg_expect(bst_pg_exec(late,
                          "BEGIN;"
                          "SELECT pg_advisory_xact_lock_shared(backstory.floor_key(0))",
                          diags),
              BST_OK);
    ck_assert_str_eq(value_of("SELECT backstory.horizon()"), "0");
    read_on(&last);
    ck_assert_int_eq(last, 2);
    pg_expect(bst_pg_exec(late, append_sql("c", "NULL", "NULL", CLOSED), diags), BST_OK);
    pg_expect(bst_pg_exec(late, "COMMIT", diags), BST_OK);
    read_on(&last);
    ck_assert_int_eq(last, 3);
    ck_assert_str_eq(value_of("SELECT string_agg(position::text, ' ' ORDER BY 1) FROM seen"),
                     "1 2 3");
    bst_pg_free(late);
    bst_diags_free(diags);
}
END_TEST

START_TEST(a_reader_loses_nothing) {
    pthread_t threads[WRITERS];
    writer writers[WRITERS];
    long long last = 0;
    run_sql("CREATE TEMP TABLE seen (position bigint PRIMARY KEY)"); /* nothing twice */
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.number = i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_writer, &writers[i]), 0);
    }
    do
        read_on(&last);
    while (
        strcmp(value_of("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer'"),
               "0") != 0 ||
        last == 0);
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert(!writers[i].failed);
    }
    read_on(&last);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.segment LEFT JOIN seen"
                              " USING (position) WHERE segment.position IS NOT NULL"
                              " AND seen.position IS NULL"),
                     "0");
    ck_assert_str_eq(value_of("SELECT count(*) > 100 FROM seen"), "t");
    /* Every stream is whole: its versions are 1, 2, 3 ... */
    ck_assert_str_eq(value_of("SELECT count(*) FROM (SELECT max(version) <> count(*) AS gap"
                              " FROM backstory.event GROUP BY entity) AS streams WHERE gap"),
                     "0");
}
END_TEST

START_TEST(an_appender_may_append) {
    run_sql("SET ROLE backstory_appender");
    ck_assert_str_eq(value_of(append_sql("new", "0", "'c'", CLOSED)), "1 1 f");
    run_sql("RESET ROLE; SET ROLE backstory_reader");
    refuse_sql(append_sql("new", "1", "'c2'", CLOSED), "sqlstate-42501");
    ck_assert_str_eq(value_of("SELECT backstory.horizon()"), "1");
}
END_TEST

Suite *test_append_suite(void) {
    Suite *const suite = suite_create("live appends");
    TCase *const tests = tcase_create("append");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, versions_go_on_where_they_are);
    tcase_add_test(tests, a_migrated_history_goes_on_live);
    tcase_add_test(tests, another_version_is_a_conflict);
    tcase_add_test(tests, a_command_is_answered_once);
    tcase_add_test(tests, what_is_no_event_is_refused);
    tcase_add_test(tests, times_are_exact_both_ways);
    tcase_add_loop_test(tests, of_two_appends_at_once_one_is_a_conflict, 0, 2);
    tcase_add_test(tests, when_the_first_gives_up_the_second_goes_on);
    tcase_add_loop_test(tests, of_two_equal_commands_at_once_one_counts, 0, 2);
    tcase_add_test(tests, the_horizon_waits_for_who_is_under_way);
    tcase_add_test(tests, a_writer_held_up_appends_above_the_horizon_that_was);
    tcase_add_test(tests, a_reader_loses_nothing);
    tcase_add_test(tests, an_appender_may_append);
    suite_add_tcase(suite, tests);
    return suite;
}
