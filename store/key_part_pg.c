/* Parts of all keys, in SQL. */
#include "backstory/pg.h"

static void add_bound(bst_pg *pg, const char *key, const char *operation, const char *bound,
                      bst_strbuf *out) {
    bst_strbuf_addf(out, " AND %s %s ", key, operation);
    if (!bst_pg_add_literal(pg, bound, out))
        out->failed = true;
}

void bst_pg_add_key_part(bst_pg *pg, const bst_key_part *part, const char *key, bst_strbuf *out) {
    bst_strbuf_adds(out, "true");
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
