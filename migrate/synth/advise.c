/* Which one further column would help most: worked out from what the signatures left open.
 *
 * A row is uncertain because several walks fit it. Suppose a column told when (last) a kind of
 * event happened, or how often: the walks in which it would stand differently are told apart. If
 * the truth is walk w, the row becomes certain when every other walk that fits is told apart from
 * w; so
 *
 *     rows gained = rows * sum of p(w) over the walks w that would be told apart from all others
 *
 * Only walks that are known count. Where others are possible besides, a time or a single count is
 * not said to help: such walks repeat loops, and there is always one more. A log of all events
 * would make every row certain; what it is worth is the number of uncertain rows itself.
 */
#include "synth_private.h"

#include <stdlib.h>

static bool is_of(const bst_synth *synth, const bst_advice *about, const bst__step *step) {
    const bst_transition *transition = &synth->machine->transitions[step->transition];
    switch (about->kind) {
    case BST_ADVICE_EVENT_TIME:
    case BST_ADVICE_EVENT_COUNT:
        return transition->event == about->subject;
    case BST_ADVICE_STATE_TIME:
        return transition->to == about->subject;
    case BST_ADVICE_COUNT_ALL:
        break;
    }
    return true;
}

/* What the column would hold, as far as it can be known: a number of events, or the place of the
 * last of them and what stands before and after it there. */
static uint64_t reading(const bst_synth *synth, const bst_advice *about, const bst__walk *walk) {
    bool time = about->kind == BST_ADVICE_EVENT_TIME || about->kind == BST_ADVICE_STATE_TIME;
    uint64_t count = 0;
    uint64_t place = 0; /* 0: it never happened */
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        if (is_of(synth, about, &walk->steps[i])) {
            count++;
            place = (uint64_t)walk->steps[i].place + 2;
        }
    }
    return time ? place : count;
}

static double certain_share(const bst_synth *synth, const bst_advice *about,
                            const bst__outcome *outcome) {
    const bst__signature *sig = outcome->signature;
    bool total = about->kind == BST_ADVICE_COUNT_ALL;
    double share = 0;
    double left = 0;
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (outcome->verdict.unfit >> w & 1) {
            continue;
        }
        bool alone = sig->complete || total;
        for (uint32_t u = 0; u < sig->walk_count && alone; u++) {
            alone = u == w || (outcome->verdict.unfit >> u & 1) ||
                    reading(synth, about, &sig->walks[u]) != reading(synth, about, &sig->walks[w]);
        }
        left += sig->walks[w].plan.confidence;
        share += alone ? sig->walks[w].plan.confidence : 0;
    }
    return left > 0 ? share / (sig->complete ? left : 1) : 0;
}

static bool is_open(const bst__outcome *outcome) {
    return outcome->verdict.walk != BST_NONE && !outcome->plan.certain &&
           outcome->verdict.remedy == BST_REMEDY_NONE;
}

static double gain(const bst_synth *synth, const bst_advice *about) {
    double rows = 0;
    for (const bst__outcome *outcome = synth->outcomes; outcome; outcome = outcome->next) {
        if (is_open(outcome)) {
            rows += (double)outcome->rows * certain_share(synth, about, outcome);
        }
    }
    return rows;
}

/* A state that one kind of event alone leads to, and no other state, is not asked for twice. */
static bool has_own_time(const bst_synth *synth, uint32_t state) {
    uint32_t event = BST_NONE;
    for (uint32_t t = 0; t < synth->machine->transition_count; t++) {
        const bst_transition *transition = &synth->machine->transitions[t];
        if (transition->to != state) {
            continue;
        }
        if (event != BST_NONE && event != transition->event) {
            return true;
        }
        event = transition->event;
    }
    return false;
}

static int compare_by_rows(const void *a, const void *b) {
    const bst_advice *one = a;
    const bst_advice *other = b;
    if (one->rows != other->rows) {
        return one->rows > other->rows ? -1 : 1;
    }
    if (one->kind != other->kind) {
        return one->kind < other->kind ? -1 : 1;
    }
    return one->subject < other->subject ? -1 : one->subject > other->subject;
}

bst_status bst_synth_advise(const bst_synth *synth, size_t max, bst_advice *ret, size_t *ret_count,
                            double *ret_open_rows, bst_diags *diags) {
    const bst_machine *machine = synth->machine;
    size_t room = 2 * (size_t)machine->event_count + machine->state_count + 1;
    bst_advice *all = calloc(room, sizeof *all);
    size_t count = 0;
    if (!all) {
        return bst_diag_nomem(diags);
    }
    *ret_open_rows = 0;
    for (const bst__outcome *outcome = synth->outcomes; outcome; outcome = outcome->next) {
        *ret_open_rows += is_open(outcome) ? (double)outcome->rows : 0;
    }
    for (uint32_t e = 0; e < machine->event_count; e++) {
        all[count++] = (bst_advice){BST_ADVICE_EVENT_TIME, e, 0};
        all[count++] = (bst_advice){BST_ADVICE_EVENT_COUNT, e, 0};
    }
    for (uint32_t s = 0; s < machine->state_count; s++) {
        if (has_own_time(synth, s)) {
            all[count++] = (bst_advice){BST_ADVICE_STATE_TIME, s, 0};
        }
    }
    all[count++] = (bst_advice){BST_ADVICE_COUNT_ALL, BST_NONE, 0};
    for (size_t i = 0; i < count; i++) {
        all[i].rows = gain(synth, &all[i]);
    }
    qsort(all, count, sizeof *all, compare_by_rows);
    *ret_count = 0;
    while (*ret_count < max && *ret_count < count && all[*ret_count].rows > 0) {
        ret[*ret_count] = all[*ret_count];
        (*ret_count)++;
    }
    free(all);
    return BST_OK;
}
