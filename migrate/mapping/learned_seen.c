/* Of a file of probabilities, what there was: whole histories, which of them entities with the same
 * evidence had, and what steps depend on, which is counted from the histories.
 */
#include "mapping_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
    bst__map_unknown_step(map, path, text, command != BST_NONE);
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
            bst__map_bad_number(map, &inside, "a history is longer than can be");
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
    *ret = (bst_seen_walk){bst__map_count(map, times, &at), (uint32_t)count, steps};
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
            (bst_seen_times){walk, fmax(bst__map_count(map, number, &here) - discount, 0)};
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
    const double discount = less ? bst__map_count(map, less, &off) : 0;
    bst_seen_here *const here =
        bst_arena_array(map->arena, json_object_size(signatures), sizeof *here);
    const char *text;
    json_t *json;
    if (!here) {
        bst__map_nomem(map);
        return;
    }
    ret->rest_worth = rest ? bst__map_count(map, rest, &worth) : 0;
    ret->rest_worth_each = more ? bst__map_count(map, more, &each_at) : 0;
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

/* ---- spans ---- */

static void read_span(bst__map *map, const json_t *json, const bst__map_path *path,
                      const char *signature, const char *const *names, uint32_t count,
                      bst_seen_span *ret) {
    ret->span = bst__map_span(path->key);
    if (ret->span == BST_NONE)
        bst__map_bad_number(map, path, "a span is one of those that `backstory learn` writes");
    read_signature(map, json, path, names, count, 0, &ret->here);
    ret->here.signature = signature;
}

static void read_spans_of(bst__map *map, const json_t *signatures, const bst__map_path *path,
                          const char *const *names, uint32_t histories) {
    const char *signature, *text;
    json_t *of, *json;
    size_t room = 0;
    uint32_t count = 0;
    json_object_foreach ((json_t *)(uintptr_t)signatures, signature, of)
        room += json_object_size(of);
    bst_seen_span *const all = bst_arena_array(map->arena, room, sizeof *all);
    if (!all) {
        bst__map_nomem(map);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)signatures, signature, of) {
        const bst__map_path here = {path, signature, 0};
        if (!bst__map_is(map, of, &here, JSON_OBJECT))
            continue;
        json_object_foreach (of, text, json) {
            const bst__map_path inside = {&here, text, 0};
            read_span(map, json, &inside, signature, names, histories, &all[count++]);
        }
    }
    bst__map_sort_spans(all, count);
    map->mapping->seen_spans = all;
    map->mapping->seen_span_count = count;
}

static void read_spans(bst__map *map, const json_t *seen, const bst__map_path *path,
                       const char *const *names, uint32_t histories) {
    static const char *const keys[] = {"of", "worth", "signatures", "description"};
    const json_t *const json = bst__map_get(map, seen, path, "spans", JSON_OBJECT);
    const bst__map_path here = {path, "spans", 0}, of_at = {&here, "of", 0};
    const bst__map_path worth_at = {&here, "worth", 0}, inside = {&here, "signatures", 0};
    if (!json)
        return;
    bst__map_keys(map, json, &here, keys, COUNT(keys));
    const json_t *const of = bst__map_need(map, json, &here, "of", JSON_STRING);
    const json_t *const worth = bst__map_need(map, json, &here, "worth", JSON_REAL);
    const json_t *const signatures = bst__map_need(map, json, &here, "signatures", JSON_OBJECT);
    if (!of || !worth || !signatures)
        return;
    const uint32_t kind = bst__map_span_of(json_string_value(of));
    if (kind == BST_NONE)
        bst__map_bad_number(map, &of_at,
                            "spans are of the \"whole\", the \"first\" or the \"last\"");
    map->mapping->span_of = (bst_span_of)kind;
    map->mapping->span_worth = bst__map_count(map, worth, &worth_at);
    if (map->mapping->span_worth == 0)
        bst__map_bad_number(map, &worth_at, "what signatures are worth is more than 0");
    read_spans_of(map, signatures, &inside, names, histories);
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
        bst__map_bad_number(map, path,
                            "the histories have more contexts of so many states than can be");
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
    const double shorter = bst__map_count(map, worth, &worth_at);
    if (number < 1 || number > (json_int_t)BST_CONTEXT_STATES_MAX)
        bst__map_bad_number(map, &states_at, "a context has 1 to 4 states");
    else if (shorter == 0)
        bst__map_bad_number(map, &worth_at, "what shorter contexts are worth is more than 0");
    else if (number > 1 && shorter > 0 && map->status == BST_OK)
        make_contexts(map, &states_at, (uint32_t)number, shorter, ret);
}

static void discount_histories(double discount, uint32_t count, bst_seen_walk *walks) {
    for (uint32_t i = 0; i < count; i++)
        walks[i].times = fmax(walks[i].times - discount, 0);
}

void bst__map_seen(bst__map *map, const json_t *root, bst_weights *ret) {
    static const char *const keys[] = {"steps_worth",     "discount",   "histories",
                                       "rest_worth",      "signatures", "signature_discount",
                                       "rest_worth_each", "spans",      "description"};
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
    ret->steps_worth = bst__map_count(map, number, &worth);
    if (ret->steps_worth == 0)
        bst__map_bad_number(map, &worth, "what single steps are worth is more than 0");
    read_histories(map, histories, &list, walks, names, ret);
    read_context(map, root, ret);
    discount_histories(discount ? bst__map_count(map, discount, &off) : 0, ret->seen_count, walks);
    read_signatures(map, seen, &path, names, ret);
    read_spans(map, seen, &path, names, ret->seen_count);
}
