/* What a load is waiting for, told to those who ask the store. */
#include "load_private.h"

#include <inttypes.h>
#include <stdio.h>

/* No role but the appender's may, and a store of an older build has no place for it: then nobody is
 * told. */
static const char tell_sql[] =
    "UPDATE backstory.load SET waiting = CASE WHEN $2 <> '' THEN jsonb_build_object("
    " 'why', $2::text, 'since', clock_timestamp() - $3 * interval '1 millisecond',"
    " 'again', clock_timestamp() + $4 * interval '1 millisecond') END WHERE run_id = $1";

bool bst_load_tell_wait(bst_load *load, const char *why, int64_t since_ms, int64_t again_ms) {
    char run[16], since[24], again[24];
    const char *const params[] = {run, why ? why : "", since, again};
    bst_diags *const ignored = bst_diags_new();
    bst_pg_rows *rows = NULL;
    snprintf(run, sizeof run, "%d", (int)load->run_id);
    snprintf(since, sizeof since, "%" PRId64, why ? since_ms : 0);
    snprintf(again, sizeof again, "%" PRId64, why ? again_ms : 0);
    const bool told = load->pg && ignored &&
                      bst_pg_query(load->pg, tell_sql, sizeof params / sizeof *params, params,
                                   &rows, ignored) == BST_OK;
    bst_pg_rows_free(rows);
    bst_diags_free(ignored);
    return told;
}
