/* Files of probabilities: what `learn` writes, and a user may edit. docs/probabilities.md has the
 * form. Everything in it is a count, so that it can be read, compared and mended by hand; what
 * inference wants of it is worked out here, of single steps in learned_steps.c, and of whole
 * histories in learned_seen.c.
 */
#include "mapping_private.h"

#include <string.h>

#define VERSION 2 /* of the file; 1 had no contexts */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
    bst__map_steps(map, root, weight, stop);
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
