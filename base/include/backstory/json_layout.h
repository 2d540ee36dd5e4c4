/* JSON for a reader: what fits on its line stands on it, the rest is broken up and indented. */
#ifndef BACKSTORY_JSON_LAYOUT_H
#define BACKSTORY_JSON_LAYOUT_H

#include <jansson.h>

#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_JSON_LAYOUT_WIDTH 100 /* bytes of a line that holds more than one value */

/* Appends the value, without a line end. Keys stay in their order. */
BST_API void bst_json_layout(const json_t *json, bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
