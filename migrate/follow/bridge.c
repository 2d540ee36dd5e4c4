/* Ways from one state to another, for a change that does several steps at once: the likeliest walks
 * of the machine by the mapping's probabilities, found once for each pair of states.
 */
#include "follow_private.h"

#include <string.h>

static bool add_best(const bst_answer *answer, bst_arena *arena, bst__way *ret) {
    uint32_t *const transitions = bst_arena_array(arena, answer->step_count, sizeof *transitions);
    bst_basis *const basis = bst_arena_array(arena, answer->step_count, sizeof *basis);
    double *const confidence = bst_arena_array(arena, answer->step_count, sizeof *confidence);
    if (!transitions || !basis || !confidence)
        return false;
    for (uint32_t i = 0; i < answer->step_count; i++) {
        transitions[i] = answer->steps[i].transition;
        basis[i] = answer->steps[i].basis;
        confidence[i] = answer->steps[i].confidence;
    }
    *ret = (bst__way){answer->step_count, transitions, basis, confidence, answer->confidence};
    return true;
}

/* Of the others it is known how likely they are as a whole: each step is at least as likely. */
static bool add_other(const bst_other_walk *walk, bst_arena *arena, bst__way *ret) {
    uint32_t *const transitions = bst_arena_array(arena, walk->step_count, sizeof *transitions);
    bst_basis *const basis = bst_arena_array(arena, walk->step_count, sizeof *basis);
    double *const confidence = bst_arena_array(arena, walk->step_count, sizeof *confidence);
    if (!transitions || !basis || !confidence)
        return false;
    for (uint32_t i = 0; i < walk->step_count; i++) {
        transitions[i] = walk->transitions[i];
        basis[i] = BST_BASIS_ASSUMED;
        confidence[i] = walk->confidence > 0 ? walk->confidence : 1e-9;
    }
    *ret = (bst__way){walk->step_count, transitions, basis, confidence, walk->confidence};
    return true;
}

static bool find_ways(const bst_mapping *mapping, uint32_t from, uint32_t to, bst_arena *arena,
                      bst__bridge *bridge, bst_diags *diags) {
    const bst_question question = {
        .state = to, .started = from != BST_NONE, .start = from, .others_max = BST__WAYS_MAX - 1};
    /* Whole histories that were seen say nothing of the rest of one. */
    bst_weights weights = {.weight = mapping->weights.weight,
                           .stop = mapping->weights.stop,
                           .step_penalty = mapping->weights.step_penalty};
    bst_answer answer;
    if (bst_infer(mapping->machine, &weights, &question, arena, &answer, diags) != BST_OK)
        return false;
    if (answer.outcome != BST_FOUND)
        return true;
    bst__way *const ways = bst_arena_array(arena, answer.other_count + 1, sizeof *ways);
    bool made = ways && add_best(&answer, arena, &ways[0]);
    for (uint32_t i = 0; made && i < answer.other_count; i++)
        made = add_other(&answer.others[i], arena, &ways[i + 1]);
    bridge->ways = ways;
    bridge->count = answer.other_count + 1;
    return made || bst_diag_nomem(diags) == BST_OK;
}

const bst__bridge *bst__bridge_find(bst__bridge **all, const bst_mapping *mapping, uint32_t from,
                                    uint32_t to, bst_arena *arena, bst_diags *diags) {
    const uint64_t ends = (uint64_t)from << 32 | to;
    bst__bridge *bridge;
    HASH_FIND(hh, *all, &ends, sizeof ends, bridge);
    if (bridge)
        return bridge;
    bridge = bst_arena_alloc(arena, sizeof *bridge);
    if (!bridge) {
        (void)bst_diag_nomem(diags);
        return NULL;
    }
    bridge->ends = ends;
    if (!find_ways(mapping, from, to, arena, bridge, diags))
        return NULL;
    HASH_ADD(hh, *all, ends, sizeof bridge->ends, bridge);
    if (bridge->lost) {
        (void)bst_diag_nomem(diags);
        return NULL;
    }
    return bridge;
}
