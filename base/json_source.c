/* A JSON file, read and parsed.
 *
 * jansson has the word. Only a text that it refuses is looked at again, for what a person would
 * call the mistake: a byte order mark, bytes that are not UTF-8, nesting, all duplicate keys
 * (json_index.c), or the grammar (json_mistake.c).
 */
#include "backstory/json_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "json_private.h"

#define FIRST_READ ((size_t)64 << 10)

struct bst_json_source {
    char *name;
    char *text;
    size_t len;
    json_t *root;
    bst__json_index *index; /* filled by the first look-up */
};

static bst_status cannot_read(const char *path, bst_diags *diags) {
    const bst_loc where = {path, 0, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, "file-read", &where, "could not read file: %s",
                        strerror(errno));
}

static bst_status too_large(const char *path, size_t limit, bst_diags *diags) {
    const bst_loc where = {path, 0, 0};
    return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "file-too-large", &where,
                        "file is larger than the limit of %zu bytes", limit);
}

static bst_status read_all(FILE *file, const char *path, size_t limit, bst_strbuf *out,
                           bst_diags *diags) {
    for (size_t want = FIRST_READ;; want = out->len) {
        if (!bst_strbuf_reserve(out, want))
            return bst_diag_nomem(diags);
        const size_t got = fread(out->text + out->len, 1, want, file);
        out->len += got;
        out->text[out->len] = '\0';
        if (out->len > limit)
            return too_large(path, limit, diags);
        if (ferror(file))
            return cannot_read(path, diags);
        if (got < want)
            return BST_OK;
    }
}

bst_status bst_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_len,
                         bst_diags *diags) {
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *const file = is_stdin ? stdin : fopen(path, "rb");
    if (!file)
        return cannot_read(path, diags);
    bst_strbuf text = BST_STRBUF_INIT;
    const bst_status status = read_all(file, path, limit, &text, diags);
    if (!is_stdin)
        fclose(file);
    if (status == BST_OK) {
        *ret_len = text.len;
        *ret_text = bst_strbuf_detach(&text);
    }
    bst_strbuf_release(&text);
    return status;
}

static bst_loc loc_of(const bst_json_source *source, size_t at) {
    const bst__json_place place = bst__json_place_of(source->text, at);
    return (bst_loc){source->name, place.line, place.column};
}

static bst_status check_bytes(const bst_json_source *source, bst_diags *diags) {
    const char *const text = source->text;
    if (source->len >= 2 &&
        (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
        const bst_loc where = {source->name, 0, 0};
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "json-syntax", &where, "file is UTF-16");
        bst_diag_hint(diags, "Save it as UTF-8.");
        return BST_INVALID;
    }
    if (source->len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        const bst_loc where = {source->name, 1, 1};
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "json-syntax", &where,
                     "file starts with a byte order mark");
        bst_diag_hint(diags, "Save it as UTF-8 without BOM.");
        return BST_INVALID;
    }
    const uint8_t *const bad = u8_check((const uint8_t *)text, source->len);
    const size_t valid = bad ? (size_t)(bad - (const uint8_t *)text) : source->len;
    const char *const nul = memchr(text, '\0', valid);
    if (nul) {
        const bst_loc where = loc_of(source, (size_t)(nul - text));
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "json-syntax", &where, "NUL byte in the file");
        bst_diag_hint(diags, "A JSON file is plain text: remove the byte.");
        return BST_INVALID;
    }
    if (bad) {
        const bst_loc where = loc_of(source, valid);
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "json-syntax", &where,
                     "byte 0x%02X is not UTF-8", (unsigned)*bad);
        bst_diag_hint(diags, "Save the file as UTF-8.");
        return BST_INVALID;
    }
    return BST_OK;
}

const char *bst_json_kind(const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

const char *bst_json_kind_hint(const char *kind) {
    static const struct {
        const char *kind, *hint;
    } hints[] = {
        {"a string", "Put the text into double quotes."},
        {"an object", "Write an object: { \"name\": value }; the least is {}."},
        {"an array", "Write a list: [ ... ]."},
        {"true or false", "Write true or false, without quotes."},
        {"a number", "Write the digits, without quotes."},
        {"an integer", "Write the digits, without quotes."},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strcmp(hints[i].kind, kind) == 0)
            return hints[i].hint;
    }
    return NULL;
}

bool bst_json_misspells(const json_t *object, const char *wanted) {
    const char *key;
    json_t *value;
    /* The macro that walks an object takes no const; it changes nothing. */
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        if (strcmp(key, wanted) != 0 && bst_nearest_name(key, &wanted, 1))
            return true;
    }
    return false;
}

static bst_status report_depth(const bst_json_source *source, const json_error_t *error,
                               bst_diags *diags) {
    const bst_loc where = loc_of(source, error->position > 0 ? (size_t)error->position - 1 : 0);
    return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "json-depth", &where,
                        "values are nested deeper than %d levels", BST_JSON_DEPTH_MAX);
}

/* jansson stops at the first duplicate key. Once the rest is known to be valid, all can be told. */
static bst_status report_duplicates(const bst_json_source *source, json_error_t *error,
                                    bst_diags *diags) {
    json_t *const lenient = json_loadb(source->text, source->len, JSON_DECODE_ANY, error);
    json_decref(lenient);
    if (!lenient)
        return BST_OK;
    const bst_status status = bst__json_index_fill(source->index, source->name, diags);
    return status == BST_NOMEM ? bst_diag_nomem(diags) : status;
}

static bst_status report_refusal(const bst_json_source *source, json_error_t *error,
                                 bst_diags *diags) {
    bst_status status = check_bytes(source, diags);
    if (status == BST_OK && json_error_code(error) == json_error_duplicate_key)
        status = report_duplicates(source, error, diags);
    if (status != BST_OK)
        return status;
    if (json_error_code(error) == json_error_out_of_memory)
        return bst_diag_nomem(diags);
    if (json_error_code(error) == json_error_stack_overflow)
        return report_depth(source, error, diags);
    bst__json_explain(source->name, source->text, source->len, error, diags);
    return BST_INVALID;
}

/* Those inside strings are counted, too: near enough for a limit. */
static size_t count_values(const char *text, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text[i] == ',') | (text[i] == '[') | (text[i] == '{');
    return count;
}

static bst_status check_values(const bst_json_source *source, bst_diags *diags) {
    const bst_loc where = {source->name, 0, 0};
    if (count_values(source->text, source->len) <= BST_JSON_VALUES_MAX)
        return BST_OK;
    return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "file-too-large", &where,
                        "file holds more than the limit of %u values", BST_JSON_VALUES_MAX);
}

static bst_status parse_root(bst_json_source *source, bst_diags *diags) {
    json_error_t error;
    if (memchr(source->text, '\0', source->len)) /* jansson reads over one behind a number */
        return check_bytes(source, diags);
    if (check_values(source, diags) != BST_OK)
        return BST_LIMIT;
    source->root =
        json_loadb(source->text, source->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!source->root)
        return report_refusal(source, &error, diags);
    if (!json_is_object(source->root)) {
        const bst_loc where = loc_of(source, strspn(source->text, " \t\r\n"));
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "json-root", &where,
                     "file must hold a JSON object, not %s", bst_json_kind(source->root));
        return BST_INVALID;
    }
    return BST_OK;
}

/* Takes the text, which ends in NUL, whatever becomes of it. */
static bst_status parse(const char *name, char *text, size_t len, bst_json_source **ret,
                        bst_diags *diags) {
    bst_json_source *const source = calloc(1, sizeof *source);
    if (!source) {
        free(text);
        return bst_diag_nomem(diags);
    }
    *source = (bst_json_source){.name = strdup(name), .text = text, .len = len};
    source->index = bst__json_index_new(text, len);
    const bst_status status =
        source->name && source->index ? parse_root(source, diags) : bst_diag_nomem(diags);
    if (status == BST_OK)
        *ret = source;
    else
        bst_json_source_free(source);
    return status;
}

bst_status bst_json_source_parse(const char *name, const char *text, size_t len,
                                 bst_json_source **ret, bst_diags *diags) {
    if (len > BST_SPEC_BYTES_MAX)
        return too_large(name, BST_SPEC_BYTES_MAX, diags);
    char *const copy = malloc(len + 1);
    if (!copy)
        return bst_diag_nomem(diags);
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return parse(name, copy, len, ret, diags);
}

bst_status bst_json_source_read(const char *path, bst_json_source **ret, bst_diags *diags) {
    char *text = NULL;
    size_t len = 0;
    const bst_status status = bst_file_read(path, BST_SPEC_BYTES_MAX, &text, &len, diags);
    return status == BST_OK ? parse(path, text, len, ret, diags) : status;
}

bst_json_source *bst_json_source_free(bst_json_source *source) {
    if (source) {
        bst__json_index_free(source->index);
        json_decref(source->root);
        free(source->name);
        free(source->text);
        free(source);
    }
    return NULL;
}

const json_t *bst_json_source_root(const bst_json_source *source) {
    return source->root;
}

const char *bst_json_source_name(const bst_json_source *source) {
    return source->name;
}

const char *bst_json_source_text(const bst_json_source *source, size_t *ret_len) {
    *ret_len = source->len;
    return source->text;
}

static bst_loc node_loc(const bst_json_source *source, const bst__json_node *node, bool key) {
    if (!node)
        return (bst_loc){source->name, 0, 0};
    const bst__json_place place =
        bst__json_index_place(source->index, key ? node->key : node->value);
    return (bst_loc){source->name, place.line, place.column};
}

bst_loc bst_json_source_value(const bst_json_source *source, const char *pointer) {
    bool exact;
    return node_loc(source, bst__json_index_find(source->index, pointer, &exact), false);
}

bst_loc bst_json_source_key(const bst_json_source *source, const char *pointer) {
    bool exact = false;
    const bst__json_node *const node = bst__json_index_find(source->index, pointer, &exact);
    return node_loc(source, node, exact);
}

bst_loc bst_json_source_inside(const bst_json_source *source, const char *pointer, size_t offset) {
    bool exact;
    const bst__json_node *const node = bst__json_index_find(source->index, pointer, &exact);
    if (!node || !exact || source->text[node->value] != '"')
        return node_loc(source, node, false);
    const char *const start = source->text + node->value + 1;
    bst__json_letters letters = {
        .form = BST__JSON_STRING, .at = start, .end = source->text + source->len};
    const char *place = start;
    for (size_t i = 0; i <= offset; i++) {
        const bool escape_goes_on = letters.waiting_next < letters.waiting_count;
        place = escape_goes_on ? place : letters.at;
        if (bst__json_letters_next(&letters) < 0)
            break;
    }
    /* Strings do not run over lines: the column is that of the quote, and the characters since. */
    const bst__json_place before = bst__json_place_of(start, (size_t)(place - start));
    const bst_loc quote = node_loc(source, node, false);
    return (bst_loc){quote.file, quote.line, quote.column + before.column};
}

void bst_json_pointer_add(bst_strbuf *pointer, const char *token) {
    bst_strbuf_addc(pointer, '/');
    for (; *token != '\0'; token++) {
        if (*token == '~' || *token == '/')
            bst_strbuf_adds(pointer, *token == '~' ? "~0" : "~1");
        else
            bst_strbuf_addc(pointer, *token);
    }
}

void bst_json_pointer_add_index(bst_strbuf *pointer, size_t index) {
    bst_strbuf_addc(pointer, '/');
    bst_strbuf_add_int(pointer, (int64_t)index);
}
