/* Text from outside on a terminal: shown, never obeyed.
 *
 * A cell of a table, a key or a server's message can hold characters that move the cursor, set the
 * title of the window, or make a line read other than it is written. People are shown those as
 * visible escapes: \n, \r, \t, \u001B for a character, \xFF for a byte that is not UTF-8. All
 * others stay as they are, a backslash too: this is for eyes, and cannot be read back. What
 * programs read is JSON, where an escape stands for the very character.
 *
 * Shown as escapes: C0 and C1 controls and DEL; marks, embeddings, overrides and isolates of
 * direction (U+061C, U+200E-F, U+202A-E, U+2066-9; Unicode Standard Annex 9, and "Trojan Source",
 * CVE-2021-42574); line and paragraph separator; characters that nobody sees (U+200B, U+2060-4,
 * U+FEFF, and the tags U+E0000-7F).
 */
#ifndef BACKSTORY_SHOWN_H
#define BACKSTORY_SHOWN_H

#include <stddef.h>

#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One character of a text, as it is shown. */
typedef struct bst_glyph {
    size_t size; /* its bytes in the text */
    char shown[12];
    size_t shown_len;
    size_t width; /* columns on a terminal */
} bst_glyph;

/* The first character of a text of `len` bytes, at least one. */
BST_API bst_glyph bst_glyph_at(const char *text, size_t len);

/* Appends a text as it is shown, in one line; returns its columns. */
BST_API size_t bst_strbuf_add_shown(bst_strbuf *out, const char *text, size_t len);

/* Appends JSON text so that its strings hold the same and are harmless too: what would not be is
 * written as \u.... `json` is valid JSON, or a piece of it that ends where a character does. */
BST_API void bst_strbuf_add_shown_json(bst_strbuf *out, const char *json, size_t len);

#ifdef __cplusplus
}
#endif
#endif
