/* The machine and the run as rows of the store. */
#include "run_row_private.h"

#include <stdlib.h>

#include "pg_store_private.h"
#include "segment_writer_private.h"

bst_status bst__machine_register(bst_pg *pg, const bst_machine *machine, int16_t *ret_machine_id,
                                 int64_t *ret_version_id, bst_diags *diags) {
    size_t len;
    const char *const spec[] = {bst_json_source_text(machine->source, &len)};
    const char *const name[] = {machine->id};
    int64_t machine_id = 0;
    bst_status status =
        bst__pg_number(pg, "SELECT backstory.register($1)", 1, spec, ret_version_id, diags);
    if (status == BST_OK)
        status = bst__pg_number(pg, "SELECT machine_id FROM backstory.machine WHERE name = $1", 1,
                                name, &machine_id, diags);
    *ret_machine_id = (int16_t)machine_id;
    return status;
}

static const char holder_sql[] =
    "SELECT string_agg(pid::text, ', ') FROM pg_catalog.pg_locks WHERE locktype = 'advisory'"
    " AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_catalog.pg_database"
    "  WHERE datname = current_database())"
    " AND classid::bigint = hashtext('backstory')::bigint & 4294967295"
    " AND objid::bigint = hashtext($1)::bigint & 4294967295";

bst_status bst__machine_busy(bst_pg *pg, const bst_machine *machine, bst_diags *diags) {
    const char *const params[] = {machine->id};
    bst_diags *const ignored = bst_diags_new();
    char *pids = NULL;
    const bool known =
        ignored && bst__pg_value(pg, holder_sql, 1, params, &pids, ignored) == BST_OK;
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "run-in-progress", NULL,
                 "another run is loading histories of machine \"%s\" into %s", machine->id,
                 bst_pg_label(pg));
    if (known && pids)
        bst_diag_hint(diags,
                      "Wait until it has finished, and try again. It is process %s of that server; "
                      "what a run that died has left there pg_terminate_backend() ends.",
                      pids);
    else
        bst_diag_hint(diags, "Wait until it has finished, and try again.");
    bst_diags_free(ignored);
    free(pids);
    return BST_RETRY;
}

static bst_status copy_text(bst_arena *arena, const char **text, bst_diags *diags) {
    if (!*text)
        return BST_OK;
    *text = bst_arena_strdup(arena, *text);
    return *text ? BST_OK : bst_diag_nomem(diags);
}

bst_status bst__run_info_keep(const bst_run_info *run, bst_arena *arena, bst_run_info *ret,
                              bst_diags *diags) {
    *ret = *run;
    bst_status status = copy_text(arena, &ret->tool_version, diags);
    if (status == BST_OK)
        status = copy_text(arena, &ret->mapping_sha256, diags);
    return status == BST_OK ? copy_text(arena, &ret->source, diags) : status;
}

/* What is loaded will be read at once, long before the server looks at it by itself; without
 * figures it would sort where the index gives the order. Rough ones do until the server takes finer
 * ones by itself. */
static const char analyze_sql[] = "SET LOCAL default_statistics_target = 10;"
                                  "ANALYZE backstory.segment (machine_id, run_id, plan, key),"
                                  " backstory.plan, backstory.run, backstory.machine";

bst_status bst__segment_complete(bst_pg *pg, bst_diags *diags) {
    bst_diags *const found = bst_diags_new();
    if (!found)
        return bst_diag_nomem(diags);
    bst_status status = bst_pg_exec(pg, "SELECT backstory.index_streams()", found);
    status = bst__segment_hand_on(true, status, found, diags);
    return status == BST_OK ? bst_pg_exec(pg, analyze_sql, diags) : status;
}
