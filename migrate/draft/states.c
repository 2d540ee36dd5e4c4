/* Which column is the state, and what its values are called.
 *
 * The name of a column decides more than its contents: many columns have few values. What the
 * catalogue lists (an enum, a CHECK, a lookup table) is taken whole, so that a draft knows states
 * that no row is in at the moment. A value becomes an identifier; its own text is kept as label.
 */
#include "draft_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "backstory/words.h"

#define TIMES_FEW     0.1 /* shares of the rows of a state, see share_with_times() */
#define TIMES_MANY    0.9
#define RARE          500u /* 1 row in so many */
#define RARE_ROWS_MIN 5000u
#define ROWS_TELLING  20u /* a state with fewer says little */

/* 0: not by its name. */
static int rank_of_name(const draft *d, const draft_column *column) {
    static const char *const whole[] = {"aasm_state", "workflow_state", "lifecycle_state", NULL};
    draft_words w;
    char own[80];

    bst__draft_split(column->name, &w);
    if (w.count == 0)
        return 0;
    const char *last = w.word[w.count - 1];
    if (w.count > 1 && (strcmp(last, "id") == 0 || strcmp(last, "code") == 0 ||
                        strcmp(last, "cd") == 0 || strcmp(last, "type") == 0)) {
        last = w.word[--w.count - 1];
    }
    for (const char *const *name = whole; *name; name++) {
        if (strcmp(column->name, *name) == 0)
            return 95;
    }
    const bool status = strcmp(last, "status") == 0 || strcmp(last, "state") == 0;
    if (status && w.count == 1)
        return strcmp(last, "status") == 0 ? 100 : 99;
    for (const char *which[] = {"status", "state"}, *const *it = which; it < which + 2; it++) {
        snprintf(own, sizeof own, "%s_%s", d->id, *it);
        if (strcasecmp(column->name, own) == 0)
            return 96;
    }
    if (status)
        return strstr(column->name, "previous") || strstr(column->name, "old") ? 0 : 60;
    return strcmp(last, "stage") == 0 || strcmp(last, "phase") == 0 ? 50 : 0;
}

static bool few_values(const draft *d, const draft_column *column) {
    return column->distinct > 0 && column->distinct <= BST_DRAFT_STATES_MAX &&
           (d->rows < 50 || column->distinct * 3 <= d->rows);
}

static bst_status want_distinct(draft *d, uint32_t i) {
    if (d->columns[i].distinct_known)
        return BST_OK;
    const bst_status status = d->ops->distinct(d, i);
    d->columns[i].distinct_known = true;
    return status;
}

static bool could_be(const draft_column *column) {
    return (column->text || column->integer) && column->role != ROLE_KEY;
}

static bst_status empty_table(draft *d) {
    bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "empty-table", NULL,
                 "table \"%s\" has no rows%s, and a draft is made of what rows hold", d->table,
                 d->options->sample_percent > 0 ? " in this sample" : "");
    bst_diag_hint(d->diags, d->options->sample_percent > 0
                                ? "Look at all rows, without --sample."
                                : "Give one that is in use, or write the machine by hand.");
    return BST_INVALID;
}

static bst_status refuse(draft *d) {
    if (d->rows == 0)
        return empty_table(d);
    bst_strbuf names = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    size_t found = 0;

    for (uint32_t i = 0; i < d->column_count && status == BST_OK; i++) {
        if (!could_be(&d->columns[i]))
            continue;
        status = want_distinct(d, i);
        if (status == BST_OK && few_values(d, &d->columns[i]) && d->columns[i].distinct > 1)
            bst_strbuf_addf(&names, "%s\"%s\" (%llu values)", found++ ? ", " : "",
                            d->columns[i].name, (unsigned long long)d->columns[i].distinct);
    }
    if (status == BST_OK) {
        status = bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-state-column", NULL,
                              "table \"%s\" has no column that is named like a state", d->table);
        if (found > 0)
            bst_diag_hint(d->diags, "Name it with --state; few values are in %s.", names.text);
        else
            bst_diag_hint(d->diags, "No other column has few values either: a machine cannot be "
                                    "drafted from this table.");
    }
    bst_strbuf_release(&names);
    return status;
}

static bst_status given(draft *d) {
    const char **names = bst__draft_array(d, d->column_count, sizeof *names);

    for (uint32_t i = 0; i < d->column_count; i++) {
        if (names)
            names[i] = d->columns[i].name;
        if (strcmp(d->columns[i].name, d->options->state) == 0) {
            d->state_column = i;
            return want_distinct(d, i);
        }
    }
    const char *nearest =
        names ? bst_nearest_name(d->options->state, names, d->column_count) : NULL;
    bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "unknown-column", NULL,
                 "table \"%s\" has no column \"%s\"", d->table, d->options->state);
    if (nearest)
        bst_diag_hint(d->diags, "Did you mean \"%s\"?", nearest);
    return BST_INVALID;
}

static bst_status guess(draft *d) {
    bst_strbuf others = BST_STRBUF_INIT;
    int best = 0;
    bst_status status = BST_OK;

    for (uint32_t i = 0; i < d->column_count && status == BST_OK; i++) {
        const int rank = could_be(&d->columns[i]) ? rank_of_name(d, &d->columns[i]) : 0;
        if (rank == 0)
            continue;
        status = want_distinct(d, i);
        if (status != BST_OK || !few_values(d, &d->columns[i]))
            continue;
        if (rank > best) {
            best = rank;
            d->state_column = i;
        }
    }
    if (status == BST_OK && best == 0)
        status = refuse(d);
    for (uint32_t i = 0; i < d->column_count && status == BST_OK; i++) {
        if (i != d->state_column && could_be(&d->columns[i]) &&
            rank_of_name(d, &d->columns[i]) > 0 && few_values(d, &d->columns[i]))
            bst_strbuf_addf(&others, "%s\"%s\"", others.len ? ", " : "", d->columns[i].name);
    }
    if (status == BST_OK)
        bst__draft_note(d, "The state is taken from column \"%s\", for its name.",
                        d->columns[d->state_column].name);
    if (others.len > 0)
        bst__draft_note(d,
                        "It has other columns that may be states of their own: %s. They are "
                        "fields here. Draft them together with --state %s,...: then each becomes a "
                        "region of one machine.",
                        others.text, d->columns[d->state_column].name);
    bst_strbuf_release(&others);
    return status;
}

bst_status bst__draft_find_state_column(draft *d) {
    const bst_status status = d->options->state ? given(d) : guess(d);

    if (status != BST_OK)
        return status;
    draft_column *column = &d->columns[d->state_column];
    if (column->distinct > BST_DRAFT_STATES_MAX)
        return bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "too-many-states", NULL,
                            "column \"%s\" has more than %u values: it is no state", column->name,
                            BST_DRAFT_STATES_MAX);
    if (d->rows == 0 && column->value_count == 0)
        return empty_table(d);
    if (column->distinct == 0 && column->value_count == 0)
        return bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-states", NULL,
                            "column \"%s\" has no value in any row", column->name);
    column->role = ROLE_STATE;
    return BST_OK;
}

/* ORDER_CREATED, ORDER_SENT: how many bytes in front say nothing. */
static size_t common_prefix(const draft *d) {
    size_t len = d->code_count > 1 ? strlen(d->codes[0].text) : 0;

    for (size_t i = 1; i < d->code_count; i++) {
        size_t same = 0;
        while (same < len && d->codes[i].text[same] == d->codes[0].text[same])
            same++;
        len = same;
    }
    while (len > 0 && d->codes[0].text[len - 1] != '_' && d->codes[0].text[len - 1] != '.' &&
           d->codes[0].text[len - 1] != ':')
        len--;
    for (size_t i = 0; i < d->code_count; i++) {
        if (!isalpha((unsigned char)d->codes[i].text[len]))
            return 0; /* nothing would be left, or a number */
    }
    return len;
}

/* "status" of status_id: what stands in front of a number. */
static const char *number_prefix(draft *d) {
    draft_words w;
    bst_strbuf out = BST_STRBUF_INIT;

    bst__draft_split(d->columns[d->state_column].name, &w);
    if (w.count > 1 &&
        (strcmp(w.word[w.count - 1], "id") == 0 || strcmp(w.word[w.count - 1], "code") == 0))
        w.count--;
    for (size_t i = 0; i < w.count; i++)
        bst_strbuf_addf(&out, "%s%s", i ? "_" : "", w.word[i]);
    const char *text = bst__draft_text(d, "%s", out.len ? out.text : "state");
    bst_strbuf_release(&out);
    return text;
}

static bool is_number(const char *text) {
    if (*text == '-')
        text++;
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* "Paid", "paid " and "PAID" are one state. */
static bool same_but_for_case(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    while (la > 0 && a[la - 1] == ' ')
        la--;
    while (lb > 0 && b[lb - 1] == ' ')
        lb--;
    while (la > 0 && *a == ' ')
        a++, la--;
    while (lb > 0 && *b == ' ')
        b++, lb--;
    return la == lb && strncasecmp(a, b, la) == 0;
}

static bool name_is_free(const draft *d, const char *name) {
    for (size_t i = 0; i < d->state_count; i++) {
        if (strcmp(d->states[i].name, name) == 0)
            return false;
    }
    return true;
}

static void add_state(draft *d, draft_code *code, const char *prefix, size_t skip) {
    const bool number = is_number(code->text) && !code->label;
    const char *text = code->label ? code->label : code->text + skip;
    char *name = number ? bst__draft_text(d, "%s_%s%s", prefix, *code->text == '-' ? "minus_" : "",
                                          code->text + (*code->text == '-'))
                        : bst__draft_identifier(d, text, *text ? prefix : "empty");
    const char *base = name;

    for (unsigned n = 2; !name_is_free(d, name) && !d->failed; n++)
        name = bst__draft_text(d, "%s_%u", base, n);
    draft_state *state = &d->states[d->state_count];
    code->state = (uint32_t)d->state_count++;
    *state = (draft_state){.name = name};
    const char *label = code->label ? code->label : code->text;
    if (strcmp(label, name) != 0)
        state->label = label;
    if (number)
        state->note = bst__draft_text(d, "No table says what %s %s means: give it a name.",
                                      d->columns[d->state_column].name, code->text);
}

/* Few rows in a large table: perhaps nobody ever meant that code. */
static void note_rare(draft *d, draft_state *state, bst_strbuf *list) {
    if (d->rows < RARE_ROWS_MIN || state->rows == 0 || state->rows * RARE >= d->rows)
        return;
    state->note = bst__draft_text(d, "%s%sOnly %llu of %llu rows are in it: is it one?",
                                  state->note ? state->note : "", state->note ? " " : "",
                                  (unsigned long long)state->rows, (unsigned long long)d->rows);
    bst_strbuf_addf(list, "%s%s", list->len ? ", " : "", state->name);
}

static void note_rare_states(draft *d) {
    bst_strbuf list = BST_STRBUF_INIT;

    for (size_t i = 0; i < d->state_count && !d->failed; i++)
        note_rare(d, &d->states[i], &list);
    if (list.len > 0)
        bst__draft_note(
            d,
            "Fewer than 1 row in %u is in %s: where one is no state but a mistake, take "
            "its code out of the mapping, and its rows go to quarantine.",
            RARE, list.text);
    bst_strbuf_release(&list);
}

bst_status bst__draft_name_states(draft *d) {
    const size_t skip = common_prefix(d);
    const char *prefix = number_prefix(d);

    d->states = bst__draft_array(d, d->code_count + 1, sizeof *d->states);
    if (!d->states)
        return bst_diag_nomem(d->diags);
    for (size_t i = 0; i < d->code_count && !d->failed; i++) {
        draft_code *code = &d->codes[i];
        size_t like = 0;
        while (like < i && !same_but_for_case(d->codes[like].text, code->text))
            like++;
        if (like < i) {
            code->state = d->codes[like].state;
            bst__draft_note(d, "\"%s\" and \"%s\" are taken for one state.", d->codes[like].text,
                            code->text);
        } else {
            add_state(d, code, prefix, skip);
        }
        d->states[code->state].rows += code->rows;
    }
    for (size_t i = 0; i < d->state_count && !d->failed; i++) {
        draft_state *state = &d->states[i];
        state->verb = bst__draft_verb(d, state->name);
        for (size_t j = 0; j < i; j++) { /* `fail` and `failed` */
            if (strcmp(d->states[j].verb, state->verb) == 0)
                state->verb = bst__draft_text(d, "move_to_%s", state->name);
        }
        state->set = bst__draft_array(d, d->column_count, sizeof *state->set);
        state->last = bst__draft_array(d, d->column_count, sizeof *state->last);
    }
    note_rare_states(d);
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}

uint32_t bst__draft_state_of(const draft *d, const char *code) {
    for (size_t i = 0; code && i < d->code_count; i++) {
        if (strcmp(d->codes[i].text, code) == 0)
            return d->codes[i].state;
    }
    return DRAFT_NONE;
}

/* How much a state's name sounds like a beginning. */
static double sounds_initial(const char *name) {
    static const char *const first[] = {
        "new",       "created",    "initial",  "draft",      "cart",       "checkout", "open",
        "pending",   "requested",  "received", "queued",     "registered", "awaiting", "input",
        "submitted", "in_process", "running",  "processing", NULL};
    for (size_t i = 0; first[i]; i++) {
        if (strcmp(name, first[i]) == 0)
            return 1.0 - (double)i * 0.04;
    }
    return 0;
}

/* ---- the initial state */

/* A time that (nearly) all rows of all states have is as good as that of the creation. */
static bool is_everywhere(const draft *d, size_t column) {
    for (size_t i = 0; i < d->state_count; i++) {
        const draft_state *state = &d->states[i];
        if (state->rows >= ROWS_TELLING && state->set[column] * 100 < state->rows * 95)
            return false;
    }
    return true;
}

/* The share of a state's rows that have the time of something that happened to them: the largest of
 * all columns. In the initial state nothing has happened yet. */
static double share_with_times(const draft *d, const draft_state *state) {
    uint64_t most = 0;

    for (size_t i = 0; i < d->column_count; i++) {
        const draft_column *column = &d->columns[i];
        if (column->time && column->role == ROLE_FIELD && state->set[i] > most &&
            !is_everywhere(d, i))
            most = state->set[i];
    }
    return state->rows > 0 ? (double)most / (double)state->rows : 0;
}

/* How many times a row of the state has, in the mean. */
static double times_in(const draft *d, const draft_state *state) {
    uint64_t sum = 0;

    for (size_t i = 0; i < d->column_count; i++)
        sum += d->columns[i].time ? state->set[i] : 0;
    return (double)sum / (double)state->rows;
}

static bool most_begin_there(draft *d) {
    uint64_t most = 0;

    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (edge->from == DRAFT_NONE && edge->count > most) {
            most = edge->count;
            d->initial = edge->to;
        }
    }
    return most > 0;
}

static bool is_default(draft *d) {
    const uint32_t standard = bst__draft_state_of(d, d->columns[d->state_column].initial_text);

    if (standard != DRAFT_NONE)
        d->initial = standard;
    return standard != DRAFT_NONE;
}

/* By its name, and by what speaks against it: a log has ways into it, its rows have times. */
static bool sounds_best(draft *d, bool *ret_by_name) {
    double best = 0;

    for (uint32_t i = 0; i < d->state_count; i++) {
        uint64_t in = 0;
        for (size_t j = 0; j < d->edge_count; j++)
            in += d->edges[j].to == i && d->edges[j].from != i;
        const double name = sounds_initial(d->states[i].name);
        const double score = d->log     ? name + (in == 0 ? 0.5 : 0)
                             : name > 0 ? name - share_with_times(d, &d->states[i])
                                        : 0;
        if (score > best) {
            best = score;
            d->initial = i;
            *ret_by_name = name > 0 && !(d->log && in == 0);
        }
    }
    return best > 0;
}

/* Its rows have no times while those of other states have; of several, the one with the fewest. */
static bool has_no_times(draft *d) {
    uint32_t best = DRAFT_NONE;
    bool others = false;

    for (uint32_t i = 0; i < d->state_count; i++) {
        const double share = share_with_times(d, &d->states[i]);
        others = others || share > TIMES_MANY;
        if (d->states[i].rows > 0 && share < TIMES_FEW &&
            (best == DRAFT_NONE || times_in(d, &d->states[i]) < times_in(d, &d->states[best])))
            best = i;
    }
    if (!others || best == DRAFT_NONE)
        return false;
    d->initial = best;
    return true;
}

/* Every state has times of what came before it, so none can be the first: there was another one,
 * in which no row is at the moment. */
static bool is_in_no_row(draft *d) {
    static const char *const names[] = {"created", "new", "begun"};
    const char *name = NULL;

    for (uint32_t i = 0; i < d->state_count; i++) {
        if (share_with_times(d, &d->states[i]) <= TIMES_MANY)
            return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names && !name; i++)
        name = name_is_free(d, names[i]) ? names[i] : NULL;
    if (!name || d->creation == DRAFT_NONE || d->state_count < 2)
        return false;
    d->initial = (uint32_t)d->state_count++;
    draft_state *state = &d->states[d->initial];
    *state = (draft_state){.name = name, .verb = "create"};
    state->note = "No row is in it: it stands for the beginning that all rows have behind them.";
    state->set = bst__draft_array(d, d->column_count, sizeof *state->set);
    state->last = bst__draft_array(d, d->column_count, sizeof *state->last);
    return true;
}

/* What the log says, then the column's default, the name, the rows; else the first one listed. */
void bst__draft_find_initial(draft *d) {
    const char *why = "it is the first one listed";
    bool by_name = false;

    d->initial = 0;
    if (most_begin_there(d)) {
        bst__draft_note(d, "The initial state is \"%s\": most entities in the log begin there.",
                        d->states[d->initial].name);
        return;
    }
    if (is_default(d))
        why = "it is the column's default";
    else if (sounds_best(d, &by_name))
        why = by_name ? "its name sounds like a beginning" : "nothing in the log leads there";
    else if (has_no_times(d))
        why = "its rows have no time of anything that happened";
    else if (is_in_no_row(d))
        why = "all rows have times of what came after; no row is in it now";
    bst__draft_note(d, "The initial state is \"%s\" because %s.", d->states[d->initial].name, why);
}
