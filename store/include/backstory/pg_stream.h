/* Following a server's write-ahead log: a replication connection, its slots, and the messages of
 * the output plugin pgoutput as bytes (migrate's wal.h takes them apart). Built only with
 * BACKSTORY_POSTGRES.
 *
 * Places in the log are LSNs: byte positions that only grow; 0 is no place. Times are those of
 * timestamp.h.
 */
#ifndef BACKSTORY_PG_STREAM_H
#define BACKSTORY_PG_STREAM_H

#include "backstory/pg.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_LSN_TEXT_MAX  20
#define BST_SLOT_NAME_MAX 63u

/* "16/B374D848", as PostgreSQL writes it. */
BST_API bool bst_lsn_parse(const char *text, uint64_t *ret);
BST_API void bst_lsn_format(uint64_t lsn, char out[BST_LSN_TEXT_MAX]);

typedef struct bst_pg_stream bst_pg_stream;

/* A session as bst_pg_connect() makes it, that may replicate. */
BST_API bst_status bst_pg_stream_open(const char *conninfo, bst_pg_stream **ret,
                                      bst_diags *diags) BST_MUST_USE;
BST_API bst_pg_stream *bst_pg_stream_free(bst_pg_stream *stream);

/* Makes a slot that ends with this session. `ret_snapshot` (64 bytes) names a snapshot of
 * exactly its starting point, for other sessions to read in; it lives until the next call on
 * this stream. Waits until every transaction that is running on the server has ended; for one of
 * them at most `seconds` (then code sqlstate-55P03), 0: as long as it takes. */
BST_API bst_status bst_pg_stream_make_slot(bst_pg_stream *stream, const char *slot,
                                           uint32_t seconds, uint64_t *ret_lsn,
                                           char ret_snapshot[64], bst_diags *diags) BST_MUST_USE;
/* Starts to receive what was committed from `lsn` on, of the tables of a publication. What the slot
 * has been told is done with does not come again. */
BST_API bst_status bst_pg_stream_start(bst_pg_stream *stream, const char *slot,
                                       const char *publication, uint64_t lsn,
                                       bst_diags *diags) BST_MUST_USE;

typedef enum bst_stream_kind {
    BST_STREAM_NOTHING,  /* nothing came in time, or a signal did */
    BST_STREAM_DATA,     /* one message of the plugin */
    BST_STREAM_KEEPALIVE /* the server has nothing to say up to `end` */
} bst_stream_kind;

typedef struct bst_stream_message {
    bst_stream_kind kind;
    uint64_t start, end; /* DATA: the place of the change; KEEPALIVE: end alone */
    int64_t sent_at;     /* by the server's clock */
    bool reply_wanted;
    const char *bytes; /* of DATA; borrowed until the next read */
    size_t len;
} bst_stream_message;

/* Waits at most so long; 0 takes what is there already. A server that says nothing at all for a
 * minute, although asked, is given up (code `stream-silent`). */
BST_API bst_status bst_pg_stream_read(bst_pg_stream *stream, int timeout_ms,
                                      bst_stream_message *ret, bst_diags *diags) BST_MUST_USE;
/* Tells the server how far the stream has been received, and up to where it never need be sent
 * again. */
BST_API bst_status bst_pg_stream_confirm(bst_pg_stream *stream, uint64_t received, uint64_t done,
                                         bool ask_reply, bst_diags *diags) BST_MUST_USE;
/* Ends the stream in good order, so that the last confirmation is not lost. */
BST_API bst_status bst_pg_stream_end(bst_pg_stream *stream, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
