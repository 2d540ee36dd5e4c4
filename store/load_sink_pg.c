/* A worker's sink: one chunk is one transaction, in which the chunk's row is locked first and
 * marked last.
 *
 *     begin - lock chunk - [ segments, quarantined rows ] ... - plans - mark chunk - commit
 *
 * Commits do not wait for the disk: what a crash of the server takes away it takes away as a whole,
 * checkpoint and segments, and the run loads it again. The last commit of the load waits, and with
 * it everything before.
 */
#include "load_private.h"
#include "sink_private.h"

#include <stdlib.h>

#include "pg_store_private.h"
#include "quarantine_writer_private.h"
#include "segment_writer_private.h"

typedef struct load_sink {
    bst_sink base;
    bst_pg *pg;
    bst__segment_writer segments;
    bst__quarantine_writer quarantine;
    bst_strbuf bounds;
    bst_sink_totals before; /* totals when the chunk was claimed */
} load_sink;

static bst_status sink_write(bst_sink *base, const bst_history *history, bool *ret_fits,
                             bst_diags *diags) {
    return bst__segment_writer_put(&((load_sink *)base)->segments, history, ret_fits, diags);
}

static bst_status flush(load_sink *sink, bst_diags *diags) {
    const bst_status status = bst__segment_writer_flush(&sink->segments, diags);
    return status == BST_OK ? bst__quarantine_writer_flush(&sink->quarantine, sink->pg, diags)
                            : status;
}

static bst_status sink_quarantine(bst_sink *base, const bst_quarantined *row, bst_diags *diags) {
    load_sink *const sink = (load_sink *)base;
    if (!bst__quarantine_writer_put(&sink->quarantine, row))
        return bst_diag_nomem(diags);
    return sink->quarantine.rows.len < BST__QUARANTINE_BYTES_HELD ? BST_OK : flush(sink, diags);
}

static bst_status sink_finish(bst_sink *base, bst_diags *diags) {
    (void)base;
    return bst_diag_add(diags, BST_INTERNAL, BST_ERROR, "bad-call", NULL,
                        "a chunk is committed, not finished");
}

static void sink_free(bst_sink *base) {
    load_sink *const sink = (load_sink *)base;
    bst_pg_free(sink->pg);
    bst__segment_writer_release(&sink->segments);
    bst_strbuf_release(&sink->quarantine.rows);
    bst_strbuf_release(&sink->bounds);
    free(sink);
}

static const bst__sink_ops load_ops = {sink_write, sink_quarantine, sink_finish, sink_free};

bst_status bst_load_sink_open(const bst_load *load, bst_sink **ret, bst_diags *diags) {
    load_sink *const sink = calloc(1, sizeof *sink);
    if (!sink)
        return bst_diag_nomem(diags);
    sink->base = (bst_sink){.ops = &load_ops, .machine = load->machine};
    bst__segment_writer_init(&sink->segments);
    bst_strbuf_init(&sink->quarantine.rows);
    bst_strbuf_init(&sink->bounds);
    bst_status status =
        bst_pg_connect_watched(load->target, BST_PG_STORE, &load->info.watch, &sink->pg, diags);
    if (status == BST_OK)
        status = bst_pg_exec(sink->pg, "SET synchronous_commit = off", diags);
    sink->segments.pg = sink->pg;
    sink->segments.machine = load->machine;
    sink->segments.machine_id = load->machine_id;
    sink->segments.run_id = load->run_id;
    sink->segments.bulk = load->bulk;
    sink->quarantine.run_id = load->run_id;
    if (status != BST_OK) {
        sink_free(&sink->base);
        return status;
    }
    *ret = &sink->base;
    return BST_OK;
}

int bst_load_sink_process(const bst_sink *sink) {
    return bst_pg_process(((const load_sink *)sink)->pg);
}

uint64_t bst_load_sink_bytes(const bst_sink *sink) {
    const bst__segment_writer *const segments = &((const load_sink *)sink)->segments;
    return segments->bytes + segments->rows.len;
}

/* ---- chunks */

static bst_status take(load_sink *sink, const bst_pg_rows *rows, bst_chunk *ret, bst_diags *diags) {
    bst_strbuf_clear(&sink->bounds);
    bst_strbuf_adds(&sink->bounds, bst_pg_rows_text(rows, 0, 1));
    sink->quarantine.chunk = (int32_t)strtol(bst_pg_rows_text(rows, 0, 0), NULL, 10);
    sink->before = sink->base.totals;
    *ret = (bst_chunk){sink->quarantine.chunk, sink->bounds.text};
    return sink->bounds.failed ? bst_diag_nomem(diags) : BST_OK;
}

bst_status bst_chunk_claim(bst_sink *base, bool wait, bst_chunk *ret, bst_diags *diags) {
    load_sink *const sink = (load_sink *)base;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    *ret = (bst_chunk){0};
    bst_strbuf_addf(&sql,
                    "SELECT chunk, bounds FROM backstory.chunk WHERE run_id = %d"
                    " AND done_at IS NULL ORDER BY chunk LIMIT 1 FOR NO KEY UPDATE%s",
                    (int)sink->segments.run_id, wait ? "" : " SKIP LOCKED");
    bst_status status =
        bst_pg_exec(sink->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    if (status == BST_OK)
        status = sql.failed ? bst_diag_nomem(diags)
                            : bst_pg_query(sink->pg, sql.text, 0, NULL, &rows, diags);
    bst_strbuf_release(&sql);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0)
        status = take(sink, rows, ret, diags);
    else if (status == BST_OK)
        status = bst_pg_exec(sink->pg, "COMMIT", diags);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status mark(load_sink *sink, int32_t snapshot, const char *figures, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    const char *const params[] = {figures};
    int64_t marked = 0;
    bst_strbuf_addf(&sql,
                    "UPDATE backstory.chunk SET done_at = clock_timestamp(), snapshot = %d,"
                    " figures = $1, histories = %lld, events = %lld"
                    " WHERE run_id = %d AND chunk = %d AND done_at IS NULL RETURNING 1",
                    (int)snapshot,
                    (long long)(sink->base.totals.histories - sink->before.histories),
                    (long long)(sink->base.totals.events - sink->before.events),
                    (int)sink->segments.run_id, (int)sink->quarantine.chunk);
    bst_status status = sql.failed ? bst_diag_nomem(diags)
                                   : bst__pg_number(sink->pg, sql.text, 1, params, &marked, diags);
    bst_strbuf_release(&sql);
    if (status == BST_OK && marked != 1)
        status = bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "chunk-taken", NULL,
                              "chunk %d was loaded by somebody else", (int)sink->quarantine.chunk);
    return status;
}

bst_status bst_chunk_commit(bst_sink *base, int32_t snapshot, const char *figures,
                            bst_diags *diags) {
    load_sink *const sink = (load_sink *)base;
    bst_status status = flush(sink, diags);
    if (status == BST_OK)
        status = bst__plan_book_write(&sink->segments.plans, sink->pg, base->machine,
                                      sink->segments.run_id, diags);
    if (status == BST_OK)
        status = mark(sink, snapshot, figures, diags);
    if (status == BST_OK)
        status = bst_pg_exec(sink->pg, "COMMIT", diags);
    if (status == BST_OK)
        bst__plan_book_settle(&sink->segments.plans);
    base->failed = status != BST_OK;
    return status;
}
