/* Mermaid: a stateDiagram-v2, which GitHub and GitLab draw from a Markdown file; with weights a
 * flowchart, whose lines can be as wide as they are frequent.
 *
 * Mermaid has no quoting: a label runs to the end of its line, and characters with a meaning are
 * written as entities
 * (`#35;`). Its state names share a word list with its keywords (a state called `end` breaks the
 * diagram), so those get another name and are shown under their own.
 */
#include "backstory/emit.h"

#include <ctype.h>
#include <string.h>

#include "emit_private.h"

/* Letters, digits and a few marks that mean nothing to Mermaid as they are; bytes of UTF-8 too. */
static bool is_plain(char c) {
    return isalnum((unsigned char)c) || (c & 0x80) || (c && strchr(" _-+*=.,/()[]!?'|", c));
}

static void add_escaped(bst_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        if (is_plain(*p)) {
            bst_strbuf_addc(out, *p);
        } else if (*p == '\n') {
            bst_strbuf_adds(out, "<br/>");
        } else {
            bst_strbuf_addf(out, "#%d;", *p);
        }
    }
}

static bool is_keyword(const char *name) {
    static const char *const words[] = {
        "acctitle",   "accdescr", "as",        "choice",      "class",    "classdef", "click",
        "concurrent", "default",  "direction", "end",         "fork",     "hide",     "href",
        "join",       "note",     "scale",     "state",       "style",    "tb",       "lr",
        "rl",         "bt",       "root",      "constructor", "__proto__"};
    char lower[16];
    size_t len = 0;
    for (; name[len] && len < sizeof lower - 1; len++) {
        lower[len] = (char)tolower((unsigned char)name[len]);
    }
    lower[len] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !name[len]; i++) {
        if (strcmp(words[i], lower) == 0) {
            return true;
        }
    }
    return false;
}

/* `s_end`; a state really called `s_end` becomes `s_s_end`, so no two meet. What joins the names of
 * nodes becomes `_`: that these do not meet either, the loader has seen to. */
static void add_name(bst_strbuf *out, const char *name) {
    bst_strbuf_adds(out, is_keyword(name) || strncmp(name, "s_", 2) == 0 ? "s_" : "");
    for (const char *p = name; *p; p++) {
        bst_strbuf_addc(out, isalnum((unsigned char)*p) ? *p : '_');
    }
}

static void add_state_name(bst_strbuf *out, const bst_machine *machine, uint32_t index) {
    add_name(out, machine->states[index].name);
}

/* `state "shown" as name`, or the name alone where it is what is shown. */
static void add_declaration(bst_strbuf *out, const char *shown, const char *name) {
    if (strcmp(shown, name) != 0 || is_keyword(name) || strpbrk(name, ".+~")) {
        bst_strbuf_adds(out, "state \"");
        add_escaped(out, shown);
        bst_strbuf_adds(out, "\" as ");
    }
    add_name(out, name);
}

static void add_state(bst_strbuf *out, const bst_machine *machine, uint32_t index) {
    const bst_state *state = &machine->states[index];
    bst_strbuf_adds(out, "    ");
    add_declaration(out, state->label ? state->label : state->name, state->name);
    bst_strbuf_addc(out, '\n');
}

/* States inside others stand in their boxes. */
static void add_nodes(bst_strbuf *out, const bst_machine *machine, uint32_t around) {
    for (uint32_t n = machine->nodes[around].first_child; n != BST_NONE;
         n = machine->nodes[n].next_sibling) {
        const bst_node *node = &machine->nodes[n];
        bst_strbuf_addf(out, "%*s", (int)(4 * node->depth), "");
        if (!bst__emit_is_leaf(machine, n)) {
            bst_strbuf_adds(out, "state \"");
            add_escaped(out, node->label ? node->label : node->name);
            bst_strbuf_adds(out, "\" as ");
            add_name(out, node->path);
            bst_strbuf_adds(out, " {\n");
            add_nodes(out, machine, n);
            bst_strbuf_addf(out, "%*s}\n", (int)(4 * node->depth), "");
            continue;
        }
        add_declaration(out, node->label ? node->label : node->name, node->path);
        bst_strbuf_addc(out, '\n');
    }
}

static void add_transition(bst_strbuf *out, const bst_machine *machine,
                           const bst_transition *transition, bst_strbuf *scratch) {
    const bst__arrow arrow = bst__emit_arrow(machine, transition, scratch);
    bst_strbuf_adds(out, "    ");
    if (transition->from == BST_NONE) {
        bst_strbuf_adds(out, "[*]");
    } else {
        add_state_name(out, machine, transition->from);
    }
    bst_strbuf_adds(out, " --> ");
    add_state_name(out, machine, transition->to);
    bst_strbuf_adds(out, " : ");
    add_escaped(out, arrow.command);
    if (arrow.guard) {
        bst_strbuf_adds(out, " [");
        add_escaped(out, arrow.guard);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_adds(out, " / ");
    add_escaped(out, arrow.event);
    bst_strbuf_addc(out, '\n');
}

/* ---- with weights ---- */

static void add_box(bst_strbuf *out, const bst_machine *machine, uint32_t index) {
    const bst_state *state = &machine->states[index];
    bst_strbuf_addf(out, "    s%u%s\"", (unsigned)index, state->final ? "([" : "(");
    add_escaped(out, state->label ? state->label : state->name);
    bst_strbuf_adds(out, state->final ? "\"])\n" : "\")\n");
}

static void add_link(bst_strbuf *out, const bst_machine *machine, uint32_t number, uint64_t weight,
                     bst_strbuf *scratch) {
    const bst_transition *t = &machine->transitions[number];
    const bst__arrow arrow = bst__emit_arrow(machine, t, scratch);
    if (t->from == BST_NONE) {
        bst_strbuf_adds(out, "    start -- \"");
    } else {
        bst_strbuf_addf(out, "    s%u -- \"", (unsigned)t->from);
    }
    add_escaped(out, arrow.command);
    bst_strbuf_adds(out, " \xc3\x97 "); /* a multiplication sign */
    bst__emit_number(weight, out);
    if (arrow.guard) {
        bst_strbuf_adds(out, "<br/>[");
        add_escaped(out, arrow.guard);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_adds(out, "<br/>");
    add_escaped(out, arrow.event);
    bst_strbuf_addf(out, "\" --> s%u\n", (unsigned)t->to);
}

/* A flowchart: the lines of a state diagram have one width. */
static void add_flowchart(bst_strbuf *out, const bst_machine *machine,
                          const bst_emit_options *options, bst_strbuf *scratch) {
    uint64_t heaviest = 0;
    bst_strbuf_addf(out, "flowchart %s\n    start((\" \"))\n", bst__emit_direction(options));
    for (uint32_t i = 0; i < machine->state_count; i++) {
        add_box(out, machine, i);
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        add_link(out, machine, i, options->weights[i], scratch);
        heaviest = options->weights[i] > heaviest ? options->weights[i] : heaviest;
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const unsigned tenths = bst__emit_width(options->weights[i], heaviest);
        bst_strbuf_addf(out, "    linkStyle %u stroke-width:%u.%upx%s\n", (unsigned)i, tenths / 10,
                        tenths % 10, options->weights[i] ? "" : ",stroke-dasharray:4");
    }
}

static void add_diagram(bst_strbuf *out, const bst_machine *machine,
                        const bst_emit_options *options, bst_strbuf *scratch) {
    bst_strbuf_addf(out, "stateDiagram-v2\n    direction %s\n", bst__emit_direction(options));
    const bool nests = bst__emit_nests(machine);
    if (nests) {
        add_nodes(out, machine, 0);
    }
    for (uint32_t i = 0; !nests && i < machine->state_count; i++) {
        add_state(out, machine, i);
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        add_transition(out, machine, &machine->transitions[i], scratch);
    }
    for (uint32_t i = 0; i < machine->state_count; i++) {
        if (machine->states[i].final) {
            bst_strbuf_adds(out, "    ");
            add_state_name(out, machine, i);
            bst_strbuf_adds(out, " --> [*]\n");
        }
    }
}

bst_status bst__emit_mermaid(const bst_machine *machine, const bst_emit_options *options,
                             bst_emit_files *files, bst_diags *diags) {
    (void)diags;
    bst_strbuf *out = &files->file[0].text;
    bst_strbuf scratch = BST_STRBUF_INIT;
    bst_strbuf_adds(out, "%% ");
    bst__emit_notice(machine, out);
    bst_strbuf_addc(out, '\n');
    if (options->weights) {
        add_flowchart(out, machine, options, &scratch);
    } else {
        add_diagram(out, machine, options, &scratch);
    }
    out->failed = out->failed || scratch.failed;
    bst_strbuf_release(&scratch);
    return BST_OK;
}
