/* States in Markdown: the diagram, the matrix of states and commands, what leaves each state. */
#include <string.h>

#include "backstory/check.h"
#include "emit_english_private.h"
#include "emit_markdown_private.h"

/* A table with more columns is no longer read; then each state has a list. */
#define MATRIX_COLUMNS_MAX 14
/* What Mermaid draws in reasonable time and a reader can follow. */
#define DIAGRAM_STATES_MAX      80
#define DIAGRAM_TRANSITIONS_MAX 250

static void add_target(bst__md *w, const bst_transition *t) {
    if (t->to == t->from) {
        bst__md_add(w, t->reenter ? "begins again" : "stays");
    } else {
        bst__md_code(w, w->machine->states[t->to].name);
    }
}

/* One cell of the matrix: where the command can lead; nothing when it is refused. */
static void add_cell(bst__md *w, uint32_t state, uint32_t command) {
    uint32_t first = 0;
    const uint32_t count = bst_machine_candidates(w->machine, state, command, &first);
    for (uint32_t i = 0; i < count; i++) {
        const bst_transition *t = &w->machine->transitions[first + i];
        bst__md_add(w, i == 0 ? "" : ", ");
        add_target(w, t);
        bst__md_add(w, t->guard != BST_NONE ? "?" : "");
    }
    if (count == 0 && bst_machine_handling(w->machine, state, command) == BST_HANDLING_IGNORED) {
        bst__md_add(w, "ignored");
    }
}

/* States that refuse everything have no row. */
static void add_refusing(bst__md *w) {
    const bst_machine *m = w->machine;
    const char *before = "\nEverything is refused in ";
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (m->states[s].transition_count == 0) {
            bst__md_add(w, before);
            bst__md_code(w, m->states[s].name);
            before = ", ";
        }
    }
    bst__md_add(w, *before == ',' ? ".\n" : "");
}

void bst__md_matrix(bst__md *w, const bool *creating, uint32_t columns) {
    const bst_machine *m = w->machine;
    if (columns == 0 || columns > MATRIX_COLUMNS_MAX) {
        return;
    }
    bst__md_add(
        w, "\n## What each state does with each command\n\n"
           "A name is the state that follows. With a `?` it has a condition (see below); an empty "
           "cell refuses.\n\n|  |");
    for (uint32_t c = 0; c < m->command_count; c++) {
        if (!creating[c]) {
            bst__md_add(w, " ");
            bst__md_code(w, m->commands[c].name);
            bst__md_add(w, " |");
        }
    }
    bst__md_add(w, "\n|---|");
    for (uint32_t c = 0; c < columns; c++) {
        bst__md_add(w, "---|");
    }
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (m->states[s].transition_count == 0) {
            continue;
        }
        bst__md_add(w, "\n| ");
        bst__md_code(w, m->states[s].name);
        bst__md_add(w, " |");
        for (uint32_t c = 0; c < m->command_count; c++) {
            if (!creating[c]) {
                bst__md_add(w, " ");
                add_cell(w, s, c);
                bst__md_add(w, " |");
            }
        }
    }
    bst__md_add(w, "\n");
    add_refusing(w);
}

/* The guard of a transition in words, its name behind. */
static void add_condition(bst__md *w, const bst_transition *t) {
    if (t->guard == BST_NONE) {
        return;
    }
    const bst_guard *guard = &w->machine->guards[t->guard];
    bst__md_english(w, guard->expr);
    if (guard->name) {
        bst__md_add(w, " (");
        bst__md_code(w, guard->name);
        bst__md_add(w, ")");
    }
}

static void add_transition(bst__md *w, const bst_transition *t) {
    bst__md_add(w, "| ");
    bst__md_code(w, w->machine->commands[t->command].name);
    if (t->after_us > 0) {
        bst_strbuf_clear(&w->text);
        bst__english_duration(t->after_us, &w->text);
        bst__md_add(w, ", by itself after ");
        bst__md_prose(w, w->text.text);
    }
    bst__md_add(w, " | ");
    add_condition(w, t);
    bst__md_add(w, " | ");
    bst__md_code(w, w->machine->events[t->event].name);
    bst__md_add(w, " | ");
    add_target(w, t);
    bst__md_add(w, " |\n");
}

static void add_transitions(bst__md *w, uint32_t first, uint32_t count) {
    bst__md_add(w, "\n| command | if | event | then |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        add_transition(w, &w->machine->transitions[first + i]);
    }
}

static void add_state(bst__md *w, const bst_state *state) {
    bst__md_add(w, "\n### ");
    bst__md_code(w, state->name);
    bst__md_add(w, "\n");
    if (state->label || state->description) {
        bst__md_add(w, "\n");
        bst__md_saying(w, state->label, state->description);
        bst__md_add(w, "\n");
    }
    if (state->transition_count > 0) {
        add_transitions(w, state->first_transition, state->transition_count);
    } else {
        bst__md_add(w, state->final ? "\nThe end: nothing leaves it.\n" : "\nNothing leaves it.\n");
    }
}

/* An end of which nothing more is to be said needs no part of its own. */
static bool is_plain_end(const bst_state *state) {
    return state->final && state->transition_count == 0 && !state->label && !state->description;
}

void bst__md_states(bst__md *w) {
    const bst_machine *m = w->machine;
    const char *before = "\n### Ends\n\nNothing leaves ";
    bst__md_add(w, "\n## States\n\n### Creation\n");
    add_transitions(w, 0, m->creation_count);
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (!is_plain_end(&m->states[s])) {
            add_state(w, &m->states[s]);
        }
    }
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (is_plain_end(&m->states[s])) {
            bst__md_add(w, before);
            bst__md_code(w, m->states[s].name);
            before = ", ";
        }
    }
    bst__md_add(w, *before == ',' ? ".\n" : "");
}

void bst__md_diagram(bst__md *w, const bst_emit_options *options, bst_diags *diags) {
    const bst_machine *m = w->machine;
    if (m->state_count > DIAGRAM_STATES_MAX || m->transition_count > DIAGRAM_TRANSITIONS_MAX) {
        return;
    }
    bst_emit_files files;
    bst_emit_files_init(&files);
    w->failed = bst__emit_mermaid(m, options, &files, diags) != BST_OK ||
                files.file[0].text.failed || w->failed;
    const char *body = strchr(files.file[0].text.text, '\n'); /* behind its own notice */
    bst_strbuf_addf(w->out, "\n```mermaid%s```\n", body ? body : "\n");
    bst_emit_files_release(&files);
}
