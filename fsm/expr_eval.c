/* Expressions, evaluated: a walk over the typed tree, at most BST_EXPR_DEPTH_MAX deep, that
 * allocates nothing.
 *
 * Every step of arithmetic is checked. The rule for numbers: the exact result is a value if it
 * fits (an int64 for integers and durations, 18 digits for decimals, PostgreSQL's range for
 * timestamps), and an overflow otherwise, whatever came before. && || ?: evaluate from left to
 * right and only what they need.
 */
#define _GNU_SOURCE /* memmem */
#include "expr_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"

static bst_eval_result eval(const bst_expr *e, const bst_records *records, bst_value *ret);

static bst_value from_int(int64_t i) {
    return (bst_value){.present = true, .u.i = i};
}

/* ---- arithmetic ---- */

/* The number of `value` in units of another scale. False past an int64, where no sum with it
 * could fit 18 digits. */
static bool to_scale(const bst_type *type, const bst_value *value, int scale, int64_t *ret) {
    int64_t units = value->u.i;
    for (int i = bst__scale(type); i < scale; i++) {
        if (!bst_decimal_mul(units, 10, &units)) {
            return false;
        }
    }
    *ret = units;
    return true;
}

static bool compute(bst_expr_op op, int64_t a, int64_t b, int64_t *ret) {
    return op == BST_EXPR_ADD   ? bst_decimal_add(a, b, ret)
           : op == BST_EXPR_SUB ? bst_decimal_sub(a, b, ret)
                                : bst_decimal_mul(a, b, ret);
}

static bool is_infinite(const bst_type *type, const bst_value *value) {
    return type->kind == BST_KIND_TIMESTAMPTZ && !bst_time_is_finite(value->u.i);
}

static bool arithmetic(const bst_expr *e, const bst_value args[2], bst_value *ret) {
    const bst_type *a = &e->args[0]->type, *b = &e->args[1]->type;
    int64_t x = args[0].u.i, y = args[1].u.i, result = 0;
    if (e->type.kind == BST_KIND_DECIMAL && e->op != BST_EXPR_MUL &&
        (!to_scale(a, &args[0], e->type.scale, &x) || !to_scale(b, &args[1], e->type.scale, &y))) {
        return false;
    }
    if (is_infinite(a, &args[0]) || is_infinite(b, &args[1]) || !compute(e->op, x, y, &result)) {
        return false;
    }
    *ret = from_int(result);
    return e->type.kind == BST_KIND_DECIMAL       ? bst_decimal_fits(result, e->type.precision)
           : e->type.kind == BST_KIND_TIMESTAMPTZ ? result >= BST_TIME_MIN && result < BST_TIME_END
                                                  : true;
}

/* ---- comparison ---- */

static int sign(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_bytes(const char *a, uint32_t a_len, const char *b, uint32_t b_len) {
    const uint32_t len = a_len < b_len ? a_len : b_len;
    const int order = len == 0 ? 0 : memcmp(a, b, len);
    return order != 0 ? sign(order, 0) : sign(a_len, b_len);
}

static int compare(const bst_expr *a, const bst_value *x, const bst_expr *b, const bst_value *y) {
    switch (bst__group(a->type.kind)) {
    case BST_KIND_DECIMAL:
        return bst_decimal_compare(x->u.i, bst__scale(&a->type), y->u.i, bst__scale(&b->type));
    case BST_KIND_TEXT:
    case BST_KIND_BYTEA:
        return compare_bytes(x->u.text, x->len, y->u.text, y->len);
    case BST_KIND_UUID:
        return sign(memcmp(x->u.uuid, y->u.uuid, sizeof x->u.uuid), 0);
    default:
        return sign(x->u.i, y->u.i);
    }
}

static bool relation(const bst_expr *e, const bst_value args[2]) {
    if (!args[0].present || !args[1].present) { /* only == and != come here */
        return (args[0].present == args[1].present) == (e->op == BST_EXPR_EQ);
    }
    const int order = compare(e->args[0], &args[0], e->args[1], &args[1]);
    switch (e->op) {
    case BST_EXPR_EQ:
        return order == 0;
    case BST_EXPR_NE:
        return order != 0;
    case BST_EXPR_LT:
        return order < 0;
    case BST_EXPR_LE:
        return order <= 0;
    case BST_EXPR_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* ---- texts ---- */

static uint32_t characters(const bst_value *text) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < text->len; i++) {
        count += (text->u.text[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool text_test(bst_expr_op op, const bst_value *text, const bst_value *part) {
    if (part->len > text->len) {
        return false;
    }
    if (part->len == 0) {
        return true;
    }
    switch (op) {
    case BST_EXPR_STARTS_WITH:
        return memcmp(text->u.text, part->u.text, part->len) == 0;
    case BST_EXPR_ENDS_WITH:
        return memcmp(text->u.text + text->len - part->len, part->u.text, part->len) == 0;
    default:
        return memmem(text->u.text, text->len, part->u.text, part->len) != NULL;
    }
}

/* ---- conversion ---- */

static bool convert_text(const bst_value *value, const bst_type *to, bst_value *ret) {
    bst_value text = *value;
    while (to->kind == BST_KIND_CHAR && text.len > 0 && text.u.text[text.len - 1] == ' ') {
        text.len--;
    }
    *ret = text;
    return to->kind == BST_KIND_TEXT || to->length == 0 || characters(&text) <= to->length;
}

bool bst__convert(const bst_type *from, const bst_value *value, const bst_type *to,
                  bst_value *ret) {
    if (bst__group(to->kind) == BST_KIND_TEXT) {
        return convert_text(value, to, ret);
    }
    int64_t units = value->u.i;
    if (!to_scale(from, value, bst__scale(to), &units)) {
        return false;
    }
    *ret = from_int(units);
    switch (to->kind) {
    case BST_KIND_INT2:
        return units >= INT16_MIN && units <= INT16_MAX;
    case BST_KIND_INT4:
        return units >= INT32_MIN && units <= INT32_MAX;
    case BST_KIND_DECIMAL:
        return bst_decimal_fits(units, to->precision);
    default:
        return true;
    }
}

/* ---- the walk ---- */

static bst_eval_result eval_ref(const bst_expr *e, const bst_records *records, bst_value *ret) {
    const bst_value *record = records->root[e->root];
    if (record == NULL) {
        return e->root == BST_ROOT_LINKED ? BST_EVAL_UNKNOWN : BST_EVAL_ABSENT;
    }
    *ret = record[e->index];
    return ret->present || e->type.optional ? BST_EVAL_OK : BST_EVAL_ABSENT;
}

/* A name that is asked for may be absent whatever its type says. */
static bst_eval_result eval_has(const bst_expr *e, const bst_records *records, bst_value *ret) {
    const bst_expr *ref = e->args[0];
    const bst_value *record = records->root[ref->root];
    *ret = from_int(record != NULL && record[ref->index].present);
    return BST_EVAL_OK;
}

static bst_eval_result eval_logic(const bst_expr *e, const bst_records *records, bst_value *ret) {
    const bst_eval_result result = eval(e->args[0], records, ret);
    if (result != BST_EVAL_OK || (ret->u.i != 0) == (e->op == BST_EXPR_OR)) {
        return result;
    }
    return eval(e->args[1], records, ret);
}

static bst_eval_result eval_cond(const bst_expr *e, const bst_records *records, bst_value *ret) {
    bst_value test;
    const bst_eval_result result = eval(e->args[0], records, &test);
    return result != BST_EVAL_OK ? result : eval(e->args[test.u.i != 0 ? 1 : 2], records, ret);
}

static bst_eval_result eval_in(const bst_expr *e, const bst_records *records, bst_value *ret) {
    bst_value x, item;
    bst_eval_result result = eval(e->args[0], records, &x);
    bool found = false;
    for (uint32_t i = 1; result == BST_EVAL_OK && i < e->arg_count; i++) {
        result = eval(e->args[i], records, &item);
        found = found || (result == BST_EVAL_OK && compare(e->args[0], &x, e->args[i], &item) == 0);
    }
    *ret = from_int(found);
    return result;
}

/* An operand is mostly a name: that takes no step down. */
static inline bst_eval_result eval_operand(const bst_expr *e, const bst_records *records,
                                           bst_value *ret) {
    return e->op == BST_EXPR_REF ? eval_ref(e, records, ret) : eval(e, records, ret);
}

static bst_eval_result eval_unary(const bst_expr *e, const bst_records *records, bst_value *ret) {
    bst_value x;
    const bst_eval_result result = eval_operand(e->args[0], records, &x);
    if (result != BST_EVAL_OK) {
        return result;
    }
    bool good = true;
    switch (e->op) {
    case BST_EXPR_NOT:
        *ret = from_int(x.u.i == 0);
        break;
    case BST_EXPR_SIZE:
        *ret = from_int(characters(&x));
        break;
    case BST_EXPR_NEG:
        *ret = from_int(0);
        good = bst_decimal_sub(0, x.u.i, &ret->u.i);
        break;
    default: /* CONVERT */
        *ret = x;
        good = !x.present || bst__convert(&e->args[0]->type, &x, &e->type, ret);
        break;
    }
    return good ? BST_EVAL_OK : BST_EVAL_OVERFLOW;
}

static bst_eval_result eval_binary(const bst_expr *e, const bst_records *records, bst_value *ret) {
    bst_value args[2];
    for (int i = 0; i < 2; i++) {
        const bst_eval_result result = eval_operand(e->args[i], records, &args[i]);
        if (result != BST_EVAL_OK) {
            return result;
        }
    }
    switch (e->op) {
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        return arithmetic(e, args, ret) ? BST_EVAL_OK : BST_EVAL_OVERFLOW;
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        *ret = from_int(text_test(e->op, &args[0], &args[1]));
        return BST_EVAL_OK;
    default:
        *ret = from_int(relation(e, args));
        return BST_EVAL_OK;
    }
}

static bst_eval_result eval(const bst_expr *e, const bst_records *records, bst_value *ret) {
    switch (e->op) {
    case BST_EXPR_LITERAL:
        *ret = e->literal;
        return BST_EVAL_OK;
    case BST_EXPR_NULL:
        *ret = BST_ABSENT;
        return BST_EVAL_OK;
    case BST_EXPR_REF:
        return eval_ref(e, records, ret);
    case BST_EXPR_HAS:
        return eval_has(e, records, ret);
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        return eval_logic(e, records, ret);
    case BST_EXPR_COND:
        return eval_cond(e, records, ret);
    case BST_EXPR_IN:
        return eval_in(e, records, ret);
    default:
        return e->arg_count == 1 ? eval_unary(e, records, ret) : eval_binary(e, records, ret);
    }
}

bst_eval_result bst_expr_eval(const bst_expr *expr, const bst_records *records, bst_value *ret) {
    bst_value value;
    const bst_eval_result result = eval(expr, records, &value);
    if (result == BST_EVAL_OK) {
        *ret = value;
    }
    return result;
}
