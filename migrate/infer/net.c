/* A graph that grows while it is explored: nodes known by their words, each there once, and edges.
 *
 * A node is a row of words in one growing array; the hash table that finds it again holds its
 * number only, which is why it is written out here.
 */
#include "infer_private.h"

#include <string.h>

#define FIRST_NODES 64u

static const uint32_t *row_of(const bst__net *net, uint32_t node) {
    return net->rows + (size_t)node * net->stride;
}

static uint32_t hash_row(const uint32_t *row, uint32_t words) {
    uint64_t hash = words;
    for (uint32_t i = 0; i < words; i++) {
        hash = (hash ^ row[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 16);
}

static uint32_t *find_slot(const bst__net *net, const uint32_t *row) {
    const uint32_t words = net->stride;
    uint32_t at = hash_row(row, words) & (net->slot_count - 1);
    while (net->slots[at] != 0 &&
           memcmp(row_of(net, net->slots[at] - 1), row, words * sizeof *row) != 0)
        at = (at + 1) & (net->slot_count - 1);
    return &net->slots[at];
}

static void *grown(bst_arena *arena, const void *old, size_t used, size_t capacity, size_t size) {
    void *const array = bst_arena_array(arena, capacity, size);
    if (array && used > 0)
        memcpy(array, old, used * size);
    return array;
}

static bool grow_nodes(bst__net *net) {
    const uint32_t capacity = net->node_capacity > 0 ? net->node_capacity * 2 : FIRST_NODES;
    const uint32_t used = net->node_count;
    net->rows = grown(net->arena, net->rows, used, capacity, net->stride * sizeof *net->rows);
    net->first = grown(net->arena, net->first, used, (size_t)capacity + 1, sizeof *net->first);
    net->accepting = grown(net->arena, net->accepting, used, capacity, sizeof *net->accepting);
    net->slots = bst_arena_array(net->arena, (size_t)capacity * 2, sizeof *net->slots);
    if (!net->rows || !net->first || !net->accepting || !net->slots)
        return false;
    net->node_capacity = capacity;
    net->slot_count = capacity * 2;
    for (uint32_t node = 0; node < used; node++)
        *find_slot(net, row_of(net, node)) = node + 1;
    return true;
}

bool bst__net_node(bst__net *net, const uint32_t *row, uint32_t *ret) {
    uint32_t *slot = net->slot_count > 0 ? find_slot(net, row) : NULL;
    if (slot && *slot != 0) {
        *ret = *slot - 1;
        return true;
    }
    if (net->node_count == net->node_capacity) {
        if (!grow_nodes(net))
            return false;
        slot = find_slot(net, row);
    }
    *ret = net->node_count++;
    *slot = net->node_count;
    memcpy(net->rows + (size_t)*ret * net->stride, row, net->stride * sizeof *row);
    return true;
}

bool bst__net_edge(bst__net *net, uint32_t from, uint32_t to, uint32_t transition) {
    if (net->edge_count == net->edge_capacity) {
        const uint32_t capacity = net->edge_capacity > 0 ? net->edge_capacity * 2 : FIRST_NODES;
        net->edges = grown(net->arena, net->edges, net->edge_count, capacity, sizeof *net->edges);
        net->edge_capacity = capacity;
        if (!net->edges)
            return false;
    }
    net->edges[net->edge_count++] = (bst__edge){from, to, transition};
    return true;
}

bst__reached bst__net_reached(const bst__net *net) {
    return (bst__reached){net->node_count, net->edge_count, net->stride,   net->rows,
                          net->first,      net->edges,      net->accepting};
}
