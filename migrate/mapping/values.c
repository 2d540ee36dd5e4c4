/* Where a value comes from: "column", { "column", "scale", "default", "zone" }, { "cel" }, { "sql"
 * }.
 *
 * "scale" on a column says that it counts minor units: 1234 at scale 2 is 12.34.
 */
#include "mapping_private.h"

#include <string.h>

#include "backstory/decimal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const column_keys[] = {"column", "scale", "default", "zone", "description"};
static const char *const sql_keys[] = {"sql", "scale", "default", "zone", "description"};
static const char *const cel_keys[] = {"cel", "description"};
static const char *const plain_column_keys[] = {"column", "zone", "description"};
static const char *const plain_sql_keys[] = {"sql", "zone", "description"};

static const char *text_of(bst__map *map, const json_t *json, const bst__map_path *path) {
    const char *text = json_string_value(json);
    if (*text == '\0') {
        bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "empty-name", "the name of a column is empty");
        return NULL;
    }
    return text;
}

static void not_a_source(bst__map *map, const bst__map_path *path, const char *form) {
    bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "bad-value-source", "this does not say where the value comes from");
    bst_diag_hint(map->diags, "Write %s.", form);
}

/* "scale": how many digits the minor units have; -1 when the column holds the number itself. */
static int read_scale(bst__map *map, const json_t *object, const bst__map_path *path,
                      const bst_type *want) {
    const json_t *json = bst__map_get(map, object, path, "scale", JSON_INTEGER);
    if (!json) {
        return -1;
    }
    bst__map_path here = {path, "scale", 0};
    json_int_t scale = json_integer_value(json);
    if (scale < 0 || scale > BST_DECIMAL_DIGITS_MAX) {
        bst_loc where = bst__map_value_at(map, &here);
        bst__map_error(map, &where, "bad-scale", "scale %" JSON_INTEGER_FORMAT " is not 0 to %d",
                       scale, BST_DECIMAL_DIGITS_MAX);
        return -1;
    }
    if (want && want->kind != BST_KIND_DECIMAL) {
        bst_loc where = bst__map_key_at(map, &here);
        bst__map_error(map, &where, "bad-scale", "only a decimal can have minor units");
        bst_diag_hint(map->diags, "Leave \"scale\" out, or make the field a decimal.");
        return -1;
    }
    return (int)scale;
}

static void read_default(bst__map *map, const json_t *object, const bst__map_path *path,
                         const bst_type *want, bst_value *ret) {
    const json_t *json = json_object_get(object, "default");
    if (!json || !want) {
        return;
    }
    bst_type required = *want;
    required.optional = false;
    bst_value_result result = bst_value_from_json(&required, json, map->arena, ret);
    if (result == BST_VALUE_NOMEM) {
        bst__map_nomem(map);
    } else if (result != BST_VALUE_OK) {
        bst__map_path here = {path, "default", 0};
        bst_loc where = bst__map_value_at(map, &here);
        bst_strbuf type = BST_STRBUF_INIT;
        bst_type_format(&required, &type);
        bst__map_error(map, &where, "bad-default", "the default %s: a value of type %s is needed",
                       bst_value_result_text(result), type.text);
        bst_strbuf_release(&type);
        *ret = BST_ABSENT;
    }
}

static void check_zone_use(bst__map *map, const json_t *object, const bst__map_path *path,
                           const bst_type *want) {
    if (want && want->kind != BST_KIND_TIMESTAMPTZ && json_object_get(object, "zone")) {
        bst__map_path here = {path, "zone", 0};
        bst_loc where = bst__map_key_at(map, &here);
        bst__map_error(map, &where, "bad-zone", "only a timestamptz has a zone");
        bst_diag_hint(map->diags, "Leave \"zone\" out.");
    }
}

/* { "column", ... } or { "sql", ... }: `key` says which. */
static void read_described(bst__map *map, const json_t *object, const bst__map_path *path,
                           const char *key, const bst_type *want, bst_value_from *ret) {
    const json_t *json = bst__map_get(map, object, path, key, JSON_STRING);
    int scale = read_scale(map, object, path, want);
    read_default(map, object, path, want, &ret->default_value);
    check_zone_use(map, object, path, want);
    const bst_zone *zone = bst__map_zone_of(map, object, path);
    bst__map_path here = {path, key, 0};
    const char *text = json ? text_of(map, json, &here) : NULL;
    if (!text || !want) {
        return;
    }
    static const bst_type units = {.kind = BST_KIND_INT8};
    static const bst_type any_units = {.kind = BST_KIND_DECIMAL, .precision = 18};
    bool is_sql = strcmp(key, "sql") == 0;
    const bst_type *as = scale < 0 ? want : &units;
    if (scale >= 0 && !is_sql) {
        for (size_t i = 0; i < map->declared_count; i++) {
            if (strcmp(map->declared[i].name, text) == 0 &&
                map->declared[i].type.kind == BST_KIND_DECIMAL) {
                as = &any_units;
            }
        }
    }
    ret->column = bst__map_column(map, &here, text, is_sql ? text : NULL, as, zone);
    if (ret->column != BST_NONE) {
        ret->kind = BST_FROM_COLUMN;
        ret->minor_digits = scale;
    }
}

void bst__map_value(bst__map *map, const json_t *json, const bst__map_path *path,
                    const bst_type *want, bst_value_from *ret) {
    static const char form[] = "a column's name, { \"column\": ... }, { \"cel\": ... } or "
                               "{ \"sql\": ... }";
    *ret = (bst_value_from){BST_FROM_NOTHING, BST_NONE, NULL, -1, BST_ABSENT};
    if (json_is_string(json)) {
        const char *name = text_of(map, json, path);
        if (name && want) {
            ret->column = bst__map_column(map, path, name, NULL, want, map->zone);
            ret->kind = ret->column == BST_NONE ? BST_FROM_NOTHING : BST_FROM_COLUMN;
        }
    } else if (json_object_get(json, "cel")) {
        bst__map_keys(map, json, path, cel_keys, COUNT(cel_keys));
        const json_t *text = bst__map_get(map, json, path, "cel", JSON_STRING);
        if (text && want) {
            bst__map_path here = {path, "cel", 0};
            ret->kind = BST_FROM_EXPR;
            bst__map_expression(map, &here, json_string_value(text), json_string_length(text), want,
                                &ret->expr);
        }
    } else if (json_object_get(json, "column")) {
        bst__map_keys(map, json, path, column_keys, COUNT(column_keys));
        read_described(map, json, path, "column", want, ret);
    } else if (json_object_get(json, "sql")) {
        bst__map_keys(map, json, path, sql_keys, COUNT(sql_keys));
        read_described(map, json, path, "sql", want, ret);
    } else {
        not_a_source(map, path, form);
    }
}

uint32_t bst__map_plain(bst__map *map, const json_t *json, const bst__map_path *path,
                        const bst_type *want) {
    if (json_is_string(json)) {
        const char *name = text_of(map, json, path);
        return name ? bst__map_column(map, path, name, NULL, want, map->zone) : BST_NONE;
    }
    bst_value_from from = {BST_FROM_NOTHING, BST_NONE, NULL, -1, BST_ABSENT};
    if (json_object_get(json, "column")) {
        bst__map_keys(map, json, path, plain_column_keys, COUNT(plain_column_keys));
        read_described(map, json, path, "column", want, &from);
    } else if (json_object_get(json, "sql")) {
        bst__map_keys(map, json, path, plain_sql_keys, COUNT(plain_sql_keys));
        read_described(map, json, path, "sql", want, &from);
    } else {
        not_a_source(map, path, "a column's name, { \"column\": ... } or { \"sql\": ... }");
    }
    return from.column;
}
