/* A text file, line by line, in memory bounded by the longest line. */
#ifndef BACKSTORY_LINE_FILE_PRIVATE_H
#define BACKSTORY_LINE_FILE_PRIVATE_H

#include "backstory/diag.h"

typedef struct bst__line_file {
    int fd;
    const char *path; /* borrowed: what findings call it */
    char *bytes;
    size_t start, end, size; /* what is read and not handed out yet; allocated */
    bool ended;
    uint32_t number; /* of the line last handed out, from 1 */
} bst__line_file;

/* "-" is the standard input. */
bst_status bst__line_file_open(bst__line_file *file, const char *path,
                               bst_diags *diags) BST_MUST_USE;
/* The next line without its line feed, borrowed until the next call; *ret_line is NULL at the end.
 * BST_IO, and BST_LIMIT for a line of more than `limit` bytes. */
bst_status bst__line_file_next(bst__line_file *file, size_t limit, const char **ret_line,
                               size_t *ret_len, bst_diags *diags) BST_MUST_USE;
void bst__line_file_close(bst__line_file *file);

#endif
