/* Machines of other tools as machine files of ours: SCXML, and XState's machine configs (JSON).
 *
 * States, transitions, history, timers and conditions about states are carried over. What our
 * language has no place for (actions, invoked services, data models, conditions in JavaScript) is a
 * warning with its place each, and the description of the new file sums it up: nothing is left out
 * in silence. A guard that is known by its name alone refuses until somebody writes it.
 */
#ifndef BACKSTORY_IMPORT_H
#define BACKSTORY_IMPORT_H

#include "backstory/diag.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_IMPORT_BYTES_MAX       (8u << 20) /* of a file; XML takes 30 times that in memory */
#define BST_IMPORT_STATES_MAX      100000u
#define BST_IMPORT_TRANSITIONS_MAX 1000000u /* after wildcards are written out */

typedef enum bst_import_from {
    BST_IMPORT_ANY, /* as the text looks */
    BST_IMPORT_SCXML,
    BST_IMPORT_XSTATE
} bst_import_from;

/* Appends a machine file to `out`. `name` is what findings call the text, and what the machine is
 * called when the text does not say. Warnings do not make it fail. */
BST_API bst_status bst_import(const char *name, const char *text, size_t len, bst_import_from from,
                              bst_strbuf *out, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
