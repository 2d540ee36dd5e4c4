/* Expressions: the way from text to tree, and small things that walk a tree. The steps are in
 * expr_lex.c, expr_parse.c, expr_type.c (with expr_literal.c); expr_eval.c and expr_format.c use
 * the result.
 */
#include "expr_private.h"

/* The steps need a text of bounded length without NUL bytes. */
static bool acceptable(bst__job *job, size_t len) {
    if (len > BST_EXPR_BYTES_MAX) {
        bst__job_error(job, 0, "limit", "expression has %zu bytes, %d is the limit", len,
                       BST_EXPR_BYTES_MAX);
        return false;
    }
    bst_value value;
    const bst_type text = {.kind = BST_KIND_TEXT};
    if (bst_value_parse(&text, job->text, len, job->scratch, &value) != BST_VALUE_OK) {
        bst__job_error(job, 0, "expr-syntax", "expression is not a text in UTF-8");
        return false;
    }
    return true;
}

static const bst_expr *compile(bst__job *job, const bst_type *want) {
    const bst__token *tokens = bst__lex(job);
    const bst__ast *ast = tokens == NULL ? NULL : bst__parse(job, tokens);
    return ast == NULL ? NULL : bst__type(job, ast, want);
}

bst_status bst_expr_compile(const char *text, size_t len, const bst_scope *scope,
                            const bst_type *want, const bst_expr_place *place, bst_arena *arena,
                            const bst_expr **ret, bst_diags *diags) {
    bst__job job = {.text = text, .scope = scope, .place = place, .arena = arena, .diags = diags};
    job.scratch = bst_arena_new();
    if (job.scratch == NULL) {
        return bst_diag_nomem(diags);
    }
    const bst_expr *expr = NULL;
    if (acceptable(&job, len)) {
        job.len = (uint32_t)len;
        expr = compile(&job, want);
    }
    bst_arena_free(job.scratch);
    if (job.status == BST_OK) {
        *ret = expr;
    }
    return job.status;
}

void bst_expr_each_ref(const bst_expr *expr, bst_expr_visit *visit, void *context) {
    if (expr->op == BST_EXPR_REF) {
        visit(expr, context);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bst_expr_each_ref(expr->args[i], visit, context);
    }
}

bool bst_expr_equal(const bst_expr *a, const bst_expr *b) {
    if (a->op != b->op || a->arg_count != b->arg_count || !bst_type_equal(&a->type, &b->type) ||
        (a->op == BST_EXPR_REF && (a->root != b->root || a->index != b->index)) ||
        (a->op == BST_EXPR_LITERAL && !bst_value_equal(&a->type, &a->literal, &b->literal))) {
        return false;
    }
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (!bst_expr_equal(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}
