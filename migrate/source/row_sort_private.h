/* Rows by key, in bounded memory: an external merge sort. */
#ifndef BACKSTORY_ROW_SORT_PRIVATE_H
#define BACKSTORY_ROW_SORT_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "backstory/diag.h"

#define BST__SORT_BYTES_DEFAULT                                                                    \
    ((size_t)48 << 20) /* held in memory; the rest waits in temporary files */

typedef struct bst__row_sort bst__row_sort;

/* One row on its way through: a NULL key sorts first, then bytewise by key, then by number. */
typedef struct bst__sort_row {
    bool key_is_null;
    uint64_t number;
    const char *key;
    size_t key_len;
    char *bytes; /* the sorter's own copy when it comes out; the caller may cut it up */
    size_t len;
} bst__sort_row;

/* `memory`: bytes to hold at most. */
bst__row_sort *bst__row_sort_new(size_t memory);
bst__row_sort *bst__row_sort_free(bst__row_sort *sort);
bst_status bst__row_sort_add(bst__row_sort *sort, const bst__sort_row *row,
                             bst_diags *diags) BST_MUST_USE;
/* After the last add: `ret` in order, *ret_end at the end. Borrowed until the next call. */
bst_status bst__row_sort_next(bst__row_sort *sort, bst__sort_row *ret, bool *ret_end,
                              bst_diags *diags) BST_MUST_USE;

#endif
