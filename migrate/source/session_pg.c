/* A session at the source, and the transaction that everything is read in. */
#include <stdio.h>

#include "source_pg_private.h"

bst_status bst__pg_begin(bst_pg *pg, const char *snapshot, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;");
    if (snapshot) {
        bst_strbuf_adds(&sql, "SET TRANSACTION SNAPSHOT ");
        if (!bst_pg_add_literal(pg, snapshot, &sql))
            sql.failed = true;
        bst_strbuf_addc(&sql, ';');
    }
    /* The same table is read in the same order each time: neither from where another scan just is,
     * nor as parallel workers happen to deliver. Compiling a query costs more than it gains here.
     * */
    bst_strbuf_adds(&sql, "SET LOCAL row_security = off; SET LOCAL jit = off;"
                          "SET LOCAL synchronize_seqscans = off;"
                          "SET LOCAL max_parallel_workers_per_gather = 0;");
    /* A database without an encoding may hold anything: its bytes come as they are, and a row with
     * bytes that are no text is refused, not the whole table. */
    bst_strbuf_adds(&sql, "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false)"
                          " WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII'");
    const bst_status status = sql.failed ? bst_diag_nomem(diags) : bst_pg_exec(pg, sql.text, diags);
    bst_strbuf_release(&sql);
    return status;
}

/* Who wants to change the table waits until the run has ended; a session that the run takes only
 * now waits behind him, and nobody would ever move. */
bst_status bst__pg_session(bst__pg_source *s, bst_pg **ret, bst_diags *diags) {
    const bst_pg_watch *const watch = &s->base.spec->watch;
    const uint32_t seconds = watch->stall_seconds;
    char sql[48];
    snprintf(sql, sizeof sql, "SET lock_timeout = '%us'", seconds > 0 ? seconds : BST_PG_PATIENCE);
    const bst_status status = bst_pg_connect_watched(s->conninfo, BST_PG_SOURCE, watch, ret, diags);
    return status == BST_OK ? bst_pg_exec(*ret, sql, diags) : status;
}
