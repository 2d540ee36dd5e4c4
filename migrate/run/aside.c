/* Rows that have no history go to the sink and the file with all of their columns, which a server
 * has to be asked for. To ask for each alone takes a hundred times as long as to migrate it; so
 * they are held, with what is said of them, until there are some, and asked for together.
 */
#include "run_private.h"

#define HELD_MAX   250u
#define HELD_BYTES (1u << 20)

struct bst__held {
    const char *key; /* NULL: it is NULL */
    size_t key_len;
    uint64_t number, line;
    const char *code, *begin; /* of the line */
    const char *note;         /* of the whole row */
};

static bool start(bst__aside *aside) {
    if (!aside->arena) {
        aside->arena = bst_arena_new();
    }
    if (aside->arena && aside->count == 0) {
        aside->rows = bst_arena_array(aside->arena, HELD_MAX, sizeof *aside->rows);
    }
    return aside->arena && aside->rows;
}

bst_status bst__aside_hold(bst__rows *r, const bst_row *row, const bst_refusal *refusal,
                           bst_diags *diags) {
    bst__aside *const aside = &r->aside;
    if (!start(aside)) {
        return bst_diag_nomem(diags);
    }
    bst_strbuf begin = BST_STRBUF_INIT;
    bst__quarantine_begin(r->mapping, row, refusal, &begin);
    bst__held *const held = &aside->rows[aside->count++];
    *held = (bst__held){.key = bst_arena_strndup(aside->arena, row->key, row->key_len),
                        .key_len = row->key_len,
                        .number = r->figures->read, /* in the order of reading */
                        .line = r->numbered ? row->number : 0,
                        .code = bst_reason_text(refusal->reason),
                        .begin = bst_arena_strndup(aside->arena, begin.text, begin.len)};
    const bool kept = held->key && held->begin && !begin.failed;
    bst_strbuf_release(&begin);
    if (row->key_is_null) {
        held->key = NULL;
    }
    const bst_status status =
        kept ? bst_source_note(r->source, aside->arena, &held->note, diags) : bst_diag_nomem(diags);
    const bool full = aside->count == HELD_MAX || bst_arena_used(aside->arena) > HELD_BYTES;
    return status == BST_OK && full ? bst__aside_hand_on(r, diags) : status;
}

static bst_status hand_on(bst__rows *r, const bst__held *held, const char *original,
                          bst_strbuf *line, bst_diags *diags) {
    bst_strbuf_clear(line);
    bst_strbuf_adds(line, held->begin);
    bst__quarantine_end(original, held->line, line);
    bst_status status = line->failed ? bst_diag_nomem(diags) : BST_OK;
    if (status == BST_OK && r->file) {
        status = bst__quarantine_add(r->file, line->text, line->len, diags);
    }
    if (status == BST_OK && r->sink) {
        const bst_quarantined aside = {.key = held->key,
                                       .key_len = held->key_len,
                                       .number = held->number,
                                       .code = held->code,
                                       .line = line->text,
                                       .line_len = line->len};
        status = bst_sink_quarantine(r->sink, &aside, diags);
    }
    return status;
}

/* The first of those that are held, from `*at` on. */
static bst_status hand_some_on(bst__rows *r, size_t *at, bst_strbuf *line, bst_diags *diags) {
    const bst__aside *const aside = &r->aside;
    const char *notes[HELD_MAX];
    const char *originals[HELD_MAX];
    size_t count = 0;
    for (size_t i = *at; i < aside->count; i++) {
        notes[count++] = aside->rows[i].note;
    }
    bst_status status =
        bst_source_originals(r->source, notes, count, aside->arena, originals, &count, diags);
    for (size_t i = 0; status == BST_OK && i < count; i++) {
        status = hand_on(r, &aside->rows[*at + i], originals[i], line, diags);
    }
    *at += count;
    return status;
}

bst_status bst__aside_hand_on(bst__rows *r, bst_diags *diags) {
    bst__aside *const aside = &r->aside;
    bst_strbuf line = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    for (size_t at = 0; status == BST_OK && at < aside->count;) {
        status = hand_some_on(r, &at, &line, diags);
    }
    bst_strbuf_release(&line);
    if (aside->count > 0) {
        bst_arena_clear(aside->arena);
    }
    aside->count = 0;
    return status;
}
