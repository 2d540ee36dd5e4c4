/* What is known of each step of the best walk: basis, marginal, whether its order is known.
 *
 * Where a step is in a walk is said by its place: the stretch from the end of one group of claims
 * of equal rank to the end of the next. (Claims with times cut a history into such stretches;
 * nothing finer than a stretch is known of the time of what lies in it.)
 * - A step that meets a ranked claim is recorded. Its confidence is the share of the walks in which
 *   the same event, into the same state, meets that claim; one step of each walk does.
 * - Any other step is, in its place, the k-th taking of its event into its state, whatever state it
 *   came from, that meets no ranked claim. Its confidence is the share of the walks that take it
 * there at least k times. When all possible walks do, it is implied: that is decided by the graph
 * alone, by a search for the path with the fewest such takings, never by a sum of floating point
 * numbers.
 * - The order of two steps of a tied group is known when no possible walk has it the other way.
 *
 * The work is bounded. Where it would be more, the confidence of the whole walk stands in for that
 * of the step, which cannot be less.
 */
#include "infer_private.h"

#include <math.h>
#include <string.h>

#define WORK_MAX INT64_C(300000000)

enum { NEW, WAITING, SEEN }; /* a node during a search */

typedef struct maker {
    const bst__rules *rules;
    const bst__graph *graph;
    const bst__path *best;
    const bst__chain *chain;
    const bst__mixture *walks; /* NULL: there is but one */
    bst_walk_step *steps;
    int64_t work_left;
    double whole;              /* the confidence of the best path */
    uint32_t *ranked;          /* mask of the items that have a rank */
    double *share;             /* of edges, without takings */
    double *flow, *next_flow;  /* of nodes; nothing but zeros while not in use */
    uint32_t *stack, *waiting; /* nodes */
    uint8_t *seen;             /* nodes */
    uint32_t *edges;           /* that are takings of one fact in one place */
    uint32_t *which;           /* steps that are */
    double *shares;            /* of those, by single steps, then by all */
    double *seen_shares;
} maker;

static const bst__edge *edge_of(const maker *m, uint32_t step) {
    return &m->graph->edges[m->best->edges[step]];
}

static const uint32_t *met_before(const maker *m, const bst__edge *edge) {
    return bst__graph_row(m->graph, edge->from) + BST__ROW_MET;
}

static const uint32_t *met_after(const maker *m, const bst__edge *edge) {
    return bst__graph_row(m->graph, edge->to) + BST__ROW_MET;
}

/* The first ranked item that the edge meets, or BST_NONE. */
static uint32_t meets(const maker *m, const bst__edge *edge) {
    const uint32_t *const before = met_before(m, edge), *const after = met_after(m, edge);
    for (uint32_t w = 0; w < m->rules->met_words; w++) {
        const uint32_t news = after[w] & ~before[w] & m->ranked[w];
        for (uint32_t bit = 0; news >> bit; bit++) {
            if ((news >> bit) & 1)
                return w * 32 + bit;
        }
    }
    return BST_NONE;
}

static uint32_t place_node(const maker *m, uint32_t place) {
    return m->graph->component_first[m->graph->place_first[place]];
}

/* The edges out of the nodes of a place are the ones from here to that of the next place. */
static uint32_t place_edge(const maker *m, uint32_t place) {
    return m->graph->out.first[place_node(m, place)];
}

static bool is_in(const maker *m, uint32_t node, uint32_t place) {
    return bst__graph_place(m->graph, node) == place;
}

/* ---- recorded steps ---- */

/* Whether two steps leave the same trace: their event, and the state after it. Where an entity came
 * from is the business of the steps before. */
static bool same_fact(const maker *m, uint32_t a, uint32_t b) {
    const bst_transition *const x = &m->rules->machine->transitions[a];
    const bst_transition *const y = &m->rules->machine->transitions[b];
    return a == b || (x->event == y->event && x->to == y->to);
}

static bool meets_item(const maker *m, const bst__edge *edge, uint32_t item) {
    const uint32_t bit = UINT32_C(1) << item % 32, word = item / 32;
    return met_after(m, edge)[word] & ~met_before(m, edge)[word] & bit;
}

/* What the single steps and the walks seen say together. */
static double mixed(const maker *m, double by_steps, double seen) {
    const double total = m->walks->steps_mass + m->walks->seen.total;
    return (m->walks->steps_mass * fmin(by_steps, 1) + seen) / total;
}

/* The mass of the walks seen that meet the item by this fact. */
static double seen_recorded(maker *m, uint32_t item, uint32_t transition) {
    double mass = 0;
    for (uint32_t s = 0; s < m->walks->seen.count; s++) {
        const bst__path *const path = &m->walks->seen.paths[s];
        bool has = false;
        for (uint32_t i = 0; i < path->count && !has; i++) {
            const bst__edge *const edge = &m->graph->edges[path->edges[i]];
            has = same_fact(m, edge->transition, transition) && meets_item(m, edge, item);
        }
        m->work_left -= path->count;
        mass += has ? m->walks->seen.times[s] : 0;
    }
    return mass;
}

/* How many of the walks meet the item by this fact. Exactly 1 when there is no other. */
static double recorded_share(maker *m, uint32_t item, uint32_t transition) {
    const uint32_t place = m->rules->items[item].place;
    const uint32_t first = place_edge(m, place), end = place_edge(m, place + 1);
    double share = 0;
    bool others = false;
    m->work_left -= end - first;
    for (uint32_t e = first; e < end; e++) {
        const bst__edge *const edge = &m->graph->edges[e];
        if (!meets_item(m, edge, item))
            continue;
        if (same_fact(m, edge->transition, transition))
            share += m->chain->visits[edge->from] * m->chain->share[e];
        else
            others = true;
    }
    return others ? mixed(m, share, seen_recorded(m, item, transition)) : 1;
}

/* ---- other steps ---- */

/* The takings of one event into one state in one place. */
typedef struct takings {
    uint32_t transition, place;
    uint32_t most; /* how many the best walk has */
    uint32_t edge_count;
} takings;

static bool is_taking(const maker *m, const takings *of, const bst__edge *edge) {
    return same_fact(m, edge->transition, of->transition) && meets(m, edge) == BST_NONE;
}

static bool is_entry(const maker *m, uint32_t node, uint32_t place) {
    for (uint32_t i = m->graph->in.first[node]; i < m->graph->in.first[node + 1]; i++) {
        if (!is_in(m, m->graph->edges[m->graph->in.edges[i]].from, place))
            return true;
    }
    return node == 0;
}

/* Goes on from the nodes on m->stack without another taking; the nodes that takings lead to go to
 * m->waiting. True: the place can be left so. (Never by a taking: only meeting a claim leaves.) */
static bool spread(maker *m, const takings *of, uint32_t depth, uint32_t *waiting) {
    const bst__graph *const graph = m->graph;
    while (depth > 0) {
        const uint32_t node = m->stack[--depth];
        if (graph->accepting[node])
            return true;
        for (uint32_t e = graph->out.first[node]; e < graph->out.first[node + 1]; e++) {
            const uint32_t to = graph->edges[e].to;
            const bool taking = is_taking(m, of, &graph->edges[e]);
            m->work_left--;
            if (!is_in(m, to, of->place))
                return true;
            if (taking && m->seen[to] == NEW) {
                m->seen[to] = WAITING;
                m->waiting[(*waiting)++] = to;
            } else if (!taking && m->seen[to] != SEEN) {
                m->seen[to] = SEEN;
                m->stack[depth++] = to;
            }
        }
    }
    return false;
}

/* The fewest takings on any path through the place; of->most when it is as many or more. */
static uint32_t fewest(maker *m, const takings *of) {
    const uint32_t first = place_node(m, of->place), end = place_node(m, of->place + 1);
    uint32_t waiting = 0;
    memset(m->seen + first, NEW, end - first);
    for (uint32_t node = first; node < end; node++) {
        if (is_entry(m, node, of->place))
            m->waiting[waiting++] = node;
    }
    for (uint32_t level = 0; level < of->most; level++) {
        uint32_t depth = 0;
        for (uint32_t i = 0; i < waiting; i++) {
            if (m->seen[m->waiting[i]] != SEEN) {
                m->seen[m->waiting[i]] = SEEN;
                m->stack[depth++] = m->waiting[i];
            }
        }
        waiting = 0;
        if (spread(m, of, depth, &waiting))
            return level;
    }
    return of->most;
}

static void find_takings(maker *m, takings *of) {
    const uint32_t end = place_edge(m, of->place + 1);
    for (uint32_t e = place_edge(m, of->place); e < end; e++) {
        if (is_taking(m, of, &m->graph->edges[e]))
            m->edges[of->edge_count++] = e;
    }
}

/* The nodes of the components from the first to the last that a taking leaves. Only these need a
 * second look: before them a walk has had no taking, and after them it has no more. */
typedef struct range {
    uint32_t first_component, end_component, first, end;
} range;

static range range_of(const maker *m, const takings *of) {
    const bst__graph *const graph = m->graph;
    const uint32_t first = graph->component[graph->edges[m->edges[0]].from];
    const uint32_t end = graph->component[graph->edges[m->edges[of->edge_count - 1]].from] + 1;
    return (range){first, end, graph->component_first[first], graph->component_first[end]};
}

/* m->flow: how often walks come into each node of the range from before it. */
static void fill_flow(maker *m, const range *in) {
    const bst__graph *const graph = m->graph;
    for (uint32_t node = in->first; node < in->end; node++) {
        m->flow[node] = node == 0;
        for (uint32_t i = graph->in.first[node]; i < graph->in.first[node + 1]; i++) {
            const uint32_t e = graph->in.edges[i], from = graph->edges[e].from;
            if (from < in->first)
                m->flow[node] += m->chain->visits[from] * m->chain->share[e];
        }
    }
}

static void clear_flow(const maker *m, const takings *of, const range *in, double *flow) {
    memset(flow + in->first, 0, (in->end - in->first) * sizeof *flow);
    for (uint32_t i = 0; i < of->edge_count; i++)
        flow[m->graph->edges[m->edges[i]].to] = 0;
}

/* From the flow before one more taking to the flow right after it. Returns the share of the walks
 * that get so far. */
static double take(maker *m, const takings *of, const range *in) {
    double share = 0, *const before = m->flow, *const after = m->next_flow;
    for (uint32_t i = 0; i < of->edge_count; i++) {
        const bst__edge *const edge = &m->graph->edges[m->edges[i]];
        const double taken = before[edge->from] * m->chain->share[m->edges[i]];
        share += taken;
        after[edge->to] += taken;
    }
    clear_flow(m, of, in, before);
    m->flow = after;
    m->next_flow = before;
    return share;
}

/* m->shares[k]: the share of the walks with more than k takings. BST_LIMIT: the work is used up;
 * the rest of the shares is as it was. */
static bst_status find_shares(maker *m, const takings *of) {
    const range in = range_of(m, of);
    bst_status status = BST_OK;
    for (uint32_t i = 0; i < of->edge_count; i++)
        m->share[m->edges[i]] = 0;
    fill_flow(m, &in);
    for (uint32_t k = 0; k < of->most && status == BST_OK; k++) {
        status = bst__chain_flow(m->graph, m->share, in.first_component, in.end_component,
                                 &m->work_left, m->flow);
        const double share = take(m, of, &in);
        if (status == BST_OK)
            m->shares[k] = share;
    }
    clear_flow(m, of, &in, m->flow);
    for (uint32_t i = 0; i < of->edge_count; i++)
        m->share[m->edges[i]] = m->chain->share[m->edges[i]];
    return status;
}

/* Adds the walks seen to what single steps say: m->shares[k]. */
static void mix_shares(maker *m, const takings *of) {
    double *const seen = m->seen_shares;
    for (uint32_t k = 0; k < of->most; k++)
        seen[k] = 0;
    for (uint32_t s = 0; s < m->walks->seen.count; s++) {
        const bst__path *const path = &m->walks->seen.paths[s];
        uint32_t count = 0;
        for (uint32_t i = 0; i < path->count; i++) {
            const bst__edge *const edge = &m->graph->edges[path->edges[i]];
            if (is_in(m, edge->from, of->place) && is_taking(m, of, edge) && count < of->most)
                seen[count++] += m->walks->seen.times[s];
        }
        m->work_left -= path->count;
    }
    for (uint32_t k = 0; k < of->most; k++)
        m->shares[k] = mixed(m, m->shares[k], seen[k]);
}

/* Basis and confidence of the takings like that of `step`, which is the first of them. */
static bst_status make_takings(maker *m, uint32_t step, uint32_t end) {
    const bst__edge *const edge = edge_of(m, step);
    takings of = {edge->transition, bst__graph_place(m->graph, edge->from), 0, 0};
    uint32_t *const which = m->which;
    for (uint32_t i = step; i < end; i++) {
        if (m->steps[i].claim == BST_NONE && same_fact(m, m->steps[i].transition, of.transition))
            which[of.most++] = i;
    }
    const uint32_t implied = m->work_left > 0 ? fewest(m, &of) : 0;
    bst_status status = BST_OK;
    for (uint32_t k = 0; k < of.most; k++)
        m->shares[k] = 0;
    find_takings(m, &of);
    if (implied < of.most)
        status = find_shares(m, &of);
    if (implied < of.most && status == BST_OK)
        mix_shares(m, &of);
    for (uint32_t k = 0; k < of.most; k++) {
        bst_walk_step *const made = &m->steps[which[k]];
        made->basis = k < implied ? BST_BASIS_IMPLIED : BST_BASIS_ASSUMED;
        made->confidence = k < implied ? 1 : fmin(fmax(m->shares[k], m->whole), 1);
    }
    return status == BST_LIMIT ? BST_OK : status;
}

/* ---- ties ---- */

/* ret: the items that are met, in some walk, while this one is not yet. */
static void met_earlier(maker *m, uint32_t item, uint32_t *ret) {
    const uint32_t place = m->rules->items[item].place;
    const uint32_t end = place_node(m, place + 1);
    memset(ret, 0, m->rules->met_words * sizeof *ret);
    for (uint32_t node = place_node(m, place); node < end; node++) {
        const uint32_t *const row = bst__graph_row(m->graph, node);
        m->work_left--;
        for (uint32_t w = 0; w < m->rules->met_words && !bst__rules_met(row, item); w++)
            ret[w] |= row[BST__ROW_MET + w];
    }
}

/* Has the pair an order that is not known? `here` is met by the edge, `there` by another step. */
static bool either_way(maker *m, const bst__edge *edge, uint32_t here, uint32_t there) {
    uint32_t earlier[BST_CLAIMS_MAX / 32];
    const bool there_first = bst__rules_met(bst__graph_row(m->graph, edge->from), there);
    const uint32_t asked = there_first ? here : there;
    met_earlier(m, there_first ? there : here, earlier);
    return (earlier[asked / 32] >> asked % 32) & 1;
}

static bool is_tied(maker *m, const bst__edge *edge) {
    const uint32_t *const from = bst__graph_row(m->graph, edge->from);
    const uint32_t *const to = bst__graph_row(m->graph, edge->to);
    const uint32_t place = from[BST__ROW_PLACE];
    for (uint32_t here = 0; here < m->rules->item_count; here++) {
        if (m->rules->items[here].place != place || bst__rules_met(from, here) ||
            !bst__rules_met(to, here))
            continue;
        for (uint32_t there = 0; there < m->rules->item_count; there++) {
            const bool same_step = bst__rules_met(to, there) && !bst__rules_met(from, there);
            if (m->rules->items[there].place == place && !same_step &&
                (m->work_left <= 0 || either_way(m, edge, here, there)))
                return true;
        }
    }
    return false;
}

/* ---- all of them ---- */

static bool make_room(maker *m, bst_arena *arena) {
    m->ranked = bst_arena_array(arena, m->rules->met_words, sizeof *m->ranked);
    m->share = bst_arena_array(arena, m->graph->edge_count, sizeof *m->share);
    m->edges = bst_arena_array(arena, m->graph->edge_count, sizeof *m->edges);
    m->flow = bst_arena_array(arena, m->graph->node_count, sizeof *m->flow);
    m->next_flow = bst_arena_array(arena, m->graph->node_count, sizeof *m->next_flow);
    m->stack = bst_arena_array(arena, m->graph->node_count, sizeof *m->stack);
    m->waiting = bst_arena_array(arena, m->graph->node_count, sizeof *m->waiting);
    m->seen = bst_arena_array(arena, m->graph->node_count, sizeof *m->seen);
    m->which = bst_arena_array(arena, m->best->count, sizeof *m->which);
    m->shares = bst_arena_array(arena, m->best->count, sizeof *m->shares);
    m->seen_shares = bst_arena_array(arena, m->best->count, sizeof *m->seen_shares);
    return m->ranked && m->share && m->edges && m->flow && m->next_flow && m->stack && m->waiting &&
           m->seen && m->which && m->shares && m->seen_shares;
}

static void make_recorded(maker *m) {
    for (uint32_t i = 0; i < m->best->count; i++) {
        const bst__edge *const edge = edge_of(m, i);
        const uint32_t item = meets(m, edge);
        m->steps[i] = (bst_walk_step){edge->transition, BST_NONE, BST_BASIS_IMPLIED, 0, false, i};
        if (item != BST_NONE) {
            m->steps[i].claim = m->rules->items[item].claim;
            m->steps[i].basis = BST_BASIS_RECORDED;
        }
        if (!m->chain) {
            m->steps[i].confidence = 1;
        } else if (item != BST_NONE) {
            const double share = recorded_share(m, item, edge->transition);
            m->steps[i].confidence = fmax(share, m->whole);
            m->steps[i].tied = is_tied(m, edge);
        }
    }
}

/* The step after the last one in the place of `step`. */
static uint32_t place_end(const maker *m, uint32_t step) {
    const uint32_t place = bst__graph_place(m->graph, edge_of(m, step)->from);
    while (step < m->best->count && is_in(m, edge_of(m, step)->from, place))
        step++;
    return step;
}

bst_status bst__steps_make(const bst__rules *rules, const bst__graph *graph, const bst__path *best,
                           const bst__mixture *walks, double whole, bst_arena *scratch,
                           bst_walk_step *ret) {
    const bst__chain *const chain = walks ? walks->chain : NULL;
    maker m = {.rules = rules,
               .graph = graph,
               .best = best,
               .chain = chain,
               .walks = walks,
               .whole = whole};
    bst_status status = BST_OK;
    m.steps = ret;
    m.work_left = WORK_MAX;
    if (!make_room(&m, scratch))
        return BST_NOMEM;
    for (uint32_t i = 0; i < rules->item_count; i++) {
        if (rules->items[i].place != BST_NONE)
            m.ranked[i / 32] |= UINT32_C(1) << i % 32;
    }
    make_recorded(&m);
    if (!chain)
        return BST_OK;
    memcpy(m.share, chain->share, graph->edge_count * sizeof *m.share);
    for (uint32_t i = 0, end = 0; i < best->count && status == BST_OK; i++) {
        if (i == end)
            end = place_end(&m, i);
        if (ret[i].confidence == 0)
            status = make_takings(&m, i, end);
    }
    return status;
}
