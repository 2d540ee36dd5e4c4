/* Reconciliation: every row of the source against what the store has of it, in parts of the keys
 * side by side; or those rows alone that have no history, because a load put them aside.
 *
 *     source: a session holds the snapshot  --- part: rows, histories ---\\
 *     store:  a session holds the moment    --- part: rows, histories ---- the journal: one session
 *
 * Where both agree nothing is written, so it is the reading that takes time, and the parts share
 * the one journal. It can be broken off and repeated with a later snapshot at any time, and it is
 * also the way back after a slot was lost. */
#include "snapshot_private.h"

#include <signal.h>
#include <stdlib.h>

#include "run/run_private.h"

static void *run_part(void *context) {
    bst__merger *const m = context;
    m->status = bst__merge_part(m);
    if (m->status != BST_OK)
        atomic_store(&m->whole->stop, true);
    return NULL;
}

/* The first part has the batch itself, the others have helpers of it: the journal tells plans apart
 * by their addresses, so these live as long as it does. */
static bst_status make_parts(bst__batch *batch, bst__merge_whole *whole, const char *const *keys,
                             size_t key_count, bst__merger *parts, bst_diags *diags) {
    bst_status status = BST_OK;
    for (size_t i = 0; i <= key_count && status == BST_OK; i++) {
        bst__merger *const m = &parts[i];
        *m = (bst__merger){.whole = whole,
                           .batch = batch,
                           .diags = i == 0 ? diags : bst_diags_new(),
                           .keys.from = i > 0 ? keys[i - 1] : NULL,
                           .keys.before = i < key_count ? keys[i] : NULL};
        if (!m->diags)
            status = bst_diag_nomem(diags);
        else if (i > 0)
            status = bst__batch_help(batch, &m->batch, diags);
        if (status == BST_OK)
            m->batch->diags = m->diags;
    }
    return status;
}

/* Signals are for the main thread. */
static bst_status start_parts(bst__merger *parts, size_t count, bst_diags *diags) {
    bst_status status = BST_OK;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (size_t i = 1; i < count && status == BST_OK; i++) {
        parts[i].started = pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0;
        if (!parts[i].started)
            status = bst_diag_nomem(diags);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* What was found since the last commit goes with the batch's own. */
static bst_status end_parts(bst__merger *parts, size_t count, bst_status status, bst_diags *diags) {
    if (status == BST_OK)
        status = parts[0].status;
    for (size_t i = 1; i < count; i++) {
        bst__merger *const m = &parts[i];
        if (m->started)
            (void)pthread_join(m->thread, NULL);
        if (status == BST_OK && m->started && m->status != BST_OK) {
            status = m->status;
            bst_diags_move(m->diags, diags);
        }
        if (m->batch && m->batch != parts[0].batch)
            bst__batch_take_figures(parts[0].batch, m->batch);
        bst_diags_free(m->diags);
    }
    return status;
}

static bst_status merge_all(bst__batch *batch, bst__merge_whole *whole, const char *const *keys,
                            size_t key_count, bst_diags *diags) {
    bst__merger *const parts = calloc(key_count + 1, sizeof *parts);
    if (!parts)
        return bst_diag_nomem(diags);
    bst_status status = make_parts(batch, whole, keys, key_count, parts, diags);
    if (status == BST_OK)
        status = start_parts(parts, key_count + 1, diags);
    if (status == BST_OK)
        (void)run_part(&parts[0]);
    else
        atomic_store(&whole->stop, true);
    status = end_parts(parts, key_count + 1, status, diags);
    free(parts);
    return status;
}

static bst_status look_at_all(bst__batch *batch, bst__merge_whole *whole, bst_diags *diags) {
    const bst_follow_options *const options = whole->options;
    bst_reader *holder = NULL;
    bst_arena *const arena = bst_arena_new();
    const char *const *keys = NULL;
    size_t key_count = 0;
    bst_status status = arena ? BST_OK : bst_diag_nomem(diags);
    whole->figures->snapshot_rows = 0; /* what a load has read is looked at again */
    if (status == BST_OK)
        status = bst_reader_open(options->to, batch->mapping->machine, NULL, &holder, diags);
    if (status == BST_OK)
        status = bst_reader_moment(holder, &whole->moment, diags);
    if (status == BST_OK && options->jobs > 1)
        status = bst_reader_cut(holder, options->jobs, arena, &keys, &key_count, diags);
    if (status == BST_OK)
        status = merge_all(batch, whole, keys, key_count, diags);
    bst_reader_free(holder);
    bst_arena_free(arena);
    return status;
}

static bst_status look_at_aside(bst__batch *batch, bst__merge_whole *whole, bst_diags *diags) {
    bst__key_set *only = NULL;
    bst_status status = bst__key_set_of_store(whole->options->to, batch->mapping->machine->id,
                                              BST__ASIDE_WITHOUT_HISTORY, NULL, &only, diags);
    bst__merger m = {.whole = whole, .batch = batch, .only = only, .diags = diags};
    if (status == BST_OK)
        status = bst__merge_aside(&m);
    bst__key_set_free(only);
    return status;
}

bst_status bst__batch_snapshot(bst__batch *batch, const bst_follow_options *options,
                               const bst__snapshot *snapshot, bst__look look, bst_diags *diags) {
    bst__merge_whole whole = {.options = options,
                              .snapshot = snapshot,
                              .figures = batch->figures,
                              .spec = batch->mapping->source};
    whole.spec.ordered = look == BST__LOOK_AT_ALL;
    batch->diags = diags;
    bst_status status = bst_journal_release_all(batch->journal, snapshot->lsn, diags);
    if (status != BST_OK || look == BST__LOOK_AT_NONE)
        return status;
    pthread_mutex_init(&whole.lock, NULL);
    status = look == BST__LOOK_AT_ALL ? look_at_all(batch, &whole, diags)
                                      : look_at_aside(batch, &whole, diags);
    pthread_mutex_destroy(&whole.lock);
    return status;
}
