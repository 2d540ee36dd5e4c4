/* A row that is quarantined is wanted with all its columns, mapped or not: it is fetched by its
 * key, or by its ctid where it may have none, on a second connection that shares the snapshot.
 * Views and foreign tables have no ctid: there, the mapped columns must do.
 */
#include <stdlib.h>
#include <string.h>

#include "pg_binary_private.h"
#include "source_pg_private.h"

/* The mapped columns as they are at hand, where the whole row cannot be had. */
static void add_mapped(const bst__pg_source *s, bst_strbuf *out) {
    const bst_source_spec *spec = s->base.spec;

    bst_strbuf_addc(out, '{');
    for (size_t i = 0; i < spec->column_count; i++) {
        const bst_cell *cell = &s->cells[i];
        if (i > 0)
            bst_strbuf_addc(out, ',');
        bst_strbuf_add_json(out, spec->columns[i].name, strlen(spec->columns[i].name));
        bst_strbuf_addc(out, ':');
        if (cell->result != BST_VALUE_OK) {
            bst_strbuf_add_json(out, cell->text, cell->text_len);
        } else if (!cell->value.present) {
            bst_strbuf_adds(out, "null");
        } else {
            bst_strbuf text = BST_STRBUF_INIT;
            bst_value_to_text(&spec->columns[i].type, &cell->value, &text);
            bst_strbuf_add_json(out, text.text, text.len);
            out->failed = out->failed || text.failed;
            bst_strbuf_release(&text);
        }
    }
    bst_strbuf_addc(out, '}');
}

static bst_status open_second(bst__pg_source *s, bst_diags *diags) {
    const bst_status status = bst__pg_session(s, &s->second, diags);
    return status == BST_OK ? bst__pg_begin(s->second, s->snapshot, diags) : status;
}

/* The server's JSON without its spaces, so that a row looks the same from every source. False: it
 * is none, for the row has bytes that are no text. */
static bool add_compact(const char *json, bst_strbuf *out) {
    json_t *object = json_loads(json, 0, NULL);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text)
        bst_strbuf_adds(out, text);
    out->failed = out->failed || (object && !text);
    json_decref(object);
    free(text);
    return object != NULL;
}

/* The condition that only the row at hand fulfils. */
static bst_status add_identity(bst__pg_source *s, bst_strbuf *sql, bst_diags *diags) {
    if (s->by_key)
        return bst__pg_add_key_equals(s, s->row.key, s->row.key_len, sql, diags);
    bst_strbuf_addf(sql, "t.ctid = '(%lu,%u)'::tid AND t.tableoid = %lu",
                    (unsigned long)(uint32_t)bst__pg_int4(s->ctid),
                    (unsigned)(uint16_t)bst__pg_int2(s->ctid + 4), (unsigned long)s->table_oid);
    return BST_OK;
}

bst_status bst__pg_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    bst__pg_source *s = (bst__pg_source *)source;
    bst_status status = BST_OK;

    if (!s->has_ctid) {
        add_mapped(s, out);
        return out->failed ? bst_diag_nomem(diags) : BST_OK;
    }
    if (!s->second)
        status = open_second(s, diags);
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(
        &sql,
        "SELECT json_object_agg(key, value)::text FROM (SELECT (json_each_text(row_to_json(t))).*"
        " FROM %s t WHERE ",
        s->table.text);
    if (status == BST_OK)
        status = add_identity(s, &sql, diags);
    bst_strbuf_adds(&sql, ") columns");
    bst_pg_rows *rows = NULL;
    if (status == BST_OK)
        status = sql.failed ? bst_diag_nomem(diags)
                            : bst_pg_query(s->second, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK) {
        const char *json = bst__pg_single(rows, 0);
        if (!json || !add_compact(json, out))
            add_mapped(s, out);
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}
