/* The rows of an entity's log, as the machine and the mapping understand them. */
#ifndef BACKSTORY_LOG_ROWS_PRIVATE_H
#define BACKSTORY_LOG_ROWS_PRIVATE_H

#include <jansson.h>

#include "backstory/mapping.h"

typedef enum bst__log_mistake {
    BST__LOG_FINE,
    BST__LOG_UNKNOWN_STATE, /* the mapping has no such code */
    BST__LOG_UNKNOWN_REGION,
    BST__LOG_UNKNOWN_EVENT, /* the machine has no such event or command */
    BST__LOG_BAD_TIME,      /* it cannot be read, or is infinite */
    BST__LOG_NO_ZONE        /* naive, and the mapping names no zone: its mistake */
} bst__log_mistake;

typedef struct bst__log_row {
    uint32_t log; /* its number */
    /* the state column that has its codes, and of that the state entered or, where there are
     * several, the node; BST_NONE: it does not say */
    uint32_t column, state, node;
    uint32_t event, command;
    uint32_t before; /* the row before it of the same log and column, or BST_NONE */
    bst__log_mistake mistake;
    bool timed;
    int64_t time;
    const char *to;   /* as it stands there, or NULL */
    const char *text; /* of what it says, or of the mistake */
} bst__log_row;

/* Of all logs, one after the other. */
typedef struct bst__log_rows {
    json_t *json; /* array: what the texts are borrowed from */
    bst__log_row *rows;
    size_t count, room;
} bst__log_rows;

void bst__log_clear(bst__log_rows *rows);
/* Adds what the cell of log `number` holds. Rows that repeat the state before them are left out,
 * unless a step of the machine does that. False: no memory. The texts live until all is cleared. */
bool bst__log_add(bst__log_rows *rows, const bst_mapping *mapping, uint32_t number,
                  const bst_cell *cell) BST_MUST_USE;
void bst__log_release(bst__log_rows *rows);

#endif
