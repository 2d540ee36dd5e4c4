/* Expressions: the way from text to tree, and small things that walk a tree. The steps are in
 * expr_lex.c, expr_parse.c, expr_type.c (with expr_literal.c); expr_eval.c and expr_format.c use
 * the result.
 */
#include "expr_private.h"

#include <stdarg.h>
#include <string.h>

#include "backstory/json_source.h"

/* ---- messages ---- */

static bst_loc where(const bst__job *job, uint32_t offset) {
    const bst_expr_place *place = job->place;
    if (place != NULL && place->source != NULL) {
        return bst_json_source_inside(place->source, place->pointer, offset);
    }
    bst_loc loc = {.file = "expression", .line = 1, .column = 1};
    for (uint32_t i = 0; i < offset && i < job->len; i++) {
        if (job->text[i] == '\n') {
            loc.line++;
            loc.column = 1;
        } else if (i + 1 == job->len || (job->text[i + 1] & 0xc0) != 0x80) {
            loc.column++;
        }
    }
    return loc;
}

void bst__job_error(bst__job *job, uint32_t offset, const char *code, const char *format, ...) {
    bst_strbuf message = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&message, format, args);
    va_end(args);
    const bst_loc loc = where(job, offset);
    bst_diag_add(job->diags, BST_INVALID, BST_ERROR, code, &loc, "%s", message.text);
    if (job->status == BST_OK) {
        job->status = BST_INVALID;
    }
    bst_strbuf_release(&message);
}

void bst__job_nomem(bst__job *job) {
    if (job->status != BST_NOMEM) {
        job->status = bst_diag_nomem(job->diags);
    }
}

const char *bst__job_type_text(bst__job *job, const bst_type *type) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_type required = *type;
    required.optional = false;
    bst_type_format(&required, &sb);
    const char *text = sb.len <= 60 ? bst_arena_strdup(job->scratch, sb.text)
                                    : bst_arena_printf(job->scratch, "%.57s...", sb.text);
    bst_strbuf_release(&sb);
    return text != NULL ? text : "a type";
}

/* ---- types ---- */

bst_kind bst__group(bst_kind kind) {
    switch (kind) {
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        return BST_KIND_DECIMAL;
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        return BST_KIND_TEXT;
    default:
        return kind;
    }
}

int bst__scale(const bst_type *type) {
    return type->kind == BST_KIND_DECIMAL ? type->scale : 0;
}

/* ---- compile ---- */

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

/* ---- walks ---- */

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
