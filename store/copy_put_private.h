/* What a binary COPY into the server is made of: numbers, most significant byte first, each column
 * with its length before it. */
#ifndef BACKSTORY_COPY_PUT_PRIVATE_H
#define BACKSTORY_COPY_PUT_PRIVATE_H

#include "backstory/pg.h"

/* The head of the stream; the trailer is two bytes 0xff. */
void bst__copy_put_head(bst_strbuf *out);
void bst__copy_put_trailer(bst_strbuf *out);
/* The bare bytes of a number, into their place. */
static inline void bst__copy_set_be(char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        at[i] = (char)(value >> 8 * (bytes - 1 - i));
}
/* The bare bytes of a number; with its length; a text with its length (`text` NULL: null). */
void bst__copy_put_be(bst_strbuf *out, uint64_t value, int bytes);
void bst__copy_put_int(bst_strbuf *out, int64_t value, int bytes);
void bst__copy_put_text(bst_strbuf *out, const char *text, size_t len);

#endif
