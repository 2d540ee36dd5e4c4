/* Parts of all keys, for whoever has them one by one. */
#include "backstory/key_part.h"

#include <string.h>

#include "backstory/digest.h"
#include "reader_private.h"

bool bst_key_part_has(const bst_key_part *part, const char *key, size_t len) {
    return (!part->from || bst__key_compare(key, len, part->from, strlen(part->from)) >= 0) &&
           (!part->before || bst__key_compare(key, len, part->before, strlen(part->before)) < 0) &&
           (part->share == 0 || bst_key_draw(part->seed, key, len) < part->share);
}
