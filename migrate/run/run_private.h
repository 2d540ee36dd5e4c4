/* The insides of a run:
 *
 *     run.c        which way; from end to end, in one transaction
 *     rows.c       a row, its fate, the sink or the quarantine, the count
 *     aside.c      rows that are put aside, held until there are some
 *     figures.c    figures added up, and as JSON in a checkpoint
 *     chunks_pg.c  from a server into a store, in chunks, by several workers
 *     worker_pg.c  one worker: chunk after chunk
 *     retry_pg.c   what trouble is waited for, and how long
 */
#ifndef BACKSTORY_RUN_PRIVATE_H
#define BACKSTORY_RUN_PRIVATE_H

#include "backstory/run.h"

#include "quarantine_private.h"

#define BST__PROGRESS_ROWS 4096u

/* Rows that are put aside: see aside.c. Zeroed is empty. */
typedef struct bst__held bst__held;
typedef struct bst__aside {
    bst_arena *arena;
    bst__held *rows;
    size_t count;
} bst__aside;

/* What reads rows and gives each its fate. */
typedef struct bst__rows {
    const bst_mapping *mapping;
    bst_synth *synth;
    bst_source *source;
    bst_sink *sink;        /* NULL: a dry run */
    bst__quarantine *file; /* NULL: none is written here */
    bool numbered;         /* a row's number means something to people */
    bst__aside aside;
    bst_run_figures *figures;
} bst__rows;

bst_status bst__rows_take(bst__rows *rows, const bst_row *row, bst_diags *diags) BST_MUST_USE;
/* After the last row: hands on what is held, and read = migrated + quarantined + out of scope. */
bst_status bst__rows_end(bst__rows *rows, bst_diags *diags) BST_MUST_USE;
void bst__rows_release(bst__rows *rows);

/* The row just read, on its way to the sink and the file. */
bst_status bst__aside_hold(bst__rows *rows, const bst_row *row, const bst_refusal *refusal,
                           bst_diags *diags) BST_MUST_USE;
bst_status bst__aside_hand_on(bst__rows *rows, bst_diags *diags) BST_MUST_USE;

void bst__figures_add(bst_run_figures *sum, const bst_run_figures *part);
/* What had to be waited for since it was last told. */
typedef struct bst__trouble {
    uint64_t retries;
    char *last; /* in words; owned; NULL: nothing, or no memory */
} bst__trouble;
/* The counts of a chunk as JSON text that the caller frees, and back (without the trouble, which is
 * there for who looks on); NULL, false: no memory or not JSON. */
char *bst__figures_write(const bst_run_figures *figures, const bst__trouble *trouble);
bool bst__figures_read(const char *text, bst_run_figures *ret);

bst_status bst__run_chunks(const bst_mapping *mapping, bst_synth *synth,
                           const bst_run_options *options, bst_run_figures *figures,
                           bst_diags *diags) BST_MUST_USE;

#endif
