/* Expressions as SQL. */
#ifndef BACKSTORY_EMIT_SQL_EXPR_PRIVATE_H
#define BACKSTORY_EMIT_SQL_EXPR_PRIVATE_H

#include "emit_private.h"

/* Small SQL functions that expressions call; only the used ones are written out. See
 * emit_sql_helpers.c. */
#define BST__SQL_HELPER_LIST(X)                                                                    \
    X(OVERFLOW, "overflow")                                                                        \
    X(REQUIRED, "required")                                                                        \
    X(AT_MOST, "at_most")                                                                          \
    X(MICROSECONDS, "microseconds")                                                                \
    X(TIME_AT, "time_at")

typedef enum bst__sql_helper {
#define X(name, text) BST__SQL_HELPER_##name,
    BST__SQL_HELPER_LIST(X)
#undef X
        BST__SQL_HELPER_COUNT
} bst__sql_helper;

/* Where an expression stands: what its names are in SQL, and where the helpers are. */
typedef struct bst__sql_scope {
    /* Appends the column or parameter that a name stands for, as something that needs no brackets:
     * of the type that bst__sql_type() gives, NULL when absent. */
    void (*put_ref)(const void *context, const bst_expr *ref, bst_strbuf *out);
    /* Whether a field that its type says is there may be absent all the same; NULL: none. */
    bool (*is_unsure)(const void *context, const bst_expr *ref);
    const void *context;
    const char *schema; /* of the helpers, as an identifier */
    uint32_t helpers;   /* out: those used, by bit */
} bst__sql_scope;

/* The value as an SQL expression that binds at least as tightly as OR (in brackets inside any
 * other). Refusals are errors of SQLSTATE class 22. */
void bst__sql_value(bst__sql_scope *scope, const bst_expr *expr, bst_strbuf *out);
/* A value as a constant of its type; NULL when it is absent. */
void bst__sql_constant(const bst_type *type, const bst_value *value, bst_strbuf *out);
/* "numeric(12,2)", "text": texts of a bounded length too, and members of an enum. */
void bst__sql_type(const bst_type *type, bst_strbuf *out);
/* In double quotes only when it needs them. */
void bst__sql_name(const char *name, bst_strbuf *out);
/* In quotes; any text. */
void bst__sql_text(const char *text, size_t len, bst_strbuf *out);

/* emit_sql_expr_needs.c */
/* Integers and decimals. */
bool bst__sql_is_number(bst_kind kind);
/* Whether it has the same value, or the same refusal, always. */
bool bst__sql_is_constant(const bst_expr *e);
/* The value of a constant. False: it refuses. */
bool bst__sql_evaluate(const bst_expr *constant, bst_value *ret);
/* What && || ?: amounts to when its first operand is a constant: the part that is reached, or the
 * expression itself. */
const bst_expr *bst__sql_reached(const bst_expr *e);
/* Whether the result of + - * may be out of range; its operands are looked at apart. */
bool bst__sql_may_leave(const bst_expr *e);
/* Whether a reference may lack the value that its type promises. */
bool bst__sql_is_unsure(const bst__sql_scope *s, const bst_expr *ref);
/* Whether it matters that a part is evaluated, and when. */
bool bst__sql_can_fail(const bst__sql_scope *s, const bst_expr *e);

/* emit_sql_helpers.c: CREATE FUNCTION for those given, by bit. */
void bst__sql_add_helpers(uint32_t helpers, const char *schema, bst_strbuf *out);

#endif
