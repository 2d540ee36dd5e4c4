/* What json_source.c, json_index.c, json_mistake.c and json_place.c share. */
#ifndef BACKSTORY_JSON_PRIVATE_H
#define BACKSTORY_JSON_PRIVATE_H

#include "backstory/json_source.h"

/* A place in a text. */
typedef struct bst__json_place {
    uint32_t line, column;
} bst__json_place;

/* The place of a byte: goes through the text up to it. */
bst__json_place bst__json_place_of(const char *text, size_t at);

/* The decoded bytes of a text, one after another. */
typedef enum bst__json_form {
    BST__JSON_PLAIN,   /* the bytes themselves, up to `end` */
    BST__JSON_STRING,  /* the inside of a valid JSON string, up to its closing quote */
    BST__JSON_POINTER, /* a reference token of a JSON pointer, up to a slash or `end` */
} bst__json_form;

typedef struct bst__json_letters {
    bst__json_form form;
    const char *at, *end;
    uint8_t waiting[4]; /* of the escape read last */
    int waiting_count, waiting_next;
} bst__json_letters;

/* The next byte, or -1 at the end. */
int bst__json_letters_next(bst__json_letters *letters);

/* Where each value of a valid JSON text stands, found by JSON pointer. Made empty; filled by the
 * first look-up. */
typedef struct bst__json_index bst__json_index;

typedef struct bst__json_node {
    uint32_t parent;
    uint32_t hash;       /* of the parent and the name */
    uint32_t position;   /* in an array; BST__JSON_NAMED in an object */
    uint32_t key, value; /* the bytes where they start; of an item both are the same */
} bst__json_node;

#define BST__JSON_NAMED UINT32_MAX

bst__json_index *bst__json_index_new(const char *text, size_t len);
bst__json_index *bst__json_index_free(bst__json_index *index);
/* Reads the text. With `diags`, each key that its object has already is reported under the name
 * `file`. */
bst_status bst__json_index_fill(bst__json_index *index, const char *file, bst_diags *diags);
/* The value at `pointer`, or the nearest around it (then *ret_exact is false); NULL when out of
 * memory. */
const bst__json_node *bst__json_index_find(bst__json_index *index, const char *pointer,
                                           bool *ret_exact);
/* The place of a byte that a value or key starts with, in a filled index. O(log of the text). */
bst__json_place bst__json_index_place(const bst__json_index *index, uint32_t at);

/* Says what is wrong with a text that jansson refused. The text is UTF-8, without NUL, and not
 * nested too deep. */
void bst__json_explain(const char *file, const char *text, size_t len, const json_error_t *refused,
                       bst_diags *diags);

#endif
