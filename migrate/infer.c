/* bst_infer(): the passes one after the other. What each of them does is in its own file; see
 * infer_private.h for the map.
 */
#include "infer_private.h"

#include <math.h>

#define NODES_MAX_MAX (UINT32_C(1) << 27) /* keeps all numbers of edges in 32 bits */

typedef struct inference {
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    bst_arena *arena, *scratch;
    uint32_t nodes_max;
    bst__rules rules;
    bst__graph graph;
    const bst__cost *costs, *distance;
} inference;

/* BST_LIMIT: too many steps, or sums out of range. */
static bst_status copy_runner_up(const inference *in, const bst__path *best, double whole,
                                 bst_answer *ret) {
    bst__path second;
    const bst_status status =
        bst__second_path(&in->graph, in->costs, in->distance, best, in->scratch, &second);
    if (status != BST_OK || second.cost == BST__COST_NEVER)
        return status;
    uint32_t *const transitions = bst_arena_array(in->arena, second.count, sizeof *transitions);
    if (!transitions)
        return BST_NOMEM;
    for (uint32_t i = 0; i < second.count; i++)
        transitions[i] = in->graph.edges[second.edges[i]].transition;
    ret->runner_up_count = second.count;
    ret->runner_up = transitions;
    ret->runner_up_confidence =
        exp(-(double)(second.cost - in->distance[0]) * BST__COST_UNIT) / whole;
    return BST_OK;
}

static bst_status describe_best(const inference *in, bst_answer *ret) {
    bst__path best;
    bst__chain chain;
    bst_status status = bst__best_path(&in->graph, in->costs, in->distance, in->scratch, &best);
    if (status != BST_OK)
        return status;
    ret->certain = bst__graph_single_path(&in->graph);
    ret->confidence = 1;
    if (!ret->certain) {
        status = bst__chain_make(&in->graph, in->costs, in->distance, in->scratch, &chain);
        if (status == BST_OK)
            status = copy_runner_up(in, &best, chain.total, ret);
        if (status != BST_OK)
            return status;
        ret->confidence =
            fmin(exp(-(double)(best.cost - in->distance[0]) * BST__COST_UNIT) / chain.total, 1);
    }
    bst_walk_step *const steps = bst_arena_array(in->arena, best.count, sizeof *steps);
    if (!steps)
        return BST_NOMEM;
    ret->step_count = best.count;
    ret->steps = steps;
    return bst__steps_make(&in->rules, &in->graph, &best, ret->certain ? NULL : &chain,
                           ret->confidence, in->scratch, steps);
}

static bst_status find_walks(inference *in, bst_answer *ret) {
    bst__reached reached;
    bst_status status =
        bst__explore(&in->rules, in->nodes_max, in->scratch, &ret->outcome, &reached);
    if (status == BST_OK && ret->outcome == BST_CONTRADICTION)
        return bst__conflict_find(in->machine, in->weights, in->question, in->nodes_max, in->arena,
                                  ret);
    if (status != BST_OK || ret->outcome != BST_FOUND)
        return status;
    status = bst__graph_make(&in->rules, &reached, in->scratch, &in->graph);
    if (status == BST_OK)
        status = bst__costs_make(in->machine, in->weights, in->scratch, &in->costs);
    if (status == BST_OK)
        status = bst__distances(&in->graph, in->costs, in->scratch, &in->distance);
    if (status == BST_OK)
        status = describe_best(in, ret);
    if (status == BST_LIMIT) {
        *ret = (bst_answer){.outcome = BST_TOO_AMBIGUOUS};
        status = BST_OK;
    }
    return status;
}

bst_status bst_infer(const bst_machine *machine, const bst_weights *weights,
                     const bst_question *question, bst_arena *arena, bst_answer *ret,
                     bst_diags *diags) {
    inference in = {machine, weights, question, arena, .scratch = NULL};
    bst_answer answer = {.outcome = BST_FOUND};
    if (question->claim_count > BST_CLAIMS_MAX)
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "too-many-claims", NULL,
                            "one entity has %zu pieces of evidence, at most %u are possible",
                            question->claim_count, BST_CLAIMS_MAX);
    in.nodes_max = question->nodes_max > 0 ? question->nodes_max : BST_INFER_NODES_MAX;
    if (in.nodes_max > NODES_MAX_MAX)
        in.nodes_max = NODES_MAX_MAX;
    in.scratch = bst_arena_new();
    bst_status status = in.scratch ? BST_OK : BST_NOMEM;
    if (status == BST_OK)
        status = bst__rules_make(machine, question, NULL, in.scratch, &in.rules);
    if (status == BST_OK)
        status = find_walks(&in, &answer);
    bst_arena_free(in.scratch);
    if (status == BST_NOMEM)
        return bst_diag_nomem(diags);
    if (status == BST_OK)
        *ret = answer;
    return status;
}
