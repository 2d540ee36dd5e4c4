/* Which fields of events are amounts: what the event adds to a field of the entity, or takes away
 * from it, `"captured": "captured + event.amount"`. Then the entity's field is the sum of them.
 */
#include "mapping_private.h"

static const bst_expr *strip(const bst_expr *expr) {
    while (expr->op == BST_EXPR_CONVERT) {
        expr = expr->args[0];
    }
    return expr;
}

static bool is_ref(const bst_expr *expr, bst_root root, uint32_t index) {
    return expr->op == BST_EXPR_REF && expr->root == root && expr->index == index;
}

/* `event.x`, or that where it is there: `has(event.x) ? event.x : 0`. */
static bool is_amount(const bst_expr *expr, uint32_t field) {
    expr = strip(expr);
    if (expr->op == BST_EXPR_COND && expr->args[0]->op == BST_EXPR_HAS &&
        is_ref(expr->args[0]->args[0], BST_ROOT_EVENT, field)) {
        expr = strip(expr->args[1]);
    }
    return is_ref(expr, BST_ROOT_EVENT, field);
}

/* `f + event.x`, `event.x + f`, `f - event.x`, or one of them where x is there, else f. */
static bool adds(const bst_expr *expr, uint32_t to, uint32_t field, bool *ret_negative) {
    expr = strip(expr);
    if (expr->op == BST_EXPR_COND && expr->args[0]->op == BST_EXPR_HAS &&
        is_ref(expr->args[0]->args[0], BST_ROOT_EVENT, field) &&
        is_ref(strip(expr->args[2]), BST_ROOT_ENTITY, to)) {
        expr = strip(expr->args[1]);
    }
    if (expr->op != BST_EXPR_ADD && expr->op != BST_EXPR_SUB) {
        return false;
    }
    const bst_expr *left = strip(expr->args[0]);
    const bst_expr *right = strip(expr->args[1]);
    *ret_negative = expr->op == BST_EXPR_SUB;
    return (is_ref(left, BST_ROOT_ENTITY, to) && is_amount(right, field)) ||
           (expr->op == BST_EXPR_ADD && is_ref(right, BST_ROOT_ENTITY, to) &&
            is_amount(left, field));
}

uint32_t bst__sum_of(const bst_machine *machine, uint32_t event, uint32_t field,
                     bool *ret_negative) {
    const bst_event_type *type = &machine->events[event];
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_assignment *assignment = &type->assignments[i];
        if (assignment->expr && adds(assignment->expr, assignment->field, field, ret_negative)) {
            return assignment->field;
        }
    }
    return BST_NONE;
}
