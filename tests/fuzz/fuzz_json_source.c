/* Fuzz target: any bytes as a JSON file. What is accepted must be found where its place says: every
 * value of it, and every key. What is refused must say why, once for a mistake in the grammar, and
 * at a place inside the file; and what jansson takes must not be refused for its grammar.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/json_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth) {
    if (!truth)
        abort();
}

/* The byte at a place; NULL when the text has no such place. */
static const char *byte_at(const char *text, size_t len, bst_loc where) {
    const char *at = text;
    const char *const end = text + len;
    for (uint32_t line = 1; line < where.line; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return NULL;
        at++;
    }
    for (uint32_t column = 1; column < where.column; column++) {
        if (at == end || *at == '\n')
            return NULL;
        at++;
        while (at < end && (*at & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static bool starts(const json_t *value, char c) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return c == '{';
    case JSON_ARRAY:
        return c == '[';
    case JSON_STRING:
        return c == '"';
    case JSON_TRUE:
        return c == 't';
    case JSON_FALSE:
        return c == 'f';
    case JSON_NULL:
        return c == 'n';
    default:
        return c == '-' || (c >= '0' && c <= '9');
    }
}

static void check_places(const bst_json_source *source, const json_t *value, bst_strbuf *pointer) {
    size_t len;
    const char *const text = bst_json_source_text(source, &len);
    const size_t mark = pointer->len;
    const char *const at = byte_at(text, len, bst_json_source_value(source, pointer->text));
    require(at && starts(value, *at));
    bst_json_source_inside(source, pointer->text, len);
    size_t index;
    const json_t *element;
    json_array_foreach (value, index, element) {
        bst_json_pointer_add_index(pointer, index);
        check_places(source, element, pointer);
        pointer->len = mark;
        pointer->text[mark] = '\0';
    }
    const char *key;
    json_object_foreach ((json_t *)(uintptr_t)value, key, element) {
        bst_json_pointer_add(pointer, key);
        const char *const quote = byte_at(text, len, bst_json_source_key(source, pointer->text));
        require(quote && *quote == '"');
        check_places(source, element, pointer);
        pointer->len = mark;
        pointer->text[mark] = '\0';
    }
}

static void check_findings(const bst_diags *diags, const char *text, size_t size) {
    require(bst_diags_count(diags) > 0);
    bst_strbuf out = BST_STRBUF_INIT;
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *const diag = bst_diags_at(diags, i);
        require(diag->line == 0 ||
                byte_at(text, size, (bst_loc){diag->file, diag->line, diag->column}));
        require(i == 0 || strcmp(diag->code, "duplicate-key") == 0);
        bst_diag_format_text(diag, text, size, &out);
    }
    bst_strbuf_clear(&out);
    bst_diags_format_json(diags, &out);
    json_error_t error;
    json_t *const again = json_loads(out.text, JSON_REJECT_DUPLICATES, &error);
    require(again);
    json_decref(again);
    bst_strbuf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_diags *diags = bst_diags_new();
    bst_json_source *source = NULL;
    char *const text = malloc(size + 1);
    require(diags && text);
    memcpy(text, data, size);
    text[size] = '\0';
    const bst_status status = bst_json_source_parse("f", text, size, &source, diags);
    if (status == BST_OK) {
        bst_strbuf pointer = BST_STRBUF_INIT;
        require(bst_diags_count(diags) == 0);
        check_places(source, bst_json_source_root(source), &pointer);
        bst_strbuf_release(&pointer);
    } else {
        json_error_t error;
        json_t *const taken = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
        require(!taken || status == BST_LIMIT || !json_is_object(taken) || memchr(text, 0, size));
        json_decref(taken);
        check_findings(diags, text, size);
    }
    bst_json_source_free(source);
    bst_diags_free(diags);
    free(text);
    return 0;
}
