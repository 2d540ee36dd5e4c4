/* Analyses of a compiled machine: what is legal but surely not meant. Each finding has a code, a
 * warning's name at the same time, and a page in docs/. */
#ifndef BACKSTORY_CHECK_H
#define BACKSTORY_CHECK_H

#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs every analysis and adds warnings to `diags`. BST_OK also when there are warnings; BST_NOMEM
 * otherwise. Linear in states + transitions.
 *     unreachable-state  no-way-to-final  dead-end  shadowed-transition
 *     unused-event  unused-command  unused-guard
 *     unset-field (a required field that some creation leaves unset)
 *     not-past-tense  leaks-implementation  final-with-exit
 */
BST_API bst_status bst_machine_check(const bst_machine *machine, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
