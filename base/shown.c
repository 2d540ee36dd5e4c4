/* Which characters a terminal would obey rather than show, and how they are shown.
 *
 * Nearly all text is harmless, so runs of it are copied whole and only the rest is looked at
 * character by character.
 */
#include "backstory/shown.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <unistr.h>
#include <uniwidth.h>

/* Direction and separators: a line reads other than it is written. */
static bool is_direction(ucs4_t c) {
    return c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* Two texts that look the same are not. Joiners (U+200C-D) belong to scripts and stay. */
static bool is_invisible(ucs4_t c) {
    return c == 0x200B || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF ||
           (c >= 0xE0000 && c <= 0xE007F);
}

static bool is_control(ucs4_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

static bool is_harmless(ucs4_t c) {
    return !is_control(c) && !is_direction(c) && !is_invisible(c) && uc_width(c, "UTF-8") >= 0;
}

/* The length of the longest beginning that is plain ASCII. */
static size_t plain(const char *text, size_t len) {
    size_t i = 0;
    while (i < len && text[i] >= 0x20 && text[i] < 0x7F)
        i++;
    return i;
}

/* False where the bytes are no character: one of them is taken then. */
static bool take_character(const char *text, size_t len, ucs4_t *ret, size_t *ret_size) {
    const int size = u8_mbtoucr(ret, (const uint8_t *)text, len);
    *ret_size = size < 1 ? 1 : (size_t)size;
    return size >= 1;
}

static int write_escape(ucs4_t c, char *out, size_t room) {
    switch (c) {
    case '\n':
        return snprintf(out, room, "\\n");
    case '\r':
        return snprintf(out, room, "\\r");
    case '\t':
        return snprintf(out, room, "\\t");
    default:
        return snprintf(out, room, c > 0xFFFF ? "\\U%08X" : "\\u%04X", (unsigned)c);
    }
}

bst_glyph bst_glyph_at(const char *text, size_t len) {
    bst_glyph glyph = {0};
    ucs4_t c = 0;
    int written;

    const bool known = take_character(text, len, &c, &glyph.size);
    if (known && is_harmless(c)) {
        memcpy(glyph.shown, text, glyph.size);
        glyph.shown_len = glyph.size;
        glyph.width = (size_t)uc_width(c, "UTF-8");
        return glyph;
    }
    written = known ? write_escape(c, glyph.shown, sizeof glyph.shown)
                    : snprintf(glyph.shown, sizeof glyph.shown, "\\x%02X", (unsigned char)*text);
    glyph.shown_len = glyph.width = (size_t)written;
    return glyph;
}

size_t bst_strbuf_add_shown(bst_strbuf *out, const char *text, size_t len) {
    size_t width = 0;

    while (len > 0) {
        const size_t run = plain(text, len);
        bst_strbuf_add(out, text, run);
        width += run;
        text += run;
        len -= run;
        if (len == 0)
            break;
        const bst_glyph next = bst_glyph_at(text, len);
        bst_strbuf_add(out, next.shown, next.shown_len);
        width += next.width;
        text += next.size;
        len -= next.size;
    }
    return width;
}

static void add_json_escape(bst_strbuf *out, ucs4_t c) {
    if (c > 0xFFFF)
        bst_strbuf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                        (unsigned)(0xDC00 + ((c - 0x10000) & 0x3FF)));
    else
        bst_strbuf_addf(out, "\\u%04x", (unsigned)c);
}

void bst_strbuf_add_shown_json(bst_strbuf *out, const char *json, size_t len) {
    while (len > 0) {
        ucs4_t c = 0;
        size_t size;
        const bool known = take_character(json, len, &c, &size);
        /* Controls below 0x20 are white space between values: a string cannot hold them. */
        if (known && c >= 0x20 && !is_harmless(c))
            add_json_escape(out, c);
        else
            bst_strbuf_add(out, json, size);
        json += size;
        len -= size;
    }
}
