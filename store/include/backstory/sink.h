/* Where initial histories go: a `.jsonl` file, or the event store in PostgreSQL.
 *
 * All or nothing: what was written counts only after bst_sink_finish(). A sink that is freed before
 * leaves its target as it was. Nobody else's events are touched; an entity that already has events
 * is a BST_CONFLICT (a file sees only neighbours: it has no index). Two loads of one machine into
 * one store at a time: the second is a BST_RETRY. After a failure a sink can only be freed.
 */
#ifndef BACKSTORY_SINK_H
#define BACKSTORY_SINK_H

#include "backstory/history.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who writes, for the store's `run` table. Texts may be NULL; never a password. */
typedef struct bst_run_info {
    const char *tool_version;
    const char *mapping_sha256;
    const char *source; /* "public.payments of payments@db1", "payments.csv" */
    /* false: the server's clock in PostgreSQL; null in a file, which has no clock */
    bool has_recorded_at;
    int64_t recorded_at;
} bst_run_info;

/* A row that has no possible history. */
typedef struct bst_quarantined {
    const char *key; /* NULL: it has none */
    size_t key_len;
    uint64_t number;  /* of the row, as read; no two of a chunk share one */
    const char *code; /* the reason */
    const char *line; /* all of it, a JSON object without its line feed */
    size_t line_len;
} bst_quarantined;

typedef struct bst_sink_totals {
    uint64_t histories, events, bytes;
    int32_t run_id; /* in a store in PostgreSQL, where there is such a run then; else 0 */
} bst_sink_totals;

typedef struct bst_sink bst_sink;

/* `target`: a path that ends in ".jsonl" (written beside it, renamed by finish; "-" is stdout), or
 * a PostgreSQL connection string (the schema is created when it is not there). The machine must
 * outlive the sink. */
BST_API bst_status bst_sink_open(const char *target, const bst_machine *machine,
                                 const bst_run_info *run, bst_sink **ret,
                                 bst_diags *diags) BST_MUST_USE;
/* Plans are told apart by address: one plan, one address, as long as the sink lives. *ret_fits
 * false: the history is larger than the target can hold or a reader would take; nothing of it is
 * there, and the sink goes on. */
BST_API bst_status bst_sink_write(bst_sink *sink, const bst_history *history, bool *ret_fits,
                                  bst_diags *diags) BST_MUST_USE;
/* Kept beside the histories in a store; a file of events has no place for it, and this does
 * nothing. */
BST_API bst_status bst_sink_quarantine(bst_sink *sink, const bst_quarantined *row,
                                       bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_sink_finish(bst_sink *sink, bst_sink_totals *ret_totals,
                                   bst_diags *diags) BST_MUST_USE;
BST_API bst_sink *bst_sink_free(bst_sink *sink); /* takes NULL, returns NULL */

/* Whether a SOURCE, SINK or STORE argument means a PostgreSQL server: a URI, or a conninfo string
 * (it has a "="). */
BST_API bool bst_is_connection_string(const char *target);
/* It means one, and this library was built without libpq: adds the finding and returns BST_USAGE.
 * `instead`: what would do, "a .csv file"; NULL: nothing. */
BST_API bst_status bst_no_postgres(const char *instead, bst_diags *diags);

#ifdef __cplusplus
}
#endif
#endif
