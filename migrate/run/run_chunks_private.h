/* A run chunk by chunk, as those who work on it and the course of it see it. Built only with
 * BACKSTORY_POSTGRES. */
#ifndef BACKSTORY_RUN_CHUNKS_PRIVATE_H
#define BACKSTORY_RUN_CHUNKS_PRIVATE_H

#include "run_team_private.h"

#define BST__GLANCE_NS 100000000 /* how often progress is told */

typedef struct bst__chunk_run {
    const bst_mapping *mapping;
    const bst_run_options *options;
    bst_synth *synth; /* the caller's, for the first worker */
    bst_run_figures *figures;
    bst_diags *diags;
    bst_source_spec spec;
    bst_source *source; /* holds the snapshot */
    int64_t taken_us;   /* when it was taken */
    bst_load *load;
    uint64_t left; /* chunks that are not done */
    int32_t snapshot_number;
    bst_source_moment moment;
    bst__trouble trouble;    /* of workers, not told yet */
    bst__team *team;         /* while there is one */
    pthread_mutex_t telling; /* held while the caller is told something */
    int64_t told_again_us;   /* what the store was last told of a wait; 0: of none */
    bool untold;             /* it could not be told, and is not troubled again */
} bst__chunk_run;

/* team_pg.c */

/* Chunks until none is left, in the snapshot of run->source; or until it is too old, or can no
 * longer be had. */
bst_status bst__team_work(bst__chunk_run *run);
/* Not OK: the caller of the run wants it to end. */
bst_status bst__tell_progress(bst__chunk_run *run, const bst_run_figures *figures);
/* How the sessions of the run watch over their servers; it points to `run`. */
bst_pg_watch bst__team_watch(bst__chunk_run *run);

#endif
