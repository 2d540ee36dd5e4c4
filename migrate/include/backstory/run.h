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

typedef struct bst_run_figures {
    uint64_t read, migrated, quarantined, out_of_scope, events, signatures;
    uint64_t certain;                     /* migrated with the only possible history */
    uint64_t by_basis[BST_BASIS_COUNT];   /* events */
    uint64_t by_reason[BST_REASON_COUNT]; /* quarantined rows */
    uint64_t by_confidence[10];           /* migrated rows: [0] below 0.1 ... [9] 0.9 and more */
    uint64_t relaxed;                     /* migrated, but an item of evidence had to be ignored */
    /* of a dry run: some events as a file of events would have them */
    uint64_t sampled_events, sampled_bytes;
    double progress; /* of the source: 0 to 1; below 0: not known */
} bst_run_figures;

typedef struct bst_run_options {
    const char *from;
    const char *to; /* NULL: a dry run (plan) */
    /* NULL: no file. Made only when a row goes there; mode 0600; replaced */
    const char *quarantine_path;
    const char *tool_version;
    bool has_recorded_at;
    int64_t recorded_at;
    /* Called now and then (every few thousand rows) with the figures so far; may be NULL. Not
     * BST_OK stops the run. */
    bst_status (*on_progress)(void *context, const bst_run_figures *figures);
    void *context;
} bst_run_options;

/* Reads every row once. The figures are written also when it fails. BST_INTERNAL when the balance
 * does not add up: then nothing has been committed. `synth` may be asked for its signatures
 * afterwards. A quarantine line: {"key","code","reason","repair","evidence":{column:
 * text},"row":{column: text},"line"}. */
BST_API bst_status bst_migrate(const bst_mapping *mapping, bst_synth *synth,
                               const bst_run_options *options, bst_run_figures *ret_figures,
                               bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
