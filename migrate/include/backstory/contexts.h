/* What a step may depend on beyond the state at hand: the states before it.
 *
 * A context is the last few states of a walk, the one at hand included; one that begins with the
 * creation is anchored there. Contexts are those that histories had: a Markov chain of variable
 * order (Ron, Singer, Tishby 1996), where a walk is always in the longest of its contexts that is
 * known. What a context says is mixed with what the next shorter one says, the less the more often
 * it was seen (a Dirichlet prior of weight `worth`: MacKay, Peto 1995):
 *
 *     p(t | c) = (times(c, t) + worth p(t | shorter c)) / (times(c) + worth)
 *
 * and the shortest, the state alone, is the chain of single steps.
 */
#ifndef BACKSTORY_CONTEXTS_H
#define BACKSTORY_CONTEXTS_H

#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_CONTEXT_STATES_MAX 4u     /* of one context */
#define BST_CONTEXTS_MAX       16384u /* of one file */

/* A whole history that was seen. */
typedef struct bst_seen_walk {
    double times; /* how often; need not be whole */
    uint32_t step_count;
    const uint32_t *transitions;
} bst_seen_walk;

typedef struct bst_contexts {
    uint32_t count;          /* the first machine->state_count are the states alone */
    const uint32_t *state;   /* of each: the one at hand */
    const uint32_t *shorter; /* of each: without its oldest state; BST_NONE: there is none */
    const uint32_t *first;   /* of each: its steps below, as the machine has those of the state */
    const uint32_t *after;   /* the context that a step leads to */
    const uint32_t *after_birth; /* of each creation */
    double *weight, *stop;       /* how probable each step is, and the end */
} bst_contexts;

/* The contexts of at most `states` states that the walks have, without weights. BST_LIMIT, without
 * a finding: there are more than BST_CONTEXTS_MAX. */
BST_API bst_status bst_contexts_make(const bst_machine *machine, uint32_t states,
                                     uint32_t seen_count, const bst_seen_walk *seen,
                                     bst_arena *arena, bst_contexts *ret) BST_MUST_USE;
/* Fills in the weights. weight[t], stop[s]: of single steps, as in bst_weights. */
BST_API void bst_contexts_weigh(const bst_contexts *contexts, const bst_machine *machine,
                                const double *weight, const double *stop, uint32_t seen_count,
                                const bst_seen_walk *seen, double worth);

/* After a step in a context; BST_NONE: before the creation. */
static inline uint32_t bst_context_after(const bst_contexts *contexts, const bst_machine *machine,
                                         uint32_t context, uint32_t transition) {
    if (context == BST_NONE)
        return contexts->after_birth[transition];
    const uint32_t first = machine->states[contexts->state[context]].first_transition;
    return contexts->after[contexts->first[context] + transition - first];
}

#ifdef __cplusplus
}
#endif
#endif
