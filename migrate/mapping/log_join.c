/* A log beside a row is one more column: in PostgreSQL a sub-query that makes JSON of the entity's
 * rows, in files what migrate/source/log.c makes of the two.
 */
#include "mapping_private.h"

#include <string.h>

static void add_name(const char *name, size_t len, bst_strbuf *out) {
    bst_strbuf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        bst_strbuf_adds(out, name[i] == '"' ? "\"" : "");
        bst_strbuf_addc(out, name[i]);
    }
    bst_strbuf_addc(out, '"');
}

/* Without a schema it is in public, as everywhere. */
static void add_table(const char *table, bst_strbuf *out) {
    const char *const dot = strchr(table, '.');
    add_name(dot ? table : "public", dot ? (size_t)(dot - table) : strlen("public"), out);
    bst_strbuf_addc(out, '.');
    table = dot ? dot + 1 : table;
    add_name(table, strlen(table), out);
}

static void add_column(const bst_log *log, uint32_t column, bst_strbuf *out) {
    const bst_source_column *const of = column == BST_NONE ? NULL : &log->source.columns[column];
    if (!of) {
        bst_strbuf_adds(out, "NULL");
    } else if (of->sql) {
        bst_strbuf_addf(out, "(%s)", of->sql);
    } else {
        bst_strbuf_adds(out, "l.");
        add_name(of->name, strlen(of->name), out);
    }
}

static void add_order(const bst_log *log, bst_strbuf *out) {
    for (uint32_t i = 0; i < log->order_count; i++) {
        add_column(log, log->order[i], out);
        bst_strbuf_adds(out, ", ");
    }
    add_column(log, log->at, out);
    bst_strbuf_adds(out, ", ");
    add_column(log, log->to, out);
}

static void add_entity(const bst_log *log, const char *const *key, bst_strbuf *out) {
    for (uint32_t i = 0; i < log->entity_count; i++) {
        const bst_log_entity *const part = &log->entity[i];
        bst_strbuf_adds(out, i > 0 ? " AND " : "");
        if (part->sql) {
            bst_strbuf_addf(out, "(%s)::text = t.", part->sql);
            add_name(key[i], strlen(key[i]), out);
            bst_strbuf_adds(out, "::text");
        } else {
            bst_strbuf_adds(out, "l.");
            add_name(part->name, strlen(part->name), out);
            bst_strbuf_adds(out, " = t.");
            add_name(key[i], strlen(key[i]), out);
        }
    }
}

/* The rows of the log of the row `t`, as JSON. */
static void add_query(const bst_log *log, const char *const *key, bst_strbuf *out) {
    bst_strbuf_adds(out, "SELECT pg_catalog.json_agg(pg_catalog.json_build_array(");
    add_column(log, log->to, out);
    bst_strbuf_adds(out, "::text, ");
    add_column(log, log->at, out);
    bst_strbuf_adds(out, "::text, ");
    add_column(log, log->event, out);
    bst_strbuf_adds(out, "::text");
    if (log->region != BST_NONE) {
        bst_strbuf_adds(out, ", ");
        add_column(log, log->region, out);
        bst_strbuf_adds(out, "::text");
    }
    bst_strbuf_adds(out, ") ORDER BY ");
    add_order(log, out);
    bst_strbuf_adds(out, ")::text FROM ");
    add_table(log->source.table, out);
    bst_strbuf_adds(out, " l WHERE ");
    add_entity(log, key, out);
    bst_strbuf_adds(out, " AND coalesce(");
    add_column(log, log->to, out);
    bst_strbuf_adds(out, "::text, ");
    add_column(log, log->event, out);
    bst_strbuf_adds(out, "::text) IS NOT NULL");
    if (log->source.where_sql)
        bst_strbuf_addf(out, " AND (%s)", log->source.where_sql);
}

/* The last part of the table's name: what the column is called. */
static const char *short_name(const char *table) {
    const char *const dot = strrchr(table, '.');
    return dot ? dot + 1 : table;
}

void bst__map_log_join(bst__map *map, bst_log *log) {
    bst_strbuf sql = BST_STRBUF_INIT;
    const bst_source_spec *const rows = &map->mapping->source;
    if (map->status != BST_OK || rows->key_count == 0 || log->entity_count != rows->key_count)
        return;
    add_query(log, rows->key, &sql);
    const char *const kept = sql.failed ? NULL : bst_arena_strdup(map->arena, sql.text);
    bst_strbuf_release(&sql);
    if (!kept)
        bst__map_nomem(map);
    log->joined = (bst_source_column){.name = short_name(log->source.table),
                                      .sql = kept,
                                      .type = {.kind = BST_KIND_TEXT, .optional = true},
                                      .log = log};
    if (kept && log->evidence)
        log->cell = bst__map_add_column(map, &log->joined);
}
