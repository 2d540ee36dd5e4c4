/* A cursor over JSON text that hands out values as the bytes they stand in: nothing is copied, and
 * no number passes through a double. For the shallow, regular forms that the store writes itself (a
 * line of events, a segment, a payload); what lies inside a value is the business of whoever reads
 * it.
 */
#ifndef BACKSTORY_JSON_SCAN_PRIVATE_H
#define BACKSTORY_JSON_SCAN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/arena.h"

typedef enum bst__item_kind {
    BST__STRING, /* `text` without the quotes */
    BST__NUMBER, /* anything that is made of the bytes of numbers */
    BST__WORD,   /* true, false, null */
    BST__OBJECT, /* with its braces; brackets inside are counted, not matched */
    BST__ARRAY
} bst__item_kind;

typedef struct bst__item {
    bst__item_kind kind;
    const char *text;
    size_t len;
    bool escaped; /* a string with backslashes in it */
} bst__item;

typedef struct bst__scan {
    const char *at, *end; /* `at` stays where it stopped when something fails */
} bst__scan;

/* Whether the next byte after white space is `c`; then it is taken. */
bool bst__scan_byte(bst__scan *scan, char c);
/* Any value. */
bool bst__scan_value(bst__scan *scan, bst__item *ret);
/* A whole number in the form of JSON that fits. */
bool bst__scan_int(bst__scan *scan, int64_t *ret);
/* Nothing but white space is left. */
bool bst__scan_done(bst__scan *scan);

bool bst__item_is(const bst__item *token, bst__item_kind kind, const char *text);
bool bst__item_is_null(const bst__item *token);
bool bst__item_int(const bst__item *token, int64_t *ret);

typedef enum bst__unescape_result {
    BST__TEXT_OK,
    BST__TEXT_BAD,
    BST__TEXT_NOMEM
} bst__unescape_result;
/* The text that a string stands for: where it is when nothing is escaped in it, else in `arena`. */
bst__unescape_result bst__item_text(const bst__item *token, bst_arena *arena, const char **ret_text,
                                    size_t *ret_len);

#endif
