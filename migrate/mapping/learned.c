/* Files of probabilities: what `learn` writes, and a user may edit. docs/probabilities.md has the
 * form. Everything in it is a count, so that it can be read, compared and mended by hand; what
 * inference wants of it is worked out here.
 */
#include "mapping_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2 /* of the file; 1 had no contexts */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void bad_number(bst__map *map, const bst__map_path *path, const char *what) {
    const bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "bad-probability", "%s", what);
}

/* A count; -1 and a finding when it is none. */
static double read_count(bst__map *map, const json_t *json, const bst__map_path *path) {
    if (!bst__map_is(map, json, path, JSON_REAL))
        return -1;
    const double number = json_number_value(json);
    if (number >= 0 && number <= 1e15)
        return number;
    bad_number(map, path, "a count is not negative");
    return -1;
}

/* ---- single steps ---- */

static void unknown_command(bst__map *map, const bst__map_path *path, const char *name,
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
        unknown_command(map, path, path->key, command != BST_NONE);
        return;
    }
    if (!json_is_array(json)) {
        const double number = read_count(map, json, path);
        for (uint32_t i = 0; i < count; i++)
            weight[first + i] = number / count;
        return;
    }
    if (json_array_size(json) != count) {
        bad_number(map, path, "the command does not have so many transitions here");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const bst__map_path here = {path, NULL, i};
        weight[first + i] = read_count(map, json_array_get(json, i), &here);
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
            stop[state] = read_count(map, ends, &there);
        read_commands(map, bst__map_get(map, json, &here, "commands", JSON_OBJECT), &inside, state,
                      machine->states[state].first_transition,
                      machine->states[state].transition_count, weight);
    }
}

/* ---- whole histories ---- */

/* "capture", or "capture#2": its second transition in this state. */
static uint32_t find_step(bst__map *map, const bst__map_path *path, const char *text,
                          uint32_t from) {
    const char *const mark = strrchr(text, '#');
    const size_t len = mark ? (size_t)(mark - text) : strlen(text);
    const char *const name = bst_arena_strndup(map->arena, text, len);
    uint32_t first = 0, count = 0;
    if (!name) {
        bst__map_nomem(map);
        return BST_NONE;
    }
    const unsigned long which = mark ? strtoul(mark + 1, NULL, 10) : 1;
    const uint32_t command = bst_machine_command(map->machine, name);
    if (command != BST_NONE)
        count = bst_machine_candidates(map->machine, from, command, &first);
    if (which >= 1 && which <= count)
        return first + (uint32_t)which - 1;
    unknown_command(map, path, text, command != BST_NONE);
    return BST_NONE;
}

static bool read_history(bst__map *map, const json_t *json, const bst__map_path *path,
                         bst_seen_walk *ret) {
    static const char *const keys[] = {"name", "times", "commands", "description"};
    if (!bst__map_is(map, json, path, JSON_OBJECT))
        return false;
    bst__map_keys(map, json, path, keys, COUNT(keys));
    const json_t *const times = bst__map_need(map, json, path, "times", JSON_REAL);
    const json_t *const commands = bst__map_need(map, json, path, "commands", JSON_ARRAY);
    const bst__map_path at = {path, "times", 0}, inside = {path, "commands", 0};
    if (!times || !commands)
        return false;
    const size_t count = json_array_size(commands);
    uint32_t *const steps = bst_arena_array(map->arena, count, sizeof *steps);
    if (!steps || count > BST_WALK_STEPS_MAX) {
        if (steps)
            bad_number(map, &inside, "a history is longer than can be");
        else
            bst__map_nomem(map);
        return false;
    }
    uint32_t from = BST_NONE;
    for (size_t i = 0; i < count; i++) {
        const bst__map_path here = {&inside, NULL, i};
        const json_t *const text = json_array_get(commands, i);
        if (!bst__map_is(map, text, &here, JSON_STRING))
            return false;
        steps[i] = find_step(map, &here, json_string_value(text), from);
        if (steps[i] == BST_NONE)
            return false;
        from = map->machine->transitions[steps[i]].to;
    }
    *ret = (bst_seen_walk){read_count(map, times, &at), (uint32_t)count, steps};
    return count > 0;
}

/* The number of the history of this name. */
static uint32_t find_history(const char *const *names, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return BST_NONE;
}

static void read_signature(bst__map *map, const json_t *json, const bst__map_path *path,
                           const char *const *names, uint32_t count, double discount,
                           bst_seen_here *ret) {
    const char *name;
    json_t *number;
    ret->signature = path->key;
    if (!bst__map_is(map, json, path, JSON_OBJECT))
        return;
    bst_seen_times *const times =
        bst_arena_array(map->arena, json_object_size(json), sizeof *times);
    if (!times) {
        bst__map_nomem(map);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)json, name, number) {
        const bst__map_path here = {path, name, 0};
        const uint32_t walk = find_history(names, count, name);
        if (walk == BST_NONE) {
            const bst_loc where = bst__map_key_at(map, &here);
            bst__map_error(map, &where, "unknown-history", "no history has the name \"%s\"", name);
            continue;
        }
        times[ret->count++] =
            (bst_seen_times){walk, fmax(read_count(map, number, &here) - discount, 0)};
    }
    ret->times = times;
}

static int by_signature(const void *a, const void *b) {
    return strcmp(((const bst_seen_here *)a)->signature, ((const bst_seen_here *)b)->signature);
}

static void read_signatures(bst__map *map, const json_t *seen, const bst__map_path *path,
                            const char *const *names, bst_weights *ret) {
    const json_t *const signatures = bst__map_get(map, seen, path, "signatures", JSON_OBJECT);
    const bst__map_path inside = {path, "signatures", 0}, worth = {path, "rest_worth", 0};
    const bst__map_path off = {path, "signature_discount", 0};
    const bst__map_path each_at = {path, "rest_worth_each", 0};
    if (!signatures)
        return;
    const json_t *const rest = bst__map_need(map, seen, path, "rest_worth", JSON_REAL);
    const json_t *const less = bst__map_get(map, seen, path, "signature_discount", JSON_REAL);
    const json_t *const more = bst__map_get(map, seen, path, "rest_worth_each", JSON_REAL);
    const double discount = less ? read_count(map, less, &off) : 0;
    bst_seen_here *const here =
        bst_arena_array(map->arena, json_object_size(signatures), sizeof *here);
    const char *text;
    json_t *json;
    if (!here) {
        bst__map_nomem(map);
        return;
    }
    ret->rest_worth = rest ? read_count(map, rest, &worth) : 0;
    ret->rest_worth_each = more ? read_count(map, more, &each_at) : 0;
    json_object_foreach ((json_t *)(uintptr_t)signatures, text, json) {
        const bst__map_path each = {&inside, text, 0};
        read_signature(map, json, &each, names, ret->seen_count, discount,
                       &here[map->mapping->seen_here_count++]);
    }
    qsort(here, map->mapping->seen_here_count, sizeof *here, by_signature);
    map->mapping->seen_here = here;
}

static void read_histories(bst__map *map, const json_t *histories, const bst__map_path *list,
                           bst_seen_walk *walks, const char **names, bst_weights *ret) {
    for (size_t i = 0; i < json_array_size(histories) && map->status != BST_NOMEM; i++) {
        const bst__map_path here = {list, NULL, i};
        const json_t *const json = json_array_get(histories, i);
        if (!read_history(map, json, &here, &walks[ret->seen_count]))
            continue;
        const json_t *const name = bst__map_get(map, json, &here, "name", JSON_STRING);
        names[ret->seen_count++] = name ? json_string_value(name) : "";
    }
    ret->seen = walks;
}

/* ---- contexts ---- */

/* Of the histories as they were counted. */
static void make_contexts(bst__map *map, const bst__map_path *path, uint32_t states, double worth,
                          bst_weights *ret) {
    bst_contexts *const made = bst_arena_alloc(map->arena, sizeof *made);
    const bst_status status =
        made ? bst_contexts_make(map->machine, states, ret->seen_count, ret->seen, map->arena, made)
             : BST_NOMEM;
    if (status == BST_NOMEM) {
        bst__map_nomem(map);
    } else if (status == BST_LIMIT) {
        bad_number(map, path, "the histories have more contexts of so many states than can be");
    } else {
        bst_contexts_weigh(made, map->machine, ret->weight, ret->stop, ret->seen_count, ret->seen,
                           worth);
        ret->contexts = made;
    }
}

static void read_context(bst__map *map, const json_t *root, bst_weights *ret) {
    static const char *const keys[] = {"states", "shorter_worth", "description"};
    const json_t *const json = bst__map_get(map, root, NULL, "context", JSON_OBJECT);
    const bst__map_path path = {NULL, "context", 0}, states_at = {&path, "states", 0};
    const bst__map_path worth_at = {&path, "shorter_worth", 0};
    if (!json)
        return;
    bst__map_keys(map, json, &path, keys, COUNT(keys));
    const json_t *const states = bst__map_need(map, json, &path, "states", JSON_INTEGER);
    const json_t *const worth = bst__map_need(map, json, &path, "shorter_worth", JSON_REAL);
    if (!states || !worth)
        return;
    const json_int_t number = json_integer_value(states);
    const double shorter = read_count(map, worth, &worth_at);
    if (number < 1 || number > (json_int_t)BST_CONTEXT_STATES_MAX)
        bad_number(map, &states_at, "a context has 1 to 4 states");
    else if (shorter == 0)
        bad_number(map, &worth_at, "what shorter contexts are worth is more than 0");
    else if (number > 1 && shorter > 0 && map->status == BST_OK)
        make_contexts(map, &states_at, (uint32_t)number, shorter, ret);
}

static void discount_histories(double discount, uint32_t count, bst_seen_walk *walks) {
    for (uint32_t i = 0; i < count; i++)
        walks[i].times = fmax(walks[i].times - discount, 0);
}

static void read_seen(bst__map *map, const json_t *root, bst_weights *ret) {
    static const char *const keys[] = {"steps_worth",     "discount",   "histories",
                                       "rest_worth",      "signatures", "signature_discount",
                                       "rest_worth_each", "description"};
    const json_t *const seen = json_object_get(root, "context")
                                   ? bst__map_need(map, root, NULL, "seen", JSON_OBJECT)
                                   : bst__map_get(map, root, NULL, "seen", JSON_OBJECT);
    const bst__map_path path = {NULL, "seen", 0}, list = {&path, "histories", 0};
    const bst__map_path worth = {&path, "steps_worth", 0}, off = {&path, "discount", 0};
    if (seen)
        bst__map_keys(map, seen, &path, keys, COUNT(keys));
    const json_t *const number =
        seen ? bst__map_need(map, seen, &path, "steps_worth", JSON_REAL) : NULL;
    const json_t *const histories =
        seen ? bst__map_need(map, seen, &path, "histories", JSON_ARRAY) : NULL;
    if (!number || !histories)
        return;
    const json_t *const discount = bst__map_get(map, seen, &path, "discount", JSON_REAL);
    bst_seen_walk *const walks =
        bst_arena_array(map->arena, json_array_size(histories), sizeof *walks);
    const char **const names =
        bst_arena_array(map->arena, json_array_size(histories), sizeof(char *));
    if (!walks || !names) {
        bst__map_nomem(map);
        return;
    }
    ret->steps_worth = read_count(map, number, &worth);
    if (ret->steps_worth == 0)
        bad_number(map, &worth, "what single steps are worth is more than 0");
    read_histories(map, histories, &list, walks, names, ret);
    read_context(map, root, ret);
    discount_histories(discount ? read_count(map, discount, &off) : 0, ret->seen_count, walks);
    read_signatures(map, seen, &path, names, ret);
}

/* ---- the file ---- */

static double read_penalty(bst__map *map, const json_t *root, const char *key, double otherwise) {
    const bst__map_path here = {NULL, key, 0};
    const json_t *const json = bst__map_get(map, root, NULL, key, JSON_REAL);
    const double penalty = json ? json_number_value(json) : otherwise;
    if (!(penalty > 0 && penalty <= 1))
        bad_number(map, &here, "a penalty is above 0 and at most 1");
    return penalty;
}

/* Is it of this machine, and of a version that can be read? */
static bool read_head(bst__map *map, const json_t *root) {
    static const char *const keys[] = {"$schema",      "version",      "machine",   "description",
                                       "learned",      "step_penalty", "smoothing", "creations",
                                       "loop_penalty", "states",       "context",   "seen"};
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
    const double more = smoothing ? read_count(map, smoothing, &smoothing_at) : 0;
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
                         .leads_back = back};
    read_seen(map, root, ret);
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
