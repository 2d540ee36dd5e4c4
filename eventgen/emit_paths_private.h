/* The parts of the emitter of test paths. */
#ifndef BACKSTORY_EMIT_PATHS_PRIVATE_H
#define BACKSTORY_EMIT_PATHS_PRIVATE_H

#include "backstory/arena.h"
#include "backstory/step.h"

/* An entity as it can come to be: node 0 is nothing yet, every other follows from one before it by
 * one command. */
typedef struct bst__life {
    uint32_t parent, transition; /* BST_NONE of node 0 */
    const bst_value *payload;    /* of the command */
    bst_entity entity;
    uint32_t next; /* another one in the same state */
} bst__life;

/* A payload that every guard of a command refuses. */
typedef struct bst__refusal {
    uint32_t life, command; /* life BST_NONE: none was found */
    const bst_value *payload;
} bst__refusal;

typedef struct bst__lives {
    const bst_machine *machine;
    bst_arena *arena; /* of everything here */
    bst__life *list;
    uint32_t count, room;
    uint32_t *first_in; /* by state: a life that stands there, or BST_NONE */
    uint32_t *kept;     /* by state: how many are */
    uint32_t kept_max;
    uint32_t *taken_to; /* by transition: the first life that it led to, or BST_NONE */
    /* by the first transition of a state's command, where all of them have guards */
    bst__refusal *refusals;
    uint32_t budget; /* evaluations that are left */
} bst__lives;

/* Explores from nothing until every transition and every refusal by guards has been met, or no more
 * can be found within fixed limits. NULL: out of memory. */
bst__lives *bst__lives_explore(const bst_machine *machine, bst_arena *arena);

/* What one would send with a command, whatever the guards say; in the arena. */
const bst_value *bst__usual_payload(const bst_command *command, bst_arena *arena);
/* A payload with which the entity takes that transition (BST_NONE: none of the command's), as the
 * interpreter says; NULL when none is found. Fills `ret_after`, whose fields are the caller's. */
const bst_value *bst__lives_step(bst__lives *lives, const bst_entity *entity, uint32_t command,
                                 uint32_t transition, bst_event *ret_event, bst_entity *ret_after);
/* Of the transition's state and command: the first one, and whether all have guards. */
bool bst__all_guarded(const bst_machine *machine, uint32_t transition, uint32_t *ret_first);

#endif
