/* Totals of both sides of a comparison: how many entities, and the exact sum of one decimal field,
 * by state, by the text of one field (the currency) and by the month of creation. Sums have 128
 * bits: 10^20 entities of the largest decimal fit.
 */
#ifndef BACKSTORY_TOTALS_PRIVATE_H
#define BACKSTORY_TOTALS_PRIVATE_H

#include "backstory/compare.h"

typedef enum bst__side { BST__OLD, BST__NEW } bst__side;

/* Months are those of bst_time_month(). */
#define BST__NO_MONTH INT32_MIN

typedef struct bst__totals bst__totals;

bst_status bst__totals_new(const bst_mapping *mapping, const bst_compare_options *options,
                           bst__totals **ret, bst_diags *diags) BST_MUST_USE;
bst__totals *bst__totals_free(bst__totals *totals);
bst_status bst__totals_add(bst__totals *totals, bst__side side, const bst_entity *entity,
                           int32_t month, bst_diags *diags) BST_MUST_USE;
/* An entity that is equal on both sides, which count under one state, group and month; a sum may
 * differ within its tolerance. */
bst_status bst__totals_add_pair(bst__totals *totals, const bst_entity *old, const bst_entity *new,
                                int32_t month, bst_diags *diags) BST_MUST_USE;
/* Adds what `from` has. */
bst_status bst__totals_merge(bst__totals *totals, const bst__totals *from,
                             bst_diags *diags) BST_MUST_USE;
/* What is added up, and what the totals are by; BST_NONE: nothing. */
void bst__totals_fields(const bst__totals *totals, uint32_t *ret_sum, uint32_t *ret_group);
/* All of them in `arena`, as bst_comparison says; *ret_differ when the sides do. */
bst_status bst__totals_list(const bst__totals *totals, bst_arena *arena, const bst_total **ret,
                            size_t *ret_count, bool *ret_differ, bst_diags *diags) BST_MUST_USE;

#endif
