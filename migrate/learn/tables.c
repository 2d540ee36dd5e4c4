/* What was gathered, by number, and the graphs of the possible walks of each signature. These are
 * made once for each kind of context; they do not depend on weights.
 */
#include "learn_private.h"

#include <stdlib.h>

/* ---- graphs ---- */

/* Which of the walks seen are possible there. */
static bst_status find_paths(const bst__fitter *f, bst__learn_class *class) {
    const bst_weights weights = {.seen_count = f->learner->walk_count, .seen = f->seen};
    bst__seen seen;
    const bst_status status =
        bst__seen_make(&class->rules, &class->graph, NULL, &weights, class->arena, &seen);
    class->path_count = seen.count;
    class->path_walks = seen.numbers;
    class->paths = seen.paths;
    return status;
}

static bst_status make_graph(const bst__fitter *f, bst__learn_class *class) {
    const bst_contexts *const contexts = f->context_states > 1 ? &f->contexts : NULL;
    class->arena = bst_arena_free(class->arena);
    bst_status status = bst__learn_graph(f->learner, class, contexts);
    if (status == BST_OK && class->arena && bst__graph_single_path(&class->graph))
        class->arena = bst_arena_free(class->arena);
    if (status == BST_OK && class->arena)
        status = find_paths(f, class);
    return status;
}

bst_status bst__fitter_graphs(bst__fitter *f, uint32_t context_states) {
    bst_status status = BST_OK;
    bst_arena_clear(f->contexts_arena);
    f->context_states = 1;
    if (context_states > 1)
        status = bst_contexts_make(f->learner->machine, context_states, f->learner->walk_count,
                                   f->seen, f->contexts_arena, &f->contexts);
    if (status != BST_OK)
        return status;
    f->context_states = context_states;
    f->learner->nodes = 0;
    for (uint32_t c = 0; c < f->learner->class_count && status == BST_OK; c++)
        status = make_graph(f, f->classes[c]);
    return status;
}

/* ---- by number ---- */

static bool make_room(bst__fitter *f) {
    const bst__learner *const learner = f->learner;
    bst_arena *const arena = learner->arena;
    f->classes = bst_arena_array(arena, learner->class_count, sizeof(bst__learn_class *));
    f->walks = bst_arena_array(arena, learner->walk_count, sizeof(bst__learn_walk *));
    f->cells = bst_arena_array(arena, HASH_COUNT(learner->cells), sizeof(bst__learn_cell *));
    f->first_cell = bst_arena_array(arena, (size_t)learner->class_count + 2, sizeof *f->first_cell);
    f->spans = bst_arena_array(arena, HASH_COUNT(learner->spans), sizeof(bst__learn_span *));
    f->first_span = bst_arena_array(arena, (size_t)learner->class_count + 2, sizeof *f->first_span);
    f->weight = bst_arena_array(arena, learner->machine->transition_count, sizeof *f->weight);
    f->stop = bst_arena_array(arena, learner->machine->state_count, sizeof *f->stop);
    f->seen = bst_arena_array(arena, learner->walk_count, sizeof *f->seen);
    f->leads_back = bst_steps_back(learner->machine, arena);
    f->contexts_arena = bst_arena_new();
    return f->classes && f->walks && f->cells && f->first_cell && f->spans && f->first_span &&
           f->weight && f->stop && f->seen && f->leads_back && f->contexts_arena;
}

static void fill_tables(bst__fitter *f) {
    const bst__learner *const learner = f->learner;
    for (bst__learn_class *class = learner->classes; class; class = class->hh.next)
        f->classes[class->number] = class;
    for (bst__learn_walk *walk = learner->walks; walk; walk = walk->hh.next)
        f->walks[walk->number] = walk;
    for (uint32_t w = 0; w < learner->walk_count; w++)
        f->seen[w] =
            (bst_seen_walk){f->walks[w]->total, f->walks[w]->step_count, f->walks[w]->transitions};
    for (bst__learn_cell *cell = learner->cells; cell; cell = cell->hh.next)
        f->first_cell[cell->key[0] + 2]++;
    for (uint32_t c = 0; c < learner->class_count; c++)
        f->first_cell[c + 2] += f->first_cell[c + 1];
    for (bst__learn_cell *cell = learner->cells; cell; cell = cell->hh.next)
        f->cells[f->first_cell[cell->key[0] + 1]++] = cell;
}

static int by_key(const void *a, const void *b) {
    const bst__learn_span *const x = *(const bst__learn_span *const *)a;
    const bst__learn_span *const y = *(const bst__learn_span *const *)b;
    for (size_t i = 0; i < sizeof x->key / sizeof *x->key; i++) {
        if (x->key[i] != y->key[i])
            return x->key[i] < y->key[i] ? -1 : 1;
    }
    return 0;
}

static void fill_spans(bst__fitter *f) {
    uint32_t count = 0;
    for (bst__learn_span *span = f->learner->spans; span; span = span->hh.next) {
        f->spans[count++] = span;
        f->first_span[span->key[0] + 1]++;
    }
    qsort(f->spans, count, sizeof *f->spans, by_key);
    for (uint32_t c = 0; c < f->learner->class_count; c++)
        f->first_span[c + 1] += f->first_span[c];
}

bst_status bst__fitter_make(bst__learner *learner, bst__fitter *ret) {
    *ret = (bst__fitter){.learner = learner, .context_states = 1};
    if (!make_room(ret))
        return BST_NOMEM;
    fill_tables(ret);
    fill_spans(ret);
    return BST_OK;
}

void bst__fitter_release(bst__fitter *f) {
    bst_arena_free(f->contexts_arena);
}

double bst__fitter_tested(const bst__fitter *f, uint32_t class, uint32_t fold) {
    double sum = 0;
    for (uint32_t i = f->first_cell[class]; i < f->first_cell[class + 1]; i++)
        sum += f->cells[i]->times[fold];
    return sum;
}
