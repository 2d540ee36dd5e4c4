/* Reconciliation: every row of the source against what the store has of it, both in the order of
 * keys, merged in constant memory; or those rows alone that have no history, because a load put
 * them aside.
 *
 * An entity without a history gets the one that synthesis makes of its row; one whose history
 * ends elsewhere than its row gets the events in between, as implied, for nobody saw them; one
 * that has a history and no row is set aside. Where both agree nothing is written. So this can
 * be broken off and repeated with a later snapshot at any time, and it is also the way back
 * after a slot was lost. */
#include "follow_private.h"

#include <string.h>

#include "follow_batch_private.h"
#include "run/quarantine_private.h"

#define COMMIT_ROWS 20000u

typedef struct merger {
    bst__batch *batch;
    const bst_follow_options *options;
    bst_source *source;
    bst_reader *reader;
    bst__key_set *only;            /* NULL: all rows, and then there is a reader */
    const bst_stored_event *event; /* the next one of the store; NULL: at its end */
    uint64_t lsn, row_number;
    int64_t taken_at;
    bst_diags *diags;
} merger;

static bst_status next_event(merger *m) {
    return bst_reader_next(m->reader, &m->event, m->diags);
}

/* Folds the events of one entity; the reader then stands at the next one's. */
static bst_status fold_entity(merger *m, bst__known **ret) {
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

static bst_status set_aside(merger *m, const bst__known *known, const char *reason,
                            const char *message, const char *row) {
    const bst_journal_exception exception = {.lsn = m->lsn,
                                             .place = (uint32_t)m->row_number,
                                             .key = known->key,
                                             .key_len = known->key_len,
                                             .version = known->version,
                                             .state = known->version > 0 ? known->state : BST_NONE,
                                             .committed_at = m->taken_at,
                                             .operation = "snapshot",
                                             .reason = reason,
                                             .message = message,
                                             .new_row = row};
    m->batch->mark.quarantined++;
    return bst_journal_set_aside(m->batch->journal, &exception, m->diags);
}

static bst_status take_row(merger *m, const bst_row *row, bst__known *known) {
    const bst__moment moment = {.committed_at = m->taken_at, .snapshot = true};
    bst__verdict verdict;
    bst_status status =
        bst__stepper_take(m->batch->stepper, known, row, &moment, &verdict, m->diags);
    if (status != BST_OK || verdict.kind == BST__STEP_NOTHING)
        return status;
    if (verdict.kind == BST__STEP_EVENTS)
        return bst__batch_append(m->batch, known, &verdict, known->version == 0);
    bst_strbuf *const image = &m->batch->new_image;
    bst_strbuf_clear(image);
    status = bst_source_original(m->source, image, m->diags);
    return status == BST_OK ? set_aside(m, known, verdict.reason, verdict.message, image->text)
                            : status;
}

/* -1: the store's next entity comes first, 0: it is the row's, 1: the row comes first. */
static int compare(const merger *m, const bst_row *row) {
    if (!row)
        return -1;
    if (!m->event)
        return 1;
    const size_t a = m->event->key_len, b = row->key_len;
    const int order = memcmp(m->event->key, row->key, a < b ? a : b);
    return order != 0 ? order : a < b ? -1 : a > b;
}

/* A row without a history, by its name. */
static bst_status add_row(merger *m, const bst_row *row, bst__known **ret) {
    bst_text name = {"", 0};
    bst_arena_clear(m->batch->row_arena);
    if (!row->key_is_null && !bst__key_name(row->key, row->key_len, m->batch->row_arena, &name))
        return bst_diag_nomem(m->diags);
    *ret = bst__cache_add(&m->batch->cache, name.text, name.len);
    return *ret ? BST_OK : bst_diag_nomem(m->diags);
}

static bst_status take_one(merger *m, const bst_row *row, int order) {
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

static bst_status commit(merger *m) {
    bst_follow_figures *const f = m->batch->figures;
    const bst_status status = bst__batch_commit(m->batch, 0, m->diags);
    f->snapshot_rows = m->row_number;
    if (status == BST_OK && m->options->on_progress)
        return m->options->on_progress(m->options->context, f);
    return status;
}

static bst_status merge(merger *m) {
    const bst_row *row = NULL;
    bst_status status = next_event(m);
    if (status == BST_OK)
        status = bst_source_next(m->source, &row, m->diags);
    while (status == BST_OK && (row || m->event) && !bst__follow_stops(m->options)) {
        const int order = compare(m, row);
        status = take_one(m, row, order);
        if (status == BST_OK && order >= 0)
            status = bst_source_next(m->source, &row, m->diags);
        if (status == BST_OK && m->row_number % COMMIT_ROWS == 0)
            status = commit(m);
    }
    return status;
}

/* Rows that have no history: there is nothing to hold them against. */
static bst_status take_aside(merger *m) {
    const bst_row *row = NULL;
    bst_status status = bst_source_next(m->source, &row, m->diags);
    while (status == BST_OK && row && !bst__follow_stops(m->options)) {
        if (!row->key_is_null && bst__key_set_has(m->only, row->key, row->key_len))
            status = take_one(m, row, 1);
        if (status == BST_OK)
            status = bst_source_next(m->source, &row, m->diags);
    }
    return status;
}

static bst_status look_at_all(merger *m) {
    const bst_status status =
        bst_reader_open(m->options->to, m->batch->mapping->machine, NULL, &m->reader, m->diags);
    return status == BST_OK ? merge(m) : status;
}

static bst_status look_at_aside(merger *m) {
    const bst_status status =
        bst__key_set_of_store(m->options->to, m->batch->mapping->machine->id,
                              BST__ASIDE_WITHOUT_HISTORY, NULL, &m->only, m->diags);
    return status == BST_OK ? take_aside(m) : status;
}

bst_status bst__batch_snapshot(bst__batch *batch, const bst_follow_options *options,
                               const bst__snapshot *snapshot, bst__look look, bst_diags *diags) {
    merger m = {.batch = batch,
                .options = options,
                .lsn = snapshot->lsn,
                .taken_at = snapshot->taken_at,
                .diags = diags};
    bst_source_spec spec = batch->mapping->source;
    spec.ordered = look == BST__LOOK_AT_ALL;
    batch->diags = diags;
    bst_status status = bst_journal_release_all(batch->journal, snapshot->lsn, diags);
    if (status == BST_OK && look != BST__LOOK_AT_NONE)
        status = bst_source_open_at(options->from, &spec, snapshot->name, &m.source, diags);
    if (status == BST_OK && look != BST__LOOK_AT_NONE)
        status = look == BST__LOOK_AT_ALL ? look_at_all(&m) : look_at_aside(&m);
    bst__key_set_free(m.only);
    bst_reader_free(m.reader);
    bst_source_free(m.source);
    return status;
}
