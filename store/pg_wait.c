/* Waiting for a server that may never answer.
 *
 * A peer that is frozen, or a path that has lost its state, keeps a session open for ever: the
 * kernel at the other end goes on acknowledging, so no time limit of TCP strikes. So nothing here
 * blocks in libpq. After `patience` seconds in which no byte has come or gone, a second session
 * asks the server what the first one's backend does. While it works, or waits for a lock or a disk,
 * all is well, however long it takes, as long as it moves (pg_still.c); when it waits for us, or is
 * gone, or the server does not answer this one either, the session is given up as dead.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "pg_conn_private.h"

/* ---- the sign of life */

PGconn *bst__pg_connect_like(PGconn *conn, uint32_t patience) {
    PQconninfoOption *const options = PQconninfo(conn);
    const char *names[64], *values[64];
    char limit[16];
    size_t count = 0;
    for (const PQconninfoOption *option = options; option && option->keyword && count < 60;
         option++) {
        if (option->val && strcmp(option->keyword, "connect_timeout") != 0) {
            names[count] = option->keyword;
            values[count++] = option->val;
        }
    }
    snprintf(limit, sizeof limit, "%u", patience < 2 ? 2u : (unsigned)patience);
    names[count] = "connect_timeout";
    values[count++] = limit;
    names[count] = NULL;
    values[count] = NULL;
    PGconn *const other = options ? PQconnectdbParams(names, values, 0) : NULL;
    PQconninfoFree(options);
    return other;
}

/* What a backend that nobody can reach has locked would stay so: it is ended. */
static bool works(bst_pg *asking, int backend) {
    char pid[16];
    const char *const params[] = {pid};
    snprintf(pid, sizeof pid, "%d", backend);
    PGresult *const result = bst__pg_run_with(
        asking,
        "SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND state = 'active'"
        " AND wait_event_type IS DISTINCT FROM 'Client'",
        1, params);
    const bool asked = PQresultStatus(result) == PGRES_TUPLES_OK;
    const bool found = asked && PQntuples(result) == 1;
    PQclear(result);
    if (asked && !found)
        PQclear(bst__pg_run_with(asking, "SELECT pg_catalog.pg_terminate_backend($1::integer)", 1,
                                 params));
    return found;
}

static bool lives(bst_pg *pg) {
    bst_pg asking = {.conn = bst__pg_connect_like(pg->conn, pg->patience),
                     .patience = pg->patience,
                     .probing = true};
    const bool good = asking.conn && PQstatus(asking.conn) == CONNECTION_OK &&
                      works(&asking, pg->backend) && !bst__pg_hangs(pg, &asking, bst__pg_run_with);
    PQfinish(asking.conn);
    return good;
}

/* ---- waiting */

/* Until there is something to read, or room to write when something waits to be sent. False: the
 * session is dead. */
static bool wait_for(bst_pg *pg, bool sending) {
    struct pollfd ready = {.fd = PQsocket(pg->conn),
                           .events = (short)(POLLIN | (sending ? POLLOUT : 0))};
    while (!pg->dead) {
        const int limit = pg->patience > 0 ? (int)pg->patience * 1000 : -1;
        const int count = poll(&ready, 1, limit);
        if (count > 0 && pg->still_since_us > 0)
            bst__pg_moved(pg);
        if (count > 0 || (count < 0 && errno != EINTR))
            return true; /* libpq finds out what is wrong */
        if (count == 0 && (pg->probing || !lives(pg)))
            pg->dead = true;
    }
    return false;
}

/* Sends all that is buffered. False: dead, or the connection is lost. */
static bool flush(bst_pg *pg) {
    int left;
    while ((left = PQflush(pg->conn)) == 1) {
        /* A server that says something while we send wants to be heard first. */
        if (!wait_for(pg, true) || PQconsumeInput(pg->conn) != 1)
            return false;
    }
    return left == 0;
}

PGresult *bst__pg_result(bst_pg *pg) {
    if (pg->dead)
        return NULL;
    flush(pg); /* when that fails PQgetResult() says why */
    while (!pg->dead && PQisBusy(pg->conn)) {
        if (!wait_for(pg, false))
            return NULL;
        if (PQconsumeInput(pg->conn) != 1)
            break;
    }
    return pg->dead ? NULL : PQgetResult(pg->conn);
}

/* The last result, as PQexec() gives it: the first that failed, or that begins a COPY. */
static PGresult *collect(bst_pg *pg) {
    PGresult *last = NULL, *result;
    while ((result = bst__pg_result(pg))) {
        PQclear(last);
        last = result;
        const ExecStatusType kind = PQresultStatus(result);
        if (kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH)
            break;
        if (kind == PGRES_FATAL_ERROR || PQstatus(pg->conn) == CONNECTION_BAD)
            break;
    }
    return last;
}

PGresult *bst__pg_run(bst_pg *pg, const char *sql) {
    return !pg->dead && PQsendQuery(pg->conn, sql) == 1 ? collect(pg) : NULL;
}

PGresult *bst__pg_run_with(bst_pg *pg, const char *sql, int param_count,
                           const char *const *params) {
    return !pg->dead &&
                   PQsendQueryParams(pg->conn, sql, param_count, NULL, params, NULL, NULL, 0) == 1
               ? collect(pg)
               : NULL;
}

/* ---- COPY */

int bst__pg_get_copy(bst_pg *pg) {
    int len;
    while (!pg->dead && (len = PQgetCopyData(pg->conn, &pg->message, 1)) == 0) {
        if (!wait_for(pg, false))
            return -2;
        if (PQconsumeInput(pg->conn) != 1)
            return -2;
    }
    return pg->dead ? -2 : len;
}

bool bst__pg_put_copy(bst_pg *pg, const char *bytes, int len) {
    int put;
    while (!pg->dead && (put = PQputCopyData(pg->conn, bytes, len)) == 0) {
        if (!flush(pg))
            return false;
    }
    return !pg->dead && put == 1;
}

bool bst__pg_end_copy(bst_pg *pg) {
    int put;
    while (!pg->dead && (put = PQputCopyEnd(pg->conn, NULL)) == 0) {
        if (!flush(pg))
            return false;
    }
    return !pg->dead && put == 1;
}
