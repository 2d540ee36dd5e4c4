/* Digits of integers, for the hot formatters: millions of rows go through them, and snprintf costs
 * ten times as much. */
#ifndef BACKSTORY_DIGITS_PRIVATE_H
#define BACKSTORY_DIGITS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BST__DIGITS_MAX 24 /* of a uint64_t, and what is written beyond them */

/* |value|, INT64_MIN included. */
static inline uint64_t bst__magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* The eight digits of a number below 10^8, the first in the lowest byte. It is halved three times,
 * all parts at once: a part below 10^4 or 10^2 is divided by a multiplication whose error is too
 * small to show. After Paul Khuong, "How to print integers really fast", 2017. */
static inline uint64_t bst__eight_digits(uint64_t value) {
    const uint64_t fours = value / 10000 | value % 10000 << 32;
    const uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x7f0000007f);
    const uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    const uint64_t tens = twos * 103 >> 10 & UINT64_C(0xf000f000f000f);
    return tens | (twos - 10 * tens) << 8;
}

/* The lowest byte comes first. */
static inline void bst__eight_put(char *at, uint64_t digits) {
    const uint64_t text = digits + UINT64_C(0x3030303030303030);
    for (int i = 0; i < 8; i++)
        at[i] = (char)(text >> 8 * i);
}

/* A number below 10^8 without zeros before it; eight bytes are written. */
static inline char *bst__digits_begin(char *at, uint64_t value) {
    const uint64_t digits = bst__eight_digits(value);
    const int zeros = digits ? __builtin_ctzll(digits) / 8 : 7;
    bst__eight_put(at, digits >> 8 * zeros);
    return at + 8 - zeros;
}

/* Writes `value` at `at`, where there are BST__DIGITS_MAX bytes to write to; returns where it ends.
 */
static inline char *bst__digits_write(char *at, uint64_t value) {
    const uint64_t unit = 100000000;
    const uint64_t high = value / unit;
    if (high == 0)
        return bst__digits_begin(at, value);
    if (high < unit) {
        at = bst__digits_begin(at, high);
    } else {
        at = bst__digits_begin(at, high / unit);
        bst__eight_put(at, bst__eight_digits(high % unit));
        at += 8;
    }
    bst__eight_put(at, bst__eight_digits(value % unit));
    return at + 8;
}

static inline char *bst__digits_write_signed(char *at, int64_t value) {
    if (value < 0)
        *at++ = '-';
    return bst__digits_write(at, bst__magnitude(value));
}

/* Writes `value` with at least `width` digits at `at`, and nothing beyond; returns where it ends.
 */
static inline char *bst__digits_put(char *at, uint64_t value, size_t width) {
    char digits[BST__DIGITS_MAX];
    const size_t len = (size_t)(bst__digits_write(digits, value) - digits);
    for (size_t i = len; i < width; i++)
        *at++ = '0';
    memcpy(at, digits, len);
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
