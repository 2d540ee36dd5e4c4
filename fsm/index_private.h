/* A hash index: hash -> number of an item in somebody's array. It stores no keys; whoever looks
 * up says when two things are the same. Lives in an arena; grows by doubling; never forgets.
 */
#ifndef BACKSTORY_FSM_INDEX_PRIVATE_H
#define BACKSTORY_FSM_INDEX_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/arena.h"

typedef struct bst__slot {
    uint32_t hash;
    uint32_t item; /* number + 1; 0: free */
} bst__slot;

typedef struct bst__index {
    bst__slot *slots;
    uint32_t mask; /* slots - 1, a power of two less one */
    uint32_t used;
} bst__index;

/* Whether item `number` is what `wanted` describes. */
typedef bool bst__same(const void *wanted, uint32_t number);

/* BST_NONE when there is none. An index that was never added to is empty. */
uint32_t bst__index_find(const bst__index *index, uint32_t hash, bst__same *same,
                         const void *wanted);
/* Room for `count` items in all, so that adding them moves nothing. False when out of memory. */
bool bst__index_reserve(bst__index *index, bst_arena *arena, uint32_t count);
/* Adds without looking: look first where doubles may come. False when out of memory. */
bool bst__index_add(bst__index *index, bst_arena *arena, uint32_t hash, uint32_t number);

/* Names: items of `size` bytes whose first member is `const char *name`. The seed comes from the
 * digest of the file, so that nobody can write a file whose names all fall into one slot. */
typedef struct bst__names {
    const void *items;
    size_t size;
} bst__names;
const char *bst__name_at(const bst__names *names, uint32_t number);
uint32_t bst__name_hash(uint32_t seed, const char *name);
uint32_t bst__name_find(const bst__index *index, uint32_t seed, const bst__names *names,
                        const char *name);

/* The hash of three numbers. */
uint32_t bst__hash3(uint32_t a, uint32_t b, uint32_t c);

#endif
