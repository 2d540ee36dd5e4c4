/* Questions to the server of a draft, and what they are made of. */
#include "draft_pg_private.h"

#include <stdlib.h>

const char *bst__draft_quoted(draft *d, const char *alias, const char *name) {
    bst_strbuf out = BST_STRBUF_INIT;

    if (*alias)
        bst_strbuf_addf(&out, "%s.", alias);
    if (!bst_pg_add_identifier(bst__draft_pg_of(d)->pg, name, &out))
        d->failed = true;
    const char *text = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

const char *bst__draft_literal(draft *d, const char *value) {
    bst_strbuf out = BST_STRBUF_INIT;

    if (!bst_pg_add_literal(bst__draft_pg_of(d)->pg, value, &out))
        d->failed = true;
    const char *text = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

bst_status bst__draft_query(draft *d, const char *sql, size_t count, const char *const *params,
                            bst_pg_rows **ret) {
    if (d->failed)
        return bst_diag_nomem(d->diags);
    return bst_pg_query(bst__draft_pg_of(d)->pg, sql, count, params, ret, d->diags);
}

uint64_t bst__draft_number(const bst_pg_rows *rows, size_t row, size_t column) {
    const char *text = bst_pg_rows_text(rows, row, column);
    return text ? strtoull(text, NULL, 10) : 0;
}

const char *bst__draft_cell(draft *d, const bst_pg_rows *rows, size_t row, size_t column) {
    const char *text = bst_pg_rows_text(rows, row, column);
    return text ? bst__draft_text(d, "%s", text) : NULL;
}

const char *bst__draft_quoted_column(draft *d, uint32_t column) {
    return bst__draft_quoted(d, "t", d->columns[column].name);
}

/* " WHERE t.deleted_at IS NULL" once that is known. */
const char *bst__draft_scope(draft *d) {
    return d->deleted == DRAFT_NONE
               ? ""
               : bst__draft_text(d, " WHERE %s IS NULL", bst__draft_quoted_column(d, d->deleted));
}
