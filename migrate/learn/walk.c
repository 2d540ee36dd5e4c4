/* The rows of an entity's log as a whole history. A log may have less: most libraries write no row
 * for the creation, and rows get lost. A row that can follow the one before it directly does; what
 * else is missing is supplied where there is only one way, and a choice between several is what
 * should be learned and not assumed: such an entity is left out, with the reason.
 */
#include "learn_private.h"

#include <stdlib.h>

typedef struct walker {
    bst__learn_steps *steps;
    const bst_machine *machine;
    uint32_t state; /* BST_NONE: not created yet */
} walker;

const char *bst_learn_left_text(bst_learn_left left) {
    static const char *const texts[] = {
        [BST_LEFT_UNKNOWN] = "a row of the log has no state that the mapping knows",
        [BST_LEFT_CREATIONS] = "the creation is missing in the log, and several are possible",
        [BST_LEFT_SEVERAL] = "steps are missing in the log, and there are several ways",
        [BST_LEFT_IMPOSSIBLE] = "the machine has no such step, nor a way round",
        [BST_LEFT_NO_GAPS] = "a step is missing, of a log without gaps",
        [BST_LEFT_END] = "the log ends in another state than the row has",
        [BST_LEFT_TOO_LONG] = "the history is too long"};
    return texts[left];
}

const char *bst_learn_left_key(bst_learn_left left) {
    static const char *const keys[] = {
        [BST_LEFT_UNKNOWN] = "unknown_state", [BST_LEFT_CREATIONS] = "several_creations",
        [BST_LEFT_SEVERAL] = "several_ways",  [BST_LEFT_IMPOSSIBLE] = "no_way",
        [BST_LEFT_NO_GAPS] = "step_missing",  [BST_LEFT_END] = "other_end",
        [BST_LEFT_TOO_LONG] = "too_long"};
    return keys[left];
}

static uint32_t first_of(const bst_machine *machine, uint32_t from, uint32_t *ret_count) {
    *ret_count =
        from == BST_NONE ? machine->creation_count : machine->states[from].transition_count;
    return from == BST_NONE ? 0 : machine->states[from].first_transition;
}

/* The first transition of the machine's file that leads there; BST_NONE: none does. */
static uint32_t step_to(const bst_machine *machine, uint32_t from, uint32_t to) {
    uint32_t count;
    const uint32_t first = first_of(machine, from, &count);
    for (uint32_t t = first; t < first + count; t++) {
        if (machine->transitions[t].to == to && !machine->transitions[t].targetless)
            return t;
    }
    return BST_NONE;
}

static bst_status push(walker *w, uint32_t step, bst_diags *diags) {
    bst__learn_steps *const steps = w->steps;
    if (steps->count == steps->room) {
        const uint32_t room = 2 * steps->room + 64;
        uint32_t *const more = realloc(steps->steps, room * sizeof *more);
        if (!more)
            return bst_diag_nomem(diags);
        steps->steps = more;
        steps->room = room;
    }
    steps->steps[steps->count++] = step;
    w->state = w->machine->transitions[step].to;
    return BST_OK;
}

/* The shortest way, as the step into each of its states; false: there is none. Steps between the
 * same two states as `without` are left aside. */
static bool find_way(const walker *w, uint32_t to, uint32_t without, uint32_t *by,
                     uint32_t *queue) {
    const bst_machine *const machine = w->machine;
    const bst_transition *const aside = without == BST_NONE ? NULL : &machine->transitions[without];
    uint32_t head = 0, tail = 0, from = w->state;
    for (uint32_t s = 0; s < machine->state_count; s++)
        by[s] = BST_NONE;
    for (;;) {
        uint32_t count;
        const uint32_t first = first_of(machine, from, &count);
        for (uint32_t t = first; t < first + count; t++) {
            const bst_transition *const step = &machine->transitions[t];
            if (step->targetless || by[step->to] != BST_NONE ||
                (aside && step->from == aside->from && step->to == aside->to))
                continue;
            by[step->to] = t;
            queue[tail++] = step->to;
        }
        if (by[to] != BST_NONE || head == tail)
            return by[to] != BST_NONE;
        from = queue[head++];
    }
}

/* Goes there by the only way that enters no state twice. A second way would lack a step of the
 * first, so each of its steps is left aside once. */
static bst_status go_only_way(walker *w, uint32_t to, bst_learn_left *ret, bst_diags *diags) {
    bst_arena *const scratch = w->steps->scratch;
    const uint32_t room = w->machine->state_count;
    uint32_t *const by = bst_arena_array(scratch, room, sizeof *by);
    uint32_t *const other = bst_arena_array(scratch, room, sizeof *other);
    uint32_t *const queue = bst_arena_array(scratch, room, sizeof *queue);
    uint32_t *const way = bst_arena_array(scratch, room, sizeof *way);
    uint32_t count = 0;
    bst_status status = BST_OK;
    if (!by || !other || !queue || !way)
        return bst_diag_nomem(diags);
    if (!find_way(w, to, BST_NONE, by, queue)) {
        *ret = BST_LEFT_IMPOSSIBLE;
        return BST_OK;
    }
    for (uint32_t at = to; count == 0 || at != w->state; count++) {
        way[count] = by[at];
        at = w->machine->transitions[by[at]].from;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (find_way(w, to, way[i], other, queue)) {
            *ret = BST_LEFT_SEVERAL;
            return BST_OK;
        }
    }
    while (status == BST_OK && count > 0)
        status = push(w, way[--count], diags);
    w->steps->filled = true;
    return status;
}

/* How many states entities can be created in that lead there directly, and a creation of one. */
static uint32_t creations_before(const bst_machine *machine, uint32_t to, uint32_t *ret) {
    uint32_t count = 0;
    *ret = BST_NONE;
    for (uint32_t t = 0; t < machine->creation_count; t++) {
        const uint32_t into = machine->transitions[t].to;
        const bool other = *ret == BST_NONE || machine->transitions[*ret].to != into;
        if (!other || step_to(machine, into, to) == BST_NONE)
            continue;
        count++;
        *ret = t;
    }
    return count;
}

static bst_status go(walker *w, uint32_t to, bool gaps, bst_learn_left *ret, bst_diags *diags) {
    const uint32_t step = step_to(w->machine, w->state, to);
    if (step != BST_NONE)
        return push(w, step, diags);
    if (gaps)
        return go_only_way(w, to, ret, diags);
    *ret = BST_LEFT_NO_GAPS;
    return BST_OK;
}

/* The first row is the creation, or what follows one. Where it may be either, what the log does
 * otherwise tells. */
static bst_status begin(walker *w, uint32_t to, bool gaps, bst_learn_left *ret, bst_diags *diags) {
    bst__learn_steps *const steps = w->steps;
    uint32_t creation;
    const uint32_t before = creations_before(w->machine, to, &creation);
    const bool creates = step_to(w->machine, BST_NONE, to) != BST_NONE;
    steps->begins = creates && before > 0 ? BST__BEGINS_EITHER
                    : creates             ? BST__BEGINS_CREATED
                    : before > 0          ? BST__BEGINS_LATER
                                          : BST__BEGINS_NEITHER;
    if (before == 0 || (creates && !steps->unwritten))
        return go(w, to, gaps, ret, diags);
    if (before > 1) {
        *ret = BST_LEFT_CREATIONS;
        return BST_OK;
    }
    steps->created = true;
    const bst_status status = push(w, creation, diags);
    return status == BST_OK ? go(w, to, gaps, ret, diags) : status;
}

bst_status bst__learn_walk_make(bst__learn_steps *steps, const bst_mapping *mapping,
                                const bst__log_rows *log, uint32_t end, bst_learn_left *ret,
                                bst_diags *diags) {
    walker w = {.steps = steps, .machine = mapping->machine, .state = BST_NONE};
    const bool gaps = !mapping->log->whole;
    bst_status status = BST_OK;
    *ret = BST_LEFT_NONE;
    steps->count = 0;
    steps->created = steps->filled = false;
    steps->begins = BST__BEGINS_NEITHER;
    for (size_t i = 0; i < log->count && status == BST_OK && *ret == BST_LEFT_NONE; i++) {
        const uint32_t to = log->rows[i].state;
        if (to == BST_NONE)
            *ret = BST_LEFT_UNKNOWN;
        else if (i == 0)
            status = begin(&w, to, gaps, ret, diags);
        else
            status = go(&w, to, gaps, ret, diags);
    }
    if (log->count == 0) {
        status = go(&w, end, false, ret, diags);
    } else if (status == BST_OK && *ret == BST_LEFT_NONE && w.state != end) {
        if (gaps)
            status = go(&w, end, true, ret, diags);
        *ret = !gaps || *ret == BST_LEFT_IMPOSSIBLE ? BST_LEFT_END : *ret;
        steps->filled = true;
    }
    if (*ret == BST_LEFT_NONE && steps->count > BST_WALK_STEPS_MAX)
        *ret = BST_LEFT_TOO_LONG;
    return status;
}
