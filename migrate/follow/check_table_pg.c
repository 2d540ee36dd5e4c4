/* The preflight's table: can it be read, and does the log have all of it? What is asked of the
 * table is asked of its partitions, where the rows are.
 */
#include "check_private.h"

#include <string.h>

enum {
    TABLE_KIND,
    TABLE_SCHEMA,
    TABLE_SELECT,
    TABLE_HIDES_ROWS,
    TABLE_OWNER,
    TABLE_CHILDREN,
    TABLE_SET_LOGGED, /* statements, NULL when there is nothing to say */
    TABLE_SET_KEY,
    TABLE_SET_FULL,
    TABLE_GENERATED
};

/* %s: the key's columns, as an array of literals. */
static const char table_sql[] =
    "WITH whole AS (SELECT c.* FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
    "  ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2),"
    " leaf AS (SELECT l.oid, l.relreplident, l.relpersistence,"
    "  format('ALTER TABLE %%I.%%I', n.nspname, l.relname) AS alter_it FROM whole"
    "  CROSS JOIN LATERAL (SELECT whole.oid AS relid WHERE whole.relkind <> 'p' UNION"
    "   SELECT relid FROM pg_catalog.pg_partition_tree(whole.oid) WHERE isleaf) AS part"
    "  JOIN pg_catalog.pg_class l ON l.oid = part.relid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = l.relnamespace),"
    " keyless AS (SELECT alter_it FROM leaf WHERE relreplident <> 'f' AND EXISTS ("
    "  SELECT FROM unnest(ARRAY[%s]::text[]) k WHERE NOT EXISTS ("
    "   SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
    "    ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])"
    "   WHERE i.indrelid = leaf.oid AND a.attname = k AND CASE leaf.relreplident"
    "    WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)))"
    "SELECT relkind IN ('r', 'p'), has_schema_privilege(relnamespace, 'USAGE'),"
    " has_table_privilege(oid, 'SELECT'), row_security_active(oid),"
    " pg_has_role(relowner, 'USAGE'),"
    " relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = whole.oid),"
    " (SELECT string_agg(alter_it || ' SET LOGGED;', ' ') FROM leaf WHERE relpersistence <> 'p'),"
    " (SELECT string_agg(alter_it || ' REPLICA IDENTITY FULL;', ' ') FROM keyless),"
    " (SELECT string_agg(alter_it || ' REPLICA IDENTITY FULL;', ' ') FROM leaf"
    "  WHERE relreplident <> 'f'),"
    " (SELECT string_agg(attname, chr(10)) FROM pg_catalog.pg_attribute"
    "  WHERE attrelid = whole.oid AND attgenerated <> '' AND NOT attisdropped) FROM whole";

static bst_status ask_table(bst__preflight *p) {
    bst_strbuf keys = BST_STRBUF_INIT, sql = BST_STRBUF_INIT;
    const char *const params[] = {p->schema, p->table};
    for (size_t i = 0; i < p->mapping->source.key_count; i++) {
        bst_strbuf_adds(&keys, i ? ", " : "");
        if (!bst_pg_add_literal(p->source, p->mapping->source.key[i], &keys))
            keys.failed = true;
    }
    bst_strbuf_addf(&sql, table_sql, keys.text);
    const bst_status status =
        keys.failed || sql.failed
            ? bst_diag_nomem(p->diags)
            : bst_pg_query(p->source, sql.text, 2, params, &p->relation, p->diags);
    bst_strbuf_release(&keys);
    bst_strbuf_release(&sql);
    return status;
}

static bool is_true(const bst__preflight *p, size_t column) {
    return bst__answer_is(p->relation, column, "t");
}

static void check_rights(bst__preflight *p) {
    if (!is_true(p, TABLE_SCHEMA))
        bst__complain(p, "may-not-read", "the role may not use the table's schema",
                      "GRANT USAGE ON SCHEMA %.*s TO %s;", (int)strcspn(p->name.text, "."),
                      p->name.text, p->role.text);
    if (!is_true(p, TABLE_SELECT))
        bst__complain(p, "may-not-read", "the role may not read the table",
                      "GRANT SELECT ON %s TO %s;", p->name.text, p->role.text);
    if (is_true(p, TABLE_HIDES_ROWS))
        bst__complain(p, "row-security",
                      "row security hides rows of the table from the role; the log hides none",
                      "ALTER ROLE %s BYPASSRLS;", p->role.text);
}

static void check_log(bst__preflight *p) {
    const char *const set_logged = bst_pg_rows_text(p->relation, 0, TABLE_SET_LOGGED);
    if (!is_true(p, TABLE_KIND)) {
        bst__complain(p, "not-in-the-log", "a view or a foreign table has no log of its own",
                      "Let the mapping name the table behind it.");
        return;
    }
    if (set_logged)
        bst__complain(p, "not-in-the-log",
                      "the table, or a partition of it, is unlogged: its changes are in no log",
                      "%s", set_logged);
    if (is_true(p, TABLE_CHILDREN))
        bst__complain(p, "not-in-the-log",
                      "tables inherit from this one: their rows are read with its own, and the log "
                      "tells of them under other names",
                      "Make them partitions, or follow each of them by a mapping of its own.");
}

static void check_identity(bst__preflight *p) {
    const char *const set_key = bst_pg_rows_text(p->relation, 0, TABLE_SET_KEY);
    const char *const set_full = bst_pg_rows_text(p->relation, 0, TABLE_SET_FULL);
    if (!is_true(p, TABLE_KIND))
        return;
    if (set_key) {
        bst__complain(p, "replica-identity",
                      "the table's replica identity does not have the mapping's key: updates of a "
                      "published table fail, or cannot be told apart",
                      "%s Or make the key its primary key, with REPLICA IDENTITY DEFAULT.",
                      set_key);
    } else if (set_full && p->options->version_column) {
        bst__complain(p, "no-old-images",
                      "a version column is held against old images of the rows, and the log has "
                      "none",
                      "%s", set_full);
    } else if (set_full) {
        bst_diag_add(p->diags, BST_OK, BST_NOTE, "no-old-images", NULL,
                     "the log has no old images of the rows: quarantine and the report on races "
                     "can tell less");
        bst_diag_hint(p->diags, "%s This gives them, for about a fifth more log.", set_full);
    }
}

static bool has_line(const char *lines, const char *line) {
    const size_t len = strlen(line);
    for (const char *at = lines; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, line, len) == 0 && (at[len] == '\n' || at[len] == '\0'))
            return true;
    }
    return false;
}

static void check_column(bst__preflight *p, const char *name) {
    const char *const generated = bst_pg_rows_text(p->relation, 0, TABLE_GENERATED);
    bst_strbuf message = BST_STRBUF_INIT;
    if (!has_line(generated, name))
        return;
    bst_strbuf_addf(&message, "column \"%s\" is generated, and the log leaves such columns out",
                    name);
    bst__complain(
        p, "generated-column", message.text,
        "ALTER TABLE %s ALTER \"%s\" DROP EXPRESSION; and let a trigger keep it, or write "
        "it as \"cel\" over the columns that it is made of.",
        p->name.text, name);
    bst_strbuf_release(&message);
}

/* What reading it will say of columns, types and zones. Later on the log may have another
 * description of the table than the server has by now. */
static void check_columns(bst__preflight *p) {
    const bst_source_spec *const spec = &p->mapping->source;
    bst_source *source = NULL;
    for (size_t i = 0; i < spec->column_count; i++)
        check_column(p, spec->columns[i].name);
    for (size_t i = 0; i < spec->key_count; i++)
        check_column(p, spec->key[i]);
    if (!p->begins || !is_true(p, TABLE_SCHEMA) || !is_true(p, TABLE_SELECT))
        return;
    if (bst_source_open(p->options->from, spec, &source, p->diags) != BST_OK)
        p->failed = true;
    bst_source_free(source);
}

bst_status bst__check_table(bst__preflight *p, bool *ret_owner) {
    const bst_status status = ask_table(p);
    if (status != BST_OK)
        return status;
    if (bst_pg_rows_count(p->relation) == 0) {
        bst_diag_add(p->diags, BST_DATABASE, BST_ERROR, "unknown-table", NULL,
                     "%s has no table \"%s\"", bst_pg_label(p->source), p->mapping->source.table);
        p->failed = true;
        return BST_OK;
    }
    *ret_owner = is_true(p, TABLE_OWNER);
    check_rights(p);
    check_log(p);
    check_identity(p);
    check_columns(p);
    return BST_OK;
}

/* ---- what proves races */

enum { WITNESS_LOGGED, WITNESS_MISSING, WITNESS_UNPUBLISHED, WITNESS_SET_FULL };

static const char witness_sql[] =
    "SELECT c.relpersistence = 'p', (SELECT min(k) FROM unnest(ARRAY[$3, $4]) k"
    "  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
    "   AND a.attname = k AND a.attnum > 0 AND a.attgenerated = '' AND NOT a.attisdropped)),"
    " EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = $5"
    "  AND NOT (pg_has_role(p.pubowner, 'USAGE') AND pg_has_role(c.relowner, 'USAGE'))"
    "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname"
    "   AND t.schemaname = n.nspname AND t.tablename = c.relname)),"
    " (SELECT string_agg(l.oid::regclass || ' REPLICA IDENTITY FULL;', ' ALTER TABLE ')"
    "  FROM (SELECT c.oid AS relid WHERE c.relkind = 'r' UNION"
    "   SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf) AS part"
    "  JOIN pg_catalog.pg_class l ON l.oid = part.relid WHERE l.relreplident <> 'f'"
    "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = l.oid"
    "   AND i.indimmediate AND CASE l.relreplident WHEN 'd' THEN i.indisprimary"
    "    WHEN 'i' THEN i.indisreplident END))"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname || '.' || c.relname = $2 || $1 AND c.relkind IN ('r', 'p')";

static void judge_witness(bst__preflight *p, const char *table, const bst_pg_rows *rows) {
    bst_strbuf message = BST_STRBUF_INIT;
    const char *const missing =
        bst_pg_rows_count(rows) > 0 ? bst_pg_rows_text(rows, 0, WITNESS_MISSING) : NULL;
    const char *const set_full =
        bst_pg_rows_count(rows) > 0 ? bst_pg_rows_text(rows, 0, WITNESS_SET_FULL) : NULL;
    const bool is_ledger = p->options->ledger && table == p->options->ledger->table;
    if (bst_pg_rows_count(rows) == 0) {
        bst_strbuf_addf(&message, "there is no table \"%s\"", table);
        bst__complain(p, "unknown-table", message.text, "--ledger is TABLE:ENTITY:AMOUNT:FIELD.");
    } else if (missing) {
        bst_strbuf_addf(&message, "table %s has no column \"%s\" in the log", table, missing);
        bst__complain(p, "unknown-column", message.text,
                      "Name one of its columns, but for generated ones.");
    } else if (!bst__answer_is(rows, WITNESS_LOGGED, "t")) {
        bst__complain(p, "not-in-the-log", "the ledger is unlogged: its entries are in no log",
                      "ALTER TABLE %s SET LOGGED;", table);
    } else if (set_full && is_ledger) {
        bst__complain(p, "replica-identity",
                      "the ledger has no replica identity: once it is published, updates and "
                      "deletes of it fail",
                      "ALTER TABLE %s", set_full);
    } else if (bst__answer_is(rows, WITNESS_UNPUBLISHED, "t")) {
        bst__complain(p, "other-publication",
                      "the publication does not have the ledger, and the role may not add it",
                      "ALTER PUBLICATION %s ADD TABLE %s;", p->slot.text, table);
    }
    bst_strbuf_release(&message);
}

static bst_status check_witness(bst__preflight *p, const char *table, const char *column,
                                const char *other) {
    const char *const params[] = {table, strchr(table, '.') ? "" : "public.", column, other,
                                  p->options->slot};
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(p->source, witness_sql, 5, params, &rows, p->diags);
    if (status == BST_OK)
        judge_witness(p, table, rows);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst__check_witnesses(bst__preflight *p) {
    const bst_follow_ledger *const ledger = p->options->ledger;
    const char *const column = p->options->version_column;
    bst_status status = BST_OK;
    if (ledger)
        status = check_witness(p, ledger->table, ledger->entity, ledger->amount);
    if (status == BST_OK && column && bst_pg_rows_count(p->relation) > 0)
        status = check_witness(p, p->mapping->source.table, column, column);
    return status;
}
