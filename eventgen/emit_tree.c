/* The tree of states as it stands in the file, and what its targets mean:
 *
 *     "captured"       a state beside the one where the transition stands, ".part" one inside it,
 *     "captured.part"  and on from there, inwards; "#payment.a.b" from the machine, or from the
 *                      state whose "id" is named; else the one state of that name.
 */
#include "emit_tree_private.h"

#include <stdlib.h>
#include <string.h>

static bool add_node(bst__tree *tree, const char *name, json_t *json, uint32_t parent) {
    if (tree->count == tree->room) {
        const uint32_t room = tree->room > 0 ? tree->room * 2 : 64;
        bst__tree_node *longer = bst_arena_array(tree->arena, room, sizeof *longer);
        if (!longer) {
            return false;
        }
        if (tree->count > 0) {
            memcpy(longer, tree->nodes, tree->count * sizeof *longer);
        }
        tree->nodes = longer;
        tree->room = room;
    }
    const char *id = parent == BST_NONE ? NULL : json_string_value(json_object_get(json, "id"));
    tree->nodes[tree->count++] = (bst__tree_node){name, id, json, parent};
    return true;
}

/* As deep as a machine file may be nested, which its reader limits. */
static bool read_children(bst__tree *tree, uint32_t parent) {
    json_t *states = json_object_get(tree->nodes[parent].json, "states");
    const char *name;
    json_t *json;
    json_object_foreach (states, name, json) {
        if (!add_node(tree, name, json, parent) || !read_children(tree, tree->count - 1)) {
            return false;
        }
    }
    return true;
}

/* Sorting takes no context: what is compared lies beside the number. */
typedef struct sorted {
    const char *text;
    uint32_t parent, node;
} sorted;

static int compare(const void *a, const void *b) {
    const sorted *x = a;
    const sorted *y = b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->parent > y->parent) - (x->parent < y->parent);
}

static bool sort(bst__tree *tree, bool ids, uint32_t **ret, uint32_t *ret_count) {
    sorted *list = bst_arena_array(tree->arena, tree->count, sizeof *list);
    uint32_t *numbers = bst_arena_array(tree->arena, tree->count, sizeof *numbers);
    uint32_t count = 0;
    if (!list || !numbers) {
        return false;
    }
    for (uint32_t i = 1; i < tree->count; i++) {
        const bst__tree_node *n = &tree->nodes[i];
        if (!ids || n->id) {
            list[count++] = (sorted){ids ? n->id : n->name, n->parent, i};
        }
    }
    qsort(list, count, sizeof *list, compare);
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = list[i].node;
    }
    *ret = numbers;
    *ret_count = count;
    return true;
}

bool bst__tree_read(const bst_machine *machine, bst_arena *arena, bst__tree *ret) {
    uint32_t names;
    *ret = (bst__tree){.machine_id = machine->id, .arena = arena};
    /* jansson's iterators take no const; nothing is changed. */
    json_t *root = (json_t *)bst_json_source_root(machine->source);
    return add_node(ret, machine->id, root, BST_NONE) && read_children(ret, 0) &&
           sort(ret, false, &ret->by_name, &names) && sort(ret, true, &ret->by_id, &ret->id_count);
}

static int compare_text(const char *text, const char *wanted, size_t len) {
    const int order = strncmp(text, wanted, len);
    return order != 0 ? order : text[len] != '\0';
}

/* The first of the sorted names that is not before (name, parent). */
static uint32_t lower_bound(const bst__tree *tree, const char *name, size_t len, uint32_t parent) {
    uint32_t low = 0;
    uint32_t high = tree->count - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const bst__tree_node *n = &tree->nodes[tree->by_name[middle]];
        const int order = compare_text(n->name, name, len);
        if (order < 0 || (order == 0 && n->parent < parent)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t bst__tree_child(const bst__tree *tree, uint32_t parent, const char *name, size_t len) {
    const uint32_t at = lower_bound(tree, name, len, parent);
    if (at + 1 >= tree->count) {
        return BST_NONE;
    }
    const uint32_t node = tree->by_name[at];
    const bst__tree_node *n = &tree->nodes[node];
    return n->parent == parent && compare_text(n->name, name, len) == 0 ? node : BST_NONE;
}

static uint32_t descend(const bst__tree *tree, uint32_t node, const char *path) {
    while (node != BST_NONE && *path) {
        const size_t len = strcspn(path, ".");
        node = bst__tree_child(tree, node, path, len);
        path += len + (path[len] == '.');
    }
    return node;
}

static uint32_t find_id(const bst__tree *tree, const char *id, size_t len) {
    uint32_t low = 0;
    uint32_t high = tree->id_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = compare_text(tree->nodes[tree->by_id[middle]].id, id, len);
        if (order == 0) {
            return tree->by_id[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return compare_text(tree->machine_id, id, len) == 0 ? 0 : BST_NONE;
}

uint32_t bst__tree_target(const bst__tree *tree, uint32_t source, const char *text) {
    if (*text == '#') {
        const size_t len = strcspn(text + 1, ".");
        const char *rest = text + 1 + len;
        return descend(tree, find_id(tree, text + 1, len), *rest ? rest + 1 : rest);
    }
    if (*text == '.') {
        return descend(tree, source, text + 1);
    }
    const uint32_t beside = descend(tree, source == 0 ? 0 : tree->nodes[source].parent, text);
    const uint32_t anywhere = lower_bound(tree, text, strlen(text), 0);
    if (beside == BST_NONE && anywhere + 1 < tree->count &&
        strcmp(tree->nodes[tree->by_name[anywhere]].name, text) == 0) {
        return tree->by_name[anywhere];
    }
    return beside;
}

bool bst__tree_is_inside(const bst__tree *tree, uint32_t node, uint32_t outer) {
    while (node != outer && node != BST_NONE) {
        node = tree->nodes[node].parent;
    }
    return node == outer;
}

void bst__tree_add_path(const bst__tree *tree, uint32_t node, char separator, bst_strbuf *out) {
    const uint32_t parent = tree->nodes[node].parent;
    if (parent == BST_NONE) {
        return;
    }
    bst__tree_add_path(tree, parent, separator, out);
    if (parent != 0) {
        bst_strbuf_addc(out, separator);
    }
    bst_strbuf_adds(out, tree->nodes[node].name);
}
