/* Generated C and a real server. Encoded, appended to a store, read and decoded, an event is what
 * it was, for each type at its ends; so it is through COPY in binary, both ways. And an event that
 * version 1 of a machine stored is read by code that was generated from version 3.
 */
#include "c_adapter_codec.h"
#include "c_build.h"
#include "pg_fixture.h"

#include "backstory/reader.h"
#include "backstory/sink.h"

static const char target[] = "application_name=generated-c-test"; /* the rest: the environment */

/* The values of EverythingSet, in the order of its fields, which come in pairs: required, optional.
 * NULL: absent. */
#define FIELDS 28
static const char *const values[][FIELDS] = {
    {"true",
     "false",
     "-32768",
     "32767",
     "-2147483648",
     "2147483647",
     "-9223372036854775808",
     "9223372036854775807",
     "-99999999999999.9999",
     "99999.9",
     "quote \" backslash \\ line\nfeed tab\t bell\a del\177 {[,:]}",
     "\xf0\x9f\x98\x80 \xe2\x82\xac",
     "",
     "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
     "EUR",
     "a b",
     "00000000-0000-0000-0000-000000000000",
     "ffffffff-ffff-ffff-ffff-ffffffffffff",
     "4714-11-24 BC",
     "5874897-12-31",
     "4714-11-24T00:00:00Z BC",
     "294276-12-31T23:59:59.999999Z",
     "\\x",
     "\\x00ff5c22",
     "[1,0.1,-2.5,9007199254740993,\"x\\u20ac\"]",
     "{\"a\":{\"b\":[null,true]}}",
     "red",
     "deep blue"},
    {"false",
     NULL,
     "0",
     NULL,
     "0",
     NULL,
     "0",
     NULL,
     "0.0000",
     NULL,
     "",
     NULL,
     "abcde",
     NULL,
     "",
     NULL,
     "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     NULL,
     "infinity",
     NULL,
     "-infinity",
     NULL,
     "\\x00",
     NULL,
     "\"a \\\" quoted [ one\"",
     NULL,
     "green",
     NULL},
    {"true",
     "true",
     "32767",
     "-1",
     "2147483647",
     "-1",
     "9223372036854775807",
     "-1",
     "99999999999999.9999",
     "-0.1",
     "NULL",
     "null",
     "\\N",
     "",
     "\xe2\x82\xac",
     "",
     "ffffffff-ffff-ffff-ffff-ffffffffffff",
     "00000000-0000-0000-0000-00000000002a",
     "-infinity",
     "0001-02-28",
     "infinity",
     "0001-12-31T23:59:59.5Z BC",
     "\\x4e554c4c",
     "\\x2e",
     "{}",
     "0",
     "deep blue",
     "red"},
};
enum { ROWS = sizeof values / sizeof values[0] };

typedef struct rig {
    bst_machine *machine;
    char *folder;
    void *library;
    adapter_event_json_fn *event_json;
    adapter_read_event_json_fn *read_event;
    bst_arena *arena;
    bst_diags *diags;
} rig;

/* A new store that knows the machine, and the machine's code. */
static rig make_rig(bst_machine *machine) {
    rig r = {.machine = machine, .folder = eventgen_scratch(), .arena = bst_arena_new()};
    static const char *const files[] = {"", "_json", NULL};
    bst_sink *sink = NULL;
    const bst_run_info run = {.source = "a test"};
    r.diags = bst_diags_new();
    pg_setup();
    run_sql("DROP SCHEMA IF EXISTS backstory CASCADE");
    ck_assert_int_eq(bst_sink_open(target, machine, &run, &sink, r.diags), BST_OK);
    ck_assert_int_eq(bst_sink_finish(sink, NULL, r.diags), BST_OK);
    bst_sink_free(sink);
    eventgen_write(machine, r.folder, "c");
    eventgen_write(machine, r.folder, "c-json");
    adapter_write_with(machine, r.folder, adapter_add_json);
    ck_assert(c_build(machine, r.folder, files, 0));
    r.library = c_open(r.folder, 0);
    c_symbol(r.library, "adapter_event_json", &r.event_json, sizeof r.event_json);
    c_symbol(r.library, "adapter_read_event_json", &r.read_event, sizeof r.read_event);
    return r;
}

static void free_rig(rig *r) {
    dlclose(r->library);
    eventgen_remove(r->folder);
    bst_arena_free(r->arena);
    bst_diags_free(r->diags);
    bst_machine_free(r->machine);
    pg_teardown();
}

static void append(const char *machine, const char *entity, const char *version,
                   const char *event) {
    const char *const params[] = {machine, entity, version, event};
    bst_pg_rows *rows = NULL;
    pg_expect(bst_pg_query(pg,
                           "SELECT * FROM backstory.append($1, $2, $3::bigint, NULL,"
                           " jsonb_build_array($4::jsonb))",
                           4, params, &rows, pg_diags),
              BST_OK);
    bst_pg_rows_free(rows);
}

/* What the store says of an event, as JSON: every column of the view. */
static bst_pg_rows *stored(const char *entity, const char *version) {
    const char *const params[] = {entity, version};
    bst_pg_rows *rows = NULL;
    pg_expect(bst_pg_query(pg,
                           "SELECT to_jsonb(event) FROM backstory.event"
                           " WHERE entity = $1 AND version = $2::bigint",
                           2, params, &rows, pg_diags),
              BST_OK);
    ck_assert_uint_eq(bst_pg_rows_count(rows), 1);
    return rows;
}

static void parse_row(rig *r, const bst_event_type *type, int row, bst_value *ret) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const char *text = values[row][i];
        ret[i] = BST_ABSENT;
        if (text) {
            ck_assert_msg(bst_value_parse(&type->fields[i].type, text, strlen(text), r->arena,
                                          &ret[i]) == BST_VALUE_OK,
                          "%s: %s", type->fields[i].name, text);
        }
    }
}

/* The library reads the same. */
static void check_reader(rig *r, const char *entity, const bst_event_type *type,
                         const bst_value *expected) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    ck_assert_int_eq(bst_reader_open(target, r->machine, entity, &reader, r->diags), BST_OK);
    ck_assert_int_eq(bst_reader_next(reader, &event, r->diags), BST_OK); /* the creation */
    if (bst_reader_next(reader, &event, r->diags) != BST_OK) {
        eventgen_fail(r->diags);
    }
    c_check_values(type->name, type->fields, type->field_count, expected, event->fields);
    bst_reader_free(reader);
}

START_TEST(test_each_type_at_its_ends) {
    rig r = make_rig(eventgen_load("everything"));
    const uint32_t number = bst_machine_event(r.machine, "EverythingSet");
    const bst_event_type *type = &r.machine->events[number];
    bst_value given[FIELDS], read[FIELDS];
    ck_assert_uint_eq(type->field_count, FIELDS);
    for (int row = 0; row < ROWS; row++) {
        char entity[] = {(char)('a' + row), '\0'};
        const bst_event event = {number, bst_machine_state(r.machine, "idle"), given};
        bst_event back = {0, 0, read};
        parse_row(&r, type, row, given);
        char *text = r.event_json(&event);
        ck_assert_ptr_nonnull(text);
        append("everything", entity, "0", "{\"type\":\"EverythingCreated\",\"state\":\"idle\"}");
        append("everything", entity, "1", text);
        bst_pg_rows *rows = stored(entity, "2");
        const char *wrong = r.read_event(bst_pg_rows_text(rows, 0, 0), &back);
        ck_assert_msg(!wrong, "%s\n%s", wrong, bst_pg_rows_text(rows, 0, 0));
        ck_assert_uint_eq(back.type, event.type);
        ck_assert_uint_eq(back.state, event.state);
        c_check_values(type->name, type->fields, type->field_count, given, read);
        check_reader(&r, entity, type, given);
        bst_pg_rows_free(rows);
        free(text);
    }
    free_rig(&r);
}
END_TEST

static bst_machine *load_version(const char *name) {
    char *path = eventgen_path("tests/golden/upcast", name, ".fsm.json");
    bst_machine *machine = NULL;
    ck_assert_int_eq(bst_machine_load(path, &machine, NULL), BST_OK);
    free(path);
    return machine;
}

/* Version 1 stores it; code of version 3 reads it, through two upcasts. */
START_TEST(test_version_1_by_code_of_version_3) {
    rig r = make_rig(load_version("v1"));
    append("payment", "7", "0", "{\"type\":\"PaymentCreated\",\"state\":\"pending\"}");
    append("payment", "7", "1",
           "{\"type\":\"PaymentCaptured\",\"state\":\"captured\",\"data\":"
           "{\"cents\":\"4990\",\"note\":\"first\",\"terminal\":\"T17\"}}");
    bst_pg_rows *rows = stored("7", "2");
    char *line = strdup(bst_pg_rows_text(rows, 0, 0));
    bst_pg_rows_free(rows);
    free_rig(&r);

    bst_machine *machine = load_version("v3");
    const uint32_t number = bst_machine_event(machine, "PaymentCaptured");
    const bst_event_type *type = &machine->events[number];
    bst_value read[3], expected[3] = {{.present = true, .u.i = 4990},
                                      {.present = true, .u.i = 1},
                                      {.present = true, .len = 5, .u.text = "first"}};
    bst_event back = {0, 0, read};
    r = make_rig(machine);
    ck_assert_uint_eq(type->version, 3);
    const char *wrong = r.read_event(line, &back);
    ck_assert_msg(!wrong, "%s\n%s", wrong, line);
    ck_assert_uint_eq(back.type, number);
    c_check_values(type->name, type->fields, type->field_count, expected, read);
    free(line);
    free_rig(&r);
}
END_TEST

/* ---- rows ---- */

/* "CREATE TABLE name (type text, state text, flag bool ...": a column a field. */
static void make_table(const char *name, const bst_event_type *type) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(&sql, "CREATE TABLE %s (type text, state text", name);
    for (uint32_t i = 0; i < type->field_count; i++) {
        bst_type column = type->fields[i].type;
        column.optional = false;
        bst_strbuf_addf(&sql, ", %s ", type->fields[i].name);
        if (column.kind == BST_KIND_ENUM) {
            bst_strbuf_adds(&sql, "text");
        } else {
            bst_type_format(&column, &sql);
        }
    }
    bst_strbuf_addc(&sql, ')');
    run_sql(sql.text);
    bst_strbuf_release(&sql);
}

static void insert_texts(const char *table, const char *const *texts) {
    const char *params[FIELDS + 2] = {"EverythingSet", "idle"};
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_addf(&sql, "INSERT INTO %s VALUES (", table);
    for (int i = 0; i < FIELDS + 2; i++) {
        bst_strbuf_addf(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
        params[i] = i < 2 ? params[i] : texts[i - 2];
    }
    bst_strbuf_addc(&sql, ')');
    pg_expect(bst_pg_query(pg, sql.text, FIELDS + 2, params, &rows, pg_diags), BST_OK);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
}

typedef struct row_codec {
    adapter_rows_fn *begin, *end;
    adapter_skip_fn *skip;
    adapter_write_event_fn *write;
    adapter_read_event_fn *read;
} row_codec;

/* All of `values`, written by generated code, into a table. */
static void copy_in(const row_codec *k, rig *r, const char *table, uint32_t number) {
    static unsigned char bytes[100000];
    char sql[100];
    bst_value given[FIELDS];
    size_t len = k->begin(bytes, sizeof bytes);
    for (int row = 0; row < ROWS; row++) {
        const bst_event event = {number, bst_machine_state(r->machine, "idle"), given};
        parse_row(r, &r->machine->events[number], row, given);
        len += k->write(&event, bytes + len, sizeof bytes - len);
    }
    len += k->end(bytes + len, sizeof bytes - len);
    ck_assert_uint_lt(len, sizeof bytes);
    snprintf(sql, sizeof sql, "COPY %s FROM STDIN (FORMAT binary)", table);
    pg_expect(bst_pg_copy_in(pg, sql, pg_diags), BST_OK);
    pg_expect(bst_pg_copy_write(pg, bytes, len, pg_diags), BST_OK);
    pg_expect(bst_pg_copy_finish(pg, ROWS, pg_diags), BST_OK);
}

/* And all of a table, read by generated code. */
static void copy_out(const row_codec *k, rig *r, const char *table, uint32_t number) {
    const bst_event_type *type = &r->machine->events[number];
    bst_value given[FIELDS], got[FIELDS];
    bst_event back = {0, 0, got};
    bst_strbuf all = BST_STRBUF_INIT;
    const char *bytes, *wrong = NULL;
    char sql[100];
    size_t len = 1;
    snprintf(sql, sizeof sql, "COPY (SELECT * FROM %s) TO STDOUT (FORMAT binary)", table);
    pg_expect(bst_pg_copy_out(pg, sql, pg_diags), BST_OK);
    while (len > 0) {
        pg_expect(bst_pg_copy_read(pg, &bytes, &len, NULL, pg_diags), BST_OK);
        bst_strbuf_add(&all, bytes, len);
    }
    const unsigned char *from = (const unsigned char *)all.text;
    size_t at = k->skip(from, all.len);
    ck_assert_uint_gt(at, 0);
    for (int row = 0; row < ROWS; row++) {
        const size_t used = k->read(from + at, all.len - at, &back, &wrong);
        ck_assert_msg(used > 0, "row %d: %s", row, wrong);
        parse_row(r, type, row, given);
        ck_assert(back.type == number && back.state == bst_machine_state(r->machine, "idle"));
        c_check_values(type->name, type->fields, type->field_count, given, got);
        at += used;
    }
    ck_assert_uint_eq(k->read(from + at, all.len - at, &back, &wrong), 0);
    ck_assert_ptr_null(wrong);
    bst_strbuf_release(&all);
}

/* What generated code writes is what the server has of the same texts; what the server writes of
 * them generated code reads. */
START_TEST(test_rows_and_the_server) {
    static const char *const files[] = {"", "_row", NULL};
    rig r = {.machine = eventgen_load("everything"), .folder = eventgen_scratch()};
    row_codec k;
    const uint32_t number = bst_machine_event(r.machine, "EverythingSet");
    r.arena = bst_arena_new();
    r.diags = bst_diags_new();
    pg_setup();
    run_sql("DROP SCHEMA IF EXISTS copied CASCADE");
    run_sql("CREATE SCHEMA copied");
    eventgen_write(r.machine, r.folder, "c");
    eventgen_write(r.machine, r.folder, "c-row");
    adapter_write_with(r.machine, r.folder, adapter_add_rows);
    ck_assert(c_build(r.machine, r.folder, files, 0));
    r.library = c_open(r.folder, 0);
    c_symbol(r.library, "adapter_rows_begin", &k.begin, sizeof k.begin);
    c_symbol(r.library, "adapter_rows_end", &k.end, sizeof k.end);
    c_symbol(r.library, "adapter_rows_skip", &k.skip, sizeof k.skip);
    c_symbol(r.library, "adapter_write_event", &k.write, sizeof k.write);
    c_symbol(r.library, "adapter_read_event", &k.read, sizeof k.read);
    make_table("copied.by_code", &r.machine->events[number]);
    make_table("copied.by_server", &r.machine->events[number]);
    copy_in(&k, &r, "copied.by_code", number);
    for (int row = 0; row < ROWS; row++) {
        insert_texts("copied.by_server", values[row]);
    }
    ck_assert_str_eq(value_of("SELECT count(*) FROM (SELECT by_code::text FROM copied.by_code"
                              " INTERSECT SELECT by_server::text FROM copied.by_server) AS same"),
                     "3");
    copy_out(&k, &r, "copied.by_code", number);
    copy_out(&k, &r, "copied.by_server", number);
    free_rig(&r);
}
END_TEST

Suite *test_generated_c_suite(void) {
    Suite *suite = suite_create("generated c");
    TCase *tests = tcase_create("store");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_each_type_at_its_ends);
    tcase_add_test(tests, test_version_1_by_code_of_version_3);
    tcase_add_test(tests, test_rows_and_the_server);
    suite_add_tcase(suite, tests);
    return suite;
}
