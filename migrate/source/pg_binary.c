/* PostgreSQL's binary form of values.
 *
 * A numeric is a row of digits to the base 10000: digit i stands for digit * 10000^(weight - i). It
 * is added up group by group, from the most significant to the last one that the wanted scale can
 * hold; what is left over must be zero.
 */
#include "pg_binary_private.h"

#include "backstory/decimal.h"

#define NUMERIC_NEGATIVE       0x4000
#define NUMERIC_NAN            0xC000
#define NUMERIC_PLUS_INFINITY  0xD000
#define NUMERIC_MINUS_INFINITY 0xF000

static uint16_t get_u16(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get_u32(const char *bytes) {
    return (uint32_t)get_u16(bytes) << 16 | get_u16(bytes + 2);
}

int16_t bst__pg_int2(const char *bytes) {
    return (int16_t)get_u16(bytes);
}

int32_t bst__pg_int4(const char *bytes) {
    return (int32_t)get_u32(bytes);
}

int64_t bst__pg_int8(const char *bytes) {
    return (int64_t)((uint64_t)get_u32(bytes) << 32 | get_u32(bytes + 4));
}

typedef struct numeric {
    int digit_count;
    int weight;
    uint16_t sign;
    int display_scale;
    const char *digits;
} numeric;

static bool read_numeric(const char *bytes, size_t len, numeric *ret) {
    if (len < 8)
        return false;
    *ret = (numeric){bst__pg_int2(bytes), bst__pg_int2(bytes + 2), get_u16(bytes + 4),
                     bst__pg_int2(bytes + 6), bytes + 8};
    return ret->digit_count >= 0 && ret->display_scale >= 0 &&
           len == 8 + 2 * (size_t)ret->digit_count;
}

/* Up to a whole group. */
static const uint32_t powers[] = {1, 10, 100, 1000, 10000};

/* *sum = *sum * 10^digits + group; false when it leaves int64. */
static bool append_digits(int64_t *sum, int digits, uint32_t group) {
    for (; digits > 4; digits -= 4) {
        if (__builtin_mul_overflow(*sum, powers[4], sum))
            return false;
    }
    return !__builtin_mul_overflow(*sum, powers[digits], sum) &&
           !__builtin_add_overflow(*sum, group, sum);
}

bst_value_result bst__pg_numeric(const char *bytes, size_t len, const bst_type *type,
                                 int64_t *ret_units) {
    numeric n;
    int64_t sum = 0;
    const int scale = type->scale;

    if (!read_numeric(bytes, len, &n))
        return BST_VALUE_SYNTAX;
    if (n.sign != 0 && n.sign != NUMERIC_NEGATIVE)
        return BST_VALUE_RANGE;
    int exponent = 0; /* of ten: what one unit of `sum` stands for */
    for (int i = 0; i < n.digit_count; i++) {
        const uint32_t group = get_u16(n.digits + 2 * i);
        const int low = 4 * (n.weight - i); /* the group's last digit stands for 10^low */
        /* digits of the group that the scale cannot hold */
        const int beyond = low >= -scale ? 0 : low <= -scale - 4 ? 4 : -scale - low;
        if (group > 9999)
            return BST_VALUE_SYNTAX;
        if (group % powers[beyond] != 0)
            return BST_VALUE_INEXACT;
        if (beyond == 4)
            continue;
        if (!append_digits(&sum, sum == 0 ? 0 : 4 - beyond, group / powers[beyond]))
            return BST_VALUE_RANGE;
        exponent = low + beyond;
    }
    const int missing = exponent + scale;
    if (sum != 0 && (missing > BST_DECIMAL_DIGITS_MAX || !append_digits(&sum, missing, 0)))
        return BST_VALUE_RANGE;
    if (!bst_decimal_fits(sum, type->precision))
        return BST_VALUE_RANGE;
    *ret_units = n.sign == NUMERIC_NEGATIVE ? -sum : sum;
    return BST_VALUE_OK;
}

bool bst__pg_numeric_text(const char *bytes, size_t len, bst_strbuf *out) {
    numeric n;

    if (!read_numeric(bytes, len, &n))
        return false;
    if (n.sign == NUMERIC_NAN || n.sign == NUMERIC_PLUS_INFINITY ||
        n.sign == NUMERIC_MINUS_INFINITY) {
        bst_strbuf_adds(out, n.sign == NUMERIC_NAN             ? "NaN"
                             : n.sign == NUMERIC_PLUS_INFINITY ? "Infinity"
                                                               : "-Infinity");
        return true;
    }
    if (n.sign == NUMERIC_NEGATIVE)
        bst_strbuf_addc(out, '-');
    if (n.weight < 0)
        bst_strbuf_addc(out, '0');
    for (int i = 0; i <= n.weight; i++) {
        const int group = i < n.digit_count ? get_u16(n.digits + 2 * i) : 0;
        bst_strbuf_addf(out, i == 0 ? "%d" : "%04d", group);
    }
    if (n.display_scale == 0)
        return true;
    bst_strbuf_addc(out, '.');
    const size_t end = out->len + (size_t)n.display_scale;
    for (int i = n.weight + 1; out->len < end && !out->failed; i++) {
        const int group = i >= 0 && i < n.digit_count ? get_u16(n.digits + 2 * i) : 0;
        char four[4] = {(char)('0' + group / 1000), (char)('0' + group / 100 % 10),
                        (char)('0' + group / 10 % 10), (char)('0' + group % 10)};
        const size_t room = end - out->len;
        bst_strbuf_add(out, four, room < 4 ? room : 4);
    }
    return true;
}
