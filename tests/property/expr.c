/* Random expressions against an oracle of its own.
 *
 * Typed trees are drawn, written as text with brackets round everything, compiled, and evaluated on
 * random records. The oracle computes the same tree in 128 bits by the rules of docs/expressions.md
 * and knows nothing of the code under test: the values must agree, and so must every overflow. The
 * canonical text, compiled again, must mean the same and be written the same.
 *
 * BACKSTORY_CASES: how many (5000), BACKSTORY_SEED: the seed of the first.
 */
#include <stdio.h>
#include <string.h>

#include "backstory/decimal.h"
#include "backstory/expr.h"
#include "backstory/timestamp.h"
#include "random_expr.h"

typedef __int128 wide;

#define DEPTH   6
#define RECORDS 6

/* ---- the oracle ---- */

typedef struct outcome {
    bool overflow, absent;
    wide value; /* of a text: its index */
} outcome;

static const outcome overflow = {.overflow = true};

static outcome known_value(wide value) {
    return (outcome){.value = value};
}

static outcome judge(const node *n);

static wide scaled(wide value, int from, int to) {
    while (from++ < to) {
        value *= 10;
    }
    return value;
}

static bool in_range(family kind, wide value) {
    return kind == DEC    ? value >= -DIGITS18 && value <= DIGITS18
           : kind == TIME ? value >= BST_TIME_MIN && value < BST_TIME_END
                          : value >= INT64_MIN && value <= INT64_MAX;
}

static bool infinite(const node *n, outcome x) {
    return n->kind == TIME && (x.value == BST_TIME_INFINITY || x.value == BST_TIME_MINUS_INFINITY);
}

static outcome judge_arithmetic(const node *n) {
    const node *l = n->args[0], *r = n->args[1];
    const outcome a = judge(l), b = judge(r);
    if (a.overflow || b.overflow || infinite(l, a) || infinite(r, b)) {
        return overflow;
    }
    const wide x = scaled(a.value, l->scale, n->scale), y = scaled(b.value, r->scale, n->scale);
    const wide value = n->op == ADD ? x + y : n->op == SUB ? x - y : a.value * b.value;
    return in_range(n->kind, value) ? known_value(value) : overflow;
}

static int order(const node *l, wide a, const node *r, wide b) {
    if (l->kind == TEXT) {
        return strcmp(texts[a], texts[b]);
    }
    a = scaled(a, l->scale, 18);
    b = scaled(b, r->scale, 18);
    return (a > b) - (a < b);
}

static outcome judge_comparison(const node *n) {
    const outcome a = judge(n->args[0]), b = judge(n->args[1]);
    if (a.overflow || b.overflow) {
        return overflow;
    }
    if (a.absent) {
        return known_value(n->op == NE);
    }
    const int c = order(n->args[0], a.value, n->args[1], b.value);
    return known_value(n->op == EQ   ? c == 0
                       : n->op == NE ? c != 0
                       : n->op == LT ? c < 0
                       : n->op == LE ? c <= 0
                       : n->op == GT ? c > 0
                                     : c >= 0);
}

static outcome judge_in(const node *n) {
    const outcome x = judge(n->args[0]), a = judge(n->args[1]), b = judge(n->args[2]);
    return x.overflow || a.overflow || b.overflow
               ? overflow
               : known_value(order(n->args[0], x.value, n->args[1], a.value) == 0 ||
                             order(n->args[0], x.value, n->args[2], b.value) == 0);
}

static outcome judge_text(const node *n) {
    const outcome a = judge(n->args[0]);
    const outcome b = n->op == SIZE ? a : judge(n->args[1]);
    if (a.overflow || b.overflow) {
        return overflow;
    }
    const char *text = texts[a.value], *part = texts[b.value];
    const char *found = strstr(text, part);
    const size_t len = strlen(text), part_len = strlen(part);
    return known_value(n->op == SIZE ? (wide)(a.value < 6 ? len : len - 1) /* one of two bytes */
                       : n->op == STARTS ? found == text
                       : n->op == ENDS ? part_len <= len && strcmp(text + len - part_len, part) == 0
                                       : found != NULL);
}

static outcome judge(const node *n) {
    outcome a = {0};
    switch (n->op) {
    case LITERAL:
        return known_value(n->value);
    case FIELD:
        return (outcome){.absent = !record[n->value].present, .value = field_values[n->value]};
    case HAS:
        return known_value(record[n->args[0]->value].present);
    case NOT:
    case NEG:
        a = judge(n->args[0]);
        a.value = n->op == NOT ? !a.value : -a.value;
        return a.overflow || !in_range(n->kind, a.value) ? overflow : a;
    case AND:
    case OR:
        a = judge(n->args[0]);
        return a.overflow || a.value == (n->op == OR) ? a : judge(n->args[1]);
    case COND:
        a = judge(n->args[0]);
        return a.overflow ? a : judge(n->args[a.value ? 1 : 2]);
    case ADD:
    case SUB:
    case MUL:
        return judge_arithmetic(n);
    case IN:
        return judge_in(n);
    case STARTS:
    case ENDS:
    case CONTAINS:
    case SIZE:
        return judge_text(n);
    default:
        return judge_comparison(n);
    }
}

/* ---- holding them against each other ---- */

static bst_arena *arena;
static bst_scope scope;

static const bst_expr *compile(const char *text, const bst_type *want) {
    bst_diags *diags = bst_diags_new();
    const bst_expr *expr = NULL;
    if (bst_expr_compile(text, strlen(text), &scope, want, NULL, arena, &expr, diags) != BST_OK) {
        for (size_t i = 0; i < bst_diags_count(diags); i++) {
            const bst_diag *d = bst_diags_at(diags, i);
            fprintf(stderr, "column %u: %s\n", d->column, d->message);
        }
    }
    bst_diags_free(diags);
    return expr;
}

static bool same_type(const node *n, const bst_type *type) {
    switch (n->kind) {
    case BOOL:
        return type->kind == BST_KIND_BOOL;
    case INT:
        return type->kind == BST_KIND_INT2 || type->kind == BST_KIND_INT4 ||
               type->kind == BST_KIND_INT8;
    case DEC:
        return type->kind == BST_KIND_DECIMAL && type->scale == n->scale;
    case TIME:
        return type->kind == BST_KIND_TIMESTAMPTZ;
    case SPAN:
        return type->kind == BST_KIND_DURATION;
    case TEXT:
        return type->kind == BST_KIND_TEXT || type->kind == BST_KIND_VARCHAR;
    }
    return false;
}

/* Whether the compiled expression gives what the oracle says; `wanted` overrules its value. */
static bool agrees(const node *n, const bst_expr *expr, outcome expected) {
    const bst_records records = {.root = {record}};
    bst_value value = BST_ABSENT;
    const bst_eval_result result = bst_expr_eval(expr, &records, &value);
    if (expected.overflow || result != BST_EVAL_OK) {
        return expected.overflow && result == BST_EVAL_OVERFLOW;
    }
    if (n->kind == TEXT) {
        const char *text = texts[expected.value];
        return value.present && value.len == strlen(text) &&
               memcmp(value.u.text, text, value.len) == 0;
    }
    return value.present && value.u.i == expected.value;
}

/* A number asked for as a decimal of its own scale or more, in few digits. */
static bool check_wanted(const node *n, const char *text) {
    const node *core = n;
    while (core->op == NEG) {
        core = core->args[0];
    }
    if ((n->kind != INT && n->kind != DEC) || core->op == LITERAL || n->op == COND) {
        return true; /* a literal that does not fit is refused at once */
    }
    const int scale = n->scale + (int)roll((unsigned)(18 - n->scale) + 1);
    const int precision = scale + (int)roll((unsigned)(18 - scale) + 1);
    bst_type want = {.kind = BST_KIND_DECIMAL,
                     .precision = (uint8_t)(precision > 0 ? precision : 1),
                     .scale = (uint8_t)scale};
    const bst_expr *expr = compile(text, &want);
    if (expr == NULL || !bst_type_equal(&expr->type, &want)) {
        return false;
    }
    for (int i = 0; i < RECORDS; i++) {
        draw_record();
        outcome expected = judge(n);
        expected.value = scaled(expected.value, n->scale, scale);
        if (expected.value <= -pow10_of(want.precision) ||
            expected.value >= pow10_of(want.precision)) {
            expected = overflow;
        }
        if (!agrees(n, expr, expected)) {
            return false;
        }
    }
    return true;
}

static bool check_text(const node *n, const char *text, const char *canonical) {
    const bst_expr *expr = compile(text, NULL);
    const bst_expr *again = compile(canonical, NULL);
    if (expr == NULL || again == NULL || expr->type.optional || !same_type(n, &expr->type)) {
        return false;
    }
    for (int i = 0; i < RECORDS; i++) {
        draw_record();
        const outcome expected = judge(n);
        if (!agrees(n, expr, expected) || !agrees(n, again, expected)) {
            return false;
        }
    }
    return check_wanted(n, text);
}

/* The canonical text is its own canonical text. */
static bool canonicalize(const char *text, bst_strbuf *out) {
    bst_strbuf again = BST_STRBUF_INIT;
    const bst_expr *expr = compile(text, NULL);
    if (expr != NULL) {
        bst_expr_format(expr, out);
        expr = compile(out->text, NULL);
    }
    if (expr != NULL) {
        bst_expr_format(expr, &again);
    }
    const bool stable = expr != NULL && strcmp(out->text, again.text) == 0;
    bst_strbuf_release(&again);
    return stable;
}

static bool check_one(void) {
    static const family kinds[] = {BOOL, BOOL, INT, DEC, DEC, TIME, SPAN, TEXT};
    static const int scales[] = {0, 2, 4, 9, 3};
    const family kind = kinds[roll(8)];
    node_count = 0;
    bst_arena_clear(arena);
    const node *n = draw(kind, kind == DEC ? scales[roll(5)] : 0, 0, DEPTH);
    bst_strbuf text = BST_STRBUF_INIT, canonical = BST_STRBUF_INIT;
    write_tree(n, &text);
    const bool good =
        canonicalize(text.text, &canonical) && check_text(n, text.text, canonical.text);
    if (!good) {
        fprintf(stderr, "written:   %s\ncanonical: %s\n", text.text, canonical.text);
    }
    bst_strbuf_release(&text);
    bst_strbuf_release(&canonical);
    return good;
}

int main(void) {
    static bst_scope_field scope_fields[FIELDS];
    const uint64_t first_seed = random_setting("BACKSTORY_SEED", 1);
    const unsigned long count = (unsigned long)random_setting("BACKSTORY_CASES", 5000);
    bst_arena *types = bst_arena_new();
    arena = bst_arena_new();
    for (size_t i = 0; i < FIELDS; i++) {
        const char *reason = NULL;
        scope_fields[i].name = fields[i].name;
        if (!bst_type_parse(fields[i].type, types, &scope_fields[i].type, &reason)) {
            return 2;
        }
    }
    scope.root[BST_ROOT_ENTITY].known = true;
    scope.root[BST_ROOT_ENTITY].count = FIELDS;
    scope.root[BST_ROOT_ENTITY].fields = scope_fields;

    unsigned long done = 0;
    seed = first_seed;
    while (done < count && check_one()) {
        done++;
    }
    printf("%lu of %lu random expressions agree (seed %llu)\n", done, count,
           (unsigned long long)first_seed);
    bst_arena_free(arena);
    bst_arena_free(types);
    return done == count ? 0 : 1;
}
