/* Decoded bytes, one after another, without a buffer for the whole: the two kinds of escapes that a
 * name may be written with, those of JSON strings and those of JSON pointers (RFC 6901).
 */
#include "json_private.h"

#include <unistr.h>

/* The four hexadecimal digits of a \u escape. */
static ucs4_t read_unit(const char *at) {
    ucs4_t unit = 0;
    for (int i = 0; i < 4; i++) {
        const char c = at[i];
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        unit = unit * 16 + (ucs4_t)digit;
    }
    return unit;
}

static char simple_escape(char c) {
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* a quote, a slash, a backslash */
    }
}

/* Decodes the escape at `at`, behind its backslash. */
static void read_escape(bst__json_letters *letters) {
    const char kind = *letters->at++;
    letters->waiting_next = 0;
    letters->waiting_count = 1;
    if (kind != 'u') {
        letters->waiting[0] = (uint8_t)simple_escape(kind);
        return;
    }
    ucs4_t c = read_unit(letters->at);
    letters->at += 4;
    if (c >= 0xD800 && c < 0xDC00) { /* the other half follows: the text is valid */
        c = 0x10000 + ((c - 0xD800) << 10) + (read_unit(letters->at + 2) - 0xDC00);
        letters->at += 6;
    }
    letters->waiting_count = u8_uctomb(letters->waiting, c, sizeof letters->waiting);
}

int bst__json_letters_next(bst__json_letters *letters) {
    if (letters->waiting_next < letters->waiting_count)
        return letters->waiting[letters->waiting_next++];
    if (letters->at >= letters->end)
        return -1;
    const char c = *letters->at;
    if ((letters->form == BST__JSON_STRING && c == '"') ||
        (letters->form == BST__JSON_POINTER && c == '/'))
        return -1;
    letters->at++;
    if (letters->form == BST__JSON_STRING && c == '\\') {
        read_escape(letters);
        return letters->waiting[letters->waiting_next++];
    }
    if (letters->form == BST__JSON_POINTER && c == '~' && letters->at < letters->end &&
        (*letters->at == '0' || *letters->at == '1'))
        return *letters->at++ == '0' ? '~' : '/';
    return (unsigned char)c;
}
