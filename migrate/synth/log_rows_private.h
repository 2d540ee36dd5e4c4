/* The rows of an entity's log, as the machine and the mapping understand them. */
#ifndef BACKSTORY_LOG_ROWS_PRIVATE_H
#define BACKSTORY_LOG_ROWS_PRIVATE_H

#include <jansson.h>

#include "backstory/mapping.h"

typedef enum bst__log_mistake {
    BST__LOG_FINE,
    BST__LOG_UNKNOWN_STATE, /* the mapping has no such code */
    BST__LOG_UNKNOWN_EVENT, /* the machine has no such event or command */
    BST__LOG_BAD_TIME,      /* it cannot be read, or is infinite */
    BST__LOG_NO_ZONE        /* naive, and the mapping names no zone: its mistake */
} bst__log_mistake;

typedef struct bst__log_row {
    uint32_t state, event, command; /* BST_NONE: it does not say */
    bst__log_mistake mistake;
    bool timed;
    int64_t time;
    const char *text; /* of what it says, or of the mistake */
} bst__log_row;

typedef struct bst__log_rows {
    json_t *json;
    bst__log_row *rows;
    size_t count, room;
} bst__log_rows;

/* Reads the cell of mapping->log. Rows that repeat the state before them are left out, unless a
 * step of the machine does that. False: no memory. The texts live until the next call. */
bool bst__log_read(bst__log_rows *rows, const bst_mapping *mapping,
                   const bst_cell *cell) BST_MUST_USE;
void bst__log_release(bst__log_rows *rows);

#endif
