/* What the catalogue of PostgreSQL knows of a table: its columns, types and keys, and the values
 * that its state may have; and what else one pass over its columns tells.
 */
#include "draft_pg_private.h"

#include <stdlib.h>
#include <string.h>

static bst_status find_table(draft *d) {
    draft_pg *p = bst__draft_pg_of(d);
    const char *dot = strchr(d->options->table, '.');
    bst_pg_rows *rows = NULL;

    p->schema = dot ? bst__draft_text(d, "%.*s", (int)(dot - d->options->table), d->options->table)
                    : "public";
    p->table = bst__draft_text(d, "%s", dot ? dot + 1 : d->options->table);
    d->table = bst__draft_text(d, "%s.%s", p->schema, p->table);
    const char *params[] = {p->schema, p->table};
    bst_status status = bst__draft_query(
        d,
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        2, params, &rows);
    if (status != BST_OK)
        return status;
    if (bst_pg_rows_count(rows) == 1) {
        p->oid = bst__draft_cell(d, rows, 0, 0);
        p->quoted = bst__draft_text(d, "%s.%s", bst__draft_quoted(d, "", p->schema),
                                    bst__draft_quoted(d, "", p->table));
        p->from = d->options->sample_percent > 0
                      ? bst__draft_text(d, "%s AS t TABLESAMPLE SYSTEM (%g) REPEATABLE (1)",
                                        p->quoted, d->options->sample_percent)
                      : bst__draft_text(d, "%s AS t", p->quoted);
        bst_pg_rows_free(rows);
        return BST_OK;
    }
    rows = bst_pg_rows_free(rows);
    status = bst__draft_query(d,
                              "SELECT n.nspname || '.' || c.relname FROM pg_class c"
                              " JOIN pg_namespace n ON n.oid = c.relnamespace"
                              " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
                              " AND n.nspname !~ '^(pg_|information_schema$)' ORDER BY 1",
                              0, NULL, &rows);
    if (status != BST_OK)
        return status;
    const size_t count = bst_pg_rows_count(rows);
    const char **names = bst__draft_array(d, count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = bst__draft_cell(d, rows, i, 0);
    bst_pg_rows_free(rows);
    const char *nearest = names ? bst_nearest_name(d->table, names, count) : NULL;
    bst_diag_add(d->diags, BST_DATABASE, BST_ERROR, "unknown-table", NULL, "%s has no table \"%s\"",
                 bst_pg_label(p->pg), d->table);
    if (nearest)
        bst_diag_hint(d->diags, "Did you mean \"%s\"?", nearest);
    else
        bst_diag_hint(d->diags, "Name it with its schema, as in \"public.payments\".");
    return BST_DATABASE;
}

/* "numeric(12,2)" -> the two numbers; 0 when there are none. */
static int read_modifiers(const char *type, unsigned *a, unsigned *b) {
    const char *open = strchr(type, '(');
    *a = *b = 0;
    if (!open)
        return 0;
    char *end;
    *a = (unsigned)strtoul(open + 1, &end, 10);
    if (*end != ',')
        return 1;
    *b = (unsigned)strtoul(end + 1, NULL, 10);
    return 2;
}

static void set_type(draft *d, draft_column *c, const char *name, const char *full) {
    static const struct {
        const char *pg, *ours;
    } plain[] = {{"bool", "bool"},
                 {"int2", "int2"},
                 {"int4", "int4"},
                 {"int8", "int8"},
                 {"uuid", "uuid"},
                 {"date", "date"},
                 {"bytea", "bytea"},
                 {"json", "json"},
                 {"jsonb", "json"},
                 {"timestamptz", "timestamptz"},
                 {"timestamp", "timestamptz"},
                 {"money", "decimal(18,2)"}};
    unsigned a, b;
    const int modifiers = read_modifiers(full, &a, &b);

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(name, plain[i].pg) == 0)
            c->type = plain[i].ours;
    }
    c->integer = strncmp(name, "int", 3) == 0 && strlen(name) == 4;
    c->naive = strcmp(name, "timestamp") == 0;
    c->date = strcmp(name, "date") == 0;
    c->time = c->naive || c->date || strcmp(name, "timestamptz") == 0;
    if (strcmp(name, "varchar") == 0 || strcmp(name, "bpchar") == 0) {
        const char *ours = *name == 'v' ? "varchar" : "char";
        c->type = modifiers == 1 ? bst__draft_text(d, "%s(%u)", ours, a) : "text";
        c->text = true;
    } else if (strcmp(name, "numeric") == 0 && modifiers > 0 && a <= 18 && b <= a) {
        c->type = bst__draft_text(d, "decimal(%u,%u)", a, b);
    } else if (strcmp(name, "numeric") == 0) {
        c->type = NULL; /* the rows tell */
    } else if (!c->type) {
        c->text =
            strcmp(name, "text") == 0 || strcmp(name, "citext") == 0 || strcmp(name, "char") == 0;
        c->type = "text";
        if (strcmp(name, "float4") == 0 || strcmp(name, "float8") == 0)
            bst__draft_note(d,
                            "Column \"%s\" is a binary fraction, which no exact decimal holds: "
                            "it is text here.",
                            c->name);
    }
}

static bst_status read_columns(draft *d) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {bst__draft_pg_of(d)->oid};
    bst_status status = bst__draft_query(
        d,
        "SELECT a.attname, coalesce(b.typname, t.typname),"
        " CASE WHEN b.oid IS NULL THEN format_type(a.atttypid, a.atttypmod)"
        "  ELSE format_type(b.oid, t.typtypmod) END, a.attnotnull,"
        " coalesce(b.typtype, t.typtype) = 'e',"
        " (SELECT pg_get_expr(f.adbin, f.adrelid) FROM pg_attrdef f"
        "  WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum)"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype"
        " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        1, params, &rows);
    if (status != BST_OK)
        return status;
    d->column_count = bst_pg_rows_count(rows);
    d->columns = bst__draft_array(d, d->column_count + 1, sizeof *d->columns);
    for (size_t i = 0; i < d->column_count && d->columns; i++) {
        draft_column *c = &d->columns[i];
        c->name = bst__draft_cell(d, rows, i, 0);
        c->not_null = *bst_pg_rows_text(rows, i, 3) == 't';
        set_type(d, c, bst_pg_rows_text(rows, i, 1), bst_pg_rows_text(rows, i, 2));
        c->text = c->text || *bst_pg_rows_text(rows, i, 4) == 't';
        const char *standard = bst_pg_rows_text(rows, i, 5);
        if (standard && *standard == '\'' && strchr(standard + 1, '\''))
            c->initial_text = bst__draft_text(
                d, "%.*s", (int)(strchr(standard + 1, '\'') - standard - 1), standard + 1);
        else if (standard && strspn(standard, "-0123456789") == strlen(standard))
            c->initial_text = bst__draft_text(d, "%s", standard);
    }
    bst_pg_rows_free(rows);
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}

static uint32_t column_named(const draft *d, const char *name) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (strcmp(d->columns[i].name, name) == 0)
            return i;
    }
    return DRAFT_NONE;
}

static bst_status read_key(draft *d) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {bst__draft_pg_of(d)->oid};
    const bst_status status = bst__draft_query(
        d,
        "SELECT a.attname FROM (SELECT i.*, (SELECT bool_and(x.attnotnull) FROM pg_attribute x"
        "  WHERE x.attrelid = i.indrelid AND x.attnum = ANY (i.indkey)) AS whole FROM pg_index i"
        " WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL"
        " AND i.indexprs IS NULL ORDER BY i.indisprimary DESC, whole DESC, i.indnkeyatts,"
        " i.indexrelid LIMIT 1) i CROSS JOIN generate_series(0, i.indnkeyatts - 1) n"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n] ORDER BY n",
        1, params, &rows);
    if (status != BST_OK)
        return status;
    for (size_t i = 0; i < bst_pg_rows_count(rows) && d->key_count < 16; i++)
        d->key[d->key_count++] = column_named(d, bst_pg_rows_text(rows, i, 0));
    bst_pg_rows_free(rows);
    return BST_OK;
}

/* A numeric without a precision: what the rows need of it. */
static const char *decimal_for(draft *d, draft_column *c, uint64_t scale, uint64_t digits) {
    if (scale + digits > 18) {
        bst__draft_note(d, "Column \"%s\" has numbers of more than 18 digits: it is text here.",
                        c->name);
        return "text";
    }
    bst__draft_note(d,
                    "Column \"%s\" is a numeric without a precision; the rows have %llu digits "
                    "behind the point.",
                    c->name, (unsigned long long)scale);
    return bst__draft_text(d, "decimal(18,%u)", (unsigned)scale);
}

static bst_status profile(draft *d) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    size_t at = 1;

    bst_strbuf_adds(&sql, "SELECT count(*)");
    for (uint32_t i = 0; i < d->column_count; i++) {
        const char *q = bst__draft_quoted_column(d, i);
        bst_strbuf_addf(&sql, ", count(%s)", q);
        if (!d->columns[i].type)
            bst_strbuf_addf(&sql, ", max(scale(trim_scale(%s))), max(length(trunc(abs(%s))::text))",
                            q, q);
    }
    bst_strbuf_addf(&sql, " FROM %s", bst__draft_pg_of(d)->from);
    const bst_status status = bst__draft_query(d, sql.text, 0, NULL, &rows);
    bst_strbuf_release(&sql);
    if (status != BST_OK)
        return status;
    d->rows = bst__draft_number(rows, 0, 0);
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *c = &d->columns[i];
        c->nulls = d->rows - bst__draft_number(rows, 0, at++);
        if (!c->type) {
            c->type = decimal_for(d, c, bst__draft_number(rows, 0, at),
                                  bst__draft_number(rows, 0, at + 1));
            at += 2;
        }
    }
    bst_pg_rows_free(rows);
    return BST_OK;
}

bst_status bst__draft_pg_columns(draft *d) {
    bst_status status = find_table(d);

    if (status == BST_OK)
        status = read_columns(d);
    if (status == BST_OK)
        status = read_key(d);
    if (status == BST_OK)
        status = profile(d);
    return status;
}

bst_status bst__draft_pg_distinct(draft *d, uint32_t column) {
    bst_pg_rows *rows = NULL;
    const char *sql = bst__draft_text(
        d, "SELECT count(*) FROM (SELECT DISTINCT %s FROM %s WHERE %s IS NOT NULL LIMIT %u) x",
        bst__draft_quoted_column(d, column), bst__draft_pg_of(d)->from,
        bst__draft_quoted_column(d, column), BST_DRAFT_STATES_MAX + 1);
    const bst_status status = bst__draft_query(d, sql, 0, NULL, &rows);

    if (status == BST_OK)
        d->columns[column].distinct = bst__draft_number(rows, 0, 0);
    bst_pg_rows_free(rows);
    return status;
}

/* ---- the values of the state column */

static void take_values(draft *d, draft_column *c, const bst_pg_rows *rows, bool labels,
                        const char *from) {
    const size_t count = bst_pg_rows_count(rows);
    const char **values = bst__draft_array(d, count + 1, sizeof *values);
    const char **texts = bst__draft_array(d, count + 1, sizeof *texts);

    for (size_t i = 0; i < count && values && texts; i++) {
        values[i] = bst__draft_cell(d, rows, i, 0);
        if (labels)
            texts[i] = bst__draft_cell(d, rows, i, 1);
    }
    c->values = values;
    c->labels = labels ? texts : NULL;
    c->value_count = count;
    c->values_from = from;
}

static bst_status read_enum(draft *d, draft_column *c) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {bst__draft_pg_of(d)->oid, c->name};
    const bst_status status = bst__draft_query(
        d,
        "SELECT e.enumlabel FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " JOIN pg_enum e ON e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)"
        " WHERE a.attrelid = $1::oid AND a.attname = $2 ORDER BY e.enumsortorder",
        2, params, &rows);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0)
        take_values(d, c, rows, false, "its enum type");
    bst_pg_rows_free(rows);
    return status;
}

/* `status IN ('a', 'b')` as the server writes it back: = ANY over literals of the one column. The
 * server itself is asked for the literals. */
static bst_status read_check(draft *d, draft_column *c) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {bst__draft_pg_of(d)->oid, c->name};
    const bst_status status = bst__draft_query(
        d,
        "WITH def AS (SELECT pg_get_constraintdef(k.oid) AS text FROM pg_constraint k"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]"
        " WHERE k.contype = 'c' AND k.conrelid = $1::oid AND a.attname = $2),"
        " list AS (SELECT text, m FROM def, regexp_matches(text, '''((?:[^'']|'''')*)''', 'g')"
        "  WITH ORDINALITY AS r(m, n) WHERE text !~ '[<>~]' AND text ~ '=')"
        " SELECT replace(m[1], '''''', '''') FROM list"
        " UNION ALL SELECT n[1] FROM def, regexp_matches(text, '[[, ](-?[0-9]+)(?=[],])', 'g') n"
        "  WHERE text !~ '[<>~'']' AND text ~ '= ANY'",
        2, params, &rows);
    if (status == BST_OK && bst_pg_rows_count(rows) > 1)
        take_values(d, c, rows, false, "its CHECK constraint");
    bst_pg_rows_free(rows);
    return status;
}

/* status_id -> statuses(id, name) */
static bst_status read_lookup(draft *d, draft_column *c) {
    bst_pg_rows *rows = NULL;
    const char *params[] = {bst__draft_pg_of(d)->oid, c->name};
    bst_status status = bst__draft_query(
        d,
        "SELECT n.nspname, r.relname, ra.attname, (SELECT x.attname FROM pg_attribute x"
        "  JOIN pg_type t ON t.oid = x.atttypid WHERE x.attrelid = k.confrelid AND x.attnum > 0"
        "  AND NOT x.attisdropped AND t.typcategory = 'S' AND x.attnum <> k.confkey[1]"
        "  ORDER BY coalesce(array_position(ARRAY['name', 'label', 'title', 'description', 'code',"
        "   'slug', 'key'], x.attname::text), 99), x.attnum LIMIT 1)"
        " FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid"
        "  AND k.conkey = ARRAY[a.attnum] JOIN pg_class r ON r.oid = k.confrelid"
        " JOIN pg_namespace n ON n.oid = r.relnamespace"
        " JOIN pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = k.confkey[1]"
        " WHERE k.contype = 'f' AND k.conrelid = $1::oid AND a.attname = $2"
        " AND has_table_privilege(k.confrelid, 'SELECT') LIMIT 1",
        2, params, &rows);
    if (status != BST_OK || bst_pg_rows_count(rows) == 0 || !bst_pg_rows_text(rows, 0, 3))
        goto out;
    c->refers_name = bst__draft_text(d, "the lookup table \"%s\"", bst_pg_rows_text(rows, 0, 1));
    const char *key = bst__draft_quoted(d, "l", bst_pg_rows_text(rows, 0, 2));
    const char *sql = bst__draft_text(
        d, "SELECT %s::text, %s::text FROM %s.%s AS l ORDER BY %s LIMIT %u", key,
        bst__draft_quoted(d, "l", bst_pg_rows_text(rows, 0, 3)),
        bst__draft_quoted(d, "", bst_pg_rows_text(rows, 0, 0)),
        bst__draft_quoted(d, "", bst_pg_rows_text(rows, 0, 1)), key, 10 * BST_DRAFT_STATES_MAX);
    rows = bst_pg_rows_free(rows);
    status = bst__draft_query(d, sql, 0, NULL, &rows);
    if (status == BST_OK)
        take_values(d, c, rows, true, c->refers_name);
out:
    bst_pg_rows_free(rows);
    return status;
}

static void add_code(draft *d, const char *text, const char *label, uint64_t rows) {
    for (size_t i = 0; i < d->code_count; i++) {
        if (strcmp(d->codes[i].text, text) == 0) {
            d->codes[i].rows += rows;
            return;
        }
    }
    if (d->code_count < BST_DRAFT_STATES_MAX)
        d->codes[d->code_count++] = (draft_code){.text = text, .label = label, .rows = rows};
}

/* A lookup that serves many tables lists states that are none of this one. */
static bool worth_listing(const draft_column *c, const bst_pg_rows *rows, const char *value) {
    if (!c->labels)
        return true;
    const size_t count = bst_pg_rows_count(rows);
    for (size_t i = 0; i < count; i++) {
        const char *seen = bst_pg_rows_text(rows, i, 0);
        if (seen && strcmp(seen, value) == 0)
            return true;
        const char *sep = seen ? strchr(seen, '_') : NULL;
        if (sep && c->value_count > 30 && strncmp(seen, value, (size_t)(sep - seen) + 1) == 0)
            return true;
    }
    return c->value_count <= 30;
}

bst_status bst__draft_pg_codes(draft *d) {
    draft_column *c = &d->columns[d->state_column];
    bst_pg_rows *rows = NULL;
    const char *q = bst__draft_quoted_column(d, d->state_column);
    bst_status status = read_lookup(d, c);

    if (status == BST_OK && c->value_count == 0)
        status = read_enum(d, c);
    if (status == BST_OK && c->value_count == 0)
        status = read_check(d, c);
    if (status == BST_OK)
        status = bst__draft_query(
            d,
            bst__draft_text(d, "SELECT %s::text, count(*) FROM %s GROUP BY %s ORDER BY %s", q,
                            bst__draft_pg_of(d)->from, q, q),
            0, NULL, &rows);
    if (status != BST_OK)
        return status;
    d->codes = bst__draft_array(d, BST_DRAFT_STATES_MAX, sizeof *d->codes);
    for (size_t i = 0; i < c->value_count && d->codes; i++) {
        if (worth_listing(c, rows, c->values[i]))
            add_code(d, c->values[i], c->labels ? c->labels[i] : NULL, 0);
    }
    for (size_t i = 0; i < bst_pg_rows_count(rows) && d->codes; i++) {
        if (bst_pg_rows_text(rows, i, 0))
            add_code(d, bst__draft_cell(d, rows, i, 0), NULL, bst__draft_number(rows, i, 1));
    }
    bst_pg_rows_free(rows);
    if (c->values_from)
        bst__draft_note(d, "The values of \"%s\" are those of %s.", c->name, c->values_from);
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}
