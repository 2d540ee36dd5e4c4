/* What a load and its workers' sinks share. */
#ifndef BACKSTORY_LOAD_PRIVATE_H
#define BACKSTORY_LOAD_PRIVATE_H

#include "backstory/load.h"
#include "backstory/pg.h"

struct bst_load {
    const bst_machine *machine;
    bst_arena *arena; /* of the texts below */
    char *target;
    bst_load_info info;
    bst_pg *pg;
    bst_load_state state;
    int32_t run_id;
    int16_t machine_id;
    bool bulk; /* the unique index is to be built at the end */
};

/* load_open_pg.c: looks for an earlier load of the machine, and decides what this one is. */
bst_status bst__load_look_up(bst_load *load, bst_diags *diags) BST_MUST_USE;

/* load_withdraw_pg.c: takes back a load of which no chunk is done; false: there is one. */
bst_status bst__load_withdraw(bst_load *load, const char *run_id, bool *ret_withdrawn,
                              bst_diags *diags) BST_MUST_USE;

#endif
