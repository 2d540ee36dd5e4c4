/* What the analyses share. Each reports through WARN; whether it is heard, the list knows. */
#ifndef BACKSTORY_FSM_CHECK_PRIVATE_H
#define BACKSTORY_FSM_CHECK_PRIVATE_H

#include "backstory/check.h"
#include "machine_private.h"

typedef struct bst__check {
    const bst_machine *machine;
    const bst__machine *m;
    bst_arena *arena;
    bst_diags *diags;
} bst__check;

#define WARN(c, code, where, ...)                                                                  \
    bst_diag_add((c)->diags, BST_OK, BST_WARNING, (code), (where), __VA_ARGS__)

/* False: out of memory. */
bool bst__check_ways(bst__check *c);      /* check_ways.c: where one can get to */
bool bst__check_guards(bst__check *c);    /* check_guards.c: who is asked, and who is never */
bool bst__check_levels(bst__check *c);    /* check_levels.c: a state and one around it */
bool bst__check_unhandled(bst__check *c); /* check_matrix.c: what a state says nothing of */

#endif
