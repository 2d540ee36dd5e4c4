/* A bridge from the interpreter's values to the structs of generated C, itself generated: one C
 * file a machine, compiled with the machine's own into a shared object that the test loads.
 *
 * Structs are filled with garbage first, then where a value is present. So generated code that
 * looks at what is not there does not go unnoticed, nor does decide() when it writes an event that
 * it refuses.
 */
#ifndef BACKSTORY_TESTS_C_ADAPTER_H
#define BACKSTORY_TESTS_C_ADAPTER_H

#include "backstory/step.h"
#include "emit_c_private.h"
#include "eventgen_fixture.h"

/* What the adapter answers beside the event. The generated code names fields, and counts guards
 * from 1. */
typedef struct adapter_answer {
    int verdict; /* -1: an event was refused, and written all the same */
    uint32_t guard;
    const char *field; /* NULL: none */
} adapter_answer;

typedef void adapter_decide_fn(const bst_entity *entity, uint32_t command, const bst_value *payload,
                               bst_event *event, adapter_answer *answer);
typedef int adapter_apply_fn(bst_entity *entity, const bst_event *event);
typedef unsigned adapter_next_fn(uint32_t state, uint32_t command);
/* States are counted from 0 (does not exist) as in generated code; the last call's result is not
 * kept. */
typedef size_t adapter_step_all_fn(uint32_t *states, const uint32_t *commands, size_t count);
typedef int adapter_names_fn(const bst_machine *machine);
/* A payload of an older version as one of the current; false: `field`, or NULL for no version. */
typedef bool adapter_upcast_fn(uint32_t type, uint32_t version, const bst_value *in, bst_value *out,
                               const char **field);

static const char adapter_head[] = "#include <string.h>\n"
                                   "#include \"backstory/step.h\"\n"
                                   "typedef struct adapter_answer {\n"
                                   "    int verdict;\n"
                                   "    uint32_t guard;\n"
                                   "    const char *field;\n"
                                   "} adapter_answer;\n";

static inline bool adapter_is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR ||
           kind == BST_KIND_BYTEA || kind == BST_KIND_JSON;
}

/* Assignments from in[i] to the members of `to`. */
static inline void adapter_in(bst_strbuf *out, const bst__c_record *record, const char *to) {
    for (uint32_t i = 0; i < record->count; i++) {
        const bst__c_field *f = &record->fields[i];
        const bst_kind kind = f->field->type.kind;
        if (f->has) {
            bst_strbuf_addf(out, "    %s%s = in[%u].present;\n", to, f->has, i);
        }
        if (kind == BST_KIND_BOOL || kind == BST_KIND_ENUM) { /* garbage would be no value at all */
            bst_strbuf_addf(out, "    memset(&%s%s, 0, sizeof %s%s);\n", to, f->member, to,
                            f->member);
        }
        bst_strbuf_addf(out, "    if (in[%u].present) {\n", i);
        if (adapter_is_text(kind)) {
            bst_strbuf_addf(out, "        %s%s.ptr = in[%u].u.text;\n", to, f->member, i);
            bst_strbuf_addf(out, "        %s%s.len = in[%u].len;\n", to, f->member, i);
        } else if (kind == BST_KIND_UUID) {
            bst_strbuf_addf(out, "        memcpy(%s%s.bytes, in[%u].u.uuid, 16);\n", to, f->member,
                            i);
        } else {
            bst_strbuf_addf(out, "        %s%s = in[%u].u.i;\n", to, f->member, i);
        }
        bst_strbuf_adds(out, "    }\n");
    }
}

/* The other way; what is absent stays as it is. */
static inline void adapter_out(bst_strbuf *out, const bst__c_record *record, const char *from) {
    for (uint32_t i = 0; i < record->count; i++) {
        const bst__c_field *f = &record->fields[i];
        const bst_kind kind = f->field->type.kind;
        bst_strbuf_addf(out, "    out[%u].present = %s%s;\n", i, f->has ? from : "true",
                        f->has ? f->has : "");
        if (adapter_is_text(kind)) {
            bst_strbuf_addf(out, "    out[%u].u.text = %s%s.ptr;\n", i, from, f->member);
            bst_strbuf_addf(out, "    out[%u].len = %s%s.len;\n", i, from, f->member);
        } else if (kind == BST_KIND_UUID) {
            bst_strbuf_addf(out, "    memcpy(out[%u].u.uuid, %s%s.bytes, 16);\n", i, from,
                            f->member);
        } else {
            bst_strbuf_addf(out, "    out[%u].u.i = %s%s;\n", i, from, f->member);
        }
    }
}

/* A switch over all commands or events, each with its conversion. */
static inline void adapter_cases(bst_strbuf *out, const bst__c_record *records, uint32_t count,
                                 bool in) {
    bst_strbuf member = BST_STRBUF_INIT;
    bst_strbuf_adds(out, "    switch (type) {\n");
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_clear(&member);
        bst_strbuf_addf(&member, "s->%s.", records[i].member ? records[i].member : "");
        bst_strbuf_addf(out, "    case %u:\n", i);
        if (in) {
            adapter_in(out, &records[i], member.text);
        } else {
            adapter_out(out, &records[i], member.text);
        }
        bst_strbuf_adds(out, "    break;\n");
    }
    bst_strbuf_adds(out, "    }\n");
    bst_strbuf_release(&member);
}

static inline void adapter_conversions(bst_strbuf *out, const bst__c *c) {
    const bst_machine *m = c->machine;
    const bst__c_fixed *f = &c->fixed;
    bst_strbuf_addf(out,
                    "static void entity_in(const bst_entity *e, struct %s *s) {\n"
                    "    const bst_value *in = e->fields;\n"
                    "    memset(s, 0xaa, sizeof *s);\n"
                    "    s->state = e->state + 1u;\n"
                    "    if (s->state == 0 || !in) {\n        return;\n    }\n",
                    c->entity.tag);
    adapter_in(out, &c->entity, "s->");
    bst_strbuf_addf(out,
                    "}\nstatic void entity_out(const struct %s *s, bst_entity *e) {\n"
                    "    bst_value *out = e->fields;\n    (void)out;\n"
                    "    e->state = s->state - 1u;\n",
                    c->entity.tag);
    adapter_out(out, &c->entity, "s->");
    bst_strbuf_addf(
        out,
        "}\nstatic void command_in(uint32_t type, const bst_value *in, struct %s *s) {\n"
        "    (void)in;\n    memset(s, 0xaa, sizeof *s);\n    s->type = type;\n",
        f->command);
    adapter_cases(out, c->commands, m->command_count, true);
    bst_strbuf_addf(out,
                    "}\nstatic void event_in(const bst_event *e, struct %s *s) {\n"
                    "    const uint32_t type = e->type;\n    const bst_value *in = e->fields;\n"
                    "    (void)in;\n    memset(s, 0xaa, sizeof *s);\n"
                    "    s->type = type;\n    s->state = e->state + 1u;\n",
                    f->event);
    adapter_cases(out, c->events, m->event_count, true);
    bst_strbuf_addf(out,
                    "}\nstatic void event_out(const struct %s *s, bst_event *e) {\n"
                    "    const uint32_t type = s->type;\n    bst_value *out = e->fields;\n"
                    "    (void)out;\n    e->type = type;\n    e->state = s->state - 1u;\n",
                    f->event);
    adapter_cases(out, c->events, m->event_count, false);
    bst_strbuf_adds(out, "}\n");
}

static inline void adapter_functions(bst_strbuf *out, const bst__c *c) {
    const bst__c_fixed *f = &c->fixed;
    bst_strbuf_addf(
        out,
        "void adapter_decide(const bst_entity *entity, uint32_t command,\n"
        "        const bst_value *payload, bst_event *event, adapter_answer *answer) {\n"
        "    struct %s e;\n    struct %s x;\n    struct %s made, untouched;\n"
        "    entity_in(entity, &e);\n    command_in(command, payload, &x);\n"
        "    memset(&made, 0x55, sizeof made);\n"
        "    memset(&untouched, 0x55, sizeof untouched);\n"
        "    const struct %s d = %s(&e, &x, &made);\n"
        "    *answer = (adapter_answer){d.verdict, d.guard, d.field};\n"
        "    if (d.verdict == 0) {\n        event_out(&made, event);\n"
        "    } else if (memcmp(&made, &untouched, sizeof made) != 0) {\n"
        "        answer->verdict = -1;\n    }\n}\n",
        c->entity.tag, f->command, f->event, f->decision, f->decide);
    bst_strbuf_addf(
        out,
        "int adapter_apply(bst_entity *entity, const bst_event *event) {\n"
        "    struct %s e, before;\n    struct %s x;\n"
        "    memset(&e, 0, sizeof e);\n"
        "    entity_in(entity, &e);\n    event_in(event, &x);\n"
        "    memcpy(&before, &e, sizeof e);\n"
        "    const int result = %s(&e, &x);\n"
        "    if (result == 0) {\n        entity_out(&e, entity);\n"
        "    } else if (memcmp(&before, &e, sizeof e) != 0) {\n        return -1;\n    }\n"
        "    return result;\n}\n",
        c->entity.tag, f->event, f->apply);
    bst_strbuf_addf(out,
                    "unsigned adapter_next(uint32_t state, uint32_t command) {\n"
                    "    return %s(state + 1u, command);\n}\n",
                    f->next);
    if (c->regions) {
        return;
    }
    const char *state = bst__c_uint(c->machine->state_count);
    const char *command = bst__c_uint(c->machine->command_count - 1);
    bst_strbuf_addf(out,
                    "size_t adapter_step_all(uint32_t *states, const uint32_t *commands,\n"
                    "                        size_t count) {\n"
                    "    static %s s[20000];\n    static %s c[20000];\n"
                    "    for (size_t i = 0; i < count; i++) {\n"
                    "        s[i] = states[i];\n        c[i] = commands[i];\n    }\n"
                    "    const size_t stayed = %s(s, c, count);\n"
                    "    for (size_t i = 0; i < count; i++) {\n"
                    "        states[i] = s[i];\n    }\n    return stayed;\n}\n",
                    state, command, f->step_all);
}

/* Names there and back; the line of the first that is wrong. */
static inline void adapter_names(bst_strbuf *out, const bst__c *c) {
    const bst__c_fixed *f = &c->fixed;
    const struct {
        const char *count, *list, *name, *from_name, *tag;
        unsigned first;
    } kinds[] = {
        {"state_count", "states", f->state_name, f->state_from_name, f->state, 1},
        {"command_count", "commands", f->command_name, f->command_from_name, f->command_type, 0},
        {"event_count", "events", f->event_name, f->event_from_name, f->event_type, 0}};
    bst_strbuf_adds(out, "int adapter_names(const bst_machine *m) {\n");
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        bst_strbuf_addf(out,
                        "    for (uint32_t i = 0; i < m->%s; i++) {\n"
                        "        enum %s back;\n"
                        "        if (strcmp(%s(i + %u), m->%s[i].name) != 0) return __LINE__;\n"
                        "        if (!%s(m->%s[i].name, &back)) return __LINE__;\n"
                        "        if (back != i + %u) return __LINE__;\n    }\n",
                        kinds[k].count, kinds[k].tag, kinds[k].name, kinds[k].first, kinds[k].list,
                        kinds[k].from_name, kinds[k].list, kinds[k].first);
        bst_strbuf_addf(out,
                        "    { enum %s back;\n"
                        "    if (*%s(m->%s + %u) != 0) return __LINE__;\n"
                        "    if (%s(\"\", &back)) return __LINE__;\n"
                        "    if (%s(\"no such name\", &back)) return __LINE__; }\n",
                        kinds[k].tag, kinds[k].name, kinds[k].count, kinds[k].first,
                        kinds[k].from_name, kinds[k].from_name);
    }
    bst_strbuf_adds(out, "    return 0;\n}\n");
}

/* Only for machines with older events. */
static inline void adapter_upcast(bst_strbuf *out, const bst__c *c) {
    bst_strbuf_addf(out,
                    "bool adapter_upcast(uint32_t type, uint32_t version, const bst_value *in,\n"
                    "        bst_value *fields, const char **field) {\n"
                    "    struct %s old, *s = &old;\n    struct %s made, untouched;\n"
                    "    bst_event event = {0, 0, fields};\n    (void)in;\n"
                    "    memset(s, 0xaa, sizeof *s);\n    memset(&made, 0x55, sizeof made);\n"
                    "    memset(&untouched, 0x55, sizeof untouched);\n"
                    "    s->type = type;\n    s->version = version;\n    s->state = 1;\n",
                    c->fixed.older_event, c->fixed.event);
    bst_strbuf member = BST_STRBUF_INIT;
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        for (uint32_t i = 0; i < c->machine->events[e].upcast_count; i++) {
            const bst__c_record *record = &c->older[c->first_older[e] + i];
            bst_strbuf_clear(&member);
            bst_strbuf_addf(&member, "s->%s.", record->member ? record->member : "");
            bst_strbuf_addf(out, "    if (type == %u && version == %u) {\n", e,
                            c->machine->events[e].upcasts[i].version);
            adapter_in(out, record, member.text);
            bst_strbuf_adds(out, "    }\n");
        }
    }
    bst_strbuf_release(&member);
    bst_strbuf_addf(out,
                    "    if (!%s(&old, &made, field)) {\n"
                    "        return memcmp(&made, &untouched, sizeof made) != 0;\n    }\n"
                    "    event_out(&made, &event);\n"
                    "    return event.type == type && event.state == 0 && !*field;\n}\n",
                    c->fixed.upcast);
}

/* The C functions that guards ask say what the test has put into adapter_linked[]. */
static inline void adapter_linked(bst_strbuf *out, const bst__c *c) {
    bst_strbuf_addf(out, "bool adapter_linked[%u];\n", BST_LINKED_MAX);
    for (uint32_t i = 0; i < c->machine->linked_count; i++) {
        bst_strbuf_addf(out,
                        "bool %s(const struct %s *entity, const struct %s *command) {\n"
                        "    return entity && command && adapter_linked[%u];\n}\n",
                        c->machine->linked[i], c->entity.tag, c->fixed.command, i);
    }
}

/* Writes <folder>/adapter.c. `more` (NULL: nothing) adds to it. */
typedef void adapter_more_fn(const bst_machine *machine, const bst__c *c, bst_strbuf *out);
static inline void adapter_write_with(const bst_machine *machine, const char *folder,
                                      adapter_more_fn *more) {
    static const bst_emit_options options;
    bst__c c = {.machine = machine, .arena = bst_arena_new()};
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf path = BST_STRBUF_INIT;
    bst__c_name_all(&c, &options);
    bst_strbuf_addf(&text, "#include \"%s.h\"\n%s", machine->id, adapter_head);
    adapter_conversions(&text, &c);
    adapter_functions(&text, &c);
    adapter_names(&text, &c);
    adapter_linked(&text, &c);
    if (c.older_count > 0) {
        adapter_upcast(&text, &c);
    }
    if (more) {
        more(machine, &c, &text);
    }
    bst_strbuf_addf(&path, "%s/adapter.c", folder);
    FILE *file = fopen(path.text, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text.text, 1, text.len, file), text.len);
    ck_assert_int_eq(fclose(file), 0);
    bst_strbuf_release(&text);
    bst_strbuf_release(&path);
    bst__c_names_free(&c);
    bst_arena_free(c.arena);
}

static inline void adapter_write(const bst_machine *machine, const char *folder) {
    adapter_write_with(machine, folder, NULL);
}

#endif
