/* What decide and apply do whether states stand in one table or in several. `born`: the entity
 * exists; before that its fields are its defaults.
 */
#ifndef BACKSTORY_FSM_STEP_PRIVATE_H
#define BACKSTORY_FSM_STEP_PRIVATE_H

#include "backstory/step.h"
#include "machine_private.h"

/* The first of these transitions whose guard holds. */
bst_decision bst__step_choose(const bst_machine *machine, const bst_records *records,
                              uint32_t first, uint32_t count);
/* BST_NONE, or the number of a required field that is absent. */
uint32_t bst__step_missing(const bst_field *fields, uint32_t count, const bst_value *values);
/* Makes the event of a transition: `ret_fields` is left alone unless the entity can take it. */
bst_decision bst__step_emit(const bst_machine *machine, bool born, const bst_value *fields,
                            uint32_t transition, const bst_value *payload, bst_value *ret_fields);
#endif
