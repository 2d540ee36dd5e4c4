/* Graphviz: one digraph, states as rounded boxes, final states with a double border, creation from
 * a dot.
 *
 * States are called by number, so that no name can be a keyword of DOT; what is read stands in
 * labels of Graphviz' own small HTML. Transitions from one state to another are one arrow, with a
 * paragraph each: command, [guard], event. With weights it says how often each was taken, and is as
 * wide as that. In a large machine, where labels would hide what they explain, they stand in
 * tooltips.
 */
#include "backstory/emit.h"

#include <stdlib.h>

#include "backstory/arena.h"
#include "emit_private.h"

/* More cannot be read on paper. */
#define LABELLED_ARROWS_MAX 400
#define PARAGRAPHS_MAX      6 /* of one arrow */

#define INK   "#1f2d3d"
#define FAINT "#6b7a8c"

typedef struct writer {
    const bst_machine *machine;
    const uint64_t *weights; /* by transition, or NULL */
    uint64_t heaviest;       /* of an arrow */
    bst_strbuf *out;
    bst_strbuf scratch;
    bool labelled;
} writer;

/* ---- text ---- */

/* Text inside a double-quoted DOT string. A backslash would start an escape such as \N (the node's
 * name). */
static void add_quoted(bst_strbuf *out, const char *text) {
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

/* Text inside a label of Graphviz' HTML. */
static void add_html(bst_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '<':
            bst_strbuf_adds(out, "&lt;");
            break;
        case '>':
            bst_strbuf_adds(out, "&gt;");
            break;
        case '&':
            bst_strbuf_adds(out, "&amp;");
            break;
        case '\n':
            bst_strbuf_adds(out, "<BR/>");
            break;
        default:
            bst_strbuf_addc(out, (unsigned char)*p < ' ' ? ' ' : *p);
        }
    }
}

/* ---- states ---- */

/* `name`: what is shown when it has no label. */
static void add_state(writer *w, uint32_t index, const char *name) {
    const bst_state *state = &w->machine->states[index];
    bst_strbuf_addf(w->out, "    s%u [label=\"", (unsigned)index);
    add_quoted(w->out, state->label ? state->label : name);
    bst_strbuf_addc(w->out, '"');
    if (state->final) {
        bst_strbuf_adds(w->out, ", peripheries=2, fillcolor=\"#f2f2f2\", color=\"#8c8c8c\"");
    }
    if (state->description) {
        bst_strbuf_adds(w->out, ", tooltip=\"");
        add_quoted(w->out, state->description);
        bst_strbuf_addc(w->out, '"');
    }
    bst_strbuf_adds(w->out, "];\n");
}

/* States inside others stand in their boxes. */
static void add_nodes(writer *w, uint32_t around, uint32_t *state) {
    const bst_machine *machine = w->machine;
    for (uint32_t n = machine->nodes[around].first_child; n != BST_NONE;
         n = machine->nodes[n].next_sibling) {
        const bst_node *node = &machine->nodes[n];
        if (bst__emit_is_leaf(machine, n)) {
            add_state(w, (*state)++, node->name);
            continue;
        }
        bst_strbuf_addf(w->out, "    subgraph cluster_%u {\n    label=\"", (unsigned)n);
        add_quoted(w->out, node->label ? node->label : node->name);
        bst_strbuf_adds(w->out, "\";\n    style=\"rounded,filled\";\n    fillcolor=\"#f8fafc\";\n"
                                "    color=\"#b4c0cf\";\n");
        add_nodes(w, n, state);
        bst_strbuf_adds(w->out, "    }\n");
    }
}

static void add_states(writer *w) {
    uint32_t state = 0;
    if (bst__emit_nests(w->machine)) {
        add_nodes(w, 0, &state);
    }
    for (; state < w->machine->state_count; state++) {
        add_state(w, state, w->machine->states[state].name);
    }
}

/* ---- arrows ---- */

static void add_count(writer *w, uint32_t transition, bst_strbuf *out) {
    if (w->weights) {
        bst_strbuf_adds(out, "  \xc3\x97 "); /* a multiplication sign */
        bst__emit_number(w->weights[transition], out);
    }
}

static void add_paragraph(writer *w, uint32_t transition) {
    const bst__arrow arrow =
        bst__emit_arrow(w->machine, &w->machine->transitions[transition], &w->scratch);
    bst_strbuf_adds(w->out, "<B>");
    add_html(w->out, arrow.command);
    bst_strbuf_adds(w->out, "</B>");
    add_count(w, transition, w->out);
    if (arrow.guard) {
        bst_strbuf_adds(w->out, "<BR/>[");
        add_html(w->out, arrow.guard);
        bst_strbuf_addc(w->out, ']');
    }
    bst_strbuf_adds(w->out, "<BR/><FONT COLOR=\"" FAINT "\">");
    add_html(w->out, arrow.event);
    bst_strbuf_adds(w->out, "</FONT>");
}

static void add_tooltip(writer *w, const uint32_t *transitions, uint32_t count) {
    bst_strbuf_adds(w->out, "tooltip=\"");
    for (uint32_t i = 0; i < count; i++) {
        const bst__arrow arrow =
            bst__emit_arrow(w->machine, &w->machine->transitions[transitions[i]], &w->scratch);
        bst_strbuf_adds(w->out, i > 0 ? "\\n" : "");
        add_quoted(w->out, arrow.command);
        add_count(w, transitions[i], w->out);
        if (arrow.guard) {
            bst_strbuf_adds(w->out, " [");
            add_quoted(w->out, arrow.guard);
            bst_strbuf_addc(w->out, ']');
        }
        bst_strbuf_adds(w->out, " / ");
        add_quoted(w->out, arrow.event);
    }
    bst_strbuf_addc(w->out, '"');
}

static void add_width(writer *w, uint64_t weight) {
    const unsigned tenths = bst__emit_width(weight, w->heaviest);
    if (weight == 0) {
        bst_strbuf_adds(w->out, ", style=dashed, color=\"#b4c0cf\"");
    } else {
        bst_strbuf_addf(w->out, ", penwidth=%u.%u", tenths / 10, tenths % 10);
    }
}

static uint64_t weight_of(const writer *w, const uint32_t *transitions, uint32_t count) {
    uint64_t sum = 0;
    for (uint32_t i = 0; w->weights && i < count; i++) {
        sum += w->weights[transitions[i]];
    }
    return sum;
}

/* All transitions from one state to another. */
static void add_arrow(writer *w, const uint32_t *transitions, uint32_t count) {
    const bst_transition *first = &w->machine->transitions[transitions[0]];
    const uint32_t shown = count > PARAGRAPHS_MAX ? PARAGRAPHS_MAX - 1 : count;
    if (first->from == BST_NONE) {
        bst_strbuf_adds(w->out, "    start");
    } else {
        bst_strbuf_addf(w->out, "    s%u", (unsigned)first->from);
    }
    bst_strbuf_addf(w->out, " -> s%u [", (unsigned)first->to);
    if (w->labelled) {
        bst_strbuf_adds(w->out, "label=<");
        for (uint32_t i = 0; i < shown; i++) {
            bst_strbuf_adds(w->out, i > 0 ? "<BR/>" : "");
            add_paragraph(w, transitions[i]);
        }
        if (shown < count) {
            bst_strbuf_addf(w->out, "<BR/>and %u more", (unsigned)(count - shown));
        }
        /* the line below is wide */
        bst_strbuf_adds(w->out, w->weights ? "<BR/><FONT POINT-SIZE=\"4\"> </FONT>" : "");
        bst_strbuf_adds(w->out, ">");
    }
    if (!w->labelled || shown < count) {
        bst_strbuf_adds(w->out, w->labelled ? ", " : "");
        add_tooltip(w, transitions, count);
    }
    if (w->weights) {
        add_width(w, weight_of(w, transitions, count));
    }
    bst_strbuf_adds(w->out, "];\n");
}

typedef struct arrows {
    uint32_t *order; /* transitions, those of one arrow together */
    uint32_t *first; /* of each arrow, and the end */
    uint32_t count;
} arrows;

typedef struct sorted {
    uint32_t from, to, number;
} sorted;

static int compare(const void *a, const void *b) {
    const sorted *x = a;
    const sorted *y = b;
    const int from = (x->from > y->from) - (x->from < y->from);
    const int to = (x->to > y->to) - (x->to < y->to);
    return from ? from : to ? to : (x->number > y->number) - (x->number < y->number);
}

/* Those of a state stand together already, and nothing comes before creations. */
static bool gather(const bst_machine *machine, bst_arena *arena, arrows *ret) {
    const uint32_t count = machine->transition_count;
    sorted *list = bst_arena_array(arena, count, sizeof *list);
    ret->order = bst_arena_array(arena, count, sizeof *ret->order);
    ret->first = bst_arena_array(arena, (size_t)count + 1, sizeof *ret->first);
    if (!list || !ret->order || !ret->first) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const bst_transition *t = &machine->transitions[i];
        list[i] = (sorted){t->from + 1, t->to, i}; /* BST_NONE first */
    }
    qsort(list, count, sizeof *list, compare);
    ret->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        ret->order[i] = list[i].number;
        if (i == 0 || list[i].from != list[i - 1].from || list[i].to != list[i - 1].to) {
            ret->first[ret->count++] = i;
        }
    }
    ret->first[ret->count] = count;
    return true;
}

static void add_arrows(writer *w, const arrows *all) {
    for (uint32_t i = 0; w->weights && i < all->count; i++) {
        const uint64_t weight =
            weight_of(w, &all->order[all->first[i]], all->first[i + 1] - all->first[i]);
        w->heaviest = weight > w->heaviest ? weight : w->heaviest;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        add_arrow(w, &all->order[all->first[i]], all->first[i + 1] - all->first[i]);
    }
}

/* ---- the file ---- */

static void add_head(writer *w, const bst_emit_options *options) {
    const bst_machine *machine = w->machine;
    bst_strbuf_adds(w->out, "/* ");
    bst__emit_notice(machine, w->out);
    bst_strbuf_adds(w->out, " */\ndigraph \"");
    add_quoted(w->out, machine->id);
    bst_strbuf_addf(w->out, "\" {\n    rankdir=%s;\n", bst__emit_direction(options));
    if (machine->label) {
        bst_strbuf_adds(w->out, "    label=\"");
        add_quoted(w->out, machine->label);
        bst_strbuf_adds(w->out, "\";\n    labelloc=t;\n");
    }
    bst_strbuf_adds(w->out,
                    "    fontname=\"Helvetica,Arial,sans-serif\";\n"
                    "    fontcolor=\"" INK "\";\n"
                    "    pad=0.2;\n"
                    "    nodesep=0.35;\n"
                    "    node [shape=box, style=\"rounded,filled\", fillcolor=\"#e8f0fb\", "
                    "color=\"#4a6fa5\",\n"
                    "          fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"" INK "\", "
                    "margin=\"0.18,0.08\"];\n"
                    "    edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=10, "
                    "fontcolor=\"" INK "\",\n"
                    "          color=\"" FAINT "\", arrowsize=0.8];\n\n"
                    "    start [shape=point, width=0.16, fillcolor=\"" INK "\", label=\"\"];\n");
}

bst_status bst__emit_dot(const bst_machine *machine, const bst_emit_options *options,
                         bst_emit_files *files, bst_diags *diags) {
    bst_arena *arena = bst_arena_new();
    writer w = {.machine = machine, .weights = options->weights, .out = &files->file[0].text};
    arrows all = {0};
    const bool gathered = arena && gather(machine, arena, &all);
    bst_strbuf_init(&w.scratch);
    if (gathered) {
        w.labelled = all.count <= LABELLED_ARROWS_MAX;
        add_head(&w, options);
        add_states(&w);
        bst_strbuf_addc(w.out, '\n');
        add_arrows(&w, &all);
        bst_strbuf_adds(w.out, "}\n");
    }
    const bool failed = !gathered || w.scratch.failed;
    bst_strbuf_release(&w.scratch);
    bst_arena_free(arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
