/* Puts the rows of a binary COPY together. */
#include "copy_put_private.h"

/* Signature, flags, length of the extension. */
static const char head[19] = "PGCOPY\n\377\r\n";

void bst__copy_put_head(bst_strbuf *out) {
    bst_strbuf_add(out, head, sizeof head);
}

void bst__copy_put_trailer(bst_strbuf *out) {
    bst__copy_put_be(out, UINT16_MAX, 2); /* a row of -1 columns */
}

void bst__copy_put_be(bst_strbuf *out, uint64_t value, int bytes) {
    char *const at = bst_strbuf_room(out, (size_t)bytes);
    if (!at)
        return;
    bst__copy_set_be(at, value, bytes);
    bst_strbuf_took(out, at + bytes);
}

void bst__copy_put_int(bst_strbuf *out, int64_t value, int bytes) {
    bst__copy_put_be(out, (uint64_t)bytes, 4);
    bst__copy_put_be(out, (uint64_t)value, bytes);
}

void bst__copy_put_text(bst_strbuf *out, const char *text, size_t len) {
    bst__copy_put_be(out, text ? len : UINT32_MAX, 4);
    if (text)
        bst_strbuf_add(out, text, len);
}
