/* Which entities of all: a range of keys, a sample of them. Both sides of a comparison are cut
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

typedef struct bst_key_part {
    const char *from, *before; /* keys from, and below, bytewise (COLLATE "C"); NULL: open */
    /* A sample: the keys whose bst_key_draw(seed, key) is below it, so share / 2^32 of them; 0:
     * all. */
    uint32_t share, seed;
} bst_key_part;

BST_API bool bst_key_part_has(const bst_key_part *part, const char *key, size_t len);

#ifdef __cplusplus
}
#endif
#endif
