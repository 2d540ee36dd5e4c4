/* Histories as rows of backstory.segment, by binary COPY, inside a transaction of the caller's. */
#ifndef BACKSTORY_SEGMENT_WRITER_PRIVATE_H
#define BACKSTORY_SEGMENT_WRITER_PRIVATE_H

#include "sink_pg_private.h"

typedef struct bst__segment_writer {
    bst_pg *pg; /* borrowed */
    const bst_machine *machine;
    int16_t machine_id;
    int32_t run_id;
    bool freeze; /* the table was made in this transaction, which alone allows it */
    bool bulk;   /* there is no unique index yet: a key that clashes is the source's own fault */
    bool copying;
    uint64_t copied;  /* rows in the COPY that is under way */
    uint64_t bytes;   /* sent so far */
    bst_strbuf rows;  /* not sent yet */
    bst_strbuf front; /* how a row begins */
    bst__plan_book plans;
} bst__segment_writer;

/* The rest is the caller's to fill in. */
void bst__segment_writer_init(bst__segment_writer *writer);
void bst__segment_writer_release(bst__segment_writer *writer);
/* *ret_fits false: it is too large for a row, and nothing was put. */
bst_status bst__segment_writer_put(bst__segment_writer *writer, const bst_history *history,
                                   bool *ret_fits, bst_diags *diags) BST_MUST_USE;
/* Ends the COPY that is under way, and holds the server's count against ours: afterwards the
 * connection is free for other statements, and all that was put is in the transaction. */
bst_status bst__segment_writer_flush(bst__segment_writer *writer, bst_diags *diags) BST_MUST_USE;

/* Hands findings of a statement on segment on to `diags`, and frees them; a clash of keys is told
 * as one. */
bst_status bst__segment_hand_on(bool bulk, bst_status status, bst_diags *found, bst_diags *diags);

#endif
