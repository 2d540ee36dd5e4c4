/* From weights to costs.
 *
 *     p(t | s) = weight[t] / (the weights of all transitions of s + stop[s])
 *     p(walk)  = p(creation among creations) * p(t1 | s1) * ... * stop share of the end state
 *                * step_penalty for each step * loop_penalty for each that leads back
 *
 * where a context stands for the state s if there are any (contexts.c).
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
    const uint8_t *back;  /* of each step; NULL: none leads back */
} menu;

/* The cost of each step, and after them that of the end. */
static void share(const menu *m, double penalty, double loop_penalty, bst__cost *ret) {
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
        ret[i] = cost_of(fmax(weight_of(m->weight, i) / most, FLOOR) / sum,
                         m->back && m->back[i] ? penalty * loop_penalty : penalty);
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
    const bst__rules *rules;
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    bst_arena *arena;
    double penalty, loop_penalty;
    uint32_t count;    /* of states, or of contexts */
    bst__cost **known; /* of each, and of what is not created yet */
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
    const double rare = m->weights->rare_birth;
    for (uint32_t t = 0; weight && t < m->machine->creation_count; t++) {
        const bool usual =
            m->machine->transitions[t].to == m->machine->initial || explains_start(m->question, t);
        weight[t] = usual ? 1 : rare > 0 ? rare : BST_RARE_BIRTH_DEFAULT;
    }
    return weight;
}

static bool menu_of_births(const maker *m, menu *ret) {
    const double *const weight = m->weights->weight;
    const bool known = weight && !m->weights->births_unknown;
    *ret = (menu){m->machine->creation_count, known ? weight : usual_births(m), -1, NULL};
    return ret->weight != NULL;
}

static menu menu_of_state(const maker *m, uint32_t state) {
    const bst_state *const of = &m->machine->states[state];
    const uint8_t *const back = m->weights->leads_back;
    const double *weight = m->weights->weight;
    weight = weight ? weight + of->first_transition : NULL;
    const double stop =
        m->weights->stop ? sane(m->weights->stop[state]) : mean_of(weight, of->transition_count);
    return (menu){of->transition_count, weight, stop, back ? back + of->first_transition : NULL};
}

static menu menu_of_context(const maker *m, uint32_t context) {
    const bst_contexts *const all = m->rules->contexts;
    menu made = menu_of_state(m, all->state[context]);
    made.weight = all->weight + all->first[context];
    made.stop = all->stop[context];
    return made;
}

/* What steps cost from this node, and after them the end; made when it is first asked for. */
static const bst__cost *costs_of(maker *m, const uint32_t *row) {
    const uint32_t number = row[m->rules->contexts ? m->rules->stride - 1 : BST__ROW_STATE];
    bst__cost **const known = &m->known[number == BST_NONE ? m->count : number];
    menu of;
    if (*known)
        return *known;
    if (number == BST_NONE) {
        if (!menu_of_births(m, &of))
            return NULL;
    } else {
        of = m->rules->contexts ? menu_of_context(m, number) : menu_of_state(m, number);
    }
    bst__cost *const made = bst_arena_array(m->arena, (size_t)of.count + 1, sizeof *made);
    if (made)
        share(&of, m->penalty, m->loop_penalty, made);
    return *known = made;
}

static double penalty_of(double given, double otherwise) {
    return given > 0 && given <= 1 ? given : otherwise;
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
    bst__cost *const step = bst_arena_array(arena, graph->edge_count, sizeof *step);
    bst__cost *const end = bst_arena_array(arena, graph->node_count, sizeof *end);
    maker m = {.rules = rules, .machine = rules->machine, .question = question, .arena = arena};
    m.weights = weights ? weights : &uniform;
    m.penalty = penalty_of(m.weights->step_penalty, BST_STEP_PENALTY_DEFAULT);
    m.loop_penalty = penalty_of(m.weights->loop_penalty, 1);
    m.count = rules->contexts ? rules->contexts->count : rules->machine->state_count;
    m.known = bst_arena_array(arena, (size_t)m.count + 1, sizeof(bst__cost *));
    if (!step || !end || !m.known)
        return BST_NOMEM;
    *ret = (bst__costs){step, end};
    return fill(&m, graph, step, end);
}
