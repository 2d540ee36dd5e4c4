/* Reconciliation of a part: its rows against what the store has of them, both in the order of keys,
 * merged in constant memory; or those rows alone that have no history, because a load put them
 * aside.
 *
 * An entity without a history gets the one that synthesis makes of its row; one whose history ends
 * elsewhere than its row gets the events in between, as implied, for nobody saw them; one that has
 * a history and no row is set aside. Where both agree nothing is written. */
#include "snapshot_private.h"

#include <string.h>

#define COMMIT_ROWS 20000u

static bst_status next_event(bst__merger *m) {
    return bst_reader_next(m->reader, &m->event, m->diags);
}

/* Folds the events of one entity; the reader then stands at the next one's. */
static bst_status fold_entity(bst__merger *m, bst__known **ret) {
    bst_status status = BST_OK;
    bst__known *const known = bst__cache_add(&m->batch->cache, m->event->key, m->event->key_len);
    if (!known)
        return bst_diag_nomem(m->diags);
    while (status == BST_OK && m->event && m->event->key_len == known->key_len &&
           memcmp(m->event->key, known->key, known->key_len) == 0) {
        status = bst__batch_fold(m->batch, known, m->event);
        if (status == BST_OK)
            status = next_event(m);
    }
    *ret = known;
    return status;
}

static bst_status set_aside(bst__merger *m, const bst__known *known, const char *reason,
                            const char *message, const char *row) {
    const bst_journal_exception exception = {.lsn = m->whole->snapshot->lsn,
                                             .place = (uint32_t)m->row_number,
                                             .key = known->key,
                                             .key_len = known->key_len,
                                             .version = known->version,
                                             .state = known->version > 0 ? known->state : BST_NONE,
                                             .committed_at = m->whole->snapshot->taken_at,
                                             .operation = "snapshot",
                                             .reason = reason,
                                             .message = message,
                                             .new_row = row};
    m->batch->mark.quarantined++;
    pthread_mutex_lock(&m->whole->lock);
    const bst_status status = bst_journal_set_aside(m->batch->journal, &exception, m->diags);
    pthread_mutex_unlock(&m->whole->lock);
    return status;
}

static bst_status append(bst__merger *m, bst__known *known, bst__verdict *verdict) {
    pthread_mutex_lock(&m->whole->lock);
    const bst_status status = bst__batch_append(m->batch, known, verdict, known->version == 0);
    pthread_mutex_unlock(&m->whole->lock);
    return status;
}

static bst_status take_row(bst__merger *m, const bst_row *row, bst__known *known) {
    const bst__moment moment = {.committed_at = m->whole->snapshot->taken_at, .snapshot = true};
    bst__verdict verdict;
    bst_status status =
        bst__stepper_take(m->batch->stepper, known, row, &moment, &verdict, m->diags);
    if (status != BST_OK || verdict.kind == BST__STEP_NOTHING)
        return status;
    if (verdict.kind == BST__STEP_EVENTS)
        return append(m, known, &verdict);
    bst_strbuf *const image = &m->batch->new_image;
    bst_strbuf_clear(image);
    status = bst_source_original(m->source, image, m->diags);
    return status == BST_OK ? set_aside(m, known, verdict.reason, verdict.message, image->text)
                            : status;
}

/* -1: the store's next entity comes first, 0: it is the row's, 1: the row comes first. */
static int compare(const bst__merger *m, const bst_row *row) {
    if (!row)
        return -1;
    if (!m->event)
        return 1;
    const size_t a = m->event->key_len, b = row->key_len;
    const int order = memcmp(m->event->key, row->key, a < b ? a : b);
    return order != 0 ? order : a < b ? -1 : a > b;
}

/* A row without a history, by its name. */
static bst_status add_row(bst__merger *m, const bst_row *row, bst__known **ret) {
    bst_text name = {"", 0};
    bst_arena_clear(m->batch->row_arena);
    if (!row->key_is_null && !bst__key_name(row->key, row->key_len, m->batch->row_arena, &name))
        return bst_diag_nomem(m->diags);
    *ret = bst__cache_add(&m->batch->cache, name.text, name.len);
    return *ret ? BST_OK : bst_diag_nomem(m->diags);
}

static bst_status take_one(bst__merger *m, const bst_row *row, int order) {
    bst__known *known = NULL;
    bst_status status = order <= 0 ? fold_entity(m, &known) : add_row(m, row, &known);
    if (status == BST_OK && order < 0)
        status = set_aside(m, known, "row-deleted",
                           "there is no such row; the history stays as it is", NULL);
    else if (status == BST_OK)
        status = take_row(m, row, known);
    bst__cache_clear(&m->batch->cache);
    m->row_number++;
    return status;
}

/* Rows that were taken since it was told last. */
static void tell_rows(bst__merger *m) {
    m->whole->figures->snapshot_rows += m->row_number - m->told_rows;
    m->told_rows = m->row_number;
}

/* With what the others have found, too. */
static bst_status commit(bst__merger *m) {
    const bst_follow_options *const options = m->whole->options;
    pthread_mutex_lock(&m->whole->lock);
    bst_status status = bst__batch_commit(m->batch, 0, m->diags);
    tell_rows(m);
    if (status == BST_OK && options->on_progress)
        status = options->on_progress(options->context, m->whole->figures);
    pthread_mutex_unlock(&m->whole->lock);
    return status;
}

static bool ends(const bst__merger *m) {
    return bst__follow_stops(m->whole->options) || atomic_load(&m->whole->stop);
}

static bst_status merge(bst__merger *m) {
    const bst_row *row = NULL;
    bst_status status = next_event(m);
    if (status == BST_OK)
        status = bst_source_next(m->source, &row, m->diags);
    while (status == BST_OK && (row || m->event) && !ends(m)) {
        const int order = compare(m, row);
        status = take_one(m, row, order);
        if (status == BST_OK && order >= 0)
            status = bst_source_next(m->source, &row, m->diags);
        if (status == BST_OK && m->row_number % COMMIT_ROWS == 0)
            status = commit(m);
    }
    return status;
}

static bst_status open_source(bst__merger *m) {
    return bst_source_open_at(m->whole->options->from, &m->whole->spec, m->whole->snapshot->name,
                              &m->source, m->diags);
}

static void close_both(bst__merger *m) {
    m->reader = bst_reader_free(m->reader);
    m->source = bst_source_free(m->source);
}

bst_status bst__merge_part(bst__merger *m) {
    bst_status status = open_source(m);
    if (status == BST_OK)
        status = bst_source_keep(m->source, &m->keys, m->diags);
    if (status == BST_OK)
        status = bst_reader_open_part(m->whole->options->to, m->batch->mapping->machine, &m->keys,
                                      m->whole->moment, &m->reader, m->diags);
    if (status == BST_OK)
        status = merge(m);
    pthread_mutex_lock(&m->whole->lock);
    tell_rows(m);
    pthread_mutex_unlock(&m->whole->lock);
    close_both(m);
    return status;
}

/* There is nothing to hold them against. */
bst_status bst__merge_aside(bst__merger *m) {
    const bst_row *row = NULL;
    bst_status status = open_source(m);
    if (status == BST_OK)
        status = bst_source_next(m->source, &row, m->diags);
    while (status == BST_OK && row && !ends(m)) {
        if (!row->key_is_null && bst__key_set_has(m->only, row->key, row->key_len))
            status = take_one(m, row, 1);
        if (status == BST_OK)
            status = bst_source_next(m->source, &row, m->diags);
    }
    close_both(m);
    return status;
}
