/* Migrations of a store, finished and under way. */
#include "backstory/loads.h"

#include <stdlib.h>
#include <string.h>

#include "pg_store_private.h"

/* The lock that a load holds on its machine is one with two keys: see bst_load_open(). */
static const char list_sql[] =
    "SELECT l.run_id, m.name, l.source, l.started_at, l.finished_at, held.now,"
    " c.chunks, c.done, c.rows, c.events, c.quarantined, c.bytes, took.seconds,"
    " CASE WHEN held.now THEN c.recent / greatest(1, least(60, took.seconds))"
    "  ELSE c.rows / greatest(0.001, took.seconds) END, c.retries, c.waited_for,"
    " CASE WHEN held.now THEN w.waiting->>'why' END, w.waiting->>'since', w.waiting->>'again'"
    " FROM backstory.load l JOIN backstory.machine m USING (machine_id)"
    " CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_locks k"
    "  WHERE k.locktype = 'advisory' AND k.objsubid = 2"
    "  AND k.granted AND k.database = (SELECT oid FROM pg_catalog.pg_database"
    "   WHERE datname = current_database())"
    "  AND k.classid::bigint = hashtext('backstory')::bigint & 4294967295"
    "  AND k.objid::bigint = hashtext(m.name)::bigint & 4294967295)"
    "  AND l.finished_at IS NULL AS now) held"
    " CROSS JOIN LATERAL (SELECT count(*) AS chunks, count(done_at) AS done,"
    "  coalesce(sum((figures::json->>'read')::bigint), 0) AS rows,"
    "  coalesce(sum((figures::json->>'events')::bigint), 0) AS events,"
    "  coalesce(sum((figures::json->>'quarantined')::bigint), 0) AS quarantined,"
    "  coalesce(sum((figures::json->>'bytes')::bigint), 0) AS bytes,"
    "  coalesce(sum((figures::json->>'retries')::bigint), 0) AS retries,"
    "  (array_agg(figures::json->>'waited_for' ORDER BY done_at DESC)"
    "   FILTER (WHERE figures::json->>'waited_for' IS NOT NULL))[1] AS waited_for,"
    "  coalesce(sum((figures::json->>'read')::bigint)"
    "   FILTER (WHERE done_at > clock_timestamp() - interval '1 minute'), 0) AS recent,"
    "  max(done_at) AS last FROM backstory.chunk WHERE chunk.run_id = l.run_id) c"
    " CROSS JOIN LATERAL (SELECT to_jsonb(l)->'waiting' AS waiting) w"
    /* One that was broken off took as long as it went forward. */
    " CROSS JOIN LATERAL (SELECT extract(epoch FROM coalesce(l.finished_at,"
    "  CASE WHEN held.now THEN clock_timestamp() ELSE c.last END, l.started_at) - l.started_at)"
    "  AS seconds) took"
    /* One that came in one transaction (a retry, a source that is read only once) has no load. */
    " UNION ALL SELECT r.run_id, m.name, coalesce(r.source, ''), r.started_at, r.finished_at,"
    " false, 1, 1, r.histories + q.count, r.events, q.count, 0,"
    " took.seconds, (r.histories + q.count) / greatest(0.001, took.seconds), 0, NULL,"
    " NULL, NULL, NULL"
    " FROM backstory.run r JOIN backstory.machine_version v USING (machine_version_id)"
    " JOIN backstory.machine m USING (machine_id)"
    " CROSS JOIN LATERAL (SELECT count(*) FROM backstory.quarantine q WHERE q.run_id = r.run_id) q"
    " CROSS JOIN LATERAL (SELECT extract(epoch FROM r.finished_at - r.started_at) AS seconds) took"
    " WHERE r.kind = 'migration' AND NOT EXISTS"
    "  (SELECT FROM backstory.load WHERE load.run_id = r.run_id)"
    " ORDER BY run_id DESC";

static uint64_t count_at(const bst_pg_rows *rows, size_t row, size_t column) {
    return strtoull(bst_pg_rows_text(rows, row, column), NULL, 10);
}

static double seconds_at(const bst_pg_rows *rows, size_t row, size_t column) {
    return strtod(bst_pg_rows_text(rows, row, column), NULL);
}

static bool truth_at(const bst_pg_rows *rows, size_t row, size_t column) {
    return *bst_pg_rows_text(rows, row, column) == 't';
}

static bst_load_entry entry_at(const bst_pg_rows *rows, size_t row) {
    return (bst_load_entry){.run_id = (int64_t)count_at(rows, row, 0),
                            .machine = bst_pg_rows_text(rows, row, 1),
                            .source = bst_pg_rows_text(rows, row, 2),
                            .started_at = bst_pg_rows_text(rows, row, 3),
                            .finished_at = bst_pg_rows_text(rows, row, 4),
                            .running = truth_at(rows, row, 5),
                            .chunks = count_at(rows, row, 6),
                            .chunks_done = count_at(rows, row, 7),
                            .rows = count_at(rows, row, 8),
                            .events = count_at(rows, row, 9),
                            .quarantined = count_at(rows, row, 10),
                            .bytes = count_at(rows, row, 11),
                            .seconds = seconds_at(rows, row, 12),
                            .rows_per_second = seconds_at(rows, row, 13),
                            .retries = count_at(rows, row, 14),
                            .waited_for = bst_pg_rows_text(rows, row, 15),
                            .waits_for = bst_pg_rows_text(rows, row, 16),
                            .waits_since = bst_pg_rows_text(rows, row, 17),
                            .waits_until = bst_pg_rows_text(rows, row, 18)};
}

bst_status bst_loads_list(const char *store,
                          bst_status (*visit)(void *context, const bst_load_entry *entry),
                          void *context, bst_diags *diags) {
    bst_pg *pg = NULL;
    bst_pg_rows *rows = NULL;
    bst_status status = bst_store_open(store, &pg, diags);
    if (status == BST_OK)
        status = bst_pg_query(pg, list_sql, 0, NULL, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const bst_load_entry entry = entry_at(rows, i);
        status = visit(context, &entry);
    }
    bst_pg_rows_free(rows);
    bst_pg_free(pg);
    return status;
}
