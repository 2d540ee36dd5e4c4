/* What becomes of a change. What each kind means:
 *
 *     insert      a history, as synthesis would give this row, or else its creation now
 *     update      the event that leads there (step.c)
 *     delete      set aside (row-deleted): a history is never taken back
 *     a new key   the old entity is set aside (key-changed), the new one begins its own history
 *     no usable key (empty, NULL, too long)   set aside, under a name that no history has
 *
 * A change that comes to an entity in quarantine is taken from where its history ends; if that
 * works out, the entity is released.
 */
#include "follow_batch_private.h"

static const char *operation_text(bst_wal_kind kind) {
    return kind == BST_WAL_INSERT ? "insert" : kind == BST_WAL_DELETE ? "delete" : "update";
}

static bst_status set_aside(bst__batch *b, const bst__change *c, bst__known *known,
                            const char *reason, const char *message) {
    bst_strbuf_clear(&b->old_image);
    bst_strbuf_clear(&b->new_image);
    if (c->old_kind)
        bst__table_image(b->table, &c->old_row, &b->old_image);
    if (c->kind != BST_WAL_DELETE)
        bst__table_image(b->table, &c->new_row, &b->new_image);
    if (b->old_image.failed || b->new_image.failed)
        return bst_diag_nomem(b->diags);
    const bst_journal_exception exception = {
        .lsn = c->lsn,
        .place = c->place,
        .xid = c->origin.xid,
        .key = known->key,
        .key_len = known->key_len,
        .version = known->version,
        .state = known->version > 0 ? known->state : BST_NONE,
        .committed_at = c->origin.committed_at,
        .operation = operation_text(c->kind),
        .reason = reason,
        .message = message,
        .old_row = b->old_image.len > 0 ? b->old_image.text : NULL,
        .new_row = b->new_image.len > 0 ? b->new_image.text : NULL};
    b->mark.quarantined++;
    return bst__cache_set_aside(&b->cache, known, exception.new_row)
               ? bst_journal_set_aside(b->journal, &exception, b->diags)
               : bst_diag_nomem(b->diags);
}

/* Rows without a key share a name: that one of them is gone says nothing of the others. */
static bst_status release(bst__batch *b, const bst__change *c, bst__known *known) {
    const bool shared = known == c->known ? c->key_is_null : c->old_key_is_null;
    if (!known->quarantined || shared)
        return BST_OK;
    bst__cache_release(&b->cache, known);
    b->figures->released++;
    return bst_journal_release(b->journal, known->key, known->key_len, c->lsn, b->diags);
}

bst_status bst__batch_append(bst__batch *b, bst__known *known, bst__verdict *verdict,
                             bool initial) {
    const uint32_t count = verdict->events.plan->event_count;
    const uint32_t before = known->state;
    verdict->events.key = known->key;
    verdict->events.key_len = known->key_len;
    const bst_status status =
        bst_journal_append(b->journal, &verdict->events, known->version + 1, initial, b->diags);
    if (status != BST_OK)
        return status;
    known->version += count;
    known->last_at = verdict->events.events[count - 1].occurred_at;
    b->mark.events += count;
    if (!bst__cache_set(&b->cache, known, verdict->entity.state, verdict->entity.fields))
        return bst_diag_nomem(b->diags);
    if (known->state != before)
        known->since = known->last_at;
    return BST_OK;
}

static bst_status look_for_races(bst__batch *b, const bst__change *c, bst__known *known,
                                 const bst_entity *row) {
    const char *const column = b->options->version_column;
    const bool old_image = c->old_kind == 'O' && column;
    const bst__write write = {
        .known = known,
        .row = c->old_key.text ? NULL : row, /* moved here: what was found is another's */
        .lsn = c->lsn,
        .xid = c->origin.xid,
        .committed_at = c->origin.committed_at,
        .old_version =
            old_image ? bst__table_text(b->table, &c->old_row, column, b->row_arena) : NULL,
        .new_version =
            old_image ? bst__table_text(b->table, &c->new_row, column, b->row_arena) : NULL};
    const bst_status status = bst__races_write(b->races, known, &write, b->diags);
    b->figures->races = bst__races_count(b->races);
    return status;
}

/* Only a column in its place says what became of the row. */
static bst_status set_unsent_aside(bst__batch *b, const bst__change *c, bst__known *known,
                                   const char *column) {
    bst_strbuf_clear(&b->text);
    bst_strbuf_addf(&b->text,
                    "%s is stored out of line and was not changed: it was not sent, and what it "
                    "has been is not known; set aside until it is written, or all is read again "
                    "(--snapshot-again)",
                    column);
    return b->text.failed ? bst_diag_nomem(b->diags)
                          : set_aside(b, c, known, "value-not-sent", b->text.text);
}

static bst_status take_row(bst__batch *b, const bst__change *c, bst__known *known) {
    const bst__moment moment = {.committed_at = c->origin.committed_at};
    bst_row row;
    bst__verdict verdict;
    const char *const unsent = bst__table_unsent(b->table, &c->new_row);
    bst_status status = bst__table_row(b->table, &c->new_row, b->row_arena, &row, b->diags);
    row.key = known->key;
    row.key_len = known->key_len;
    row.key_is_null = c->key_is_null;
    if (status == BST_OK)
        status = bst__stepper_take(b->stepper, known, &row, &moment, &verdict, b->diags);
    if (status == BST_OK)
        status = look_for_races(b, c, known, verdict.row);
    if (status != BST_OK)
        return status;
    if (verdict.kind == BST__STEP_ASIDE && unsent)
        return set_unsent_aside(b, c, known, unsent);
    if (verdict.kind == BST__STEP_ASIDE)
        return set_aside(b, c, known, verdict.reason, verdict.message);
    if (verdict.kind == BST__STEP_NOTHING)
        b->mark.unchanged++;
    else
        status = bst__batch_append(b, known, &verdict, false);
    return status == BST_OK ? release(b, c, known) : status;
}

static bst_status take_delete(bst__batch *b, const bst__change *c, bst__known *known) {
    bst__races_pass_over(b->races, known);
    if (known->version > 0)
        return set_aside(b, c, known, "row-deleted",
                         "the row was deleted; its history stays as it is");
    b->mark.unchanged++;
    return release(b, c, known);
}

static bst_status take_moved(bst__batch *b, const bst__change *c) {
    bst__known *const known = c->old_known;
    bst__races_pass_over(b->races, known);
    bst_strbuf_clear(&b->text);
    bst_strbuf_adds(&b->text, "the row has the key ");
    bst_strbuf_add_json(&b->text, c->key.text, c->key.len);
    bst_strbuf_adds(&b->text, " from now on; there its history begins anew");
    if (b->text.failed)
        return bst_diag_nomem(b->diags);
    if (known->version > 0)
        return set_aside(b, c, known, "key-changed", b->text.text);
    return release(b, c, known);
}

/* Where the row was before, under its key of then, stands what the log leaves out of it. */
static bst_status complete(bst__batch *b, bst__change *c) {
    const bst_wal_tuple *const old_row = c->old_kind == 'O' ? &c->old_row : NULL;
    bst_arena_clear(b->row_arena);
    return bst__table_complete(b->table, old_row, c->old_key.text ? c->old_known : c->known,
                               b->row_arena, &c->new_row, b->diags);
}

static bst_status take_change(bst__batch *b, bst__change *c) {
    bst_status status = BST_OK;
    if (c->kind == BST_WAL_COMMIT)
        return bst__races_commit(b->races, b->diags);
    if (c->of_ledger) {
        const bst__ledger_change change = {c->kind, c->old_kind, c->old_row, c->new_row};
        bst__races_entry(b->races, &b->ledger, &change);
        return BST_OK;
    }
    bst__known *const known = c->known;
    known->touched = true;
    status = complete(b, c);
    if (status == BST_OK && c->old_key.text)
        status = take_moved(b, c);
    if (status != BST_OK)
        return status;
    return c->kind == BST_WAL_DELETE ? take_delete(b, c, known) : take_row(b, c, known);
}

/* ---- what is held ---- */

/* The entity of a key; one that was not known is put on the list. NULL: no memory. */
static bst__known *want(bst__batch *b, const bst_text *key, size_t *count) {
    bst__known *const known = bst__cache_find(&b->cache, key->text, key->len);
    if (known)
        return known;
    b->missing[(*count)++] = *key;
    return bst__cache_add(&b->cache, key->text, key->len);
}

static bst_status load_missing(bst__batch *b) {
    size_t count = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        bst__change *const c = &b->changes[i];
        if (c->kind == BST_WAL_COMMIT || c->of_ledger)
            continue;
        c->known = want(b, &c->key, &count);
        c->old_known = c->old_key.text ? want(b, &c->old_key, &count) : NULL;
        if (!c->known || (c->old_key.text && !c->old_known))
            return bst_diag_nomem(b->diags);
    }
    return bst__batch_load(b, count);
}

bst_status bst__batch_work(bst__batch *b, bst_diags *diags) {
    b->diags = diags;
    bst_status status = load_missing(b);
    for (uint32_t i = 0; i < b->count && status == BST_OK; i++)
        status = take_change(b, &b->changes[i]);
    b->count = 0;
    bst_arena_clear(b->arena);
    bst__cache_sweep(&b->cache);
    return status;
}

bst_status bst__batch_work_when_full(bst__batch *b, bst_diags *diags) {
    return b->count == BST_FOLLOW_BATCH_CHANGES ||
                   bst_arena_used(b->arena) >= BST_FOLLOW_BATCH_BYTES
               ? bst__batch_work(b, diags)
               : BST_OK;
}
