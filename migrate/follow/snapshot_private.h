/* Reconciliation with a snapshot of the source:
 *
 *     snapshot_pg.c  all of it: parts of the keys, side by side
 *     merge_pg.c     a part: its rows against its histories, in the order of keys
 */
#ifndef BACKSTORY_SNAPSHOT_PRIVATE_H
#define BACKSTORY_SNAPSHOT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "follow_batch_private.h"
#include "run/quarantine_private.h"

/* What all parts share. */
typedef struct bst__merge_whole {
    const bst_follow_options *options;
    const bst__snapshot *snapshot;
    bst_follow_figures *figures;
    bst_source_spec spec;
    const char *moment;   /* of the store */
    pthread_mutex_t lock; /* of the journal and the figures: one session writes what all find */
    atomic_bool stop;     /* one of them has failed */
} bst__merge_whole;

typedef struct bst__merger {
    bst__merge_whole *whole;
    bst__batch *batch; /* its own, with the journal of all */
    bst_key_part keys;
    bst_source *source;
    bst_reader *reader;
    const bst__key_set *only;      /* NULL: all rows, and then there is a reader */
    const bst_stored_event *event; /* the next one of the store; NULL: at its end */
    uint64_t row_number, told_rows;
    pthread_t thread;
    bool started;
    bst_status status;
    bst_diags *diags;
} bst__merger;

/* Source and reader of the part are opened, and closed again. All but the last of what is found is
 * committed. */
bst_status bst__merge_part(bst__merger *merger) BST_MUST_USE;
/* The rows of `only`, which have no history. */
bst_status bst__merge_aside(bst__merger *merger) BST_MUST_USE;

#endif
