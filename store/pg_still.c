/* A server process that says it is at work, and does not move.
 *
 * A process that was stopped, or hangs in a system call, goes on standing in pg_stat_activity as
 * "active", and nothing tells it from one that sorts for an hour; nor may it be ended early, for an
 * index takes as long as it takes. But who works shows it: what it waits for changes from moment to
 * moment (it reads and writes), and so do the figures of a COPY and of an index. So it is looked at
 * often, and so are those that it waits for and those that work for it. Only when everything has
 * been the same at every look, for a time in which no step of a sort or of a scan can go on without
 * a page to read or to write, does it count as hanging.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/clock.h"
#include "pg_conn_private.h"

#define LOOKS          20 /* of 50 ms each */
#define VERSION_LOOKED 140000

enum { SIGN, DOES, BLOCKERS };

static const char look_sql[] =
    "WITH RECURSIVE held (pid) AS (SELECT $1::pg_catalog.int4"
    " UNION SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids(pid)) FROM held)"
    " SELECT (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.pid, a.state,"
    "   a.wait_event_type, a.wait_event, a.query_start, a.state_change, i.phase, i.blocks_done,"
    "   i.tuples_done, c.bytes_processed, c.tuples_processed), ';' ORDER BY a.pid)"
    "  FROM pg_catalog.pg_stat_activity a"
    "  LEFT JOIN pg_catalog.pg_stat_progress_create_index i USING (pid)"
    "  LEFT JOIN pg_catalog.pg_stat_progress_copy c USING (pid)"
    "  WHERE a.pid IN (SELECT pid FROM held) OR a.leader_pid IN (SELECT pid FROM held)),"
    " (SELECT pg_catalog.concat(state, coalesce(', waiting for ' || wait_event_type || ' '"
    "   || wait_event, '')) FROM pg_catalog.pg_stat_activity WHERE pid = $1),"
    " pg_catalog.array_to_string(pg_catalog.pg_blocking_pids($1), ', '),"
    " pg_catalog.pg_sleep(0.05)";

/* One look. False: nothing can be seen, and so nothing is said. */
static bool look(bst_pg *pg, bst_pg *asking, bst__pg_ask *ask, bst_strbuf *ret_sign) {
    char pid[16];
    const char *const params[] = {pid};
    snprintf(pid, sizeof pid, "%d", pg->backend);
    PGresult *const result = ask(asking, look_sql, 1, params);
    const bool seen = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    bst_strbuf_clear(ret_sign);
    bst_strbuf_clear(&pg->does);
    bst_strbuf_clear(&pg->blockers);
    if (seen) {
        bst_strbuf_adds(ret_sign, PQgetvalue(result, 0, SIGN));
        bst_strbuf_adds(&pg->does, PQgetvalue(result, 0, DOES));
        bst_strbuf_adds(&pg->blockers, PQgetvalue(result, 0, BLOCKERS));
    }
    PQclear(result);
    return seen && !ret_sign->failed;
}

/* All that it waits for, of whom there is one at least. */
static bool waits_for_own(const bst_pg *pg) {
    char *end = pg->blockers.text;
    if (pg->blockers.len == 0 || !pg->watch.is_own)
        return false;
    for (const char *at = end; *at; at = end + strspn(end, ", ")) {
        const long process = strtol(at, &end, 10);
        if (end == at || !pg->watch.is_own(pg->watch.context, (int)process))
            return false;
    }
    return true;
}

void bst__pg_moved(bst_pg *pg) {
    bst_strbuf_clear(&pg->sign);
    pg->still_since_us = 0;
    pg->warned = false;
}

static bool is_still(bst_pg *pg, bst_pg *asking, bst__pg_ask *ask) {
    bst_strbuf sign = BST_STRBUF_INIT;
    bool still = true;
    for (int i = 0; still && i < LOOKS; i++) {
        still = look(pg, asking, ask, &sign) && !waits_for_own(pg);
        if (still && pg->still_since_us == 0) {
            bst_strbuf_adds(&pg->sign, sign.text);
            pg->still_since_us = bst_clock_us();
        }
        still = still && !pg->sign.failed && strcmp(pg->sign.text, sign.text) == 0;
    }
    bst_strbuf_release(&sign);
    return still;
}

static void add_what(const bst_pg *pg, bst_status status, bst_severity severity, const char *code,
                     bst_diags *diags) {
    if (pg->blockers.len > 0)
        bst_diag_add(diags, status, severity, code, NULL,
                     "%s %s: server process %d waits for a lock of process %s, and neither has "
                     "moved for %u seconds",
                     bst__pg_side(pg), pg->label.text, pg->backend, pg->blockers.text,
                     (unsigned)pg->still_seconds);
    else
        bst_diag_add(diags, status, severity, code, NULL,
                     "%s %s: server process %d has not moved for %u seconds, in which no byte came "
                     "and nothing changed of what the server shows of it (%s)",
                     bst__pg_side(pg), pg->label.text, pg->backend, (unsigned)pg->still_seconds,
                     pg->does.text);
}

static void warn(bst_pg *pg) {
    bst_diags *const diags = bst_diags_new();
    const char *const pids = pg->blockers.text;
    pg->warned = true;
    add_what(pg, BST_OK, BST_WARNING, "server-still", diags);
    if (pg->blockers.len > 0)
        bst_diag_hint(diags,
                      "Look at process %s on that host: it may be stopped, or somebody's open "
                      "transaction. After %u seconds the run ends (--hang-timeout).",
                      pids, (unsigned)pg->watch.hang_seconds);
    else
        bst_diag_hint(diags,
                      "Look at process %d on that host: when it is stopped (state T of ps), "
                      "kill -CONT lets it go on. After %u seconds it is given up "
                      "(--hang-timeout).",
                      pg->backend, (unsigned)pg->watch.hang_seconds);
    if (bst_diags_count(diags) > 0)
        pg->watch.on_still(pg->watch.context, bst_diags_at(diags, 0));
    bst_diags_free(diags);
}

/* Its own process is told to end, which it does as soon as it moves; others are not ours to end. */
bool bst__pg_hangs(bst_pg *pg, bst_pg *asking, bst__pg_ask *ask) {
    char pid[16];
    const char *const params[] = {pid};
    if (pg->watch.hang_seconds == 0 || PQserverVersion(asking->conn) < VERSION_LOOKED)
        return false;
    if (!is_still(pg, asking, ask)) {
        bst__pg_moved(pg);
        return false;
    }
    pg->still_seconds = (uint32_t)((bst_clock_us() - pg->still_since_us) / 1000000);
    if (!pg->warned && pg->watch.on_still && pg->still_seconds >= pg->watch.stall_seconds)
        warn(pg);
    pg->hung = pg->still_seconds >= pg->watch.hang_seconds;
    snprintf(pid, sizeof pid, "%d", pg->backend);
    if (pg->hung)
        PQclear(ask(asking, "SELECT pg_catalog.pg_terminate_backend($1::integer)", 1, params));
    return pg->hung;
}

bst_status bst__pg_report_hang(const bst_pg *pg, bst_diags *diags) {
    if (pg->blockers.len == 0) {
        add_what(pg, BST_RETRY, BST_ERROR, "server-hangs", diags);
        bst_diag_hint(diags,
                      "It was told to end, which it does as soon as it moves. Look at process %d "
                      "on that host: when it is stopped, kill -CONT lets it go on.",
                      pg->backend);
        return BST_RETRY;
    }
    add_what(pg, BST_DATABASE, BST_ERROR, "lock-held", diags);
    bst_diag_hint(diags,
                  "Process %s holds what the run needs. When it is stopped, kill -CONT lets it go "
                  "on, and it ends if the run had given it up; kill -9 makes the server end all "
                  "sessions and recover. Then give the same command again.",
                  pg->blockers.text);
    return BST_DATABASE;
}
