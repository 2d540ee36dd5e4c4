/* A file that holds data of rows: readable by its owner only, written beside its place and renamed
 * when it is whole, so that whoever fails on the way leaves what was there. See output_path.h for
 * what is no file. */
#ifndef BACKSTORY_OUTPUT_FILE_H
#define BACKSTORY_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_output_file {
    FILE *file; /* to write to; NULL: not open */
    char *path;
    char *temporary; /* NULL: written as it stands */
} bst_output_file;

/* False, and errno: it cannot be written there. Then, too, bst_output_file_drop() frees. */
BST_API bool bst_output_file_open(bst_output_file *output, const char *path);
/* Puts the file in its place; what it holds is on the disk by then, its name when the folder is.
 * False, and errno: it is not there; what was there before is. In both cases nothing is left to
 * free. */
BST_API bool bst_output_file_keep(bst_output_file *output);
/* As if it had never been opened, but for a device or a FIFO. Harmless when it is not open. */
BST_API void bst_output_file_drop(bst_output_file *output);

#ifdef __cplusplus
}
#endif

#endif
