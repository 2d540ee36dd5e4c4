/* A replication connection.
 *
 * Inside CopyBoth the server sends two kinds of message and we send one:
 *
 *     w  start(8) end(8) clock(8) bytes...            a message of the plugin
 *     k  end(8) clock(8) reply(1)                     nothing up to here; reply: answer now
 *     r  received(8) done(8) done(8) clock(8) reply(1)
 *
 * all numbers most significant byte first, clocks in microseconds from 2000-01-01. A peer that is
 * frozen is not noticed by TCP (its kernel goes on acknowledging), so silence is measured here.
 */
#include "backstory/pg_stream.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "backstory/clock.h"
#include "pg_private.h"

#define ASK_AFTER_MS 10000 /* of silence; the server's own patience is 60 s by default */
#define GIVE_UP_MS   60000

struct bst_pg_stream {
    bst_pg *pg;
    char *message;           /* borrowed by the caller until the next read */
    int64_t heard_ms;        /* when the server last said anything */
    int64_t asked_ms;        /* when it was last asked to */
    uint64_t received, done; /* as last confirmed */
};

bool bst_lsn_parse(const char *text, uint64_t *ret) {
    static const char digits[] = "0123456789abcdefABCDEF";
    const size_t high = strspn(text, digits);
    if (high == 0 || high > 8 || text[high] != '/')
        return false;
    const char *const rest = text + high + 1;
    const size_t low = strspn(rest, digits);
    if (low == 0 || low > 8 || rest[low] != '\0')
        return false;
    *ret = (uint64_t)strtoull(text, NULL, 16) << 32 | strtoull(rest, NULL, 16);
    return true;
}

void bst_lsn_format(uint64_t lsn, char out[BST_LSN_TEXT_MAX]) {
    snprintf(out, BST_LSN_TEXT_MAX, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(uint32_t)lsn);
}

bst_status bst_pg_stream_open(const char *conninfo, bst_pg_stream **ret, bst_diags *diags) {
    bst_pg_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return bst_diag_nomem(diags);
    const bst_status status =
        bst__pg_connect(conninfo, BST_PG_SOURCE, true, BST_PG_PATIENCE, &stream->pg, diags);
    if (status != BST_OK) {
        free(stream);
        return status;
    }
    *ret = stream;
    return BST_OK;
}

bst_pg_stream *bst_pg_stream_free(bst_pg_stream *stream) {
    if (stream) {
        PQfreemem(stream->message);
        bst_pg_free(stream->pg);
        free(stream);
    }
    return NULL;
}

/* Replication commands know no parameters, and of quoting only that of identifiers. */
static bst_status command(bst_pg_stream *stream, const bst_strbuf *sql, ExecStatusType wanted,
                          PGresult **ret, bst_diags *diags) {
    if (sql->failed)
        return bst_diag_nomem(diags);
    PGresult *const result = PQexec(bst__pg_conn(stream->pg), sql->text);
    if (PQresultStatus(result) != wanted)
        return bst__pg_failed(stream->pg, result, diags);
    *ret = result;
    return BST_OK;
}

/* How long the next command may wait for a transaction to end; 0: as long as it takes. */
static bst_status limit_wait(bst_pg_stream *stream, uint32_t seconds, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    PGresult *result = NULL;
    bst_strbuf_addf(&sql, "SET lock_timeout = '%lus'", (unsigned long)seconds);
    const bst_status status = command(stream, &sql, PGRES_COMMAND_OK, &result, diags);
    bst_strbuf_release(&sql);
    PQclear(result);
    return status;
}

bst_status bst_pg_stream_make_slot(bst_pg_stream *stream, const char *slot, uint32_t seconds,
                                   uint64_t *ret_lsn, char ret_snapshot[64], bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    PGresult *result = NULL;
    bst_status status = limit_wait(stream, seconds, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_adds(&sql, "CREATE_REPLICATION_SLOT ");
    sql.failed = sql.failed || !bst_pg_add_identifier(stream->pg, slot, &sql);
    /* The form that servers before 15 know, too. */
    bst_strbuf_adds(&sql, " TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT");
    status = command(stream, &sql, PGRES_TUPLES_OK, &result, diags);
    bst_strbuf_release(&sql);
    if (status != BST_OK)
        return status;
    const bool right = PQntuples(result) == 1 && PQnfields(result) >= 3 &&
                       bst_lsn_parse(PQgetvalue(result, 0, 1), ret_lsn) &&
                       strlen(PQgetvalue(result, 0, 2)) < 64;
    if (right)
        snprintf(ret_snapshot, 64, "%s", PQgetvalue(result, 0, 2));
    else
        status = bst_diag_add(diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                              "the server's answer to the making of a slot is not understood");
    PQclear(result);
    return status;
}

bst_status bst_pg_stream_start(bst_pg_stream *stream, const char *slot, const char *publication,
                               uint64_t lsn, bst_diags *diags) {
    char from[BST_LSN_TEXT_MAX];
    bst_strbuf sql = BST_STRBUF_INIT, names = BST_STRBUF_INIT;
    PGresult *result = NULL;
    bst_lsn_format(lsn, from);
    bst_strbuf_adds(&sql, "START_REPLICATION SLOT ");
    sql.failed = sql.failed || !bst_pg_add_identifier(stream->pg, slot, &sql);
    /* Values as text: docs/side-by-side.md says why not binary. */
    bst_strbuf_addf(&sql, " LOGICAL %s (proto_version '1', publication_names ", from);
    /* A list of identifiers inside a literal. */
    names.failed = names.failed || !bst_pg_add_identifier(stream->pg, publication, &names);
    sql.failed = sql.failed || names.failed || !bst_pg_add_literal(stream->pg, names.text, &sql);
    bst_strbuf_addc(&sql, ')');
    const bst_status status = command(stream, &sql, PGRES_COPY_BOTH, &result, diags);
    bst_strbuf_release(&sql);
    bst_strbuf_release(&names);
    if (status != BST_OK)
        return status;
    PQclear(result);
    stream->heard_ms = stream->asked_ms = bst_clock_ms();
    stream->received = stream->done = lsn;
    return BST_OK;
}

static uint64_t get_be(const char *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static void put_be(char *out, uint64_t value) {
    for (int i = 0; i < 8; i++)
        out[i] = (char)(value >> (8 * (7 - i)));
}

static bst_status take(const char *bytes, size_t len, bst_stream_message *ret, bst_diags *diags) {
    if (len >= 25 && bytes[0] == 'w') {
        *ret = (bst_stream_message){.kind = BST_STREAM_DATA,
                                    .start = get_be(bytes + 1, 8),
                                    .end = get_be(bytes + 9, 8),
                                    .sent_at = (int64_t)get_be(bytes + 17, 8),
                                    .bytes = bytes + 25,
                                    .len = len - 25};
        return BST_OK;
    }
    if (len == 18 && bytes[0] == 'k') {
        *ret = (bst_stream_message){.kind = BST_STREAM_KEEPALIVE,
                                    .end = get_be(bytes + 1, 8),
                                    .sent_at = (int64_t)get_be(bytes + 9, 8),
                                    .reply_wanted = bytes[17] != 0};
        return BST_OK;
    }
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                        "the server sent a replication message that is not understood");
}

/* Waits for the socket. */
static void wait_for(PGconn *conn, int timeout_ms) {
    struct pollfd ready = {.fd = PQsocket(conn), .events = POLLIN};
    (void)poll(&ready, 1, timeout_ms); /* a signal ends it as well */
}

static bst_status mind_silence(bst_pg_stream *stream, bst_diags *diags) {
    const int64_t now = bst_clock_ms();
    if (now - stream->heard_ms >= GIVE_UP_MS)
        return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "stream-silent", NULL,
                            "source %s has said nothing for %d seconds", bst_pg_label(stream->pg),
                            GIVE_UP_MS / 1000);
    if (now - stream->heard_ms < ASK_AFTER_MS || now - stream->asked_ms < ASK_AFTER_MS)
        return BST_OK;
    return bst_pg_stream_confirm(stream, stream->received, stream->done, true, diags);
}

bst_status bst_pg_stream_read(bst_pg_stream *stream, int timeout_ms, bst_stream_message *ret,
                              bst_diags *diags) {
    PGconn *const conn = bst__pg_conn(stream->pg);
    *ret = (bst_stream_message){.kind = BST_STREAM_NOTHING};
    PQfreemem(stream->message);
    stream->message = NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        const int len = PQgetCopyData(conn, &stream->message, 1);
        if (len > 0) {
            stream->heard_ms = bst_clock_ms();
            return take(stream->message, (size_t)len, ret, diags);
        }
        if (len < 0)
            return bst__pg_failed(stream->pg, NULL, diags);
        if (attempt == 0 && timeout_ms > 0)
            wait_for(conn, timeout_ms);
        if (attempt == 0 && PQconsumeInput(conn) != 1)
            return bst__pg_failed(stream->pg, NULL, diags);
    }
    return mind_silence(stream, diags);
}

bst_status bst_pg_stream_confirm(bst_pg_stream *stream, uint64_t received, uint64_t done,
                                 bool ask_reply, bst_diags *diags) {
    PGconn *const conn = bst__pg_conn(stream->pg);
    char reply[34] = {'r'};
    put_be(reply + 1, received);
    put_be(reply + 9, done);
    put_be(reply + 17, done);
    put_be(reply + 25, (uint64_t)bst_clock_now());
    reply[33] = ask_reply;
    stream->received = received;
    stream->done = done;
    if (ask_reply)
        stream->asked_ms = bst_clock_ms();
    if (PQputCopyData(conn, reply, sizeof reply) != 1 || PQflush(conn) < 0)
        return bst__pg_failed(stream->pg, NULL, diags);
    return BST_OK;
}

/* The server may still be sending: what comes is dropped, it will come again. */
bst_status bst_pg_stream_end(bst_pg_stream *stream, bst_diags *diags) {
    PGconn *const conn = bst__pg_conn(stream->pg);
    if (PQputCopyEnd(conn, NULL) != 1 || PQflush(conn) < 0)
        return bst__pg_failed(stream->pg, NULL, diags);
    int len;
    do {
        char *message = NULL;
        len = PQgetCopyData(conn, &message, 0);
        PQfreemem(message);
    } while (len > 0);
    for (PGresult *result = PQgetResult(conn); result; result = PQgetResult(conn)) {
        const ExecStatusType kind = PQresultStatus(result);
        PQclear(result);
        if (kind == PGRES_COPY_BOTH || kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT)
            break;
    }
    return BST_OK;
}
