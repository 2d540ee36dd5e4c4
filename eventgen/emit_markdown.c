/* Markdown (GitHub's): what a machine does, for people. States and what they do with each command,
 * the diagram, events, commands, and each guard in words.
 */
#include <string.h>

#include "backstory/check.h"
#include "emit_english_private.h"
#include "emit_markdown_private.h"
#include "emit_names_private.h"

static void add_fields(bst__md *w, const bst_field *fields, uint32_t count) {
    if (count == 0) {
        return;
    }
    bst__md_add(w, "\n| field | type | |\n|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        bst__md_add(w, "| ");
        bst__md_code(w, fields[i].name);
        bst__md_add(w, " | ");
        bst__md_type(w, &fields[i].type);
        bst__md_add(w, " | ");
        bst__md_saying(w, fields[i].label, fields[i].description);
        bst__md_add(w, fields[i].label || fields[i].description ? " |\n" : "|\n");
    }
}

static bool is_copy(const bst_machine *m, const bst_event_type *event, const bst_assignment *a) {
    return !a->expr && strcmp(m->fields[a->field].name, event->fields[a->event_field].name) == 0;
}

/* `amount: amount`: the entity's own, which a field of the event of that name does not set. */
static bool keeps(const bst_assignment *a) {
    return a->expr && a->expr->op == BST_EXPR_REF && a->expr->root == BST_ROOT_ENTITY &&
           a->expr->index == a->field;
}

/* "Sets currency. captured becomes captured plus the event's amount." */
static void add_effect(bst__md *w, const bst_event_type *event) {
    const bst_machine *m = w->machine;
    const char *before = "\nSets ";
    for (uint32_t i = 0; i < event->assignment_count; i++) {
        if (is_copy(m, event, &event->assignments[i])) {
            bst__md_add(w, before);
            bst__md_code(w, m->fields[event->assignments[i].field].name);
            before = ", ";
        }
    }
    bst__md_add(w, *before == ',' ? ".\n" : "");
    before = "\n";
    for (uint32_t i = 0; i < event->assignment_count; i++) {
        const bst_assignment *a = &event->assignments[i];
        if (is_copy(m, event, a) || keeps(a)) {
            continue;
        }
        bst__md_add(w, before);
        bst__md_code(w, m->fields[a->field].name);
        bst__md_add(w, " becomes ");
        bst_strbuf_clear(&w->text);
        if (a->expr) {
            bst__english_value(a->expr, &w->text);
        } else {
            bst_strbuf_addf(&w->text, "the event's %s", event->fields[a->event_field].name);
        }
        bst__md_prose(w, w->text.text);
        w->failed = w->failed || w->text.failed;
        before = "; ";
    }
    bst__md_add(w, *before == ';' ? ".\n" : "");
}

static void add_origin(bst__md *w, uint32_t event) {
    const bst__emission *emission = &w->emissions[event];
    const bst_builtin builtin = w->machine->events[event].builtin;
    if (builtin != BST_BUILTIN_NONE) {
        bst__md_add(
            w, builtin == BST_BUILTIN_GENESIS
                   ? "\nWritten by a migration, where the past cannot be told: any state, every "
                     "field.\n"
                   : "\nWritten by a migration that sets fields right; the state stays.\n");
    } else if (emission->state_count > 0) {
        bst__md_add(w, "\nFrom ");
        bst__md_list(w, emission->commands, emission->command_count, false);
        bst__md_add(w, " to ");
        bst__md_list(w, emission->states, emission->state_count, true);
        bst__md_add(w, ".\n");
    }
}

static void add_event(bst__md *w, const bst__payload *payload) {
    const bst_event_type *event = &w->machine->events[payload->event];
    bst__md_add(w, payload->current ? "\n### " : "\n#### ");
    bst__md_code(w, event->name);
    if (payload->version != 1 || event->version != 1) {
        bst_strbuf_addf(w->out, ", version %u", (unsigned)payload->version);
    }
    bst__md_add(w, "\n");
    if (payload->current) {
        if (event->label || event->description) {
            bst__md_add(w, "\n");
            bst__md_saying(w, event->label, event->description);
            bst__md_add(w, "\n");
        }
        add_origin(w, payload->event);
    }
    add_fields(w, payload->fields, payload->field_count);
    if (payload->current && event->builtin == BST_BUILTIN_NONE) {
        add_effect(w, event);
    }
}

static void add_commands(bst__md *w) {
    bst__md_add(w, "\n## Commands\n\n| command | carries | |\n|---|---|---|\n");
    for (uint32_t i = 0; i < w->machine->command_count; i++) {
        const bst_command *command = &w->machine->commands[i];
        bst__md_add(w, "| ");
        bst__md_code(w, command->name);
        bst__md_add(w, " | ");
        for (uint32_t f = 0; f < command->field_count; f++) {
            bst__md_add(w, f == 0 ? "" : "; ");
            bst__md_code(w, command->fields[f].name);
            bst__md_add(w, " ");
            bst__md_type(w, &command->fields[f].type);
        }
        bst__md_add(w, " | ");
        bst__md_saying(w, command->label, command->description);
        bst__md_add(w, " |\n");
    }
}

static void add_entity(bst__md *w) {
    const bst_machine *m = w->machine;
    if (m->field_count == 0) {
        return;
    }
    bst__md_add(w, "\n## Fields\n\nWhat it carries beside its state.\n\n"
                   "| field | type | at first | |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < m->field_count; i++) {
        const bst_field *field = &m->fields[i];
        bst__md_add(w, "| ");
        bst__md_code(w, field->name);
        bst__md_add(w, " | ");
        bst__md_type(w, &field->type);
        bst__md_add(w, " | ");
        if (field->default_value.present) {
            bst_strbuf_clear(&w->text);
            bst_value_to_text(&field->type, &field->default_value, &w->text);
            if (w->text.len > 0) {
                bst__md_code(w, w->text.text);
            }
            w->failed = w->failed || w->text.failed;
        }
        bst__md_add(w, " | ");
        bst__md_saying(w, field->label, field->description);
        bst__md_add(w, " |\n");
    }
}

/* A guard that reads a command's payload exists once for each command: each name once here. */
static void add_guards(bst__md *w) {
    const bst_machine *m = w->machine;
    bst__names *known = NULL;
    for (uint32_t i = 0; i < m->guard_count; i++) {
        const bst_guard *guard = &m->guards[i];
        if (!guard->name || bst__names_has(known, guard->name)) {
            continue;
        }
        if (!known) {
            bst__md_add(w, "\n## Conditions\n\n| name | in words | as written |\n|---|---|---|\n");
        }
        w->failed = !bst__names_claim(&known, w->arena, "%s", guard->name) || w->failed;
        bst__md_add(w, "| ");
        bst__md_code(w, guard->name);
        bst__md_add(w, " | ");
        if (guard->description) {
            bst__md_prose(w, guard->description);
            bst__md_add(w, " That is: ");
        }
        bst__md_english(w, guard->expr);
        bst__md_add(w, ". | ");
        bst_strbuf_clear(&w->text);
        bst_expr_format(guard->expr, &w->text);
        bst__md_code(w, w->text.text);
        w->failed = w->failed || w->text.failed;
        bst__md_add(w, " |\n");
    }
    bst__names_free(&known);
}

/* ---- the page ---- */

static void add_page(bst__md *w, const bst_emit_options *options, bst_diags *diags) {
    const bst_machine *m = w->machine;
    bool *creating = bst_arena_array(w->arena, m->command_count, sizeof *creating);
    uint32_t columns = 0;
    if (!creating) {
        w->failed = true;
        return;
    }
    bst_machine_creating(m, creating);
    for (uint32_t i = 0; i < m->command_count; i++) {
        columns += !creating[i];
    }
    bst__md_add(w, "<!-- ");
    bst__emit_notice(m, w->out);
    bst__md_add(w, " -->\n\n# ");
    bst__md_prose(w, m->label ? m->label : m->id);
    bst__md_add(w, "\n");
    if (m->description) {
        bst__md_add(w, "\n");
        bst__md_prose(w, m->description);
        bst__md_add(w, "\n");
    }
    bst__md_diagram(w, options, diags);
    bst__md_matrix(w, creating, columns);
    bst__md_states(w);
    add_guards(w);
    add_entity(w);
    bst__md_add(w, "\n## Events\n");
    for (uint32_t i = 0; i < w->payload_count; i++) {
        add_event(w, &w->payloads[i]);
    }
    add_commands(w);
}

bst_status bst__emit_markdown(const bst_machine *machine, const bst_emit_options *options,
                              bst_emit_files *files, bst_diags *diags) {
    bst__md w = {.machine = machine, .arena = bst_arena_new(), .out = &files->file[0].text};
    bst_strbuf_init(&w.text);
    w.emissions = w.arena ? bst__emissions(machine, w.arena) : NULL;
    w.payloads = w.arena ? bst__payloads(machine, w.arena, &w.payload_count) : NULL;
    w.failed = !w.emissions || !w.payloads;
    if (!w.failed) {
        add_page(&w, options, diags);
    }
    bst_strbuf_release(&w.text);
    bst_arena_free(w.arena);
    return w.failed ? bst_diag_nomem(diags) : BST_OK;
}
