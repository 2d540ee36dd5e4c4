/* Legacy rows from PostgreSQL: what its files share.
 *
 *     pg.c           opening, a COPY, its messages
 *     session_pg.c   a session, and the transaction that everything is read in
 *     row_pg.c       a message cut into key and cells
 *     table_pg.c     the table: is it there, what columns and what key has it
 *     key_pg.c       the key and the index over it
 *     identity_pg.c  which table of which server it is
 *     cut_pg.c       cutting the table into chunks
 *     chunk_pg.c     reading one
 *     original_pg.c  a row with all of its columns
 */
#ifndef BACKSTORY_SOURCE_PG_PRIVATE_H
#define BACKSTORY_SOURCE_PG_PRIVATE_H

#include "backstory/decimal.h"
#include "backstory/pg.h"
#include "source_private.h"

/* How a column travels. */
typedef enum bst__wire {
    WIRE_TEXT,
    WIRE_CHAR,     /* as character(n), for a text: with the blanks that fill it */
    WIRE_INT,      /* as int2, int4 or int8, whichever it is */
    WIRE_INT_TEXT, /* the same, for a text */
    WIRE_NUMERIC,
    WIRE_BOOL,
    WIRE_TIMESTAMPTZ,
    WIRE_TIMESTAMP,
    WIRE_DATE, /* as date, for a date */
    WIRE_UUID,
    WIRE_BYTEA
} bst__wire;

typedef enum bst__pg_kind {
    BST__TABLE, /* or a materialized view; with its partitions and children */
    BST__VIEW,
    BST__FOREIGN /* all of it, or a part, lies on another server */
} bst__pg_kind;

/* A column of the key. */
typedef struct bst__key_column {
    const char *name, *type;    /* the type, or that under a domain, ready for a cast */
    const char *collation;      /* in whose order it is compared, quoted; NULL: it has none */
    const char *collation_text; /* what that is at this server, and in which version */
    bool not_null;
    bool as_text; /* what is compared is its text */
} bst__key_column;

typedef struct bst__pg_source {
    bst_source base;
    char *conninfo;
    bst_pg *pg;
    bst_pg *second;   /* opened when the first row is asked for whole */
    char *snapshot;   /* its name for others */
    bst_strbuf table; /* quoted, ready for FROM */
    bst_strbuf label;
    char *oid; /* of the table */
    char **names;
    size_t name_count;
    bst__wire *wires;
    bst__pg_kind kind;
    bool has_ctid;
    bool by_key; /* a row is found again by its key; else by ctid and tableoid, which it brings */
    bool has_scope; /* a row says whether it is in scope; else all are */
    bool ordered, unique;
    bool key_is_int; /* it travels as one, and becomes a text here */
    char key_text[BST_DECIMAL_TEXT_MAX];
    /* The key in the order in which an index has it; in that of the mapping where there is none. */
    bst__key_column *keys;
    bool indexed;         /* a btree over just these columns finds a range of them */
    bool plain;           /* one table in one place: no partitions, no children */
    bst_strbuf condition; /* of the chunk at hand, over `t`; empty: all rows */
    uint64_t expected, rows;
    bool copying, header_read, ended;
    /* The message at hand. */
    const char *bytes;
    size_t len;
    const char *ctid; /* 6 bytes in it */
    uint32_t table_oid;
    /* Where keys may repeat: the row at hand is a copy, the message is already the next one's. */
    char *held;
    size_t held_size, held_len;
    bool primed, like_before;
    size_t originals_fit; /* how many came at once when last there were so many; 0: not known */
    bst_cell *cells;
    bst_arena *arena; /* of the row at hand */
    bst_arena *texts; /* as long as the source */
    bst_row row;
} bst__pg_source;

/* session_pg.c: a session; and the transaction that everything is read in; `snapshot` NULL: at a
 * moment of its own */
bst_status bst__pg_session(bst__pg_source *s, bst_pg **ret, bst_diags *diags) BST_MUST_USE;
bst_status bst__pg_begin(bst_pg *pg, const char *snapshot, bst_diags *diags) BST_MUST_USE;

/* row_pg.c */
/* Cuts one row's bytes into s->row and s->cells. */
bst_status bst__pg_row_take(bst__pg_source *s, const char *bytes, size_t len,
                            bst_diags *diags) BST_MUST_USE;
/* One field of a row; NULL has *ret_bytes NULL. False: it does not fit into the row. */
bool bst__pg_take_field(const char **at, const char *end, const char **ret_bytes, size_t *ret_len);
bst_status bst__pg_broken(bst_diags *diags);

/* table_pg.c */
bst_status bst__pg_table_find(bst__pg_source *s, bst_diags *diags) BST_MUST_USE;
/* Checks that everything the mapping reads is there, and chooses how each column travels. */
bst_status bst__pg_table_columns(bst__pg_source *s, bst_diags *diags) BST_MUST_USE;
/* The only row's value; NULL when there is not just one row. */
const char *bst__pg_single(const bst_pg_rows *rows, size_t column);
void bst__pg_add_quoted(bst__pg_source *s, const char *name, bst_strbuf *out);
/* The column, or the expression that stands for one. */
void bst__pg_add_expression(bst__pg_source *s, const bst_source_column *column, bst_strbuf *out);

/* log_index_pg.c: warns of a log that is read whole for each row. */
bst_status bst__pg_logs_check(bst__pg_source *s, bst_diags *diags) BST_MUST_USE;
/* key_pg.c */
/* Finds out about the key's columns, and whether an index makes it unique or finds ranges of it. */
bst_status bst__pg_key_find(bst__pg_source *s, bst_diags *diags) BST_MUST_USE;
/* A row has a key, by which an index finds it and no other. */
bool bst__pg_key_is_found(const bst__pg_source *s);
/* The column as it is compared: `t."code" COLLATE "C"`. A literal beside it needs no type. */
void bst__pg_add_key_column(bst__pg_source *s, const bst__key_column *key, bst_strbuf *out);
/* The parts of a key, as bst__key_add() has joined them, as literals with commas between: a row of
 * VALUES. And the condition that `t` has the key in `o` (k1, k2, ...), one of these rows. */
bst_status bst__pg_add_key_values(bst__pg_source *s, const char *key, size_t len, bst_strbuf *out,
                                  bst_diags *diags) BST_MUST_USE;
void bst__pg_add_key_matches(bst__pg_source *s, bst_strbuf *out);
/* One text expression over all parts of the key, as bst__key_add() joins them. */
void bst__pg_add_joined_key(bst__pg_source *s, bst_strbuf *out);

/* original_pg.c */
bst_status bst__pg_original(bst_source *source, bst_strbuf *out, bst_diags *diags);
bst_status bst__pg_note(bst_source *source, bst_strbuf *out, bst_diags *diags);
bst_status bst__pg_originals(bst_source *source, const char *const *notes, size_t count,
                             bst_arena *arena, const char **ret, size_t *ret_count,
                             bst_diags *diags);

/* identity_pg.c */
/* What must not change between a run that is broken off and the one that goes on with it. */
bst_status bst__pg_identity(bst_source *source, bst_strbuf *out, bst_diags *diags) BST_MUST_USE;

/* cut_pg.c */
const char *bst__pg_one_reader(const bst_source *source);
bst_status bst__pg_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                         const char *const **ret, size_t *ret_count, bst_diags *diags);

/* chunk_pg.c */
/* Appends that no column is NULL, of those that can be. */
void bst__pg_add_not_null(bst__pg_source *s, bst_strbuf *out);
/* Sets s->condition. */
bst_status bst__pg_select(bst__pg_source *s, const char *bounds, bst_diags *diags);

#endif
