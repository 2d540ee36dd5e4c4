/* Expressions: guards, applies, `when` and `cel` values. A strict subset of CEL (Common Expression
 * Language).
 *
 *     == != < <= > >=  && || !  + - *  x in [a, b]  c ? a : b  has(x)  size(x)
 *     state_in("outer.inner")
 *     x.startsWith(y)  x.endsWith(y)  x.contains(y)  timestamp("...")  duration("...")  date("...")
 *     12  12.50  "text"  'text'  true  false  null
 *     fields of the entity (or columns of the row) by name  command.x  event.x
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

#define BST_EXPR_DEPTH_MAX    100   /* nesting of one expression; && and || chains count log2 */
#define BST_EXPR_OPTIONAL_MAX 64    /* optional names that one expression reads */
#define BST_EXPR_BYTES_MAX    65536 /* text of one expression */

typedef enum bst_root {
    BST_ROOT_ENTITY,  /* a bare name in a machine: a field of the entity */
    BST_ROOT_COMMAND, /* command.x */
    BST_ROOT_EVENT,   /* event.x */
    BST_ROOT_ROW,     /* a bare name in a mapping: a column */
    BST_ROOT_STATE, /* state_in("a.b"): whether a node is active. Guards of the file only: in the */
                    /* table of a machine it has become true or false */
    BST_ROOT_LINKED, /* a C function that a program links; guards only: see bst_machine.linked */
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

/* What the tree promises to who walks it:
 * - every operand has the kind its op needs and is present, except in EQ, NE and HAS and where a
 *   value just passes through (CONVERT, branches of COND): there `type.optional` says whether it
 *   may be absent;
 * - integer arithmetic and `size` give int8; numbers of different kinds and scales meet as they are
 *   (rescale to the scale of the result for + and -, compare exactly);
 * - what compares with an enum or a uuid has that type itself: literals have been looked up;
 * - types change only at a CONVERT: both branches of COND have its type, the root has the wanted
 *   one (`optional` aside).
 *
 *      op        text */
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
    X(IN, "in")     /* args[0] in the list args[1..]; all items are evaluated */                   \
    X(COND, "?:")   /* args[0] ? args[1] : args[2] */                                              \
    X(SIZE, "size") /* characters of a text */                                                     \
    X(STARTS_WITH, "startsWith")                                                                   \
    X(ENDS_WITH, "endsWith")                                                                       \
    X(CONTAINS, "contains")                                                                        \
    X(CONVERT, "convert") /* args[0] as `type`, never written: number to number, text to text; */  \
                          /* what does not fit is an overflow, absent stays absent */

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
    /* May be NULL: places are then in the text itself, the file is "expression". */
    const struct bst_json_source *source;
    const char *pointer;
} bst_expr_place;

/* Parses, resolves and types `text`. `want` is the type the place asks for (a guard: bool; an
 * apply: the field's type, and the result converts only where nothing can be lost); NULL takes any.
 * All mistakes that can be told apart are reported, and BST_INVALID returned; the codes are
 * expr-syntax, unknown-name, type-mismatch, may-be-null, would-round, not-in-language and limit.
 * The text is copied; names and members of the scope's types are borrowed. */
BST_API bst_status bst_expr_compile(const char *text, size_t len, const bst_scope *scope,
                                    const bst_type *want, const bst_expr_place *place,
                                    bst_arena *arena, const bst_expr **ret,
                                    bst_diags *diags) BST_MUST_USE;

typedef enum bst_eval_result {
    BST_EVAL_OK,
    BST_EVAL_OVERFLOW, /* a number, time or text left its range */
    BST_EVAL_ABSENT,   /* a record lacks a value that its scope says is always there */
    BST_EVAL_UNKNOWN   /* it asks a C function that is not here */
} bst_eval_result;

/* The records an expression reads, by bst_root; those its scope does not know may be NULL. */
typedef struct bst_records {
    const bst_value *root[BST_ROOT_COUNT];
} bst_records;

/* No allocation; text in the result is borrowed from the records or the tree. */
BST_API bst_eval_result bst_expr_eval(const bst_expr *expr, const bst_records *records,
                                      bst_value *ret);

/* Appends the expression with canonical spacing and only the parentheses that are needed. */
BST_API void bst_expr_format(const bst_expr *expr, bst_strbuf *out);

/* Calls `visit` for each REF, from left to right (one that occurs twice, twice). */
typedef void bst_expr_visit(const bst_expr *ref, void *context);
BST_API void bst_expr_each_ref(const bst_expr *expr, bst_expr_visit *visit, void *context);

/* The same tree: ops, types, names and literals. Not a proof that others mean something else. */
BST_API bool bst_expr_equal(const bst_expr *a, const bst_expr *b);

#ifdef __cplusplus
}
#endif
#endif
