/* The product graph, made fit for searches and sums: what no path to the end passes is cut off, the
 * rest is sorted.
 *
 * Progress through the claims never goes back; so loops stay within one place of it, and the
 * strongly connected components (Tarjan), in topological order and place by place, are all the
 * order that the later passes need.
 */
#include "infer_private.h"

#include <string.h>

/* What is being put together, by the old numbers of nodes; BST_NONE: cut off. */
typedef struct maker {
    const bst__rules *rules;
    const bst__reached *reached;
    bst_arena *arena;
    uint32_t *component, *number; /* `number`: what the node is called in the graph */
    uint32_t component_count, node_count;
    uint32_t *place_first, *component_first;
} maker;

static const uint32_t *row_of(const bst__reached *reached, uint32_t node) {
    return reached->rows + (size_t)node * reached->stride;
}

/* Neighbours of each node in one direction, the edges of a node in rising order. */
static bool make_arcs(const bst__edge *edges, uint32_t edge_count, uint32_t node_count,
                      bool backwards, bst_arena *arena, bst__arcs *ret) {
    uint32_t *const first = bst_arena_array(arena, (size_t)node_count + 2, sizeof *first);
    uint32_t *const list = bst_arena_array(arena, edge_count, sizeof *list);
    if (!first || !list)
        return false;
    for (uint32_t e = 0; e < edge_count; e++)
        first[(backwards ? edges[e].to : edges[e].from) + 2]++;
    for (uint32_t n = 0; n < node_count; n++)
        first[n + 2] += first[n + 1];
    for (uint32_t e = 0; e < edge_count; e++)
        list[first[(backwards ? edges[e].to : edges[e].from) + 1]++] = e;
    *ret = (bst__arcs){first, list};
    return true;
}

/* Flags of the nodes from which an accepting one can be reached; NULL when out of memory. */
static uint8_t *find_live(const maker *m) {
    const bst__reached *const r = m->reached;
    bst__arcs in;
    uint8_t *const live = bst_arena_array(m->arena, r->node_count, sizeof *live);
    uint32_t *const stack = bst_arena_array(m->arena, r->node_count, sizeof *stack);
    if (!live || !stack || !make_arcs(r->edges, r->edge_count, r->node_count, true, m->arena, &in))
        return NULL;
    uint32_t depth = 0;
    for (uint32_t n = 0; n < r->node_count; n++) {
        live[n] = r->accepting[n];
        if (live[n])
            stack[depth++] = n;
    }
    while (depth > 0) {
        const uint32_t node = stack[--depth];
        for (uint32_t i = in.first[node]; i < in.first[node + 1]; i++) {
            const uint32_t from = r->edges[in.edges[i]].from;
            if (!live[from]) {
                live[from] = 1;
                stack[depth++] = from;
            }
        }
    }
    return live;
}

/* Tarjan's algorithm without recursion. Components are numbered as they are finished: those that
 * others lead to come first. */
typedef struct tarjan {
    const bst__reached *reached;
    const uint8_t *live;
    uint32_t *index, *low, *component; /* index 0: not seen */
    uint32_t *path, *at;               /* the nodes being visited, and the next edge of each */
    uint32_t *open;                    /* seen, in no component yet */
    uint32_t depth, open_count, seen, components;
} tarjan;

static void enter(tarjan *t, uint32_t node) {
    t->index[node] = t->low[node] = ++t->seen;
    t->component[node] = BST_NONE;
    t->open[t->open_count++] = node;
    t->at[t->depth] = t->reached->first[node];
    t->path[t->depth++] = node;
}

static void leave(tarjan *t, uint32_t node) {
    t->depth--;
    if (t->depth > 0 && t->low[node] < t->low[t->path[t->depth - 1]])
        t->low[t->path[t->depth - 1]] = t->low[node];
    if (t->low[node] != t->index[node])
        return;
    uint32_t member;
    do {
        member = t->open[--t->open_count];
        t->component[member] = t->components;
    } while (member != node);
    t->components++;
}

static void run_tarjan(tarjan *t) {
    enter(t, 0);
    while (t->depth > 0) {
        const uint32_t node = t->path[t->depth - 1];
        if (t->at[t->depth - 1] == t->reached->first[node + 1]) {
            leave(t, node);
            continue;
        }
        const uint32_t to = t->reached->edges[t->at[t->depth - 1]++].to;
        if (!t->live[to])
            continue;
        if (t->index[to] == 0)
            enter(t, to);
        else if (t->component[to] == BST_NONE && t->index[to] < t->low[node])
            t->low[node] = t->index[to];
    }
}

static bool find_components(maker *m, const uint8_t *live) {
    tarjan t = {.reached = m->reached, .live = live};
    uint32_t **const arrays[] = {&t.index, &t.low, &t.component, &t.path, &t.at, &t.open};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = bst_arena_array(m->arena, m->reached->node_count, sizeof **arrays[i]);
        if (!*arrays[i])
            return false;
    }
    for (uint32_t n = 0; n < m->reached->node_count; n++)
        t.component[n] = BST_NONE;
    run_tarjan(&t);
    m->component = t.component;
    m->component_count = t.components;
    return true;
}

/* Numbers the components anew: by place, then in topological order. */
static bool sort_components(maker *m) {
    const uint32_t places = m->rules->place_count + 1, count = m->component_count;
    uint32_t *const place = bst_arena_array(m->arena, count, sizeof *place);
    uint32_t *const map = bst_arena_array(m->arena, count, sizeof *map);
    m->place_first = bst_arena_array(m->arena, (size_t)places + 2, sizeof *m->place_first);
    if (!place || !map || !m->place_first)
        return false;
    for (uint32_t n = 0; n < m->reached->node_count; n++) {
        if (m->component[n] != BST_NONE)
            place[m->component[n]] = row_of(m->reached, n)[BST__ROW_PLACE];
    }
    for (uint32_t c = 0; c < count; c++)
        m->place_first[place[c] + 2]++;
    for (uint32_t p = 0; p < places; p++)
        m->place_first[p + 2] += m->place_first[p + 1];
    for (uint32_t c = count; c-- > 0;)
        map[c] = m->place_first[place[c] + 1]++;
    for (uint32_t n = 0; n < m->reached->node_count; n++) {
        if (m->component[n] != BST_NONE)
            m->component[n] = map[m->component[n]];
    }
    return true;
}

/* Numbers the nodes anew: component by component. */
static bool sort_nodes(maker *m) {
    const uint32_t count = m->component_count;
    m->number = bst_arena_array(m->arena, m->reached->node_count, sizeof *m->number);
    m->component_first = bst_arena_array(m->arena, (size_t)count + 2, sizeof *m->component_first);
    if (!m->number || !m->component_first)
        return false;
    for (uint32_t n = 0; n < m->reached->node_count; n++) {
        if (m->component[n] != BST_NONE)
            m->component_first[m->component[n] + 2]++;
    }
    for (uint32_t c = 0; c < count; c++)
        m->component_first[c + 2] += m->component_first[c + 1];
    m->node_count = m->component_first[count + 1];
    for (uint32_t n = 0; n < m->reached->node_count; n++) {
        m->number[n] = BST_NONE;
        if (m->component[n] != BST_NONE)
            m->number[n] = m->component_first[m->component[n] + 1]++;
    }
    return true;
}

static bool copy_nodes(const maker *m, bst__graph *ret) {
    const uint32_t stride = m->reached->stride;
    uint32_t *const rows = bst_arena_array(m->arena, (size_t)m->node_count * stride, sizeof *rows);
    uint8_t *const accepting = bst_arena_array(m->arena, m->node_count, sizeof *accepting);
    uint32_t *const component = bst_arena_array(m->arena, m->node_count, sizeof *component);
    if (!rows || !accepting || !component)
        return false;
    for (uint32_t n = 0; n < m->reached->node_count; n++) {
        const uint32_t node = m->number[n];
        if (node == BST_NONE)
            continue;
        memcpy(rows + (size_t)node * stride, row_of(m->reached, n), stride * sizeof *rows);
        accepting[node] = m->reached->accepting[n];
        component[node] = m->component[n];
    }
    ret->node_count = m->node_count;
    ret->rows = rows;
    ret->accepting = accepting;
    ret->component = component;
    return true;
}

static bool copy_edges(const maker *m, bst__graph *ret) {
    bst__edge *const all = bst_arena_array(m->arena, m->reached->edge_count, sizeof *all);
    bst__edge *const sorted = bst_arena_array(m->arena, m->reached->edge_count, sizeof *sorted);
    bst__arcs by_from;
    uint32_t count = 0;
    if (!all || !sorted)
        return false;
    for (uint32_t e = 0; e < m->reached->edge_count; e++) {
        const bst__edge *const edge = &m->reached->edges[e];
        const uint32_t from = m->number[edge->from], to = m->number[edge->to];
        if (from != BST_NONE && to != BST_NONE)
            all[count++] = (bst__edge){from, to, edge->transition};
    }
    if (!make_arcs(all, count, m->node_count, false, m->arena, &by_from))
        return false;
    for (uint32_t e = 0; e < count; e++)
        sorted[e] = all[by_from.edges[e]];
    ret->edge_count = count;
    ret->edges = sorted;
    return make_arcs(sorted, count, m->node_count, false, m->arena, &ret->out) &&
           make_arcs(sorted, count, m->node_count, true, m->arena, &ret->in);
}

bst_status bst__graph_make(const bst__rules *rules, const bst__reached *reached, bst_arena *arena,
                           bst__graph *ret) {
    maker m = {.rules = rules, .reached = reached, .arena = arena};
    const uint8_t *const live = find_live(&m);
    *ret = (bst__graph){.stride = reached->stride, .place_count = rules->place_count};
    if (!live || !find_components(&m, live) || !sort_components(&m) || !sort_nodes(&m) ||
        !copy_nodes(&m, ret) || !copy_edges(&m, ret))
        return BST_NOMEM;
    ret->component_count = m.component_count;
    ret->component_first = m.component_first;
    ret->place_first = m.place_first;
    return BST_OK;
}

bool bst__graph_single_path(const bst__graph *graph) {
    for (uint32_t n = 0; n < graph->node_count; n++) {
        if (graph->out.first[n + 1] - graph->out.first[n] + graph->accepting[n] != 1)
            return false;
    }
    return true;
}
