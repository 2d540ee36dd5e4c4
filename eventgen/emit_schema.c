/* The schemas that several documents share: types, payloads, and what surrounds them. */
#include "emit_schema_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "backstory/json_layout.h"

/* ---- building JSON ---- */

void bst__schema_init(bst__schema *s, const bst_machine *machine, const char *refs) {
    *s = (bst__schema){.machine = machine, .refs = refs, .arena = bst_arena_new()};
    bst_strbuf_init(&s->text);
    s->emissions = s->arena ? bst__emissions(machine, s->arena) : NULL;
    s->payloads = s->arena ? bst__payloads(machine, s->arena, &s->payload_count) : NULL;
    s->failed = !s->emissions || !s->payloads;
}

bst_status bst__schema_finish(bst__schema *s, json_t *document, bst_strbuf *out, bst_diags *diags) {
    const bool failed = s->failed || !document;
    if (!failed) {
        bst_json_layout(document, out);
        bst_strbuf_addc(out, '\n');
    }
    json_decref(document);
    bst_strbuf_release(&s->text);
    bst_arena_free(s->arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}

void bst__schema_put(bst__schema *s, json_t *object, const char *key, json_t *value) {
    s->failed = json_object_set_new(object, key, value) != 0 || s->failed;
}

void bst__schema_add(bst__schema *s, json_t *array, json_t *value) {
    s->failed = json_array_append_new(array, value) != 0 || s->failed;
}

json_t *bst__schema_text(bst__schema *s, const char *format, ...) {
    va_list args;
    bst_strbuf_clear(&s->text);
    va_start(args, format);
    bst_strbuf_vaddf(&s->text, format, args);
    va_end(args);
    s->failed = s->failed || s->text.failed;
    return json_stringn(s->text.text, s->text.len);
}

json_t *bst__schema_ref(bst__schema *s, const char *format, ...) {
    json_t *ref = json_object();
    va_list args;
    bst_strbuf_clear(&s->text);
    bst_strbuf_adds(&s->text, s->refs);
    va_start(args, format);
    bst_strbuf_vaddf(&s->text, format, args);
    va_end(args);
    s->failed = s->failed || s->text.failed;
    bst__schema_put(s, ref, "$ref", json_string(s->text.text));
    return ref;
}

const char *bst__schema_name(bst__schema *s, const char *group, const bst__payload *payload) {
    bst_strbuf_clear(&s->text);
    bst_strbuf_addf(&s->text, "%s.%s", group, s->machine->events[payload->event].name);
    if (!payload->current) {
        bst_strbuf_addf(&s->text, ".v%u", (unsigned)payload->version);
    }
    s->failed = s->failed || s->text.failed;
    return s->text.text;
}

json_t *bst__schema_payload_ref(bst__schema *s, const char *group, const bst__payload *payload) {
    json_t *ref = json_object();
    const char *name = bst__schema_name(s, group, payload);
    bst__schema_put(s, ref, "$ref", json_sprintf("%s%s", s->refs, name));
    return ref;
}

static json_t *new_schema(bst__schema *s, const char *type) {
    json_t *schema = json_object();
    if (type) {
        bst__schema_put(s, schema, "type", json_string(type));
    }
    return schema;
}

static json_t *pattern_of(bst__schema *s, json_t *pattern) {
    json_t *schema = new_schema(s, "string");
    bst__schema_put(s, schema, "pattern", pattern);
    return schema;
}

void bst__schema_describe(bst__schema *s, json_t *object, const char *label,
                          const char *description) {
    if (label) {
        bst__schema_put(s, object, "title", json_string(label));
    }
    if (description) {
        bst__schema_put(s, object, "description", json_string(description));
    }
}

/* ---- types ---- */

static json_t *integer_of(bst__schema *s, int64_t low, int64_t high) {
    json_t *schema = new_schema(s, "integer");
    bst__schema_put(s, schema, "minimum", json_integer(low));
    bst__schema_put(s, schema, "maximum", json_integer(high));
    return schema;
}

/* As many digits as the type has, and no 0 in front that means nothing. */
static json_t *decimal_of(bst__schema *s, const bst_type *type) {
    const int whole = type->precision - type->scale;
    char digits[64];
    char fraction[32] = "";
    if (whole <= 1) {
        snprintf(digits, sizeof digits, whole == 0 ? "0" : "[0-9]");
    } else {
        snprintf(digits, sizeof digits, "(0|[1-9][0-9]{0,%d})", whole - 1);
    }
    if (type->scale > 0) {
        snprintf(fraction, sizeof fraction, "\\.[0-9]{%d}", type->scale);
    }
    return pattern_of(s, bst__schema_text(s, "^-?%s%s$", digits, fraction));
}

static json_t *text_of(bst__schema *s, uint32_t length) {
    json_t *schema = new_schema(s, "string");
    if (length > 0) {
        bst__schema_put(s, schema, "maxLength", json_integer(length));
    }
    return schema;
}

static json_t *enum_of(bst__schema *s, const bst_type *type) {
    json_t *schema = json_object();
    json_t *members = json_array();
    for (uint32_t i = 0; i < type->member_count; i++) {
        bst__schema_add(s, members, json_string(type->members[i]));
    }
    bst__schema_put(s, schema, "enum", members);
    return schema;
}

static json_t *present_of(bst__schema *s, const bst_type *type) {
    switch (type->kind) {
    case BST_KIND_BOOL:
        return new_schema(s, "boolean");
    case BST_KIND_INT2:
        return integer_of(s, INT16_MIN, INT16_MAX);
    case BST_KIND_INT4:
        return integer_of(s, INT32_MIN, INT32_MAX);
    case BST_KIND_INT8:
        return pattern_of(s, json_string("^(0|-?[1-9][0-9]{0,18})$"));
    case BST_KIND_DECIMAL:
        return decimal_of(s, type);
    case BST_KIND_TEXT:
        return text_of(s, 0);
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        return text_of(s, type->length);
    case BST_KIND_ENUM:
        return enum_of(s, type);
    case BST_KIND_BYTEA:
        return pattern_of(s, json_string("^\\\\x([0-9a-f]{2})*$"));
    case BST_KIND_DATE:
        s->uses_date = true;
        return bst__schema_ref(s, "date");
    case BST_KIND_UUID:
        return bst__schema_ref(s, "uuid");
    case BST_KIND_TIMESTAMPTZ:
        return bst__schema_ref(s, "timestamptz");
    default:
        break;
    }
    json_t *not_null = json_object();
    bst__schema_put(s, not_null, "not", new_schema(s, "null"));
    return not_null;
}

/* The value of a field. Absent is left out; a reader takes null for the same. */
static json_t *schema_of_type(bst__schema *s, const bst_type *type) {
    if (!type->optional) {
        return present_of(s, type);
    }
    if (type->kind == BST_KIND_JSON) {
        return json_object();
    }
    json_t *schema = present_of(s, type);
    json_t *simple = json_object_get(schema, "type");
    json_t *members = json_object_get(schema, "enum");
    if (simple) {
        bst__schema_put(s, schema, "type", json_pack("[O, s]", simple, "null"));
    } else if (members) {
        bst__schema_add(s, members, json_null());
    } else {
        schema = json_pack("{s: [o, {s: s}]}", "anyOf", schema, "type", "null");
    }
    return schema;
}

static json_t *field_of(bst__schema *s, const bst_field *field) {
    json_t *schema = schema_of_type(s, &field->type);
    if (!field->label && !field->description) {
        return schema;
    }
    if (json_object_get(schema, "$ref")) { /* which stands alone */
        schema = json_pack("{s: [o]}", "allOf", schema);
    }
    json_t *described = json_object();
    bst__schema_describe(s, described, field->label, field->description);
    s->failed = !schema || json_object_update(described, schema) != 0 || s->failed;
    json_decref(schema);
    return described;
}

json_t *bst__schema_of_payload(bst__schema *s, const bst_field *fields, uint32_t count) {
    json_t *schema = new_schema(s, "object");
    json_t *properties = json_object();
    json_t *required = json_array();
    for (uint32_t i = 0; i < count; i++) {
        bst__schema_put(s, properties, fields[i].name, field_of(s, &fields[i]));
        if (!fields[i].type.optional) {
            bst__schema_add(s, required, json_string(fields[i].name));
        }
    }
    bst__schema_put(s, schema, "properties", properties);
    bst__schema_put(s, schema, "required", required);
    bst__schema_put(s, schema, "additionalProperties", json_false());
    return schema;
}

static json_t *shared_of(bst__schema *s, const char *description, const char *pattern) {
    json_t *schema = new_schema(s, "string");
    bst__schema_describe(s, schema, NULL, description);
    bst__schema_put(s, schema, "pattern", json_string(pattern));
    return schema;
}

void bst__schema_add_shared(bst__schema *s, json_t *definitions) {
    bst__schema_put(
        s, definitions, "timestamptz",
        shared_of(s,
                  "A time in UTC, to the microsecond; infinite or before the year 1 as PostgreSQL "
                  "writes it.",
                  "^([0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z( BC)?"
                  "|-?infinity)$"));
    if (s->uses_date) {
        bst__schema_put(s, definitions, "date",
                        shared_of(s, "A day, as ISO 8601 has it.",
                                  "^([0-9]{4,7}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$"));
    }
    bst__schema_put(s, definitions, "uuid",
                    shared_of(s, "RFC 9562, lower case.",
                              "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"));
}

/* ---- what the machine says of an event ---- */

json_t *bst__schema_states_after(bst__schema *s, uint32_t event) {
    const bst__emission *emission = &s->emissions[event];
    json_t *list = json_array();
    if (emission->state_count == 0) { /* nothing emits it today */
        json_decref(list);
        return json_pack("{s: s}", "type", "string");
    }
    for (uint32_t i = 0; i < emission->state_count; i++) {
        bst__schema_add(s, list, json_string(s->machine->states[emission->states[i]].name));
    }
    return json_pack("{s: o}", "enum", list);
}

json_t *bst__schema_commands_of(bst__schema *s, uint32_t event) {
    const bst__emission *emission = &s->emissions[event];
    json_t *list = json_array();
    for (uint32_t i = 0; i < emission->command_count; i++) {
        bst__schema_add(s, list, json_string(s->machine->commands[emission->commands[i]].name));
    }
    bst__schema_add(s, list, json_null());
    return list;
}

json_t *bst__schema_bases(bst__schema *s) {
    json_t *list = json_array();
    for (size_t i = 0; bst__basis_words[i]; i++) {
        bst__schema_add(s, list, json_string(bst__basis_words[i]));
    }
    return list;
}
