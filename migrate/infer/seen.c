/* Whole histories that were seen elsewhere, as walks of this question.
 *
 * The graph holds exactly the possible walks, each as one path; so a history that was seen is
 * possible here when it is a path of the graph, and that path is all that need be kept of it. What
 * was seen and the chain of single steps make one distribution:
 *
 *     mass(walk) = times it was seen + steps_worth * p(walk)
 *
 * Where much was seen that agrees with the claims, it speaks; where little was, p(walk) does. What
 * was seen of entities with the very same evidence speaks before both, in the same way. Marginals
 * are sums over both: over each walk that was seen, and over the chain (steps.c).
 */
#include "infer_private.h"

#include <math.h>
#include <string.h>

/* One way to read the steps so far; see best.c. */
typedef struct reading {
    uint32_t node, edge, parent;
} reading;

typedef struct reader {
    const bst__graph *graph;
    const bst__costs *costs; /* NULL: not wanted */
    bst_arena *arena;
    reading *readings;
    uint32_t count, capacity;
} reader;

static bool add_reading(reader *r, uint32_t node, uint32_t edge, uint32_t parent) {
    if (r->count == r->capacity) {
        const uint32_t capacity = r->capacity > 0 ? r->capacity * 2 : 256;
        reading *const more = bst_arena_array(r->arena, capacity, sizeof *more);
        if (!more)
            return false;
        if (r->count > 0)
            memcpy(more, r->readings, r->count * sizeof *more);
        r->readings = more;
        r->capacity = capacity;
    }
    r->readings[r->count++] = (reading){node, edge, parent};
    return true;
}

/* *ret_last: the reading that ends as it must; BST_NONE: the walk is not possible. */
static bst_status read_walk(reader *r, const bst_seen_walk *walk, uint32_t *ret_last) {
    uint32_t first = 0, end = 1;
    r->count = 0;
    *ret_last = BST_NONE;
    if (!add_reading(r, 0, BST_NONE, BST_NONE))
        return BST_NOMEM;
    for (uint32_t step = 0; step < walk->step_count && first < end; step++) {
        for (uint32_t i = first; i < end; i++) {
            const uint32_t node = r->readings[i].node;
            for (uint32_t e = r->graph->out.first[node]; e < r->graph->out.first[node + 1]; e++) {
                if (r->graph->edges[e].transition == walk->transitions[step] &&
                    !add_reading(r, r->graph->edges[e].to, e, i))
                    return BST_NOMEM;
            }
        }
        first = end;
        end = r->count;
    }
    for (uint32_t i = first; i < end; i++) {
        if (r->graph->accepting[r->readings[i].node])
            *ret_last = i;
    }
    return BST_OK;
}

static bool keep_path(const reader *r, uint32_t last, uint32_t count, bst__path *ret) {
    uint32_t *const edges = bst_arena_array(r->arena, count, sizeof *edges);
    *ret = (bst__path){count, edges, r->costs ? r->costs->end[r->readings[last].node] : 0};
    if (!edges)
        return false;
    for (uint32_t i = count; i > 0; i--) {
        edges[i - 1] = r->readings[last].edge;
        ret->cost += r->costs ? r->costs->step[edges[i - 1]] : 0;
        last = r->readings[last].parent;
    }
    return true;
}

static bool ends_in(const bst_machine *machine, const bst_seen_walk *walk, uint32_t state) {
    return walk->step_count > 0 &&
           machine->transitions[walk->transitions[walk->step_count - 1]].to == state;
}

bst_status bst__seen_make(const bst__rules *rules, const bst__graph *graph, const bst__costs *costs,
                          const bst_weights *weights, bst_arena *arena, bst__seen *ret) {
    reader r = {.graph = graph, .costs = costs, .arena = arena};
    const uint32_t count = weights ? weights->seen_count : 0;
    bst__path *const paths = bst_arena_array(arena, count, sizeof *paths);
    uint32_t *const numbers = bst_arena_array(arena, count, sizeof *numbers);
    double *const times = bst_arena_array(arena, count, sizeof *times);
    *ret = (bst__seen){0, paths, numbers, times, 0};
    if (!paths || !numbers || !times)
        return BST_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const bst_seen_walk *const walk = &weights->seen[i];
        uint32_t last;
        if (!(walk->times >= 0) || !isfinite(walk->times) ||
            !ends_in(rules->machine, walk, rules->state))
            continue;
        bst_status status = read_walk(&r, walk, &last);
        if (status == BST_OK && last != BST_NONE) {
            numbers[ret->count] = i;
            times[ret->count] = walk->times;
            ret->total += walk->times;
            status =
                keep_path(&r, last, walk->step_count, &paths[ret->count++]) ? BST_OK : BST_NOMEM;
        }
        if (status != BST_OK)
            return status;
    }
    return BST_OK;
}

double bst__seen_factor(const bst__seen *seen, const bst_weights *weights, double steps_mass) {
    double here = 0, different = 0;
    for (uint32_t i = 0; weights->here && i < seen->count; i++) {
        here += weights->here[seen->numbers[i]];
        different += weights->here[seen->numbers[i]] > 0;
    }
    const double rest = weights->rest_worth + weights->rest_worth_each * different;
    const double factor = rest / (seen->total + steps_mass);
    return here > 0 && factor > 0 && isfinite(factor) ? factor : 0;
}

void bst__seen_weigh(bst__seen *seen, const bst_weights *weights, double factor) {
    seen->total = 0;
    for (uint32_t i = 0; i < seen->count; i++) {
        seen->times[i] = seen->times[i] * factor + weights->here[seen->numbers[i]];
        seen->total += seen->times[i];
    }
}
