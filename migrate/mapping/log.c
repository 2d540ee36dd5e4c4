/* "log": the partial history that the legacy system kept itself, or several. A preset knows the
 * columns of a well-known library; what the file says goes before.
 *
 * Beside a row each log is one more column (log_join.c). What it says where regions have columns of
 * their own: log_region.c.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const bst_type text_type = {.kind = BST_KIND_TEXT};

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
static const json_t *preset_column(bst__map *map, const char *text, const char *key) {
    bst_strbuf out = BST_STRBUF_INIT;
    const bool sql = *text == '=';
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

static const char *first_key(const bst__map *map) {
    const bst_source_spec *const rows = &map->mapping->source;
    return rows->key_count > 0 ? rows->key[0] : "";
}

/* BST_NONE when the file does not say it and the preset does not know it. */
static uint32_t read_column(bst__map *map, const json_t *log, const bst__map_path *path,
                            const char *key, const char *otherwise, const bst_type *want) {
    const bst__map_path here = {path, key, 0};
    const json_t *json = json_object_get(log, key);
    if (!json && otherwise)
        json = preset_column(map, otherwise, first_key(map));
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

/* A column, by its name; or SQL, which is a column of the log then. */
static bool read_part(bst__map *map, const json_t *json, const bst__map_path *path,
                      bst_log_entity *ret) {
    if (json_is_string(json) && *json_string_value(json) == '\0') {
        const bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "empty-name", "the name of a column is empty");
        return false;
    }
    if (json_is_string(json)) {
        ret->name = json_string_value(json);
        return true;
    }
    const uint32_t column = bst__map_plain(map, json, path, &text_type);
    const bst_source_column *const of = column == BST_NONE ? NULL : &map->columns[column];
    ret->sql = of ? of->sql : NULL;
    ret->name = of && !of->sql ? of->name : NULL;
    return of;
}

/* One for each column of the key, which a preset knows by the key's own names. */
static void read_entity(bst__map *map, const json_t *log, const bst__map_path *path,
                        const char *otherwise, bst_log *ret) {
    const bst__map_path here = {path, "entity", 0};
    const bst_source_spec *const rows = &map->mapping->source;
    const json_t *const json = json_object_get(log, "entity");
    const bool list = json_is_array(json);
    const size_t count = list ? json_array_size(json) : json || !otherwise ? 1 : rows->key_count;
    bst_log_entity *const made = bst_arena_array(map->arena, count, sizeof *made);
    const char **const names = bst_arena_array(map->arena, count, sizeof *names);
    if (!made || !names) {
        bst__map_nomem(map);
        return;
    }
    if (!json && !otherwise) {
        bst__map_need(map, log, path, "entity", JSON_STRING);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const bst__map_path each = {&here, NULL, i};
        const json_t *const part = list   ? json_array_get(json, i)
                                   : json ? json
                                          : preset_column(map, otherwise, rows->key[i]);
        if (!part || !read_part(map, part, list ? &each : &here, &made[i]))
            return;
        names[i] = made[i].name ? made[i].name : made[i].sql;
    }
    const bool fixed = !json && !strstr(otherwise, "%k"); /* one column, whatever the key */
    if (rows->key_count > 0 && (count != rows->key_count || (fixed && count > 1))) {
        const bst_loc where = bst__map_value_at(map, json ? &here : path);
        bst__map_error(map, &where, "bad-value-source",
                       "\"entity\" must name %zu columns, one for each of the key",
                       rows->key_count);
        bst_diag_hint(map->diags, "Write them in the order of \"key\": "
                                  "\"entity\": [\"order_id\", \"line\"].");
        return;
    }
    ret->entity = made;
    ret->entity_count = (uint32_t)count;
    ret->source.key = names;
    ret->source.key_count = count;
}

static void read_columns(bst__map *map, const json_t *log, const bst__map_path *path,
                         const preset *known, bst_log *ret) {
    static const bst_type time = {.kind = BST_KIND_TIMESTAMPTZ};
    const bool event = json_object_get(log, "event") != NULL;
    read_entity(map, log, path, known->entity, ret);
    bst__map_log_region(map, log, path, ret);
    ret->to = read_column(map, log, path, "to", event ? NULL : known->to, &text_type);
    ret->event = read_column(map, log, path, "event", NULL, &text_type);
    ret->at = read_column(map, log, path, "at", known->at, &time);
    read_order(map, log, path, known->order, ret);
    if (!event && !known->to && !json_object_get(log, "to"))
        bst__map_need(map, log, path, "to", JSON_STRING);
    if (ret->evidence && ret->order_count == 0 && !known->at && !json_object_get(log, "at"))
        bst__map_need(map, log, path, "at", JSON_STRING);
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
    inner.state_name = "state";
    const uint32_t of = bst__map_log_state_column(mapping, json);
    if (of < mapping->state_column_count && mapping->state_columns[of].column < map->column_count)
        inner.state_name = map->columns[mapping->state_columns[of].column].name;
    log->versions = known->versions;
    read_columns(&inner, json, path, known, log);
    map->status = inner.status;
    map->suggestions = inner.suggestions;
    const json_t *const where = bst__map_get(map, json, path, "where", JSON_STRING);
    log->source.where_sql = where ? json_string_value(where) : NULL;
    log->source.columns = inner.columns;
    log->source.column_count = inner.column_count;
}

static void read_log(bst__map *map, const json_t *log, const bst__map_path *path, bst_log *made) {
    static const char *const keys[] = {"table", "preset", "entity", "region",     "to",
                                       "event", "at",     "order",  "rows",       "gaps",
                                       "use",   "where",  "zone",   "description"};
    static const char *const uses[] = {"learn", "evidence"};
    static const char *const rows[] = {"changes", "versions"};
    *made = (bst_log){
        .to = BST_NONE, .event = BST_NONE, .at = BST_NONE, .region = BST_NONE, .cell = BST_NONE};
    bst__map_keys(map, log, path, keys, COUNT(keys));
    const json_t *const table = bst__map_need(map, log, path, "table", JSON_STRING);
    made->source = (bst_source_spec){.table = table ? json_string_value(table) : "",
                                     .null_texts = map->mapping->source.null_texts,
                                     .null_text_count = map->mapping->source.null_text_count,
                                     .ordered = true};
    made->evidence = bst__map_choice(map, log, path, "use", uses, COUNT(uses), 1) == 1;
    read_table(map, log, path, made);
    made->versions =
        bst__map_choice(map, log, path, "rows", rows, COUNT(rows), made->versions) == 1;
    const json_t *const gaps = json_object_get(log, "gaps");
    const bst__map_path gaps_at = {path, "gaps", 0};
    if (gaps && !json_is_boolean(gaps)) {
        const bst_loc where = bst__map_value_at(map, &gaps_at);
        bst__map_error(map, &where, "wrong-type", "\"gaps\" must be true or false");
    }
    made->whole = json_is_false(gaps);
    bst__map_log_join(map, made);
}

void bst__map_log(bst__map *map, const json_t *root) {
    const bst__map_path path = {NULL, "log", 0};
    const json_t *const json = json_object_get(root, "log");
    const bool list = json_is_array(json);
    const size_t count = list ? json_array_size(json) : json ? 1 : 0;
    if (count > BST_LOGS_MAX) {
        const bst_loc where = bst__map_value_at(map, &path);
        bst__map_error(map, &where, "too-many", "there are %zu logs; %u are the limit", count,
                       BST_LOGS_MAX);
        return;
    }
    bst_log *const made = bst_arena_array(map->arena, count, sizeof *made);
    if (!made) {
        bst__map_nomem(map);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const bst__map_path each = {&path, NULL, i};
        const json_t *const log = list ? json_array_get(json, i) : json;
        if (!bst__map_is(map, log, list ? &each : &path, JSON_OBJECT))
            return;
        read_log(map, log, list ? &each : &path, &made[i]);
    }
    map->mapping->log = count > 0 ? made : NULL;
    map->mapping->log_count = (uint32_t)count;
    if (count > 0)
        bst__map_log_nodes(map);
}
