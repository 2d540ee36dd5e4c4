/* Explores the product graph (machine x progress through the claims) from its start, level by
 * level, through transitions that lead towards the end at all.
 *
 * A node is a row of words in one growing array; the hash table that finds it again holds its
 * number only, which is why it is written out here. Work and memory are bounded by the budget of
 * nodes: edges count towards it, and so do walks that would be longer than allowed.
 */
#include "infer_private.h"

#include <string.h>

#define FIRST_NODES    64u
#define EDGES_PER_NODE 8u  /* edges count towards the budget as well */
#define FORKS_MAX      16u /* LAST claims that one step may meet or not */

typedef struct explorer {
    const bst__rules *rules;
    bst_arena *arena;
    uint32_t nodes_max;
    bool probe; /* stop at the first accepting node */
    uint32_t node_count, node_capacity, edge_count, edge_capacity, slot_count;
    uint32_t *rows, *first; /* the words, and the first edge, of each node */
    bst__edge *edges;
    uint32_t *slots; /* number of a node + 1, 0: empty; a power of two of them */
    uint32_t *next;  /* a row being made */
    bool accepted, over_budget;
} explorer;

static uint32_t *row_of(const explorer *x, uint32_t node) {
    return x->rows + (size_t)node * x->rules->stride;
}

static uint32_t hash_row(const uint32_t *row, uint32_t words) {
    uint64_t hash = words;
    for (uint32_t i = 0; i < words; i++) {
        hash = (hash ^ row[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 16);
}

static uint32_t *find_slot(const explorer *x, const uint32_t *row) {
    const uint32_t words = x->rules->stride;
    uint32_t at = hash_row(row, words) & (x->slot_count - 1);
    while (x->slots[at] != 0 && memcmp(row_of(x, x->slots[at] - 1), row, words * sizeof *row) != 0)
        at = (at + 1) & (x->slot_count - 1);
    return &x->slots[at];
}

static void *grown(bst_arena *arena, const void *old, size_t used, size_t capacity, size_t size) {
    void *const array = bst_arena_array(arena, capacity, size);
    if (array && used > 0)
        memcpy(array, old, used * size);
    return array;
}

static bool grow_nodes(explorer *x) {
    const uint32_t capacity = x->node_capacity > 0 ? x->node_capacity * 2 : FIRST_NODES;
    const size_t row_size = x->rules->stride * sizeof *x->rows;
    uint32_t *const rows = grown(x->arena, x->rows, x->node_count, capacity, row_size);
    uint32_t *const first =
        grown(x->arena, x->first, x->node_count, (size_t)capacity + 1, sizeof *first);
    uint32_t *const slots = bst_arena_array(x->arena, (size_t)capacity * 2, sizeof *slots);
    if (!rows || !first || !slots)
        return false;
    x->rows = rows;
    x->first = first;
    x->slots = slots;
    x->node_capacity = capacity;
    x->slot_count = capacity * 2;
    for (uint32_t node = 0; node < x->node_count; node++)
        *find_slot(x, row_of(x, node)) = node + 1;
    return true;
}

/* The number of the node with the row x->next, made when it is new. */
static bool intern(explorer *x, uint32_t *ret) {
    uint32_t *slot = x->slot_count > 0 ? find_slot(x, x->next) : NULL;
    if (slot && *slot != 0) {
        *ret = *slot - 1;
        return true;
    }
    if (x->node_count == x->node_capacity) {
        if (!grow_nodes(x))
            return false;
        slot = find_slot(x, x->next);
    }
    *ret = x->node_count++;
    *slot = x->node_count;
    memcpy(row_of(x, *ret), x->next, x->rules->stride * sizeof *x->next);
    x->accepted = x->accepted || bst__rules_accept(x->rules, x->next);
    x->over_budget = x->over_budget || x->node_count > x->nodes_max;
    return true;
}

static bool add_edge(explorer *x, uint32_t from, uint32_t transition) {
    if (x->edge_count == x->edge_capacity) {
        const uint32_t capacity = x->edge_capacity > 0 ? x->edge_capacity * 2 : FIRST_NODES;
        x->edges = grown(x->arena, x->edges, x->edge_count, capacity, sizeof *x->edges);
        x->edge_capacity = capacity;
        if (!x->edges)
            return false;
    }
    uint32_t to;
    bst__rules_settle(x->rules, x->next);
    if (!intern(x, &to))
        return false;
    x->edges[x->edge_count++] = (bst__edge){from, to, transition};
    x->over_budget = x->over_budget || x->edge_count / EDGES_PER_NODE > x->nodes_max;
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
    x->first[node] = x->edge_count;
    for (uint32_t t = first; t < first + count && !x->over_budget; t++) {
        if (!take(x, node, t))
            return false;
    }
    x->first[node + 1] = x->edge_count;
    return true;
}

/* Walks that need more steps than are allowed count as over the budget. */
static bst_status explore(explorer *x) {
    uint32_t node, level_end = 0, level = 0;
    x->next = bst_arena_array(x->arena, x->rules->stride, sizeof *x->next);
    if (!x->next)
        return BST_NOMEM;
    x->next[BST__ROW_STATE] = x->rules->start;
    if (!intern(x, &node))
        return BST_NOMEM;
    for (node = 0; node < x->node_count && !x->over_budget; node++) {
        if (node == level_end) {
            level_end = x->node_count;
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
    explorer x = {.rules = rules, .arena = arena, .nodes_max = nodes_max};
    const bst_status status = explore(&x);
    *ret_outcome = outcome_of(&x);
    *ret = (bst__reached){x.node_count, x.edge_count, rules->stride, x.rows, x.first, x.edges};
    return status;
}

bst_status bst__probe(const bst__rules *rules, uint32_t *nodes_left, bst_arena *arena,
                      bst_outcome *ret_outcome) {
    explorer x = {.rules = rules, .arena = arena, .nodes_max = *nodes_left, .probe = true};
    const bst_status status = explore(&x);
    *nodes_left -= x.node_count < *nodes_left ? x.node_count : *nodes_left;
    *ret_outcome = outcome_of(&x);
    return status;
}
