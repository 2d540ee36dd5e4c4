/* The slots of a server: what they keep, and away with one that nobody follows any more. */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

static bool is_true(const char *text) {
    return text && strcmp(text, "t") == 0;
}

static bst_slot read_slot(const bst_pg_rows *rows, size_t row) {
    const char *const confirmed = bst_pg_rows_text(rows, row, 6);
    const char *const retained = bst_pg_rows_text(rows, row, 7);
    bst_slot slot = {.name = bst_pg_rows_text(rows, row, 0),
                     .plugin = bst_pg_rows_text(rows, row, 1),
                     .database = bst_pg_rows_text(rows, row, 2),
                     .wal_status = bst_pg_rows_text(rows, row, 3),
                     .active = is_true(bst_pg_rows_text(rows, row, 4)),
                     .published = is_true(bst_pg_rows_text(rows, row, 5)),
                     .retained_bytes = retained ? strtoull(retained, NULL, 10) : 0};
    if (confirmed)
        (void)bst_lsn_parse(confirmed, &slot.confirmed);
    return slot;
}

bst_status bst_slots_list(const char *from,
                          bst_status (*on_slot)(void *context, const bst_slot *slot), void *context,
                          bst_diags *diags) {
    bst_pg *pg = NULL;
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_connect(from, BST_PG_SOURCE, &pg, diags);
    if (status == BST_OK)
        status = bst_pg_query(
            pg,
            "SELECT slot_name, plugin, database, coalesce(wal_status, 'unknown'), active,"
            " EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = slot_name),"
            " confirmed_flush_lsn,"
            " pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint"
            " FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical'"
            " AND database = current_database() ORDER BY slot_name",
            0, NULL, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const bst_slot slot = read_slot(rows, i);
        status = on_slot(context, &slot);
    }
    bst_pg_rows_free(rows);
    bst_pg_free(pg);
    return status;
}

static bst_status drop_publication(bst_pg *pg, const char *name, bool *ret_found,
                                   bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    const char *const params[] = {name};
    bst_status status = bst_pg_query(pg, "SELECT FROM pg_catalog.pg_publication WHERE pubname = $1",
                                     1, params, &rows, diags);
    *ret_found = status == BST_OK && bst_pg_rows_count(rows) > 0;
    bst_pg_rows_free(rows);
    bst_strbuf_adds(&sql, "DROP PUBLICATION ");
    if (*ret_found)
        status = bst_pg_add_identifier(pg, name, &sql) ? bst_pg_exec(pg, sql.text, diags)
                                                       : bst_diag_nomem(diags);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status drop_slot(bst_pg *pg, const char *name, bool *ret_found, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {name};
    const bst_status status =
        bst_pg_query(pg,
                     "SELECT pg_catalog.pg_drop_replication_slot(slot_name)"
                     " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1"
                     " AND plugin = 'pgoutput' AND database = current_database()",
                     1, params, &rows, diags);
    *ret_found = status == BST_OK && bst_pg_rows_count(rows) > 0;
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_slots_drop(const char *from, const char *name, bst_diags *diags) {
    bst_pg *pg = NULL;
    bool slot = false, publication = false;
    bst_status status = bst_pg_connect(from, BST_PG_SOURCE, &pg, diags);
    if (status == BST_OK)
        status = drop_slot(pg, name, &slot, diags);
    if (status == BST_OK)
        status = drop_publication(pg, name, &publication, diags);
    if (status == BST_OK && !slot && !publication) {
        status =
            bst_diag_add(diags, BST_DATABASE, BST_ERROR, "slot-missing", NULL,
                         "%s has neither a slot nor a publication \"%s\"", bst_pg_label(pg), name);
        bst_diag_hint(diags, "backstory slots list names those that are there.");
    }
    bst_pg_free(pg);
    return status;
}
