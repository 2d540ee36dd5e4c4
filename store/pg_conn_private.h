/* A session, for the files that speak libpq. */
#ifndef BACKSTORY_PG_CONN_PRIVATE_H
#define BACKSTORY_PG_CONN_PRIVATE_H

#include <libpq-fe.h>

#include "pg_private.h"

struct bst_pg {
    PGconn *conn;
    bst_pg_side side;
    bst_strbuf label;
    int backend;           /* its process at the server; a pooler tells libpq another one */
    char *message;         /* of a COPY out, borrowed by the caller until the next call */
    bst_diags *last_words; /* see hear_notice() */
    uint32_t patience; /* seconds of silence before it is asked for a sign of life; 0: for ever */
    bst_pg_watch watch;
    bst_strbuf
        sign; /* of pg_still.c: what the server showed of it; what it does; whom it waits for */
    bst_strbuf does, blockers;
    int64_t still_since_us; /* 0: it moves */
    uint32_t still_seconds;
    bool warned, hung;
    bool probing; /* it is itself the one that asks */
    bool dead;    /* silent for too long: nothing more is read from it */
};

/* pg_wait.c: as PQgetResult(), but not longer than the server shows signs of life. NULL at the end,
 * and when the session is dead. */
PGresult *bst__pg_result(bst_pg *pg);
/* As PQexec() and PQexecParams(). */
PGresult *bst__pg_run(bst_pg *pg, const char *sql);
PGresult *bst__pg_run_with(bst_pg *pg, const char *sql, int param_count, const char *const *params);
/* As PQgetCopyData(conn, &pg->message, 0), PQputCopyData() and PQputCopyEnd(). */
int bst__pg_get_copy(bst_pg *pg);
bool bst__pg_put_copy(bst_pg *pg, const char *bytes, int len);
bool bst__pg_end_copy(bst_pg *pg);
/* Another connection of the same kind, of whose state nothing is said; or NULL. */
PGconn *bst__pg_connect_like(PGconn *conn, uint32_t patience);

static inline const char *bst__pg_side(const bst_pg *pg) {
    return pg->side == BST_PG_SOURCE ? "source" : "store";
}

/* pg_still.c: whether nothing of what the server shows of the session has moved for so long that it
 * is to be given up; `asking` is a second session, and `ask` is bst__pg_run_with(). */
typedef PGresult *bst__pg_ask(bst_pg *asking, const char *sql, int param_count,
                              const char *const *params);
bool bst__pg_hangs(bst_pg *pg, bst_pg *asking, bst__pg_ask *ask);
void bst__pg_moved(bst_pg *pg); /* a byte has come or gone */
bst_status bst__pg_report_hang(const bst_pg *pg, bst_diags *diags);

/* pg_pooler.c */
#define BST__PG_BACKEND_SQL "SELECT pg_catalog.pg_backend_pid()"
/* What it gives, which is freed; 0: it failed. */
int bst__pg_take_backend(PGresult *result);
/* Whether other connections come to the same session. */
bool bst__pg_is_shared(bst_pg *pg);

#endif
