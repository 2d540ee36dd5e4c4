/* What can happen in one configuration when one command comes: every way in which the guards that
 * are asked can answer, in the order in which decide() has to try them.
 *
 *     choose    each region its first transition that holds, the inner ones first
 *     take      all of them together
 *     settle    "always" until nothing more is enabled, then "onDone" of what was completed
 *
 * A guard that may hold forks the way: first it does, then it does not. Ways are therefore found in
 * such an order that the first one whose guards all hold is the one that is gone, and a way needs
 * to ask only for what holds on it: all before it would have been taken otherwise.
 */
#include <string.h>

#include "flatten_private.h"

static bool settle(bst__flat *f, const bst__row *row, const bst__list *done, uint32_t at,
                   uint32_t taken);

/* Answers. */

static bool push_answer(bst__flat *f, const bst_expr *expr, uint32_t guard, bool holds) {
    if (f->answer_count == f->answer_room) {
        const uint32_t room = bst__next_room(f->answer_room);
        bst__answer *longer = bst_arena_array(f->scratch, room, sizeof *longer);
        if (!longer) {
            return bst__nomem(f->l);
        }
        if (f->answer_count) {
            memcpy(longer, f->answers, f->answer_count * sizeof *longer);
        }
        f->answers = longer;
        f->answer_room = room;
    }
    f->answers[f->answer_count++] = (bst__answer){expr, guard, holds};
    return true;
}

/* What a written transition's guard says in a configuration. */
static bool ask(bst__flat *f, const bst__row *row, uint32_t written, bool after,
                const bst_expr **ret, bst__say *ret_say) {
    const uint32_t guard = f->l->transitions[written].guard;
    *ret = NULL;
    *ret_say = BST__YES;
    if (guard == BST_NONE) {
        return true;
    }
    const bool ok = bst__activate(f, row) && bst__ask(f, guard, after, ret, ret_say);
    bst__deactivate(f);
    return ok;
}

static bool make_room(bst__flat *f) {
    const uint32_t count = f->transition_count;
    if (count == BST_TRANSITIONS_MAX) {
        return bst__limit(f->l, NULL, "transitions of the flattened machine", BST_TRANSITIONS_MAX);
    }
    if (count == f->transition_room) {
        const uint32_t room = bst__next_room(count);
        f->transitions = bst__longer(f->l, f->transitions, sizeof *f->transitions, count, room);
        f->origin = bst__longer(f->l, f->origin, sizeof *f->origin, count, room);
        f->entered_by = bst__longer(f->l, f->entered_by, sizeof *f->entered_by, count, room);
        f->entry = bst__longer(f->l, f->entry, sizeof *f->entry, count, room);
        f->moves = bst__longer(f->l, f->moves, sizeof *f->moves, count, room);
        f->dropped = bst__longer(f->l, f->dropped, sizeof *f->dropped, count, room);
        f->transition_room = room;
    }
    return f->transitions && f->origin && f->entered_by && f->entry && f->moves && f->dropped;
}

static bool add_transition(bst__flat *f, const bst__row *row) {
    const bst_transition *first = &f->l->transitions[f->command_taken[0]];
    bst_transition t = *first;
    if (f->ways++ == BST_WAYS_MAX) {
        const bst_loc where = bst__written_where(&f->l->m->table, f->command_taken[0]);
        return bst__limit(f->l, &where, "ways of guards to answer one command", BST_WAYS_MAX);
    }
    if (!make_room(f) || !bst__intern_place(f, row, &t.to, &f->entry[f->transition_count]) ||
        !bst__compose(f, &t.guard)) {
        return false;
    }
    uint32_t *entries = bst_arena_array(f->l->arena, f->way.count, sizeof *entries);
    if (!entries) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; i < f->way.count; i++) {
        entries[i] = f->way.items[i];
    }
    f->entered_by[f->transition_count] = (bst__nodes){entries, f->way.count};
    t.from = f->from;
    for (uint32_t i = 0; i < f->command_taken_count; i++) {
        const bst_transition *one = &f->l->transitions[f->command_taken[i]];
        t.targetless = t.targetless && one->targetless;
        t.reenter = t.reenter || one->reenter;
        t.after_us = t.after_us ? t.after_us : one->after_us;
    }
    t.targetless = t.targetless && t.to == t.from;
    f->moves[f->transition_count] = f->command_left;
    f->dropped[f->transition_count] = f->command_dropped;
    f->any_dropped = f->any_dropped || f->command_dropped != BST_NONE;
    f->origin[f->transition_count] = f->command_taken[0];
    f->transitions[f->transition_count++] = t;
    return true;
}

/* Steps that follow by themselves. */

/* One of several things done so far in this step led here before: it would go on for ever. */
static bool report_loop(bst__flat *f, uint32_t from, uint32_t taken) {
    bst__load *l = f->l;
    if (f->reported[taken]) {
        return true;
    }
    f->reported[taken] = true;
    const bst_loc where = bst__written_where(&l->m->table, taken);
    bst_strbuf circle = BST_STRBUF_INIT;
    for (uint32_t i = from; i <= f->visit_count; i++) {
        const uint32_t by = i < f->visit_count ? f->visits[i].taken : taken;
        if (i > from) {
            f->reported[by] = true;
            bst_strbuf_addf(&circle, "%s\"%s\"", i > from + 1 ? ", " : "",
                            l->nodes[l->transitions[by].from].path);
        }
    }
    bst__error(l, &where, "always-loop", "\"%s\" leads round in a circle that never ends",
               l->written[taken].form == BST__DONE ? "onDone" : "always");
    bst_diag_detail(l->diags, "The circle goes through %s.", circle.text);
    bst_diag_hint(l->diags, "Give one of them a guard that fails in the end: an opposite, such as "
                            "x > 0 and x <= 0, is seen as one.");
    bst_strbuf_release(&circle);
    return true;
}

static bool check_circle(bst__flat *f, const bst__row *row, uint32_t taken, uint32_t pending,
                         bool *ret_circle) {
    *ret_circle = false;
    for (uint32_t i = 0; i < f->visit_count; i++) {
        if (pending >= f->visits[i].pending && bst__same_row(&f->visits[i].row, row)) {
            *ret_circle = true;
            return report_loop(f, i, taken);
        }
    }
    if (f->visit_count == BST_SETTLE_MAX) {
        const bst_loc where = bst__written_where(&f->l->m->table, taken);
        return bst__limit(f->l, &where, "steps that follow by themselves", BST_SETTLE_MAX);
    }
    return true;
}

/* Takes what happens by itself, and goes on from there with the rest of what is done. */
static bool step_on(bst__flat *f, const bst__row *row, uint32_t *taken, uint32_t count,
                    const bst__list *done, uint32_t at) {
    bst__row next;
    bst__list rest = {0};
    bool circle;
    const uint32_t first = taken[0];
    for (uint32_t i = 0; i < row->words[0]; i++) {
        f->passed[row->words[1 + i]] = true;
    }
    for (uint32_t i = at; i < done->count; i++) {
        if (!bst__list_add(f, &rest, done->items[i])) {
            return false;
        }
    }
    const uint32_t way = f->way.count;
    const bool ok = bst__take(f, row, taken, &count, &next, &rest) &&
                    check_circle(f, &next, first, rest.count, &circle) &&
                    (circle || settle(f, &next, &rest, 0, first));
    f->way.count = way;
    return ok;
}

/* "always": each leaf takes the first that holds, its own before those around it. */
typedef struct silent {
    const bst__row *row;
    const bst__list *done;
    uint32_t at;
    uint32_t *taken;
} silent;

/* Answers what is done: "onDone" of the node that was completed first. */
static bool answer_done(bst__flat *f, const silent *s) {
    const uint32_t node = s->done->items[s->at];
    const bst__node_note *note = &f->l->node_notes[node];
    const uint32_t first = note->first + note->command_count + note->always_count;
    const uint32_t known = f->answer_count;
    bst__say say = BST__NO;
    bool ok = bst__activate(f, s->row);
    const bool active = f->active[node];
    bst__deactivate(f);
    for (uint32_t i = first; ok && active && i < first + note->done_count; i++) {
        const bst_expr *expr;
        uint32_t taken = i;
        ok = ask(f, s->row, i, true, &expr, &say);
        if (!ok || say == BST__NO) {
            continue;
        }
        ok = (say == BST__YES || push_answer(f, expr, f->l->transitions[i].guard, true)) &&
             step_on(f, s->row, &taken, 1, s->done, s->at + 1);
        if (say == BST__YES || !ok) {
            break;
        }
        f->answers[f->answer_count - 1].holds = false;
    }
    ok = ok && (say == BST__YES || settle(f, s->row, s->done, s->at + 1, BST_NONE));
    f->answer_count = known;
    return ok;
}

/* All leaves have chosen. */
static bool after_silent(bst__flat *f, const silent *s, uint32_t count) {
    if (count == 0) {
        return s->at == s->done->count ? add_transition(f, s->row) : answer_done(f, s);
    }
    uint32_t *taken = bst_arena_array(f->scratch, count, sizeof *taken);
    if (!taken) {
        return bst__nomem(f->l);
    }
    memcpy(taken, s->taken, count * sizeof *taken);
    return step_on(f, s->row, taken, count, s->done, s->at);
}

/* The next "always" that may hold: of `node`, from `number` on, and of those around it. False: out
 * of memory; BST_NONE: there is none. */
static bool next_silent(bst__flat *f, const silent *s, uint32_t *node, uint32_t *number,
                        uint32_t *ret, const bst_expr **ret_expr, bst__say *ret_say) {
    for (*ret = BST_NONE; *node != BST_NONE; *node = f->nodes[*node].parent, *number = 0) {
        const bst__node_note *note = &f->l->node_notes[*node];
        for (; *number < note->always_count; ++*number) {
            const uint32_t one = note->first + note->command_count + *number;
            if (!ask(f, s->row, one, true, ret_expr, ret_say)) {
                return false;
            }
            if (*ret_say != BST__NO) {
                *ret = one;
                return true;
            }
        }
    }
    return true;
}

static bool choose_silent(bst__flat *f, const silent *s, uint32_t leaf, uint32_t node,
                          uint32_t number, uint32_t count) {
    uint32_t one = BST_NONE;
    const bst_expr *expr = NULL;
    bst__say say = BST__NO;
    while (one == BST_NONE) {
        if (!next_silent(f, s, &node, &number, &one, &expr, &say)) {
            return false;
        }
        if (one == BST_NONE && ++leaf == s->row->words[0]) {
            return after_silent(f, s, count);
        }
        if (one == BST_NONE) {
            node = s->row->words[1 + leaf];
            number = 0;
        }
    }
    bool again = false; /* chosen for another leaf already */
    for (uint32_t i = 0; i < count; i++) {
        again = again || s->taken[i] == one;
    }
    const uint32_t known = f->answer_count;
    s->taken[count] = one;
    bool ok = (say == BST__YES || push_answer(f, expr, f->l->transitions[one].guard, true)) &&
              choose_silent(f, s, leaf, BST_NONE, 0, again ? count : count + 1);
    if (ok && say == BST__MAYBE) {
        f->answers[known].holds = false;
        ok = choose_silent(f, s, leaf, node, number + 1, count);
    }
    f->answer_count = known;
    return ok;
}

/* Goes on from where a step led until nothing follows by itself: `done` from `at` is still to be
 * answered. `taken`: what led here, BST_NONE when nothing has happened since. */
static bool settle(bst__flat *f, const bst__row *row, const bst__list *done, uint32_t at,
                   uint32_t taken) {
    bool end;
    if (!bst__is_end(f, row, &end)) {
        return false;
    }
    if (end) { /* nobody will ask what histories remember */
        const bst__row last = {row->words, 1 + row->words[0] + f->history_count};
        for (uint32_t i = 1 + row->words[0]; i < last.len; i++) {
            row->words[i] = 0;
        }
        return add_transition(f, &last);
    }
    if (row->words[0] > BST_ACTIVE_MAX) {
        return bst__limit(f->l, NULL, "states active at once", BST_ACTIVE_MAX);
    }
    const silent s = {row, done, at, bst_arena_array(f->scratch, row->words[0], sizeof *s.taken)};
    if (!s.taken) {
        return bst__nomem(f->l);
    }
    if (taken != BST_NONE) {
        f->visits[f->visit_count++] = (bst__visit){*row, taken, done->count - at};
    }
    const bool ok =
        f->silent ? choose_silent(f, &s, 0, row->words[1], 0, 0) : after_silent(f, &s, 0);
    if (taken != BST_NONE) {
        f->visit_count--;
    }
    return ok;
}

/* Commands. */

/* The transitions of one command, in the order in which they are tried: nodes from the inside out
 * and in document order, each node's in the order of the file. */
typedef struct choice {
    const bst__row *row;
    const bst__list *candidates;
    uint32_t *taken;
} choice;

static void report_events(bst__flat *f, uint32_t a, uint32_t b) {
    bst__load *l = f->l;
    if (f->reported[b]) {
        return;
    }
    f->reported[b] = true;
    const bst_loc where = bst__written_where(&l->m->table, b);
    const bst_loc there = bst__written_where(&l->m->table, a);
    bst__error(l, &where, "event-clash",
               "command \"%s\" emits \"%s\" here and \"%s\" in another region at the same time",
               l->commands[l->transitions[b].command].name, l->events[l->transitions[b].event].name,
               l->events[l->transitions[a].event].name);
    bst_diag_hint(l->diags, "One command gives rise to one event: name the same in both.");
    bst_diag_also(l->diags, &there, "the other event is here");
}

/* One that was chosen and is not among those that are taken. */
static uint32_t find_dropped(const choice *c, uint32_t chosen, const uint32_t *taken,
                             uint32_t count) {
    for (uint32_t i = 0; i < chosen && count < chosen; i++) {
        bool kept = false;
        for (uint32_t k = 0; k < count; k++) {
            kept = kept || taken[k] == c->taken[i];
        }
        if (!kept) {
            return c->taken[i];
        }
    }
    return BST_NONE;
}

/* All regions have chosen. */
static bool take_chosen(bst__flat *f, const choice *c, uint32_t count) {
    uint32_t *taken = bst_arena_array(f->scratch, count, sizeof *taken);
    const uint32_t chosen = count;
    bst__row next;
    bst__list done = {0};
    if (!taken) {
        return bst__nomem(f->l);
    }
    memcpy(taken, c->taken, count * sizeof *taken);
    f->way.count = 0;
    if (!bst__take(f, c->row, taken, &count, &next, &done)) {
        return false;
    }
    const bst_transition *first = &f->l->transitions[taken[0]];
    for (uint32_t i = 1; i < count; i++) {
        if (f->l->transitions[taken[i]].event != first->event) {
            report_events(f, taken[0], taken[i]);
            return true;
        }
    }
    f->command_taken = taken;
    f->command_taken_count = count;
    f->command_left = f->left;
    f->command_dropped = find_dropped(c, chosen, taken, count);
    f->change = (bst__change){first->event, first->command, first->payload_from, false};
    return settle(f, &next, &done, 0, taken[0]);
}

static bool chosen_inside(const bst__flat *f, const choice *c, uint32_t count, uint32_t node) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t source = f->l->transitions[c->taken[i]].from;
        if (source == node || bst__inside(f->nodes, source, node)) {
            return true;
        }
    }
    return false;
}

static bool choose(bst__flat *f, const choice *c, uint32_t at, uint32_t count) {
    const bst_expr *expr = NULL;
    bst__say say = BST__NO;
    for (; at < c->candidates->count; at++) {
        const uint32_t one = c->candidates->items[at];
        if (!chosen_inside(f, c, count, f->l->transitions[one].from)) {
            if (!ask(f, c->row, one, false, &expr, &say)) {
                return false;
            }
            if (say != BST__NO) {
                break;
            }
        }
    }
    if (at == c->candidates->count) {
        return count == 0 || take_chosen(f, c, count);
    }
    const uint32_t one = c->candidates->items[at];
    const uint32_t known = f->answer_count;
    c->taken[count] = one;
    bool ok = (say == BST__YES || push_answer(f, expr, f->l->transitions[one].guard, true)) &&
              choose(f, c, at + 1, count + 1);
    if (ok && say == BST__MAYBE) {
        f->answers[known].holds = false;
        ok = choose(f, c, at + 1, count);
    }
    f->answer_count = known;
    return ok;
}

/* A node's transitions join the lists of their commands, after those of the nodes inside. */
static bool gather(bst__flat *f, uint32_t node, bst__list *all) {
    const bst__node_note *note = &f->l->node_notes[node];
    for (uint32_t i = note->first; i < note->first + note->command_count; i++) {
        if (!bst__list_add(f, all, i)) {
            return false;
        }
    }
    return true;
}

/* All transitions of active nodes, from the inside out. */
static bool gather_all(bst__flat *f, const bst__row *row, bool end, bst__list *all) {
    const uint32_t count = row->words[0];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = row->words[1 + i];
        /* a node around comes after the last leaf inside it */
        const uint32_t next = i + 1 < count ? row->words[2 + i] : BST_NONE;
        if (!gather(f, node, all)) {
            return false;
        }
        for (node = f->nodes[node].parent; !end && node != BST_NONE && node != f->split;
             node = f->nodes[node].parent) {
            if (next != BST_NONE && bst__inside(f->nodes, next, node)) {
                break;
            }
            if (!gather(f, node, all)) {
                return false;
            }
        }
    }
    return true;
}

static bool walk_command(bst__flat *f, const bst__row *row, const bst__list *candidates) {
    const choice c = {row, candidates,
                      bst_arena_array(f->scratch, candidates->count, sizeof *c.taken)};
    f->ways = 0;
    return c.taken ? choose(f, &c, 0, 0) : bst__nomem(f->l);
}

/* Brings the transitions of a command together; commands in the order of their first. */
static bool group(bst__flat *f, const bst__list *all, bst__list **ret, uint32_t *ret_count) {
    bst__list *lists = bst_arena_array(f->scratch, all->count, sizeof *lists);
    uint32_t count = 0;
    bool ok = lists || bst__nomem(f->l);
    for (uint32_t i = 0; ok && i < all->count; i++) {
        const uint32_t command = f->l->transitions[all->items[i]].command;
        if (f->group_of[command] == 0) {
            f->group_of[command] = ++count;
        }
        ok = bst__list_add(f, &lists[f->group_of[command] - 1], all->items[i]);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        f->group_of[f->l->transitions[all->items[i]].command] = 0;
    }
    *ret = lists;
    *ret_count = count;
    return ok;
}

/* Creations are transitions of the machine's own node, into an empty configuration. */
static bool walk_creations(bst__flat *f) {
    const bst__row nothing = {NULL, 0};
    f->from = BST_NONE;
    for (uint32_t i = 0; i < f->l->creation_count; i++) {
        const bst_transition *t = &f->l->transitions[i];
        bst__row next;
        bst__list done = {0};
        const bst_expr *expr;
        bst__say say;
        uint32_t taken = i;
        uint32_t count = 1;
        f->ways = 0;
        f->way.count = 0;
        f->command_taken = &taken;
        f->command_taken_count = 1;
        f->command_left = true; /* it was nowhere */
        f->command_dropped = BST_NONE;
        f->change = (bst__change){t->event, t->command, t->payload_from, true};
        if (!bst__ask(f, t->guard, false, &expr, &say) ||
            (say == BST__MAYBE && !push_answer(f, expr, t->guard, true))) {
            return false;
        }
        if (say != BST__NO && (!bst__take(f, &nothing, &taken, &count, &next, &done) ||
                               !settle(f, &next, &done, 0, i))) {
            return false;
        }
        f->answer_count = 0;
    }
    return true;
}

bool bst__walk(bst__flat *f, uint32_t row) {
    if (row == BST_NONE) {
        return walk_creations(f);
    }
    const bst__row here = f->rows[row];
    bst__list all = {0};
    bst__list *lists = NULL;
    uint32_t count = 0;
    bool end;
    f->from = row;
    if (!bst__is_end(f, &here, &end) || !gather_all(f, &here, end, &all) ||
        !group(f, &all, &lists, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!walk_command(f, &here, &lists[i])) {
            return false;
        }
    }
    return true;
}
