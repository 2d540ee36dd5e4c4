/* The part "source" of a mapping: which table, what its key is, which rows are in scope.
 *
 * "where" is SQL, or { "cel" }. SQL that only asks for NULLs becomes an expression over the row, so
 * that it holds for files as well; other SQL goes to the server as it is.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define KEY_COLUMNS_MAX 32u /* as many as an index of PostgreSQL has */

static const char *const source_keys[] = {"table", "key",  "where",   "zone",
                                          "dates", "null", "columns", "description"};
static const char *const date_orders[] = {"YMD", "DMY", "MDY"}; /* by bst_dates */

/* One text or an array of texts; NULL (and a finding) when it is neither. */
static const char *const *read_texts(bst__map *map, const json_t *json, const bst__map_path *path,
                                     size_t limit, size_t *ret_count) {
    size_t count = json_is_array(json) ? json_array_size(json) : 1;
    bst_loc where = bst__map_value_at(map, path);
    if (!json_is_array(json) && !json_is_string(json)) {
        bst__map_error(map, &where, "wrong-type", "\"%s\" must be a string or an array of strings",
                       path->key);
        return NULL;
    }
    if (count > limit) {
        bst__map_error(map, &where, "too-many", "\"%s\" has %zu items; %zu are the limit",
                       path->key, count, limit);
        return NULL;
    }
    const char **texts = bst_arena_array(map->arena, count, sizeof *texts);
    if (!texts) {
        bst__map_nomem(map);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        bst__map_path item = {path, NULL, i};
        const json_t *text = json_is_array(json) ? json_array_get(json, i) : json;
        if (!bst__map_is(map, text, json_is_array(json) ? &item : path, JSON_STRING)) {
            return NULL;
        }
        texts[i] = json_string_value(text);
    }
    *ret_count = count;
    return texts;
}

static void read_key(bst__map *map, const json_t *source, const bst__map_path *path) {
    bst__map_path here = {path, "key", 0};
    const json_t *json = json_object_get(source, "key");
    bst_source_spec *spec = &map->mapping->source;
    if (!json) {
        bst__map_need(map, source, path, "key", JSON_STRING);
        return;
    }
    spec->key = read_texts(map, json, &here, KEY_COLUMNS_MAX, &spec->key_count);
    bst_loc where = bst__map_value_at(map, &here);
    if (spec->key && spec->key_count == 0) {
        bst__map_error(map, &where, "missing-key", "the key has no columns");
        bst_diag_hint(map->diags, "Name the columns that tell one entity from another.");
    }
    for (size_t i = 0; spec->key && i < spec->key_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(spec->key[i], spec->key[k]) == 0) {
                bst__map_error(map, &where, "duplicate-name", "column \"%s\" is twice in the key",
                               spec->key[i]);
            }
        }
    }
}

static void read_where(bst__map *map, const json_t *source, const bst__map_path *path) {
    static const char *const cel_keys[] = {"cel"};
    bst__map_path here = {path, "where", 0};
    const json_t *json = json_object_get(source, "where");
    if (json_is_object(json)) {
        bst__map_keys(map, json, &here, cel_keys, COUNT(cel_keys));
        const json_t *cel = bst__map_need(map, json, &here, "cel", JSON_STRING);
        bst__map_path inside = {&here, "cel", 0};
        if (cel) {
            bst__map_expression(map, &inside, json_string_value(cel), json_string_length(cel), NULL,
                                &map->mapping->where);
        }
        return;
    }
    json = json ? bst__map_get(map, source, path, "where", JSON_STRING) : NULL;
    if (!json) {
        return;
    }
    bst_strbuf cel = BST_STRBUF_INIT;
    if (bst__map_where_cel(json_string_value(json), &cel)) {
        const char *kept = bst_arena_strdup(map->arena, cel.text);
        if (kept) {
            bst__map_expression(map, &here, kept, cel.len, NULL, &map->mapping->where);
        } else {
            bst__map_nomem(map);
        }
    } else {
        map->mapping->source.where_sql = json_string_value(json);
    }
    bst_strbuf_release(&cel);
}

void bst__map_source(bst__map *map, const json_t *root) {
    const json_t *source = bst__map_need(map, root, NULL, "source", JSON_OBJECT);
    bst__map_path path = {NULL, "source", 0};
    map->table = "";
    if (!source) {
        return;
    }
    bst__map_keys(map, source, &path, source_keys, COUNT(source_keys));
    const json_t *table = bst__map_need(map, source, &path, "table", JSON_STRING);
    if (table) {
        map->mapping->source.table = json_string_value(table);
        const char *dot = strrchr(map->mapping->source.table, '.');
        map->table = dot ? dot + 1 : map->mapping->source.table;
    }
    map->zone = bst__map_zone_of(map, source, &path);
    map->dates = (bst_dates)bst__map_choice(map, source, &path, "dates", date_orders,
                                            COUNT(date_orders), BST_DATES_YMD);
    const json_t *columns = bst__map_get(map, source, &path, "columns", JSON_OBJECT);
    if (columns) {
        bst__map_path here = {&path, "columns", 0};
        bst__map_declare(map, columns, &here);
    }
    const json_t *null = json_object_get(source, "null");
    if (null) {
        bst__map_path here = {&path, "null", 0};
        bst_source_spec *spec = &map->mapping->source;
        spec->null_texts = read_texts(map, null, &here, BST_COLUMNS_MAX, &spec->null_text_count);
    }
    read_key(map, source, &path);
    read_where(map, source, &path);
}
