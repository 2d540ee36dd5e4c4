/* How often each transition was taken, counted in a store: for diagrams. */
#include "weights.h"

#include <stdlib.h>

#include "backstory/reader.h"
#include "backstory/step.h"

/* The transition that an event came of. Several may emit it to the same state: then the one of its
 * command, if that is known, or the first. BST_NONE: none, it is built in. */
static uint32_t transition_of(const bst_machine *machine, uint32_t from,
                              const bst_stored_event *event) {
    uint32_t first = 0;
    const uint32_t count = event->command == BST_NONE
                               ? 0
                               : bst_machine_candidates(machine, from, event->command, &first);
    for (uint32_t i = first; i < first + count; i++) {
        const bst_transition *t = &machine->transitions[i];
        if (t->event == event->type && t->to == event->state)
            return i;
    }
    return bst_machine_find_transition(machine, from, event->type, event->state);
}

static bst_status count_all(const bst_machine *machine, bst_reader *reader, uint64_t *weights,
                            bst_diags *diags) {
    const bst_stored_event *event = NULL;
    uint32_t state = BST_NONE;
    for (;;) {
        const bst_status status = bst_reader_next(reader, &event, diags);
        if (status != BST_OK || !event)
            return status;
        if (event->version == 1)
            state = BST_NONE;
        const uint32_t transition = transition_of(machine, state, event);
        if (transition != BST_NONE)
            weights[transition]++;
        state = event->state;
    }
}

bst_status cli_count_transitions(const bst_machine *machine, const char *store, uint64_t **ret,
                                 bst_diags *diags) {
    uint64_t *weights = calloc((size_t)machine->transition_count + 1, sizeof *weights);
    bst_reader *reader = NULL;
    if (!weights)
        return bst_diag_nomem(diags);
    bst_status status = bst_reader_open(store, machine, NULL, &reader, diags);
    if (status == BST_OK)
        status = count_all(machine, reader, weights, diags);
    bst_reader_free(reader);
    if (status == BST_OK)
        *ret = weights;
    else
        free(weights);
    return status;
}
