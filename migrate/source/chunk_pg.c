/* Reading one chunk of the legacy table. Bounds are JSON, so that they can wait in the store for a
 * later run:
 *
 *     {}                                   all rows
 *     {"from": ["5", "a"], "to": ["9"]}    keys from, and below; either may be missing
 *     {"from": [{"bytes": "e961"}]}        the same, of bytes that are no text
 *     {"null": true}                       rows whose key has a NULL
 *     {"pages": [0, 512]}                  rows that lie in these pages; null: to the end (such
 *                                          bounds mean something in one snapshot only)
 *
 * cut_pg.c makes them.
 */

#include <string.h>

#include <jansson.h>

#include "source_pg_private.h"

/* The columns of the key as they are compared, with commas between. */
static void add_key_list(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        bst_strbuf_adds(out, i ? ", " : "");
        bst__pg_add_key_column(s, &s->keys[i], out);
    }
}

void bst__pg_add_not_null(bst__pg_source *s, bst_strbuf *out) {
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        if (s->keys[i].not_null)
            continue;
        bst_strbuf_adds(out, out->len ? " AND t." : "t.");
        bst__pg_add_quoted(s, s->keys[i].name, out);
        bst_strbuf_adds(out, " IS NOT NULL");
    }
}

static bst_status bad_bounds(const char *bounds, bst_diags *diags) {
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "bad-chunk", NULL,
                        "the store says of a chunk what no reader can have written: %.200s",
                        bounds);
}

/* One part of a bound. A literal takes the type of what it is compared with; bytes that are no text
 * come in a way that keeps them. */
static bool add_part(bst__pg_source *s, const bst__key_column *key, const json_t *part,
                     bst_strbuf *out) {
    const char *const text = json_string_value(part);
    const char *const hex = json_string_value(json_object_get(part, "bytes"));
    if (text) {
        out->failed = !bst_pg_add_literal(s->pg, text, out) || out->failed;
        return true;
    }
    if (!hex || strspn(hex, "0123456789abcdef") != strlen(hex))
        return false;
    bst_strbuf_addf(out, "pg_catalog.convert_from(decode('%s', 'hex'), 'SQL_ASCII')::%s", hex,
                    key->as_text ? "text" : key->type);
    return true;
}

/* `(t."a", t."b") >= ('5', 'a')`; nothing when there is no such bound. */
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
        bst_strbuf_adds(out, i ? ", " : "");
        if (!add_part(s, &s->keys[i], json_array_get(key, i), out))
            return false;
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
        bst__pg_add_not_null(s, out);
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
