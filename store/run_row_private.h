/* What the two ways of loading share: the machine and the run as rows of the store. */
#ifndef BACKSTORY_RUN_ROW_PRIVATE_H
#define BACKSTORY_RUN_ROW_PRIVATE_H

#include "backstory/pg.h"
#include "backstory/sink.h"

/* Makes the machine known, inside the caller's transaction. */
bst_status bst__machine_register(bst_pg *pg, const bst_machine *machine, int16_t *ret_machine_id,
                                 int64_t *ret_version_id, bst_diags *diags) BST_MUST_USE;
/* One load of a machine at a time: the finding when the lock is taken. */
bst_status bst__machine_busy(bst_pg *pg, const bst_machine *machine, bst_diags *diags);
/* Copies the texts into the arena. */
bst_status bst__run_info_keep(const bst_run_info *run, bst_arena *arena, bst_run_info *ret,
                              bst_diags *diags) BST_MUST_USE;
/* After a load into what was an empty store: the unique index and figures for the planner. */
bst_status bst__segment_complete(bst_pg *pg, bst_diags *diags) BST_MUST_USE;

#endif
