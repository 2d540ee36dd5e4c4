/* Memory that is freed all at once: a list of blocks, the newest first. An allocation moves a mark
 * forward in the newest block; one that does not fit opens another block, at least twice as large
 * as the last (up to a bound), or as large as the allocation where that is more. What remains of
 * the block before is given up.
 */
#include "backstory/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK   ((size_t)8 << 10)
#define LARGEST_BLOCK ((size_t)1 << 20)

typedef struct block {
    struct block *older;
    size_t size, used;
    max_align_t bytes[];
} block;

struct bst_arena {
    block *newest;
    size_t used;
};

bst_arena *bst_arena_new(void) {
    return calloc(1, sizeof(bst_arena));
}

/* Frees all blocks but the first one made, which is returned (NULL when there is none). */
static block *keep_first(bst_arena *arena) {
    block *at = arena->newest;
    while (at && at->older) {
        block *const older = at->older;
        free(at);
        at = older;
    }
    return at;
}

bst_arena *bst_arena_free(bst_arena *arena) {
    if (arena) {
        free(keep_first(arena));
        free(arena);
    }
    return NULL;
}

void bst_arena_clear(bst_arena *arena) {
    arena->newest = keep_first(arena);
    if (arena->newest)
        arena->newest->used = 0;
    arena->used = 0;
}

static block *add_block(bst_arena *arena, size_t need) {
    size_t size = FIRST_BLOCK;
    if (arena->newest)
        size = arena->newest->size < LARGEST_BLOCK / 2 ? arena->newest->size * 2 : LARGEST_BLOCK;
    if (size < need)
        size = need;
    if (size > SIZE_MAX - sizeof(block))
        return NULL;
    block *const added = malloc(sizeof *added + size);
    if (!added)
        return NULL;
    *added = (block){arena->newest, size, 0};
    arena->newest = added;
    return added;
}

/* Not zeroed. `align` is a power of two. */
static void *take(bst_arena *arena, size_t size, size_t align) {
    block *from = arena->newest;
    size_t at = from ? (from->used + align - 1) & ~(align - 1) : 0;
    if (!from || at > from->size || size > from->size - at) {
        from = add_block(arena, size);
        if (!from)
            return NULL;
        at = 0;
    }
    from->used = at + size;
    arena->used += size;
    return (char *)from->bytes + at;
}

void *bst_arena_alloc(bst_arena *arena, size_t size) {
    void *const memory = take(arena, size > 0 ? size : 1, _Alignof(max_align_t));
    return memory ? memset(memory, 0, size) : NULL;
}

void *bst_arena_array(bst_arena *arena, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    return bst_arena_alloc(arena, count * size);
}

char *bst_arena_strndup(bst_arena *arena, const char *text, size_t len) {
    char *const copy = len < SIZE_MAX ? take(arena, len + 1, 1) : NULL;
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *bst_arena_strdup(bst_arena *arena, const char *text) {
    return bst_arena_strndup(arena, text, strlen(text));
}

/* Tried where the mark stands: mostly there is room. */
char *bst_arena_vprintf(bst_arena *arena, const char *format, va_list args) {
    block *const here = arena->newest;
    const size_t room = here ? here->size - here->used : 0;
    va_list again;
    va_copy(again, args);
    const int len =
        vsnprintf(room > 0 ? (char *)here->bytes + here->used : NULL, room, format, args);
    char *const text = len >= 0 ? take(arena, (size_t)len + 1, 1) : NULL;
    if (text && (size_t)len >= room)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *bst_arena_printf(bst_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *const text = bst_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t bst_arena_used(const bst_arena *arena) {
    return arena->used;
}
