/* What following has found out about races, out of the store. */
#include "backstory/follow.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"
#include "backstory/pg.h"

static uint64_t number(const bst_pg_rows *rows, size_t row, size_t column) {
    const char *const text = bst_pg_rows_text(rows, row, column);
    return text ? strtoull(text, NULL, 10) : 0;
}

static bst_status ask(bst_pg *pg, const char *sql, const char *slot, bst_pg_rows **ret,
                      bst_diags *diags) {
    const char *const params[] = {slot};
    return bst_pg_query(pg, sql, 1, params, ret, diags);
}

static bst_status visit_watches(bst_pg *pg, const char *slot, const bst_races_visitor *visitor,
                                bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status =
        ask(pg,
            "SELECT slot, date_trunc('second', min(s.started_at)),"
            " date_trunc('second', max(s.started_at)), max(s.lsn),"
            " date_trunc('second', f.moved_at), count(s.slot)"
            " FROM backstory.follow f JOIN backstory.follow_start s USING (slot)"
            " WHERE slot = $1 OR $1 IS NULL GROUP BY slot, f.moved_at ORDER BY slot",
            slot, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const bst_races_watch watch = {.slot = bst_pg_rows_text(rows, i, 0),
                                       .since = bst_pg_rows_text(rows, i, 1),
                                       .last_start = bst_pg_rows_text(rows, i, 2),
                                       .last_lsn = bst_pg_rows_text(rows, i, 3),
                                       .until = bst_pg_rows_text(rows, i, 4),
                                       .starts = number(rows, i, 5)};
        status = visitor->on_watch(visitor->context, &watch);
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status visit_sums(bst_pg *pg, const char *slot, const bst_races_visitor *visitor,
                             bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status = ask(pg,
                            "SELECT kind, proof, field, count(*), count(DISTINCT key), sum(lost)"
                            " FROM backstory.follow_race WHERE slot = $1 OR $1 IS NULL"
                            " GROUP BY kind, proof, field ORDER BY proof = 'transaction ids',"
                            " count(*) DESC, kind, field",
                            slot, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const bst_races_sum sum = {.kind = bst_pg_rows_text(rows, i, 0),
                                   .proof = bst_pg_rows_text(rows, i, 1),
                                   .field = bst_pg_rows_text(rows, i, 2),
                                   .count = number(rows, i, 3),
                                   .entities = number(rows, i, 4),
                                   .lost = bst_pg_rows_text(rows, i, 5)};
        status = visitor->on_sum(visitor->context, &sum);
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status visit_races(bst_pg *pg, const char *slot, uint64_t limit,
                              const bst_races_visitor *visitor, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, "SELECT kind, proof, field, key, lsn, xid, committed_at,"
                          " array_to_string(overwrote, ', '), seen, found, wrote, lost"
                          " FROM backstory.follow_race WHERE slot = $1 OR $1 IS NULL"
                          " ORDER BY proof = 'transaction ids', lsn");
    if (limit > 0)
        bst_strbuf_addf(&sql, " LIMIT %llu", (unsigned long long)limit);
    bst_status status = sql.failed ? bst_diag_nomem(diags) : ask(pg, sql.text, slot, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        bst_race race;
        const char **const texts[] = {&race.kind, &race.proof, &race.field,        &race.key,
                                      &race.lsn,  &race.xid,   &race.committed_at, &race.overwrote,
                                      &race.seen, &race.found, &race.wrote,        &race.lost};
        for (size_t column = 0; column < sizeof texts / sizeof *texts; column++)
            *texts[column] = bst_pg_rows_text(rows, i, column);
        status = visitor->on_race(visitor->context, &race);
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status visit_stays(bst_pg *pg, const char *slot, const bst_races_visitor *visitor,
                              bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status =
        ask(pg,
            "SELECT name, state, stays, extract(epoch FROM shortest), extract(epoch FROM median),"
            " extract(epoch FROM mean), extract(epoch FROM longest)"
            " FROM (SELECT DISTINCT machine.name FROM backstory.follow"
            "  JOIN backstory.machine USING (machine_id) WHERE slot = $1 OR $1 IS NULL) AS followed"
            " CROSS JOIN LATERAL backstory.time_in_states(name) ORDER BY name, stays DESC, state",
            slot, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const bst_stay stay = {.machine = bst_pg_rows_text(rows, i, 0),
                               .state = bst_pg_rows_text(rows, i, 1),
                               .stays = number(rows, i, 2),
                               .shortest = bst_pg_rows_text(rows, i, 3),
                               .median = bst_pg_rows_text(rows, i, 4),
                               .mean = bst_pg_rows_text(rows, i, 5),
                               .longest = bst_pg_rows_text(rows, i, 6)};
        status = visitor->on_stay(visitor->context, &stay);
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_races_list(const char *from, const char *slot, uint64_t limit,
                          const bst_races_visitor *visitor, bst_diags *diags) {
    bst_pg *pg = NULL;
    bst_status status = bst_store_open(from, &pg, diags);
    if (status == BST_OK)
        status = bst_pg_exec(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", diags);
    if (status == BST_OK)
        status = visit_watches(pg, slot, visitor, diags);
    if (status == BST_OK)
        status = visit_sums(pg, slot, visitor, diags);
    if (status == BST_OK)
        status = visit_races(pg, slot, limit, visitor, diags);
    if (status == BST_OK)
        status = visit_stays(pg, slot, visitor, diags);
    bst_pg_free(pg);
    return status;
}
