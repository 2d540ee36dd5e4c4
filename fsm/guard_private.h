/* What can be said of several guards together. Two procedures, neither complete, both honest: a
 * proof that no values can do it, and a search for values that do.
 */
#ifndef BACKSTORY_FSM_GUARD_PRIVATE_H
#define BACKSTORY_FSM_GUARD_PRIVATE_H

#include "backstory/machine.h"

#define BST__CLAIMS_MAX 9 /* guards looked at together */

/* "This guard gives that." */
typedef struct bst__claim {
    const bst_expr *expr; /* bool */
    bool holds;
} bst__claim;

/* True: proven that no entity and no command make all claims true. False: not known. */
bool bst__guards_clash(const bst__claim *claims, size_t count);

/* Looks for values of the fields and of the command's payload that make all claims true. What it
 * finds has been evaluated; it is appended to `out`: "amount = 10.00, command.amount = 5.00".
 * Each evaluation takes one from *budget. */
bool bst__guards_witness(const bst_machine *machine, uint32_t command, const bst__claim *claims,
                         size_t count, bst_arena *arena, uint32_t *budget, bst_strbuf *out);

/* The least and the greatest `u.i` of a type that is kept in it. */
void bst__range_of(const bst_type *type, int64_t *ret_low, int64_t *ret_high);
/* `value` in units of `scale`, rounded down; *ret_exact tells. False: past an int64. */
bool bst__rescale(int64_t value, int from, int scale, int64_t *ret, bool *ret_exact);

#endif
