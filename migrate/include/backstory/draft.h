/* Drafts of a machine and a mapping, from a live table or a CSV file.
 *
 * What the catalogue and the rows prove is taken; what they only suggest is taken too, and said in
 * a `description` of the draft. Both texts pass `check`, and `plan` runs on them: they are meant to
 * be edited.
 *
 *     bst_draft draft;
 *     if (bst_draft_make(&(bst_draft_options){.from = "dbname=shop", .table = "payments"}, &draft,
 *                        diags) == BST_OK)
 *         fputs(draft.machine, stdout);
 *     bst_draft_release(&draft);
 */
#ifndef BACKSTORY_DRAFT_H
#define BACKSTORY_DRAFT_H

#include "backstory/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_DRAFT_STATES_MAX 200u /* more distinct values than this are no state */
#define BST_DRAFT_PATHS_MAX  20000u

typedef struct bst_draft_options {
    const char *from;  /* a connection string, a .csv file, or a folder that has `<table>.csv` */
    const char *table; /* "public.payments"; NULL with a .csv file: named after it */
    const char *key;   /* columns with commas between them; NULL: the primary or a unique key */
    const char *state; /* NULL: guessed; several with commas between them become regions */
    /* columns that are taken for no evidence, whatever they look like; ended by NULL; NULL: none */
    const char *const *doubted;
    double sample_percent; /* PostgreSQL only: of the table's pages; 0: all rows are read */
} bst_draft_options;

typedef struct bst_draft_state {
    const char *name, *code;
    uint64_t rows;
    bool initial, final;
} bst_draft_state;

typedef struct bst_draft_step {
    const char *from, *to, *command;
    uint64_t count; /* how often it was seen */
    bool guess;     /* nothing in the data speaks for it */
} bst_draft_step;

/* The texts and what a summary needs; everything belongs to the draft. */
typedef struct bst_draft {
    const char *id;
    const char *machine, *mapping; /* for `<id>.fsm.json` and `<id>.legacy.json` */
    const char *table, *state_column;
    const char *log; /* "public.payment_transitions (statesman)"; NULL: none was found */
    uint64_t rows;
    size_t state_count, step_count, note_count;
    const bst_draft_state *states;
    const bst_draft_step *steps;
    const char *const *notes; /* what was guessed: sentences */
    struct bst_arena *arena;
} bst_draft;

/* One read-only snapshot; rows are counted where they are, never copied. A table without a column
 * that could be the state is BST_INVALID, with the candidates in the hint. On failure `ret` is
 * empty and needs no release. */
BST_API bst_status bst_draft_make(const bst_draft_options *options, bst_draft *ret,
                                  bst_diags *diags) BST_MUST_USE;
BST_API void bst_draft_release(bst_draft *draft);

#ifdef __cplusplus
}
#endif
#endif
