/* How a confidence is written: in files and in the store alike, so that both roads give the same
 * events. */
#ifndef BACKSTORY_CONFIDENCE_PRIVATE_H
#define BACKSTORY_CONFIDENCE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#define BST__CONFIDENCE_TEXT 32

/* Six significant digits as a JSON number, the same in every locale. What is less than 1 is never
 * written as 1. `confidence`: over 0, at most 1. Returns the length. */
size_t bst__confidence_format(double confidence, char out[BST__CONFIDENCE_TEXT]);
/* Reads a number over 0 and at most 1. */
bool bst__confidence_parse(const char *text, size_t len, double *ret);

#endif
