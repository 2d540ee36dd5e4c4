/* XState: a machine config (version 5) as JSON, for createMachine() and what draws it.
 *
 * A machine file is nearly one already. What is rewritten: durations become milliseconds, a guard
 * in place becomes { "type": a name made of its place, "params": its text }, and a target that only
 * our reader would find is written out. What XState has no word for (fields, events, the text of
 * guards, the events of transitions ...) stands in "meta"."backstory", from where an import takes
 * it again; so nothing is lost on the way there and back.
 */
#include "backstory/emit.h"

#include <stdio.h>
#include <string.h>

#include "backstory/json_layout.h"
#include "backstory/timestamp.h"
#include "emit_private.h"
#include "emit_tree_private.h"

typedef struct writer {
    const bst_machine *machine;
    bst__tree tree;
    json_t *root;       /* of the machine file; borrowed */
    json_t *made_names; /* of guards in place: a set */
    bst_strbuf text;    /* scratch */
    bst_diags *diags;
    bool failed; /* out of memory */
} writer;

/* Takes over `value`. */
static void put(writer *w, json_t *object, const char *key, json_t *value) {
    w->failed = json_object_set_new(object, key, value) != 0 || w->failed;
}

static bool is_one_of(const char *key, const char *const *keys, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "meta": the user's own, and under "backstory" what has no other place. Takes over `extra`. */
static void put_meta(writer *w, json_t *object, json_t *meta, json_t *extra) {
    json_t *out = json_object();
    const bool mixed = json_is_object(meta) && !json_object_get(meta, "backstory");
    if (mixed) {
        w->failed = json_object_update(out, meta) != 0 || w->failed;
    } else if (meta) {
        put(w, extra, "meta", json_incref(meta));
    }
    if (json_object_size(extra) > 0) {
        put(w, out, "backstory", json_incref(extra));
    }
    if (json_object_size(out) > 0) {
        put(w, object, "meta", json_incref(out));
    }
    json_decref(extra);
    json_decref(out);
}

/* ---- targets ---- */

/* As XState finds it: beside the state, inside it, or from the machine. */
static json_t *target_of(writer *w, uint32_t source, const char *text) {
    const uint32_t node = bst__tree_target(&w->tree, source, text);
    const uint32_t parent = source == 0 ? 0 : w->tree.nodes[source].parent;
    bst_strbuf_clear(&w->text);
    if (node != BST_NONE && (source == 0 || *text == '#')) {
        bst_strbuf_adds(&w->text, source == 0 ? "" : "#");
        bst_strbuf_adds(&w->text, source == 0 ? "" : w->machine->id);
        bst_strbuf_addc(&w->text, '.');
        bst__tree_add_path(&w->tree, node, '.', &w->text);
    } else if (node != BST_NONE && *text != '.' && !strchr(text, '.') &&
               w->tree.nodes[node].parent != parent) {
        bst_strbuf_addf(&w->text, "#%s.", w->machine->id);
        bst__tree_add_path(&w->tree, node, '.', &w->text);
    } else {
        return json_string(text);
    }
    w->failed = w->failed || w->text.failed;
    return json_string(w->text.text);
}

static json_t *targets_of(writer *w, uint32_t source, json_t *json) {
    if (!json_is_array(json)) {
        return target_of(w, source, json_string_value(json));
    }
    json_t *list = json_array();
    json_t *item;
    size_t i;
    json_array_foreach (json, i, item) {
        json_t *target = target_of(w, source, json_string_value(item));
        w->failed = json_array_append_new(list, target) != 0 || w->failed;
    }
    return list;
}

/* ---- transitions ---- */

/* Where a transition is written: what a guard in place is named after. */
typedef struct place {
    uint32_t node;
    const char *key;
    size_t number; /* in its list, from 1; 0: it stands alone */
} place;

/* "open_deposit_2", and longer until nothing else has that name. */
static json_t *guard_name(writer *w, const place *at) {
    const json_t *named = json_object_get(w->root, "guards");
    bst_strbuf_clear(&w->text);
    bst__tree_add_path(&w->tree, at->node, '_', &w->text);
    bst_strbuf_addf(&w->text, "%s%s", w->text.len > 0 ? "_" : "", at->key);
    if (at->number > 0) {
        bst_strbuf_addf(&w->text, "_%zu", at->number);
    }
    while (!w->text.failed &&
           (json_object_get(named, w->text.text) || json_object_get(w->made_names, w->text.text))) {
        bst_strbuf_addc(&w->text, '_');
    }
    w->failed = w->failed || w->text.failed;
    put(w, w->made_names, w->text.text, json_true());
    return json_string(w->text.text);
}

static json_t *guard_of(writer *w, const place *at, json_t *guard) {
    if (!json_is_object(guard)) {
        return json_incref(guard);
    }
    json_t *out = json_object();
    json_t *linked = json_object_get(guard, "c"); /* has a name of its own */
    put(w, out, "type", linked ? json_incref(linked) : guard_name(w, at));
    put(w, out, "params", json_incref(guard));
    return out;
}

static json_t *transition_of(writer *w, const place *at, json_t *json) {
    static const char *const same[] = {"reenter", "description"};
    json_t *out = json_object();
    json_t *extra = json_object();
    json_t *value;
    const char *key;
    if (!json_is_object(json)) {
        put(w, out, "target", targets_of(w, at->node, json));
    }
    json_object_foreach (json, key, value) {
        if (strcmp(key, "target") == 0) {
            put(w, out, key, targets_of(w, at->node, value));
        } else if (strcmp(key, "guard") == 0) {
            put(w, out, key, guard_of(w, at, value));
        } else if (is_one_of(key, same, sizeof same / sizeof same[0])) {
            put(w, out, key, json_incref(value));
        } else if (strcmp(key, "meta") != 0) {
            put(w, extra, key, json_incref(value));
        }
    }
    put_meta(w, out, json_object_get(json, "meta"), extra);
    return out;
}

/* A list of transitions, or one. */
static json_t *transitions_of(writer *w, uint32_t node, const char *key, json_t *json) {
    if (!json_is_array(json)) {
        return transition_of(w, &(place){node, key, 0}, json);
    }
    json_t *list = json_array();
    json_t *item;
    size_t i;
    json_array_foreach (json, i, item) {
        json_t *transition = transition_of(w, &(place){node, key, i + 1}, item);
        w->failed = json_array_append_new(list, transition) != 0 || w->failed;
    }
    return list;
}

static json_t *on_of(writer *w, uint32_t node, json_t *on) {
    json_t *out = json_object();
    json_t *value;
    const char *key;
    json_object_foreach (on, key, value) {
        put(w, out, key, transitions_of(w, node, key, value));
    }
    return out;
}

/* Two texts may say the same time: then their transitions follow one another. */
static void add_timer(writer *w, json_t *out, const char *delay, json_t *value) {
    json_t *before = json_object_get(out, delay);
    if (!before) {
        put(w, out, delay, value);
        return;
    }
    json_t *list = json_array();
    json_t *parts[] = {json_incref(before), value};
    for (size_t i = 0; i < 2; i++) {
        const int failed = json_is_array(parts[i]) ? json_array_extend(list, parts[i])
                                                   : json_array_append(list, parts[i]);
        w->failed = failed != 0 || w->failed;
        json_decref(parts[i]);
    }
    put(w, out, delay, list);
}

static void format_milliseconds(int64_t us, char *out, size_t size) {
    const int rest = (int)(us % 1000);
    if (rest == 0) {
        snprintf(out, size, "%lld", (long long)(us / 1000));
    } else {
        snprintf(out, size, "%lld.%03d", (long long)(us / 1000), rest);
    }
}

static json_t *after_of(writer *w, uint32_t node, json_t *after) {
    json_t *out = json_object();
    json_t *value;
    const char *key;
    json_object_foreach (after, key, value) {
        int64_t us = 0;
        (void)bst_duration_parse(key, strlen(key), &us); /* was checked when it was loaded */
        char delay[48];
        format_milliseconds(us, delay, sizeof delay);
        add_timer(w, out, delay, transitions_of(w, node, "after", value));
    }
    return out;
}

/* ---- states ---- */

static json_t *state_of(writer *w, uint32_t node);

static json_t *states_of(writer *w, uint32_t node, json_t *states) {
    json_t *out = json_object();
    json_t *value;
    const char *name;
    json_object_foreach (states, name, value) {
        const uint32_t child = bst__tree_child(&w->tree, node, name, strlen(name));
        put(w, out, name, state_of(w, child));
    }
    return out;
}

/* XState enters a child with its parent, and nothing deeper. */
static void check_initial(writer *w, uint32_t node, const char *name) {
    if (name && bst__tree_child(&w->tree, node, name, strlen(name)) == BST_NONE) {
        bst_diag_add(w->diags, BST_OK, BST_WARNING, "not-in-xstate", NULL,
                     "\"initial\": \"%s\" names a state deeper inside, which XState does not take",
                     name);
    }
}

static json_t *part_of(writer *w, uint32_t node, const char *key, json_t *value) {
    static const char *const same[] = {"id", "version", "type", "history", "description"};
    if (strcmp(key, "states") == 0) {
        return states_of(w, node, value);
    }
    if (strcmp(key, "on") == 0) {
        return on_of(w, node, value);
    }
    if (strcmp(key, "after") == 0) {
        return after_of(w, node, value);
    }
    if (strcmp(key, "always") == 0 || strcmp(key, "onDone") == 0) {
        return transitions_of(w, node, key, value);
    }
    if (strcmp(key, "target") == 0) {
        return targets_of(w, node, value);
    }
    if (strcmp(key, "initial") == 0) {
        check_initial(w, node, json_string_value(value));
        return json_incref(value);
    }
    return is_one_of(key, same, sizeof same / sizeof same[0]) ? json_incref(value) : NULL;
}

static json_t *state_of(writer *w, uint32_t node) {
    json_t *json = w->tree.nodes[node].json;
    json_t *out = json_object();
    json_t *extra = json_object();
    json_t *value;
    const char *key;
    json_object_foreach (json, key, value) {
        if (strcmp(key, "meta") == 0 || strcmp(key, "$schema") == 0) {
            continue;
        }
        json_t *part = part_of(w, node, key, value);
        if (part) {
            put(w, out, key, part);
        } else {
            put(w, extra, key, json_incref(value));
        }
    }
    if (node == 0) {
        bst_strbuf_clear(&w->text);
        bst__emit_notice(w->machine, &w->text);
        put(w, extra, "generated", json_string(w->text.text));
    }
    put_meta(w, out, json_object_get(json, "meta"), extra);
    return out;
}

bst_status bst__emit_xstate(const bst_machine *machine, const bst_emit_options *options,
                            bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst_arena *arena = bst_arena_new();
    writer w = {.machine = machine, .made_names = json_object(), .diags = diags};
    json_t *json = NULL;
    bst_strbuf_init(&w.text);
    if (arena && bst__tree_read(machine, arena, &w.tree)) {
        w.root = w.tree.nodes[0].json;
        json = state_of(&w, 0);
        bst_json_layout(json, &files->file[0].text);
        bst_strbuf_addc(&files->file[0].text, '\n');
    }
    const bool failed = !json || w.failed || w.text.failed;
    json_decref(json);
    json_decref(w.made_names);
    bst_strbuf_release(&w.text);
    bst_arena_free(arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
