/* What the table says of each event: where it leads, what it comes of. */
#ifndef BACKSTORY_EMIT_EMISSIONS_PRIVATE_H
#define BACKSTORY_EMIT_EMISSIONS_PRIVATE_H

#include "backstory/arena.h"
#include "backstory/machine.h"

typedef struct bst__emission {
    const uint32_t *states; /* that it leads to, in the order of the machine */
    const uint32_t *commands;
    uint32_t state_count, command_count;
    bool creates; /* some transition that emits it creates an entity */
    bool follows; /* some other does not */
} bst__emission;

/* By event; in the arena. NULL: out of memory. Linear in the transitions, but for sorting. */
const bst__emission *bst__emissions(const bst_machine *machine, bst_arena *arena);

/* A payload that is stored somewhere: that of an event, or of an older version of it. */
typedef struct bst__payload {
    uint32_t event;
    uint32_t version;
    bool current;
    const bst_field *fields;
    uint32_t field_count;
} bst__payload;

/* All of them, by event, older ones last; in the arena. NULL: out of memory. */
const bst__payload *bst__payloads(const bst_machine *machine, bst_arena *arena,
                                  uint32_t *ret_count);

/* How an event is known, as the store says it: "recorded" ...; NULL at the end. (The store's own
 * list is out of sight from here; a test holds the two together.) */
extern const char *const bst__basis_words[];

#endif
