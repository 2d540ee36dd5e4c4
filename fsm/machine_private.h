/* What a machine keeps beside its public tables: who owns the memory, the indices of its names
 * and steps, and enough to find the place of anything in the file again. JSON pointers are built
 * when a finding asks for one, never before: a machine without mistakes pays nothing for its
 * places.
 */
#ifndef BACKSTORY_FSM_MACHINE_PRIVATE_H
#define BACKSTORY_FSM_MACHINE_PRIVATE_H

#include "backstory/machine.h"
#include "backstory/regions.h"
#include "index_private.h"

/* Where a transition is written. One of the file can become many of the table. */
typedef enum bst__form {
    BST__CREATION,
    BST__ON,
    BST__AFTER,
    BST__ALWAYS, /* emits nothing: part of the step that leads to its state */
    BST__DONE    /* onDone; the same */
} bst__form;

typedef struct bst__written {
    const char *key; /* of "on" or "after" */
    uint32_t node;   /* BST_NONE: a creation */
    uint32_t command, guard;
    uint32_t place; /* in the list under the key */
    bst__form form;
    bool listed; /* there is a list */
} bst__written;

typedef struct bst__nodes {
    const uint32_t *items;
    uint32_t count;
} bst__nodes;

typedef struct bst__machine {
    bst_machine table; /* first: a bst_machine of ours is a bst__machine */
    bst_arena *arena;
    bst_json_source *source;
    uint32_t seed; /* of the name indices */
    bst__index fields, events, commands, guards, states;
    bst__index former_events, former_states; /* by `was` */
    bst__index groups;                       /* (from, command) -> first transition */
    bst__index steps;                        /* (from, event, to) -> first transition */
    const bst_value *defaults;               /* of the entity's fields, one each */
    /* As the file has them. Users are numbers of written transitions. */
    const bst__written *written;
    uint32_t written_count;
    const bst_guard *written_guards;
    uint32_t written_guard_count;
    const uint32_t *event_user;   /* by event: the first that emits it, or BST_NONE */
    const uint32_t *command_user; /* by command: the first under it, or BST_NONE */
    const uint32_t *guard_user;   /* by written guard: the first that asks it, or BST_NONE */
    uint32_t named_guard_count;
    /* From the table to the file; NULL where both are the same: states are flat. */
    const uint32_t *origin;       /* by transition */
    const uint32_t *guard_origin; /* by guard */
    /* by transition: a written one of another region that gave way to it, or BST_NONE; NULL: none
     * ever does */
    const uint32_t *dropped;
    const bst__nodes
        *entries;       /* by transition: what it enters, some of it only to leave it again */
    const bool *passed; /* by node: was active within a step, before "always" or "onDone" left it */
    uint32_t payload_max;
    const bst_regions *regions; /* NULL: there is one table */
} bst__machine;

const bst__machine *bst__machine_of(const bst_machine *machine);

/* Fills `groups` and `steps` from the finished tables. False when out of memory. */
bool bst__machine_index_steps(bst__machine *m);

/* Fills `former_events` and `former_states`. False when out of memory. */
bool bst__machine_index_former(bst__machine *m);

/* The written transition that one of the table comes from. */
uint32_t bst__origin(const bst_machine *machine, uint32_t transition);
/* Appends the pointer of a node, of a written transition: "/states/a/on/go", "/creates/1" ... */
void bst__node_pointer(const bst_machine *machine, uint32_t node, bst_strbuf *pointer);
void bst__written_pointer(const bst_machine *machine, uint32_t written, bst_strbuf *pointer);
bst_loc bst__written_where(const bst_machine *machine, uint32_t written);
bst_loc bst__written_guard_where(const bst_machine *machine, uint32_t guard);
bst_loc bst__command_where(const bst_machine *machine, uint32_t command);
/* Whether `inner` is inside `outer`; a node is not inside itself. */
static inline bool bst__inside(const bst_node *nodes, uint32_t inner, uint32_t outer) {
    return inner > outer && inner <= nodes[outer].last;
}

#endif
