/* Expressions: guards, applies, `when` and `cel` values. A strict subset of CEL (Common Expression
 * Language).
 *
 *     == != < <= > >=  && || !  + - *  in ?:  has(x)  literals
 *     entity fields by name  command.x  event.x
 *
 * Parsed once, typed at compile time, evaluated without allocation. Total: every evaluation ends in
 * a value or in a named refusal (overflow); nothing wraps, nothing rounds.
 *
 * Null. An optional operand may be compared with `==` and `!=` (absent equals only absent, `null`
 * is its literal) and asked for with has(x). Anywhere else it is a type error unless the place is
 * reached only where it is known to be present: `has(x) && x > 1`, `!has(x) || x > 1`,
 * `has(x) ? x : 0`, `x != null && ...`.
 *
 * Decimals: + and - keep the larger scale, * adds the scales (18 at most); an integer mixes with a
 * decimal exactly. A result that does not fit is an overflow, never another number. Comparison
 * works across scales.
 *
 * The tree is open, read-only and lives in an arena, so that emitters (C, SQL) can walk it.
 */
#ifndef BACKSTORY_EXPR_H
#define BACKSTORY_EXPR_H

#include "backstory/arena.h"
#include "backstory/diag.h"
#include "backstory/value.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_EXPR_DEPTH_MAX 100   /* nesting of one expression */
#define BST_EXPR_BYTES_MAX 65536 /* text of one expression */

typedef enum bst_root {
    BST_ROOT_ENTITY,  /* a bare name in a machine: a field of the entity */
    BST_ROOT_COMMAND, /* command.x */
    BST_ROOT_EVENT,   /* event.x */
    BST_ROOT_ROW,     /* a bare name in a mapping: a column */
    BST_ROOT_COUNT
} bst_root;

/* What a name means where the expression stands: for each root its fields. A root without fields
 * (count 0, `known` false) cannot be used there. Entity and row both own the bare names, so at most
 * one of them is known. */
typedef struct bst_scope_field {
    const char *name;
    bst_type type;
} bst_scope_field;

typedef struct bst_scope {
    struct {
        bool known;
        size_t count;
        const bst_scope_field *fields;
    } root[BST_ROOT_COUNT];
} bst_scope;

/*      op        text */
#define BST_EXPR_OP_LIST(X)                                                                        \
    X(LITERAL, "literal")                                                                          \
    X(NULL, "null")                                                                                \
    X(REF, "name")                                                                                 \
    X(HAS, "has") /* args[0]: REF */                                                               \
    X(NOT, "!")                                                                                    \
    X(NEG, "-")                                                                                    \
    X(ADD, "+")                                                                                    \
    X(SUB, "-")                                                                                    \
    X(MUL, "*")                                                                                    \
    X(EQ, "==")                                                                                    \
    X(NE, "!=")                                                                                    \
    X(LT, "<")                                                                                     \
    X(LE, "<=")                                                                                    \
    X(GT, ">")                                                                                     \
    X(GE, ">=")                                                                                    \
    X(AND, "&&")                                                                                   \
    X(OR, "||")                                                                                    \
    X(IN, "in")   /* args[0] in the list args[1..] */                                              \
    X(COND, "?:") /* args[0] ? args[1] : args[2] */

typedef enum bst_expr_op {
#define X(name, text) BST_EXPR_##name,
    BST_EXPR_OP_LIST(X)
#undef X
        BST_EXPR_OP_COUNT
} bst_expr_op;

typedef struct bst_expr bst_expr;
struct bst_expr {
    bst_expr_op op;
    bst_type type;   /* of the result; operands keep their own */
    uint32_t offset; /* byte in the text, for messages */
    uint32_t arg_count;
    const bst_expr *const *args;
    bst_value literal; /* LITERAL */
    bst_root root;     /* REF: which record ... */
    uint32_t index;    /* ... and which of its fields */
    const char *name;  /* REF: as written, without "command." */
};

/* Where an error's byte offset in the text is to be reported: the expression is a JSON string at
 * `pointer`. */
struct bst_json_source;
typedef struct bst_expr_place {
    /* May be NULL: columns then count from 1 in the text itself. */
    const struct bst_json_source *source;
    const char *pointer;
} bst_expr_place;

/* Parses, resolves and types `text`. `want` is the type the place asks for (a guard: bool; an
 * apply: the field's type, and the result converts only where nothing can be lost); NULL takes any.
 * All mistakes that can be told apart are reported. The text is copied. */
BST_API bst_status bst_expr_compile(const char *text, size_t len, const bst_scope *scope,
                                    const bst_type *want, const bst_expr_place *place,
                                    bst_arena *arena, const bst_expr **ret,
                                    bst_diags *diags) BST_MUST_USE;

typedef enum bst_eval_result { BST_EVAL_OK, BST_EVAL_OVERFLOW } bst_eval_result;

/* The records an expression reads, by bst_root; those its scope does not know may be NULL. */
typedef struct bst_records {
    const bst_value *root[BST_ROOT_COUNT];
} bst_records;

/* No allocation; text in the result is borrowed from the records or the tree. */
BST_API bst_eval_result bst_expr_eval(const bst_expr *expr, const bst_records *records,
                                      bst_value *ret);

/* Appends the expression with canonical spacing and only the parentheses that are needed. */
BST_API void bst_expr_format(const bst_expr *expr, bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
