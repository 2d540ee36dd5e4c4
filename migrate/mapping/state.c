/* Reading "state": which columns say where an entity stands, and what their values stand for.
 *
 *     column, values                      one column for the whole: values name states
 *     regions: { R: { column, values } }  one for each region: values name what is active in it
 *     both                                the column says which regions there are, theirs the rest
 *
 * What the columns say together is a matter of place.c.
 */
#include "mapping_private.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint32_t bst__map_find_state(const bst_machine *machine, const char *name) {
    uint32_t state = bst_machine_state(machine, name);
    const uint32_t node = state == BST_NONE ? bst_machine_node(machine, name) : BST_NONE;
    for (uint32_t s = 0; node != BST_NONE && state == BST_NONE && s < machine->state_count; s++) {
        const bst_state *one = &machine->states[s];
        state = one->node_count == 1 && one->nodes[0] == node ? s : BST_NONE;
    }
    return state;
}

void bst__map_state_pointer(const bst_state_column *column, bst_strbuf *pointer) {
    bst_strbuf_adds(pointer, "/state");
    if (column->region_key) {
        bst_strbuf_adds(pointer, "/regions");
        bst_json_pointer_add(pointer, column->region_key);
    }
}

bst_loc bst__map_code_where(const bst_mapping *mapping, const bst_state_column *column,
                            const bst_state_code *code) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__map_state_pointer(column, &pointer);
    bst_strbuf_adds(&pointer, "/values");
    bst_json_pointer_add(&pointer, code->text);
    const bst_loc where = bst_json_source_key(mapping->json, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

/* ---- names ---- */

static bool is_inside(const bst_machine *machine, uint32_t node, uint32_t region) {
    return node > region && node <= machine->nodes[region].last;
}

/* What a value of a region's column names. One that no other column decides on may also name what
 * is entered when its region is left. */
static uint32_t find_node(bst__map *map, const bst_state_column *column, const bst__map_path *path,
                          const char *name) {
    const bst_machine *machine = map->machine;
    const bst_node *region = &machine->nodes[column->region];
    uint32_t node = bst_machine_node_inside(machine, column->region, name);
    if (node == BST_NONE) {
        node = bst_machine_node(machine, name);
    }
    const bst_loc where = bst__map_value_at(map, path);
    if (node == BST_NONE || machine->nodes[node].kind == BST_NODE_HISTORY) {
        bst__map_error(map, &where, "unknown-state", "state \"%s\" is not in the machine", name);
        bst__map_did_you_mean(map, name, machine->nodes + column->region + 1,
                              sizeof *machine->nodes, region->last - column->region,
                              "Name a state of the region.");
        return BST_NONE;
    }
    if (column->decider != BST_NONE && !is_inside(machine, node, column->region)) {
        bst__map_error(map, &where, "unknown-state", "state \"%s\" is not inside region \"%s\"",
                       machine->nodes[node].path, region->path);
        bst_diag_hint(map->diags, "Whether the region is active the column around it says; while "
                                  "it is not, this one is not asked.");
        return BST_NONE;
    }
    return node;
}

static uint32_t find_whole(bst__map *map, const bst__map_path *path, const char *name) {
    const uint32_t state = bst__map_find_state(map->machine, name);
    if (state == BST_NONE) {
        const bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "unknown-state", "state \"%s\" is not in the machine", name);
        bst__map_did_you_mean(map, name, map->machine->states, sizeof *map->machine->states,
                              map->machine->state_count, "Name a state of the machine.");
    }
    return state;
}

/* ---- a column ---- */

static void read_codes(bst__map *map, const json_t *values, const bst__map_path *path,
                       bst_state_column *column) {
    bst_state_code *codes = bst_arena_array(map->arena, json_object_size(values), sizeof *codes);
    if (!codes) {
        bst__map_nomem(map);
        return;
    }
    const char *text;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)values, text, json) {
        bst__map_path here = {path, text, 0};
        bst_state_code code = {text, BST_NONE, BST_NONE};
        if (!bst__map_is(map, json, &here, JSON_STRING) || !map->machine) {
            continue;
        }
        if (map->mapping->regional) {
            code.node = find_node(map, column, &here, json_string_value(json));
        } else {
            code.state = find_whole(map, &here, json_string_value(json));
        }
        if (code.state != BST_NONE || code.node != BST_NONE) {
            codes[column->code_count++] = code;
        }
    }
    column->codes = codes;
}

/* "column" or "sql", and "values", of `json`. */
static void read_column(bst__map *map, const json_t *json, const bst__map_path *path,
                        bst_state_column *column) {
    const bool is_sql = json_object_get(json, "sql") && !json_object_get(json, "column");
    const char *key = is_sql ? "sql" : "column";
    const json_t *named = bst__map_need(map, json, path, key, JSON_STRING);
    const bst__map_path here = {path, key, 0};
    if (named && *json_string_value(named) == '\0') {
        const bst_loc where = bst__map_value_at(map, &here);
        bst__map_error(map, &where, "empty-name", "the name of a column is empty");
    } else if (named) {
        const char *name = json_string_value(named);
        column->column = bst__map_state_column(map, &here, name, is_sql ? name : NULL);
    }
    const json_t *values = bst__map_need(map, json, path, "values", JSON_OBJECT);
    const bst__map_path inside = {path, "values", 0};
    if (values && json_object_size(values) == 0) {
        const bst_loc where = bst__map_value_at(map, &inside);
        bst__map_error(map, &where, "missing-key", "no value of the column is given a state");
        bst_diag_hint(map->diags, "Write { \"NEW\": \"pending\", ... }: a value of the column, and "
                                  "the state it stands for.");
    } else if (values) {
        read_codes(map, values, &inside, column);
    }
}

/* ---- regions ---- */

static bool is_region(const bst_machine *machine, uint32_t node) {
    const uint32_t parent = machine->nodes[node].parent;
    return parent != BST_NONE && machine->nodes[parent].kind == BST_NODE_PARALLEL &&
           machine->nodes[node].kind != BST_NODE_HISTORY;
}

static void no_region(bst__map *map, const bst__map_path *path, uint32_t node) {
    const bst_machine *machine = map->machine;
    const bst_loc where = bst__map_key_at(map, path);
    const char **names = bst_arena_array(map->arena, machine->node_count, sizeof *names);
    size_t count = 0;
    for (uint32_t n = 1; names && n < machine->node_count; n++) {
        if (is_region(machine, n)) {
            names[count++] = machine->nodes[n].name;
        }
    }
    bst__map_error(map, &where, "not-a-region",
                   node == BST_NONE ? "region \"%s\" is not in the machine"
                                    : "state \"%s\" is no region: it is not active beside others",
                   path->key);
    bst__map_did_you_mean(map, path->key, names, sizeof *names, count,
                          count > 0 ? "Name a state inside one with \"type\": \"parallel\"."
                                    : "The machine has no regions: write { \"column\", \"values\" "
                                      "} without them.");
}

static int by_region(const void *left, const void *right) {
    const bst_state_column *a = left;
    const bst_state_column *b = right;
    return (a->region > b->region) - (a->region < b->region);
}

/* Which regions there are, in the order of the machine: so those around others come first. */
static void find_regions(bst__map *map, const json_t *regions, const bst__map_path *path,
                         bst_state_column *columns, uint32_t *count) {
    const uint32_t first = *count;
    const char *key;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)regions, key, json) {
        const bst__map_path here = {path, key, 0};
        const uint32_t node = map->machine ? bst_machine_node(map->machine, key) : BST_NONE;
        if (!bst__map_is(map, json, &here, JSON_OBJECT) || !map->machine) {
            continue;
        }
        if (node == BST_NONE || !is_region(map->machine, node)) {
            no_region(map, &here, node);
            continue;
        }
        bool twice = false;
        for (uint32_t i = first; i < *count; i++) {
            twice = twice || columns[i].region == node;
        }
        if (twice) {
            const bst_loc where = bst__map_key_at(map, &here);
            bst__map_error(map, &where, "duplicate-name", "region \"%s\" has a column already",
                           map->machine->nodes[node].path);
            continue;
        }
        columns[(*count)++] = (bst_state_column){key, BST_NONE, node, BST_NONE, 0, NULL};
    }
    qsort(columns + first, *count - first, sizeof *columns, by_region);
    for (uint32_t i = first; i < *count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (columns[k].region == 0 ||
                is_inside(map->machine, columns[i].region, columns[k].region)) {
                columns[i].decider = k;
            }
        }
    }
}

static void read_regions(bst__map *map, const json_t *regions, const bst__map_path *path,
                         bst_state_column *columns, uint32_t *count) {
    static const char *const column_keys[] = {"column", "values", "description"};
    static const char *const sql_keys[] = {"sql", "values", "description"};
    const uint32_t first = *count;
    if (json_object_size(regions) == 0 || json_object_size(regions) >= BST_STATE_COLUMNS_MAX) {
        const bst_loc where = bst__map_value_at(map, path);
        if (json_object_size(regions) == 0) {
            bst__map_error(map, &where, "missing-key", "no region is given a column");
        } else {
            bst__map_error(map, &where, "too-many", "%u columns of regions are the limit",
                           BST_STATE_COLUMNS_MAX - 1);
        }
        return;
    }
    find_regions(map, regions, path, columns, count);
    for (uint32_t i = first; i < *count; i++) {
        const bst__map_path here = {path, columns[i].region_key, 0};
        const json_t *json = json_object_get(regions, columns[i].region_key);
        const bool is_sql = json_object_get(json, "sql") && !json_object_get(json, "column");
        bst__map_keys(map, json, &here, is_sql ? sql_keys : column_keys, COUNT(column_keys));
        read_column(map, json, &here, &columns[i]);
    }
}

void bst__map_state(bst__map *map, const json_t *root) {
    static const char *const column_keys[] = {"column", "values", "regions", "description"};
    static const char *const sql_keys[] = {"sql", "values", "regions", "description"};
    static const char *const region_keys[] = {"regions", "description"};
    const json_t *state = bst__map_need(map, root, NULL, "state", JSON_OBJECT);
    const bst__map_path path = {NULL, "state", 0};
    bst_state_column *columns = bst_arena_array(map->arena, BST_STATE_COLUMNS_MAX, sizeof *columns);
    uint32_t count = 0;
    if (!columns) {
        bst__map_nomem(map);
    }
    if (!state || !columns) {
        return;
    }
    const json_t *regions = bst__map_get(map, state, &path, "regions", JSON_OBJECT);
    const bool has_sql = json_object_get(state, "sql") && !json_object_get(state, "column");
    const bool whole =
        !regions || has_sql || json_object_get(state, "column") || json_object_get(state, "values");
    map->mapping->regional = regions != NULL;
    map->mapping->state_columns = columns;
    if (!whole) {
        bst__map_keys(map, state, &path, region_keys, COUNT(region_keys));
    } else {
        bst__map_keys(map, state, &path, has_sql ? sql_keys : column_keys, COUNT(column_keys));
        columns[count++] = (bst_state_column){NULL, BST_NONE, 0, BST_NONE, 0, NULL};
        read_column(map, state, &path, &columns[0]);
    }
    if (regions) {
        const bst__map_path inside = {&path, "regions", 0};
        read_regions(map, regions, &inside, columns, &count);
    }
    map->mapping->state_column_count = count;
}
