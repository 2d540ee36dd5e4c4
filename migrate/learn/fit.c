/* What to believe of the counts.
 *
 * Each signature's graph of possible walks is made once; it does not depend on weights. Then, for
 * each part of the entities that is held out, the others are counted, and every choice is judged by
 * the logarithm of the probability it gives to the histories held out, each given its signature:
 *
 *     all(walk)           = max(times - discount, 0) + steps_worth * p(walk)
 *     share(walk)         = all(walk) / the sum of that over the walks that are possible there
 *     p(walk | signature) = max(times with this signature - here_discount, 0)
 *                           + rest_worth * share(walk), divided by the sum of that
 *
 * The choices: smoothing of single steps and the penalty of a step first, then the worths and the
 * discounts. The first of the best is taken; the order is fixed.
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

#define LEAST 1e-300

static const double smoothings[] = {1, 0.1, 0.01};
static const double penalties[] = {1, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01};
/* the last: single steps alone */
static const double worths[] = {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 1e12};
/* the last: the signature alone says nothing */
static const double rests[] = {0.3, 1, 3, 10, 30, 100, 300, 1e12};
static const double discounts[] = {0, 0.25, 0.5, 0.75, 0.95};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORTHS       COUNT(worths)
#define RESTS        COUNT(rests)
#define DISCOUNTS    COUNT(discounts)

/* The sums of one smoothing and penalty. */
typedef struct scores {
    bool here; /* whether signatures are asked; else the last of `rests` alone is */
    double of[WORTHS][DISCOUNTS][RESTS][DISCOUNTS];
} scores;

typedef struct fitter {
    bst__learner *learner;
    bst__learn_class **classes; /* by number */
    bst__learn_walk **walks;
    bst__learn_cell **cells; /* by class */
    uint32_t *first_cell;    /* [class_count + 1] */
    bst_seen_walk *seen;     /* the walks, once each */
    double *weight, *stop;   /* of the fold at hand */
} fitter;

/* ---- graphs ---- */

/* Which of the walks seen are possible there. */
static bst_status find_paths(fitter *f, bst__learn_class *class) {
    const bst_weights weights = {.seen_count = f->learner->walk_count, .seen = f->seen};
    bst__seen seen;
    const bst_status status =
        bst__seen_make(&class->rules, &class->graph, NULL, &weights, class->arena, &seen);
    class->path_count = seen.count;
    class->path_walks = seen.numbers;
    class->paths = seen.paths;
    return status;
}

static bst_status make_graphs(fitter *f) {
    bst_status status = BST_OK;
    for (uint32_t c = 0; c < f->learner->class_count && status == BST_OK; c++) {
        bst__learn_class *const class = f->classes[c];
        status = bst__learn_graph(f->learner, class);
        if (status == BST_OK && class->arena && bst__graph_single_path(&class->graph))
            class->arena = bst_arena_free(class->arena);
        if (status == BST_OK && class->arena)
            status = find_paths(f, class);
    }
    return status;
}

/* ---- the tables by number ---- */

static bool index_tables(fitter *f) {
    bst__learner *const learner = f->learner;
    const uint32_t cells = HASH_COUNT(learner->cells);
    bst_arena *const arena = learner->arena;
    f->classes = bst_arena_array(arena, learner->class_count, sizeof(bst__learn_class *));
    f->walks = bst_arena_array(arena, learner->walk_count, sizeof(bst__learn_walk *));
    f->cells = bst_arena_array(arena, cells, sizeof(bst__learn_cell *));
    f->first_cell = bst_arena_array(arena, (size_t)learner->class_count + 2, sizeof *f->first_cell);
    f->weight = bst_arena_array(arena, learner->machine->transition_count, sizeof *f->weight);
    f->stop = bst_arena_array(arena, learner->machine->state_count, sizeof *f->stop);
    f->seen = bst_arena_array(arena, learner->walk_count, sizeof *f->seen);
    if (!f->seen || !f->classes || !f->walks || !f->cells || !f->first_cell || !f->weight ||
        !f->stop)
        return false;
    for (bst__learn_class *class = learner->classes; class; class = class->hh.next)
        f->classes[class->number] = class;
    for (bst__learn_walk *walk = learner->walks; walk; walk = walk->hh.next)
        f->walks[walk->number] = walk;
    for (uint32_t w = 0; w < learner->walk_count; w++)
        f->seen[w] = (bst_seen_walk){1, f->walks[w]->step_count, f->walks[w]->transitions};
    for (bst__learn_cell *cell = learner->cells; cell; cell = cell->hh.next)
        f->first_cell[cell->key[0] + 2]++;
    for (uint32_t c = 0; c < learner->class_count; c++)
        f->first_cell[c + 2] += f->first_cell[c + 1];
    for (bst__learn_cell *cell = learner->cells; cell; cell = cell->hh.next)
        f->cells[f->first_cell[cell->key[0] + 1]++] = cell;
    return true;
}

/* ---- one fold ---- */

static void count_fold(fitter *f, uint32_t fold, double smoothing) {
    const bst_machine *const machine = f->learner->machine;
    for (uint32_t t = 0; t < machine->transition_count; t++)
        f->weight[t] = smoothing;
    for (uint32_t s = 0; s < machine->state_count; s++)
        f->stop[s] = smoothing;
    for (uint32_t w = 0; w < f->learner->walk_count; w++) {
        const bst__learn_walk *const walk = f->walks[w];
        const double times = walk->total - walk->times[fold];
        for (uint32_t i = 0; i < walk->step_count; i++)
            f->weight[walk->transitions[i]] += times;
        f->stop[machine->transitions[walk->transitions[walk->step_count - 1]].to] += times;
    }
}

static double tested_in(const fitter *f, uint32_t class, uint32_t fold) {
    double sum = 0;
    for (uint32_t i = f->first_cell[class]; i < f->first_cell[class + 1]; i++)
        sum += f->cells[i]->times[fold];
    return sum;
}

static bst__cost path_cost(const bst__graph *graph, const bst__costs *costs,
                           const bst__path *path) {
    bst__cost cost = costs->end[graph->edges[path->edges[path->count - 1]].to];
    for (uint32_t k = 0; k < path->count; k++)
        cost += costs->step[path->edges[k]];
    return cost;
}

/* What single steps say of one signature: p[i] of each path, *ret_all of all walks together. */
static bst_status weigh(fitter *f, const bst__learn_class *class, const bst_weights *weights,
                        double *p, double *ret_all) {
    bst_arena *const scratch = f->learner->scratch;
    const bst_question question = bst__learn_question(class);
    bst__costs costs;
    const bst__cost *distance;
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

static double left_of(double times, double discount) {
    return fmax(times - discount, 0);
}

static double sum_of(const bst__learn_cell *cell) {
    double sum = 0;
    for (uint32_t fold = 0; fold < BST__FOLDS; fold++)
        sum += cell->times[fold];
    return sum;
}

/* A signature while it is judged, one fold held out. */
typedef struct bench {
    const fitter *f;
    const bst__learn_class *class;
    uint32_t fold;
    const double *p; /* of each path */
    double all;      /* of all walks */
    double seen[DISCOUNTS], here[DISCOUNTS];
} bench;

static double walk_left(const bench *b, uint32_t path, double discount) {
    const bst__learn_walk *const walk = b->f->walks[b->class->path_walks[path]];
    return left_of(walk->total - walk->times[b->fold], discount);
}

static double cell_left(const bench *b, const bst__learn_cell *cell, double discount) {
    return left_of(sum_of(cell) - cell->times[b->fold], discount);
}

static uint32_t path_of(const bst__learn_class *class, const bst__learn_cell *cell) {
    for (uint32_t i = 0; i < class->path_count; i++) {
        if (class->path_walks[i] == cell->key[1])
            return i;
    }
    return BST_NONE; /* the columns contradict the log */
}

static void judge_cell(const bench *b, const bst__learn_cell *cell, uint32_t path, scores *sum) {
    for (size_t d = 0; d < DISCOUNTS; d++) {
        const double left = walk_left(b, path, discounts[d]);
        for (size_t w = 0; w < WORTHS; w++) {
            const double share =
                (left + worths[w] * b->p[path]) / (b->seen[d] + worths[w] * b->all);
            for (size_t r = sum->here ? 0 : RESTS - 1; r < RESTS; r++) {
                for (size_t h = 0; h < (sum->here ? DISCOUNTS : 1); h++) {
                    const double here = b->here[h];
                    const double own = cell_left(b, cell, discounts[h]);
                    const double sure =
                        here > 0 ? (own + rests[r] * share) / (here + rests[r]) : share;
                    sum->of[w][d][r][h] += cell->times[b->fold] * log(fmax(sure, LEAST));
                }
            }
        }
    }
}

static void judge(const fitter *f, const bst__learn_class *class, uint32_t fold, const double *p,
                  double all, scores *sum) {
    bench b = {.f = f, .class = class, .fold = fold, .p = p, .all = all};
    const uint32_t first = f->first_cell[class->number], end = f->first_cell[class->number + 1];
    for (size_t d = 0; d < DISCOUNTS; d++) {
        for (uint32_t i = 0; i < class->path_count; i++)
            b.seen[d] += walk_left(&b, i, discounts[d]);
        for (uint32_t c = first; c < end; c++) {
            if (path_of(class, f->cells[c]) != BST_NONE)
                b.here[d] += cell_left(&b, f->cells[c], discounts[d]);
        }
    }
    for (uint32_t c = first; c < end; c++) {
        const uint32_t path = path_of(class, f->cells[c]);
        if (f->cells[c]->times[fold] > 0 && path != BST_NONE)
            judge_cell(&b, f->cells[c], path, sum);
    }
}

/* Adds up all folds. `weights->weight` NULL: as without learning. */
static bst_status judge_all(fitter *f, double smoothing, double penalty, bool learned, bool here,
                            scores *ret) {
    const bst_weights by_count = {.weight = f->weight, .stop = f->stop, .step_penalty = penalty};
    const bst_weights plain = {.step_penalty = penalty};
    *ret = (scores){.here = here};
    for (uint32_t fold = 0; fold < BST__FOLDS; fold++) {
        count_fold(f, fold, smoothing);
        for (uint32_t c = 0; c < f->learner->class_count; c++) {
            const bst__learn_class *const class = f->classes[c];
            double all;
            bst_arena_clear(f->learner->scratch);
            double *const p = bst_arena_array(f->learner->scratch, class->path_count, sizeof *p);
            if (!p)
                return BST_NOMEM;
            if (!class->arena || !(tested_in(f, c, fold) > 0))
                continue;
            const bst_status status = weigh(f, class, learned ? &by_count : &plain, p, &all);
            if (status == BST_NOMEM)
                return status;
            if (status == BST_OK && all > 0)
                judge(f, class, fold, p, all, ret);
        }
    }
    return BST_OK;
}

/* Smoothing and penalty, by single steps and whole histories. */
static bst_status choose_steps(fitter *f, scores *sum) {
    bst_learn_figures *const figures = &f->learner->figures;
    double best = -INFINITY;
    figures->fit_steps = -INFINITY;
    for (size_t s = 0; s < COUNT(smoothings); s++) {
        for (size_t p = 0; p < COUNT(penalties); p++) {
            const bst_status status = judge_all(f, smoothings[s], penalties[p], true, false, sum);
            if (status != BST_OK)
                return status;
            figures->fit_steps = fmax(figures->fit_steps, sum->of[WORTHS - 1][0][RESTS - 1][0]);
            for (size_t i = 0; i < WORTHS * DISCOUNTS; i++) {
                const double fit = sum->of[i / DISCOUNTS][i % DISCOUNTS][RESTS - 1][0];
                if (!(fit > best))
                    continue;
                best = fit;
                figures->smoothing = smoothings[s];
                figures->step_penalty = penalties[p];
            }
        }
    }
    return BST_OK;
}

/* All the rest, given these. What leans on less goes first: it wins ties. */
static bst_status choose_worths(fitter *f, scores *sum) {
    bst_learn_figures *const figures = &f->learner->figures;
    const bst_status status =
        judge_all(f, figures->smoothing, figures->step_penalty, true, true, sum);
    figures->fit = -INFINITY;
    for (size_t w = WORTHS; w-- > 0 && status == BST_OK;) {
        for (size_t r = RESTS; r-- > 0;) {
            for (size_t i = 0; i < DISCOUNTS * DISCOUNTS; i++) {
                const double fit = sum->of[w][i / DISCOUNTS][r][i % DISCOUNTS];
                if (!(fit > figures->fit))
                    continue;
                figures->fit = fit;
                figures->steps_worth = worths[w];
                figures->rest_worth = rests[r];
                figures->discount = discounts[i / DISCOUNTS];
                figures->here_discount = discounts[i % DISCOUNTS];
            }
        }
    }
    return status;
}

static uint64_t count_tested(const fitter *f) {
    double sum = 0;
    for (uint32_t c = 0; c < f->learner->class_count; c++) {
        for (uint32_t fold = 0; fold < BST__FOLDS && f->classes[c]->arena; fold++)
            sum += tested_in(f, c, fold);
    }
    return (uint64_t)sum;
}

bst_status bst__learn_fit(bst__learner *learner) {
    fitter f = {.learner = learner};
    bst_learn_figures *const figures = &learner->figures;
    /* every row's history may be certain anyway: then nothing can be chosen */
    figures->smoothing = smoothings[0];
    figures->step_penalty = BST_STEP_PENALTY_DEFAULT;
    figures->steps_worth = figures->rest_worth = 1;
    scores *const sum = bst_arena_alloc(learner->arena, sizeof *sum);
    if (!sum || !index_tables(&f))
        return BST_NOMEM;
    bst_status status = make_graphs(&f);
    figures->tested = count_tested(&f);
    if (status != BST_OK || figures->tested == 0)
        return status;
    status = choose_steps(&f, sum);
    if (status == BST_OK)
        status = choose_worths(&f, sum);
    if (status == BST_OK)
        status = judge_all(&f, 1, BST_STEP_PENALTY_DEFAULT, false, false, sum);
    figures->fit /= (double)figures->tested;
    figures->fit_steps /= (double)figures->tested;
    figures->fit_plain = sum->of[WORTHS - 1][0][RESTS - 1][0] / (double)figures->tested;
    return status;
}
