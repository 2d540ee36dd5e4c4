/* The parts of the Markdown emitter. */
#ifndef BACKSTORY_EMIT_MARKDOWN_PRIVATE_H
#define BACKSTORY_EMIT_MARKDOWN_PRIVATE_H

#include "emit_emissions_private.h"
#include "emit_private.h"

/* One machine on its way to a page. */
typedef struct bst__md {
    const bst_machine *machine;
    const bst__emission *emissions;
    const bst__payload *payloads;
    uint32_t payload_count;
    bst_arena *arena;
    bst_strbuf *out;
    bst_strbuf text; /* scratch */
    bool failed;     /* out of memory */
} bst__md;

/* emit_markdown_text.c. As it stands. */
void bst__md_add(bst__md *w, const char *text);
/* Prose: no mark means anything, and a line end is a space. NULL is nothing. */
void bst__md_prose(bst__md *w, const char *text);
/* `text`, in a fence longer than any in it; `|` would end the cell of a table even there. */
void bst__md_code(bst__md *w, const char *text);
void bst__md_english(bst__md *w, const bst_expr *expr);
void bst__md_type(bst__md *w, const bst_type *type);
/* "label: description", whichever there are. */
void bst__md_saying(bst__md *w, const char *label, const char *description);
/* Names of states, or of commands. */
void bst__md_list(bst__md *w, const uint32_t *items, uint32_t count, bool states);

/* emit_markdown_states.c. The diagram, if it can be drawn; the matrix, if it can be read; each
 * state and what leaves it. `creating`: commands that only create. */
void bst__md_diagram(bst__md *w, const bst_emit_options *options, bst_diags *diags);
void bst__md_matrix(bst__md *w, const bool *creating, uint32_t columns);
void bst__md_states(bst__md *w);

#endif
