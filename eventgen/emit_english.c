/* Expressions in English.
 *
 * A condition is a sentence (`a <= b`: "a is at most b"), a value a noun (`a + b`: "a plus b"). A
 * negation goes into the sentence where it can ("is not"). `&&` and `||` are lists: "a, b and c".
 * English has no precedence: an "or" inside an "and" stands in brackets, and an "and" inside an
 * "or" is set off by a comma.
 */
#include "emit_english_private.h"

#include <string.h>

#include "backstory/timestamp.h"

static void sentence(const bst_expr *e, bool holds, bst_strbuf *out);
static void noun(const bst_expr *e, bst_strbuf *out);

static const bst_expr *unwrap(const bst_expr *e) {
    while (e->op == BST_EXPR_CONVERT) {
        e = e->args[0];
    }
    return e;
}

/* ---- nouns ---- */

void bst__english_duration(int64_t us, bst_strbuf *out) {
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {{INT64_C(86400000000), "day"}, {INT64_C(3600000000), "hour"},
                 {INT64_C(60000000), "minute"}, {INT64_C(1000000), "second"},
                 {1000, "millisecond"},         {1, "microsecond"}};
    uint64_t left = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    const char *before = us < 0 ? "minus " : "";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const uint64_t count = left / (uint64_t)units[i].us;
        left %= (uint64_t)units[i].us;
        if (count > 0) {
            bst_strbuf_addf(out, "%s%llu %s%s", before, (unsigned long long)count, units[i].name,
                            count == 1 ? "" : "s");
            before = " ";
        }
    }
    bst_strbuf_adds(out, us == 0 ? "no time" : "");
}

static void literal(const bst_expr *e, bst_strbuf *out) {
    switch (e->type.kind) {
    case BST_KIND_DURATION:
        bst__english_duration(e->literal.u.i, out);
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_ENUM:
        bst_strbuf_addc(out, '"');
        bst_value_to_text(&e->type, &e->literal, out);
        bst_strbuf_addc(out, '"');
        break;
    default:
        bst_value_to_text(&e->type, &e->literal, out);
    }
}

static int strength(const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_COND:
        return 0;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
        return 2;
    case BST_EXPR_MUL:
        return 3;
    case BST_EXPR_NEG:
        return 4;
    case BST_EXPR_LITERAL:
    case BST_EXPR_NULL:
    case BST_EXPR_REF:
    case BST_EXPR_SIZE:
        return 5;
    default: /* a condition */
        return 1;
    }
}

/* As part of something that binds so strongly. */
static void part(const bst_expr *e, int least, bst_strbuf *out) {
    e = unwrap(e);
    const bool brackets = strength(e) < least;
    bst_strbuf_adds(out, brackets ? "(" : "");
    noun(e, out);
    bst_strbuf_adds(out, brackets ? ")" : "");
}

static void noun(const bst_expr *e, bst_strbuf *out) {
    e = unwrap(e);
    switch (e->op) {
    case BST_EXPR_LITERAL:
        literal(e, out);
        break;
    case BST_EXPR_NULL:
        bst_strbuf_adds(out, "nothing");
        break;
    case BST_EXPR_REF:
        bst_strbuf_adds(out, e->root == BST_ROOT_COMMAND ? "the command's "
                             : e->root == BST_ROOT_EVENT ? "the event's "
                                                         : "");
        bst_strbuf_adds(out, e->name);
        break;
    case BST_EXPR_ADD:
    case BST_EXPR_SUB:
    case BST_EXPR_MUL:
        part(e->args[0], strength(e), out);
        bst_strbuf_adds(out, e->op == BST_EXPR_ADD   ? " plus "
                             : e->op == BST_EXPR_SUB ? " minus "
                                                     : " times ");
        part(e->args[1], strength(e) + 1, out);
        break;
    case BST_EXPR_NEG:
        bst_strbuf_adds(out, "minus ");
        part(e->args[0], strength(e), out);
        break;
    case BST_EXPR_SIZE:
        bst_strbuf_adds(out, "the length of ");
        part(e->args[0], 5, out);
        break;
    case BST_EXPR_COND:
        part(e->args[1], 1, out);
        bst_strbuf_adds(out, " if ");
        sentence(e->args[0], true, out);
        bst_strbuf_adds(out, ", otherwise ");
        part(e->args[2], 0, out);
        break;
    default:
        bst_strbuf_adds(out, "whether ");
        sentence(e, true, out);
    }
}

/* ---- sentences ---- */

static bool is_time(const bst_expr *e) {
    const bst_kind kind = unwrap(e)->type.kind;
    return kind == BST_KIND_DATE || kind == BST_KIND_TIMESTAMPTZ;
}

static const char *comparison(const bst_expr *e, bool holds) {
    static const char *const words[][2] = {{" is ", " is not "},
                                           {" is less than ", " is before "},
                                           {" is at most ", " is not after "},
                                           {" is more than ", " is after "},
                                           {" is at least ", " is not before "}};
    const bool time = is_time(e->args[0]);
    switch (e->op) {
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
        return words[0][(e->op == BST_EXPR_EQ) != holds];
    case BST_EXPR_LT:
        return words[holds ? 1 : 4][time];
    case BST_EXPR_LE:
        return words[holds ? 2 : 3][time];
    case BST_EXPR_GT:
        return words[holds ? 3 : 2][time];
    default:
        return words[holds ? 4 : 1][time];
    }
}

static void presence(const bst_expr *e, bool present, bst_strbuf *out) {
    noun(e, out);
    bst_strbuf_adds(out, present ? " is present" : " is absent");
}

static void compare(const bst_expr *e, bool holds, bst_strbuf *out) {
    const bst_expr *left = unwrap(e->args[0]);
    const bst_expr *right = unwrap(e->args[1]);
    if (left->op == BST_EXPR_NULL || right->op == BST_EXPR_NULL) {
        presence(left->op == BST_EXPR_NULL ? right : left, (e->op == BST_EXPR_NE) == holds, out);
        return;
    }
    part(left, 2, out);
    bst_strbuf_adds(out, comparison(e, holds));
    part(right, 2, out);
}

/* The operands of a chain of && or ||, however its tree is balanced. */
static uint32_t chain_length(const bst_expr *e, bst_expr_op op) {
    e = unwrap(e);
    return e->op == op ? chain_length(e->args[0], op) + chain_length(e->args[1], op) : 1;
}

/* Whether it reads as "a and b", or as "a or b", once what negates it has gone inwards. */
static bool reads_as(const bst_expr *e, bool holds, bst_expr_op op) {
    e = unwrap(e);
    if (e->op == BST_EXPR_NOT) {
        return reads_as(e->args[0], !holds, op);
    }
    const bst_expr_op other = op == BST_EXPR_AND ? BST_EXPR_OR : BST_EXPR_AND;
    return e->op == (holds ? op : other);
}

static bool chain_has_and(const bst_expr *e, bst_expr_op op, bool holds) {
    e = unwrap(e);
    return e->op == op
               ? chain_has_and(e->args[0], op, holds) || chain_has_and(e->args[1], op, holds)
               : reads_as(e, holds, BST_EXPR_AND);
}

typedef struct list {
    bst_expr_op op;
    bool holds, apart; /* a comma before the last one too */
    uint32_t number, count;
} list;

static void chain(const bst_expr *e, list *l, bst_strbuf *out) {
    e = unwrap(e);
    if (e->op == l->op) {
        chain(e->args[0], l, out);
        chain(e->args[1], l, out);
        return;
    }
    const bool last = ++l->number == l->count;
    const bool ands = (l->op == BST_EXPR_AND) == l->holds;
    const bool brackets = ands && reads_as(e, l->holds, BST_EXPR_OR);
    if (l->number > 1) {
        bst_strbuf_adds(out, !last || l->apart ? "," : "");
        bst_strbuf_adds(out, !last ? " " : ands ? " and " : " or ");
    }
    bst_strbuf_adds(out, brackets ? "(" : "");
    sentence(e, l->holds, out);
    bst_strbuf_adds(out, brackets ? ")" : "");
}

/* Neither of several is each of them not (De Morgan): the words change, the order stays. */
static void add_chain(const bst_expr *e, bool holds, bst_strbuf *out) {
    list l = {.op = e->op, .holds = holds, .count = chain_length(e, e->op)};
    l.apart = reads_as(e, holds, BST_EXPR_OR) && chain_has_and(e, e->op, holds);
    chain(e, &l, out);
}

static void membership(const bst_expr *e, bool holds, bst_strbuf *out) {
    part(e->args[0], 2, out);
    bst_strbuf_adds(out, holds ? " is " : " is not ");
    bst_strbuf_adds(out, e->arg_count == 2 ? "" : holds ? "one of " : "any of ");
    for (uint32_t i = 1; i < e->arg_count; i++) {
        bst_strbuf_adds(out, i == 1 ? "" : i + 1 == e->arg_count ? " or " : ", ");
        part(e->args[i], 2, out);
    }
}

static void match(const bst_expr *e, bool holds, bst_strbuf *out) {
    static const char *const words[][2] = {{" does not start with ", " starts with "},
                                           {" does not end with ", " ends with "},
                                           {" does not contain ", " contains "}};
    const int which = e->op == BST_EXPR_STARTS_WITH ? 0 : e->op == BST_EXPR_ENDS_WITH ? 1 : 2;
    part(e->args[0], 2, out);
    bst_strbuf_adds(out, words[which][holds]);
    part(e->args[1], 2, out);
}

/* `c ? a : b` as a condition. */
static void choice(const bst_expr *e, bool holds, bst_strbuf *out) {
    bst_strbuf_adds(out, "if ");
    sentence(e->args[0], true, out);
    bst_strbuf_adds(out, ", ");
    sentence(e->args[1], holds, out);
    bst_strbuf_adds(out, ", otherwise ");
    sentence(e->args[2], holds, out);
}

static void sentence(const bst_expr *e, bool holds, bst_strbuf *out) {
    e = unwrap(e);
    switch (e->op) {
    case BST_EXPR_LITERAL:
        bst_strbuf_adds(out, (e->literal.u.i != 0) == holds ? "always" : "never");
        break;
    case BST_EXPR_HAS:
        presence(e->args[0], holds, out);
        break;
    case BST_EXPR_NOT:
        sentence(e->args[0], !holds, out);
        break;
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        add_chain(e, holds, out);
        break;
    case BST_EXPR_IN:
        membership(e, holds, out);
        break;
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        match(e, holds, out);
        break;
    case BST_EXPR_COND:
        choice(e, holds, out);
        break;
    case BST_EXPR_REF:
        if (e->root == BST_ROOT_STATE) {
            bst_strbuf_addf(out, holds ? "%s is active" : "%s is not active", e->name);
        } else if (e->root == BST_ROOT_LINKED) {
            bst_strbuf_addf(out, "%s() says %s", e->name, holds ? "yes" : "no");
        } else {
            noun(e, out);
            bst_strbuf_adds(out, holds ? " is true" : " is false");
        }
        break;
    default:
        compare(e, holds, out);
    }
}

void bst__english(const bst_expr *expr, bst_strbuf *out) {
    if (unwrap(expr)->type.kind == BST_KIND_BOOL) {
        sentence(expr, true, out);
    } else {
        noun(expr, out);
    }
}

void bst__english_value(const bst_expr *expr, bst_strbuf *out) {
    noun(expr, out);
}
