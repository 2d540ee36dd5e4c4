/* The hash index of index_private.h: open addressing, linear probing, at most half full. Each
 * slot keeps the whole hash, so growing needs no keys and a look-up compares keys only when all
 * 32 bits agree.
 */
#include "index_private.h"

#include <string.h>

#include "backstory/machine.h"

#define FIRST_SLOTS 16u

uint32_t bst__index_find(const bst__index *index, uint32_t hash, bst__same *same,
                         const void *wanted) {
    if (!index->slots) {
        return BST_NONE;
    }
    for (uint32_t at = hash & index->mask; index->slots[at].item; at = (at + 1) & index->mask) {
        if (index->slots[at].hash == hash && same(wanted, index->slots[at].item - 1)) {
            return index->slots[at].item - 1;
        }
    }
    return BST_NONE;
}

static void place(bst__index *index, bst__slot slot) {
    uint32_t at = slot.hash & index->mask;
    while (index->slots[at].item) {
        at = (at + 1) & index->mask;
    }
    index->slots[at] = slot;
}

static bool grow(bst__index *index, bst_arena *arena, uint32_t count) {
    const bst__index old = *index;
    index->slots = bst_arena_array(arena, count, sizeof *index->slots);
    if (!index->slots) {
        *index = old;
        return false;
    }
    index->mask = count - 1;
    for (uint32_t i = 0; old.slots && i <= old.mask; i++) {
        if (old.slots[i].item) {
            place(index, old.slots[i]);
        }
    }
    return true;
}

bool bst__index_reserve(bst__index *index, bst_arena *arena, uint32_t count) {
    uint32_t slots = FIRST_SLOTS;
    while (slots / 2 < count) {
        slots *= 2;
    }
    return (index->slots && index->mask >= slots - 1) || grow(index, arena, slots);
}

bool bst__index_add(bst__index *index, bst_arena *arena, uint32_t hash, uint32_t number) {
    if (!index->slots || index->used * 2 > index->mask) {
        const uint32_t slots = index->slots ? (index->mask + 1) * 2 : FIRST_SLOTS;
        if (!grow(index, arena, slots)) {
            return false;
        }
    }
    place(index, (bst__slot){hash, number + 1});
    index->used++;
    return true;
}

const char *bst__name_at(const bst__names *names, uint32_t number) {
    const char *const *name =
        (const char *const *)(const void *)((const char *)names->items + names->size * number);
    return *name;
}

/* The last steps of MurmurHash3's finalizer: every bit of the result depends on every bit of
 * `h`. */
static uint32_t stir(uint32_t h) {
    h ^= h >> 16;
    h *= UINT32_C(0x85ebca6b);
    h ^= h >> 13;
    h *= UINT32_C(0xc2b2ae35);
    return h ^ (h >> 16);
}

uint32_t bst__name_hash(uint32_t seed, const char *name) {
    uint32_t h = seed ^ UINT32_C(2166136261); /* FNV-1a, stirred */
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        h = (h ^ *p) * UINT32_C(16777619);
    }
    return stir(h);
}

typedef struct wanted_name {
    const bst__names *names;
    const char *name;
} wanted_name;

static bool same_name(const void *wanted, uint32_t number) {
    const wanted_name *w = wanted;
    return strcmp(bst__name_at(w->names, number), w->name) == 0;
}

uint32_t bst__name_find(const bst__index *index, uint32_t seed, const bst__names *names,
                        const char *name) {
    const wanted_name wanted = {names, name};
    return bst__index_find(index, bst__name_hash(seed, name), same_name, &wanted);
}

uint32_t bst__hash3(uint32_t a, uint32_t b, uint32_t c) {
    return stir(stir(stir(a) + b) + c);
}
