/* Which name did the user mean? Optimal string alignment: the Damerau-Levenshtein distance in which
 * no part is edited twice. Three rows of the usual table are enough, for a swap looks two rows
 * back.
 */
#include "backstory/diag.h"

#include <string.h>

#define NAME_MAX_BYTES 128 /* longer names are no slips of the finger */

typedef size_t row[NAME_MAX_BYTES + 1];

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    row rows[3];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *const now = rows[i % 3];
        const size_t *const before = rows[(i + 2) % 3]; /* i - 1 */
        const size_t *const swap = rows[(i + 1) % 3];   /* i - 2 */
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            const size_t replaced = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], swap[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *bst_nearest_name(const char *name, const char *const *names, size_t count) {
    const size_t len = strlen(name);
    const char *nearest = NULL;
    size_t bound = len / 3 + 1; /* what a better one must stay below */
    if (len > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t other = strlen(names[i]);
        const size_t apart = other > len ? other - len : len - other;
        if (apart >= bound || other > NAME_MAX_BYTES)
            continue;
        const size_t found = distance(name, len, names[i], other);
        if (found < bound) {
            bound = found;
            nearest = names[i];
        }
    }
    return nearest;
}
