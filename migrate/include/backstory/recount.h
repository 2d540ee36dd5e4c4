/* SQL with which somebody else can recount a migration, in psql and without this program. */
#ifndef BACKSTORY_RECOUNT_H
#define BACKSTORY_RECOUNT_H

#include "backstory/mapping.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends a query over the legacy table: rows in scope by status and, where the fields are columns,
 * by the group field with the sum of the sum field (BST_NONE: none). False, and nothing appended:
 * the mapping's `where` is no SQL. */
BST_API bool bst_recount_source(const bst_mapping *mapping, uint32_t sum_field,
                                uint32_t group_field, bst_strbuf *out);
/* Appends a query over the store: entities by state. */
BST_API void bst_recount_store(const bst_mapping *mapping, bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
