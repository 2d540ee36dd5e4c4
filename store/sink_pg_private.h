/* The plans of a run that loads histories into PostgreSQL, and what its errors mean. */
#ifndef BACKSTORY_SINK_PG_PRIVATE_H
#define BACKSTORY_SINK_PG_PRIVATE_H

#include "backstory/history.h"
#include "backstory/pg.h"

#define BST__SEGMENT_BYTES_MAX                                                                     \
    (256u                                                                                          \
     << 20) /* of the events in one row; PostgreSQL ends at 1 GB                              \
                  */

/* Numbers plans by their address, from 1 in the order of their coming. Zeroed is empty. */
typedef struct bst__plan_entry bst__plan_entry;
typedef struct bst__plan_book {
    bst__plan_entry *entries;
    const bst_plan *last; /* most histories have the plan of the one before, or that of a few */
    int32_t last_number;
} bst__plan_book;

bool bst__plan_book_number(bst__plan_book *book, const bst_plan *plan,
                           int32_t *ret); /* false: no memory */
bst_status bst__plan_book_write(const bst__plan_book *book, bst_pg *pg, const bst_machine *machine,
                                int32_t run_id, bst_diags *diags) BST_MUST_USE;
void bst__plan_book_release(bst__plan_book *book);

/* Appends ` "key"`, out of the detail that comes with a violation of the unique index, whatever
 * language the server speaks; nothing when it is not there. For messages only. */
void bst__conflict_key(const char *detail, bst_strbuf *out);

#endif
