/* Where everything in a JSON text stands.
 *
 * One pass over the text, which is known to be valid, makes a node of every value: where it starts,
 * where its key does, and the node it lies in. A hash table finds a node by its parent and its name
 * there, so that a pointer is followed in as many steps as it has parts. Names are not copied: they
 * are decoded, byte by byte, from the text and from the pointer while they are compared, and so
 * "\u0061" is "a". An element of an array is named by its number.
 *
 * The table is open-addressed, at most half full, and holds node numbers plus one. Two equal names
 * of one object meet in it; so duplicate keys are found here as well, and each is held against the
 * first of its name.
 */
#include "json_private.h"

#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "digits_private.h"

#define FIRST_NODES 64  /* a power of two; the table has twice as many places */
#define MARK_BYTES  256 /* of a line between marks, or what one string has more */

/* A byte whose place is known: one at the start of each line, more in long lines. Others count on
 * from the one before them. */
typedef struct mark {
    uint32_t at;
    bst__json_place place;
} mark;

struct bst__json_index {
    const char *text;
    size_t len;
    bool filled;
    bst__json_node *nodes; /* the first is the root */
    uint32_t count, capacity;
    uint32_t *table;
    mark *marks;
    uint32_t mark_count, mark_room;
};

bst__json_index *bst__json_index_new(const char *text, size_t len) {
    bst__json_index *const index = calloc(1, sizeof *index);
    if (index) {
        index->text = text;
        index->len = len;
    }
    return index;
}

static void forget(bst__json_index *index) {
    free(index->nodes);
    free(index->table);
    free(index->marks);
    index->nodes = NULL;
    index->table = NULL;
    index->marks = NULL;
    index->count = index->capacity = index->mark_count = index->mark_room = 0;
}

bst__json_index *bst__json_index_free(bst__json_index *index) {
    if (index) {
        forget(index);
        free(index);
    }
    return NULL;
}

static bst__json_letters string_at(const bst__json_index *index, uint32_t quote) {
    return (bst__json_letters){
        .form = BST__JSON_STRING, .at = index->text + quote + 1, .end = index->text + index->len};
}

/* A number as letters; `digits` holds them. */
static bst__json_letters number(uint32_t value, char digits[BST__DIGITS_MAX]) {
    return (bst__json_letters){
        .form = BST__JSON_PLAIN, .at = digits, .end = bst__digits_write(digits, value)};
}

static bst__json_letters name_of(const bst__json_index *index, const bst__json_node *node,
                                 char digits[BST__DIGITS_MAX]) {
    return node->position == BST__JSON_NAMED ? string_at(index, node->key)
                                             : number(node->position, digits);
}

/* FNV-1a, begun with the parent, and with where the index happens to lie: nobody can write a file
 * whose names all fall into one place. */
static uint32_t hash_of(const bst__json_index *index, uint32_t parent, bst__json_letters name) {
    uint32_t hash = (uint32_t)((uintptr_t)index >> 4) ^ (parent * UINT32_C(2654435769));
    for (int byte; (byte = bst__json_letters_next(&name)) >= 0;)
        hash = (hash ^ (uint32_t)byte) * UINT32_C(16777619);
    return hash ^ hash >> 15;
}

static bool is_same(bst__json_letters a, bst__json_letters b) {
    int byte;
    do {
        byte = bst__json_letters_next(&a);
        if (byte != bst__json_letters_next(&b))
            return false;
    } while (byte >= 0);
    return true;
}

/* The place in the table of the child with this name, or the free place where it belongs. */
static uint32_t *slot_of(const bst__json_index *index, uint32_t parent, uint32_t hash,
                         bst__json_letters name) {
    const uint32_t mask = index->capacity * 2 - 1;
    char digits[BST__DIGITS_MAX];
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *const slot = &index->table[i];
        if (*slot == 0)
            return slot;
        const bst__json_node *const node = &index->nodes[*slot - 1];
        if (node->hash == hash && node->parent == parent &&
            is_same(name_of(index, node, digits), name))
            return slot;
    }
}

static bool grow(bst__json_index *index) {
    const uint32_t capacity = index->capacity > 0 ? index->capacity * 2 : FIRST_NODES;
    if (capacity >= UINT32_MAX / 4)
        return false;
    bst__json_node *const nodes = realloc(index->nodes, capacity * sizeof *nodes);
    if (!nodes)
        return false;
    index->nodes = nodes;
    uint32_t *const table = calloc(capacity * 2, sizeof *table);
    if (!table)
        return false;
    free(index->table);
    index->table = table;
    index->capacity = capacity;
    const uint32_t mask = capacity * 2 - 1;
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t at =
            nodes[i].hash & mask; /* no two are the same here: the first free place will do */
        while (table[at] != 0)
            at = (at + 1) & mask;
        table[at] = i + 1;
    }
    return true;
}

static bool add_mark(bst__json_index *index, uint32_t at, bst__json_place place) {
    if (index->mark_count == index->mark_room) {
        const uint32_t room = index->mark_room > 0 ? index->mark_room * 2 : FIRST_NODES;
        mark *const marks = realloc(index->marks, room * sizeof *marks);
        if (!marks)
            return false;
        index->marks = marks;
        index->mark_room = room;
    }
    index->marks[index->mark_count++] = (mark){at, place};
    return true;
}

/* A byte at the mark or behind it, on the same line. */
static bst__json_place place_after(const bst__json_index *index, const mark *m, uint32_t at) {
    const bst__json_place passed = bst__json_place_of(index->text + m->at, at - m->at);
    return (bst__json_place){m->place.line, m->place.column + passed.column - 1};
}

bst__json_place bst__json_index_place(const bst__json_index *index, uint32_t at) {
    uint32_t before = 0;
    for (uint32_t after = index->mark_count; after - before > 1;) {
        const uint32_t middle = before + (after - before) / 2;
        if (index->marks[middle].at <= at)
            before = middle;
        else
            after = middle;
    }
    return place_after(index, &index->marks[before], at);
}

/* A pass over the text. */
typedef struct walk {
    bst__json_index *index;
    const char *file;
    bst_diags *diags;
    size_t duplicates;
    uint32_t at;
    uint32_t key; /* of the member that is being read */
    bool want_key;
    size_t depth;
    struct level {
        uint32_t node;
        uint32_t position; /* of the next element; BST__JSON_NAMED in an object */
    } levels[BST_JSON_DEPTH_MAX + 1];
} walk;

static const mark *last_mark(const walk *w) {
    return &w->index->marks[w->index->mark_count - 1];
}

static bst_loc loc_at(const walk *w, uint32_t at) {
    const bst__json_place place = bst__json_index_place(w->index, at);
    return (bst_loc){w->file, place.line, place.column};
}

static void report_duplicate(walk *w, const bst__json_node *first, const bst__json_node *second) {
    const bst_loc where = loc_at(w, second->key);
    const bst_loc before = loc_at(w, first->key);
    bst__json_letters name = string_at(w->index, second->key);
    bst_strbuf text = BST_STRBUF_INIT;
    for (int byte; (byte = bst__json_letters_next(&name)) >= 0;)
        bst_strbuf_addc(&text, (char)byte);
    w->duplicates++;
    bst_diag_add(w->diags, BST_INVALID, BST_ERROR, "duplicate-key", &where,
                 "key \"%s\" stands twice in one object", text.text);
    bst_diag_hint(w->diags, "Remove or rename one of the two.");
    bst_diag_also(w->diags, &before, "first given here");
    bst_strbuf_release(&text);
}

/* Adds the value that starts here; returns its number, or UINT32_MAX when out of memory. */
static uint32_t add_node(walk *w) {
    bst__json_index *const index = w->index;
    struct level *const level = &w->levels[w->depth];
    char digits[BST__DIGITS_MAX];
    if (index->count == index->capacity && !grow(index))
        return UINT32_MAX;
    const uint32_t added = index->count++;
    bst__json_node *const node = &index->nodes[added];
    *node = (bst__json_node){
        .parent = level->node, .position = level->position, .key = w->key, .value = w->at};
    if (added == 0) { /* the root has no name, and nobody looks for it */
        node->key = w->at;
        node->position = 0;
        node->parent = UINT32_MAX;
    } else if (level->position != BST__JSON_NAMED) {
        node->key = w->at;
        level->position++;
    }
    const bst__json_letters name = name_of(index, node, digits);
    node->hash = hash_of(index, node->parent, name);
    uint32_t *const slot = slot_of(index, node->parent, node->hash, name);
    if (*slot != 0)
        report_duplicate(w, &index->nodes[*slot - 1], node);
    else
        *slot = added + 1;
    return added;
}

static void skip_string(walk *w) {
    const char *at = w->index->text + w->at + 1;
    while (*at != '"')
        at += *at == '\\' ? 2 : 1;
    w->at = (uint32_t)(at + 1 - w->index->text);
}

static void skip_scalar(walk *w) {
    while (w->at < w->index->len && !strchr(",]} \t\r\n", w->index->text[w->at]))
        w->at++;
}

/* A value starts here. */
static bool enter_value(walk *w, char first) {
    const uint32_t node = add_node(w);
    if (node == UINT32_MAX)
        return false;
    if (first == '"') {
        skip_string(w);
    } else if (first == '{' || first == '[') {
        w->depth++;
        w->levels[w->depth] = (struct level){node, first == '{' ? BST__JSON_NAMED : 0};
        w->want_key = first == '{';
        w->at++;
    } else {
        skip_scalar(w);
    }
    return true;
}

static bool read_token(walk *w) {
    const char *const text = w->index->text;
    const char c = text[w->at];
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
        while (text[w->at] == c)
            w->at++;
        return true;
    case '\n':
        w->at++;
        return add_mark(w->index, w->at, (bst__json_place){last_mark(w)->place.line + 1, 1});
    case ':':
        w->want_key = false;
        w->at++;
        return true;
    case ',':
        w->want_key = w->levels[w->depth].position == BST__JSON_NAMED;
        w->at++;
        return true;
    case '}':
    case ']':
        w->depth--;
        w->at++;
        return true;
    case '"':
        if (w->want_key) {
            w->key = w->at;
            skip_string(w);
            return true;
        }
        return enter_value(w, c);
    default:
        return enter_value(w, c);
    }
}

bst_status bst__json_index_fill(bst__json_index *index, const char *file, bst_diags *diags) {
    if (index->filled)
        return BST_OK;
    walk w = {.index = index, .file = file, .diags = diags};
    bool ok = add_mark(index, 0, (bst__json_place){1, 1});
    while (ok && w.at < index->len) {
        const mark *const last = last_mark(&w);
        ok = (w.at - last->at < MARK_BYTES ||
              add_mark(index, w.at, place_after(index, last, w.at))) &&
             read_token(&w);
    }
    if (!ok) {
        forget(index);
        return BST_NOMEM;
    }
    index->filled = true;
    return w.duplicates > 0 ? BST_INVALID : BST_OK;
}

const bst__json_node *bst__json_index_find(bst__json_index *index, const char *pointer,
                                           bool *ret_exact) {
    if (bst__json_index_fill(index, NULL, NULL) == BST_NOMEM || index->count == 0)
        return NULL;
    const char *const end = pointer + strlen(pointer);
    uint32_t node = 0;
    bool exact = true;
    while (exact && pointer < end) {
        const bst__json_letters name = {.form = BST__JSON_POINTER, .at = pointer + 1, .end = end};
        const uint32_t slot = *slot_of(index, node, hash_of(index, node, name), name);
        exact = *pointer == '/' && slot != 0;
        node = exact ? slot - 1 : node;
        pointer++;
        while (pointer < end && *pointer != '/')
            pointer++;
    }
    *ret_exact = exact;
    return &index->nodes[node];
}
