/* fill() of generated C: an event takes its payload from the command that it comes from.
 *
 * Commands and events are structs of their own, even where they carry the same: they are different
 * things, and change at different times. But as long as they do, they are laid out alike, and small
 * ones are copied as they are, whichever it is: a switch over commands that come in any order would
 * take longer than the copy. All others are filled field by field; a field that the event requires
 * and the command need not have is asked for here.
 */
#include "emit_c_step_private.h"

/* Payloads that are copied whatever they are have no more fields than this. */
#define COPIED_FIELDS_MAX 4u

/* One field of the event under way: event->captured.amount = command->capture.amount; */
typedef struct filling {
    const bst__c_record *event, *command;
    const bst__c_field *to, *from; /* from NULL: the command has no such field */
} filling;

static void add_presence(bst__c *c, unsigned indent, const filling *f, bst_strbuf *out) {
    const bool asks = f->from && f->from->has;
    if (!f->to->has && asks) {
        bst_strbuf_addf(out, "%*sif (!command->%s.%s) {\n%*sreturn \"%s\";\n%*s}\n", (int)indent,
                        "", f->command->member, f->from->has, (int)indent + 4, "",
                        f->from->field->name, (int)indent, "");
    } else if (f->to->has) {
        const char *source =
            asks      ? bst__c_text(c, "command->%s.%s", f->command->member, f->from->has)
            : f->from ? "true"
                      : "false";
        bst__c_add_statement(
            out, indent, bst__c_text(c, "event->%s.%s = ", f->event->member, f->to->has), source);
    }
}

static void add_value(bst__c_step *step, unsigned indent, const filling *f, bst_strbuf *out) {
    bst_strbuf value = BST_STRBUF_INIT;
    if (f->from) {
        bst_strbuf_addf(&value, "command->%s.%s", f->command->member, f->from->member);
    } else {
        bst__c_scope scope = {.c = step->c};
        bst__c_zero(&scope, &f->to->field->type, false, &value);
        step->helpers |= scope.helpers;
    }
    bst__c_add_statement(out, indent,
                         bst__c_text(step->c, "event->%s.%s = ", f->event->member, f->to->member),
                         value.text);
    out->failed = out->failed || value.failed;
    bst_strbuf_release(&value);
}

static void add_fields(bst__c_step *step, unsigned indent, const bst__c_emission *emission,
                       bst_strbuf *out) {
    const bst__c_record *event = &step->c->events[emission->event];
    const bst__c_record *command = &step->c->commands[emission->command];
    for (uint32_t i = 0; i < event->count; i++) {
        const uint32_t from = emission->transition->payload_from[i];
        const filling f = {event, command, &event->fields[i],
                           from == BST_NONE ? NULL : &command->fields[from]};
        add_presence(step->c, indent, &f, out);
        add_value(step, indent, &f, out);
    }
}

/* ---- alike ---- */

static uint32_t most_fields(const bst__c_record *records, uint32_t count) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        most = records[i].count > most ? records[i].count : most;
    }
    return most;
}

/* Whether a command has one event, which carries the same in the same order. */
static bool is_alike(const bst__c *c, uint32_t command) {
    const bst__c_table *table = &c->table;
    if (table->command_first[command + 1] != table->command_first[command] + 1) {
        return false;
    }
    const uint32_t first = table->command_first[command];
    const bst__c_emission *emission = &table->emissions[table->of_command[first]];
    const bst__c_record *to = &c->events[emission->event], *from = &c->commands[command];
    bool alike = to->count > 0 && to->count == from->count;
    for (uint32_t i = 0; alike && i < to->count; i++) {
        alike = emission->transition->payload_from[i] == i &&
                bst_type_equal(&to->fields[i].field->type, &from->fields[i].field->type);
    }
    return alike;
}

/* The first command whose payload is copied; BST_NONE: none is. */
static uint32_t first_copied(const bst__c *c) {
    if (most_fields(c->commands, c->machine->command_count) > COPIED_FIELDS_MAX) {
        return BST_NONE;
    }
    uint32_t command = 0;
    while (command < c->machine->command_count && !is_alike(c, command)) {
        command++;
    }
    return command < c->machine->command_count ? command : BST_NONE;
}

/* Sizes are the compiler's affair; what both unions have room for is enough, and no more is there.
 */
static void add_copy(bst__c *c, uint32_t command, bst_strbuf *out) {
    const bst__c_table *table = &c->table;
    const uint32_t emission = table->of_command[table->command_first[command]];
    const char *const args[] = {bst__c_text(c, "const struct %s *command", c->fixed.command),
                                bst__c_text(c, "struct %s *event", c->fixed.event)};
    bst__c_comment(out, 0,
                   "Events carry what their commands do, laid out alike: copied, whatever it is.");
    bst__c_add_list(out, 0, "static inline void copy_payload(", args, 2, ") {");
    bst_strbuf_addf(out,
                    "    const size_t from = offsetof(struct %s, %s);\n"
                    "    const size_t to = offsetof(struct %s, %s);\n",
                    c->fixed.command, c->commands[command].member, c->fixed.event,
                    c->events[table->emissions[emission].event].member);
    bst_strbuf_adds(
        out, "    const size_t carried = sizeof *command - from, room = sizeof *event - to;\n"
             "    const unsigned char *in = (const unsigned char *)command + from;\n"
             "    unsigned char *out = (unsigned char *)event + to;\n"
             "    for (size_t i = 0; i < (carried < room ? carried : room); i++) {\n"
             "        out[i] = in[i];\n    }\n}\n\n");
}

/* ---- field by field ---- */

static void add_case(bst__c_step *step, uint32_t command, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_table *table = &c->table;
    const uint32_t first = table->command_first[command], end = table->command_first[command + 1];
    bool open = false; /* written so far */
    for (uint32_t k = first; k < end; k++) {
        const bst__c_emission *emission = &table->emissions[table->of_command[k]];
        if (c->events[emission->event].count == 0) {
            continue;
        }
        if (!open) {
            bst_strbuf_addf(out, "    case %s:\n", c->commands[command].constant);
        }
        if (end == first + 1) {
            add_fields(step, 8, emission, out);
        } else {
            bst_strbuf_addf(out, "%sif (event->type == %s) {\n", open ? " else " : "        ",
                            c->events[emission->event].constant);
            add_fields(step, 12, emission, out);
            bst_strbuf_adds(out, "        }");
        }
        open = true;
    }
    if (open) {
        bst_strbuf_adds(out, end == first + 1 ? "        break;\n" : "\n        break;\n");
    }
}

void bst__c_add_fill(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    if (!step->payloads) {
        return;
    }
    const uint32_t copied = first_copied(c);
    if (copied != BST_NONE) {
        add_copy(c, copied, out);
    }
    bst__c_comment(out, 0,
                   step->lacking ? "Fills in the payload. Returns the field that the command "
                                   "lacks, or NULL."
                                 : "Fills in the payload.");
    const char *const args[] = {bst__c_text(c, "const struct %s *command", c->fixed.command),
                                bst__c_text(c, "struct %s *event", c->fixed.event)};
    bst__c_add_list(out, 0, step->lacking ? "static const char *fill(" : "static void fill(", args,
                    2, ") {");
    bst_strbuf_adds(out, copied != BST_NONE ? "    copy_payload(command, event);\n" : "");
    bst_strbuf cases = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < c->machine->command_count; i++) {
        if (copied == BST_NONE || !is_alike(c, i)) {
            add_case(step, i, &cases);
        }
    }
    if (cases.len > 0) {
        bst_strbuf_addf(out,
                        "    switch (command->type) {\n%s    default:\n        break;\n    }\n",
                        cases.text);
    }
    out->failed = out->failed || cases.failed;
    bst_strbuf_release(&cases);
    bst_strbuf_adds(out, step->lacking ? "    return NULL;\n}\n\n" : "}\n\n");
}
