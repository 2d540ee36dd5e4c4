/* PostgreSQL, the little of libpq that we use: the only place where PQ... is called. Built only
 * with BACKSTORY_POSTGRES.
 *
 * Every session: TimeZone UTC, client_encoding UTF8, search_path '', statement/lock/idle timeouts
 * 0, lc_monetary C, extra_float_digits and DateStyle fixed, application_name "backstory" (unless
 * the connection string names another). Errors keep the server's SQLSTATE, message, detail and hint
 * in one finding with the code `sqlstate-23505`, whose message begins with the side and the label;
 * 23505 and the store's own BST01 are BST_CONFLICT, class 40 is BST_RETRY, all else BST_DATABASE.
 * Where the server said nothing the code is `connect`, `rolled-back` (a COMMIT that was not one),
 * `stalled` or `copy-cut-short`. Passwords never appear in a message.
 */
#ifndef BACKSTORY_PG_H
#define BACKSTORY_PG_H

#include "backstory/arena.h"
#include "backstory/diag.h"
#include "backstory/key_part.h"
#include "backstory/marks.h"
#include "backstory/pg_watch.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_pg bst_pg;
typedef struct bst_pg_rows bst_pg_rows;

/* Whose server it is: every error of it says so, and which one it is, "source shop@db1:5432: ...".
 */
typedef enum bst_pg_side { BST_PG_SOURCE, BST_PG_STORE } bst_pg_side;

BST_API bst_status bst_pg_connect(const char *conninfo, bst_pg_side side, bst_pg **ret,
                                  bst_diags *diags) BST_MUST_USE;
/* As bst_pg_connect(), which has the patience of a watch that is all 0. */
#define BST_PG_PATIENCE 60u
BST_API bst_status bst_pg_connect_watched(const char *conninfo, bst_pg_side side,
                                          const bst_pg_watch *watch, bst_pg **ret,
                                          bst_diags *diags) BST_MUST_USE;
BST_API bst_pg *bst_pg_free(bst_pg *pg);
/* Database, host and port: "payments@db1:5432", for reports. Borrowed. */
BST_API const char *bst_pg_label(const bst_pg *pg);
/* The message of a finding of this session without the side and the label. */
BST_API const char *bst_pg_own_words(const bst_pg *pg, const char *message);
/* The number of its process at the server. */
BST_API int bst_pg_process(const bst_pg *pg);
/* Of the server: 150004 is 15.4. */
BST_API int bst_pg_version(const bst_pg *pg);

/* Whether the trouble may pass: a new session, later, may succeed with the same. */
BST_API bool bst_pg_heals(const bst_diag *diag);

/* One or more statements without result. */
BST_API bst_status bst_pg_exec(bst_pg *pg, const char *sql, bst_diags *diags) BST_MUST_USE;
/* One statement with text parameters ($1 ...; NULL is null) and text results. */
BST_API bst_status bst_pg_query(bst_pg *pg, const char *sql, size_t param_count,
                                const char *const *params, bst_pg_rows **ret,
                                bst_diags *diags) BST_MUST_USE;
BST_API size_t bst_pg_rows_count(const bst_pg_rows *rows);
/* NULL: null */
BST_API const char *bst_pg_rows_text(const bst_pg_rows *rows, size_t row, size_t column);
BST_API bst_pg_rows *bst_pg_rows_free(bst_pg_rows *rows);

/* COPY ... TO STDOUT. Each call gives one CopyData message, borrowed until the next; at the end
 * *ret_len is 0 and *ret_rows (may be NULL) is the count of the COPY tag. */
BST_API bst_status bst_pg_copy_out(bst_pg *pg, const char *sql, bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_pg_copy_read(bst_pg *pg, const char **ret_bytes, size_t *ret_len,
                                    uint64_t *ret_rows, bst_diags *diags) BST_MUST_USE;
/* COPY ... FROM STDIN. `finish` checks the server's count against `rows`: a truncated COPY is
 * accepted by the server. */
BST_API bst_status bst_pg_copy_in(bst_pg *pg, const char *sql, bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_pg_copy_write(bst_pg *pg, const void *bytes, size_t len,
                                     bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_pg_copy_finish(bst_pg *pg, uint64_t rows, bst_diags *diags) BST_MUST_USE;

/* Appends an identifier, quoted; `a.b` given as two parts is the caller's business. */
BST_API bool bst_pg_add_identifier(bst_pg *pg, const char *name, bst_strbuf *out);
BST_API bool bst_pg_add_literal(bst_pg *pg, const char *text, bst_strbuf *out);
/* Appends the condition that bst_key_part_has() tests; `key` is an expression, its collation
 * "C". */
BST_API void bst_pg_add_key_part(bst_pg *pg, const bst_key_part *part, const char *key,
                                 bst_strbuf *out);
/* Appends an expression: how many of the bounds, which are in order, are not above the key. */
BST_API void bst_pg_add_key_chunk(bst_pg *pg, const char *const *bounds, size_t count,
                                  const char *key, bst_strbuf *out);

/* A digest of a chunk is its count of rows and two sums over the hashes of its records `r`, by
 * two functions of each: an incremental multiset hash (Bellare and Micciancio, A new paradigm
 * for collision-free hashing, 1997), which needs no order. What follows is a subquery that gives
 * `chunk` and `r`. */
#define BST_PG_DIGEST_HEAD                                                                         \
    "SELECT chunk, count(*) || ':' || sum(h) || ':' || sum(hashint8extended(h, 1))"                \
    " FROM (SELECT chunk, hash_record_extended(r, 0) AS h FROM (SELECT "
/* Runs a query that gives a chunk's number and its digest, and puts the digests (in `arena`) in
 * their places, of which there are count + 1. */
BST_API bst_status bst_pg_digests(bst_pg *pg, const char *sql, size_t count, bst_arena *arena,
                                  const char **ret_digests, bst_diags *diags) BST_MUST_USE;

/* Chunks of the rows of a table: `count` + 1 of them, between bounds that are in order. */
typedef struct bst_pg_chunks {
    const char *from; /* as in SQL after FROM; the table is `t` there */
    const char *key;  /* an expression, its collation "C" */
    size_t bound_count;
    const char *const *bounds;
} bst_pg_chunks;

/* The stamp of a table (quoted, with its schema) at the moment of the transaction; NULL: there is
 * none, and then no marks. */
BST_API bst_status bst_pg_stamp(bst_pg *pg, const char *table, bst_arena *arena, const char **ret,
                                bst_diags *diags) BST_MUST_USE;
/* Fills the marks that belong to `ret->stamp`; `before` may be empty. Texts in `arena`, or those of
 * `before`. */
BST_API bst_status bst_pg_marks(bst_pg *pg, const bst_pg_chunks *chunks, const bst_marks *before,
                                bst_arena *arena, bst_marks *ret, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
