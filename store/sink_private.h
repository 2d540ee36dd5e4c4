/* What a kind of sink supplies. */
#ifndef BACKSTORY_SINK_PRIVATE_H
#define BACKSTORY_SINK_PRIVATE_H

#include "backstory/sink.h"

typedef struct bst__sink_ops {
    bst_status (*write)(bst_sink *sink, const bst_history *history, bool *ret_fits,
                        bst_diags *diags);
    /* NULL: it keeps no such rows */
    bst_status (*quarantine)(bst_sink *sink, const bst_quarantined *row, bst_diags *diags);
    bst_status (*finish)(bst_sink *sink, bst_diags *diags); /* sets totals.bytes */
    void (*free)(bst_sink *sink);                           /* undoes what is not finished */
} bst__sink_ops;

/* The head of each kind's own struct. */
struct bst_sink {
    const bst__sink_ops *ops;
    const bst_machine *machine;
    bst_sink_totals totals;
    const bst_plan *right; /* the last that was looked at, and well formed */
    bool failed, finished; /* after a failure nothing but free is left */
};

bst_status bst__sink_jsonl_open(const char *path, const bst_machine *machine,
                                const bst_run_info *run, bst_sink **ret,
                                bst_diags *diags) BST_MUST_USE;
bst_status bst__sink_pg_open(const char *conninfo, const bst_machine *machine,
                             const bst_run_info *run, bst_sink **ret,
                             bst_diags *diags) BST_MUST_USE;

#endif
