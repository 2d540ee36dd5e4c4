/* The scanner behind the readers. Nested values are skipped by counting brackets, without
 * recursion; a string is taken up to the next quote that is not escaped. Escapes are rare in what
 * the store holds, so jansson decodes them.
 */
#include "json_scan_private.h"

#include <string.h>

#include <jansson.h>

static void skip_space(bst__scan *scan) {
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

bool bst__scan_byte(bst__scan *scan, char c) {
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

bool bst__scan_done(bst__scan *scan) {
    skip_space(scan);
    return scan->at == scan->end;
}

/* `at` stands on the opening quote; afterwards behind the closing one. */
static bool scan_string(bst__scan *scan, bst__item *ret) {
    const char *at = scan->at + 1;
    *ret = (bst__item){BST__STRING, at, 0, false};
    for (; at < scan->end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            break;
        if (*at == '\\') {
            ret->escaped = true;
            if (++at == scan->end)
                break;
        }
    }
    if (at == scan->end || *at != '"') {
        scan->at = at;
        return false;
    }
    ret->len = (size_t)(at - ret->text);
    scan->at = at + 1;
    return true;
}

static bool scan_nested(bst__scan *scan, bst__item *ret) {
    const char *const start = scan->at;
    size_t depth = 0;
    do {
        bst__item inner;
        if (scan->at == scan->end)
            return false;
        if (*scan->at == '"') {
            if (!scan_string(scan, &inner))
                return false;
            continue;
        }
        if (*scan->at == '{' || *scan->at == '[')
            depth++;
        else if (*scan->at == '}' || *scan->at == ']')
            depth--;
        scan->at++;
    } while (depth > 0);
    *ret = (bst__item){*start == '{' ? BST__OBJECT : BST__ARRAY, start, (size_t)(scan->at - start),
                       false};
    return true;
}

static bool is_number_byte(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

static bool scan_run(bst__scan *scan, bool (*belongs)(char), bst__item_kind kind, bst__item *ret) {
    const char *const start = scan->at;
    while (scan->at < scan->end && belongs(*scan->at))
        scan->at++;
    *ret = (bst__item){kind, start, (size_t)(scan->at - start), false};
    return ret->len > 0;
}

bool bst__scan_value(bst__scan *scan, bst__item *ret) {
    skip_space(scan);
    if (scan->at == scan->end)
        return false;
    switch (*scan->at) {
    case '"':
        return scan_string(scan, ret);
    case '{':
    case '[':
        return scan_nested(scan, ret);
    default:
        return is_letter(*scan->at) ? scan_run(scan, is_letter, BST__WORD, ret)
                                    : scan_run(scan, is_number_byte, BST__NUMBER, ret);
    }
}

bool bst__item_is(const bst__item *token, bst__item_kind kind, const char *text) {
    return token->kind == kind && token->len == strlen(text) &&
           memcmp(token->text, text, token->len) == 0;
}

bool bst__item_is_null(const bst__item *token) {
    return bst__item_is(token, BST__WORD, "null");
}

bool bst__item_int(const bst__item *token, int64_t *ret) {
    const bool negative = token->len > 0 && token->text[0] == '-';
    const size_t first = negative ? 1 : 0;
    const uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t value = 0;
    if (token->kind != BST__NUMBER || token->len == first ||
        (token->text[first] == '0' && token->len > first + 1))
        return false;
    for (size_t i = first; i < token->len; i++) {
        const unsigned digit = (unsigned)(token->text[i] - '0');
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool bst__scan_int(bst__scan *scan, int64_t *ret) {
    bst__scan ahead = *scan;
    bst__item token;
    if (!bst__scan_value(&ahead, &token) || !bst__item_int(&token, ret))
        return false;
    *scan = ahead;
    return true;
}

bst__unescape_result bst__item_text(const bst__item *token, bst_arena *arena, const char **ret_text,
                                    size_t *ret_len) {
    if (!token->escaped) {
        *ret_text = token->text;
        *ret_len = token->len;
        return BST__TEXT_OK;
    }
    json_error_t error;
    json_t *const json = json_loadb(token->text - 1, token->len + 2, JSON_DECODE_ANY, &error);
    if (!json)
        return json_error_code(&error) == json_error_out_of_memory ? BST__TEXT_NOMEM
                                                                   : BST__TEXT_BAD;
    const size_t len = json_string_length(json);
    char *const text = bst_arena_strndup(arena, json_string_value(json), len);
    json_decref(json);
    if (!text)
        return BST__TEXT_NOMEM;
    *ret_text = text;
    *ret_len = len;
    return BST__TEXT_OK;
}
