/* Findings of the loader: a path on the stack becomes a pointer, a pointer becomes a place in
 * the file. All of this runs only when something is wrong.
 */
#include "load_private.h"

#include <stdlib.h>
#include <string.h>

/* Each search for a near name looks at all names: a file that is wrong everywhere would take the
 * square of its size. */
#define SUGGESTIONS_MAX 50

static void add_path(const bst__path *path, bst_strbuf *pointer) {
    if (path->up) {
        add_path(path->up, pointer); /* as deep as our own language nests, not as the file does */
    }
    if (path->key) {
        bst_json_pointer_add(pointer, path->key);
    } else {
        bst_json_pointer_add_index(pointer, path->index);
    }
}

bst_loc bst__value_at(const bst__load *l, const bst__path *path) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    if (path) {
        add_path(path, &pointer);
    }
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bst_loc bst__key_at(const bst__load *l, const bst__path *path) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    add_path(path, &pointer);
    const bst_loc where = bst_json_source_key(l->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bool bst__nomem(bst__load *l) {
    if (l->status != BST_NOMEM) {
        l->status = bst_diag_nomem(l->diags);
    }
    return false;
}

void bst__error(bst__load *l, const bst_loc *where, const char *code, const char *format, ...) {
    if (l->status == BST_OK) {
        l->status = BST_INVALID;
    }
    bst_strbuf message = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&message, format, args);
    va_end(args);
    if (message.failed) {
        bst__nomem(l);
    } else {
        bst_diag_add(l->diags, BST_INVALID, BST_ERROR, code, where, "%s", message.text);
    }
    bst_strbuf_release(&message);
}

bool bst__limit(bst__load *l, const bst_loc *where, const char *what, uint32_t limit) {
    bst__error(l, where, "limit", "more than %u %s", limit, what);
    bst_diag_hint(l->diags, "Reading stopped here: this is the most that one machine can have.");
    return false;
}

static const char *nearest(bst__load *l, const char *name, const bst__names *names,
                           uint32_t count) {
    if (count == 0 || !l->diags || l->suggestions++ >= SUGGESTIONS_MAX) {
        return NULL;
    }
    const char **list = malloc(count * sizeof *list);
    if (!list) {
        return NULL; /* a finding without a suggestion is still a finding */
    }
    for (uint32_t i = 0; i < count; i++) {
        list[i] = bst__name_at(names, i);
    }
    const char *found = bst_nearest_name(name, list, count);
    free(list);
    return found;
}

void bst__did_you_mean(bst__load *l, const char *name, const bst__names *names, uint32_t count,
                       const char *otherwise) {
    const char *near = nearest(l, name, names, count);
    if (near) {
        bst_diag_hint(l->diags, "Did you mean \"%s\"?", near);
    } else if (otherwise) {
        bst_diag_hint(l->diags, "%s", otherwise);
    }
}

uint32_t bst__next_room(uint32_t room) {
    return room ? room * 2 : 16;
}

void *bst__longer(bst__load *l, const void *items, size_t size, uint32_t count, uint32_t room) {
    void *longer = bst_arena_array(l->arena, room, size);
    if (!longer) {
        bst__nomem(l);
    } else if (count) {
        memcpy(longer, items, count * size);
    }
    return longer;
}
