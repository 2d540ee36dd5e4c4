/* Of a file of probabilities, what single steps are worth: how often each command was given in each
 * state, and how often an entity was left there. And how such a file writes a count and a step.
 */
#include "mapping_private.h"

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

void bst__map_steps(bst__map *map, const json_t *root, double *weight, double *stop) {
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
