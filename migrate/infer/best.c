/* The best path (Viterbi) and the second best.
 *
 * Distances to the end are found backwards from it (Dijkstra; costs are positive). The best path
 * then follows them from the start. Where several steps lead to paths of equal cost, the transition
 * that stands first in the machine is taken, so the best walk is the first in the order of the file
 * among all of its cost. Costs are integers, and those within SLACK of each other count as equal:
 * that is more than rounding adds up to, and less than the least cost of a step, so that it buys no
 * detour.
 *
 * Every other path leaves the best one at some step for the first time, or ends before it, and is
 * best when it takes the shortest way to the end from there: so the second best is found by looking
 * at each edge that leaves the best one. Different paths are different walks (claims.c).
 */
#include "infer_private.h"

#include <assert.h>
#include <string.h>

#define SLACK        (INT64_C(1) << 8) /* 2^-32 */
#define DISTANCE_MAX (INT64_C(1) << 62)

/* ---- distances ---- */

typedef struct entry {
    bst__cost cost;
    uint32_t node;
} entry;

typedef struct heap {
    entry *entries;
    size_t count;
} heap;

static void push(heap *h, bst__cost cost, uint32_t node) {
    size_t at = h->count++;
    for (; at > 0 && h->entries[(at - 1) / 2].cost > cost; at = (at - 1) / 2)
        h->entries[at] = h->entries[(at - 1) / 2];
    h->entries[at] = (entry){cost, node};
}

static entry pop(heap *h) {
    const entry top = h->entries[0], last = h->entries[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->entries[child + 1].cost < h->entries[child].cost)
            child++;
        if (h->entries[child].cost >= last.cost)
            break;
        h->entries[at] = h->entries[child];
    }
    h->entries[at] = last;
    return top;
}

bst_status bst__distances(const bst__graph *graph, const bst__costs *costs, bst_arena *arena,
                          const bst__cost **ret) {
    heap nearby = {0};
    bst__cost *const distance = bst_arena_array(arena, graph->node_count, sizeof *distance);
    nearby.entries =
        bst_arena_array(arena, (size_t)graph->edge_count + graph->node_count, sizeof(entry));
    if (!distance || !nearby.entries)
        return BST_NOMEM;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        distance[n] = graph->accepting[n] ? costs->end[n] : BST__COST_NEVER;
        if (graph->accepting[n])
            push(&nearby, distance[n], n);
    }
    while (nearby.count > 0) {
        const entry nearest = pop(&nearby);
        if (nearest.cost > distance[nearest.node])
            continue;
        for (uint32_t i = graph->in.first[nearest.node]; i < graph->in.first[nearest.node + 1];
             i++) {
            const bst__edge *const edge = &graph->edges[graph->in.edges[i]];
            bst__cost cost = nearest.cost + costs->step[graph->in.edges[i]];
            if (cost > DISTANCE_MAX)
                cost = DISTANCE_MAX;
            if (cost < distance[edge->from]) {
                distance[edge->from] = cost;
                push(&nearby, cost, edge->from);
            }
        }
    }
    *ret = distance;
    return BST_OK;
}

/* ---- following them ---- */

/* One way that the transitions chosen so far can be read. Where a LAST claim may be met or not
 * there are several, until the steps that follow tell. */
typedef struct reading {
    uint32_t node, edge, parent;
} reading;

typedef struct follower {
    const bst__graph *graph;
    const bst__costs *costs;
    const bst__cost *distance;
    bst_arena *arena;
    bst__cost spent, limit;
    reading *readings;
    uint32_t count, capacity, steps;
} follower;

static bool add_reading(follower *f, uint32_t node, uint32_t edge, uint32_t parent) {
    if (f->count == f->capacity) {
        const uint32_t capacity = f->capacity > 0 ? f->capacity * 2 : 32;
        reading *const more = bst_arena_array(f->arena, capacity, sizeof *more);
        if (!more)
            return false;
        if (f->count > 0)
            memcpy(more, f->readings, f->count * sizeof *more);
        f->readings = more;
        f->capacity = capacity;
    }
    f->readings[f->count++] = (reading){node, edge, parent};
    return true;
}

static bool within(const follower *f, uint32_t edge) {
    return f->spent + f->costs->step[edge] + f->distance[f->graph->edges[edge].to] <= f->limit;
}

/* The first transition that one of the readings first .. end - 1 can take. */
static uint32_t first_transition(const follower *f, uint32_t first, uint32_t end) {
    uint32_t found = BST_NONE;
    for (uint32_t r = first; r < end; r++) {
        const uint32_t node = f->readings[r].node;
        for (uint32_t e = f->graph->out.first[node]; e < f->graph->out.first[node + 1]; e++) {
            if (f->graph->edges[e].transition < found && within(f, e))
                found = f->graph->edges[e].transition;
        }
    }
    return found;
}

/* Adds what the readings first .. end - 1 become by it. It costs the same in each of them. */
static bool take(follower *f, uint32_t first, uint32_t end, uint32_t transition) {
    bst__cost cost = 0;
    for (uint32_t r = first; r < end; r++) {
        const uint32_t node = f->readings[r].node;
        for (uint32_t e = f->graph->out.first[node]; e < f->graph->out.first[node + 1]; e++) {
            const bst__edge *const edge = &f->graph->edges[e];
            if (edge->transition != transition || !within(f, e))
                continue;
            cost = f->costs->step[e];
            if (!add_reading(f, edge->to, e, r))
                return false;
        }
    }
    f->spent += cost;
    f->steps++;
    return true;
}

static uint32_t find_ended(const follower *f, uint32_t first, uint32_t end) {
    for (uint32_t r = first; r < end; r++) {
        const uint32_t node = f->readings[r].node;
        if (f->graph->accepting[node] && f->spent + f->costs->end[node] <= f->limit)
            return r;
    }
    return BST_NONE;
}

/* The path of the edges `before` and, from where they lead, the best way to the end. */
static bst_status follow(follower *f, const uint32_t *before, uint32_t before_count,
                         bst__path *ret) {
    const uint32_t node = before_count > 0 ? f->graph->edges[before[before_count - 1]].to : 0;
    uint32_t first = 0, end = 1, ended;
    f->limit = f->distance[node] + SLACK;
    if (!add_reading(f, node, BST_NONE, BST_NONE))
        return BST_NOMEM;
    while ((ended = find_ended(f, first, end)) == BST_NONE) {
        if (before_count + f->steps == BST_WALK_STEPS_MAX)
            return BST_LIMIT;
        if (!take(f, first, end, first_transition(f, first, end)))
            return BST_NOMEM;
        first = end;
        end = f->count;
        assert(first < end);
    }
    const uint32_t count = before_count + f->steps;
    const bst__cost cost = f->spent + f->costs->end[f->readings[ended].node];
    uint32_t *const edges = bst_arena_array(f->arena, count, sizeof *edges);
    if (!edges)
        return BST_NOMEM;
    for (uint32_t i = 0; i < before_count; i++)
        edges[i] = before[i];
    for (uint32_t i = count; i > before_count; i--) {
        edges[i - 1] = f->readings[ended].edge;
        ended = f->readings[ended].parent;
    }
    *ret = (bst__path){count, edges, cost};
    return BST_OK;
}

bst_status bst__best_path(const bst__graph *graph, const bst__costs *costs,
                          const bst__cost *distance, bst_arena *arena, bst__path *ret) {
    follower f = {.graph = graph, .costs = costs, .distance = distance, .arena = arena};
    return follow(&f, NULL, 0, ret);
}

/* ---- the second best ---- */

/* Where a path leaves the best one: at its step `at`, by `edge`. */
typedef struct detour {
    uint32_t at, edge; /* edge BST_NONE: it ends there */
    bst__cost cost;    /* of the whole path */
} detour;

static void consider(detour *best, uint32_t at, uint32_t edge, bst__cost cost) {
    if (best->cost == BST__COST_NEVER || cost < best->cost - SLACK)
        *best = (detour){at, edge, cost};
}

static detour find_detour(const bst__graph *graph, const bst__costs *costs,
                          const bst__cost *distance, const bst__path *path) {
    detour found = {BST_NONE, BST_NONE, BST__COST_NEVER};
    bst__cost spent = 0;
    uint32_t node = 0;
    for (uint32_t at = 0; at <= path->count; at++) {
        const uint32_t taken = at < path->count ? path->edges[at] : BST_NONE;
        if (taken != BST_NONE && graph->accepting[node])
            consider(&found, at, BST_NONE, spent + costs->end[node]);
        for (uint32_t e = graph->out.first[node]; e < graph->out.first[node + 1]; e++) {
            const bst__edge *const edge = &graph->edges[e];
            if (e != taken)
                consider(&found, at, e, spent + costs->step[e] + distance[edge->to]);
        }
        if (taken != BST_NONE) {
            spent += costs->step[taken];
            node = graph->edges[taken].to;
        }
    }
    return found;
}

bst_status bst__second_path(const bst__graph *graph, const bst__costs *costs,
                            const bst__cost *distance, const bst__path *best, bst_arena *arena,
                            bst__path *ret) {
    const detour way = find_detour(graph, costs, distance, best);
    *ret = (bst__path){.cost = way.cost};
    if (way.cost == BST__COST_NEVER)
        return BST_OK;
    uint32_t *const before = bst_arena_array(arena, (size_t)way.at + 1, sizeof *before);
    if (!before)
        return BST_NOMEM;
    memcpy(before, best->edges, way.at * sizeof *before);
    if (way.edge == BST_NONE) {
        *ret = (bst__path){way.at, before, way.cost};
        return BST_OK;
    }
    before[way.at] = way.edge;
    follower f = {.graph = graph, .costs = costs, .distance = distance, .arena = arena};
    const bst_status status = follow(&f, before, way.at + 1, ret);
    ret->cost = way.cost;
    return status;
}
