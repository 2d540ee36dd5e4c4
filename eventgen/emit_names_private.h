/* Names of generated code: each once, whatever the machine calls its things. */
#ifndef BACKSTORY_EMIT_NAMES_PRIVATE_H
#define BACKSTORY_EMIT_NAMES_PRIVATE_H

#include <stdbool.h>

#include "backstory/arena.h"
#include "emit_emissions_private.h"

/* A set of names that are taken. NULL is the empty one. */
typedef struct bst__names bst__names;

/* Takes `format`, or that with as few underscores behind as make it free. The name lives in the
 * arena; NULL: out of memory. */
const char *bst__names_claim(bst__names **names, bst_arena *arena, const char *format, ...)
    BST_PRINTF(3, 4);
/* "PaymentCaptured"; of an older version "PaymentCapturedV1". */
const char *bst__names_claim_payload(bst__names **names, bst_arena *arena,
                                     const bst_machine *machine, const bst__payload *payload);
bool bst__names_has(bst__names *names, const char *name);
/* Words that nothing may be called; NULL at the end. False: out of memory. */
bool bst__names_reserve(bst__names **names, bst_arena *arena, const char *const *words);
void bst__names_free(bst__names **names);

/* "PaymentCaptured" from any style, an identifier, in the arena. NULL: out of memory. */
const char *bst__names_camel(bst_arena *arena, const char *name);

#endif
