/* What the store knows of entities that have just been asked for: their histories, folded, and
 * whether they stand in quarantine -> the cache.
 */
#include "follow_batch_private.h"

#include <inttypes.h>
#include <string.h>

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

bst_status bst__batch_load(bst__batch *b, size_t count) {
    const bst_journal_visitor visitor = {on_event, on_quarantined, b};
    b->folding = NULL;
    return bst_journal_load(b->journal, b->missing, count, &visitor, b->diags);
}
