/* How probable all walks are together, loops included, and each edge among them.
 *
 * after[n], the sum over all paths from a node to the end, obeys one linear equation a node.
 * Component by component these are solved in topological order: directly where there is no loop, by
 * elimination in a small component, by Gauss-Seidel sweeps in a larger one. All terms are positive
 * and every loop loses mass, so both converge and neither cancels.
 *
 * Products of many probabilities leave the range of numbers. So each edge has the weight
 *     exp(distance[from] - cost - distance[to])
 * which is 1 along a best path and less elsewhere; the same goes for ending in a node. Every sum is
 * then relative to the best path, whose probability cancels in all that is asked for.
 *
 * Given these, an edge has the probability weight * after[to] / after[from] among all that can
 * follow its node: what is possible has become a chain that always reaches the end. How often a
 * walk is at a node, on the average, is one more system of the same kind, forwards.
 */
#include "infer_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DENSE_SMALL 24u  /* up to here elimination is faster than sweeps */
#define DENSE_LARGE 512u /* up to here it is affordable when sweeps do not settle */
#define SWEEPS_MAX  500
#define SETTLED     1e-14
#define WORK_MAX    INT64_C(1000000000)

typedef struct equations {
    const bst__graph *graph;
    const double *weight;
    bst__arcs arcs; /* where values come from */
    bool forward;
    double *value;      /* the constant part at first, then the solution */
    int64_t *work_left; /* multiplications, about */
} equations;

static uint32_t other_end(const equations *q, uint32_t edge) {
    return q->forward ? q->graph->edges[edge].from : q->graph->edges[edge].to;
}

/* The constant part of one node and what flows in from outside first .. end - 1. */
static double from_outside(const equations *q, uint32_t node, uint32_t first, uint32_t end) {
    double sum = q->value[node];
    for (uint32_t i = q->arcs.first[node]; i < q->arcs.first[node + 1]; i++) {
        const uint32_t edge = q->arcs.edges[i], other = other_end(q, edge);
        if (other < first || other >= end)
            sum += q->weight[edge] * q->value[other];
    }
    return sum;
}

/* The rows of (1 - weights) x = constant, the constant last. */
static void fill_matrix(const equations *q, uint32_t first, uint32_t n, double *matrix) {
    for (uint32_t i = 0; i < n; i++) {
        double *const row = matrix + i * ((size_t)n + 1);
        row[i] = 1;
        row[n] = q->value[first + i];
        for (uint32_t k = q->arcs.first[first + i]; k < q->arcs.first[first + i + 1]; k++) {
            const uint32_t other = other_end(q, q->arcs.edges[k]);
            if (other >= first && other - first < n)
                row[other - first] -= q->weight[q->arcs.edges[k]];
        }
    }
}

/* Gauss elimination. No pivoting: what is on the diagonal stays positive. */
static bst_status eliminate(const equations *q, uint32_t first, uint32_t n) {
    const size_t width = (size_t)n + 1;
    double *const matrix = calloc(n * width, sizeof *matrix);
    bst_status status = matrix ? BST_OK : BST_NOMEM;
    if (!matrix)
        goto out;
    fill_matrix(q, first, n, matrix);
    for (uint32_t p = 0; p < n; p++) {
        const double *const pivot = matrix + p * width;
        if (!(pivot[p] > 0)) {
            status = BST_LIMIT;
            goto out;
        }
        for (uint32_t i = p + 1; i < n; i++) {
            double *const row = matrix + i * width;
            const double factor = row[p] / pivot[p];
            for (uint32_t j = p; factor != 0 && j <= n; j++)
                row[j] -= factor * pivot[j];
        }
    }
    for (uint32_t i = n; i-- > 0;) {
        const double *const row = matrix + i * width;
        double sum = row[n];
        for (uint32_t j = i + 1; j < n; j++)
            sum -= row[j] * q->value[first + j];
        q->value[first + i] = sum / row[i];
    }
    *q->work_left -= (int64_t)n * n * n / 3;
out:
    free(matrix);
    return status;
}

/* A component by itself, its coefficients side by side: x[i] is constant[i] plus the sum of
 * factor[k] * x[other[k]] for k from first[i] to first[i + 1] - 1. What stays at i is divided out.
 */
typedef struct loop {
    uint32_t n;
    uint32_t *first, *other;
    double *factor, *constant;
} loop;

static void release(loop *s) {
    free(s->first);
    free(s->other);
    free(s->factor);
    free(s->constant);
}

static bool gather(const equations *q, uint32_t first, uint32_t n, loop *ret) {
    const uint32_t arcs = q->arcs.first[first + n] - q->arcs.first[first];
    *ret = (loop){n, calloc((size_t)n + 1, sizeof(uint32_t)), calloc(arcs, sizeof(uint32_t)),
                  calloc(arcs, sizeof(double)), calloc(n, sizeof(double))};
    if (!ret->first || !ret->other || !ret->factor || !ret->constant)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        double stay = 0;
        ret->first[i] = count;
        for (uint32_t k = q->arcs.first[first + i]; k < q->arcs.first[first + i + 1]; k++) {
            const uint32_t edge = q->arcs.edges[k], other = other_end(q, edge);
            if (other == first + i) {
                stay += q->weight[edge];
            } else if (other >= first && other - first < n) {
                ret->other[count] = other - first;
                ret->factor[count++] = q->weight[edge];
            }
        }
        for (uint32_t k = ret->first[i]; k < count; k++)
            ret->factor[k] /= 1 - stay;
        ret->constant[i] = q->value[first + i] / (1 - stay);
    }
    ret->first[n] = count;
    return true;
}

/* One sweep of Gauss-Seidel. Returns the largest change, relative to what is larger than 1. (Sums
 * to the end are; smaller numbers of visits do not matter.) */
static double sweep(const loop *s, bool forward, double *x) {
    double most = 0;
    for (uint32_t step = 0; step < s->n; step++) {
        const uint32_t i = forward ? step : s->n - 1 - step;
        double now = s->constant[i];
        for (uint32_t k = s->first[i]; k < s->first[i + 1]; k++)
            now += s->factor[k] * x[s->other[k]];
        const double change = now > 1 ? (now - x[i]) / now : now - x[i];
        x[i] = now;
        if (change > most)
            most = change;
    }
    return most;
}

/* BST_LIMIT: it does not settle; then the values are as they were. */
static bst_status iterate(const equations *q, uint32_t first, uint32_t n) {
    loop s = {0};
    double *const x = calloc(n, sizeof *x);
    bst_status status = x && gather(q, first, n, &s) ? BST_LIMIT : BST_NOMEM;
    for (int round = 0; round < SWEEPS_MAX && status == BST_LIMIT && *q->work_left > 0; round++) {
        *q->work_left -= s.first[n] + n;
        if (sweep(&s, q->forward, x) <= SETTLED)
            status = BST_OK;
    }
    if (status == BST_OK)
        memcpy(q->value + first, x, n * sizeof *x);
    release(&s);
    free(x);
    return status;
}

/* A node by itself, which may still loop. */
static void divide(const equations *q, uint32_t node) {
    double stay = 0;
    for (uint32_t i = q->arcs.first[node]; i < q->arcs.first[node + 1]; i++) {
        if (other_end(q, q->arcs.edges[i]) == node)
            stay += q->weight[q->arcs.edges[i]];
    }
    q->value[node] /= 1 - stay;
}

static bst_status solve_component(const equations *q, uint32_t component) {
    const uint32_t first = q->graph->component_first[component];
    const uint32_t end = q->graph->component_first[component + 1];
    bool any = false;
    for (uint32_t node = first; node < end; node++) {
        q->value[node] = from_outside(q, node, first, end);
        any = any || q->value[node] > 0;
        *q->work_left -= q->arcs.first[node + 1] - q->arcs.first[node];
    }
    if (*q->work_left <= 0)
        return BST_LIMIT;
    if (!any)
        return BST_OK;
    if (end - first == 1) {
        divide(q, first);
        return BST_OK;
    }
    if (end - first <= DENSE_SMALL)
        return eliminate(q, first, end - first);
    const bst_status status = iterate(q, first, end - first);
    return status == BST_LIMIT && end - first <= DENSE_LARGE ? eliminate(q, first, end - first)
                                                             : status;
}

bst_status bst__chain_flow(const bst__graph *graph, const double *share, uint32_t first,
                           uint32_t end, int64_t *work_left, double *value) {
    const equations q = {graph, share, graph->in, true, value, work_left};
    bst_status status = BST_OK;
    for (uint32_t c = first; c < end && status == BST_OK; c++)
        status = solve_component(&q, c);
    return status;
}

/* `after` has the mass of ending in each node at first. */
static bst_status sum_backward(const bst__graph *graph, const double *weight, int64_t *work_left,
                               double *after) {
    const equations q = {graph, weight, graph->out, false, after, work_left};
    bst_status status = BST_OK;
    for (uint32_t c = graph->component_count; c-- > 0 && status == BST_OK;)
        status = solve_component(&q, c);
    for (uint32_t n = 0; n < graph->node_count && status == BST_OK; n++) {
        if (!isfinite(after[n]) || !(after[n] > 0))
            status = BST_LIMIT;
    }
    return status;
}

bst_status bst__chain_make(const bst__graph *graph, const bst__costs *costs,
                           const bst__cost *distance, bst_arena *arena, bst__chain *ret) {
    int64_t work_left = WORK_MAX;
    double *const share = bst_arena_array(arena, graph->edge_count, sizeof *share);
    double *const after = bst_arena_array(arena, graph->node_count, sizeof *after);
    double *const visits = bst_arena_array(arena, graph->node_count, sizeof *visits);
    if (!share || !after || !visits)
        return BST_NOMEM;
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        const bst__edge *const edge = &graph->edges[e];
        const bst__cost more = costs->step[e] + distance[edge->to] - distance[edge->from];
        share[e] = exp(-(double)more * BST__COST_UNIT);
    }
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (graph->accepting[n])
            after[n] = exp(-(double)(costs->end[n] - distance[n]) * BST__COST_UNIT);
    }
    bst_status status = sum_backward(graph, share, &work_left, after);
    if (status != BST_OK)
        return status;
    for (uint32_t e = 0; e < graph->edge_count; e++)
        share[e] *= after[graph->edges[e].to] / after[graph->edges[e].from];
    visits[0] = 1;
    *ret = (bst__chain){after[0], share, visits};
    return bst__chain_flow(graph, share, 0, graph->component_count, &work_left, visits);
}
