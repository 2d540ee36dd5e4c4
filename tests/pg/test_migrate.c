/* The road from a table in PostgreSQL into the event store, and back for the comparison: it must
 * give the same as the road from a CSV file, find what is changed behind its back, and refuse to
 * run twice.
 */
#include <check.h>
#include <stdlib.h>

#include "backstory/compare.h"
#include "backstory/run.h"
#include "pg_fixture.h"
#include "scratch.h"

static const char machine_text[] =
    "{ 'id': 'ticket',"
    "  'fields': { 'price': { 'type': 'decimal(10,2)' }, 'note': { 'type': 'text?' } },"
    "  'events': { 'TicketCreated': { 'fields': { 'price': 'decimal(10,2)', 'note': 'text?' } },"
    "              'TicketSold': {}, 'TicketReturned': {} },"
    "  'initial': 'free',"
    "  'states': { 'free': { 'on': { 'sell': 'sold' } },"
    "              'sold': { 'on': { 'return': 'free' } } } }";

static const char mapping_text[] =
    "{ 'machine': 'm.fsm.json',"
    "  'source': { 'table': 'tickets', 'key': ['hall', 'seat'], 'where': 'gone IS NULL',"
    "              'zone': 'UTC' },"
    "  'state': { 'column': 'status', 'values': { 'F': 'free', 'S': 'sold' } },"
    "  'fields': { 'price': 'price', 'note': 'note' },"
    "  'evidence': [ { 'creation': 'created' }, { 'event': 'TicketSold', 'at': 'sold' },"
    "                { 'event': '*', 'count': 'version' } ] }";

static const char table[] =
    "DROP SCHEMA IF EXISTS backstory CASCADE; DROP TABLE IF EXISTS public.tickets;"
    "CREATE TABLE public.tickets (hall text, seat int, status char(4), price numeric(10,2),"
    "  note text, created timestamp, sold timestamptz, version smallint, gone timestamptz);"
    "INSERT INTO public.tickets VALUES"
    " ('b', 2, 'S', 20.5, 'x', '2021-01-01 10:00', '2021-01-02 10:00+01', 2, NULL),"
    " ('b', 10, 'F', 20, '', '2021-01-01 10:00', NULL, 1, NULL),"
    " ('a/c', 1, 'F', 7.25, NULL, '2021-01-01 10:00', '2021-01-03 10:00+00', 3, NULL),"
    " ('a', 1, 'S', 1, NULL, '2021-01-01 10:00', NULL, 1, NULL),"
    " ('a', 2, 'F', 1, NULL, 'infinity', NULL, 1, NULL),"
    " (NULL, 3, 'F', 1, NULL, '2021-01-01 10:00', NULL, 1, NULL),"
    " ('z', 1, 'Q', 1, NULL, '2021-01-01 10:00', NULL, 1, now())";

static const char rows[] = "hall,seat,status,price,note,created,sold,version,gone\n"
                           "b,2,S,20.50,x,2021-01-01 10:00,2021-01-02 10:00+01,2,\n"
                           "b,10,F,20,\"\",2021-01-01 10:00,,1,\n"
                           "a/c,1,F,7.25,,2021-01-01 10:00,2021-01-03 10:00+00,3,\n"
                           "a,1,S,1,,2021-01-01 10:00,,1,\n"
                           "a,2,F,1,,infinity,,1,\n"
                           ",3,F,1,,2021-01-01 10:00,,1,\n"
                           "z,1,Q,1,,2021-01-01 10:00,,1,2022-01-01\n";

static const char server[] = "application_name=migrate-test"; /* the rest is in the environment */

static scratch s;
static bst_mapping *mapping;
static bst_run_figures figures;
static char quarantine[512];
static unsigned told;
static char told_key[64];
static uint32_t told_field;

static void setup(void) {
    pg_setup();
    run_sql(table);
    scratch_make(&s);
    scratch_write(&s, "m.fsm.json", machine_text, 1);
    pg_expect(
        bst_mapping_load(scratch_write(&s, "m.legacy.json", mapping_text, 1), &mapping, pg_diags),
        BST_OK);
    snprintf(quarantine, sizeof quarantine, "%s", scratch_path(&s, "quarantine.jsonl"));
}

static void teardown(void) {
    bst_mapping_free(mapping);
    scratch_remove(&s);
    run_sql("DROP SCHEMA IF EXISTS backstory CASCADE; DROP TABLE public.tickets");
    pg_teardown();
}

static bst_status run(const char *from, const char *to) {
    bst_synth *synth = NULL;
    pg_expect(bst_synth_new(mapping, &synth, pg_diags), BST_OK);
    const bst_run_options options = {.from = from, .to = to, .quarantine_path = quarantine};
    bst_status status = bst_migrate(mapping, synth, &options, &figures, pg_diags);
    bst_synth_free(synth);
    return status;
}

static bst_status tell(void *context, const bst_difference *difference) {
    (void)context;
    told++;
    told_field = difference->field;
    snprintf(told_key, sizeof told_key, "%.*s", (int)difference->key_len, difference->key);
    return BST_OK;
}

static bst_status compare(void) {
    bst_arena *arena = bst_arena_new();
    bst_comparison compared;
    const bst_compare_options options = {.from = server,
                                         .store = server,
                                         .quarantine_path = quarantine,
                                         .sum_field = BST_NONE,
                                         .group_field = BST_NONE,
                                         .on_difference = tell};
    told = 0;
    bst_status status = bst_compare(mapping, &options, arena, &compared, pg_diags);
    bst_arena_free(arena);
    return status;
}

START_TEST(into_the_store) {
    pg_expect(run(server, server), BST_OK);
    ck_assert_uint_eq(figures.read, 7);
    ck_assert_uint_eq(figures.migrated, 3);
    ck_assert_uint_eq(figures.quarantined, 3);
    ck_assert_uint_eq(figures.out_of_scope, 1);
    ck_assert_uint_eq(figures.events, 6);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_NULL_KEY], 1);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_NOT_FINITE], 1);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_CONTRADICTION], 1);
    pg_expect(compare(), BST_OK);
    ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(same_events_as_from_a_file) {
    char from[512];
    char to[512];
    snprintf(from, sizeof from, "%s", scratch_write(&s, "tickets.csv", rows, 0));
    snprintf(to, sizeof to, "%s", scratch_path(&s, "file.jsonl"));
    pg_expect(run(from, to), BST_OK);
    snprintf(to, sizeof to, "%s", scratch_path(&s, "server.jsonl"));
    pg_expect(run(server, to), BST_OK);
    char *of_file = scratch_read(&s, "file.jsonl");
    char *of_server = scratch_read(&s, "server.jsonl");
    ck_assert_str_eq(of_file, of_server);
    ck_assert_ptr_nonnull(strstr(of_file, "\"entity\":\"a%2Fc/1\""));
    free(of_file);
    free(of_server);
}
END_TEST

START_TEST(one_changed_amount) {
    pg_expect(run(server, server), BST_OK);
    run_sql("UPDATE public.tickets SET price = 20.51 WHERE seat = 2 AND hall = 'b'");
    pg_expect(compare(), BST_DIFFERENT);
    ck_assert_uint_eq(told, 1);
    ck_assert_str_eq(told_key, "b/2");
    ck_assert_uint_eq(told_field, 0);
}
END_TEST

START_TEST(twice) {
    pg_expect(run(server, server), BST_OK);
    ck_assert(!figures.already);
    pg_expect(run(server, server), BST_OK);
    ck_assert(figures.already);
    ck_assert_uint_eq(figures.migrated, 3);
    ck_assert_str_eq(value_of("SELECT count(*) FROM backstory.event"), "6");
    pg_expect(compare(), BST_OK);
}
END_TEST

Suite *test_migrate_suite(void) {
    Suite *suite = suite_create("migrate with PostgreSQL");
    TCase *tcase = tcase_create("road");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, into_the_store);
    tcase_add_test(tcase, same_events_as_from_a_file);
    tcase_add_test(tcase, one_changed_amount);
    tcase_add_test(tcase, twice);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}
