/* Rows out of a binary COPY. */
#ifndef BACKSTORY_COPY_ROW_PRIVATE_H
#define BACKSTORY_COPY_ROW_PRIVATE_H

#include "backstory/pg.h"

#define BST__COPY_COLUMNS_MAX 16

typedef struct bst__copy_field {
    const char *bytes; /* NULL: null */
    size_t len;
} bst__copy_field;

typedef struct bst__copy_reader {
    bst_pg *pg;
    int columns;
    bool begun;                                    /* the head of the format is behind us */
    bst__copy_field fields[BST__COPY_COLUMNS_MAX]; /* of the row; borrowed until the next */
} bst__copy_reader;

/* `sql`: COPY (SELECT ...) TO STDOUT (FORMAT binary), of `columns` columns. */
bst_status bst__copy_reader_start(bst__copy_reader *reader, bst_pg *pg, const char *sql,
                                  int columns, bst_diags *diags) BST_MUST_USE;
bst_status bst__copy_reader_next(bst__copy_reader *reader, bool *ret_row,
                                 bst_diags *diags) BST_MUST_USE;

/* A field as a signed number of 2, 4 or 8 bytes; 0 for null. */
int64_t bst__copy_int(const bst__copy_field *field);
double bst__copy_double(const bst__copy_field *field);

#endif
