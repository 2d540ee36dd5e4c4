/* From weights to costs.
 *
 *     p(t | s) = weight[t] / (the weights of all transitions of s + stop[s])
 *     p(walk)  = p(creation among creations) * p(t1 | s1) * ... * stop share of the end state
 *                * step_penalty for each step
 *
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

static double weight_of(const double *weight, uint32_t i) {
    return weight ? sane(weight[i]) : 1;
}

static bst__cost cost_of(double probability, double penalty) {
    const double cost = -(log(probability) + log(penalty)) / BST__COST_UNIT;
    if (!(cost > (double)COST_MIN))
        return COST_MIN;
    return cost < (double)COST_MAX ? (bst__cost)llround(cost) : COST_MAX;
}

/* The steps of one state or context, of which one is taken, or none. */
typedef struct menu {
    uint32_t count;
    const double *weight; /* of each step; NULL: all the same */
    double stop;          /* negative: there is no such choice */
    double penalty;
} menu;

/* The cost of each step, and after them that of the end. */
static void share(const menu *m, bst__cost *ret) {
    double most = m->stop, sum = 0;
    for (uint32_t i = 0; i < m->count; i++)
        most = fmax(most, weight_of(m->weight, i));
    if (!(most > 0))
        most = 1;
    for (uint32_t i = 0; i < m->count; i++)
        sum += fmax(weight_of(m->weight, i) / most, FLOOR);
    if (m->stop >= 0)
        sum += fmax(m->stop / most, FLOOR);
    for (uint32_t i = 0; i < m->count; i++)
        ret[i] = cost_of(fmax(weight_of(m->weight, i) / most, FLOOR) / sum, m->penalty);
    ret[m->count] = cost_of(fmax(m->stop / most, FLOOR) / sum, 1);
}

/* Without stop weights: as probable as the average transition. */
static double mean_of(const double *weight, uint32_t count) {
    double mean = 0;
    for (uint32_t i = 0; i < count; i++)
        mean += weight_of(weight, i) / count;
    return count > 0 ? mean : 1;
}

typedef struct maker {
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    bst_arena *arena;
    double penalty;
    bst__cost **known; /* of each state, and of what is not created yet */
} maker;

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

/* Weights of creations where nobody gave any. */
static const double *usual_births(const maker *m) {
    double *const weight = bst_arena_array(m->arena, m->machine->creation_count, sizeof *weight);
    for (uint32_t t = 0; weight && t < m->machine->creation_count; t++) {
        const bool usual =
            m->machine->transitions[t].to == m->machine->initial || explains_start(m->question, t);
        weight[t] = usual ? 1 : RARE_BIRTH;
    }
    return weight;
}

static bool menu_of(const maker *m, uint32_t state, menu *ret) {
    const double *const weight = m->weights->weight;
    *ret = (menu){m->machine->creation_count, weight, -1, m->penalty};
    if (state == BST_NONE) {
        if (!weight || m->weights->births_unknown)
            ret->weight = usual_births(m);
        return ret->weight != NULL;
    }
    const bst_state *const of = &m->machine->states[state];
    ret->count = of->transition_count;
    ret->weight = weight ? weight + of->first_transition : NULL;
    ret->stop = m->weights->stop ? sane(m->weights->stop[state]) : mean_of(ret->weight, ret->count);
    return true;
}

/* What steps cost from this node, and after them the end; made when it is first asked for. */
static const bst__cost *costs_of(maker *m, const uint32_t *row) {
    const uint32_t state = row[BST__ROW_STATE];
    bst__cost **const known = &m->known[state == BST_NONE ? m->machine->state_count : state];
    menu of;
    if (*known)
        return *known;
    if (!menu_of(m, state, &of))
        return NULL;
    bst__cost *const made = bst_arena_array(m->arena, (size_t)of.count + 1, sizeof *made);
    if (made)
        share(&of, made);
    return *known = made;
}

static uint32_t first_of(const bst_machine *machine, uint32_t state) {
    return state == BST_NONE ? 0 : machine->states[state].first_transition;
}

static bst_status fill(maker *m, const bst__graph *graph, bst__cost *step, bst__cost *end) {
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const uint32_t *const row = bst__graph_row(graph, n);
        const uint32_t first = first_of(m->machine, row[BST__ROW_STATE]);
        const bst__cost *const costs = costs_of(m, row);
        if (!costs)
            return BST_NOMEM;
        for (uint32_t e = graph->out.first[n]; e < graph->out.first[n + 1]; e++)
            step[e] = costs[graph->edges[e].transition - first];
        if (graph->accepting[n])
            end[n] = costs[m->machine->states[row[BST__ROW_STATE]].transition_count];
    }
    return BST_OK;
}

bst_status bst__costs_make(const bst__rules *rules, const bst__graph *graph,
                           const bst_weights *weights, const bst_question *question,
                           bst_arena *arena, bst__costs *ret) {
    static const bst_weights uniform = {.step_penalty = BST_STEP_PENALTY_DEFAULT};
    maker m = {rules->machine, weights ? weights : &uniform, question, arena, 0, NULL};
    bst__cost *const step = bst_arena_array(arena, graph->edge_count, sizeof *step);
    bst__cost *const end = bst_arena_array(arena, graph->node_count, sizeof *end);
    const double penalty = m.weights->step_penalty;
    m.penalty = penalty > 0 && penalty <= 1 ? penalty : BST_STEP_PENALTY_DEFAULT;
    m.known = bst_arena_array(arena, (size_t)rules->machine->state_count + 1, sizeof(bst__cost *));
    if (!step || !end || !m.known)
        return BST_NOMEM;
    *ret = (bst__costs){step, end};
    return fill(&m, graph, step, end);
}
