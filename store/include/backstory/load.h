/* A migration into the event store in PostgreSQL, chunk by chunk, by several connections, which can
 * be broken off at any point and gone on with. Built only with BACKSTORY_POSTGRES.
 *
 * The store keeps what the load was asked to do, its chunks and what became of each. A chunk's
 * segments, its plans, its quarantined rows and the word that it is done come in one transaction.
 * Nothing of it is seen by a reader before bst_load_finish().
 *
 *     bst_load_open ── new: bst_load_begin(chunks) ─┐
 *         └─ unfinished: what is done counts ───────┴─ workers ── bst_load_finish
 *
 *     a worker: bst_load_sink_open, [ claim ─ write ... ─ commit ] until no chunk is left
 */
#ifndef BACKSTORY_LOAD_H
#define BACKSTORY_LOAD_H

#include "backstory/pg_watch.h"
#include "backstory/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_CHUNKS_MAX 1000000u

typedef struct bst_load bst_load;

typedef enum bst_load_state {
    BST_LOAD_NEW,        /* nothing is there yet: begin */
    BST_LOAD_UNFINISHED, /* an earlier run was broken off: go on */
    BST_LOAD_FINISHED    /* the same load has been done: nothing is to do */
} bst_load_state;

typedef struct bst_load_info {
    bst_run_info run;
    /* What must be the same when the load is gone on with: a JSON object of texts, the reader's.
     * What differs is reported by these names. */
    const char *source_identity;
    /* Chunks mean the same in a later snapshot. When not, a load that was broken off starts again.
     * */
    bool resumable;
    bst_pg_watch watch;
    bool restart; /* an unfinished load is taken back first; its owner's right only */
} bst_load_info;

/* Connects, makes the store when it is not there, and holds the machine: another load of it is
 * BST_RETRY until this one is freed. A finished load that was asked the same counts first, whatever
 * else is unfinished. An unfinished load that was asked something else is BST_INVALID and says what
 * differs. The machine must outlive the load. */
BST_API bst_status bst_load_open(const char *target, const bst_machine *machine,
                                 const bst_load_info *info, bst_load **ret,
                                 bst_diags *diags) BST_MUST_USE;
BST_API bst_load *bst_load_free(bst_load *load); /* takes NULL, returns NULL */
/* After its session has been lost: a new one, which holds the machine again. */
BST_API bst_status bst_load_reconnect(bst_load *load, bst_diags *diags) BST_MUST_USE;
/* The source was opened again: is it still the one that the load was opened with? BST_INVALID, and
 * what differs, when not. */
BST_API bst_status bst_load_same_source(const bst_load *load, const char *identity,
                                        bst_diags *diags) BST_MUST_USE;
BST_API bst_load_state bst_load_is(const bst_load *load);
BST_API int32_t bst_load_run_id(const bst_load *load);

/* Of a new load: which chunks there are. Each text is JSON, and comes back from a claim as it is.
 * */
BST_API bst_status bst_load_begin(bst_load *load, const char *const *bounds, size_t count,
                                  bst_diags *diags) BST_MUST_USE;
/* A moment at which the source is read from now on. Texts as the source's server prints them; lsn
 * may be NULL. */
BST_API bst_status bst_load_add_snapshot(bst_load *load, const char *lsn, const char *taken_at,
                                         int32_t *ret_number, bst_diags *diags) BST_MUST_USE;
/* In how many snapshots chunks have been read, and how many plans their histories have. */
BST_API bst_status bst_load_count(bst_load *load, uint32_t *ret_snapshots, uint64_t *ret_plans,
                                  bst_diags *diags) BST_MUST_USE;
/* Hands over the figures of every chunk that is done; *ret_left: how many are not. */
BST_API bst_status bst_load_done(bst_load *load,
                                 bst_status (*visit)(void *context, const char *figures),
                                 void *context, uint64_t *ret_left, bst_diags *diags) BST_MUST_USE;
/* Hands over the quarantined rows, in the order of chunks and of rows in them. */
BST_API bst_status bst_load_quarantined(bst_load *load,
                                        bst_status (*visit)(void *context, const char *line,
                                                            size_t len),
                                        void *context, bst_diags *diags) BST_MUST_USE;
/* All chunks are done: the index, then the row in `run` that makes everything visible, in one
 * transaction. Doing it again changes nothing. */
BST_API bst_status bst_load_finish(bst_load *load, bst_sink_totals *ret_totals,
                                   bst_diags *diags) BST_MUST_USE;
/* For who asks what goes on (bst_loads_list): why the run waits, or NULL: it does not; since and
 * until when, from now. False: the store does not hear of it, and the session may be lost. */
BST_API bool bst_load_tell_wait(bst_load *load, const char *why, int64_t since_ms,
                                int64_t again_ms);
/* After a failure: a load of which no chunk is done is taken back, as if it had never begun. It
 * stays where the right to do so (the owner's) or the session is missing: then it is an unfinished
 * load like any other. */
BST_API void bst_load_withdraw(bst_load *load);
/* Adds a note about the latest finished load of the machine, and how this one differs from it; when
 * there is none, about the latest run of another kind. */
BST_API void bst_load_tell_finished(bst_load *load, bst_diags *diags);

/* ---- workers: each has a sink, with a connection of its own, and uses it from one thread; the
 * load may be shared */

typedef struct bst_chunk {
    int32_t number;     /* 0: there is none */
    const char *bounds; /* borrowed until the next claim */
} bst_chunk;

/* bst_sink_write() and bst_sink_quarantine() are for a claimed chunk; bst_sink_finish() is not for
 * this sink. */
BST_API bst_status bst_load_sink_open(const bst_load *load, bst_sink **ret,
                                      bst_diags *diags) BST_MUST_USE;
/* Takes a chunk that nobody works on, and holds it; with `wait` one that somebody else has, when he
 * gives it up. */
BST_API bst_status bst_chunk_claim(bst_sink *sink, bool wait, bst_chunk *ret,
                                   bst_diags *diags) BST_MUST_USE;
/* The number of its process at the store's server. */
BST_API int bst_load_sink_process(const bst_sink *sink);
/* Bytes of segments that were written to this sink, in all its chunks. */
BST_API uint64_t bst_load_sink_bytes(const bst_sink *sink);
/* Everything that was written since the claim is in the store, or nothing. `figures`: JSON. */
BST_API bst_status bst_chunk_commit(bst_sink *sink, int32_t snapshot, const char *figures,
                                    bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
