/* Machines made of nothing but states and transitions, for tests of what looks at no more of them.
 */
#ifndef SMALL_MACHINE_H
#define SMALL_MACHINE_H

#include <assert.h>
#include <string.h>

#include "backstory/machine.h"

#define SMALL_STATES      64u
#define SMALL_TRANSITIONS 256u

typedef struct small_machine {
    bst_machine machine;
    bst_state states[SMALL_STATES];
    bst_transition transitions[SMALL_TRANSITIONS];
} small_machine;

static inline void small_init(small_machine *small, uint32_t state_count) {
    assert(state_count <= SMALL_STATES);
    memset(small, 0, sizeof *small);
    small->machine.id = "small";
    small->machine.state_count = state_count;
    small->machine.states = small->states;
    small->machine.transitions = small->transitions;
}

/* Creations (from == BST_NONE) first, then by state. */
static inline void small_add(small_machine *small, uint32_t from, uint32_t to) {
    const uint32_t number = small->machine.transition_count++;
    assert(number < SMALL_TRANSITIONS && to < small->machine.state_count);
    small->transitions[number].from = from;
    small->transitions[number].to = to;
    if (from == BST_NONE) {
        assert(number == small->machine.creation_count);
        small->machine.creation_count++;
        return;
    }
    assert(number > 0 && (small->transitions[number - 1].from == BST_NONE ||
                          small->transitions[number - 1].from <= from));
    if (small->states[from].transition_count++ == 0)
        small->states[from].first_transition = number;
}

#endif
