/* Layout of generated C: comments, string literals, argument lists, aligned comments.
 *
 * The text should come out of clang-format as it went in. So lines end before column 100, arguments
 * continue under the first one, and comments behind consecutive lines start in one column. What
 * comes from the machine file (labels, descriptions, expressions) is made harmless first: no
 * comment ends, no escapes, no line breaks.
 */
#include <stdarg.h>
#include <string.h>

#include "emit_c_private.h"

static size_t columns_of(const char *text, size_t len) {
    size_t columns = 0;
    for (size_t i = 0; i < len; i++) {
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return columns;
}

size_t bst__c_columns(const char *text) {
    return columns_of(text, strlen(text));
}

/* Appends text so that it cannot end a comment, all on one line. */
static void add_plain(bst_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        const bool marks_comment =
            p > text && ((p[-1] == '*' && *p == '/') || (p[-1] == '/' && *p == '*'));
        if (marks_comment) {
            bst_strbuf_addc(out, ' ');
        }
        bst_strbuf_addc(out, (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p);
    }
}

/* Words of `text` from column `at` on; a word that does not fit starts a line of its own after
 * `indent` and " * ". */
static void add_wrapped(bst_strbuf *out, unsigned indent, size_t at, const char *text) {
    bool first = true;
    while (*text) {
        const size_t len = strcspn(text, " ");
        const size_t columns = columns_of(text, len);
        if (len > 0) {
            if (!first && at + 1 + columns + 3 > BST__C_COLUMNS) {
                bst_strbuf_addc(out, '\n');
                bst_strbuf_add_spaces(out, indent);
                bst_strbuf_adds(out, " *");
                at = indent + 2;
            }
            bst_strbuf_addc(out, ' ');
            bst_strbuf_add(out, text, len);
            at += 1 + columns;
            first = false;
        }
        text += len + (text[len] == ' ');
    }
}

void bst__c_comment(bst_strbuf *out, unsigned indent, const char *text) {
    bst_strbuf plain = BST_STRBUF_INIT;
    add_plain(&plain, text);
    bst_strbuf_add_spaces(out, indent);
    bst_strbuf_adds(out, "/*");
    add_wrapped(out, indent, indent + 2, plain.text);
    bst_strbuf_adds(out, " */\n");
    out->failed = out->failed || plain.failed;
    bst_strbuf_release(&plain);
}

static void add_escaped(bst_strbuf *out, unsigned char byte) {
    if (byte == '\n') {
        bst_strbuf_adds(out, "\\n");
    } else if (byte == '"' || byte == '\\' || byte == '?') {
        bst_strbuf_addc(out, '\\');
        bst_strbuf_addc(out, (char)byte);
    } else {
        bst_strbuf_addf(out, "\\%03o", (unsigned)byte);
    }
}

void bst__c_add_literal(bst_strbuf *out, const char *text, size_t len, bool bytes) {
    size_t run = 0; /* where the bytes not yet copied start: those that stand for themselves */
    bst_strbuf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        const unsigned char byte = (unsigned char)text[i];
        const bool escaped = byte == '"' || byte == '\\' || byte < ' ' || byte == 0x7f ||
                             (bytes && byte >= 0x80) ||
                             (byte == '?' && i > 0 && text[i - 1] == '?'); /* no trigraphs */
        if (escaped) {
            bst_strbuf_add(out, text + run, i - run);
            add_escaped(out, byte);
            run = i + 1;
        }
    }
    bst_strbuf_add(out, text + run, len - run);
    bst_strbuf_addc(out, '"');
}

void bst__c_add_list(bst_strbuf *out, unsigned indent, const char *head, const char *const *items,
                     size_t count, const char *tail) {
    bst_strbuf_add_spaces(out, indent);
    bst_strbuf_adds(out, head);
    const size_t margin = indent + bst__c_columns(head);
    size_t at = margin;
    for (size_t i = 0; i < count; i++) {
        const bool last = i + 1 == count;
        const size_t width = bst__c_columns(items[i]) + (last ? bst__c_columns(tail) : 1);
        if (i > 0 && at + 1 + width > BST__C_COLUMNS) {
            bst_strbuf_addc(out, '\n');
            bst_strbuf_add_spaces(out, margin);
            at = margin;
        } else if (i > 0) {
            bst_strbuf_addc(out, ' ');
            at++;
        }
        bst_strbuf_adds(out, items[i]);
        bst_strbuf_adds(out, last ? tail : ",");
        at += width;
    }
    if (count == 0) {
        bst_strbuf_adds(out, tail);
    }
    bst_strbuf_addc(out, '\n');
}

/* ---- expressions that are too long for a line ---- */

/* A piece of an expression that is being written: where it starts on its line, and the columns that
 * what follows needs on its last one. */
typedef struct piece {
    const char *text;
    size_t len;
    size_t at, after;
} piece;

static void lay_out(bst_strbuf *out, piece p, bool nested);

static bool fits(piece p) {
    return p.at + columns_of(p.text, p.len) + p.after <= BST__C_COLUMNS;
}

/* The length of the operand before the first ` op ` outside of brackets and quotes; all of it when
 * there is none. */
static size_t operand(const char *text, size_t len, const char *op) {
    const size_t op_len = strlen(op);
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            i += text[i] == '\\';
            quoted = text[i] != '"';
            continue;
        }
        quoted = text[i] == '"';
        depth += (text[i] == '(') - (text[i] == ')');
        if (depth == 0 && i > 0 && len - i > op_len && memcmp(text + i, op, op_len) == 0 &&
            text[i + op_len] == ' ') {
            return i;
        }
    }
    return len;
}

static void break_line(bst_strbuf *out, size_t margin) {
    bst_strbuf_addc(out, '\n');
    bst_strbuf_add_spaces(out, margin);
}

/* a && b && c, or arguments: as many on a line as fit, the operator at its end. */
static void lay_out_chain(bst_strbuf *out, piece p, const char *op) {
    size_t at = p.at;
    for (bool first = true; p.len > 0; first = false) {
        const size_t len = operand(p.text, p.len, op);
        const bool last = len == p.len;
        piece part = {p.text, len, at + !first, last ? p.after : strlen(op)};
        if (!first && !fits(part)) {
            break_line(out, p.at);
            part.at = p.at;
        } else if (!first) {
            bst_strbuf_addc(out, ' ');
        }
        lay_out(out, part, true);
        at = part.at + columns_of(p.text, len) + (last ? 0 : strlen(op));
        bst_strbuf_adds(out, last ? "" : op);
        p.text += len + (last ? 0 : strlen(op) + 1);
        p.len -= len + (last ? 0 : strlen(op) + 1);
    }
}

/* a < b: behind the operator when the left side fits; else the left side is broken. */
static void lay_out_comparison(bst_strbuf *out, piece p, const char *op, bool nested) {
    const size_t len = operand(p.text, p.len, op), op_len = strlen(op);
    const piece left = {p.text, len, p.at, op_len};
    if (fits(left)) {
        const size_t margin = p.at + (nested ? 4 : 0);
        bst_strbuf_add(out, p.text, len + op_len);
        break_line(out, margin);
        lay_out(out, (piece){p.text + len + op_len + 1, p.len - len - op_len - 1, margin, p.after},
                true);
        return;
    }
    lay_out(out, (piece){p.text, len, p.at, p.len - len + p.after}, nested);
    bst_strbuf_add(out, p.text + len, p.len - len);
}

/* a ? b : c, over three lines. */
static void lay_out_choice(bst_strbuf *out, piece p) {
    const size_t test = operand(p.text, p.len, " ?");
    const char *rest = p.text + test;
    const size_t yes = operand(rest, p.len - test, " :");
    lay_out(out, (piece){p.text, test, p.at, 0}, true);
    break_line(out, p.at + 4);
    lay_out(out, (piece){rest + 1, yes - 1, p.at + 4, 0}, true);
    break_line(out, p.at + 4);
    lay_out(out, (piece){rest + yes + 1, p.len - test - yes - 1, p.at + 4, p.after}, true);
}

/* f(a, b) or (a): inside the last brackets. */
static void lay_out_brackets(bst_strbuf *out, piece p) {
    size_t open = p.len;
    int depth = 0;
    while (open > 0 && (open == p.len || depth > 0)) {
        open--;
        depth += (p.text[open] == ')') - (p.text[open] == '(');
    }
    if (p.len == 0 || p.text[p.len - 1] != ')') {
        bst_strbuf_add(out, p.text, p.len);
        return;
    }
    bst_strbuf_add(out, p.text, open + 1);
    lay_out(out,
            (piece){p.text + open + 1, p.len - open - 2, p.at + columns_of(p.text, open + 1),
                    p.after + 1},
            false);
    bst_strbuf_addc(out, ')');
}

/* At the outermost level that has a place to break. */
static void lay_out(bst_strbuf *out, piece p, bool nested) {
    static const char *const comparisons[] = {" ==", " !=", " <=", " >=", " <", " >"};
    if (fits(p)) {
        bst_strbuf_add(out, p.text, p.len);
        return;
    }
    if (operand(p.text, p.len, ",") < p.len) {
        lay_out_chain(out, p, ",");
        return;
    }
    if (operand(p.text, p.len, " ?") < p.len) {
        lay_out_choice(out, p);
        return;
    }
    for (const char *const *op = (const char *const[]){" ||", " &&", NULL}; *op; op++) {
        if (operand(p.text, p.len, *op) < p.len) {
            lay_out_chain(out, p, *op);
            return;
        }
    }
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (operand(p.text, p.len, comparisons[i]) < p.len) {
            lay_out_comparison(out, p, comparisons[i], nested);
            return;
        }
    }
    lay_out_brackets(out, p);
}

/* What does not fit behind `x = ` but would on a line of its own gets one. */
static bool moves_down(const char *head, const char *expr, size_t indent) {
    const size_t len = strlen(expr), head_len = strlen(head);
    return head_len > 3 && strcmp(head + head_len - 3, " = ") == 0 &&
           !fits((piece){expr, len, indent + bst__c_columns(head), 1}) &&
           fits((piece){expr, len, indent + 4, 1});
}

void bst__c_add_statement(bst_strbuf *out, unsigned indent, const char *head, const char *expr) {
    bst_strbuf_add_spaces(out, indent);
    bst_strbuf_adds(out, head);
    size_t at = indent + bst__c_columns(head);
    if (moves_down(head, expr, indent)) {
        out->text[out->len - 1] = '\n'; /* was the space behind = */
        at = indent + 4;
        bst_strbuf_add_spaces(out, at);
    }
    lay_out(out, (piece){expr, strlen(expr), at, 1}, false);
    bst_strbuf_adds(out, ";\n");
}

/* ---- comments behind code ---- */

void bst__c_add_lines(bst_strbuf *out, unsigned indent, const bst__c_line *lines, size_t count) {
    size_t group_end = 0;
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        if (i >= group_end) {
            width = 0;
            for (group_end = i; group_end < count && lines[group_end].comment; group_end++) {
                const size_t columns = bst__c_columns(lines[group_end].code);
                width = columns > width ? columns : width;
            }
        }
        bst_strbuf_add_spaces(out, indent);
        bst_strbuf_adds(out, lines[i].code);
        if (lines[i].comment) {
            bst_strbuf_add_spaces(out, width - bst__c_columns(lines[i].code) + 1);
            bst_strbuf_adds(out, "/* ");
            add_plain(out, lines[i].comment);
            bst_strbuf_adds(out, " */");
        }
        bst_strbuf_addc(out, '\n');
    }
}

const char *bst__c_text(bst__c *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = bst_arena_vprintf(c->arena, format, args);
    va_end(args);
    if (!text) {
        c->failed = true;
        return "";
    }
    return text;
}

void *bst__c_array(bst__c *c, size_t count, size_t size) {
    void *items = bst_arena_array(c->arena, count, size);
    if (!items) {
        c->failed = true;
    }
    return items;
}

const char *bst__c_uint(uint32_t max) {
    return max <= UINT8_MAX ? "uint8_t" : max <= UINT16_MAX ? "uint16_t" : "uint32_t";
}
