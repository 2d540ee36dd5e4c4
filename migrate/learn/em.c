/* Without a log: how probable steps are, from what all rows say together, by
 * expectation-maximisation (Dempster, Laird, Rubin 1977). How often a step is expected in the rows,
 * given their evidence and the weights so far, is its next weight, until the rows' evidence gets no
 * more probable by it.
 *
 * Rows alone cannot tell two ways apart that leave the same traces, and least of all whether
 * something was repeated: a chain of single steps sees "a before b" in some rows and "b before a"
 * in others, and makes a loop of it. So plainer histories go before more probable ones here: the
 * penalty of a step is far below what a choice between steps is worth. And of births rows say
 * little: they stay what they are without learning. Each step counts as seen once more than it was
 * (Laplace).
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

#define PENALTY    0.05
#define LAPLACE    1.0
#define ROUNDS_MAX 50
#define SETTLED    1e-4 /* gain of a round in log likelihood, by row */

typedef struct estimator {
    bst__learner *learner;
    const bst_machine *machine;
    double *weight, *stop;
    bst_weights weights; /* of this round: at first none */
} estimator;

/* Adds how often the rows of a signature take each step, and the logarithm of how probable their
 * evidence is. */
static bst_status expect(const estimator *e, const bst__learn_class *class, double *fit) {
    bst_arena *const scratch = e->learner->scratch;
    const bst_question question = bst__learn_question(class);
    bst__costs costs;
    const bst__cost *distance;
    bst__chain chain;
    bst_arena_clear(scratch);
    bst_status status =
        bst__costs_make(&class->rules, &class->graph, &e->weights, &question, scratch, &costs);
    if (status == BST_OK)
        status = bst__distances(&class->graph, &costs, scratch, &distance);
    if (status == BST_OK)
        status = bst__chain_make(&class->graph, &costs, distance, scratch, &chain);
    if (status != BST_OK)
        return status == BST_LIMIT ? BST_OK : status;
    *fit += class->rows * (log(chain.total) - (double)distance[0] * BST__COST_UNIT);
    for (uint32_t i = 0; i < class->graph.edge_count; i++) {
        const bst__edge *const edge = &class->graph.edges[i];
        e->learner->counts[edge->transition] +=
            class->rows * chain.visits[edge->from] * chain.share[i];
    }
    return BST_OK;
}

static bst_status round_of(estimator *e, double *ret_fit) {
    bst__learner *const learner = e->learner;
    bst_status status = BST_OK;
    *ret_fit = 0;
    memset(learner->counts, 0, e->machine->transition_count * sizeof *learner->counts);
    for (bst__learn_class *c = learner->classes; c && status == BST_OK; c = c->hh.next) {
        if (c->arena)
            status = expect(e, c, ret_fit);
    }
    for (uint32_t t = 0; t < e->machine->transition_count; t++)
        e->weight[t] = learner->counts[t] + LAPLACE;
    e->weights.weight = e->weight;
    e->weights.stop = e->stop;
    return status;
}

bst_status bst__learn_em(bst__learner *learner) {
    estimator e = {.learner = learner, .machine = learner->machine};
    double before = -INFINITY, fit = 0, rows = 0;
    e.weights = (bst_weights){.step_penalty = PENALTY, .births_unknown = true};
    e.weight = bst_arena_array(learner->arena, e.machine->transition_count, sizeof *e.weight);
    e.stop = bst_arena_array(learner->arena, e.machine->state_count, sizeof *e.stop);
    bst_status status = e.weight && e.stop ? BST_OK : BST_NOMEM;
    for (bst__learn_class *c = learner->classes; c && status == BST_OK; c = c->hh.next) {
        status = bst__learn_graph(learner, c, NULL);
        if (c->arena) {
            learner->stops[c->state] += c->rows;
            rows += c->rows;
        }
    }
    for (uint32_t s = 0; s < e.machine->state_count && status == BST_OK; s++)
        e.stop[s] = learner->stops[s] + LAPLACE;
    for (int round = 0; round < ROUNDS_MAX && status == BST_OK; round++) {
        status = round_of(&e, &fit);
        /* the first round had other stops: it is no measure */
        if (round > 1 && !(fit > before + SETTLED * rows))
            break;
        before = fit;
    }
    learner->figures.smoothing = LAPLACE;
    learner->figures.step_penalty = PENALTY;
    learner->figures.loop_penalty = 1;
    return status;
}
