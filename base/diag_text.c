/* How findings look: as text for people, with the source line and a caret, and as JSON for
 * programs.
 *
 * Whatever a user's file holds may stand in a message, so all of it is shown as backstory/shown.h
 * says: nothing reaches a terminal that could steer it. The caret is placed by the width that
 * characters have on a terminal, and a line too long for one is cut to a window around the column.
 */
#include "backstory/diag.h"

#include <string.h>

#include "backstory/shown.h"

#define WINDOW_CHARACTERS 100
#define WINDOW_BEFORE     60 /* characters of a long line shown before the column */

static const char *const severities[] = {
    [BST_ERROR] = "error", [BST_WARNING] = "warning", [BST_NOTE] = "note"};

/* A tab is one column wide here, so that carets stand where they should. */
static bst_glyph glyph_at(const char *text, size_t len) {
    return *text == '\t' ? bst_glyph_at(" ", 1) : bst_glyph_at(text, len);
}

/* A text may have several lines (a server's message): the others are set in as the first. */
static void add_text(const char *text, bst_strbuf *out) {
    for (size_t left = strlen(text); left > 0;) {
        const bst_glyph next = glyph_at(text, left);
        if (*text == '\n')
            bst_strbuf_adds(out, "\n  ");
        else
            bst_strbuf_add(out, next.shown, next.shown_len);
        text += next.size;
        left -= next.size;
    }
}

static void add_place(const char *file, uint32_t line, uint32_t column, bst_strbuf *out) {
    if (!file)
        return;
    bst_strbuf_add_shown(out, file, strlen(file));
    if (line > 0)
        bst_strbuf_addf(out, ":%u", (unsigned)line);
    if (line > 0 && column > 0)
        bst_strbuf_addf(out, ":%u", (unsigned)column);
    bst_strbuf_adds(out, ": ");
}

/* The line with this number, without its end. NULL when the text has none. */
static const char *find_line(const char *source, size_t len, uint32_t number, size_t *ret_len) {
    const char *const end = source + len;
    for (uint32_t line = 1; line < number; line++) {
        const char *const feed = memchr(source, '\n', (size_t)(end - source));
        if (!feed)
            return NULL;
        source = feed + 1;
    }
    const char *feed = memchr(source, '\n', (size_t)(end - source));
    feed = feed ? feed : end;
    if (feed > source && feed[-1] == '\r')
        feed--;
    *ret_len = (size_t)(feed - source);
    return source;
}

/* The bytes that the first `count` characters take. */
static size_t characters(const char *text, size_t len, size_t count) {
    size_t at = 0;
    while (count-- > 0 && at < len)
        at += glyph_at(text + at, len - at).size;
    return at;
}

/* Appends the characters of a line; returns how wide they are. */
static size_t add_glyphs(const char *text, size_t len, bst_strbuf *out) {
    size_t width = 0;
    for (size_t at = 0; at < len;) {
        const bst_glyph next = glyph_at(text + at, len - at);
        bst_strbuf_add(out, next.shown, next.shown_len);
        width += next.width;
        at += next.size;
    }
    return width;
}

static void add_source_line(const bst_diag *diag, const char *source, size_t source_len,
                            bst_strbuf *out) {
    size_t len;
    const char *line = find_line(source, source_len, diag->line, &len);
    if (!line)
        return;
    const size_t before = diag->column > 0 ? diag->column - 1 : 0;
    const bool is_long = characters(line, len, WINDOW_CHARACTERS) < len;
    const size_t skipped =
        is_long && before > WINDOW_BEFORE ? characters(line, len, before - WINDOW_BEFORE) : 0;
    const size_t shown = characters(line + skipped, len - skipped, WINDOW_CHARACTERS);
    const size_t caret = characters(line, len, before) - skipped;
    bst_strbuf_addf(out, "%5u | %s", (unsigned)diag->line, skipped > 0 ? "..." : "");
    const size_t width = add_glyphs(line + skipped, caret, out) + (skipped > 0 ? 3 : 0);
    if (caret < shown)
        add_glyphs(line + skipped + caret, shown - caret, out);
    bst_strbuf_adds(out, skipped + shown < len ? "...\n" : "\n");
    if (diag->column > 0)
        bst_strbuf_addf(out, "      | %*s^\n", (int)width, "");
}

void bst_diag_format_text(const bst_diag *diag, const char *source, size_t source_len,
                          bst_strbuf *out) {
    add_place(diag->file, diag->line, diag->column, out);
    bst_strbuf_addf(out, "%s: ", severities[diag->severity]);
    add_text(diag->message, out);
    bst_strbuf_addf(out, " [%s]\n", diag->code);
    if (source && diag->line > 0)
        add_source_line(diag, source, source_len, out);
    if (diag->detail) {
        bst_strbuf_adds(out, "  ");
        add_text(diag->detail, out);
        bst_strbuf_addc(out, '\n');
    }
    if (diag->hint) {
        bst_strbuf_adds(out, "  hint: ");
        add_text(diag->hint, out);
        bst_strbuf_addc(out, '\n');
    }
    if (diag->also_line > 0) {
        bst_strbuf_adds(out, "  ");
        add_place(diag->also_file, diag->also_line, diag->also_column, out);
        bst_strbuf_adds(out, "note: ");
        add_text(diag->also_message, out);
        bst_strbuf_addc(out, '\n');
    }
}

static void add_json_text(const char *key, const char *text, bst_strbuf *out) {
    if (!text)
        return;
    bst_strbuf_addf(out, ",\"%s\":", key);
    bst_strbuf_add_json(out, text, strlen(text));
}

static void add_json_place(const char *file, uint32_t line, uint32_t column, bst_strbuf *out) {
    add_json_text("file", file, out);
    if (line > 0)
        bst_strbuf_addf(out, ",\"line\":%u", (unsigned)line);
    if (line > 0 && column > 0)
        bst_strbuf_addf(out, ",\"column\":%u", (unsigned)column);
}

static void add_json_diag(const bst_diag *diag, bst_strbuf *out) {
    bst_strbuf_addf(out, "{\"severity\":\"%s\"", severities[diag->severity]);
    add_json_text("code", diag->code, out);
    add_json_place(diag->file, diag->line, diag->column, out);
    add_json_text("message", diag->message, out);
    add_json_text("detail", diag->detail, out);
    add_json_text("hint", diag->hint, out);
    if (diag->also_line > 0) {
        bst_strbuf_adds(out, ",\"also\":{\"message\":");
        bst_strbuf_add_json(out, diag->also_message, strlen(diag->also_message));
        add_json_place(diag->also_file, diag->also_line, diag->also_column, out);
        bst_strbuf_addc(out, '}');
    }
    bst_strbuf_addc(out, '}');
}

void bst_diags_format_json(const bst_diags *diags, bst_strbuf *out) {
    bst_strbuf json = BST_STRBUF_INIT;

    bst_strbuf_adds(&json, "{\"diagnostics\":[");
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        if (i > 0)
            bst_strbuf_addc(&json, ',');
        add_json_diag(bst_diags_at(diags, i), &json);
    }
    bst_strbuf_adds(&json, "]}\n");
    bst_strbuf_add_shown_json(out, json.text, json.len);
    out->failed = out->failed || json.failed;
    bst_strbuf_release(&json);
}
