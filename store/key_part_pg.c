/* Parts of all keys, in SQL. */
#include "backstory/pg.h"

#include <stdlib.h>

static void add_bound(bst_pg *pg, const char *key, const char *operation, const char *bound,
                      bst_strbuf *out) {
    bst_strbuf_addf(out, " AND %s %s ", key, operation);
    if (!bst_pg_add_literal(pg, bound, out))
        out->failed = true;
}

static void add_ranges(bst_pg *pg, const bst_key_part *part, const char *key, bst_strbuf *out) {
    bst_strbuf_adds(out, " AND (");
    for (size_t i = 0; i < part->range_count; i++) {
        const bst_key_range *const range = &part->ranges[i];
        bst_strbuf_adds(out, i ? " OR true" : "true");
        if (range->from)
            add_bound(pg, key, ">=", range->from, out);
        if (range->before)
            add_bound(pg, key, "<", range->before, out);
    }
    bst_strbuf_addc(out, ')');
}

void bst_pg_add_key_part(bst_pg *pg, const bst_key_part *part, const char *key, bst_strbuf *out) {
    bst_strbuf_adds(out, "true");
    if (part->range_count > 0)
        add_ranges(pg, part, key, out);
    if (part->from)
        add_bound(pg, key, ">=", part->from, out);
    if (part->before)
        add_bound(pg, key, "<", part->before, out);
    if (part->share > 0)
        bst_strbuf_addf(out,
                        " AND ('x' || pg_catalog.substr(pg_catalog.md5('%lu:' || %s), 1, 8))"
                        "::pg_catalog.bit(32)::pg_catalog.int8 < %lu",
                        (unsigned long)part->seed, key, (unsigned long)part->share);
}

void bst_pg_add_key_chunk(bst_pg *pg, const char *const *bounds, size_t count, const char *key,
                          bst_strbuf *out) {
    bst_strbuf_addf(out, "pg_catalog.width_bucket(%s, ARRAY[", key);
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_adds(out, i ? ", " : "");
        if (!bst_pg_add_literal(pg, bounds[i], out))
            out->failed = true;
    }
    bst_strbuf_adds(out, "]::text[] COLLATE \"C\")");
}

bst_status bst_pg_digests(bst_pg *pg, const char *sql, size_t count, bst_arena *arena,
                          const char **ret_digests, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(pg, sql, 0, NULL, &rows, diags);
    for (size_t i = 0; status == BST_OK && i < bst_pg_rows_count(rows); i++) {
        const char *const chunk = bst_pg_rows_text(rows, i, 0);
        const size_t number = chunk ? strtoul(chunk, NULL, 10) : 0; /* no key: with the first */
        const char *const digest = bst_pg_rows_text(rows, i, 1);
        if (number <= count && chunk)
            ret_digests[number] = bst_arena_strdup(arena, digest ? digest : "");
        if (number <= count && chunk && !ret_digests[number])
            status = bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}
