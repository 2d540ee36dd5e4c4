/* An event as a line of JSON: the one form in which events leave the store as text. The keys always
 * come in the same order, and the same event always gives the same bytes.
 */
#include "backstory/reader.h"

#include <assert.h>
#include <string.h>

#include "backstory/digest.h"
#include "backstory/timestamp.h"
#include "confidence_private.h"
#include "payload_private.h"

static void add_text(bst_strbuf *out, const char *key, const char *text) {
    bst_strbuf_adds(out, key);
    if (text)
        bst_strbuf_add_json(out, text, strlen(text));
    else
        bst_strbuf_adds(out, "null");
}

static void add_time(bst_strbuf *out, const char *before, int64_t time) {
    char text[BST_TIME_TEXT_MAX];
    const size_t len = bst_time_format(time, text);
    bst_strbuf_adds(out, before);
    bst_strbuf_addc(out, '"');
    bst_strbuf_add(out, text, len);
    bst_strbuf_addc(out, '"');
}

static void add_times(const bst_stored_event *event, bst_strbuf *out) {
    add_time(out, ",\"occurred_at\":", event->occurred_at);
    if (event->interval) {
        add_time(out, ",\"occurred_between\":[", event->after);
        add_time(out, ",", event->before);
        bst_strbuf_addc(out, ']');
    } else {
        bst_strbuf_adds(out, ",\"occurred_between\":null");
    }
    if (event->has_recorded_at)
        add_time(out, ",\"recorded_at\":", event->recorded_at);
    else
        bst_strbuf_adds(out, ",\"recorded_at\":null");
}

static void add_confidence(double confidence, bst_strbuf *out) {
    char text[BST__CONFIDENCE_TEXT];
    const size_t len = bst__confidence_format(confidence, text);
    bst_strbuf_adds(out, ",\"confidence\":");
    bst_strbuf_add(out, text, len);
}

void bst_event_line(const bst_machine *machine, const bst_stored_event *event, bst_strbuf *out) {
    assert(event->type < machine->event_count && event->state < machine->state_count);
    const bst_event_type *const type = &machine->events[event->type];
    uint8_t uuid[16];
    char id[BST_UUID_TEXT];
    bst_event_id(machine->id, event->key, event->key_len, event->version, uuid);
    bst_uuid_format(uuid, id);
    add_text(out, "{\"id\":", id);
    add_text(out, ",\"machine\":", machine->id);
    bst_strbuf_adds(out, ",\"entity\":");
    bst_strbuf_add_json(out, event->key, event->key_len);
    bst_strbuf_adds(out, ",\"version\":");
    bst_strbuf_add_int(out, event->version);
    add_text(out, ",\"type\":", type->name);
    const uint32_t type_version = event->data ? event->type_version : type->version;
    if (type_version != 1) {
        bst_strbuf_adds(out, ",\"type_version\":");
        bst_strbuf_add_int(out, type_version);
    }
    bst_strbuf_adds(out, ",\"data\":");
    if (event->data)
        bst_strbuf_add(out, event->data, event->data_len);
    else
        bst__payload_write(type, event->fields, out);
    add_text(out, ",\"state\":", machine->states[event->state].name);
    add_text(out, ",\"command\":",
             event->command == BST_NONE ? NULL : machine->commands[event->command].name);
    add_times(event, out);
    add_text(out, ",\"basis\":", bst_basis_text(event->basis));
    add_confidence(event->confidence, out);
    add_text(out, ",\"source\":", event->source);
    bst_strbuf_adds(out, "}\n");
}
