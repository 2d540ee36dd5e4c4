/* A migration as the store keeps it: begun, gone on with, finished. Its rows stand in load,
 * snapshot, chunk and quarantine (see schema.sql); the load holds the machine by an advisory lock
 * of its session.
 */
#include "load_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "copy_row_private.h"
#include "pg_store_private.h"
#include "run_row_private.h"

/* ---- the beginning */

static bst_status install(bst_load *load, bst_diags *diags) {
    bool found = false, fresh = false;
    bst_status status = bst__store_find(load->pg, &found, diags);
    if (status != BST_OK || found)
        return status;
    status = bst_pg_exec(load->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    if (status == BST_OK)
        status = bst__store_install(load->pg, &fresh, diags);
    return status == BST_OK ? bst_pg_exec(load->pg, "COMMIT", diags) : status;
}

static bst_status lock_machine(bst_load *load, bst_diags *diags) {
    const char *const params[] = {load->machine->id};
    bool locked = false;
    const bst_status status =
        bst__pg_truth(load->pg, "SELECT pg_try_advisory_lock(hashtext('backstory'), hashtext($1))",
                      1, params, &locked, diags);
    if (status != BST_OK || locked)
        return status;
    return bst__machine_busy(load->pg, load->machine, diags);
}

static bst_status connect(bst_load *load, bst_diags *diags) {
    return bst_pg_connect_watched(load->target, BST_PG_STORE, &load->info.watch, &load->pg, diags);
}

bst_status bst_load_reconnect(bst_load *load, bst_diags *diags) {
    load->pg = bst_pg_free(load->pg);
    bst_status status = connect(load, diags);
    if (status == BST_OK)
        status = lock_machine(load, diags);
    if (status != BST_OK)
        load->pg = bst_pg_free(load->pg);
    return status;
}

static bst_status keep(bst_load *load, const char *target, const bst_load_info *info,
                       bst_diags *diags) {
    load->arena = bst_arena_new();
    if (!load->arena)
        return bst_diag_nomem(diags);
    load->info = *info;
    load->target = bst_arena_strdup(load->arena, target);
    load->info.source_identity = bst_arena_strdup(load->arena, info->source_identity);
    if (!load->target || !load->info.source_identity)
        return bst_diag_nomem(diags);
    return bst__run_info_keep(&info->run, load->arena, &load->info.run, diags);
}

bst_status bst_load_open(const char *target, const bst_machine *machine, const bst_load_info *info,
                         bst_load **ret, bst_diags *diags) {
    bst_load *const load = calloc(1, sizeof *load);
    if (!load)
        return bst_diag_nomem(diags);
    load->machine = machine;
    bst_status status = keep(load, target, info, diags);
    if (status == BST_OK)
        status = connect(load, diags);
    if (status == BST_OK)
        status = install(load, diags);
    if (status == BST_OK)
        status = lock_machine(load, diags);
    if (status == BST_OK)
        status = bst__load_look_up(load, diags);
    if (status == BST_OK)
        status = bst__pg_truth(load->pg, "SELECT to_regclass('backstory.segment_stream') IS NULL",
                               0, NULL, &load->bulk, diags);
    if (status != BST_OK) {
        bst_load_free(load);
        return status;
    }
    *ret = load;
    return BST_OK;
}

bst_load *bst_load_free(bst_load *load) {
    if (load) {
        bst_pg_free(load->pg);
        bst_arena_free(load->arena);
        free(load);
    }
    return NULL;
}

bst_load_state bst_load_is(const bst_load *load) {
    return load->state;
}

int32_t bst_load_run_id(const bst_load *load) {
    return load->run_id;
}

/* ---- a new load */

/* A statement about this run: $1 is its number; others follow. */
static bst_status for_run(bst_load *load, const char *sql, size_t param_count,
                          const char *const *params, bst_pg_rows **ret, bst_diags *diags) {
    const char *all[8];
    bst_strbuf run = BST_STRBUF_INIT;
    bst_strbuf_add_int(&run, load->run_id);
    all[0] = run.text;
    for (size_t i = 0; i < param_count; i++)
        all[i + 1] = params[i];
    const bst_status status = run.failed
                                  ? bst_diag_nomem(diags)
                                  : bst_pg_query(load->pg, sql, param_count + 1, all, ret, diags);
    bst_strbuf_release(&run);
    return status;
}

static bst_status do_for_run(bst_load *load, const char *sql, size_t param_count,
                             const char *const *params, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const bst_status status = for_run(load, sql, param_count, params, &rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status insert_load(bst_load *load, int64_t version_id, bst_diags *diags) {
    char recorded[BST_TIME_TEXT_MAX];
    bst_strbuf version = BST_STRBUF_INIT;
    const bst_load_info *const info = &load->info;
    bst_strbuf_add_int(&version, version_id);
    if (info->run.has_recorded_at)
        bst_time_format(info->run.recorded_at, recorded);
    const char *const params[] = {version.text,
                                  info->run.mapping_sha256,
                                  info->run.source ? info->run.source : "",
                                  info->source_identity,
                                  info->resumable ? "t" : "f",
                                  info->run.has_recorded_at ? recorded : NULL};
    bst_status status = version.failed ? bst_diag_nomem(diags) : BST_OK;
    if (status == BST_OK)
        status = do_for_run(
            load,
            "INSERT INTO backstory.load (run_id, machine_id, machine_version_id, mapping_sha256,"
            " source, source_identity, resumable, recorded_at)"
            " SELECT $1, machine_id, machine_version_id, $3, $4, $5, $6, coalesce($7, now())"
            " FROM backstory.machine_version WHERE machine_version_id = $2",
            sizeof params / sizeof *params, params, diags);
    bst_strbuf_release(&version);
    return status;
}

static bst_status insert_chunks(bst_load *load, const char *const *bounds, size_t count,
                                bst_diags *diags) {
    bst_strbuf list = BST_STRBUF_INIT;
    for (size_t i = 0; i < count; i++)
        bst_strbuf_addf(&list, "%c%s", i == 0 ? '[' : ',', bounds[i]);
    bst_strbuf_adds(&list, count == 0 ? "[]" : "]");
    const char *const params[] = {list.text};
    const bst_status status =
        list.failed
            ? bst_diag_nomem(diags)
            : do_for_run(load,
                         "INSERT INTO backstory.chunk (run_id, chunk, bounds)"
                         " SELECT $1, place, item::text"
                         " FROM json_array_elements($2) WITH ORDINALITY AS given (item, place)",
                         1, params, diags);
    bst_strbuf_release(&list);
    return status;
}

static bst_status begin(bst_load *load, const char *const *bounds, size_t count, bst_diags *diags) {
    int64_t version_id = 0, run_id = 0;
    bst_status status =
        bst_pg_exec(load->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    if (status == BST_OK)
        status =
            bst__machine_register(load->pg, load->machine, &load->machine_id, &version_id, diags);
    if (status == BST_OK)
        status =
            bst__pg_truth(load->pg, "SELECT backstory.bulk_begin()", 0, NULL, &load->bulk, diags);
    if (status == BST_OK)
        status =
            bst__pg_number(load->pg, "SELECT nextval('backstory.run_id')", 0, NULL, &run_id, diags);
    load->run_id = (int32_t)run_id;
    if (status == BST_OK)
        status = insert_load(load, version_id, diags);
    if (status == BST_OK)
        status = insert_chunks(load, bounds, count, diags);
    return status == BST_OK ? bst_pg_exec(load->pg, "COMMIT", diags) : status;
}

bst_status bst_load_begin(bst_load *load, const char *const *bounds, size_t count,
                          bst_diags *diags) {
    if (count > BST_CHUNKS_MAX)
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "limit", NULL,
                            "the source has more than %u chunks", BST_CHUNKS_MAX);
    const bst_status status = begin(load, bounds, count, diags);
    if (status == BST_OK)
        load->state = BST_LOAD_UNFINISHED;
    return status;
}

/* ---- on the way */

bst_status bst_load_add_snapshot(bst_load *load, const char *lsn, const char *taken_at,
                                 int32_t *ret_number, bst_diags *diags) {
    const char *const params[] = {lsn, taken_at};
    bst_pg_rows *rows = NULL;
    const bst_status status =
        for_run(load,
                "INSERT INTO backstory.snapshot (run_id, snapshot, lsn, taken_at)"
                " SELECT $1, 1 + coalesce(max(snapshot), 0), $2, $3 FROM backstory.snapshot"
                " WHERE run_id = $1 RETURNING snapshot",
                2, params, &rows, diags);
    if (status == BST_OK)
        *ret_number = (int32_t)strtol(bst_pg_rows_text(rows, 0, 0), NULL, 10);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_load_count(bst_load *load, uint32_t *ret_snapshots, uint64_t *ret_plans,
                          bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const bst_status status =
        for_run(load,
                "SELECT (SELECT count(DISTINCT snapshot) FROM backstory.chunk WHERE run_id = $1),"
                " (SELECT count(*) FROM backstory.plan WHERE run_id = $1)",
                0, NULL, &rows, diags);
    if (status == BST_OK) {
        *ret_snapshots = (uint32_t)strtoul(bst_pg_rows_text(rows, 0, 0), NULL, 10);
        *ret_plans = strtoull(bst_pg_rows_text(rows, 0, 1), NULL, 10);
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_load_done(bst_load *load, bst_status (*visit)(void *context, const char *figures),
                         void *context, uint64_t *ret_left, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status =
        for_run(load, "SELECT figures FROM backstory.chunk WHERE run_id = $1 ORDER BY chunk", 0,
                NULL, &rows, diags);
    *ret_left = 0;
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const char *const figures = bst_pg_rows_text(rows, i, 0);
        if (figures)
            status = visit(context, figures);
        else
            ++*ret_left;
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_load_quarantined(bst_load *load,
                                bst_status (*visit)(void *context, const char *line, size_t len),
                                void *context, bst_diags *diags) {
    bst__copy_reader reader;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(&sql,
                    "COPY (SELECT line FROM backstory.quarantine WHERE run_id = %d"
                    " ORDER BY chunk, number) TO STDOUT (FORMAT binary)",
                    (int)load->run_id);
    bst_status status = sql.failed ? bst_diag_nomem(diags)
                                   : bst__copy_reader_start(&reader, load->pg, sql.text, 1, diags);
    bst_strbuf_release(&sql);
    for (bool more = true; status == BST_OK && more;) {
        status = bst__copy_reader_next(&reader, &more, diags);
        if (status == BST_OK && more)
            status = visit(context, reader.fields[0].bytes, reader.fields[0].len);
    }
    return status;
}

/* ---- the end */

static const char finish_sql[] =
    "INSERT INTO backstory.run (run_id, machine_version_id, kind, recorded_at, started_at,"
    " finished_at, tool_version, mapping_sha256, source, snapshots, histories, events)"
    " SELECT run_id, machine_version_id, 'migration', recorded_at, started_at, clock_timestamp(),"
    " $2, mapping_sha256, source, nullif(count(DISTINCT chunk.snapshot), 0),"
    " coalesce(sum(histories), 0), coalesce(sum(events), 0)"
    " FROM backstory.load LEFT JOIN backstory.chunk USING (run_id)"
    " WHERE run_id = $1 GROUP BY run_id"
    " HAVING count(*) FILTER (WHERE chunk.chunk IS NOT NULL AND done_at IS NULL) = 0"
    " RETURNING histories, events";

static void take_totals(const bst_pg_rows *rows, bst_sink_totals *ret_totals) {
    if (ret_totals) {
        ret_totals->histories = strtoull(bst_pg_rows_text(rows, 0, 0), NULL, 10);
        ret_totals->events = strtoull(bst_pg_rows_text(rows, 0, 1), NULL, 10);
    }
}

static bst_status insert_run(bst_load *load, bst_sink_totals *ret_totals, bst_diags *diags) {
    const char *const params[] = {load->info.run.tool_version};
    bst_pg_rows *rows = NULL;
    bst_status status = for_run(load, finish_sql, 1, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) != 1)
        status = bst_diag_add(diags, BST_INTERNAL, BST_ERROR, "run-incomplete", NULL,
                              "a run cannot end before all of its chunks are loaded");
    if (status == BST_OK)
        take_totals(rows, ret_totals);
    bst_pg_rows_free(rows);
    return status;
}

/* The word that a COMMIT has been done may be lost on its way. */
static bst_status find_run(bst_load *load, bool *ret_found, bst_sink_totals *ret_totals,
                           bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const bst_status status =
        for_run(load, "SELECT histories, events FROM backstory.run WHERE run_id = $1", 0, NULL,
                &rows, diags);
    *ret_found = status == BST_OK && bst_pg_rows_count(rows) > 0;
    if (*ret_found)
        take_totals(rows, ret_totals);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_load_finish(bst_load *load, bst_sink_totals *ret_totals, bst_diags *diags) {
    bool indexed = true, found = false;
    bst_status status = find_run(load, &found, ret_totals, diags);
    if (found)
        return BST_OK;
    if (status == BST_OK)
        status = bst_pg_exec(load->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    /* Before its run is there: a finished run's load cannot be changed. */
    if (status == BST_OK)
        status = do_for_run(load,
                            "UPDATE backstory.load SET finished_at = clock_timestamp()"
                            " WHERE run_id = $1",
                            0, NULL, diags);
    if (status == BST_OK)
        status = insert_run(load, ret_totals, diags);
    if (status == BST_OK)
        status =
            bst__pg_truth(load->pg, "SELECT to_regclass('backstory.segment_stream') IS NOT NULL", 0,
                          NULL, &indexed, diags);
    if (status == BST_OK && !indexed)
        status = bst__segment_complete(load->pg, diags);
    if (status == BST_OK)
        status = bst_pg_exec(load->pg, "COMMIT", diags);
    if (status == BST_OK)
        load->state = BST_LOAD_FINISHED;
    return status;
}
