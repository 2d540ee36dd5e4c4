/* What a machine keeps beside its public tables: who owns the memory, the indices of its names
 * and steps, and enough to find the place of anything in the file again. JSON pointers are built
 * when a finding asks for one, never before: a machine without mistakes pays nothing for its
 * places.
 */
#ifndef BACKSTORY_FSM_MACHINE_PRIVATE_H
#define BACKSTORY_FSM_MACHINE_PRIVATE_H

#include "backstory/machine.h"
#include "index_private.h"

typedef struct bst__machine {
    bst_machine table; /* first: a bst_machine of ours is a bst__machine */
    bst_arena *arena;
    bst_json_source *source;
    uint32_t seed; /* of the name indices */
    bst__index fields, events, commands, guards, states;
    bst__index groups;            /* (from, command) -> first transition */
    bst__index steps;             /* (from, event, to) -> first transition */
    const bst_value *defaults;    /* of the entity's fields, one each */
    const uint32_t *event_user;   /* by event: the first transition that emits it, or BST_NONE */
    const uint32_t *command_user; /* by command: the first transition under it, or BST_NONE */
    const uint32_t *guard_user;   /* by guard: the first transition that asks it, or BST_NONE */
    uint32_t named_guard_count;
    uint32_t payload_max;
} bst__machine;

const bst__machine *bst__machine_of(const bst_machine *machine);

/* Fills `groups` and `steps` from the finished tables. False when out of memory. */
bool bst__machine_index_steps(bst__machine *m);

/* Appends the pointer of a transition: "/states/a/on/go", "/creates/1" ... */
void bst__transition_pointer(const bst_machine *machine, const bst_transition *transition,
                             bst_strbuf *pointer);
/* The place of the command's key for a transition: where a derived event name comes from. */
bst_loc bst__transition_command_where(const bst_machine *machine, uint32_t transition);
bst_loc bst__command_where(const bst_machine *machine, uint32_t command);
/* The place of a member of the machine, `key` or value: `tail` may be NULL.
 * "/<list>/<name>/<tail>" */
bst_loc bst__member_where(const bst_json_source *source, const char *list, const char *name,
                          const char *tail, bool key);

#endif
