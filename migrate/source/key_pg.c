/* The key of the legacy table: its columns, in what order an index has them, and whether that index
 * lets no two rows share one.
 *
 * An index finds a range of keys when it is a btree that sorts by the types' own order, upwards or
 * downwards, but all columns alike: else only the first would narrow the search. A table with
 * children needs such an index in each of them. Only operator classes of the server itself are
 * relied on: an extension's may be found through the search path alone. A constraint that is
 * checked at the end of a transaction (DEFERRABLE) holds for all that is committed, and nothing
 * else is read.
 *
 * Where there is no such index columns are compared in the order of their types, and those of types
 * that are not known to have one (an extension's, floating-point numbers) as their texts.
 *
 * Text is in the order of the index's collation, whatever that of the column is: one in "C" is
 * taken first, and without an index "C" is the order. An index that was built with another version
 * of its collation than the server has now (a new C library or ICU) may be out of order: rows would
 * be missed in it, and what is unique in it need not be. It counts as none.
 */
#include <assert.h>
#include <string.h>

#include "source_pg_private.h"

/* The indexes of the table, and of its children; and their collations: how the server calls one,
 * what it is, and whether it is still the one that indexes were built with. `%s`: the recorded and
 * the actual version of the database's. */
static const char collations_sql[] =
    "WITH RECURSIVE child AS (SELECT h.inhrelid FROM pg_catalog.pg_inherits h"
    "   JOIN pg_catalog.pg_class c ON c.oid = h.inhparent"
    "   WHERE h.inhparent = $1::oid AND c.relkind = 'r'"
    "  UNION SELECT h.inhrelid FROM child JOIN pg_catalog.pg_inherits h"
    "   ON h.inhparent = child.inhrelid),"
    " own AS (SELECT * FROM pg_catalog.pg_index"
    "  WHERE indrelid = $1::oid OR indrelid IN (SELECT inhrelid FROM child)),"
    " version AS (SELECT c.oid,"
    "  CASE c.collprovider WHEN 'd' THEN %s ELSE c.collversion END AS built,"
    "  CASE c.collprovider WHEN 'd' THEN %s"
    "   ELSE pg_catalog.pg_collation_actual_version(c.oid) END AS now"
    "  FROM pg_catalog.pg_collation c, pg_catalog.pg_database d"
    "  WHERE d.datname = pg_catalog.current_database()"
    "   AND c.oid IN (SELECT unnest(indcollation) FROM own)),"
    " ordering AS (SELECT c.oid, now IS NOT DISTINCT FROM built OR built IS NULL AS trusted,"
    "  quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS name,"
    "  concat_ws(' ', c.collname, c.collcollate, to_jsonb(c)->>'colliculocale',"
    "   CASE c.collprovider WHEN 'd' THEN d.datcollate END, now) AS text"
    "  FROM pg_catalog.pg_collation c JOIN version USING (oid)"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace, pg_catalog.pg_database d"
    "  WHERE d.datname = pg_catalog.current_database()),";

/* $1 the table, $2 the key's columns as an array. `base`: their types, of a domain what it is over,
 * for a key that is there need not be one that the domain lets in. `fit`: indexes over just these
 * columns; `best`: the one that is taken to find ranges of them. */
static const char best_sql[] =
    " base AS (SELECT attnum, atttypid AS type FROM pg_catalog.pg_attribute"
    "   WHERE attrelid = $1::oid"
    "  UNION SELECT attnum, t.typbasetype FROM base JOIN pg_catalog.pg_type t ON t.oid = type"
    "   WHERE t.typtype = 'd'),"
    " usable AS (SELECT i.*, am.amname = 'btree' AND NOT EXISTS ("
    "   SELECT FROM generate_series(0, i.indnkeyatts - 1) n"
    "    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n]"
    "   WHERE i.indoption[n] & 1 <> i.indoption[0] & 1 OR NOT o.opcdefault"
    "    OR o.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace) AS ranges,"
    "  ARRAY(SELECT a.attname::text FROM unnest(i.indkey[0:i.indnkeyatts - 1])"
    "    WITH ORDINALITY AS k (n, place) JOIN pg_catalog.pg_attribute a"
    "    ON a.attrelid = i.indrelid AND a.attnum = k.n ORDER BY place) AS names"
    " FROM own i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
    "  JOIN pg_catalog.pg_am am ON am.oid = x.relam"
    " WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
    "  AND NOT EXISTS (SELECT FROM ordering WHERE oid = ANY (i.indcollation) AND NOT trusted)),"
    " fit AS (SELECT *, indisunique AND NOT EXISTS (SELECT FROM child) AS single FROM usable u"
    " WHERE indrelid = $1::oid AND cardinality(names) = indnkeyatts"
    "  AND cardinality(names) = cardinality($2::text[]) AND names @> $2::text[]),"
    " best AS (SELECT * FROM fit WHERE ranges AND NOT EXISTS (SELECT FROM child WHERE NOT EXISTS"
    "   (SELECT FROM usable u WHERE u.indrelid = inhrelid AND u.ranges AND u.names = fit.names"
    "     AND u.indclass = fit.indclass AND u.indcollation = fit.indcollation))"
    "  ORDER BY single DESC,"
    "  (SELECT bool_and(o IN (0, 'pg_catalog.\"C\"'::regcollation)) FROM unnest(indcollation) o)"
    "   DESC, indexrelid LIMIT 1)";

/* One row a column of the best index. */
static const char index_sql[] =
    "SELECT a.attname, quote_ident(s.nspname) || '.' || quote_ident(t.typname), a.attnotnull,"
    " ordering.name, ordering.text, false, (SELECT coalesce(bool_or(single), false) FROM fit)"
    " FROM best CROSS JOIN LATERAL"
    "  unnest(indkey[0:indnkeyatts - 1], indcollation) WITH ORDINALITY AS k (n, c, place)"
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.n"
    "  JOIN base ON base.attnum = a.attnum"
    "  JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd'"
    "  JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace"
    "  LEFT JOIN ordering ON ordering.oid = k.c"
    " ORDER BY place";

/* The same where there is none, in the order of the mapping. */
static const char columns_sql[] =
    "SELECT a.attname, quote_ident(s.nspname) || '.' || quote_ident(t.typname), a.attnotnull,"
    " CASE WHEN a.attcollation <> 0 OR as_text THEN 'pg_catalog.\"C\"' END,"
    " CASE WHEN as_text THEN 'C, of texts' WHEN a.attcollation <> 0 THEN 'C' END, as_text,"
    " (SELECT coalesce(bool_or(single), false) FROM fit)"
    " FROM unnest($2::text[]) WITH ORDINALITY AS k (name, place)"
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attname = k.name"
    "  JOIN base ON base.attnum = a.attnum"
    "  JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd'"
    "  JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace"
    "  CROSS JOIN LATERAL (SELECT t.typtype <> 'e'"
    "   AND NOT (t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace"
    "    AND t.typname IN ('int2', 'int4', 'int8', 'oid', 'numeric', 'text', 'varchar', 'bpchar',"
    "     'uuid', 'date', 'timestamp', 'timestamptz', 'bytea')) AS as_text) x"
    " ORDER BY place";

enum { NAME, TYPE, NOT_NULL, COLLATION, COLLATION_TEXT, AS_TEXT, SINGLE };

static bool is_true(const bst_pg_rows *rows, size_t row, size_t column) {
    return strcmp(bst_pg_rows_text(rows, row, column), "t") == 0;
}

/* A copy in the arena of the source; NULL stays NULL, and so does what finds no memory. */
static char *keep(const bst__pg_source *s, const bst_pg_rows *rows, size_t row, int column) {
    const char *const text = bst_pg_rows_text(rows, row, (size_t)column);
    return text ? bst_arena_strdup(s->texts, text) : NULL;
}

static bool take_columns(bst__pg_source *s, const bst_pg_rows *rows) {
    const size_t count = s->base.spec->key_count;
    s->keys = bst_arena_array(s->texts, count, sizeof *s->keys);
    for (size_t i = 0; s->keys && i < count; i++) {
        const bool collated = bst_pg_rows_text(rows, i, COLLATION) != NULL;
        bst__key_column *const key = &s->keys[i];
        *key = (bst__key_column){.name = keep(s, rows, i, NAME),
                                 .type = keep(s, rows, i, TYPE),
                                 .collation = keep(s, rows, i, COLLATION),
                                 .collation_text = keep(s, rows, i, COLLATION_TEXT),
                                 /* another server need not hold to it */
                                 .not_null = is_true(rows, i, NOT_NULL) && s->kind != BST__FOREIGN,
                                 .as_text = is_true(rows, i, AS_TEXT)};
        if (!key->name || !key->type || (collated && !(key->collation && key->collation_text)))
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

/* Before PostgreSQL 15 a database knows no version of its collation. */
static void add_sql(const bst__pg_source *s, const char *columns, bst_strbuf *out) {
    if (bst_pg_version(s->pg) >= 150000)
        bst_strbuf_addf(out, collations_sql, "d.datcollversion",
                        "pg_catalog.pg_database_collation_actual_version(d.oid)");
    else
        bst_strbuf_addf(out, collations_sql, "NULL", "NULL");
    bst_strbuf_adds(out, best_sql);
    bst_strbuf_adds(out, columns);
}

static bst_status ask(const bst__pg_source *s, const char *columns, bst_pg_rows **ret,
                      bst_diags *diags) {
    bst_strbuf key = BST_STRBUF_INIT, sql = BST_STRBUF_INIT;
    add_key_array(s->base.spec, &key);
    add_sql(s, columns, &sql);
    const char *const params[] = {s->oid, key.text};
    const bst_status status = key.failed || sql.failed
                                  ? bst_diag_nomem(diags)
                                  : bst_pg_query(s->pg, sql.text, 2, params, ret, diags);
    bst_strbuf_release(&key);
    bst_strbuf_release(&sql);
    return status;
}

bst_status bst__pg_key_find(bst__pg_source *s, bst_diags *diags) {
    const size_t width = s->base.spec->key_count;
    bst_pg_rows *rows = NULL;
    bst_status status = ask(s, index_sql, &rows, diags);
    s->indexed = status == BST_OK && bst_pg_rows_count(rows) == width;
    if (status == BST_OK && !s->indexed) {
        rows = bst_pg_rows_free(rows);
        status = ask(s, columns_sql, &rows, diags);
    }
    if (status == BST_OK && bst_pg_rows_count(rows) == width) {
        s->unique = is_true(rows, 0, SINGLE);
        status = take_columns(s, rows) ? BST_OK : bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

bool bst__pg_key_is_found(const bst__pg_source *s) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (!s->keys || !s->keys[i].not_null || s->keys[i].as_text)
            return false;
    }
    return s->unique;
}

/* A key's column, which an index may have in another place than the mapping. */
static const bst__key_column *find_column(const bst__pg_source *s, const char *name) {
    for (size_t i = 0; s->keys && i < s->base.spec->key_count; i++) {
        if (strcmp(s->keys[i].name, name) == 0)
            return &s->keys[i];
    }
    return NULL;
}

void bst__pg_add_key_column(bst__pg_source *s, const bst__key_column *key, bst_strbuf *out) {
    bst_strbuf_adds(out, "t.");
    bst__pg_add_quoted(s, key->name, out);
    if (key->as_text)
        bst_strbuf_adds(out, "::text");
    if (key->collation)
        bst_strbuf_addf(out, " COLLATE %s", key->collation);
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

bst_status bst__pg_add_key_values(bst__pg_source *s, const char *key, size_t len, bst_strbuf *out,
                                  bst_diags *diags) {
    const size_t width = s->base.spec->key_count;
    bst_strbuf part = BST_STRBUF_INIT;
    const char *at = key;
    for (size_t i = 0; i < width; i++) {
        bst_strbuf_clear(&part);
        add_part(&at, key + len, width > 1, &part);
        bst_strbuf_adds(out, i ? ", " : "");
        if (part.failed || !bst_pg_add_literal(s->pg, part.text, out))
            out->failed = true;
    }
    bst_strbuf_release(&part);
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

void bst__pg_add_key_matches(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        const bst__key_column *const column = find_column(s, s->base.spec->key[i]);
        assert(column); /* whose key is not known is not asked by its key */
        bst_strbuf_adds(out, i ? " AND " : "");
        bst__pg_add_key_column(s, column, out);
        bst_strbuf_addf(out, " = o.k%zu::%s", i + 1, column->type);
    }
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
