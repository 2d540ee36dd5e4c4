/* Types and values: what a field of an entity, a payload or a row can hold. PostgreSQL's types, a
 * closed list.
 *
 * A value is 24 bytes and owns nothing: its text is borrowed from whoever made it.
 * As JSON (canonical, the same everywhere): bool true/false; int2 and int4 a number; int8 a string
 * (a double, which is all that many readers have, holds only 2^53); decimal a string with exactly
 * `scale` digits; timestamptz, date and duration ISO 8601 strings; uuid lower case; bytea "\\x" and
 * hex; json as it is; enum, text, varchar, char a string (char without its padding); absent null.
 */
#ifndef BACKSTORY_VALUE_H
#define BACKSTORY_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/arena.h"
#include "backstory/status.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/*      kind        name          as C in `u` */
#define BST_KIND_LIST(X)                                                                           \
    X(BOOL, "bool")       /* i: 0 or 1 */                                                          \
    X(INT2, "int2")       /* i */                                                                  \
    X(INT4, "int4")       /* i */                                                                  \
    X(INT8, "int8")       /* i */                                                                  \
    X(DECIMAL, "decimal") /* i: units; the scale is the type's */                                  \
    X(TEXT, "text")       /* text: UTF-8, no NUL byte */                                           \
    X(VARCHAR, "varchar") /* text, at most `length` characters */                                  \
    X(CHAR, "char")       /* text, at most `length` characters, trailing spaces stripped */        \
    X(UUID, "uuid")       /* uuid */                                                               \
    X(DATE, "date")       /* i: days since 2000-01-01 */                                           \
    X(TIMESTAMPTZ, "timestamptz") /* i: see timestamp.h */                                         \
    X(DURATION, "duration")       /* i: microseconds; in expressions only */                       \
    X(BYTEA, "bytea")             /* text: raw bytes */                                            \
    X(JSON, "json")               /* text: one JSON value */                                       \
    X(ENUM, "enum")               /* i: index into `members` */

typedef enum bst_kind {
#define X(name, text) BST_KIND_##name,
    BST_KIND_LIST(X)
#undef X
        BST_KIND_COUNT
} bst_kind;

typedef struct bst_type {
    bst_kind kind;
    bool optional;              /* `?`: may be absent */
    uint8_t precision, scale;   /* decimal */
    uint32_t length;            /* varchar, char: characters; 0 = no bound */
    uint32_t member_count;      /* enum */
    const char *const *members; /* enum; borrowed */
} bst_type;

typedef struct bst_value {
    bool present; /* false: null, absent; the rest means nothing */
    uint32_t len; /* bytes of `text` */
    union {
        int64_t i;
        const char *text; /* not NUL-terminated in general */
        uint8_t uuid[16];
    } u;
} bst_value;

#define BST_ABSENT ((bst_value){false, 0, {0}})

/* Reads "decimal(12,2)", "text?", "enum(a,b)" ...; "char" is char(1), as in SQL. Members are kept
 * in `arena`. On failure writes a short reason ("unknown type", "the precision of a decimal must be
 * 1 to 18", ...) to `reterr`, a constant text.
 */
BST_API bool bst_type_parse(const char *text, bst_arena *arena, bst_type *ret_type,
                            const char **reterr);
/* Appends the type as it is written in a machine file. */
BST_API void bst_type_format(const bst_type *type, bst_strbuf *out);
BST_API bool bst_type_equal(const bst_type *a, const bst_type *b); /* `optional` included */
/* The names of all kinds, for "did you mean". */
BST_API const char *const *bst_type_names(size_t *ret_count);

typedef enum bst_value_result {
    BST_VALUE_OK,
    BST_VALUE_SYNTAX,  /* not of this type */
    BST_VALUE_RANGE,   /* out of range, too long, not a member */
    BST_VALUE_INEXACT, /* would have to be rounded or cut */
    BST_VALUE_ZONE,    /* a naive timestamp that cannot be placed (see bst_time_result) */
    BST_VALUE_NULL,    /* null, and the type is not optional */
    BST_VALUE_NOMEM
} bst_value_result;
/* "does not have the form of a timestamptz", "has digits beyond the scale", ...: a constant text
 * for messages. */
BST_API const char *bst_value_result_text(bst_value_result result);

/* Whether it is UTF-8, without NUL: what a text may be. */
BST_API bool bst_text_is_valid(const char *text, size_t len);
/* From text, as a CSV cell or PostgreSQL's text output has it. Text-like results point into `text`.
 * bytea and json are checked and, where decoding is needed, put into `arena`. Never gives an absent
 * value. */
BST_API bst_value_result bst_value_parse(const bst_type *type, const char *text, size_t len,
                                         bst_arena *arena, bst_value *ret);
/* From JSON in the canonical form above; lenient where nothing can be lost (int8 and decimal as an
 * integer number). A real number is never taken for a decimal. Text points into `json`, or into
 * `arena` where it must be made. */
BST_API bst_value_result bst_value_from_json(const bst_type *type, const json_t *json,
                                             bst_arena *arena, bst_value *ret);
/* Appends the canonical JSON. */
BST_API void bst_value_to_json(const bst_type *type, const bst_value *value, bst_strbuf *out);
/* Appends plain text (a CSV cell, a message); absent gives nothing. */
BST_API void bst_value_to_text(const bst_type *type, const bst_value *value, bst_strbuf *out);
/* By value: absent equals absent only; json compares as JSON (key order and spacing do not matter).
 */
BST_API bool bst_value_equal(const bst_type *type, const bst_value *a, const bst_value *b);
/* -1, 0, 1 for two present values of an ordered kind; text bytewise. */
BST_API int bst_value_compare(const bst_type *type, const bst_value *a, const bst_value *b);
/* A copy whose text lives in `arena`. False when out of memory. */
BST_API bool bst_value_copy(const bst_type *type, const bst_value *value, bst_arena *arena,
                            bst_value *ret);

#ifdef __cplusplus
}
#endif
#endif
