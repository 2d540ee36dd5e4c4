/* What the files of the comparison share. */
#ifndef BACKSTORY_DIFF_PRIVATE_H
#define BACKSTORY_DIFF_PRIVATE_H

#include "backstory/diff.h"

typedef struct bst__differ {
    const bst_machine *before, *after;
    bst_arena *arena;
    bst_change *changes;
    size_t count, room;
    uint32_t *states, *fields, *events; /* by old index: the new one, or BST_NONE */
    bool failed;                        /* out of memory */
    bst_change nobody;                  /* takes what has no room, seen by nobody */
} bst__differ;

/* diff_shared.c. Adds a change; the caller fills in what it speaks of. Never NULL: without memory a
 * dummy that nobody sees. */
bst_change *bst__diff_add(bst__differ *d, bst_changed what, bst_effect effect, const bst_loc *where,
                          const char *name, const char *message);
bool bst__diff_has_partner(const uint32_t *partners, uint32_t count, uint32_t number);
/* By new index: whether some old one is its partner. NULL without memory. */
bool *bst__diff_known(bst__differ *d, const uint32_t *partners, uint32_t old_count,
                      uint32_t new_count);
/* As people write it; and whether all values of the one are values of the other. */
const char *bst__diff_type_text(bst__differ *d, const bst_type *type);
bool bst__diff_widens(const bst_type *a, const bst_type *b);

/* diff_events.c */
void bst__diff_events(bst__differ *d);

#endif
