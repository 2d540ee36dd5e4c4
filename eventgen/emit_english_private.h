/* Expressions in English, for people who read no code. */
#ifndef BACKSTORY_EMIT_ENGLISH_PRIVATE_H
#define BACKSTORY_EMIT_ENGLISH_PRIVATE_H

#include "backstory/expr.h"

/* Appends a phrase, without a period: `captured + command.amount <= amount` is "captured plus the
 * command's amount is at most amount". Names stand as they are; what would be read in two ways has
 * brackets. */
void bst__english(const bst_expr *expr, bst_strbuf *out);
/* The same as a value, to stand behind "becomes": a condition is "whether a is at most b". */
void bst__english_value(const bst_expr *expr, bst_strbuf *out);
/* A duration of fixed length: "7 days", "1 hour 30 minutes". */
void bst__english_duration(int64_t us, bst_strbuf *out);

#endif
