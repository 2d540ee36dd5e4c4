/* The best paths in order: what else is possible, when the values of a row rule the best one out.
 *
 * Beginnings of paths wait in a heap, ordered by what they cost at least: their own steps and the
 * known distance from there to the end. As that distance is exact, the beginnings that come out
 * complete come out best first, and no beginning is looked at that some wanted path does not need.
 * Among equals the younger goes first, so that a tie is walked to its end instead of kept open, and
 * the transition that stands first in the machine before the others.
 *
 * Where whole histories were seen (seen.c), these are ranked among the paths by their mass:
 * one of the best is either seen or one of the best by steps.
 *
 * The number of beginnings is bounded; where it is used up, fewer paths are given than were asked
 * for, and nobody is told that these were all.
 */
#include "infer_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BEGINNINGS_MAX 100000u

typedef struct beginning {
    uint32_t parent, edge; /* BST_NONE: the start */
    uint32_t node, steps;
    bst__cost spent, least; /* so far; of any path that begins so */
    bool ended;             /* it is a path, and only that */
} beginning;

typedef struct search {
    const bst__rules *rules;
    const bst__graph *graph;
    const bst__costs *costs;
    const bst__cost *distance;
    beginning *made;
    uint32_t made_count, made_room;
    uint32_t *heap;
    uint32_t heap_count;
    bool full;
} search;

static bool goes_first(const search *s, uint32_t a, uint32_t b) {
    return s->made[a].least != s->made[b].least ? s->made[a].least < s->made[b].least : a > b;
}

static void push(search *s, uint32_t beginning_number) {
    uint32_t at = s->heap_count++;
    for (; at > 0 && goes_first(s, beginning_number, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = beginning_number;
}

static uint32_t pop(search *s) {
    const uint32_t top = s->heap[0], last = s->heap[--s->heap_count];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < s->heap_count; at = child) {
        if (child + 1 < s->heap_count && goes_first(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (!goes_first(s, s->heap[child], last))
            break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = last;
    return top;
}

/* False: out of memory. */
static bool add(search *s, beginning new) {
    if (s->made_count == BEGINNINGS_MAX || new.steps > BST_WALK_STEPS_MAX) {
        s->full = true;
        return true;
    }
    if (s->made_count == s->made_room) {
        const uint32_t room = s->made_room > 0 ? 2 * s->made_room : 256;
        beginning *const made = realloc(s->made, room * sizeof *made);
        if (made)
            s->made = made;
        uint32_t *const heap = realloc(s->heap, room * sizeof *heap);
        if (heap)
            s->heap = heap;
        if (!made || !heap)
            return false;
        s->made_room = room;
    }
    s->made[s->made_count] = new;
    push(s, s->made_count++);
    return true;
}

/* Is no way on from the node better than to end there? */
static bool ends_best(const search *s, uint32_t node) {
    return s->graph->accepting[node] && s->distance[node] == s->costs->end[node];
}

/* A beginning, and the path that ends with it where that comes later than some that go on. */
static bool add_both(search *s, uint32_t parent, uint32_t edge, uint32_t node) {
    beginning new = {parent, edge, node, 0, 0, s->distance[node], false};
    if (parent != BST_NONE) {
        new.steps = s->made[parent].steps + 1;
        new.spent = s->made[parent].spent + s->costs->step[edge];
        new.least = new.spent + s->distance[node];
    }
    if (!add(s, new))
        return false;
    new.least = new.spent + s->costs->end[node];
    new.ended = true;
    return !s->graph->accepting[node] || ends_best(s, node) || add(s, new);
}

static bool extend(search *s, uint32_t number) {
    const uint32_t node = s->made[number].node;
    for (uint32_t e = s->graph->out.first[node + 1]; e-- > s->graph->out.first[node];) {
        if (!add_both(s, number, e, s->graph->edges[e].to))
            return false;
    }
    return true;
}

static bool is_path(const search *s, uint32_t number, const bst__path *path) {
    uint32_t left = s->made[number].steps;
    if (left != path->count)
        return false;
    for (; left > 0; number = s->made[number].parent) {
        if (s->made[number].edge != path->edges[--left])
            return false;
    }
    return true;
}

static bool make_path(const search *s, uint32_t number, bst_arena *arena, bst__path *ret) {
    const beginning *const end = &s->made[number];
    uint32_t *const edges = bst_arena_array(arena, end->steps, sizeof *edges);
    *ret = (bst__path){end->steps, edges, end->least};
    for (uint32_t left = end->steps; edges && left > 0; number = s->made[number].parent)
        edges[--left] = s->made[number].edge;
    return edges != NULL;
}

/* ---- with what was seen ---- */

typedef struct ranked_path {
    bst__path path;
    double mass;
} ranked_path;

static bool same_path(const bst__path *a, const bst__path *b) {
    return a->count == b->count && memcmp(a->edges, b->edges, a->count * sizeof *a->edges) == 0;
}

/* Keeps the list in falling order; equals in the order they came. */
static void insert(ranked_path *list, uint32_t *count, const bst__path *path, double mass) {
    uint32_t at = (*count)++;
    for (; at > 0 && list[at - 1].mass < mass; at--)
        list[at] = list[at - 1];
    list[at] = (ranked_path){*path, mass};
}

/* Paths by steps are in `list` already, with masses; each that was seen gains, or is added. */
static uint32_t add_seen(const bst__seen *seen, const bst__path *best, double unit,
                         bst__cost distance, uint32_t count, ranked_path *list) {
    for (uint32_t k = 0; k < seen->count; k++) {
        const bst__path *const path = &seen->paths[k];
        uint32_t at = 0;
        while (at < count && !same_path(&list[at].path, path))
            at++;
        if (at < count) {
            memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof *list);
            count--;
        }
        if (!same_path(path, best))
            insert(list, &count, path,
                   seen->times[k] + unit * exp(-(double)(path->cost - distance) * BST__COST_UNIT));
    }
    return count;
}

uint32_t bst__recorded_claim(const bst__rules *rules, const bst__graph *graph,
                             const bst__edge *edge) {
    const uint32_t *const before = bst__graph_row(graph, edge->from);
    const uint32_t *const after = bst__graph_row(graph, edge->to);
    for (uint32_t i = 0; i < rules->item_count; i++) {
        if (rules->items[i].place != BST_NONE && bst__rules_met(after, i) &&
            !bst__rules_met(before, i))
            return rules->items[i].claim;
    }
    return BST_NONE;
}

static bool keep(const bst__rules *rules, const bst__graph *graph, const ranked_path *of,
                 const bst__others_wanted *wanted, bst_arena *scratch, bst_arena *arena,
                 bst_other_walk *ret) {
    uint32_t *const transitions = bst_arena_array(arena, of->path.count, sizeof *transitions);
    uint32_t *const claims = bst_arena_array(arena, of->path.count, sizeof *claims);
    uint32_t *const latest = bst_arena_array(arena, of->path.count, sizeof *latest);
    if (!transitions || !claims || !latest)
        return false;
    for (uint32_t i = 0; i < of->path.count; i++) {
        const bst__edge *const edge = &graph->edges[of->path.edges[i]];
        transitions[i] = edge->transition;
        claims[i] = bst__recorded_claim(rules, graph, edge);
    }
    *ret = (bst_other_walk){of->path.count, transitions, claims, latest, of->mass / wanted->total};
    return bst__doubts(wanted->question, transitions, of->path.count, scratch, claims, latest) ==
           BST_OK;
}

static bst_status find_by_steps(search *s, const bst__path *best, uint32_t max, double unit,
                                bst_arena *scratch, ranked_path *list, uint32_t *ret_count) {
    if (!add_both(s, BST_NONE, BST_NONE, 0))
        return BST_NOMEM;
    while (s->heap_count > 0 && *ret_count < max) {
        const uint32_t next = pop(s);
        const bool ended = s->made[next].ended;
        if ((ended || ends_best(s, s->made[next].node)) && !is_path(s, next, best)) {
            bst__path path;
            if (!make_path(s, next, scratch, &path))
                return BST_NOMEM;
            insert(list, ret_count, &path,
                   unit * exp(-(double)(path.cost - s->distance[0]) * BST__COST_UNIT));
        }
        if (!ended && !extend(s, next))
            return BST_NOMEM;
    }
    return BST_OK;
}

bst_status bst__other_walks(const bst__rules *rules, const bst__graph *graph,
                            const bst__costs *costs, const bst__cost *distance,
                            const bst__others_wanted *wanted, bst_arena *scratch, bst_arena *arena,
                            bst_answer *ret) {
    search s = {.rules = rules, .graph = graph, .costs = costs, .distance = distance};
    bst_other_walk *const others = bst_arena_array(arena, wanted->max, sizeof *others);
    ranked_path *const list =
        bst_arena_array(scratch, (size_t)wanted->max + wanted->seen.count, sizeof *list);
    bst_status status = BST_NOMEM;
    uint32_t count = 0;
    if (!others || !list)
        goto out;
    status = find_by_steps(&s, wanted->best, wanted->max, wanted->unit, scratch, list, &count);
    if (status != BST_OK)
        goto out;
    count = add_seen(&wanted->seen, wanted->best, wanted->unit, distance[0], count, list);
    ret->complete = s.heap_count == 0 && !s.full && count <= wanted->max;
    ret->other_count = count < wanted->max ? count : wanted->max;
    ret->others = others;
    for (uint32_t i = 0; i < ret->other_count; i++) {
        if (!keep(rules, graph, &list[i], wanted, scratch, arena, &others[i])) {
            status = BST_NOMEM;
            goto out;
        }
    }
out:
    free(s.made);
    free(s.heap);
    return status;
}
