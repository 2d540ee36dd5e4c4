/* JSON as a value of a field: kept as the text it came as, since jansson would turn 0.10 into a
 * double. jansson only tells whether a text is JSON, and takes it apart where two are compared.
 */
#include "value_private.h"

#include <string.h>

#include "decimal_private.h"
#include "digits_private.h"

#define DECODE (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL)

bst_value_result bst__json_value_check(const char *text, size_t len) {
    json_error_t error;
    if (len > 0 && memchr(text, '\0', len)) /* jansson reads over one between tokens */
        return BST_VALUE_SYNTAX;
    json_t *const json = json_loadb(text, len, DECODE, &error);
    if (json) {
        json_decref(json);
        return BST_VALUE_OK;
    }
    return json_error_code(&error) == json_error_out_of_memory ? BST_VALUE_NOMEM : BST_VALUE_SYNTAX;
}

static int append(const char *bytes, size_t len, void *out) {
    bst_strbuf_add(out, bytes, len);
    return ((bst_strbuf *)out)->failed ? -1 : 0;
}

const char *bst__json_value_dump(const json_t *json, bst_arena *arena, size_t *ret_len) {
    bst_strbuf dumped = BST_STRBUF_INIT;
    const char *text = NULL;
    if (json_dump_callback(json, append, &dumped, JSON_ENCODE_ANY | JSON_COMPACT) == 0) {
        text = bst_arena_strndup(arena, dumped.text, dumped.len);
        *ret_len = dumped.len;
    }
    bst_strbuf_release(&dumped);
    return text;
}

/* In valid JSON, line breaks stand between tokens only: a space says the same. */
void bst__json_value_add(const char *text, size_t len, bst_strbuf *out) {
    const size_t start = out->len;
    bst_strbuf_add(out, text, len);
    if (out->len == start + len) {
        for (char *at = out->text + start; at < out->text + out->len; at++)
            *at = *at == '\n' || *at == '\r' ? ' ' : *at;
    }
}

/* Appends a number in the one form that all its spellings share, as a string: 0.10 and 1e-1 are
 * "1e-1". */
static void add_number(const char *at, const char *end, bst_strbuf *out) {
    bst__digits digits;
    const bool negative = *at == '-';
    bst_strbuf_addc(out, '"');
    if (!bst__decimal_digits(at + negative, end, &digits)) {
        bst_strbuf_add(out, at, (size_t)(end - at));
    } else if (digits.first) {
        bst_strbuf_adds(out, negative ? "-" : "");
        for (const char *digit = digits.first; digit <= digits.last; digit++) {
            if (*digit != '.')
                bst_strbuf_addc(out, *digit);
        }
        bst_strbuf_addc(out, 'e');
        bst_strbuf_add_int(out, digits.last_power);
    }
    bst_strbuf_addc(out, '"');
}

static const char *end_of_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\' && at + 1 < end;
    return at < end ? at + 1 : end;
}

static const char *end_of_number(const char *at, const char *end) {
    while (at < end && (bst__is_digit(*at) || *at == '.' || *at == '-' || *at == '+' ||
                        *at == 'e' || *at == 'E'))
        at++;
    return at;
}

/* Parses a text with its numbers as strings, so that none is rounded; strings proper get a letter
 * in front, so that the two cannot be taken for one another.
 */
static json_t *load_exact(const char *text, size_t len) {
    bst_strbuf exact = BST_STRBUF_INIT;
    const char *const end = text + len;
    json_error_t error;
    while (text < end) {
        const char *next = text + 1;
        if (*text == '"') {
            next = end_of_string(text, end);
            bst_strbuf_adds(&exact, "\"s");
            bst_strbuf_add(&exact, text + 1, (size_t)(next - text - 1));
        } else if (bst__is_digit(*text) || *text == '-') {
            next = end_of_number(text, end);
            add_number(text, next, &exact);
        } else {
            bst_strbuf_addc(&exact, *text);
        }
        text = next;
    }
    json_t *const json = exact.failed ? NULL : json_loadb(exact.text, exact.len, DECODE, &error);
    bst_strbuf_release(&exact);
    return json;
}

bool bst__json_value_equal(const char *a, size_t a_len, const char *b, size_t b_len) {
    json_t *const first = load_exact(a, a_len);
    json_t *const second = load_exact(b, b_len);
    const bool equal = first && second && json_equal(first, second);
    json_decref(first);
    json_decref(second);
    return equal;
}
