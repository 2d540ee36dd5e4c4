/* Which entities of all: ranges of keys, a sample of them. Both sides of a comparison are cut
 * by the same words, wherever they are kept. */
#ifndef BACKSTORY_KEY_PART_H
#define BACKSTORY_KEY_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Keys from, and below, bytewise (COLLATE "C"); NULL: open. */
typedef struct bst_key_range {
    const char *from, *before;
} bst_key_range;

typedef struct bst_key_part {
    const char *from, *before; /* a range around all the rest */
    /* Only keys in one of these, which are in order and do not overlap; 0: all. */
    size_t range_count;
    const bst_key_range *ranges;
    /* A sample: the keys whose bst_key_draw(seed, key) is below it, so share / 2^32 of them; 0:
     * all. */
    uint32_t share, seed;
} bst_key_part;

BST_API bool bst_key_part_has(const bst_key_part *part, const char *key, size_t len);

#ifdef __cplusplus
}
#endif
#endif
