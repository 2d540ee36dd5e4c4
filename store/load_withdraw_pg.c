/* A load that failed before any of its chunks was done: nobody has seen anything of it, and nothing
 * in it is worth to go on from. It is taken back, so that it stands in no other run's way.
 *
 * No segment, plan or quarantined row is there without a chunk that is done: all that goes are rows
 * about work to do, and history stays append-only.
 */
#include "load_private.h"

#include "pg_store_private.h"

/* A worker whose session is gone may still be committing at the server: first its chunk's lock is
 * waited for, then is looked whether it is done, by a statement that sees it. */
static const char settle_sql[] =
    "SELECT count(*) FROM (SELECT FROM backstory.chunk WHERE run_id = $1 FOR UPDATE) AS held";
static const char delete_sql[] =
    "DELETE FROM backstory.load WHERE run_id = $1 AND finished_at IS NULL AND NOT EXISTS"
    " (SELECT FROM backstory.chunk WHERE chunk.run_id = load.run_id AND done_at IS NOT NULL)";
/* The unique index, when bulk_begin() has dropped it for this load. */
static const char index_sql[] =
    "SELECT backstory.index_streams()"
    " WHERE NOT EXISTS (SELECT FROM backstory.load WHERE finished_at IS NULL)";

static bst_status run_sql(bst_load *load, const char *sql, const char *run_id, bst_diags *diags) {
    const char *const params[] = {run_id};
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(load->pg, sql, run_id ? 1 : 0, params, &rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status withdraw(bst_load *load, const char *run_id, bst_diags *diags) {
    bst_status status = bst_pg_exec(load->pg,
                                    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                                    " SET LOCAL lock_timeout = '5s'",
                                    diags);
    if (status == BST_OK)
        status = run_sql(load, settle_sql, run_id, diags);
    if (status == BST_OK)
        status = run_sql(load, delete_sql, run_id, diags);
    if (status == BST_OK)
        status = run_sql(load, index_sql, NULL, diags);
    return bst_pg_exec(load->pg, status == BST_OK ? "COMMIT" : "ROLLBACK", diags);
}

void bst_load_withdraw(bst_load *load) {
    bst_strbuf run_id = BST_STRBUF_INIT;
    bst_diags *const ignored = bst_diags_new();
    bst_strbuf_add_int(&run_id, load->run_id);
    if (load->pg && load->state == BST_LOAD_UNFINISHED && ignored && !run_id.failed)
        (void)!withdraw(load, run_id.text, ignored);
    bst_diags_free(ignored);
    bst_strbuf_release(&run_id);
}
