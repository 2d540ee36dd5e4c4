/* Can a follower begin, or go on? Events are added to histories when all of these are there. */
#include "backstory/loads.h"

#include <string.h>

#include "backstory/pg_stream.h"
#include "pg_store_private.h"

enum { READY_RUN, READY_MACHINE, READY_EMPTY, READY_LSN, READY_MAPPING, READY_COLUMNS };

static const char ready_sql[] =
    "SELECT open.run_id, open.name, NOT EXISTS (SELECT FROM backstory.run"
    "  JOIN backstory.machine_version USING (machine_version_id)"
    "  JOIN backstory.machine USING (machine_id) WHERE machine.name = $1),"
    " own.lsn, own.mapping_sha256, own.columns"
    " FROM (SELECT) AS one LEFT JOIN LATERAL (SELECT l.run_id, m.name"
    "  FROM backstory.load l JOIN backstory.machine m USING (machine_id)"
    "  WHERE l.finished_at IS NULL AND CASE WHEN m.name = $1"
    "   THEN l.mapping_sha256 <> $3"
    "    OR EXISTS (SELECT FROM backstory.follow WHERE slot = $2 AND lsn IS NOT NULL)"
    "   ELSE to_regclass('backstory.segment_stream') IS NULL END LIMIT 1) AS open ON true"
    " LEFT JOIN backstory.follow AS own ON own.slot = $2";

static bst_status refuse(bst_pg *pg, const bst_pg_rows *rows, bst_diags *diags) {
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "load-unfinished", NULL,
                 "run %s, a migration of machine \"%s\" into %s, is not finished",
                 bst_pg_rows_text(rows, 0, READY_RUN), bst_pg_rows_text(rows, 0, READY_MACHINE),
                 bst_pg_label(pg));
    bst_diag_hint(diags, "backstory status tells how far it is. If it was broken off, the command "
                         "that began it goes on with it, or takes it back with --restart; follow "
                         "when it is done.");
    return BST_RETRY;
}

static bst_status take(const bst_pg_rows *rows, const char *slot, const char *mapping_sha256,
                       bst_follow_state *ret, bst_diags *diags) {
    const char *const lsn = bst_pg_rows_text(rows, 0, READY_LSN);
    const char *const mapping = bst_pg_rows_text(rows, 0, READY_MAPPING);
    *ret = (bst_follow_state){.empty = strcmp(bst_pg_rows_text(rows, 0, READY_EMPTY), "t") == 0,
                              .ready = lsn != NULL,
                              .same_mapping = mapping && strcmp(mapping, mapping_sha256) == 0};
    const char *const columns = bst_pg_rows_text(rows, 0, READY_COLUMNS);
    if (columns && !(ret->columns = strdup(columns)))
        return bst_diag_nomem(diags);
    if (lsn && !bst_lsn_parse(lsn, &ret->lsn))
        return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "store-damaged", NULL,
                            "the place of slot \"%s\" in the store is not one", slot);
    return BST_OK;
}

bst_status bst__follow_ready(bst_pg *pg, const char *machine, const char *slot,
                             const char *mapping_sha256, bst_follow_state *ret, bst_diags *diags) {
    const char *const params[] = {machine, slot, mapping_sha256};
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(pg, ready_sql, 3, params, &rows, diags);
    if (status == BST_OK)
        status = take(rows, slot, mapping_sha256, ret, diags);
    if (status == BST_OK && bst_pg_rows_text(rows, 0, READY_RUN))
        status = refuse(pg, rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_follow_ready(const char *store, const char *machine, const char *slot,
                            const char *mapping_sha256, bst_follow_state *ret, bst_diags *diags) {
    bst_pg *pg = NULL;
    bool found = false;
    *ret = (bst_follow_state){.empty = true};
    bst_status status = bst__store_look(store, &pg, &found, diags);
    if (status == BST_OK && found)
        status = bst__follow_ready(pg, machine, slot, mapping_sha256, ret, diags);
    bst_pg_free(pg);
    return status;
}
