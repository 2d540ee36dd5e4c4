/* Evolution: what changed between two versions of a machine, and what that means for what is
 * already stored.
 *
 * A stored history is a sequence of events, each with its payload and the state after it. It still
 * replays when every step of it is a step of the new machine: a transition from the same state, by
 * the same event, into the same state, whose payload and names can still be read. Whether its fold
 * gives the same entity is told apart from that. What cannot be told from the machines alone (is
 * anything stored at all?) is answered by counts that the caller takes from a store.
 *
 * Renames are said in the new machine: a state, field or event with `"was": "old_name"` is the old
 * one under a new name. Names are looked up as readers of a store do (bst_machine_state_stored()
 * and so on), so that what is promised here is what they do.
 */
#ifndef BACKSTORY_DIFF_H
#define BACKSTORY_DIFF_H

#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/*      effect             text */
#define BST_EFFECT_LIST(X)                                                                         \
    X(COMPATIBLE, "compatible")       /* what is stored replays as before */                       \
    X(CHANGES_FOLD, "changes-fold")   /* it replays, to other values than before */                \
    X(NEEDS_UPCAST, "needs-upcast")   /* stored payloads cannot be read as the new ones */         \
    X(STRANDS, "strands")             /* entities stand or stood in a state that is gone */        \
    X(BREAKS_REPLAY, "breaks-replay") /* stored histories took a step that is gone */

typedef enum bst_effect {
#define X(name, text) BST_EFFECT_##name,
    BST_EFFECT_LIST(X)
#undef X
        BST_EFFECT_COUNT
} bst_effect;
BST_API const char *bst_effect_text(bst_effect effect);

typedef enum bst_changed {
    BST_CHANGED_STATE,
    BST_CHANGED_FIELD,
    BST_CHANGED_EVENT,
    BST_CHANGED_COMMAND,
    BST_CHANGED_GUARD,
    BST_CHANGED_TRANSITION,
    BST_CHANGED_INITIAL
} bst_changed;
/* "state", "field", ... */
BST_API const char *bst_changed_text(bst_changed what);

typedef struct bst_change {
    bst_changed what;
    bst_effect effect;
    const char *name;    /* "captured", "PaymentCaptured.amount", "pending -fail-> failed" */
    const char *message; /* "is gone", "was named \"captured\"", ... */
    /* What in the old machine it speaks of, for counting: a state, an event type, a command or
     * a transition; BST_NONE: nothing old. */
    uint32_t old_state, old_event, old_command, old_transition;
    bst_loc where; /* in the new file, or in the old one when it is gone */
} bst_change;

/* Compares; the changes are in the order of the files, and live in `arena`. */
BST_API bst_status bst_machine_diff(const bst_machine *before, const bst_machine *after,
                                    bst_arena *arena, const bst_change **ret_changes,
                                    size_t *ret_count, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
