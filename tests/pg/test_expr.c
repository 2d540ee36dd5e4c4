/* An expression means the same to the interpreter, as generated C and as SQL.
 *
 * Random typed expressions become the guards and applies of one machine. Each is evaluated on
 * random records, absent values and the ends of every range among them, three times: by the
 * interpreter, by the compiled C of the machine, and by PostgreSQL in a function of its own. The
 * values must be equal, or all three refuse.
 *
 * BACKSTORY_CASES: how many machines of them (6), BACKSTORY_SEED: that of the first.
 */
#include <dlfcn.h>

#include "c_adapter.h"
#include "emit_sql_expr_private.h"
#include "pg_fixture.h"
#include "random_expr.h"

#define DEPTH       5
#define EXPRESSIONS 250 /* a machine */
#define RECORDS     40
#define MACHINES    6
#define SEED        144

/* Where results go. */
typedef struct result_field {
    const char *name, *type;
    family kind;
    int scale;
    bool narrow; /* needs a conversion that may overflow */
} result_field;

static const result_field result_fields[] = {
    {"r_bool", "bool?", BOOL, 0, false},       {"r_i8", "int8?", INT, 0, false},
    {"r_d0", "decimal(18,0)?", DEC, 0, false}, {"r_d2", "decimal(18,2)?", DEC, 2, false},
    {"r_d3", "decimal(18,3)?", DEC, 3, false}, {"r_d4", "decimal(18,4)?", DEC, 4, false},
    {"r_d9", "decimal(18,9)?", DEC, 9, false}, {"r_time", "timestamptz?", TIME, 0, false},
    {"r_text", "text?", TEXT, 0, false},       {"n_i4", "int4?", INT, 0, true},
    {"n_i2", "int2?", INT, 0, true},           {"n_id", "decimal(9,4)?", INT, 0, true},
    {"n_d2", "decimal(6,2)?", DEC, 2, true},   {"n_d4", "decimal(10,5)?", DEC, 4, true},
    {"n_d0", "int4?", DEC, 0, true},           {"n_char", "char(1)?", TEXT, 0, true},
};
enum { RESULTS = sizeof result_fields / sizeof *result_fields };

typedef struct batch {
    bst_machine *machine;
    const bst_expr *expr[EXPRESSIONS];
    const bst_type *type[EXPRESSIONS]; /* of its result */
    uint32_t guard[EXPRESSIONS];       /* its number, or BST_NONE: an apply */
    void *library;
    adapter_decide_fn *decide;
    adapter_apply_fn *apply;
} batch;

/* ---- the machine ---- */

/* A literal that does not fit is refused when it is compiled. */
static bool can_be_narrow(const node *n) {
    while (n->op == NEG) {
        n = n->args[0];
    }
    return n->op != LITERAL && n->op != COND;
}

static const result_field *result_of(const node *n) {
    const bool narrow = can_be_narrow(n) && roll(3) == 0;
    for (int pass = 0; pass < 2; pass++) {
        const uint32_t start = roll(RESULTS);
        for (uint32_t i = 0; i < RESULTS; i++) {
            const result_field *f = &result_fields[(start + i) % RESULTS];
            if (f->kind == n->kind && f->scale == n->scale && f->narrow == (narrow && pass == 0)) {
                return f;
            }
        }
    }
    ck_abort_msg("no field takes the result");
    return NULL;
}

static void add_field_types(bst_strbuf *out, bool declaration) {
    for (size_t i = 0; i < FIELDS; i++) {
        bst_strbuf_addf(out, declaration ? "%s\"%s\": {\"type\": \"%s\"}" : "%s\"%s\": \"%s\"",
                        i == 0 ? "" : ", ", fields[i].name, fields[i].type);
    }
}

static const node *draw_any(void) {
    static const family kinds[] = {BOOL, BOOL, INT, DEC, DEC, TIME, TEXT};
    static const int scales[] = {0, 2, 4, 9, 3};
    const family kind = kinds[roll(7)];
    node_count = 0;
    return draw(kind, kind == DEC ? scales[roll(5)] : 0, 0, DEPTH);
}

/* Expression i is guard gi of command ci, or the apply of event Vi. */
static char *machine_text(void) {
    bst_strbuf out = BST_STRBUF_INIT, events = BST_STRBUF_INIT, guards = BST_STRBUF_INIT;
    bst_strbuf on = BST_STRBUF_INIT;
    for (int i = 0; i < EXPRESSIONS; i++) {
        const node *n = draw_any();
        const bool guard = n->kind == BOOL && roll(4) != 0;
        if (guard) {
            bst_strbuf_addf(&guards, "%s\"g%d\": \"", guards.len > 0 ? ",\n" : "", i);
            write_tree(n, &guards);
            bst_strbuf_adds(&guards, "\"");
        } else {
            bst_strbuf_addf(&events, ",\n\"V%d\": {\"apply\": {\"%s\": \"", i, result_of(n)->name);
            write_tree(n, &events);
            bst_strbuf_adds(&events, "\"}}");
        }
        bst_strbuf_addf(&on, "%s\"c%d\": {\"event\": \"", i == 0 ? "" : ",\n", i);
        bst_strbuf_addf(&on, guard ? "E\", \"guard\": \"g%d\"}" : "V%d\"}", i);
    }
    bst_strbuf_adds(&out, "{\"id\": \"m\", \"initial\": \"s\", \"fields\": {");
    add_field_types(&out, true);
    for (size_t i = 0; i < RESULTS; i++) {
        bst_strbuf_addf(&out, ", \"%s\": {\"type\": \"%s\"}", result_fields[i].name,
                        result_fields[i].type);
    }
    bst_strbuf_adds(&out, "},\n\"events\": {\"MCreated\": {\"fields\": {");
    add_field_types(&out, false);
    bst_strbuf_addf(&out,
                    "}}, \"E\": {}%s},\n\"guards\": {%s},\n\"states\": {\"s\": {\"on\": {%s}}}}",
                    events.text, guards.text, on.text);
    bst_strbuf_release(&events);
    bst_strbuf_release(&guards);
    bst_strbuf_release(&on);
    return bst_strbuf_detach(&out);
}

static void find_expressions(batch *b) {
    const bst_machine *m = b->machine;
    static const bst_type truth = {.kind = BST_KIND_BOOL};
    char name[16];
    for (int i = 0; i < EXPRESSIONS; i++) {
        snprintf(name, sizeof name, "V%d", i);
        const uint32_t event = bst_machine_event(m, name);
        b->guard[i] = BST_NONE;
        if (event != BST_NONE) {
            b->expr[i] = m->events[event].assignments[0].expr;
            b->type[i] = &m->fields[m->events[event].assignments[0].field].type;
            continue;
        }
        snprintf(name, sizeof name, "g%d", i);
        for (uint32_t g = 0; g < m->guard_count; g++) {
            b->guard[i] = strcmp(m->guards[g].name, name) == 0 ? g : b->guard[i];
        }
        ck_assert_uint_ne(b->guard[i], BST_NONE);
        b->expr[i] = m->guards[b->guard[i]].expr;
        b->type[i] = &truth;
    }
}

/* ---- as C ---- */

static void compile_c(batch *b) {
    bst_strbuf command = BST_STRBUF_INIT;
    char *folder = eventgen_scratch();
    const char *root = eventgen_env("SOURCE_DIR", ".");
    eventgen_write(b->machine, folder, "c");
    adapter_write(b->machine, folder);
    bst_strbuf_addf(&command,
                    "cd '%s' && %s -std=c11 -O0 -fPIC -shared -I'%s/base/include' "
                    "-I'%s/fsm/include' adapter.c m.c -o m.so",
                    folder, eventgen_env("CC", "cc"), root, root);
    ck_assert_msg(eventgen_run(command.text) == 0, "%s", command.text);
    bst_strbuf_clear(&command);
    bst_strbuf_addf(&command, "%s/m.so", folder);
    b->library = dlopen(command.text, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(b->library != NULL, "%s", dlerror());
    void *decide = dlsym(b->library, "adapter_decide"), *apply = dlsym(b->library, "adapter_apply");
    ck_assert(decide != NULL && apply != NULL);
    memcpy(&b->decide, &decide, sizeof decide);
    memcpy(&b->apply, &apply, sizeof apply);
    eventgen_remove(folder);
    bst_strbuf_release(&command);
}

/* Whether there is a value. */
static bool by_c(const batch *b, int i, bst_value *ret) {
    bst_value values[FIELDS + RESULTS] = {0};
    bst_entity entity = {0, values};
    memcpy(values, record, sizeof record);
    if (b->guard[i] != BST_NONE) {
        bst_value none = BST_ABSENT;
        bst_event event = {.fields = &none};
        adapter_answer answer;
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        b->decide(&entity, bst_machine_command(b->machine, name), &none, &event, &answer);
        *ret = (bst_value){.present = true, .u.i = answer.verdict == BST_ACCEPTED};
        ck_assert(answer.verdict == BST_ACCEPTED || answer.verdict == BST_GUARD_REFUSED ||
                  answer.verdict == BST_OVERFLOW);
        return answer.verdict != BST_OVERFLOW;
    }
    char name[16];
    snprintf(name, sizeof name, "V%d", i);
    const uint32_t type = bst_machine_event(b->machine, name);
    const bst_event event = {.type = type, .state = 0};
    const int result = b->apply(&entity, &event);
    ck_assert(result == BST_APPLY_OK || result == BST_APPLY_OVERFLOW);
    *ret = values[b->machine->events[type].assignments[0].field];
    return result == BST_APPLY_OK;
}

/* ---- as SQL ---- */

static void put_column(const void *context, const bst_expr *ref, bst_strbuf *out) {
    (void)context;
    bst_strbuf_adds(out, "r.");
    bst__sql_name(ref->name, out);
}

static void create_table(const batch *b) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, "SET TimeZone = 'America/New_York'; DROP SCHEMA IF EXISTS t CASCADE; "
                          "CREATE SCHEMA t; CREATE TABLE t.record (n integer");
    for (size_t i = 0; i < FIELDS; i++) {
        bst_strbuf_addf(&sql, ", %s ", fields[i].name);
        bst__sql_type(&b->machine->fields[i].type, &sql);
    }
    bst_strbuf_adds(&sql, ");\n");
    bst__sql_add_helpers((1u << BST__SQL_HELPER_COUNT) - 1, "t", &sql);
    run_sql(sql.text);
    bst_strbuf_release(&sql);
}

static void create_functions(const batch *b) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst__sql_scope scope = {.put_ref = put_column, .schema = "t"};
    for (int i = 0; i < EXPRESSIONS; i++) {
        bst_strbuf_addf(&sql,
                        "CREATE FUNCTION t.e%d(r t.record) RETURNS text LANGUAGE plpgsql AS $$ "
                        "BEGIN RETURN ",
                        i);
        bst_strbuf_addc(&sql, '(');
        bst__sql_value(&scope, b->expr[i], &sql);
        bst_strbuf_adds(&sql, ")::text; EXCEPTION WHEN data_exception THEN RETURN '!' || SQLSTATE; "
                              "END $$;\n");
    }
    run_sql(sql.text);
    bst_strbuf_release(&sql);
}

static void insert_record(const batch *b, int n) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(&sql, "INSERT INTO t.record VALUES (%d", n);
    for (size_t i = 0; i < FIELDS; i++) {
        bst_strbuf_adds(&sql, ", ");
        bst__sql_constant(&b->machine->fields[i].type, &record[i], &sql);
    }
    bst_strbuf_adds(&sql, ")");
    run_sql(sql.text);
    bst_strbuf_release(&sql);
}

static bst_pg_rows *ask_sql(void) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_adds(&sql, "SELECT n");
    for (int i = 0; i < EXPRESSIONS; i++) {
        bst_strbuf_addf(&sql, ", t.e%d(r)", i);
    }
    bst_strbuf_adds(&sql, " FROM t.record AS r ORDER BY n");
    pg_expect(bst_pg_query(pg, sql.text, 0, NULL, &rows, pg_diags), BST_OK);
    ck_assert_uint_eq(bst_pg_rows_count(rows), RECORDS);
    bst_strbuf_release(&sql);
    return rows;
}

/* ---- all three ---- */

typedef struct tally {
    uint32_t values, absent, refusals;
} tally;

static void blame(const batch *b, int i, const char *who, const bst_value *expected, bool refused,
                  const char *got) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst__sql_scope scope = {.put_ref = put_column, .schema = "t"};
    bst_expr_format(b->expr[i], &text);
    bst_strbuf_adds(&text, "\nas SQL: ");
    bst__sql_value(&scope, b->expr[i], &text);
    bst_strbuf_adds(&text, "\non: ");
    for (size_t f = 0; f < FIELDS; f++) {
        bst_strbuf_addf(&text, "%s=", fields[f].name);
        bst_value_to_text(&b->machine->fields[f].type, &record[f], &text);
        bst_strbuf_addc(&text, ' ');
    }
    bst_strbuf_adds(&text, "\ninterpreted: ");
    if (refused) {
        bst_strbuf_adds(&text, "refused");
    } else {
        bst_value_to_text(b->type[i], expected, &text);
    }
    ck_abort_msg("%s has %s for %s", who, got, text.text);
}

static void compare(const batch *b, int i, const char *sql, bst_arena *arena, tally *sum) {
    const bst_records records = {.root = {record}};
    bst_value expected = BST_ABSENT, value = BST_ABSENT;
    const bool refused = bst_expr_eval(b->expr[i], &records, &expected) != BST_EVAL_OK;
    const bool c_refused = !by_c(b, i, &value);
    if (refused != c_refused || (!refused && !bst_value_equal(b->type[i], &expected, &value))) {
        blame(b, i, "C", &expected, refused, c_refused ? "a refusal" : "another value");
    }
    value = BST_ABSENT;
    const bool sql_refused = sql != NULL && sql[0] == '!';
    if (!sql_refused && sql != NULL &&
        bst_value_parse(b->type[i], sql, strlen(sql), arena, &value) != BST_VALUE_OK) {
        blame(b, i, "SQL", &expected, refused, sql);
    }
    if (refused != sql_refused || (!refused && !bst_value_equal(b->type[i], &expected, &value))) {
        blame(b, i, "SQL", &expected, refused, sql != NULL ? sql : "NULL");
    }
    sum->refusals += refused;
    sum->absent += !refused && !expected.present;
    sum->values += !refused && expected.present;
}

START_TEST(test_three_executions) {
    batch b = {0};
    tally sum = {0};
    seed = random_setting("BACKSTORY_SEED", SEED) + (uint64_t)_i;
    char *text = machine_text();
    b.machine = eventgen_parse(text);
    find_expressions(&b);
    compile_c(&b);
    create_table(&b);
    create_functions(&b);
    const uint64_t first = seed;
    for (int n = 0; n < RECORDS; n++) {
        draw_record();
        insert_record(&b, n);
    }
    bst_pg_rows *rows = ask_sql();
    bst_arena *arena = bst_arena_new();
    seed = first;
    for (int n = 0; n < RECORDS; n++) {
        draw_record();
        for (int i = 0; i < EXPRESSIONS; i++) {
            compare(&b, i, bst_pg_rows_text(rows, (size_t)n, (size_t)i + 1), arena, &sum);
        }
    }
    /* a test of nothing but refusals, or of none, shows little */
    ck_assert_uint_gt(sum.values, EXPRESSIONS * RECORDS / 3);
    ck_assert_uint_gt(sum.refusals, EXPRESSIONS * RECORDS / 10);
    bst_arena_free(arena);
    bst_pg_rows_free(rows);
    dlclose(b.library);
    bst_machine_free(b.machine);
    free(text);
}
END_TEST

Suite *test_expr_suite(void);
Suite *test_expr_suite(void) {
    Suite *suite = suite_create("expressions three times");
    TCase *tcase = tcase_create("random");
    tcase_add_checked_fixture(tcase, pg_setup, pg_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_three_executions, 0,
                        (int)random_setting("BACKSTORY_CASES", MACHINES));
    suite_add_tcase(suite, tcase);
    return suite;
}
