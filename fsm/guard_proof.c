/* Proofs that guards exclude each other.
 *
 * Claims are taken apart until facts are left: a term (anything that is compared, mostly a field)
 * lies in an interval, is or is not a text, is present or absent; two terms stand in an order; a
 * condition holds or does not. Facts that contradict each other end a branch; a disjunction
 * branches; when every branch has ended, nothing can make the claims true. Whatever it does not
 * understand it takes as possible, so that a proof is a proof.
 *
 * "Holds" and "does not hold" both mean that the guard could be evaluated: one that overflows
 * refuses the command, whatever comes after it.
 */
#include "guard_private.h"

#include "backstory/decimal.h"
#include "expr_private.h"

#define FACTS_MAX    24
#define PENDING_MAX  96
#define BRANCHES_MAX 128

enum { LESS = 1, SAME = 2, MORE = 4, ABSENT = 8 };

/* What is known of one term. */
typedef struct term {
    const bst_expr *expr;
    int64_t low, high;
    uint64_t holes; /* of a short range: bit i is the value i, which it is not */
    bool present, absent;
    bool has_text, has_other;
    bst_value text, other; /* a text that it must be, and one that it must not be */
} term;

/* Two terms and the orders in which they may stand; or, without `right`, a condition: LESS is
 * false, MORE is true. */
typedef struct relation {
    const bst_expr *left, *right;
    unsigned orders;
} relation;

typedef struct facts {
    size_t term_count, relation_count;
    term terms[FACTS_MAX];
    relation relations[FACTS_MAX];
} facts;

/* Whether the expression reads nothing. */
static bool is_constant(const bst_expr *expr) {
    if (expr->op == BST_EXPR_REF) {
        return false;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!is_constant(expr->args[i])) {
            return false;
        }
    }
    return true;
}

static bool constant(const bst_expr *expr, bst_value *ret) {
    const bst_records none = {{NULL}};
    return is_constant(expr) && bst_expr_eval(expr, &none, ret) == BST_EVAL_OK;
}

void bst__range_of(const bst_type *type, int64_t *ret_low, int64_t *ret_high) {
    int64_t high = INT64_MAX;
    bool from_zero = false;
    switch (type->kind) {
    case BST_KIND_BOOL:
        high = 1;
        from_zero = true;
        break;
    case BST_KIND_ENUM:
        high = (int64_t)type->member_count - 1;
        from_zero = true;
        break;
    case BST_KIND_INT2:
        high = INT16_MAX;
        break;
    case BST_KIND_INT4:
        high = INT32_MAX;
        break;
    case BST_KIND_DECIMAL:
        high = 9;
        for (int i = 1; i < type->precision; i++) {
            high = high * 10 + 9;
        }
        *ret_low = -high;
        *ret_high = high;
        return;
    default:
        break;
    }
    *ret_high = high;
    *ret_low = from_zero ? 0 : -high - 1;
}

bool bst__rescale(int64_t value, int from, int scale, int64_t *ret, bool *ret_exact) {
    *ret_exact = true;
    for (; from < scale; from++) {
        if (!bst_decimal_mul(value, 10, &value)) {
            return false;
        }
    }
    for (; from > scale; from--) {
        const int64_t rest = value % 10;
        *ret_exact = *ret_exact && rest == 0;
        value = value / 10 - (rest < 0);
    }
    *ret = value;
    return true;
}

/* NULL: no room, nothing can be noted. */
static term *term_of(facts *f, const bst_expr *expr) {
    for (size_t i = 0; i < f->term_count; i++) {
        if (bst_expr_equal(f->terms[i].expr, expr)) {
            return &f->terms[i];
        }
    }
    if (f->term_count == FACTS_MAX) {
        return NULL;
    }
    term *added = &f->terms[f->term_count++];
    *added = (term){.expr = expr, .low = INT64_MIN, .high = INT64_MAX};
    if (expr->op == BST_EXPR_REF) {
        bst__range_of(&expr->type, &added->low, &added->high);
    }
    added->present = !expr->type.optional;
    return added;
}

static bool is_text(const bst_expr *expr) {
    return bst__group(expr->type.kind) == BST_KIND_TEXT;
}

/* Kept in `u.i`, whatever it stands for. */
static bool is_whole(const bst_expr *expr) {
    switch (expr->type.kind) {
    case BST_KIND_BOOL:
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
    case BST_KIND_DECIMAL:
    case BST_KIND_DATE:
    case BST_KIND_TIMESTAMPTZ:
    case BST_KIND_DURATION:
    case BST_KIND_ENUM:
        return true;
    default:
        return false;
    }
}

/* These return true when the facts have become impossible. */

static bool impossible(const term *t) {
    return (t->present && t->absent) || (t->present && t->low > t->high);
}

static bool note_presence(facts *f, const bst_expr *expr, bool present) {
    term *t = term_of(f, expr);
    if (!t) {
        return false;
    }
    t->present = t->present || present;
    t->absent = t->absent || !present;
    return impossible(t);
}

static bool note_text(facts *f, const bst_expr *expr, bool is, const bst_value *text) {
    static const bst_type type = {.kind = BST_KIND_TEXT};
    term *t = term_of(f, expr);
    if (!t) {
        return false;
    }
    if (is) {
        const bool differs = t->has_text && !bst_value_equal(&type, &t->text, text);
        t->text = *text;
        t->has_text = true;
        t->present = true;
        if (differs) {
            return true;
        }
    } else {
        t->other = *text; /* the last one: enough for a guard and its complement */
        t->has_other = true;
    }
    return impossible(t) ||
           (t->has_text && t->has_other && bst_value_equal(&type, &t->text, &t->other));
}

static bool is_hole(const term *t, int64_t value) {
    return value >= 0 && value < 64 && t->holes >> value & 1;
}

/* Draws the ends in to values that are possible. */
static bool close_holes(term *t) {
    while (t->low <= t->high && is_hole(t, t->low)) {
        t->low++;
    }
    while (t->low <= t->high && is_hole(t, t->high)) {
        t->high--;
    }
    return impossible(t);
}

/* The term lies among `orders` of `bound` (in the term's units; between it and the next unit when
 * not exact). */
static bool note_bound(facts *f, const bst_expr *expr, unsigned orders, int64_t bound, bool exact) {
    term *t = term_of(f, expr);
    if (!t) {
        return false;
    }
    if ((orders & ~(unsigned)ABSENT) == (LESS | MORE)) { /* kept at the ends, or among few */
        t->low += exact && bound == t->low && t->low < INT64_MAX;
        t->high -= exact && bound == t->high && t->high > INT64_MIN;
        t->holes |= exact && bound >= 0 && bound < 64 ? UINT64_C(1) << bound : 0;
        return close_holes(t);
    }
    t->present = true;
    int64_t low = INT64_MIN;
    int64_t high = INT64_MAX;
    if (!(orders & LESS)) {
        low = exact && orders & SAME ? bound : bound == INT64_MAX ? bound : bound + 1;
    }
    if (!(orders & MORE)) {
        high = !exact || orders & SAME ? bound : bound == INT64_MIN ? bound : bound - 1;
    }
    t->low = low > t->low ? low : t->low;
    t->high = high < t->high ? high : t->high;
    return close_holes(t);
}

static unsigned swapped(unsigned orders) {
    return (orders & (SAME | ABSENT)) | (orders & LESS ? MORE : 0u) | (orders & MORE ? LESS : 0u);
}

static bool note_relation(facts *f, const bst_expr *left, const bst_expr *right, unsigned orders) {
    for (size_t i = 0; i < f->relation_count; i++) {
        relation *r = &f->relations[i];
        if ((r->right == NULL) != (right == NULL)) {
            continue;
        }
        if (bst_expr_equal(r->left, left) && (!right || bst_expr_equal(r->right, right))) {
            return (r->orders &= orders) == 0;
        }
        if (right && bst_expr_equal(r->left, right) && bst_expr_equal(r->right, left)) {
            return (r->orders &= swapped(orders)) == 0;
        }
    }
    if (f->relation_count < FACTS_MAX) {
        f->relations[f->relation_count++] = (relation){left, right, orders};
    }
    return false;
}

static unsigned orders_of(bst_expr_op op, bool holds) {
    const unsigned all = LESS | SAME | MORE;
    const unsigned orders = op == BST_EXPR_EQ   ? SAME
                            : op == BST_EXPR_NE ? LESS | MORE | ABSENT
                            : op == BST_EXPR_LT ? LESS
                            : op == BST_EXPR_LE ? LESS | SAME
                            : op == BST_EXPR_GT ? MORE
                                                : SAME | MORE;
    const bool maybe_absent = op == BST_EXPR_EQ || op == BST_EXPR_NE;
    return holds ? orders : (maybe_absent ? all | ABSENT : all) & ~orders;
}

static bool note_comparison(facts *f, const bst_expr *left, const bst_expr *right,
                            unsigned orders) {
    bst_value value = BST_ABSENT;
    if (constant(left, &value)) {
        const bst_expr *other = left;
        left = right;
        right = other;
        orders = swapped(orders);
    } else if (!constant(right, &value)) {
        return note_relation(f, left, right, orders);
    }
    bst_value both;
    if (constant(left, &both)) {
        return false; /* the compiler of expressions could have told; not worth a proof */
    }
    if (!value.present) {
        return note_presence(f, left, (orders & SAME) == 0);
    }
    if (is_text(left) && (orders == SAME || orders == (LESS | MORE | ABSENT))) {
        return note_text(f, left, orders == SAME, &value);
    }
    int64_t bound;
    bool exact;
    if (!is_whole(left) || !is_whole(right) ||
        !bst__rescale(value.u.i, bst__scale(&right->type), bst__scale(&left->type), &bound,
                      &exact)) {
        return note_relation(f, left, right, orders);
    }
    if (!exact && orders == SAME) {
        return true;
    }
    return note_bound(f, left, orders, bound, exact);
}

typedef struct pending {
    size_t count;
    bst__claim claims[PENDING_MAX];
} pending;

static void push(pending *p, const bst_expr *expr, bool holds) {
    if (p->count < PENDING_MAX) { /* a claim left out leaves more possible */
        p->claims[p->count++] = (bst__claim){expr, holds};
    }
}

/* Claims that several ways can make true wait until the plain facts are known. */
static bool is_choice(const bst__claim *claim) {
    switch (claim->expr->op) {
    case BST_EXPR_OR:
    case BST_EXPR_IN:
        return claim->holds;
    case BST_EXPR_AND:
        return !claim->holds;
    case BST_EXPR_COND:
        return true;
    default:
        return false;
    }
}

static bool note(facts *f, pending *p, const bst__claim *claim) {
    const bst_expr *e = claim->expr;
    switch (e->op) {
    case BST_EXPR_NOT:
        push(p, e->args[0], !claim->holds);
        return false;
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        for (uint32_t i = 0; i < e->arg_count; i++) {
            push(p, e->args[i], claim->holds);
        }
        return false;
    case BST_EXPR_LITERAL:
        return (e->literal.u.i != 0) != claim->holds;
    case BST_EXPR_HAS:
        return note_presence(f, e->args[0], claim->holds);
    case BST_EXPR_REF:
        return note_bound(f, e, SAME, claim->holds, true);
    case BST_EXPR_IN:
        for (uint32_t i = 1; i < e->arg_count; i++) {
            if (note_comparison(f, e->args[0], e->args[i], orders_of(BST_EXPR_NE, true))) {
                return true;
            }
        }
        return false;
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
        return note_comparison(f, e->args[0], e->args[1], orders_of(e->op, claim->holds));
    default:
        return note_relation(f, e, NULL, claim->holds ? MORE : LESS);
    }
}

static bool prove(unsigned *branches, const facts *given, const pending *claims);

static bool prove_with(unsigned *branches, const facts *f, const pending *rest, const bst_expr *one,
                       bool one_holds, const bst_expr *two, bool two_holds) {
    pending p = *rest;
    push(&p, one, one_holds);
    if (two) {
        push(&p, two, two_holds);
    }
    return prove(branches, f, &p);
}

static bool prove_choice(unsigned *branches, const facts *f, const pending *rest,
                         const bst__claim *claim) {
    const bst_expr *e = claim->expr;
    if (e->op == BST_EXPR_COND) {
        return prove_with(branches, f, rest, e->args[0], true, e->args[1], claim->holds) &&
               prove_with(branches, f, rest, e->args[0], false, e->args[2], claim->holds);
    }
    for (uint32_t i = e->op == BST_EXPR_IN; i < e->arg_count; i++) {
        if (e->op == BST_EXPR_IN) {
            facts with = *f;
            if (!note_comparison(&with, e->args[0], e->args[i], SAME) &&
                !prove(branches, &with, rest)) {
                return false;
            }
        } else if (!prove_with(branches, f, rest, e->args[i], claim->holds, NULL, false)) {
            return false;
        }
    }
    return true;
}

static bool prove(unsigned *branches, const facts *given, const pending *claims) {
    facts f = *given;
    pending p = *claims;
    pending choices = {0};
    if (++*branches > BRANCHES_MAX) {
        return false;
    }
    while (p.count) {
        const bst__claim claim = p.claims[--p.count];
        if (is_choice(&claim)) {
            push(&choices, claim.expr, claim.holds);
        } else if (note(&f, &p, &claim)) {
            return true;
        }
    }
    if (choices.count == 0) {
        return false;
    }
    const bst__claim choice = choices.claims[--choices.count];
    return prove_choice(branches, &f, &choices, &choice);
}

bool bst__guards_clash(const bst__claim *claims, size_t count) {
    const facts none = {.term_count = 0, .relation_count = 0};
    pending p = {0};
    unsigned branches = 0;
    for (size_t i = 0; i < count; i++) {
        push(&p, claims[i].expr, claims[i].holds);
    }
    return prove(&branches, &none, &p);
}
