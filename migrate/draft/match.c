/* Which state a time column speaks of.
 *
 * It is first matched by its words: `date_paid`, `paidOn` and `payment_time` all speak of paying.
 * What no name settles the rows settle: of the columns that (nearly) all rows of a state have, the
 * one that is the latest is when they came there. So one `closed_at` comes to stand for three
 * states.
 */
#include "draft_private.h"

#include <string.h>

static bool match_by_name(draft *d, draft_column *column) {
    draft_words w;
    bool found = false;

    bst__draft_telling_words(d, column->name, &w, &column->first);
    for (size_t i = 0; i < d->state_count; i++) {
        const char *label = d->states[i].label;
        if (i != d->initial &&
            (bst__draft_same_meaning(&w, d->states[i].name) ||
             (label && bst__draft_same_meaning(&w, label)))) { /* ORDER_SENT: order_sent_at */
            column->states[i] = 1;
            found = true;
        }
    }
    return found;
}

static uint64_t set_in(const draft *d, const draft_column *column, uint32_t state) {
    return d->states[state].set[column - d->columns];
}

/* Nearly all rows of the state have it: 95 of 100, for old tables are never quite clean. */
static bool covers(const draft *d, const draft_column *column, uint32_t state) {
    const uint64_t rows = d->states[state].rows;
    return rows > 0 && set_in(d, column, state) * 100 >= rows * 95;
}

/* Its time is the latest of those that the rows of the state have, in more than half of them. */
static bool comes_last(const draft *d, const draft_column *column, uint32_t state) {
    return d->states[state].last[column - d->columns] * 2 > d->states[state].rows;
}

static bool has_states(const draft *d, const draft_column *column) {
    for (size_t i = 0; column->states && i < d->state_count; i++) {
        if (column->states[i])
            return true;
    }
    return false;
}

static bool has_own_column(const draft *d, uint32_t state) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (d->columns[i].role == ROLE_EVIDENCE && d->columns[i].states[state])
            return true;
    }
    return false;
}

/* Whether all words of the column are among the state's: refunded_at, partially_refunded. */
static bool is_part_of(const draft_words *column, const char *state) {
    draft_words s;

    bst__draft_split(state, &s);
    for (size_t i = 0; i < column->count; i++) {
        char a[40], b[40];
        bool found = false;
        bst__draft_stem(column->word[i], a);
        for (size_t k = 0; k < s.count && !found; k++) {
            bst__draft_stem(s.word[k], b);
            found = strcmp(a, b) == 0;
        }
        if (!found)
            return false;
    }
    return column->count > 0 && column->count < s.count;
}

/* A column that is taken for a state by its name may be that of its kin as well, where their rows
 * have it and have nothing later. */
static void add_kin(draft *d, draft_column *column) {
    draft_words w;

    bst__draft_telling_words(d, column->name, &w, NULL);
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (s != d->initial && is_part_of(&w, d->states[s].name) && !has_own_column(d, s) &&
            covers(d, column, s) && comes_last(d, column, s))
            column->states[s] = 1;
    }
}

static bool is_open(const draft_column *column) {
    return column->states && column->role == ROLE_FIELD;
}

/* The column that tells when rows came to a state: all of them have it, and it is the latest. */
static draft_column *owner_of(const draft *d, uint32_t state) {
    draft_column *best = NULL;
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *column = &d->columns[i];
        const uint64_t *last = d->states[state].last;
        if (is_open(column) && covers(d, column, state) && !covers(d, column, d->initial) &&
            last[i] * 2 >= d->states[state].rows && (!best || last[i] > last[best - d->columns]))
            best = column;
    }
    return best;
}

/* Of 1,000 rows in a state, how many have the column. */
static uint64_t share_in(const draft *d, const draft_column *column, uint32_t state) {
    const uint64_t rows = d->states[state].rows;
    return rows ? set_in(d, column, state) * 1000 / rows : 0;
}

/* A column that was added later is set in some rows only: it belongs to the state whose rows have
 * it twice as often as any others, if nothing comes after it there. */
static uint32_t partly_owned(const draft *d, const draft_column *column) {
    uint32_t best = DRAFT_NONE;
    uint64_t best_share = 0, second = 0;
    const size_t i = (size_t)(column - d->columns);

    for (uint32_t s = 0; s < d->state_count; s++) {
        const uint64_t share = share_in(d, column, s);
        if (share > best_share) {
            second = best_share;
            best_share = share;
            best = s;
        } else if (share > second) {
            second = share;
        }
    }
    if (best_share < 250 || second * 2 > best_share || share_in(d, column, d->initial) > 10)
        return DRAFT_NONE;
    return d->states[best].last[i] * 100 < d->states[best].set[i] * 99 ? DRAFT_NONE : best;
}

/* A few rows of a state that look as those of one with a hundred times as many are mistyped, or
 * have gone on from there: the column is not its own. */
static void leave_to_the_many(draft *d, draft_column *column) {
    uint64_t most = 0;

    for (uint32_t s = 0; s < d->state_count; s++) {
        if (column->states[s] && d->states[s].rows > most)
            most = d->states[s].rows;
    }
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (d->states[s].rows * 100 < most)
            column->states[s] = 0;
    }
}

static void match_by_rows(draft *d) {
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (s == d->initial || has_own_column(d, s))
            continue;
        draft_column *owner = owner_of(d, s);
        if (owner)
            owner->states[s] = 1;
    }
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (is_open(&d->columns[i]))
            leave_to_the_many(d, &d->columns[i]);
    }
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *column = &d->columns[i];
        if (!is_open(column) || has_states(d, column))
            continue;
        const uint32_t s = partly_owned(d, column);
        bool taken = s == DRAFT_NONE || has_own_column(d, s);
        for (uint32_t j = 0; j < d->column_count && !taken; j++)
            taken = is_open(&d->columns[j]) && d->columns[j].states[s];
        if (!taken)
            column->states[s] = 1;
    }
}

static char *list_states(draft *d, const uint8_t *flags) {
    bst_strbuf out = BST_STRBUF_INIT;
    for (size_t i = 0; i < d->state_count; i++) {
        if (flags[i])
            bst_strbuf_addf(&out, "%s%s", out.len ? ", " : "", d->states[i].name);
    }
    char *text = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

/* Whether the times make sense as what they are taken for: in more than 1 row of 100 too early, and
 * the column means something else. */
static bool plausible(draft *d, draft_column *column) {
    if (column->early * 100 <= column->set)
        return true;
    bst__draft_note(d,
                    "Column \"%s\" is before the creation in %llu of %llu rows: a field, not "
                    "evidence.",
                    column->name, (unsigned long long)column->early,
                    (unsigned long long)column->set);
    return false;
}

static void settle(draft *d, draft_column *column) {
    column->role = ROLE_EVIDENCE;
    column->always = true;
    bool seen = false;
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (!column->states[s])
            continue;
        seen = seen || d->states[s].rows > 0;
        column->always =
            column->always && d->states[s].rows > 0 && set_in(d, column, s) == d->states[s].rows;
    }
    column->always = column->always && seen;
}

static void name_after(draft *d, draft_state *state, const draft_column *column) {
    draft_words w;
    bst_strbuf name = BST_STRBUF_INIT;
    bool first;

    bst__draft_telling_words(d, column->name, &w, &first);
    for (size_t i = 0; i < w.count; i++)
        bst_strbuf_addf(&name, "%s%s", i ? "_" : "", w.word[i]);
    const char *verb = bst__draft_verb(d, name.text);
    bool known = w.count == 0 || strncmp(verb, "move_to_", 8) == 0;
    for (size_t i = 0; i < d->state_count; i++)
        known = known || strcmp(d->states[i].verb, verb) == 0;
    if (!known) {
        state->verb = verb;
        state->note = bst__draft_text(d, "%s Column %s says when.", state->note, column->name);
    }
    bst_strbuf_release(&name);
}

/* Its rows told; a number that nobody has named takes its command from the column. */
static void settle_by_rows(draft *d, draft_column *column) {
    const char *states = list_states(d, column->states);
    uint32_t only = DRAFT_NONE;
    size_t count = 0;

    settle(d, column);
    column->note = bst__draft_text(
        d, "A guess from the rows: it is the latest time of those that are %s.", states);
    bst__draft_note(d,
                    "Column \"%s\" is taken for the time of %s: it is the latest that rows in "
                    "that state have.",
                    column->name, states);
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (column->states[s]) {
            only = s;
            count++;
        }
    }
    if (count == 1 && d->states[only].note)
        name_after(d, &d->states[only], column);
}

static void drop_last_change(draft *d) {
    for (uint32_t i = 0; i < d->column_count && d->last_change != DRAFT_NONE; i++) {
        const draft_column *column = &d->columns[i];
        if (column->role != ROLE_EVIDENCE || column->late * 100 <= column->set)
            continue;
        draft_column *last = &d->columns[d->last_change];
        last->role = ROLE_FIELD;
        bst__draft_note(d,
                        "Column \"%s\" is before \"%s\" in %llu rows, so it is no bound: a "
                        "field, not evidence.",
                        last->name, column->name, (unsigned long long)column->late);
        d->last_change = DRAFT_NONE;
    }
}

void bst__draft_match_states(draft *d) {
    size_t used = 0;

    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        draft_column *column = &d->columns[i];
        if (!column->time || column->role != ROLE_FIELD || column->set == 0)
            continue;
        column->states = bst__draft_array(d, d->state_count, 1);
        if (column->states && match_by_name(d, column) && plausible(d, column) &&
            used++ < DRAFT_PATH_MAX)
            settle(d, column);
    }
    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        if (d->columns[i].role == ROLE_EVIDENCE) {
            add_kin(d, &d->columns[i]);
            settle(d, &d->columns[i]);
        }
    }
    match_by_rows(d);
    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        draft_column *column = &d->columns[i];
        if (!is_open(column))
            continue;
        if (!has_states(d, column))
            bst__draft_note(d, "Column \"%s\" fits no state: a field, not evidence.", column->name);
        else if (plausible(d, column) && used++ < DRAFT_PATH_MAX)
            settle_by_rows(d, column);
    }
    drop_last_change(d);
}
