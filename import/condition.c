/* Conditions that speak of nothing but states, which is all that SCXML's null data model can ask:
 *
 *     or: and { "||" and }     and: not { "&&" not }
 *     not: "!" not | "(" or ")" | "true" | "false" | In("state")
 *
 * In() becomes state_in(); everything else is not for us to guess.
 */
#include "import_private.h"

#include <string.h>

#define DEPTH_MAX 32

typedef struct reader {
    const bst__outline *o;
    uint32_t source;
    const char *at;
    bst_strbuf *out;
    int depth;
} reader;

static bool take(reader *r, const char *token) {
    const size_t len = strlen(token);
    r->at += strspn(r->at, " \t\r\n");
    if (strncmp(r->at, token, len) != 0) {
        return false;
    }
    r->at += len;
    return true;
}

static bool read_state(reader *r) {
    if (!take(r, "(")) {
        return false;
    }
    r->at += strspn(r->at, " \t\r\n");
    const char quote = *r->at;
    const char *end = quote == '\'' || quote == '"' ? strchr(r->at + 1, quote) : NULL;
    const char *name =
        end ? bst_arena_strndup(r->o->arena, r->at + 1, (size_t)(end - r->at - 1)) : NULL;
    const uint32_t node = name ? bst__outline_find(r->o, r->source, name) : BST__NO_NODE;
    if (node == BST__NO_NODE) {
        return false;
    }
    r->at = end + 1;
    bst_strbuf_adds(r->out, "state_in(\"");
    bst__outline_path(r->o, node, r->out);
    bst_strbuf_adds(r->out, "\")");
    return take(r, ")");
}

static bool read_or(reader *r);

static bool read_not(reader *r) {
    if (take(r, "!")) {
        bst_strbuf_addc(r->out, '!');
        return ++r->depth < DEPTH_MAX && read_not(r) && r->depth-- > 0;
    }
    if (take(r, "(")) {
        bst_strbuf_addc(r->out, '(');
        if (++r->depth >= DEPTH_MAX || !read_or(r) || !take(r, ")")) {
            return false;
        }
        r->depth--;
        bst_strbuf_addc(r->out, ')');
        return true;
    }
    if (take(r, "In") || take(r, "state_in")) {
        return read_state(r);
    }
    for (int i = 0; i < 2; i++) {
        const char *word = i == 0 ? "true" : "false";
        if (take(r, word)) {
            bst_strbuf_adds(r->out, word);
            return true;
        }
    }
    return false;
}

static bool read_and(reader *r) {
    bool ok = read_not(r);
    while (ok && take(r, "&&")) {
        bst_strbuf_adds(r->out, " && ");
        ok = read_not(r);
    }
    return ok;
}

static bool read_or(reader *r) {
    bool ok = read_and(r);
    while (ok && take(r, "||")) {
        bst_strbuf_adds(r->out, " || ");
        ok = read_and(r);
    }
    return ok;
}

bool bst__condition(const bst__outline *o, uint32_t source, const char *text, bst_strbuf *out) {
    reader r = {o, source, text, out, 0};
    return read_or(&r) && *(r.at += strspn(r.at, " \t\r\n")) == '\0';
}
