/* Columns that count: how often a state was entered, or all events. */
#include "draft_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_version(const char *name) {
    static const char *const names[] = {"lock_version", "version",    "row_version", "rowversion",
                                        "opt_lock",     "optlock",    "revision",    "lockversion",
                                        "rev",          "version_no", NULL};
    for (size_t i = 0; names[i]; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* The state whose entering `refund_count`, `num_refunds` or `retries` counts. */
static uint32_t counted_state(draft *d, const char *name) {
    static const char *const counts[] = {"count", "counter",  "num", "number", "total",
                                         "times", "attempts", "of",  NULL};
    draft_words w, rest = {0};
    bool counting = false;

    bst__draft_split(name, &w);
    for (size_t i = 0; i < w.count; i++) {
        draft_words one = {.count = 1, .word = {{0}}};
        memcpy(one.word[0], w.word[i], sizeof one.word[0]);
        if (bst__draft_has_word(&one, counts)) {
            counting = true;
            continue;
        }
        const char *single = bst__draft_singular(d, w.word[i]);
        snprintf(rest.word[rest.count++], sizeof rest.word[0], "%.39s", single);
    }
    for (uint32_t s = 0; counting && s < d->state_count; s++) {
        if (s != d->initial && (bst__draft_same_meaning(&rest, d->states[s].name) ||
                                bst__draft_same_meaning(&rest, d->states[s].verb)))
            return s;
    }
    return DRAFT_NONE;
}

static uint32_t time_of(const draft *d, uint32_t state) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (d->columns[i].role == ROLE_EVIDENCE && d->columns[i].states[state])
            return i;
    }
    return DRAFT_NONE;
}

static bst_status match_version(draft *d, uint32_t i) {
    draft_column *column = &d->columns[i];
    draft_tally t = {0};
    const bst_status status = d->ops->tally(d, i, DRAFT_NONE, &t);

    if (status != BST_OK || t.nulls > 0)
        return status;
    column->from_zero = t.min == 0;
    if (t.min < 0 || t.min > 1 || t.low * 100 > d->rows) {
        bst__draft_note(d, "Column \"%s\" does not count the events: it is too low in %llu rows.",
                        column->name, (unsigned long long)t.low);
        return BST_OK;
    }
    column->role = ROLE_COUNT_ALL;
    column->at_most = t.high > 0;
    bst__draft_note(d, "Column \"%s\" is taken for the number of events%s.", column->name,
                    column->at_most ? ", or more, because other edits seem to raise it too" : "");
    return BST_OK;
}

/* More often than once: then it can happen without leaving the state before. */
static void allow_repeats(draft *d, uint32_t state) {
    uint32_t best = DRAFT_NONE;

    for (uint32_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (edge->event_of != state)
            continue;
        if (edge->from == edge->to)
            return;
        if (edge->from != DRAFT_NONE && (best == DRAFT_NONE || edge->count > d->edges[best].count))
            best = i;
    }
    if (best == DRAFT_NONE)
        return;
    const uint32_t from = d->edges[best].from;
    draft_edge *edge = bst__draft_edge(d, from, from, state, 0);
    if (edge) {
        edge->guess = true;
        edge->note = "A guess: a counter is above 1, so it can happen and the state stays.";
    }
}

static bst_status match_count(draft *d, uint32_t i, uint32_t state) {
    draft_column *column = &d->columns[i];
    const uint32_t against = time_of(d, state);
    draft_tally t = {0};

    column->states = bst__draft_array(d, d->state_count, 1);
    if (!column->states || against == DRAFT_NONE)
        return BST_OK;
    const bst_status status = d->ops->tally(d, i, against, &t);
    if (status != BST_OK || t.min < 0)
        return status;
    if (t.low * 100 > d->columns[against].set) {
        bst__draft_note(d,
                        "Column \"%s\" is 0 in %llu rows that have \"%s\": a field, not "
                        "evidence.",
                        column->name, (unsigned long long)t.low, d->columns[against].name);
        return BST_OK;
    }
    column->states[state] = 1;
    column->role = ROLE_COUNT;
    column->at_most = t.high * 100 > d->rows;
    if (t.max > 1)
        allow_repeats(d, state);
    return BST_OK;
}

bst_status bst__draft_match_counts(draft *d) {
    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        bst_status status = BST_OK;
        if (!d->columns[i].integer || d->columns[i].role != ROLE_FIELD)
            continue;
        if (is_version(d->columns[i].name)) {
            status = match_version(d, i);
        } else {
            const uint32_t state = counted_state(d, d->columns[i].name);
            if (state != DRAFT_NONE)
                status = match_count(d, i, state);
        }
        if (status != BST_OK)
            return status;
    }
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}
