/* JSON as a value of a field: kept as the text it came as, since jansson would turn 0.10 into a double. jansson only
 * tells whether a text is JSON, and takes it apart where two are compared.
 */
#include "value_private.h"

#include <string.h>

#define DECODE (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL)

bst_value_result bst__json_value_check(const char *text, size_t len) {
    json_error_t error;
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

bool bst__json_value_equal(const char *a, size_t a_len, const char *b, size_t b_len) {
    json_error_t error;
    json_t *const first = json_loadb(a, a_len, DECODE, &error);
    json_t *const second = json_loadb(b, b_len, DECODE, &error);
    const bool equal = first && second && json_equal(first, second);
    json_decref(first);
    json_decref(second);
    return equal;
}
