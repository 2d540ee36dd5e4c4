/* What is wrong in a mapping file, and where: findings with places, hints, and the checks that
 * every object of the file needs (known keys, types, closed lists of words).
 */
#include "mapping_private.h"

#include <string.h>

/* "Did you mean" searches per file: each looks at every name, and a wrong file may ask often. */
#define SUGGESTIONS_MAX 200u

static void add_path(const bst__map_path *path, bst_strbuf *out) {
    if (!path) {
        return;
    }
    add_path(path->up, out);
    if (path->key) {
        bst_json_pointer_add(out, path->key);
    } else {
        bst_json_pointer_add_index(out, path->index);
    }
}

const char *bst__map_pointer(bst__map *map, const bst__map_path *path) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    add_path(path, &pointer);
    const char *kept = pointer.failed ? NULL : bst_arena_strdup(map->arena, pointer.text);
    bst_strbuf_release(&pointer);
    if (!kept) {
        bst__map_nomem(map);
        return "";
    }
    return kept;
}

bst_loc bst__map_value_at(bst__map *map, const bst__map_path *path) {
    return bst_json_source_value(map->json, bst__map_pointer(map, path));
}

bst_loc bst__map_key_at(bst__map *map, const bst__map_path *path) {
    return bst_json_source_key(map->json, bst__map_pointer(map, path));
}

void bst__map_error(bst__map *map, const bst_loc *where, const char *code, const char *format,
                    ...) {
    bst_strbuf message = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&message, format, args);
    va_end(args);
    bst_diag_add(map->diags, BST_INVALID, BST_ERROR, code, where, "%s", message.text);
    if (map->status == BST_OK) {
        map->status = BST_INVALID;
    }
    bst_strbuf_release(&message);
}

void bst__map_nomem(bst__map *map) {
    if (map->status != BST_NOMEM) {
        map->status = bst_diag_nomem(map->diags);
    }
}

void bst__map_did_you_mean(bst__map *map, const char *name, const void *items, size_t size,
                           size_t count, const char *otherwise) {
    const char *nearest = NULL;
    const char **names = NULL;
    if (count > 0 && map->suggestions++ < SUGGESTIONS_MAX) {
        names = bst_arena_array(map->arena, count, sizeof *names);
    }
    for (size_t i = 0; names && i < count; i++) {
        memcpy(&names[i], (const char *)items + i * size, sizeof names[i]);
    }
    if (names) {
        nearest = bst_nearest_name(name, names, count);
    }
    if (nearest) {
        bst_diag_hint(map->diags, "Did you mean \"%s\"?", nearest);
    } else if (otherwise) {
        bst_diag_hint(map->diags, "%s", otherwise);
    }
}

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

void bst__map_keys(bst__map *map, const json_t *object, const bst__map_path *path,
                   const char *const *keys, size_t count) {
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        if (is_among(key, keys, count)) {
            continue;
        }
        bst__map_path here = {path, key, 0};
        bst_loc where = bst__map_key_at(map, &here);
        bst__map_error(map, &where, "unknown-key", "key \"%s\" is not known here", key);
        bst_strbuf known = BST_STRBUF_INIT;
        bst_strbuf_adds(&known, "Known here: ");
        for (size_t i = 0; i < count; i++) {
            bst_strbuf_addf(&known, "%s%s", i > 0 ? ", " : "", keys[i]);
        }
        bst_strbuf_addc(&known, '.');
        bst__map_did_you_mean(map, key, keys, sizeof *keys, count, known.text);
        bst_strbuf_release(&known);
    }
}

static const char *type_name(json_type type) {
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

bool bst__map_is(bst__map *map, const json_t *json, const bst__map_path *path, json_type type) {
    json_type is = json_typeof(json);
    bool both_bool = type == JSON_TRUE && is == JSON_FALSE;
    bool number = type == JSON_REAL && is == JSON_INTEGER;
    if (is == type || both_bool || number) {
        return true;
    }
    bst_loc where = bst__map_value_at(map, path);
    if (path && path->key) {
        bst__map_error(map, &where, "wrong-type", "\"%s\" must be %s, not %s", path->key,
                       type_name(type), type_name(is));
    } else {
        bst__map_error(map, &where, "wrong-type", "an item here must be %s, not %s",
                       type_name(type), type_name(is));
    }
    const char *hint = bst_json_kind_hint(type_name(type));
    if (hint) {
        bst_diag_hint(map->diags, "%s", hint);
    }
    return false;
}

const json_t *bst__map_get(bst__map *map, const json_t *object, const bst__map_path *path,
                           const char *key, json_type type) {
    const json_t *json = json_object_get(object, key);
    bst__map_path here = {path, key, 0};
    return json && bst__map_is(map, json, &here, type) ? json : NULL;
}

const json_t *bst__map_need(bst__map *map, const json_t *object, const bst__map_path *path,
                            const char *key, json_type type) {
    if (!json_object_get(object, key)) {
        if (bst_json_misspells(object, key)) {
            return NULL;
        }
        bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "missing-key", "key \"%s\" is missing", key);
        bst_diag_hint(map->diags, "Add \"%s\": it must be %s.", key, type_name(type));
        return NULL;
    }
    return bst__map_get(map, object, path, key, type);
}

size_t bst__map_word(bst__map *map, const json_t *json, const bst__map_path *path, const char *key,
                     const char *const *names, size_t count) {
    if (!bst__map_is(map, json, path, JSON_STRING)) {
        return count;
    }
    const char *text = json_string_value(json);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "unknown-word", "\"%s\" cannot be \"%s\"", key, text);
    bst_strbuf known = BST_STRBUF_INIT;
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_addf(&known, "%s\"%s\"", i > 0 ? ", " : "It is one of ", names[i]);
    }
    bst_strbuf_addc(&known, '.');
    bst__map_did_you_mean(map, text, names, sizeof *names, count, known.text);
    bst_strbuf_release(&known);
    return count;
}

int bst__map_choice(bst__map *map, const json_t *object, const bst__map_path *path, const char *key,
                    const char *const *names, size_t count, int otherwise) {
    const json_t *json = json_object_get(object, key);
    const bst__map_path here = {path, key, 0};
    const size_t word = json ? bst__map_word(map, json, &here, key, names, count) : count;
    return word < count ? (int)word : otherwise;
}
