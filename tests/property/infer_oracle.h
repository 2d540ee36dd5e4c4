/* Inference by writing down every walk: slow, small, and with nothing in common with the real one.
 *
 * A walk agrees with the claims if some choice of one step for each HAPPENED claim satisfies all
 * conditions of infer.h; all choices are tried. Each claim is said to be met at the earliest step
 * it has in any of them.
 */
#ifndef INFER_ORACLE_H
#define INFER_ORACLE_H

#include <math.h>
#include <stdlib.h>

#include "backstory/infer.h"

#define ORACLE_STEPS  12u
#define ORACLE_CLAIMS 10u
#define ORACLE_WALKS  2000u
#define ORACLE_WORK   20000u /* tries of a step or of a choice */

typedef struct oracle_walk {
    uint32_t count;
    uint32_t steps[ORACLE_STEPS];
    uint32_t met_at[ORACLE_CLAIMS];   /* step; BST_NONE: not a HAPPENED claim */
    uint32_t met_late[ORACLE_CLAIMS]; /* the latest step it may be */
    double mass;
} oracle_walk;

typedef struct oracle {
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    /* what contexts come from: the walks of the past, and how much shorter ones are worth */
    uint32_t context_states, past_count; /* 0: there are none */
    const bst_seen_walk *past;
    double worth;
    uint32_t steps_max;
    uint32_t count;
    uint32_t work;
    bool full; /* there are more walks than fit, or it takes too long */
    double mass;
    oracle_walk walks[ORACLE_WALKS];
    /* while choosing */
    uint32_t at[ORACLE_CLAIMS];
} oracle;

static inline bool oracle_has(const bst_claim *claim, uint32_t transition) {
    return claim->transitions[transition] != 0;
}

/* Is step `at` an occurrence of the claim's kind? */
static inline bool oracle_occurs(const oracle_walk *walk, const bst_claim *claim, uint32_t at) {
    const bool first =
        claim->occurrence == BST_OCCURRENCE_FIRST || claim->occurrence == BST_OCCURRENCE_ONLY;
    const bool last =
        claim->occurrence == BST_OCCURRENCE_LAST || claim->occurrence == BST_OCCURRENCE_ONLY;
    for (uint32_t i = 0; i < walk->count; i++) {
        if (oracle_has(claim, walk->steps[i]) && ((first && i < at) || (last && i > at)))
            return false;
    }
    return oracle_has(claim, walk->steps[at]);
}

static inline bool oracle_in_order(const oracle *o, uint32_t a, uint32_t b) {
    const bst_claim *const first = &o->question->claims[a], *const second = &o->question->claims[b];
    const bool ranked = first->rank != BST_NONE && second->rank != BST_NONE;
    if (ranked && first->rank < second->rank && o->at[a] >= o->at[b])
        return false;
    return second->after != a || o->at[a] < o->at[b];
}

static inline bool oracle_choose(oracle *o, oracle_walk *walk, uint32_t claim) {
    if (claim == o->question->claim_count) {
        for (uint32_t c = 0; c < claim; c++) {
            if (o->at[c] < walk->met_at[c])
                walk->met_at[c] = o->at[c];
            if (o->at[c] != BST_NONE && o->at[c] > walk->met_late[c])
                walk->met_late[c] = o->at[c];
        }
        return true;
    }
    o->at[claim] = BST_NONE;
    if (o->question->claims[claim].kind != BST_CLAIM_HAPPENED)
        return oracle_choose(o, walk, claim + 1);
    bool any = false;
    o->full = o->full || ++o->work > ORACLE_WORK;
    for (uint32_t at = 0; at < walk->count; at++) {
        bool good = oracle_occurs(walk, &o->question->claims[claim], at);
        o->at[claim] = at;
        for (uint32_t c = 0; c < claim && good; c++)
            good = o->question->claims[c].kind != BST_CLAIM_HAPPENED ||
                   (oracle_in_order(o, c, claim) && oracle_in_order(o, claim, c));
        if (good && o->question->claims[claim].after != claim)
            any = oracle_choose(o, walk, claim + 1) || any;
        o->at[claim] = BST_NONE;
    }
    return any;
}

static inline bool oracle_counts(const oracle *o, const oracle_walk *walk) {
    for (uint32_t c = 0; c < o->question->claim_count; c++) {
        const bst_claim *const claim = &o->question->claims[c];
        uint32_t count = 0;
        for (uint32_t i = 0; i < walk->count; i++)
            count += oracle_has(claim, walk->steps[i]);
        if ((claim->kind == BST_CLAIM_NEVER && count > 0) ||
            (claim->kind == BST_CLAIM_COUNT &&
             ((claim->relation != BST_AT_LEAST && count > claim->count) ||
              (claim->relation != BST_AT_MOST && count < claim->count))))
            return false;
    }
    return true;
}

static inline double oracle_share(const double *weight, uint32_t count, double stop,
                                  uint32_t wanted) {
    double most = stop, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        most = fmax(most, weight[i]);
    const double least = most > 0 ? most * 1e-9 : 1;
    for (uint32_t i = 0; i < count; i++)
        sum += fmax(weight[i], least);
    sum += stop >= 0 ? fmax(stop, least) : 0;
    return fmax(wanted == BST_NONE ? stop : weight[wanted], least) / sum;
}

/* Did the other walk end its first `there` steps in the same `states` states as this one its first
 * `here`? What comes before the creation is one of them. */
static inline bool oracle_alike(const oracle *o, const uint32_t *walk, uint32_t here,
                                const uint32_t *other, uint32_t there, uint32_t states) {
    for (uint32_t i = 1; i <= states; i++) {
        if (i > here || i > there)
            return i == states && here == there;
        if (o->machine->transitions[walk[here - i]].to !=
            o->machine->transitions[other[there - i]].to)
            return false;
    }
    return true;
}

/* How probable the steps of the state are, and the end after them, after the first `at` steps, by
 * what followed the same `states` states in the past. */
static inline void oracle_context(const oracle *o, const oracle_walk *walk, uint32_t at,
                                  uint32_t states, double *ret) {
    const uint32_t number = o->machine->transitions[walk->steps[at - 1]].to;
    const bst_state *const state = &o->machine->states[number];
    const uint32_t count = state->transition_count;
    double total = 0;
    if (states == 1) {
        for (uint32_t i = 0; i < count; i++)
            total += ret[i] = o->weights->weight[state->first_transition + i];
        total += ret[count] = o->weights->stop[number];
        for (uint32_t i = 0; i <= count && total > 0; i++)
            ret[i] /= total;
        return;
    }
    oracle_context(o, walk, at, states - 1, ret);
    double times[64] = {0};
    for (uint32_t w = 0; w < o->past_count; w++) {
        const bst_seen_walk *const past = &o->past[w];
        for (uint32_t there = 1; there <= past->step_count; there++) {
            if (!oracle_alike(o, walk->steps, at, past->transitions, there, states))
                continue;
            const bool ended = there == past->step_count;
            times[ended ? count : past->transitions[there] - state->first_transition] +=
                past->times;
            total += past->times;
        }
    }
    for (uint32_t i = 0; i <= count; i++)
        ret[i] = (times[i] + o->worth * ret[i]) / (total + o->worth);
}

static inline double oracle_mass(const oracle *o, const oracle_walk *walk) {
    double mass = oracle_share(o->weights->weight, o->machine->creation_count, -1, walk->steps[0]) *
                  o->weights->step_penalty;
    for (uint32_t i = 1; i <= walk->count; i++) {
        const uint32_t number = o->machine->transitions[walk->steps[i - 1]].to;
        const bst_state *const state = &o->machine->states[number];
        const uint32_t step = i < walk->count ? walk->steps[i] - state->first_transition : BST_NONE;
        double by_context[64];
        if (o->context_states > 0)
            oracle_context(o, walk, i, o->context_states, by_context);
        mass *= oracle_share(
            o->context_states > 0 ? by_context : o->weights->weight + state->first_transition,
            state->transition_count,
            o->context_states > 0 ? by_context[state->transition_count] : o->weights->stop[number],
            step);
        if (i == walk->count)
            break;
        mass *= o->weights->step_penalty;
        if (o->weights->leads_back && o->weights->leads_back[walk->steps[i]])
            mass *= o->weights->loop_penalty;
    }
    return mass;
}

static inline void oracle_extend(oracle *o, oracle_walk *walk, uint32_t state) {
    const bst_state *const from = state == BST_NONE ? NULL : &o->machine->states[state];
    const uint32_t first = from ? from->first_transition : 0;
    const uint32_t count = from ? from->transition_count : o->machine->creation_count;
    o->full = o->full || ++o->work > ORACLE_WORK;
    if (state == o->question->state && oracle_counts(o, walk)) {
        for (uint32_t c = 0; c < ORACLE_CLAIMS; c++)
            walk->met_at[c] = BST_NONE, walk->met_late[c] = 0;
        if (oracle_choose(o, walk, 0)) {
            o->full = o->full || o->count == ORACLE_WALKS;
            if (o->full)
                return;
            walk->mass = oracle_mass(o, walk);
            o->mass += walk->mass;
            o->walks[o->count++] = *walk;
        }
    }
    for (uint32_t t = first; t < first + count && walk->count < o->steps_max && !o->full; t++) {
        walk->steps[walk->count++] = t;
        oracle_extend(o, walk, o->machine->transitions[t].to);
        walk->count--;
    }
}

/* All walks of at most steps_max steps that agree. */
static inline void oracle_run(oracle *o) {
    oracle_walk walk = {.count = 0};
    o->count = 0;
    o->full = false;
    o->work = 0;
    o->mass = 0;
    oracle_extend(o, &walk, BST_NONE);
}

/* How many groups of equal rank are met before this step. */
static inline uint32_t oracle_place(const oracle *o, const oracle_walk *walk, uint32_t step) {
    uint32_t place = 0;
    for (uint32_t c = 0; c < o->question->claim_count; c++) {
        const uint32_t rank = o->question->claims[c].rank;
        bool counts = o->question->claims[c].kind == BST_CLAIM_HAPPENED && rank != BST_NONE;
        for (uint32_t d = 0; d < o->question->claim_count && counts; d++) {
            const bst_claim *const other = &o->question->claims[d];
            if (other->kind == BST_CLAIM_HAPPENED && other->rank == rank)
                counts = d >= c ? walk->met_at[d] < step
                                : false; /* the group's first claim counts for it */
        }
        place += counts;
    }
    return place;
}

/* The first ranked claim that is met by this step, or BST_NONE. */
static inline uint32_t oracle_claim(const oracle *o, const oracle_walk *walk, uint32_t step) {
    for (uint32_t c = 0; c < o->question->claim_count; c++) {
        if (walk->met_at[c] == step && o->question->claims[c].rank != BST_NONE)
            return c;
    }
    return BST_NONE;
}

/* How often the transition is taken in the place without meeting a ranked claim, before step `end`.
 */
/* The same event, into the same state. */
static inline bool oracle_same(const oracle *o, uint32_t a, uint32_t b) {
    const bst_transition *const x = &o->machine->transitions[a];
    const bst_transition *const y = &o->machine->transitions[b];
    return x->event == y->event && x->to == y->to;
}

static inline uint32_t oracle_takings(const oracle *o, const oracle_walk *walk, uint32_t transition,
                                      uint32_t place, uint32_t end) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < end; i++)
        count += oracle_same(o, walk->steps[i], transition) && oracle_place(o, walk, i) == place &&
                 oracle_claim(o, walk, i) == BST_NONE;
    return count;
}

#endif
