/* What to believe of the counts. Nothing of it is set by hand: what makes the histories held out
 * most probable is kept (judge.c), and what is more than single steps has to earn its place.
 *
 * First the smoothing of single steps and the penalty of a step. Then, one after the other, what
 * may be added to them: a penalty of steps that lead back, contexts of two, three, four states, and
 * how long it took. Each is kept when it makes the histories held out more probable by more than
 * the standard error of the gain, as the folds show it (the one-standard-error rule: Breiman et al.
 * 1984), and by enough to be noticed. The worths and discounts of whole histories are those that do
 * best with each. The first of the best is taken; the order is fixed.
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

static const double smoothings[] = {1, 0.1, 0.01};
static const double penalties[] = {1, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01};
static const double loop_penalties[] = {0.5, 0.2, 0.05, 0.01};
static const double context_worths[] = {1, 3, 10, 30, 100, 300};

#define GAIN_LEAST 1e-3 /* what is less is noticed by nobody */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The best way to weigh whole histories with a belief, and how each fold did by it. */
typedef struct outcome {
    bst__belief belief;
    uint32_t context_states;
    bst__way way;
    double span_worth; /* 0: none */
    bst_span_of span_of;
    double fold[BST__FOLDS], fit;
} outcome;

static double sum_of(const double *fold) {
    double sum = 0;
    for (uint32_t i = 0; i < BST__FOLDS; i++)
        sum += fold[i];
    return sum;
}

/* What leans on less goes first: it wins ties. */
static void find_best(const bst__scores *scores, outcome *ret) {
    ret->fit = -INFINITY;
    for (size_t w = BST__WORTHS; w-- > 0;) {
        for (size_t r = BST__RESTS; r-- > (scores->here ? 0 : BST__RESTS - 1);) {
            for (size_t d = 0; d < BST__DISCOUNTS; d++) {
                for (size_t h = 0; h < (scores->here ? BST__HERES : 1); h++) {
                    const double *const fold = scores->of[w][d][r][h];
                    if (!(sum_of(fold) > ret->fit))
                        continue;
                    ret->fit = sum_of(fold);
                    memcpy(ret->fold, fold, sizeof ret->fold);
                    ret->way = (bst__way){w, d, r, h};
                }
            }
        }
    }
}

typedef struct chooser {
    bst__fitter f;
    bst__scores *scores;
    outcome best;
} chooser;

static bst_status judge(chooser *c, const bst__belief *belief, bool here, outcome *ret) {
    const bst_status status = bst__judge(&c->f, belief, here, c->scores);
    ret->belief = *belief;
    ret->context_states = c->f.context_states;
    ret->span_worth = 0;
    if (status == BST_OK)
        find_best(c->scores, ret);
    return status;
}

/* Keeps the better one in `best`. */
static bst_status try(chooser *c, const bst__belief *belief, bool here, outcome *best) {
    outcome tried;
    const bst_status status = judge(c, belief, here, &tried);
    if (status == BST_OK && tried.fit > best->fit)
        *best = tried;
    return status;
}

/* Smoothing and penalty, by single steps and whole histories. */
static bst_status choose_steps(chooser *c) {
    bst_learn_figures *const figures = &c->f.learner->figures;
    const double *const steps_alone = c->scores->of[BST__WORTHS - 1][0][BST__RESTS - 1][0];
    bst_status status = BST_OK;
    outcome best = {.fit = -INFINITY};
    figures->fit_steps = -INFINITY;
    for (size_t i = 0; i < COUNT(smoothings) * COUNT(penalties) && status == BST_OK; i++) {
        const bst__belief belief = {true, smoothings[i / COUNT(penalties)],
                                    penalties[i % COUNT(penalties)], 1, 0};
        status = try(c, &belief, false, &best);
        figures->fit_steps = fmax(figures->fit_steps, sum_of(steps_alone));
    }
    return status == BST_OK ? judge(c, &best.belief, true, &c->best) : status;
}

/* ---- what may be added ---- */

/* Keeps what was tried, if it pays. */
static void weigh_up(chooser *c, const outcome *tried, bst_learn_try *ret) {
    double gain[BST__FOLDS], squares = 0;
    for (uint32_t i = 0; i < BST__FOLDS; i++)
        gain[i] = tried->fold[i] - c->best.fold[i];
    const double total = sum_of(gain), tested = (double)c->f.learner->figures.tested;
    for (uint32_t i = 0; i < BST__FOLDS; i++)
        squares += pow(gain[i] - total / BST__FOLDS, 2);
    const double error = sqrt(squares * BST__FOLDS / (BST__FOLDS - 1));
    ret->gain = total / tested;
    ret->error = error / tested;
    ret->kept = ret->gain > fmax(ret->error, GAIN_LEAST);
    if (ret->kept)
        c->best = *tried;
}

static bst_learn_try *new_try(chooser *c, bst_learn_try_kind kind, uint32_t states) {
    bst_learn_figures *const figures = &c->f.learner->figures;
    bst_learn_try *const new = &figures->tried[figures->tried_count++];
    *new = (bst_learn_try){.kind = kind, .states = states};
    return new;
}

/* A step penalty does something of the same: so it is chosen anew. */
static bst_status try_penalties(chooser *c, const bst__belief *with, outcome *best) {
    bst_status status = BST_OK;
    for (size_t i = 0; i < COUNT(penalties) && status == BST_OK; i++) {
        bst__belief belief = *with;
        belief.step_penalty = penalties[i];
        status = try(c, &belief, true, best);
    }
    return status;
}

static bst_status try_loops(chooser *c) {
    outcome best = {.fit = -INFINITY};
    bst_status status = BST_OK;
    for (size_t i = 0; i < COUNT(loop_penalties) && status == BST_OK; i++) {
        bst__belief belief = c->best.belief;
        belief.loop_penalty = loop_penalties[i];
        status = try_penalties(c, &belief, &best);
    }
    if (status == BST_OK)
        weigh_up(c, &best, new_try(c, BST_TRY_LOOPS, 0));
    return status;
}

static bst_status try_contexts(chooser *c, uint32_t states) {
    outcome best = {.fit = -INFINITY};
    bst_status status = bst__fitter_graphs(&c->f, states);
    for (size_t i = 0; i < COUNT(context_worths) && status == BST_OK; i++) {
        bst__belief belief = c->best.belief;
        belief.context_worth = context_worths[i];
        status = try(c, &belief, true, &best);
    }
    if (status == BST_OK)
        status = try_penalties(c, &best.belief, &best);
    if (status == BST_OK)
        weigh_up(c, &best, new_try(c, BST_TRY_CONTEXTS, states));
    return status == BST_LIMIT ? BST_OK : status;
}

/* Of three ways to say how long it took, the one that does best. */
static bst_status try_spans(chooser *c) {
    bst__span_scores scores;
    outcome best = c->best;
    bst_status status = bst__fitter_graphs(&c->f, c->best.context_states);
    if (status == BST_OK)
        status = bst__judge_spans(&c->f, &c->best.belief, &c->best.way, &scores);
    best.fit = -INFINITY;
    for (size_t i = 0; i < BST_SPAN_KINDS * BST__SPAN_WORTHS && status == BST_OK; i++) {
        const double *const fold = scores.of[i / BST__SPAN_WORTHS][i % BST__SPAN_WORTHS];
        if (!(sum_of(fold) > best.fit))
            continue;
        best.fit = sum_of(fold);
        memcpy(best.fold, fold, sizeof best.fold);
        best.span_of = (bst_span_of)(i / BST__SPAN_WORTHS);
        best.span_worth = bst__span_worths[i % BST__SPAN_WORTHS];
    }
    if (status == BST_OK) {
        bst_learn_try *const new = new_try(c, BST_TRY_SPANS, 0);
        new->span = best.span_of;
        weigh_up(c, &best, new);
    }
    return status;
}

static bst_status choose_more(chooser *c) {
    bst_status status = try_loops(c);
    for (uint32_t states = 2; states <= BST_CONTEXT_STATES_MAX && status == BST_OK; states++)
        status = try_contexts(c, states);
    return status == BST_OK ? try_spans(c) : status;
}

/* ---- all of it ---- */

static void keep(const outcome *best, bst_learn_figures *figures) {
    figures->smoothing = best->belief.smoothing;
    figures->step_penalty = best->belief.step_penalty;
    figures->loop_penalty = best->belief.loop_penalty;
    figures->context_states = best->context_states;
    figures->context_worth = best->belief.context_worth;
    figures->span_worth = best->span_worth;
    figures->span_of = best->span_of;
    figures->steps_worth = bst__worths[best->way.worth];
    figures->discount = bst__discounts[best->way.discount];
    figures->rest_worth = bst__rests[best->way.rest];
    figures->here_discount = bst__heres[best->way.here].discount;
    figures->rest_worth_each = bst__heres[best->way.here].each;
}

static uint64_t count_tested(const bst__fitter *f) {
    double sum = 0;
    for (uint32_t c = 0; c < f->learner->class_count; c++) {
        for (uint32_t fold = 0; fold < BST__FOLDS && f->classes[c]->arena; fold++)
            sum += bst__fitter_tested(f, c, fold);
    }
    return (uint64_t)sum;
}

static bst_status choose(chooser *c) {
    static const bst__belief plain = {false, 1, BST_STEP_PENALTY_DEFAULT, 1, 0};
    bst_learn_figures *const figures = &c->f.learner->figures;
    bst_status status = bst__judge(&c->f, &plain, false, c->scores);
    figures->fit_plain = sum_of(c->scores->of[BST__WORTHS - 1][0][BST__RESTS - 1][0]);
    if (status == BST_OK)
        status = choose_steps(c);
    figures->fit_whole = c->best.fit;
    if (status == BST_OK)
        status = choose_more(c);
    figures->fit = c->best.fit;
    return status;
}

bst_status bst__learn_fit(bst__learner *learner) {
    chooser c = {.scores = bst_arena_alloc(learner->arena, sizeof *c.scores)};
    bst_learn_figures *const figures = &learner->figures;
    /* every row's history may be certain anyway: then nothing can be chosen */
    figures->smoothing = figures->loop_penalty = 1;
    figures->step_penalty = BST_STEP_PENALTY_DEFAULT;
    figures->steps_worth = figures->rest_worth = 1;
    bst_status status = c.scores ? bst__fitter_make(learner, &c.f) : BST_NOMEM;
    if (status == BST_OK)
        status = bst__fitter_graphs(&c.f, 1);
    if (status == BST_OK)
        figures->tested = count_tested(&c.f);
    if (status == BST_OK && figures->tested > 0) {
        status = choose(&c);
        keep(&c.best, figures);
        figures->fit /= (double)figures->tested;
        figures->fit_whole /= (double)figures->tested;
        figures->fit_steps /= (double)figures->tested;
        figures->fit_plain /= (double)figures->tested;
    }
    bst__fitter_release(&c.f);
    return status;
}
