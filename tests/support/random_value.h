/* A random value of any type. Small ones and extreme ones come often, so that guards are hit from
 * both sides and arithmetic overflows; texts come from a short list, so that they are equal at
 * times. */
#ifndef BACKSTORY_TESTS_RANDOM_VALUE_H
#define BACKSTORY_TESTS_RANDOM_VALUE_H

#include <string.h>

#include "backstory/timestamp.h"
#include "backstory/value.h"
#include "random.h"

static inline int64_t random_between(uint64_t *random, int64_t min, int64_t max) {
    const uint64_t span = (uint64_t)max - (uint64_t)min + 1;
    return (int64_t)((uint64_t)min +
                     (span == 0 ? random_next(random) : random_next(random) % span));
}

static inline int64_t random_in_range(uint64_t *random, int64_t min, int64_t max) {
    switch (random_next(random) % 8) {
    case 0:
        return min;
    case 1:
        return max;
    case 2:
        return random_between(random, min, max);
    case 3:
        return 0;
    default:
        return random_between(random, min < -20 ? -20 : min, max > 300 ? 300 : max);
    }
}

static inline bst_value random_text(uint64_t *random, const bst_type *type) {
    static const char *const texts[] = {"",
                                        "x",
                                        "a",
                                        "ab",
                                        "abc",
                                        "abcz",
                                        "EUR",
                                        "EURz",
                                        "USD",
                                        "\xc3\xa9",
                                        "zzz",
                                        "\xe2\x82\xac\xe2\x82\xac",
                                        "a \"quoted\"\nline \\ ?\?/ \xc3\xa9",
                                        "a longer text, with z"};
    static const char *const json[] = {"{}", "[1,2]", "\"x\"", "null", "{\"a\":{\"b\":1}}"};
    const char *text = texts[random_next(random) % (sizeof texts / sizeof texts[0])];
    if (type->kind == BST_KIND_JSON) {
        text = json[random_next(random) % (sizeof json / sizeof json[0])];
    }
    bst_value value = {.present = true, .len = (uint32_t)strlen(text)};
    value.u.text = text;
    if (type->length > 0 && value.len > type->length) { /* only those of one byte a character */
        value.u.text = "abcdefghijklmnopqrstuvwxyz";
        value.len = type->length < 3 ? type->length : 3;
    }
    return value;
}

static inline int64_t random_power(int exponent) {
    int64_t power = 1;
    for (int i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

static inline bst_value random_value(uint64_t *random, const bst_type *type) {
    bst_value value = {.present = true};
    if (type->optional && random_next(random) % 3 == 0) {
        return (bst_value){.present = false};
    }
    switch (type->kind) {
    case BST_KIND_BOOL:
        value.u.i = (int64_t)(random_next(random) % 2);
        break;
    case BST_KIND_INT2:
        value.u.i = random_in_range(random, INT16_MIN, INT16_MAX);
        break;
    case BST_KIND_INT4:
        value.u.i = random_in_range(random, INT32_MIN, INT32_MAX);
        break;
    case BST_KIND_DATE:
        value.u.i = random_in_range(random, -10000, 100000);
        break;
    case BST_KIND_INT8:
        value.u.i = random_in_range(random, INT64_MIN, INT64_MAX);
        break;
    case BST_KIND_DECIMAL:
        value.u.i = random_in_range(random, 1 - random_power(type->precision),
                                    random_power(type->precision) - 1);
        break;
    case BST_KIND_TIMESTAMPTZ:
        value.u.i = random_next(random) % 4 == 0
                        ? random_in_range(random, BST_TIME_MINUS_INFINITY, BST_TIME_INFINITY)
                        : random_between(random, 0, INT64_C(800000000000000));
        if (bst_time_is_finite(value.u.i) &&
            (value.u.i < BST_TIME_MIN || value.u.i >= BST_TIME_END)) {
            value.u.i = BST_TIME_MIN;
        }
        break;
    case BST_KIND_ENUM:
        value.u.i = (int64_t)(random_next(random) % type->member_count);
        break;
    case BST_KIND_UUID:
        memset(value.u.uuid, 0, sizeof value.u.uuid);
        value.u.uuid[15] = (uint8_t)(random_next(random) % 3 + 41);
        break;
    default:
        return random_text(random, type);
    }
    return value;
}

#endif
