/* Totals of both sides of a comparison: how many entities, and the exact sum of one decimal field,
 * by state and by the text of one field (the currency). Sums have 128 bits: 10^20 entities of the
 * largest decimal fit.
 */
#ifndef BACKSTORY_TOTALS_PRIVATE_H
#define BACKSTORY_TOTALS_PRIVATE_H

#include "backstory/compare.h"

typedef enum bst__side { BST__OLD, BST__NEW } bst__side;

typedef struct bst__totals bst__totals;

/* BST_NONE for a field chooses as bst_compare_options says. */
bst_status bst__totals_new(const bst_machine *machine, uint32_t sum_field, uint32_t group_field,
                           bst__totals **ret, bst_diags *diags) BST_MUST_USE;
bst__totals *bst__totals_free(bst__totals *totals);
bst_status bst__totals_add(bst__totals *totals, bst__side side, const bst_entity *entity,
                           bst_diags *diags) BST_MUST_USE;
/* All of them in `arena`, by state and group; *ret_differ when the sides do. */
bst_status bst__totals_list(const bst__totals *totals, bst_arena *arena, const bst_total **ret,
                            size_t *ret_count, bool *ret_differ, bst_diags *diags) BST_MUST_USE;

#endif
