/* What the files of inference share.
 *
 *     claims -> rules         claims.c    what a step does to the progress through the claims
 *     histories -> contexts   contexts.c  what a step may depend on, beyond the state at hand
 *     rules -> reached        explore.c   machine x progress: each possible walk is one path
 *     reached -> graph        graph.c     without dead ends, in topological order
 *     graph, costs -> best    best.c      the best and the second best path
 *     graph, costs -> chain   chain.c     how probable all paths are together, and each edge
 *     walks seen -> paths     seen.c      those that are possible, and the chain with them
 *     graph, costs -> others  walks.c     the next best paths, in order
 *     all of it -> steps      steps.c     basis and marginal of each step
 *     a walk -> its times     when.c      which steps the claims may mean
 *     no path -> conflict     conflict.c  which claims clash, and what mends it
 *     graph, values -> graph  fit.c       the walks that fit the values of a row
 *
 * All of it lives in one scratch arena that bst_infer() makes and frees, or bst_walks keeps.
 */
#ifndef BACKSTORY_INFER_PRIVATE_H
#define BACKSTORY_INFER_PRIVATE_H

#include "backstory/infer.h"

/* A node of the product graph is a row of 32-bit words: the state (BST_NONE: not created yet), the
 * place (how many groups of equal rank are met completely), a bit for each HAPPENED claim that is
 * met, a number for each COUNT claim, and the context where there are any. */
enum { BST__ROW_STATE, BST__ROW_PLACE, BST__ROW_MET };

typedef struct bst__item { /* a HAPPENED claim */
    uint32_t claim;        /* its index */
    uint32_t place;        /* its rank, made dense; BST_NONE: no rank */
    uint32_t after;        /* item or BST_NONE */
    bst_occurrence occurrence;
} bst__item;

typedef struct bst__counter { /* a COUNT claim */
    bst_relation relation;
    uint32_t count;
} bst__counter;

typedef struct bst__rules {
    const bst_machine *machine;
    uint32_t start; /* where walks begin; BST_NONE: with a creation */
    uint32_t state; /* where they end */
    uint32_t item_count, counter_count, place_count;
    const bst__item *items;
    const bst__counter *counters;
    uint32_t met_words, stride;
    const bst_contexts *contexts; /* NULL: none; else the last word of a node */
    const uint32_t *groups;       /* place_count masks of met_words: the items of each place */
    /* What transition t is in: touch[touch_first[t]] .. touch[touch_first[t + 1] - 1] are numbers
     * of items, and of counters after them. */
    const uint32_t *touch_first, *touch;
    const uint8_t *closed; /* transitions that no possible walk takes */
} bst__rules;

/* The items that a step may meet or not (LAST: nobody knows yet whether it is the last). */
typedef struct bst__choice {
    uint32_t count;
    uint32_t items[BST_CLAIMS_MAX];
} bst__choice;

/* `use`: flags of the claims to look at; NULL: all. */
bst_status bst__rules_make(const bst_machine *machine, const bst_question *question,
                           const uint8_t *use, bst_arena *arena, bst__rules *ret) BST_MUST_USE;
/* From here on nodes know their context. It tells walks apart that are at the same place, and
 * changes nothing of what is possible. */
void bst__rules_remember(bst__rules *rules, const bst_contexts *contexts);
/* Where walks begin. `row` is all 0. */
void bst__rules_begin(const bst__rules *rules, uint32_t *row);
/* Takes `transition` from `row`. False: the claims forbid it. `next` has what the step certainly
 * does; `choice` what it may do. */
bool bst__rules_step(const bst__rules *rules, const uint32_t *row, uint32_t transition,
                     uint32_t *next, bst__choice *choice);
/* Ends a step, when all that it meets is marked. */
void bst__rules_settle(const bst__rules *rules, uint32_t *row);
void bst__rules_meet(uint32_t *row, uint32_t item);
bool bst__rules_met(const uint32_t *row, uint32_t item);
/* May a walk end here? */
bool bst__rules_accept(const bst__rules *rules, const uint32_t *row);

typedef struct bst__edge {
    uint32_t from, to, transition;
} bst__edge;

/* Neighbours in one direction: of node n, edges[first[n]] .. edges[first[n + 1] - 1]. */
typedef struct bst__arcs {
    const uint32_t *first, *edges;
} bst__arcs;

/* All that can be reached from the start, node 0. Edges are sorted by (from, transition). */
typedef struct bst__reached {
    uint32_t node_count, edge_count, stride;
    const uint32_t *rows;
    const uint32_t *first; /* edge of each node; [node_count + 1] */
    const bst__edge *edges;
    const uint8_t *accepting; /* flags: a walk may end here */
} bst__reached;

/* The same while it grows, in an arena. */
typedef struct bst__net {
    bst_arena *arena;
    uint32_t stride;
    uint32_t node_count, node_capacity, edge_count, edge_capacity, slot_count;
    uint32_t *rows, *first; /* the words, and the first edge, of each node */
    uint8_t *accepting;
    bst__edge *edges;
    uint32_t *slots; /* number of a node + 1, 0: empty; a power of two of them */
} bst__net;

/* The number of the node with these words, made when it is new (then it is the last one). False:
 * out of memory. */
bool bst__net_node(bst__net *net, const uint32_t *row, uint32_t *ret);
bool bst__net_edge(bst__net *net, uint32_t from, uint32_t to, uint32_t transition);
bst__reached bst__net_reached(const bst__net *net);

/* BST_FOUND, BST_CONTRADICTION (no path leads to the end), or BST_TOO_AMBIGUOUS (more than
 * `nodes_max` nodes). */
bst_status bst__explore(const bst__rules *rules, uint32_t nodes_max, bst_arena *arena,
                        bst_outcome *ret_outcome, bst__reached *ret) BST_MUST_USE;
/* The outcome alone: stops at the first path it finds. Takes the nodes it made off `nodes_left`. */
bst_status bst__probe(const bst__rules *rules, uint32_t *nodes_left, bst_arena *arena,
                      bst_outcome *ret_outcome) BST_MUST_USE;

/* Only nodes on some path from the start (node 0) to an accepting node. Nodes are sorted so that
 * every edge leads to a later node, or to one of the same component (a strongly connected one), and
 * so that the nodes of a place stand together. Edges are sorted by (from, transition). */
typedef struct bst__graph {
    uint32_t node_count, edge_count, component_count, place_count; /* places: 0 .. place_count */
    uint32_t stride;
    const uint32_t *rows;
    const bst__edge *edges;
    const uint8_t *accepting;
    bst__arcs out, in;
    const uint32_t *component;       /* of a node */
    const uint32_t *component_first; /* [component_count + 1] its first node */
    const uint32_t *place_first;     /* [place_count + 2] its first component */
} bst__graph;

static inline const uint32_t *bst__graph_row(const bst__graph *graph, uint32_t node) {
    return graph->rows + (size_t)node * graph->stride;
}

static inline uint32_t bst__graph_place(const bst__graph *graph, uint32_t node) {
    return bst__graph_row(graph, node)[BST__ROW_PLACE];
}

/* Of what was reached, when the outcome is BST_FOUND. */
bst_status bst__graph_make(const bst__rules *rules, const bst__reached *reached, bst_arena *arena,
                           bst__graph *ret) BST_MUST_USE;
/* Does exactly one path lead from the start to the end? */
bool bst__graph_single_path(const bst__graph *graph);

/* Minus the logarithm of a probability, in units of 2^-40: sums are exact, whatever their order. */
typedef int64_t bst__cost;
#define BST__COST_UNIT  0x1p-40
#define BST__COST_NEVER INT64_MAX

typedef struct bst__costs {
    const bst__cost *step; /* of each edge */
    const bst__cost *end;  /* of each node where a walk may end: of ending there */
} bst__costs;

bst_status bst__costs_make(const bst__rules *rules, const bst__graph *graph,
                           const bst_weights *weights, const bst_question *question,
                           bst_arena *arena, bst__costs *ret) BST_MUST_USE;

typedef struct bst__path {
    uint32_t count;
    const uint32_t *edges;
    bst__cost cost; /* of its steps, and of its end */
} bst__path;

/* ret[n]: the least cost from node n to the end. */
bst_status bst__distances(const bst__graph *graph, const bst__costs *costs, bst_arena *arena,
                          const bst__cost **ret) BST_MUST_USE;
/* BST_LIMIT, without a finding: it has more than BST_WALK_STEPS_MAX steps. */
bst_status bst__best_path(const bst__graph *graph, const bst__costs *costs,
                          const bst__cost *distance, bst_arena *arena, bst__path *ret) BST_MUST_USE;
/* The best of all others; BST__COST_NEVER when there is none. */
bst_status bst__second_path(const bst__graph *graph, const bst__costs *costs,
                            const bst__cost *distance, const bst__path *best, bst_arena *arena,
                            bst__path *ret) BST_MUST_USE;

/* The possible walks, by their probability, as a chain that always ends as it must. */
typedef struct bst__chain {
    double total;         /* of all walks together; that of the best one is 1 */
    const double *share;  /* of each edge: how probable it is, from its node */
    const double *visits; /* of each node: how often it is on a walk, on the average */
} bst__chain;

/* BST_LIMIT, without a finding: the sums do not settle, or leave the range of numbers. */
bst_status bst__chain_make(const bst__graph *graph, const bst__costs *costs,
                           const bst__cost *distance, bst_arena *arena,
                           bst__chain *ret) BST_MUST_USE;
/* Solves value[n] = value[n] + the sum of share[e] * value[e.from] over the edges into n, for all
 * nodes of the components first .. end - 1. BST_LIMIT also when the work is used up. */
bst_status bst__chain_flow(const bst__graph *graph, const double *share, uint32_t first,
                           uint32_t end, int64_t *work_left, double *value) BST_MUST_USE;

/* The walks of `weights->seen` that are possible, as paths. */
typedef struct bst__seen {
    uint32_t count;
    const bst__path *paths;
    const uint32_t *numbers; /* of each among `weights->seen` */
    double *times;           /* each was seen, or its mass */
    double total;            /* of them */
} bst__seen;

/* `costs` NULL: the costs of the paths are not wanted. */
bst_status bst__seen_make(const bst__rules *rules, const bst__graph *graph, const bst__costs *costs,
                          const bst_weights *weights, bst_arena *arena,
                          bst__seen *ret) BST_MUST_USE;
/* What one walk that was seen elsewhere counts for beside what was seen where the evidence was the
 * very same, when single steps have the mass `steps_mass`; 0: nothing was seen there. */
double bst__seen_factor(const bst__seen *seen, const bst_weights *weights, double steps_mass);
/* Adds what was seen where the evidence was the very same. */
void bst__seen_weigh(bst__seen *seen, const bst_weights *weights, double factor);

/* All possible walks: those that were seen, each by itself, and the chain of single steps. */
typedef struct bst__mixture {
    const bst__chain *chain;
    double steps_mass; /* of the chain; that of what was seen is seen.total */
    bst__seen seen;
} bst__mixture;

typedef struct bst__others_wanted {
    const bst_question *question;
    const bst__path *best; /* is none of them */
    uint32_t max;
    bst__seen seen;
    double unit, total; /* masses: of the best path by steps; of all walks */
} bst__others_wanted;

/* Fills in others and complete. */
bst_status bst__other_walks(const bst__rules *rules, const bst__graph *graph,
                            const bst__costs *costs, const bst__cost *distance,
                            const bst__others_wanted *wanted, bst_arena *scratch, bst_arena *arena,
                            bst_answer *ret) BST_MUST_USE;

/* Every step of the best path with its claim, basis, confidence and tie. `walks` is NULL when the
 * path is the only one; `whole` is its confidence. */
bst_status bst__steps_make(const bst__rules *rules, const bst__graph *graph, const bst__path *best,
                           const bst__mixture *walks, double whole, bst_arena *scratch,
                           bst_walk_step *ret) BST_MUST_USE;

/* `claims`: the ranked claim that each step meets, or BST_NONE. ret_latest[i]: the last step that
 * the claim of step i may mean; i itself: there is no doubt. */
bst_status bst__doubts(const bst_question *question, const uint32_t *walk, uint32_t count,
                       bst_arena *scratch, const uint32_t *claims,
                       uint32_t *ret_latest) BST_MUST_USE;

/* All that the passes hand on. What `scratch` has lives as long as the inference. */
typedef struct bst__inference {
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    bst_arena *arena, *scratch;
    uint32_t nodes_max;
    bst__rules rules;
    bst__graph graph;
    bst__costs costs;
    const bst__cost *distance;
    bool is_part;  /* the graph has not all that is possible ... */
    double factor; /* ... of which this is bst__seen_factor() */
} bst__inference;

/* Makes its scratch arena; BST_LIMIT and BST_NOMEM have a finding. */
bst_status bst__inference_begin(const bst_machine *machine, const bst_weights *weights,
                                const bst_question *question, bst__inference *ret,
                                bst_diags *diags) BST_MUST_USE;
/* Up to the distances, when the outcome is BST_FOUND. */
bst_status bst__find_graph(bst__inference *in, bst_outcome *ret_outcome) BST_MUST_USE;
/* What in->factor is of parts of this graph. */
bst_status bst__find_factor(const bst__inference *in, double *ret) BST_MUST_USE;
/* The answer, from graph, costs and distances, into in->arena. BST_LIMIT, without a finding: the
 * best walk is too long, or sums leave the range of numbers. */
bst_status bst__describe_best(const bst__inference *in, bst_answer *ret) BST_MUST_USE;
/* The claim that an edge records: of those with a rank, the first; BST_NONE. */
uint32_t bst__recorded_claim(const bst__rules *rules, const bst__graph *graph,
                             const bst__edge *edge);

/* Fills in conflict and repairs. */
bst_status bst__conflict_find(const bst_machine *machine, const bst_weights *weights,
                              const bst_question *question, uint32_t nodes_max, bst_arena *arena,
                              bst_answer *ret) BST_MUST_USE;

#endif
