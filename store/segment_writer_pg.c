/* One history is one row of backstory.segment (see schema.sql), written as it is needed on the wire
 * into a buffer that is sent when it is full; nothing is allocated per row. The COPYs are short
 * because the server's errors show only at their end.
 */
#include "segment_writer_private.h"

#include "copy_put_private.h"
#include "pg_private.h"
#include "segment_row_private.h"

#define COPY_ROWS  20000u
#define SEND_BYTES (64u << 10)
#define COLUMNS    6

static const char copy_sql[] =
    "COPY backstory.segment (plan, first_version, run_id, machine_id, key, data)"
    " FROM STDIN (FORMAT binary";

void bst__segment_writer_init(bst__segment_writer *writer) {
    *writer = (bst__segment_writer){0};
    bst_strbuf_init(&writer->rows);
    bst_strbuf_init(&writer->front);
}

void bst__segment_writer_release(bst__segment_writer *writer) {
    bst__plan_book_release(&writer->plans);
    bst_strbuf_release(&writer->rows);
    bst_strbuf_release(&writer->front);
}

/* ---- a row */

#define PLAN_AT 6u /* in a row: after the number of columns and the length of this one */

/* All columns before the key: but for the plan the same for every row. */
static void make_front(bst__segment_writer *writer) {
    bst_strbuf *const out = &writer->front;
    bst__copy_put_be(out, COLUMNS, 2);
    bst__copy_put_int(out, 0, 8);
    bst__copy_put_int(out, 1, 4);
    bst__copy_put_int(out, writer->run_id, 4);
    bst__copy_put_int(out, writer->machine_id, 2);
}

/* False when the events are more than one value may hold. */
static bool put_row(bst__segment_writer *writer, const bst_history *history, int64_t plan) {
    bst_strbuf *const out = &writer->rows;
    if (writer->front.len == 0)
        make_front(writer);
    if (writer->front.failed) {
        out->failed = true;
        return true;
    }
    bst__copy_set_be(writer->front.text + PLAN_AT, (uint64_t)plan, 8);
    bst_strbuf_add(out, writer->front.text, writer->front.len);
    bst__copy_put_text(out, history->key, history->key_len);
    return bst__segment_put_data(out, writer->machine, history);
}

/* ---- findings */

/* The server's sentence about a unique index says nothing to the user; the entity's key stands in
 * its detail. */
static void report_conflict(bool bulk, const bst_diag *violation, bst_diags *diags) {
    bst_strbuf key = BST_STRBUF_INIT;
    bst_strbuf_adds(&key, "entity");
    bst__conflict_key(violation->detail ? violation->detail : "", &key);
    bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "history-exists", NULL, "%s %s", key.text,
                 bulk ? "comes with two histories" : "already has a history in the store");
    bst_strbuf_release(&key);
    if (violation->detail)
        bst_diag_detail(diags, "%s", violation->detail);
    bst_diag_hint(diags, bulk ? "Each entity has one history: its key must be unique in the source."
                              : "This entity already has a history in the store; a second run adds "
                                "nothing.");
}

bst_status bst__segment_hand_on(bool bulk, bst_status status, bst_diags *found, bst_diags *diags) {
    for (size_t i = 0; i < bst_diags_count(found); i++) {
        const bst_diag *const diag = bst_diags_at(found, i);
        if (diag->status == BST_CONFLICT)
            report_conflict(bulk, diag, diags);
        else
            bst__diag_pass_on(diag, diags);
    }
    bst_diags_free(found);
    return status;
}

/* ---- the COPY */

static bst_status send(bst__segment_writer *writer, bst_diags *diags) {
    const bst_status status =
        bst_pg_copy_write(writer->pg, writer->rows.text, writer->rows.len, diags);
    writer->bytes += writer->rows.len;
    bst_strbuf_clear(&writer->rows);
    return status;
}

static bst_status start(bst__segment_writer *writer, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, copy_sql);
    bst_strbuf_adds(&sql, writer->freeze ? ", FREEZE)" : ")");
    const bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_copy_in(writer->pg, sql.text, diags);
    bst_strbuf_release(&sql);
    bst__copy_put_head(&writer->rows);
    writer->copying = status == BST_OK;
    writer->copied = 0;
    return status;
}

bst_status bst__segment_writer_flush(bst__segment_writer *writer, bst_diags *diags) {
    if (!writer->copying)
        return BST_OK;
    bst__copy_put_trailer(&writer->rows);
    writer->copying = false;
    bst_diags *const found = bst_diags_new();
    if (!found)
        return bst_diag_nomem(diags);
    bst_status status = send(writer, found);
    if (status == BST_OK)
        status = bst_pg_copy_finish(writer->pg, writer->copied, found);
    return bst__segment_hand_on(writer->bulk, status, found, diags);
}

bst_status bst__segment_writer_put(bst__segment_writer *writer, const bst_history *history,
                                   bool *ret_fits, bst_diags *diags) {
    int64_t plan;
    if (!bst__plan_book_number(&writer->plans, writer->machine, history->plan, &plan))
        return bst_diag_nomem(diags);
    const bst_status status = writer->copying ? BST_OK : start(writer, diags);
    if (status != BST_OK)
        return status;
    const size_t before = writer->rows.len;
    *ret_fits = put_row(writer, history, plan);
    if (writer->rows.failed)
        return bst_diag_nomem(diags);
    if (!*ret_fits) {
        bst_strbuf_cut(&writer->rows, before);
        return BST_OK;
    }
    writer->copied++;
    if (writer->copied == COPY_ROWS)
        return bst__segment_writer_flush(writer, diags);
    return writer->rows.len < SEND_BYTES ? BST_OK : send(writer, diags);
}
