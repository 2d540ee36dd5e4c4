/* Examples of messages: made-up values, valid and always the same. */
#include <string.h>

#include "emit_schema_private.h"

#define EXAMPLE_ENTITY "1042"
#define EXAMPLE_TIME   "2024-02-29T12:00:00Z"

static json_t *example_decimal(bst__schema *s, const bst_type *type) {
    const int whole = type->precision - type->scale;
    const char *digits = whole >= 2 ? "12" : whole == 1 ? "1" : "0";
    return bst__schema_text(s, "%s%s%.*s", digits, type->scale > 0 ? "." : "", type->scale,
                            "500000000000000000");
}

/* As much of it as there is room for. */
static json_t *example_text(const char *text, uint32_t length) {
    const size_t len = strlen(text);
    return json_stringn(text, length > 0 && length < len ? length : len);
}

static json_t *example_of(bst__schema *s, const bst_field *field) {
    switch (field->type.kind) {
    case BST_KIND_BOOL:
        return json_true();
    case BST_KIND_INT2:
    case BST_KIND_INT4:
        return json_integer(7);
    case BST_KIND_INT8:
        return json_string("7");
    case BST_KIND_DECIMAL:
        return example_decimal(s, &field->type);
    case BST_KIND_UUID:
        return json_string("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    case BST_KIND_DATE:
        return json_string("2024-02-29");
    case BST_KIND_TIMESTAMPTZ:
        return json_string(EXAMPLE_TIME);
    case BST_KIND_BYTEA:
        return json_string("\\x00ff");
    case BST_KIND_JSON:
        return json_pack("{s: s}", "any", "value");
    case BST_KIND_ENUM:
        return json_string(field->type.members[0]);
    default:
        return example_text(strcmp(field->name, "currency") == 0 ? "EUR" : field->name,
                            field->type.kind == BST_KIND_TEXT ? 0 : field->type.length);
    }
}

static json_t *example_payload(bst__schema *s, const bst_field *fields, uint32_t count) {
    json_t *data = json_object();
    for (uint32_t i = 0; i < count; i++) {
        bst__schema_put(s, data, fields[i].name, example_of(s, &fields[i]));
    }
    return data;
}

json_t *bst__example_cloudevent(bst__schema *s, const bst__payload *payload) {
    const bst_machine *machine = s->machine;
    const bst_event_type *type = &machine->events[payload->event];
    const bst__emission *emission = &s->emissions[payload->event];
    const int version = emission->creates ? 1 : 2;
    uint8_t uuid[16];
    char id[BST_UUID_TEXT];
    bst_event_id(machine->id, EXAMPLE_ENTITY, strlen(EXAMPLE_ENTITY), version, uuid);
    bst_uuid_format(uuid, id);
    json_t *out = json_object();
    bst__schema_put(s, out, "specversion", json_string("1.0"));
    bst__schema_put(s, out, "id", json_string(id));
    bst__schema_put(s, out, "source", bst__schema_text(s, "/%s", machine->id));
    bst__schema_put(s, out, "type", json_string(type->name));
    if (payload->version != 1) {
        bst__schema_put(s, out, "typeversion", json_integer(payload->version));
    }
    bst__schema_put(s, out, "subject", json_string(EXAMPLE_ENTITY));
    bst__schema_put(s, out, "time", json_string(EXAMPLE_TIME));
    bst__schema_put(s, out, "datacontenttype", json_string("application/json"));
    bst__schema_put(s, out, "version", json_integer(version));
    const uint32_t state = emission->state_count > 0 ? emission->states[0] : 0;
    bst__schema_put(s, out, "state", json_string(machine->states[state].name));
    if (emission->command_count > 0) {
        const char *command = machine->commands[emission->commands[0]].name;
        bst__schema_put(s, out, "command", json_string(command));
    }
    bst__schema_put(s, out, "basis", json_string("live"));
    bst__schema_put(s, out, "confidence", json_string("1"));
    bst__schema_put(s, out, "data", example_payload(s, payload->fields, payload->field_count));
    return out;
}

json_t *bst__example_command(bst__schema *s, uint32_t command) {
    const bst_command *type = &s->machine->commands[command];
    json_t *out = json_object();
    bst__schema_put(s, out, "type", json_string(type->name));
    bst__schema_put(s, out, "entity", json_string(EXAMPLE_ENTITY));
    bst__schema_put(s, out, "data", example_payload(s, type->fields, type->field_count));
    return out;
}
