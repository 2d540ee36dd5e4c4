/* Poolers, as PgBouncer, which stand between us and the server.
 *
 * One that lends a session for as long as we are connected does no harm. One that lends it for a
 * transaction at a time does: our settings would stay with sessions that others get next, a
 * `search_path` that is empty among them, and ours would have those of others. libpq is told a
 * process that is not the server's then; and when two connections of ours that are both open come
 * to the same process, sessions are lent by the transaction.
 */
#include <stdlib.h>

#include "pg_conn_private.h"

#define ROUNDS 4 /* somebody else may be quicker */

int bst__pg_take_backend(PGresult *result) {
    const bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
    const int backend = good ? (int)strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return backend;
}

/* A pool that has no second session keeps us waiting: then it does not share the first. */
bool bst__pg_is_shared(bst_pg *pg) {
    bst_pg other = {.conn = bst__pg_connect_like(pg->conn, 2), .patience = 2, .probing = true};
    bool shared = false;
    if (other.conn && PQstatus(other.conn) == CONNECTION_OK) {
        PQsetnonblocking(other.conn, 1);
        for (int i = 0; i < ROUNDS && !shared && !other.dead; i++) {
            const int ours = bst__pg_take_backend(bst__pg_run(pg, BST__PG_BACKEND_SQL));
            shared =
                ours != 0 && ours == bst__pg_take_backend(bst__pg_run(&other, BST__PG_BACKEND_SQL));
        }
    }
    PQfinish(other.conn);
    return shared;
}
