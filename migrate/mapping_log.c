/* "log": the partial history that the legacy system kept itself. A preset knows the columns of a
 * well-known library; what the file says goes before.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* `%s` stands for the column of the state; a column that starts with "=" is SQL. */
typedef struct preset {
    const char *name, *entity, *to, *at, *order;
} preset;

static const preset presets[] = {
    {"statesman", NULL, "to_state", "created_at", "sort_key"},
    {"state_machines-audit_trail", NULL, "to", "created_at", "id"},
    {"django-fsm-log", "object_id", "state", "timestamp", "id"},
    {"django-simple-history", "id", "%s", "history_date", "history_id"},
    {"paper_trail", "item_id", "=object_changes::jsonb->'%s'->>1", "created_at", "id"},
    {"audit_trigger", NULL, "=coalesce(changed_fields->'%s', row_data->'%s')", "action_tstamp_clk",
     "event_id"},
    {"supa_audit", NULL, "=record->>'%s'", "ts", "id"},
    {"temporal", "id", "%s", "=lower(sys_period)", NULL}};

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

/* The preset's column as JSON: { "column" } or { "sql" }, with the state's column put in. */
static json_t *preset_column(const bst__map *map, const char *text) {
    bst_strbuf out = BST_STRBUF_INIT;
    const bool sql = *text == '=';
    for (const char *c = text + sql; *c; c++) {
        if (c[0] == '%' && c[1] == 's') {
            bst_strbuf_adds(&out, map->state_name);
            c++;
        } else {
            bst_strbuf_addc(&out, *c);
        }
    }
    json_t *const json = json_pack("{s:s}", sql ? "sql" : "column", out.text);
    bst_strbuf_release(&out);
    return json;
}

static uint32_t read_column(bst__map *map, const json_t *log, const bst__map_path *path,
                            const char *key, const char *otherwise, const bst_type *want) {
    const bst__map_path here = {path, key, 0};
    const json_t *const json = json_object_get(log, key);
    if (json || !otherwise)
        return bst__map_plain(map, json, &here, want);
    json_t *const made = preset_column(map, otherwise);
    if (!made) {
        bst__map_nomem(map);
        return BST_NONE;
    }
    /* names are borrowed from the JSON: it lives as long as the mapping */
    if (json_array_append_new(map->whole->made, made) != 0)
        bst__map_nomem(map);
    return bst__map_plain(map, made, &here, want);
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

static void read_columns(bst__map *map, const json_t *log, const bst__map_path *path,
                         const preset *known, bst_log *ret) {
    static const bst_type text = {.kind = BST_KIND_TEXT};
    static const bst_type time = {.kind = BST_KIND_TIMESTAMPTZ};
    const bst__map_path entity_at = {path, "entity", 0};
    const json_t *const entity = json_object_get(log, "entity");
    if (entity || !known->entity) {
        if (bst__map_need(map, log, path, "entity", JSON_STRING))
            ret->entity = json_string_value(entity);
    } else {
        ret->entity = known->entity;
    }
    if (ret->entity && *ret->entity == '\0') {
        const bst_loc where = bst__map_value_at(map, &entity_at);
        bst__map_error(map, &where, "empty-name", "the name of a column is empty");
    }
    if (!json_object_get(log, "to") && !known->to)
        bst__map_need(map, log, path, "to", JSON_STRING);
    else
        ret->to = read_column(map, log, path, "to", known->to, &text);
    if (json_object_get(log, "at") || known->at)
        ret->at = read_column(map, log, path, "at", known->at, &time);
    read_order(map, log, path, known->order, ret);
}

void bst__map_log(bst__map *map, const json_t *root) {
    static const char *const keys[] = {"table", "preset", "entity", "to",         "at",
                                       "order", "use",    "zone",   "description"};
    static const char *const uses[] = {"learn", "evidence"};
    const json_t *const log = bst__map_get(map, root, NULL, "log", JSON_OBJECT);
    const bst__map_path path = {NULL, "log", 0};
    if (!log)
        return;
    bst_log *const made = bst_arena_alloc(map->arena, sizeof *made);
    if (!made) {
        bst__map_nomem(map);
        return;
    }
    *made = (bst_log){.to = BST_NONE, .at = BST_NONE};
    bst__map_keys(map, log, &path, keys, COUNT(keys));
    const json_t *const table = bst__map_need(map, log, &path, "table", JSON_STRING);
    made->evidence = bst__map_choice(map, log, &path, "use", uses, COUNT(uses), 1) == 1;
    /* Its columns are those of another table: they are gathered apart. */
    bst__map inner = *map;
    inner.columns = NULL;
    inner.column_count = inner.column_room = 0;
    inner.declared_count = 0;
    inner.zone = bst__map_zone_of(map, log, &path);
    const preset *const known = find_preset(map, log, &path);
    inner.status = map->status;
    const bst_mapping *const mapping = map->mapping;
    inner.state_name =
        mapping->state_column_count > 0 && mapping->state_columns[0].column < map->column_count
            ? map->columns[mapping->state_columns[0].column].name
            : "state";
    read_columns(&inner, log, &path, known, made);
    map->status = inner.status;
    map->suggestions = inner.suggestions;
    made->source = (bst_source_spec){.table = table ? json_string_value(table) : "",
                                     .key = &made->entity,
                                     .key_count = 1,
                                     .columns = inner.columns,
                                     .column_count = inner.column_count,
                                     .null_texts = map->mapping->source.null_texts,
                                     .null_text_count = map->mapping->source.null_text_count,
                                     .ordered = true};
    map->mapping->log = made;
}
