/* What tells whether a chunk of keys has changed since somebody last looked, without sending it.
 *
 * Two ways. Where it can be had, by what the server keeps beside each row anyway: the transaction
 * that wrote this version of it (xmin). A chunk in which no version is of a later transaction than
 * any that the look before could have seen, and which has as many rows, has the same rows: an
 * insert or an update writes a version, a delete makes them fewer. Nothing of a row is read for it.
 * Elsewhere (a view, a foreign table, values that SQL makes) by a digest of the values.
 */
#ifndef BACKSTORY_MARKS_H
#define BACKSTORY_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_marks {
    /* Of which table of which server the marks are, and which transactions they have seen; NULL:
     * the marks are digests */
    const char *stamp;
    const char **marks; /* of each chunk; NULL: it is empty */
    bool *written;      /* a row of it may have been written since; no mark says so */
} bst_marks;

/* Nothing is known of any of the chunks, `bounds` and one. */
BST_API void bst_marks_clear(bst_marks *marks, size_t bounds);

#ifdef __cplusplus
}
#endif
#endif
