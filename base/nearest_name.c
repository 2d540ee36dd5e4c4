/* Which name did the user mean? Optimal string alignment: the Damerau-Levenshtein distance in which
 * no part is edited twice. Three rows of the usual table are enough, for a swap looks two rows
 * back. Where no name is near, one may have been left unfinished: "unreachable" for
 * "unreachable-state".
 */
#include "backstory/diag.h"

#include <stdbool.h>
#include <string.h>

#define NAME_MAX_BYTES 128 /* longer names are no slips of the finger */
#define BEGINNING_MIN  5   /* shorter ones begin too many names */

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

/* The nearest to the names, or to as much of their beginnings as was given. */
static const char *nearest_of(const char *name, size_t len, const char *const *names, size_t count,
                              bool beginnings) {
    const char *nearest = NULL;
    size_t bound = len / 3 + 1; /* what a better one must stay below */

    for (size_t i = 0; i < count; i++) {
        const size_t whole = strlen(names[i]);
        const size_t other = beginnings ? least(whole, len) : whole;
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

const char *bst_nearest_name(const char *name, const char *const *names, size_t count) {
    const size_t len = strlen(name);

    if (len > NAME_MAX_BYTES)
        return NULL;
    const char *nearest = nearest_of(name, len, names, count, false);
    return nearest || len < BEGINNING_MIN ? nearest : nearest_of(name, len, names, count, true);
}
