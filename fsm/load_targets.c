/* The state that a "target" names, as XState reads it:
 *
 *     "captured"       a state beside the one where the transition stands
 *     "captured.part"  and on from there, inwards
 *     ".part"          a state inside the one where the transition stands
 *     "#payment.a.b"   from the machine, or from the state whose "id" is named
 *
 * A single name that no state beside has may also stand for the one state of that name elsewhere.
 */
#include <string.h>

#include "load_private.h"

#define CANDIDATES_MAX 5 /* that a message lists */

typedef struct wanted_child {
    const bst_node *nodes;
    uint32_t parent;
    const char *name;
    size_t len;
} wanted_child;

static bool same_child(const void *wanted, uint32_t number) {
    const wanted_child *w = wanted;
    const bst_node *n = &w->nodes[number];
    return n->parent == w->parent && strncmp(n->name, w->name, w->len) == 0 && !n->name[w->len];
}

uint32_t bst__child_hash(const bst__load *l, uint32_t parent, const char *name, size_t len) {
    uint32_t h = l->m->seed;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)name[i]) * UINT32_C(16777619);
    }
    return bst__hash3(h, parent, 0);
}

uint32_t bst__child(const bst__load *l, uint32_t parent, const char *name, size_t len) {
    const wanted_child wanted = {l->nodes, parent, name, len};
    return bst__index_find(&l->children, bst__child_hash(l, parent, name, len), same_child,
                           &wanted);
}

/* Follows "a.b.c" inwards; BST_NONE when it leads nowhere. */
static uint32_t descend(const bst__load *l, uint32_t node, const char *path) {
    while (node != BST_NONE && *path) {
        const size_t len = strcspn(path, ".");
        node = bst__child(l, node, path, len);
        path += len + (path[len] == '.');
    }
    return node;
}

static uint32_t from_id(const bst__load *l, const char *text) {
    const size_t len = strcspn(text, ".");
    const char *rest = text + len + (text[len] == '.');
    const bst__names names = {&l->node_notes[0].id, sizeof *l->node_notes};
    char id[BST_NAME_MAX + 1];
    if (len > BST_NAME_MAX) {
        return BST_NONE;
    }
    memcpy(id, text, len);
    id[len] = '\0';
    const uint32_t node = bst__name_find(&l->ids, l->m->seed, &names, id);
    if (node != BST_NONE) {
        return descend(l, node, rest);
    }
    return l->m->table.id && strcmp(l->m->table.id, id) == 0 ? descend(l, 0, rest) : BST_NONE;
}

/* All nodes of a name form a chain, in document order. */
static bool index_names(bst__load *l) {
    const bst__names names = {l->nodes, sizeof *l->nodes};
    uint32_t *last = bst_arena_array(l->arena, l->node_count, sizeof *last); /* by first one */
    l->next_of_name = bst_arena_array(l->arena, l->node_count, sizeof *l->next_of_name);
    if (!last || !l->next_of_name || !bst__index_reserve(&l->node_names, l->arena, l->node_count)) {
        return bst__nomem(l);
    }
    for (uint32_t i = 1; i < l->node_count; i++) {
        const char *name = l->nodes[i].name;
        const uint32_t first = bst__name_find(&l->node_names, l->m->seed, &names, name);
        l->next_of_name[i] = BST_NONE;
        if (first == BST_NONE) {
            last[i] = i;
            if (!bst__index_add(&l->node_names, l->arena, bst__name_hash(l->m->seed, name), i)) {
                return bst__nomem(l);
            }
        } else {
            l->next_of_name[last[first]] = i;
            last[first] = i;
        }
    }
    return true;
}

static void report_ambiguous(bst__load *l, const bst__path *path, const char *name,
                             uint32_t first) {
    const bst_loc where = bst__value_at(l, path);
    bst_strbuf list = BST_STRBUF_INIT;
    uint32_t count = 0;
    bst_strbuf_addf(&list, "#%s.%s", l->nodes[0].name, l->nodes[first].path);
    for (uint32_t i = l->next_of_name[first]; i != BST_NONE; i = l->next_of_name[i]) {
        if (++count < CANDIDATES_MAX) {
            bst_strbuf_addf(&list, ", #%s.%s", l->nodes[0].name, l->nodes[i].path);
        }
    }
    bst__error(l, &where, "ambiguous-state",
               "%u states are called \"%s\", none of them beside "
               "this one",
               count + 1, name);
    bst_diag_hint(l->diags, "Say which: %s%s.", list.text, count >= CANDIDATES_MAX ? " ..." : "");
    bst_strbuf_release(&list);
}

static void report_unknown(bst__load *l, const bst__path *path, const char *text) {
    const bst_loc where = bst__value_at(l, path);
    const char *dot = strrchr(text, '.');
    const char *name = dot ? dot + 1 : *text == '#' ? text + 1 : text;
    const bst__names names = {l->nodes + 1, sizeof *l->nodes};
    const bst__names paths = {&l->nodes[1].path, sizeof *l->nodes};
    bst__error(l, &where, "unknown-state", "state \"%s\" is not declared", text);
    bst__did_you_mean(l, name, dot && *text != '.' && *text != '#' ? &paths : &names,
                      l->node_count - 1,
                      name != text ? "Write its name as it stands in \"states\", \".name\" for a "
                                     "state inside, or \"#machine.outer.inner\"."
                                   : "Add it to \"states\", or name a state that is there.");
}

bool bst__find_target(bst__load *l, const bst__path *path, const json_t *json, uint32_t source,
                      uint32_t *ret) {
    const char *text = bst__string(l, path, json);
    *ret = BST_NONE;
    if (!text) {
        return false;
    }
    const uint32_t parent = source == 0 ? 0 : l->nodes[source].parent;
    if (*text == '#') {
        *ret = from_id(l, text + 1);
    } else if (*text == '.') {
        *ret = text[1] ? descend(l, source, text + 1) : BST_NONE;
    } else if (*text) {
        *ret = descend(l, parent, text);
    }
    if (*ret == BST_NONE && l->nested && bst__is_identifier(text)) {
        const bst__names names = {l->nodes, sizeof *l->nodes};
        if (!l->next_of_name && !index_names(l)) {
            return false;
        }
        *ret = bst__name_find(&l->node_names, l->m->seed, &names, text);
        if (*ret != BST_NONE && l->next_of_name[*ret] != BST_NONE) {
            report_ambiguous(l, path, text, *ret);
            *ret = BST_NONE;
            return false;
        }
    }
    if (*ret == BST_NONE && l->node_count > 1) { /* else there are no states to name */
        report_unknown(l, path, text);
    }
    return *ret != BST_NONE;
}

/* Two targets of one transition must be able to be active together: in different regions. */
static bool check_together(bst__load *l, const bst__path *path, uint32_t a, uint32_t b) {
    uint32_t common = a;
    while (common != b && !bst__inside(l->nodes, b, common)) {
        common = l->nodes[common].parent;
    }
    if (common != a && common != b && l->nodes[common].kind == BST_NODE_PARALLEL) {
        return true;
    }
    const bst_loc where = bst__value_at(l, path);
    bst__error(l, &where, "targets-clash", "states \"%s\" and \"%s\" are never active together",
               l->nodes[a].path, l->nodes[b].path);
    bst_diag_hint(l->diags, "Several targets stand in different regions of a parallel state.");
    return false;
}

bool bst__find_targets(bst__load *l, const bst__path *path, const json_t *json, uint32_t source,
                       const uint32_t **ret, uint32_t *ret_count) {
    const size_t count = json_is_array(json) ? json_array_size(json) : 1;
    uint32_t *list = bst_arena_array(l->arena, count, sizeof *list);
    bool ok = true;
    if (!list) {
        return bst__nomem(l);
    }
    if (count == 0 || count > BST_NESTING_MAX) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "missing-key", "list of targets has %s", count ? "too many" : "none");
        bst_diag_hint(l->diags, "Name a target, one for each region at most.");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const bst__path item = {path, NULL, i};
        ok = (json_is_array(json)
                  ? bst__find_target(l, &item, json_array_get(json, i), source, &list[i])
                  : bst__find_target(l, path, json, source, &list[i])) &&
             ok;
        for (size_t k = 0; ok && k < i; k++) {
            ok = check_together(l, &item, list[k], list[i]);
        }
    }
    *ret = list;
    *ret_count = (uint32_t)count;
    return ok;
}
