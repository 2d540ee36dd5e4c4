/* Expressions as C. */
#ifndef BACKSTORY_EMIT_C_EXPR_PRIVATE_H
#define BACKSTORY_EMIT_C_EXPR_PRIVATE_H

#include "emit_c_private.h"

/* Small static functions that generated expressions call; only the used ones are written out. In
 * this order, each after what it uses (see emit_c_helpers.c). */
#define BST__C_HELPER_LIST(X)                                                                      \
    X(ADD, "add")                                                                                  \
    X(SUBTRACT, "subtract")                                                                        \
    X(MULTIPLY, "multiply")                                                                        \
    X(WITHIN, "within")                                                                            \
    X(BOUNDED, "bounded")                                                                          \
    X(ADD_DECIMAL, "add_decimal")                                                                  \
    X(SUBTRACT_DECIMAL, "subtract_decimal")                                                        \
    X(MULTIPLY_DECIMAL, "multiply_decimal")                                                        \
    X(COMPARE_SCALED, "compare_scaled")                                                            \
    X(TIME, "finite")                                                                              \
    X(TEXT, "text")                                                                                \
    X(COMPARE_TEXT, "compare_text")                                                                \
    X(SAME_TEXT, "same_text")                                                                      \
    X(STARTS_WITH, "starts_with")                                                                  \
    X(ENDS_WITH, "ends_with")                                                                      \
    X(CONTAINS, "contains")                                                                        \
    X(CHARACTERS, "characters")                                                                    \
    X(STRIPPED, "stripped")                                                                        \
    X(AT_MOST, "at_most")                                                                          \
    X(UUID, "uuid")                                                                                \
    X(SAME_UUID, "same_uuid")                                                                      \
    X(SAME_OPTIONAL, "same_optional")                                                              \
    X(SAME_OPTIONAL_TEXT, "same_optional_text")                                                    \
    X(SAME_OPTIONAL_UUID, "same_optional_uuid")                                                    \
    X(EITHER, "either")                                                                            \
    X(KNOWN, "known")

typedef enum bst__c_helper {
#define X(name, text) BST__C_HELPER_##name,
    BST__C_HELPER_LIST(X)
#undef X
        BST__C_HELPER_COUNT
} bst__c_helper;

/* Where an expression stands: what its names are in C. */
typedef struct bst__c_scope {
    bst__c *c;
    const bst__c_record *record[BST_ROOT_COUNT];
    const char *pointer[BST_ROOT_COUNT]; /* "entity", "command" ... */
    const char *overflow;                /* the bool to set: "overflow", "&overflow" */
    const char *absent;                  /* the same for a field that should have a value */
    uint32_t helpers;                    /* out: those used, by bit */
} bst__c_scope;

/* Whether the expression reads this record, may set `overflow`, or `absent`. */
bool bst__c_reads(const bst_expr *expr, bst_root root);
bool bst__c_can_overflow(const bst_expr *expr);
bool bst__c_can_miss(const bst__c_scope *scope, const bst_expr *expr);

/* The value as a C expression that binds at least as tightly as an assignment's right side; when
 * the value may be absent, any value of its type then. */
void bst__c_value(bst__c_scope *scope, const bst_expr *expr, bst_strbuf *out);
/* Whether there is a value: "true", or a C expression. */
void bst__c_present(bst__c_scope *scope, const bst_expr *expr, bst_strbuf *out);
/* Any value of a type: 0, false, "", the first member. */
void bst__c_zero(bst__c_scope *scope, const bst_type *type, bool initializer, bst_strbuf *out);
/* A value that is there, as a constant expression (`initializer`: inside a static initializer). */
void bst__c_constant(bst__c_scope *scope, const bst_type *type, const bst_value *value,
                     bool initializer, bst_strbuf *out);

/* emit_c_expr_needs.c: the name of a helper that is called; what kinds of values have in common;
 * what a reference needs */
const char *bst__c_use_helper(bst__c_scope *s, bst__c_helper h);
int bst__c_scale_of(const bst_type *type);
bool bst__c_is_text(bst_kind kind);
bool bst__c_is_number(bst_kind kind);
bool bst__c_conversion_is_safe(const bst_type *from, const bst_type *to);
const bst__c_field *bst__c_field_of(const bst__c_scope *s, const bst_expr *ref);
bool bst__c_is_unsure(const bst__c_scope *s, const bst_expr *ref);
bool bst__c_can_fail(const bst__c_scope *s, const bst_expr *e);

/* emit_c_constant.c */
void bst__c_put_int(int64_t value, bst_strbuf *out);
int64_t bst__c_power_of_ten(int exponent);

/* emit_c_helpers.c */
void bst__c_add_helpers(uint32_t helpers, bst_strbuf *out);
bool bst__c_needs_memcmp(uint32_t helpers);

#endif
