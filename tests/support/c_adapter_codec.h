/* The rest of the bridge to generated C: its codecs. Written into the same adapter.c, behind
 * c_adapter.h's part. What was read last is kept until the next time. */
#ifndef BACKSTORY_TESTS_C_ADAPTER_CODEC_H
#define BACKSTORY_TESTS_C_ADAPTER_CODEC_H

#include "c_adapter.h"

/* The JSON of an event or a command, the caller's; NULL when there is none. */
typedef char *adapter_event_json_fn(const bst_event *event);
typedef char *adapter_command_json_fn(uint32_t command, const bst_value *payload);
/* The other way. NULL, or what is wrong: "amount is missing". */
typedef const char *adapter_read_event_json_fn(const char *text, bst_event *event);
typedef const char *adapter_read_command_json_fn(const char *text, uint32_t *command,
                                                 bst_value *payload);

/* Rows. The bytes that it takes, as generated code says; `wrong` is NULL or "amount is null". */
typedef size_t adapter_write_event_fn(const bst_event *event, unsigned char *to, size_t room);
typedef size_t adapter_read_event_fn(const unsigned char *from, size_t len, bst_event *event,
                                     const char **wrong);
typedef size_t adapter_write_entity_fn(const bst_entity *entity, unsigned char *to, size_t room);
typedef size_t adapter_read_entity_fn(const unsigned char *from, size_t len, bst_entity *entity,
                                      const char **wrong);
typedef size_t adapter_rows_fn(unsigned char *to, size_t room);
typedef size_t adapter_skip_fn(const unsigned char *from, size_t len);

static inline void adapter_add_rows(const bst_machine *machine, const bst__c *c, bst_strbuf *out) {
    const char *p = c->prefix;
    bst_strbuf_addf(
        out,
        "#include \"%s_row.h\"\n#include <stdio.h>\n"
        "static const char *row_wrong(struct backstory_row_error *error) {\n"
        "    static char text[200];\n"
        "    snprintf(text, sizeof text, \"%%s %%s\", error->field ? error->field : \"it\",\n"
        "             error->reason ? error->reason : \"\");\n"
        "    return error->reason ? text : NULL;\n}\n"
        "size_t adapter_rows_begin(unsigned char *to, size_t room) {\n"
        "    return %s_rows_begin(to, room);\n}\n"
        "size_t adapter_rows_end(unsigned char *to, size_t room) {\n"
        "    return %s_rows_end(to, room);\n}\n"
        "size_t adapter_rows_skip(const unsigned char *from, size_t len) {\n"
        "    return %s_rows_skip(from, len);\n}\n",
        machine->id, p, p, p);
    bst_strbuf_addf(
        out,
        "size_t adapter_write_event(const bst_event *event, unsigned char *to, size_t room) {\n"
        "    struct %s made;\n    event_in(event, &made);\n"
        "    return %s_event_row_write(&made, to, room);\n}\n"
        "size_t adapter_read_event(const unsigned char *from, size_t len, bst_event *event,\n"
        "                          const char **wrong) {\n"
        "    struct %s made;\n    struct backstory_row_error error;\n"
        "    const size_t used = %s_event_row_read(from, len, &made, &error);\n"
        "    if (used > 0) {\n        event_out(&made, event);\n    }\n"
        "    *wrong = row_wrong(&error);\n    return used;\n}\n",
        c->fixed.event, p, c->fixed.event, p);
    bst_strbuf_addf(
        out,
        "size_t adapter_write_entity(const bst_entity *entity, unsigned char *to, size_t room) {\n"
        "    struct %s made;\n    entity_in(entity, &made);\n"
        "    return %s_row_write(&made, to, room);\n}\n"
        "size_t adapter_read_entity(const unsigned char *from, size_t len, bst_entity *entity,\n"
        "                           const char **wrong) {\n"
        "    struct %s made;\n    struct backstory_row_error error;\n"
        "    const size_t used = %s_row_read(from, len, &made, &error);\n"
        "    if (used > 0) {\n        entity_out(&made, entity);\n    }\n"
        "    *wrong = row_wrong(&error);\n    return used;\n}\n",
        c->entity.tag, p, c->entity.tag, p);
}

static const char adapter_json_head[] =
    "#include <jansson.h>\n#include <stdio.h>\n"
    "enum { FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(15) };\n"
    "static json_t *keep;\n"
    "__attribute__((destructor)) static void drop(void) {\n    json_decref(keep);\n}\n"
    "static char *text_of(json_t *json) {\n"
    "    char *text = json ? json_dumps(json, FLAGS) : NULL;\n"
    "    json_decref(json);\n    return text;\n}\n"
    "static json_t *document(const char *text) {\n"
    "    json_decref(keep);\n    keep = json_array();\n"
    "    return json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);\n}\n"
    "static const char *answer(json_t *json, bool read, struct backstory_json_error *error) {\n"
    "    static char text[200];\n"
    "    snprintf(text, sizeof text, \"%s %s\", error->field ? error->field : \"it\",\n"
    "             error->reason ? error->reason : \"is read\");\n"
    "    json_decref(json);\n    return read ? NULL : text;\n}\n";

static inline void adapter_add_json(const bst_machine *machine, const bst__c *c, bst_strbuf *out) {
    const bst_machine *m = machine;
    const char *p = c->prefix;
    bst_strbuf_addf(out, "#include \"%s_json.h\"\n%s", m->id, adapter_json_head);
    bst_strbuf_addf(out,
                    "char *adapter_event_json(const bst_event *event) {\n"
                    "    struct %s made;\n    event_in(event, &made);\n"
                    "    return text_of(%s_event_to_json(&made));\n}\n"
                    "const char *adapter_read_event_json(const char *text, bst_event *event) {\n"
                    "    struct %s made, untouched;\n    struct backstory_json_error error;\n"
                    "    memset(&made, 0x55, sizeof made);\n"
                    "    memset(&untouched, 0x55, sizeof untouched);\n"
                    "    json_t *json = document(text);\n"
                    "    const bool read = %s_event_from_json(json, keep, &made, &error);\n"
                    "    if (read) {\n        event_out(&made, event);\n"
                    "    } else if (memcmp(&made, &untouched, sizeof made) != 0) {\n"
                    "        return \"refused, and written\";\n    }\n"
                    "    return answer(json, read, &error);\n}\n",
                    c->fixed.event, p, c->fixed.event, p);
    bst_strbuf_addf(out,
                    "static void command_out(const struct %s *s, uint32_t *ret, bst_value *out) {\n"
                    "    const uint32_t type = s->type;\n    *ret = type;\n    (void)out;\n",
                    c->fixed.command);
    adapter_cases(out, c->commands, m->command_count, false);
    bst_strbuf_addf(out,
                    "}\nchar *adapter_command_json(uint32_t command, const bst_value *payload) {\n"
                    "    struct %s made;\n    command_in(command, payload, &made);\n"
                    "    return text_of(%s_command_to_json(&made));\n}\n"
                    "const char *adapter_read_command_json(const char *text, uint32_t *command,\n"
                    "                                      bst_value *payload) {\n"
                    "    struct %s made;\n    struct backstory_json_error error;\n"
                    "    json_t *json = document(text);\n"
                    "    const bool read = %s_command_from_json(json, keep, &made, &error);\n"
                    "    if (read) {\n        command_out(&made, command, payload);\n    }\n"
                    "    return answer(json, read, &error);\n}\n",
                    c->fixed.command, p, c->fixed.command, p);
}

#endif
