/* The plans of a run that loads histories into PostgreSQL, and what its errors mean. */
#ifndef BACKSTORY_SINK_PG_PRIVATE_H
#define BACKSTORY_SINK_PG_PRIVATE_H

#include "backstory/history.h"
#include "backstory/pg.h"

#define BST__SEGMENT_BYTES_MAX                                                                     \
    (256u                                                                                          \
     << 20) /* of the events in one row; PostgreSQL ends at 1 GB                              \
                  */

/* Numbers plans by what they say: 63 bits of the SHA-256 of it, so that two workers, and two runs,
 * give the same plan the same number. Zeroed is empty. */
typedef struct bst__plan_entry bst__plan_entry;
typedef struct bst__plan_book {
    bst__plan_entry *entries; /* by address, in the order of their coming */
    uint32_t stored;          /* how many of them are in the store for good */
    const bst_plan *last;     /* most histories have the plan of the one before, or that of a few */
    int64_t last_number;
} bst__plan_book;

bool bst__plan_book_number(bst__plan_book *book, const bst_machine *machine, const bst_plan *plan,
                           int64_t *ret); /* false: no memory */
/* Writes those that are not stored for good. Another worker may write the same ones: then this
 * waits for his transaction to end. */
bst_status bst__plan_book_write(const bst__plan_book *book, bst_pg *pg, const bst_machine *machine,
                                int32_t run_id, bst_diags *diags) BST_MUST_USE;
/* After the commit. */
void bst__plan_book_settle(bst__plan_book *book);
void bst__plan_book_release(bst__plan_book *book);

/* Appends ` "key"`, out of the detail that comes with a violation of the unique index, whatever
 * language the server speaks; nothing when it is not there. For messages only. */
void bst__conflict_key(const char *detail, bst_strbuf *out);

#endif
