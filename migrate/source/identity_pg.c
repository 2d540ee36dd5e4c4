/* Which table of which server it is, and of what form: the names are what a person reads when they
 * differ. */
#include <string.h>

#include "source_pg_private.h"

static void add_member(const char *name, const char *text, bst_strbuf *out) {
    bst_strbuf_adds(out, out->len > 1 ? "," : "");
    bst_strbuf_add_json(out, name, strlen(name));
    bst_strbuf_addc(out, ':');
    bst_strbuf_add_json(out, text ? text : "", text ? strlen(text) : 0);
}

/* A server knows its own number; whether it tells everybody is its owner's choice. */
static bst_status add_server(bst__pg_source *s, bst_strbuf *out, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        s->pg, "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')", 0,
        NULL, &rows, diags);
    const bool may = status == BST_OK && strcmp(bst__pg_single(rows, 0), "t") == 0;
    rows = bst_pg_rows_free(rows);
    if (may)
        status = bst_pg_query(s->pg, "SELECT system_identifier FROM pg_catalog.pg_control_system()",
                              0, NULL, &rows, diags);
    if (may && status == BST_OK)
        add_member("server", bst__pg_single(rows, 0), out);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status add_table(bst__pg_source *s, bst_strbuf *out, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {s->oid};
    const bst_status status =
        bst_pg_query(s->pg,
                     "SELECT pg_catalog.current_database(), string_agg(attname || ' '"
                     " || pg_catalog.format_type(atttypid, atttypmod), ', ' ORDER BY attnum)"
                     " FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0"
                     " AND NOT attisdropped",
                     1, params, &rows, diags);
    if (status == BST_OK) {
        add_member("database", bst__pg_single(rows, 0), out);
        add_member("table", s->base.spec->table, out);
        add_member("number of the table", s->oid, out);
        add_member("list of columns", bst__pg_single(rows, 1), out);
    }
    bst_pg_rows_free(rows);
    return status;
}

/* Of a key without text there is none. */
static void add_order(const bst__pg_source *s, bst_strbuf *out) {
    bst_strbuf key = BST_STRBUF_INIT, order = BST_STRBUF_INIT;
    for (size_t i = 0; s->keys && i < s->base.spec->key_count; i++) {
        const char *const text = s->keys[i].collation_text;
        bst_strbuf_addf(&key, "%s%s", i ? ", " : "", s->keys[i].name);
        if (text)
            bst_strbuf_addf(&order, "%s%s", order.len ? ", " : "", text);
    }
    add_member("order of the key", key.text, out);
    if (order.len > 0)
        add_member("collation of the key", order.text, out);
    out->failed = out->failed || key.failed || order.failed;
    bst_strbuf_release(&key);
    bst_strbuf_release(&order);
}

bst_status bst__pg_identity(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    bst_strbuf_addc(out, '{');
    bst_status status = add_server(s, out, diags);
    if (status == BST_OK)
        status = add_table(s, out, diags);
    add_order(s, out);
    bst_strbuf_addc(out, '}');
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}
