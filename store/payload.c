/* The payload of an event as JSON, to and fro, without a tree in between.
 *
 * Values are canonical (value.h). Reading is strict: fields the event does not have, fields given
 * twice and values of another type are refused; fields that are not there, and null, are absent,
 * which only an optional field may be. A json field that is the JSON word null reads as absent: the
 * two cannot be told apart.
 */
#include "payload_private.h"

#include <assert.h>
#include <string.h>

#include "backstory/step.h"

/* `{"name":`; a name is an identifier, and nothing in it to escape. */
static void add_name(char before, const char *name, bst_strbuf *out) {
    const size_t len = strlen(name);
    char *at = bst_strbuf_room(out, len + 4);
    if (!at)
        return;
    *at++ = before;
    *at++ = '"';
    memcpy(at, name, len);
    at += len;
    *at++ = '"';
    *at++ = ':';
    bst_strbuf_took(out, at);
}

void bst__payload_write(const bst_event_type *event, const bst_value *fields, bst_strbuf *out) {
    char before = '{';
    for (uint32_t i = 0; i < event->field_count; i++) {
        if (fields[i].present) {
            add_name(before, event->fields[i].name, out);
            bst_value_to_json(&event->fields[i].type, &fields[i], out);
            before = ',';
        }
    }
    if (before == '{')
        bst_strbuf_addc(out, '{');
    bst_strbuf_addc(out, '}');
}

/* The form that the values of a kind have in JSON. */
static bool has_form(bst_kind kind, const bst__item *token) {
    int64_t whole;
    switch (kind) {
    case BST_KIND_JSON:
        return true;
    case BST_KIND_BOOL:
        return bst__item_is(token, BST__WORD, "true") || bst__item_is(token, BST__WORD, "false");
    case BST_KIND_INT2:
    case BST_KIND_INT4:
        return bst__item_int(token, &whole);
    case BST_KIND_INT8:
    case BST_KIND_DECIMAL:
        return token->kind == BST__STRING || bst__item_int(token, &whole);
    default:
        return token->kind == BST__STRING;
    }
}

static bst_value_result read_value(const bst_type *type, const bst__item *token, bst_arena *arena,
                                   bst_value *ret) {
    if (bst__item_is_null(token)) {
        *ret = BST_ABSENT;
        return type->optional ? BST_VALUE_OK : BST_VALUE_NULL;
    }
    if (!has_form(type->kind, token))
        return BST_VALUE_SYNTAX;
    const char *text = token->text;
    size_t len = token->len;
    if (type->kind == BST_KIND_JSON && token->kind == BST__STRING) {
        text--; /* a JSON value that is a string has its quotes */
        len += 2;
    } else if (token->kind == BST__STRING) {
        switch (bst__item_text(token, arena, &text, &len)) {
        case BST__TEXT_OK:
            break;
        case BST__TEXT_BAD:
            return BST_VALUE_SYNTAX;
        case BST__TEXT_NOMEM:
            return BST_VALUE_NOMEM;
        }
    }
    return bst_value_parse(type, text, len, arena, ret);
}

BST_PRINTF(3, 4)
static bst_status refuse(bst__payload_error *reterr, const char *at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&reterr->message, format, args);
    va_end(args);
    reterr->at = at;
    return reterr->message.failed ? BST_NOMEM : BST_INVALID;
}

static bst_status not_json(bst__payload_error *reterr, const bst__scan *scan) {
    return refuse(reterr, scan->at, "the payload is not a JSON object");
}

/* What is read: the fields of one version of an event. */
typedef struct shape {
    const char *event;
    const bst_field *fields;
    uint32_t count;
} shape;

/* Fields mostly come in order: the search starts at the one expected. A name that no field has may
 * be a former one. */
static uint32_t find_field(const shape *of, const bst__item *name, uint32_t expected) {
    for (uint32_t i = 0; i < of->count; i++) {
        const uint32_t field = (expected + i) % of->count;
        if (bst__item_is(name, BST__STRING, of->fields[field].name))
            return field;
    }
    char former[BST_NAME_MAX + 1];
    if (name->kind != BST__STRING || name->len > BST_NAME_MAX)
        return BST_NONE;
    memcpy(former, name->text, name->len);
    former[name->len] = '\0';
    return bst_field_stored(of->fields, of->count, former);
}

/* One `"name":value`. */
static bst_status read_member(const shape *of, bst__scan *scan, bst_arena *arena,
                              uint32_t *expected, bst_value *fields, bst__payload_error *reterr) {
    bst__item name, value;
    if (!bst__scan_value(scan, &name) || name.kind != BST__STRING || !bst__scan_byte(scan, ':') ||
        !bst__scan_value(scan, &value))
        return not_json(reterr, scan);
    const uint32_t field = find_field(of, &name, *expected);
    if (field == BST_NONE)
        return refuse(reterr, name.text - 1, "event \"%s\" has no field \"%.*s\"", of->event,
                      (int)(name.len < 200 ? name.len : 200), name.text);
    const char *const at = value.kind == BST__STRING ? value.text - 1 : value.text;
    if (fields[field].present)
        return refuse(reterr, at, "field \"%s\" is given twice", of->fields[field].name);
    const bst_value_result result =
        read_value(&of->fields[field].type, &value, arena, &fields[field]);
    if (result == BST_VALUE_NOMEM)
        return BST_NOMEM;
    if (result != BST_VALUE_OK) {
        fields[field] = BST_ABSENT;
        return refuse(reterr, at, "the value of field \"%s\" %s", of->fields[field].name,
                      bst_value_result_text(result));
    }
    *expected = field + 1;
    return BST_OK;
}

static bst_status read_shape(const shape *of, const char *text, size_t len, bst_arena *arena,
                             bst_value *fields, bst__payload_error *reterr) {
    bst__scan scan = {text, text + len};
    uint32_t expected = 0;
    for (uint32_t i = 0; i < of->count; i++)
        fields[i] = BST_ABSENT;
    if (!bst__scan_byte(&scan, '{'))
        return not_json(reterr, &scan);
    if (!bst__scan_byte(&scan, '}')) {
        do {
            const bst_status status = read_member(of, &scan, arena, &expected, fields, reterr);
            if (status != BST_OK)
                return status;
        } while (bst__scan_byte(&scan, ','));
        if (!bst__scan_byte(&scan, '}'))
            return not_json(reterr, &scan);
    }
    if (!bst__scan_done(&scan))
        return not_json(reterr, &scan);
    for (uint32_t i = 0; i < of->count; i++) {
        if (!fields[i].present && !of->fields[i].type.optional)
            return refuse(reterr, text, "field \"%s\" is missing", of->fields[i].name);
    }
    return BST_OK;
}

bst_status bst__payload_read(const bst_event_type *event, uint32_t version, const char *text,
                             size_t len, bst_arena *arena, bst_value *fields,
                             bst__payload_error *reterr) {
    shape of = {event->name, NULL, 0};
    of.fields = bst_event_fields_at(event, version, &of.count);
    assert(of.fields);
    const bst_status status = read_shape(&of, text, len, arena, fields, reterr);
    if (status != BST_OK || version == event->version)
        return status;
    const char *field = NULL;
    if (bst_upcast_payload(event, version, fields, fields, &field) == BST_UPCAST_OK)
        return BST_OK;
    return refuse(reterr, text, "what version %u says does not fit field \"%s\" of a later one",
                  (unsigned)version, field);
}
