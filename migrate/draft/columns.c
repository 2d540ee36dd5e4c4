/* What each column is: the key, a time that proves something, a counter, or a field of the entity.
 *
 * A time column is first matched by its words: `date_paid`, `paidOn` and `payment_time` all speak
 * of paying. What no name settles the rows settle: of the columns that (nearly) all rows of a state
 * have, the one that is the latest is when they came there. So one `closed_at` comes to stand for
 * three states. Plans (`due_at`) are fields: what was meant to happen proves nothing.
 */
#include "draft_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backstory/value.h"
#include "backstory/words.h"

/* The words of a column that say what it is about: without "at", "date", "last" and the entity's
 * own name. */
static void telling_words(const draft *d, const char *name, draft_words *ret, bool *ret_first) {
    static const char *const empty[] = {"at",   "on",    "date", "time",  "timestamp", "datetime",
                                        "dt",   "ts",    "utc",  "when",  "was",       "is",
                                        "last", "first", "tx",   "stamp", "tstamp",    NULL};
    draft_words all, own;
    size_t begin = 0;

    bst__draft_split(name, &all);
    bst__draft_split(d->id, &own);
    if (all.count > own.count) {
        while (begin < own.count && strcmp(all.word[begin], own.word[begin]) == 0)
            begin++;
        if (begin < own.count)
            begin = 0;
    }
    ret->count = 0;
    if (ret_first)
        *ret_first = bst__draft_has_word(&all, (const char *const[]){"first", NULL});
    for (size_t i = begin; i < all.count; i++) {
        const draft_words one = {.count = 1, .word = {{0}}};
        draft_words word = one;
        memcpy(word.word[0], all.word[i], sizeof word.word[0]);
        if (!bst__draft_has_word(&word, empty))
            memcpy(ret->word[ret->count++], all.word[i], sizeof all.word[i]);
    }
}

static bool is_word(const draft_words *w, const char *const *list) {
    return w->count == 1 && bst__draft_has_word(w, list);
}

/* ---- the key */

static bst_status key_given(draft *d) {
    d->key_count = 0;
    for (const char *at = d->options->key; *at;) {
        const size_t len = strcspn(at, ", ");
        uint32_t i = 0;
        while (i < d->column_count &&
               (strlen(d->columns[i].name) != len || strncmp(d->columns[i].name, at, len) != 0))
            i++;
        if (len > 0 && (i == d->column_count || d->key_count == 16))
            return bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "unknown-column", NULL,
                                "table \"%s\" has no column \"%.*s\" for its key", d->table,
                                (int)len, at);
        if (len > 0)
            d->key[d->key_count++] = i;
        at += len + (at[len] != '\0');
    }
    return d->key_count > 0 ? BST_OK
                            : bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-key", NULL,
                                           "--key names no column");
}

bst_status bst__draft_find_key(draft *d) {
    if (d->options->key) {
        const bst_status status = key_given(d);
        if (status != BST_OK)
            return status;
    }
    for (uint32_t i = 0; i < d->column_count && d->key_count == 0; i++) {
        static const char *const names[] = {"id", "uuid", "guid", "key", "ref", "reference"};
        for (size_t n = 0; n < sizeof names / sizeof *names && d->key_count == 0; n++) {
            if (strcmp(d->columns[i].name, names[n]) == 0) {
                d->key[d->key_count++] = i;
                bst__draft_note(d,
                                "Column \"%s\" is taken for the key, though nothing keeps it "
                                "unique.",
                                names[n]);
            }
        }
    }
    if (d->key_count == 0) {
        bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-key", NULL,
                     "table \"%s\" has no primary or unique key", d->table);
        bst_diag_hint(d->diags, "Name the columns that tell one entity from another: --key id, or "
                                "--key tenant,number.");
        return BST_INVALID;
    }
    for (size_t i = 0; i < d->key_count; i++)
        d->columns[d->key[i]].role = ROLE_KEY;
    return BST_OK;
}

/* ---- roles by name */

static const char *const created_words[] = {"created", "creation", "create", "inserted",
                                            "insert",  "added",    "entry",  NULL};
static const char *const changed_words[] = {"updated", "update", "modified", "changed", "change",
                                            "touched", "edited", "mtime",    NULL};
static const char *const plan_words[] = {
    "due",       "expected", "expect",  "scheduled", "schedule", "planned",  "plan",
    "until",     "valid",    "expires", "deadline",  "eta",      "promised", "target",
    "estimated", "next",     "remind",  "eligible",  NULL};
static const char *const deleted_words[] = {"deleted", "discarded", NULL};

static bool time_left(const draft *d, const draft_column *column) {
    return column->time && column->role == ROLE_FIELD && column->nulls < d->rows;
}

/* The first column with such a name, complete ones first. */
static uint32_t find_time(const draft *d, const char *const *words, bool complete) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_words w;
        telling_words(d, d->columns[i].name, &w, NULL);
        if (time_left(d, &d->columns[i]) && is_word(&w, words) &&
            (!complete || d->columns[i].nulls == 0))
            return i;
    }
    return complete ? find_time(d, words, false) : DRAFT_NONE;
}

/* `order_date` in a table of orders, `start_time`: a beginning by the look of it. */
static uint32_t find_beginning(const draft *d) {
    static const char *const beginnings[] = {"start",  "begin",    "opened",  "registered",
                                             "placed", "received", "ordered", NULL};
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_words w;
        telling_words(d, d->columns[i].name, &w, NULL);
        const bool own = w.count == 0 || (w.count == 1 && strcmp(w.word[0], d->id) == 0) ||
                         (w.count == 1 && strncmp(w.word[0], d->id, strlen(w.word[0])) == 0);
        if (time_left(d, &d->columns[i]) && d->columns[i].nulls == 0 &&
            (own || is_word(&w, beginnings)))
            return i;
    }
    return DRAFT_NONE;
}

static bool is_state_word(const draft *d, const draft_words *w) {
    for (size_t i = 0; i < d->state_count; i++) {
        draft_words state;
        bst__draft_split(d->states[i].name, &state);
        if (w->count == 1 && state.count == 1 && strcmp(w->word[0], state.word[0]) == 0)
            return true;
    }
    return false;
}

/* Columns of which a trial has shown that they mean something else. */
static void leave_doubted(draft *d) {
    for (size_t k = 0; d->options->doubted && d->options->doubted[k]; k++) {
        for (uint32_t i = 0; i < d->column_count; i++) {
            draft_column *column = &d->columns[i];
            if (column->role != ROLE_FIELD || strcmp(column->name, d->options->doubted[k]) != 0)
                continue;
            column->role = ROLE_DOUBTED;
            bst__draft_note(d,
                            "Column \"%s\" is a field: taken for evidence it contradicted the "
                            "others in so many rows that it must mean something else.",
                            column->name);
        }
    }
}

void bst__draft_name_roles(draft *d) {
    leave_doubted(d);
    d->creation = find_time(d, created_words, true);
    if (d->creation == DRAFT_NONE) {
        d->creation = find_beginning(d);
        if (d->creation != DRAFT_NONE)
            bst__draft_note(d, "Column \"%s\" is taken for the time of creation.",
                            d->columns[d->creation].name);
    }
    if (d->creation != DRAFT_NONE)
        d->columns[d->creation].role = ROLE_CREATION;
    d->last_change = find_time(d, changed_words, true);
    if (d->last_change != DRAFT_NONE)
        d->columns[d->last_change].role = ROLE_LAST_CHANGE;
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *column = &d->columns[i];
        draft_words w;
        telling_words(d, column->name, &w, NULL);
        if (!column->time || column->role != ROLE_FIELD)
            continue;
        if (is_word(&w, deleted_words) && !is_state_word(d, &w) && d->deleted == DRAFT_NONE) {
            column->role = ROLE_DELETED;
            d->deleted = i;
            bst__draft_note(d,
                            "Rows whose \"%s\" is set are taken for deleted and left out of "
                            "scope.",
                            column->name);
        } else if (bst__draft_has_word(&w, plan_words) && !is_state_word(d, &w)) {
            column->role = ROLE_PLAN;
            bst__draft_note(d, "Column \"%s\" is a plan by its name, not evidence.", column->name);
        }
    }
}

/* ---- times and states */

/* Whether words of a column and of a state mean the same: "date_paid", "payment" and paid. */
static bool same_meaning(const draft_words *column, const char *state) {
    draft_words s;
    char a[40], b[40];

    bst__draft_split(state, &s);
    if (column->count == 0 || column->count != s.count)
        return false;
    for (size_t i = 0; i < s.count; i++) {
        bst__draft_stem(column->word[i], a);
        bst__draft_stem(s.word[i], b);
        if (strcmp(a, b) != 0 && strcmp(column->word[i], s.word[i]) != 0)
            return false;
    }
    return true;
}

static bool match_by_name(draft *d, draft_column *column) {
    draft_words w;
    bool found = false;

    telling_words(d, column->name, &w, &column->first);
    for (size_t i = 0; i < d->state_count; i++) {
        const char *label = d->states[i].label;
        if (i != d->initial &&
            (same_meaning(&w, d->states[i].name) ||
             (label && same_meaning(&w, label)))) { /* ORDER_SENT: order_sent_at */
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

    telling_words(d, column->name, &w, NULL);
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

    telling_words(d, column->name, &w, &first);
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

/* ---- counters */

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
        if (s != d->initial &&
            (same_meaning(&rest, d->states[s].name) || same_meaning(&rest, d->states[s].verb)))
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

/* ---- fields */

void bst__draft_fields(draft *d) {
    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        draft_column *column = &d->columns[i];
        if (column->role != ROLE_FIELD && column->role != ROLE_PLAN && column->role != ROLE_DOUBTED)
            continue;
        char *name = bst__draft_identifier(d, column->name, "field");
        const char *base = name;
        for (uint32_t j = 0, n = 2; j < i; j++) {
            if (d->columns[j].field && strcmp(d->columns[j].field, name) == 0) {
                name = bst__draft_text(d, "%s_%u", base, n++);
                j = UINT32_MAX; /* from the start */
            }
        }
        column->field = name;
    }
}
