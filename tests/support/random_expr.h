/* Random typed expressions as trees, as text, and random records for them to read. The trees are
 * of the right types by construction, ask before they use what may be absent, and are full of
 * numbers at the ends of their ranges, so that overflow is frequent.
 */
#ifndef BACKSTORY_TESTS_RANDOM_EXPR_H
#define BACKSTORY_TESTS_RANDOM_EXPR_H

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/expr.h"
#include "backstory/timestamp.h"
#include "random.h"

#define NODES_MAX 4000

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

static inline unsigned roll(unsigned sides) {
    return (unsigned)(random_next(&seed) % sides);
}

/* ---- drawing trees ---- */

static inline const node *draw(family kind, int scale, unsigned known, int depth);

static inline const node *make(operation op, family kind, int scale, const node *a, const node *b,
                               const node *c) {
    node *n = &nodes[node_count++];
    *n = (node){.op = op, .kind = kind, .scale = scale, .args = {a, b, c}};
    return n;
}

static inline int64_t pow10_of(int digits) {
    int64_t value = 1;
    while (digits-- > 0) {
        value *= 10;
    }
    return value;
}

static inline int64_t draw_value(family kind, int64_t limit) {
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

static inline const node *draw_literal(family kind, int scale) {
    node *n = &nodes[node_count++];
    int64_t limit = kind == DEC ? DIGITS18 : INT64_MAX;
    if (roll(3) != 0) {
        limit = kind == DEC ? pow10_of(scale < 16 ? scale + 2 : 18) - 1 : 100;
    }
    *n = (node){.op = LITERAL, .kind = kind, .scale = scale, .value = draw_value(kind, limit)};
    return n;
}

static inline const node *make_field(unsigned i) {
    node *n = &nodes[node_count++];
    *n = (node){.op = FIELD, .kind = fields[i].kind, .scale = fields[i].scale, .value = i};
    return n;
}

/* A field of the kind that is known to be there; NULL when the die says there is none. */
static inline const node *draw_field(family kind, int scale, unsigned known) {
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
static inline const node *draw_leaf(family kind, int scale, unsigned known) {
    if (kind == DEC && scale == 0) { /* a literal without a point is an integer */
        return make_field(D0);
    }
    const node *n = roll(3) == 0 ? NULL : draw_field(kind, scale, known);
    return n != NULL ? n : draw_literal(kind, scale);
}

static inline unsigned draw_optional(void) {
    unsigned i = roll(FIELDS);
    while (!fields[i].optional) {
        i = roll(FIELDS);
    }
    return i;
}

static inline const node *make_has(unsigned i) {
    return make(HAS, BOOL, 0, make_field(i), NULL, NULL);
}

static inline const node *draw_cond(family kind, int scale, unsigned known, int depth) {
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
static inline const node *draw_addend(int scale, unsigned known, int depth) {
    static const int scales[] = {0, 2, 4, 9};
    const int other = scales[roll(4)];
    return roll(4) == 0 ? draw(INT, 0, known, depth)
                        : draw(DEC, other < scale ? other : scale, known, depth);
}

static inline const node *draw_number(family kind, int scale, unsigned known, int depth) {
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

static inline const node *draw_comparison(unsigned known, int depth) {
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

static inline const node *draw_bool(unsigned known, int depth) {
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

static inline const node *draw_time(family kind, unsigned known, int depth) {
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

static inline const node *draw(family kind, int scale, unsigned known, int depth) {
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

static inline void write_literal(const node *n, bst_strbuf *out) {
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

static inline void write_tree(const node *n, bst_strbuf *out) {
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

/* ---- drawing values ---- */

static bst_value record[FIELDS];
static int64_t field_values[FIELDS];

static inline void draw_record(void) {
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

#endif
