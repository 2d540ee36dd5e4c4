/* fill() of generated C: an event takes its payload from the command that it comes from, field by
 * field.
 *
 * Commands and events are structs of their own, even where they carry the same: they are different
 * things, and change at different times. A field that the event requires and the command need not
 * have is asked for here.
 */
#include "emit_c_step_private.h"

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

static void add_case(bst__c_step *step, uint32_t command, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_table *table = &c->table;
    const uint32_t first = table->command_first[command], end = table->command_first[command + 1];
    bool open = false;
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
    bst__c_comment(out, 0,
                   step->lacking ? "Fills in the payload. Returns the field that the command "
                                   "lacks, or NULL."
                                 : "Fills in the payload.");
    const char *const args[] = {bst__c_text(c, "const struct %s *command", c->fixed.command),
                                bst__c_text(c, "struct %s *event", c->fixed.event)};
    bst__c_add_list(out, 0, step->lacking ? "static const char *fill(" : "static void fill(", args,
                    2, ") {");
    bst_strbuf_adds(out, "    switch (command->type) {\n");
    for (uint32_t i = 0; i < c->machine->command_count; i++) {
        add_case(step, i, out);
    }
    bst_strbuf_adds(out, "    default:\n        break;\n    }\n");
    bst_strbuf_adds(out, step->lacking ? "    return NULL;\n}\n\n" : "}\n\n");
}
