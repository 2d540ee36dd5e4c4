/* A run from a CSV file into a file of events, its quarantine, and the comparison of both sides. */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "backstory/compare.h"
#include "backstory/run.h"
#include "scratch.h"

static const char machine_text[] =
    "{ 'id': 'account',"
    "  'fields': { 'balance': { 'type': 'decimal(18,2)' }, 'currency': { 'type': 'char(3)' },"
    "              'owner': { 'type': 'text?' } },"
    "  'events': { 'AccountOpened': { 'fields': { 'balance': 'decimal(18,2)',"
    "                                             'currency': 'char(3)', 'owner': 'text?' } },"
    "              'AccountClosed': {} },"
    "  'creates': [ { 'command': 'open', 'event': 'AccountOpened', 'target': 'open' } ],"
    "  'initial': 'open',"
    "  'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': { 'type': 'final' } } }";

static const char mapping_text[] =
    "{ 'machine': 'm.fsm.json',"
    "  'source': { 'table': 'accounts', 'key': 'id', 'where': 'deleted_at IS NULL' },"
    "  'state': { 'column': 'status', 'values': { '0': 'open', '1': 'closed' } },"
    "  'fields': { 'balance': 'balance', 'currency': 'currency', 'owner': 'owner' },"
    "  'evidence': [ { 'creation': 'opened_at' },"
    "                { 'event': 'AccountClosed', 'at': 'closed_at' } ] }";

static const char rows[] = "id,status,balance,currency,owner,opened_at,closed_at,deleted_at\n"
                           "b,0,10.00,EUR,Ann,2020-01-01T00:00Z,,\n"
                           "a,1,-2.50,DKK,,2020-01-02T00:00Z,2020-01-03T00:00Z,\n"
                           "x,7,1.00,EUR,,2020-01-02T00:00Z,,\n"
                           "c,0,9999999999999999.99,EUR,\"Bo \"\"B\"\" Li\",2020-01-02T00:00Z,,\n"
                           ",0,1.00,EUR,,2020-01-02T00:00Z,,\n"
                           "d,0,1.00,EUR,,2020-01-02T00:00Z,,\n"
                           "e,9,1.00,EUR,,2020-01-02T00:00Z,,2021-01-01T00:00Z\n"
                           "d,1,1.00,EUR,,2020-01-02T00:00Z,2020-01-03T00:00Z,\n"
                           "f,0,9999999999999999.99,EUR,,2020-01-02T00:00Z,,\n";

static scratch s;
static bst_diags *diags;
static bst_mapping *mapping;
static char from[512], to[512], quarantine[512];
static bst_run_figures figures;

static void no_findings(void) {
    if (bst_diags_count(diags) > 0) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_diag_format_text(bst_diags_at(diags, 0), NULL, 0, &text);
        ck_abort_msg("%s", text.text);
    }
}

static void setup(void) {
    scratch_make(&s);
    diags = bst_diags_new();
    mapping = NULL;
    scratch_write(&s, "m.fsm.json", machine_text, 1);
    bst_status status =
        bst_mapping_load(scratch_write(&s, "m.legacy.json", mapping_text, 1), &mapping, diags);
    no_findings();
    ck_assert_int_eq(status, BST_OK);
    snprintf(from, sizeof from, "%s", scratch_write(&s, "accounts.csv", rows, 0));
    snprintf(to, sizeof to, "%s", scratch_path(&s, "out.jsonl"));
    snprintf(quarantine, sizeof quarantine, "%s", scratch_path(&s, "quarantine.jsonl"));
}

static void teardown(void) {
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    scratch_remove(&s);
}

static bst_status run_to(const char *target) {
    bst_synth *synth = NULL;
    ck_assert_int_eq(bst_synth_new(mapping, &synth, diags), BST_OK);
    const bst_run_options options = {.from = from,
                                     .to = target,
                                     .quarantine_path = target ? quarantine : NULL,
                                     .tool_version = "test"};
    bst_status status = bst_migrate(mapping, synth, &options, &figures, diags);
    bst_synth_free(synth);
    return status;
}

static void run_well(void) {
    bst_status status = run_to(to);
    no_findings();
    ck_assert_int_eq(status, BST_OK);
}

START_TEST(figures_add_up) {
    run_well();
    ck_assert_uint_eq(figures.read, 9);
    ck_assert_uint_eq(figures.migrated, 4);
    ck_assert_uint_eq(figures.quarantined, 4);
    ck_assert_uint_eq(figures.out_of_scope, 1);
    ck_assert_uint_eq(figures.events, 5);
    ck_assert_uint_eq(figures.certain, 4);
    ck_assert_uint_eq(figures.signatures, 2);
    ck_assert_uint_eq(figures.by_basis[BST_BASIS_RECORDED], 5);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_UNKNOWN_STATE], 1);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_NULL_KEY], 1);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_DUPLICATE_KEY], 2);
    ck_assert_uint_eq(figures.by_confidence[9], 4);
}
END_TEST

START_TEST(events_written) {
    run_well();
    char *text = scratch_read(&s, "out.jsonl");
    ck_assert_ptr_nonnull(text);
    static const char *const parts[] = {"\"entity\":\"a\",\"version\":1,\"type\":\"AccountOpened\"",
                                        "\"balance\":\"-2.50\",\"currency\":\"DKK\"",
                                        "\"entity\":\"a\",\"version\":2,\"type\":\"AccountClosed\"",
                                        "\"source\":\"accounts.closed_at\"",
                                        "\"entity\":\"b\",\"version\":1",
                                        "\"owner\":\"Bo \\\"B\\\" Li\"",
                                        "\"entity\":\"f\",\"version\":1"};
    const char *at = text;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        at = strstr(at, parts[i]);
        ck_assert_msg(at != NULL, "%s is missing, or not in its place: %s", parts[i], text);
    }
    free(text);
}
END_TEST

START_TEST(quarantine_written) {
    run_well();
    struct stat st;
    ck_assert_int_eq(stat(quarantine, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    char *text = scratch_read(&s, "quarantine.jsonl");
    ck_assert_str_eq(
        text,
        "{\"key\":null,\"code\":\"null-key\",\"reason\":\"the key (id) is NULL\",\"evidence\":{},"
        "\"row\":{\"id\":null,\"status\":\"0\",\"balance\":\"1.00\",\"currency\":\"EUR\","
        "\"owner\":null,\"opened_at\":\"2020-01-02T00:00Z\",\"closed_at\":null,"
        "\"deleted_at\":null},\"line\":6}\n"
        "{\"key\":\"d\",\"code\":\"duplicate-key\","
        "\"reason\":\"another row has the same key (id)\","
        "\"evidence\":{},\"row\":{\"id\":\"d\",\"status\":\"0\",\"balance\":\"1.00\","
        "\"currency\":\"EUR\",\"owner\":null,\"opened_at\":\"2020-01-02T00:00Z\","
        "\"closed_at\":null,\"deleted_at\":null},\"line\":7}\n"
        "{\"key\":\"d\",\"code\":\"duplicate-key\","
        "\"reason\":\"another row has the same key (id)\","
        "\"evidence\":{},\"row\":{\"id\":\"d\",\"status\":\"1\",\"balance\":\"1.00\","
        "\"currency\":\"EUR\",\"owner\":null,\"opened_at\":\"2020-01-02T00:00Z\","
        "\"closed_at\":\"2020-01-03T00:00Z\",\"deleted_at\":null},\"line\":9}\n"
        "{\"key\":\"x\",\"code\":\"unknown-state\","
        "\"reason\":\"status \\\"7\\\" is no state that the mapping knows\","
        "\"evidence\":{\"status\":\"7\"},\"row\":{\"id\":\"x\",\"status\":\"7\","
        "\"balance\":\"1.00\",\"currency\":\"EUR\",\"owner\":null,"
        "\"opened_at\":\"2020-01-02T00:00Z\",\"closed_at\":null,\"deleted_at\":null},"
        "\"line\":4}\n");
    free(text);
}
END_TEST

START_TEST(same_bytes_twice) {
    run_well();
    char *events = scratch_read(&s, "out.jsonl");
    char *lines = scratch_read(&s, "quarantine.jsonl");
    run_well();
    char *events_again = scratch_read(&s, "out.jsonl");
    char *lines_again = scratch_read(&s, "quarantine.jsonl");
    ck_assert_str_eq(events, events_again);
    ck_assert_str_eq(lines, lines_again);
    free(events);
    free(events_again);
    free(lines);
    free(lines_again);
}
END_TEST

START_TEST(no_rows_no_quarantine) {
    run_well();
    scratch_write(&s, "accounts.csv",
                  "id,status,balance,currency,owner,opened_at,closed_at,deleted_at\n", 0);
    run_well();
    ck_assert_uint_eq(figures.read, 0);
    ck_assert_ptr_null(scratch_read(&s, "quarantine.jsonl"));
}
END_TEST

START_TEST(dry_run) {
    ck_assert_int_eq(run_to(NULL), BST_OK);
    no_findings();
    ck_assert_uint_eq(figures.migrated, 4);
    ck_assert_uint_eq(figures.by_reason[BST_REASON_DUPLICATE_KEY], 2);
    ck_assert_ptr_null(scratch_read(&s, "out.jsonl"));
    ck_assert_ptr_null(scratch_read(&s, "quarantine.jsonl"));
}
END_TEST

START_TEST(unknown_column) {
    scratch_write(&s, "accounts.csv", "id,status,balance,currency,ownr,opened_at,closed_at\n", 0);
    ck_assert_int_eq(run_to(to), BST_INVALID);
    ck_assert_uint_eq(bst_diags_count(diags), 2); /* owner, deleted_at */
    ck_assert_ptr_null(scratch_read(&s, "out.jsonl"));
}
END_TEST

static bst_status stop(void *context, const bst_run_figures *seen) {
    *(uint64_t *)context = seen->read;
    return BST_RETRY;
}

START_TEST(stopped_by_progress) {
    uint64_t seen = 0;
    bst_synth *synth = NULL;
    ck_assert_int_eq(bst_synth_new(mapping, &synth, diags), BST_OK);
    const bst_run_options options = {.from = from,
                                     .to = to,
                                     .quarantine_path = quarantine,
                                     .on_progress = stop,
                                     .context = &seen};
    ck_assert_int_eq(bst_migrate(mapping, synth, &options, &figures, diags), BST_RETRY);
    bst_synth_free(synth);
    ck_assert_uint_eq(seen, 9);
    ck_assert_uint_eq(figures.read, 9);
    ck_assert_ptr_null(scratch_read(&s, "out.jsonl"));
    ck_assert_ptr_null(scratch_read(&s, "quarantine.jsonl"));
    ck_assert_ptr_null(scratch_read(&s, "quarantine.jsonl.partial"));
}
END_TEST

/* ---- compare ---- */

static bst_strbuf told;
static bst_compare_figures compared;

static bst_status tell(void *context, const bst_difference *difference) {
    static const char *const kinds[] = {"differs", "missing-in-store", "missing-in-source",
                                        "not-replayable"};
    static const char *const extents[] = {"state", "fields", "both", "creation"};
    (void)context;
    bst_strbuf_addf(&told, "%s %.*s", kinds[difference->kind], (int)difference->key_len,
                    difference->key);
    if (difference->kind == BST_DIFFERS && !difference->message) {
        bst_strbuf_addf(&told, " (%s) %s %s %s", extents[difference->extent],
                        difference->creation ? "created"
                        : difference->field == BST_NONE
                            ? "state"
                            : mapping->machine->fields[difference->field].name,
                        difference->old_text ? difference->old_text : "NULL",
                        difference->new_text ? difference->new_text : "NULL");
    }
    bst_strbuf_addf(&told, "%s%s\n", difference->message ? ": " : "",
                    difference->message ? difference->message : "");
    return BST_OK;
}

static const int64_t *tolerance;
static bst_strbuf left_out;

static bst_status compare(bst_strbuf *totals_text) {
    bst_arena *arena = bst_arena_new();
    bst_comparison comparison;
    const bst_compare_options options = {.tolerance = tolerance,
                                         .from = from,
                                         .store = to,
                                         .quarantine_path = quarantine,
                                         .sum_field = BST_NONE,
                                         .group_field = BST_NONE,
                                         .on_difference = tell};
    bst_strbuf_clear(&told);
    bst_status status = bst_compare(mapping, &options, arena, &comparison, diags);
    compared = comparison.figures;
    no_findings();
    bst_strbuf_clear(&left_out);
    for (size_t i = 0; i < comparison.left_out_count; i++) {
        bst_strbuf_addf(&left_out, "%d %s\n", (int)comparison.left_out[i].kind,
                        comparison.left_out[i].name);
    }
    const bst_total *totals = comparison.totals;
    for (size_t i = 0; totals_text && i < comparison.total_count; i++) {
        bst_strbuf_addf(totals_text, "%s %s %s %u %u %s %s\n",
                        mapping->machine->states[totals[i].state].name, totals[i].group,
                        totals[i].month ? totals[i].month : "all", (unsigned)totals[i].old_count,
                        (unsigned)totals[i].new_count, totals[i].old_sum, totals[i].new_sum);
    }
    bst_arena_free(arena);
    return status;
}

static void setup_compare(void) {
    setup();
    bst_strbuf_init(&told);
    bst_strbuf_init(&left_out);
    tolerance = NULL;
    run_well();
}

static void teardown_compare(void) {
    bst_strbuf_release(&told);
    bst_strbuf_release(&left_out);
    teardown();
}

/* The rows as they were, with one text replaced. */
static void change_rows(const char *old_text, const char *new_text) {
    bst_strbuf text = BST_STRBUF_INIT;
    const char *at = strstr(rows, old_text);
    ck_assert_ptr_nonnull(at);
    bst_strbuf_add(&text, rows, (size_t)(at - rows));
    bst_strbuf_addf(&text, "%s%s", new_text, at + strlen(old_text));
    scratch_write(&s, "accounts.csv", text.text, 0);
    bst_strbuf_release(&text);
}

START_TEST(equal) {
    bst_strbuf totals = BST_STRBUF_INIT;
    ck_assert_int_eq(compare(&totals), BST_OK);
    ck_assert_str_eq(told.text, "");
    ck_assert_str_eq(totals.text, "open EUR all 3 3 20000000000000009.98 20000000000000009.98\n"
                                  "open EUR 2020-01 3 3 20000000000000009.98 20000000000000009.98\n"
                                  "closed DKK all 1 1 -2.50 -2.50\n"
                                  "closed DKK 2020-01 1 1 -2.50 -2.50\n");
    ck_assert_uint_eq(compared.rows, 9);
    ck_assert_uint_eq(compared.histories, 4);
    ck_assert_uint_eq(compared.events, 5);
    ck_assert_uint_eq(compared.equal, 4);
    ck_assert_uint_eq(compared.quarantined, 4);
    ck_assert_uint_eq(compared.out_of_scope, 1);
    bst_strbuf_release(&totals);
}
END_TEST

static const struct {
    const char *old_text, *new_text, *told;
} changes[] = {
    {"b,0,10.00", "b,0,10.01", "differs b (fields) balance 10.01 10.00\n"},
    {"b,0,10.00", "b,1,10.00", "differs b (state) state closed open\n"},
    {"b,0,10.00,EUR,Ann", "b,1,10.00,EUR,",
     "differs b (both) state closed open\n"
     "differs b (both) owner NULL Ann\n"},
    {"b,0,10.00", "b,0,ten",
     "differs b: balance \"ten\" cannot be read as decimal(18,2): it does "
     "not have the form of its type\n"},
    {"b,0,10.00", "bb,0,10.00", "missing-in-source b\nmissing-in-store bb\n"},
    {"x,7,", "y,7,", "missing-in-store y\n"},
    {"f,0,", "Z,0,", "missing-in-store Z\nmissing-in-source f\n"},
    {"Ann,2020-01-01T00:00Z,,\n", "Ann,2020-01-01T00:00Z,,2021-01-01T00:00Z\n",
     "missing-in-source b\n"},
};

START_TEST(different) {
    change_rows(changes[_i].old_text, changes[_i].new_text);
    ck_assert_int_eq(compare(NULL), BST_DIFFERENT);
    ck_assert_str_eq(told.text, changes[_i].told);
    ck_assert_uint_eq(compared.rows, compared.equal + compared.different +
                                         compared.missing_in_store + compared.quarantined +
                                         compared.out_of_scope);
}
END_TEST

/* A payment that went to another month: it is named, the totals of all months agree, those of each
 * do not. */
START_TEST(another_month) {
    bst_strbuf totals = BST_STRBUF_INIT;
    change_rows("Ann,2020-01-01", "Ann,2020-02-01");
    ck_assert_int_eq(compare(&totals), BST_DIFFERENT);
    ck_assert_str_eq(told.text,
                     "differs b (creation) created 2020-02-01T00:00:00Z 2020-01-01T00:00:00Z\n");
    ck_assert_uint_eq(compared.different, 1);
    ck_assert_uint_eq(compared.by_extent[BST_EXTENT_CREATION], 1);
    ck_assert_str_eq(totals.text, "open EUR all 3 3 20000000000000009.98 20000000000000009.98\n"
                                  "open EUR 2020-01 2 3 19999999999999999.98 20000000000000009.98\n"
                                  "open EUR 2020-02 1 0 10.00 0.00\n"
                                  "closed DKK all 1 1 -2.50 -2.50\n"
                                  "closed DKK 2020-01 1 1 -2.50 -2.50\n");
    bst_strbuf_release(&totals);
}
END_TEST

/* Two amounts that changed places: every total agrees. */
START_TEST(swapped_amounts) {
    bst_strbuf totals = BST_STRBUF_INIT;
    static const char swapped[] =
        "id,status,balance,currency,owner,opened_at,closed_at,deleted_at\n"
        "b,0,9999999999999999.99,EUR,Ann,2020-01-01T00:00Z,,\n"
        "a,1,-2.50,DKK,,2020-01-02T00:00Z,2020-01-03T00:00Z,\n"
        "c,0,10.00,EUR,\"Bo \"\"B\"\" Li\",2020-01-02T00:00Z,,\n"
        "f,0,9999999999999999.99,EUR,,2020-01-02T00:00Z,,\n";
    scratch_write(&s, "accounts.csv", swapped, 0);
    ck_assert_int_eq(compare(&totals), BST_DIFFERENT);
    ck_assert_str_eq(told.text, "differs b (fields) balance 9999999999999999.99 10.00\n"
                                "differs c (fields) balance 10.00 9999999999999999.99\n");
    ck_assert_ptr_nonnull(
        strstr(totals.text, "open EUR all 3 3 20000000000000009.98 20000000000000009.98\n"));
    bst_strbuf_release(&totals);
}
END_TEST

START_TEST(within_tolerance) {
    static const int64_t one_cent[] = {1, 0, 0};
    tolerance = one_cent;
    change_rows("b,0,10.00", "b,0,10.01");
    ck_assert_int_eq(compare(NULL), BST_OK);
    ck_assert_str_eq(told.text, "");
    ck_assert_uint_eq(compared.tolerated, 1);
    ck_assert_uint_eq(compared.equal, 4);
    change_rows("b,0,10.00", "b,0,10.02");
    ck_assert_int_eq(compare(NULL), BST_DIFFERENT);
    ck_assert_str_eq(told.text, "differs b (fields) balance 10.02 10.00\n");
    ck_assert_uint_eq(compared.tolerated, 0);
}
END_TEST

/* Against exact values: 1 - 0.05^(1/n) without a difference; beta quantiles otherwise. */
START_TEST(bound_of_a_sample) {
    ck_assert_double_eq_tol(bst_sample_bound(0, 1, 0.95), 0.95, 1e-9);
    ck_assert_double_eq_tol(bst_sample_bound(0, 100, 0.95), 0.0295130, 1e-7);
    ck_assert_double_eq_tol(bst_sample_bound(0, 100000, 0.95), 0.0000299569, 1e-9);
    ck_assert_double_eq_tol(bst_sample_bound(1, 10, 0.95), 0.3941633, 1e-6);
    ck_assert_double_eq_tol(bst_sample_bound(5, 10, 0.95), 0.7775589, 1e-6);
    ck_assert_double_eq(bst_sample_bound(10, 10, 0.95), 1);
    ck_assert_double_eq(bst_sample_bound(0, 0, 0.95), 1);
    double share = bst_sample_bound(500000, 1000000, 0.95);
    ck_assert(share > 0.5 && share < 0.501);
}
END_TEST

START_TEST(what_is_left_out) {
    ck_assert_int_eq(compare(NULL), BST_OK);
    ck_assert_str_eq(left_out.text, "1 closed_at\n1 deleted_at\n");
}
END_TEST

START_TEST(not_replayable) {
    char *text = scratch_read(&s, "out.jsonl");
    bst_strbuf changed = BST_STRBUF_INIT;
    char *state = strstr(text, "\"state\":\"closed\"");
    ck_assert_ptr_nonnull(state);
    bst_strbuf_add(&changed, text, (size_t)(state - text));
    bst_strbuf_addf(&changed, "\"state\":\"open\"%s", state + strlen("\"state\":\"closed\""));
    scratch_write(&s, "out.jsonl", changed.text, 0);
    bst_strbuf_release(&changed);
    free(text);
    ck_assert_int_eq(compare(NULL), BST_DIFFERENT);
    ck_assert_str_eq(told.text,
                     "not-replayable a: event 2, AccountClosed into \"open\": the machine "
                     "has no such step from \"open\"\n");
}
END_TEST

START_TEST(without_quarantine_file) {
    unlink(quarantine);
    ck_assert_int_eq(compare(NULL), BST_DIFFERENT);
    ck_assert_str_eq(told.text, "missing-in-store d\nmissing-in-store d\nmissing-in-store x\n");
}
END_TEST

START_TEST(broken_quarantine_file) {
    scratch_write(&s, "quarantine.jsonl", "{'key':'d'}\n{'kee':'x'}\n", 1);
    bst_arena *arena = bst_arena_new();
    bst_comparison comparison;
    const bst_compare_options options = {.from = from, .store = to, .quarantine_path = quarantine};
    ck_assert_int_eq(bst_compare(mapping, &options, arena, &comparison, diags), BST_IO);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    ck_assert_uint_eq(bst_diags_at(diags, 0)->line, 2);
    bst_arena_free(arena);
}
END_TEST

Suite *test_migrate_run_suite(void) {
    Suite *suite = suite_create("migrate run");
    TCase *run_case = tcase_create("run");
    tcase_add_checked_fixture(run_case, setup, teardown);
    tcase_add_test(run_case, figures_add_up);
    tcase_add_test(run_case, events_written);
    tcase_add_test(run_case, quarantine_written);
    tcase_add_test(run_case, same_bytes_twice);
    tcase_add_test(run_case, no_rows_no_quarantine);
    tcase_add_test(run_case, dry_run);
    tcase_add_test(run_case, unknown_column);
    tcase_add_test(run_case, stopped_by_progress);
    suite_add_tcase(suite, run_case);
    TCase *compare_case = tcase_create("compare");
    tcase_add_checked_fixture(compare_case, setup_compare, teardown_compare);
    tcase_add_test(compare_case, equal);
    tcase_add_loop_test(compare_case, different, 0, (int)(sizeof changes / sizeof changes[0]));
    tcase_add_test(compare_case, another_month);
    tcase_add_test(compare_case, swapped_amounts);
    tcase_add_test(compare_case, within_tolerance);
    tcase_add_test(compare_case, bound_of_a_sample);
    tcase_add_test(compare_case, what_is_left_out);
    tcase_add_test(compare_case, not_replayable);
    tcase_add_test(compare_case, without_quarantine_file);
    tcase_add_test(compare_case, broken_quarantine_file);
    suite_add_tcase(suite, compare_case);
    return suite;
}
