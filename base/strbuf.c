/* The growing text.
 *
 * The buffer doubles, so that appending stays linear. Once an allocation has failed every further
 * append is refused: a text with a hole in its middle would be worse than a short one, and the
 * caller tests `failed` only once.
 */
#include "backstory/strbuf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "digits_private.h"

#define FIRST_SIZE 64

char bst_strbuf_empty[1] = "";

void bst_strbuf_init(bst_strbuf *sb) {
    *sb = (bst_strbuf)BST_STRBUF_INIT;
}

void bst_strbuf_release(bst_strbuf *sb) {
    if (sb->size > 0)
        free(sb->text);
    bst_strbuf_init(sb);
}

void bst_strbuf_clear(bst_strbuf *sb) {
    sb->len = 0;
    sb->failed = false;
    if (sb->size > 0)
        sb->text[0] = '\0';
}

void bst_strbuf_cut(bst_strbuf *sb, size_t len) {
    if (len < sb->len) {
        sb->len = len;
        sb->text[len] = '\0';
    }
}

/* Apart, so that the rest is small enough to be inlined. */
__attribute__((noinline, cold)) static bool grow(bst_strbuf *sb, size_t more) {
    if (sb->failed)
        return false;
    if (more >= SIZE_MAX / 2 - sb->len) {
        sb->failed = true;
        return false;
    }
    const size_t need = sb->len + more + 1;
    size_t size = sb->size > 0 ? sb->size : FIRST_SIZE;
    while (size < need)
        size *= 2;
    char *text = realloc(sb->size > 0 ? sb->text : NULL, size);
    if (!text) {
        sb->failed = true;
        return false;
    }
    text[sb->len] = '\0';
    sb->text = text;
    sb->size = size;
    return true;
}

bool bst_strbuf_reserve(bst_strbuf *sb, size_t more) {
    /* size is 0 or greater than len */
    return (more < sb->size - sb->len && !sb->failed) || grow(sb, more);
}

char *bst_strbuf_room(bst_strbuf *sb, size_t more) {
    return bst_strbuf_reserve(sb, more) ? sb->text + sb->len : NULL;
}

void bst_strbuf_took(bst_strbuf *sb, const char *end) {
    sb->len = (size_t)(end - sb->text);
    sb->text[sb->len] = '\0';
}

void bst_strbuf_add(bst_strbuf *sb, const void *bytes, size_t len) {
    if (len == 0 || !bst_strbuf_reserve(sb, len))
        return;
    memcpy(sb->text + sb->len, bytes, len);
    sb->len += len;
    sb->text[sb->len] = '\0';
}

void bst_strbuf_adds(bst_strbuf *sb, const char *text) {
    bst_strbuf_add(sb, text, strlen(text));
}

void bst_strbuf_addc(bst_strbuf *sb, char c) {
    if (!bst_strbuf_reserve(sb, 1))
        return;
    sb->text[sb->len++] = c;
    sb->text[sb->len] = '\0';
}

void bst_strbuf_add_spaces(bst_strbuf *sb, size_t count) {
    if (count == 0 || !bst_strbuf_reserve(sb, count))
        return;
    memset(sb->text + sb->len, ' ', count);
    sb->len += count;
    sb->text[sb->len] = '\0';
}

void bst_strbuf_addf(bst_strbuf *sb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(sb, format, args);
    va_end(args);
}

void bst_strbuf_vaddf(bst_strbuf *sb, const char *format, va_list args) {
    if (sb->failed)
        return;
    va_list again;
    va_copy(again, args);
    const size_t room = sb->size - sb->len;
    const int len = vsnprintf(room > 0 ? sb->text + sb->len : NULL, room, format, args);
    if (len < 0 || ((size_t)len >= room && !bst_strbuf_reserve(sb, (size_t)len))) {
        sb->failed = true;
        if (room > 0)
            sb->text[sb->len] = '\0';
    } else {
        if ((size_t)len >= room)
            vsnprintf(sb->text + sb->len, (size_t)len + 1, format, again);
        sb->len += (size_t)len;
    }
    va_end(again);
}

void bst_strbuf_add_int(bst_strbuf *sb, int64_t value) {
    char *const at = bst_strbuf_room(sb, BST__DIGITS_MAX + 1);
    if (at)
        bst_strbuf_took(sb, bst__digits_write_signed(at, value));
}

void bst_strbuf_add_int_right(bst_strbuf *sb, int64_t value, size_t width) {
    char digits[BST__DIGITS_MAX + 1];
    const size_t len = (size_t)(bst__digits_write_signed(digits, value) - digits);
    bst_strbuf_add_spaces(sb, width > len ? width - len : 0);
    bst_strbuf_add(sb, digits, len);
}

static bool stands_for_itself(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* What a JSON string has in the place of an ASCII byte that does not stand for itself. */
static void add_escaped(bst_strbuf *sb, unsigned char c) {
    static const char hex[] = "0123456789abcdef", letters[] = "\"\\\b\f\n\r\t";
    const char *const letter = strchr(letters, c);
    if (c != '\0' && letter) {
        const char pair[] = {'\\', "\"\\bfnrt"[letter - letters]};
        bst_strbuf_add(sb, pair, sizeof pair);
        return;
    }
    const char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    bst_strbuf_add(sb, code, sizeof code);
}

/* A character of several bytes; returns how many. What is none becomes U+FFFD. */
static size_t add_character(bst_strbuf *sb, const uint8_t *bytes, size_t len) {
    ucs4_t character;
    const int size = u8_mbtoucr(&character, bytes, len);
    if (size < 1) {
        bst_strbuf_adds(sb, "\xEF\xBF\xBD");
        return 1;
    }
    bst_strbuf_add(sb, bytes, (size_t)size);
    return (size_t)size;
}

/* Runs of bytes that stand for themselves are copied at once. */
void bst_strbuf_add_json(bst_strbuf *sb, const char *text, size_t len) {
    const uint8_t *const bytes = (const uint8_t *)text;
    bst_strbuf_addc(sb, '"');
    for (size_t at = 0; at < len;) {
        const size_t run = at;
        while (at < len && stands_for_itself(bytes[at]))
            at++;
        bst_strbuf_add(sb, text + run, at - run);
        if (at < len && bytes[at] < 0x80)
            add_escaped(sb, bytes[at++]);
        else if (at < len)
            at += add_character(sb, bytes + at, len - at);
    }
    bst_strbuf_addc(sb, '"');
}

void bst_strbuf_add_utf8(bst_strbuf *sb, const char *text, size_t len) {
    for (size_t at = 0; at < len;)
        at += add_character(sb, (const uint8_t *)text + at, len - at);
}

char *bst_strbuf_detach(bst_strbuf *sb) {
    char *text = NULL;
    if (bst_strbuf_reserve(sb, 0)) { /* an empty text becomes one that can be freed */
        text = sb->text;
        bst_strbuf_init(sb);
        return text;
    }
    bst_strbuf_release(sb);
    return NULL;
}
