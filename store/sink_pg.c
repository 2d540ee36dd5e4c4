/* Histories into the event store in PostgreSQL, all in one transaction; for sources that are read
 * from end to end. (load_pg.c does it chunk by chunk.)
 *
 *     begin - store? - locks - [ segments, quarantined rows ] ... - run, plans - index - commit
 *
 * Plans are written last. When the store is empty the unique index is built after the load.
 */
#include "sink_private.h"

#include <stdlib.h>

#include "backstory/timestamp.h"
#include "pg_private.h"
#include "pg_store_private.h"
#include "quarantine_writer_private.h"
#include "run_row_private.h"
#include "segment_writer_private.h"

typedef struct sink_pg {
    bst_sink base;
    bst_pg *pg;
    bst_run_info run; /* its texts: the arena's */
    bst_arena *arena;
    bst__segment_writer segments;
    bst__quarantine_writer quarantine;
    int64_t version_id;
} sink_pg;

static bst_status pg_write(bst_sink *base, const bst_history *history, bool *ret_fits,
                           bst_diags *diags) {
    return bst__segment_writer_put(&((sink_pg *)base)->segments, history, ret_fits, diags);
}

/* The COPY of segments has to end before another one can start. */
static bst_status flush(sink_pg *sink, bst_diags *diags) {
    const bst_status status = bst__segment_writer_flush(&sink->segments, diags);
    return status == BST_OK ? bst__quarantine_writer_flush(&sink->quarantine, sink->pg, diags)
                            : status;
}

static bst_status pg_quarantine(bst_sink *base, const bst_quarantined *row, bst_diags *diags) {
    sink_pg *const sink = (sink_pg *)base;
    if (!bst__quarantine_writer_put(&sink->quarantine, row))
        return bst_diag_nomem(diags);
    return sink->quarantine.rows.len < BST__QUARANTINE_BYTES_HELD ? BST_OK : flush(sink, diags);
}

/* The end */

static bst_status insert_run(sink_pg *sink, bst_diags *diags) {
    char recorded[BST_TIME_TEXT_MAX];
    bst_strbuf run = BST_STRBUF_INIT, version = BST_STRBUF_INIT, histories = BST_STRBUF_INIT,
               events = BST_STRBUF_INIT;
    bst_strbuf_add_int(&run, sink->segments.run_id);
    bst_strbuf_add_int(&version, sink->version_id);
    bst_strbuf_add_int(&histories, (int64_t)sink->base.totals.histories);
    bst_strbuf_add_int(&events, (int64_t)sink->base.totals.events);
    if (sink->run.has_recorded_at)
        bst_time_format(sink->run.recorded_at, recorded);
    const char *const params[] = {run.text,
                                  version.text,
                                  sink->run.has_recorded_at ? recorded : NULL,
                                  sink->run.tool_version,
                                  sink->run.mapping_sha256,
                                  sink->run.source,
                                  histories.text,
                                  events.text};
    bst_pg_rows *rows = NULL;
    bst_status status = run.failed || version.failed || histories.failed || events.failed
                            ? bst_diag_nomem(diags)
                            : BST_OK;
    if (status == BST_OK)
        status = bst_pg_query(
            sink->pg,
            "INSERT INTO backstory.run (run_id, machine_version_id, kind, recorded_at, finished_at,"
            " tool_version, mapping_sha256, source, snapshots, histories, events) VALUES"
            " ($1, $2, 'migration', coalesce($3, now()), clock_timestamp(), $4, $5, $6, 1, $7, $8)",
            sizeof params / sizeof *params, params, &rows, diags);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&run);
    bst_strbuf_release(&version);
    bst_strbuf_release(&histories);
    bst_strbuf_release(&events);
    return status;
}

static bst_status pg_finish(bst_sink *base, bst_diags *diags) {
    sink_pg *const sink = (sink_pg *)base;
    bst__segment_writer *const segments = &sink->segments;
    const bool any = sink->base.totals.histories > 0 || sink->quarantine.total > 0;
    bst_status status = flush(sink, diags);
    sink->base.totals.bytes = segments->bytes;
    if (status == BST_OK && any)
        status = insert_run(sink, diags);
    sink->base.totals.run_id = any ? segments->run_id : 0;
    if (status == BST_OK)
        status = bst__plan_book_write(&segments->plans, sink->pg, sink->base.machine,
                                      segments->run_id, diags);
    if (status == BST_OK && segments->bulk)
        status = bst__segment_complete(sink->pg, diags);
    return status == BST_OK ? bst_pg_exec(sink->pg, "COMMIT", diags) : status;
}

/* Closing the connection ends the transaction, whatever it is in the middle of. */
static void pg_free(bst_sink *base) {
    sink_pg *const sink = (sink_pg *)base;
    bst_pg_free(sink->pg);
    bst__segment_writer_release(&sink->segments);
    bst_strbuf_release(&sink->quarantine.rows);
    bst_arena_free(sink->arena);
    free(sink);
}

static const bst__sink_ops pg_ops = {pg_write, pg_quarantine, pg_finish, pg_free};

/* The beginning */

static bst_status lock_machine(sink_pg *sink, bst_diags *diags) {
    const char *const params[] = {sink->base.machine->id};
    bool locked;
    const bst_status status = bst__pg_truth(
        sink->pg, "SELECT pg_try_advisory_xact_lock(hashtext('backstory'), hashtext($1))", 1,
        params, &locked, diags);
    if (status != BST_OK || locked)
        return status;
    return bst__machine_busy(sink->pg, sink->base.machine, diags);
}

static bst_status begin(sink_pg *sink, bst_diags *diags) {
    bst__segment_writer *const segments = &sink->segments;
    int64_t run_id = 0;
    bst_status status =
        bst_pg_exec(sink->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    if (status == BST_OK)
        status = bst__store_install(sink->pg, &segments->freeze, diags);
    if (status == BST_OK)
        status = lock_machine(sink, diags);
    if (status == BST_OK)
        status = bst__machine_register(sink->pg, sink->base.machine, &segments->machine_id,
                                       &sink->version_id, diags);
    if (status == BST_OK)
        status = bst__pg_truth(sink->pg, "SELECT backstory.bulk_begin()", 0, NULL, &segments->bulk,
                               diags);
    if (status == BST_OK)
        status =
            bst__pg_number(sink->pg, "SELECT nextval('backstory.run_id')", 0, NULL, &run_id, diags);
    segments->pg = sink->pg;
    segments->run_id = (int32_t)run_id;
    sink->quarantine.run_id = (int32_t)run_id;
    return status;
}

bst_status bst__sink_pg_open(const char *conninfo, const bst_machine *machine,
                             const bst_run_info *run, bst_sink **ret, bst_diags *diags) {
    sink_pg *const sink = calloc(1, sizeof *sink);
    if (!sink)
        return bst_diag_nomem(diags);
    sink->base = (bst_sink){.ops = &pg_ops, .machine = machine};
    bst__segment_writer_init(&sink->segments);
    sink->segments.machine = machine;
    bst_strbuf_init(&sink->quarantine.rows);
    sink->arena = bst_arena_new();
    bst_status status = sink->arena ? bst__run_info_keep(run, sink->arena, &sink->run, diags)
                                    : bst_diag_nomem(diags);
    if (status == BST_OK)
        status = bst_pg_connect(conninfo, BST_PG_STORE, &sink->pg, diags);
    if (status == BST_OK)
        status = begin(sink, diags);
    if (status != BST_OK) {
        pg_free(&sink->base);
        return status;
    }
    *ret = &sink->base;
    return BST_OK;
}
