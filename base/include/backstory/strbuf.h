/* A growing text. The one way text is built here.
 *
 * `text` is never NULL and always ends in NUL; `len` does not count it. An allocation that fails
 * sets `failed` and leaves the text as it was: append freely, test `failed` once at the end. This
 * room knows nothing of machines or events.
 */
#ifndef BACKSTORY_STRBUF_H
#define BACKSTORY_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_strbuf {
    char *text;
    size_t len;
    size_t size; /* bytes allocated; 0: `text` is a shared empty text */
    bool failed;
} bst_strbuf;

BST_API extern char bst_strbuf_empty[1];
#define BST_STRBUF_INIT                                                                            \
    { bst_strbuf_empty, 0, 0, false }

BST_API void bst_strbuf_init(bst_strbuf *sb);
BST_API void bst_strbuf_release(bst_strbuf *sb);
/* Empty again, memory kept, `failed` reset. */
BST_API void bst_strbuf_clear(bst_strbuf *sb);
/* Takes back what came after the first `len` bytes; memory kept, and so is `failed`. */
BST_API void bst_strbuf_cut(bst_strbuf *sb, size_t len);
/* Room for `more` further bytes; false (and `failed`) when there is none. */
BST_API bool bst_strbuf_reserve(bst_strbuf *sb, size_t more);
/* For whoever writes to the place itself: where the next `more` bytes belong, NULL when there is no
 * room; and up to where they were written. */
BST_API char *bst_strbuf_room(bst_strbuf *sb, size_t more);
BST_API void bst_strbuf_took(bst_strbuf *sb, const char *end);
BST_API void bst_strbuf_add(bst_strbuf *sb, const void *bytes, size_t len);
BST_API void bst_strbuf_adds(bst_strbuf *sb, const char *text);
BST_API void bst_strbuf_addc(bst_strbuf *sb, char c);
BST_API void bst_strbuf_addf(bst_strbuf *sb, const char *format, ...) BST_PRINTF(2, 3);
BST_API void bst_strbuf_vaddf(bst_strbuf *sb, const char *format, va_list args) BST_PRINTF(2, 0);
BST_API void bst_strbuf_add_spaces(bst_strbuf *sb, size_t count);
BST_API void bst_strbuf_add_int(bst_strbuf *sb, int64_t value);
/* With as many spaces before it as make it `width` bytes wide. */
BST_API void bst_strbuf_add_int_right(bst_strbuf *sb, int64_t value, size_t width);
/* Text that may not be UTF-8: each byte that is none becomes U+FFFD. */
BST_API void bst_strbuf_add_utf8(bst_strbuf *sb, const char *text, size_t len);
/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD: check first where that
 * would be a loss. */
BST_API void bst_strbuf_add_json(bst_strbuf *sb, const char *text, size_t len);
/* The text as a malloc'd string that the caller frees; the buffer is empty afterwards. NULL when
 * `failed`. */
BST_API char *bst_strbuf_detach(bst_strbuf *sb);

#ifdef __cplusplus
}
#endif
#endif
