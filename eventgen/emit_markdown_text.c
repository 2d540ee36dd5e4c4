/* Text in Markdown. It may hold anything: outside code spans every mark with a meaning is escaped,
 * inside them only what would end the cell or the span.
 */
#include <ctype.h>
#include <string.h>

#include "emit_english_private.h"
#include "emit_markdown_private.h"

void bst__md_add(bst__md *w, const char *text) {
    bst_strbuf_adds(w->out, text);
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || (c & 0x80);
}

/* What begins a block where it begins a line: a heading, an item of a list ... */
static const char *add_start(bst__md *w, const char *text) {
    const size_t digits = strspn(text, "0123456789");
    const bool item = digits > 0 && (text[digits] == '.' || text[digits] == ')');
    bst_strbuf_add(w->out, text, item ? digits : 0);
    bst__md_add(w, item || strchr("#-+=", *text) ? "\\" : "");
    return text + (item ? digits : 0);
}

void bst__md_prose(bst__md *w, const char *text) {
    if (!text || !*text) {
        return;
    }
    const char *p = add_start(w, text);
    for (; *p; p++) {
        const bool inside = *p == '_' && p > text && is_word(p[-1]) && is_word(p[1]);
        if ((unsigned char)*p < ' ') {
            bst_strbuf_addc(w->out, ' ');
        } else if (*p == '<' || *p == '>' || *p == '&') {
            bst__md_add(w, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
        } else {
            bst__md_add(w, strchr("\\`*_[]|~$", *p) && !inside ? "\\" : "");
            bst_strbuf_addc(w->out, *p);
        }
    }
}

void bst__md_code(bst__md *w, const char *text) {
    size_t longest = 0;
    size_t run = 0;
    for (const char *p = text; *p; p++) {
        run = *p == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++) {
        bst_strbuf_addc(w->out, '`');
    }
    bst__md_add(w, longest > 0 ? " " : "");
    for (const char *p = text; *p; p++) {
        bst__md_add(w, *p == '|' ? "\\" : "");
        bst_strbuf_addc(w->out, (unsigned char)*p < ' ' ? ' ' : *p);
    }
    bst__md_add(w, longest > 0 ? " " : "");
    for (size_t i = 0; i <= longest; i++) {
        bst_strbuf_addc(w->out, '`');
    }
}

void bst__md_english(bst__md *w, const bst_expr *expr) {
    bst_strbuf_clear(&w->text);
    bst__english(expr, &w->text);
    bst__md_prose(w, w->text.text);
    w->failed = w->failed || w->text.failed;
}

void bst__md_type(bst__md *w, const bst_type *type) {
    bst_strbuf_clear(&w->text);
    bst_type_format(type, &w->text);
    bst__md_code(w, w->text.text);
    w->failed = w->failed || w->text.failed;
}

void bst__md_saying(bst__md *w, const char *label, const char *description) {
    bst__md_prose(w, label);
    bst__md_add(w, label && description ? ": " : "");
    bst__md_prose(w, description);
}

void bst__md_list(bst__md *w, const uint32_t *items, uint32_t count, bool states) {
    for (uint32_t i = 0; i < count; i++) {
        bst__md_add(w, i == 0 ? "" : ", ");
        bst__md_code(w, states ? w->machine->states[items[i]].name
                               : w->machine->commands[items[i]].name);
    }
}
