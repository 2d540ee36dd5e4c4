/* Where an output goes that is written beside its place and then renamed.
 *
 * Renaming puts a new file in the place of whatever has the name: right for a file, ruin for a
 * device or a FIFO, and a symbolic link would no longer lead to its file. So a link is followed,
 * and what is no file is written as it stands.
 */
#ifndef BACKSTORY_OUTPUT_PATH_H
#define BACKSTORY_OUTPUT_PATH_H

#include <stdbool.h>

#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Puts into `ret` the path to write to: `given`, or what it leads to as a symbolic link, also when
 * that is not there yet. False: write beside it and rename. True: it is a device, a FIFO or
 * something that cannot be looked at, which must be opened as it is, never renamed over or removed.
 * Without memory `ret` has failed. */
BST_API bool bst_output_path(const char *given, bst_strbuf *ret);
/* Whether something could be written there, as far as can be told without doing so: to say it
 * before the work and not after it. False, and errno. */
BST_API bool bst_output_possible(const char *given);
/* Opens such a thing to write; a descriptor, or -1 and errno. */
BST_API int bst_output_open_in_place(const char *path);

#ifdef __cplusplus
}
#endif

#endif
