/* What an expression needs in SQL: which parts are constants, and are computed here; and which can
 * fail, so that it matters whether they are evaluated. The digits of operands show what cannot
 * leave its range.
 */
#include "emit_sql_expr_private.h"

#include "backstory/decimal.h"

bool bst__sql_is_number(bst_kind kind) {
    return kind == BST_KIND_INT2 || kind == BST_KIND_INT4 || kind == BST_KIND_INT8 ||
           kind == BST_KIND_DECIMAL;
}

bool bst__sql_evaluate(const bst_expr *constant, bst_value *ret) {
    static const bst_records nothing;
    return bst_expr_eval(constant, &nothing, ret) == BST_EVAL_OK;
}

static bool chooses(const bst_expr *e) {
    return e->op == BST_EXPR_AND || e->op == BST_EXPR_OR || e->op == BST_EXPR_COND;
}

const bst_expr *bst__sql_reached(const bst_expr *e) {
    bst_value test;
    if (!chooses(e) || !bst__sql_is_constant(e->args[0])) {
        return e;
    }
    if (!bst__sql_evaluate(e->args[0], &test)) {
        return e->args[0];
    }
    if (e->op == BST_EXPR_COND) {
        return e->args[test.u.i != 0 ? 1 : 2];
    }
    return e->args[(test.u.i != 0) == (e->op == BST_EXPR_AND) ? 1 : 0];
}

bool bst__sql_is_constant(const bst_expr *e) {
    if (chooses(e)) {
        const bst_expr *part = bst__sql_reached(e);
        return part != e && bst__sql_is_constant(part);
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!bst__sql_is_constant(e->args[i])) {
            return false;
        }
    }
    return e->op != BST_EXPR_REF;
}

static int literal_digits(int64_t units, int scale) {
    int digits = 0;
    for (; units != 0; units /= 10) {
        digits++;
    }
    return digits > scale ? digits - scale : 0;
}

/* A bound of the digits before the point; only of numbers. */
static int whole_digits(const bst_expr *e) {
    const int scale = e->type.kind == BST_KIND_DECIMAL ? e->type.scale : 0;
    const int of_type = e->type.kind == BST_KIND_INT2   ? 5
                        : e->type.kind == BST_KIND_INT4 ? 10
                        : e->type.kind == BST_KIND_INT8 ? 19
                                                        : e->type.precision - scale;
    int digits = of_type;
    if (e->op == BST_EXPR_LITERAL) {
        digits = literal_digits(e->literal.u.i, scale);
    } else if (e->op == BST_EXPR_ADD || e->op == BST_EXPR_SUB) {
        const int a = whole_digits(e->args[0]), b = whole_digits(e->args[1]);
        digits = (a > b ? a : b) + 1;
    } else if (e->op == BST_EXPR_MUL) {
        digits = whole_digits(e->args[0]) + whole_digits(e->args[1]);
    } else if (e->op == BST_EXPR_NEG) {
        digits = whole_digits(e->args[0]);
    }
    return digits < of_type ? digits : of_type;
}

bool bst__sql_may_leave(const bst_expr *e) {
    if (!bst__sql_is_number(e->type.kind)) {
        return true;
    }
    const int a = whole_digits(e->args[0]), b = whole_digits(e->args[1]);
    const int digits = e->op == BST_EXPR_MUL ? a + b : (a > b ? a : b) + 1;
    return digits >
           (e->type.kind == BST_KIND_DECIMAL ? BST_DECIMAL_DIGITS_MAX - e->type.scale : 18);
}

static bool conversion_is_safe(const bst_expr *e) {
    const bst_expr *arg = e->args[0];
    if (arg->op == BST_EXPR_NULL) {
        return true;
    }
    if (!bst__sql_is_number(e->type.kind)) {
        return e->type.kind == BST_KIND_TEXT || e->type.length == 0;
    }
    return e->type.kind == BST_KIND_DECIMAL
               ? whole_digits(arg) <= e->type.precision - e->type.scale
               : arg->type.kind != BST_KIND_DECIMAL && arg->type.kind <= e->type.kind;
}

bool bst__sql_is_unsure(const bst__sql_scope *s, const bst_expr *ref) {
    return !ref->type.optional && s->is_unsure != NULL && s->is_unsure(s->context, ref);
}

bool bst__sql_can_fail(const bst__sql_scope *s, const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_REF:
        return bst__sql_is_unsure(s, e);
    case BST_EXPR_HAS:
        return false;
    case BST_EXPR_NEG:
        if (whole_digits(e->args[0]) > 18) {
            return true;
        }
        break;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        if (bst__sql_may_leave(e)) {
            return true;
        }
        break;
    case BST_EXPR_CONVERT:
        if (!conversion_is_safe(e)) {
            return true;
        }
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (bst__sql_can_fail(s, e->args[i])) {
            return true;
        }
    }
    return false;
}
