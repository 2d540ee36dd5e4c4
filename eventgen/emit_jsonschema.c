/* JSON Schema (2020-12) of the messages of a machine:
 *
 *     #                               any event, as a line of JSON Lines has it
 *     #/$defs/event.PaymentCaptured   one event;    #/$defs/data.PaymentCaptured   its payload
 *     #/$defs/event.PaymentCaptured.v1, data.PaymentCaptured.v1   the same of an older version
 *     #/$defs/command                 any command
 *     #/$defs/command.capture         one command;  #/$defs/payload.capture        its payload
 *
 * The state of an event is one that its transitions lead to, so a history that is bent out of shape
 * is refused already by its lines.
 */
#include <string.h>

#include "emit_schema_private.h"

static json_t *nullable(bst__schema *s, json_t *schema) {
    json_t *out = json_object();
    json_t *choices = json_array();
    bst__schema_add(s, choices, schema);
    bst__schema_add(s, choices, json_pack("{s: s}", "type", "null"));
    bst__schema_put(s, out, "anyOf", choices);
    return out;
}

/* Two times, the ends of an interval. */
static json_t *interval(bst__schema *s) {
    return json_pack("{s: s, s: o, s: i, s: i}", "type", "array", "items",
                     bst__schema_ref(s, "timestamptz"), "minItems", 2, "maxItems", 2);
}

/* Every key that a line has, whatever the event. */
static json_t *envelope_properties(bst__schema *s) {
    json_t *p = json_object();
    bst__schema_put(s, p, "id", bst__schema_ref(s, "uuid"));
    bst__schema_put(s, p, "machine", json_pack("{s: s}", "const", s->machine->id));
    bst__schema_put(s, p, "entity", json_pack("{s: s, s: i}", "type", "string", "minLength", 1));
    bst__schema_put(s, p, "version", json_pack("{s: s, s: i}", "type", "integer", "minimum", 1));
    bst__schema_put(s, p, "type", json_pack("{s: s}", "type", "string"));
    bst__schema_put(s, p, "type_version",
                    json_pack("{s: s, s: i}", "type", "integer", "minimum", 1));
    bst__schema_put(s, p, "data", json_pack("{s: s}", "type", "object"));
    bst__schema_put(s, p, "state", json_pack("{s: s}", "type", "string"));
    bst__schema_put(s, p, "command", json_pack("{s: [s, s]}", "type", "string", "null"));
    bst__schema_put(s, p, "occurred_at", bst__schema_ref(s, "timestamptz"));
    bst__schema_put(s, p, "occurred_between", nullable(s, interval(s)));
    bst__schema_put(s, p, "recorded_at", nullable(s, bst__schema_ref(s, "timestamptz")));
    bst__schema_put(s, p, "basis", json_pack("{s: o}", "enum", bst__schema_bases(s)));
    bst__schema_put(s, p, "confidence",
                    json_pack("{s: s, s: i, s: i}", "type", "number", "minimum", 0, "maximum", 1));
    bst__schema_put(s, p, "source", json_pack("{s: [s, s]}", "type", "string", "null"));
    return p;
}

static json_t *event_envelope(bst__schema *s) {
    json_t *properties = envelope_properties(s);
    json_t *required = json_array();
    const char *key;
    json_t *value;
    json_object_foreach (properties, key, value) {
        if (strcmp(key, "type_version") != 0) { /* 1 where it is not there */
            bst__schema_add(s, required, json_string(key));
        }
    }
    return json_pack("{s: s, s: s, s: o, s: o, s: b}", "description",
                     "What surrounds the payload of every event.", "type", "object", "properties",
                     properties, "required", required, "additionalProperties", 0);
}

/* An entity begins with a creation, and only with one. */
static json_t *version_of(bst__schema *s, const bst__emission *emission) {
    json_t *version = json_object();
    if (!emission->follows) {
        bst__schema_put(s, version, "const", json_integer(1));
    } else if (!emission->creates) {
        bst__schema_put(s, version, "minimum", json_integer(2));
    }
    return version;
}

static json_t *event_of(bst__schema *s, const bst__payload *payload) {
    const bst_event_type *type = &s->machine->events[payload->event];
    const bst__emission *emission = &s->emissions[payload->event];
    json_t *schema = json_object();
    json_t *p = json_object();
    bst__schema_describe(s, schema, type->label, type->description);
    bst__schema_put(s, schema, "$ref", json_string("#/$defs/event_envelope"));
    if (emission->creates != emission->follows) {
        bst__schema_put(s, p, "version", version_of(s, emission));
    }
    bst__schema_put(s, p, "type", json_pack("{s: s}", "const", type->name));
    if (payload->version != 1 || type->version != 1) {
        bst__schema_put(s, p, "type_version", json_pack("{s: i}", "const", (int)payload->version));
    }
    bst__schema_put(s, p, "data", bst__schema_payload_ref(s, "data", payload));
    bst__schema_put(s, p, "state", bst__schema_states_after(s, payload->event));
    bst__schema_put(s, p, "command",
                    json_pack("{s: o}", "enum", bst__schema_commands_of(s, payload->event)));
    bst__schema_put(s, schema, "properties", p);
    if (payload->version != 1) {
        bst__schema_put(s, schema, "required", json_pack("[s]", "type_version"));
    }
    return schema;
}

/* Every key that a command has, and may have. */
static json_t *command_envelope(bst__schema *s) {
    json_t *p = json_object();
    json_t *id = json_pack("{s: s, s: s, s: i}", "description",
                           "The same command again has the same id, and changes nothing.", "type",
                           "string", "minLength", 1);
    json_t *version =
        json_pack("{s: s, s: s, s: i}", "description",
                  "The version of the entity that was decided on; 0: there is none yet.", "type",
                  "integer", "minimum", 0);
    bst__schema_put(s, p, "type", json_pack("{s: s}", "type", "string"));
    bst__schema_put(s, p, "entity", json_pack("{s: s, s: i}", "type", "string", "minLength", 1));
    bst__schema_put(s, p, "data", json_pack("{s: s}", "type", "object"));
    bst__schema_put(s, p, "id", id);
    bst__schema_put(s, p, "expected_version", version);
    return json_pack("{s: s, s: s, s: o, s: [s, s, s], s: b}", "description",
                     "What surrounds the payload of every command.", "type", "object", "properties",
                     p, "required", "type", "entity", "data", "additionalProperties", 0);
}

static json_t *command_of(bst__schema *s, uint32_t command) {
    const bst_command *type = &s->machine->commands[command];
    json_t *schema = json_object();
    json_t *p = json_object();
    bst__schema_describe(s, schema, type->label, type->description);
    bst__schema_put(s, schema, "$ref", json_string("#/$defs/command_envelope"));
    bst__schema_put(s, p, "type", json_pack("{s: s}", "const", type->name));
    bst__schema_put(s, p, "data", bst__schema_ref(s, "payload.%s", type->name));
    bst__schema_put(s, schema, "properties", p);
    return schema;
}

/* Takes over `value`. */
static void put_payload(bst__schema *s, json_t *object, const char *group,
                        const bst__payload *payload, json_t *value) {
    bst__schema_put(s, object, bst__schema_name(s, group, payload), value);
}

static void add_events(bst__schema *s, json_t *definitions) {
    bst__schema_put(s, definitions, "event_envelope", event_envelope(s));
    for (uint32_t i = 0; i < s->payload_count; i++) {
        const bst__payload *payload = &s->payloads[i];
        put_payload(s, definitions, "event", payload, event_of(s, payload));
        put_payload(s, definitions, "data", payload,
                    bst__schema_of_payload(s, payload->fields, payload->field_count));
    }
}

static void add_commands(bst__schema *s, json_t *definitions) {
    json_t *choices = json_array();
    for (uint32_t i = 0; i < s->machine->command_count; i++) {
        bst__schema_add(s, choices, bst__schema_ref(s, "command.%s", s->machine->commands[i].name));
    }
    bst__schema_put(s, definitions, "command",
                    json_pack("{s: s, s: o}", "description",
                              "A wish: what an entity is asked to do.", "oneOf", choices));
    bst__schema_put(s, definitions, "command_envelope", command_envelope(s));
    for (uint32_t i = 0; i < s->machine->command_count; i++) {
        const bst_command *command = &s->machine->commands[i];
        bst_strbuf key = BST_STRBUF_INIT;
        bst_strbuf_addf(&key, "command.%s", command->name);
        bst__schema_put(s, definitions, key.text, command_of(s, i));
        bst_strbuf_clear(&key);
        bst_strbuf_addf(&key, "payload.%s", command->name);
        bst__schema_put(s, definitions, key.text,
                        bst__schema_of_payload(s, command->fields, command->field_count));
        s->failed = s->failed || key.failed;
        bst_strbuf_release(&key);
    }
}

bst_status bst__emit_jsonschema(const bst_machine *machine, const bst_emit_options *options,
                                bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst__schema s;
    bst__schema_init(&s, machine, "#/$defs/");
    json_t *schema = json_object();
    json_t *definitions = json_object();
    json_t *choices = json_array();
    bst_strbuf notice = BST_STRBUF_INIT;
    bst__emit_notice(machine, &notice);
    bst__schema_put(&s, schema, "$schema",
                    json_string("https://json-schema.org/draft/2020-12/schema"));
    bst__schema_put(&s, schema, "$comment", json_string(notice.text));
    s.failed = s.failed || notice.failed;
    bst_strbuf_release(&notice);
    bst__schema_put(
        &s, schema, "title",
        bst__schema_text(&s, "An event of %s", machine->label ? machine->label : machine->id));
    if (!s.failed) {
        for (uint32_t i = 0; i < s.payload_count; i++) {
            bst__schema_add(&s, choices, bst__schema_payload_ref(&s, "event", &s.payloads[i]));
        }
        add_events(&s, definitions);
        add_commands(&s, definitions);
        bst__schema_add_shared(&s, definitions);
    }
    bst__schema_put(&s, schema, "oneOf", choices);
    bst__schema_put(&s, schema, "$defs", definitions);
    return bst__schema_finish(&s, schema, &files->file[0].text, diags);
}
