/* What a follower says of all entities at once, before and after it looks at every row again. */
#include "backstory/pg_stream.h"
#include "journal_private.h"

static const char all_aside_sql[] =
    "INSERT INTO backstory.follow_quarantine (slot, lsn, place, machine_id, key, version, state,"
    " xid, committed_at, operation, reason, message)"
    " SELECT $1, lsn, place, $2, segment.key, segment.first_version + cardinality(plan.state) - 1,"
    " plan.state[cardinality(plan.state)], xid, committed_at, operation, reason, message"
    " FROM jsonb_to_recordset($3) AS given (lsn pg_lsn, place integer, xid bigint,"
    " committed_at timestamptz, operation text, reason text, message text)"
    " CROSS JOIN backstory.segment JOIN backstory.plan USING (run_id, plan)"
    " WHERE segment.machine_id = $2 AND NOT EXISTS (SELECT FROM backstory.segment AS later"
    "  WHERE later.machine_id = segment.machine_id AND later.key = segment.key"
    "  AND later.first_version > segment.first_version)";

bst_status bst_journal_set_all_aside(bst_journal *j, const bst_journal_exception *e,
                                     bst_diags *diags) {
    bst_strbuf item = BST_STRBUF_INIT;
    bst_status status = bst_journal_flush(j, diags);
    if (status == BST_OK)
        status = bst__journal_begin(j, diags);
    bst_strbuf_adds(&item, "[{");
    bst__journal_add_exception(&item, e);
    bst_strbuf_addc(&item, '}');
    if (status == BST_OK)
        status = bst__journal_hand_over(j, &item, all_aside_sql, diags);
    bst_strbuf_release(&item);
    return status;
}

/* A slot before this one has no place any more, whether the same rows were followed by it or others
 * that have given way: else it would be waited for, and what stands in quarantine by it would do so
 * for ever. */
static const char release_all_sql[] =
    "WITH before AS (UPDATE backstory.follow AS f SET lsn = NULL FROM backstory.follow AS own"
    " WHERE own.slot = $1 AND f.slot <> own.slot AND f.machine_id = own.machine_id"
    " RETURNING f.slot)"
    "UPDATE backstory.follow_quarantine SET released_lsn = $2"
    " WHERE released_lsn IS NULL AND (slot = $1 OR slot IN (SELECT slot FROM before))";

bst_status bst_journal_release_all(bst_journal *j, uint64_t lsn, bst_diags *diags) {
    char text[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, text);
    const char *const params[] = {j->info.slot, text};
    const bst_status status = bst__journal_begin(j, diags);
    return status == BST_OK ? bst__journal_run(j, release_all_sql, 2, params, diags) : status;
}
