/* The digits of a decimal number in text, of any length. */
#ifndef BACKSTORY_DECIMAL_PRIVATE_H
#define BACKSTORY_DECIMAL_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

/* The digits that count: without the zeros before and after them. A point may stand among them. The
 * first stands for `first_power` powers of ten, the last for `last_power`. */
typedef struct bst__digits {
    const char *first, *last; /* NULL: the number is 0 */
    int64_t first_power, last_power;
} bst__digits;

/* Reads `digits[.digits][e[+-]digits]`, which must be all of [at, end). */
bool bst__decimal_digits(const char *at, const char *end, bst__digits *ret);

#endif
