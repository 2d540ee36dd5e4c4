/* Fuzz target: a type and a text, a line feed between them. A type that is read is written in a
 * form that reads as the same type. A value that is read comes back from its text and from its
 * JSON, and is equal to its copy.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth) {
    if (!truth)
        abort();
}

static void check_type(const bst_type *type, bst_arena *arena) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_type again;
    const char *wrong;
    bst_type_format(type, &out);
    require(bst_type_parse(out.text, arena, &again, &wrong) && bst_type_equal(type, &again));
    bst_strbuf_release(&out);
}

static void check_value(const bst_type *type, const bst_value *value, bst_arena *arena) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_value again;
    json_error_t error;
    require(bst_value_copy(type, value, arena, &again));
    require(bst_value_equal(type, value, &again));
    bst_value_to_text(type, value, &out);
    require(bst_value_parse(type, out.text, out.len, arena, &again) == BST_VALUE_OK);
    require(bst_value_equal(type, value, &again));
    bst_strbuf_clear(&out);
    bst_value_to_json(type, value, &out);
    require(!memchr(out.text, '\n', out.len));
    json_t *const json = json_loadb(out.text, out.len, JSON_DECODE_ANY, &error);
    if (json && type->kind != BST_KIND_JSON) {
        require(bst_value_from_json(type, json, arena, &again) == BST_VALUE_OK);
        require(bst_value_equal(type, value, &again));
    }
    require(json || type->kind == BST_KIND_JSON); /* jansson refuses large numbers */
    json_decref(json);
    bst_strbuf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *const feed = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!feed)
        return 0;
    bst_arena *arena = bst_arena_new();
    const char *const name = bst_arena_strndup(arena, (const char *)data, (size_t)(feed - data));
    const size_t len = (size_t)(data + size - feed - 1);
    const char *wrong = NULL;
    bst_type type;
    if (bst_type_parse(name, arena, &type, &wrong)) {
        /* Behind this copy ends the memory: reading on would be seen. */
        char *const text = malloc(len > 0 ? len : 1);
        bst_value value;
        memcpy(text, feed + 1, len);
        check_type(&type, arena);
        if (bst_value_parse(&type, text, len, arena, &value) == BST_VALUE_OK)
            check_value(&type, &value, arena);
        free(text);
    } else {
        require(wrong != NULL);
    }
    bst_arena_free(arena);
    return 0;
}
