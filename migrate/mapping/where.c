/* The SQL that soft-deleting applications need, `deleted_at IS NULL AND NOT ...` at its simplest,
 * said in CEL, so that a mapping written for a database also reads a CSV export of the same table:
 *
 *     deleted_at IS NULL AND paid_at IS NOT NULL    ->    !has(deleted_at) && has(paid_at)
 *
 * Anything else stays SQL and is evaluated by the server. Unquoted names fold to lower case, as
 * they do in PostgreSQL; quoted ones are taken as they are.
 */
#include "mapping_private.h"

#include <string.h>

typedef struct scan {
    const char *at;
} scan;

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void skip_space(scan *s) {
    while (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r') {
        s->at++;
    }
}

static bool take_word(scan *s, const char *word) {
    skip_space(s);
    const char *at = s->at;
    for (; *word; word++, at++) {
        if (lower(*at) != *word) {
            return false;
        }
    }
    if (is_name(*at)) {
        return false;
    }
    s->at = at;
    return true;
}

/* Words that mean something else in CEL or in SQL than a column of that name. */
static bool is_reserved(const char *name, size_t len) {
    static const char *const words[] = {"in", "has", "true", "false", "null", "not", "and", "or"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* "Order Total": taken as it stands between its quotes, in backticks where CEL needs them. */
static bool take_quoted(scan *s, bst_strbuf *out) {
    const char *start = ++s->at;
    size_t len = strcspn(start, "\"`");
    if (start[len] != '"' || start[len + 1] == '"' || len == 0) {
        return false;
    }
    bool plain = is_name_start(*start) && !is_reserved(start, len);
    for (size_t i = 0; i < len; i++) {
        plain = plain && is_name(start[i]);
    }
    bst_strbuf_addf(out, plain ? "%.*s" : "`%.*s`", (int)len, start);
    s->at = start + len + 1;
    return true;
}

static bool take_name(scan *s, bst_strbuf *out) {
    skip_space(s);
    if (*s->at == '"') {
        return take_quoted(s, out);
    }
    const char *start = s->at;
    size_t before = out->len;
    if (!is_name_start(*start)) {
        return false;
    }
    for (; is_name(*s->at); s->at++) {
        bst_strbuf_addc(out, lower(*s->at));
    }
    return !is_reserved(out->text + before, out->len - before);
}

bool bst__map_where_cel(const char *sql, bst_strbuf *out) {
    scan s = {sql};
    bst_strbuf name = BST_STRBUF_INIT;
    bool fits = false;
    for (;;) {
        bst_strbuf_clear(&name);
        if (!take_name(&s, &name) || !take_word(&s, "is")) {
            break;
        }
        bool negated = take_word(&s, "not");
        if (!take_word(&s, "null")) {
            break;
        }
        bst_strbuf_addf(out, "%shas(%s)", negated ? "" : "!", name.text);
        skip_space(&s);
        if (*s.at == '\0') {
            fits = !out->failed && !name.failed;
            break;
        }
        if (!take_word(&s, "and")) {
            break;
        }
        bst_strbuf_adds(out, " && ");
    }
    bst_strbuf_release(&name);
    return fits;
}
