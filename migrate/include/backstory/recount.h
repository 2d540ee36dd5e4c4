/* SQL with which somebody else can recount a migration, in psql and without this program: rows and
 * sums by state and group, worked out from the legacy table and from the store. Where nothing is
 * wrong both give the same lines, for the store's are of its histories and of what it has put
 * aside. */
#ifndef BACKSTORY_RECOUNT_H
#define BACKSTORY_RECOUNT_H

#include "backstory/mapping.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is counted by and added up. SQL finds a field again where it is one column of the row, and
 * no expression of the machine computes it: then its value stands in the last event that sets it.
 */
typedef struct bst_recount {
    const bst_mapping *mapping;
    bool by_state; /* false: the state is in several columns */
    uint32_t sum;  /* a decimal; BST_NONE: nothing is added up */
    uint32_t by;   /* BST_NONE: by nothing but the state */
} bst_recount;

/* `sum` BST_NONE: the first decimal that can be found again. What cannot be is left out. */
BST_API bst_recount bst_recount_of(const bst_mapping *mapping, uint32_t sum, uint32_t by);
/* Appends the query over the legacy table, rows in scope. False, and nothing appended: the
 * mapping's `where` cannot be said in SQL. */
BST_API bool bst_recount_source(const bst_recount *recount, bst_strbuf *out);
/* Appends the query over the store: what this run has loaded and put aside. */
BST_API void bst_recount_store(const bst_recount *recount, int32_t run_id, bst_strbuf *out);
/* Appends the query for what it has put aside alone, by code. */
BST_API void bst_recount_quarantine(const bst_recount *recount, int32_t run_id, bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
