/* Payloads that lead an entity one way and not another: examples, for tests of generated code and
 * for people. */
#ifndef BACKSTORY_WITNESS_H
#define BACKSTORY_WITNESS_H

#include "backstory/step.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Looks for a payload with which the entity, as it stands, takes the transition `way` of the
 * command: the guards asked before say no, its own says yes. `way` BST_NONE: all say no. `payload`
 * (machine->commands[command].field_count values) is what one would send anyway, and changes only
 * in fields that guards read, and only when the answer is true. What is found has been evaluated,
 * what is not found may still be there. Texts live in the arena. Each evaluation takes one from
 * *budget. */
BST_API bool bst_payload_for(const bst_machine *machine, const bst_entity *entity, uint32_t command,
                             uint32_t way, bst_value *payload, bst_arena *arena, uint32_t *budget);

#ifdef __cplusplus
}
#endif
#endif
