/* Without a log: how probable steps are, from what all rows say together, by
 * expectation-maximisation (Dempster, Laird, Rubin 1977). How often a step is expected in the rows,
 * given their evidence and the weights so far, is its next weight, until the rows' evidence gets no
 * more probable by it.
 *
 * Rows alone cannot tell two ways apart that leave the same traces, and least of all whether
 * something was repeated: a chain of single steps sees "a before b" in some rows and "b before a"
 * in others, and makes a loop of it. So plainer histories go before more probable ones here: each
 * step has a penalty besides, which is a prior. It cannot be learned: what makes the evidence held
 * out most probable is no penalty at all, and chooses much worse histories, just because they
 * differ in what leaves no trace. Of births rows say little: their weights stay what they are
 * without learning.
 *
 * What rows do tell is tried: smoothing (each step counts as seen so many times more than it was:
 * Laplace) and how rare unusual births are. A part of the rows is held out, the rest is learned
 * from, and what is best is what gives the evidence held out the greatest probability,
 *
 *     p(evidence) = the sum of p(walk) over the walks that agree, by that over all walks.
 *
 * Of those that do no worse than the best, so far as the rows can tell (one standard error of the
 * difference), the first in the lists below is taken; and where what was learned does no better
 * than nothing learned, nothing is.
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

#define PARTS      2u /* of the folds, are held out in turn */
#define ROUNDS_MAX 50
#define SETTLED    1e-4 /* gain of a round in log likelihood, by row */

#define PENALTY 0.05

static const double smoothings[] = {1, 10, 0.1, 0.01};
static const double rare_births[] = {BST_RARE_BIRTH_DEFAULT, 0.1, 0.001};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is tried, and the logarithm of the probability of the evidence of each class, each part held
 * out. */
typedef struct guess {
    bool learned; /* false: all steps alike */
    double penalty, smoothing, rare_birth;
    double *fit; /* [PARTS * class_count] */
    double sum;  /* over the rows */
} guess;

typedef struct estimator {
    bst__learner *learner;
    const bst_machine *machine;
    bst__graph all; /* of all walks, wherever they end */
    bst__rules rules;
    double *weight, *stop;
    bst_weights weights; /* of this round: at first none */
    uint32_t part;       /* held out; PARTS: none */
} estimator;

/* ---- sums over walks ---- */

/* The logarithm of the mass of all paths of the graph. BST_LIMIT: it is out of range. */
static bst_status mass_of(const estimator *e, const bst__rules *rules, const bst__graph *graph,
                          const bst_question *question, bst__chain *ret_chain, double *ret) {
    bst_arena *const scratch = e->learner->scratch;
    const bst__cost *distance;
    bst__costs costs;
    bst_arena_clear(scratch);
    bst_status status = bst__costs_make(rules, graph, &e->weights, question, scratch, &costs);
    if (status == BST_OK)
        status = bst__distances(graph, &costs, scratch, &distance);
    if (status == BST_OK)
        status = bst__chain_make(graph, &costs, distance, scratch, ret_chain);
    if (status == BST_OK)
        *ret = log(ret_chain->total) - (double)distance[0] * BST__COST_UNIT;
    return status;
}

static bst_status mass_of_class(const estimator *e, const bst__learn_class *class,
                                bst__chain *ret_chain, double *ret) {
    const bst_question question = bst__learn_question(class);
    return mass_of(e, &class->rules, &class->graph, &question, ret_chain, ret);
}

/* The machine itself as a graph where every walk may end. */
static bst_status make_all(estimator *e) {
    const bst_machine *const machine = e->machine;
    const uint32_t nodes = machine->state_count + 1;
    bst_arena *const arena = e->learner->arena;
    const bst_question question = {.state = 0};
    uint32_t *const rows = bst_arena_array(arena, (size_t)nodes * BST__ROW_MET, sizeof *rows);
    uint32_t *const first = bst_arena_array(arena, (size_t)nodes + 1, sizeof *first);
    uint8_t *const accepting = bst_arena_array(arena, nodes, sizeof *accepting);
    bst__edge *const edges = bst_arena_array(arena, machine->transition_count, sizeof *edges);
    bst_status status = rows && first && accepting && edges ? BST_OK : BST_NOMEM;
    if (status == BST_OK)
        status = bst__rules_make(machine, &question, NULL, arena, &e->rules);
    if (status != BST_OK)
        return status;
    /* transitions stand by their state, creations first */
    for (uint32_t n = 0; n < nodes; n++) {
        rows[n * BST__ROW_MET + BST__ROW_STATE] = n == 0 ? BST_NONE : n - 1;
        first[n] = n == 0 ? 0 : machine->states[n - 1].first_transition;
        accepting[n] = n > 0;
    }
    first[nodes] = machine->transition_count;
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        const uint32_t from = machine->transitions[t].from;
        edges[t] = (bst__edge){from == BST_NONE ? 0 : from + 1, machine->transitions[t].to + 1, t};
    }
    const bst__reached reached = {
        nodes, machine->transition_count, BST__ROW_MET, rows, first, edges, accepting};
    return bst__graph_make(&e->rules, &reached, arena, &e->all);
}

/* ---- expectation-maximisation ---- */

static double rows_of(const estimator *e, const bst__learn_class *class) {
    return class->rows - (e->part < PARTS ? class->rows_in[e->part] : 0);
}

/* Adds how often the rows of a signature take each step. */
static bst_status expect(const estimator *e, const bst__learn_class *class, double *fit) {
    const double rows = rows_of(e, class);
    bst__chain chain;
    double mass;
    const bst_status status = mass_of_class(e, class, &chain, &mass);
    if (status != BST_OK)
        return status == BST_LIMIT ? BST_OK : status;
    *fit += rows * mass;
    for (uint32_t i = 0; i < class->graph.edge_count; i++) {
        const bst__edge *const edge = &class->graph.edges[i];
        e->learner->counts[edge->transition] += rows * chain.visits[edge->from] * chain.share[i];
    }
    return BST_OK;
}

static bst_status round_of(estimator *e, double smoothing, double *ret_fit) {
    bst__learner *const learner = e->learner;
    bst_status status = BST_OK;
    *ret_fit = 0;
    memset(learner->counts, 0, e->machine->transition_count * sizeof *learner->counts);
    for (bst__learn_class *c = learner->classes; c && status == BST_OK; c = c->hh.next) {
        if (c->arena && rows_of(e, c) > 0)
            status = expect(e, c, ret_fit);
    }
    for (uint32_t t = 0; t < e->machine->transition_count; t++)
        e->weight[t] = learner->counts[t] + smoothing;
    e->weights.weight = e->weight;
    e->weights.stop = e->stop;
    return status;
}

static bst_status estimate(estimator *e, const guess *by) {
    bst__learner *const learner = e->learner;
    double before = -INFINITY, fit = 0, rows = 0;
    bst_status status = BST_OK;
    e->weights = (bst_weights){.step_penalty = by->penalty, .births_unknown = true};
    e->weights.rare_birth = by->rare_birth;
    memset(learner->stops, 0, e->machine->state_count * sizeof *learner->stops);
    memset(learner->counts, 0, e->machine->transition_count * sizeof *learner->counts);
    if (!by->learned)
        return BST_OK;
    for (bst__learn_class *c = learner->classes; c; c = c->hh.next) {
        learner->stops[c->state] += c->arena ? rows_of(e, c) : 0;
        rows += c->arena ? rows_of(e, c) : 0;
    }
    for (uint32_t s = 0; s < e->machine->state_count; s++)
        e->stop[s] = learner->stops[s] + by->smoothing;
    for (int round = 0; round < ROUNDS_MAX && status == BST_OK; round++) {
        status = round_of(e, by->smoothing, &fit);
        /* the first round had other stops: it is no measure */
        if (round > 1 && !(fit > before + SETTLED * rows))
            break;
        before = fit;
    }
    return status;
}

/* ---- which guess ---- */

static bst_status judge(estimator *e, guess *g) {
    const bst__learner *const learner = e->learner;
    bst_status status = BST_OK;
    bst__chain chain;
    double all = 0, mass = 0;
    g->fit = bst_arena_array(learner->arena, (size_t)PARTS * learner->class_count, sizeof *g->fit);
    g->sum = 0;
    if (!g->fit)
        return BST_NOMEM;
    for (e->part = 0; e->part < PARTS && status == BST_OK; e->part++) {
        status = estimate(e, g);
        if (status == BST_OK)
            status = mass_of(e, &e->rules, &e->all, &(bst_question){.state = 0}, &chain, &all);
        for (bst__learn_class *c = learner->classes; c && status == BST_OK; c = c->hh.next) {
            if (!c->arena || !(c->rows_in[e->part] > 0))
                continue;
            status = mass_of_class(e, c, &chain, &mass);
            if (status == BST_OK) {
                g->fit[e->part * learner->class_count + c->number] = mass - all;
                g->sum += c->rows_in[e->part] * (mass - all);
            }
        }
    }
    if (status == BST_LIMIT) /* out of range: it is not chosen */
        g->sum = -INFINITY;
    return status == BST_LIMIT ? BST_OK : status;
}

/* Can the rows held out not tell that it is worse? */
static bool as_good(const estimator *e, const guess *g, const guess *best) {
    const bst__learner *const learner = e->learner;
    const double gap = best->sum - g->sum;
    double squares = 0, rows = (double)learner->figures.tested;
    if (!isfinite(gap))
        return false;
    for (const bst__learn_class *c = learner->classes; c; c = c->hh.next) {
        for (uint32_t part = 0; part < PARTS && c->arena; part++) {
            const size_t i = part * learner->class_count + c->number;
            squares += c->rows_in[part] * pow(best->fit[i] - g->fit[i] - gap / rows, 2);
        }
    }
    return gap <= sqrt(squares);
}

static bst_status choose(estimator *e, guess *guesses, size_t count, guess *ret) {
    bst_status status = BST_OK;
    size_t best = 0, first = 0;
    for (size_t i = 0; i < count && status == BST_OK; i++) {
        status = judge(e, &guesses[i]);
        if (guesses[i].sum > guesses[best].sum)
            best = i;
    }
    while (status == BST_OK && first < best && !as_good(e, &guesses[first], &guesses[best]))
        first++;
    *ret = guesses[first];
    return status;
}

static bst_status choose_all(estimator *e, guess *ret) {
    guess guesses[COUNT(smoothings)], births[COUNT(rare_births)];
    for (size_t i = 0; i < COUNT(guesses); i++)
        guesses[i] = (guess){true, PENALTY, smoothings[i], rare_births[0], NULL, 0};
    const bst_status status = choose(e, guesses, COUNT(guesses), ret);
    for (size_t i = 0; i < COUNT(births); i++) {
        births[i] = *ret;
        births[i].rare_birth = rare_births[i];
    }
    return status == BST_OK ? choose(e, births, COUNT(births), ret) : status;
}

/* ---- all of it ---- */

static bst_status begin(estimator *e) {
    bst__learner *const learner = e->learner;
    e->weight = bst_arena_array(learner->arena, e->machine->transition_count, sizeof *e->weight);
    e->stop = bst_arena_array(learner->arena, e->machine->state_count, sizeof *e->stop);
    bst_status status = e->weight && e->stop ? make_all(e) : BST_NOMEM;
    double tested = 0;
    for (bst__learn_class *c = learner->classes; c && status == BST_OK; c = c->hh.next) {
        status = bst__learn_graph(learner, c, NULL);
        for (uint32_t part = 0; part < PARTS && c->arena; part++)
            tested += c->rows_in[part];
    }
    learner->figures.tested = (uint64_t)tested;
    return status;
}

bst_status bst__learn_em(bst__learner *learner) {
    estimator e = {.learner = learner, .machine = learner->machine};
    bst_learn_figures *const figures = &learner->figures;
    guess plain = {false, BST_STEP_PENALTY_DEFAULT, 1, BST_RARE_BIRTH_DEFAULT, NULL, 0};
    guess chosen = plain;
    bst_status status = begin(&e);
    if (status == BST_OK)
        status = judge(&e, &plain);
    if (status == BST_OK)
        status = choose_all(&e, &chosen);
    if (status == BST_OK && !(chosen.sum > plain.sum))
        chosen = plain;
    e.part = PARTS;
    if (status == BST_OK)
        status = estimate(&e, &chosen);
    figures->fit = chosen.sum / fmax((double)figures->tested, 1);
    figures->fit_plain = plain.sum / fmax((double)figures->tested, 1);
    figures->smoothing = chosen.smoothing;
    figures->step_penalty = chosen.penalty;
    figures->rare_birth = chosen.rare_birth;
    figures->loop_penalty = 1;
    return status;
}
