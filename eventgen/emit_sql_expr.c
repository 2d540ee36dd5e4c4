/* Expressions as SQL (PostgreSQL): the tree of expr.h, node for node.
 *
 * Numbers are bigint and numeric, which refuse what does not fit instead of wrapping it; where the
 * language knows a narrower range than numeric a cast checks it, left out where the digits of the
 * operands show that it fits. Durations are microseconds in a bigint: an interval has days whose
 * length depends on the session's time zone. What the interpreter refuses is an error of SQLSTATE
 * class 22 here.
 *
 * PostgreSQL promises an order of evaluation only for CASE. So && and || are AND and OR where
 * neither side can fail, and CASE elsewhere. And it computes constants when it plans, also those
 * that no row would come to: so constant parts are computed here, and one that fails becomes a
 * call of overflow(), which is volatile and hence left alone.
 */
#include "emit_sql_expr_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"

/* How tightly PostgreSQL's operators bind. */
enum {
    BINDS_OR = 1,
    BINDS_AND,
    BINDS_NOT,
    BINDS_EQUAL, /* IS and all comparisons; an operand of one binds tighter */
    BINDS_SUM,
    BINDS_PRODUCT,
    BINDS_PRIMARY
};

static void put(bst__sql_scope *s, const bst_expr *e, int binding, bst_strbuf *out);

static void open_call(bst__sql_scope *s, bst__sql_helper h, bst_strbuf *out) {
    static const char *const names[] = {
#define X(name, text) text,
        BST__SQL_HELPER_LIST(X)
#undef X
    };
    s->helpers |= UINT32_C(1) << h;
    bst_strbuf_addf(out, "%s.%s(", s->schema, names[h]);
}

/* What refuses in the place of a value of the type. */
static void put_overflow(bst__sql_scope *s, const bst_type *type, bst_strbuf *out) {
    open_call(s, BST__SQL_HELPER_OVERFLOW, out);
    bst_strbuf_adds(out, "NULL::");
    bst__sql_type(type, out);
    bst_strbuf_addc(out, ')');
}

static bool is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR;
}

/* ---- names, types and constants ---- */

static void put_int(int64_t value, bst_strbuf *out) {
    if (value == INT64_MIN) { /* -9223372036854775808 would be the negative of a numeric */
        bst_strbuf_adds(out, "'-9223372036854775808'::bigint");
        return;
    }
    bst_strbuf_adds(out, value < 0 ? "(" : "");
    bst_strbuf_add_int(out, value);
    bst_strbuf_adds(out, value < 0 ? ")" : "");
}

void bst__sql_constant(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    char digits[BST_DECIMAL_TEXT_MAX];
    if (!value->present) {
        bst_strbuf_adds(out, "NULL::");
        bst__sql_type(type, out);
        return;
    }
    switch (type->kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, value->u.i != 0 ? "true" : "false");
        break;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
    case BST_KIND_DURATION:
        put_int(value->u.i, out);
        break;
    case BST_KIND_DECIMAL: /* without a point it would be an integer, which computes in less */
        (void)bst_decimal_format(value->u.i, type->scale, digits);
        bst_strbuf_adds(out, value->u.i < 0 ? "(" : "");
        bst_strbuf_addf(out, "%s%s", digits, type->scale == 0 ? "::numeric" : "");
        bst_strbuf_adds(out, value->u.i < 0 ? ")" : "");
        break;
    default:
        bst_value_to_text(type, value, &text);
        bst__sql_text(text.text, text.len, out);
        if (!is_text(type->kind) && type->kind != BST_KIND_ENUM) {
            bst_strbuf_adds(out, "::");
            bst__sql_type(type, out);
        }
    }
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* ---- numbers ---- */

/* Whether PostgreSQL takes it for a bigint by itself, so that it computes in 64 bits. */
static bool is_wide(const bst_expr *e) {
    if (e->op == BST_EXPR_LITERAL) {
        return e->literal.u.i > INT32_MAX || e->literal.u.i < -INT32_MAX;
    }
    if (bst__sql_is_constant(e)) { /* written as its value */
        return false;
    }
    switch (e->op) {
    case BST_EXPR_COND:
        return is_wide(e->args[1]) && is_wide(e->args[2]);
    case BST_EXPR_SIZE:
        return false;
    default: /* + - * give bigint, see put_arithmetic() */
        return e->type.kind == BST_KIND_INT8 || e->type.kind == BST_KIND_DURATION;
    }
}

/* An operand of integer arithmetic, `wide` when it has to be a bigint. */
static void put_integer(bst__sql_scope *s, const bst_expr *e, bool wide, int binding,
                        bst_strbuf *out) {
    if (!wide || is_wide(e)) {
        put(s, e, binding, out);
        return;
    }
    put(s, e, BINDS_PRIMARY, out);
    bst_strbuf_adds(out, "::bigint");
}

static int binding_of_arithmetic(const bst_expr *e) {
    return e->op == BST_EXPR_MUL ? BINDS_PRODUCT : BINDS_SUM;
}

/* a + b on numbers and durations, not checked. */
static void put_sum(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool integers = e->type.kind != BST_KIND_DECIMAL;
    const int binding = binding_of_arithmetic(e);
    const bool cast = integers && !is_wide(e->args[0]) && !is_wide(e->args[1]);
    put_integer(s, e->args[0], cast, binding, out);
    bst_strbuf_addf(out, " %s ", e->op == BST_EXPR_ADD ? "+" : e->op == BST_EXPR_SUB ? "-" : "*");
    put(s, e->args[1], binding + 1, out);
}

/* Whether a cast stands round it: of what may have more than 18 digits. */
static bool is_checked(const bst_expr *e) {
    return e->type.kind == BST_KIND_DECIMAL && bst__sql_may_leave(e);
}

/* Times are computed in microseconds: time_at(microseconds(t) + 60000000). Those of a constant are
 * known; microseconds('infinity') would be refused even where it is never reached. */
static void put_time_operand(bst__sql_scope *s, const bst_expr *e, int binding, bst_strbuf *out) {
    static const bst_type count = {.kind = BST_KIND_INT8};
    bst_value time;
    if (e->type.kind != BST_KIND_TIMESTAMPTZ) {
        put(s, e, binding, out);
        return;
    }
    if (bst__sql_is_constant(e)) {
        if (bst__sql_evaluate(e, &time) && bst_time_is_finite(time.u.i)) {
            put_integer(s,
                        &(const bst_expr){.op = BST_EXPR_LITERAL, .type = count, .literal = time},
                        true, binding, out);
        } else {
            put_overflow(s, &count, out);
        }
        return;
    }
    open_call(s, BST__SQL_HELPER_MICROSECONDS, out);
    put(s, e, BINDS_OR, out);
    bst_strbuf_addc(out, ')');
}

static bool is_of_times(const bst_expr *e) {
    return e->args[0]->type.kind == BST_KIND_TIMESTAMPTZ ||
           e->args[1]->type.kind == BST_KIND_TIMESTAMPTZ;
}

static void put_arithmetic(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    if (is_of_times(e)) {
        const bool gives_time = e->type.kind == BST_KIND_TIMESTAMPTZ;
        if (gives_time) {
            open_call(s, BST__SQL_HELPER_TIME_AT, out);
        }
        put_time_operand(s, e->args[0], BINDS_SUM, out);
        bst_strbuf_addf(out, " %c ", e->op == BST_EXPR_ADD ? '+' : '-');
        put_time_operand(s, e->args[1], BINDS_PRODUCT, out);
        bst_strbuf_adds(out, gives_time ? ")" : "");
    } else if (is_checked(e)) {
        bst_strbuf_addc(out, '(');
        put_sum(s, e, out);
        bst_strbuf_adds(out, ")::");
        bst__sql_type(&e->type, out);
    } else {
        put_sum(s, e, out);
    }
}

/* The range of a conversion lies within that of the sum that it converts, so one check does. */
static void put_conversion(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bst_expr *arg = e->args[0];
    const bool is_sum =
        arg->op == BST_EXPR_ADD || arg->op == BST_EXPR_SUB || arg->op == BST_EXPR_MUL;
    if (bst__sql_is_number(e->type.kind)) {
        if (e->type.kind == BST_KIND_DECIMAL && is_sum && is_checked(arg)) {
            bst_strbuf_addc(out, '(');
            put_sum(s, arg, out);
            bst_strbuf_addc(out, ')');
        } else {
            put(s, arg, BINDS_PRIMARY, out);
        }
        bst_strbuf_adds(out, "::");
        bst__sql_type(&e->type, out);
        return;
    }
    if (e->type.kind != BST_KIND_TEXT && e->type.length > 0) {
        open_call(s, BST__SQL_HELPER_AT_MOST, out);
    }
    bst_strbuf_adds(out, e->type.kind == BST_KIND_CHAR ? "rtrim(" : "");
    put(s, arg, e->type.kind == BST_KIND_TEXT || e->type.length == 0 ? BINDS_PRIMARY : BINDS_OR,
        out);
    bst_strbuf_adds(out, e->type.kind == BST_KIND_CHAR ? ", ' ')" : "");
    if (e->type.kind != BST_KIND_TEXT && e->type.length > 0) {
        bst_strbuf_addf(out, ", %u)", (unsigned)e->type.length);
    }
}

/* ---- comparisons ---- */

/* == and != where a side may be absent: absent equals only absent. */
static void put_optional_equality(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool equal = e->op == BST_EXPR_EQ;
    for (int i = 0; i < 2; i++) {
        if (e->args[i]->op == BST_EXPR_NULL ||
            (e->args[i]->op == BST_EXPR_CONVERT && e->args[i]->args[0]->op == BST_EXPR_NULL)) {
            put(s, e->args[1 - i], BINDS_SUM, out);
            bst_strbuf_adds(out, equal ? " IS NULL" : " IS NOT NULL");
            return;
        }
    }
    put(s, e->args[0], BINDS_SUM, out);
    bst_strbuf_adds(out, equal ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
    put(s, e->args[1], BINDS_SUM, out);
}

static void put_comparison(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool equality = e->op == BST_EXPR_EQ || e->op == BST_EXPR_NE;
    if (equality && (e->args[0]->type.optional || e->args[1]->type.optional ||
                     e->args[0]->op == BST_EXPR_NULL || e->args[1]->op == BST_EXPR_NULL)) {
        put_optional_equality(s, e, out);
        return;
    }
    put(s, e->args[0], BINDS_SUM, out);
    bst_strbuf_addf(out, " %s ",
                    e->op == BST_EXPR_EQ   ? "="
                    : e->op == BST_EXPR_NE ? "<>"
                    : e->op == BST_EXPR_LT ? "<"
                    : e->op == BST_EXPR_LE ? "<="
                    : e->op == BST_EXPR_GT ? ">"
                                           : ">=");
    put(s, e->args[1], BINDS_SUM, out);
    if (!equality && is_text(e->args[0]->type.kind)) { /* byte by byte, in any locale */
        bst_strbuf_adds(out, " COLLATE \"C\"");
    }
}

/* IN stops at the first that is equal; the items of an array are all computed. */
static void put_in(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool all = bst__sql_can_fail(s, e);
    put(s, e->args[0], BINDS_SUM, out);
    bst_strbuf_adds(out, all ? " = ANY (ARRAY[" : " IN (");
    for (uint32_t i = 1; i < e->arg_count; i++) {
        bst_strbuf_adds(out, i == 1 ? "" : ", ");
        put(s, e->args[i], BINDS_OR, out);
    }
    bst_strbuf_adds(out, all ? "])" : ")");
}

/* ---- texts ---- */

static void put_text_test(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bst_expr *text = e->args[0], *part = e->args[1];
    switch (e->op) {
    case BST_EXPR_STARTS_WITH:
        bst_strbuf_adds(out, "starts_with(");
        put(s, text, BINDS_OR, out);
        bst_strbuf_adds(out, ", ");
        put(s, part, BINDS_OR, out);
        bst_strbuf_addc(out, ')');
        break;
    case BST_EXPR_ENDS_WITH:
        bst_strbuf_adds(out, "right(");
        put(s, text, BINDS_OR, out);
        bst_strbuf_adds(out, ", char_length(");
        put(s, part, BINDS_OR, out);
        bst_strbuf_adds(out, ")) = ");
        put(s, part, BINDS_SUM, out);
        break;
    default:
        bst_strbuf_adds(out, "strpos(");
        put(s, text, BINDS_OR, out);
        bst_strbuf_adds(out, ", ");
        put(s, part, BINDS_OR, out);
        bst_strbuf_adds(out, ") > 0");
    }
}

/* ---- the walk ---- */

/* Of x AND false the planner would make false, and go on from there. */
static bool by_case(const bst__sql_scope *s, const bst_expr *e) {
    return bst__sql_can_fail(s, e->args[0]) || bst__sql_can_fail(s, e->args[1]) ||
           bst__sql_is_constant(e->args[1]);
}

static void put_logic(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool is_and = e->op == BST_EXPR_AND;
    if (by_case(s, e)) {
        bst_strbuf_adds(out, "CASE WHEN ");
        put(s, e->args[0], BINDS_OR, out);
        bst_strbuf_adds(out, is_and ? " THEN " : " THEN true ELSE ");
        put(s, e->args[1], BINDS_OR, out);
        bst_strbuf_adds(out, is_and ? " ELSE false END" : " END");
        return;
    }
    put(s, e->args[0], is_and ? BINDS_AND : BINDS_OR, out);
    bst_strbuf_adds(out, is_and ? " AND " : " OR ");
    put(s, e->args[1], is_and ? BINDS_AND : BINDS_OR, out);
}

static void put_cond(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    bst_strbuf_adds(out, "CASE WHEN ");
    put(s, e->args[0], BINDS_OR, out);
    bst_strbuf_adds(out, " THEN ");
    put(s, e->args[1], BINDS_OR, out);
    bst_strbuf_adds(out, " ELSE ");
    put(s, e->args[2], BINDS_OR, out);
    bst_strbuf_adds(out, " END");
}

static void put_ref(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool ask = bst__sql_is_unsure(s, e);
    if (ask) {
        open_call(s, BST__SQL_HELPER_REQUIRED, out);
    }
    s->put_ref(s->context, e, out);
    bst_strbuf_adds(out, ask ? ")" : "");
}

static int binding_of(const bst__sql_scope *s, const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        return by_case(s, e) ? BINDS_PRIMARY : e->op == BST_EXPR_AND ? BINDS_AND : BINDS_OR;
    case BST_EXPR_NOT:
        return e->args[0]->op == BST_EXPR_HAS ? BINDS_EQUAL : BINDS_NOT;
    case BST_EXPR_HAS:
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
    case BST_EXPR_IN:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        return BINDS_EQUAL;
    case BST_EXPR_NEG:
        return BINDS_SUM;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        return e->type.kind == BST_KIND_TIMESTAMPTZ || is_checked(e) ? BINDS_PRIMARY
                                                                     : binding_of_arithmetic(e);
    default:
        return BINDS_PRIMARY;
    }
}

static void put_bare(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    switch (e->op) {
    case BST_EXPR_LITERAL:
        bst__sql_constant(&e->type, &e->literal, out);
        break;
    case BST_EXPR_NULL:
        bst_strbuf_adds(out, "NULL");
        break;
    case BST_EXPR_REF:
        put_ref(s, e, out);
        break;
    case BST_EXPR_HAS:
        s->put_ref(s->context, e->args[0], out);
        bst_strbuf_adds(out, " IS NOT NULL");
        break;
    case BST_EXPR_NOT:
        if (e->args[0]->op == BST_EXPR_HAS) {
            s->put_ref(s->context, e->args[0]->args[0], out);
            bst_strbuf_adds(out, " IS NULL");
            break;
        }
        bst_strbuf_adds(out, "NOT ");
        put(s, e->args[0], BINDS_NOT, out);
        break;
    case BST_EXPR_NEG: /* two of them would begin a comment */
        bst_strbuf_adds(out, "- ");
        put_integer(s, e->args[0], e->type.kind == BST_KIND_INT8, BINDS_PRIMARY, out);
        break;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        put_arithmetic(s, e, out);
        break;
    case BST_EXPR_CONVERT:
        put_conversion(s, e, out);
        break;
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        put_logic(s, e, out);
        break;
    case BST_EXPR_IN:
        put_in(s, e, out);
        break;
    case BST_EXPR_COND:
        put_cond(s, e, out);
        break;
    case BST_EXPR_SIZE:
        bst_strbuf_adds(out, "char_length(");
        put(s, e->args[0], BINDS_OR, out);
        bst_strbuf_addc(out, ')');
        break;
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        put_text_test(s, e, out);
        break;
    default:
        put_comparison(s, e, out);
    }
}

/* A part without names has its value already. */
static void put_constant(bst__sql_scope *s, const bst_expr *e, bst_strbuf *out) {
    bst_value value;
    if (bst__sql_evaluate(e, &value)) {
        bst__sql_constant(&e->type, &value, out);
        return;
    }
    put_overflow(s, &e->type, out);
}

/* In brackets when it binds less tightly than the place asks for. */
static void put(bst__sql_scope *s, const bst_expr *e, int binding, bst_strbuf *out) {
    const bool leaf = e->op == BST_EXPR_LITERAL || e->op == BST_EXPR_NULL;
    const bst_expr *part = bst__sql_reached(e);
    if (!leaf && bst__sql_is_constant(e)) {
        put_constant(s, e, out);
        return;
    }
    if (part != e) {
        put(s, part, binding, out);
        return;
    }
    const bool brackets = binding_of(s, e) < binding;
    bst_strbuf_adds(out, brackets ? "(" : "");
    put_bare(s, e, out);
    bst_strbuf_adds(out, brackets ? ")" : "");
}

void bst__sql_value(bst__sql_scope *scope, const bst_expr *expr, bst_strbuf *out) {
    put(scope, expr, BINDS_OR, out);
}
