/* The end of a follower's transaction: what is held is sent, the place of the slot is moved from
 * where it was seen last, and all is committed. Whoever finds it elsewhere has been overtaken, and
 * nothing of his remains.
 */
#include <inttypes.h>
#include <stdio.h>

#include "backstory/pg_stream.h"
#include "backstory/timestamp.h"
#include "journal_private.h"

bst_status bst_journal_flush(bst_journal *j, bst_diags *diags) {
    const bst_status status = bst__journal_send_rows(j, diags);
    return status == BST_OK ? bst__journal_send_notes(j, diags) : status;
}

static bst_status report_fenced(const bst_journal *j, bst_diags *diags) {
    char seen[BST_LSN_TEXT_MAX];
    bst_lsn_format(j->lsn, seen);
    bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "fenced", NULL,
                 "slot \"%s\" is no longer at %s in the store: another follower was faster",
                 j->info.slot, seen);
    bst_diag_hint(diags, "Nothing of this transaction was kept. Let the other one go on, or start "
                         "again when it has ended.");
    return BST_CONFLICT;
}

/* The counts are of all time: those of a commit that leaves the place where it is count as well. */
static bst_status move(bst_journal *j, const bst_journal_mark *mark, bst_diags *diags) {
    char from[BST_LSN_TEXT_MAX], to[BST_LSN_TEXT_MAX], time[BST_TIME_TEXT_MAX];
    const uint64_t counts[] = {mark->transactions, mark->changes, mark->unchanged,
                               mark->quarantined, mark->events};
    char texts[5][24];
    bst_pg_rows *rows = NULL;
    bst_lsn_format(j->lsn, from);
    bst_lsn_format(mark->lsn, to);
    bst_time_format(mark->committed_at, time);
    for (int i = 0; i < 5; i++)
        snprintf(texts[i], sizeof texts[i], "%" PRIu64, counts[i]);
    const char *const params[] = {j->info.slot,
                                  j->state == BST_JOURNAL_READY ? from : NULL,
                                  mark->lsn != 0 ? to : NULL,
                                  mark->committed_at != 0 ? time : NULL,
                                  texts[0],
                                  texts[1],
                                  texts[2],
                                  texts[3],
                                  texts[4],
                                  mark->lsn != 0 ? j->memory : NULL};
    bst_status status = bst_pg_query(
        j->pg,
        "UPDATE backstory.follow SET lsn = coalesce($3, lsn),"
        " committed_at = coalesce($4, committed_at),"
        " transactions = transactions + $5, changes = changes + $6, unchanged = unchanged + $7,"
        " quarantined = quarantined + $8, events = events + $9,"
        " moved_at = CASE WHEN $3 IS NULL THEN moved_at ELSE clock_timestamp() END,"
        " writers = coalesce($10, writers)"
        " WHERE slot = $1 AND lsn IS NOT DISTINCT FROM $2 RETURNING 1",
        10, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) != 1)
        status = report_fenced(j, diags);
    bst_pg_rows_free(rows);
    return status;
}

static bool counts_anything(const bst_journal_mark *m) {
    return m->transactions || m->changes || m->unchanged || m->quarantined || m->events;
}

static bst_status keep_columns(bst_journal *j, bst_diags *diags) {
    const char *const params[] = {j->info.slot, j->columns};
    return bst__journal_run(j, "UPDATE backstory.follow SET columns = $2 WHERE slot = $1", 2,
                            params, diags);
}

bst_status bst_journal_commit(bst_journal *j, const bst_journal_mark *mark, bst_diags *diags) {
    bst_status status = bst_journal_flush(j, diags);
    if (status == BST_OK)
        status = bst__journal_begin(j, diags);
    if (status == BST_OK && (mark->lsn != 0 || counts_anything(mark)))
        status = move(j, mark, diags);
    if (status == BST_OK && j->columns)
        status = keep_columns(j, diags);
    if (status == BST_OK)
        status = bst_pg_exec(j->pg, "COMMIT", diags);
    if (status != BST_OK)
        return status;
    j->open = false;
    j->columns = NULL;
    if (mark->lsn != 0) {
        j->lsn = mark->lsn;
        j->memory = NULL;
        j->state = BST_JOURNAL_READY;
    }
    return BST_OK;
}
