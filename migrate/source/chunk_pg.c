/* Cutting the legacy table into chunks, and reading one.
 *
 * Bounds are JSON, so that they can wait in the store for a later run:
 *
 *     {}                                   all rows
 *     {"from": ["5", "a"], "to": ["9"]}    keys from, and below; either may be missing
 *     {"null": true}                       rows whose key has a NULL
 *     {"pages": [0, 512]}                  rows that lie in these pages; null: to the end (such
 *                                          bounds mean something in one snapshot only)
 *
 * Where to cut is told by a sample of the table, the same each time. Chunks need not be equal; what
 * matters is that each key lies in just one, and that follows from the bounds alone, as long as
 * they are compared in one order. Text is compared in the order of the index that finds the range
 * (key_pg.c); a run that is gone on with after that order has changed is refused (identity_pg.c).
 * Without an index text is compared as bytes, and every range is a scan of the table, so there are
 * few. A range of keys that are scattered over the table, as random UUIDs are, touches most of its
 * pages, so there are few as well.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "source_pg_private.h"

#define CHUNKS_WITHOUT_INDEX 8u
#define CHUNKS_OF_SCATTERED  32u
#define SAMPLE_PAGES         400u /* and one in 200 of a large table */
#define SCATTERED            0.5  /* correlation of keys and places below this */
#define ROWS_A_PAGE          50u  /* where the server knows nothing of the table yet */

/* ---- cutting */

typedef struct shape {
    uint64_t pages, rows;
    bool scattered;
} shape;

static bst_status measure(bst__pg_source *s, shape *ret, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {s->oid, s->keys[0].name};
    const bst_status status = bst_pg_query(
        s->pg,
        "SELECT coalesce(sum(pg_catalog.pg_relation_size(t.relid)), 0)::bigint"
        "   / pg_catalog.current_setting('block_size')::bigint,"
        " (SELECT abs(correlation) FROM pg_catalog.pg_stats p JOIN pg_catalog.pg_class c"
        "   ON c.relname = p.tablename JOIN pg_catalog.pg_namespace n"
        "   ON n.oid = c.relnamespace AND n.nspname = p.schemaname"
        "  WHERE c.oid = $1::oid AND p.attname = $2 LIMIT 1)"
        " FROM (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid) WHERE isleaf"
        "  UNION SELECT $1::oid) t",
        2, params, &rows, diags);
    if (status == BST_OK) {
        const char *const correlation = bst_pg_rows_text(rows, 0, 1);
        ret->pages = strtoull(bst_pg_rows_text(rows, 0, 0), NULL, 10);
        ret->rows = s->expected > 0 ? s->expected : ret->pages * ROWS_A_PAGE;
        ret->scattered = correlation && strtod(correlation, NULL) < SCATTERED;
    }
    bst_pg_rows_free(rows);
    return status;
}

static uint64_t chunk_count(const bst__pg_source *s, const bst_source_cut *cut,
                            const shape *table) {
    uint64_t count = (table->rows + cut->rows - 1) / cut->rows;
    if (!s->indexed && count > CHUNKS_WITHOUT_INDEX)
        count = CHUNKS_WITHOUT_INDEX;
    if (table->scattered && count > CHUNKS_OF_SCATTERED)
        count = CHUNKS_OF_SCATTERED;
    return count;
}

static void add_key_texts(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        bst_strbuf_adds(out, i ? ", t." : "t.");
        bst__pg_add_quoted(s, s->keys[i].name, out);
        bst_strbuf_adds(out, "::text");
    }
}

static void add_key_list(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        bst_strbuf_adds(out, i ? ", " : "");
        bst__pg_add_key_column(s, &s->keys[i], out);
    }
}

static bool add_not_null(bst__pg_source *s, bst_strbuf *out) {
    bool any = false;
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (s->keys[i].not_null)
            continue;
        bst_strbuf_adds(out, any || out->len ? " AND t." : "t.");
        bst__pg_add_quoted(s, s->keys[i].name, out);
        bst_strbuf_adds(out, " IS NOT NULL");
        any = true;
    }
    return any;
}

/* The keys at which `count` parts of the sample end, in order. */
static bst_status sample(bst__pg_source *s, const shape *table, uint64_t count, bst_pg_rows **ret,
                         bst_diags *diags) {
    const uint64_t wanted = SAMPLE_PAGES + table->pages / 200;
    const uint64_t percent = wanted >= table->pages ? 100 : wanted * 100 / table->pages + 1;
    bst_strbuf sql = BST_STRBUF_INIT, given = BST_STRBUF_INIT;
    add_not_null(s, &given);
    bst_strbuf_adds(&sql, "SELECT ");
    for (size_t i = 0; i < s->base.spec->key_count; i++)
        bst_strbuf_addf(&sql, "%sk[%zu]", i ? ", " : "", i + 1);
    bst_strbuf_adds(&sql, " FROM (SELECT ARRAY[");
    add_key_texts(s, &sql);
    bst_strbuf_adds(&sql, "] AS k, row_number() OVER (ORDER BY ");
    add_key_list(s, &sql);
    bst_strbuf_addf(&sql,
                    ") AS n, count(*) OVER () AS c FROM %s t TABLESAMPLE SYSTEM (%" PRIu64
                    ") REPEATABLE (1) WHERE %s) x"
                    " WHERE n < c AND n * %" PRIu64 " / c > (n - 1) * %" PRIu64 " / c ORDER BY n",
                    s->table.text, percent, given.len ? given.text : "true", count, count);
    const bst_status status = sql.failed || given.failed
                                  ? bst_diag_nomem(diags)
                                  : bst_pg_query(s->pg, sql.text, 0, NULL, ret, diags);
    bst_strbuf_release(&sql);
    bst_strbuf_release(&given);
    return status;
}

/* The bounds as they are gathered. */
typedef struct bound_list {
    bst_arena *arena;
    const char **texts;
    size_t count;
    bool failed;
} bound_list;

static void add_bounds(bound_list *list, bst_strbuf *text) {
    char *const kept = text->failed ? NULL : bst_arena_strdup(list->arena, text->text);
    list->failed = list->failed || !kept;
    list->texts[list->count++] = kept;
    bst_strbuf_clear(text);
}

static void add_key(const char *name, const bst_pg_rows *rows, size_t row, size_t width,
                    bst_strbuf *out) {
    bst_strbuf_addf(out, "%s\"%s\":[", out->len > 1 ? "," : "", name);
    for (size_t i = 0; i < width; i++) {
        const char *const part = bst_pg_rows_text(rows, row, i);
        bst_strbuf_adds(out, i ? "," : "");
        bst_strbuf_add_json(out, part, strlen(part));
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

/* Between each two of the sampled keys, below the first, and from the last on. */
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
    for (size_t i = 0; i < width && count > 0; i++) {
        if (!s->keys[i].not_null) {
            bst_strbuf_adds(&text, "{\"null\":true}");
            add_bounds(list, &text);
            break;
        }
    }
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

static bst_status whole(bst_arena *arena, const char *const **ret, size_t *ret_count,
                        bst_diags *diags) {
    const char **const one = bst_arena_array(arena, 1, sizeof *one);
    if (!one)
        return bst_diag_nomem(diags);
    one[0] = "{}";
    *ret = one;
    *ret_count = 1;
    return BST_OK;
}

bst_status bst__pg_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                         const char *const **ret, size_t *ret_count, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    shape table = {0};
    bst_pg_rows *rows = NULL;
    if (!s->has_ctid || !s->sortable)
        return whole(arena, ret, ret_count, diags);
    bst_status status = measure(s, &table, diags);
    const uint64_t count = status == BST_OK ? chunk_count(s, cut, &table) : 0;
    const bool by_pages = cut->by_place && s->unique && s->plain;
    if (status != BST_OK)
        return status;
    if (count < 2)
        return whole(arena, ret, ret_count, diags);
    if (!by_pages)
        status = sample(s, &table, count, &rows, diags);
    bound_list list = {.arena = arena,
                       .texts = bst_arena_array(arena, (size_t)count + 2, sizeof *list.texts)};
    if (status == BST_OK && !list.texts)
        status = bst_diag_nomem(diags);
    if (status == BST_OK && by_pages)
        cut_by_pages(&table, count, &list);
    else if (status == BST_OK)
        cut_by_key(s, rows, &list);
    bst_pg_rows_free(rows);
    if (status == BST_OK && list.failed)
        status = bst_diag_nomem(diags);
    *ret = list.texts;
    *ret_count = list.count;
    return status;
}

/* ---- one chunk */

static bst_status bad_bounds(const char *bounds, bst_diags *diags) {
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "bad-chunk", NULL,
                        "the store says of a chunk what no reader can have written: %.200s",
                        bounds);
}

/* `(t."a", t."b") >= ('5'::t1, 'a'::t2)`; nothing when there is no such bound. */
static bool add_comparison(bst__pg_source *s, const json_t *key, const char *operator,
                           bst_strbuf * out) {
    const size_t width = s->base.spec->key_count;
    if (!key)
        return true;
    if (json_array_size(key) != width)
        return false;
    bst_strbuf_adds(out, out->len ? " AND (" : "(");
    add_key_list(s, out);
    bst_strbuf_addf(out, ") %s (", operator);
    for (size_t i = 0; i < width; i++) {
        const char *const part = json_string_value(json_array_get(key, i));
        if (!part)
            return false;
        bst_strbuf_adds(out, i ? ", " : "");
        if (!bst_pg_add_literal(s->pg, part, out))
            out->failed = true;
        bst_strbuf_addf(out, "::%s", s->keys[i].type);
    }
    bst_strbuf_addc(out, ')');
    return true;
}

static bool add_pages(const json_t *pages, bst_strbuf *out) {
    const json_t *const to = json_array_get(pages, 1);
    if (!json_is_integer(json_array_get(pages, 0)) || !(json_is_integer(to) || json_is_null(to)))
        return false;
    bst_strbuf_addf(out, "t.ctid >= '(%" JSON_INTEGER_FORMAT ",0)'::pg_catalog.tid",
                    json_integer_value(json_array_get(pages, 0)));
    if (json_is_integer(to))
        bst_strbuf_addf(out, " AND t.ctid < '(%" JSON_INTEGER_FORMAT ",0)'::pg_catalog.tid",
                        json_integer_value(to));
    return true;
}

static void add_null(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        bst_strbuf_adds(out, i ? " OR t." : "(t.");
        bst__pg_add_quoted(s, s->keys[i].name, out);
        bst_strbuf_adds(out, " IS NULL");
    }
    bst_strbuf_addc(out, ')');
}

static bool add_range(bst__pg_source *s, const json_t *bounds, bst_strbuf *out) {
    const json_t *const from = json_object_get(bounds, "from");
    const json_t *const to = json_object_get(bounds, "to");
    const bool good = add_comparison(s, from, ">=", out) && add_comparison(s, to, "<", out);
    /* (5, NULL) > (4, 1) holds: rows with a NULL would come twice. */
    if (good && (from || to))
        add_not_null(s, out);
    return good;
}

bst_status bst__pg_select(bst__pg_source *s, const char *bounds, bst_diags *diags) {
    json_t *const json = json_loads(bounds, 0, NULL);
    const json_t *const pages = json_object_get(json, "pages");
    bst_strbuf *const out = &s->condition;
    bool good = json_is_object(json);
    bst_strbuf_clear(out);
    if (good && json_object_size(json) > 0 && !s->keys)
        good = false;
    else if (pages)
        good = add_pages(pages, out);
    else if (json_is_true(json_object_get(json, "null")))
        add_null(s, out);
    else if (good)
        good = add_range(s, json, out);
    json_decref(json);
    if (!good)
        return bad_bounds(bounds, diags);
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}
