/* Rows are few and come between histories, whose COPY is under way on the same connection: so they
 * are held, and written together. */
#include "quarantine_writer_private.h"

#include <string.h>

#include "copy_put_private.h"

#define COLUMNS 6

static const char copy_sql[] = "COPY backstory.quarantine (run_id, chunk, number, key, code, line)"
                               " FROM STDIN (FORMAT binary)";

bool bst__quarantine_writer_put(bst__quarantine_writer *writer, const bst_quarantined *row) {
    bst_strbuf *const out = &writer->rows;
    bst_strbuf key = BST_STRBUF_INIT; /* which may be what was wrong with the row */
    if (row->key)
        bst_strbuf_add_utf8(&key, row->key, row->key_len);
    if (writer->held == 0)
        bst__copy_put_head(out);
    bst__copy_put_be(out, COLUMNS, 2);
    bst__copy_put_int(out, writer->run_id, 4);
    bst__copy_put_int(out, writer->chunk, 4);
    bst__copy_put_int(out, (int64_t)row->number, 8);
    bst__copy_put_text(out, row->key ? key.text : NULL, key.len);
    bst__copy_put_text(out, row->code, strlen(row->code));
    bst__copy_put_text(out, row->line, row->line_len);
    writer->held++;
    writer->total++;
    out->failed = out->failed || key.failed;
    bst_strbuf_release(&key);
    return !out->failed;
}

bst_status bst__quarantine_writer_flush(bst__quarantine_writer *writer, bst_pg *pg,
                                        bst_diags *diags) {
    if (writer->held == 0)
        return BST_OK;
    bst__copy_put_trailer(&writer->rows);
    bst_status status =
        writer->rows.failed ? bst_diag_nomem(diags) : bst_pg_copy_in(pg, copy_sql, diags);
    if (status == BST_OK)
        status = bst_pg_copy_write(pg, writer->rows.text, writer->rows.len, diags);
    if (status == BST_OK)
        status = bst_pg_copy_finish(pg, writer->held, diags);
    bst_strbuf_clear(&writer->rows);
    writer->held = 0;
    return status;
}
