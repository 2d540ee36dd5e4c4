/* Confidences as text. printf writes the decimal point of the locale, which a library cannot set;
 * so the digits are taken from its scientific form and put together here. Reading is left to
 * jansson, which knows about locales.
 */
#include "confidence_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define DIGITS        6
#define LEAST_PLAIN   (-5) /* 0.0000123456: below, an exponent */
#define BELOW_ONE_MAX "999999"

/* The significant digits without trailing zeros, and the exponent of the first. */
static size_t split(double confidence, char digits[DIGITS + 1], long *ret_exponent) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", DIGITS - 1, confidence);
    size_t count = 0;
    const char *at = text;
    for (; *at != '\0' && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9' && count < DIGITS)
            digits[count++] = *at;
    }
    *ret_exponent = *at == 'e' ? strtol(at + 1, NULL, 10) : 0;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

size_t bst__confidence_format(double confidence, char out[BST__CONFIDENCE_TEXT]) {
    assert(confidence >= 0 && confidence <= 1);
    if (!(confidence > 0)) {
        memcpy(out, "0", sizeof "0");
        return 1;
    }
    char digits[DIGITS + 1] = "";
    long exponent;
    size_t count = split(confidence, digits, &exponent);
    if (exponent == 0 && confidence < 1) { /* it was rounded up */
        memcpy(digits, BELOW_ONE_MAX, sizeof BELOW_ONE_MAX);
        count = DIGITS;
        exponent = -1;
    }
    int len;
    if (exponent == 0)
        len = snprintf(out, BST__CONFIDENCE_TEXT, "1");
    else if (exponent >= LEAST_PLAIN)
        len = snprintf(out, BST__CONFIDENCE_TEXT, "0.%.*s%s", (int)(-exponent - 1), "0000", digits);
    else
        len = snprintf(out, BST__CONFIDENCE_TEXT, "%c%s%se%ld", digits[0], count > 1 ? "." : "",
                       digits + 1, exponent);
    assert(len > 0 && len < BST__CONFIDENCE_TEXT);
    return (size_t)len;
}

bool bst__confidence_parse(const char *text, size_t len, double *ret) {
    if (len == 1 && (*text == '1' || *text == '0')) {
        *ret = *text - '0';
        return true;
    }
    json_error_t error;
    json_t *const json = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    const bool is_number = json_is_real(json);
    const double value = json_real_value(json);
    json_decref(json);
    if (!is_number || !(value > 0 && value <= 1))
        return false;
    *ret = value;
    return true;
}
