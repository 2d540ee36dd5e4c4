/* Durations of fixed length, in the form of ISO 8601. The magnitude is added up without its sign,
 * so that both ends of an int64 can be written and read.
 */
#include "backstory/timestamp.h"

#include "digits_private.h"
#include "timestamp_private.h"

/* In the order in which they must stand; each at most once. */
static const struct unit {
    char letter;
    bool of_day; /* stands behind the T */
    uint64_t us;
} units[] = {
    {'W', false, 7 * BST__DAY},    {'D', false, BST__DAY},   {'H', true, 3600 * BST__SECOND},
    {'M', true, 60 * BST__SECOND}, {'S', true, BST__SECOND},
};

#define UNITS (sizeof units / sizeof *units)

/* A number with its fraction, saturated where it is beyond all bounds. */
typedef struct quantity {
    uint64_t whole;
    int us; /* of the fraction; -1: there is none */
} quantity;

static bst_time_result read_quantity(bst__cursor *in, quantity *ret) {
    const char *const start = in->at;
    *ret = (quantity){0, -1};
    for (; in->at < in->end && bst__is_digit(*in->at); in->at++) {
        if (ret->whole <= UINT64_MAX / 100)
            ret->whole = ret->whole * 10 + (uint64_t)(*in->at - '0');
    }
    if (in->at == start)
        return BST_TIME_SYNTAX;
    return bst__cursor_skip(in, '.') ? bst__cursor_fraction(in, &ret->us) : BST_TIME_OK;
}

/* Finds the unit, from `from` on, that the next letter names; UNITS when there is none. */
static size_t read_unit(bst__cursor *in, size_t from, bool of_day) {
    for (size_t i = from; i < UNITS; i++) {
        if (units[i].of_day == of_day && bst__cursor_skip(in, units[i].letter))
            return i;
    }
    return UNITS;
}

static bst_time_result worse(bst_time_result a, bst_time_result b) {
    return a != BST_TIME_OK ? a : b;
}

/* Reads what follows the P. */
static bst_time_result read_magnitude(bst__cursor *in, uint64_t *ret) {
    bst_time_result result = BST_TIME_OK;
    size_t unit = 0;
    bool of_day = false;
    uint64_t total = 0;
    do {
        if (!of_day)
            of_day = bst__cursor_skip(in, 'T');
        quantity found;
        const bst_time_result read = read_quantity(in, &found);
        unit = read == BST_TIME_SYNTAX ? UNITS : read_unit(in, unit, of_day);
        if (unit == UNITS || (found.us >= 0 && units[unit].letter != 'S'))
            return BST_TIME_SYNTAX;
        result = worse(result, read);
        uint64_t us;
        if (__builtin_mul_overflow(found.whole, units[unit].us, &us) ||
            __builtin_add_overflow(total, us, &total) ||
            __builtin_add_overflow(total, (uint64_t)(found.us > 0 ? found.us : 0), &total))
            result = worse(result, BST_TIME_RANGE);
        unit++;
    } while (in->at < in->end);
    *ret = total;
    return result;
}

bst_time_result bst_duration_parse(const char *text, size_t len, int64_t *ret_us) {
    bst__cursor in = {text, text + len};
    const bool negative = bst__cursor_skip(&in, '-');
    uint64_t magnitude = 0;
    if (!bst__cursor_skip(&in, 'P'))
        return BST_TIME_SYNTAX;
    const bst_time_result result = read_magnitude(&in, &magnitude);
    if (result != BST_TIME_OK)
        return result;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return BST_TIME_RANGE;
    if (negative && magnitude > 0)
        *ret_us = -(int64_t)(magnitude - 1) - 1;
    else
        *ret_us = (int64_t)magnitude;
    return BST_TIME_OK;
}

static char *put_part(char *at, uint64_t value, char letter) {
    if (value == 0)
        return at;
    at = bst__digits_put(at, value, 1);
    *at++ = letter;
    return at;
}

size_t bst_duration_format(int64_t us, char out[BST_TIME_TEXT_MAX]) {
    const uint64_t magnitude = bst__magnitude(us);
    const uint64_t seconds = magnitude / BST__SECOND, fraction = magnitude % BST__SECOND;
    const uint64_t of_day = seconds % BST__DAY_SECONDS;
    char *at = out;
    if (us < 0)
        *at++ = '-';
    *at++ = 'P';
    at = put_part(at, seconds / BST__DAY_SECONDS, 'D');
    if (of_day > 0 || fraction > 0 || magnitude == 0)
        *at++ = 'T';
    at = put_part(at, of_day / 3600, 'H');
    at = put_part(at, of_day / 60 % 60, 'M');
    if (of_day % 60 > 0 || fraction > 0 || magnitude == 0) {
        at = bst__digits_put(at, of_day % 60, 1);
        at = bst__fraction_put(at, (unsigned)fraction);
        *at++ = 'S';
    }
    *at = '\0';
    return (size_t)(at - out);
}
