/* Expressions: what literals are worth.
 *
 * A number keeps its digits exactly: 12 is an int8, 12.50 a decimal(4,2). Texts are decoded;
 * times are read by base's readers, and a duration also in CEL's own form ("1h30m"). A literal
 * has no type of its own where the other side is more definite: bst__literal_fit() gives "open"
 * as the member of an enum, 0 as a decimal(12,2), a text as a uuid.
 */
#include "expr_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"

static void set(bst__ast *ret, bst_type type, int64_t value) {
    ret->op = BST_EXPR_LITERAL;
    ret->type = type;
    ret->literal = (bst_value){.present = true, .u.i = value};
}

/* Decimal digits to int64; the sign stands apart so that the smallest int64 can be written. */
static bool parse_int(const char *digits, uint32_t len, bool negative, int64_t *ret) {
    int64_t value = 0;
    for (uint32_t i = 0; i < len; i++) {
        const int64_t digit = digits[i] - '0';
        if (!bst_decimal_mul(value, 10, &value) ||
            !bst_decimal_add(value, negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *ret = value;
    return true;
}

static bool number_decimal(bst__job *job, const bst__token *token, bool negative, bst__ast *ret) {
    const char *text = job->text + token->start;
    const char *point = memchr(text, '.', token->len);
    const uint32_t scale = (uint32_t)(text + token->len - point) - 1;
    int64_t units = 0;
    if (scale > BST_DECIMAL_DIGITS_MAX ||
        bst_decimal_parse(text, token->len, BST_DECIMAL_DIGITS_MAX, (int)scale, &units) !=
            BST_DECIMAL_OK) {
        bst__job_error(job, token->offset, "limit", "decimal has more than %d digits",
                       BST_DECIMAL_DIGITS_MAX);
        return false;
    }
    int precision = scale > 0 ? (int)scale : 1;
    while (!bst_decimal_fits(units, precision)) {
        precision++;
    }
    const bst_type type = {
        .kind = BST_KIND_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
    set(ret, type, negative ? -units : units);
    return true;
}

bool bst__literal_number(bst__job *job, const bst__token *token, bool negative, bst__ast *ret) {
    if (token->kind == BST__TOKEN_DECIMAL) {
        return number_decimal(job, token, negative, ret);
    }
    int64_t value = 0;
    if (!parse_int(job->text + token->start, token->len, negative, &value)) {
        bst__job_error(job, token->offset, "limit", "integer is out of the range of int8");
        bst_diag_hint(job->diags, "The range is -9223372036854775808 to 9223372036854775807.");
        return false;
    }
    set(ret, (bst_type){.kind = BST_KIND_INT8}, value);
    return true;
}

/* ---- texts ---- */

static bool parse_hex4(const char *text, uint32_t len, uint32_t *ret) {
    if (len < 4) {
        return false;
    }
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL) {
            return false;
        }
        value = value * 16 + (uint32_t)(digit - digits) % 16;
    }
    *ret = value;
    return true;
}

static char *add_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xe0 | (c >> 12));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* One escape at `text` (behind the backslash); returns the bytes it takes, 0 when it is none. */
static uint32_t unescape(const char *text, uint32_t len, char **out) {
    static const char from[] = "nrt\\\"'";
    static const char to[] = "\n\r\t\\\"'";
    const char *simple = len == 0 || *text == '\0' ? NULL : strchr(from, *text);
    if (simple != NULL) {
        *(*out)++ = to[simple - from];
        return 1;
    }
    uint32_t c = 0;
    if (len == 0 || *text != 'u' || !parse_hex4(text + 1, len - 1, &c) || c == 0 ||
        (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *out = add_utf8(*out, c);
    return 5;
}

bool bst__literal_text(bst__job *job, const bst__token *token, bst__ast *ret) {
    const char *text = job->text + token->start;
    char *decoded = bst_arena_alloc(job->arena, token->len + 1); /* never longer than written */
    if (decoded == NULL) {
        bst__job_nomem(job);
        return false;
    }
    char *out = decoded;
    for (uint32_t at = 0; at < token->len;) {
        if (text[at] != '\\') {
            *out++ = text[at++];
            continue;
        }
        const uint32_t taken = unescape(text + at + 1, token->len - at - 1, &out);
        if (taken == 0) {
            bst__job_error(job, token->start + at, "expr-syntax", "text has an unknown escape");
            bst_diag_hint(job->diags,
                          "The escapes are \\n \\r \\t \\\\ \\\" \\' and \\uXXXX (a character "
                          "other than U+0000 and surrogates).");
            return false;
        }
        at += 1 + taken;
    }
    ret->op = BST_EXPR_LITERAL;
    ret->type = (bst_type){.kind = BST_KIND_TEXT};
    ret->literal = (bst_value){.present = true, .len = (uint32_t)(out - decoded)};
    ret->literal.u.text = decoded;
    return true;
}

/* ---- times ---- */

/* One number with its unit, "1.5h", at `text`; returns the bytes it takes, 0 when `reterr` says
 * what is wrong. */
static uint32_t parse_span(const char *text, uint32_t len, int64_t *ret_us,
                           bst_time_result *reterr) {
    static const struct {
        const char *name;
        int scale;  /* digits after the point that are read ... */
        int factor; /* ... and how many microseconds the last of them is worth */
    } units[] = {{"us", 0, 1}, {"ms", 3, 1}, {"s", 6, 1}, {"m", 6, 60}, {"h", 6, 3600}};
    uint32_t digits = 0;
    while (digits < len && strchr("0123456789.", text[digits]) != NULL) {
        digits++;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const uint32_t name_len = (uint32_t)strlen(units[i].name);
        if (len - digits < name_len || memcmp(text + digits, units[i].name, name_len) != 0) {
            continue;
        }
        const bst_decimal_result number =
            bst_decimal_parse(text, digits, BST_DECIMAL_DIGITS_MAX, units[i].scale, ret_us);
        *reterr = number == BST_DECIMAL_SYNTAX    ? BST_TIME_SYNTAX
                  : number == BST_DECIMAL_INEXACT ? BST_TIME_INEXACT
                                                  : BST_TIME_RANGE;
        const bool fits =
            number == BST_DECIMAL_OK && bst_decimal_mul(*ret_us, units[i].factor, ret_us);
        return fits ? digits + name_len : 0;
    }
    *reterr = BST_TIME_SYNTAX;
    return 0;
}

/* CEL's durations: an optional sign, then numbers with units, "1h30m". Microseconds, exactly. */
static bst_time_result parse_cel_duration(const char *text, uint32_t len, int64_t *ret) {
    const bool negative = len > 0 && text[0] == '-';
    uint32_t at = len > 0 && (negative || text[0] == '+') ? 1 : 0;
    bst_time_result error = BST_TIME_SYNTAX;
    int64_t total = 0, us = 0;
    if (at == len) {
        return BST_TIME_SYNTAX;
    }
    while (at < len) {
        const uint32_t taken = parse_span(text + at, len - at, &us, &error);
        if (taken == 0) {
            return error;
        }
        if (!bst_decimal_add(total, us, &total)) {
            return BST_TIME_RANGE;
        }
        at += taken;
    }
    *ret = negative ? -total : total;
    return BST_TIME_OK;
}

static bst_time_result parse_time(bst_kind kind, const bst_value *text, int64_t *ret) {
    if (kind == BST_KIND_TIMESTAMPTZ) {
        return bst_time_parse(text->u.text, text->len, NULL, ret);
    }
    if (kind == BST_KIND_DATE) {
        int32_t days = 0;
        const bst_time_result result = bst_date_parse(text->u.text, text->len, &days);
        *ret = days;
        return result;
    }
    const bst_time_result result = bst_duration_parse(text->u.text, text->len, ret);
    return result == BST_TIME_SYNTAX ? parse_cel_duration(text->u.text, text->len, ret) : result;
}

bool bst__literal_time(bst__job *job, bst_kind kind, const bst__ast *text, bst__ast *ret) {
    const bst_type type = {.kind = kind};
    const char *const name = kind == BST_KIND_TIMESTAMPTZ ? "timestamp"
                             : kind == BST_KIND_DATE      ? "date"
                                                          : "duration";
    int64_t value = 0;
    const bst_time_result result = parse_time(kind, &text->literal, &value);
    if (result == BST_TIME_OK) {
        set(ret, type, value);
        return true;
    }
    const char *const reason = result == BST_TIME_SYNTAX    ? "does not have the form of a"
                               : result == BST_TIME_NO_ZONE ? "has no time zone, as it must in a"
                               : result == BST_TIME_INEXACT
                                   ? "has more digits than microseconds in a"
                                   : "is out of range of a";
    bst__job_error(job, text->offset, "expr-syntax", "\"%.*s\" %s %s",
                   text->literal.len < 60 ? (int)text->literal.len : 60, text->literal.u.text,
                   reason, name);
    bst_diag_hint(
        job->diags, "%s",
        kind == BST_KIND_TIMESTAMPTZ ? "Write timestamp(\"2021-01-31T08:00:00Z\")."
        : kind == BST_KIND_DATE
            ? "Write date(\"2021-01-31\")."
            : "Write duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months "
              "and years have no fixed length.");
    return false;
}

/* ---- the same literal as another type ---- */

static bst__fit fit_number(const bst_type *from, const bst_value *value, const bst_type *to,
                           bst_value *ret) {
    bst_value whole = *value;
    if (bst__scale(from) > bst__scale(to)) {
        const bst_decimal_result result = bst_decimal_rescale(
            value->u.i, bst__scale(from), bst__scale(to), BST_DECIMAL_DIGITS_MAX, &whole.u.i);
        if (result != BST_DECIMAL_OK) {
            return BST__FIT_ROUND;
        }
    }
    bst_type shorter = *from;
    shorter.scale =
        (uint8_t)(bst__scale(from) < bst__scale(to) ? bst__scale(from) : bst__scale(to));
    return bst__convert(&shorter, &whole, to, ret) ? BST__FIT_OK : BST__FIT_RANGE;
}

static bst__fit fit_member(const bst_value *text, const bst_type *to, bst_value *ret) {
    for (uint32_t i = 0; i < to->member_count; i++) {
        if (strlen(to->members[i]) == text->len &&
            memcmp(to->members[i], text->u.text, text->len) == 0) {
            *ret = (bst_value){.present = true, .u.i = i};
            return BST__FIT_OK;
        }
    }
    return BST__FIT_RANGE;
}

bst__fit bst__literal_fit(const bst_type *from, const bst_value *value, const bst_type *to,
                          bst_value *ret) {
    const bst_kind group = bst__group(from->kind);
    if (group == BST_KIND_DECIMAL && bst__group(to->kind) == BST_KIND_DECIMAL) {
        return fit_number(from, value, to, ret);
    }
    if (group == BST_KIND_TEXT && bst__group(to->kind) == BST_KIND_TEXT) {
        return bst__convert(from, value, to, ret) ? BST__FIT_OK : BST__FIT_RANGE;
    }
    if (from->kind == BST_KIND_TEXT && to->kind == BST_KIND_ENUM) {
        return fit_member(value, to, ret);
    }
    if (from->kind == BST_KIND_TEXT && to->kind == BST_KIND_UUID) {
        return bst_value_parse(to, value->u.text, value->len, NULL, ret) == BST_VALUE_OK
                   ? BST__FIT_OK
                   : BST__FIT_RANGE;
    }
    return BST__FIT_MISMATCH;
}
