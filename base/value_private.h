/* JSON inside values: one JSON value as a text. */
#ifndef BACKSTORY_VALUE_PRIVATE_H
#define BACKSTORY_VALUE_PRIVATE_H

#include "backstory/value.h"

bst_value_result bst__json_value_check(const char *text, size_t len);
/* NULL when out of memory. */
const char *bst__json_value_dump(const json_t *json, bst_arena *arena, size_t *ret_len);
/* Appends the text as one line. */
void bst__json_value_add(const char *text, size_t len, bst_strbuf *out);
bool bst__json_value_equal(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
