/* What an expression needs in C: helpers; and somebody who asks before its result counts, where it
 * can leave its range or lack a value.
 */
#include "emit_c_expr_private.h"

const char *bst__c_use_helper(bst__c_scope *s, bst__c_helper h) {
    const char *const names[] = {
#define X(name, text) text,
        BST__C_HELPER_LIST(X)
#undef X
    };
    s->helpers |= UINT32_C(1) << h;
    return names[h];
}

bool bst__c_reads(const bst_expr *expr, bst_root root) {
    if (expr->op == BST_EXPR_REF) {
        return expr->root == root;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (bst__c_reads(expr->args[i], root)) {
            return true;
        }
    }
    return false;
}

int bst__c_scale_of(const bst_type *type) {
    return type->kind == BST_KIND_DECIMAL ? type->scale : 0;
}

bool bst__c_is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR ||
           kind == BST_KIND_BYTEA || kind == BST_KIND_JSON;
}

bool bst__c_is_number(bst_kind kind) {
    return kind == BST_KIND_INT2 || kind == BST_KIND_INT4 || kind == BST_KIND_INT8 ||
           kind == BST_KIND_DECIMAL;
}

/* Digits before the point that any value of an integer kind fits in. */
static int whole_digits(const bst_type *type) {
    return type->kind == BST_KIND_INT2   ? 5
           : type->kind == BST_KIND_INT4 ? 10
           : type->kind == BST_KIND_INT8 ? 19
                                         : type->precision - type->scale;
}

/* Whether C's own type of the operand makes sure that the conversion fits. */
bool bst__c_conversion_is_safe(const bst_type *from, const bst_type *to) {
    if (!bst__c_is_number(from->kind)) {
        return to->kind == BST_KIND_TEXT || (to->kind == BST_KIND_CHAR && to->length == 0) ||
               (to->kind == BST_KIND_VARCHAR && to->length == 0);
    }
    if (from->kind == BST_KIND_DECIMAL) {
        return false;
    }
    return to->kind == BST_KIND_DECIMAL ? whole_digits(from) <= whole_digits(to)
                                        : from->kind <= to->kind;
}

const bst__c_field *bst__c_field_of(const bst__c_scope *s, const bst_expr *ref) {
    return &s->record[ref->root]->fields[ref->index];
}

/* A field that its type says is there, but that some creation leaves unset. */
bool bst__c_is_unsure(const bst__c_scope *s, const bst_expr *ref) {
    if (ref->root == BST_ROOT_STATE || ref->root == BST_ROOT_LINKED) {
        return false;
    }
    const bst__c_field *f = bst__c_field_of(s, ref);
    return f->has && !f->field->type.optional && !ref->type.optional;
}

bool bst__c_can_overflow(const bst_expr *expr) {
    const bool arithmetic = expr->op == BST_EXPR_NEG || expr->op == BST_EXPR_ADD ||
                            expr->op == BST_EXPR_SUB || expr->op == BST_EXPR_MUL;
    if (arithmetic || (expr->op == BST_EXPR_CONVERT &&
                       !bst__c_conversion_is_safe(&expr->args[0]->type, &expr->type))) {
        return true;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (bst__c_can_overflow(expr->args[i])) {
            return true;
        }
    }
    return false;
}

bool bst__c_can_miss(const bst__c_scope *scope, const bst_expr *expr) {
    if (expr->op == BST_EXPR_REF) {
        return bst__c_is_unsure(scope, expr);
    }
    for (uint32_t i = 0; expr->op != BST_EXPR_HAS && i < expr->arg_count; i++) {
        if (bst__c_can_miss(scope, expr->args[i])) {
            return true;
        }
    }
    return false;
}

/* Whether it matters that an operand is evaluated. */
bool bst__c_can_fail(const bst__c_scope *s, const bst_expr *e) {
    return bst__c_can_overflow(e) || bst__c_can_miss(s, e);
}
