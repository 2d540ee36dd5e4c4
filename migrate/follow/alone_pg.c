/* Is the store ready for this follower, and does nobody else follow the same machine into it?
 *
 * One slot alone turns the changes of a table into events of a store: by two every transaction
 * would come twice, and the second time as steps that nobody took. A slot that was dropped at the
 * source is no other: whoever begins after it reconciles every row with its history.
 *
 * And one source alone: of two each would take the other's rows for changes of its own. Whether the
 * other one is gone cannot be seen from here, so it must be said, and by its name (--take-over): a
 * repair of the wrong source (--snapshot-again) is not to end in that.
 */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"

static bst_status refuse(const bst_pg_rows *slots, bst_diags *diags) {
    const char *const other = bst_pg_rows_text(slots, 0, 0);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "followed-by-another", NULL,
                 "slot \"%s\" follows this table into this store already: by two slots every "
                 "change would be told twice",
                 other);
    bst_diag_hint(diags,
                  "Go on with --slot %s, or drop it first with backstory slots drop %s: every row "
                  "is reconciled with its history then.",
                  other, other);
    return BST_INVALID;
}

static bst_status refuse_migrated(const char *other, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "followed-by-another", NULL,
                 "the histories of the machine in this store were migrated from %s: another source "
                 "would overwrite their entities",
                 other);
    bst_diag_hint(diags,
                  "Give this source a store of its own. If it is what that one was (a new server, "
                  "another table): --take-over '%s'; every row is reconciled with its history.",
                  other);
    return BST_INVALID;
}

static bst_status refuse_source(const bst_follow_others *others, bst_diags *diags) {
    const char *const other = others->other_slot.text;
    if (others->other_slot.len == 0)
        return refuse_migrated(others->other_source.text, diags);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "followed-by-another", NULL,
                 "slot \"%s\" brings the machine into this store from %s: of two sources each "
                 "would overwrite the entities of the other",
                 other, others->other_source.text);
    bst_diag_hint(diags,
                  "Give this source a store of its own. If it is what that one was (a new server, "
                  "another table), and nobody follows by slot %s any more: --take-over '%s'; every "
                  "row is reconciled with its history.",
                  other, others->other_source.text);
    return BST_INVALID;
}

static bool is_taken_over(const bst_follow_options *options, const bst_follow_others *others) {
    return options->take_over && strcmp(options->take_over, others->other_source.text) == 0;
}

/* Which of the slots has the source? */
static bst_status check_source(bst_pg *source, const bst_follow_options *options,
                               const bst_follow_others *others, bst_diags *diags) {
    const char *const params[] = {others->slots.text};
    bst_pg_rows *rows = NULL;
    if (others->other_source.len > 0 && !is_taken_over(options, others))
        return refuse_source(others, diags);
    if (others->slots.len == 0)
        return BST_OK;
    bst_status status = bst_pg_query(source,
                                     "SELECT slot_name FROM pg_catalog.pg_replication_slots"
                                     " WHERE slot_name = ANY ($1::text[]) ORDER BY slot_name",
                                     1, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0)
        status = refuse(rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

/* Whether following can go on from where the store is. */
static bst_status check_place(bst_pg *source, const bst_mapping *mapping,
                              const bst_follow_options *options, const bst_follow_state *known,
                              bst_diags *diags) {
    bool same = true;
    bst__columns *columns = bst__columns_new(source, mapping, known->columns);
    bst_status status =
        columns ? bst__follow_can_go_on(source, options, known->lsn, known->same_mapping, diags)
                : bst_diag_nomem(diags);
    if (status == BST_OK)
        status = bst__columns_look(columns, &same, diags);
    if (status == BST_OK && !same)
        status = bst__columns_report(columns, diags);
    bst__columns_free(columns);
    return status;
}

/* What the preflight can see of the store. */
static bst_status check_store(bst_pg *source, const bst_mapping *mapping,
                              const bst_follow_options *options, bst_follow_others *others,
                              bst_diags *diags) {
    bst_strbuf label = BST_STRBUF_INIT;
    bst_follow_state known = {.empty = true};
    bst_status status = bst__follow_label(source, mapping, &label, diags);
    if (status == BST_OK)
        status = bst_follow_find_others(options->to, mapping->machine->id, label.text,
                                        options->slot, others, diags);
    if (status == BST_OK)
        status = bst_follow_ready(options->to, mapping->machine->id, options->slot, mapping->sha256,
                                  &known, diags);
    if (status == BST_OK && known.ready && !options->snapshot_again)
        status = check_place(source, mapping, options, &known, diags);
    free(known.columns);
    bst_strbuf_release(&label);
    return status;
}

bst_status bst__follow_alone(bst_pg *source, const bst_mapping *mapping,
                             const bst_follow_options *options, bst_journal *journal,
                             bst_diags *diags) {
    bst_follow_others others = {BST_STRBUF_INIT, BST_STRBUF_INIT, BST_STRBUF_INIT};
    bst_status status = BST_OK;
    if (journal)
        status = bst_journal_others(journal, &others, diags);
    else if (options->to)
        status = check_store(source, mapping, options, &others, diags);
    if (status == BST_OK)
        status = check_source(source, options, &others, diags);
    bst_follow_others_release(&others);
    return status;
}
