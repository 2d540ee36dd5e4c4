/* The last few states of walks, as an automaton: from context to context by each step.
 *
 * Contexts are found by their states, newest first. Every beginning of a context that walks had is
 * one that they had, and so is every end of it: so the longest context after a step goes on from
 * the longest one before it, and the automaton forgets nothing that it will need.
 */
#include "backstory/contexts.h"

#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#define UNUSED (BST_NONE - 1) /* BST_NONE is what comes before the creation */

typedef struct node {
    uint32_t states[BST_CONTEXT_STATES_MAX]; /* newest first */
    uint32_t number;
    const struct node *shorter;
    bool lost;
    UT_hash_handle hh;
} node;

typedef struct builder {
    const bst_machine *machine;
    bst_arena *arena;
    uint32_t states; /* at most, of one node */
    node *all;       /* hash table, in order of their numbers */
    uint32_t count;
    uint32_t *state, *shorter, *first, *after, *after_birth;
} builder;

static node *find(const builder *b, const uint32_t *states) {
    node *found = NULL;
    HASH_FIND(hh, b->all, states, sizeof found->states, found);
    return found;
}

static bst_status add(builder *b, const uint32_t *states, const node *shorter, node **ret) {
    if (b->count == BST_CONTEXTS_MAX + b->machine->state_count)
        return BST_LIMIT;
    node *const new = *ret = bst_arena_alloc(b->arena, sizeof *new);
    if (!new)
        return BST_NOMEM;
    *new = (node){.number = b->count++, .shorter = shorter};
    memcpy(new->states, states, sizeof new->states);
    HASH_ADD(hh, b->all, states, sizeof new->states, new);
    return new->lost ? BST_NOMEM : BST_OK;
}

static void no_states(uint32_t *states) {
    for (uint32_t i = 0; i < BST_CONTEXT_STATES_MAX; i++)
        states[i] = UNUSED;
}

static bst_status add_states(builder *b) {
    bst_status status = BST_OK;
    for (uint32_t s = 0; s < b->machine->state_count && status == BST_OK; s++) {
        uint32_t states[BST_CONTEXT_STATES_MAX];
        node *new;
        no_states(states);
        states[0] = s;
        status = add(b, states, NULL, &new);
    }
    return status;
}

/* The contexts that the walk is in after its step `at`, the shorter before the longer. */
static bst_status add_contexts(builder *b, const bst_seen_walk *walk, uint32_t at) {
    uint32_t states[BST_CONTEXT_STATES_MAX];
    node *last = NULL;
    no_states(states);
    for (uint32_t back = 0; back < b->states && back <= at + 1; back++) {
        const bool born = back <= at;
        states[back] = born ? b->machine->transitions[walk->transitions[at - back]].to : BST_NONE;
        node *found = find(b, states);
        const bst_status status = found ? BST_OK : add(b, states, last, &found);
        if (status != BST_OK)
            return status;
        last = found;
    }
    return BST_OK;
}

static bst_status add_walks(builder *b, uint32_t count, const bst_seen_walk *seen) {
    bst_status status = add_states(b);
    for (uint32_t w = 0; w < count && status == BST_OK; w++) {
        for (uint32_t at = 0; at < seen[w].step_count && status == BST_OK; at++)
            status = add_contexts(b, &seen[w], at);
    }
    return status;
}

/* ---- the automaton ---- */

/* The longest context that is known, when `to` is entered after these states. */
static uint32_t enter(const builder *b, const uint32_t *before, uint32_t to) {
    uint32_t states[BST_CONTEXT_STATES_MAX];
    const node *longest = NULL, *found;
    no_states(states);
    states[0] = to;
    for (uint32_t i = 1; (found = find(b, states)) != NULL; i++) {
        longest = found;
        if (i == b->states || before[i - 1] == UNUSED)
            break;
        states[i] = before[i - 1];
    }
    return longest->number;
}

static bool make_arrays(builder *b) {
    size_t steps = 0;
    for (const node *c = b->all; c; c = c->hh.next)
        steps += b->machine->states[c->states[0]].transition_count;
    b->state = bst_arena_array(b->arena, b->count, sizeof *b->state);
    b->shorter = bst_arena_array(b->arena, b->count, sizeof *b->shorter);
    b->first = bst_arena_array(b->arena, (size_t)b->count + 1, sizeof *b->first);
    b->after = bst_arena_array(b->arena, steps, sizeof *b->after);
    b->after_birth = bst_arena_array(b->arena, b->machine->creation_count, sizeof *b->after_birth);
    return steps < BST_NONE && b->state && b->shorter && b->first && b->after && b->after_birth;
}

static void fill_arrays(builder *b) {
    uint32_t unborn[BST_CONTEXT_STATES_MAX], steps = 0;
    no_states(unborn);
    unborn[0] = BST_NONE;
    for (uint32_t t = 0; t < b->machine->creation_count; t++)
        b->after_birth[t] = enter(b, unborn, b->machine->transitions[t].to);
    for (const node *c = b->all; c; c = c->hh.next) {
        const bst_state *const state = &b->machine->states[c->states[0]];
        b->state[c->number] = c->states[0];
        b->shorter[c->number] = c->shorter ? c->shorter->number : BST_NONE;
        b->first[c->number] = steps;
        for (uint32_t i = 0; i < state->transition_count; i++) {
            const uint32_t to = b->machine->transitions[state->first_transition + i].to;
            b->after[steps++] = enter(b, c->states, to);
        }
    }
    b->first[b->count] = steps;
}

bst_status bst_contexts_make(const bst_machine *machine, uint32_t states, uint32_t seen_count,
                             const bst_seen_walk *seen, bst_arena *arena, bst_contexts *ret) {
    builder b = {.machine = machine, .arena = arena, .states = states};
    if (b.states > BST_CONTEXT_STATES_MAX)
        b.states = BST_CONTEXT_STATES_MAX;
    bst_status status = add_walks(&b, seen_count, seen);
    if (status == BST_OK && !make_arrays(&b))
        status = BST_NOMEM;
    if (status == BST_OK) {
        fill_arrays(&b);
        *ret = (bst_contexts){b.count,
                              b.state,
                              b.shorter,
                              b.first,
                              b.after,
                              b.after_birth,
                              bst_arena_array(arena, b.first[b.count], sizeof(double)),
                              bst_arena_array(arena, b.count, sizeof(double))};
        if (!ret->weight || !ret->stop)
            status = BST_NOMEM;
    }
    HASH_CLEAR(hh, b.all);
    return status;
}

/* ---- weights ---- */

static void count_walk(const bst_contexts *c, const bst_machine *machine,
                       const bst_seen_walk *walk) {
    uint32_t context = BST_NONE;
    for (uint32_t i = 0; i < walk->step_count; i++) {
        const uint32_t t = walk->transitions[i];
        for (uint32_t x = context; x != BST_NONE; x = c->shorter[x])
            c->weight[c->first[x] + t - machine->states[c->state[x]].first_transition] +=
                walk->times;
        context = bst_context_after(c, machine, context, t);
    }
    for (uint32_t x = context; x != BST_NONE; x = c->shorter[x])
        c->stop[x] += walk->times;
}

/* From counts to probabilities; the shorter context has its own already. */
static void mix(const bst_contexts *c, uint32_t context, double worth) {
    const uint32_t first = c->first[context], count = c->first[context + 1] - first;
    const uint32_t shorter = c->shorter[context];
    double total = c->stop[context];
    for (uint32_t i = 0; i < count; i++)
        total += c->weight[first + i];
    if (shorter != BST_NONE) {
        total += worth;
        c->stop[context] += worth * c->stop[shorter];
        for (uint32_t i = 0; i < count; i++)
            c->weight[first + i] += worth * c->weight[c->first[shorter] + i];
    }
    for (uint32_t i = 0; i < count && total > 0; i++)
        c->weight[first + i] /= total;
    c->stop[context] /= total > 0 ? total : 1;
}

void bst_contexts_weigh(const bst_contexts *contexts, const bst_machine *machine,
                        const double *weight, const double *stop, uint32_t seen_count,
                        const bst_seen_walk *seen, double worth) {
    memset(contexts->weight, 0, contexts->first[contexts->count] * sizeof *contexts->weight);
    memset(contexts->stop, 0, contexts->count * sizeof *contexts->stop);
    for (uint32_t w = 0; w < seen_count; w++)
        count_walk(contexts, machine, &seen[w]);
    for (uint32_t c = 0; c < contexts->count; c++) {
        const bst_state *const state = &machine->states[contexts->state[c]];
        if (contexts->shorter[c] == BST_NONE) {
            contexts->stop[c] = stop[contexts->state[c]];
            for (uint32_t i = 0; i < state->transition_count; i++)
                contexts->weight[contexts->first[c] + i] = weight[state->first_transition + i];
        }
        mix(contexts, c, worth);
    }
}
