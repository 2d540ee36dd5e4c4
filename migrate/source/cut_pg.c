/* Cutting the legacy table into chunks: the bounds that chunk_pg.c reads by.
 *
 * Where to cut is told by a sample of its pages, the same each time, so that a large table is not
 * read for it. The sample says how many rows there are, too: statistics may be old, or none.
 * Chunks need not be equal; what matters is that each key lies in just one, and that follows from
 * the bounds alone, as long as they are compared in one order. Text is compared in the order of the
 * index that finds the range (key_pg.c); a run that is gone on with after that order has changed is
 * refused (identity_pg.c).
 *
 * Without an index every range is a scan of the table, so there are few. Keys that are scattered
 * over the table, as random UUIDs are, make a range touch most of its pages, so there are few as
 * well. How often each page would be read is told by the sample: by how many rows of a page, on
 * average, one chunk takes.
 *
 * A view has no pages, and a range of it may cost as much as all of it: it is one chunk. What lies
 * on another server is a chunk, too, but for integers: they are cut in equal spans.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "source_pg_private.h"

#define CHUNKS_WITHOUT_INDEX 8u
#define CHUNKS_OF_SCATTERED  32u /* and so often at most a page is read */
#define SAMPLE_PAGES         400u
#define SAMPLE_PAGES_A_CHUNK 16u
#define SAMPLE_PAGES_FREE    4000u   /* more than that are one in 20 of all at most, */
#define SAMPLE_SHARE         20u     /* however small chunks are */
#define SAMPLE_ROWS          200000u /* about; what it takes to sort them follows */
#define SAMPLE_MEMORY        "64MB"
#define MILLION              1000000u

typedef struct shape {
    uint64_t pages; /* of all its parts */
    uint64_t rows;  /* as the server thinks */
} shape;

/* How to look at a part of it. */
typedef struct sampling {
    uint64_t ppm;  /* of the pages, in millionths */
    uint64_t thin; /* of their rows one in so many */
} sampling;

static bst_status measure(bst__pg_source *s, shape *ret, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {s->oid};
    /* Where nothing is known of the table yet a page has 50 rows. */
    const bst_status status = bst_pg_query(
        s->pg,
        "WITH RECURSIVE part AS (SELECT $1::oid AS oid"
        "  UNION SELECT h.inhrelid FROM part JOIN pg_catalog.pg_inherits h ON h.inhparent = oid)"
        "SELECT sum(pages)::bigint, (sum(pages) * coalesce(sum(c.reltuples)"
        "   FILTER (WHERE known) / sum(c.relpages) FILTER (WHERE known), 50))::bigint"
        " FROM part JOIN pg_catalog.pg_class c USING (oid)"
        "  CROSS JOIN LATERAL (SELECT c.relpages > 0 AND c.reltuples >= 0 AS known,"
        "   coalesce(pg_catalog.pg_relation_size(oid), 0)"
        "    / pg_catalog.current_setting('block_size')::bigint AS pages) x",
        1, params, &rows, diags);
    if (status == BST_OK) {
        ret->pages = strtoull(bst_pg_rows_text(rows, 0, 0), NULL, 10);
        ret->rows = strtoull(bst_pg_rows_text(rows, 0, 1), NULL, 10);
    }
    bst_pg_rows_free(rows);
    return status;
}

static sampling plan(const shape *table, uint64_t chunk_rows) {
    const uint64_t share = table->pages / SAMPLE_SHARE;
    const uint64_t most = share > SAMPLE_PAGES_FREE ? share : SAMPLE_PAGES_FREE;
    const uint64_t wanted = SAMPLE_PAGES + table->rows / chunk_rows * SAMPLE_PAGES_A_CHUNK;
    const uint64_t pages = wanted < most ? wanted : most;
    if (pages >= table->pages)
        return (sampling){MILLION, table->rows / SAMPLE_ROWS + 1};
    return (sampling){pages * MILLION / table->pages + 1,
                      table->rows / table->pages * pages / SAMPLE_ROWS + 1};
}

/* The rows of the sample: the key as k0, k1, ..., and in which page one lies. */
static void add_sample(bst__pg_source *s, const sampling *how, bst_strbuf *out) {
    const size_t width = s->base.spec->key_count;
    bst_strbuf given = BST_STRBUF_INIT;
    bst_strbuf_adds(out, "SELECT ");
    for (size_t i = 0; i < width; i++) {
        bst__pg_add_key_column(s, &s->keys[i], out);
        bst_strbuf_addf(out, " AS k%zu, ", i);
    }
    bst_strbuf_addf(
        out, "%s AS block FROM %s t TABLESAMPLE SYSTEM (%" PRIu64 ".%04" PRIu64 ") REPEATABLE (1)",
        s->has_ctid ? "t.tableoid AS leaf, pg_catalog.substr(pg_catalog.tidsend(t.ctid), 1, 4)"
                    : "NULL::oid AS leaf, NULL::bytea",
        s->table.text, how->ppm / 10000, how->ppm % 10000);
    bst__pg_add_not_null(s, &given);
    bst_strbuf_addf(out, " WHERE %s", given.len > 0 ? given.text : "true");
    if (how->thin > 1) {
        bst_strbuf_adds(out, " AND hashtext(concat_ws('/'");
        for (size_t i = 0; i < width; i++) {
            bst_strbuf_adds(out, ", t.");
            bst__pg_add_quoted(s, s->keys[i].name, out);
        }
        bst_strbuf_addf(out, ") COLLATE \"C\") %% %" PRIu64 " = 0", how->thin);
    }
    out->failed = out->failed || given.failed;
    bst_strbuf_release(&given);
}

/* "k0::text, k1::text" */
static void add_numbered(size_t width, const char *after, bst_strbuf *out) {
    for (size_t i = 0; i < width; i++)
        bst_strbuf_addf(out, "%sk%zu%s", i ? ", " : "", i, after);
}

/* The keys at which the parts of the sample end, in order; each with the rows of the whole table.
 * How many parts there are is told by the sample as well. A row of a thinned sample has the more
 * company in its page than it shows. */
static void add_ends(bst__pg_source *s, const bst_source_cut *cut, const shape *table,
                     bst_strbuf *out) {
    const size_t width = s->base.spec->key_count;
    const sampling how = plan(table, cut->rows);
    const unsigned most = !s->indexed    ? CHUNKS_WITHOUT_INDEX
                          : !s->has_ctid ? CHUNKS_OF_SCATTERED
                                         : INT32_MAX;
    bst_strbuf_adds(out, "WITH ordered AS (SELECT *, row_number() OVER (ORDER BY ");
    add_numbered(width, "", out);
    bst_strbuf_adds(out, ") AS n FROM (");
    add_sample(s, &how, out);
    bst_strbuf_addf(out,
                    ") seen), counted AS (SELECT count(*) AS c, count(*) * %" PRIu64 " / %" PRIu64
                    " AS all_rows FROM ordered),"
                    " wanted AS (SELECT *, least(%u, (all_rows + %" PRIu64 ") / %" PRIu64
                    ") AS parts FROM counted),"
                    " touched AS (SELECT DISTINCT (n - 1) * parts / c, leaf, block"
                    "  FROM ordered, wanted),"
                    " reads AS (SELECT all_rows / greatest(%" PRIu64 ", 1)::float8"
                    "  / (1 + (c / nullif(count(*), 0)::float8 - 1) * %" PRIu64
                    ") AS each FROM touched, wanted GROUP BY all_rows, c),"
                    " cut AS (SELECT *, CASE WHEN each > %u THEN least(parts, %u) ELSE parts END"
                    "  AS cuts FROM wanted, reads) SELECT ",
                    MILLION * how.thin, how.ppm, most, cut->rows - 1, cut->rows, table->pages,
                    how.thin, CHUNKS_OF_SCATTERED, CHUNKS_OF_SCATTERED);
    add_numbered(width, "::text", out);
    bst_strbuf_adds(out,
                    ", all_rows FROM ordered, cut WHERE n < c AND n * cuts / c > (n - 1) * cuts / c"
                    " ORDER BY n");
}

static bst_status sample(bst__pg_source *s, const bst_source_cut *cut, const shape *table,
                         bst_pg_rows **ret, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_status status = bst_pg_exec(s->pg, "SET LOCAL work_mem = '" SAMPLE_MEMORY "'", diags);
    add_ends(s, cut, table, &sql);
    if (status == BST_OK)
        status =
            sql.failed ? bst_diag_nomem(diags) : bst_pg_query(s->pg, sql.text, 0, NULL, ret, diags);
    bst_strbuf_release(&sql);
    return status;
}

/* The bounds as they are gathered. */
typedef struct bound_list {
    bst_arena *arena;
    const char **texts;
    size_t count;
    bool failed;
} bound_list;

static void list_begin(bound_list *list, bst_arena *arena, uint64_t most) {
    *list = (bound_list){.arena = arena,
                         .texts = bst_arena_array(arena, (size_t)most, sizeof *list->texts)};
    list->failed = !list->texts;
}

static void add_bounds(bound_list *list, bst_strbuf *text) {
    char *const kept =
        list->failed || text->failed ? NULL : bst_arena_strdup(list->arena, text->text);
    list->failed = list->failed || !kept;
    if (!list->failed)
        list->texts[list->count++] = kept;
    bst_strbuf_clear(text);
}

/* A database without an encoding may hold bytes that are no text, which JSON cannot say. */
static void add_part(const char *part, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_add_utf8(&text, part, strlen(part));
    if (text.failed || strcmp(text.text, part) == 0) {
        bst_strbuf_add_json(out, part, strlen(part));
    } else {
        bst_strbuf_adds(out, "{\"bytes\":\"");
        for (const char *at = part; *at; at++)
            bst_strbuf_addf(out, "%02x", (unsigned char)*at);
        bst_strbuf_adds(out, "\"}");
    }
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

static void add_key(const char *name, const bst_pg_rows *rows, size_t row, size_t width,
                    bst_strbuf *out) {
    bst_strbuf_addf(out, "%s\"%s\":[", out->len > 1 ? "," : "", name);
    for (size_t i = 0; i < width; i++) {
        bst_strbuf_adds(out, i ? "," : "");
        add_part(bst_pg_rows_text(rows, row, i), out);
    }
    bst_strbuf_addc(out, ']');
}

static bool is_same_row(const bst_pg_rows *rows, size_t a, size_t b, size_t width) {
    for (size_t i = 0; i < width; i++) {
        if (strcmp(bst_pg_rows_text(rows, a, i), bst_pg_rows_text(rows, b, i)) != 0)
            return false;
    }
    return true;
}

/* Rows whose key has a NULL. What another server says of its columns need not hold. */
static void add_nulls(const bst__pg_source *s, bound_list *list, bst_strbuf *text) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (s->keys[i].not_null)
            continue;
        bst_strbuf_adds(text, "{\"null\":true}");
        add_bounds(list, text);
        return;
    }
}

/* Between each two of the keys, below the first, and from the last on. */
static void cut_by_key(const bst__pg_source *s, const bst_pg_rows *rows, bound_list *list) {
    const size_t width = s->base.spec->key_count, count = bst_pg_rows_count(rows);
    bst_strbuf text = BST_STRBUF_INIT;
    size_t from = count; /* none yet */
    for (size_t i = 0; i <= count; i++) {
        if (i < count && from < count && is_same_row(rows, from, i, width))
            continue; /* a key that fills more than a chunk */
        bst_strbuf_addc(&text, '{');
        if (from < count)
            add_key("from", rows, from, width, &text);
        if (i < count)
            add_key("to", rows, i, width, &text);
        bst_strbuf_addc(&text, '}');
        add_bounds(list, &text);
        from = i;
    }
    if (count > 0)
        add_nulls(s, list, &text);
    bst_strbuf_release(&text);
}

static void cut_by_pages(const shape *table, uint64_t count, bound_list *list) {
    const uint64_t step = (table->pages + count - 1) / count;
    bst_strbuf text = BST_STRBUF_INIT;
    for (uint64_t page = 0; page < table->pages; page += step) {
        if (page + step < table->pages)
            bst_strbuf_addf(&text, "{\"pages\":[%" PRIu64 ",%" PRIu64 "]}", page, page + step);
        else
            bst_strbuf_addf(&text, "{\"pages\":[%" PRIu64 ",null]}", page);
        add_bounds(list, &text);
    }
    bst_strbuf_release(&text);
}

static void cut_not(bound_list *list) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "{}");
    add_bounds(list, &text);
    bst_strbuf_release(&text);
}

static bst_status split_by_pages(bst__pg_source *s, const bst_source_cut *cut, bst_arena *arena,
                                 bound_list *list, bst_diags *diags) {
    shape table = {0};
    const bst_status status = measure(s, &table, diags);
    if (status != BST_OK)
        return status;
    const uint64_t count = (table.rows + cut->rows - 1) / cut->rows;
    list_begin(list, arena, count + 2);
    if (count < 2 || table.pages == 0)
        cut_not(list);
    else
        cut_by_pages(&table, count, list);
    return BST_OK;
}

static bst_status split_by_key(bst__pg_source *s, const bst_source_cut *cut, bst_arena *arena,
                               bound_list *list, bst_diags *diags) {
    shape table = {0};
    bst_pg_rows *rows = NULL;
    bst_status status = measure(s, &table, diags);
    if (status == BST_OK)
        status = sample(s, cut, &table, &rows, diags);
    if (status == BST_OK) {
        const size_t count = bst_pg_rows_count(rows);
        list_begin(list, arena, count + 2);
        cut_by_key(s, rows, list);
        if (count > 0)
            s->expected = strtoull(bst_pg_rows_text(rows, 0, s->base.spec->key_count), NULL, 10);
    }
    bst_pg_rows_free(rows);
    return status;
}

/* Equal spans from the lowest to the highest, by a series in the server. */
static bst_status split_by_span(bst__pg_source *s, const bst_source_cut *cut, bst_arena *arena,
                                bound_list *list, bst_diags *diags) {
    const uint64_t wanted = (s->expected + cut->rows - 1) / cut->rows;
    const unsigned count =
        s->expected == 0 || wanted > CHUNKS_WITHOUT_INDEX ? CHUNKS_WITHOUT_INDEX : (unsigned)wanted;
    bst_strbuf sql = BST_STRBUF_INIT, key = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst__pg_add_key_column(s, &s->keys[0], &key);
    bst_strbuf_addf(&sql,
                    "SELECT trunc(low + (high - low) * n / %u)::bigint FROM"
                    " (SELECT min(%s)::numeric AS low, max(%s)::numeric AS high FROM %s t) x,"
                    " generate_series(1, %u - 1) n WHERE high - low >= %u ORDER BY n",
                    count, key.text, key.text, s->table.text, count, count);
    const bst_status status = sql.failed || key.failed
                                  ? bst_diag_nomem(diags)
                                  : bst_pg_query(s->pg, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK) {
        list_begin(list, arena, bst_pg_rows_count(rows) + 2);
        cut_by_key(s, rows, list);
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    bst_strbuf_release(&key);
    return status;
}

/* Each session has a moment of its own on another server. */
const char *bst__pg_one_reader(const bst_source *source) {
    const bst__pg_kind kind = ((const bst__pg_source *)source)->kind;
    return kind == BST__VIEW      ? "a view"
           : kind == BST__FOREIGN ? "on another server, or a part of it is"
                                  : NULL;
}

bst_status bst__pg_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                         const char *const **ret, size_t *ret_count, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    bound_list list = {0};
    bst_status status = BST_OK;
    if (!s->keys || s->kind == BST__VIEW || (s->kind == BST__FOREIGN && !s->key_is_int)) {
        list_begin(&list, arena, 1);
        cut_not(&list);
    } else if (s->kind == BST__FOREIGN) {
        status = split_by_span(s, cut, arena, &list, diags);
    } else if (cut->by_place && s->unique && s->plain && s->has_ctid) {
        status = split_by_pages(s, cut, arena, &list, diags);
    } else {
        status = split_by_key(s, cut, arena, &list, diags);
    }
    if (status == BST_OK && list.failed)
        status = bst_diag_nomem(diags);
    *ret = list.texts;
    *ret_count = list.count;
    return status;
}
