/* Exact decimals: a number is `units / 10^scale`, units in an int64. 18 digits at most (10^18 - 1),
 * so that the sum of two always fits an int64 and is checked afterwards. Nothing here rounds, wraps
 * or saturates without saying so.
 */
#ifndef BACKSTORY_DECIMAL_H
#define BACKSTORY_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_DECIMAL_DIGITS_MAX 18
/* Bytes of the longest text, with sign, leading 0, point and NUL; and some more, for it is written
 * in larger pieces. */
#define BST_DECIMAL_TEXT_MAX 32

typedef enum bst_decimal_result {
    BST_DECIMAL_OK,
    BST_DECIMAL_SYNTAX,   /* not a number (NaN and Infinity included) */
    BST_DECIMAL_OVERFLOW, /* more than `precision` digits, or than 18 */
    BST_DECIMAL_INEXACT   /* digits other than 0 beyond `scale`: would have to round */
} bst_decimal_result;

/* Reads `[+-]digits[.digits][e[+-]digits]`; spaces are not accepted. `precision` 1..18, `scale`
 * 0..precision. */
BST_API bst_decimal_result bst_decimal_parse(const char *text, size_t len, int precision, int scale,
                                             int64_t *ret_units);
/* `-12.30` for -1230 at scale 2: always exactly `scale` digits after the point. Returns the length.
 */
BST_API size_t bst_decimal_format(int64_t units, int scale, char out[BST_DECIMAL_TEXT_MAX]);
/* The same number at another scale; `precision` bounds the result. */
BST_API bst_decimal_result bst_decimal_rescale(int64_t units, int from_scale, int to_scale,
                                               int precision, int64_t *ret_units);
/* a + b, a - b, a * b on units (scales: equal, equal, summed). False on overflow of int64. */
BST_API bool bst_decimal_add(int64_t a, int64_t b, int64_t *ret);
BST_API bool bst_decimal_sub(int64_t a, int64_t b, int64_t *ret);
BST_API bool bst_decimal_mul(int64_t a, int64_t b, int64_t *ret);
/* Whether |units| has at most `precision` digits. */
BST_API bool bst_decimal_fits(int64_t units, int precision);
/* -1, 0, 1; any two scales up to 18, exactly. */
BST_API int bst_decimal_compare(int64_t a, int a_scale, int64_t b, int b_scale);

#ifdef __cplusplus
}
#endif
#endif
