/* Shared by the files of the expression compiler. A text becomes
 *
 *     tokens (expr_lex.c) -> bst__ast, the syntax (expr_parse.c) -> bst_expr, typed (expr_type.c)
 *
 * Tokens and syntax tree live in a scratch arena that is freed when the compilation ends; the
 * typed tree lives in the caller's. Whatever is wrong is reported where it is noticed and leaves
 * a poisoned node behind, which silences all that would only follow from it.
 */
#ifndef BACKSTORY_EXPR_PRIVATE_H
#define BACKSTORY_EXPR_PRIVATE_H

#include "backstory/expr.h"

/* One compilation. `status` is BST_OK until the first mistake. */
typedef struct bst__job {
    const char *text;
    uint32_t len;
    const bst_scope *scope;
    const bst_expr_place *place;
    bst_arena *arena;
    bst_arena *scratch;
    bst_diags *diags;
    bst_status status;
    const struct bst__ast *unknown[16]; /* names reported already */
    uint32_t unknown_count;
} bst__job;

/* expr_job.c. Report a mistake at a byte offset of the text; hint and detail are added by
 * bst_diag_hint() and the like. */
void bst__job_error(bst__job *job, uint32_t offset, const char *code, const char *format, ...)
    BST_PRINTF(4, 5);
void bst__job_nomem(bst__job *job);
/* For messages; never NULL, long ones are cut with "...". */
const char *bst__job_type_text(bst__job *job, const bst_type *type);

/*       kind           text */
#define BST__TOKEN_LIST(X)                                                                         \
    X(END, "the end")                                                                              \
    X(BAD, "a mistake")      /* reported already */                                                \
    X(NAME, "a name")        /* a plain identifier */                                              \
    X(QUOTED_NAME, "a name") /* `any text`, the token is without the backticks */                  \
    X(INT, "an integer")                                                                           \
    X(DECIMAL, "a decimal")                                                                        \
    X(TEXT, "a text") /* the token is what stands between the quotes */                            \
    X(EQ, "==")                                                                                    \
    X(NE, "!=")                                                                                    \
    X(LE, "<=")                                                                                    \
    X(LT, "<")                                                                                     \
    X(GE, ">=")                                                                                    \
    X(GT, ">")                                                                                     \
    X(AND, "&&")                                                                                   \
    X(OR, "||")                                                                                    \
    X(NOT, "!")                                                                                    \
    X(PLUS, "+")                                                                                   \
    X(MINUS, "-")                                                                                  \
    X(STAR, "*")                                                                                   \
    X(SLASH, "/")                                                                                  \
    X(PERCENT, "%")                                                                                \
    X(QUESTION, "?")                                                                               \
    X(COLON, ":")                                                                                  \
    X(COMMA, ",")                                                                                  \
    X(DOT, ".")                                                                                    \
    X(LEFT_PAREN, "(")                                                                             \
    X(RIGHT_PAREN, ")")                                                                            \
    X(LEFT_BRACKET, "[")                                                                           \
    X(RIGHT_BRACKET, "]")                                                                          \
    X(LEFT_BRACE, "{")                                                                             \
    X(RIGHT_BRACE, "}")

typedef enum bst__token_kind {
#define X(name, text) BST__TOKEN_##name,
    BST__TOKEN_LIST(X)
#undef X
        BST__TOKEN_COUNT
} bst__token_kind;

typedef struct bst__token {
    bst__token_kind kind;
    uint32_t offset; /* where it starts, quotes included */
    uint32_t start;  /* where its content starts ... */
    uint32_t len;    /* ... and how long that is */
    bool slip; /* `=` for `==` and the like: to be reported where it is taken for an operator */
} bst__token;

/* expr_lex.c. An array that ends in an END token; NULL when the text cannot be cut into tokens
 * (reported). */
const bst__token *bst__lex(bst__job *job);
const char *bst__token_text(bst__token_kind kind);
bool bst__token_is(const bst__job *job, const bst__token *token, const char *name);

#define BST__POISON BST_EXPR_OP_COUNT /* the `op` of a part that has been reported */

typedef struct bst__ast bst__ast;
struct bst__ast {
    bst_expr_op op;
    uint32_t offset;
    uint32_t depth; /* 1 for a leaf */
    uint32_t arg_count;
    bst__ast **args;
    bst_type type;      /* LITERAL */
    bst_value literal;  /* LITERAL */
    const char *prefix; /* REF: "command" of command.x; NULL for a bare name */
    const char *name;   /* REF */
};

/* expr_job.c. A node with a copy of `args`; NULL when out of memory or too deep (reported). */
bst__ast *bst__ast_make(bst__job *job, bst_expr_op op, uint32_t offset, uint32_t arg_count,
                        bst__ast *const *args);
/* expr_call.c. The node of name(args), or of args[0].name(args[1]...) when `method`; poisoned when
 * there is no such call (reported), NULL as bst__ast_make(). */
bst__ast *bst__call(bst__job *job, const char *name, uint32_t offset, bool method,
                    uint32_t arg_count, bst__ast *const *args);

/* expr_parse.c. NULL when the parser gave up (reported). */
bst__ast *bst__parse(bst__job *job, const bst__token *tokens);

/* expr_literal.c. Fill `type` and `literal` of a LITERAL; false when the token has a mistake
 * (reported). `negative`: a minus stands before it. */
bool bst__literal_number(bst__job *job, const bst__token *token, bool negative, bst__ast *ret);
bool bst__literal_text(bst__job *job, const bst__token *token, bst__ast *ret);
/* timestamp(), date(), duration() of a text literal. */
bool bst__literal_time(bst__job *job, bst_kind kind, const bst__ast *text, bst__ast *ret);

typedef enum bst__fit { BST__FIT_OK, BST__FIT_MISMATCH, BST__FIT_RANGE, BST__FIT_ROUND } bst__fit;
/* A literal's value as one of another type, where it is the same value. */
bst__fit bst__literal_fit(const bst_type *from, const bst_value *value, const bst_type *to,
                          bst_value *ret);

/* expr_type.c. NULL when there is a type error (reported). */
const bst_expr *bst__type(bst__job *job, const bst__ast *ast, const bst_type *want);

/* expr_names.c. Fills the REF that a name stands for; false when it stands for nothing
 * (reported). */
bool bst__resolve(bst__job *job, const bst__ast *ast, bst_expr *ret_ref);
/* "command.", "event." or "". */
const char *bst__prefix(bst_root root);

/* expr_convert.c */
bool bst__is_null(const bst_expr *expr);
bool bst__is_number(const bst_type *type);
bool bst__is_text(const bst_type *type);
/* Whether or not they are optional. */
bool bst__same_type(const bst_type *a, const bst_type *b);
/* A copy, its array of operands included; NULL when out of memory (reported). */
bst_expr *bst__make(bst__job *job, const bst_expr *like);
/* `expr` as a value of `type`, with a CONVERT where that changes anything; NULL when it cannot
 * be (reported). */
const bst_expr *bst__convert_to(bst__job *job, const bst_expr *expr, const bst_type *type);
/* Adds what to do about two types that do not meet; `literal` is the one of them that is a
 * literal, or NULL. */
void bst__hint_mismatch(bst__job *job, const bst_type *a, const bst_type *b,
                        const bst_expr *literal);

/* expr_operator.c. The type of an operator's result (of every op but literals, names, has, ==, !=,
 * in, logic and ?:); false when it does not take these operands (reported). A literal among them
 * may be replaced by itself as a member or a uuid. */
bool bst__operator_type(bst__job *job, const bst__ast *ast, const bst_expr *args[2], bst_type *ret);
/* The same for == and !=, which give bool. */
bool bst__check_comparable(bst__job *job, uint32_t offset, const bst_expr *args[2]);
bool bst__common_type(const bst_expr *a, const bst_expr *b, bst_type *ret);
const bst_expr *bst__literal_among(const bst_expr *const args[2]); /* or NULL */
const char *bst__quoted_op(bst_expr_op op);
bst_type bst__plain_type(bst_kind kind);

/* expr_eval.c. A present value converted to a type that can hold its kind; false when it does
 * not fit. */
bool bst__convert(const bst_type *from, const bst_value *value, const bst_type *to, bst_value *ret);

/* expr_format.c. Binding strength, 1 (?:) to 8 (names and calls). */
int bst__precedence(bst_expr_op op);
const char *bst__op_text(bst_expr_op op);

/* expr_job.c. Kinds fall into groups that compare and compute with each other: every number is
 * DECIMAL, every text is TEXT, the others stand for themselves. */
bst_kind bst__group(bst_kind kind);
/* Digits after the point; 0 for an integer. */
int bst__scale(const bst_type *type);

#endif
