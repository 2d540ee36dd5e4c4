/* Where one can get to, and where one cannot get away from. Two walks over the graph of states,
 * from the creations onwards and from the ends backwards; a search for circles among the few
 * states that the second one did not find. Guards are taken as possible.
 */
#include "check_private.h"

#define SHOWN_MAX 8 /* states of a circle that a message names */

typedef struct edges {
    uint32_t *first; /* by state: its edges are heads[first[s]] .. heads[first[s + 1] - 1] */
    uint32_t *heads;
} edges;

typedef struct ways {
    bst__check *check;
    const bst_machine *machine;
    edges onwards, backwards;
    uint32_t *queue;
    bool *reachable; /* by state */
    bool *dead_end;  /* by state: not final, and nothing leaves it */
    bool *ends;      /* by state: a final state, or else a dead end, can be reached */
    bool *final;     /* by state: a final state can be reached */
    bool *circling;  /* by state: one of a circle that was reported */
    bool has_final, no_way_wanted;
} ways;

static bool make_edges(bst__check *c, bool backwards, edges *ret) {
    const bst_machine *m = c->machine;
    uint32_t *first = bst_arena_array(c->arena, (size_t)m->state_count + 2, sizeof *first);
    uint32_t *heads = bst_arena_array(c->arena, m->transition_count, sizeof *heads);
    if (!first || !heads) {
        return false;
    }
    for (uint32_t i = m->creation_count; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        first[(backwards ? t->to : t->from) + 2]++;
    }
    for (uint32_t s = 0; s < m->state_count; s++) {
        first[s + 2] += first[s + 1];
    }
    for (uint32_t i = m->creation_count; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        heads[first[(backwards ? t->to : t->from) + 1]++] = backwards ? t->from : t->to;
    }
    *ret = (edges){first, heads};
    return true;
}

/* Marks in `seen` what can be reached from the states in `queue`. */
static void spread(const edges *graph, uint32_t *queue, uint32_t count, bool *seen) {
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t state = queue[at];
        for (uint32_t e = graph->first[state]; e < graph->first[state + 1]; e++) {
            const uint32_t next = graph->heads[e];
            if (!seen[next]) {
                seen[next] = true;
                queue[count++] = next;
            }
        }
    }
}

static bool leaves(const bst_machine *m, uint32_t state) {
    const bst_state *s = &m->states[state];
    for (uint32_t i = 0; i < s->transition_count; i++) {
        if (m->transitions[s->first_transition + i].to != state) {
            return true;
        }
    }
    return false;
}

static bool make_flags(ways *w) {
    const size_t count = w->machine->state_count;
    bst_arena *arena = w->check->arena;
    w->queue = bst_arena_array(arena, count, sizeof *w->queue);
    w->reachable = bst_arena_array(arena, count, sizeof *w->reachable);
    w->dead_end = bst_arena_array(arena, count, sizeof *w->dead_end);
    w->ends = bst_arena_array(arena, count, sizeof *w->ends);
    w->final = bst_arena_array(arena, count, sizeof *w->final);
    w->circling = bst_arena_array(arena, count, sizeof *w->circling);
    return w->queue && w->reachable && w->dead_end && w->ends && w->final && w->circling &&
           make_edges(w->check, false, &w->onwards) && make_edges(w->check, true, &w->backwards);
}

static bool find_ways(ways *w) {
    const bst_machine *m = w->machine;
    if (!make_flags(w)) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->creation_count; i++) {
        const uint32_t to = m->transitions[i].to;
        if (!w->reachable[to]) {
            w->reachable[to] = true;
            w->queue[count++] = to;
        }
    }
    spread(&w->onwards, w->queue, count, w->reachable);
    uint32_t finals = 0;
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (m->states[s].final) {
            w->final[s] = true;
            w->queue[finals++] = s;
        }
    }
    w->has_final = finals > 0;
    w->no_way_wanted = bst_diags_wants(w->check->diags, BST_WARNING_NO_WAY_TO_FINAL);
    if (w->no_way_wanted) {
        spread(&w->backwards, w->queue, finals, w->final);
    }
    count = 0;
    for (uint32_t s = 0; s < m->state_count; s++) {
        w->dead_end[s] = !m->states[s].final && !leaves(m, s);
        if (m->states[s].final || w->dead_end[s]) {
            w->ends[s] = true; /* a dead end is said to be one; what leads there is not to blame */
            w->queue[count++] = s;
        }
    }
    spread(&w->backwards, w->queue, count, w->ends);
    return true;
}

/* Circles: strongly connected components that nothing leaves, by Tarjan's algorithm without
 * recursion, among the states from which no end can be reached. */

typedef struct visit {
    uint32_t state, edge;
} visit;

typedef struct circles {
    ways *ways;
    uint32_t *number, *low; /* by state; 0: not visited */
    uint32_t *stack;        /* of states whose component is not known yet */
    uint32_t *component;    /* by state; 0: not known yet */
    visit *visits;
    uint32_t *from; /* by state: for the shortest way round */
    uint32_t numbered, stacked, components;
} circles;

static bool make_circles(circles *c, ways *w) {
    const size_t count = w->machine->state_count;
    bst_arena *arena = w->check->arena;
    c->ways = w;
    c->number = bst_arena_array(arena, count, sizeof *c->number);
    c->low = bst_arena_array(arena, count, sizeof *c->low);
    c->stack = bst_arena_array(arena, count, sizeof *c->stack);
    c->component = bst_arena_array(arena, count, sizeof *c->component);
    c->visits = bst_arena_array(arena, count, sizeof *c->visits);
    c->from = bst_arena_array(arena, count, sizeof *c->from);
    return c->number && c->low && c->stack && c->component && c->visits && c->from;
}

/* The shortest way from `start` back to itself within its component, in from[]; what it visited is
 * in the queue. */
static uint32_t way_round(circles *c, uint32_t start) {
    const edges *graph = &c->ways->onwards;
    uint32_t *queue = c->ways->queue;
    uint32_t count = 1;
    queue[0] = start;
    for (uint32_t at = 0; at < count; at++) {
        for (uint32_t e = graph->first[queue[at]]; e < graph->first[queue[at] + 1]; e++) {
            const uint32_t next = graph->heads[e];
            if (next == start && queue[at] != start) {
                c->from[start] = queue[at];
                return count;
            }
            if (next != start && c->from[next] == BST_NONE) {
                c->from[next] = queue[at];
                queue[count++] = next;
            }
        }
    }
    return count;
}

static void report_circle(circles *c, uint32_t start, uint32_t size) {
    const bst_machine *m = c->ways->machine;
    const bst_loc where = bst_machine_state_where(m, start);
    bst_strbuf names = BST_STRBUF_INIT;
    uint32_t *path = c->low; /* of no use any more: the component is known */
    uint32_t length = 0;
    const uint32_t visited = way_round(c, start);
    uint32_t at = start;
    do {
        at = c->from[at];
        path[length++] = at;
    } while (at != start);
    for (uint32_t i = 0; i < visited; i++) {
        c->from[c->ways->queue[i]] = BST_NONE;
    }
    for (uint32_t i = length; i > 0; i--) {
        if (length - i == SHOWN_MAX) {
            bst_strbuf_adds(&names, "... -> ");
            break;
        }
        bst_strbuf_addf(&names, "%s -> ", m->states[path[i - 1]].name);
    }
    bst_strbuf_adds(&names, m->states[start].name);
    WARN(c->ways->check, "cycle-without-exit", &where,
         "nothing leads out of the circle %s: no final state can be reached", names.text);
    if (size > length) {
        bst_diag_detail(c->ways->check->diags, "%u states hang together in it.", size);
    }
    bst_diag_hint(c->ways->check->diags, "Lead a transition out of it to a final state, or make a "
                                         "state of it final.");
    bst_strbuf_release(&names);
}

/* A component is complete: the states on the stack from `root` on. */
static void close_component(circles *c, uint32_t root) {
    ways *w = c->ways;
    const uint32_t component = ++c->components;
    uint32_t size = 0;
    uint32_t bottom = c->stacked;
    do {
        c->component[c->stack[--bottom]] = component;
        size++;
    } while (c->stack[bottom] != root);
    bool left = false;
    uint32_t first = root;
    for (uint32_t i = bottom; i < c->stacked; i++) {
        const uint32_t s = c->stack[i];
        first = s < first ? s : first;
        for (uint32_t e = w->onwards.first[s]; e < w->onwards.first[s + 1]; e++) {
            left = left || c->component[w->onwards.heads[e]] != component;
        }
    }
    for (uint32_t i = bottom; i < c->stacked && !left; i++) {
        w->circling[c->stack[i]] = true;
    }
    if (!left) {
        c->from[first] = size; /* reported once all are known, in the order of the file */
    }
    c->stacked = bottom;
}

static void search_from(circles *c, uint32_t start) {
    const edges *graph = &c->ways->onwards;
    uint32_t depth = 0;
    c->visits[depth++] = (visit){start, graph->first[start]};
    c->number[start] = c->low[start] = ++c->numbered;
    c->stack[c->stacked++] = start;
    while (depth) {
        visit *v = &c->visits[depth - 1];
        if (v->edge < graph->first[v->state + 1]) {
            const uint32_t next = graph->heads[v->edge++];
            if (!c->number[next]) {
                c->visits[depth++] = (visit){next, graph->first[next]};
                c->number[next] = c->low[next] = ++c->numbered;
                c->stack[c->stacked++] = next;
            } else if (!c->component[next] && c->number[next] < c->low[v->state]) {
                c->low[v->state] = c->number[next];
            }
            continue;
        }
        const uint32_t state = v->state;
        if (c->low[state] == c->number[state]) {
            close_component(c, state);
        }
        if (--depth) {
            const uint32_t up = c->visits[depth - 1].state;
            c->low[up] = c->low[state] < c->low[up] ? c->low[state] : c->low[up];
        }
    }
}

static bool check_circles(ways *w) {
    const uint32_t count = w->machine->state_count;
    bool any = false;
    for (uint32_t s = 0; s < count && !any; s++) {
        any = w->reachable[s] && !w->ends[s];
    }
    if (!any || !w->has_final) {
        return true;
    }
    circles c = {0};
    uint32_t *sizes = bst_arena_array(w->check->arena, count, sizeof *sizes);
    if (!make_circles(&c, w) || !sizes) {
        return false;
    }
    for (uint32_t s = 0; s < count; s++) {
        if (w->reachable[s] && !w->ends[s] && !c.number[s]) {
            search_from(&c, s);
        }
    }
    for (uint32_t s = 0; s < count; s++) {
        sizes[s] = c.from[s];
        c.from[s] = BST_NONE;
    }
    uint32_t reported = 0;
    for (uint32_t s = 0; s < count && reported < BST_DIAGS_LIMIT; s++) {
        /* where states are combinations, the first circle speaks for all */
        if (sizes[s] && (reported == 0 || w->machine->states[s].node_count == 1)) {
            report_circle(&c, s, sizes[s]);
            reported++;
        }
    }
    return true;
}

static void report_unreachable(ways *w, const bst_loc *where, const char *name) {
    WARN(w->check, "unreachable-state", where, "state \"%s\" cannot be reached", name);
    bst_diag_hint(w->check->diags,
                  "Lead a transition to it, create entities in it with \"creates\", or "
                  "remove it.");
}

/* Opt-in: what is wrong is said of where such states lead. */
static bool has_no_way(const ways *w, uint32_t state) {
    return w->has_final && w->no_way_wanted && !w->dead_end[state] && !w->final[state] &&
           !w->circling[state];
}

static bool is_passed(const ways *w, uint32_t node) {
    const bool *passed = w->check->m->passed;
    return passed && passed[node];
}

static void check_state(ways *w, uint32_t number) {
    const bst_machine *m = w->machine;
    const bst_state *state = &m->states[number];
    const bst_loc where = bst_machine_state_where(m, number);
    if (!w->reachable[number] && is_passed(w, state->nodes[0])) {
        return; /* nothing ever rests there */
    }
    if (!w->reachable[number]) {
        report_unreachable(w, &where, state->name);
        return;
    }
    if (w->has_final && w->dead_end[number]) {
        const bool inner_end = m->nodes[state->nodes[0]].kind == BST_NODE_FINAL;
        WARN(w->check, "dead-end", &where, "state \"%s\" is not final, but nothing leads out of it",
             state->name);
        bst_diag_hint(w->check->diags,
                      inner_end ? "It ends the state around it, not the machine: give that one an "
                                  "\"onDone\"."
                                : "Add \"type\": \"final\" when a life may end here, or a "
                                  "transition.");
    } else if (has_no_way(w, number)) {
        WARN(w->check, "no-way-to-final", &where, "no final state can be reached from state \"%s\"",
             state->name);
        bst_diag_hint(w->check->diags, "It leads only to states that have a finding of their own.");
    }
}

/* Leaves that are part of no configuration. Without regions every leaf is one. */
static bool check_leaves(ways *w) {
    const bst_machine *m = w->machine;
    bool *active = bst_arena_array(w->check->arena, m->node_count, sizeof *active);
    for (uint32_t s = 0; active && s < m->state_count; s++) {
        for (uint32_t i = 0; i < m->states[s].node_count; i++) {
            active[m->states[s].nodes[i]] = true;
        }
    }
    for (uint32_t n = 1; active && n < m->node_count; n++) {
        const bool leaf = m->nodes[n].kind == BST_NODE_ATOMIC || m->nodes[n].kind == BST_NODE_FINAL;
        if (leaf && !active[n] && !is_passed(w, n)) {
            const bst_loc where = bst_machine_node_where(m, n);
            report_unreachable(w, &where, m->nodes[n].path);
        }
    }
    return active != NULL;
}

/* A final node that something leaves of its own accord. */
static void check_exits(ways *w) {
    const bst_machine *m = w->machine;
    uint32_t before = BST_NONE;
    for (uint32_t i = 0; i < w->check->m->written_count; i++) {
        const uint32_t node = w->check->m->written[i].node;
        if (node == BST_NONE || node == before || m->nodes[node].kind != BST_NODE_FINAL) {
            continue;
        }
        before = node;
        bst_strbuf pointer = BST_STRBUF_INIT;
        bst__node_pointer(m, node, &pointer);
        bst_json_pointer_add(&pointer, "on");
        const bst_loc where = bst_json_source_key(m->source, pointer.text);
        bst_strbuf_release(&pointer);
        WARN(w->check, "final-with-exit", &where, "final state \"%s\" accepts commands",
             m->nodes[node].path);
        bst_diag_hint(w->check->diags,
                      "Remove \"on\", or \"type\": \"final\": a final state is the end of a life.");
    }
}

/* Where states are combinations, what is odd about one is odd about many: the first speaks for
 * all. */
static void check_states(ways *w) {
    const bst_machine *m = w->machine;
    bool dead_end_said = false;
    bool no_way_said = false;
    for (uint32_t s = 0; s < m->state_count; s++) {
        const bool combined = m->states[s].node_count > 1;
        const bool odd = !w->reachable[s] || (w->has_final && w->dead_end[s]) || has_no_way(w, s);
        bool *said = w->dead_end[s] ? &dead_end_said : &no_way_said;
        if (odd && (!combined || !*said)) {
            check_state(w, s);
            *said = *said || combined;
        }
    }
    check_exits(w);
}

bool bst__check_ways(bst__check *c) {
    ways w = {.check = c, .machine = c->machine};
    if (c->m->regions) { /* its states were found from the beginning, and are parts of ways only */
        check_exits(&w);
        return check_leaves(&w);
    }
    if (!find_ways(&w) || !check_circles(&w) || !check_leaves(&w)) {
        return false;
    }
    check_states(&w);
    return true;
}
