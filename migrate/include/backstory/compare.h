/* Old against new: every legacy row against the fold of its stored history. Both sides are read by
 * key and merge-joined in constant memory. The legacy row is the truth here; the store is what is
 * being tried.
 */
#ifndef BACKSTORY_COMPARE_H
#define BACKSTORY_COMPARE_H

#include "backstory/synth.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bst_difference_kind {
    BST_DIFFERS,           /* a field, or the state */
    BST_MISSING_IN_STORE,  /* a row in scope without a history, and not known as quarantined */
    BST_MISSING_IN_SOURCE, /* a history without a row in scope */
    BST_NOT_REPLAYABLE     /* the stored events break the machine's rules */
} bst_difference_kind;

typedef struct bst_difference {
    bst_difference_kind kind;
    const char *key;
    size_t key_len;
    uint32_t field;                  /* of the machine; BST_NONE: the state */
    const char *old_text, *new_text; /* as text; NULL: null */
    const char *message;             /* NOT_REPLAYABLE: why. DIFFERS: the row has a value that
                                      * cannot be read */
} bst_difference;

/* One line of the totals: rows and the sum of one decimal field, by state and by the value of one
 * text field. Sums are exact: 128 bits, given as decimal text. */
typedef struct bst_total {
    uint32_t state;
    const char *group; /* the currency; "" when the machine has no such field */
    uint64_t old_count, new_count;
    const char *old_sum, *new_sum; /* NULL: no decimal field */
} bst_total;

typedef struct bst_compare_figures {
    uint64_t rows, histories, equal, different, missing_in_store, missing_in_source, quarantined,
        out_of_scope, events;
    uint64_t field_differences;
    double progress;
} bst_compare_figures;

typedef struct bst_compare_options {
    const char *from, *store;
    /* rows named there are expected to be missing in the store; NULL or absent file: none */
    const char *quarantine_path;
    uint32_t sum_field;   /* BST_NONE: the first decimal field of the machine */
    uint32_t group_field; /* BST_NONE: the field named "currency", if any */
    bst_status (*on_difference)(void *context, const bst_difference *difference);
    bst_status (*on_progress)(void *context, const bst_compare_figures *figures);
    void *context;
} bst_compare_options;

/* BST_OK: equal. BST_DIFFERENT: something differs (totals included). The totals live in `arena`, by
 * state and group. */
BST_API bst_status bst_compare(const bst_mapping *mapping, const bst_compare_options *options,
                               bst_arena *arena, bst_compare_figures *ret_figures,
                               const bst_total **ret_totals, size_t *ret_total_count,
                               bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
