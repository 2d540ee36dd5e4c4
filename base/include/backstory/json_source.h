/* A JSON file with the place of everything in it.
 *
 * jansson gives positions for syntax errors only. So the text is parsed by jansson (strict,
 * duplicate keys refused) and scanned a second time for positions, which are looked up by JSON
 * pointer (RFC 6901): "/states/pending/on/fail".
 */
#ifndef BACKSTORY_JSON_SOURCE_H
#define BACKSTORY_JSON_SOURCE_H

#include <jansson.h>
#include <stddef.h>

#include "backstory/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of a machine or mapping file. In memory a value can be a hundred times as long as its text: with
 * these, what a file takes stays under a gigabyte, whatever is in it. */
#define BST_SPEC_BYTES_MAX  (64u << 20)
#define BST_JSON_VALUES_MAX 2000000u              /* counted by what comes before one: , [ or { */
#define BST_JSON_DEPTH_MAX  JSON_PARSER_MAX_DEPTH /* nesting of values: jansson's own limit */

typedef struct bst_json_source bst_json_source;

/* Reads a file ("-" is stdin) whole. The caller frees *ret_text. Reports what failed and returns
 * BST_IO or BST_LIMIT. */
BST_API bst_status bst_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_len,
                                 bst_diags *diags) BST_MUST_USE;

/* `name` is what diagnostics call the file; name and text are copied. Syntax errors and duplicate
 * keys (both places) are reported; the root must be an object. */
BST_API bst_status bst_json_source_parse(const char *name, const char *text, size_t len,
                                         bst_json_source **ret, bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_json_source_read(const char *path, bst_json_source **ret,
                                        bst_diags *diags) BST_MUST_USE;
BST_API bst_json_source *bst_json_source_free(bst_json_source *source);

BST_API const json_t *bst_json_source_root(const bst_json_source *source); /* borrowed */
BST_API const char *bst_json_source_name(const bst_json_source *source);
BST_API const char *bst_json_source_text(const bst_json_source *source, size_t *ret_len);

/* Where the value at `pointer` starts, or (`_key`) where its key does. A pointer to nothing gives
 * the place of the nearest enclosing value that is there. O(length of the pointer), whatever the
 * size of the file; only the first look-up reads the file once more, and keeps what it finds (so
 * two threads must not make it at once).
 */
BST_API bst_loc bst_json_source_value(const bst_json_source *source, const char *pointer);
BST_API bst_loc bst_json_source_key(const bst_json_source *source, const char *pointer);
/* Where a byte `offset` inside the string value at `pointer` stands, escapes counted: errors in
 * expressions. */
BST_API bst_loc bst_json_source_inside(const bst_json_source *source, const char *pointer,
                                       size_t offset);
/* "an object", "a number", "true or false" ...: the kind of a value, for messages. Constant. */
BST_API const char *bst_json_kind(const json_t *json);
/* How a value of such a kind is written, a sentence for hints; NULL when that goes without saying.
 * Constant. */
BST_API const char *bst_json_kind_hint(const char *kind);
/* Whether the object has a key that is nearly `wanted`, as a slip of the pen leaves it. Where an
 * unknown key is a finding already, a missing one is not another. */
BST_API bool bst_json_misspells(const json_t *object, const char *wanted);
/* Appends one reference token to a pointer, escaped (`~0`, `~1`). */
BST_API void bst_json_pointer_add(bst_strbuf *pointer, const char *token);
BST_API void bst_json_pointer_add_index(bst_strbuf *pointer, size_t index);

#ifdef __cplusplus
}
#endif
#endif
