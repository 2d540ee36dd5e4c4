/* Expressions: what operators take, and what they give. Their operands are typed already, and known
 * to be present where they must be; nothing here looks at names or at presence.
 */
#include "expr_private.h"

#include "backstory/decimal.h"

bst_type bst__plain_type(bst_kind kind) {
    return (bst_type){.kind = kind};
}

const char *bst__quoted_op(bst_expr_op op) {
    static const char *const texts[] = {
#define X(name, text) "\"" text "\"",
        BST_EXPR_OP_LIST(X)
#undef X
    };
    return texts[op];
}

const bst_expr *bst__literal_among(const bst_expr *const args[2]) {
    return args[0]->op == BST_EXPR_LITERAL   ? args[0]
           : args[1]->op == BST_EXPR_LITERAL ? args[1]
                                             : NULL;
}

/* ---- comparisons ---- */

/* Makes a text literal a member or a uuid when the other side is one. False when it is none
 * (reported). */
static bool adapt_literals(bst__job *job, const bst_expr *args[2]) {
    for (int i = 0; i < 2; i++) {
        const bst_kind other = args[1 - i]->type.kind;
        if (args[i]->op == BST_EXPR_LITERAL && args[i]->type.kind == BST_KIND_TEXT &&
            (other == BST_KIND_ENUM || other == BST_KIND_UUID)) {
            args[i] = bst__convert_to(job, args[i], &args[1 - i]->type);
            return args[i] != NULL;
        }
    }
    return true;
}

bool bst__check_comparable(bst__job *job, uint32_t offset, const bst_expr *args[2]) {
    if (!adapt_literals(job, args)) {
        return false;
    }
    const bst_type *a = &args[0]->type, *b = &args[1]->type;
    if (bst__group(a->kind) != bst__group(b->kind) ||
        (a->kind == BST_KIND_ENUM && !bst__same_type(a, b))) {
        bst__job_error(job, offset, "type-mismatch", "%s does not compare with %s",
                       bst__job_type_text(job, a), bst__job_type_text(job, b));
        bst__hint_mismatch(job, a, b, bst__literal_among(args));
        return false;
    }
    if (a->kind == BST_KIND_JSON) {
        bst__job_error(job, offset, "type-mismatch", "json does not compare with json");
        bst_diag_hint(job->diags, "Of a json value an expression can only ask has(x).");
        return false;
    }
    return true;
}

/* a < b < c */
static bool is_chained(bst__job *job, const bst__ast *ast) {
    const bst_expr_op inner = ast->args[0]->op;
    if (inner < BST_EXPR_LT || inner > BST_EXPR_GE) {
        return false;
    }
    bst__job_error(job, ast->offset, "type-mismatch", "comparisons do not chain");
    bst_diag_hint(job->diags, "Write a < b && b < c.");
    return true;
}

static bool check_order(bst__job *job, const bst__ast *ast, const bst_expr *args[2]) {
    if (is_chained(job, ast) || !bst__check_comparable(job, ast->offset, args)) {
        return false;
    }
    const bst_type *type = &args[0]->type;
    switch (bst__group(type->kind)) {
    case BST_KIND_BOOL:
    case BST_KIND_UUID:
    case BST_KIND_BYTEA:
    case BST_KIND_ENUM:
        bst__job_error(job, ast->offset, "type-mismatch", "%s has no order",
                       bst__job_type_text(job, type));
        bst_diag_hint(job->diags, "%s",
                      type->kind == BST_KIND_ENUM ? "Write x in [\"a\", \"b\"]."
                                                  : "Only == and != compare it.");
        return false;
    default:
        return true;
    }
}

/* ---- arithmetic ---- */

/* The result's type of a op b; false when they have none. */
static bool arithmetic_type(bst_expr_op op, const bst_type *a, const bst_type *b, bst_type *ret) {
    const bst_kind time = BST_KIND_TIMESTAMPTZ, span = BST_KIND_DURATION;
    if (bst__is_number(a) && bst__is_number(b)) {
        const int x = bst__scale(a), y = bst__scale(b);
        *ret = a->kind == BST_KIND_DECIMAL || b->kind == BST_KIND_DECIMAL
                   ? (bst_type){.kind = BST_KIND_DECIMAL,
                                .precision = BST_DECIMAL_DIGITS_MAX,
                                .scale = (uint8_t)(op == BST_EXPR_MUL ? x + y
                                                   : x > y            ? x
                                                                      : y)}
                   : bst__plain_type(BST_KIND_INT8);
        return true;
    }
    if (op == BST_EXPR_MUL) {
        return false;
    }
    if (b->kind == span && (a->kind == span || a->kind == time)) {
        *ret = bst__plain_type(a->kind);
        return true;
    }
    if (op == BST_EXPR_ADD ? a->kind == span && b->kind == time
                           : a->kind == time && b->kind == time) {
        *ret = bst__plain_type(op == BST_EXPR_ADD ? time : span);
        return true;
    }
    return false;
}

static void report_arithmetic(bst__job *job, const bst__ast *ast, const bst_type *a,
                              const bst_type *b) {
    if (bst__is_text(a) && bst__is_text(b)) {
        bst__job_error(job, ast->offset, "not-in-language",
                       "%s on texts is not part of the language", bst__quoted_op(ast->op));
        bst_diag_hint(job->diags, "Texts are compared, never made.");
        return;
    }
    bst__job_error(job, ast->offset, "type-mismatch", "%s does not take %s and %s",
                   bst__quoted_op(ast->op), bst__job_type_text(job, a), bst__job_type_text(job, b));
    bst_diag_hint(job->diags, "%s",
                  ast->op == BST_EXPR_MUL ? "It takes two numbers."
                  : ast->op == BST_EXPR_ADD
                      ? "It takes two numbers, two durations, or a timestamp and a duration."
                      : "It takes two numbers, two durations, two timestamps, or a "
                        "timestamp and a duration.");
}

static bool check_arithmetic(bst__job *job, const bst__ast *ast, const bst_expr *const args[2],
                             bst_type *ret) {
    const bst_type *a = &args[0]->type, *b = &args[1]->type;
    if (!arithmetic_type(ast->op, a, b, ret)) {
        report_arithmetic(job, ast, a, b);
        return false;
    }
    if (ret->scale <= BST_DECIMAL_DIGITS_MAX) {
        return true;
    }
    bst__job_error(job, ast->offset, "limit",
                   "product has %d digits after the point, %d is the limit", ret->scale,
                   BST_DECIMAL_DIGITS_MAX);
    return false;
}

static bool check_negation(bst__job *job, const bst__ast *ast, const bst_type *type,
                           bst_type *ret) {
    if (!bst__is_number(type)) {
        bst__job_error(job, ast->offset, "type-mismatch", "\"-\" does not take %s",
                       bst__job_type_text(job, type));
        bst_diag_hint(job->diags, "It takes a number.");
        return false;
    }
    *ret = type->kind == BST_KIND_DECIMAL ? *type : bst__plain_type(BST_KIND_INT8);
    return true;
}

/* The type that two branches share when the place asks for none. A literal takes the other's
 * type where it can. */
bool bst__common_type(const bst_expr *a, const bst_expr *b, bst_type *ret) {
    const bst_expr *pair[2] = {a, b};
    bst_value value;
    for (int i = 0; i < 2; i++) {
        const bst_expr *literal = pair[i];
        if (bst__is_null(literal) || bst__same_type(&a->type, &b->type) ||
            (literal->op == BST_EXPR_LITERAL &&
             bst__literal_fit(&literal->type, &literal->literal, &pair[1 - i]->type, &value) ==
                 BST__FIT_OK)) {
            *ret = pair[1 - i]->type;
            return true;
        }
    }
    if (bst__is_text(&a->type) && bst__is_text(&b->type)) {
        *ret = bst__plain_type(BST_KIND_TEXT);
        return true;
    }
    if (!bst__is_number(&a->type) || !bst__is_number(&b->type)) {
        return false;
    }
    if (a->type.kind == BST_KIND_DECIMAL || b->type.kind == BST_KIND_DECIMAL) {
        return arithmetic_type(BST_EXPR_ADD, &a->type, &b->type, ret);
    }
    *ret = a->type.kind > b->type.kind ? a->type : b->type;
    return true;
}

/* ---- texts ---- */

static bool check_texts(bst__job *job, const bst__ast *ast, const bst_expr *const *args) {
    bool good = true;
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        if (!bst__is_text(&args[i]->type)) {
            bst__job_error(job, args[i]->offset, "type-mismatch", "%s takes texts, not %s",
                           bst__quoted_op(ast->op), bst__job_type_text(job, &args[i]->type));
            good = false;
        }
    }
    return good;
}

/* ---- all of them ---- */

bool bst__operator_type(bst__job *job, const bst__ast *ast, const bst_expr *args[2],
                        bst_type *ret) {
    *ret = bst__plain_type(BST_KIND_BOOL);
    switch (ast->op) {
    case BST_EXPR_NEG:
        return check_negation(job, ast, &args[0]->type, ret);
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        return check_arithmetic(job, ast, args, ret);
    case BST_EXPR_SIZE:
        *ret = bst__plain_type(BST_KIND_INT8);
        return check_texts(job, ast, args);
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        return check_texts(job, ast, args);
    default:
        return check_order(job, ast, args);
    }
}
