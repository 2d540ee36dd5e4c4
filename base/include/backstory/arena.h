/* Memory that is freed all at once. A compiled machine, a mapping, an inference each live in one
 * arena. */
#ifndef BACKSTORY_ARENA_H
#define BACKSTORY_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_arena bst_arena;

BST_API bst_arena *bst_arena_new(void);              /* NULL when out of memory */
BST_API bst_arena *bst_arena_free(bst_arena *arena); /* takes NULL, returns NULL */
/* Everything in it is gone; the first block is kept for the next round. */
BST_API void bst_arena_clear(bst_arena *arena);

/* Zeroed and aligned for any type; NULL when out of memory. A size of 0 gives a valid pointer. */
BST_API void *bst_arena_alloc(bst_arena *arena, size_t size) BST_MUST_USE;
/* An array of `count` items; NULL also when count * size overflows. */
BST_API void *bst_arena_array(bst_arena *arena, size_t count, size_t size) BST_MUST_USE;
BST_API char *bst_arena_strdup(bst_arena *arena, const char *text) BST_MUST_USE;
BST_API char *bst_arena_strndup(bst_arena *arena, const char *text, size_t len) BST_MUST_USE;
BST_API char *bst_arena_printf(bst_arena *arena, const char *format, ...)
    BST_PRINTF(2, 3) BST_MUST_USE;
BST_API char *bst_arena_vprintf(bst_arena *arena, const char *format, va_list args)
    BST_PRINTF(2, 0) BST_MUST_USE;
/* Bytes handed out since the start or the last clear. */
BST_API size_t bst_arena_used(const bst_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
