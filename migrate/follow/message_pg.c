/* A message of the log about rows or tables -> a change that is held, under its entity's key. A
 * table that is described anew, renamed, or emptied (every entity is set aside) is answered at
 * once.
 */
#include "follow_batch_private.h"

#include <string.h>

static bst_status malformed(uint64_t lsn, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, at);
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                        "the message at %s of the log is not understood", at);
}

/* The transactions before are whole: they are not to wait until the mapping is mended. */
static bst_status end_before(bst__batch *b, const bst__origin *origin, bst_diags *diags) {
    if (origin->changes == 0 && bst__batch_is_dirty(b)) {
        const bst_status status = bst__batch_commit(b, 0, diags);
        if (status != BST_OK)
            return status;
    }
    return BST_INVALID;
}

static bst_status report_misfit(bst__batch *b, const bst__origin *origin, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(origin->commit_lsn, at);
    bst_diag_hint(diags,
                  "The table was changed, and in the transaction at %s of the log the mapping no "
                  "longer fits it. Nothing is lost: what came before is in the store, the slot "
                  "keeps the rest. Mend the mapping, and go on with --snapshot-again.",
                  at);
    return end_before(b, origin, diags);
}

/* The log describes a table anew before the first change of a row after anything was done to it. */
static bst_status check_columns(bst__batch *b, const bst__origin *origin, bst_diags *diags) {
    bool same = true;
    if (origin->commit_lsn < bst__columns_same_until(b->columns))
        return BST_OK;
    const bst_status status = bst__columns_look(b->columns, &same, diags);
    if (status != BST_OK || same)
        return status;
    (void)bst__columns_report(b->columns, diags);
    return end_before(b, origin, diags);
}

static bst_status report_renamed(bst__batch *b, const bst_wal_message *relation,
                                 const bst__origin *origin, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "table-renamed", NULL,
                 "%s is called %s.%s from here on", b->mapping->source.table, relation->schema,
                 relation->table);
    return report_misfit(b, origin, diags);
}

static uint32_t column_of(const bst_wal_message *relation, const char *name) {
    for (uint16_t i = 0; i < relation->column_count; i++) {
        if (strcmp(relation->columns[i].name, name) == 0)
            return i;
    }
    return BST_NONE;
}

static bst_status bind_ledger(bst__batch *b, const bst_wal_message *relation, bst_diags *diags) {
    const bst_follow_ledger *const ledger = b->options->ledger;
    const bst_status status = bst__batch_work(b, diags); /* what is held has the old columns */
    if (status != BST_OK)
        return status;
    b->ledger = (bst__ledger_table){relation->relation, column_of(relation, ledger->entity),
                                    column_of(relation, ledger->amount)};
    if (b->ledger.entity_at != BST_NONE && b->ledger.amount_at != BST_NONE)
        return BST_OK;
    return bst_diag_add(diags, BST_INVALID, BST_ERROR, "unknown-column", NULL,
                        "ledger %s has no column \"%s\"", ledger->table,
                        b->ledger.entity_at == BST_NONE ? ledger->entity : ledger->amount);
}

static bst_status rebind(bst__batch *b, const bst_wal_message *relation, const bst__origin *origin,
                         bst_diags *diags) {
    bst__table *table = NULL;
    if (b->options->ledger && bst__table_is(b->options->ledger->table, relation))
        return bind_ledger(b, relation, diags);
    if (!bst__table_is(b->mapping->source.table, relation))
        return b->table && b->table->oid == relation->relation
                   ? report_renamed(b, relation, origin, diags)
                   : BST_OK;
    bst_status status = bst__table_bind(b->mapping, relation, &table, diags);
    if (status != BST_OK)
        return status == BST_INVALID ? report_misfit(b, origin, diags) : status;
    status = check_columns(b, origin, diags);
    if (status != BST_OK) {
        bst__table_free(table);
        return status;
    }
    /* What is held was sent under the old description; it has the same columns where it matters,
     * but perhaps elsewhere. */
    status = bst__batch_work(b, diags);
    bst__table_free(b->table);
    b->table = table;
    return status;
}

static bst_status truncate(bst__batch *b, const bst_wal_message *message, uint64_t lsn,
                           bst__origin *origin, bst_diags *diags) {
    bool ours = false, ledger = false;
    for (uint32_t i = 0; i < message->relation_count; i++) {
        ours = ours || (b->table && message->relations[i] == b->table->oid);
        ledger = ledger || (b->ledger.oid != 0 && message->relations[i] == b->ledger.oid);
    }
    if (!ours && !ledger)
        return BST_OK;
    bst_status status = bst__batch_work(b, diags);
    bst__races_emptied(b->races);
    if (!ours)
        return status;
    const bst_journal_exception exception = {
        .lsn = lsn,
        .place = origin->changes++,
        .xid = origin->xid,
        .committed_at = origin->committed_at,
        .operation = "truncate",
        .reason = "table-truncated",
        .message = "the table was emptied; the histories stay as they are"};
    if (status == BST_OK)
        status = bst_journal_set_all_aside(b->journal, &exception, diags);
    bst__cache_clear(&b->cache);
    b->mark.changes++;
    b->mark.quarantined++;
    return status;
}

static bst_status unclear_key(bst__batch *b, uint64_t lsn, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, at);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "unknown-key", NULL,
                 "the change at %s of the log does not have the key of its row in %s", at,
                 b->mapping->source.table);
    bst_diag_hint(diags, "The table's replica identity leaves a part of it out: ALTER TABLE ... "
                         "REPLICA IDENTITY FULL.");
    return BST_INVALID;
}

/* The key of a row, by its name. Where an old row has nothing but its identity, NULL says that the
 * identity leaves it out. */
static bst_status take_key(bst__batch *b, const bst__change *c, bool old, bst_text *ret,
                           bool *ret_null, bst_diags *diags) {
    const bst_wal_tuple *const old_row = c->old_kind ? &c->old_row : NULL;
    const bst__key_result result =
        bst__table_key(b->table, old ? old_row : &c->new_row, old_row, b->arena, ret);
    *ret_null = result == BST__KEY_NULL;
    if (result == BST__KEY_UNSENT || (*ret_null && old && c->old_kind != 'O'))
        return unclear_key(b, c->lsn, diags);
    return result != BST__KEY_NOMEM && bst__key_name(ret->text, ret->len, b->arena, ret)
               ? BST_OK
               : bst_diag_nomem(diags);
}

static bst_status hold(bst__batch *b, const bst_wal_message *message, uint64_t lsn,
                       bst__origin *origin, bst_diags *diags) {
    bst__change *const c = &b->changes[b->count];
    *c = (bst__change){.kind = message->kind,
                       .old_kind = message->old_kind,
                       .old_row = message->old_row,
                       .new_row = message->new_row,
                       .lsn = lsn,
                       .place = origin->changes++,
                       .origin = *origin};
    const bool deleted = message->kind == BST_WAL_DELETE;
    bst_status status = take_key(b, c, deleted, &c->key, &c->key_is_null, diags);
    if (status == BST_OK && !deleted && c->old_kind)
        status = take_key(b, c, true, &c->old_key, &c->old_key_is_null, diags);
    if (status != BST_OK)
        return status;
    if (c->old_key.text && c->old_key.len == c->key.len &&
        memcmp(c->old_key.text, c->key.text, c->key.len) == 0)
        c->old_key.text = NULL;
    b->count++;
    b->mark.changes++;
    return BST_OK;
}

static void hold_entry(bst__batch *b, const bst_wal_message *message, const bst__origin *origin) {
    b->changes[b->count++] = (bst__change){.kind = message->kind,
                                           .old_kind = message->old_kind,
                                           .old_row = message->old_row,
                                           .new_row = message->new_row,
                                           .origin = *origin,
                                           .of_ledger = true};
}

bst_status bst__batch_add(bst__batch *b, const char *bytes, size_t len, uint64_t lsn,
                          bst__origin *origin, bst_diags *diags) {
    bst_wal_message message;
    char *const copy = bst_arena_strndup(b->arena, bytes, len);
    const bst_wal_result result =
        copy ? bst_wal_parse(copy, len, b->arena, &message) : BST_WAL_NOMEM;
    if (result != BST_WAL_OK)
        return result == BST_WAL_NOMEM ? bst_diag_nomem(diags) : malformed(lsn, diags);
    bst_status status = BST_OK;
    switch (message.kind) {
    case BST_WAL_RELATION:
        return rebind(b, &message, origin, diags);
    case BST_WAL_TRUNCATE:
        return truncate(b, &message, lsn, origin, diags);
    case BST_WAL_INSERT:
    case BST_WAL_UPDATE:
    case BST_WAL_DELETE:
        if (b->table && message.relation == b->table->oid)
            status = hold(b, &message, lsn, origin, diags);
        else if (b->ledger.oid != 0 && message.relation == b->ledger.oid)
            hold_entry(b, &message, origin);
        break;
    default:
        break;
    }
    return status == BST_OK ? bst__batch_work_when_full(b, diags) : status;
}
