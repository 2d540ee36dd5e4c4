/* Graphviz: one digraph, states as rounded boxes, final states with a double border, creation from
 * a dot.
 *
 * States are called by number, so that no name can be a keyword of DOT; what is read stands in the
 * labels. An arrow says what UML does: command [guard] / event, over at most three lines. Only
 * double quotes, backslashes and line ends need escaping in a DOT string.
 */
#include "backstory/emit.h"

#include "emit_private.h"

/* Text inside a double-quoted DOT string. A backslash would start an escape such as \N (the node's
 * name). */
static void add_escaped(bst_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '"':
            bst_strbuf_adds(out, "\\\"");
            break;
        case '\\':
            bst_strbuf_adds(out, "\\\\");
            break;
        case '\n':
            bst_strbuf_adds(out, "\\n");
            break;
        default:
            bst_strbuf_addc(out, (unsigned char)*p < ' ' ? ' ' : *p);
        }
    }
}

/* `name`: what is shown when it has no label. */
static void add_state(bst_strbuf *out, const bst_machine *machine, uint32_t index,
                      const char *name) {
    const bst_state *state = &machine->states[index];
    bst_strbuf_addf(out, "    s%u [label=\"", (unsigned)index);
    add_escaped(out, state->label ? state->label : name);
    bst_strbuf_addc(out, '"');
    if (state->final) {
        bst_strbuf_adds(out, ", peripheries=2");
    }
    if (state->description) {
        bst_strbuf_adds(out, ", tooltip=\"");
        add_escaped(out, state->description);
        bst_strbuf_addc(out, '"');
    }
    bst_strbuf_adds(out, "];\n");
}

/* States inside others stand in their boxes. */
static void add_nodes(bst_strbuf *out, const bst_machine *machine, uint32_t around,
                      uint32_t *state) {
    for (uint32_t n = machine->nodes[around].first_child; n != BST_NONE;
         n = machine->nodes[n].next_sibling) {
        const bst_node *node = &machine->nodes[n];
        if (bst__emit_is_leaf(machine, n)) {
            add_state(out, machine, (*state)++, node->name);
            continue;
        }
        bst_strbuf_addf(out, "    subgraph cluster_%u {\n    label=\"", (unsigned)n);
        add_escaped(out, node->label ? node->label : node->name);
        bst_strbuf_adds(out, "\";\n    style=rounded;\n");
        add_nodes(out, machine, n, state);
        bst_strbuf_adds(out, "    }\n");
    }
}

static void add_states(bst_strbuf *out, const bst_machine *machine) {
    uint32_t state = 0;
    if (bst__emit_nests(machine)) {
        add_nodes(out, machine, 0, &state);
    }
    for (; state < machine->state_count; state++) {
        add_state(out, machine, state, machine->states[state].name);
    }
}

static void add_transition(bst_strbuf *out, const bst_machine *machine,
                           const bst_transition *transition, bst_strbuf *scratch) {
    const bst__arrow arrow = bst__emit_arrow(machine, transition, scratch);
    if (transition->from == BST_NONE) {
        bst_strbuf_adds(out, "    start");
    } else {
        bst_strbuf_addf(out, "    s%u", (unsigned)transition->from);
    }
    bst_strbuf_addf(out, " -> s%u [label=\"", (unsigned)transition->to);
    add_escaped(out, arrow.command);
    if (arrow.guard) {
        bst_strbuf_adds(out, "\\n[");
        add_escaped(out, arrow.guard);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_adds(out, "\\n/ ");
    add_escaped(out, arrow.event);
    bst_strbuf_adds(out, "\"];\n");
}

bst_status bst__emit_dot(const bst_machine *machine, const bst_emit_options *options,
                         bst_emit_files *files, bst_diags *diags) {
    (void)diags;
    bst_strbuf *out = &files->file[0].text;
    bst_strbuf scratch = BST_STRBUF_INIT;
    bst_strbuf_adds(out, "/* ");
    bst__emit_notice(machine, out);
    bst_strbuf_adds(out, " */\ndigraph \"");
    add_escaped(out, machine->id);
    bst_strbuf_addf(out, "\" {\n    rankdir=%s;\n", bst__emit_direction(options));
    if (machine->label) {
        bst_strbuf_adds(out, "    label=\"");
        add_escaped(out, machine->label);
        bst_strbuf_adds(out, "\";\n    labelloc=t;\n");
    }
    bst_strbuf_adds(out, "    fontname=\"Helvetica\";\n"
                         "    node [shape=box, style=rounded, fontname=\"Helvetica\"];\n"
                         "    edge [fontname=\"Helvetica\", fontsize=10];\n\n"
                         "    start [shape=point, width=0.15, label=\"\"];\n");
    add_states(out, machine);
    bst_strbuf_addc(out, '\n');
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        add_transition(out, machine, &machine->transitions[i], &scratch);
    }
    bst_strbuf_adds(out, "}\n");
    out->failed = out->failed || scratch.failed;
    bst_strbuf_release(&scratch);
    return BST_OK;
}
