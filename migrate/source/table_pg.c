/* The legacy table: is it there, has it the columns that the mapping reads, and how does each of
 * them travel. */
#include <stdlib.h>
#include <string.h>

#include "source_pg_private.h"

const char *bst__pg_single(const bst_pg_rows *rows, size_t column) {
    return bst_pg_rows_count(rows) == 1 ? bst_pg_rows_text(rows, 0, column) : NULL;
}

static void hint_missing_table(const char *table, const char *const *names, size_t count,
                               bst_diags *diags) {
    const char *const nearest = names ? bst_nearest_name(table, names, count) : NULL;

    if (strchr(table, '"'))
        bst_diag_hint(diags, "Names are written as they are, without SQL's quotes; the first dot "
                             "ends the schema's.");
    else if (nearest && strcmp(nearest, table) == 0)
        bst_diag_hint(diags, "The first dot ends the schema's name. A schema with a dot in its "
                             "name is out of reach: read a view of the table.");
    else if (nearest)
        bst_diag_hint(diags, "Did you mean \"%s\"?", nearest);
    else
        bst_diag_hint(diags, "Name it with its schema, as in \"public.payments\".");
}

static bst_status report_missing_table(bst__pg_source *s, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        s->pg,
        "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' ORDER BY 1",
        0, NULL, &rows, diags);
    if (status != BST_OK)
        return status;
    const size_t count = bst_pg_rows_count(rows);
    const char **names = calloc(count + 1, sizeof *names);
    for (size_t i = 0; i < count && names; i++)
        names[i] = bst_pg_rows_text(rows, i, 0);
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "unknown-table", NULL, "%s has no table \"%s\"",
                 bst_pg_label(s->pg), s->base.spec->table);
    hint_missing_table(s->base.spec->table, names, count, diags);
    free(names);
    bst_pg_rows_free(rows);
    return BST_DATABASE;
}

void bst__pg_add_quoted(bst__pg_source *s, const char *name, bst_strbuf *out) {
    if (!bst_pg_add_identifier(s->pg, name, out))
        out->failed = true;
}

static bst__pg_kind kind_of(char letter) {
    return letter == 'v' ? BST__VIEW : letter == 'f' ? BST__FOREIGN : BST__TABLE;
}

/* Finds the table; "payments" without a schema means public. Who may read only some columns may not
 * read the ctid. */
bst_status bst__pg_table_find(bst__pg_source *s, bst_diags *diags) {
    const char *name = s->base.spec->table;
    const char *dot = strchr(name, '.');
    char *schema = dot ? strndup(name, (size_t)(dot - name)) : strdup("public");
    const char *table = dot ? dot + 1 : name;
    bst_pg_rows *rows = NULL;
    bst_status status;

    if (!schema)
        return bst_diag_nomem(diags);
    const char *params[] = {schema, table};
    status = bst_pg_query(
        s->pg,
        "WITH RECURSIVE part AS (SELECT c.oid, c.relkind, c.reltuples, true AS top"
        "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " UNION SELECT c.oid, c.relkind, c.reltuples, false"
        "  FROM part JOIN pg_catalog.pg_inherits h ON h.inhparent = part.oid"
        "  JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid)"
        "SELECT oid, pg_catalog.has_table_privilege(oid, 'SELECT'),"
        " relkind IN ('r', 'm') AND parts = 1, rows,"
        " CASE WHEN relkind = 'v' THEN 'v' WHEN elsewhere THEN 'f' ELSE 'r' END"
        " FROM part, (SELECT count(*) AS parts, bool_or(relkind = 'f') AS elsewhere,"
        "  coalesce(sum(greatest(0, reltuples)) FILTER (WHERE relkind <> 'p'), 0)::bigint AS rows"
        "  FROM part) x WHERE top",
        2, params, &rows, diags);
    if (status != BST_OK)
        goto out;
    if (!bst__pg_single(rows, 0)) {
        status = report_missing_table(s, diags);
        goto out;
    }
    s->oid = strdup(bst__pg_single(rows, 0));
    s->kind = kind_of(*bst__pg_single(rows, 4));
    s->has_ctid = s->kind == BST__TABLE && strcmp(bst__pg_single(rows, 1), "t") == 0;
    s->plain = strcmp(bst__pg_single(rows, 2), "t") == 0;
    s->expected = strtoull(bst__pg_single(rows, 3), NULL, 10);
    bst__pg_add_quoted(s, schema, &s->table);
    bst_strbuf_addc(&s->table, '.');
    bst__pg_add_quoted(s, table, &s->table);
    bst_strbuf_addf(&s->label, "%s.%s of %s", schema, table, bst_pg_label(s->pg));
    s->base.label = s->label.text;
    if (!s->oid || s->table.failed || s->label.failed)
        status = bst_diag_nomem(diags);
out:
    free(schema);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status read_names(bst__pg_source *s, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {s->oid};
    bst_status status =
        bst_pg_query(s->pg,
                     "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid"
                     " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                     1, params, &rows, diags);
    if (status != BST_OK)
        return status;
    const size_t count = bst_pg_rows_count(rows);
    s->names = calloc(count + 1, sizeof *s->names);
    for (size_t i = 0; i < count && s->names; i++) {
        s->names[i] = strdup(bst_pg_rows_text(rows, i, 0));
        if (!s->names[i])
            break;
        s->name_count++;
    }
    bst_pg_rows_free(rows);
    return s->name_count == count ? BST_OK : bst_diag_nomem(diags);
}

static bool has_name(const bst__pg_source *s, const char *name) {
    for (size_t i = 0; i < s->name_count; i++) {
        if (strcmp(s->names[i], name) == 0)
            return true;
    }
    return false;
}

static bst_status check_names(const bst__pg_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_status status = BST_OK;

    for (size_t i = 0; i < spec->key_count; i++) {
        if (!has_name(s, spec->key[i]))
            status = bst__report_missing_column(
                spec->table, spec->key[i], (const char *const *)s->names, s->name_count, diags);
    }
    for (size_t i = 0; i < spec->column_count; i++) {
        const char *name = spec->columns[i].name;
        bool seen = spec->columns[i].sql != NULL;
        for (size_t j = 0; j < i && !seen; j++)
            seen = !spec->columns[j].sql && strcmp(spec->columns[j].name, name) == 0;
        if (!seen && !has_name(s, name))
            status = bst__report_missing_column(spec->table, name, (const char *const *)s->names,
                                                s->name_count, diags);
    }
    return status;
}

/* The column, or the expression that stands for one. */
void bst__pg_add_expression(bst__pg_source *s, const bst_source_column *column, bst_strbuf *out) {
    if (column->sql) {
        bst_strbuf_addf(out, "(%s)", column->sql);
    } else {
        bst_strbuf_adds(out, "t.");
        bst__pg_add_quoted(s, column->name, out);
    }
}

static bool is_integer(const char *pg_type) {
    return strcmp(pg_type, "smallint") == 0 || strcmp(pg_type, "integer") == 0 ||
           strcmp(pg_type, "bigint") == 0;
}

/* A form of its own, which holds the very value; WIRE_TEXT: there is none. */
static bst__wire exact_wire_of(const char *pg_type, const bst_type *wanted) {
    const bool integer = is_integer(pg_type);
    switch (wanted->kind) {
    case BST_KIND_BOOL:
        return strcmp(pg_type, "boolean") == 0 ? WIRE_BOOL : WIRE_TEXT;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        return integer ? WIRE_INT : WIRE_TEXT;
    case BST_KIND_DECIMAL:
        return integer || strcmp(pg_type, "numeric") == 0 || strcmp(pg_type, "money") == 0
                   ? WIRE_NUMERIC
                   : WIRE_TEXT;
    case BST_KIND_TIMESTAMPTZ:
        if (strcmp(pg_type, "timestamp with time zone") == 0)
            return WIRE_TIMESTAMPTZ;
        return strcmp(pg_type, "timestamp without time zone") == 0 || strcmp(pg_type, "date") == 0
                   ? WIRE_TIMESTAMP
                   : WIRE_TEXT;
    case BST_KIND_DATE:
        return strcmp(pg_type, "date") == 0 ? WIRE_DATE : WIRE_TEXT;
    case BST_KIND_UUID:
        return strcmp(pg_type, "uuid") == 0 ? WIRE_UUID : WIRE_TEXT;
    case BST_KIND_BYTEA:
        return strcmp(pg_type, "bytea") == 0 ? WIRE_BYTEA : WIRE_TEXT;
    default:
        return WIRE_TEXT;
    }
}

static bst__wire wire_of(const char *pg_type, const bst_type *wanted) {
    const bst__wire exact = exact_wire_of(pg_type, wanted);
    if (exact != WIRE_TEXT)
        return exact;
    if (is_integer(pg_type))
        return WIRE_INT_TEXT;
    return strcmp(pg_type, "character") == 0 ? WIRE_CHAR : WIRE_TEXT;
}

/* Asks the server what type each column and expression has, without reading a row. */
static bst_status choose_wires(bst__pg_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_status status = BST_OK;

    if (spec->column_count == 0)
        return BST_OK;
    bst_strbuf_adds(&sql, "SELECT ");
    for (size_t i = 0; i < spec->column_count; i++)
        bst_strbuf_addf(&sql, "%spg_catalog.pg_typeof(x.c%zu)::text", i ? ", " : "", i);
    bst_strbuf_adds(&sql, " FROM (SELECT 1) one LEFT JOIN (SELECT ");
    for (size_t i = 0; i < spec->column_count; i++) {
        bst_strbuf_adds(&sql, i ? ", " : "");
        bst__pg_add_expression(s, &spec->columns[i], &sql);
        bst_strbuf_addf(&sql, " AS c%zu", i);
    }
    bst_strbuf_addf(&sql, " FROM %s t LIMIT 0) x ON true", s->table.text);
    if (sql.failed)
        status = bst_diag_nomem(diags);
    else
        status = bst_pg_query(s->pg, sql.text, 0, NULL, &rows, diags);
    for (size_t i = 0; i < spec->column_count && status == BST_OK; i++) {
        const bst_source_column *column = &spec->columns[i];
        s->wires[i] = wire_of(bst_pg_rows_text(rows, 0, i), &column->type);
        if (s->wires[i] == WIRE_TIMESTAMP && !column->zone)
            status = bst__report_no_zone(spec->table, column->name, diags);
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

bst_status bst__pg_table_columns(bst__pg_source *s, bst_diags *diags) {
    bst_status status = read_names(s, diags);
    if (status == BST_OK)
        status = check_names(s, diags);
    return status == BST_OK ? choose_wires(s, diags) : status;
}
