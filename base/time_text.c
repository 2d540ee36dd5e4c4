/* Parts that times, durations and zones have in text: digits, fractions of a second, offsets. */
#include "digits_private.h"
#include "timestamp_private.h"

#define FRACTION_DIGITS 6

bool bst__cursor_digits(bst__cursor *in, int count, int *ret) {
    int value = 0;
    if (in->end - in->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        if (!bst__is_digit(in->at[i]))
            return false;
        value = value * 10 + (in->at[i] - '0');
    }
    in->at += count;
    *ret = value;
    return true;
}

bst_time_result bst__cursor_fraction(bst__cursor *in, int *ret_us) {
    int us = 0, digits = 0;
    bool exact = true;
    for (; in->at < in->end && bst__is_digit(*in->at); in->at++, digits++) {
        if (digits < FRACTION_DIGITS)
            us = us * 10 + (*in->at - '0');
        else
            exact &= *in->at == '0';
    }
    if (digits == 0)
        return BST_TIME_SYNTAX;
    for (; digits < FRACTION_DIGITS; digits++)
        us *= 10;
    *ret_us = us;
    return exact ? BST_TIME_OK : BST_TIME_INEXACT;
}

bst_time_result bst__cursor_offset(bst__cursor *in, int *ret_seconds) {
    int hours, minutes = 0, seconds = 0;
    const bool west = in->at < in->end && *in->at == '-';
    if (!bst__cursor_skip(in, '-') && !bst__cursor_skip(in, '+'))
        return BST_TIME_SYNTAX;
    if (!bst__cursor_digits(in, 2, &hours))
        return BST_TIME_SYNTAX;
    if (bst__cursor_skip(in, ':')) {
        if (!bst__cursor_digits(in, 2, &minutes))
            return BST_TIME_SYNTAX;
        if (bst__cursor_skip(in, ':') && !bst__cursor_digits(in, 2, &seconds))
            return BST_TIME_SYNTAX;
    } else {
        bst__cursor_digits(in, 2, &minutes);
    }
    if (hours > 15 || minutes > 59 || seconds > 59)
        return BST_TIME_RANGE;
    const int offset = (hours * 60 + minutes) * 60 + seconds;
    *ret_seconds = west ? -offset : offset;
    return BST_TIME_OK;
}

char *bst__fraction_put(char *at, unsigned us) {
    if (us == 0)
        return at;
    *at++ = '.';
    at = bst__digits_put(at, us, FRACTION_DIGITS);
    while (at[-1] == '0')
        at--;
    return at;
}
