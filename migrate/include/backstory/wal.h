/* Messages of PostgreSQL's output plugin pgoutput (protocol version 1, values as text): what was
 * committed, change by change, in the order of the commits.
 *
 *     begin  relation?  (insert | update | delete | truncate)*  commit
 *
 * Knows bytes; nothing of mappings or machines.
 */
#ifndef BACKSTORY_WAL_H
#define BACKSTORY_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/arena.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bst_wal_kind {
    BST_WAL_BEGIN,
    BST_WAL_COMMIT,
    BST_WAL_RELATION,
    BST_WAL_INSERT,
    BST_WAL_UPDATE,
    BST_WAL_DELETE,
    BST_WAL_TRUNCATE,
    BST_WAL_OTHER /* origin, type, a message: nothing that changes a row */
} bst_wal_kind;

typedef struct bst_wal_column {
    const char *name;
    bool in_key; /* part of the replica identity */
    uint32_t type_oid;
    int32_t modifier;
} bst_wal_column;

typedef enum bst_wal_form {
    BST_WAL_NULL = 'n',
    BST_WAL_UNCHANGED = 'u', /* stored out of line, not touched: it is not sent */
    BST_WAL_TEXT = 't',
    BST_WAL_BINARY = 'b'
} bst_wal_form;

typedef struct bst_wal_value {
    bst_wal_form form;
    uint32_t len;
    const char *text; /* not NUL-terminated; into the message */
} bst_wal_value;

typedef struct bst_wal_tuple {
    uint16_t count;
    const bst_wal_value *values;
} bst_wal_tuple;

typedef struct bst_wal_message {
    bst_wal_kind kind;
    uint64_t lsn;      /* BEGIN, COMMIT: of the commit */
    uint64_t end_lsn;  /* COMMIT: where the transaction ends */
    int64_t time;      /* BEGIN, COMMIT: microseconds from 2000-01-01 UTC */
    uint32_t xid;      /* BEGIN */
    uint32_t relation; /* of RELATION and the rows */
    /* RELATION */
    const char *schema, *table;
    char identity; /* as pg_class.relreplident: d, n, f, i */
    uint16_t column_count;
    const bst_wal_column *columns;
    /* rows */
    char old_kind; /* 0: no old image; 'K': its key columns alone; 'O': all of it */
    bst_wal_tuple old_row, new_row;
    /* TRUNCATE */
    uint32_t relation_count;
    const uint32_t *relations;
} bst_wal_message;

typedef enum bst_wal_result { BST_WAL_OK, BST_WAL_MALFORMED, BST_WAL_NOMEM } bst_wal_result;

/* Takes one message apart. Texts point into `bytes`, arrays and names live in `arena`. */
BST_API bst_wal_result bst_wal_parse(const char *bytes, size_t len, bst_arena *arena,
                                     bst_wal_message *ret) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
