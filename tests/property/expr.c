/* Random expressions against an oracle of its own.
 *
 * Typed trees are drawn, written as text with brackets round everything, compiled, and evaluated on
 * random records. The oracle computes the same tree in 128 bits by the rules of docs/expressions.md
 * and knows nothing of the code under test: the values must agree, and so must every overflow. The
 * canonical text, compiled again, must mean the same and be written the same.
 *
 *     property_expr [SEED [COUNT]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/decimal.h"
#include "backstory/expr.h"
#include "backstory/timestamp.h"
#include "random.h"

typedef __int128 wide;

#define NODES_MAX 4000
#define DEPTH     6
#define RECORDS   6

typedef enum family { BOOL, INT, DEC, TIME, SPAN, TEXT } family;

typedef enum operation {
    LITERAL,
    FIELD,
    HAS,
    NOT,
    NEG,
    ADD,
    SUB,
    MUL,
    EQ,
    NE,
    LT,
    LE,
    GT,
    GE,
    AND,
    OR,
    IN,
    COND,
    STARTS,
    ENDS,
    CONTAINS,
    SIZE
} operation;

static const char *const op_texts[] = {
    "",   "",  "has", "!",  "-",  "+",  "-",  "*",          "==",       "!=",       "<",
    "<=", ">", ">=",  "&&", "||", "in", "?:", "startsWith", "endsWith", "contains", "size"};

typedef struct node {
    operation op;
    family kind;
    int scale;
    int64_t value; /* of a literal; an index for a field or a text */
    const struct node *args[3];
} node;

typedef struct field {
    const char *name, *type;
    family kind;
    int scale;
    int64_t limit; /* of |value| */
    bool optional;
} field;

#define DIGITS18 INT64_C(999999999999999999)
static const field fields[] = {
    {"i8", "int8", INT, 0, INT64_MAX, false},
    {"i4", "int4", INT, 0, INT32_MAX, false},
    {"i2", "int2", INT, 0, INT16_MAX, false},
    {"oi", "int8?", INT, 0, INT64_MAX, true},
    {"d0", "decimal(18,0)", DEC, 0, DIGITS18, false},
    {"d2", "decimal(12,2)", DEC, 2, INT64_C(999999999999), false},
    {"d4", "decimal(18,4)", DEC, 4, DIGITS18, false},
    {"d9", "decimal(9,9)", DEC, 9, 999999999, false},
    {"od", "decimal(18,2)?", DEC, 2, DIGITS18, true},
    {"p", "bool", BOOL, 0, 1, false},
    {"q", "bool", BOOL, 0, 1, false},
    {"op", "bool?", BOOL, 0, 1, true},
    {"t", "timestamptz", TIME, 0, INT64_MAX, false},
    {"ot", "timestamptz?", TIME, 0, INT64_MAX, true},
    {"s", "text", TEXT, 0, 0, false},
    {"v", "varchar(8)", TEXT, 0, 0, false},
    {"os", "text?", TEXT, 0, 0, true},
};
#define FIELDS (sizeof fields / sizeof *fields)
#define D0     4

static const char *const texts[] = {"", "a", "b", "ab", "ba", "aba", "\xc3\xa4", "a\xc3\xa4"};
#define TEXTS (sizeof texts / sizeof *texts)

static uint64_t seed;
static node nodes[NODES_MAX];
static size_t node_count;

static unsigned roll(unsigned sides) {
    return (unsigned)(random_next(&seed) % sides);
}

/* ---- drawing trees ---- */

static const node *draw(family kind, int scale, unsigned known, int depth);

static const node *make(operation op, family kind, int scale, const node *a, const node *b,
                        const node *c) {
    node *n = &nodes[node_count++];
    *n = (node){.op = op, .kind = kind, .scale = scale, .args = {a, b, c}};
    return n;
}

static int64_t pow10_of(int digits) {
    int64_t value = 1;
    while (digits-- > 0) {
        value *= 10;
    }
    return value;
}

static int64_t draw_value(family kind, int64_t limit) {
    switch (kind) {
    case BOOL:
        return roll(2);
    case TEXT:
        return roll(TEXTS);
    case TIME:
        return roll(8) == 0   ? (roll(2) ? BST_TIME_INFINITY : BST_TIME_MINUS_INFINITY)
               : roll(4) == 0 ? (roll(2) ? BST_TIME_MIN + roll(3) : BST_TIME_END - 1 - roll(3))
                              : random_int64(&seed) % 100000;
    default:
        if (roll(4) == 0) {
            return roll(2) ? limit - (int64_t)roll(2) : -limit + (int64_t)roll(2);
        }
        return random_int64(&seed) % limit;
    }
}

static const node *draw_literal(family kind, int scale) {
    node *n = &nodes[node_count++];
    int64_t limit = kind == DEC ? DIGITS18 : INT64_MAX;
    if (roll(3) != 0) {
        limit = kind == DEC ? pow10_of(scale < 16 ? scale + 2 : 18) - 1 : 100;
    }
    *n = (node){.op = LITERAL, .kind = kind, .scale = scale, .value = draw_value(kind, limit)};
    return n;
}

static const node *make_field(unsigned i) {
    node *n = &nodes[node_count++];
    *n = (node){.op = FIELD, .kind = fields[i].kind, .scale = fields[i].scale, .value = i};
    return n;
}

/* A field of the kind that is known to be there; NULL when the die says there is none. */
static const node *draw_field(family kind, int scale, unsigned known) {
    for (int tries = 0; tries < 12; tries++) {
        const unsigned i = roll(FIELDS);
        const field *f = &fields[i];
        if (f->kind == kind && f->scale == scale && (!f->optional || (known >> i & 1))) {
            return make_field(i);
        }
    }
    return NULL;
}

/* Nothing below it. */
static const node *draw_leaf(family kind, int scale, unsigned known) {
    if (kind == DEC && scale == 0) { /* a literal without a point is an integer */
        return make_field(D0);
    }
    const node *n = roll(3) == 0 ? NULL : draw_field(kind, scale, known);
    return n != NULL ? n : draw_literal(kind, scale);
}

static unsigned draw_optional(void) {
    unsigned i = roll(FIELDS);
    while (!fields[i].optional) {
        i = roll(FIELDS);
    }
    return i;
}

static const node *make_has(unsigned i) {
    return make(HAS, BOOL, 0, make_field(i), NULL, NULL);
}

static const node *draw_cond(family kind, int scale, unsigned known, int depth) {
    unsigned with = known;
    const node *test = NULL;
    if (roll(2)) {
        const unsigned i = draw_optional();
        with |= 1u << i;
        test = make_has(i);
    } else {
        test = draw(BOOL, 0, known, depth - 1);
    }
    const node *then = draw(kind, scale, with, depth - 1);
    return make(COND, kind, scale, test, then, draw(kind, scale, known, depth - 1));
}

/* A number of at most this scale: an operand of + and -. */
static const node *draw_addend(int scale, unsigned known, int depth) {
    static const int scales[] = {0, 2, 4, 9};
    const int other = scales[roll(4)];
    return roll(4) == 0 ? draw(INT, 0, known, depth)
                        : draw(DEC, other < scale ? other : scale, known, depth);
}

static const node *draw_number(family kind, int scale, unsigned known, int depth) {
    const operation op = roll(2) ? ADD : SUB;
    const node *a = NULL, *b = NULL;
    switch (roll(4)) {
    case 0:
        return make(NEG, kind, scale, draw(kind, scale, known, depth - 1), NULL, NULL);
    case 1:
        if (kind == DEC) {
            const int part = (int)roll((unsigned)scale + 1);
            a = draw(DEC, part, known, depth - 1);
            b = part == scale && roll(2) ? draw(INT, 0, known, depth - 1)
                                         : draw(DEC, scale - part, known, depth - 1);
        } else {
            a = draw(INT, 0, known, depth - 1);
            b = draw(INT, 0, known, depth - 1);
        }
        return make(MUL, kind, scale, a, b, NULL);
    default:
        a = draw(kind, scale, known, depth - 1);
        b = kind == DEC ? draw_addend(scale, known, depth - 1) : draw(INT, 0, known, depth - 1);
        return roll(2) || kind == INT ? make(op, kind, scale, a, b, NULL)
                                      : make(op, kind, scale, b, a, NULL);
    }
}

static const node *draw_comparison(unsigned known, int depth) {
    static const int scales[] = {0, 2, 4, 9};
    const operation op = EQ + roll(6);
    const family kinds[] = {INT, DEC, TIME, SPAN, TEXT, BOOL};
    const family kind = kinds[roll(op <= NE ? 6 : 5)];
    const bool number = kind == INT || kind == DEC;
    const int scale = kind == DEC ? scales[roll(4)] : 0;
    const unsigned i = draw_optional();
    const bool loose = op <= NE && fields[i].kind == kind && roll(2); /* may be absent */
    const node *a = loose ? make_field(i) : draw(kind, scale, known, depth - 1);
    const node *b =
        number && roll(2) ? draw(INT, 0, known, depth - 1) : draw(kind, scale, known, depth - 1);
    return make(op, BOOL, 0, a, b, NULL);
}

static const node *draw_bool(unsigned known, int depth) {
    const unsigned i = draw_optional();
    const operation op = roll(2) ? AND : OR;
    const node *a = NULL;
    switch (roll(7)) {
    case 0:
        return make(NOT, BOOL, 0, draw(BOOL, 0, known, depth - 1), NULL, NULL);
    case 1:
        a = draw(BOOL, 0, known, depth - 1);
        return make(op, BOOL, 0, a, draw(BOOL, 0, known, depth - 1), NULL);
    case 2: /* has(x) && ..., !has(x) || ... */
        a = op == AND ? make_has(i) : make(NOT, BOOL, 0, make_has(i), NULL, NULL);
        return make(op, BOOL, 0, a, draw(BOOL, 0, known | 1u << i, depth - 1), NULL);
    case 3:
        a = draw(TEXT, 0, known, depth - 1);
        return make(STARTS + roll(3), BOOL, 0, a, draw(TEXT, 0, known, depth - 1), NULL);
    case 4:
        a = draw(INT, 0, known, depth - 1);
        return make(IN, BOOL, 0, a, draw(DEC, 2, known, depth - 1), draw(INT, 0, known, depth - 1));
    default:
        return draw_comparison(known, depth);
    }
}

static const node *draw_time(family kind, unsigned known, int depth) {
    const operation op = roll(2) ? ADD : SUB;
    const node *span = draw(SPAN, 0, known, depth - 1);
    if (kind == TIME) {
        const node *time = draw(TIME, 0, known, depth - 1);
        return op == ADD && roll(2) ? make(ADD, TIME, 0, span, time, NULL)
                                    : make(op, TIME, 0, time, span, NULL);
    }
    if (roll(2)) {
        return make(op, SPAN, 0, span, draw(SPAN, 0, known, depth - 1), NULL);
    }
    const node *a = draw(TIME, 0, known, depth - 1);
    return make(SUB, SPAN, 0, a, draw(TIME, 0, known, depth - 1), NULL);
}

static const node *draw(family kind, int scale, unsigned known, int depth) {
    if (depth <= 0 || roll(5) == 0) {
        return draw_leaf(kind, scale, known);
    }
    if (roll(6) == 0 || kind == TEXT) {
        return draw_cond(kind, scale, known, depth);
    }
    if (kind == INT && roll(8) == 0) {
        return make(SIZE, INT, 0, draw(TEXT, 0, known, depth - 1), NULL, NULL);
    }
    return kind == BOOL                 ? draw_bool(known, depth)
           : kind == INT || kind == DEC ? draw_number(kind, scale, known, depth)
                                        : draw_time(kind, known, depth);
}

/* ---- writing them ---- */

static void write_literal(const node *n, bst_strbuf *out) {
    char text[BST_TIME_TEXT_MAX];
    switch (n->kind) {
    case BOOL:
        bst_strbuf_adds(out, n->value ? "true" : "false");
        break;
    case INT:
        bst_strbuf_add_int(out, n->value);
        break;
    case DEC:
        (void)bst_decimal_format(n->value, n->scale, text);
        bst_strbuf_adds(out, text);
        break;
    case TIME:
        (void)bst_time_format(n->value, text);
        bst_strbuf_addf(out, "timestamp('%s')", text);
        break;
    case SPAN:
        (void)bst_duration_format(n->value, text);
        bst_strbuf_addf(out, "duration('%s')", text);
        break;
    case TEXT:
        bst_strbuf_addf(out, "'%s'", texts[n->value]);
        break;
    }
}

static void write_tree(const node *n, bst_strbuf *out) {
    const bool brackets = n->op != FIELD;
    bst_strbuf_adds(out, brackets ? "(" : "");
    switch (n->op) {
    case LITERAL:
        write_literal(n, out);
        break;
    case FIELD:
        bst_strbuf_adds(out, fields[n->value].name);
        break;
    case HAS:
    case SIZE:
    case NOT:
    case NEG:
        bst_strbuf_addf(out, "%s(", op_texts[n->op]);
        write_tree(n->args[0], out);
        bst_strbuf_addc(out, ')');
        break;
    case COND:
    case IN:
        write_tree(n->args[0], out);
        bst_strbuf_adds(out, n->op == COND ? " ? " : " in [");
        write_tree(n->args[1], out);
        bst_strbuf_adds(out, n->op == COND ? " : " : ", ");
        write_tree(n->args[2], out);
        bst_strbuf_adds(out, n->op == COND ? "" : "]");
        break;
    default:
        write_tree(n->args[0], out);
        bst_strbuf_addf(out, n->op >= STARTS ? ".%s(" : " %s ", op_texts[n->op]);
        write_tree(n->args[1], out);
        bst_strbuf_adds(out, n->op >= STARTS ? ")" : "");
        break;
    }
    bst_strbuf_adds(out, brackets ? ")" : "");
}

/* ---- the oracle ---- */

typedef struct outcome {
    bool overflow, absent;
    wide value; /* of a text: its index */
} outcome;

static bst_value record[FIELDS];
static int64_t field_values[FIELDS];

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

static void draw_record(void) {
    for (unsigned i = 0; i < FIELDS; i++) {
        const field *f = &fields[i];
        const int64_t limit = roll(3) == 0 && f->limit > 1000 ? 1000 : f->limit;
        field_values[i] = draw_value(f->kind, limit);
        record[i] = (bst_value){.present = !f->optional || roll(2), .u.i = field_values[i]};
        if (f->kind == TEXT) {
            record[i].u.text = texts[field_values[i]];
            record[i].len = (uint32_t)strlen(texts[field_values[i]]);
        }
    }
}

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

int main(int argc, char **argv) {
    static bst_scope_field scope_fields[FIELDS];
    const uint64_t first_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 5000;
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
