/* Changes, in the order of the log, into the store.
 *
 * Messages are held until there are enough of them, so that what is not yet known of their entities
 * is loaded with one question; then they are taken one after the other. A transaction may be longer
 * than what is held: the store's own transaction stays open until its end has come.
 *
 * What each kind of change means:
 *     insert      a history, as synthesis would give this row, or else its creation now
 *     update      the event that leads there (step.c)
 *     delete      set aside (row-deleted): a history is never taken back
 *     truncate    the same for every entity
 *     a new key   the old entity is set aside (key-changed), the new one begins its own history
 *     no usable key (empty, NULL, too long)   set aside, under a name that no history has
 * A change that comes to an entity in quarantine is taken from where its history ends; if that
 * works out, the entity is released.
 */
#include "follow_batch_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"

/* ---- life ---- */

bst_status bst__batch_new(const bst_mapping *mapping, const bst_follow_options *options,
                          bst_journal *journal, bst_follow_figures *figures, bst__batch **ret,
                          bst_diags *diags) {
    bst__batch *const b = calloc(1, sizeof *b);
    if (!b)
        return bst_diag_nomem(diags);
    b->mapping = mapping;
    b->options = options;
    b->journal = journal;
    b->figures = figures;
    b->cache.machine = mapping->machine;
    bst_strbuf_init(&b->old_image);
    bst_strbuf_init(&b->new_image);
    bst_strbuf_init(&b->text);
    bst_strbuf_init(&b->memory);
    b->arena = bst_arena_new();
    b->row_arena = bst_arena_new();
    b->changes = calloc(BST_FOLLOW_BATCH_CHANGES, sizeof *b->changes);
    b->missing = calloc(2 * (size_t)BST_FOLLOW_BATCH_CHANGES, sizeof *b->missing);
    b->payload = calloc(bst_machine_payload_max(mapping->machine) + 1u, sizeof *b->payload);
    bst_status status = b->arena && b->row_arena && b->changes && b->missing && b->payload
                            ? BST_OK
                            : bst_diag_nomem(diags);
    if (status == BST_OK)
        status = bst__stepper_new(mapping, &b->stepper, diags);
    if (status == BST_OK)
        status = bst__races_new(mapping, options, journal, &b->races, diags);
    if (status != BST_OK) {
        bst__batch_free(b);
        return status;
    }
    *ret = b;
    return BST_OK;
}

bst__batch *bst__batch_free(bst__batch *b) {
    if (b) {
        bst__stepper_free(b->stepper);
        bst__races_free(b->races);
        bst__cache_clear(&b->cache);
        bst__table_free(b->table);
        bst_arena_free(b->arena);
        bst_arena_free(b->row_arena);
        bst_strbuf_release(&b->old_image);
        bst_strbuf_release(&b->new_image);
        bst_strbuf_release(&b->text);
        bst_strbuf_release(&b->memory);
        free(b->changes);
        free(b->missing);
        free(b->payload);
        free(b);
    }
    return NULL;
}

/* ---- what the store knows ---- */

static bst_status not_replayable(const bst_stored_event *event, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "not-replayable", NULL,
                 "the stored history of entity \"%.*s\" breaks the machine's rules at version "
                 "%" PRId64,
                 (int)event->key_len, event->key, event->version);
    bst_diag_hint(diags, "Follow with the machine that the history was written with.");
    return BST_INVALID;
}

bst_status bst__batch_fold(bst__batch *b, bst__known *known, const bst_stored_event *event) {
    const bst_machine *const machine = b->mapping->machine;
    bst_entity entity = {known->state, known->fields};
    const uint32_t before = known->state;
    if (machine->events[event->type].field_count > 0)
        memcpy(b->payload, event->fields,
               machine->events[event->type].field_count * sizeof *b->payload);
    const bst_event step = {event->type, event->state, b->payload};
    if (bst_apply(machine, &entity, &step) != BST_APPLY_OK)
        return not_replayable(event, b->diags);
    if (!bst__cache_set(&b->cache, known, entity.state, known->fields))
        return bst_diag_nomem(b->diags);
    known->version = event->version;
    known->last_at = event->occurred_at;
    if (before != known->state)
        known->since = event->occurred_at;
    return BST_OK;
}

static bst_status on_event(void *context, const bst_stored_event *event) {
    bst__batch *const b = context;
    if (!b->folding || b->folding->key_len != event->key_len ||
        memcmp(b->folding->key, event->key, event->key_len) != 0)
        b->folding = bst__cache_find(&b->cache, event->key, event->key_len);
    return b->folding ? bst__batch_fold(b, b->folding, event) : BST_OK;
}

static bst_status on_quarantined(void *context, const bst_text *key, const char *image) {
    bst__batch *const b = context;
    bst__known *const known = bst__cache_find(&b->cache, key->text, key->len);
    return !known || bst__cache_set_aside(&b->cache, known, image) ? BST_OK
                                                                   : bst_diag_nomem(b->diags);
}

/* The entity of a key; one that was not known is put on the list. NULL: no memory. */
static bst__known *want(bst__batch *b, const bst_text *key, size_t *count) {
    bst__known *const known = bst__cache_find(&b->cache, key->text, key->len);
    if (known)
        return known;
    b->missing[(*count)++] = *key;
    return bst__cache_add(&b->cache, key->text, key->len);
}

static bst_status load_missing(bst__batch *b) {
    const bst_journal_visitor visitor = {on_event, on_quarantined, b};
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
    b->folding = NULL;
    return bst_journal_load(b->journal, b->missing, count, &visitor, b->diags);
}

/* ---- what becomes of a change ---- */

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

/* ---- messages ---- */

static bst_status malformed(uint64_t lsn, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, at);
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                        "the message at %s of the log is not understood", at);
}

/* The transactions before are whole: they are not to wait until the mapping is mended. */
static bst_status report_misfit(bst__batch *b, const bst__origin *origin, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(origin->commit_lsn, at);
    bst_diag_hint(diags,
                  "The table was changed, and in the transaction at %s of the log the mapping no "
                  "longer fits it. Nothing is lost: what came before is in the store, the slot "
                  "keeps the rest. Mend the mapping, and go on with --snapshot-again.",
                  at);
    if (origin->changes == 0 && bst__batch_is_dirty(b)) {
        const bst_status status = bst__batch_commit(b, 0, diags);
        if (status != BST_OK)
            return status;
    }
    return BST_INVALID;
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

static bst_status work_when_full(bst__batch *b, bst_diags *diags) {
    return b->count == BST_FOLLOW_BATCH_CHANGES ||
                   bst_arena_used(b->arena) >= BST_FOLLOW_BATCH_BYTES
               ? bst__batch_work(b, diags)
               : BST_OK;
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
    return status == BST_OK ? work_when_full(b, diags) : status;
}

/* ---- transactions ---- */

bst_status bst__batch_end(bst__batch *b, const bst__origin *origin, uint64_t end_lsn,
                          bst_diags *diags) {
    b->mark.lsn = end_lsn;
    b->mark.committed_at = origin->committed_at;
    b->mark.transactions++;
    if (!b->options->ledger)
        return BST_OK;
    /* Its entries are looked at in the order of everything else. */
    b->changes[b->count++] = (bst__change){.kind = BST_WAL_COMMIT, .origin = *origin};
    return work_when_full(b, diags);
}

bool bst__batch_is_dirty(const bst__batch *b) {
    return b->mark.lsn != 0 || b->count > 0;
}

uint64_t bst__batch_pending(const bst__batch *b) {
    return b->mark.transactions;
}

uint64_t bst__batch_pending_changes(const bst__batch *b) {
    return b->mark.changes;
}

static void add_up(bst__batch *b) {
    bst_follow_figures *const f = b->figures;
    f->transactions += b->mark.transactions;
    f->changes += b->mark.changes;
    f->unchanged += b->mark.unchanged;
    f->quarantined += b->mark.quarantined;
    f->events += b->mark.events;
    if (b->mark.lsn != 0)
        f->lsn = b->mark.lsn;
    b->mark = (bst_journal_mark){.lsn = 0};
}

/* What a later start needs of writers goes with the place. */
static bst_status remember(bst__batch *b, bst_diags *diags) {
    if (b->mark.lsn == 0)
        return BST_OK;
    bst_strbuf_clear(&b->memory);
    if (bst__memory_write(bst__races_memory(b->races), &b->cache, &b->memory))
        bst_journal_remember(b->journal, b->memory.text);
    return b->memory.failed ? bst_diag_nomem(diags) : BST_OK;
}

bst_status bst__batch_commit(bst__batch *b, uint64_t upto, bst_diags *diags) {
    bst_status status = bst__batch_work(b, diags);
    if (upto > b->mark.lsn)
        b->mark.lsn = upto;
    if (status == BST_OK)
        status = remember(b, diags);
    if (status == BST_OK)
        status = bst_journal_commit(b->journal, &b->mark, diags);
    if (status == BST_OK)
        add_up(b);
    return status;
}

/* ---- an earlier start ---- */

static bst_status on_trace(void *context, const char *key, size_t len, bst__trace *trace) {
    bst__batch *const b = context;
    bst__known *known = bst__cache_find(&b->cache, key, len);
    if (!known) {
        known = bst__cache_add(&b->cache, key, len);
        if (!known) {
            bst__trace_free(trace);
            return bst_diag_nomem(b->diags);
        }
        b->missing[HASH_COUNT(b->cache.all) - 1] = (bst_text){known->key, len};
    }
    bst__trace_free(known->trace);
    known->trace = trace;
    bst__races_recall(b->races, trace);
    return BST_OK;
}

bst_status bst__batch_recall(bst__batch *b, bst_diags *diags) {
    const bst__memory_visitor visitor = {on_trace, b};
    const bst_journal_visitor loader = {on_event, on_quarantined, b};
    bst_strbuf memory = BST_STRBUF_INIT;
    b->diags = diags;
    bst__cache_clear(&b->cache);
    bst_status status = bst_journal_start(b->journal, &memory, diags);
    if (status == BST_OK && memory.len > 0)
        status = bst__memory_read(bst__races_memory(b->races), memory.text, &visitor, diags);
    b->folding = NULL;
    if (status == BST_OK)
        status = bst_journal_load(b->journal, b->missing, HASH_COUNT(b->cache.all), &loader, diags);
    bst_strbuf_release(&memory);
    return status == BST_OK ? bst_journal_commit(b->journal, &b->mark, diags) : status;
}
