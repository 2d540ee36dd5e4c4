/* Legacy rows, from a CSV file (or a folder of them) or from PostgreSQL. Read-only, one consistent
 * snapshot, constant memory.
 *
 * The mapping says which columns it wants and as what type; a source delivers typed cells, and says
 * of each cell that does not convert what is wrong with it. It never drops a row and never stops at
 * a bad one.
 */
#ifndef BACKSTORY_SOURCE_H
#define BACKSTORY_SOURCE_H

#include "backstory/arena.h"
#include "backstory/diag.h"
#include "backstory/key_part.h"
#include "backstory/marks.h"
#include "backstory/pace.h"
#include "backstory/pg_watch.h"
#include "backstory/timestamp.h"
#include "backstory/value.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_COLUMNS_MAX    1600u       /* as in PostgreSQL */
#define BST_CELL_BYTES_MAX (64u << 20) /* one CSV cell */

/* How times are written as text: 2016-02-29, 29/2/2016, 2/29/2016. The first is always read. */
typedef enum bst_dates { BST_DATES_YMD, BST_DATES_DMY, BST_DATES_MDY } bst_dates;

typedef struct bst_source_column {
    const char *name;
    /* NULL; or an expression of the user's own database that is read under this name */
    const char *sql;
    bst_type type; /* wanted */
    /* timestamptz: how naive values are read; NULL: naive values are an error of the mapping */
    const bst_zone *zone;
    bst_dates dates; /* timestamptz */
    /* Not a column of the table but the rows that this log has of the entity, as JSON text:
     * [[to, at, event, region], ...] in their order, NULL: none. `sql` is the same for PostgreSQL.
     */
    const struct bst_log *log;
} bst_source_column;

typedef struct bst_source_spec {
    /* "public.payments"; for a folder: payments.csv (schema dropped) */
    const char *table;
    const char *const *key; /* column names */
    size_t key_count;
    const char *where_sql;            /* NULL: all rows are in scope. PostgreSQL only */
    const bst_source_column *columns; /* key columns need not be among them */
    size_t column_count;
    /* CSV: cells that mean NULL, besides the unquoted empty one */
    const char *const *null_texts;
    size_t null_text_count;
    /* deliver by key, bytewise (COLLATE "C"), rows with a NULL key first */
    bool ordered;
    /* files: the digest of bst_source_identity() is, once rows were read, that of the bytes that
     * they came from */
    bool digested;
    bst_pg_watch watch; /* PostgreSQL */
    bst_pace *pace;     /* kept by bst_source_next(); NULL: as fast as may be */
} bst_source_spec;

#define BST_LOGS_MAX      8u
#define BST_LOG_ORDER_MAX 4u

/* What holds one part of the entity's key: a column of the log, or SQL. */
typedef struct bst_log_entity {
    const char *name; /* or NULL */
    const char *sql;
} bst_log_entity;

/* A value of the column that names the region, and which state column speaks of that region. */
typedef struct bst_log_region {
    const char *text;
    uint32_t state_column; /* number; BST_NONE: such rows speak of something else */
} bst_log_region;

/* A table that holds a partial history of the entities, or of one region of theirs. */
typedef struct bst_log {
    bst_source_spec source; /* as a table of its own, by entity */
    uint32_t entity_count;  /* as many as the key has columns */
    const bst_log_entity *entity;
    /* columns of `source`, or BST_NONE: the state entered, by the codes of the mapping; the event
     * or command; when; what orders an entity's rows, before the time */
    uint32_t to, event, at;
    /* whose codes `to` has: the number of a state column; or a column of `source` names it */
    uint32_t state_column, region;
    uint32_t region_count;
    const bst_log_region *regions;
    uint32_t order_count;
    uint32_t order[BST_LOG_ORDER_MAX];
    /* a row is a version of the entity, not a change: the same state again means nothing, and the
     * first row does not say when its state was entered */
    bool versions;
    bool whole;               /* no step is missing, but for the creation perhaps */
    bool evidence;            /* false: it is there to learn from only */
    bst_source_column joined; /* reads all of it beside a row */
    uint32_t cell;            /* evidence: `joined` among the columns of the mapping */
} bst_log;

/* Its file, where the rows of `from` are one, or a folder of them: in that folder, or beside the
 * file. The caller frees it; NULL when out of memory. */
BST_API char *bst_log_file(const char *from, const bst_log *log);

typedef struct bst_cell {
    bst_value value; /* absent: NULL (when `result` is BST_VALUE_OK) */
    /* anything else: it does not convert, and `text` is what stands there */
    bst_value_result result;
    const char *text; /* set when `result` is not OK */
    size_t text_len;
} bst_cell;

typedef struct bst_row {
    const char *key; /* as text, composite keys joined as history.h says */
    size_t key_len;
    bool key_is_null; /* one of its parts is NULL */
    /* another row has the same key (only known, and then always known, in an ordered read, or where
     * the source has no unique index) */
    bool key_is_double;
    bool in_scope;         /* `where_sql` holds */
    uint64_t number;       /* 1, 2, ... as read; in CSV the line it starts at */
    const bst_cell *cells; /* spec->column_count */
} bst_row;

typedef struct bst_source bst_source;

/* `from`: a connection string, a `.csv` file, or a folder that has `<table>.csv`. Columns that are
 * missing, types that cannot convert and a naive timestamp column without a zone are reported, all
 * of them, with "did you mean". The spec must outlive the source. */
BST_API bst_status bst_source_open(const char *from, const bst_source_spec *spec, bst_source **ret,
                                   bst_diags *diags) BST_MUST_USE;
/* The same at a moment that another session holds, by the name that pg_export_snapshot() or a
 * replication slot gave it (it must hold it until this returns). NULL: a moment of its own.
 * PostgreSQL only. */
BST_API bst_status bst_source_open_at(const char *from, const bst_source_spec *spec,
                                      const char *snapshot, bst_source **ret,
                                      bst_diags *diags) BST_MUST_USE;
/* *ret_row is NULL at the end; borrowed until the next call. */
BST_API bst_status bst_source_next(bst_source *source, const bst_row **ret_row,
                                   bst_diags *diags) BST_MUST_USE;
BST_API bst_source *bst_source_free(bst_source *source);

/* The rows that follow are those of the part, and, where it has no lower bound, those without a
 * key. Only a hint for files, which hand out all: ask bst_key_part_has(). */
BST_API bst_status bst_source_keep(bst_source *source, const bst_key_part *part,
                                   bst_diags *diags) BST_MUST_USE;

/* Before the first row is asked for: a mark of the rows of each chunk of keys, as bst_reader_mark()
 * has them of histories: of the values that the mapping reads. Rows without a key are in none. NULL
 * for files. */
BST_API bst_status bst_source_mark(bst_source *source, const char *const *bounds, size_t count,
                                   const bst_marks *before, bst_arena *arena, bst_marks *ret,
                                   bst_diags *diags) BST_MUST_USE;

/* ---- in chunks. A file hands out its chunks in their order only. */

/* A file or a folder, which can be read again; no FIFO, no connection string. */
BST_API bool bst_source_is_file(const char *from);

/* The moment it is read at. */
typedef struct bst_source_moment {
    const char
        *snapshot;   /* by this name others read at the same moment, as long as this source is open;
                    * NULL: a file */
    const char *lsn; /* of the server's log, or NULL */
    const char *taken_at;
} bst_source_moment;
BST_API bst_status bst_source_moment_of(bst_source *source, bst_source_moment *ret,
                                        bst_diags *diags) BST_MUST_USE;

typedef struct bst_source_cut {
    uint64_t rows; /* in a chunk, about */
    /* By where rows lie in the table, where that can be: a little faster, but of use only at this
     * moment. Else by ranges of the key, which mean the same later. */
    bool by_place;
} bst_source_cut;

/* Cuts the table so that each row, and all rows with one key, lie in just one chunk. Texts (JSON)
 * in `arena`. */
BST_API bst_status bst_source_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                                    const char *const **ret, size_t *ret_count,
                                    bst_diags *diags) BST_MUST_USE;
/* Why only one reader can read it: "a view"; NULL: several can, at one moment. */
BST_API const char *bst_source_one_reader(const bst_source *source);
/* The rows that follow are those of the chunk; numbered from 1. */
BST_API bst_status bst_source_select(bst_source *source, const char *bounds,
                                     bst_diags *diags) BST_MUST_USE;
/* Appends what must be the same for chunks to mean the same: a JSON object of texts, by names for
 * people. */
BST_API bst_status bst_source_identity(bst_source *source, bst_strbuf *out,
                                       bst_diags *diags) BST_MUST_USE;

/* Appends the row just read as a JSON object of text and null: every column the source has, mapped
 * or not. */
BST_API bst_status bst_source_original(bst_source *source, bst_strbuf *out,
                                       bst_diags *diags) BST_MUST_USE;
/* The same of many rows, asked for together: a server takes longer to be asked for one than to hand
 * it out. A note of the row just read; and what the first of those are that were noted, one at
 * least and as many as some memory holds. Texts in `arena`. */
BST_API bst_status bst_source_note(bst_source *source, bst_arena *arena, const char **ret,
                                   bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_source_originals(bst_source *source, const char *const *notes, size_t count,
                                        bst_arena *arena, const char **ret, size_t *ret_count,
                                        bst_diags *diags) BST_MUST_USE;
/* For progress: the rows to expect, 0 when not known; and how far it is, 0 to 1, below 0 when not
 * known. */
BST_API uint64_t bst_source_expected(const bst_source *source);
BST_API double bst_source_progress(const bst_source *source);
/* "payments.csv", "public.payments of payments@db1:5432": for reports. Borrowed. */
BST_API const char *bst_source_label(const bst_source *source);
/* The other way round, before a mapping is used: the value kinds of all columns. (Drafting and
 * checks; NULL-safe.) */
BST_API size_t bst_source_column_count(const bst_source *source);
BST_API const char *bst_source_column_name(const bst_source *source, size_t index);

#ifdef __cplusplus
}
#endif
#endif
