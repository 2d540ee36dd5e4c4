/* Files of probabilities: what `learn` writes, and a user may edit. docs/probabilities.md has the
 * form. Everything in it is a count, so that it can be read, compared and mended by hand; what
 * inference wants of it is worked out here, and, of whole histories, in learned_seen.c.
 */
#include "mapping_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2 /* of the file; 1 had no contexts */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void bst__map_bad_number(bst__map *map, const bst__map_path *path, const char *what) {
    const bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "bad-probability", "%s", what);
}

/* A count; -1 and a finding when it is none. */
double bst__map_count(bst__map *map, const json_t *json, const bst__map_path *path) {
    if (!bst__map_is(map, json, path, JSON_REAL))
        return -1;
    const double number = json_number_value(json);
    if (number >= 0 && number <= 1e15)
        return number;
    bst__map_bad_number(map, path, "a count is not negative");
    return -1;
}

/* ---- single steps ---- */

void bst__map_unknown_step(bst__map *map, const bst__map_path *path, const char *name,
                           bool of_machine) {
    const bst_loc where = path->key ? bst__map_key_at(map, path) : bst__map_value_at(map, path);
    bst__map_error(map, &where, of_machine ? "no-transition" : "unknown-command",
                   of_machine ? "command \"%s\" does nothing here"
                              : "command \"%s\" is not in the machine",
                   name);
    if (!of_machine)
        bst__map_did_you_mean(map, name, map->machine->commands, sizeof *map->machine->commands,
                              map->machine->command_count, "Name a command of the machine.");
}

/* A number, or one for each transition of the command in the order of the machine's file. */
static void read_command(bst__map *map, const json_t *json, const bst__map_path *path,
                         uint32_t from, double *weight) {
    const uint32_t command = bst_machine_command(map->machine, path->key);
    uint32_t first = 0, count = 0;
    if (command != BST_NONE)
        count = bst_machine_candidates(map->machine, from, command, &first);
    if (count == 0) {
        bst__map_unknown_step(map, path, path->key, command != BST_NONE);
        return;
    }
    if (!json_is_array(json)) {
        const double number = bst__map_count(map, json, path);
        for (uint32_t i = 0; i < count; i++)
            weight[first + i] = number / count;
        return;
    }
    if (json_array_size(json) != count) {
        bst__map_bad_number(map, path, "the command does not have so many transitions here");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const bst__map_path here = {path, NULL, i};
        weight[first + i] = bst__map_count(map, json_array_get(json, i), &here);
    }
}

static void read_commands(bst__map *map, const json_t *commands, const bst__map_path *path,
                          uint32_t from, uint32_t first, uint32_t count, double *weight) {
    const char *name;
    json_t *json;
    for (uint32_t i = 0; commands && i < count; i++)
        weight[first + i] = 0;
    json_object_foreach ((json_t *)(uintptr_t)commands, name, json) {
        const bst__map_path here = {path, name, 0};
        read_command(map, json, &here, from, weight);
    }
}

static void read_steps(bst__map *map, const json_t *root, double *weight, double *stop) {
    static const char *const keys[] = {"stop", "commands", "description"};
    const bst_machine *const machine = map->machine;
    const bst__map_path creations = {NULL, "creations", 0}, states = {NULL, "states", 0};
    read_commands(map, bst__map_get(map, root, NULL, "creations", JSON_OBJECT), &creations,
                  BST_NONE, 0, machine->creation_count, weight);
    const char *name;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)bst__map_get(map, root, NULL, "states", JSON_OBJECT),
                         name, json) {
        const bst__map_path here = {&states, name, 0}, inside = {&here, "commands", 0};
        const uint32_t state = bst_machine_state(machine, name);
        if (state == BST_NONE) {
            const bst_loc where = bst__map_key_at(map, &here);
            bst__map_error(map, &where, "unknown-state", "state \"%s\" is not in the machine",
                           name);
            bst__map_did_you_mean(map, name, machine->states, sizeof *machine->states,
                                  machine->state_count, "Name a state of the machine.");
            continue;
        }
        if (!bst__map_is(map, json, &here, JSON_OBJECT))
            continue;
        bst__map_keys(map, json, &here, keys, COUNT(keys));
        const json_t *const ends = bst__map_get(map, json, &here, "stop", JSON_REAL);
        const bst__map_path there = {&here, "stop", 0};
        if (ends)
            stop[state] = bst__map_count(map, ends, &there);
        read_commands(map, bst__map_get(map, json, &here, "commands", JSON_OBJECT), &inside, state,
                      machine->states[state].first_transition,
                      machine->states[state].transition_count, weight);
    }
}

/* ---- the file ---- */

/* 0: it is not there. */
static double read_share(bst__map *map, const json_t *root, const char *key) {
    const bst__map_path here = {NULL, key, 0};
    const json_t *const json = bst__map_get(map, root, NULL, key, JSON_REAL);
    const double share = json ? json_number_value(json) : 0;
    if (json && !(share > 0 && share <= 1))
        bst__map_bad_number(map, &here, "a share is above 0 and at most 1");
    return share;
}

static double read_penalty(bst__map *map, const json_t *root, const char *key, double otherwise) {
    const bst__map_path here = {NULL, key, 0};
    const json_t *const json = bst__map_get(map, root, NULL, key, JSON_REAL);
    const double penalty = json ? json_number_value(json) : otherwise;
    if (!(penalty > 0 && penalty <= 1))
        bst__map_bad_number(map, &here, "a penalty is above 0 and at most 1");
    return penalty;
}

/* Is it of this machine, and of a version that can be read? */
static bool read_head(bst__map *map, const json_t *root) {
    static const char *const keys[] = {
        "$schema",      "version",   "machine",   "description",  "learned",
        "step_penalty", "smoothing", "creations", "loop_penalty", "unusual_creation",
        "states",       "context",   "seen"};
    const bst__map_path machine_at = {NULL, "machine", 0}, version_at = {NULL, "version", 0};
    const json_t *const version = bst__map_get(map, root, NULL, "version", JSON_INTEGER);
    if (version && (json_integer_value(version) < 1 || json_integer_value(version) > VERSION)) {
        const bst_loc where = bst__map_value_at(map, &version_at);
        bst__map_error(map, &where, "unknown-version", "versions 1 to %d of this file can be read",
                       VERSION);
        return false;
    }
    bst__map_keys(map, root, NULL, keys, COUNT(keys));
    const json_t *const id = bst__map_need(map, root, NULL, "machine", JSON_STRING);
    if (id && strcmp(json_string_value(id), map->machine->id) != 0) {
        const bst_loc where = bst__map_value_at(map, &machine_at);
        bst__map_error(map, &where, "other-machine", "this file speaks of the machine \"%s\"",
                       json_string_value(id));
        bst_diag_hint(map->diags, "Run `backstory learn` for this mapping.");
        return false;
    }
    bst__map_get(map, root, NULL, "learned", JSON_OBJECT);
    return true;
}

static void fill(double *numbers, uint32_t count, double number) {
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = number;
}

static void add_to_all(double *numbers, uint32_t count, double number) {
    for (uint32_t i = 0; i < count; i++)
        numbers[i] += number;
}

static void read_file(bst__map *map, bst_weights *ret) {
    const bst_machine *const machine = map->machine;
    const json_t *const root = bst_json_source_root(map->json);
    double *const weight = bst_arena_array(map->arena, machine->transition_count, sizeof *weight);
    double *const stop = bst_arena_array(map->arena, machine->state_count, sizeof *stop);
    const uint8_t *const back = bst_steps_back(machine, map->arena);
    if (!weight || !stop || !back) {
        bst__map_nomem(map);
        return;
    }
    if (!read_head(map, root))
        return;
    const double penalty = read_penalty(map, root, "step_penalty", BST_STEP_PENALTY_DEFAULT);
    const double loop_penalty = read_penalty(map, root, "loop_penalty", 1);
    const json_t *const smoothing = bst__map_get(map, root, NULL, "smoothing", JSON_REAL);
    const bst__map_path smoothing_at = {NULL, "smoothing", 0};
    const double more = smoothing ? bst__map_count(map, smoothing, &smoothing_at) : 0;
    fill(weight, machine->transition_count, 1);
    fill(stop, machine->state_count, 1);
    read_steps(map, root, weight, stop);
    add_to_all(weight, machine->transition_count, more);
    add_to_all(stop, machine->state_count, more);
    *ret = (bst_weights){.weight = weight,
                         .stop = stop,
                         .births_unknown = json_object_get(root, "creations") == NULL,
                         .step_penalty = penalty,
                         .loop_penalty = loop_penalty,
                         .rare_birth = read_share(map, root, "unusual_creation"),
                         .leads_back = back};
    bst__map_seen(map, root, ret);
}

void bst__map_learned(bst__map *map, const bst__map_path *path, const char *file) {
    bst_json_source *json = NULL;
    const bst_status status = bst_json_source_read(file, &json, map->diags);
    map->mapping->learned_file = bst_arena_strndup(map->arena, file, strlen(file));
    if (status == BST_OK && !map->mapping->learned_file)
        bst__map_nomem(map);
    if (status == BST_OK) {
        bst__map inner = *map;
        inner.json = map->whole->learned = json;
        inner.status = BST_OK;
        read_file(&inner, &map->mapping->weights);
        map->suggestions = inner.suggestions;
        if (inner.status != BST_OK)
            map->status = inner.status;
        return;
    }
    map->status = status;
    if (status == BST_IO) {
        const bst_loc where = bst__map_value_at(map, path);
        bst_diag_also(map->diags, &where, "it is named here");
    }
}
