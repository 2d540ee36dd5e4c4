/* Analyses of a compiled machine: what is legal but surely not meant. Each finding has a code, a
 * warning's name at the same time (warnings.h has them all), and a page in docs/diagnostics/. */
#ifndef BACKSTORY_CHECK_H
#define BACKSTORY_CHECK_H

#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs every analysis that `diags` and the machine's own "warnings" want, and adds warnings and
 * notes; those that are meant to be errors are errors in the list. BST_OK also then; BST_NOMEM
 * otherwise. The time is proportional to states + transitions; the search for values of guards has
 * a fixed budget.
 *
 * Where regions keep tables of their own (regions.h) nobody walks through all configurations: dead
 * ends, circles, ways to a final state and unhandled commands are not looked for. */
BST_API bst_status bst_machine_check(const bst_machine *machine, bst_diags *diags) BST_MUST_USE;

/* What a state does with a command; `state` BST_NONE: whether it creates. */
typedef enum bst_handling {
    BST_HANDLING_NONE,    /* nothing is said: it is refused */
    BST_HANDLING_IGNORED, /* it is refused, and "ignores" says that this is meant */
    BST_HANDLING_GUARDED, /* accepted or refused: every transition has a guard */
    BST_HANDLING_ACCEPTED
} bst_handling;
BST_API bst_handling bst_machine_handling(const bst_machine *machine, uint32_t state,
                                          uint32_t command);
/* ret[command]: it only creates, so no state is expected to know it. */
BST_API void bst_machine_creating(const bst_machine *machine, bool *ret);
/* "unhandled", "ignored", "guarded", "accepted" */
BST_API const char *bst_handling_text(bst_handling handling);

#ifdef __cplusplus
}
#endif
#endif
