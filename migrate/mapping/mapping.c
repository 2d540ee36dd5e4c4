/* Loading a mapping file. Order: the machine it names; the source; state, fields and evidence,
 * which collect columns as they need them; then the expressions, which need to know all columns.
 */
#include "backstory/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "mapping_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const root_keys[] = {"$schema", "machine",  "source",      "state",
                                        "fields",  "evidence", "log",         "probabilities",
                                        "policy",  "warnings", "description", "commands"};

/* Weights are relative; what a file calls impossible is kept as barely possible, so that a row that
 * proves it is not a contradiction. */
#define WEIGHT_MIN 1e-9

/* ---- the machine ---- */

/* `name` beside the mapping file, unless it is absolute. Malloc'd. */
static char *beside(const char *file, const char *name) {
    const char *slash = strrchr(file, '/');
    bst_strbuf path = BST_STRBUF_INIT;
    if (slash && *name != '/') {
        bst_strbuf_add(&path, file, (size_t)(slash - file) + 1);
    }
    bst_strbuf_adds(&path, name);
    return bst_strbuf_detach(&path);
}

static void read_machine(bst__map *map, const json_t *root) {
    const json_t *json = bst__map_need(map, root, NULL, "machine", JSON_STRING);
    if (!json) {
        return;
    }
    char *path = beside(map->mapping->file, json_string_value(json));
    if (!path) {
        bst__map_nomem(map);
        return;
    }
    bst_status status = bst_machine_load(path, &map->whole->machine, map->diags);
    if (status != BST_OK) {
        map->status = status;
        map->whole->machine = NULL;
    }
    if (status == BST_IO) {
        bst__map_path here = {NULL, "machine", 0};
        bst_loc where = bst__map_value_at(map, &here);
        bst_diag_also(map->diags, &where, "it is named here");
    }
    map->machine = map->whole->machine;
    map->mapping->machine = map->machine;
    free(path);
}

/* ---- fields ---- */

static void read_fields(bst__map *map, const json_t *root) {
    const json_t *fields = bst__map_get(map, root, NULL, "fields", JSON_OBJECT);
    bst__map_path path = {NULL, "fields", 0};
    uint32_t count = map->machine ? map->machine->field_count : 0;
    bst_value_from *froms = bst_arena_array(map->arena, count, sizeof *froms);
    if (!froms) {
        bst__map_nomem(map);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        froms[i] = (bst_value_from){BST_FROM_NOTHING, BST_NONE, NULL, -1, BST_ABSENT};
    }
    map->mapping->fields = froms;
    const char *name;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)fields, name, json) {
        bst__map_path here = {&path, name, 0};
        bst_value_from unused;
        if (!map->machine) {
            bst__map_value(map, json, &here, NULL, &unused);
            continue;
        }
        uint32_t field = bst_machine_field(map->machine, name);
        if (field == BST_NONE) {
            bst_loc where = bst__map_key_at(map, &here);
            bst__map_error(map, &where, "unknown-field", "field \"%s\" is not in the machine",
                           name);
            bst__map_did_you_mean(map, name, map->machine->fields, sizeof *map->machine->fields,
                                  map->machine->field_count, "Name a field of the machine.");
            bst__map_value(map, json, &here, NULL, &unused);
            continue;
        }
        bst__map_value(map, json, &here, &map->machine->fields[field].type, &froms[field]);
    }
}

/* ---- probabilities ---- */

/* Spreads the weight of a command over its transitions. */
static void read_weight(bst__map *map, const json_t *json, const bst__map_path *path,
                        uint32_t state, double *weights) {
    uint32_t command = bst_machine_command(map->machine, path->key);
    uint32_t first = 0;
    uint32_t count =
        command == BST_NONE ? 0 : bst_machine_candidates(map->machine, state, command, &first);
    if (count == 0) {
        bst_loc where = bst__map_key_at(map, path);
        bst__map_error(map, &where, command == BST_NONE ? "unknown-command" : "no-transition",
                       command == BST_NONE ? "command \"%s\" is not in the machine"
                                           : "no transition of this state has the command \"%s\"",
                       path->key);
        if (command == BST_NONE) {
            bst__map_did_you_mean(map, path->key, map->machine->commands,
                                  sizeof *map->machine->commands, map->machine->command_count,
                                  "Name a command of the machine.");
        } else {
            bst_diag_hint(map->diags, "Name a command that the state's \"on\" has.");
        }
        return;
    }
    if (!bst__map_is(map, json, path, JSON_REAL)) {
        return;
    }
    double weight = json_number_value(json);
    if (!(weight >= 0 && weight <= 1)) {
        bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "bad-probability", "a probability is from 0 to 1");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        weights[first + i] = weight / count > WEIGHT_MIN ? weight / count : WEIGHT_MIN;
    }
}

/* What a state's commands leave of 1 goes in equal parts to the commands not named. */
static void read_state_weights(bst__map *map, const json_t *commands, const bst__map_path *path,
                               uint32_t state, double *weights) {
    const bst_state *of = &map->machine->states[state];
    for (uint32_t i = 0; i < of->transition_count; i++) {
        weights[of->first_transition + i] = -1;
    }
    const char *name;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)commands, name, json) {
        bst__map_path here = {path, name, 0};
        read_weight(map, json, &here, state, weights);
    }
    double named = 0;
    uint32_t unnamed = 0;
    for (uint32_t i = 0; i < of->transition_count; i++) {
        double weight = weights[of->first_transition + i];
        named += weight > 0 ? weight : 0;
        unnamed += weight < 0;
    }
    if (named > 1.000001) {
        bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "bad-probability",
                       "the probabilities of state \"%s\" add up to more than 1", path->key);
    }
    double rest = unnamed > 0 && named < 1 ? (1 - named) / (unnamed + 1) : 0;
    for (uint32_t i = 0; i < of->transition_count; i++) {
        double *weight = &weights[of->first_transition + i];
        *weight = *weight < 0 ? (rest > WEIGHT_MIN ? rest : WEIGHT_MIN) : *weight;
    }
}

static void read_probabilities(bst__map *map, const json_t *root) {
    const json_t *json = json_object_get(root, "probabilities");
    bst__map_path path = {NULL, "probabilities", 0};
    if (json_is_string(json)) {
        char *file = map->machine ? beside(map->mapping->file, json_string_value(json)) : NULL;
        if (file) {
            bst__map_learned(map, &path, file);
        } else if (map->machine) {
            bst__map_nomem(map);
        }
        free(file);
        return;
    }
    json = bst__map_get(map, root, NULL, "probabilities", JSON_OBJECT);
    if (!json || !map->machine) {
        return;
    }
    const bst_machine *machine = map->machine;
    double *weights = bst_arena_array(map->arena, machine->transition_count, sizeof *weights);
    if (!weights) {
        bst__map_nomem(map);
        return;
    }
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        uint32_t from = machine->transitions[t].from;
        weights[t] = from == BST_NONE ? 1.0 / machine->creation_count
                                      : 1.0 / (machine->states[from].transition_count + 1);
    }
    const char *name;
    json_t *commands;
    json_object_foreach ((json_t *)(uintptr_t)json, name, commands) {
        bst__map_path here = {&path, name, 0};
        uint32_t state = bst__map_find_state(machine, name);
        if (state == BST_NONE) {
            bst_loc where = bst__map_key_at(map, &here);
            bst__map_error(map, &where, "unknown-state", "state \"%s\" is not in the machine",
                           name);
            bst__map_did_you_mean(map, name, machine->states, sizeof *machine->states,
                                  machine->state_count, "Name a state of the machine.");
        } else if (bst__map_is(map, commands, &here, JSON_OBJECT)) {
            read_state_weights(map, commands, &here, state, weights);
        }
    }
    map->mapping->weights =
        (bst_weights){.weight = weights, .step_penalty = BST_STEP_PENALTY_DEFAULT};
}

/* ---- warnings ---- */

static void read_warnings(bst__map *map, const json_t *root) {
    static const char *const levels[] = {"off", "warning", "error"};
    const json_t *json = bst__map_get(map, root, NULL, "warnings", JSON_OBJECT);
    bst__map_path path = {NULL, "warnings", 0};
    if (!json) {
        return;
    }
    bst_warnings *warnings = bst_arena_alloc(map->arena, sizeof *warnings);
    if (!warnings) {
        bst__map_nomem(map);
        return;
    }
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)json, name, value) {
        bst__map_path here = {&path, name, 0};
        const bst_warning warning = bst_warning_find(name, strlen(name));
        if (warning == BST_WARNING_COUNT) {
            bst_loc where = bst__map_key_at(map, &here);
            const char *near = bst_warning_nearest(name);
            bst__map_error(map, &where, "unknown-warning", "there is no warning \"%s\"", name);
            bst_diag_hint(map->diags,
                          near ? "Did you mean \"%s\"?"
                               : "`backstory check --list-warnings` names them%s.",
                          near ? near : "");
            continue;
        }
        const int level = bst__map_choice(map, json, &path, name, levels, COUNT(levels), 1);
        warnings->level[warning] = (uint8_t)(BST_LEVEL_OFF + level);
    }
    map->mapping->warnings = warnings;
}

/* ---- the whole ---- */

static void read_all(bst__map *map) {
    const json_t *root = bst_json_source_root(map->json);
    bst__map_keys(map, root, NULL, root_keys, COUNT(root_keys));
    bst__map_get(map, root, NULL, "$schema", JSON_STRING);
    bst__map_get(map, root, NULL, "description", JSON_STRING);
    read_machine(map, root);
    bst__map_source(map, root);
    bst__map_state(map, root);
    if (map->machine && map->status == BST_OK) {
        bst__map_places(map);
    }
    read_fields(map, root);
    bst__map_evidence(map, root);
    read_probabilities(map, root);
    bst__map_policy(map, root);
    read_warnings(map, root);
    bst__map_commands(map, root);
    bst__map_log(map, root);
    if (map->status != BST_NOMEM) {
        bst__map_compile(map);
    }
    map->mapping->source.columns = map->columns;
    map->mapping->source.column_count = map->column_count;
    if (map->column_count > BST_COLUMNS_MAX) {
        bst__map_error(map, NULL, "too-many", "the mapping reads %zu columns; %u are the limit",
                       map->column_count, BST_COLUMNS_MAX);
    }
}

/* Takes `json`, also when it fails. */
static bst_status compile(bst_json_source *json, bst_mapping **ret, bst_diags *diags) {
    bst__map_whole *whole = calloc(1, sizeof *whole);
    bst__map map = {.diags = diags};
    if (!whole || !(whole->arena = bst_arena_new())) {
        free(whole);
        bst_json_source_free(json);
        return bst_diag_nomem(diags);
    }
    whole->json = json;
    map.whole = whole;
    map.arena = whole->arena;
    map.mapping = &whole->mapping;
    map.pending_tail = &map.pending;
    whole->made = json_array();
    size_t len = 0;
    const char *text = bst_json_source_text(json, &len);
    map.json = json;
    whole->mapping.json = json;
    whole->mapping.file = bst_json_source_name(json);
    bst_sha256_hex(text, len, whole->mapping.sha256);
    read_all(&map);
    if (map.status != BST_OK) {
        bst_mapping_free(&whole->mapping);
        return map.status;
    }
    *ret = &whole->mapping;
    return BST_OK;
}

bst_status bst_mapping_load(const char *path, bst_mapping **ret, bst_diags *diags) {
    bst_json_source *json = NULL;
    const bst_status status = bst_json_source_read(path, &json, diags);
    return status == BST_OK ? compile(json, ret, diags) : status;
}

bst_status bst_mapping_parse(const char *name, const char *text, size_t len, bst_mapping **ret,
                             bst_diags *diags) {
    bst_json_source *json = NULL;
    const bst_status status = bst_json_source_parse(name, text, len, &json, diags);
    return status == BST_OK ? compile(json, ret, diags) : status;
}

bst_mapping *bst_mapping_free(bst_mapping *mapping) {
    if (!mapping) {
        return NULL;
    }
    bst__map_whole *whole = (bst__map_whole *)mapping;
    bst__map_places_free(whole);
    for (const bst__map_zone *z = whole->zones; z; z = z->next) {
        bst_zone_free(z->zone);
    }
    bst_machine_free(whole->machine);
    bst_json_source_free(whole->json);
    bst_json_source_free(whole->learned);
    json_decref(whole->made);
    bst_arena_free(whole->arena);
    free(whole);
    return NULL;
}
