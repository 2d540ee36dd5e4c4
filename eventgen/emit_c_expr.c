/* Expressions as C: the tree of expr.h, node for node, with C's own operators where they mean the
 * same.
 *
 * An expression stays one expression, so && || ?: evaluate from left to right and only what they
 * need, as in the interpreter. What the interpreter would stop at (a result out of its range) sets
 * a bool and goes on with any value; who asked looks at the bool before the result. Arithmetic and
 * whatever C has no operator for are calls of small helpers.
 *
 * A value that may be absent is two expressions, one for the value and one for whether it is there.
 */
#include "emit_c_expr_private.h"

/* How tightly C's operators bind. */
enum {
    BINDS_COND = 1,
    BINDS_OR,
    BINDS_AND,
    BINDS_EQUAL, /* and all other comparisons */
    BINDS_UNARY,
    BINDS_PRIMARY
};

static void put(bst__c_scope *s, const bst_expr *e, int binding, bst_strbuf *out);

static void open_call(bst__c_scope *s, bst__c_helper h, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s(", bst__c_use_helper(s, h));
}

/* ---- presence ---- */

static void put_field(bst__c_scope *s, const bst_expr *ref, const char *member, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s->%s", s->pointer[ref->root], member);
}

static bool is_always_present(const bst__c_scope *s, const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_REF:
        return !e->type.optional;
    case BST_EXPR_NULL:
        return false;
    case BST_EXPR_CONVERT:
        return is_always_present(s, e->args[0]);
    case BST_EXPR_COND:
        return is_always_present(s, e->args[1]) && is_always_present(s, e->args[2]);
    default:
        return true;
    }
}

static bool is_never_present(const bst_expr *e) {
    return e->op == BST_EXPR_NULL || (e->op == BST_EXPR_CONVERT && is_never_present(e->args[0]));
}

/* A required field read by an event that creates is there unless this is the creation. */
static void put_field_present(bst__c_scope *s, const bst_expr *ref, bst_strbuf *out) {
    const bst__c_field *f = bst__c_field_of(s, ref);
    if (f->has) {
        put_field(s, ref, f->has, out);
    } else if (ref->root == BST_ROOT_ENTITY && ref->type.optional) {
        bst_strbuf_addf(out, "(%s->state != %s)", s->pointer[ref->root], s->c->states[0]);
    } else {
        bst_strbuf_adds(out, "true");
    }
}

void bst__c_present(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    if (is_always_present(s, e)) {
        bst_strbuf_adds(out, "true");
        return;
    }
    switch (e->op) {
    case BST_EXPR_REF:
        put_field_present(s, e, out);
        break;
    case BST_EXPR_CONVERT:
        bst__c_present(s, e->args[0], out);
        break;
    case BST_EXPR_COND:
        if (is_always_present(s, e->args[1]) && is_never_present(e->args[2])) {
            put(s, e->args[0], BINDS_PRIMARY, out);
            break;
        }
        bst_strbuf_addc(out, '(');
        put(s, e->args[0], BINDS_OR, out);
        bst_strbuf_adds(out, " ? ");
        bst__c_present(s, e->args[1], out);
        bst_strbuf_adds(out, " : ");
        bst__c_present(s, e->args[2], out);
        bst_strbuf_addc(out, ')');
        break;
    default:
        bst_strbuf_adds(out, "false");
    }
}

/* ---- arithmetic ---- */

/* A call with the flag as last argument is opened and closed around its arguments. */
static void close_checked(const bst__c_scope *s, bst_strbuf *out) {
    bst_strbuf_addf(out, ", %s)", s->overflow);
}

/* The operand in units of `scale`. */
static void put_scaled(bst__c_scope *s, const bst_expr *e, int scale, int binding,
                       bst_strbuf *out) {
    const int missing = scale - bst__c_scale_of(&e->type);
    if (missing <= 0) {
        put(s, e, binding, out);
        return;
    }
    open_call(s, BST__C_HELPER_MULTIPLY, out);
    put(s, e, BINDS_COND, out);
    bst_strbuf_adds(out, ", ");
    bst__c_put_int(bst__c_power_of_ten(missing), out);
    close_checked(s, out);
}

static void close_within(const bst__c_scope *s, const char *range, bst_strbuf *out) {
    bst_strbuf_addf(out, ", %s", range);
    close_checked(s, out);
}

static void close_bounded(const bst__c_scope *s, int precision, bst_strbuf *out) {
    bst_strbuf_adds(out, ", ");
    bst__c_put_int(bst__c_power_of_ten(precision) - 1, out);
    close_checked(s, out);
}

static bool is_time(const bst_expr *e) {
    return e->type.kind == BST_KIND_TIMESTAMPTZ;
}

/* A timestamp that something is added to must be finite, and so must the result. */
static void put_operand(bst__c_scope *s, const bst_expr *e, int scale, bst_strbuf *out) {
    if (!is_time(e)) {
        put_scaled(s, e, scale, BINDS_COND, out);
        return;
    }
    open_call(s, BST__C_HELPER_TIME, out);
    put(s, e, BINDS_COND, out);
    close_checked(s, out);
}

/* `digits`: a decimal is bounded to 18 of them; not where a conversion around it bounds it more
 * narrowly. */
static bst__c_helper arithmetic_helper(const bst_expr *e, bool digits) {
    const bool decimal = e->type.kind == BST_KIND_DECIMAL && digits;
    switch (e->op) {
    case BST_EXPR_ADD:
        return decimal ? BST__C_HELPER_ADD_DECIMAL : BST__C_HELPER_ADD;
    case BST_EXPR_SUB:
        return decimal ? BST__C_HELPER_SUBTRACT_DECIMAL : BST__C_HELPER_SUBTRACT;
    default:
        return decimal ? BST__C_HELPER_MULTIPLY_DECIMAL : BST__C_HELPER_MULTIPLY;
    }
}

static void put_arithmetic(bst__c_scope *s, const bst_expr *e, bool digits, bst_strbuf *out) {
    const int scale = e->op == BST_EXPR_MUL ? 0 : bst__c_scale_of(&e->type);
    if (is_time(e)) {
        open_call(s, BST__C_HELPER_TIME, out);
    }
    open_call(s, arithmetic_helper(e, digits), out);
    put_operand(s, e->args[0], scale, out);
    bst_strbuf_adds(out, ", ");
    put_operand(s, e->args[1], scale, out);
    close_checked(s, out);
    if (is_time(e)) {
        close_checked(s, out);
    }
}

static void put_negation(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s(0, ", bst__c_use_helper(s, BST__C_HELPER_SUBTRACT));
    put(s, e->args[0], BINDS_COND, out);
    close_checked(s, out);
}

/* ---- conversions ---- */

static void put_text_conversion(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool bounded = e->type.kind != BST_KIND_TEXT && e->type.length > 0;
    const bool stripped = e->type.kind == BST_KIND_CHAR;
    if (bounded) {
        open_call(s, BST__C_HELPER_AT_MOST, out);
    }
    if (stripped) {
        open_call(s, BST__C_HELPER_STRIPPED, out);
    }
    put(s, e->args[0], bounded || stripped ? BINDS_COND : BINDS_PRIMARY, out);
    bst_strbuf_adds(out, stripped ? ")" : "");
    if (bounded) {
        bst_strbuf_addf(out, ", %u", (unsigned)e->type.length);
        close_checked(s, out);
    }
}

static void put_number_conversion(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bst_expr *arg = e->args[0];
    const int scale = bst__c_scale_of(&e->type);
    const bool narrower = e->type.kind == BST_KIND_DECIMAL && e->type.precision <= 18 &&
                          arg->type.kind == BST_KIND_DECIMAL && arg->type.scale == scale;
    const bool is_sum =
        arg->op == BST_EXPR_ADD || arg->op == BST_EXPR_SUB || arg->op == BST_EXPR_MUL;
    if (bst__c_conversion_is_safe(&arg->type, &e->type) &&
        scale > 0) { /* nothing to check, or to set */
        bst_strbuf_adds(out, "((int64_t)");
        put(s, arg, BINDS_PRIMARY, out);
        bst_strbuf_adds(out, " * ");
        bst__c_put_int(bst__c_power_of_ten(scale), out);
        bst_strbuf_addc(out, ')');
        return;
    }
    if (bst__c_conversion_is_safe(&arg->type, &e->type) || e->type.kind == BST_KIND_INT8) {
        put_scaled(s, arg, scale, BINDS_PRIMARY, out);
        return;
    }
    open_call(s, e->type.kind == BST_KIND_DECIMAL ? BST__C_HELPER_BOUNDED : BST__C_HELPER_WITHIN,
              out);
    if (narrower && is_sum) {
        put_arithmetic(s, arg, false, out);
    } else {
        put_scaled(s, arg, scale, BINDS_COND, out);
    }
    if (e->type.kind == BST_KIND_DECIMAL) {
        close_bounded(s, e->type.precision, out);
    } else if (e->type.kind == BST_KIND_INT2) {
        close_within(s, "INT16_MIN, INT16_MAX", out);
    } else {
        close_within(s, "INT32_MIN, INT32_MAX", out);
    }
}

/* What is absent stays absent, and is not converted. */
static void put_conversion(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool ask = !is_always_present(s, e->args[0]);
    if (e->args[0]->op == BST_EXPR_NULL) {
        bst__c_zero(s, &e->type, false, out);
        return;
    }
    if (ask) {
        bst_strbuf_addc(out, '(');
        bst__c_present(s, e->args[0], out);
        bst_strbuf_adds(out, " ? ");
    }
    if (bst__c_is_number(e->type.kind)) {
        put_number_conversion(s, e, out);
    } else {
        put_text_conversion(s, e, out);
    }
    if (ask) {
        bst_strbuf_adds(out, " : ");
        bst__c_zero(s, &e->type, false, out);
        bst_strbuf_addc(out, ')');
    }
}

/* ---- comparisons ---- */

static const char *op_text(bst_expr_op op) {
    static const char *const texts[] = {
#define X(name, text) text,
        BST_EXPR_OP_LIST(X)
#undef X
    };
    return texts[op];
}

/* The literal in units of `scale`, if that is exact and fits; then no conversion is left for run
 * time. */
static bool literal_units(const bst_expr *e, int scale, int64_t *ret) {
    if (e->op != BST_EXPR_LITERAL || scale < bst__c_scale_of(&e->type)) {
        return false;
    }
    return !__builtin_mul_overflow(e->literal.u.i,
                                   bst__c_power_of_ten(scale - bst__c_scale_of(&e->type)), ret);
}

/* b OP a for a OP b */
static bst_expr_op mirrored(bst_expr_op op) {
    switch (op) {
    case BST_EXPR_LT:
        return BST_EXPR_GT;
    case BST_EXPR_LE:
        return BST_EXPR_GE;
    case BST_EXPR_GT:
        return BST_EXPR_LT;
    case BST_EXPR_GE:
        return BST_EXPR_LE;
    default:
        return op;
    }
}

/* `compare_scaled(a, 100, b) < 0`: a counts in coarser units than b. */
static void put_scaled_comparison(bst__c_scope *s, bst_expr_op op, const bst_expr *const args[2],
                                  bst_strbuf *out) {
    const int a = bst__c_scale_of(&args[0]->type), b = bst__c_scale_of(&args[1]->type);
    const bool swap = a > b;
    open_call(s, BST__C_HELPER_COMPARE_SCALED, out);
    put(s, args[swap], BINDS_COND, out);
    bst_strbuf_adds(out, ", ");
    bst__c_put_int(bst__c_power_of_ten(swap ? a - b : b - a), out);
    bst_strbuf_adds(out, ", ");
    put(s, args[!swap], BINDS_COND, out);
    bst_strbuf_addf(out, ") %s 0", op_text(swap ? mirrored(op) : op));
}

/* Whether a literal lies outside of what the other side's C type can hold: compilers ask about
 * that. */
static bool is_beyond(const bst_expr *literal, const bst_expr *other) {
    const int64_t value = literal->literal.u.i;
    const bst_kind kind = other->type.kind;
    const int64_t max = kind == BST_KIND_INT2                            ? INT16_MAX
                        : kind == BST_KIND_INT4 || kind == BST_KIND_DATE ? INT32_MAX
                                                                         : INT64_MAX;
    return literal->op == BST_EXPR_LITERAL && (value > max || value < -max);
}

/* x == x and the like: always the same, and compilers ask whether that is meant. */
static bool is_foregone(const bst_expr *const args[2]) {
    return bst_expr_equal(args[0], args[1]) || is_beyond(args[0], args[1]) ||
           is_beyond(args[1], args[0]);
}

static void put_number_comparison(bst__c_scope *s, bst_expr_op op, const bst_expr *const args[2],
                                  bst_strbuf *out) {
    const int a = bst__c_scale_of(&args[0]->type), b = bst__c_scale_of(&args[1]->type);
    /* !x == y would make compilers ask whether !(x == y) is meant */
    const int binding = args[0]->type.kind == BST_KIND_BOOL ? BINDS_PRIMARY : BINDS_UNARY;
    int64_t units;
    if (is_foregone(args)) {
        put_scaled_comparison(s, op, args, out);
    } else if (a == b) {
        put(s, args[0], binding, out);
        bst_strbuf_addf(out, " %s ", op_text(op));
        put(s, args[1], binding, out);
    } else if (literal_units(args[1], a, &units)) {
        put(s, args[0], binding, out);
        bst_strbuf_addf(out, " %s ", op_text(op));
        bst__c_put_int(units, out);
    } else if (literal_units(args[0], b, &units)) {
        bst__c_put_int(units, out);
        bst_strbuf_addf(out, " %s ", op_text(op));
        put(s, args[1], binding, out);
    } else {
        put_scaled_comparison(s, op, args, out);
    }
}

/* Both sides are there. `op` is one of C's six. Binds as BINDS_EQUAL at least. */
static void put_relation(bst__c_scope *s, bst_expr_op op, const bst_expr *const args[2],
                         bst_strbuf *out) {
    const bst_kind kind = args[0]->type.kind;
    const bool equality = op == BST_EXPR_EQ || op == BST_EXPR_NE;
    if (!bst__c_is_text(kind) && kind != BST_KIND_UUID) {
        put_number_comparison(s, op, args, out);
        return;
    }
    const char *const function =
        bst__c_use_helper(s, kind == BST_KIND_UUID ? BST__C_HELPER_SAME_UUID
                             : equality            ? BST__C_HELPER_SAME_TEXT
                                                   : BST__C_HELPER_COMPARE_TEXT);
    bst_strbuf_addf(out, "%s%s(", op == BST_EXPR_NE ? "!" : "", function);
    put(s, args[0], BINDS_COND, out);
    bst_strbuf_adds(out, ", ");
    put(s, args[1], BINDS_COND, out);
    bst_strbuf_addc(out, ')');
    if (!equality) {
        bst_strbuf_addf(out, " %s 0", op_text(op));
    }
}

/* A side that may overflow has to be evaluated whether the other one is there or not: as an
 * argument of a function. Numbers: `same_optional(has_a, a, 100, has_b, b)`, a in coarser units
 * than b. */
static void put_optional_call(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bst_kind kind = e->args[0]->type.kind;
    const bool is_int = !bst__c_is_text(kind) && kind != BST_KIND_UUID;
    const int a = bst__c_scale_of(&e->args[0]->type), b = bst__c_scale_of(&e->args[1]->type);
    const bool swap = a > b;
    bst_strbuf_addf(out, "%s%s(", e->op == BST_EXPR_NE ? "!" : "",
                    bst__c_use_helper(s, bst__c_is_text(kind) ? BST__C_HELPER_SAME_OPTIONAL_TEXT
                                         : is_int             ? BST__C_HELPER_SAME_OPTIONAL
                                                              : BST__C_HELPER_SAME_OPTIONAL_UUID));
    for (int i = 0; i < 2; i++) {
        const bst_expr *side = e->args[swap ? 1 - i : i];
        bst_strbuf_adds(out, i == 0 ? "" : ", ");
        bst__c_present(s, side, out);
        bst_strbuf_adds(out, ", ");
        put(s, side, BINDS_COND, out);
        if (is_int && i == 0) {
            bst_strbuf_adds(out, ", ");
            bst__c_put_int(bst__c_power_of_ten(swap ? a - b : b - a), out);
        }
    }
    bst_strbuf_addc(out, ')');
}

/* x == null */
static void put_absence(bst__c_scope *s, const bst_expr *e, const bst_expr *x, bst_strbuf *out) {
    bst_strbuf_adds(out, e->op == BST_EXPR_EQ ? "!" : "");
    bst__c_present(s, x, out);
}

/* == and != where a side may be absent: absent equals only absent. In brackets. */
static void put_optional_equality(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bst_expr *a = e->args[0], *b = e->args[1];
    const bool a_sure = is_always_present(s, a), b_sure = is_always_present(s, b);
    if (bst__c_can_fail(s, a) || bst__c_can_fail(s, b) || bst_expr_equal(a, b)) {
        put_optional_call(s, e, out);
        return;
    }
    if (e->op == BST_EXPR_NE) {
        bst_strbuf_addc(out, '!');
    }
    bst_strbuf_addc(out, '(');
    bst__c_present(s, a_sure ? b : a, out);
    if (!a_sure && !b_sure) {
        bst_strbuf_adds(out, " == ");
        bst__c_present(s, b, out);
        bst_strbuf_adds(out, " && (!");
        bst__c_present(s, a, out);
        bst_strbuf_adds(out, " || ");
    } else {
        bst_strbuf_adds(out, " && ");
    }
    put_relation(s, BST_EXPR_EQ, e->args, out);
    bst_strbuf_adds(out, !a_sure && !b_sure ? "))" : ")");
}

static void put_comparison(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    if (e->args[1]->op == BST_EXPR_NULL || e->args[0]->op == BST_EXPR_NULL) {
        put_absence(s, e, e->args[e->args[0]->op == BST_EXPR_NULL], out);
    } else if (!is_always_present(s, e->args[0]) || !is_always_present(s, e->args[1])) {
        put_optional_equality(s, e, out);
    } else {
        put_relation(s, e->op, e->args, out);
    }
}

/* x in [a, b] is x == a || x == b. The interpreter evaluates every item, which shows only where one
 * can overflow. */
static void put_in(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool all = bst__c_can_fail(s, e);
    if (e->arg_count < 2) {
        bst_strbuf_adds(out, "false");
        return;
    }
    for (uint32_t i = 1; all && i + 1 < e->arg_count; i++) {
        open_call(s, BST__C_HELPER_EITHER, out);
    }
    bst_strbuf_adds(out, all ? "" : "(");
    for (uint32_t i = 1; i < e->arg_count; i++) {
        const bst_expr *const pair[2] = {e->args[0], e->args[i]};
        bst_strbuf_adds(out, i == 1 ? "" : all ? ", " : " || ");
        put_relation(s, BST_EXPR_EQ, pair, out);
        bst_strbuf_adds(out, all && i > 1 ? ")" : "");
    }
    bst_strbuf_adds(out, all ? "" : ")");
}

/* ---- the walk ---- */

static void put_call(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s(",
                    bst__c_use_helper(s, e->op == BST_EXPR_SIZE          ? BST__C_HELPER_CHARACTERS
                                         : e->op == BST_EXPR_STARTS_WITH ? BST__C_HELPER_STARTS_WITH
                                         : e->op == BST_EXPR_ENDS_WITH   ? BST__C_HELPER_ENDS_WITH
                                                                         : BST__C_HELPER_CONTAINS));
    for (uint32_t i = 0; i < e->arg_count; i++) {
        bst_strbuf_adds(out, i == 0 ? "" : ", ");
        put(s, e->args[i], BINDS_COND, out);
    }
    bst_strbuf_addc(out, ')');
}

static void put_ref(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    if (e->root == BST_ROOT_STATE) { /* a state of another region */
        bst_strbuf_addf(out, "asks_%u(%s)", (unsigned)e->index, s->pointer[BST_ROOT_ENTITY]);
        return;
    }
    if (e->root == BST_ROOT_LINKED) {
        bst_strbuf_addf(out, "%s(%s, asked)", e->name, s->pointer[BST_ROOT_ENTITY]);
        return;
    }
    const bst__c_field *f = bst__c_field_of(s, e);
    if (!bst__c_is_unsure(s, e)) {
        put_field(s, e, f->member, out);
        return;
    }
    bst_strbuf_addf(out, "(%s(", bst__c_use_helper(s, BST__C_HELPER_KNOWN));
    put_field(s, e, f->has, out);
    bst_strbuf_addf(out, ", %s) ? ", s->absent);
    put_field(s, e, f->member, out);
    bst_strbuf_adds(out, " : ");
    bst__c_zero(s, &e->type, false, out);
    bst_strbuf_addc(out, ')');
}

static void put_logic(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    const bool is_and = e->op == BST_EXPR_AND;
    /* && inside || in brackets all the same: compilers ask for them */
    for (uint32_t i = 0; i < 2; i++) {
        const bool same = e->args[i]->op == e->op;
        bst_strbuf_adds(out, i == 0 ? "" : is_and ? " && " : " || ");
        put(s, e->args[i], same ? BINDS_OR : BINDS_EQUAL, out);
    }
}

/* == and != of texts and uuids are calls, with a ! before them or without. */
static int binding_of_equality(const bst_expr *e) {
    const bst_kind kind = e->args[0]->type.kind;
    if (!bst__c_is_text(kind) && kind != BST_KIND_UUID) {
        return BINDS_EQUAL;
    }
    return e->op == BST_EXPR_NE ? BINDS_UNARY : BINDS_PRIMARY;
}

static int binding_of(const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_AND:
        return BINDS_AND;
    case BST_EXPR_OR:
        return BINDS_OR;
    case BST_EXPR_COND:
        return BINDS_COND;
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
        return binding_of_equality(e);
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
        return BINDS_EQUAL;
    case BST_EXPR_LITERAL:
        return bst__c_is_number(e->type.kind) && e->literal.u.i < 0 ? BINDS_UNARY : BINDS_PRIMARY;
    case BST_EXPR_NOT:
        return BINDS_UNARY;
    default:
        return BINDS_PRIMARY;
    }
}

static void put_bare(bst__c_scope *s, const bst_expr *e, bst_strbuf *out) {
    switch (e->op) {
    case BST_EXPR_LITERAL:
        bst__c_constant(s, &e->type, &e->literal, false, out);
        break;
    case BST_EXPR_NULL:
        bst__c_zero(s, &e->type, false, out);
        break;
    case BST_EXPR_REF:
        put_ref(s, e, out);
        break;
    case BST_EXPR_HAS:
        put_field_present(s, e->args[0], out);
        break;
    case BST_EXPR_NOT:
        bst_strbuf_addc(out, '!');
        put(s, e->args[0], BINDS_UNARY, out);
        break;
    case BST_EXPR_NEG:
        put_negation(s, e, out);
        break;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        put_arithmetic(s, e, true, out);
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
        put(s, e->args[0], BINDS_OR, out);
        bst_strbuf_adds(out, " ? ");
        put(s, e->args[1], BINDS_OR, out);
        bst_strbuf_adds(out, " : ");
        put(s, e->args[2], BINDS_COND, out);
        break;
    case BST_EXPR_SIZE:
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        put_call(s, e, out);
        break;
    default:
        put_comparison(s, e, out);
        break;
    }
}

/* In brackets when it binds less tightly than the place asks for. */
static void put(bst__c_scope *s, const bst_expr *e, int binding, bst_strbuf *out) {
    const bool brackets = binding_of(e) < binding;
    bst_strbuf_adds(out, brackets ? "(" : "");
    put_bare(s, e, out);
    bst_strbuf_adds(out, brackets ? ")" : "");
}

void bst__c_value(bst__c_scope *scope, const bst_expr *expr, bst_strbuf *out) {
    put(scope, expr, BINDS_COND, out);
}
