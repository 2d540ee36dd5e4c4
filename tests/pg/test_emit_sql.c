/* The emitted SQL against the interpreter.
 *
 * Random commands on random entities, of the machines of tests/eventgen/ and of machines nobody
 * thought of. At every step each guard that the command asks, the payload's check and apply() are
 * asked in SQL about the same entity: the same answer, or both refuse. Events bent out of shape are
 * among them.
 */
#include "backstory/step.h"
#include "emit_sql_private.h"
#include "eventgen_fixture.h"
#include "pg_fixture.h"
#include "random.h"
#include "random_machine.h"
#include "random_value.h"

#define STEPS 400

typedef struct walk {
    const bst_machine *machine;
    bst__sql sql;
    uint64_t random;
    bst_entity entity;
    bst_value *before, *payload;
    bst_event event;
    bst_strbuf statements; /* ('SELECT ...', 'true'), ... */
    uint32_t checks, refusals, truths;
} walk;

static uint32_t below(walk *w, uint32_t bound) {
    return (uint32_t)(random_next(&w->random) % bound);
}

static bst_value draw_value(walk *w, const bst_type *type) {
    bst_value value = random_value(&w->random, type);
    if (type->kind == BST_KIND_JSON && value.present && value.len == 4) { /* null: no value */
        value.u.text = "{}";
        value.len = 2;
    }
    return value;
}

/* ---- writing ---- */

static void write_data(const bst_event_type *type, const bst_value *values, bst_strbuf *out) {
    bst_strbuf json = BST_STRBUF_INIT;
    bst_strbuf_addc(&json, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (values[i].present) {
            bst_strbuf_adds(&json, json.len > 1 ? "," : "");
            bst_strbuf_add_json(&json, type->fields[i].name, strlen(type->fields[i].name));
            bst_strbuf_addc(&json, ':');
            bst_value_to_json(&type->fields[i].type, &values[i], &json);
        }
    }
    bst_strbuf_addc(&json, '}');
    bst__sql_text(json.text, json.len, out);
    bst_strbuf_release(&json);
}

/* `current` has three columns before the state. */
static void write_entity(const walk *w, uint32_t state, const bst_value *values, const char *type,
                         const char *head, bst_strbuf *out) {
    if (state == BST_NONE) {
        bst_strbuf_addf(out, "NULL::%s.%s", w->sql.schema, type);
        return;
    }
    bst_strbuf_addf(out, "ROW(%s", head);
    bst__sql_literal(w->machine->states[state].name, out);
    for (uint32_t i = 0; i < w->machine->field_count; i++) {
        bst_strbuf_adds(out, ", ");
        bst__sql_constant(&w->machine->fields[i].type, &values[i], out);
    }
    bst_strbuf_addf(out, ")::%s.%s", w->sql.schema, type);
}

static void expect(walk *w, const bst_strbuf *statement, const char *answer) {
    bst_strbuf_adds(&w->statements, w->checks == 0 ? "(" : ",\n(");
    bst__sql_text(statement->text, statement->len, &w->statements);
    bst_strbuf_addf(&w->statements, ", '%s')", answer);
    w->checks++;
    w->refusals += answer[0] == '!';
    w->truths += answer[0] == 't';
}

/* ---- guards ---- */

typedef struct reads {
    bool entity;
    bool *fields; /* of the command */
} reads;

static void find_reads(const bst_expr *ref, void *context) {
    reads *r = context;
    r->entity = r->entity || ref->root == BST_ROOT_ENTITY;
    if (ref->root == BST_ROOT_COMMAND) {
        r->fields[ref->index] = true;
    }
}

static void ask_guard(walk *w, uint32_t index, uint32_t command) {
    const bst_machine *m = w->machine;
    const bst_command *type = &m->commands[command];
    bool fields[BST_FIELDS_MAX] = {false};
    reads r = {.fields = fields};
    const bst_records records = {
        {[BST_ROOT_ENTITY] = w->entity.fields, [BST_ROOT_COMMAND] = w->payload}};
    bst_value holds;
    bst_expr_each_ref(m->guards[index].expr, find_reads, &r);
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "SELECT %s.%s(", w->sql.schema, w->sql.guards[index]);
    if (r.entity) {
        write_entity(w, w->entity.state, w->entity.fields, "current", "'1', 1, now(), ", &text);
    }
    bool any = r.entity, missing = false;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (fields[i]) {
            bst_strbuf_adds(&text, any ? ", " : "");
            bst__sql_constant(&type->fields[i].type, &w->payload[i], &text);
            bst_strbuf_addf(&text, "::");
            bst__sql_type(&type->fields[i].type, &text);
            missing = missing || (!w->payload[i].present && !type->fields[i].type.optional);
            any = true;
        }
    }
    bst_strbuf_addc(&text, ')');
    if (missing || bst_expr_eval(m->guards[index].expr, &records, &holds) != BST_EVAL_OK) {
        expect(w, &text, "!");
    } else {
        expect(w, &text, holds.u.i ? "true" : "false");
    }
    bst_strbuf_release(&text);
}

static void ask_guards(walk *w, uint32_t command) {
    uint32_t first = 0;
    const uint32_t count = bst_machine_candidates(w->machine, w->entity.state, command, &first);
    for (uint32_t i = first; i < first + count; i++) {
        if (w->machine->transitions[i].guard != BST_NONE) {
            ask_guard(w, w->machine->transitions[i].guard, command);
        }
    }
}

/* ---- events ---- */

static void ask_valid(walk *w) {
    const bst_event_type *type = &w->machine->events[w->event.type];
    bst_strbuf text = BST_STRBUF_INIT;
    bool complete = true;
    for (uint32_t i = 0; i < type->field_count; i++) {
        complete = complete && (w->event.fields[i].present || type->fields[i].type.optional);
    }
    bst_strbuf_addf(&text, "SELECT %s.is_valid('%s', ", w->sql.schema, type->name);
    write_data(type, w->event.fields, &text);
    bst_strbuf_addc(&text, ')');
    expect(w, &text, complete ? "true" : "false");
    bst_strbuf_release(&text);
}

static void ask_apply(walk *w) {
    const bst_machine *m = w->machine;
    const bst_event_type *type = &m->events[w->event.type];
    const uint32_t state = w->entity.state;
    bst_strbuf text = BST_STRBUF_INIT;
    memcpy(w->before, w->entity.fields, m->field_count * sizeof *w->before);
    const bst_apply_result result = bst_apply(m, &w->entity, &w->event);
    bst_strbuf_addf(&text, "SELECT %s.apply(", w->sql.schema);
    write_entity(w, state, w->before, "entity", "", &text);
    bst_strbuf_addf(&text, ", '%s', ", type->name);
    write_data(type, w->event.fields, &text);
    bst_strbuf_addf(&text, ", '%s') IS NOT DISTINCT FROM ", m->states[w->event.state].name);
    write_entity(w, w->entity.state, w->entity.fields, "entity", "", &text);
    expect(w, &text, result == BST_APPLY_OK ? "true" : "!");
    bst_strbuf_release(&text);
}

/* An event that decide() would not have made here. */
static void bend_event(walk *w, bool accepted) {
    const bst_machine *m = w->machine;
    if (!accepted || below(w, 2) == 0) {
        w->event.type = below(w, m->event_count);
        w->event.state = below(w, m->state_count);
        const bool stays = m->events[w->event.type].builtin == BST_BUILTIN_RECONCILE;
        if (stays && w->entity.state != BST_NONE && below(w, 4) > 0) {
            w->event.state = w->entity.state;
        }
    }
    const bst_event_type *event = &m->events[w->event.type];
    for (uint32_t i = 0; i < event->field_count; i++) {
        w->event.fields[i] = draw_value(w, &event->fields[i].type);
        if (below(w, 8) == 0) {
            w->event.fields[i] = BST_ABSENT;
        }
    }
}

/* Mostly one that the state knows. */
static uint32_t choose_command(walk *w) {
    const bst_machine *m = w->machine;
    uint32_t first = 0, count = m->creation_count;
    if (w->entity.state != BST_NONE) {
        first = m->states[w->entity.state].first_transition;
        count = m->states[w->entity.state].transition_count;
    }
    return count == 0 || below(w, 5) == 0 ? below(w, m->command_count)
                                          : m->transitions[first + below(w, count)].command;
}

static void take_step(walk *w) {
    const bst_machine *m = w->machine;
    const uint32_t command = choose_command(w);
    if (below(w, 30) == 0) {
        bst_entity_clear(m, &w->entity);
    }
    for (uint32_t i = 0; i < m->commands[command].field_count; i++) {
        w->payload[i] = draw_value(w, &m->commands[command].fields[i].type);
    }
    ask_guards(w, command);
    const bool accepted =
        bst_decide(m, &w->entity, command, w->payload, &w->event).verdict == BST_ACCEPTED;
    const bool bent = below(w, 6) == 0;
    if (bent) {
        bend_event(w, accepted);
    }
    if (accepted || bent) {
        ask_valid(w);
        ask_apply(w);
    }
}

/* ---- asking ---- */

static void install_store(void) {
    static const char *const files[] = {"schema", "views", "append"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = eventgen_path("store", files[i], ".sql");
        size_t len = 0;
        char *text = eventgen_read(path, &len);
        ck_assert_ptr_nonnull(text);
        run_sql(text);
        free(text);
        free(path);
    }
}

static void install_machine(const bst_machine *machine) {
    bst_emit_files files;
    bst_emit_files_init(&files);
    ck_assert_int_eq(bst_emit(machine, "sql", NULL, &files, NULL), BST_OK);
    run_sql(files.file[0].text.text);
    bst_emit_files_release(&files);
}

/* Statements whose answer is another one. */
static void check_answers(walk *w) {
    bst_pg_rows *rows = NULL;
    bst_strbuf sql = BST_STRBUF_INIT;
    run_sql("CREATE FUNCTION pg_temp.ask(statement text) RETURNS text LANGUAGE plpgsql AS $$ "
            "DECLARE answer boolean; BEGIN EXECUTE statement INTO answer; "
            "RETURN coalesce(answer::text, 'NULL'); "
            "EXCEPTION WHEN data_exception THEN RETURN '!'; "
            "WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$");
    bst_strbuf_addf(
        &sql,
        "SELECT statement, expected, answer FROM (VALUES %s) AS of (statement, "
        "expected), LATERAL (SELECT pg_temp.ask(statement) AS answer OFFSET 0) AS asked "
        "WHERE answer <> expected",
        w->statements.text);
    pg_expect(bst_pg_query(pg, sql.text, 0, NULL, &rows, pg_diags), BST_OK);
    ck_assert_msg(bst_pg_rows_count(rows) == 0, "%zu of %u differ; %s\nis %s, but SQL says %s",
                  bst_pg_rows_count(rows), (unsigned)w->checks, bst_pg_rows_text(rows, 0, 0),
                  bst_pg_rows_text(rows, 0, 1), bst_pg_rows_text(rows, 0, 2));
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
}

static bst_value *new_values(uint32_t count) {
    bst_value *values = calloc(count + 1, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

static void check_machine(const bst_machine *machine, uint64_t seed) {
    static const bst_emit_options options;
    walk w = {.machine = machine, .random = seed, .statements = BST_STRBUF_INIT};
    w.sql = (bst__sql){.machine = machine, .arena = bst_arena_new()};
    bst__sql_name_all(&w.sql, &options);
    w.entity.fields = new_values(machine->field_count);
    w.before = new_values(machine->field_count);
    w.payload = new_values(BST_FIELDS_MAX);
    w.event.fields = new_values(bst_machine_payload_max(machine));
    bst_entity_clear(machine, &w.entity);
    bst_strbuf clear = BST_STRBUF_INIT;
    bst_strbuf_addf(&clear,
                    "SET client_min_messages = warning; SET TimeZone = 'America/New_York'; "
                    "DROP SCHEMA IF EXISTS backstory, %s CASCADE",
                    w.sql.schema);
    run_sql(clear.text);
    bst_strbuf_release(&clear);
    install_store();
    install_machine(machine);
    for (int i = 0; i < STEPS; i++) {
        take_step(&w);
    }
    check_answers(&w);
    ck_assert_uint_gt(w.truths, STEPS / 4);
    ck_assert_uint_gt(w.refusals, STEPS / 40);
    bst_strbuf_release(&w.statements);
    bst_arena_free(w.sql.arena);
    free(w.entity.fields);
    free(w.before);
    free(w.payload);
    free(w.event.fields);
}

START_TEST(test_machines) {
    bst_machine *machine = eventgen_load(eventgen_machines[_i]);
    check_machine(machine, (uint64_t)_i);
    bst_machine_free(machine);
}
END_TEST

START_TEST(test_random_machines) {
    char *text = random_machine((uint64_t)_i);
    bst_machine *machine = eventgen_parse(text);
    check_machine(machine, 500 + (uint64_t)_i);
    bst_machine_free(machine);
    free(text);
}
END_TEST

Suite *test_emit_sql_suite(void);
Suite *test_emit_sql_suite(void) {
    Suite *suite = suite_create("emitted SQL");
    TCase *tcase = tcase_create("against the interpreter");
    tcase_add_checked_fixture(tcase, pg_setup, pg_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_machines, 0, EVENTGEN_MACHINES);
    tcase_add_loop_test(tcase, test_random_machines, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
