/* bst_infer(): the passes one after the other. What each of them does is in its own file; see
 * infer_private.h for the map.
 */
#include "infer_private.h"

#include <math.h>
#include <string.h>

#define NODES_MAX_MAX (UINT32_C(1) << 27) /* keeps all numbers of edges in 32 bits */

/* The likeliest walk and the next, and how likely. */
typedef struct ranking {
    bst__path best, second;
    double best_mass, second_mass, total; /* second_mass 0: there is none */
    double steps_mass;                    /* of the total: what single steps say */
    double unit;                          /* what the best path by steps weighs */
    bst__seen seen;
} ranking;

static bool same_path(const bst__path *a, const bst__path *b) {
    return a->count == b->count && memcmp(a->edges, b->edges, a->count * sizeof *a->edges) == 0;
}

/* Masses this near are equal, as costs are (best.c): the one that came first stays. */
#define EQUAL (1 + 0x1p-31)

static void rank(ranking *r, const bst__path *path, double mass) {
    if (mass > r->best_mass * EQUAL) {
        r->second = r->best;
        r->second_mass = r->best_mass;
        r->best = *path;
        r->best_mass = mass;
    } else if (mass > r->second_mass) {
        r->second = *path;
        r->second_mass = mass;
    }
}

/* Any walk among the two likeliest was seen, or is one of the two that single steps think best. */
static void rank_all(const bst__inference *in, const bst__seen *seen, const bst__path *by_steps,
                     uint32_t by_steps_count, double unit, ranking *r) {
    for (uint32_t i = 0; i < by_steps_count; i++) {
        bool was_seen = false;
        for (uint32_t k = 0; k < seen->count && !was_seen; k++)
            was_seen = same_path(&seen->paths[k], &by_steps[i]);
        const double p = exp(-(double)(by_steps[i].cost - in->distance[0]) * BST__COST_UNIT);
        if (!was_seen)
            rank(r, &by_steps[i], unit * p);
    }
    for (uint32_t k = 0; k < seen->count; k++) {
        const double p = exp(-(double)(seen->paths[k].cost - in->distance[0]) * BST__COST_UNIT);
        rank(r, &seen->paths[k], seen->times[k] + unit * p);
    }
}

/* What the best path by steps weighs; 1 when there is nothing to weigh it against. */
static double unit_of(const bst__inference *in, const bst__seen *seen) {
    if (seen->count == 0)
        return 1;
    return fmax(in->weights->steps_worth, 0) * exp(-(double)in->distance[0] * BST__COST_UNIT);
}

bst_status bst__find_factor(const bst__inference *in, double *ret) {
    bst__chain chain;
    bst__seen seen;
    bst_status status = bst__chain_make(&in->graph, &in->costs, in->distance, in->scratch, &chain);
    if (status == BST_OK)
        status = bst__seen_make(&in->rules, &in->graph, NULL, in->weights, in->scratch, &seen);
    if (status == BST_OK)
        *ret = bst__seen_factor(&seen, in->weights, unit_of(in, &seen) * chain.total);
    return status;
}

/* BST_LIMIT: too many steps, or sums out of range. */
static bst_status rank_walks(const bst__inference *in, const bst__path *best,
                             const bst__chain *chain, ranking *ret) {
    bst__seen seen;
    bst__path by_steps[2] = {*best, {0}};
    bst_status status =
        bst__seen_make(&in->rules, &in->graph, &in->costs, in->weights, in->scratch, &seen);
    if (status == BST_OK)
        status =
            bst__second_path(&in->graph, &in->costs, in->distance, best, in->scratch, &by_steps[1]);
    if (status != BST_OK)
        return status;
    double unit = unit_of(in, &seen);
    double factor = 0;
    if (seen.count > 0)
        factor =
            in->is_part ? in->factor : bst__seen_factor(&seen, in->weights, unit * chain->total);
    if (factor > 0) {
        bst__seen_weigh(&seen, in->weights, factor);
        unit *= factor;
    }
    *ret = (ranking){.steps_mass = unit * chain->total, .unit = unit, .seen = seen};
    ret->total = ret->steps_mass + seen.total;
    rank_all(in, &seen, by_steps, by_steps[1].cost == BST__COST_NEVER ? 1 : 2, unit, ret);
    return BST_OK;
}

static bst_status copy_runner_up(const bst__inference *in, const ranking *r, bst_answer *ret) {
    if (!(r->second_mass > 0))
        return BST_OK;
    uint32_t *const transitions = bst_arena_array(in->arena, r->second.count, sizeof *transitions);
    if (!transitions)
        return BST_NOMEM;
    for (uint32_t i = 0; i < r->second.count; i++)
        transitions[i] = in->graph.edges[r->second.edges[i]].transition;
    ret->runner_up_count = r->second.count;
    ret->runner_up = transitions;
    ret->runner_up_confidence = r->second_mass / r->total;
    return BST_OK;
}

static bst_status mark_doubts(const bst__inference *in, bst_walk_step *steps, uint32_t count) {
    uint32_t *const walk = bst_arena_array(in->scratch, count, sizeof *walk);
    uint32_t *const claims = bst_arena_array(in->scratch, count, sizeof *claims);
    uint32_t *const latest = bst_arena_array(in->scratch, count, sizeof *latest);
    if (!walk || !claims || !latest)
        return BST_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        walk[i] = steps[i].transition;
        claims[i] = steps[i].claim;
    }
    const bst_status status = bst__doubts(in->question, walk, count, in->scratch, claims, latest);
    for (uint32_t i = 0; i < count && status == BST_OK; i++)
        steps[i].latest = latest[i];
    return status;
}

bst_status bst__describe_best(const bst__inference *in, bst_answer *ret) {
    bst__path best;
    bst__chain chain;
    ranking ranked = {0};
    bst_status status = bst__best_path(&in->graph, &in->costs, in->distance, in->scratch, &best);
    if (status != BST_OK)
        return status;
    ret->certain = bst__graph_single_path(&in->graph);
    ret->confidence = 1;
    if (!ret->certain) {
        status = bst__chain_make(&in->graph, &in->costs, in->distance, in->scratch, &chain);
        if (status == BST_OK)
            status = rank_walks(in, &best, &chain, &ranked);
        if (status == BST_OK)
            status = copy_runner_up(in, &ranked, ret);
        if (status != BST_OK)
            return status;
        best = ranked.best;
        ret->confidence = fmin(ranked.best_mass / ranked.total, 1);
    }
    ret->complete = ret->certain;
    if (!ret->certain && in->question->others_max > 0) {
        const bst__others_wanted wanted = {in->question, &best,       in->question->others_max,
                                           ranked.seen,  ranked.unit, ranked.total};
        status = bst__other_walks(&in->rules, &in->graph, &in->costs, in->distance, &wanted,
                                  in->scratch, in->arena, ret);
        if (status != BST_OK)
            return status;
    }
    bst_walk_step *const steps = bst_arena_array(in->arena, best.count, sizeof *steps);
    if (!steps)
        return BST_NOMEM;
    ret->step_count = best.count;
    ret->steps = steps;
    const bst__mixture walks = {&chain, ranked.steps_mass, ranked.seen};
    status = bst__steps_make(&in->rules, &in->graph, &best, ret->certain ? NULL : &walks,
                             ret->confidence, in->scratch, steps);
    return status == BST_OK ? mark_doubts(in, steps, best.count) : status;
}

/* With contexts; without them where the graph would be too large. */
static bst_status explore(bst__inference *in, bst_outcome *ret_outcome, bst__reached *ret) {
    const bst__rules plain = in->rules;
    if (in->weights && in->weights->contexts) {
        bst__rules_remember(&in->rules, in->weights->contexts);
        const bst_status status =
            bst__explore(&in->rules, in->nodes_max, in->scratch, ret_outcome, ret);
        if (status != BST_OK || *ret_outcome != BST_TOO_AMBIGUOUS)
            return status;
        in->rules = plain;
    }
    return bst__explore(&in->rules, in->nodes_max, in->scratch, ret_outcome, ret);
}

bst_status bst__find_graph(bst__inference *in, bst_outcome *ret_outcome) {
    bst__reached reached;
    bst_status status = bst__rules_make(in->machine, in->question, NULL, in->scratch, &in->rules);
    if (status == BST_OK)
        status = explore(in, ret_outcome, &reached);
    if (status != BST_OK || *ret_outcome != BST_FOUND)
        return status;
    status = bst__graph_make(&in->rules, &reached, in->scratch, &in->graph);
    if (status == BST_OK)
        status = bst__costs_make(&in->rules, &in->graph, in->weights, in->question, in->scratch,
                                 &in->costs);
    if (status == BST_OK)
        status = bst__distances(&in->graph, &in->costs, in->scratch, &in->distance);
    return status;
}

static bst_status find_walks(bst__inference *in, bst_answer *ret) {
    bst_status status = bst__find_graph(in, &ret->outcome);
    if (status == BST_OK && ret->outcome == BST_CONTRADICTION)
        return bst__conflict_find(in->machine, in->weights, in->question, in->nodes_max, in->arena,
                                  ret);
    if (status != BST_OK || ret->outcome != BST_FOUND)
        return status;
    status = bst__describe_best(in, ret);
    if (status == BST_LIMIT) {
        *ret = (bst_answer){.outcome = BST_TOO_AMBIGUOUS};
        status = BST_OK;
    }
    return status;
}

bst_status bst__inference_begin(const bst_machine *machine, const bst_weights *weights,
                                const bst_question *question, bst__inference *ret,
                                bst_diags *diags) {
    if (question->claim_count > BST_CLAIMS_MAX)
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "too-many-claims", NULL,
                            "one entity has %zu pieces of evidence, at most %u are possible",
                            question->claim_count, BST_CLAIMS_MAX);
    *ret = (bst__inference){.machine = machine, .weights = weights, .question = question};
    ret->nodes_max = question->nodes_max > 0 ? question->nodes_max : BST_INFER_NODES_MAX;
    if (ret->nodes_max > NODES_MAX_MAX)
        ret->nodes_max = NODES_MAX_MAX;
    ret->scratch = bst_arena_new();
    return ret->scratch ? BST_OK : bst_diag_nomem(diags);
}

bst_status bst_infer(const bst_machine *machine, const bst_weights *weights,
                     const bst_question *question, bst_arena *arena, bst_answer *ret,
                     bst_diags *diags) {
    bst__inference in;
    bst_answer answer = {.outcome = BST_FOUND};
    bst_status status = bst__inference_begin(machine, weights, question, &in, diags);
    if (status != BST_OK)
        return status;
    in.arena = arena;
    status = find_walks(&in, &answer);
    bst_arena_free(in.scratch);
    if (status == BST_NOMEM)
        return bst_diag_nomem(diags);
    if (status == BST_OK)
        *ret = answer;
    return status;
}
