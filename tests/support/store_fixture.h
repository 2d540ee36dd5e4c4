/* What the tests of the store share: a machine with a field of every kind, and histories of it that
 * have every awkward value in them.
 */
#ifndef BACKSTORY_TESTS_STORE_FIXTURE_H
#define BACKSTORY_TESTS_STORE_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/diag.h"
#include "backstory/digest.h"
#include "backstory/machine.h"
#include "backstory/reader.h"
#include "backstory/sink.h"
#include "backstory/timestamp.h"

static const char store_machine_text[] =
    "{\"id\": \"thing\", \"version\": \"2.1\", \"events\": {"
    " \"ThingCreated\": {\"fields\": {\"b\": \"bool\", \"i2\": \"int2\", \"i4\": \"int4\","
    "  \"i8\": \"int8\", \"d\": \"decimal(18,4)\", \"t\": \"text\", \"v\": \"varchar(20)\","
    "  \"c\": \"char(3)\", \"u\": \"uuid\", \"day\": \"date\", \"at\": \"timestamptz\","
    "  \"raw\": \"bytea\", \"j\": \"json\", \"e\": \"enum(small,large)\"}},"
    " \"ThingChanged\": {\"version\": 3, \"fields\": {\"b\": \"bool?\", \"i2\": \"int2?\","
    "  \"i4\": \"int4?\", \"i8\": \"int8?\", \"d\": \"decimal(12,2)?\", \"t\": \"text?\","
    "  \"v\": \"varchar(20)?\", \"c\": \"char(3)?\", \"u\": \"uuid?\", \"day\": \"date?\","
    "  \"at\": \"timestamptz?\", \"raw\": \"bytea?\", \"j\": \"json?\", \"e\": \"enum(a,b)?\"}}},"
    " \"initial\": \"open\", \"states\": {"
    "  \"open\": {\"on\": {\"change\": {\"target\": \"open\"}, \"close\": {\"target\": "
    "\"closed\"}}},"
    "  \"closed\": {\"type\": \"final\"}}}";

/* Each row: the values of ThingCreated as text, in the order of its fields. */
#define STORE_FIELDS 14
static const char *const store_values[][STORE_FIELDS] = {
    {"true", "1", "2", "3", "4.5000", "text", "varchar", "EUR",
     "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "2021-03-02", "2021-03-02T10:11:12.123456Z", "\\x00ff",
     "{\"a\": [1, 0.10, \"x\"]}", "small"},
    {"false", "-32768", "-2147483648", "-9223372036854775808", "-99999999999999.9999", "", "", "",
     "00000000-0000-0000-0000-000000000000", "4713-11-24 BC", "-infinity", "\\x",
     "123456789012345678901234567890", "large"},
    {"true", "32767", "2147483647", "9223372036854775807", "99999999999999.9999",
     "quote \" backslash \\ line\nfeed tab\t bell\a slash / del\177 {[,:]}",
     "\xf0\x9f\x98\x80 \xe2\x82\xac", "a b", "ffffffff-ffff-ffff-ffff-ffffffffffff", "294276-12-31",
     "infinity", "\\x5c22", "\"a \\\" quoted [ one\"", "large"},
    {"true", "0", "0", "0", "0.0000", "NULL", "null", "\\N", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "2000-01-01", "294276-12-31T23:59:59.999999Z", "\\x4e", "[]", "small"},
};
#define STORE_VALUES (sizeof store_values / sizeof *store_values)

typedef struct store_fixture {
    bst_machine *machine;
    bst_arena *arena;
    bst_diags *diags;
    bst_plan plans[3];
    bst_plan_event steps[3][4];
    bst_value created[STORE_VALUES][STORE_FIELDS], changed[STORE_VALUES][STORE_FIELDS],
        nothing[STORE_FIELDS];
} store_fixture;

/* No test fails without saying what the library said. */
static inline void store_expect(const store_fixture *fixture, bst_status status,
                                bst_status wanted) {
    bst_strbuf said = BST_STRBUF_INIT;
    for (size_t i = 0; i < bst_diags_count(fixture->diags); i++)
        bst_diag_format_text(bst_diags_at(fixture->diags, i), NULL, 0, &said);
    ck_assert_msg(status == wanted, "%s, not %s: %s", bst_status_text(status),
                  bst_status_text(wanted), said.text);
    bst_strbuf_release(&said);
}

static inline void store_parse(store_fixture *fixture, const char *event_name,
                               const char *const *texts, bst_value *ret) {
    const bst_event_type *const event =
        &fixture->machine->events[bst_machine_event(fixture->machine, event_name)];
    ck_assert_uint_eq(event->field_count, STORE_FIELDS);
    for (uint32_t i = 0; i < STORE_FIELDS; i++) {
        ret[i] = BST_ABSENT;
        if (texts[i])
            ck_assert_msg(bst_value_parse(&event->fields[i].type, texts[i], strlen(texts[i]),
                                          fixture->arena, &ret[i]) == BST_VALUE_OK,
                          "%s: %s", event->fields[i].name, texts[i]);
    }
}

static inline void store_make_values(store_fixture *fixture) {
    for (size_t i = 0; i < STORE_VALUES; i++) {
        const char *texts[STORE_FIELDS];
        store_parse(fixture, "ThingCreated", store_values[i], fixture->created[i]);
        /* Every other one is absent; which, differs from row to row. */
        for (size_t field = 0; field < STORE_FIELDS; field++)
            texts[field] = (field + i) % 2 == 0 ? store_values[i][field] : NULL;
        texts[4] = "1.50";
        texts[13] = i % 2 ? "a" : NULL;
        store_parse(fixture, "ThingChanged", texts, fixture->changed[i]);
    }
    for (size_t field = 0; field < STORE_FIELDS; field++)
        fixture->nothing[field] = BST_ABSENT;
}

static inline void store_make_plans(store_fixture *fixture) {
    const bst_machine *const machine = fixture->machine;
    const uint32_t created = bst_machine_event(machine, "ThingCreated"),
                   changed = bst_machine_event(machine, "ThingChanged"),
                   closed = bst_machine_event(machine, "ThingClosed"),
                   open = bst_machine_state(machine, "open"),
                   end = bst_machine_state(machine, "closed"),
                   create = machine->transitions[0].command,
                   change = bst_machine_command(machine, "change"),
                   close = bst_machine_command(machine, "close");
    const bst_plan_event steps[] = {
        {created, open, create, BST_BASIS_RECORDED, 1, "things.created_at", false},
        {changed, open, change, BST_BASIS_ASSUMED, 0.123456789, NULL, false},
        {changed, open, BST_NONE, BST_BASIS_IMPLIED, 0.9999999, "things.\"odd\\name\"", false},
        {closed, end, close, BST_BASIS_CORRECTION, 1e-9, "\xc3\xa4", false},
    };
    for (size_t i = 0; i < 3; i++) {
        memcpy(fixture->steps[i], steps, sizeof steps);
        fixture->plans[i] = (bst_plan){.confidence = i == 0 ? 1 : 0.5,
                                       .certain = i == 0,
                                       .event_count = i == 0   ? 1
                                                      : i == 1 ? 3
                                                               : 4,
                                       .events = fixture->steps[i]};
    }
    fixture->plans[0].signature = "open";
    fixture->plans[1].signature = "open, \"changed\" twice";
    fixture->plans[2].signature = "closed \xe2\x82\xac";
}

static inline void store_setup(store_fixture *fixture) {
    memset(fixture, 0, sizeof *fixture);
    fixture->diags = bst_diags_new();
    fixture->arena = bst_arena_new();
    ck_assert(fixture->diags && fixture->arena);
    store_expect(fixture,
                 bst_machine_parse("thing.fsm.json", store_machine_text, strlen(store_machine_text),
                                   &fixture->machine, fixture->diags),
                 BST_OK);
    store_make_values(fixture);
    store_make_plans(fixture);
}

static inline void store_teardown(store_fixture *fixture) {
    bst_machine_free(fixture->machine);
    bst_arena_free(fixture->arena);
    bst_diags_free(fixture->diags);
}

/* In the order of bytes, as a reader gives them back. */
static const char *const store_keys[] = {
    " ",
    "\"quoted\"",
    "1",
    "10",
    "2",
    "A, 1) (x, 2)",
    "B",
    "\\N",
    "\\back\\slash",
    "a",
    "a%2Fb/c",
    "line\nfeed\r\ttab",
    "\x7f",
    "\xc3\xa4",
    "\xef\xbf\xbd", /* U+FFFD comes before the next one in UTF-8, and after it in UTF-16 */
    "\xf0\x9f\x98\x80",
};
#define STORE_KEYS (sizeof store_keys / sizeof *store_keys)

typedef struct store_history {
    bst_history history;
    bst_happening events[4];
} store_history;

/* The history that goes with key number `i`; any number will do. */
static inline void store_make(const store_fixture *fixture, size_t i, const char *key,
                              store_history *ret) {
    static const int64_t hour = INT64_C(3600000000);
    const int64_t start = i % 5 == 0   ? BST_TIME_MIN
                          : i % 5 == 1 ? -1
                          : i % 5 == 2 ? BST_TIME_END - 4 * hour
                                       : INT64_C(668001234567891) + (int64_t)i;
    memset(ret, 0, sizeof *ret);
    ret->history = (bst_history){key, strlen(key), &fixture->plans[i % 3], ret->events};
    for (int64_t place = 0; place < 4; place++) {
        bst_happening *const event = &ret->events[place];
        event->occurred_at = start + place * hour;
        event->interval = (i + (size_t)place) % 3 == 0;
        event->after = i % 4 == 0 ? BST_TIME_MINUS_INFINITY : start;
        event->before = i % 4 == 2 ? BST_TIME_INFINITY : BST_TIME_END - 1;
        event->fields =
            place == 0  ? fixture->created[i % STORE_VALUES]
            : place < 3 ? (i % 7 == 3 ? fixture->nothing : fixture->changed[(i + 1) % STORE_VALUES])
                        : fixture->nothing;
    }
}

static inline bst_sink *store_sink(store_fixture *fixture, const char *target) {
    const bst_run_info run = {"1.2.3", "cafe", "public.things of old@db1:5432", true, 12345678};
    bst_sink *sink = NULL;
    store_expect(fixture, bst_sink_open(target, fixture->machine, &run, &sink, fixture->diags),
                 BST_OK);
    return sink;
}

static inline bst_status store_put(store_fixture *fixture, bst_sink *sink, size_t i,
                                   const char *key) {
    store_history made;
    store_make(fixture, i, key, &made);
    bool fits;
    return bst_sink_write(sink, &made.history, &fits, fixture->diags);
}

/* Writes the histories of all keys. */
static inline bst_sink_totals store_write_all(store_fixture *fixture, const char *target) {
    bst_sink_totals totals = {0};
    bst_sink *sink = store_sink(fixture, target);
    for (size_t i = 0; i < STORE_KEYS; i++)
        store_expect(fixture, store_put(fixture, sink, i, store_keys[i]), BST_OK);
    store_expect(fixture, bst_sink_finish(sink, &totals, fixture->diags), BST_OK);
    bst_sink_free(sink);
    return totals;
}

/* The same, and among them one whose text of `len` control characters no target can hold: it stays
 * out, and the others come in. */
static inline void store_write_around_large(store_fixture *fixture, const char *target,
                                            size_t len) {
    const uint32_t created = bst_machine_event(fixture->machine, "ThingCreated");
    const bst_type *const text_type = &fixture->machine->events[created].fields[5].type;
    bst_sink_totals totals = {0};
    bst_value fields[STORE_FIELDS];
    char *const text = malloc(len);
    ck_assert_ptr_nonnull(text);
    memset(text, 1, len);
    memcpy(fields, fixture->created[0], sizeof fields);
    ck_assert_int_eq(bst_value_parse(text_type, text, len, fixture->arena, &fields[5]),
                     BST_VALUE_OK);
    bst_sink *sink = store_sink(fixture, target);
    for (size_t i = 0; i < STORE_KEYS; i++) {
        store_history made;
        bool fits = true;
        store_make(fixture, 0, "too large", &made);
        made.events[0].fields = fields;
        if (i == STORE_KEYS / 2)
            store_expect(fixture, bst_sink_write(sink, &made.history, &fits, fixture->diags),
                         BST_OK);
        ck_assert(fits == (i != STORE_KEYS / 2));
        store_expect(fixture, store_put(fixture, sink, i, store_keys[i]), BST_OK);
    }
    store_expect(fixture, bst_sink_finish(sink, &totals, fixture->diags), BST_OK);
    bst_sink_free(sink);
    free(text);
    ck_assert_uint_eq(totals.histories, STORE_KEYS);
}

static inline void store_compare(const store_fixture *fixture, const store_history *made,
                                 uint32_t place, const bst_stored_event *event) {
    const bst_history *const history = &made->history;
    const bst_happening *const happening = &history->events[place];
    const bst_plan_event *const step = &history->plan->events[place];
    const bst_event_type *const type = &fixture->machine->events[step->type];
    ck_assert_uint_eq(event->key_len, history->key_len);
    ck_assert_mem_eq(event->key, history->key, history->key_len);
    ck_assert_int_eq(event->version, place + 1);
    ck_assert_uint_eq(event->type, step->type);
    ck_assert_uint_eq(event->type_version, type->version);
    ck_assert_uint_eq(event->state, step->state);
    ck_assert_uint_eq(event->command, step->command);
    ck_assert_int_eq(event->occurred_at, happening->occurred_at);
    ck_assert_int_eq(event->interval, happening->interval);
    if (event->interval) {
        ck_assert_int_eq(event->after, happening->after);
        ck_assert_int_eq(event->before, happening->before);
    }
    ck_assert(event->has_recorded_at && event->recorded_at == 12345678);
    ck_assert_int_eq(event->basis, step->basis);
    ck_assert_double_eq_tol(event->confidence, step->confidence, 1e-6);
    ck_assert(step->confidence == 1 || event->confidence < 1);
    ck_assert_pstr_eq(event->source, step->source);
    for (uint32_t i = 0; i < type->field_count; i++)
        ck_assert_msg(
            bst_value_equal(&type->fields[i].type, &event->fields[i], &happening->fields[i]),
            "%s, event %u, field %s", history->key, place + 1, type->fields[i].name);
}

/* Reads everything back and requires it to be what store_write_all has written. */
static inline void store_read_all(store_fixture *fixture, const char *store, const char *only_key) {
    const bst_stored_event *event;
    bst_reader *reader = NULL;
    store_expect(fixture,
                 bst_reader_open(store, fixture->machine, only_key, &reader, fixture->diags),
                 BST_OK);
    for (size_t i = 0; i < STORE_KEYS; i++) {
        store_history made;
        if (only_key && strcmp(only_key, store_keys[i]) != 0)
            continue;
        store_make(fixture, i, store_keys[i], &made);
        for (uint32_t place = 0; place < made.history.plan->event_count; place++) {
            store_expect(fixture, bst_reader_next(reader, &event, fixture->diags), BST_OK);
            ck_assert_msg(event, "event %u of %s is missing", place + 1, store_keys[i]);
            store_compare(fixture, &made, place, event);
        }
    }
    store_expect(fixture, bst_reader_next(reader, &event, fixture->diags), BST_OK);
    ck_assert_ptr_null(event);
    bst_reader_free(reader);
}

/* All events as lines. */
static inline void store_lines(store_fixture *fixture, const char *store, bst_strbuf *out) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    store_expect(fixture, bst_reader_open(store, fixture->machine, NULL, &reader, fixture->diags),
                 BST_OK);
    do {
        store_expect(fixture, bst_reader_next(reader, &event, fixture->diags), BST_OK);
        if (event)
            bst_event_line(fixture->machine, event, out);
    } while (event);
    bst_reader_free(reader);
}

/* The code of the finding that was added last. */
static inline const char *store_last_code(const store_fixture *fixture) {
    const size_t count = bst_diags_count(fixture->diags);
    return count > 0 ? bst_diags_at(fixture->diags, count - 1)->code : "";
}

#endif
