/* The tree of states. All nodes are read first, parents before children and in the order of the
 * file, so that a target can stand before its state; what hangs on them (transitions) is read once
 * they are all known, and only then can "initial" and the target of a history be looked up.
 *
 * In a flat machine every node but node 0, the machine, is a state of the table as it stands.
 */
#include <string.h>

#include "load_private.h"

#define PATHS_BYTES_MAX (64u << 20) /* of all dotted paths: deep nesting repeats its names */

enum {
    STATE_ON,
    STATE_AFTER,
    STATE_ALWAYS,
    STATE_DONE,
    STATE_TYPE,
    STATE_INITIAL,
    STATE_STATES,
    STATE_HISTORY,
    STATE_TARGET,
    STATE_ID,
    STATE_LABEL,
    STATE_DESCRIPTION,
    STATE_WAS,
    STATE_IGNORES,
    STATE_META,
    STATE_KEYS
};
static const char *const state_keys[STATE_KEYS] = {
    [STATE_ON] = "on",         [STATE_AFTER] = "after",     [STATE_ALWAYS] = "always",
    [STATE_DONE] = "onDone",   [STATE_TYPE] = "type",       [STATE_INITIAL] = "initial",
    [STATE_STATES] = "states", [STATE_HISTORY] = "history", [STATE_TARGET] = "target",
    [STATE_ID] = "id",         [STATE_LABEL] = "label",     [STATE_DESCRIPTION] = "description",
    [STATE_WAS] = "was",       [STATE_META] = "meta",       [STATE_IGNORES] = "ignores",
};

/* The kinds. */

static const struct {
    const char *type;
    bst_node_kind kind;
    bool parent; /* has "states" */
} kinds[] = {
    {"atomic", BST_NODE_ATOMIC, false},    {"compound", BST_NODE_COMPOUND, true},
    {"parallel", BST_NODE_PARALLEL, true}, {"final", BST_NODE_FINAL, false},
    {"history", BST_NODE_HISTORY, false},
};

static void report_type(bst__load *l, const bst__path *path, uint32_t node, const char *type) {
    const bst__path here = {path, "type", 0};
    const bst_loc where = bst__value_at(l, &here);
    bst__error(l, &where, "bad-state-type", "state \"%s\" has the type \"%s\"", l->nodes[node].name,
               type);
    const bst__names types = {kinds, sizeof *kinds};
    bst__did_you_mean(
        l, type, &types, sizeof kinds / sizeof *kinds,
        "A state is \"final\", \"parallel\" or \"history\", or has no \"type\" at all.");
}

static void check_parent(bst__load *l, const bst__path *path, uint32_t node, const char *type,
                         bool parent) {
    const bst__node_note *note = &l->node_notes[node];
    if (parent && json_object_size(note->states) == 0) {
        const bst__path here = {path, note->states ? "states" : "type", 0};
        const bst_loc where = bst__value_at(l, &here);
        bst__error(l, &where, "missing-key", "%s state \"%s\" has no states in it", type,
                   l->nodes[node].name);
        bst_diag_hint(l->diags, "Add its \"states\", or leave \"type\" out.");
    } else if (!parent && note->states) {
        const bst__path here = {path, "states", 0};
        const bst_loc where = bst__key_at(l, &here);
        bst__error(l, &where, "bad-state-type", "%s state \"%s\" cannot have states in it", type,
                   l->nodes[node].name);
        bst_diag_hint(l->diags, "Remove \"states\", or leave \"type\" out.");
        l->node_notes[node].states = NULL;
    }
}

/* From "type", or from what there is. */
static void find_kind(bst__load *l, const bst__path *path, uint32_t node, const char *type,
                      bool history) {
    const bool states = l->node_notes[node].states != NULL;
    const char *meant = type ? type : history ? "history" : states ? "compound" : "atomic";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, meant) == 0) {
            l->nodes[node].kind = kinds[i].kind;
            check_parent(l, path, node, meant, kinds[i].parent);
            return;
        }
    }
    report_type(l, path, node, meant);
    l->nodes[node].kind = states ? BST_NODE_COMPOUND : BST_NODE_ATOMIC;
}

#define KEY(number) (1u << (number))

/* Keys that this kind of state has no use for. */
static void check_keys(bst__load *l, const bst__path *path, uint32_t node, unsigned seen) {
    static const char lives[] = "A history is never active: it stands for another state.";
    const bst_node_kind kind = l->nodes[node].kind;
    const bool history = kind == BST_NODE_HISTORY;
    const bool parent = kind == BST_NODE_COMPOUND || kind == BST_NODE_PARALLEL;
    const struct {
        int key;
        bool wrong;
        const char *advice;
    } rules[] = {
        {STATE_INITIAL, kind != BST_NODE_COMPOUND,
         "All regions of a parallel state are entered; a state without states has none."},
        {STATE_TARGET, !history,
         "Only a history has a target of its own; transitions stand in "
         "\"on\"."},
        {STATE_HISTORY, !history, "Add \"type\": \"history\"."},
        {STATE_ON, history, lives},
        {STATE_IGNORES, history, lives},
        {STATE_AFTER, history, lives},
        {STATE_ALWAYS, history, lives},
        {STATE_DONE, !parent, history ? lives : "Only a state with states in it is ever done."},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].wrong && (seen & KEY(rules[i].key))) {
            const bst__path here = {path, state_keys[rules[i].key], 0};
            const bst_loc where = bst__key_at(l, &here);
            bst__error(l, &where, "unsupported-key", "key \"%s\" is not supported here", here.key);
            bst_diag_hint(l->diags, "%s", rules[i].advice);
        }
    }
    bst__node_note *note = &l->node_notes[node]; /* reported: nothing may follow from it */
    note->on = history ? NULL : note->on;
    note->after = history ? NULL : note->after;
    note->always = history ? NULL : note->always;
    note->done = parent ? note->done : NULL;
}

static void read_history(bst__load *l, const bst__path *path, const json_t *json, uint32_t node) {
    const char *text = bst__string(l, path, json);
    l->nodes[node].deep = text && strcmp(text, "deep") == 0;
    if (text && !l->nodes[node].deep && strcmp(text, "shallow") != 0) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "bad-history", "history is \"%s\"", text);
        bst_diag_hint(l->diags, "It is \"shallow\", which remembers the child that was active, or "
                                "\"deep\", which remembers all that was active inside.");
    }
}

/* A list of an object's kind; NULL after a finding. */
static json_t *object(bst__load *l, const bst__path *path, json_t *json) {
    return bst__is_object(l, path, json) ? json : NULL;
}

static bool read_id(bst__load *l, const bst__path *path, const json_t *json, uint32_t node) {
    const char *id = bst__string(l, path, json);
    if (!id || !bst__good_name(l, path, false, "state id", id)) {
        return true;
    }
    const uint32_t hash = bst__name_hash(l->m->seed, id);
    const bst__names names = {&l->node_notes[0].id, sizeof *l->node_notes};
    const uint32_t other = bst__name_find(&l->ids, l->m->seed, &names, id);
    if (other != BST_NONE) {
        const bst_loc where = bst__value_at(l, path);
        const bst_loc there = bst_machine_node_where(&l->m->table, other);
        bst__error(l, &where, "duplicate-id", "two states have the id \"%s\"", id);
        bst_diag_hint(l->diags, "Rename one of them: \"#%s\" must name one state.", id);
        bst_diag_also(l->diags, &there, "the other state is here");
        return true;
    }
    l->node_notes[node].id = id;
    return bst__index_add(&l->ids, l->arena, hash, node) || bst__nomem(l);
}

/* Reading. */

static bool read_children(bst__load *l, const bst__path *path, uint32_t parent);

static bool read_state(bst__load *l, const bst__path *path, json_t *json, uint32_t node) {
    bst__node_note *note = &l->node_notes[node];
    bst_node *n = &l->nodes[node];
    const char *key;
    const char *type = NULL;
    unsigned seen = 0;
    bool ok = true;
    json_t *value;
    if (!bst__is_object(l, path, json)) {
        return true;
    }
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        const int number = bst__key_number(l, &here, state_keys, STATE_KEYS);
        seen |= number < 0 ? 0 : KEY(number);
        switch (number) {
        case STATE_ON:
            note->on = object(l, &here, value);
            l->expected += json_object_size(note->on);
            break;
        case STATE_AFTER:
            note->after = object(l, &here, value);
            break;
        case STATE_ALWAYS:
            note->always = value;
            break;
        case STATE_DONE:
            note->done = value;
            break;
        case STATE_TYPE:
            type = bst__string(l, &here, value);
            break;
        case STATE_INITIAL:
            note->initial = value;
            break;
        case STATE_STATES:
            note->states = object(l, &here, value);
            break;
        case STATE_HISTORY:
            read_history(l, &here, value, node);
            break;
        case STATE_TARGET:
            note->target = value;
            break;
        case STATE_ID:
            ok = ok && read_id(l, &here, value, node);
            break;
        case STATE_LABEL:
            n->label = bst__string(l, &here, value);
            break;
        case STATE_DESCRIPTION:
            n->description = bst__string(l, &here, value);
            break;
        case STATE_WAS:
            n->was = bst__string(l, &here, value);
            break;
        case STATE_IGNORES:
            note->ignores = value;
            break;
        default: /* meta is the user's own */
            break;
        }
    }
    note->misspelt = !note->initial && bst_json_misspells(json, state_keys[STATE_INITIAL]);
    find_kind(l, path, node, type, seen & KEY(STATE_HISTORY));
    check_keys(l, path, node, seen);
    l->nested = l->nested || n->kind == BST_NODE_COMPOUND || n->kind == BST_NODE_PARALLEL ||
                n->kind == BST_NODE_HISTORY || note->always;
    return ok && read_children(l, path, node);
}

static bool add_node(bst__load *l, uint32_t parent, const char *name, uint32_t *ret) {
    const uint32_t count = l->node_count;
    if (count == l->node_room) {
        const uint32_t room = bst__next_room(l->node_room);
        l->nodes = bst__longer(l, l->nodes, sizeof *l->nodes, count, room);
        l->node_notes = bst__longer(l, l->node_notes, sizeof *l->node_notes, count, room);
        if (!l->nodes || !l->node_notes) {
            return false;
        }
        l->node_room = room;
    }
    const bst_node *up = parent == BST_NONE ? NULL : &l->nodes[parent];
    name =
        bst_arena_strdup(l->arena, name); /* beside those of the other nodes: targets look there */
    const char *path = !up ? "" : name;
    if (up && parent != 0) {
        path = bst_arena_printf(l->arena, "%s.%s", up->path, name);
        l->path_bytes += path ? strlen(path) : 0;
    }
    if (!path) {
        return bst__nomem(l);
    }
    if (l->path_bytes > PATHS_BYTES_MAX) {
        return bst__limit(l, NULL, "bytes of paths of nested states", PATHS_BYTES_MAX);
    }
    l->nodes[count] = (bst_node){.name = name,
                                 .path = path,
                                 .parent = parent,
                                 .depth = up ? up->depth + 1 : 0,
                                 .first_child = BST_NONE,
                                 .next_sibling = BST_NONE,
                                 .last = count,
                                 .initial = BST_NONE};
    l->node_notes[count] = (bst__node_note){0};
    *ret = l->node_count++;
    l->m->table.nodes = l->nodes;
    l->m->table.node_count = l->node_count;
    return true;
}

static bool read_children(bst__load *l, const bst__path *path, uint32_t parent) {
    json_t *list = l->node_notes[parent].states;
    const bst__path states = {path, "states", 0};
    uint32_t before = BST_NONE;
    const char *name;
    json_t *value;
    if (!list) {
        return true;
    }
    if (json_object_size(list) > BST_STATES_MAX - (l->node_count - 1)) {
        const bst_loc where = bst__value_at(l, &states);
        return bst__limit(l, &where, "states", BST_STATES_MAX);
    }
    if (l->nodes[parent].depth == BST_NESTING_MAX) {
        const bst_loc where = bst__value_at(l, &states);
        return bst__limit(l, &where, "levels of states", BST_NESTING_MAX);
    }
    json_object_foreach (list, name, value) {
        const bst__path here = {&states, name, 0};
        uint32_t node;
        bst__good_name(l, &here, true, "state", name);
        if (!add_node(l, parent, name, &node) ||
            !bst__index_add(&l->children, l->arena, bst__child_hash(l, parent, name, strlen(name)),
                            node)) {
            return bst__nomem(l);
        }
        if (before == BST_NONE) {
            l->nodes[parent].first_child = node;
        } else {
            l->nodes[before].next_sibling = node;
        }
        before = node;
        if (!read_state(l, &here, value, node)) {
            return false;
        }
        l->nodes[parent].last = l->node_count - 1;
    }
    return true;
}

/* What could not be looked up before. */

static bool find_initial(bst__load *l, const bst__path *path, uint32_t node) {
    bst_node *n = &l->nodes[node];
    const json_t *json = l->node_notes[node].initial;
    const bst__path here = {path, "initial", 0};
    const char *text = json ? bst__string(l, &here, json) : NULL;
    if (n->first_child == BST_NONE) {
        return true; /* reported already */
    }
    if (!json && node != 0 && !l->node_notes[node].misspelt) {
        const bst_loc where = bst__key_at(l, path);
        bst__error(l, &where, "missing-key", "state \"%s\" has states in it but no \"initial\"",
                   n->path);
        bst_diag_hint(l->diags,
                      "Name the one that is entered with it, such as \"initial\": "
                      "\"%s\".",
                      l->nodes[n->first_child].name);
    }
    if (!text) {
        return true;
    }
    n->initial = bst__child(l, node, text, strlen(text));
    if (n->initial == BST_NONE && node == 0 && !l->nested) {
        return bst__find_target(l, &here, json, 0, &n->initial) || l->status != BST_NOMEM;
    }
    if (n->initial == BST_NONE) {
        if (!bst__find_target(l, &here, json, n->first_child, &n->initial)) {
            return l->status != BST_NOMEM;
        }
        if (!bst__inside(l->nodes, n->initial, node)) {
            const bst_loc where = bst__value_at(l, &here);
            bst__error(l, &where, "unknown-state", "state \"%s\" is not inside \"%s\"", text,
                       n->name);
            bst_diag_hint(l->diags, "\"initial\" names one of the states inside.");
        }
    }
    return true;
}

static bool find_history(bst__load *l, const bst__path *path, uint32_t node) {
    bst__node_note *note = &l->node_notes[node];
    const uint32_t parent = l->nodes[node].parent;
    const bst__path here = {path, "target", 0};
    if (!note->target && l->nodes[parent].initial == node) {
        const bst_loc where = bst__key_at(l, path);
        bst__error(l, &where, "bad-history", "history \"%s\" stands for itself",
                   l->nodes[node].name);
        bst_diag_hint(l->diags, "It is the \"initial\" of its parent: give it a \"target\" for the "
                                "first time.");
    }
    if (!note->target) {
        return true;
    }
    if (!bst__find_targets(l, &here, note->target, node, &note->targets, &note->target_count)) {
        return l->status != BST_NOMEM;
    }
    for (uint32_t i = 0; i < note->target_count; i++) {
        const uint32_t target = note->targets[i];
        if (!bst__inside(l->nodes, target, parent) || target == node ||
            l->nodes[target].kind == BST_NODE_HISTORY) {
            const bst_loc where = bst__value_at(l, &here);
            bst__error(l, &where, "bad-history",
                       "target \"%s\" of a history is not a state beside it or inside one",
                       l->nodes[target].path);
            bst_diag_hint(l->diags, "It says what is entered as long as there is nothing to "
                                    "remember.");
        }
    }
    return true;
}

static bool find_late(bst__load *l, const bst__path *path, uint32_t node) {
    bool ok = true;
    if (l->nodes[node].kind == BST_NODE_COMPOUND) {
        ok = find_initial(l, path, node);
    } else if (l->nodes[node].kind == BST_NODE_HISTORY) {
        ok = find_history(l, path, node);
    }
    const bst__path states = {path, "states", 0};
    for (uint32_t c = l->nodes[node].first_child; ok && c != BST_NONE;
         c = l->nodes[c].next_sibling) {
        if (l->nodes[c].kind == BST_NODE_ATOMIC || l->nodes[c].kind == BST_NODE_FINAL) {
            continue;
        }
        const bst__path here = {&states, l->nodes[c].name, 0};
        ok = find_late(l, &here, c);
    }
    return ok;
}

static void read_machine_node(bst__load *l) {
    bst__node_note *note = &l->node_notes[0];
    const bst__path states = {NULL, "states", 0};
    const bst__path on = {NULL, "on", 0};
    const bst__path after = {NULL, "after", 0};
    json_t *list = json_object_get(l->root, "states");
    note->initial = json_object_get(l->root, "initial");
    note->states = list && bst__is_object(l, &states, list) ? list : NULL;
    note->on = json_object_get(l->root, "on");
    note->on = note->on ? object(l, &on, note->on) : NULL;
    note->after = json_object_get(l->root, "after");
    note->after = note->after ? object(l, &after, note->after) : NULL;
    note->always = json_object_get(l->root, "always");
    l->nodes[0].label = l->m->table.label;
    l->nodes[0].description = l->m->table.description;
    l->nodes[0].kind = l->parallel ? BST_NODE_PARALLEL : BST_NODE_COMPOUND;
    l->nested = l->parallel || note->on || note->after || note->always;
    if (note->states && json_object_size(list) == 0) {
        const bst_loc where = bst__value_at(l, &states);
        bst__error(l, &where, "missing-key", "machine has no states");
        bst_diag_hint(l->diags, "Add at least one, such as \"open\": {}.");
    }
}

static bst_loc top_state_where(const bst_machine *machine, uint32_t number) {
    return bst_machine_node_where(machine, number + 1);
}

bool bst__load_states(bst__load *l) {
    uint32_t root;
    l->m->table.initial = BST_NONE;
    l->node_room = (uint32_t)json_object_size(json_object_get(l->root, "states")) % BST_STATES_MAX;
    l->node_room++;
    l->nodes = bst_arena_array(l->arena, l->node_room, sizeof *l->nodes);
    l->node_notes = bst_arena_array(l->arena, l->node_room, sizeof *l->node_notes);
    if (!l->nodes || !l->node_notes || !bst__index_reserve(&l->children, l->arena, l->node_room)) {
        return bst__nomem(l);
    }
    if (!add_node(l, BST_NONE, l->m->table.id ? l->m->table.id : "", &root)) {
        return false;
    }
    read_machine_node(l);
    if (!read_children(l, NULL, root) || !find_late(l, NULL, root)) {
        return false;
    }
    const bst__names names = {l->nodes + 1, sizeof *l->nodes};
    return l->nested || bst__check_clashes(l, "state", &names, l->node_count - 1, top_state_where);
}
