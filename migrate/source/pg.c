/* Legacy rows from PostgreSQL.
 *
 * COPY ... TO STDOUT (FORMAT binary) inside one REPEATABLE READ READ ONLY transaction, so that
 * every row is of the same moment and nothing is locked but against DDL. A column whose type has an
 * exact binary form is taken in it; everything else comes as text and is parsed like a CSV cell.
 * Row security that would hide rows is an error, not a smaller table.
 */
#include "backstory/source.h"

#include <stdlib.h>
#include <string.h>

#include "pg_binary_private.h"
#include "source_pg_private.h"

/* What the client can do is not asked of the server, whose casts cost more than ours. */
static void add_cast(bst__wire w, bst_strbuf *out) {
    static const char *const casts[] = {[WIRE_TEXT] = "::text", [WIRE_CHAR] = "",
                                        [WIRE_INT] = "",        [WIRE_INT_TEXT] = "",
                                        [WIRE_BOOL] = "",       [WIRE_NUMERIC] = "::numeric",
                                        [WIRE_DATE] = "",       [WIRE_TIMESTAMP] = "::timestamp",
                                        [WIRE_UUID] = "",       [WIRE_TIMESTAMPTZ] = "",
                                        [WIRE_BYTEA] = ""};
    bst_strbuf_adds(out, casts[w]);
}

static bst_status start(bst__pg_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_strbuf sql = BST_STRBUF_INIT;

    bst_strbuf_adds(&sql, "COPY (SELECT ");
    if (s->key_is_int) {
        bst_strbuf_adds(&sql, "t.");
        bst__pg_add_quoted(s, spec->key[0], &sql);
    } else {
        bst__pg_add_joined_key(s, &sql);
    }
    if (s->has_scope)
        bst_strbuf_addf(&sql, ", (%s) IS TRUE", spec->where_sql);
    bst_strbuf_adds(&sql, s->has_ctid && !s->by_key ? ", t.ctid, t.tableoid" : "");
    for (size_t i = 0; i < spec->column_count; i++) {
        bst_strbuf_adds(&sql, ", ");
        bst__pg_add_expression(s, &spec->columns[i], &sql);
        add_cast(s->wires[i], &sql);
    }
    bst_strbuf_addf(&sql, " FROM %s t", s->table.text);
    if (s->condition.len > 0)
        bst_strbuf_addf(&sql, " WHERE %s", s->condition.text);
    if (s->ordered) {
        bst_strbuf_adds(&sql, " ORDER BY (");
        bst__pg_add_joined_key(s, &sql);
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

/* The next row's bytes; s->len 0 at the end. */
static bst_status next_message(bst__pg_source *s, bst_diags *diags) {
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
                return bst__pg_broken(diags);
            const size_t extension = (size_t)bst__pg_int4(s->bytes + sizeof signature + 4);
            if (s->len - header < extension)
                return bst__pg_broken(diags);
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

/* The key of a message, without cutting up the rest. False: NULL. */
static bool peek_key(const char *bytes, size_t len, const char **ret_key, size_t *ret_len) {
    const char *at = bytes + 2;
    return len >= 2 && bst__pg_take_field(&at, bytes + len, ret_key, ret_len) && *ret_key;
}

static bool same_key(const char *a, size_t a_len, const char *b, size_t b_len) {
    const char *a_key;
    const char *b_key;
    size_t a_key_len;
    size_t b_key_len;
    return peek_key(a, a_len, &a_key, &a_key_len) && peek_key(b, b_len, &b_key, &b_key_len) &&
           a_key_len == b_key_len && memcmp(a_key, b_key, a_key_len) == 0;
}

static bst_status hold(bst__pg_source *s, bst_diags *diags) {
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
static bst_status next_looking_ahead(bst__pg_source *s, bst_diags *diags) {
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
    bst__pg_source *s = (bst__pg_source *)source;
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
    status = bst__pg_row_take(s, bytes, len, diags);
    if (status != BST_OK)
        return status;
    s->row.number++;
    s->row.cells = s->cells;
    *ret_row = &s->row;
    return BST_OK;
}

static uint64_t pg_expected(const bst_source *source) {
    return ((const bst__pg_source *)source)->expected;
}

static double pg_progress(const bst_source *source) {
    const bst__pg_source *s = (const bst__pg_source *)source;
    if (s->ended)
        return 1;
    if (s->expected == 0)
        return -1;
    const double share = (double)s->row.number / (double)s->expected;
    return share < 1 ? share : 1;
}

static size_t pg_column_count(const bst_source *source) {
    return ((const bst__pg_source *)source)->name_count;
}

static const char *pg_column_name(const bst_source *source, size_t index) {
    return ((const bst__pg_source *)source)->names[index];
}

static void pg_free(bst_source *source) {
    bst__pg_source *s = (bst__pg_source *)source;

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
    bst_strbuf_release(&s->condition);
    bst_arena_free(s->arena);
    bst_arena_free(s->texts);
    free(s);
}

/* The rows that are asked for next are read anew. */
static void start_over(bst__pg_source *s) {
    s->copying = false;
    s->header_read = false;
    s->ended = false;
    s->primed = false;
    s->like_before = false;
    s->rows = 0;
    s->row = (bst_row){0};
}

static bst_status pg_keep(bst_source *source, const bst_key_part *part, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    bst_strbuf key = BST_STRBUF_INIT;
    start_over(s);
    bst_strbuf_clear(&s->condition);
    bst_strbuf_addc(&key, '(');
    bst__pg_add_joined_key(s, &key);
    bst_strbuf_adds(&key, ") COLLATE \"C\"");
    if (!part->from && part->share == 0)
        bst_strbuf_addf(&s->condition, "%s IS NULL OR ", key.text);
    bst_pg_add_key_part(s->pg, part, key.text, &s->condition);
    const bool failed = key.failed || s->condition.failed;
    bst_strbuf_release(&key);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}

/* The values as they would travel: nothing else of a row is read. */
static bst_status digest(bst__pg_source *s, const bst_pg_chunks *chunks, bst_arena *arena,
                         const char **ret_digests, bst_diags *diags) {
    const bst_source_spec *const spec = s->base.spec;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, BST_PG_DIGEST_HEAD);
    bst_pg_add_key_chunk(s->pg, chunks->bounds, chunks->bound_count, chunks->key, &sql);
    bst_strbuf_addf(&sql, " AS chunk, ROW(%s, (%s) IS TRUE", chunks->key,
                    spec->where_sql ? spec->where_sql : "true");
    for (size_t i = 0; i < spec->column_count; i++) {
        bst_strbuf_adds(&sql, ", ");
        bst__pg_add_expression(s, &spec->columns[i], &sql);
        add_cast(s->wires[i], &sql);
    }
    bst_strbuf_addf(&sql, ") AS r FROM %s) x) y GROUP BY chunk", chunks->from);
    const bst_status status = sql.failed ? bst_diag_nomem(diags)
                                         : bst_pg_digests(s->pg, sql.text, chunks->bound_count,
                                                          arena, ret_digests, diags);
    bst_strbuf_release(&sql);
    return status;
}

/* What SQL makes of a row may change without it; and who may read some columns only may not read
 * which transaction wrote them. */
static bool is_stored(const bst__pg_source *s) {
    const bst_source_spec *const spec = s->base.spec;
    bool stored = s->has_ctid && !spec->where_sql;
    for (size_t i = 0; i < spec->column_count; i++)
        stored = stored && !spec->columns[i].sql;
    return stored;
}

static bst_status pg_mark(bst_source *source, const char *const *bounds, size_t count,
                          const bst_marks *before, bst_arena *arena, bst_marks *ret,
                          bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    bst_strbuf key = BST_STRBUF_INIT, from = BST_STRBUF_INIT;
    bst_strbuf_addc(&key, '(');
    bst__pg_add_joined_key(s, &key);
    bst_strbuf_adds(&key, ") COLLATE \"C\"");
    bst_strbuf_addf(&from, "%s t", s->table.text);
    const bst_pg_chunks chunks = {from.text, key.text, count, bounds};
    bst_status status = key.failed || from.failed ? bst_diag_nomem(diags) : BST_OK;
    if (status == BST_OK && is_stored(s))
        status = bst_pg_stamp(s->pg, s->table.text, arena, &ret->stamp, diags);
    if (status == BST_OK && ret->stamp)
        status = bst_pg_marks(s->pg, &chunks, before, arena, ret, diags);
    else if (status == BST_OK)
        status = digest(s, &chunks, arena, ret->marks, diags);
    bst_strbuf_release(&key);
    bst_strbuf_release(&from);
    return status;
}

/* ---- in chunks */

static bst_status pg_moment(bst_source *source, bst_source_moment *ret, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        s->pg,
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
        " ELSE pg_catalog.pg_current_wal_lsn() END::text, pg_catalog.now()::text",
        0, NULL, &rows, diags);
    if (status == BST_OK) {
        const char *const lsn = bst_pg_rows_text(rows, 0, 0);
        *ret = (bst_source_moment){.snapshot = s->snapshot,
                                   .lsn = lsn ? bst_arena_strdup(s->texts, lsn) : NULL,
                                   .taken_at =
                                       bst_arena_strdup(s->texts, bst_pg_rows_text(rows, 0, 1))};
        if (!ret->taken_at || (lsn && !ret->lsn))
            status = bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status pg_select(bst_source *source, const char *bounds, bst_diags *diags) {
    start_over((bst__pg_source *)source);
    return bst__pg_select((bst__pg_source *)source, bounds, diags);
}

static const struct bst__source_ops pg_ops = {.next = pg_next,
                                              .original = bst__pg_original,
                                              .note = bst__pg_note,
                                              .originals = bst__pg_originals,
                                              .expected = pg_expected,
                                              .progress = pg_progress,
                                              .column_count = pg_column_count,
                                              .column_name = pg_column_name,
                                              .free = pg_free,
                                              .keep = pg_keep,
                                              .mark = pg_mark,
                                              .split = bst__pg_split,
                                              .one_reader = bst__pg_one_reader,
                                              .select = pg_select,
                                              .identity = bst__pg_identity,
                                              .moment = pg_moment};

static bst_status export_snapshot(bst__pg_source *s, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status =
        bst_pg_query(s->pg, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &rows, diags);
    if (status == BST_OK) {
        s->snapshot = strdup(bst__pg_single(rows, 0));
        if (!s->snapshot)
            status = bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status begin(bst__pg_source *s, const char *snapshot, bst_diags *diags) {
    bst_status status = bst__pg_session(s, &s->pg, diags);
    if (status == BST_OK)
        status = bst__pg_begin(s->pg, snapshot, diags);
    if (status != BST_OK)
        return status;
    if (!snapshot)
        return export_snapshot(s, diags);
    s->snapshot = strdup(snapshot);
    return s->snapshot ? BST_OK : bst_diag_nomem(diags);
}

static bool is_int_type(const char *type) {
    return strcmp(type, "pg_catalog.int8") == 0 || strcmp(type, "pg_catalog.int4") == 0 ||
           strcmp(type, "pg_catalog.int2") == 0;
}

bst_status bst__source_pg_open(const char *conninfo, const bst_source_spec *spec,
                               const char *snapshot, bst_source **ret, bst_diags *diags) {
    bst__pg_source *s = calloc(1, sizeof *s);
    bst_status status = BST_OK;

    if (!s)
        return bst_diag_nomem(diags);
    s->base = (bst_source){.ops = &pg_ops, .spec = spec, .label = conninfo};
    bst_strbuf_init(&s->table);
    bst_strbuf_init(&s->label);
    bst_strbuf_init(&s->condition);
    s->conninfo = strdup(conninfo);
    s->wires = calloc(spec->column_count + 1, sizeof *s->wires);
    s->cells = calloc(spec->column_count + 1, sizeof *s->cells);
    s->arena = bst_arena_new();
    s->texts = bst_arena_new();
    if (!s->conninfo || !s->wires || !s->cells || !s->arena || !s->texts)
        status = bst_diag_nomem(diags);
    if (status == BST_OK)
        status = begin(s, snapshot, diags);
    if (status == BST_OK)
        status = bst__pg_table_find(s, diags);
    if (status == BST_OK)
        status = bst__pg_table_columns(s, diags);
    if (status == BST_OK)
        status = bst__pg_key_find(s, diags);
    if (status == BST_OK && !snapshot) /* once a run */
        status = bst__pg_logs_check(s, diags);
    if (status != BST_OK) {
        bst_source_free(&s->base);
        return status;
    }
    s->ordered = spec->ordered || !s->unique;
    s->has_scope = spec->where_sql != NULL;
    s->by_key = bst__pg_key_is_found(s);
    s->key_is_int = spec->key_count == 1 && s->keys && is_int_type(s->keys[0].type);
    *ret = &s->base;
    return BST_OK;
}
