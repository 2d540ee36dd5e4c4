/* Parts of all keys, for whoever has them one by one. */
#include "backstory/key_part.h"

#include <string.h>

#include "backstory/digest.h"
#include "reader_private.h"

static bool is_below(const char *key, size_t len, const char *bound) {
    return bst__key_compare(key, len, bound, strlen(bound)) < 0;
}

static bool is_in(const char *from, const char *before, const char *key, size_t len) {
    return (!from || !is_below(key, len, from)) && (!before || is_below(key, len, before));
}

/* By halving: the first range that does not end below the key is the only one that may have it. */
static bool is_in_ranges(const bst_key_part *part, const char *key, size_t len) {
    size_t low = 0;
    size_t high = part->range_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *const before = part->ranges[middle].before;
        if (before && !is_below(key, len, before))
            low = middle + 1;
        else
            high = middle;
    }
    return low < part->range_count &&
           is_in(part->ranges[low].from, part->ranges[low].before, key, len);
}

bool bst_key_part_has(const bst_key_part *part, const char *key, size_t len) {
    return is_in(part->from, part->before, key, len) &&
           (part->range_count == 0 || is_in_ranges(part, key, len)) &&
           (part->share == 0 || bst_key_draw(part->seed, key, len) < part->share);
}
