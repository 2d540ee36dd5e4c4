/* CSV records, read one at a time: RFC 4180 as PostgreSQL's COPY ... CSV writes it. */
#ifndef BACKSTORY_CSV_PRIVATE_H
#define BACKSTORY_CSV_PRIVATE_H

#include <stdint.h>
#include <stdio.h>

#include "backstory/diag.h"
#include "backstory/digest.h"

typedef struct bst__csv_field {
    char *text; /* unquoted, in the record's own bytes; not terminated */
    size_t len;
    bool quoted; /* "" is an empty text; nothing at all is NULL */
} bst__csv_field;

typedef struct bst__csv {
    FILE *file;
    const char *name;
    char *bytes; /* the read buffer */
    size_t begin, end, size;
    uint64_t line;   /* at which the next record starts */
    uint64_t offset; /* bytes consumed */
    bool at_end;
    bst_sha256 *sha256; /* NULL: nobody wants it */
} bst__csv;

/* `digested`: of the bytes of the file, as they are read. */
bst_status bst__csv_open(bst__csv *csv, const char *path, bool digested,
                         bst_diags *diags) BST_MUST_USE;
void bst__csv_close(bst__csv *csv);
/* The bytes of the next record without its line end, quotes and all, borrowed until the next call;
 * *ret_bytes is NULL at the end. Empty lines are passed over. */
bst_status bst__csv_next(bst__csv *csv, char **ret_bytes, size_t *ret_len, uint64_t *ret_line,
                         bst_diags *diags) BST_MUST_USE;
/* Cuts a record into fields, in place. Writes at most `room` and returns how many there are. */
size_t bst__csv_split(char *bytes, size_t len, bst__csv_field *fields, size_t room);
/* A header's names must be different: a column is found by its name, and a second one of that name
 * would never be read. */
bst_status bst__csv_check_names(const char *path, uint64_t line, const bst__csv_field *names,
                                size_t count, bst_diags *diags) BST_MUST_USE;

#endif
