/* The key of the legacy table: its columns, in what order an index has them, and whether that index
 * lets no two rows share one.
 *
 * An index finds a range of keys when it is a btree that sorts by the types' own order, ascending.
 * Only operator classes of the server itself are relied on: an extension's may be found through the
 * search path alone.
 */
#include <stdlib.h>
#include <string.h>

#include "source_pg_private.h"

/* $1 the table, $2 the key's columns as an array. One row a column of the best index over just
 * these columns. */
static const char index_sql[] =
    "WITH fit AS (SELECT i.*, i.indisunique AND i.indimmediate"
    "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c"
    "     ON c.oid = h.inhparent WHERE h.inhparent = i.indrelid AND c.relkind = 'r') AS single,"
    "  am.amname = 'btree' AND NOT EXISTS ("
    "   SELECT FROM generate_series(0, i.indnkeyatts - 1) n"
    "    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n]"
    "   WHERE i.indoption[n] <> 0 OR NOT o.opcdefault"
    "    OR o.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace) AS ranges"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
    "  JOIN pg_catalog.pg_am am ON am.oid = x.relam"
    " WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
    "  AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\")"
    "   FROM unnest(i.indkey[0:i.indnkeyatts - 1]) k"
    "    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k)"
    "   = (SELECT array_agg(n ORDER BY n COLLATE \"C\") FROM unnest($2::text[]) n)"
    " ORDER BY 1 DESC), best AS (SELECT * FROM fit"
    "  ORDER BY single AND ranges DESC, single DESC, ranges DESC, indexrelid LIMIT 1)"
    "SELECT a.attname, quote_ident(s.nspname) || '.' || quote_ident(t.typname), a.attnotnull,"
    " single, ranges"
    " FROM best CROSS JOIN LATERAL"
    "  unnest(indkey[0:indnkeyatts - 1]) WITH ORDINALITY AS k (n, place)"
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.n"
    "  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    "  JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace"
    " ORDER BY place";

/* The same where there is no such index, in the order of the mapping; "ranges" says that the types
 * have an order. */
static const char columns_sql[] =
    "SELECT a.attname, quote_ident(s.nspname) || '.' || quote_ident(t.typname), a.attnotnull,"
    " false, b.typtype = 'e' OR (b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace"
    "  AND b.typname IN ('int2', 'int4', 'int8', 'oid', 'numeric', 'text', 'varchar', 'bpchar',"
    "   'uuid', 'date', 'timestamp', 'timestamptz', 'bytea'))"
    " FROM unnest($2::text[]) WITH ORDINALITY AS k (name, place)"
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attname = k.name"
    "  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    "  JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace"
    "  JOIN pg_catalog.pg_type b"
    "   ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END"
    " ORDER BY place";

enum { NAME, TYPE, NOT_NULL, SINGLE, RANGES };

static bool is_true(const bst_pg_rows *rows, size_t row, size_t column) {
    return strcmp(bst_pg_rows_text(rows, row, column), "t") == 0;
}

static bool take_columns(bst__pg_source *s, const bst_pg_rows *rows) {
    const size_t count = s->base.spec->key_count;
    s->keys = calloc(count + 1, sizeof *s->keys);
    for (size_t i = 0; s->keys && i < count; i++) {
        s->keys[i] = (bst__key_column){.name = strdup(bst_pg_rows_text(rows, i, NAME)),
                                       .type = strdup(bst_pg_rows_text(rows, i, TYPE)),
                                       .not_null = is_true(rows, i, NOT_NULL)};
        s->sortable = s->sortable && is_true(rows, i, RANGES);
        if (!s->keys[i].name || !s->keys[i].type)
            return false;
    }
    return s->keys != NULL;
}

/* The mapping's key as the text of an array. */
static void add_key_array(const bst_source_spec *spec, bst_strbuf *out) {
    bst_strbuf_addc(out, '{');
    for (size_t i = 0; i < spec->key_count; i++) {
        bst_strbuf_adds(out, i ? ",\"" : "\"");
        for (const char *at = spec->key[i]; *at; at++) {
            if (*at == '"' || *at == '\\')
                bst_strbuf_addc(out, '\\');
            bst_strbuf_addc(out, *at);
        }
        bst_strbuf_addc(out, '"');
    }
    bst_strbuf_addc(out, '}');
}

bst_status bst__pg_key_find(bst__pg_source *s, bst_diags *diags) {
    bst_strbuf key = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    add_key_array(s->base.spec, &key);
    const char *const params[] = {s->oid, key.text};
    bst_status status = key.failed ? bst_diag_nomem(diags)
                                   : bst_pg_query(s->pg, index_sql, 2, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == s->base.spec->key_count) {
        s->unique = is_true(rows, 0, SINGLE);
        s->indexed = is_true(rows, 0, RANGES);
    } else if (status == BST_OK) {
        rows = bst_pg_rows_free(rows);
        status = bst_pg_query(s->pg, columns_sql, 2, params, &rows, diags);
    }
    s->sortable = status == BST_OK && bst_pg_rows_count(rows) == s->base.spec->key_count;
    if (s->sortable && !take_columns(s, rows))
        status = bst_diag_nomem(diags);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&key);
    return status;
}

void bst__pg_key_release(bst__pg_source *s) {
    for (size_t i = 0; s->keys && s->keys[i].name; i++) {
        free(s->keys[i].name);
        free(s->keys[i].type);
    }
    free(s->keys);
}

bool bst__pg_key_is_whole(const bst__pg_source *s) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (!s->keys || !s->keys[i].not_null)
            return false;
    }
    return true;
}

/* The type of a key's column, which an index may have in another place than the mapping. */
static const char *type_of(const bst__pg_source *s, const char *name) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (strcmp(s->keys[i].name, name) == 0)
            return s->keys[i].type;
    }
    return "pg_catalog.text";
}

/* One part of a joined key, from `*at` to the next stroke, as it was before. */
static void add_part(const char **at, const char *end, bool joined, bst_strbuf *out) {
    for (; *at < end && !(joined && **at == '/'); ++*at) {
        if (joined && end - *at >= 3 && strncmp(*at, "%2F", 3) == 0) {
            bst_strbuf_addc(out, '/');
            *at += 2;
        } else if (joined && end - *at >= 3 && strncmp(*at, "%25", 3) == 0) {
            bst_strbuf_addc(out, '%');
            *at += 2;
        } else {
            bst_strbuf_addc(out, **at);
        }
    }
    *at += *at < end;
}

bst_status bst__pg_add_key_equals(bst__pg_source *s, const char *key, size_t len, bst_strbuf *out,
                                  bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_strbuf part = BST_STRBUF_INIT;
    const char *at = key;
    for (size_t i = 0; i < spec->key_count; i++) {
        bst_strbuf_clear(&part);
        add_part(&at, key + len, spec->key_count > 1, &part);
        bst_strbuf_adds(out, i ? " AND t." : "t.");
        bst__pg_add_quoted(s, spec->key[i], out);
        bst_strbuf_adds(out, " = ");
        if (part.failed || !bst_pg_add_literal(s->pg, part.text, out))
            out->failed = true;
        bst_strbuf_addf(out, "::%s", type_of(s, spec->key[i]));
    }
    bst_strbuf_release(&part);
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

/* One text expression over all parts of the key, as bst__key_add() joins them. */
void bst__pg_add_joined_key(bst__pg_source *s, bst_strbuf *out) {
    const bst_source_spec *spec = s->base.spec;

    for (size_t i = 0; i < spec->key_count; i++) {
        if (i > 0)
            bst_strbuf_adds(out, " || '/' || ");
        bst_strbuf_adds(out, spec->key_count > 1 ? "replace(replace(t." : "t.");
        bst__pg_add_quoted(s, spec->key[i], out);
        bst_strbuf_adds(out, spec->key_count > 1 ? "::text, '%', '%25'), '/', '%2F')" : "::text");
    }
}
