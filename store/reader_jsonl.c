/* Histories out of a file, one event a line, in the form that event_line.c writes.
 *
 *     line -> 13 values, each once -> stream followed -> everything resolved in the machine and
 * checked
 *
 * Strict, because nothing else stands between a file and those who trust it: whatever the machine
 * does not know, a missing or a foreign id, a gap in the versions is an error with its line and
 * column. Lines must be ordered by entity and version; a second history of an entity further down
 * shows as a wrong version or as disorder.
 */
#include "reader_private.h"

#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "backstory/digest.h"
#include "backstory/step.h"
#include "backstory/timestamp.h"
#include "confidence_private.h"
#include "json_scan_private.h"
#include "line_file_private.h"
#include "payload_private.h"

#define KEY_LIST(X)                                                                                \
    X(ID, "id")                                                                                    \
    X(MACHINE, "machine")                                                                          \
    X(ENTITY, "entity")                                                                            \
    X(VERSION, "version")                                                                          \
    X(TYPE, "type")                                                                                \
    X(TYPE_VERSION, "type_version") /* may be left out: 1 */                                       \
    X(DATA, "data")                                                                                \
    X(STATE, "state")                                                                              \
    X(COMMAND, "command")                                                                          \
    X(OCCURRED_AT, "occurred_at")                                                                  \
    X(OCCURRED_BETWEEN, "occurred_between")                                                        \
    X(RECORDED_AT, "recorded_at")                                                                  \
    X(BASIS, "basis")                                                                              \
    X(CONFIDENCE, "confidence")                                                                    \
    X(SOURCE, "source")

enum {
#define X(name, text) KEY_##name,
    KEY_LIST(X)
#undef X
        KEY_COUNT
};

static const char *const key_names[] = {
#define X(name, text) text,
    KEY_LIST(X)
#undef X
};

typedef struct reader_jsonl {
    bst_reader base;
    bst_strbuf path;
    bst__line_file file;
    char *wanted; /* the one key to deliver; NULL: all */
    size_t wanted_len;
    const char *line;
    size_t line_len;
    bst__item values[KEY_COUNT];
    bst_diags *diags; /* of the call that is running */
} reader_jsonl;

/* Findings */

static bst_loc where(const reader_jsonl *reader, const char *at) {
    const size_t before = (size_t)(at - reader->line);
    const size_t characters = u8_mbsnlen((const uint8_t *)reader->line, before);
    return (bst_loc){reader->file.path, reader->file.number, (uint32_t)characters + 1};
}

static const char *start_of(const bst__item *token) {
    return token->kind == BST__STRING ? token->text - 1 : token->text;
}

/* `what` is a phrase about a value, which is shown. */
static bst_status wrong(const reader_jsonl *reader, int key, const char *code, const char *what) {
    const bst__item *const token = &reader->values[key];
    const bst_loc loc = where(reader, start_of(token));
    return bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, code, &loc, "%s \"%.*s\" %s",
                        key_names[key], (int)(token->len < 80 ? token->len : 80), token->text,
                        what);
}

static bst_status not_an_event(const reader_jsonl *reader, const char *at) {
    const bst_loc loc = where(reader, at);
    bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, "not-an-event", &loc,
                 "the line is not an event");
    bst_diag_hint(reader->diags, "Each line is one JSON object, as backstory migrate writes them.");
    return BST_INVALID;
}

/* Taking a line apart */

static int find_key(const bst__item *name, int expected) {
    for (int i = 0; i < KEY_COUNT; i++) {
        const int key = (expected + i) % KEY_COUNT;
        if (bst__item_is(name, BST__STRING, key_names[key]))
            return key;
    }
    return KEY_COUNT;
}

static bst_status take_member(reader_jsonl *reader, bst__scan *scan, int *expected) {
    bst__item name, value;
    if (!bst__scan_value(scan, &name) || name.kind != BST__STRING || !bst__scan_byte(scan, ':') ||
        !bst__scan_value(scan, &value))
        return not_an_event(reader, scan->at);
    const int key = find_key(&name, *expected);
    if (key == KEY_COUNT || reader->values[key].text) {
        const bst_loc loc = where(reader, start_of(&name));
        return bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, "unknown-key", &loc,
                            key == KEY_COUNT ? "an event has no key \"%.*s\""
                                             : "key \"%.*s\" is given twice",
                            (int)(name.len < 80 ? name.len : 80), name.text);
    }
    reader->values[key] = value;
    *expected = key + 1;
    return BST_OK;
}

static bst_status take_apart(reader_jsonl *reader) {
    bst__scan scan = {reader->line, reader->line + reader->line_len};
    int expected = 0;
    memset(reader->values, 0, sizeof reader->values);
    if (u8_check((const uint8_t *)reader->line, reader->line_len) || !bst__scan_byte(&scan, '{'))
        return not_an_event(reader, reader->line);
    do {
        const bst_status status = take_member(reader, &scan, &expected);
        if (status != BST_OK)
            return status;
    } while (bst__scan_byte(&scan, ','));
    if (!bst__scan_byte(&scan, '}') || !bst__scan_done(&scan))
        return not_an_event(reader, scan.at);
    int missing = 0;
    while (missing < KEY_COUNT && (reader->values[missing].text || missing == KEY_TYPE_VERSION))
        missing++;
    if (missing == KEY_COUNT)
        return BST_OK;
    const bst_loc loc = where(reader, reader->line);
    return bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, "missing-key", &loc,
                        "the event has no \"%s\"", key_names[missing]);
}

/* What the values mean */

/* A string's text; NULL for null. */
static bst_status text_of(reader_jsonl *reader, int key, const char **ret, size_t *ret_len) {
    const bst__item *const token = &reader->values[key];
    *ret = NULL;
    *ret_len = 0;
    if (bst__item_is_null(token))
        return BST_OK;
    if (token->kind != BST__STRING)
        return wrong(reader, key, "bad-value", "is not a text");
    switch (bst__item_text(token, reader->base.arena, ret, ret_len)) {
    case BST__TEXT_OK:
        return BST_OK;
    case BST__TEXT_BAD:
        return wrong(reader, key, "bad-value", "is not a text");
    default:
        return bst_diag_nomem(reader->diags);
    }
}

static bool is_time(const bst__item *token, int64_t *ret) {
    return token->kind == BST__STRING &&
           bst_time_parse(token->text, token->len, NULL, ret) == BST_TIME_OK;
}

static bool is_interval(const bst__item *token, bst_stored_event *event) {
    bst__scan scan = {token->text, token->text + token->len};
    bst__item after, before;
    return token->kind == BST__ARRAY && bst__scan_byte(&scan, '[') &&
           bst__scan_value(&scan, &after) && is_time(&after, &event->after) &&
           bst__scan_byte(&scan, ',') && bst__scan_value(&scan, &before) &&
           is_time(&before, &event->before) && bst__scan_byte(&scan, ']') && bst__scan_done(&scan);
}

static bst_status read_times(reader_jsonl *reader) {
    bst_stored_event *const event = &reader->base.event;
    const bst__item *const values = reader->values;
    if (!is_time(&values[KEY_OCCURRED_AT], &event->occurred_at) ||
        !bst_time_is_finite(event->occurred_at))
        return wrong(reader, KEY_OCCURRED_AT, "bad-value", "is not a time");
    event->interval = !bst__item_is_null(&values[KEY_OCCURRED_BETWEEN]);
    if (event->interval && !is_interval(&values[KEY_OCCURRED_BETWEEN], event))
        return wrong(reader, KEY_OCCURRED_BETWEEN, "bad-value", "is not a pair of times");
    event->has_recorded_at = !bst__item_is_null(&values[KEY_RECORDED_AT]);
    if (event->has_recorded_at && !is_time(&values[KEY_RECORDED_AT], &event->recorded_at))
        return wrong(reader, KEY_RECORDED_AT, "bad-value", "is not a time");
    return BST_OK;
}

/* A name of the machine as its index. Names are identifiers, so a text with escapes or of a great
 * length is none. */
static bool find_name(const bst_machine *machine, const bst__item *token,
                      uint32_t (*find)(const bst_machine *, const char *), uint32_t *ret) {
    char name[BST_NAME_MAX + 1];
    if (token->kind != BST__STRING || token->len > BST_NAME_MAX)
        return false;
    memcpy(name, token->text, token->len);
    name[token->len] = '\0';
    *ret = find(machine, name);
    return *ret != BST_NONE;
}

static bst_status unknown(reader_jsonl *reader, int key) {
    wrong(reader, key, "unknown-name", "is not known to the machine");
    bst_diag_hint(reader->diags,
                  "The events were written by another version of machine \"%s\". A state, an "
                  "event or a field that was renamed since says so: \"was\": \"old_name\".",
                  reader->base.machine->id);
    return BST_INVALID;
}

/* A payload of another version has other fields: the machine must say how it reads now. */
static bst_status read_type_version(reader_jsonl *reader) {
    const bst__item *const token = &reader->values[KEY_TYPE_VERSION];
    bst_stored_event *const event = &reader->base.event;
    int64_t version = 1;
    uint32_t count;
    if (token->text && (!bst__item_int(token, &version) || version < 1 || version > INT32_MAX))
        return wrong(reader, KEY_TYPE_VERSION, "bad-value", "is not a version");
    event->type_version = (uint32_t)version;
    const bst_event_type *const type = &reader->base.machine->events[event->type];
    if (bst_event_fields_at(type, event->type_version, &count))
        return BST_OK;
    const bst_loc loc =
        where(reader, start_of(&reader->values[token->text ? KEY_TYPE_VERSION : KEY_TYPE]));
    bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, "unknown-name", &loc,
                 "version %u of type \"%s\" is not known to the machine",
                 (unsigned)event->type_version, type->name);
    bst_diag_hint(reader->diags, "Say in the event's \"upcast\" how that version reads now.");
    return BST_INVALID;
}

static bst_status read_names(reader_jsonl *reader) {
    const bst_machine *const machine = reader->base.machine;
    bst_stored_event *const event = &reader->base.event;
    const bst__item *const values = reader->values;
    if (!find_name(machine, &values[KEY_TYPE], bst_machine_event_stored, &event->type))
        return unknown(reader, KEY_TYPE);
    if (!find_name(machine, &values[KEY_STATE], bst_machine_state_stored, &event->state))
        return unknown(reader, KEY_STATE);
    event->command = BST_NONE;
    if (!bst__item_is_null(&values[KEY_COMMAND]) &&
        !find_name(machine, &values[KEY_COMMAND], bst_machine_command, &event->command))
        return unknown(reader, KEY_COMMAND);
    return read_type_version(reader);
}

static bst_status read_provenance(reader_jsonl *reader) {
    bst_stored_event *const event = &reader->base.event;
    const bst__item *const basis = &reader->values[KEY_BASIS];
    const bst__item *const confidence = &reader->values[KEY_CONFIDENCE];
    unsigned i = 0;
    while (i < BST_BASIS_COUNT && !bst__item_is(basis, BST__STRING, bst_basis_text((bst_basis)i)))
        i++;
    if (i == BST_BASIS_COUNT)
        return wrong(reader, KEY_BASIS, "bad-value", "is not a basis");
    event->basis = (bst_basis)i;
    if (confidence->kind != BST__NUMBER ||
        !bst__confidence_parse(confidence->text, confidence->len, &event->confidence))
        return wrong(reader, KEY_CONFIDENCE, "bad-value", "is not a number over 0 and up to 1");
    const char *source;
    size_t len;
    const bst_status status = text_of(reader, KEY_SOURCE, &source, &len);
    event->source = NULL;
    if (status != BST_OK || !source)
        return status;
    event->source = bst_arena_strndup(reader->base.arena, source, len);
    return event->source ? BST_OK : bst_diag_nomem(reader->diags);
}

static bst_status read_payload(reader_jsonl *reader) {
    bst_stored_event *const event = &reader->base.event;
    const bst__item *const data = &reader->values[KEY_DATA];
    bst__payload_error error = {NULL, reader->base.message};
    bst_strbuf_clear(&error.message);
    const bst_status status =
        bst__payload_read(&reader->base.machine->events[event->type], event->type_version,
                          data->text, data->len, reader->base.arena, reader->base.fields, &error);
    reader->base.message = error.message;
    if (status == BST_NOMEM)
        return bst_diag_nomem(reader->diags);
    if (status != BST_OK) {
        const bst_loc loc = where(reader, error.at);
        return bst_diag_add(reader->diags, status, BST_ERROR, "bad-payload", &loc, "%s",
                            error.message.text);
    }
    event->fields = reader->base.fields;
    event->data = data->text;
    event->data_len = data->len;
    return BST_OK;
}

static bst_status read_id(reader_jsonl *reader) {
    const bst_stored_event *const event = &reader->base.event;
    uint8_t id[16];
    char text[BST_UUID_TEXT];
    bst_event_id(reader->base.machine->id, event->key, event->key_len, event->version, id);
    bst_uuid_format(id, text);
    if (!bst__item_is(&reader->values[KEY_ID], BST__STRING, text))
        return wrong(reader, KEY_ID, "wrong-id", "is not that of this machine, entity and version");
    return BST_OK;
}

/* Streams */

static bst_status out_of_order(reader_jsonl *reader) {
    wrong(reader, KEY_ENTITY, "not-in-order", "comes after a later one");
    bst_diag_hint(reader->diags, "Sort the lines by entity, bytewise, and version: "
                                 "jq -cs 'sort_by(.entity, .version)[]' FILE.");
    return BST_INVALID;
}

/* Which stream and version the line is of; all lines are followed, also those not asked for. */
static bst_status read_place(reader_jsonl *reader) {
    bst_stored_event *const event = &reader->base.event;
    const bst_machine *const machine = reader->base.machine;
    if (!bst__item_is(&reader->values[KEY_MACHINE], BST__STRING, machine->id)) {
        wrong(reader, KEY_MACHINE, "wrong-machine", "is not the one that is read");
        bst_diag_hint(reader->diags, "The machine given is \"%s\".", machine->id);
        return BST_INVALID;
    }
    const bst_status status = text_of(reader, KEY_ENTITY, &event->key, &event->key_len);
    if (status != BST_OK)
        return status;
    if (event->key_len == 0 || event->key_len > BST_KEY_BYTES_MAX)
        return wrong(reader, KEY_ENTITY, "bad-value", "is not a key");
    if (!bst__item_int(&reader->values[KEY_VERSION], &event->version))
        return wrong(reader, KEY_VERSION, "bad-value", "is not a version");
    switch (bst__reader_step(&reader->base, event->key, event->key_len, event->version)) {
    case BST__FOLLOWS:
        return BST_OK;
    case BST__EARLIER_KEY:
        return out_of_order(reader);
    case BST__WRONG_VERSION:
        wrong(reader, KEY_VERSION, "version-gap", "does not follow the one before");
        bst_diag_detail(reader->diags, "The versions of an entity are 1, 2, 3 and so on.");
        return BST_INVALID;
    case BST__FOLLOWS_NOMEM:
        break;
    }
    return bst_diag_nomem(reader->diags);
}

static bst_status read_event(reader_jsonl *reader) {
    bst_status status = read_names(reader);
    if (status == BST_OK)
        status = read_times(reader);
    if (status == BST_OK)
        status = read_provenance(reader);
    if (status == BST_OK)
        status = read_payload(reader);
    return status == BST_OK ? read_id(reader) : status;
}

static bst_status jsonl_next(bst_reader *base, const bst_stored_event **ret_event,
                             bst_diags *diags) {
    reader_jsonl *const reader = (reader_jsonl *)base;
    reader->diags = diags;
    for (;;) {
        bst_status status = bst__line_file_next(&reader->file, BST_EVENT_LINE_MAX, &reader->line,
                                                &reader->line_len, diags);
        if (status == BST_OK && !reader->line) {
            *ret_event = NULL;
            return BST_OK;
        }
        bst_arena_clear(base->arena);
        if (status == BST_OK)
            status = take_apart(reader);
        if (status == BST_OK)
            status = read_place(reader);
        if (status != BST_OK)
            return status;
        const int order = reader->wanted ? bst__key_compare(base->event.key, base->event.key_len,
                                                            reader->wanted, reader->wanted_len)
                                         : 0;
        if (order < 0)
            continue;
        *ret_event = order == 0 ? &base->event : NULL;
        return order == 0 ? read_event(reader) : BST_OK;
    }
}

static void jsonl_free(bst_reader *base) {
    reader_jsonl *const reader = (reader_jsonl *)base;
    bst__line_file_close(&reader->file);
    bst__reader_release(base);
    bst_strbuf_release(&reader->path);
    free(reader->wanted);
    free(reader);
}

static const bst__reader_ops jsonl_ops = {.next = jsonl_next, .free = jsonl_free};

static bst_status copy_wanted(reader_jsonl *reader, const char *key, bst_diags *diags) {
    if (!key)
        return BST_OK;
    reader->wanted_len = strlen(key);
    reader->wanted = malloc(reader->wanted_len + 1);
    if (!reader->wanted)
        return bst_diag_nomem(diags);
    memcpy(reader->wanted, key, reader->wanted_len + 1);
    return BST_OK;
}

bst_status bst__reader_jsonl_open(const char *path, const bst_machine *machine, const char *key,
                                  bst_reader **ret, bst_diags *diags) {
    reader_jsonl *const reader = calloc(1, sizeof *reader);
    if (!reader)
        return bst_diag_nomem(diags);
    reader->file.fd = -1;
    bst_strbuf_init(&reader->path);
    bst_strbuf_adds(&reader->path, path);
    bst_status status = bst__reader_init(&reader->base, &jsonl_ops, machine, diags);
    if (status == BST_OK && reader->path.failed)
        status = bst_diag_nomem(diags);
    if (status == BST_OK)
        status = copy_wanted(reader, key, diags);
    if (status == BST_OK)
        status = bst__line_file_open(&reader->file, reader->path.text, diags);
    if (status != BST_OK) {
        jsonl_free(&reader->base);
        return status;
    }
    *ret = &reader->base;
    return BST_OK;
}
