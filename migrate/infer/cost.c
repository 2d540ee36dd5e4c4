/* From weights to costs.
 *
 *     p(t | s) = weight[t] / (the weights of all transitions of s + stop[s])
 *     p(walk)  = p(creation among creations) * p(t1 | s1) * ... * stop share of the end state
 *                * step_penalty for each step
 *
 * The stop share of the end state is in every walk, so it is left out of all that is compared among
 * walks; it matters only beside histories that were seen (seen.c).
 * Claims do not enter here: they decide what is possible, weights how probable it is. Therefore no
 * weight is so small that it forbids anything; a weight below FLOOR of the largest of its state
 * counts as that.
 *
 * Where nobody gave weights, all transitions of a state are alike, but not all births: the initial
 * state of the machine is where entities begin, other creations are exceptions. One is as good as
 * that only where there is evidence of several things at the first moment, and it does two of them.
 *
 * A cost is minus a logarithm, as an integer: then the cost of a walk does not depend on the order
 * of its steps, ties are ties, and a tolerance far above the error of rounding and far below the
 * least cost of a step makes equal what should be equal (best.c).
 */
#include "infer_private.h"

#include <math.h>

#define FLOOR 1e-9
/* The least cost of a step: 2^-30, about what a probability of 1 - FLOOR costs. It keeps a walk of
 * sure steps from being as good as a shorter one. The most: so that sums stay in range. */
#define COST_MIN (INT64_C(1) << 10)
#define COST_MAX (INT64_C(1) << 48)

#define RARE_BIRTH 0.01

static double sane(double weight) {
    return isfinite(weight) && weight > 0 ? weight : 0;
}

static double weight_of(const bst_weights *weights, uint32_t transition) {
    return weights->weight ? sane(weights->weight[transition]) : 1;
}

static bst__cost cost_of(double probability, double penalty) {
    const double cost = -(log(probability) + log(penalty)) / BST__COST_UNIT;
    if (!(cost > (double)COST_MIN))
        return COST_MIN;
    return cost < (double)COST_MAX ? (bst__cost)llround(cost) : COST_MAX;
}

/* The costs of the transitions first .. first + count - 1, of which one is taken, or none (`stop`;
 * a negative one: there is no such choice). */
static void share(const bst_weights *weights, uint32_t first, uint32_t count, double stop,
                  double penalty, bst__cost *ret) {
    double most = stop, sum = 0;
    for (uint32_t t = first; t < first + count; t++)
        most = fmax(most, weight_of(weights, t));
    if (!(most > 0))
        most = 1;
    for (uint32_t t = first; t < first + count; t++)
        sum += fmax(weight_of(weights, t) / most, FLOOR);
    if (stop >= 0)
        sum += fmax(stop / most, FLOOR);
    for (uint32_t t = first; t < first + count; t++)
        ret[t] = cost_of(fmax(weight_of(weights, t) / most, FLOOR) / sum, penalty);
}

/* Without stop weights: as probable as the average transition. */
static double stop_of(const bst_weights *weights, const bst_state *state, uint32_t number) {
    if (weights->stop)
        return sane(weights->stop[number]);
    double mean = 0;
    for (uint32_t i = 0; i < state->transition_count; i++)
        mean += weight_of(weights, state->first_transition + i) / state->transition_count;
    return state->transition_count > 0 ? mean : 1;
}

/* Whether the creation does two or more of the things that happened at the first moment. */
static bool explains_start(const bst_question *question, uint32_t creation) {
    uint32_t first = BST_NONE, done = 0;
    for (size_t c = 0; c < question->claim_count; c++) {
        if (question->claims[c].kind == BST_CLAIM_HAPPENED && question->claims[c].rank < first)
            first = question->claims[c].rank;
    }
    for (size_t c = 0; c < question->claim_count; c++) {
        const bst_claim *const claim = &question->claims[c];
        if (claim->kind != BST_CLAIM_HAPPENED || claim->rank != first || first == BST_NONE)
            continue;
        done += claim->transitions[creation];
    }
    return done > 1;
}

double bst__stop_share(const bst_machine *machine, const bst_weights *weights, uint32_t state) {
    const bst_state *const of = &machine->states[state];
    const double stop = stop_of(weights, of, state);
    double most = stop, sum = 0;
    for (uint32_t i = 0; i < of->transition_count; i++)
        most = fmax(most, weight_of(weights, of->first_transition + i));
    if (!(most > 0))
        most = 1;
    for (uint32_t i = 0; i < of->transition_count; i++)
        sum += fmax(weight_of(weights, of->first_transition + i) / most, FLOOR);
    return fmax(stop / most, FLOOR) / (sum + fmax(stop / most, FLOOR));
}

static bst_status share_births(const bst_machine *machine, const bst_weights *weights,
                               const bst_question *question, double penalty, bst_arena *arena,
                               bst__cost *ret) {
    bst_weights births = *weights;
    double *const weight = bst_arena_array(arena, machine->creation_count, sizeof *weight);
    if (!weight)
        return BST_NOMEM;
    for (uint32_t t = 0; t < machine->creation_count; t++) {
        const bool usual =
            machine->transitions[t].to == machine->initial || explains_start(question, t);
        weight[t] = usual ? 1 : RARE_BIRTH;
    }
    if (!births.weight || births.births_unknown)
        births.weight = weight;
    share(&births, 0, machine->creation_count, -1, penalty, ret);
    return BST_OK;
}

bst_status bst__costs_make(const bst_machine *machine, const bst_weights *weights,
                           const bst_question *question, bst_arena *arena, const bst__cost **ret) {
    static const bst_weights uniform = {.step_penalty = BST_STEP_PENALTY_DEFAULT};
    bst__cost *const costs = bst_arena_array(arena, machine->transition_count, sizeof *costs);
    if (!costs)
        return BST_NOMEM;
    if (!weights)
        weights = &uniform;
    const double penalty = weights->step_penalty > 0 && weights->step_penalty <= 1
                               ? weights->step_penalty
                               : BST_STEP_PENALTY_DEFAULT;
    if (share_births(machine, weights, question, penalty, arena, costs) != BST_OK)
        return BST_NOMEM;
    for (uint32_t s = 0; s < machine->state_count; s++) {
        const bst_state *const from = &machine->states[s];
        share(weights, from->first_transition, from->transition_count, stop_of(weights, from, s),
              penalty, costs);
    }
    *ret = costs;
    return BST_OK;
}
