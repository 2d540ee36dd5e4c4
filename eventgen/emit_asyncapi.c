/* AsyncAPI 3: the application that runs the machine receives commands on one channel and sends
 * events, as CloudEvents, on the other. Nothing outside the document is referred to.
 */
#include <string.h>

#include "emit_schema_private.h"

/* To a part of the document. */
static json_t *ref_to(bst__schema *s, const char *group, const char *name) {
    json_t *ref = json_object();
    bst__schema_put(s, ref, "$ref", bst__schema_text(s, "#/%s%s", group, name));
    return ref;
}

static void put_keyed(bst__schema *s, json_t *object, const char *group, const char *name,
                      json_t *value) {
    bst_strbuf key = BST_STRBUF_INIT;
    bst_strbuf_addf(&key, "%s.%s", group, name);
    s->failed = s->failed || key.failed;
    bst__schema_put(s, object, key.text, value);
    bst_strbuf_release(&key);
}

/* ---- messages ---- */

static json_t *message(bst__schema *s, const char *name, const char *label, const char *description,
                       const char *content_type, json_t *payload, json_t *example) {
    json_t *out = json_object();
    json_t *examples = json_array();
    bst__schema_put(s, out, "name", json_string(name));
    bst__schema_describe(s, out, label, description);
    bst__schema_put(s, out, "contentType", json_string(content_type));
    bst__schema_put(s, out, "payload", payload);
    bst__schema_add(s, examples, json_pack("{s: o}", "payload", example));
    bst__schema_put(s, out, "examples", examples);
    return out;
}

static json_t *text_schema(void) {
    return json_pack("{s: s, s: i}", "type", "string", "minLength", 1);
}

/* What a CloudEvent of this machine is around its data. */
static json_t *cloudevent_of(bst__schema *s, const bst__payload *payload) {
    const uint32_t event = payload->event;
    const bst_event_type *type = &s->machine->events[event];
    json_t *p = json_object();
    bst__schema_put(s, p, "specversion", json_pack("{s: s}", "const", "1.0"));
    bst__schema_put(s, p, "id", bst__schema_ref(s, "uuid"));
    bst__schema_put(s, p, "source",
                    json_pack("{s: o}", "const", bst__schema_text(s, "/%s", s->machine->id)));
    bst__schema_put(s, p, "type", json_pack("{s: s}", "const", type->name));
    if (payload->version != 1) {
        bst__schema_put(s, p, "typeversion", json_pack("{s: i}", "const", (int)payload->version));
    }
    bst__schema_put(s, p, "subject", text_schema());
    bst__schema_put(s, p, "time", bst__schema_ref(s, "timestamptz"));
    bst__schema_put(s, p, "datacontenttype", json_pack("{s: s}", "const", "application/json"));
    bst__schema_put(s, p, "version", json_pack("{s: s, s: i}", "type", "integer", "minimum", 1));
    bst__schema_put(s, p, "state", bst__schema_states_after(s, event));
    json_t *commands = bst__schema_commands_of(s, event);
    json_array_remove(commands, json_array_size(commands) - 1); /* null: the attribute is absent */
    if (json_array_size(commands) > 0) {
        bst__schema_put(s, p, "command", json_pack("{s: O}", "enum", commands));
    }
    json_decref(commands);
    bst__schema_put(s, p, "basis", json_pack("{s: o}", "enum", bst__schema_bases(s)));
    bst__schema_put(s, p, "confidence", text_schema());
    bst__schema_put(s, p, "occurredafter", bst__schema_ref(s, "timestamptz"));
    bst__schema_put(s, p, "occurredbefore", bst__schema_ref(s, "timestamptz"));
    bst__schema_put(s, p, "recordedtime", bst__schema_ref(s, "timestamptz"));
    bst__schema_put(s, p, "data", bst__schema_payload_ref(s, "data", payload));
    return json_pack("{s: s, s: o, s: [s, s, s, s, s, s, s, s]}", "type", "object", "properties", p,
                     "required", "specversion", "id", "source", "type", "subject", "version",
                     "state", "data");
}

static json_t *command_of(bst__schema *s, uint32_t command) {
    const bst_command *type = &s->machine->commands[command];
    json_t *p = json_object();
    bst__schema_put(s, p, "type", json_pack("{s: s}", "const", type->name));
    bst__schema_put(s, p, "entity", text_schema());
    bst__schema_put(s, p, "data", bst__schema_ref(s, "payload.%s", type->name));
    bst__schema_put(s, p, "id", text_schema());
    bst__schema_put(s, p, "expected_version",
                    json_pack("{s: s, s: i}", "type", "integer", "minimum", 0));
    return json_pack("{s: s, s: o, s: [s, s, s], s: b}", "type", "object", "properties", p,
                     "required", "type", "entity", "data", "additionalProperties", 0);
}

static void add_events(bst__schema *s, json_t *messages, json_t *schemas, json_t *on_channel) {
    for (uint32_t i = 0; i < s->payload_count; i++) {
        const bst__payload *payload = &s->payloads[i];
        const bst_event_type *e = &s->machine->events[payload->event];
        json_t *event =
            message(s, e->name, e->label, e->description, "application/cloudevents+json",
                    cloudevent_of(s, payload), bst__example_cloudevent(s, payload));
        json_t *data = bst__schema_of_payload(s, payload->fields, payload->field_count);
        bst__schema_put(s, messages, bst__schema_name(s, "event", payload), event);
        bst__schema_put(s, schemas, bst__schema_name(s, "data", payload), data);
        const char *name = bst__schema_name(s, "event", payload);
        json_t *ref = json_object();
        bst__schema_put(s, ref, "$ref", json_sprintf("#/components/messages/%s", name));
        bst__schema_put(s, on_channel, name + strlen("event."), ref);
    }
}

static void add_commands(bst__schema *s, json_t *messages, json_t *schemas, json_t *on_channel) {
    for (uint32_t i = 0; i < s->machine->command_count; i++) {
        const bst_command *c = &s->machine->commands[i];
        put_keyed(s, messages, "command", c->name,
                  message(s, c->name, c->label, c->description, "application/json",
                          command_of(s, i), bst__example_command(s, i)));
        put_keyed(s, schemas, "payload", c->name,
                  bst__schema_of_payload(s, c->fields, c->field_count));
        bst__schema_put(s, on_channel, c->name, ref_to(s, "components/messages/command.", c->name));
    }
}

/* ---- the document ---- */

static json_t *info(bst__schema *s) {
    const bst_machine *machine = s->machine;
    json_t *out = json_object();
    bst_strbuf notice = BST_STRBUF_INIT;
    bst__emit_notice(machine, &notice);
    bst__schema_put(s, out, "title", json_string(machine->label ? machine->label : machine->id));
    bst__schema_put(s, out, "version", json_string(machine->version ? machine->version : "1"));
    if (machine->description) {
        bst__schema_put(s, out, "description", json_string(machine->description));
    }
    bst__schema_put(s, out, "x-generated", json_string(notice.text));
    s->failed = s->failed || notice.failed;
    bst_strbuf_release(&notice);
    return out;
}

static json_t *channel(bst__schema *s, const char *address, const char *summary, json_t *messages) {
    json_t *out = json_object();
    json_t *text = bst__schema_text(s, "%s.%s", s->machine->id, address);
    bst__schema_put(s, out, "address", text);
    bst__schema_put(s, out, "summary", json_string(summary));
    bst__schema_put(s, out, "messages", messages);
    return out;
}

static json_t *operation(bst__schema *s, const char *action, const char *of, const char *summary) {
    json_t *out = json_object();
    bst__schema_put(s, out, "action", json_string(action));
    bst__schema_put(s, out, "channel", ref_to(s, "channels/", of));
    bst__schema_put(s, out, "summary", json_string(summary));
    return out;
}

static void add_all(bst__schema *s, json_t *document) {
    json_t *messages = json_object();
    json_t *schemas = json_object();
    json_t *events = json_object();
    json_t *commands = json_object();
    json_t *channels = json_object();
    json_t *operations = json_object();
    json_t *components = json_object();
    add_events(s, messages, schemas, events);
    add_commands(s, messages, schemas, commands);
    bst__schema_add_shared(s, schemas);
    bst__schema_put(s, channels, "events",
                    channel(s, "events", "What happened, in the order of each entity.", events));
    bst__schema_put(s, channels, "commands",
                    channel(s, "commands", "What is asked for, and may be refused.", commands));
    bst__schema_put(s, operations, "sendEvents",
                    operation(s, "send", "events", "Every event, once it is stored."));
    bst__schema_put(s, operations, "receiveCommands",
                    operation(s, "receive", "commands", "Every command, to be decided on."));
    bst__schema_put(s, components, "messages", messages);
    bst__schema_put(s, components, "schemas", schemas);
    bst__schema_put(s, document, "channels", channels);
    bst__schema_put(s, document, "operations", operations);
    bst__schema_put(s, document, "components", components);
}

bst_status bst__emit_asyncapi(const bst_machine *machine, const bst_emit_options *options,
                              bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst__schema s;
    json_t *document = json_object();
    bst__schema_init(&s, machine, "#/components/schemas/");
    if (!s.failed) {
        bst__schema_put(&s, document, "asyncapi", json_string("3.0.0"));
        bst__schema_put(&s, document, "info", info(&s));
        bst__schema_put(&s, document, "defaultContentType", json_string("application/json"));
        add_all(&s, document);
    }
    return bst__schema_finish(&s, document, &files->file[0].text, diags);
}
