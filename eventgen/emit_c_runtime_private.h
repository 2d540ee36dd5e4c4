/* Functions that generated files bring along, kept as C text with the room and written out only
 * where they are used.
 *
 * A text is cut into sections by lines `@@ name: what it needs`, each after those that it needs.
 */
#ifndef BACKSTORY_EMIT_C_RUNTIME_PRIVATE_H
#define BACKSTORY_EMIT_C_RUNTIME_PRIVATE_H

#include "emit_c_private.h"

#define BST__C_SECTIONS_MAX 64 /* of one text */

typedef struct bst__c_section {
    const char *name, *needs; /* in the head line; up to its end */
    const char *text;
    size_t len;
    bool used;
} bst__c_section;

typedef struct bst__c_runtime {
    bst__c_section sections[BST__C_SECTIONS_MAX];
    uint32_t count;
} bst__c_runtime;

void bst__c_runtime_init(bst__c_runtime *runtime, const char *text);
/* Marks a section, which must be there, and returns its name: for `bst__c_use(rt, "put")`. */
const char *bst__c_use(bst__c_runtime *runtime, const char *name);
bool bst__c_is_used(const bst__c_runtime *runtime, const char *name);
/* Adds to what is used what that needs. */
void bst__c_runtime_close(bst__c_runtime *runtime);
/* The used ones, in their order; a line feed after each. */
void bst__c_add_runtime(const bst__c_runtime *runtime, bst_strbuf *out);

#endif
