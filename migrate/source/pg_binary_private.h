/* PostgreSQL's binary form of values, as COPY ... (FORMAT binary) delivers it. */
#ifndef BACKSTORY_PG_BINARY_PRIVATE_H
#define BACKSTORY_PG_BINARY_PRIVATE_H

#include <stdint.h>

#include "backstory/strbuf.h"
#include "backstory/value.h"

int16_t bst__pg_int2(const char *bytes);
int32_t bst__pg_int4(const char *bytes);
int64_t bst__pg_int8(const char *bytes);

/* A numeric into a decimal of this type: exactly, or not at all (NaN and the infinities are
 * BST_VALUE_RANGE). */
bst_value_result bst__pg_numeric(const char *bytes, size_t len, const bst_type *type,
                                 int64_t *ret_units);
/* Its text, for messages about one that does not fit. False: the bytes are no numeric. */
bool bst__pg_numeric_text(const char *bytes, size_t len, bst_strbuf *out);

#endif
