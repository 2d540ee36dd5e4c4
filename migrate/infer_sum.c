/* The mass of all paths together, loops included.
 *
 * The sum over all paths obeys one linear equation a node (its own end, plus its edges times the
 * sums of where they lead). Component by component these are solved in topological order: directly
 * where there is no loop, by elimination in a small component, by Gauss-Seidel sweeps in a larger
 * one. All terms are positive and every loop loses mass, so both converge and neither cancels.
 *
 * Products of many probabilities leave the range of numbers. So each edge has the weight
 *     exp(distance[from] - cost - distance[to])
 * which is 1 along a best path and less elsewhere. Every sum is then relative to the best path,
 * whose probability cancels in all that is asked for.
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

/* One node of the component first .. end - 1 from its neighbours; returns the relative change. */
static double relax(const equations *q, double constant, uint32_t node, uint32_t first,
                    uint32_t end) {
    double sum = constant, loop = 0;
    for (uint32_t i = q->arcs.first[node]; i < q->arcs.first[node + 1]; i++) {
        const uint32_t edge = q->arcs.edges[i], other = other_end(q, edge);
        if (other == node)
            loop += q->weight[edge];
        else if (other >= first && other < end)
            sum += q->weight[edge] * q->value[other];
    }
    const double before = q->value[node], now = sum / (1 - loop);
    q->value[node] = now;
    *q->work_left -= q->arcs.first[node + 1] - q->arcs.first[node];
    return now > 0 ? (now - before) / now : 0;
}

/* Gauss-Seidel. BST_LIMIT: it does not settle; then the constant part is as it was. */
static bst_status sweep(const equations *q, uint32_t first, uint32_t end) {
    const uint32_t n = end - first;
    double change = 1, *const constant = calloc(n, sizeof *constant);
    if (!constant)
        return BST_NOMEM;
    memcpy(constant, q->value + first, n * sizeof *constant);
    memset(q->value + first, 0, n * sizeof *constant);
    for (int round = 0; round < SWEEPS_MAX && change > SETTLED && *q->work_left > 0; round++) {
        change = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t at = q->forward ? i : n - 1 - i;
            change = fmax(change, relax(q, constant[at], first + at, first, end));
        }
    }
    if (change > SETTLED)
        memcpy(q->value + first, constant, n * sizeof *constant);
    free(constant);
    return change > SETTLED ? BST_LIMIT : BST_OK;
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
        (void)relax(q, q->value[first], first, first, end);
        return BST_OK;
    }
    if (end - first <= DENSE_SMALL)
        return eliminate(q, first, end - first);
    const bst_status status = sweep(q, first, end);
    return status == BST_LIMIT && end - first <= DENSE_LARGE ? eliminate(q, first, end - first)
                                                             : status;
}

bst_status bst__sums_forward(const bst__graph *graph, const double *weight, uint32_t first,
                             uint32_t end, int64_t *work_left, double *value) {
    const equations q = {graph, weight, graph->in, true, value, work_left};
    bst_status status = BST_OK;
    for (uint32_t c = first; c < end && status == BST_OK; c++)
        status = solve_component(&q, c);
    return status;
}

static bst_status solve_backward(const bst__graph *graph, const double *weight, int64_t *work_left,
                                 double *value) {
    const equations q = {graph, weight, graph->out, false, value, work_left};
    bst_status status = BST_OK;
    for (uint32_t c = graph->component_count; c-- > 0 && status == BST_OK;)
        status = solve_component(&q, c);
    return status;
}

static bool in_range(const double *value, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(value[i]) || value[i] < 0)
            return false;
    }
    return true;
}

bst_status bst__sums_make(const bst__graph *graph, const bst__cost *costs,
                          const bst__cost *distance, bst_arena *arena, bst__sums *ret) {
    int64_t work_left = WORK_MAX;
    double *const weight = bst_arena_array(arena, graph->edge_count, sizeof *weight);
    double *const before = bst_arena_array(arena, graph->node_count, sizeof *before);
    double *const after = bst_arena_array(arena, graph->node_count, sizeof *after);
    if (!weight || !before || !after)
        return BST_NOMEM;
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        const bst__edge *const edge = &graph->edges[e];
        const bst__cost more = costs[edge->transition] + distance[edge->to] - distance[edge->from];
        weight[e] = exp(-(double)more * BST__COST_UNIT);
    }
    for (uint32_t n = 0; n < graph->node_count; n++) {
        after[n] = graph->accepting[n];
    }
    before[0] = 1;
    bst_status status = solve_backward(graph, weight, &work_left, after);
    if (status == BST_OK)
        status = bst__sums_forward(graph, weight, 0, graph->component_count, &work_left, before);
    if (status == BST_OK &&
        (!in_range(after, graph->node_count) || !in_range(before, graph->node_count)))
        status = BST_LIMIT;
    *ret = (bst__sums){weight, before, after};
    return status;
}
