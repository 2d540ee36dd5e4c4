/* The log, read ahead by a thread of its own, so that the server goes on decoding while the store
 * works. */
#ifndef BACKSTORY_FOLLOW_INTAKE_PRIVATE_H
#define BACKSTORY_FOLLOW_INTAKE_PRIVATE_H

#include "backstory/pg_stream.h"

#define BST__INTAKE_BYTES_MAX (8u << 20) /* that are waiting at most, but for one message */

typedef struct bst__intake bst__intake;

/* Takes a stream that has been started; from now on nobody else may use it. */
bst_status bst__intake_start(bst_pg_stream *stream, bst__intake **ret,
                             bst_diags *diags) BST_MUST_USE;
/* Ends the thread. The stream may be used again. Takes NULL, returns NULL. */
bst__intake *bst__intake_free(bst__intake *intake);

/* As bst_pg_stream_read(); the message is borrowed until the next call. A failure comes when all
 * that was received before has been taken. */
bst_status bst__intake_take(bst__intake *intake, int timeout_ms, bst_stream_message *ret,
                            bst_diags *diags) BST_MUST_USE;
/* Tells the server, soon, up to where it is done with; `ask`: and to say how far it is itself. */
void bst__intake_confirm(bst__intake *intake, uint64_t done, bool ask);

#endif
