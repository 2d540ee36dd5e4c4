/* Rows without a history, into backstory.quarantine, inside a transaction of the caller's. */
#ifndef BACKSTORY_QUARANTINE_WRITER_PRIVATE_H
#define BACKSTORY_QUARANTINE_WRITER_PRIVATE_H

#include "backstory/pg.h"
#include "backstory/sink.h"

#define BST__QUARANTINE_BYTES_HELD (1u << 20)

typedef struct bst__quarantine_writer {
    int32_t run_id, chunk;
    uint64_t held, total; /* rows in the buffer, and in all */
    bst_strbuf rows;
} bst__quarantine_writer;

/* Holds the row. The caller flushes when `rows` has BST__QUARANTINE_BYTES_HELD or more, and at the
 * end. */
bool bst__quarantine_writer_put(bst__quarantine_writer *writer, const bst_quarantined *row);
bst_status bst__quarantine_writer_flush(bst__quarantine_writer *writer, bst_pg *pg,
                                        bst_diags *diags) BST_MUST_USE;

#endif
