/* The walks that fit the values of a row.
 *
 * Values are one more coordinate of the product graph: a node of it and the values folded so far.
 * What a step does to them is the lens's affair, and is a function of the walk; so each walk that
 * fits is exactly one path of this graph, and all that is asked of the possible walks can be asked
 * of it: best.c, chain.c, seen.c, steps.c and walks.c do not know the difference. A walk that the
 * values rule out half way is not followed any further, and walks that come to the same values are
 * followed once: the work is that of the different values, not of the different walks.
 *
 * Where that is more than the budget allows, values are forgotten from there on: what follows is
 * every walk that agrees with the claims. So none that fits is ever lost, probabilities are bounds,
 * and the work has an end.
 *
 * The graph of all possible walks is made once for a signature and kept (bst_walks); only what is
 * said of the values of a row is done for each row.
 */
#include "infer_private.h"

#include <stdlib.h>
#include <string.h>

#define EDGES_PER_NODE 8u

struct bst_walks {
    bst__inference in;
    bst_weights weights;
    bst_question question;
    double factor; /* for what values leave of the graph */
    uint32_t step_count;
    const bst_possible_step *steps;
    const uint32_t *edge_steps; /* of each edge of the graph */
};

/* ---- all that are possible ---- */

static void *kept(bst_arena *arena, const void *from, size_t count, size_t size) {
    void *const copy = bst_arena_array(arena, count, size);
    if (copy && count > 0)
        memcpy(copy, from, count * size);
    return copy;
}

static bool keep_question(bst_walks *w, const bst_weights *weights, const bst_question *question) {
    bst_arena *const arena = w->in.scratch;
    const uint32_t transitions = w->in.machine->transition_count;
    bst_claim *const claims = kept(arena, question->claims, question->claim_count, sizeof *claims);
    for (size_t c = 0; claims && c < question->claim_count; c++) {
        claims[c].transitions = kept(arena, claims[c].transitions, transitions, 1);
        if (!claims[c].transitions)
            return false;
    }
    w->question = *question;
    w->question.claims = claims;
    w->in.question = &w->question;
    if (weights) {
        w->weights = *weights;
        w->in.weights = &w->weights;
    }
    if (weights && weights->here) {
        w->weights.here = kept(arena, weights->here, weights->seen_count, sizeof *weights->here);
        return claims && w->weights.here;
    }
    return claims;
}

static bool number_steps(bst_walks *w) {
    const bst__graph *const graph = &w->in.graph;
    bst__net pairs = {.arena = w->in.scratch, .stride = 2};
    uint32_t *const numbers = bst_arena_array(w->in.scratch, graph->edge_count, sizeof *numbers);
    for (uint32_t e = 0; numbers && e < graph->edge_count; e++) {
        const bst__edge *const edge = &graph->edges[e];
        const uint32_t pair[] = {edge->transition, bst__recorded_claim(&w->in.rules, graph, edge)};
        if (!bst__net_node(&pairs, pair, &numbers[e]))
            return false;
    }
    bst_possible_step *const steps =
        bst_arena_array(w->in.scratch, pairs.node_count, sizeof *steps);
    for (uint32_t i = 0; steps && i < pairs.node_count; i++)
        steps[i] = (bst_possible_step){pairs.rows[2 * (size_t)i], pairs.rows[2 * (size_t)i + 1]};
    w->step_count = pairs.node_count;
    w->steps = steps;
    w->edge_steps = numbers;
    return numbers && steps;
}

bst_status bst_walks_new(const bst_machine *machine, const bst_weights *weights,
                         const bst_question *question, bst_walks **ret, bst_diags *diags) {
    bst_outcome outcome = BST_FOUND;
    bst_walks *const w = calloc(1, sizeof *w);
    *ret = NULL;
    if (!w)
        return bst_diag_nomem(diags);
    bst_status status = bst__inference_begin(machine, weights, question, &w->in, diags);
    if (status != BST_OK)
        goto out;
    status = keep_question(w, weights, question) ? bst__find_graph(&w->in, &outcome) : BST_NOMEM;
    if (status == BST_OK && outcome == BST_FOUND && !number_steps(w))
        status = BST_NOMEM;
    if (status == BST_OK && outcome == BST_FOUND && weights && weights->here)
        status = bst__find_factor(&w->in, &w->factor);
    if (status == BST_LIMIT) {
        status = BST_OK;
        outcome = BST_TOO_AMBIGUOUS;
    }
    if (status == BST_NOMEM)
        status = bst_diag_nomem(diags);
    if (status == BST_OK && outcome == BST_FOUND) {
        *ret = w;
        return BST_OK;
    }
out:
    bst_walks_free(w);
    return status;
}

bst_walks *bst_walks_free(bst_walks *walks) {
    if (walks) {
        bst_arena_free(walks->in.scratch);
        free(walks);
    }
    return NULL;
}

size_t bst_walks_bytes(const bst_walks *walks) {
    return bst_arena_used(walks->in.scratch);
}

const bst_possible_step *bst_walks_steps(const bst_walks *walks, uint32_t *ret_count) {
    *ret_count = walks->step_count;
    return walks->steps;
}

/* ---- do they differ ---- */

/* Sequences of labels that lead to the end, each with a number: 0 the empty one, others a label and
 * the rest. Of a component: the one sequence that all paths from it have, or MANY. */
#define UNSEEN (BST_NONE - 1)
#define MANY   BST_NONE

typedef struct comparer {
    const bst_walks *walks;
    const uint32_t *labels;
    bst__net tails;      /* label, rest */
    uint32_t *component; /* number of its sequence; UNSEEN */
} comparer;

static bool join_edge(comparer *c, const bst__edge *edge, uint32_t label, uint32_t *sequence) {
    const uint32_t *const component = c->walks->in.graph.component;
    uint32_t tail = c->component[component[edge->to]];
    if (component[edge->from] == component[edge->to]) {
        *sequence = label != 0 ? MANY : *sequence; /* once round, twice round ... */
        return true;
    }
    if (label != 0 && tail != MANY) {
        const uint32_t row[] = {label, tail};
        if (!bst__net_node(&c->tails, row, &tail))
            return false;
        tail++;
    }
    *sequence = *sequence == UNSEEN || *sequence == tail ? tail : MANY;
    return true;
}

bst_status bst_walks_alike(const bst_walks *walks, const uint32_t *labels, bool *ret,
                           bst_diags *diags) {
    const bst__graph *const graph = &walks->in.graph;
    bst_arena *const arena = bst_arena_new();
    comparer c = {.walks = walks, .labels = labels, .tails = {.arena = arena, .stride = 2}};
    bst_status status = BST_NOMEM;
    c.component =
        arena ? bst_arena_array(arena, graph->component_count, sizeof *c.component) : NULL;
    if (!c.component)
        goto out;
    for (uint32_t of = graph->component_count; of-- > 0;) {
        uint32_t sequence = UNSEEN;
        for (uint32_t n = graph->component_first[of]; n < graph->component_first[of + 1]; n++) {
            if (graph->accepting[n])
                sequence = sequence == UNSEEN || sequence == 0 ? 0 : MANY;
            for (uint32_t e = graph->out.first[n]; e < graph->out.first[n + 1]; e++) {
                if (!join_edge(&c, &graph->edges[e], labels[walks->edge_steps[e]], &sequence))
                    goto out;
            }
        }
        c.component[of] = sequence;
    }
    *ret = c.component[0] != MANY;
    status = BST_OK;
out:
    bst_arena_free(arena);
    return status == BST_OK ? BST_OK : bst_diag_nomem(diags);
}

/* ---- those that fit ---- */

enum { PAIR_NODE, PAIR_VALUES, PAIR_WORDS };
#define FORGOTTEN BST_NONE /* values */

typedef struct fitter {
    const bst_walks *walks;
    const bst_lens *lens;
    bst__net net; /* of pairs */
    uint32_t nodes_max;
    bool accepted, over_budget;
} fitter;

static bool add_pair(fitter *f, uint32_t node, uint32_t values, uint32_t *ret) {
    const uint32_t pair[PAIR_WORDS] = {node, values};
    const uint32_t known = f->net.node_count;
    if (!bst__net_node(&f->net, pair, ret))
        return false;
    if (*ret == known) {
        f->net.accepting[*ret] = f->walks->in.graph.accepting[node] &&
                                 (values == FORGOTTEN || f->lens->accept(f->lens->context, values));
        f->accepted = f->accepted || f->net.accepting[*ret];
    }
    return true;
}

/* The values after a step; how many. */
static uint32_t take(const fitter *f, uint32_t values, uint32_t edge,
                     uint32_t ret[BST_LENS_FORKS_MAX]) {
    if (values != FORGOTTEN && !f->over_budget)
        return f->lens->step(f->lens->context, values, f->walks->edge_steps[edge], ret);
    ret[0] = FORGOTTEN;
    return 1;
}

static bool expand(fitter *f, uint32_t number) {
    const bst__graph *const graph = &f->walks->in.graph;
    const uint32_t node = f->net.rows[(size_t)number * PAIR_WORDS + PAIR_NODE];
    const uint32_t values = f->net.rows[(size_t)number * PAIR_WORDS + PAIR_VALUES];
    uint32_t after[BST_LENS_FORKS_MAX], to;
    f->net.first[number] = f->net.edge_count;
    for (uint32_t e = graph->out.first[node]; e < graph->out.first[node + 1]; e++) {
        const uint32_t forks = take(f, values, e, after);
        for (uint32_t i = 0; i < forks; i++) {
            if (!add_pair(f, graph->edges[e].to, after[i], &to) ||
                !bst__net_edge(&f->net, number, to, graph->edges[e].transition))
                return false;
        }
    }
    f->net.first[number + 1] = f->net.edge_count;
    /* a node is looked at as a whole: what is forgotten, is forgotten of all that follows */
    f->over_budget =
        f->net.node_count > f->nodes_max || f->net.edge_count / EDGES_PER_NODE > f->nodes_max;
    return true;
}

static bst_status explore(fitter *f) {
    uint32_t start;
    if (!add_pair(f, 0, f->lens->start, &start))
        return BST_NOMEM;
    for (uint32_t n = 0; n < f->net.node_count; n++) {
        if (!expand(f, n))
            return BST_NOMEM;
    }
    return BST_OK;
}

/* The words of the graph for each pair, and after them the node of the graph. */
static uint32_t *widen(const fitter *f, bst__reached *reached) {
    const bst__graph *const graph = &f->walks->in.graph;
    const uint32_t stride = graph->stride + 1;
    uint32_t *const rows =
        bst_arena_array(f->net.arena, (size_t)f->net.node_count * stride, sizeof *rows);
    for (uint32_t n = 0; rows && n < f->net.node_count; n++) {
        const uint32_t node = f->net.rows[(size_t)n * PAIR_WORDS + PAIR_NODE];
        memcpy(rows + (size_t)n * stride, bst__graph_row(graph, node),
               graph->stride * sizeof *rows);
        rows[(size_t)n * stride + graph->stride] = node;
    }
    reached->rows = rows;
    reached->stride = stride;
    return rows;
}

/* Nodes by what they are among all that are possible, ends, and edges: nothing else goes into an
 * answer. */
static bool name_shape(const bst__graph *graph, bst_arena *arena, char *ret) {
    const size_t words = 1 + (size_t)graph->node_count + 3 * (size_t)graph->edge_count;
    uint32_t *const text = bst_arena_array(arena, words, sizeof *text);
    size_t at = 0;
    if (!text)
        return false;
    text[at++] = graph->node_count;
    for (uint32_t n = 0; n < graph->node_count; n++)
        text[at++] = bst__graph_row(graph, n)[graph->stride - 1] << 1 | (graph->accepting[n] != 0);
    for (uint32_t e = 0; e < graph->edge_count; e++) {
        text[at++] = graph->edges[e].from;
        text[at++] = graph->edges[e].to;
        text[at++] = graph->edges[e].transition;
    }
    bst_sha256_hex(text, at * sizeof *text, ret);
    return true;
}

bst_status bst_fit_make(const bst_walks *walks, const bst_lens *lens, uint32_t nodes_max,
                        bst_arena *arena, bst_fit *ret, bst_diags *diags) {
    fitter f = {.walks = walks, .lens = lens, .nodes_max = nodes_max};
    f.net = (bst__net){.arena = arena, .stride = PAIR_WORDS};
    bst__graph *const graph = bst_arena_alloc(arena, sizeof *graph);
    *ret = (bst_fit){.outcome = BST_TOO_AMBIGUOUS, .graph = graph};
    if (walks->in.graph.node_count > nodes_max)
        return BST_OK;
    if (!graph || explore(&f) != BST_OK)
        return bst_diag_nomem(diags);
    ret->open = f.over_budget;
    ret->outcome = f.accepted ? BST_FOUND : BST_CONTRADICTION;
    if (ret->outcome != BST_FOUND)
        return BST_OK;
    bst__reached reached = bst__net_reached(&f.net);
    if (!widen(&f, &reached) ||
        bst__graph_make(&walks->in.rules, &reached, arena, graph) != BST_OK ||
        !name_shape(graph, arena, ret->shape))
        return bst_diag_nomem(diags);
    return BST_OK;
}

/* ---- answers ---- */

static bst_status answer(const bst_walks *walks, const bst__graph *graph, uint32_t others_max,
                         bst_arena *arena, bst_answer *ret, bst_diags *diags) {
    bst__inference in = walks->in;
    bst_question question = walks->question;
    question.others_max = others_max;
    in.question = &question;
    in.graph = *graph;
    in.is_part = graph != &walks->in.graph;
    in.factor = walks->factor;
    in.arena = arena;
    in.scratch = bst_arena_new();
    *ret = (bst_answer){.outcome = BST_FOUND};
    bst_status status = in.scratch ? BST_OK : BST_NOMEM;
    if (status == BST_OK)
        status =
            bst__costs_make(&in.rules, &in.graph, in.weights, in.question, in.scratch, &in.costs);
    if (status == BST_OK)
        status = bst__distances(&in.graph, &in.costs, in.scratch, &in.distance);
    if (status == BST_OK)
        status = bst__describe_best(&in, ret);
    bst_arena_free(in.scratch);
    if (status == BST_LIMIT) {
        *ret = (bst_answer){.outcome = BST_TOO_AMBIGUOUS};
        return BST_OK;
    }
    return status == BST_NOMEM ? bst_diag_nomem(diags) : status;
}

bst_status bst_walks_answer(const bst_walks *walks, uint32_t others_max, bst_arena *arena,
                            bst_answer *ret, bst_diags *diags) {
    return answer(walks, &walks->in.graph, others_max, arena, ret, diags);
}

bst_status bst_fit_answer(const bst_walks *walks, const bst_fit *fit, uint32_t others_max,
                          bst_arena *arena, bst_answer *ret, bst_diags *diags) {
    return answer(walks, fit->graph, others_max, arena, ret, diags);
}
