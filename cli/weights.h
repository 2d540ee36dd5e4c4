/* How often each transition of a machine was taken. */
#ifndef BACKSTORY_CLI_WEIGHTS_H
#define BACKSTORY_CLI_WEIGHTS_H

#include "backstory/machine.h"

/* Counts the events of a store. *ret: machine->transition_count numbers, which the caller frees. */
bst_status cli_count_transitions(const bst_machine *machine, const char *store, uint64_t **ret,
                                 bst_diags *diags) BST_MUST_USE;

#endif
