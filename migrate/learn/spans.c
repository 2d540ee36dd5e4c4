/* How much is gained when those speak that took about as long:
 *
 *     p(walk | signature, span) = times with both + worth * p(walk | signature),
 *                                 divided by the sum of that
 */
#include "learn_private.h"

#include <math.h>
#include <string.h>

#define LEAST 1e-300

const double bst__span_worths[BST__SPAN_WORTHS] = {1, 3, 10, 30, 100, 300};

static uint32_t path_of(const bst__learn_class *class, uint32_t walk) {
    for (uint32_t i = 0; i < class->path_count; i++) {
        if (class->path_walks[i] == walk)
            return i;
    }
    return BST_NONE;
}

static double times_else(const bst__learn_span *cell, uint32_t fold) {
    double sum = 0;
    for (uint32_t i = 0; i < BST__FOLDS; i++)
        sum += i == fold ? 0 : cell->times[i];
    return sum;
}

/* The cells first .. end - 1 are those of one kind and span. */
static void judge_span(const bst__fitter *f, const bst__learn_class *class, uint32_t first,
                       uint32_t end, uint32_t fold, const double *p, bst__span_scores *sum) {
    double total = 0;
    for (uint32_t c = first; c < end; c++)
        total +=
            path_of(class, f->spans[c]->key[3]) != BST_NONE ? times_else(f->spans[c], fold) : 0;
    for (uint32_t c = first; c < end; c++) {
        const bst__learn_span *const cell = f->spans[c];
        const uint32_t path = path_of(class, cell->key[3]);
        if (path == BST_NONE || !(cell->times[fold] > 0))
            continue;
        for (size_t w = 0; w < BST__SPAN_WORTHS; w++) {
            const double worth = bst__span_worths[w];
            const double sure = (times_else(cell, fold) + worth * p[path]) / (total + worth);
            sum->of[cell->key[1]][w][fold] += cell->times[fold] * log(fmax(sure, LEAST));
        }
    }
}

static bool alike(const bst__learn_span *a, const bst__learn_span *b) {
    return a->key[0] == b->key[0] && a->key[1] == b->key[1] && a->key[2] == b->key[2];
}

static void judge_class(const bst__fitter *f, const bst__learn_class *class, uint32_t fold,
                        const double *p, bst__span_scores *sum) {
    const uint32_t end = f->first_span[class->number + 1];
    for (uint32_t c = f->first_span[class->number]; c < end;) {
        uint32_t next = c + 1;
        while (next < end && alike(f->spans[next], f->spans[c]))
            next++;
        judge_span(f, class, c, next, fold, p, sum);
        c = next;
    }
}

bst_status bst__judge_spans(bst__fitter *f, const bst__belief *belief, const bst__way *way,
                            bst__span_scores *ret) {
    bst_arena *const scratch = f->learner->scratch;
    bst_weights weights;
    memset(ret, 0, sizeof *ret);
    for (uint32_t fold = 0; fold < BST__FOLDS; fold++) {
        bst__believe(f, belief, fold, &weights);
        for (uint32_t c = 0; c < f->learner->class_count; c++) {
            bst_arena_clear(scratch);
            double *const p = bst_arena_array(scratch, f->classes[c]->path_count, sizeof *p);
            if (!p)
                return BST_NOMEM;
            if (!f->classes[c]->arena || !(bst__fitter_tested(f, c, fold) > 0))
                continue;
            const bst_status status = bst__judge_paths(f, &weights, way, c, fold, p);
            if (status == BST_NOMEM)
                return status;
            if (status == BST_OK)
                judge_class(f, f->classes[c], fold, p, ret);
        }
    }
    return BST_OK;
}
