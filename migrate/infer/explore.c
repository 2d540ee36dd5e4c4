/* Explores the product graph (machine x progress through the claims) from its start, level by
 * level, through transitions that lead towards the end at all.
 *
 * Work and memory are bounded by the budget of nodes: edges count towards it, and so do walks that
 * would be longer than allowed.
 */
#include "infer_private.h"

#define EDGES_PER_NODE 8u  /* edges count towards the budget as well */
#define FORKS_MAX      16u /* LAST claims that one step may meet or not */

typedef struct explorer {
    const bst__rules *rules;
    bst__net net;
    uint32_t nodes_max;
    bool probe;     /* stop at the first accepting node */
    uint32_t *next; /* a row being made */
    bool accepted, over_budget;
} explorer;

static const uint32_t *row_of(const explorer *x, uint32_t node) {
    return x->net.rows + (size_t)node * x->rules->stride;
}

/* The node with the row x->next. */
static bool intern(explorer *x, uint32_t *ret) {
    const uint32_t known = x->net.node_count;
    if (!bst__net_node(&x->net, x->next, ret))
        return false;
    if (*ret == known) {
        x->net.accepting[*ret] = bst__rules_accept(x->rules, x->next);
        x->accepted = x->accepted || x->net.accepting[*ret];
        x->over_budget = x->over_budget || x->net.node_count > x->nodes_max;
    }
    return true;
}

static bool add_edge(explorer *x, uint32_t from, uint32_t transition) {
    uint32_t to;
    bst__rules_settle(x->rules, x->next);
    if (!intern(x, &to) || !bst__net_edge(&x->net, from, to, transition))
        return false;
    x->over_budget = x->over_budget || x->net.edge_count / EDGES_PER_NODE > x->nodes_max;
    return true;
}

/* One edge for each set of LAST claims that the step may meet; the one that meets all comes first.
 */
static bool take(explorer *x, uint32_t from, uint32_t transition) {
    bst__choice choice;
    if (x->rules->closed[transition] ||
        !bst__rules_step(x->rules, row_of(x, from), transition, x->next, &choice))
        return true;
    if (choice.count == 0)
        return add_edge(x, from, transition);
    if (choice.count > FORKS_MAX) {
        x->over_budget = true;
        return true;
    }
    for (uint32_t left_out = 0; left_out < 1u << choice.count && !x->over_budget; left_out++) {
        bst__choice again;
        (void)bst__rules_step(x->rules, row_of(x, from), transition, x->next, &again);
        for (uint32_t i = 0; i < choice.count; i++) {
            if (!((left_out >> i) & 1))
                bst__rules_meet(x->next, choice.items[i]);
        }
        if (!add_edge(x, from, transition))
            return false;
    }
    return true;
}

static bool expand(explorer *x, uint32_t node) {
    const bst_machine *const machine = x->rules->machine;
    const uint32_t state = row_of(x, node)[BST__ROW_STATE];
    const uint32_t first = state == BST_NONE ? 0 : machine->states[state].first_transition;
    const uint32_t count =
        state == BST_NONE ? machine->creation_count : machine->states[state].transition_count;
    x->net.first[node] = x->net.edge_count;
    for (uint32_t t = first; t < first + count && !x->over_budget; t++) {
        if (!take(x, node, t))
            return false;
    }
    x->net.first[node + 1] = x->net.edge_count;
    return true;
}

/* Walks that need more steps than are allowed count as over the budget. */
static bst_status explore(explorer *x) {
    uint32_t node, level_end = 0, level = 0;
    x->next = bst_arena_array(x->net.arena, x->rules->stride, sizeof *x->next);
    if (!x->next)
        return BST_NOMEM;
    bst__rules_begin(x->rules, x->next);
    if (!intern(x, &node))
        return BST_NOMEM;
    for (node = 0; node < x->net.node_count && !x->over_budget; node++) {
        if (node == level_end) {
            level_end = x->net.node_count;
            x->over_budget = level++ > BST_WALK_STEPS_MAX;
        }
        if (!expand(x, node))
            return BST_NOMEM;
        if (x->probe && x->accepted)
            break;
    }
    return BST_OK;
}

static bst_outcome outcome_of(const explorer *x) {
    if (x->over_budget && !(x->probe && x->accepted))
        return BST_TOO_AMBIGUOUS;
    return x->accepted ? BST_FOUND : BST_CONTRADICTION;
}

bst_status bst__explore(const bst__rules *rules, uint32_t nodes_max, bst_arena *arena,
                        bst_outcome *ret_outcome, bst__reached *ret) {
    explorer x = {.rules = rules, .nodes_max = nodes_max};
    x.net = (bst__net){.arena = arena, .stride = rules->stride};
    const bst_status status = explore(&x);
    *ret_outcome = outcome_of(&x);
    *ret = bst__net_reached(&x.net);
    return status;
}

bst_status bst__probe(const bst__rules *rules, uint32_t *nodes_left, bst_arena *arena,
                      bst_outcome *ret_outcome) {
    explorer x = {.rules = rules, .nodes_max = *nodes_left, .probe = true};
    x.net = (bst__net){.arena = arena, .stride = rules->stride};
    const bst_status status = explore(&x);
    *nodes_left -= x.net.node_count < *nodes_left ? x.net.node_count : *nodes_left;
    *ret_outcome = outcome_of(&x);
    return status;
}
