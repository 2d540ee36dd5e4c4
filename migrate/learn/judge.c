/* How a belief about single steps does on what is held out, with each way to weigh whole histories
 * against them.
 *
 * For each part of the entities that is held out, the others are counted, and each choice is judged
 * by the logarithm of the probability it gives to the histories held out, each given its signature:
 *
 *     all(walk)           = max(times - discount, 0) + worth * p(walk)
 *     share(walk)         = all(walk) / the sum of that over the walks that are possible there
 *     rest                = rest_worth + each * how many walks there were with this signature
 *     p(walk | signature) = max(times with this signature - here.discount, 0) + rest * share(walk),
 *                           divided by the sum of that
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

#define LEAST 1e-300

const double bst__worths[BST__WORTHS] = {0.1, 0.3, 1,   3,   10,  30,  100,
                                         300, 1e3, 3e3, 1e4, 3e4, 1e5, 1e12};
const double bst__rests[BST__RESTS] = {0.3, 1, 3, 10, 30, 100, 300, 1e12};
const double bst__discounts[BST__DISCOUNTS] = {0, 0.25, 0.5, 0.75, 0.95};
/* what is discounted is lost, or goes to the rest, or the rest gets something without that */
const bst__here bst__heres[BST__HERES] = {{0, 0},       {0.25, 0},    {0.5, 0},   {0.75, 0},
                                          {0.95, 0},    {0.25, 0.25}, {0.5, 0.5}, {0.75, 0.75},
                                          {0.95, 0.95}, {0, 0.5},     {0, 1},     {0.5, 1}};

/* ---- one fold ---- */

static void count_fold(bst__fitter *f, uint32_t fold, const bst__belief *belief) {
    const bst_machine *const machine = f->learner->machine;
    for (uint32_t t = 0; t < machine->transition_count; t++)
        f->weight[t] = belief->smoothing;
    for (uint32_t s = 0; s < machine->state_count; s++)
        f->stop[s] = belief->smoothing;
    for (uint32_t w = 0; w < f->learner->walk_count; w++) {
        const bst__learn_walk *const walk = f->walks[w];
        const double times = f->seen[w].times = walk->total - walk->times[fold];
        for (uint32_t i = 0; i < walk->step_count; i++)
            f->weight[walk->transitions[i]] += times;
        f->stop[machine->transitions[walk->transitions[walk->step_count - 1]].to] += times;
    }
    if (f->context_states > 1)
        bst_contexts_weigh(&f->contexts, machine, f->weight, f->stop, f->learner->walk_count,
                           f->seen, belief->context_worth);
}

static bst__cost path_cost(const bst__graph *graph, const bst__costs *costs,
                           const bst__path *path) {
    bst__cost cost = costs->end[graph->edges[path->edges[path->count - 1]].to];
    for (uint32_t k = 0; k < path->count; k++)
        cost += costs->step[path->edges[k]];
    return cost;
}

/* What single steps say of one signature: p[i] of each path, *ret_all of all walks together. */
static bst_status weigh(const bst__fitter *f, const bst__learn_class *class,
                        const bst_weights *weights, double *p, double *ret_all) {
    bst_arena *const scratch = f->learner->scratch;
    const bst_question question = bst__learn_question(class);
    const bst__cost *distance;
    bst__costs costs;
    bst__chain chain;
    bst_status status =
        bst__costs_make(&class->rules, &class->graph, weights, &question, scratch, &costs);
    if (status == BST_OK)
        status = bst__distances(&class->graph, &costs, scratch, &distance);
    if (status == BST_OK)
        status = bst__chain_make(&class->graph, &costs, distance, scratch, &chain);
    if (status != BST_OK)
        return status;
    *ret_all = chain.total * exp(-(double)distance[0] * BST__COST_UNIT);
    for (uint32_t i = 0; i < class->path_count; i++)
        p[i] = exp(-(double)path_cost(&class->graph, &costs, &class->paths[i]) * BST__COST_UNIT);
    return BST_OK;
}

/* ---- one signature ---- */

/* A signature while it is judged, one fold held out. */
typedef struct bench {
    const bst__fitter *f;
    const bst__learn_class *class;
    uint32_t fold;
    const double *p; /* of each path */
    double all;      /* of all walks */
    double seen[BST__DISCOUNTS];
    double here[BST__HERES], different; /* with this signature */
} bench;

static double left_of(double times, double discount) {
    return fmax(times - discount, 0);
}

static double walk_left(const bench *b, uint32_t path, double discount) {
    const bst__learn_walk *const walk = b->f->walks[b->class->path_walks[path]];
    return left_of(walk->total - walk->times[b->fold], discount);
}

static double times_else(const bench *b, const bst__learn_cell *cell) {
    double sum = 0;
    for (uint32_t fold = 0; fold < BST__FOLDS; fold++)
        sum += fold == b->fold ? 0 : cell->times[fold];
    return sum;
}

static uint32_t path_of(const bst__learn_class *class, const bst__learn_cell *cell) {
    for (uint32_t i = 0; i < class->path_count; i++) {
        if (class->path_walks[i] == cell->key[1])
            return i;
    }
    return BST_NONE; /* the columns contradict the log */
}

static void judge_share(const bench *b, const bst__learn_cell *cell, double share, size_t w,
                        size_t d, bst__scores *sum) {
    const double times = times_else(b, cell);
    for (size_t r = sum->here ? 0 : BST__RESTS - 1; r < BST__RESTS; r++) {
        for (size_t h = 0; h < (sum->here ? BST__HERES : 1); h++) {
            const double rest = bst__rests[r] + bst__heres[h].each * b->different;
            const double own = left_of(times, bst__heres[h].discount);
            const double sure = b->here[h] > 0 ? (own + rest * share) / (b->here[h] + rest) : share;
            sum->of[w][d][r][h][b->fold] += cell->times[b->fold] * log(fmax(sure, LEAST));
        }
    }
}

static void judge_cell(const bench *b, const bst__learn_cell *cell, uint32_t path,
                       bst__scores *sum) {
    for (size_t d = 0; d < BST__DISCOUNTS; d++) {
        const double left = walk_left(b, path, bst__discounts[d]);
        for (size_t w = 0; w < BST__WORTHS; w++) {
            const double share =
                (left + bst__worths[w] * b->p[path]) / (b->seen[d] + bst__worths[w] * b->all);
            judge_share(b, cell, share, w, d, sum);
        }
    }
}

static void sum_up(bench *b, uint32_t first, uint32_t end) {
    for (size_t d = 0; d < BST__DISCOUNTS; d++) {
        for (uint32_t i = 0; i < b->class->path_count; i++)
            b->seen[d] += walk_left(b, i, bst__discounts[d]);
    }
    for (uint32_t c = first; c < end; c++) {
        const double times = times_else(b, b->f->cells[c]);
        if (path_of(b->class, b->f->cells[c]) == BST_NONE)
            continue;
        b->different += times > 0;
        for (size_t h = 0; h < BST__HERES; h++)
            b->here[h] += left_of(times, bst__heres[h].discount);
    }
}

static void judge_class(bench *b, bst__scores *sum) {
    const bst__fitter *const f = b->f;
    const uint32_t first = f->first_cell[b->class->number];
    const uint32_t end = f->first_cell[b->class->number + 1];
    sum_up(b, first, end);
    for (uint32_t c = first; c < end; c++) {
        const uint32_t path = path_of(b->class, f->cells[c]);
        if (f->cells[c]->times[b->fold] > 0 && path != BST_NONE)
            judge_cell(b, f->cells[c], path, sum);
    }
}

/* ---- all ---- */

void bst__believe(bst__fitter *f, const bst__belief *belief, uint32_t fold, bst_weights *ret) {
    *ret = (bst_weights){.step_penalty = belief->step_penalty,
                         .loop_penalty = belief->loop_penalty,
                         .leads_back = f->leads_back};
    if (belief->learned) {
        ret->weight = f->weight;
        ret->stop = f->stop;
    }
    count_fold(f, fold, belief);
}

bst_status bst__judge_paths(bst__fitter *f, const bst_weights *weights, const bst__way *way,
                            uint32_t class, uint32_t fold, double *ret) {
    bench b = {.f = f, .class = f->classes[class], .fold = fold, .p = ret};
    const uint32_t first = f->first_cell[class], end = f->first_cell[class + 1];
    const bst_status status = weigh(f, b.class, weights, ret, &b.all);
    if (status != BST_OK || !(b.all > 0))
        return status == BST_OK ? BST_LIMIT : status;
    sum_up(&b, first, end);
    const double worth = bst__worths[way->worth], here = b.here[way->here];
    const double rest = bst__rests[way->rest] + bst__heres[way->here].each * b.different;
    for (uint32_t i = 0; i < b.class->path_count; i++) {
        const double left = walk_left(&b, i, bst__discounts[way->discount]);
        ret[i] = (left + worth * ret[i]) / (b.seen[way->discount] + worth * b.all);
        ret[i] *= here > 0 ? rest / (here + rest) : 1;
    }
    for (uint32_t c = first; c < end && here > 0; c++) {
        const uint32_t path = path_of(b.class, f->cells[c]);
        if (path != BST_NONE)
            ret[path] += left_of(times_else(&b, f->cells[c]), bst__heres[way->here].discount) /
                         (here + rest);
    }
    return BST_OK;
}

static bst_status judge_fold(bst__fitter *f, const bst_weights *weights, uint32_t fold,
                             bst__scores *ret) {
    for (uint32_t c = 0; c < f->learner->class_count; c++) {
        bench b = {.f = f, .class = f->classes[c], .fold = fold};
        bst_arena_clear(f->learner->scratch);
        double *const p = bst_arena_array(f->learner->scratch, b.class->path_count, sizeof *p);
        if (!p)
            return BST_NOMEM;
        if (!b.class->arena || !(bst__fitter_tested(f, c, fold) > 0))
            continue;
        b.p = p;
        const bst_status status = weigh(f, b.class, weights, p, &b.all);
        if (status == BST_NOMEM)
            return status;
        if (status == BST_OK && b.all > 0)
            judge_class(&b, ret);
    }
    return BST_OK;
}

bst_status bst__judge(bst__fitter *f, const bst__belief *belief, bool here, bst__scores *ret) {
    bst_weights weights;
    bst_status status = BST_OK;
    memset(ret, 0, sizeof *ret);
    ret->here = here;
    for (uint32_t fold = 0; fold < BST__FOLDS && status == BST_OK; fold++) {
        bst__believe(f, belief, fold, &weights);
        status = judge_fold(f, &weights, fold, ret);
    }
    return status;
}
