/* An output must be no file that the same call reads or writes as something else. */
#ifndef BACKSTORY_CLI_FILES_APART_H
#define BACKSTORY_CLI_FILES_APART_H

#include "cli.h"

/* A path on the command line. NULL, "-" and connection strings are no files. */
typedef struct cli_named_file {
    const char *name; /* what the message calls it: "--from", "the mapping" */
    const char *path;
    bool written;
} cli_named_file;

/* BST_USAGE when two of them, one of which is written, are one file: by device and inode, or by
 * folder and name where it is not there yet. A folder that is read stands for the .csv files
 * directly in it. Devices and FIFOs may be named twice. To be called before anything is opened to
 * write. */
bst_status cli_files_apart(cli_call *call, const cli_named_file *files, size_t count);

/* The same of what a mapping reads (itself, its machine, the rows and the log beside them) and of
 * at most CLI_OTHER_FILES_MAX other files. */
#define CLI_OTHER_FILES_MAX 8
bst_status cli_mapping_apart(cli_call *call, const bst_mapping *mapping, const char *from,
                             const cli_named_file *others, size_t count);

#endif
