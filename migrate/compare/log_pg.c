/* What the log says of rows between two places, from the slot that begins at the first. */
#include "compare_private.h"

#define OVERLAY_BYTES_MAX (48u << 20)
#define READ_MS           100

typedef struct log_reader {
    const bst_mapping *mapping;
    bst_pg_stream *stream;
    uint64_t begin, end;
    bst__overlay *overlay;
    bst_arena *arena; /* of a message */
    bool inside;      /* of a transaction */
    bst_diags *diags;
} log_reader;

static bst_status too_much(const log_reader *r) {
    char from[BST_LSN_TEXT_MAX], to[BST_LSN_TEXT_MAX];
    bst_lsn_format(r->begin, from);
    bst_lsn_format(r->end, to);
    bst_diag_add(r->diags, BST_RETRY, BST_ERROR, "too-much-changed", NULL,
                 "the store came to %s when the rows were read at %s, and more than %u MiB of rows "
                 "were changed between them",
                 to, from, OVERLAY_BYTES_MAX >> 20);
    bst_diag_hint(r->diags, "A large transaction has just come. Compare again when the follower "
                            "is not behind.");
    return BST_RETRY;
}

static bst_status take_relation(log_reader *r, const bst_wal_message *message) {
    bst__table *table = NULL;
    if (!bst__table_is(r->mapping->source.table, message))
        return BST_OK;
    const bst_status status = bst__table_bind(r->mapping, message, &table, r->diags);
    if (status != BST_OK)
        return status;
    return bst__overlay_describe(r->overlay, table) ? BST_OK : bst_diag_nomem(r->diags);
}

static bst_status no_key(const log_reader *r) {
    return bst_diag_add(r->diags, BST_INVALID, BST_ERROR, "unknown-key", NULL,
                        "a change in the log does not have the key of its row in %s",
                        r->mapping->source.table);
}

static bst_status take_key(const log_reader *r, const bst_wal_tuple *row,
                           const bst_wal_tuple *old_row, bst_text *ret) {
    const bst__key_result result =
        bst__table_key(r->overlay->tables->table, row, old_row, r->arena, ret);
    if (result == BST__KEY_OK)
        return BST_OK;
    return result == BST__KEY_NOMEM ? bst_diag_nomem(r->diags) : no_key(r);
}

static bst_status take_row(log_reader *r, const bst_wal_message *message) {
    bst__overlay *const over = r->overlay;
    const bool gone = message->kind == BST_WAL_DELETE;
    bst_text key = {NULL, 0}, old_key = {NULL, 0};
    if (!over->tables || message->relation != over->tables->table->oid)
        return BST_OK;
    bst_status status = BST_OK;
    if (message->old_kind)
        status = take_key(r, &message->old_row, NULL, &old_key);
    if (status == BST_OK && !gone)
        status = take_key(r, &message->new_row, message->old_kind ? &message->old_row : NULL, &key);
    if (status != BST_OK)
        return status;
    const bool moved = !gone && old_key.text &&
                       bst__keys_compare(key.text, key.len, old_key.text, old_key.len) != 0;
    const bool fine =
        gone ? bst__overlay_remove(over, &old_key)
             : bst__overlay_put(over, &key, moved ? &old_key : NULL, &message->new_row);
    if (!fine)
        return bst_diag_nomem(r->diags);
    return bst_arena_used(over->arena) > OVERLAY_BYTES_MAX ? too_much(r) : BST_OK;
}

static void take_truncate(log_reader *r, const bst_wal_message *message) {
    for (uint32_t i = 0; i < message->relation_count && r->overlay->tables; i++) {
        if (message->relations[i] == r->overlay->tables->table->oid)
            bst__overlay_empty(r->overlay);
    }
}

/* *ret_end: nothing more comes before the end. */
static bst_status take_change(log_reader *r, const bst_stream_message *message, bool *ret_end) {
    bst_wal_message change;
    bst_arena_clear(r->arena);
    const bst_wal_result result = bst_wal_parse(message->bytes, message->len, r->arena, &change);
    if (result != BST_WAL_OK)
        return result == BST_WAL_NOMEM
                   ? bst_diag_nomem(r->diags)
                   : bst_diag_add(r->diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                                  "a message of the log is not understood");
    switch (change.kind) {
    case BST_WAL_BEGIN:
        r->inside = true;
        *ret_end = change.lsn >= r->end;
        return BST_OK;
    case BST_WAL_COMMIT:
        r->inside = false;
        return BST_OK;
    case BST_WAL_RELATION:
        return take_relation(r, &change);
    case BST_WAL_INSERT:
    case BST_WAL_UPDATE:
    case BST_WAL_DELETE:
        return take_row(r, &change);
    case BST_WAL_TRUNCATE:
        take_truncate(r, &change);
        return BST_OK;
    default:
        return BST_OK;
    }
}

static bst_status read_all(log_reader *r) {
    bool ended = r->end <= r->begin;
    bst_status status = BST_OK;
    while (status == BST_OK && !ended) {
        bst_stream_message message;
        status = bst_pg_stream_read(r->stream, READ_MS, &message, r->diags);
        if (status != BST_OK)
            break;
        if (message.kind == BST_STREAM_DATA)
            status = take_change(r, &message, &ended);
        else if (message.kind == BST_STREAM_KEEPALIVE)
            ended = !r->inside && message.end >= r->end;
        else
            status = bst_pg_stream_confirm(r->stream, r->begin, r->begin, true, r->diags);
    }
    return status;
}

bst_status bst__overlay_read(bst__overlay *overlay, const bst_mapping *mapping,
                             bst_pg_stream *stream, uint64_t begin, uint64_t end,
                             bst_diags *diags) {
    log_reader r = {.mapping = mapping,
                    .stream = stream,
                    .begin = begin,
                    .end = end,
                    .overlay = overlay,
                    .arena = bst_arena_new(),
                    .diags = diags};
    bst_status status = r.arena ? read_all(&r) : bst_diag_nomem(diags);
    if (status == BST_OK && !bst__overlay_sort(overlay))
        status = bst_diag_nomem(diags);
    bst_arena_free(r.arena);
    return status;
}
