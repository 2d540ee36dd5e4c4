/* A migration run: source -> synthesis -> sink and quarantine, with the balance read = migrated +
 * quarantined + out of scope.
 */
#ifndef BACKSTORY_RUN_H
#define BACKSTORY_RUN_H

#include "backstory/sink.h"
#include "backstory/synth.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A server is gone, and is waited for. Times as bst_clock_us(). */
typedef struct bst_run_wait {
    char why[240];    /* the last error; "": nothing is waited for */
    int64_t since_us; /* when it was first gone */
    int64_t again_us; /* when it is tried again */
} bst_run_wait;

typedef struct bst_run_figures {
    uint64_t read, migrated, quarantined, out_of_scope, events, signatures;
    uint64_t certain;                     /* migrated with the only possible history */
    uint64_t by_basis[BST_BASIS_COUNT];   /* events */
    uint64_t by_reason[BST_REASON_COUNT]; /* quarantined rows */
    uint64_t by_confidence[10];           /* migrated rows: [0] below 0.1 ... [9] 0.9 and more */
    uint64_t by_remedy[BST_REMEDY_COUNT]; /* migrated rows: what a policy did for them */
    /* of a dry run: some events as a file of events would have them */
    uint64_t sampled_events, sampled_bytes;
    uint64_t bytes; /* handed to a store in PostgreSQL, so far */
    /* of a run in chunks: from a server or files into a store in PostgreSQL */
    int32_t run_id;       /* 0: it was none */
    bool already;         /* this had been loaded before: nothing was done */
    uint64_t resumed;     /* rows that an earlier run, broken off, had loaded */
    uint32_t snapshots;   /* moments of the source that rows are of */
    uint64_t retries;     /* sessions lost on the way, and taken up again */
    int64_t snapshot_age; /* seconds since the moment that is being read */
    double progress;      /* of the source: 0 to 1; below 0: not known */
    bst_run_wait waits;   /* just now */
} bst_run_figures;

#define BST_JOBS_MAX           64u
#define BST_CHUNK_ROWS_DEFAULT 50000u

typedef struct bst_run_options {
    const char *from;
    const char *to; /* NULL: a dry run (plan) */
    /* NULL: no file. Made only when a row goes there; mode 0600; replaced */
    const char *quarantine_path;
    const char *tool_version;
    /* Only rows that stand in the quarantine of the store (in PostgreSQL) and have no history
     * yet, in one transaction; the figures are of them alone. */
    bool only_aside;
    bool has_recorded_at;
    int64_t recorded_at;
    /* Into a store in PostgreSQL: in chunks, from a server by several readers, and gone on with
     * where it was broken off. A source that can be read only once is one transaction. */
    uint32_t jobs;       /* readers; 0 is 1 */
    uint64_t chunk_rows; /* about; 0: BST_CHUNK_ROWS_DEFAULT */
    bool by_place;       /* faster by a little; when it is broken off it starts again */
    bool restart;        /* take back what an unfinished run has loaded */
    /* Read at this moment, which somebody else holds until the end (see bst_source_open_at); NULL:
     * one of our own. */
    const char *snapshot;
    bool one_snapshot; /* all rows of one moment, or none */
    /* 0: no limit */
    uint32_t snapshot_seconds_max; /* then the run goes on in a new one */
    bst_pace *pace;                /* of all readers together; NULL: as fast as may be */
    uint32_t stall_seconds;        /* without a byte and without a sign of life from a server */
    uint32_t hang_seconds;         /* with its word that it works, and nothing that moves; 0: 900 */
    uint32_t retry_seconds; /* in which nothing goes forward, however often it is tried; 0: 120 */
    /* Called now and then (every few thousand rows) with the figures so far; may be NULL. Not
     * BST_OK stops the run. */
    bst_status (*on_progress)(void *context, const bst_run_figures *figures);
    /* Something that may need a hand, at once; from any thread, but not while on_progress is
     * called. May be NULL. */
    void (*on_warning)(void *context, const bst_diag *warning);
    void *context;
    /* When all is loaded, and the source can still be read at the moment that was loaded, for
     * which `moment` is the name (see bst_source_open_at; NULL: a file). Where the same had been
     * loaded before (figures->already), that moment is gone, and `moment` is one of now. May be
     * NULL. */
    bst_status (*on_loaded)(void *context, const bst_run_figures *figures, const char *moment);
    void *loaded_context;
} bst_run_options;

/* Reads every row once. The figures are written also when it fails. BST_INTERNAL when the balance
 * does not add up: then nothing has been committed. `synth` may be asked for its signatures
 * afterwards, but after a run with several readers it has seen only a part of the rows. A
 * quarantine line: {"key","code","reason","repair","evidence":{column: text},"row":{column:
 * text},"line"}. */
BST_API bst_status bst_migrate(const bst_mapping *mapping, bst_synth *synth,
                               const bst_run_options *options, bst_run_figures *ret_figures,
                               bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
