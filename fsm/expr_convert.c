/* Expressions: values of one type in places of another.
 *
 * A literal takes the type of its place if its value is one of that type's; the same is done at
 * compile time with a text that must be a member or a uuid. Anything else converts only where
 * nothing can be lost, by a CONVERT in the tree that checks the range; what would have to be
 * rounded, and what has no conversion, is an error.
 */
#include "expr_private.h"

bool bst__is_null(const bst_expr *expr) {
    return expr->op == BST_EXPR_NULL;
}

bool bst__is_number(const bst_type *type) {
    return bst__group(type->kind) == BST_KIND_DECIMAL;
}

bool bst__is_text(const bst_type *type) {
    return bst__group(type->kind) == BST_KIND_TEXT;
}

bool bst__same_type(const bst_type *a, const bst_type *b) {
    bst_type required_a = *a, required_b = *b;
    required_a.optional = false;
    required_b.optional = false;
    return bst_type_equal(&required_a, &required_b);
}

bst_expr *bst__make(bst__job *job, const bst_expr *like) {
    bst_expr *expr = bst_arena_alloc(job->arena, sizeof *expr);
    const bst_expr **args = bst_arena_array(job->arena, like->arg_count, sizeof(const bst_expr *));
    if (expr == NULL || args == NULL) {
        bst__job_nomem(job);
        return NULL;
    }
    *expr = *like;
    for (uint32_t i = 0; i < like->arg_count; i++) {
        args[i] = like->args[i];
    }
    expr->args = args;
    return expr;
}

static const bst_expr *literal_as(bst__job *job, const bst_expr *literal, const bst_type *type,
                                  const bst_value *value) {
    bst_expr other = *literal;
    other.type = *type;
    other.type.optional = false;
    other.literal = *value;
    return bst__make(job, &other);
}

static const char *literal_text(bst__job *job, const bst_expr *literal) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_expr_format(literal, &sb);
    if (sb.len > 60) {
        sb.text[57] = '\0';
        bst_strbuf cut = BST_STRBUF_INIT;
        bst_strbuf_addf(&cut, "%s...", sb.text);
        bst_strbuf_release(&sb);
        sb = cut;
    }
    const char *text = sb.failed ? NULL : bst_arena_strdup(job->scratch, sb.text);
    bst_strbuf_release(&sb);
    return text != NULL ? text : "the value";
}

static void report_fit(bst__job *job, const bst_expr *literal, const bst_type *type, bst__fit fit) {
    if (fit == BST__FIT_ROUND) {
        bst__job_error(job, literal->offset, "would-round", "%s would have to be rounded to be %s",
                       literal_text(job, literal), bst__job_type_text(job, type));
    } else if (type->kind == BST_KIND_ENUM) {
        bst__job_error(job, literal->offset, "unknown-name", "%s is not a member of %s",
                       literal_text(job, literal), bst__job_type_text(job, type));
        const char *name =
            bst_arena_strndup(job->scratch, literal->literal.u.text, literal->literal.len);
        const char *near =
            name == NULL ? NULL : bst_nearest_name(name, type->members, type->member_count);
        if (near != NULL) {
            bst_diag_hint(job->diags, "Did you mean \"%s\"?", near);
        }
    } else if (type->kind == BST_KIND_UUID) {
        bst__job_error(job, literal->offset, "type-mismatch", "%s does not have the form of a uuid",
                       literal_text(job, literal));
    } else {
        bst__job_error(job, literal->offset, "type-mismatch", "%s does not fit %s",
                       literal_text(job, literal), bst__job_type_text(job, type));
    }
}

/* Whether every value of one type is to be had as another, or else refused when it does not fit. */
static bst__fit type_fit(const bst_type *from, const bst_type *to) {
    if (bst__is_number(from) && bst__is_number(to)) {
        return bst__scale(from) > bst__scale(to) ? BST__FIT_ROUND : BST__FIT_OK;
    }
    return bst__is_text(from) && bst__is_text(to) ? BST__FIT_OK : BST__FIT_MISMATCH;
}

static const char *time_example(bst_kind kind) {
    return kind == BST_KIND_TIMESTAMPTZ ? "timestamp(\"2021-01-31T08:00:00Z\")"
           : kind == BST_KIND_DATE      ? "date(\"2021-01-31\")"
           : kind == BST_KIND_DURATION  ? "duration(\"PT1H30M\")"
                                        : NULL;
}

/* Hints for two types that do not meet. `literal` may be NULL. */
void bst__hint_mismatch(bst__job *job, const bst_type *a, const bst_type *b,
                        const bst_expr *literal) {
    const bst_type *other = literal != NULL && bst__same_type(a, &literal->type) ? b : a;
    const char *example = time_example(other->kind);
    if (literal != NULL && bst__is_text(&literal->type) && example != NULL) {
        bst_diag_hint(job->diags, "Write %s.", example);
    } else if (literal != NULL && bst__is_text(&literal->type) && bst__is_number(other)) {
        bst_diag_hint(job->diags, "Numbers are written without quotes.");
    } else if (literal != NULL && bst__is_number(&literal->type) && bst__is_text(other)) {
        bst_diag_hint(job->diags, "Texts are written in quotes.");
    } else if ((a->kind == BST_KIND_BOOL) != (b->kind == BST_KIND_BOOL)) {
        bst_diag_hint(job->diags, "A bool is true or false, and nothing else counts as one.");
    } else if ((a->kind == BST_KIND_ENUM) != (b->kind == BST_KIND_ENUM)) {
        bst_diag_hint(
            job->diags,
            "An enum goes with texts written in place and with enums of the same members.");
    } else if ((a->kind == BST_KIND_DATE && b->kind == BST_KIND_TIMESTAMPTZ) ||
               (b->kind == BST_KIND_DATE && a->kind == BST_KIND_TIMESTAMPTZ)) {
        bst_diag_hint(job->diags, "Where a day starts depends on a time zone.");
    }
}

/* `expr` as a value of `type`, with a CONVERT where that changes anything; NULL when it cannot
 * be (reported). */
const bst_expr *bst__convert_to(bst__job *job, const bst_expr *expr, const bst_type *type) {
    if (bst__is_null(expr)) {
        bst_type absent = *type;
        absent.optional = true;
        return bst__make(job,
                         &(bst_expr){.op = BST_EXPR_NULL, .type = absent, .offset = expr->offset});
    }
    if (bst__same_type(&expr->type, type)) {
        return expr;
    }
    const bool is_literal = expr->op == BST_EXPR_LITERAL;
    bst_value value = expr->literal;
    const bst__fit fit = is_literal ? bst__literal_fit(&expr->type, &expr->literal, type, &value)
                                    : type_fit(&expr->type, type);
    if (fit == BST__FIT_OK && is_literal) {
        return literal_as(job, expr, type, &value);
    }
    if (fit == BST__FIT_OK) {
        bst_type to = *type;
        to.optional = expr->type.optional;
        return bst__make(job, &(bst_expr){.op = BST_EXPR_CONVERT,
                                          .type = to,
                                          .offset = expr->offset,
                                          .arg_count = 1,
                                          .args = &expr});
    }
    if (fit == BST__FIT_MISMATCH) {
        bst__job_error(job, expr->offset, "type-mismatch", "expected %s, not %s",
                       bst__job_type_text(job, type), bst__job_type_text(job, &expr->type));
        bst__hint_mismatch(job, &expr->type, type, is_literal ? expr : NULL);
    } else if (is_literal) {
        report_fit(job, expr, type, fit);
    } else {
        bst__job_error(job, expr->offset, "would-round", "%s would have to be rounded to be %s",
                       bst__job_type_text(job, &expr->type), bst__job_type_text(job, type));
        bst_diag_hint(job->diags, "Give the field %d digits after the point.",
                      bst__scale(&expr->type));
    }
    return NULL;
}
