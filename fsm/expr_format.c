/* Expressions, written out: one canonical text a tree. Compiling that text again gives a tree
 * with the same text.
 *
 * Brackets stand only where the grammar needs them; && and || are written as chains, however the
 * tree is balanced. Conversions are not written: where they are needed they come by themselves.
 */
#include "expr_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"

int bst__precedence(bst_expr_op op) {
    switch (op) {
    case BST_EXPR_COND:
        return 1;
    case BST_EXPR_OR:
        return 2;
    case BST_EXPR_AND:
        return 3;
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
    case BST_EXPR_IN:
        return 4;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
        return 5;
    case BST_EXPR_MUL:
        return 6;
    case BST_EXPR_NOT:
    case BST_EXPR_NEG:
        return 7;
    default:
        return 8;
    }
}

static const char *const op_texts[] = {
#define X(name, text) text,
    BST_EXPR_OP_LIST(X)
#undef X
};

const char *bst__op_text(bst_expr_op op) {
    return op_texts[op];
}

static void format(const bst_expr *e, int strength, bst_strbuf *out);

/* ---- leaves ---- */

static void format_text(const char *text, size_t len, bst_strbuf *out) {
    bst_strbuf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const char *short_escape = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
        if (short_escape != NULL) {
            bst_strbuf_adds(out, short_escape);
        } else if ((unsigned char)c < 0x20 || c == 0x7f) {
            bst_strbuf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
        } else {
            if (c == '"' || c == '\\') {
                bst_strbuf_addc(out, '\\');
            }
            bst_strbuf_addc(out, c);
        }
    }
    bst_strbuf_addc(out, '"');
}

static void format_time(bst_kind kind, int64_t value, bst_strbuf *out) {
    char text[BST_TIME_TEXT_MAX];
    const char *function = "duration";
    if (kind == BST_KIND_TIMESTAMPTZ) {
        function = "timestamp";
        (void)bst_time_format(value, text);
    } else if (kind == BST_KIND_DATE) {
        function = "date";
        (void)bst_date_format((int32_t)value, text);
    } else {
        (void)bst_duration_format(value, text);
    }
    bst_strbuf_addf(out, "%s(\"%s\")", function, text);
}

static void format_literal(const bst_expr *e, bst_strbuf *out) {
    char decimal[BST_DECIMAL_TEXT_MAX];
    const char *member = NULL;
    bst_strbuf uuid = BST_STRBUF_INIT;
    switch (e->type.kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, e->literal.u.i != 0 ? "true" : "false");
        break;
    case BST_KIND_DECIMAL:
        (void)bst_decimal_format(e->literal.u.i, e->type.scale, decimal);
        bst_strbuf_adds(out, decimal);
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        format_text(e->literal.u.text, e->literal.len, out);
        break;
    case BST_KIND_ENUM:
        member = e->type.members[e->literal.u.i];
        format_text(member, strlen(member), out);
        break;
    case BST_KIND_UUID:
        bst_value_to_text(&e->type, &e->literal, &uuid);
        format_text(uuid.text, uuid.len, out);
        bst_strbuf_release(&uuid);
        break;
    case BST_KIND_DATE:
    case BST_KIND_TIMESTAMPTZ:
    case BST_KIND_DURATION:
        format_time(e->type.kind, e->literal.u.i, out);
        break;
    default:
        bst_strbuf_add_int(out, e->literal.u.i);
        break;
    }
}

static bool is_plain_name(const char *name) {
    static const char *const words[] = {"true", "false", "null", "in"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(name, words[i]) == 0) {
            return false;
        }
    }
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return *name != '\0' && !(*name >= '0' && *name <= '9') && name[strspn(name, letters)] == '\0';
}

static void format_ref(const bst_expr *e, bst_strbuf *out) {
    const char *quote = is_plain_name(e->name) ? "" : "`";
    const char *prefix = e->root == BST_ROOT_COMMAND ? "command."
                         : e->root == BST_ROOT_EVENT ? "event."
                                                     : "";
    bst_strbuf_addf(out, "%s%s%s%s", prefix, quote, e->name, quote);
}

/* ---- operators ---- */

static void format_list(const bst_expr *const *args, uint32_t count, bst_strbuf *out) {
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(out, i == 0 ? "" : ", ");
        format(args[i], 1, out);
    }
}

static void format_binary(const bst_expr *e, bst_strbuf *out) {
    const int strength = bst__precedence(e->op);
    const bool chain = e->op == BST_EXPR_AND || e->op == BST_EXPR_OR;
    format(e->args[0], strength, out);
    bst_strbuf_addf(out, " %s ", bst__op_text(e->op));
    format(e->args[1], chain ? strength : strength + 1, out);
}

static void format_call(const bst_expr *e, bst_strbuf *out) {
    if (e->op == BST_EXPR_HAS || e->op == BST_EXPR_SIZE) {
        bst_strbuf_addf(out, "%s(", bst__op_text(e->op));
        format_list(e->args, 1, out);
    } else {
        format(e->args[0], 8, out);
        bst_strbuf_addf(out, ".%s(", bst__op_text(e->op));
        format_list(e->args + 1, e->arg_count - 1, out);
    }
    bst_strbuf_addc(out, ')');
}

static void format_op(const bst_expr *e, bst_strbuf *out) {
    const int strength = bst__precedence(e->op);
    switch (e->op) {
    case BST_EXPR_LITERAL:
        format_literal(e, out);
        break;
    case BST_EXPR_NULL:
        bst_strbuf_adds(out, "null");
        break;
    case BST_EXPR_REF:
        if (e->root == BST_ROOT_STATE) {
            bst_strbuf_addf(out, "state_in(\"%s\")", e->name);
            break;
        }
        if (e->root == BST_ROOT_LINKED) {
            bst_strbuf_addf(out, "%s()", e->name);
            break;
        }
        format_ref(e, out);
        break;
    case BST_EXPR_NOT:
    case BST_EXPR_NEG:
        bst_strbuf_adds(out, bst__op_text(e->op));
        format(e->args[0], strength, out);
        break;
    case BST_EXPR_COND:
        format(e->args[0], strength + 1, out);
        bst_strbuf_adds(out, " ? ");
        format(e->args[1], strength + 1, out);
        bst_strbuf_adds(out, " : ");
        format(e->args[2], strength, out);
        break;
    case BST_EXPR_IN:
        format(e->args[0], strength, out);
        bst_strbuf_adds(out, " in [");
        format_list(e->args + 1, e->arg_count - 1, out);
        bst_strbuf_addc(out, ']');
        break;
    case BST_EXPR_HAS:
    case BST_EXPR_SIZE:
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        format_call(e, out);
        break;
    default:
        format_binary(e, out);
        break;
    }
}

/* In brackets when it binds less than `strength`. */
static void format(const bst_expr *e, int strength, bst_strbuf *out) {
    while (e->op == BST_EXPR_CONVERT) {
        e = e->args[0];
    }
    const bool brackets = bst__precedence(e->op) < strength;
    bst_strbuf_adds(out, brackets ? "(" : "");
    format_op(e, out);
    bst_strbuf_adds(out, brackets ? ")" : "");
}

void bst_expr_format(const bst_expr *expr, bst_strbuf *out) {
    format(expr, 1, out);
}
