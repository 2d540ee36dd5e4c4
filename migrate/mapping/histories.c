/* Histories that no column tells apart, found without a row.
 *
 * The plain histories of a state (those that pass no state twice) are walked breadth first, so the
 * shortest come first. Of each it is noted what its row would show: which times are set, in which
 * order, which counts, and which event each mapped field was last set by. Two histories of one
 * state that show the same are a finding, with the row they would both leave behind. What two of
 * them have in common with a state on the way is said of that state alone.
 *
 * "Would show" is taken generously (a field that other events set may tell them apart; a `when`
 * holds): a finding is right, silence is no promise.
 */
#include "mapping_private.h"

#include <string.h>

#define WAYS_MAX     64u        /* of one state */
#define STEPS_MAX    20000u     /* of all ways together */
#define TRACES_BYTES (8u << 20) /* of what all ways show */
#define SHOWN_STEPS  12         /* of a history in a message */

/* The end of a way: the ways form a tree. */
typedef struct step {
    uint32_t transition, state;
    uint32_t up;   /* the step before, or BST_NONE */
    uint32_t next; /* the next way to the same state, or BST_NONE */
    uint32_t length;
} step;

typedef struct ways {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_arena *arena;
    bst_diags *diags;
    step *steps;
    uint32_t step_count, step_room;
    uint32_t *first, *last, *count; /* by state: its ways */
    bool *coded;                    /* by state */
    uint16_t *traces;               /* by step: evidence, then fields */
    size_t width;                   /* numbers of a trace */
    bool cut;                       /* there are more ways than were walked */
} ways;

static uint16_t *trace_of(const ways *w, uint32_t at) {
    return w->traces + at * w->width;
}

/* What the column of one item shows of a way: 0 nothing, else the number of the step (or the
 * count, and one). */
static uint16_t shown_by(const ways *w, const bst_evidence *item, uint32_t at) {
    uint32_t position = 0;
    uint32_t count = 0;
    const bool timed = item->kind == BST_EVIDENCE_EVENT || item->kind == BST_EVIDENCE_STATE;
    if (timed ? !item->absent_is_never
              : item->kind != BST_EVIDENCE_COUNT || item->relation != BST_EXACTLY) {
        return 0;
    }
    for (uint32_t i = at; i != BST_NONE; i = w->steps[i].up) {
        if (item->transitions[w->steps[i].transition]) {
            if (count++ == 0 || item->occurrence == BST_OCCURRENCE_FIRST) {
                position = w->steps[i].length;
            }
        }
    }
    return (uint16_t)(timed ? position : count + 1);
}

/* Times show an order, not how many steps lie between them: 1 5 3 becomes 1 3 2. The first step
 * stays the first: creation has a time of its own. */
static void rank_times(const ways *w, uint16_t *trace) {
    const uint32_t count = w->mapping->evidence_count;
    uint16_t before = 1;
    for (uint16_t rank = 2;; rank++) {
        uint16_t least = UINT16_MAX;
        for (uint32_t i = 0; i < count; i++) {
            const bool timed = w->mapping->evidence[i].kind != BST_EVIDENCE_COUNT;
            if (timed && trace[i] > before && trace[i] < least) {
                least = trace[i];
            }
        }
        if (least == UINT16_MAX) {
            return;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (w->mapping->evidence[i].kind != BST_EVIDENCE_COUNT && trace[i] == least) {
                trace[i] = rank;
            }
        }
        before = rank;
    }
}

static void make_trace(const ways *w, uint32_t at) {
    const bst_mapping *mapping = w->mapping;
    uint16_t *trace = trace_of(w, at);
    uint16_t *fields = trace + mapping->evidence_count;
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        trace[i] = shown_by(w, &mapping->evidence[i], at);
    }
    rank_times(w, trace);
    for (uint32_t i = at; i != BST_NONE; i = w->steps[i].up) {
        const uint32_t number = w->machine->transitions[w->steps[i].transition].event;
        const bst_event_type *event = &w->machine->events[number];
        for (uint32_t k = 0; k < event->assignment_count; k++) {
            const uint32_t field = event->assignments[k].field;
            if (mapping->fields[field].kind != BST_FROM_NOTHING && fields[field] == 0) {
                fields[field] = (uint16_t)(number + 1);
            }
        }
    }
}

static void add_step(ways *w, uint32_t transition, uint32_t up) {
    const uint32_t state = w->machine->transitions[transition].to;
    if (w->count[state] == WAYS_MAX || w->step_count == w->step_room) {
        w->cut = true;
        return;
    }
    const uint32_t at = w->step_count++;
    w->steps[at] =
        (step){transition, state, up, BST_NONE, up == BST_NONE ? 1 : w->steps[up].length + 1};
    if (w->count[state]++ == 0) {
        w->first[state] = at;
    } else {
        w->steps[w->last[state]].next = at;
    }
    w->last[state] = at;
    make_trace(w, at);
}

static bool passes(const ways *w, uint32_t at, uint32_t state) {
    for (; at != BST_NONE; at = w->steps[at].up) {
        if (w->steps[at].state == state) {
            return true;
        }
    }
    return false;
}

static void walk(ways *w) {
    for (uint32_t i = 0; i < w->machine->creation_count; i++) {
        add_step(w, i, BST_NONE);
    }
    for (uint32_t at = 0; at < w->step_count; at++) {
        const bst_state *state = &w->machine->states[w->steps[at].state];
        for (uint32_t i = 0; i < state->transition_count; i++) {
            const uint32_t transition = state->first_transition + i;
            if (!passes(w, at, w->machine->transitions[transition].to)) {
                add_step(w, transition, at);
            }
        }
    }
}

static bool same_trace(const ways *w, uint32_t a, uint32_t b) {
    return memcmp(trace_of(w, a), trace_of(w, b), w->width * sizeof(uint16_t)) == 0;
}

/* Whether another finding says it: the two part only before a state of theirs that rows can be
 * in, or by two events of one step (indistinct-events). */
static bool said_elsewhere(const ways *w, uint32_t a, uint32_t b) {
    bool at_end = true;
    while (w->steps[a].transition == w->steps[b].transition) {
        a = w->steps[a].up;
        b = w->steps[b].up;
        if (a == BST_NONE || b == BST_NONE || w->steps[a].state != w->steps[b].state) {
            return false;
        }
        at_end = false;
        if (w->coded[w->steps[a].state] && same_trace(w, a, b)) {
            return true;
        }
    }
    const uint32_t up_a = w->steps[a].up;
    const uint32_t up_b = w->steps[b].up;
    return at_end && up_a == up_b && up_a != BST_NONE;
}

static void add_history(const ways *w, uint32_t at, bst_strbuf *out) {
    const step *s = &w->steps[at];
    const bst_machine *m = w->machine;
    const char *command = m->commands[m->transitions[s->transition].command].name;
    if (s->up == BST_NONE) {
        bst_strbuf_addf(out, "%s-> %s", strcmp(command, "create") == 0 ? "" : command,
                        m->states[s->state].name);
        return;
    }
    if (s->length > SHOWN_STEPS) {
        bst_strbuf_addf(out, "... -%s-> %s", command, m->states[s->state].name);
        return;
    }
    add_history(w, s->up, out);
    bst_strbuf_addf(out, " -%s-> %s", command, m->states[s->state].name);
}

/* "status: \"20\", payments.created_at: 2024-01-01, payments.closed_at: null" */
static void add_row(const ways *w, const uint32_t *codes, uint32_t at, bst_strbuf *out) {
    const bst_mapping *mapping = w->mapping;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        bst_strbuf_addf(out, "%s%s: ", c > 0 ? ", " : "",
                        mapping->source.columns[column->column].name);
        if (codes[c] == BST_NONE) {
            bst_strbuf_adds(out, "null");
        } else {
            const char *code = column->codes[codes[c]].text;
            bst_strbuf_add_json(out, code, strlen(code));
        }
    }
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const bst_evidence *item = &mapping->evidence[i];
        const uint16_t shown = item->kind == BST_EVIDENCE_CREATION ? 1 : trace_of(w, at)[i];
        if (item->kind == BST_EVIDENCE_LAST_CHANGE) {
            continue;
        }
        bst_strbuf_addf(out, ", %s: ", item->label);
        if (item->kind == BST_EVIDENCE_COUNT && shown > 0) {
            bst_strbuf_add_int(out, shown - 1);
        } else if (shown > 0) {
            bst_strbuf_addf(out, "2024-01-%02u", shown % 28u + (shown % 28u == 0 ? 28u : 0u));
        } else {
            bst_strbuf_adds(out, "null");
        }
    }
}

/* The columns by which some ways to the state differ. */
static void add_tellers(const ways *w, uint32_t state, bst_strbuf *out) {
    const bst_mapping *mapping = w->mapping;
    for (uint32_t k = 0; k < w->width; k++) {
        const uint32_t first = w->first[state];
        bool differs = false;
        for (uint32_t at = first; at != BST_NONE && !differs; at = w->steps[at].next) {
            differs = trace_of(w, at)[k] != trace_of(w, first)[k];
        }
        if (differs) {
            bst_strbuf_addf(out, "%s%s", out->len ? ", " : "",
                            k < mapping->evidence_count
                                ? mapping->evidence[k].label
                                : w->machine->fields[k - mapping->evidence_count].name);
        }
    }
}

/* The place of the first value by which a row says that it is in the state. */
static bst_loc where_of(const bst_mapping *mapping, const uint32_t *codes) {
    uint32_t c = 0;
    while (codes[c] == BST_NONE) {
        c++;
    }
    const bst_state_column *column = &mapping->state_columns[c];
    return bst__map_code_where(mapping, column, &column->codes[codes[c]]);
}

static void report(ways *w, uint32_t state, const uint32_t *codes, const uint32_t alike[2],
                   uint32_t alike_count) {
    const bst_machine *m = w->machine;
    bst_strbuf row = BST_STRBUF_INIT;
    bst_strbuf one = BST_STRBUF_INIT;
    bst_strbuf other = BST_STRBUF_INIT;
    bst_strbuf tellers = BST_STRBUF_INIT;
    add_row(w, codes, alike[0], &row);
    add_history(w, alike[0], &one);
    add_history(w, alike[1], &other);
    add_tellers(w, state, &tellers);
    const bst_loc where = where_of(w->mapping, codes);
    const bst_loc declared = bst_machine_state_where(m, state);
    bst_diag_add(w->diags, BST_INVALID, BST_WARNING, "ambiguous-history", &where,
                 "%s%u histories lead to state \"%s\", and no column tells %u of them from others",
                 w->count[state] == WAYS_MAX ? "at least " : "", w->count[state],
                 m->states[state].name, alike_count);
    bst_diag_detail(w->diags,
                    "Two rows that look the same:\n"
                    "row 1  %s\n       %s\nrow 2  %s\n       %s%s%s",
                    row.text, one.text, row.text, other.text,
                    tellers.len ? "\nOthers are told apart by " : "", tellers.text);
    bst_diag_hint(w->diags, "Name a column that only one of the two ways sets; without it the "
                            "likelier history is assumed.");
    bst_diag_also(w->diags, &declared, "the state is declared here");
    bst_strbuf_release(&row);
    bst_strbuf_release(&one);
    bst_strbuf_release(&other);
    bst_strbuf_release(&tellers);
}

/* Whether it was reported. */
static bool check_state(ways *w, uint32_t state, const uint32_t *codes) {
    uint32_t alike[2] = {BST_NONE, BST_NONE};
    uint32_t count = 0;
    for (uint32_t b = w->first[state]; b != BST_NONE; b = w->steps[b].next) {
        for (uint32_t a = w->first[state]; a != b; a = w->steps[a].next) {
            if (!same_trace(w, a, b) || said_elsewhere(w, a, b)) {
                continue;
            }
            count += count == 0 ? 2 : 1;
            if (count == 2) {
                alike[0] = a;
                alike[1] = b;
            }
            break;
        }
    }
    if (count > 0) {
        report(w, state, codes, alike, count);
    }
    return count > 0;
}

static bool make_ways(ways *w) {
    const bst_machine *m = w->machine;
    w->width = (size_t)w->mapping->evidence_count + m->field_count;
    const size_t bytes = (w->width + 1) * sizeof *w->traces;
    w->step_room = TRACES_BYTES / bytes < STEPS_MAX ? (uint32_t)(TRACES_BYTES / bytes) : STEPS_MAX;
    w->steps = bst_arena_array(w->arena, w->step_room, sizeof *w->steps);
    w->traces = bst_arena_array(w->arena, w->step_room, w->width * sizeof *w->traces);
    w->first = bst_arena_array(w->arena, m->state_count, sizeof *w->first);
    w->last = bst_arena_array(w->arena, m->state_count, sizeof *w->last);
    w->count = bst_arena_array(w->arena, m->state_count, sizeof *w->count);
    w->coded = bst_arena_array(w->arena, m->state_count, sizeof *w->coded);
    if (!w->steps || !w->traces || !w->first || !w->last || !w->count || !w->coded) {
        return false;
    }
    for (uint32_t s = 0; s < m->state_count; s++) {
        w->first[s] = BST_NONE;
    }
    return true;
}

bst_status bst__map_check_histories(const bst_mapping *mapping, bst_diags *diags) {
    ways w = {.mapping = mapping, .machine = mapping->machine, .diags = diags};
    if (!bst_diags_wants(diags, BST_WARNING_AMBIGUOUS_HISTORY)) {
        return BST_OK;
    }
    w.arena = bst_arena_new();
    if (!w.arena || !make_ways(&w)) {
        bst_arena_free(w.arena);
        return bst_diag_nomem(diags);
    }
    walk(&w);
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    for (uint32_t s = 0; s < w.machine->state_count; s++) {
        w.coded[s] = bst_mapping_codes_of(mapping, s, codes);
    }
    bool said = false;
    for (uint32_t s = 0; s < w.machine->state_count; s++) {
        /* where states are combinations, the first speaks for all */
        if (w.coded[s] && !(mapping->regional && said)) {
            bst_mapping_codes_of(mapping, s, codes);
            said = check_state(&w, s, codes) || said;
        }
    }
    bst_arena_free(w.arena);
    return BST_OK;
}
