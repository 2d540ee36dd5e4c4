/* The event store in a real PostgreSQL: written by a sink, read by a reader and through its views.
 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "backstory/journal.h"
#include "pg_fixture.h"
#include "store_fixture.h"

static store_fixture fixture;
static const char target[] = "application_name=store-test"; /* the rest is in the environment */
static const bst_run_info nobody = {0};

static void setup(void) {
    pg_setup();
    store_setup(&fixture);
    run_sql("DROP SCHEMA IF EXISTS backstory CASCADE");
}

static void teardown(void) {
    store_teardown(&fixture);
    pg_teardown();
}

START_TEST(what_is_written_is_read) {
    const bst_sink_totals totals = store_write_all(&fixture, target);
    ck_assert_uint_eq(totals.histories, STORE_KEYS);
    store_read_all(&fixture, target, NULL);
}
END_TEST

START_TEST(one_key_is_read_alone) {
    store_write_all(&fixture, target);
    for (size_t i = 0; i < STORE_KEYS; i++)
        store_read_all(&fixture, target, store_keys[i]);
    store_read_all(&fixture, target, "none of them");
}
END_TEST

START_TEST(a_file_and_a_store_give_the_same_events) {
    bst_strbuf from_file = BST_STRBUF_INIT, from_store = BST_STRBUF_INIT;
    store_write_all(&fixture, "events.jsonl");
    store_write_all(&fixture, target);
    store_lines(&fixture, "events.jsonl", &from_file);
    store_lines(&fixture, target, &from_store);
    ck_assert_str_eq(from_file.text, from_store.text);
    bst_strbuf_release(&from_file);
    bst_strbuf_release(&from_store);
    unlink("events.jsonl");
}
END_TEST

/* The view is a second reader of the stored form, in SQL: it must say the same, to the microsecond.
 */
#define ISO(time)  "coalesce(replace(regexp_replace((" time ")::text, ' ', 'T'), '+00', 'Z'), '-')"
#define ISO_AT     ISO("occurred_at")
#define ISO_AFTER  ISO("lower(occurred_between)")
#define ISO_BEFORE ISO("upper(occurred_between)")
static const char view_sql[] =
    "SELECT concat_ws(E'\\x01', id, entity, version, type, state, coalesce(command, '-'),"
    " " ISO_AT ", " ISO_AFTER ", " ISO_BEFORE ", recorded_at, basis, coalesce(source, '-'))"
    " FROM backstory.event ORDER BY entity COLLATE \"C\", version";

static void add_bound(const bst_stored_event *event, int64_t time, bst_strbuf *out) {
    char text[BST_TIME_TEXT_MAX] = "-";
    if (event->interval && bst_time_is_finite(time))
        bst_time_format(time, text);
    bst_strbuf_addf(out, "%s\1", text);
}

static void expected_line(const bst_stored_event *event, bst_strbuf *out) {
    const bst_machine *const machine = fixture.machine;
    uint8_t uuid[16];
    char id[BST_UUID_TEXT], occurred_at[BST_TIME_TEXT_MAX];
    bst_event_id(machine->id, event->key, event->key_len, event->version, uuid);
    bst_uuid_format(uuid, id);
    bst_time_format(event->occurred_at, occurred_at);
    bst_strbuf_addf(out, "%s\1%.*s\1%lld\1%s\1%s\1%s\1%s\1", id, (int)event->key_len, event->key,
                    (long long)event->version, machine->events[event->type].name,
                    machine->states[event->state].name,
                    event->command == BST_NONE ? "-" : machine->commands[event->command].name,
                    occurred_at);
    add_bound(event, event->after, out);
    add_bound(event, event->before, out);
    bst_strbuf_addf(out, "2000-01-01 00:00:12.345678+00\1%s\1%s", bst_basis_text(event->basis),
                    event->source ? event->source : "-");
}

START_TEST(the_view_says_what_the_reader_says) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_pg_rows *rows = NULL;
    store_write_all(&fixture, target);
    pg_expect(bst_pg_query(pg, view_sql, 0, NULL, &rows, pg_diags), BST_OK);
    store_expect(&fixture, bst_reader_open(target, fixture.machine, NULL, &reader, fixture.diags),
                 BST_OK);
    for (size_t row = 0; row < bst_pg_rows_count(rows); row++) {
        bst_strbuf line = BST_STRBUF_INIT;
        store_expect(&fixture, bst_reader_next(reader, &event, fixture.diags), BST_OK);
        ck_assert_ptr_nonnull(event);
        expected_line(event, &line);
        ck_assert_str_eq(bst_pg_rows_text(rows, row, 0), line.text);
        bst_strbuf_release(&line);
    }
    store_expect(&fixture, bst_reader_next(reader, &event, fixture.diags), BST_OK);
    ck_assert_ptr_null(event);
    bst_reader_free(reader);
    bst_pg_rows_free(rows);
    ck_assert_str_eq(value_of("SELECT data->>'d' FROM backstory.history('thing', ' ')"), "4.5000");
    ck_assert_str_eq(value_of("SELECT string_agg(type, ' ') FROM backstory.history('thing', '1')"),
                     "ThingCreated ThingChanged ThingChanged ThingClosed");
}
END_TEST

START_TEST(a_store_explains_itself) {
    store_write_all(&fixture, target);
    ck_assert_str_eq(value_of("SELECT spec FROM backstory.machine_version"), store_machine_text);
    ck_assert_str_eq(value_of("SELECT encode(sha256(convert_to(spec, 'UTF8')), 'hex') = sha256"
                              " FROM backstory.machine_version"),
                     "t");
    ck_assert_str_eq(value_of("SELECT concat_ws(' | ', kind, recorded_at, tool_version,"
                              " mapping_sha256, source, histories, events) FROM backstory.run"),
                     "migration | 2000-01-01 00:00:12.345678+00 | 1.2.3 | cafe |"
                     " public.things of old@db1:5432 | 16 | 41");
    ck_assert_str_eq(value_of("SELECT string_agg(signature, '; ' ORDER BY cardinality(type))"
                              " FROM backstory.plan"),
                     "open; open, \"changed\" twice; closed \xe2\x82\xac");
    ck_assert_str_eq(value_of("SELECT string_agg(entity || ' ' || state || ' ' || certain, ', '"
                              " ORDER BY entity) FROM backstory.entity WHERE entity < '3'"
                              " AND entity >= '1'"),
                     "1 closed false, 10 open true, 2 open false");
}
END_TEST

START_TEST(the_state_at_a_time_is_told) {
    /* Key "10" is created at a known microsecond, "2" an hour before its first change. */
    store_write_all(&fixture, target);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.state_at('thing', 'infinity')"),
                     "16");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.state_at('thing', 'infinity',"
                              " '2000-01-01 00:00:12.345677+00')"),
                     "0");
    ck_assert_str_eq(value_of("SELECT version FROM backstory.state_at('thing', (SELECT occurred_at"
                              " FROM backstory.event WHERE entity = '2' AND version = 2))"
                              " WHERE entity = '2'"),
                     "2");
    ck_assert_str_eq(value_of("SELECT version FROM backstory.state_at('thing', (SELECT occurred_at"
                              " - interval '1 microsecond' FROM backstory.event"
                              " WHERE entity = '2' AND version = 2)) WHERE entity = '2'"),
                     "1");
}
END_TEST

START_TEST(an_unfinished_run_leaves_nothing) {
    bst_sink *sink = store_sink(&fixture, target);
    store_expect(&fixture, store_put(&fixture, sink, 1, "a"), BST_OK);
    bst_sink_free(sink);
    ck_assert_str_eq(value_of("SELECT to_regnamespace('backstory')"), "");

    store_write_all(&fixture, target);
    sink = store_sink(&fixture, target);
    store_expect(&fixture, store_put(&fixture, sink, 1, "new"), BST_OK);
    bst_sink_free(sink);
    store_read_all(&fixture, target, NULL);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.run"), "1");
}
END_TEST

START_TEST(a_second_run_adds_nothing) {
    store_write_all(&fixture, target);
    for (size_t i = 0; i < STORE_KEYS; i++) {
        bst_sink *const sink = store_sink(&fixture, target);
        store_expect(&fixture, store_put(&fixture, sink, 1, "new"), BST_OK);
        store_expect(&fixture, store_put(&fixture, sink, i + 1, store_keys[i]), BST_OK);
        store_expect(&fixture, bst_sink_finish(sink, NULL, fixture.diags), BST_CONFLICT);
        bst_sink_free(sink);
        const bst_diag *const diag = bst_diags_at(fixture.diags, i);
        char wanted[100];
        snprintf(wanted, sizeof wanted, "entity \"%s\" already has a history in the store",
                 store_keys[i]);
        ck_assert_str_eq(diag->code, "history-exists");
        /* Control characters do not get into a message as they are. */
        if (!strpbrk(store_keys[i], "\n\r\t\x7f"))
            ck_assert_str_eq(diag->message, wanted);
    }
    ck_assert_uint_eq(bst_diags_count(fixture.diags), STORE_KEYS);
    store_read_all(&fixture, target, NULL);
}
END_TEST

START_TEST(a_key_given_twice_is_a_conflict) {
    bst_sink *const sink = store_sink(&fixture, target);
    store_expect(&fixture, store_put(&fixture, sink, 1, "a"), BST_OK);
    store_expect(&fixture, store_put(&fixture, sink, 2, "a"), BST_OK); /* a longer one */
    store_expect(&fixture, bst_sink_finish(sink, NULL, fixture.diags), BST_CONFLICT);
    bst_sink_free(sink);
    ck_assert_uint_eq(bst_diags_count(fixture.diags), 1);
    ck_assert_str_eq(bst_diags_at(fixture.diags, 0)->message,
                     "entity \"a\" comes with two histories");
}
END_TEST

START_TEST(histories_come_beside_others) {
    store_write_all(&fixture, target);
    bst_sink *const sink = store_sink(&fixture, target); /* the same machine, other entities */
    for (size_t i = 0; i < 50000; i++) {                 /* several COPYs */
        char key[20];
        snprintf(key, sizeof key, "k%06zu", i);
        store_expect(&fixture, store_put(&fixture, sink, i, key), BST_OK);
    }
    store_expect(&fixture, bst_sink_finish(sink, NULL, fixture.diags), BST_OK);
    bst_sink_free(sink);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.segment"), "50016");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.machine_version"), "1");
    ck_assert_str_eq(value_of("SELECT count(*) FROM pg_index WHERE indrelid ="
                              " 'backstory.segment'::regclass AND indisunique AND indisvalid"),
                     "1");
    for (size_t i = 0; i < STORE_KEYS; i++)
        store_read_all(&fixture, target, store_keys[i]);
}
END_TEST

/* As many plans as histories: they are written in portions. */
START_TEST(a_history_that_no_row_holds_is_left_out) {
    store_write_around_large(&fixture, target, (256u << 20) / strlen("\\u0001") + 1);
    store_read_all(&fixture, target, NULL);
}
END_TEST

START_TEST(plans_come_in_any_number) {
    enum { COUNT = 2500 };
    static char signatures[COUNT][16];
    bst_plan *const plans = calloc(COUNT, sizeof *plans);
    bst_sink *const sink = store_sink(&fixture, target);
    for (size_t i = 0; i < COUNT; i++) {
        char key[20];
        store_history made;
        snprintf(key, sizeof key, "k%06zu", i);
        snprintf(signatures[i], sizeof signatures[i], "s%zu", i);
        plans[i] = fixture.plans[1];
        plans[i].signature = signatures[i];
        store_make(&fixture, 1, key, &made);
        made.history.plan = &plans[i];
        bool fits;
        store_expect(&fixture, bst_sink_write(sink, &made.history, &fits, fixture.diags), BST_OK);
    }
    store_expect(&fixture, bst_sink_finish(sink, NULL, fixture.diags), BST_OK);
    bst_sink_free(sink);
    free(plans);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.plan"), "2500");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.event"), "7500");
}
END_TEST

START_TEST(history_cannot_be_changed) {
    static const char *const tables[] = {"segment", "plan", "run", "machine", "machine_version"};
    store_write_all(&fixture, target);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "DELETE FROM backstory.%s", tables[i]);
        refuse_sql(sql, "sqlstate-BST02");
        snprintf(sql, sizeof sql, "TRUNCATE backstory.%s CASCADE", tables[i]);
        refuse_sql(sql, "sqlstate-BST02");
    }
    refuse_sql("UPDATE backstory.segment SET data = '[]' WHERE key = '1'", "sqlstate-BST02");
    ck_assert_str_eq(bst_pg_own_words(pg, pg_last()->message),
                     "history is append-only: UPDATE on backstory.segment is refused");
    store_read_all(&fixture, target, NULL);
}
END_TEST

static void expect_no_sink(const char *code) {
    bst_sink *sink = NULL;
    store_expect(&fixture, bst_sink_open(target, fixture.machine, &nobody, &sink, fixture.diags),
                 BST_RETRY);
    ck_assert_str_eq(store_last_code(&fixture), code);
}

START_TEST(only_one_run_of_a_machine_at_a_time) {
    bst_sink *first = store_sink(&fixture, target); /* is making the store */
    expect_no_sink("store-busy");
    store_expect(&fixture, bst_sink_finish(first, NULL, fixture.diags), BST_OK);
    bst_sink_free(first);

    first = store_sink(&fixture, target);
    expect_no_sink("run-in-progress");
    bst_sink_free(first);
    store_write_all(&fixture, target);
}
END_TEST

/* Another machine of the same shape. */
static void setup_other(store_fixture *other) {
    char text[sizeof store_machine_text];
    memcpy(text, store_machine_text, sizeof text);
    memcpy(strstr(text, "thing"), "thong", 5);
    store_setup(other);
    bst_machine_free(other->machine);
    store_expect(
        other,
        bst_machine_parse("thong.fsm.json", text, strlen(text), &other->machine, other->diags),
        BST_OK);
}

START_TEST(two_machines_load_side_by_side) {
    store_fixture other;
    setup_other(&other);
    bst_sink *const making = store_sink(&fixture, target);
    store_expect(&fixture, bst_sink_finish(making, NULL, fixture.diags), BST_OK);
    bst_sink_free(making);

    /* Both find an empty store, the second one in use: it keeps the index, and waits for nobody. */
    run_sql("BEGIN; SELECT FROM backstory.segment");
    bst_sink *const one = store_sink(&fixture, target);
    bst_sink *const two = store_sink(&other, target);
    run_sql("COMMIT");
    for (size_t i = 0; i < STORE_KEYS; i++) {
        store_expect(&fixture, store_put(&fixture, one, i, store_keys[i]), BST_OK);
        store_expect(&other, store_put(&other, two, i, store_keys[i]), BST_OK);
    }
    store_expect(&fixture, bst_sink_finish(one, NULL, fixture.diags), BST_OK);
    store_expect(&other, bst_sink_finish(two, NULL, other.diags), BST_OK);
    bst_sink_free(one);
    bst_sink_free(two);
    store_read_all(&fixture, target, NULL);
    ck_assert_str_eq(value_of("SELECT count(DISTINCT machine) FROM backstory.event"), "2");
    store_teardown(&other);
}
END_TEST

START_TEST(another_version_of_the_store_is_refused) {
    bst_sink *sink = NULL;
    bst_reader *reader = NULL;
    store_write_all(&fixture, target);
    run_sql("UPDATE backstory.schema_version SET version = 99");
    store_expect(&fixture, bst_sink_open(target, fixture.machine, &nobody, &sink, fixture.diags),
                 BST_DATABASE);
    ck_assert_str_eq(store_last_code(&fixture), "store-version");
    store_expect(&fixture, bst_reader_open(target, fixture.machine, NULL, &reader, fixture.diags),
                 BST_DATABASE);
    ck_assert_str_eq(store_last_code(&fixture), "store-version");
}
END_TEST

START_TEST(a_store_that_is_not_there_is_an_error) {
    bst_reader *reader = NULL;
    store_expect(&fixture, bst_reader_open(target, fixture.machine, NULL, &reader, fixture.diags),
                 BST_DATABASE);
    ck_assert_str_eq(store_last_code(&fixture), "no-store");
}
END_TEST

static const char *const damages[][2] = {
    {"UPDATE backstory.plan SET type[2] = 'ThingBorn' WHERE cardinality(type) > 1", "unknown-name"},
    {"UPDATE backstory.plan SET state[3] = 'shut' WHERE cardinality(type) > 1", "unknown-name"},
    {"UPDATE backstory.plan SET command[2] = 'slam' WHERE cardinality(type) > 1", "unknown-name"},
    {"UPDATE backstory.plan SET type_version[1] = 7", "unknown-name"},
    {"UPDATE backstory.segment SET plan = (SELECT plan FROM backstory.plan"
     " WHERE cardinality(type) = 1) WHERE key = '2'",
     "not-an-event"},
    {"UPDATE backstory.segment SET data = '[[1]]' WHERE key = '2'", "not-an-event"},
    {"UPDATE backstory.segment SET data = data || ' ]' WHERE key = '2'", "not-an-event"},
    {"UPDATE backstory.segment SET data = replace(data, '\"i2\":', '\"i3\":')", "bad-payload"},
    {"UPDATE backstory.segment SET first_version = first_version + 1 WHERE key = '2'",
     "version-gap"},
    {"UPDATE backstory.segment SET plan = 9 WHERE key = '2'", "not-an-event"},
};

START_TEST(damage_is_found) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_status status;
    store_write_all(&fixture, target);
    run_sql("SET session_replication_role = replica"); /* no triggers */
    run_sql(damages[_i][0]);
    store_expect(&fixture, bst_reader_open(target, fixture.machine, NULL, &reader, fixture.diags),
                 BST_OK);
    do
        status = bst_reader_next(reader, &event, fixture.diags);
    while (status == BST_OK && event);
    bst_reader_free(reader);
    store_expect(&fixture, status, BST_INVALID);
    ck_assert_str_eq(store_last_code(&fixture), damages[_i][1]);
}
END_TEST

START_TEST(roles_have_their_rights) {
    store_write_all(&fixture, target);
    run_sql("SET ROLE backstory_reader");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.event"), "41");
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.history('thing', '1')"), "4");
    refuse_sql("INSERT INTO backstory.machine (name) VALUES ('x')", "sqlstate-42501");
    run_sql("RESET ROLE; SET ROLE backstory_appender");
    refuse_sql("DELETE FROM backstory.segment", "sqlstate-42501");
    refuse_sql("DROP TABLE backstory.segment", "sqlstate-42501");
    run_sql("RESET ROLE");

    store_read_all(&fixture, "options='-c role=backstory_reader'", NULL);
    bst_sink *const sink = store_sink(&fixture, "options='-c role=backstory_appender'");
    store_expect(&fixture, store_put(&fixture, sink, 1, "more"), BST_OK);
    store_expect(&fixture, bst_sink_finish(sink, NULL, fixture.diags), BST_OK);
    bst_sink_free(sink);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.event"), "44");
}
END_TEST

/* Whoever may create a schema may make a store, also where nothing may be made in public. */
START_TEST(a_store_needs_no_superuser) {
    run_sql("DROP EXTENSION IF EXISTS pgcrypto; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    run_sql("DO $$BEGIN CREATE ROLE store_plain; EXCEPTION WHEN duplicate_object THEN END$$");
    run_sql(value_of("SELECT format('GRANT CREATE ON DATABASE %I TO store_plain',"
                     " current_database())"));
    store_write_all(&fixture, "options='-c role=store_plain'");
    store_read_all(&fixture, "options='-c role=store_plain'", NULL);
    ck_assert_str_eq(value_of("SELECT extnamespace::regnamespace FROM pg_extension"
                              " WHERE extname = 'pgcrypto'"),
                     "backstory");
    ck_assert_str_eq(value_of("SELECT id FROM backstory.history('thing', ' ')"),
                     value_of("SELECT id FROM backstory.event WHERE entity = ' '"));
    run_sql("SET ROLE store_plain");
    refuse_sql("DELETE FROM backstory.segment", "sqlstate-BST02"); /* the owner's own */
    run_sql("RESET ROLE; DROP OWNED BY store_plain CASCADE; DROP ROLE store_plain");
}
END_TEST

static bst_status open_journal(const char *slot, const char *source, bst_journal **ret) {
    const bst_journal_info info = {
        .slot = slot, .run = {.tool_version = "1", .mapping_sha256 = "2", .source = source}};
    return bst_journal_open(target, fixture.machine, &info, ret, fixture.diags);
}

/* Whatever each of them saw of the store before: of two that begin at once one comes in. */
START_TEST(two_slots_cannot_follow_the_same_rows) {
    bst_journal *first = NULL, *second = NULL, *elsewhere = NULL;
    bst_follow_others others = {BST_STRBUF_INIT, BST_STRBUF_INIT, BST_STRBUF_INIT};
    store_expect(&fixture, open_journal("a", "public.things of shop", &first), BST_OK);
    store_expect(&fixture, open_journal("b", "things of shop", &second), BST_RETRY);
    ck_assert_str_eq(store_last_code(&fixture), "already-followed");
    store_expect(&fixture, open_journal("c", "things of another", &elsewhere), BST_RETRY);
    ck_assert_str_eq(store_last_code(&fixture), "already-followed");
    store_expect(&fixture, bst_journal_enter(first, fixture.diags), BST_OK);
    bst_journal_free(first);
    store_expect(&fixture, open_journal("c", "things of another", &elsewhere), BST_OK);
    store_expect(&fixture, bst_journal_others(elsewhere, &others, fixture.diags), BST_OK);
    ck_assert_uint_eq(others.slots.len, 0);
    ck_assert_uint_eq(others.other_slot.len, 0); /* it has no place yet */
    run_sql("UPDATE backstory.follow SET lsn = '0/1' WHERE slot = 'a'");
    store_expect(&fixture, bst_journal_others(elsewhere, &others, fixture.diags), BST_OK);
    ck_assert_str_eq(others.other_slot.text, "a");
    ck_assert_str_eq(others.other_source.text, "public.things of shop");
    bst_journal_free(elsewhere);
    bst_follow_others_release(&others);
    others = (bst_follow_others){BST_STRBUF_INIT, BST_STRBUF_INIT, BST_STRBUF_INIT};
    store_expect(&fixture, open_journal("b", "things of shop", &second), BST_OK);
    store_expect(&fixture, bst_journal_others(second, &others, fixture.diags), BST_OK);
    ck_assert_str_eq(others.slots.text, "{a}");
    ck_assert_uint_eq(others.other_slot.len, 0);
    bst_journal_free(second);
    bst_follow_others_release(&others);
}
END_TEST

Suite *test_store_suite(void) {
    Suite *const suite = suite_create("store in PostgreSQL");
    TCase *const tests = tcase_create("store");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, one_key_is_read_alone);
    tcase_add_test(tests, a_file_and_a_store_give_the_same_events);
    tcase_add_test(tests, the_view_says_what_the_reader_says);
    tcase_add_test(tests, a_store_explains_itself);
    tcase_add_test(tests, the_state_at_a_time_is_told);
    tcase_add_test(tests, an_unfinished_run_leaves_nothing);
    tcase_add_test(tests, a_second_run_adds_nothing);
    tcase_add_test(tests, a_key_given_twice_is_a_conflict);
    tcase_add_test(tests, histories_come_beside_others);
    tcase_add_test(tests, a_history_that_no_row_holds_is_left_out);
    tcase_add_test(tests, plans_come_in_any_number);
    tcase_add_test(tests, history_cannot_be_changed);
    tcase_add_test(tests, only_one_run_of_a_machine_at_a_time);
    tcase_add_test(tests, two_machines_load_side_by_side);
    tcase_add_test(tests, another_version_of_the_store_is_refused);
    tcase_add_test(tests, a_store_that_is_not_there_is_an_error);
    tcase_add_loop_test(tests, damage_is_found, 0, (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tests, roles_have_their_rights);
    tcase_add_test(tests, a_store_needs_no_superuser);
    tcase_add_test(tests, two_slots_cannot_follow_the_same_rows);
    suite_add_tcase(suite, tests);
    return suite;
}
