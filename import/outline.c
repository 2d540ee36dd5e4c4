/* The outline: nodes, transitions, names and where they lead, and what had to be left behind. */
#include "import_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bst_status bst__outline_nomem(bst__outline *o) {
    if (o->status == BST_OK) { /* what follows from another failure is not said */
        o->status = bst_diag_nomem(o->diags);
    }
    return o->status;
}

json_t *bst__outline_keep(bst__outline *o, json_t *json) {
    if (json_array_append_new(o->trash, json) != 0) {
        bst__outline_nomem(o);
        return NULL;
    }
    return json;
}

const char *bst__outline_text(bst__outline *o, const char *text, size_t len) {
    const char *copy = bst_arena_strndup(o->arena, text, len);
    if (!copy) {
        bst__outline_nomem(o);
    }
    return copy;
}

static bool set_place(bst__outline *o, const char *key, uint32_t node) {
    if (!key || json_object_set_new(o->places, key, json_integer(node)) != 0) {
        bst__outline_nomem(o);
        return false;
    }
    return true;
}

static bool longer(bst__outline *o) {
    const uint32_t room = o->room > 0 ? o->room * 2 : 64;
    bst__import_node *nodes = bst_arena_array(o->arena, room, sizeof *nodes);
    if (!nodes) {
        bst__outline_nomem(o);
        return false;
    }
    if (o->count > 0) {
        memcpy(nodes, o->nodes, o->count * sizeof *nodes);
    }
    o->nodes = nodes;
    o->room = room;
    return true;
}

bst__import_node *bst__outline_node(bst__outline *o, uint32_t parent, const char *written,
                                    const bst_loc *where) {
    if (o->count == o->room && !longer(o)) {
        return NULL;
    }
    const uint32_t depth = parent == BST__NO_NODE ? 0 : o->nodes[parent].depth + 1;
    if (depth > BST__NESTING_MAX) {
        o->status = bst_diag_add(o->diags, BST_LIMIT, BST_ERROR, "too-many", where,
                                 "states are nested more than %d levels deep", BST__NESTING_MAX);
        return NULL;
    }
    if (o->count > BST_IMPORT_STATES_MAX) {
        o->status = bst_diag_add(o->diags, BST_LIMIT, BST_ERROR, "too-many", where,
                                 "there are more than %u states", BST_IMPORT_STATES_MAX);
        return NULL;
    }
    const uint32_t number = o->count++;
    bst__import_node *node = &o->nodes[number];
    *node = (bst__import_node){.written = written,
                               .parent = parent,
                               .depth = depth,
                               .first_child = BST__NO_NODE,
                               .last_child = BST__NO_NODE,
                               .next_sibling = BST__NO_NODE,
                               .where = *where};
    if (parent == BST__NO_NODE) {
        return node;
    }
    bst__import_node *up = &o->nodes[parent];
    if (up->last_child == BST__NO_NODE) {
        up->first_child = number;
    } else {
        o->nodes[up->last_child].next_sibling = number;
    }
    up->last_child = number;
    if (written && !o->scxml) {
        const char *key = bst_arena_printf(o->arena, "%u/%s", (unsigned)parent, written);
        if (!set_place(o, key, number)) {
            return NULL;
        }
    }
    return node;
}

bst__import_transition *bst__outline_transition(bst__outline *o, uint32_t node, bst__form form,
                                                const bst_loc *where) {
    bst__import_transition *t = bst_arena_alloc(o->arena, sizeof *t);
    bst__import_node *n = &o->nodes[node];
    if (!t) {
        bst__outline_nomem(o);
        return NULL;
    }
    t->form = form;
    t->where = *where;
    if (n->last_transition) {
        n->last_transition->next = t;
    } else {
        n->transitions = t;
    }
    n->last_transition = t;
    return t;
}

/* ---- names ---- */

bool bst__outline_set_id(bst__outline *o, uint32_t node, const char *id) {
    const char *key = bst_arena_printf(o->arena, "#%s", id);
    if (key && json_object_get(o->places, key)) {
        const bst_loc *where = &o->nodes[node].where;
        o->status = bst_diag_add(o->diags, BST_INVALID, BST_ERROR, "duplicate-name", where,
                                 "id \"%s\" is there twice", id);
        const json_t *first = json_object_get(o->places, key);
        bst_diag_also(o->diags, &o->nodes[json_integer_value(first)].where, "first used here");
        return false;
    }
    return set_place(o, key, node);
}

static uint32_t look_up(const bst__outline *o, const char *key) {
    const json_t *node = key ? json_object_get(o->places, key) : NULL;
    return node ? (uint32_t)json_integer_value(node) : BST__NO_NODE;
}

#define TARGET_BYTES_MAX 1000 /* beyond that, nothing is called so */
#define TARGET_PARTS_MAX 64

/* "a.b" inwards; a key may have dots itself, so the longest that is there is taken. */
static uint32_t descend(const bst__outline *o, uint32_t node, const char *path) {
    char key[TARGET_BYTES_MAX + 16];
    size_t len = strlen(path);
    int tries = 0;
    while (node != BST__NO_NODE && *path) {
        size_t part = len;
        uint32_t child = BST__NO_NODE;
        while (part > 0 && tries++ < TARGET_PARTS_MAX) {
            snprintf(key, sizeof key, "%u/%.*s", (unsigned)node, (int)part, path);
            child = look_up(o, key);
            if (child != BST__NO_NODE) {
                break;
            }
            while (part > 0 && path[--part] != '.') {
            }
        }
        node = child;
        part += node != BST__NO_NODE && path[part] == '.';
        path += part;
        len -= part;
    }
    return node;
}

static uint32_t find_xstate(const bst__outline *o, uint32_t source, const char *text) {
    if (*text == '#') {
        const size_t len = strcspn(text, ".");
        uint32_t node = look_up(o, text); /* an id with dots in it */
        if (node == BST__NO_NODE && text[len]) {
            node = look_up(o, bst_arena_strndup(o->arena, text, len));
            node = node == BST__NO_NODE ? node : descend(o, node, text + len + 1);
        }
        return node;
    }
    if (*text == '.') {
        return descend(o, source, text + 1);
    }
    const uint32_t parent = o->nodes[source].parent;
    return *text ? descend(o, parent == BST__NO_NODE ? source : parent, text) : BST__NO_NODE;
}

uint32_t bst__outline_find(const bst__outline *o, uint32_t source, const char *text) {
    if (strlen(text) > TARGET_BYTES_MAX) {
        return BST__NO_NODE;
    }
    return o->scxml ? look_up(o, bst_arena_printf(o->arena, "#%s", text))
                    : find_xstate(o, source, text);
}

bool bst__outline_is_inside(const bst__outline *o, uint32_t node, uint32_t outer) {
    while (node != outer && node != BST__NO_NODE) {
        node = o->nodes[node].parent;
    }
    return node == outer;
}

void bst__outline_path(const bst__outline *o, uint32_t node, bst_strbuf *out) {
    const uint32_t parent = o->nodes[node].parent;
    if (parent != BST__NO_NODE) {
        bst__outline_path(o, parent, out);
        bst_strbuf_adds(out, parent == 0 ? "" : ".");
        bst_strbuf_adds(out, o->nodes[node].name);
    }
}

/* ---- losses ---- */

static const char *const codes[BST__LOSS_COUNT] = {
    [BST__LOSS_ACTION] = "action-not-imported", [BST__LOSS_INVOKE] = "invoke-not-imported",
    [BST__LOSS_DATA] = "data-not-imported",     [BST__LOSS_GUARD] = "guard-not-imported",
    [BST__LOSS_DELAY] = "delay-not-imported",   [BST__LOSS_EVENT] = "event-not-imported",
    [BST__LOSS_WILDCARD] = "wildcard-event",    [BST__LOSS_INITIAL] = "initial-not-imported",
    [BST__LOSS_OTHER] = "not-imported",
};

void bst__outline_loss(bst__outline *o, bst__loss loss, const bst_loc *where, const char *format,
                       ...) {
    if (++o->losses[loss] > BST__LISTED_MAX) {
        return;
    }
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&text, format, args);
    va_end(args);
    bst_diag_add(o->diags, BST_OK, BST_WARNING, codes[loss], where, "%s", text.text);
    bst_strbuf_release(&text);
}

void bst__outline_unlisted(bst__outline *o) {
    const bst_loc file = {o->file, 0, 0};
    for (int i = 0; i < BST__LOSS_COUNT; i++) {
        if (o->losses[i] > BST__LISTED_MAX) {
            bst_diag_add(o->diags, BST_OK, BST_WARNING, codes[i], &file,
                         "there are %u more of these", (unsigned)(o->losses[i] - BST__LISTED_MAX));
        }
    }
}

bool bst__outline_first(bst__outline *o, const char *what, const char *name) {
    const char *key = bst_arena_printf(o->arena, "%s %s", what, name);
    if (!key || json_object_get(o->seen, key)) {
        return false;
    }
    if (json_object_set_new(o->seen, key, json_true()) != 0) {
        bst__outline_nomem(o);
    }
    return true;
}
