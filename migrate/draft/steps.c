/* Which states follow one another.
 *
 * Without a log the times tell: a row's columns in order of time, and its state at the end, are a
 * walk; the steps of all walks, counted, are the transitions. Steps that are a thousandth of what
 * enters their state are noise (clocks that were wrong, hands that helped) and are left out. A
 * column set later than the state the row is in means that something happened and the state stayed:
 * a partial refund. States that no step reaches get a bridge, so that the machine is whole; the
 * draft says that it is a guess.
 */
#include "draft_private.h"

#include <string.h>

/* 1 in NOISE of what enters a state is left out. */
#define NOISE 200u
/* 1 in TWISTED of the rows with two times may have them the other way round by mistake. */
#define TWISTED 50u

draft_edge *bst__draft_edge(draft *d, uint32_t from, uint32_t to, uint32_t event_of,
                            uint64_t rows) {
    for (size_t i = 0; i < d->edge_count; i++) {
        draft_edge *edge = &d->edges[i];
        if (edge->from == from && edge->to == to && edge->event_of == event_of) {
            edge->count += rows;
            return edge;
        }
    }
    if (d->edge_count == d->edge_size) {
        const size_t size = d->edge_size ? d->edge_size * 2 : 64;
        draft_edge *larger = bst__draft_array(d, size, sizeof *larger);
        if (!larger)
            return NULL;
        if (d->edge_count > 0)
            memcpy(larger, d->edges, d->edge_count * sizeof *larger);
        d->edges = larger;
        d->edge_size = size;
    }
    d->edges[d->edge_count] =
        (draft_edge){.from = from, .to = to, .event_of = event_of, .count = rows};
    return &d->edges[d->edge_count++];
}

/* The state a column stands for in this row: the one the row is in, or else that of most rows. */
static uint32_t meaning(const draft *d, const draft_path *path, uint32_t column) {
    const uint8_t *states = d->columns[column].states;
    uint32_t best = DRAFT_NONE;

    if (states[path->state])
        return path->state;
    for (uint32_t s = 0; s < d->state_count; s++) {
        if (states[s] && (best == DRAFT_NONE || d->states[s].rows > d->states[best].rows))
            best = s;
    }
    return best;
}

/* The last step of a walk that ends elsewhere than in the row's state. */
static void add_end(draft *d, const draft_path *path, uint32_t last, bool been_there,
                    uint32_t before) {
    if (last == path->state || last == DRAFT_NONE)
        return;
    if (been_there && before == path->state)
        bst__draft_edge(d, path->state, path->state, last, path->rows);
    else
        bst__draft_edge(d, last, path->state, path->state, path->rows);
}

static void add_walk(draft *d, const draft_path *path) {
    uint32_t steps[DRAFT_PATH_MAX + 1];
    size_t len = 0;
    bool been_there = path->state == d->initial;

    steps[len++] = d->initial;
    for (size_t i = 0; i < path->len; i++) {
        const uint32_t state = meaning(d, path, path->columns[i]);
        been_there = been_there || state == path->state;
        steps[len++] = state;
    }
    /* What happened last and left the row in the state before is no step. */
    const bool stays = been_there && len > 1 && steps[len - 1] != path->state;
    const size_t sure = stays ? len - 1 : len;
    for (size_t i = 1; i < sure; i++) {
        if (steps[i - 1] != DRAFT_NONE && steps[i] != DRAFT_NONE && steps[i - 1] != steps[i])
            bst__draft_edge(d, steps[i - 1], steps[i], steps[i], path->rows);
    }
    if (!stays) {
        add_end(d, path, steps[len - 1], false, DRAFT_NONE);
        return;
    }
    if (steps[len - 2] != path->state && steps[len - 1] != DRAFT_NONE) {
        /* Not directly before: it came back. */
        if (steps[len - 2] != DRAFT_NONE)
            bst__draft_edge(d, steps[len - 2], steps[len - 1], steps[len - 1], path->rows);
        add_end(d, path, steps[len - 1], true, DRAFT_NONE);
    } else {
        add_end(d, path, steps[len - 1], true, path->state);
    }
}

/* In how many rows the time of one column is before that of another; by their places among the
 * columns that are evidence. */
typedef struct orders {
    uint32_t place[DRAFT_COLUMNS_MAX];
    uint64_t before[DRAFT_PATH_MAX][DRAFT_PATH_MAX];
    uint32_t count;
} orders;

static void count_orders(const draft *d, orders *o) {
    for (uint32_t i = 0; i < d->column_count; i++)
        o->place[i] = d->columns[i].role == ROLE_EVIDENCE ? o->count++ : 0;
    for (size_t i = 0; i < d->path_count; i++) {
        const draft_path *path = &d->paths[i];
        for (size_t b = 1; b < path->len; b++) {
            for (size_t a = 0; a < b; a++)
                o->before[o->place[path->columns[a]]][o->place[path->columns[b]]] += path->rows;
        }
    }
}

/* Two of its times stand the other way round than they do in nearly all rows that have both. */
static bool is_twisted(const orders *o, const draft_path *path) {
    for (size_t b = 1; b < path->len; b++) {
        for (size_t a = 0; a < b; a++) {
            const uint32_t x = o->place[path->columns[a]], y = o->place[path->columns[b]];
            if (o->before[x][y] * TWISTED < o->before[y][x])
                return true;
        }
    }
    return false;
}

void bst__draft_steps_from_paths(draft *d) {
    orders *o = bst__draft_array(d, 1, sizeof *o);
    uint64_t twisted = 0;

    if (!o)
        return;
    count_orders(d, o);
    for (size_t i = 0; i < d->path_count && !d->failed; i++) {
        if (is_twisted(o, &d->paths[i]))
            twisted += d->paths[i].rows;
        else
            add_walk(d, &d->paths[i]);
    }
    if (twisted > 0)
        bst__draft_note(d,
                        "%llu row%s times in an order that fewer than 1 row in %u has: that is "
                        "taken for a mistake, and no transition is proposed from it.",
                        (unsigned long long)twisted, twisted == 1 ? " has" : "s have", TWISTED);
}

/* ---- mending */

static void drop_noise(draft *d) {
    uint64_t *entering = bst__draft_array(d, d->state_count + 1, sizeof *entering);
    size_t dropped = 0;
    uint64_t times = 0;

    if (!entering)
        return;
    for (size_t i = 0; i < d->edge_count; i++)
        entering[d->edges[i].event_of] += d->edges[i].count;
    for (size_t i = 0; i < d->edge_count; i++) {
        draft_edge *edge = &d->edges[i];
        edge->taken = edge->guess || edge->count * NOISE >= entering[edge->event_of];
        if (!edge->taken) {
            dropped++;
            times += edge->count;
        }
    }
    if (dropped > 0)
        bst__draft_note(d,
                        "%zu kinds of transition are left out as noise: they were seen %llu "
                        "times, each less than 1 time in %u of what enters its state. Rows that "
                        "took them go to quarantine.",
                        dropped, (unsigned long long)times, NOISE);
}

static void reach(draft *d) {
    bool grew = true;

    for (size_t i = 0; i < d->state_count; i++)
        d->states[i].reached = i == d->initial;
    for (size_t i = 0; i < d->edge_count; i++) {
        if (d->edges[i].taken && d->edges[i].from == DRAFT_NONE)
            d->states[d->edges[i].to].reached = true;
    }
    while (grew) {
        grew = false;
        for (size_t i = 0; i < d->edge_count; i++) {
            const draft_edge *edge = &d->edges[i];
            if (edge->taken && edge->from != DRAFT_NONE && d->states[edge->from].reached &&
                !d->states[edge->to].reached) {
                d->states[edge->to].reached = true;
                grew = true;
            }
        }
    }
}

/* The strongest of the steps that were left out and would reach a state that nothing reaches. */
static draft_edge *dropped_way(draft *d) {
    draft_edge *best = NULL;
    for (size_t i = 0; i < d->edge_count; i++) {
        draft_edge *edge = &d->edges[i];
        if (!edge->taken && edge->from != DRAFT_NONE && d->states[edge->from].reached &&
            !d->states[edge->to].reached && (!best || edge->count > best->count))
            best = edge;
    }
    return best;
}

/* The state that is listed before it and can be reached: lists of states are mostly in order. */
static uint32_t likely_predecessor(const draft *d, uint32_t state) {
    for (uint32_t i = state; i-- > 0;) {
        if (d->states[i].reached && (d->states[i].exits > 0 || i == d->initial))
            return i;
    }
    return d->initial;
}

static void build_bridges(draft *d) {
    size_t built = 0;

    reach(d);
    for (uint32_t s = 0; s < d->state_count && !d->failed; s++) {
        if (d->states[s].reached)
            continue;
        draft_edge *edge = dropped_way(d);
        if (edge) {
            edge->note = "Seldom seen, and kept because nothing else leads there.";
            s = UINT32_MAX; /* look again from the start: others may hang on this one */
        } else {
            edge = bst__draft_edge(d, likely_predecessor(d, s), s, s, 0);
            if (!edge)
                return;
            edge->guess = true;
            edge->note = "A guess: nothing in the data leads to this state.";
            built++;
        }
        edge->taken = true;
        reach(d);
    }
    if (built > 0)
        bst__draft_note(
            d, "What leads to %zu of the states was never seen: those transitions are guesses.",
            built);
}

static void count_exits(draft *d) {
    for (size_t i = 0; i < d->state_count; i++)
        d->states[i].exits = 0;
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (edge->taken && edge->from != DRAFT_NONE)
            d->states[edge->from].exits++;
    }
}

static bool command_is_free(const draft *d, const draft_edge *of, const char *command) {
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (edge != of && edge->taken && edge->from == of->from && edge->command &&
            strcmp(edge->command, command) == 0)
            return false;
    }
    return true;
}

/* Two ways out of a state under one command would need a guard that nobody knows. */
static void name_commands(draft *d) {
    for (size_t i = 0; i < d->edge_count && !d->failed; i++) {
        draft_edge *edge = &d->edges[i];
        if (!edge->taken || edge->from == DRAFT_NONE)
            continue;
        const char *verb = d->states[edge->event_of].verb;
        if (edge->command && command_is_free(d, edge, edge->command))
            continue;
        const bool stays = edge->from == edge->to && edge->event_of != edge->to;
        const char *base = stays           ? bst__draft_text(d, "%s_and_stay", verb)
                           : edge->command ? bst__draft_text(d, "%s_to_%s", edge->command,
                                                             d->states[edge->to].name)
                                           : verb;
        const char *command = base;
        edge->command = NULL;
        for (unsigned n = 2; !command_is_free(d, edge, command) && !d->failed; n++)
            command = bst__draft_text(d, "%s_%u", base, n);
        edge->command = command;
        if (stays && !edge->note)
            edge->note = "A guess: its time is the latest, and the state stayed.";
    }
}

void bst__draft_mend_steps(draft *d) {
    drop_noise(d);
    count_exits(d);
    build_bridges(d);
    count_exits(d);
    name_commands(d);
}
