/* Expressions, step three: names resolved, types given, conversions made explicit. What operators
 * take is in expr_operator.c, what converts in expr_convert.c; here is what flows.
 *
 * Types flow upwards; only what the place asks for (`want`) flows down, through ?: to its
 * branches, so that `c ? "open" : "closed"` can be an enum.
 *
 * Presence is followed along with them. Each optional name of the expression has a bit (64 of
 * them at most); every part is typed under the set of names known to be present where it is
 * reached, and tells what its own truth and falsehood prove:
 *
 *     has(x), x != null    true: x            a && b   b is reached where a is true
 *     x == null            false: x           a || b   b is reached where a is false
 *     x == 5               true: x            c ? a : b   likewise
 *
 * A part with a mistake is poison: it has no expression, proves everything, and silences what
 * depends on it.
 */
#include "expr_private.h"

typedef uint64_t presence; /* a set of optional names */
#define EVERYTHING UINT64_MAX
_Static_assert(BST_EXPR_OPTIONAL_MAX == 64, "a bit each");

typedef struct typed {
    const bst_expr *expr; /* NULL: poison */
    presence if_true, if_false;
} typed;

static const typed poison = {NULL, EVERYTHING, EVERYTHING};

typedef struct typer {
    bst__job *job;
    struct {
        bst_root root;
        uint32_t index;
    } optional[BST_EXPR_OPTIONAL_MAX];
    uint32_t optional_count;
    presence reported; /* may-be-null is said once a name */
    bool full;         /* too many names: reported */
} typer;

/* What an operand place offers and asks for. */
typedef struct context {
    presence known;
    const bst_type *want; /* NULL: any type */
} context;

static typed type_any(typer *t, const bst__ast *ast, context at);

/* ---- making nodes ---- */

static const bst_expr *make_op(typer *t, const bst__ast *ast, bst_type type,
                               const bst_expr *const *args) {
    return bst__make(t->job, &(bst_expr){.op = ast->op,
                                         .type = type,
                                         .offset = ast->offset,
                                         .arg_count = ast->arg_count,
                                         .args = args});
}

static typed give(const bst_expr *expr, presence if_true, presence if_false) {
    return expr == NULL ? poison : (typed){expr, if_true, if_false};
}

/* ---- names ---- */

/* The bit of an optional name; EVERYTHING (no tracking, hence no cascade) past the limit. */
static presence bit_of(typer *t, const bst_expr *ref) {
    uint32_t i = 0;
    while (i < t->optional_count &&
           (t->optional[i].root != ref->root || t->optional[i].index != ref->index)) {
        i++;
    }
    if (i == BST_EXPR_OPTIONAL_MAX) {
        if (!t->full) {
            bst__job_error(t->job, ref->offset, "limit",
                           "expression reads more than %d optional names", BST_EXPR_OPTIONAL_MAX);
        }
        t->full = true;
        return EVERYTHING;
    }
    if (i == t->optional_count) {
        t->optional[i].root = ref->root;
        t->optional[i].index = ref->index;
        t->optional_count++;
    }
    return UINT64_C(1) << i;
}

static typed type_ref(typer *t, const bst__ast *ast, context at) {
    bst_expr ref;
    if (!bst__resolve(t->job, ast, &ref)) {
        return poison;
    }
    if (ref.type.optional) {
        ref.type.optional = (at.known & bit_of(t, &ref)) == 0;
    }
    return give(bst__make(t->job, &ref), 0, 0);
}

/* ---- null ---- */

/* Reports an operand that may be absent where a value is needed; `user` names the place. */
static bool require(typer *t, const bst_expr *expr, const char *user) {
    if (bst__is_null(expr)) {
        bst__job_error(t->job, expr->offset, "type-mismatch", "null cannot be used with %s", user);
        bst_diag_hint(t->job->diags, "null is compared with == and !=, and nothing else.");
        return false;
    }
    if (!expr->type.optional) {
        return true;
    }
    if (expr->op != BST_EXPR_REF) {
        bst__job_error(t->job, expr->offset, "may-be-null", "value may be absent, but %s needs one",
                       user);
        bst_diag_hint(t->job->diags, "Give a value for that case too.");
        return false;
    }
    const presence bit = bit_of(t, expr);
    if ((t->reported & bit) == 0) {
        const char *prefix = bst__prefix(expr->root);
        bst__job_error(t->job, expr->offset, "may-be-null",
                       "\"%s%s\" may be absent, but %s needs a value", prefix, expr->name, user);
        bst_diag_hint(t->job->diags, "Ask first: has(%s%s) && ..., or has(%s%s) ? ... : ...",
                      prefix, expr->name, prefix, expr->name);
        t->reported |= bit;
    }
    return false;
}

/* The end of a branch or of the whole: what is there must be what the place asks for. */
static const bst_expr *deliver(typer *t, const bst_expr *expr, const bst_type *want) {
    if (bst__is_null(expr) && !want->optional) {
        bst__job_error(t->job, expr->offset, "may-be-null", "null cannot stand for %s",
                       bst__job_type_text(t->job, want));
        bst_diag_hint(t->job->diags, "Only an optional field (%s?) can be absent.",
                      bst__job_type_text(t->job, want));
        return NULL;
    }
    const bst_expr *converted = bst__convert_to(t->job, expr, want);
    if (converted == NULL || want->optional || !converted->type.optional) {
        return converted;
    }
    return require(t, expr, "the result") ? converted : NULL;
}

/* ---- operators ---- */

/* What x == value proves: x is present. Only a name that is not known to be so yet has something
 * to prove. */
static presence proves_present(typer *t, const bst_expr *expr, const bst_expr *other) {
    const bool asks = expr->op == BST_EXPR_REF && expr->type.optional;
    return asks && !other->type.optional ? bit_of(t, expr) : 0;
}

static typed type_equality(typer *t, const bst__ast *ast, context at) {
    const bst_expr *args[2];
    for (int i = 0; i < 2; i++) {
        args[i] = type_any(t, ast->args[i], at).expr;
    }
    if (args[0] == NULL || args[1] == NULL) {
        return poison;
    }
    if (bst__is_null(args[0]) && bst__is_null(args[1])) {
        bst__job_error(t->job, ast->offset, "type-mismatch", "null does not compare with null");
        return poison;
    }
    presence equal = 0, different = 0;
    for (int i = 0; i < 2; i++) {
        if (bst__is_null(args[i])) {
            const bst_expr *other = args[1 - i];
            different = other->op == BST_EXPR_REF && other->type.optional ? bit_of(t, other) : 0;
            args[i] = bst__convert_to(t->job, args[i], &other->type);
            if (args[i] == NULL) {
                return poison;
            }
            break;
        }
    }
    if (!bst__is_null(args[0]) && !bst__is_null(args[1])) {
        if (!bst__check_comparable(t->job, ast->offset, args)) {
            return poison;
        }
        equal = proves_present(t, args[0], args[1]) | proves_present(t, args[1], args[0]);
    }
    const bst_expr *expr = make_op(t, ast, bst__plain_type(BST_KIND_BOOL), args);
    return ast->op == BST_EXPR_EQ ? give(expr, equal, different) : give(expr, different, equal);
}

/* Types two or more operands that must be there; false when any has a mistake. */
static bool type_required(typer *t, const bst__ast *ast, context at, const bst_expr **args,
                          uint32_t arg_count) {
    bool good = true;
    for (uint32_t i = 0; i < arg_count; i++) {
        args[i] = type_any(t, ast->args[i], at).expr;
        good = args[i] != NULL && require(t, args[i], bst__quoted_op(ast->op)) && good;
    }
    return good;
}

static typed type_in(typer *t, const bst__ast *ast, context at) {
    const bst_expr **args =
        bst_arena_array(t->job->scratch, ast->arg_count, sizeof(const bst_expr *));
    if (args == NULL) {
        bst__job_nomem(t->job);
        return poison;
    }
    bool good = type_required(t, ast, at, args, ast->arg_count);
    for (uint32_t i = 1; args[0] != NULL && i < ast->arg_count; i++) {
        if (args[i] == NULL || bst__is_null(args[i]) || bst__is_null(args[0])) {
            continue;
        }
        const bst_expr *pair[2] = {args[0], args[i]};
        good = bst__check_comparable(t->job, ast->args[i]->offset, pair) && good;
        if (pair[0] != args[0]) { /* a text in a list of enums, perhaps different ones */
            bst__job_error(t->job, ast->args[0]->offset, "type-mismatch",
                           "left side of in is a text, but the list has %s",
                           bst__job_type_text(t->job, &pair[1]->type));
            good = false;
        }
        args[i] = pair[1];
    }
    return good ? give(make_op(t, ast, bst__plain_type(BST_KIND_BOOL), args), 0, 0) : poison;
}

/* -x, x + y, x < y, x.startsWith(y) ... */
static typed type_operator(typer *t, const bst__ast *ast, context at) {
    const bst_expr *args[2];
    bst_type type;
    return type_required(t, ast, at, args, ast->arg_count) &&
                   bst__operator_type(t->job, ast, args, &type)
               ? give(make_op(t, ast, type, args), 0, 0)
               : poison;
}

/* ---- logic ---- */

/* An operand of ! && || or the test of ?:. */
static typed type_truth(typer *t, const bst__ast *ast, presence known, bst_expr_op user) {
    typed x = type_any(t, ast, (context){known, NULL});
    if (x.expr == NULL) {
        return x;
    }
    if (!require(t, x.expr, bst__quoted_op(user))) {
        return poison;
    }
    if (x.expr->type.kind != BST_KIND_BOOL) {
        bst__job_error(t->job, x.expr->offset, "type-mismatch", "%s takes bool, not %s",
                       bst__quoted_op(user), bst__job_type_text(t->job, &x.expr->type));
        return poison;
    }
    return x;
}

static typed type_not(typer *t, const bst__ast *ast, context at) {
    const typed x = type_truth(t, ast->args[0], at.known, ast->op);
    return x.expr == NULL ? poison
                          : give(make_op(t, ast, bst__plain_type(BST_KIND_BOOL), &x.expr),
                                 x.if_false, x.if_true);
}

static typed type_logic(typer *t, const bst__ast *ast, context at) {
    const bool is_and = ast->op == BST_EXPR_AND;
    const typed a = type_truth(t, ast->args[0], at.known, ast->op);
    const presence known = at.known | (is_and ? a.if_true : a.if_false);
    const typed b = type_truth(t, ast->args[1], known, ast->op);
    const presence if_true = is_and ? a.if_true | b.if_true : a.if_true & (a.if_false | b.if_true);
    const presence if_false =
        is_and ? a.if_false & (a.if_true | b.if_false) : a.if_false | b.if_false;
    if (a.expr == NULL || b.expr == NULL) {
        return (typed){NULL, if_true, if_false};
    }
    const bst_expr *args[2] = {a.expr, b.expr};
    return give(make_op(t, ast, bst__plain_type(BST_KIND_BOOL), args), if_true, if_false);
}

/* Both branches in one type: the wanted one, or else a common one. */
static bool unify(typer *t, const bst__ast *ast, const bst_type *want, const bst_expr *args[3],
                  bst_type *ret) {
    if (want != NULL) {
        *ret = *want;
        args[1] = deliver(t, args[1], want);
        args[2] = deliver(t, args[2], want);
    } else if (bst__is_null(args[1]) && bst__is_null(args[2])) {
        bst__job_error(t->job, ast->offset, "type-mismatch", "both branches of \"?:\" are null");
        return false;
    } else if (!bst__common_type(args[1], args[2], ret)) {
        bst__job_error(t->job, ast->offset, "type-mismatch", "branches of \"?:\" are %s and %s",
                       bst__job_type_text(t->job, &args[1]->type),
                       bst__job_type_text(t->job, &args[2]->type));
        bst__hint_mismatch(t->job, &args[1]->type, &args[2]->type, bst__literal_among(args + 1));
        return false;
    } else {
        args[1] = bst__convert_to(t->job, args[1], ret);
        args[2] = bst__convert_to(t->job, args[2], ret);
    }
    if (args[1] == NULL || args[2] == NULL) {
        return false;
    }
    ret->optional = args[1]->type.optional || args[2]->type.optional;
    return true;
}

static typed type_cond(typer *t, const bst__ast *ast, context at) {
    const typed test = type_truth(t, ast->args[0], at.known, ast->op);
    const typed a = type_any(t, ast->args[1], (context){at.known | test.if_true, at.want});
    const typed b = type_any(t, ast->args[2], (context){at.known | test.if_false, at.want});
    const bst_expr *args[3] = {test.expr, a.expr, b.expr};
    bst_type type;
    if (test.expr == NULL || a.expr == NULL || b.expr == NULL ||
        !unify(t, ast, at.want, args, &type)) {
        return poison;
    }
    return give(make_op(t, ast, type, args),
                (test.if_true | a.if_true) & (test.if_false | b.if_true),
                (test.if_true | a.if_false) & (test.if_false | b.if_false));
}

static typed type_has(typer *t, const bst__ast *ast, context at) {
    const bst_expr *arg = type_any(t, ast->args[0], at).expr;
    if (arg == NULL) {
        return poison;
    }
    const presence proved = arg->type.optional ? bit_of(t, arg) : 0;
    return give(make_op(t, ast, bst__plain_type(BST_KIND_BOOL), &arg), proved, 0);
}

/* ---- all of them ---- */

static typed type_literal(typer *t, const bst__ast *ast) {
    const bst_expr *expr = bst__make(t->job, &(bst_expr){.op = ast->op,
                                                         .type = ast->type,
                                                         .offset = ast->offset,
                                                         .literal = ast->literal});
    if (ast->op == BST_EXPR_NULL || ast->type.kind != BST_KIND_BOOL) {
        return give(expr, 0, 0);
    }
    /* What is never reached proves everything: has(x) ? x > 1 : false */
    return ast->literal.u.i != 0 ? give(expr, 0, EVERYTHING) : give(expr, EVERYTHING, 0);
}

static typed type_any(typer *t, const bst__ast *ast, context at) {
    const context operand = {at.known, NULL};
    switch (ast->op) {
    case BST_EXPR_LITERAL:
    case BST_EXPR_NULL:
        return type_literal(t, ast);
    case BST_EXPR_REF:
        return type_ref(t, ast, operand);
    case BST_EXPR_HAS:
        return type_has(t, ast, operand);
    case BST_EXPR_NOT:
        return type_not(t, ast, operand);
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
        return type_equality(t, ast, operand);
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        return type_logic(t, ast, operand);
    case BST_EXPR_IN:
        return type_in(t, ast, operand);
    case BST_EXPR_COND:
        return type_cond(t, ast, at);
    case BST_EXPR_NEG:
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
    case BST_EXPR_SIZE:
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        return type_operator(t, ast, operand);
    case BST_EXPR_CONVERT: /* made here, never parsed */
    case BST__POISON:
        break;
    }
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        (void)type_any(t, ast->args[i], operand);
    }
    return poison;
}

const bst_expr *bst__type(bst__job *job, const bst__ast *ast, const bst_type *want) {
    typer t = {.job = job};
    const bst_expr *expr = type_any(&t, ast, (context){0, want}).expr;
    if (expr == NULL) {
        return NULL;
    }
    if (want != NULL) {
        return deliver(&t, expr, want);
    }
    if (bst__is_null(expr)) {
        bst__job_error(job, expr->offset, "type-mismatch", "null alone has no type");
        return NULL;
    }
    return expr;
}
