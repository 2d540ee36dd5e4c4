/* A batch as a whole: what is held until there is enough of it, and how it is committed.
 *
 * Messages are held until there are enough of them, so that what is not yet known of their entities
 * is loaded with one question; then they are taken one after the other. A transaction may be longer
 * than what is held: the store's own transaction stays open until its end has come.
 */
#include "follow_batch_private.h"

#include <stdlib.h>

/* ---- life ---- */

bst_status bst__batch_new(const bst_mapping *mapping, const bst_follow_options *options,
                          bst_journal *journal, bst__columns *columns, bst_follow_figures *figures,
                          bst__batch **ret, bst_diags *diags) {
    bst__batch *const b = calloc(1, sizeof *b);
    if (!b)
        return bst_diag_nomem(diags);
    b->mapping = mapping;
    b->options = options;
    b->journal = journal;
    b->columns = columns;
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

bst_status bst__batch_help(bst__batch *b, bst__batch **ret_helper, bst_diags *diags) {
    bst__batch **const more = realloc(b->helpers, (b->helper_count + 1) * sizeof *more);
    if (!more)
        return bst_diag_nomem(diags);
    b->helpers = more;
    const bst_status status = bst__batch_new(b->mapping, b->options, b->journal, b->columns,
                                             b->figures, ret_helper, diags);
    if (status == BST_OK)
        b->helpers[b->helper_count++] = *ret_helper;
    return status;
}

bst__batch *bst__batch_free(bst__batch *b) {
    if (b) {
        for (size_t i = 0; i < b->helper_count; i++)
            bst__batch_free(b->helpers[i]);
        free(b->helpers);
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
    return bst__batch_work_when_full(b, diags);
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

void bst__batch_take_figures(bst__batch *b, bst__batch *helper) {
    b->mark.quarantined += helper->mark.quarantined;
    b->mark.events += helper->mark.events;
    helper->mark = (bst_journal_mark){.lsn = 0};
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

static void keep_columns(bst__batch *b) {
    const char *const columns = bst__columns_to_store(b->columns);
    if (columns)
        bst_journal_keep_columns(b->journal, columns);
}

/* What a later start needs of writers goes with the place. */
static bst_status remember(bst__batch *b, bst_diags *diags) {
    keep_columns(b);
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
    bst_strbuf memory = BST_STRBUF_INIT;
    b->diags = diags;
    bst__cache_clear(&b->cache);
    bst_status status = bst_journal_start(b->journal, &memory, diags);
    if (status == BST_OK && memory.len > 0)
        status = bst__memory_read(bst__races_memory(b->races), memory.text, &visitor, diags);
    if (status == BST_OK)
        status = bst__batch_load(b, HASH_COUNT(b->cache.all));
    bst_strbuf_release(&memory);
    keep_columns(b);
    return status == BST_OK ? bst_journal_commit(b->journal, &b->mark, diags) : status;
}
