/* Exact decimals.
 *
 * A number is read in two passes over its text. The first finds the digits that count: from the
 * first one that is not 0 to the last one that is not 0, and the power of ten of either end. With
 * these two powers alone it is known whether the number has too many digits or digits beyond the
 * scale, however long the text or large the exponent; only then are the digits (18 at most) put
 * together. Nothing can overflow on the way.
 */
#include "backstory/decimal.h"

#include <assert.h>
#include <string.h>

#include "decimal_private.h"
#include "digits_private.h"

/* An exponent is cut off here: far beyond any scale, so that the result is the same, and far from
 * any overflow. */
#define EXPONENT_MAX INT64_C(1000000000000000000)

static const int64_t powers[] = {
    INT64_C(1),
    INT64_C(10),
    INT64_C(100),
    INT64_C(1000),
    INT64_C(10000),
    INT64_C(100000),
    INT64_C(1000000),
    INT64_C(10000000),
    INT64_C(100000000),
    INT64_C(1000000000),
    INT64_C(10000000000),
    INT64_C(100000000000),
    INT64_C(1000000000000),
    INT64_C(10000000000000),
    INT64_C(100000000000000),
    INT64_C(1000000000000000),
    INT64_C(10000000000000000),
    INT64_C(100000000000000000),
    INT64_C(1000000000000000000),
};

_Static_assert(sizeof powers / sizeof *powers == BST_DECIMAL_DIGITS_MAX + 1, "powers up to 10^18");

/* Reads `[+-]digits`, which must end the text. */
static bool read_exponent(const char *at, const char *end, int64_t *ret) {
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int64_t exponent = 0;
    for (; at < end; at++) {
        if (!bst__is_digit(*at))
            return false;
        if (exponent < EXPONENT_MAX / 10)
            exponent = exponent * 10 + (*at - '0');
    }
    *ret = negative ? -exponent : exponent;
    return true;
}

/* The power of ten of the digit at `at`, with the point (or the end of the digits) at `point`. */
static int64_t power_of(const char *at, const char *point) {
    return at < point ? point - at - 1 : point - at;
}

bool bst__decimal_digits(const char *at, const char *end, bst__digits *ret) {
    const char *point = NULL;
    const char *const start = at;
    bst__digits found = {NULL, NULL, 0, 0};
    for (; at < end; at++) {
        if (bst__is_digit(*at)) {
            if (*at != '0') {
                found.first = found.first ? found.first : at;
                found.last = at;
            }
        } else if (*at == '.' && !point && at > start && at + 1 < end && bst__is_digit(at[1])) {
            point = at;
        } else {
            break;
        }
    }
    if (at == start)
        return false;
    int64_t exponent = 0;
    if (at < end && ((*at != 'e' && *at != 'E') || !read_exponent(at + 1, end, &exponent)))
        return false;
    if (found.first) {
        point = point ? point : at;
        found.first_power = power_of(found.first, point) + exponent;
        found.last_power = power_of(found.last, point) + exponent;
    }
    *ret = found;
    return true;
}

bst_decimal_result bst_decimal_parse(const char *text, size_t len, int precision, int scale,
                                     int64_t *ret_units) {
    assert(precision >= 1 && precision <= BST_DECIMAL_DIGITS_MAX && scale >= 0 &&
           scale <= precision);
    const char *const end = text + len;
    const bool negative = len > 0 && *text == '-';
    if (len > 0 && (*text == '-' || *text == '+'))
        text++;
    bst__digits found;
    if (!bst__decimal_digits(text, end, &found))
        return BST_DECIMAL_SYNTAX;
    if (!found.first) {
        *ret_units = 0;
        return BST_DECIMAL_OK;
    }
    if (found.first_power + scale >= precision)
        return BST_DECIMAL_OVERFLOW;
    if (found.last_power + scale < 0)
        return BST_DECIMAL_INEXACT;
    int64_t units = 0;
    for (const char *at = found.first; at <= found.last; at++)
        units = *at == '.' ? units : units * 10 + (*at - '0');
    units *= powers[found.last_power + scale];
    *ret_units = negative ? -units : units;
    return BST_DECIMAL_OK;
}

/* The digits are written one place to the right, and those before the point move into theirs. A
 * number below 1 is written with 1 before the point. */
size_t bst_decimal_format(int64_t units, int scale, char out[BST_DECIMAL_TEXT_MAX]) {
    assert(scale >= 0 && scale <= BST_DECIMAL_DIGITS_MAX);
    const uint64_t magnitude = bst__magnitude(units);
    const uint64_t unit = (uint64_t)powers[scale];
    const bool below_one = magnitude < unit;
    char *at = out;
    if (units < 0)
        *at++ = '-';
    char *const digits = scale > 0 ? at + 1 : at;
    char *const end = bst__digits_write(digits, below_one ? magnitude + unit : magnitude);
    if (below_one)
        *digits = '0';
    if (scale > 0) {
        char *const point = end - scale - 1;
        memmove(at, digits, (size_t)(point - at));
        *point = '.';
    }
    *end = '\0';
    return (size_t)(end - out);
}

bst_decimal_result bst_decimal_rescale(int64_t units, int from_scale, int to_scale, int precision,
                                       int64_t *ret_units) {
    int64_t scaled;
    bool exact = true;
    if (to_scale >= from_scale) {
        if (!bst_decimal_mul(units, powers[to_scale - from_scale], &scaled))
            return BST_DECIMAL_OVERFLOW;
    } else {
        scaled = units / powers[from_scale - to_scale];
        exact = units % powers[from_scale - to_scale] == 0;
    }
    if (!bst_decimal_fits(scaled, precision))
        return BST_DECIMAL_OVERFLOW;
    if (!exact)
        return BST_DECIMAL_INEXACT;
    *ret_units = scaled;
    return BST_DECIMAL_OK;
}

bool bst_decimal_add(int64_t a, int64_t b, int64_t *ret) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

bool bst_decimal_sub(int64_t a, int64_t b, int64_t *ret) {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return false;
    *ret = difference;
    return true;
}

bool bst_decimal_mul(int64_t a, int64_t b, int64_t *ret) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

bool bst_decimal_fits(int64_t units, int precision) {
    return units < powers[precision] && units > -powers[precision];
}

/* Whole parts first, then the fractions at scale 18. Both carry the sign, so that no case stands
 * out. */
int bst_decimal_compare(int64_t a, int a_scale, int64_t b, int b_scale) {
    const int64_t a_whole = a / powers[a_scale], b_whole = b / powers[b_scale];
    if (a_whole != b_whole)
        return a_whole < b_whole ? -1 : 1;
    const int64_t a_part = a % powers[a_scale] * powers[BST_DECIMAL_DIGITS_MAX - a_scale];
    const int64_t b_part = b % powers[b_scale] * powers[BST_DECIMAL_DIGITS_MAX - b_scale];
    return (a_part > b_part) - (a_part < b_part);
}
