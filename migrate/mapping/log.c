/* "log": the partial history that the legacy system kept itself. A preset knows the columns of a
 * well-known library; what the file says goes before.
 *
 * Beside a row its log is one more column: in PostgreSQL a sub-query that makes JSON of the
 * entity's rows, in files what migrate/source/log.c makes of the two.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* `%s` stands for the column of the state, `%k` for the key; a column that starts with "=" is SQL.
 */
typedef struct preset {
    const char *name, *entity, *to, *at, *order;
    bool versions;
} preset;

static const preset presets[] = {
    {"statesman", NULL, "to_state", "created_at", "sort_key", false},
    {"state_machines-audit_trail", NULL, "to", "created_at", "id", false},
    {"django-fsm-log", "object_id", "state", "timestamp", "id", false},
    {"django-simple-history", "%k", "%s", "history_date", "history_id", true},
    {"paper_trail", "item_id", "=object_changes::jsonb->'%s'->>1", "created_at", "id", false},
    /* hstore: a cast is found without a search path, an operator is not */
    {"audit_trigger", "=row_data::jsonb->>'%k'",
     "=coalesce(changed_fields::jsonb->>'%s', row_data::jsonb->>'%s')", "action_tstamp_clk",
     "event_id", true},
    {"supa_audit", "=record->>'%k'", "=record->>'%s'", "ts", "id", true},
    {"temporal", "%k", "%s", "=lower(sys_period)", NULL, true}};

static const preset *find_preset(bst__map *map, const json_t *log, const bst__map_path *path) {
    static const preset none = {0};
    const json_t *const json = bst__map_get(map, log, path, "preset", JSON_STRING);
    const bst__map_path here = {path, "preset", 0};
    if (!json)
        return &none;
    for (size_t i = 0; i < COUNT(presets); i++) {
        if (strcmp(presets[i].name, json_string_value(json)) == 0)
            return &presets[i];
    }
    const bst_loc where = bst__map_value_at(map, &here);
    bst__map_error(map, &where, "unknown-word", "log preset \"%s\" is not known",
                   json_string_value(json));
    bst__map_did_you_mean(map, json_string_value(json), presets, sizeof *presets, COUNT(presets),
                          "Leave it out, and name the columns: \"to\", \"at\", \"order\".");
    return &none;
}

/* The preset's column as JSON: { "column" } or { "sql" }, with names put in. It lives as long as
 * the mapping, for names are borrowed from it. */
static const json_t *preset_column(bst__map *map, const char *text) {
    bst_strbuf out = BST_STRBUF_INIT;
    const bool sql = *text == '=';
    const bst_source_spec *const rows = &map->mapping->source;
    const char *const key = rows->key_count > 0 ? rows->key[0] : "";
    for (const char *c = text + sql; *c; c++) {
        if (*c == '%')
            bst_strbuf_adds(&out, *++c == 'k' ? key : map->state_name);
        else
            bst_strbuf_addc(&out, *c);
    }
    json_t *const json = json_pack("{s:s}", sql ? "sql" : "column", out.text);
    bst_strbuf_release(&out);
    if (!json || json_array_append_new(map->whole->made, json) != 0) {
        bst__map_nomem(map);
        return NULL;
    }
    return json;
}

/* BST_NONE when the file does not say it and the preset does not know it. */
static uint32_t read_column(bst__map *map, const json_t *log, const bst__map_path *path,
                            const char *key, const char *otherwise, const bst_type *want) {
    const bst__map_path here = {path, key, 0};
    const json_t *json = json_object_get(log, key);
    if (!json && otherwise)
        json = preset_column(map, otherwise);
    return json ? bst__map_plain(map, json, &here, want) : BST_NONE;
}

static void read_order(bst__map *map, const json_t *log, const bst__map_path *path,
                       const char *otherwise, bst_log *ret) {
    static const bst_type number = {.kind = BST_KIND_INT8};
    const json_t *const json = json_object_get(log, "order");
    const bst__map_path here = {path, "order", 0};
    if (!json_is_array(json)) {
        if (json || otherwise)
            ret->order[ret->order_count++] =
                read_column(map, log, path, "order", otherwise, &number);
        return;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        const bst__map_path each = {&here, NULL, i};
        if (i == BST_LOG_ORDER_MAX) {
            const bst_loc where = bst__map_value_at(map, &each);
            bst__map_error(map, &where, "too-many", "a log is in order by %u columns at most",
                           BST_LOG_ORDER_MAX);
            return;
        }
        ret->order[ret->order_count++] =
            bst__map_plain(map, json_array_get(json, i), &each, &number);
    }
}

static const bst_type text_type = {.kind = BST_KIND_TEXT};

/* A column, by its name; or SQL, which is a column of the log then. */
static void read_entity(bst__map *map, const json_t *log, const bst__map_path *path,
                        const char *otherwise, bst_log *ret) {
    const bst__map_path here = {path, "entity", 0};
    const json_t *json = json_object_get(log, "entity");
    if (!json && otherwise)
        json = preset_column(map, otherwise);
    if (!json) {
        bst__map_need(map, log, path, "entity", JSON_STRING);
    } else if (json_is_string(json) && *json_string_value(json) == '\0') {
        const bst_loc where = bst__map_value_at(map, &here);
        bst__map_error(map, &where, "empty-name", "the name of a column is empty");
    } else if (json_is_string(json)) {
        ret->entity = json_string_value(json);
    } else {
        const uint32_t column = bst__map_plain(map, json, &here, &text_type);
        const bst_source_column *const of = column == BST_NONE ? NULL : &map->columns[column];
        ret->entity_is_sql = of && of->sql;
        ret->entity = of && of->sql ? of->sql : of ? of->name : NULL;
    }
}

static void read_columns(bst__map *map, const json_t *log, const bst__map_path *path,
                         const preset *known, bst_log *ret) {
    static const bst_type time = {.kind = BST_KIND_TIMESTAMPTZ};
    const bool event = json_object_get(log, "event") != NULL;
    read_entity(map, log, path, known->entity, ret);
    ret->to = read_column(map, log, path, "to", event ? NULL : known->to, &text_type);
    ret->event = read_column(map, log, path, "event", NULL, &text_type);
    ret->at = read_column(map, log, path, "at", known->at, &time);
    read_order(map, log, path, known->order, ret);
    if (!event && !known->to && !json_object_get(log, "to"))
        bst__map_need(map, log, path, "to", JSON_STRING);
    if (ret->evidence && ret->order_count == 0 && !known->at && !json_object_get(log, "at"))
        bst__map_need(map, log, path, "at", JSON_STRING);
}

/* ---- beside a row ---- */

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

static void add_entity(const bst_log *log, const char *key, bst_strbuf *out) {
    if (log->entity_is_sql) {
        bst_strbuf_addf(out, "(%s)::text = t.", log->entity);
        add_name(key, strlen(key), out);
        bst_strbuf_adds(out, "::text");
    } else {
        bst_strbuf_adds(out, "l.");
        add_name(log->entity, strlen(log->entity), out);
        bst_strbuf_adds(out, " = t.");
        add_name(key, strlen(key), out);
    }
}

/* The rows of the log of the row `t`, as JSON. */
static void add_query(const bst_log *log, const char *key, bst_strbuf *out) {
    bst_strbuf_adds(out, "SELECT pg_catalog.json_agg(pg_catalog.json_build_array(");
    add_column(log, log->to, out);
    bst_strbuf_adds(out, "::text, ");
    add_column(log, log->at, out);
    bst_strbuf_adds(out, "::text, ");
    add_column(log, log->event, out);
    bst_strbuf_adds(out, "::text) ORDER BY ");
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

static void join(bst__map *map, const bst__map_path *path, bst_log *log) {
    bst_strbuf sql = BST_STRBUF_INIT;
    const bst_source_spec *const rows = &map->mapping->source;
    if (map->status != BST_OK || rows->key_count == 0 || !log->entity)
        return;
    if (rows->key_count > 1) {
        const bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "not-supported", "a log needs a key of one column, not of %zu",
                       rows->key_count);
        bst_diag_hint(map->diags, "Make views of the table and of its log in which one column is "
                                  "the key.");
        return;
    }
    add_query(log, rows->key[0], &sql);
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

/* ---- all of it ---- */

/* Its columns are those of another table: they are gathered apart. */
static void read_table(bst__map *map, const json_t *json, const bst__map_path *path, bst_log *log) {
    bst__map inner = *map;
    inner.columns = NULL;
    inner.column_count = inner.column_room = 0;
    inner.declared_count = 0;
    inner.zone = bst__map_zone_of(map, json, path);
    const preset *const known = find_preset(map, json, path);
    inner.status = map->status;
    inner.suggestions = map->suggestions;
    const bst_mapping *const mapping = map->mapping;
    inner.state_name =
        mapping->state_column_count > 0 && mapping->state_columns[0].column < map->column_count
            ? map->columns[mapping->state_columns[0].column].name
            : "state";
    log->versions = known->versions;
    read_columns(&inner, json, path, known, log);
    map->status = inner.status;
    map->suggestions = inner.suggestions;
    const json_t *const where = bst__map_get(map, json, path, "where", JSON_STRING);
    log->source.key = &log->entity;
    log->source.key_count = 1;
    log->source.where_sql = where ? json_string_value(where) : NULL;
    log->source.columns = inner.columns;
    log->source.column_count = inner.column_count;
}

void bst__map_log(bst__map *map, const json_t *root) {
    static const char *const keys[] = {"table", "preset", "entity",     "to",   "event",
                                       "at",    "order",  "rows",       "gaps", "use",
                                       "where", "zone",   "description"};
    static const char *const uses[] = {"learn", "evidence"};
    static const char *const rows[] = {"changes", "versions"};
    const json_t *const log = bst__map_get(map, root, NULL, "log", JSON_OBJECT);
    const bst__map_path path = {NULL, "log", 0};
    bst_log *const made = log ? bst_arena_alloc(map->arena, sizeof *made) : NULL;
    if (!made) {
        if (log)
            bst__map_nomem(map);
        return;
    }
    *made = (bst_log){.to = BST_NONE, .event = BST_NONE, .at = BST_NONE, .cell = BST_NONE};
    bst__map_keys(map, log, &path, keys, COUNT(keys));
    const json_t *const table = bst__map_need(map, log, &path, "table", JSON_STRING);
    made->source = (bst_source_spec){.table = table ? json_string_value(table) : "",
                                     .null_texts = map->mapping->source.null_texts,
                                     .null_text_count = map->mapping->source.null_text_count,
                                     .ordered = true};
    made->evidence = bst__map_choice(map, log, &path, "use", uses, COUNT(uses), 1) == 1;
    read_table(map, log, &path, made);
    made->versions =
        bst__map_choice(map, log, &path, "rows", rows, COUNT(rows), made->versions) == 1;
    const json_t *const gaps = json_object_get(log, "gaps");
    const bst__map_path gaps_at = {&path, "gaps", 0};
    if (gaps && !json_is_boolean(gaps)) {
        const bst_loc where = bst__map_value_at(map, &gaps_at);
        bst__map_error(map, &where, "wrong-type", "\"gaps\" must be true or false");
    }
    made->whole = json_is_false(gaps);
    join(map, &path, made);
    map->mapping->log = made;
}
