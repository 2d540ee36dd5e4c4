/* Which region a log speaks of, where regions have columns of their own: its `to` has the codes
 * of one of them, or a column of the log says of which. */
#include "mapping_private.h"

#include <string.h>

static const bst_type text_type = {.kind = BST_KIND_TEXT};

/* The state column of that region, or the machine's own by the machine's name; BST_NONE: it has
 * none. */
static uint32_t find_column(const bst_mapping *mapping, const char *region) {
    uint32_t found = BST_NONE;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const char *const key = mapping->state_columns[c].region_key;
        if (key && strcmp(key, region) == 0)
            return c;
        if (!key && mapping->machine && strcmp(mapping->machine->id, region) == 0)
            found = c;
    }
    return found;
}

uint32_t bst__map_log_state_column(const bst_mapping *mapping, const json_t *log) {
    const json_t *const region = json_object_get(log, "region");
    return json_is_string(region) ? find_column(mapping, json_string_value(region)) : 0;
}

static uint32_t need_column(bst__map *map, const char *region, const bst__map_path *path) {
    const bst_mapping *const mapping = map->mapping;
    const uint32_t found = find_column(mapping, region);
    if (found == BST_NONE) {
        const bst_loc where = bst__map_value_at(map, path);
        const char *names[BST_STATE_COLUMNS_MAX];
        size_t count = 0;
        for (uint32_t c = 0; c < mapping->state_column_count; c++) {
            if (mapping->state_columns[c].region_key)
                names[count++] = mapping->state_columns[c].region_key;
        }
        bst__map_error(map, &where, "not-a-region", "region \"%s\" has no column in \"state\"",
                       region);
        bst__map_did_you_mean(map, region, names, sizeof *names, count,
                              "Name a region of \"state\": its codes are those of the log.");
    }
    return found;
}

/* { "column", "values" } */
static void read_named(bst__map *map, const json_t *json, const bst__map_path *path, bst_log *log) {
    static const char *const keys[] = {"column", "values", "description"};
    const bst__map_path at = {path, "column", 0}, values_at = {path, "values", 0};
    bst__map_keys(map, json, path, keys, sizeof keys / sizeof *keys);
    const json_t *const column = bst__map_need(map, json, path, "column", JSON_STRING);
    const json_t *const values = bst__map_need(map, json, path, "values", JSON_OBJECT);
    if (!column || !values)
        return;
    bst_log_region *const made =
        bst_arena_array(map->arena, json_object_size(values), sizeof *made);
    if (!made) {
        bst__map_nomem(map);
        return;
    }
    log->region = bst__map_plain(map, column, &at, &text_type);
    log->regions = made;
    const char *text;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)values, text, value) {
        const bst__map_path each = {&values_at, text, 0};
        bst_log_region *const of = &made[log->region_count++];
        *of = (bst_log_region){text, BST_NONE};
        if (!json_is_null(value) && bst__map_is(map, value, &each, JSON_STRING))
            of->state_column = need_column(map, json_string_value(value), &each);
    }
}

void bst__map_log_region(bst__map *map, const json_t *json, const bst__map_path *path,
                         bst_log *log) {
    const json_t *const region = json_object_get(json, "region");
    const bst__map_path here = {path, "region", 0};
    if (!map->mapping->regional) {
        if (region) {
            const bst_loc where = bst__map_value_at(map, &here);
            bst__map_error(map, &where, "not-a-region",
                           "\"state\" has one column: no region has one of its own");
            bst_diag_hint(map->diags, "Leave \"region\" out: the log has the codes of \"state\".");
        }
        return;
    }
    if (!log->evidence) {
        const bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "not-supported",
                       "`learn` cannot read a log where regions have columns of their own");
        bst_diag_hint(map->diags, "Leave \"use\" out: as evidence the log is read.");
        return;
    }
    if (json_is_object(region)) {
        read_named(map, region, &here, log);
    } else if (region && bst__map_is(map, region, &here, JSON_STRING)) {
        log->state_column = need_column(map, json_string_value(region), &here);
    } else if (!region && map->mapping->state_column_count > 0 &&
               map->mapping->state_columns[0].region_key &&
               (json_object_get(json, "to") || !json_object_get(json, "event"))) {
        const bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "missing-key",
                       "the log does not say which \"region\" it is of");
        bst_diag_hint(map->diags,
                      "Write \"region\": \"%s\", or { \"column\", \"values\" } where a "
                      "column of the log names it.",
                      map->mapping->state_columns[0].region_key);
    }
}

/* ---- the same state again ---- */

/* Whether the step enters something that the column has a code for. */
static bool shows(const bst_machine *machine, const bst_state_column *column, uint32_t step) {
    for (uint32_t i = 0; i < column->code_count; i++) {
        if (bst_machine_enters(machine, step, column->codes[i].node))
            return true;
    }
    return false;
}

static bool is_active(const bst_machine *machine, uint32_t state, uint32_t node) {
    const bst_state *const of = &machine->states[state];
    for (uint32_t i = 0; i < of->node_count; i++) {
        if (of->nodes[i] >= node && of->nodes[i] <= machine->nodes[node].last)
            return true;
    }
    return false;
}

/* Whether steps lead from the node to itself that the column shows nothing of, but for the last:
 * its region may be left and entered again on the way. `seen` and `stack` have room for all
 * states. */
static bool leads_back(const bst_machine *machine, const bst_state_column *column, uint32_t node,
                       uint8_t *seen, uint32_t *stack) {
    uint32_t depth = 0;
    for (uint32_t s = 0; s < machine->state_count; s++) {
        seen[s] = is_active(machine, s, node);
        if (seen[s])
            stack[depth++] = s;
    }
    while (depth > 0) {
        const bst_state *const from = &machine->states[stack[--depth]];
        for (uint32_t i = 0; i < from->transition_count; i++) {
            const uint32_t t = from->first_transition + i;
            const bst_transition *const step = &machine->transitions[t];
            if (step->targetless)
                continue;
            if (bst_machine_enters(machine, t, node))
                return true;
            if (!seen[step->to] && !shows(machine, column, t)) {
                seen[step->to] = 1;
                stack[depth++] = step->to;
            }
        }
    }
    return false;
}

void bst__map_log_nodes(bst__map *map) {
    const bst_machine *const machine = map->machine;
    const bst_mapping *const mapping = map->mapping;
    if (!mapping->regional || !machine)
        return;
    uint8_t *const seen = bst_arena_array(map->arena, machine->state_count, 1);
    uint32_t *const stack = bst_arena_array(map->arena, machine->state_count, sizeof *stack);
    uint8_t *const flags =
        bst_arena_array(map->arena, (size_t)mapping->state_column_count * machine->node_count, 1);
    if (!seen || !stack || !flags) {
        bst__map_nomem(map);
        return;
    }
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *const column = &mapping->state_columns[c];
        for (uint32_t i = 0; i < column->code_count; i++) {
            const uint32_t node = column->codes[i].node;
            flags[c * machine->node_count + node] = leads_back(machine, column, node, seen, stack);
        }
    }
    map->mapping->reentered = flags;
}
