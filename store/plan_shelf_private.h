/* The plans that the stored histories of a machine refer to. */
#ifndef BACKSTORY_PLAN_SHELF_PRIVATE_H
#define BACKSTORY_PLAN_SHELF_PRIVATE_H

#include "backstory/history.h"
#include "backstory/pg.h"

typedef struct bst__stored_step {
    uint32_t type, state, command;
    uint32_t type_version; /* of its payload: one that the machine knows */
    bst_basis basis;
    double confidence;
    const char *source;  /* or NULL */
    const char *unknown; /* NULL; or what the machine does not know: "type \"X\"" */
} bst__stored_step;

typedef struct bst__stored_plan bst__stored_plan;
struct bst__stored_plan {
    int32_t run_id;
    int64_t number;
    uint32_t step_count, step_room;
    bst__stored_step *steps;
    bool has_recorded_at; /* of the run */
    int64_t recorded_at;
};

typedef struct bst__plan_shelf bst__plan_shelf;

/* Loads those for which an SQL condition on backstory.plan holds. */
bst_status bst__plan_shelf_load(bst_pg *pg, const bst_machine *machine, const char *condition,
                                bst__plan_shelf **ret, bst_diags *diags) BST_MUST_USE;
bst__plan_shelf *bst__plan_shelf_free(bst__plan_shelf *shelf);
/* NULL when there is none. */
const bst__stored_plan *bst__plan_shelf_find(bst__plan_shelf *shelf, int32_t run_id,
                                             int64_t number);

#endif
