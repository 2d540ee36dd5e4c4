/* Legacy rows from PostgreSQL.
 *
 * One COPY ... TO STDOUT (FORMAT binary) inside one REPEATABLE READ READ ONLY transaction, so that
 * every row is of the same moment and nothing is locked but against DDL. A column whose type has an
 * exact binary form is taken in it; everything else comes as text and is parsed like a CSV cell.
 * Row security that would hide rows is an error, not a smaller table.
 *
 * A row that is quarantined is wanted with all its columns, mapped or not: it is fetched by its
 * ctid on a second connection that shares the snapshot. Views and foreign tables have no ctid:
 * there, the mapped columns must do.
 */
#include "backstory/source.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/pg.h"

#include "pg_binary_private.h"
#include "source_private.h"

/* How a column travels. */
typedef enum wire {
    WIRE_TEXT,
    WIRE_INT, /* int8 */
    WIRE_NUMERIC,
    WIRE_BOOL,
    WIRE_TIMESTAMPTZ,
    WIRE_TIMESTAMP,
    WIRE_DATE, /* as date, for a date */
    WIRE_UUID,
    WIRE_BYTEA
} wire;

typedef struct pg_source {
    bst_source base;
    char *conninfo;
    bst_pg *pg;
    bst_pg *second; /* opened when the first row is asked for whole */
    char *snapshot;
    bst_strbuf table; /* quoted, ready for FROM */
    bst_strbuf label;
    char *oid; /* of the table */
    char **names;
    size_t name_count;
    wire *wires;
    bool has_ctid;
    bool ordered, unique;
    uint64_t expected, rows;
    bool copying, header_read, ended;
    /* The message at hand. */
    const char *bytes;
    size_t len;
    const char *ctid; /* 6 bytes in it */
    uint32_t table_oid;
    /* Where keys may repeat: the row at hand is a copy, the message is already the next one's. */
    char *held;
    size_t held_size, held_len;
    bool primed, like_before;
    bst_cell *cells;
    bst_arena *arena;
    bst_row row;
} pg_source;

/* ---- opening */

static const char *single(const bst_pg_rows *rows, size_t column) {
    return bst_pg_rows_count(rows) == 1 ? bst_pg_rows_text(rows, 0, column) : NULL;
}

static bst_status report_missing_table(pg_source *s, bst_diags *diags) {
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
    const char *nearest = names ? bst_nearest_name(s->base.spec->table, names, count) : NULL;
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "unknown-table", NULL, "%s has no table \"%s\"",
                 bst_pg_label(s->pg), s->base.spec->table);
    if (nearest)
        bst_diag_hint(diags, "Did you mean \"%s\"?", nearest);
    else
        bst_diag_hint(diags, "Name it with its schema, as in \"public.payments\".");
    free(names);
    bst_pg_rows_free(rows);
    return BST_DATABASE;
}

static void add_quoted(pg_source *s, const char *name, bst_strbuf *out) {
    if (!bst_pg_add_identifier(s->pg, name, out))
        out->failed = true;
}

/* Finds the table; "payments" without a schema means public. */
static bst_status find_table(pg_source *s, bst_diags *diags) {
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
        "SELECT c.oid, c.relkind IN ('r', 'p', 'm'),"
        " greatest(0, CASE WHEN c.relkind = 'p' THEN"
        "  (SELECT sum(greatest(0, l.reltuples)) FROM pg_catalog.pg_partition_tree(c.oid) t"
        "   JOIN pg_catalog.pg_class l ON l.oid = t.relid WHERE t.isleaf)"
        "  ELSE c.reltuples END)::bigint"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        2, params, &rows, diags);
    if (status != BST_OK)
        goto out;
    if (!single(rows, 0)) {
        status = report_missing_table(s, diags);
        goto out;
    }
    s->oid = strdup(single(rows, 0));
    s->has_ctid = strcmp(single(rows, 1), "t") == 0;
    s->expected = strtoull(single(rows, 2), NULL, 10);
    add_quoted(s, schema, &s->table);
    bst_strbuf_addc(&s->table, '.');
    add_quoted(s, table, &s->table);
    bst_strbuf_addf(&s->label, "%s.%s of %s", schema, table, bst_pg_label(s->pg));
    s->base.label = s->label.text;
    if (!s->oid || s->table.failed || s->label.failed)
        status = bst_diag_nomem(diags);
out:
    free(schema);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status read_names(pg_source *s, bst_diags *diags) {
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

static bool has_name(const pg_source *s, const char *name) {
    for (size_t i = 0; i < s->name_count; i++) {
        if (strcmp(s->names[i], name) == 0)
            return true;
    }
    return false;
}

static bst_status check_names(const pg_source *s, bst_diags *diags) {
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
static void add_expression(pg_source *s, const bst_source_column *column, bst_strbuf *out) {
    if (column->sql) {
        bst_strbuf_addf(out, "(%s)", column->sql);
    } else {
        bst_strbuf_adds(out, "t.");
        add_quoted(s, column->name, out);
    }
}

static wire wire_of(const char *pg_type, const bst_type *wanted) {
    const bool integer = strcmp(pg_type, "smallint") == 0 || strcmp(pg_type, "integer") == 0 ||
                         strcmp(pg_type, "bigint") == 0;
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

/* Asks the server what type each column and expression has, without reading a row. */
static bst_status choose_wires(pg_source *s, bst_diags *diags) {
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
        add_expression(s, &spec->columns[i], &sql);
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

/* Is there a unique index over just the key, so that no two rows can share one? */
static bst_status find_unique(pg_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_strbuf keys = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;

    for (size_t i = 0; i < spec->key_count; i++) {
        bst_strbuf_adds(&keys, i ? ", " : "");
        if (!bst_pg_add_literal(s->pg, spec->key[i], &keys))
            keys.failed = true;
    }
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(
        &sql,
        "SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = %s AND i.indisunique"
        " AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL"
        " AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\")"
        "  FROM unnest(i.indkey[0:i.indnkeyatts - 1]) k"
        "  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k)"
        " = (SELECT array_agg(n ORDER BY n COLLATE \"C\") FROM unnest(ARRAY[%s]::text[]) n)"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = i.indrelid"
        "  AND (SELECT relkind FROM pg_catalog.pg_class WHERE oid = h.inhparent) = 'r')"
        " LIMIT 1",
        s->oid, keys.text);
    bst_status status = keys.failed || sql.failed
                            ? bst_diag_nomem(diags)
                            : bst_pg_query(s->pg, sql.text, 0, NULL, &rows, diags);
    s->unique = status == BST_OK && bst_pg_rows_count(rows) > 0;
    bst_pg_rows_free(rows);
    bst_strbuf_release(&keys);
    bst_strbuf_release(&sql);
    return status;
}

/* One text expression over all parts of the key, as bst__key_add() joins them. */
static void add_joined_key(pg_source *s, bst_strbuf *out) {
    const bst_source_spec *spec = s->base.spec;

    for (size_t i = 0; i < spec->key_count; i++) {
        if (i > 0)
            bst_strbuf_adds(out, " || '/' || ");
        bst_strbuf_adds(out, spec->key_count > 1 ? "replace(replace(t." : "t.");
        add_quoted(s, spec->key[i], out);
        bst_strbuf_adds(out, spec->key_count > 1 ? "::text, '%', '%25'), '/', '%2F')" : "::text");
    }
}

static void add_cast(wire w, bst_strbuf *out) {
    static const char *const casts[] = {
        [WIRE_TEXT] = "::text", [WIRE_INT] = "::int8",   [WIRE_NUMERIC] = "::numeric",
        [WIRE_BOOL] = "",       [WIRE_TIMESTAMPTZ] = "", [WIRE_TIMESTAMP] = "::timestamp",
        [WIRE_DATE] = "",       [WIRE_UUID] = "",        [WIRE_BYTEA] = ""};
    bst_strbuf_adds(out, casts[w]);
}

static bst_status start(pg_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_strbuf sql = BST_STRBUF_INIT;

    bst_strbuf_adds(&sql, "COPY (SELECT ");
    add_joined_key(s, &sql);
    bst_strbuf_addf(&sql, ", (%s) IS TRUE", spec->where_sql ? spec->where_sql : "true");
    bst_strbuf_adds(&sql, s->has_ctid ? ", t.ctid, t.tableoid" : "");
    for (size_t i = 0; i < spec->column_count; i++) {
        bst_strbuf_adds(&sql, ", ");
        add_expression(s, &spec->columns[i], &sql);
        add_cast(s->wires[i], &sql);
    }
    bst_strbuf_addf(&sql, " FROM %s t", s->table.text);
    if (s->ordered) {
        bst_strbuf_adds(&sql, " ORDER BY (");
        add_joined_key(s, &sql);
        bst_strbuf_adds(&sql, ") COLLATE \"C\" NULLS FIRST");
        if (s->has_ctid)
            bst_strbuf_adds(&sql, ", t.tableoid, t.ctid");
    }
    bst_strbuf_adds(&sql, ") TO STDOUT (FORMAT binary)");
    const bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_copy_out(s->pg, sql.text, diags);
    bst_strbuf_release(&sql);
    return status;
}

/* ---- reading */

static bst_status broken(bst_diags *diags) {
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "copy-format", NULL,
                        "the server sent a COPY row that does not have the binary format");
}

/* The next row's bytes; s->len 0 at the end. */
static bst_status next_message(pg_source *s, bst_diags *diags) {
    static const char signature[] = "PGCOPY\n\377\r\n";
    const size_t header = sizeof signature + 8;
    uint64_t sent = 0;

    if (s->ended) {
        s->len = 0;
        return BST_OK;
    }
    for (;;) {
        const bst_status status = bst_pg_copy_read(s->pg, &s->bytes, &s->len, &sent, diags);
        if (status != BST_OK)
            return status;
        if (s->len == 0) {
            s->ended = true;
            if (sent != s->rows)
                return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "rows-lost", NULL,
                                    "the server sent %llu rows and %llu arrived",
                                    (unsigned long long)sent, (unsigned long long)s->rows);
            return BST_OK;
        }
        if (!s->header_read) {
            s->header_read = true;
            if (s->len < header || memcmp(s->bytes, signature, sizeof signature) != 0)
                return broken(diags);
            const size_t extension = (size_t)bst__pg_int4(s->bytes + sizeof signature + 4);
            if (s->len - header < extension)
                return broken(diags);
            s->bytes += header + extension;
            s->len -= header + extension;
        }
        if (s->len < 2)
            continue; /* the header alone */
        if (bst__pg_int2(s->bytes) != -1) {
            s->rows++;
            return BST_OK;
        } /* else the trailer: the end follows */
    }
}

/* One field of a row; NULL has *ret_bytes NULL. */
static bool take_field(const char **at, const char *end, const char **ret_bytes, size_t *ret_len) {
    if (end - *at < 4)
        return false;
    const int32_t len = bst__pg_int4(*at);
    *at += 4;
    *ret_bytes = NULL;
    *ret_len = 0;
    if (len == -1)
        return true;
    if (len < 0 || end - *at < len)
        return false;
    *ret_bytes = *at;
    *ret_len = (size_t)len;
    *at += len;
    return true;
}

static bool fixed_len(wire w, size_t len) {
    switch (w) {
    case WIRE_INT:
    case WIRE_TIMESTAMPTZ:
    case WIRE_TIMESTAMP:
        return len == 8;
    case WIRE_BOOL:
        return len == 1;
    case WIRE_DATE:
        return len == 4;
    case WIRE_UUID:
        return len == 16;
    default:
        return true;
    }
}

static void set_int(const bst_type *type, int64_t i, bst_arena *arena, bst_cell *cell) {
    const int64_t limit = type->kind == BST_KIND_INT2   ? INT16_MAX
                          : type->kind == BST_KIND_INT4 ? INT32_MAX
                                                        : INT64_MAX;
    if (i > limit || i < -limit - 1) {
        const char *text = bst_arena_printf(arena, "%lld", (long long)i);
        bst__cell_bad(cell, text ? BST_VALUE_RANGE : BST_VALUE_NOMEM, text,
                      text ? strlen(text) : 0);
        return;
    }
    *cell = (bst_cell){.value = {.present = true, .u.i = i}};
}

static void set_numeric(const bst_type *type, const char *bytes, size_t len, bst_arena *arena,
                        bst_cell *cell) {
    int64_t units = 0;
    const bst_value_result result = bst__pg_numeric(bytes, len, type, &units);

    if (result == BST_VALUE_OK) {
        *cell = (bst_cell){.value = {.present = true, .u.i = units}};
        return;
    }
    bst_strbuf shown = BST_STRBUF_INIT;
    bst__pg_numeric_text(bytes, len, &shown);
    const char *text = shown.failed ? NULL : bst_arena_strndup(arena, shown.text, shown.len);
    bst__cell_bad(cell, text ? result : BST_VALUE_NOMEM, text, text ? shown.len : 0);
    bst_strbuf_release(&shown);
}

static bst_status fill_cell(pg_source *s, size_t i, const char *bytes, size_t len,
                            bst_diags *diags) {
    const bst_source_column *column = &s->base.spec->columns[i];
    bst_cell *cell = &s->cells[i];
    bst_value value = {.present = true};

    if (!bytes) {
        *cell = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
        return BST_OK;
    }
    if (!fixed_len(s->wires[i], len))
        return broken(diags);
    switch (s->wires[i]) {
    case WIRE_TEXT:
        if (!bst__cell_from_text(column, bytes, len, s->arena, cell))
            return bst__report_no_zone(s->base.spec->table, column->name, diags);
        break;
    case WIRE_INT:
        set_int(&column->type, bst__pg_int8(bytes), s->arena, cell);
        break;
    case WIRE_NUMERIC:
        set_numeric(&column->type, bytes, len, s->arena, cell);
        break;
    case WIRE_BOOL:
        value.u.i = bytes[0] != 0;
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_TIMESTAMPTZ:
        value.u.i = bst__pg_int8(bytes);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_TIMESTAMP:
        bst__cell_from_naive(column, bst__pg_int8(bytes), s->arena, cell);
        break;
    case WIRE_DATE:
        value.u.i = bst__pg_int4(bytes);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_UUID:
        memcpy(value.u.uuid, bytes, sizeof value.u.uuid);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_BYTEA:
        value.u.text = bytes;
        value.len = (uint32_t)len;
        *cell = (bst_cell){.value = value};
        break;
    }
    return cell->result == BST_VALUE_NOMEM ? bst_diag_nomem(diags) : BST_OK;
}

/* Cuts one row's bytes into s->row and s->cells. */
static bst_status parse_row(pg_source *s, const char *bytes, size_t len, bst_diags *diags) {
    const char *end = bytes + len;
    const char *at = bytes + 2;
    const char *field;
    size_t field_len;
    const size_t extra = s->has_ctid ? 4 : 2;

    bst_arena_clear(s->arena);
    if ((size_t)bst__pg_int2(bytes) != s->base.spec->column_count + extra)
        return broken(diags);
    if (!take_field(&at, end, &field, &field_len))
        return broken(diags);
    s->row.key_is_null = !field;
    s->row.key = field ? field : "";
    s->row.key_len = field_len;
    if (!take_field(&at, end, &field, &field_len) || !field || field_len != 1)
        return broken(diags);
    s->row.in_scope = field[0] != 0;
    if (s->has_ctid) {
        if (!take_field(&at, end, &s->ctid, &field_len) || !s->ctid || field_len != 6)
            return broken(diags);
        if (!take_field(&at, end, &field, &field_len) || !field || field_len != 4)
            return broken(diags);
        s->table_oid = (uint32_t)bst__pg_int4(field);
    }
    for (size_t i = 0; i < s->base.spec->column_count; i++) {
        if (!take_field(&at, end, &field, &field_len))
            return broken(diags);
        const bst_status status = fill_cell(s, i, field, field_len, diags);
        if (status != BST_OK)
            return status;
    }
    return at == end ? BST_OK : broken(diags);
}

/* The key of a message, without cutting up the rest. False: NULL. */
static bool peek_key(const char *bytes, size_t len, const char **ret_key, size_t *ret_len) {
    const char *at = bytes + 2;
    return len >= 2 && take_field(&at, bytes + len, ret_key, ret_len) && *ret_key;
}

static bool same_key(const char *a, size_t a_len, const char *b, size_t b_len) {
    const char *a_key;
    const char *b_key;
    size_t a_key_len;
    size_t b_key_len;
    return peek_key(a, a_len, &a_key, &a_key_len) && peek_key(b, b_len, &b_key, &b_key_len) &&
           a_key_len == b_key_len && memcmp(a_key, b_key, a_key_len) == 0;
}

static bst_status hold(pg_source *s, bst_diags *diags) {
    if (s->len > s->held_size) {
        char *larger = realloc(s->held, s->len);
        if (!larger)
            return bst_diag_nomem(diags);
        s->held = larger;
        s->held_size = s->len;
    }
    memcpy(s->held, s->bytes, s->len);
    s->held_len = s->len;
    return BST_OK;
}

/* Where keys may repeat: the row at hand is held in a copy while the next one's key is looked at.
 */
static bst_status next_looking_ahead(pg_source *s, bst_diags *diags) {
    bst_status status = BST_OK;

    s->held_len = 0;
    if (!s->primed) {
        s->primed = true;
        status = next_message(s, diags);
    }
    if (status != BST_OK || s->len == 0)
        return status;
    const bool like_before = s->like_before;
    status = hold(s, diags);
    if (status == BST_OK)
        status = next_message(s, diags);
    if (status != BST_OK)
        return status;
    s->like_before = s->len > 0 && same_key(s->held, s->held_len, s->bytes, s->len);
    s->row.key_is_double = like_before || s->like_before;
    return BST_OK;
}

static bst_status pg_next(bst_source *source, const bst_row **ret_row, bst_diags *diags) {
    pg_source *s = (pg_source *)source;
    bst_status status = BST_OK;

    *ret_row = NULL;
    if (!s->copying) {
        s->copying = true;
        status = start(s, diags);
    }
    if (status == BST_OK)
        status = s->unique ? next_message(s, diags) : next_looking_ahead(s, diags);
    if (status != BST_OK)
        return status;
    const char *bytes = s->unique ? s->bytes : s->held;
    const size_t len = s->unique ? s->len : s->held_len;
    if (len == 0)
        return BST_OK;
    status = parse_row(s, bytes, len, diags);
    if (status != BST_OK)
        return status;
    s->row.number++;
    s->row.cells = s->cells;
    *ret_row = &s->row;
    return BST_OK;
}

/* The mapped columns as they are at hand, where the whole row cannot be had. */
static void add_mapped(const pg_source *s, bst_strbuf *out) {
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

static bst_status open_second(pg_source *s, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_status status = bst_pg_connect(s->conninfo, &s->second, diags);

    bst_strbuf_adds(&sql,
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ");
    if (status == BST_OK && !bst_pg_add_literal(s->second, s->snapshot, &sql))
        status = bst_diag_nomem(diags);
    bst_strbuf_adds(&sql, "; SET LOCAL row_security = off");
    if (status == BST_OK)
        status = sql.failed ? bst_diag_nomem(diags) : bst_pg_exec(s->second, sql.text, diags);
    bst_strbuf_release(&sql);
    return status;
}

/* The server's JSON without its spaces, so that a row looks the same from every source. */
static void add_compact(const char *json, bst_strbuf *out) {
    json_t *object = json_loads(json, 0, NULL);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text)
        bst_strbuf_adds(out, text);
    else
        out->failed = true;
    free(text);
    json_decref(object);
}

static bst_status pg_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    pg_source *s = (pg_source *)source;
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
        " FROM %s t WHERE t.ctid = '(%lu,%u)'::tid AND t.tableoid = %lu) columns",
        s->table.text, (unsigned long)(uint32_t)bst__pg_int4(s->ctid),
        (unsigned)(uint16_t)bst__pg_int2(s->ctid + 4), (unsigned long)s->table_oid);
    bst_pg_rows *rows = NULL;
    if (status == BST_OK)
        status = sql.failed ? bst_diag_nomem(diags)
                            : bst_pg_query(s->second, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK) {
        const char *json = single(rows, 0);
        if (json)
            add_compact(json, out);
        else
            add_mapped(s, out);
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

static uint64_t pg_expected(const bst_source *source) {
    return ((const pg_source *)source)->expected;
}

static double pg_progress(const bst_source *source) {
    const pg_source *s = (const pg_source *)source;
    if (s->ended)
        return 1;
    if (s->expected == 0)
        return -1;
    const double share = (double)s->row.number / (double)s->expected;
    return share < 1 ? share : 1;
}

static size_t pg_column_count(const bst_source *source) {
    return ((const pg_source *)source)->name_count;
}

static const char *pg_column_name(const bst_source *source, size_t index) {
    return ((const pg_source *)source)->names[index];
}

static void pg_free(bst_source *source) {
    pg_source *s = (pg_source *)source;

    bst_pg_free(s->second);
    bst_pg_free(s->pg);
    for (size_t i = 0; i < s->name_count; i++)
        free(s->names[i]);
    free(s->names);
    free(s->conninfo);
    free(s->snapshot);
    free(s->oid);
    free(s->wires);
    free(s->cells);
    free(s->held);
    bst_strbuf_release(&s->table);
    bst_strbuf_release(&s->label);
    bst_arena_free(s->arena);
    free(s);
}

static const struct bst__source_ops pg_ops = {
    pg_next, pg_original, pg_expected, pg_progress, pg_column_count, pg_column_name, pg_free};

static bst_status begin(pg_source *s, bst_diags *diags) {
    /* The same table is read in the same order each time: neither from where another scan just is,
     * nor as parallel workers happen to deliver. */
    static const char begin[] =
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security = off;"
        "SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0";
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_connect(s->conninfo, &s->pg, diags);

    if (status == BST_OK)
        status = bst_pg_exec(s->pg, begin, diags);
    if (status == BST_OK)
        status =
            bst_pg_query(s->pg, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &rows, diags);
    if (status == BST_OK) {
        s->snapshot = strdup(single(rows, 0));
        if (!s->snapshot)
            status = bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst__source_pg_open(const char *conninfo, const bst_source_spec *spec, bst_source **ret,
                               bst_diags *diags) {
    pg_source *s = calloc(1, sizeof *s);
    bst_status status = BST_OK;

    if (!s)
        return bst_diag_nomem(diags);
    s->base = (bst_source){&pg_ops, spec, conninfo};
    bst_strbuf_init(&s->table);
    bst_strbuf_init(&s->label);
    s->conninfo = strdup(conninfo);
    s->wires = calloc(spec->column_count + 1, sizeof *s->wires);
    s->cells = calloc(spec->column_count + 1, sizeof *s->cells);
    s->arena = bst_arena_new();
    if (!s->conninfo || !s->wires || !s->cells || !s->arena)
        status = bst_diag_nomem(diags);
    if (status == BST_OK)
        status = begin(s, diags);
    if (status == BST_OK)
        status = find_table(s, diags);
    if (status == BST_OK)
        status = read_names(s, diags);
    if (status == BST_OK)
        status = check_names(s, diags);
    if (status == BST_OK)
        status = choose_wires(s, diags);
    if (status == BST_OK)
        status = find_unique(s, diags);
    if (status != BST_OK) {
        bst_source_free(&s->base);
        return status;
    }
    s->ordered = spec->ordered || !s->unique;
    *ret = &s->base;
    return BST_OK;
}
