/* Digits of integers, for the hot formatters: millions of rows go through them, and snprintf costs
 * ten times as much. */
#ifndef BACKSTORY_DIGITS_PRIVATE_H
#define BACKSTORY_DIGITS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BST__DIGITS_MAX 20 /* of a uint64_t */

/* |value|, INT64_MIN included. */
static inline uint64_t bst__magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Writes `value` so that it ends right before `end`; returns where it starts. Two digits a
 * division: each waits for the one before. */
static inline char *bst__digits_before(char *end, uint64_t value) {
    for (; value >= 100; value /= 100) {
        const unsigned two = (unsigned)(value % 100);
        *--end = (char)('0' + two % 10);
        *--end = (char)('0' + two / 10);
    }
    if (value >= 10) {
        *--end = (char)('0' + value % 10);
        value /= 10;
    }
    *--end = (char)('0' + value);
    return end;
}

/* Writes `value` with at least `width` digits at `at`; returns where it ends. */
static inline char *bst__digits_put(char *at, uint64_t value, size_t width) {
    char digits[BST__DIGITS_MAX];
    char *const end = digits + sizeof digits;
    const char *const start = bst__digits_before(end, value);
    const size_t len = (size_t)(end - start);
    for (size_t i = len; i < width; i++)
        *at++ = '0';
    memcpy(at, start, len);
    return at + len;
}

static inline char *bst__digits_put2(char *at, unsigned value) {
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

static inline bool bst__is_digit(char c) {
    return c >= '0' && c <= '9';
}

#endif
