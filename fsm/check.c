/* The analyses of check.h. Each is one function that walks the tables once; two breadth-first
 * walks, from the creations onwards and from the ends backwards, serve those that speak of ways.
 * Guards are taken as possible: an analysis that speaks up is right whatever the data.
 */
#include "backstory/check.h"

#include <stdlib.h>

#include "backstory/words.h"
#include "machine_private.h"

#define SUGGESTIONS_MAX   50 /* searches for a near name; each looks at all */
#define SAME_GUARD_WINDOW 8  /* candidates before one that are compared with its guard as trees */

typedef struct check {
    const bst_machine *machine;
    const bst__machine *m;
    bst_arena *arena;
    bst_diags *diags;
    bool *reachable; /* by state */
    bool *dead_end;  /* by state: not final, and nothing leaves it */
    bool *ends;      /* by state: an end can be reached */
    bool has_final;
} check;

#define WARN(c, code, where, ...)                                                                  \
    bst_diag_add((c)->diags, BST_OK, BST_WARNING, (code), (where), __VA_ARGS__)

/* Ways. */

/* Marks in `seen` what can be reached along `next` from the states in `queue`. */
typedef struct edges {
    uint32_t *first; /* by state: its edges are heads[first[s]] .. heads[first[s + 1] - 1] */
    uint32_t *heads;
} edges;

static bool make_edges(check *c, bool backwards, edges *ret) {
    const bst_machine *m = c->machine;
    uint32_t *first = bst_arena_array(c->arena, (size_t)m->state_count + 2, sizeof *first);
    uint32_t *heads = bst_arena_array(c->arena, m->transition_count, sizeof *heads);
    if (!first || !heads) {
        return false;
    }
    for (uint32_t i = m->creation_count; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        first[(backwards ? t->to : t->from) + 2]++;
    }
    for (uint32_t s = 0; s < m->state_count; s++) {
        first[s + 2] += first[s + 1];
    }
    for (uint32_t i = m->creation_count; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        heads[first[(backwards ? t->to : t->from) + 1]++] = backwards ? t->from : t->to;
    }
    *ret = (edges){first, heads};
    return true;
}

static void spread(const edges *graph, uint32_t *queue, uint32_t count, bool *seen) {
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t state = queue[at];
        for (uint32_t e = graph->first[state]; e < graph->first[state + 1]; e++) {
            const uint32_t next = graph->heads[e];
            if (!seen[next]) {
                seen[next] = true;
                queue[count++] = next;
            }
        }
    }
}

static bool leaves(const bst_machine *m, uint32_t state) {
    const bst_state *s = &m->states[state];
    for (uint32_t i = 0; i < s->transition_count; i++) {
        if (m->transitions[s->first_transition + i].to != state) {
            return true;
        }
    }
    return false;
}

static bool find_ways(check *c) {
    const bst_machine *m = c->machine;
    edges onwards;
    edges backwards;
    uint32_t *queue = bst_arena_array(c->arena, m->state_count, sizeof *queue);
    c->reachable = bst_arena_array(c->arena, m->state_count, sizeof *c->reachable);
    c->dead_end = bst_arena_array(c->arena, m->state_count, sizeof *c->dead_end);
    c->ends = bst_arena_array(c->arena, m->state_count, sizeof *c->ends);
    if (!queue || !c->reachable || !c->dead_end || !c->ends || !make_edges(c, false, &onwards) ||
        !make_edges(c, true, &backwards)) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->creation_count; i++) {
        const uint32_t to = m->transitions[i].to;
        if (!c->reachable[to]) {
            c->reachable[to] = true;
            queue[count++] = to;
        }
    }
    spread(&onwards, queue, count, c->reachable);
    count = 0;
    for (uint32_t s = 0; s < m->state_count; s++) {
        c->has_final = c->has_final || m->states[s].final;
        c->dead_end[s] = !m->states[s].final && !leaves(m, s);
        if (m->states[s].final || c->dead_end[s]) {
            c->ends[s] = true; /* a dead end is said to be one; what leads there is not to blame */
            queue[count++] = s;
        }
    }
    spread(&backwards, queue, count, c->ends);
    return true;
}

static void report_unreachable(check *c, const bst_loc *where, const char *name) {
    WARN(c, "unreachable-state", where, "state \"%s\" cannot be reached", name);
    bst_diag_hint(c->diags, "Lead a transition to it, create entities in it with \"creates\", or "
                            "remove it.");
}

static void check_state(check *c, uint32_t number) {
    const bst_machine *m = c->machine;
    const bst_state *state = &m->states[number];
    const bst_loc where = bst_machine_state_where(m, number);
    if (!c->reachable[number]) {
        report_unreachable(c, &where, state->name);
        return;
    }
    if (c->has_final && c->dead_end[number]) {
        const bool inner_end = m->nodes[state->nodes[0]].kind == BST_NODE_FINAL;
        WARN(c, "dead-end", &where, "state \"%s\" is not final, but nothing leads out of it",
             state->name);
        bst_diag_hint(c->diags,
                      inner_end ? "It ends the state around it, not the machine: give that one an "
                                  "\"onDone\"."
                                : "Add \"type\": \"final\" when a life may end here, or a "
                                  "transition.");
    } else if (c->has_final && !c->ends[number]) {
        WARN(c, "no-way-to-final", &where, "no final state can be reached from state \"%s\"",
             state->name);
        bst_diag_hint(c->diags, "Lead a transition out of the circle that it belongs to.");
    }
}

/* Leaves that are part of no configuration. Without regions every leaf is one. */
static bool check_leaves(check *c) {
    const bst_machine *m = c->machine;
    bool *active = bst_arena_array(c->arena, m->node_count, sizeof *active);
    for (uint32_t s = 0; active && s < m->state_count; s++) {
        for (uint32_t i = 0; i < m->states[s].node_count; i++) {
            active[m->states[s].nodes[i]] = true;
        }
    }
    for (uint32_t n = 1; active && n < m->node_count; n++) {
        const bool leaf = m->nodes[n].kind == BST_NODE_ATOMIC || m->nodes[n].kind == BST_NODE_FINAL;
        if (leaf && !active[n]) {
            const bst_loc where = bst_machine_node_where(m, n);
            report_unreachable(c, &where, m->nodes[n].path);
        }
    }
    return active != NULL;
}

/* A final node that something leaves of its own accord. */
static void check_exits(check *c) {
    const bst_machine *m = c->machine;
    uint32_t before = BST_NONE;
    for (uint32_t i = 0; i < c->m->written_count; i++) {
        const uint32_t node = c->m->written[i].node;
        if (node == BST_NONE || node == before || m->nodes[node].kind != BST_NODE_FINAL) {
            continue;
        }
        before = node;
        bst_strbuf pointer = BST_STRBUF_INIT;
        bst__node_pointer(m, node, &pointer);
        bst_json_pointer_add(&pointer, "on");
        const bst_loc where = bst_json_source_key(m->source, pointer.text);
        bst_strbuf_release(&pointer);
        WARN(c, "final-with-exit", &where, "final state \"%s\" accepts commands",
             m->nodes[node].path);
        bst_diag_hint(c->diags,
                      "Remove \"on\", or \"type\": \"final\": a final state is the end of a life.");
    }
}

/* Where states are combinations, what is odd about one is odd about many: the first speaks for
 * all. */
static void check_states(check *c) {
    const bst_machine *m = c->machine;
    bool dead_end_said = false;
    bool no_way_said = false;
    for (uint32_t s = 0; s < m->state_count; s++) {
        const bool combined = m->states[s].node_count > 1;
        const bool odd = !c->reachable[s] || (c->has_final && (c->dead_end[s] || !c->ends[s]));
        bool *said = c->dead_end[s] ? &dead_end_said : &no_way_said;
        if (odd && (!combined || !*said)) {
            check_state(c, s);
            *said = *said || combined;
        }
    }
    check_exits(c);
}

/* Order. */

static bool always_holds(const bst__machine *m, uint32_t guard) {
    if (guard == BST_NONE) {
        return true;
    }
    const bst_expr *expr = m->written_guards[guard].expr;
    return expr->op == BST_EXPR_LITERAL && expr->type.kind == BST_KIND_BOOL && expr->literal.u.i;
}

static void report_shadowed(check *c, uint32_t shadowed, uint32_t by) {
    const bst_machine *m = c->machine;
    const bst__written *w = &c->m->written[shadowed];
    const bst_loc where = bst__written_where(m, shadowed);
    const bst_loc there = bst__written_where(m, by);
    if (w->form == BST__CREATION) {
        WARN(c, "shadowed-transition", &where, "creation by \"%s\" can never happen",
             m->commands[w->command].name);
    } else {
        WARN(c, "shadowed-transition", &where,
             "transition of \"%s\" in state \"%s\" can never be taken",
             w->form == BST__ALWAYS ? "always"
             : w->form == BST__DONE ? "onDone"
                                    : m->commands[w->command].name,
             w->node == 0 ? m->id : m->nodes[w->node].path);
    }
    bst_diag_hint(c->diags, "Transitions are tried in order: move it up, or give the one before a "
                            "narrower guard.");
    bst_diag_also(c->diags, &there, "this one is always taken first");
}

/* The transition of the group that keeps number `at` from ever being taken, or BST_NONE. */
static uint32_t shadow_of(const check *c, uint32_t first, uint32_t at, const uint32_t *asked) {
    const bst__machine *m = c->m;
    const uint32_t guard = m->written[at].guard;
    if (guard == BST_NONE) {
        return BST_NONE;
    }
    if (asked[guard] > first) {
        return asked[guard] - 1;
    }
    const uint32_t begin = at - first > SAME_GUARD_WINDOW ? at - SAME_GUARD_WINDOW : first;
    for (uint32_t i = begin; i < at; i++) {
        const uint32_t other = m->written[i].guard;
        if (other != BST_NONE &&
            bst_expr_equal(m->written_guards[other].expr, m->written_guards[guard].expr)) {
            return i;
        }
    }
    return BST_NONE;
}

static bool same_group(const bst__written *a, const bst__written *b) {
    return a->node == b->node && a->command == b->command && a->form == b->form;
}

/* Each list of the file by itself: that a state's own come before those around it is no mistake. */
static bool check_order(check *c) {
    const bst__machine *m = c->m;
    uint32_t *asked = bst_arena_array(c->arena, m->written_guard_count,
                                      sizeof *asked); /* by guard: transition + 1 */
    uint32_t first = 0;
    uint32_t open_end = BST_NONE; /* the first of the group that always holds */
    if (!asked) {
        return false;
    }
    for (uint32_t i = 0; i < m->written_count; i++) {
        const bst__written *w = &m->written[i];
        if (i == 0 || !same_group(&w[-1], w)) {
            first = i;
            open_end = BST_NONE;
        }
        const uint32_t by = open_end != BST_NONE ? open_end : shadow_of(c, first, i, asked);
        if (by != BST_NONE) {
            report_shadowed(c, i, by);
        } else if (always_holds(m, w->guard)) {
            open_end = i;
        }
        if (w->guard != BST_NONE) {
            asked[w->guard] = asked[w->guard] > first ? asked[w->guard] : i + 1;
        }
    }
    return true;
}

/* Use. */

/* The name among the events that nobody listed which this listed one was probably meant to be. */
static const char *meant_event(const check *c, const char *name) {
    const bst_machine *m = c->machine;
    const char **list = malloc((m->event_count + 1) * sizeof *list);
    size_t count = 0;
    for (uint32_t i = 0; list && i < m->event_count; i++) {
        if (m->events[i].derived) {
            list[count++] = m->events[i].name;
        }
    }
    const char *near = list ? bst_nearest_name(name, list, count) : NULL;
    free(list);
    return near;
}

static void check_used_events(check *c) {
    const bst_machine *m = c->machine;
    unsigned searches = 0;
    for (uint32_t i = 0; i < m->event_count; i++) {
        if (c->m->event_user[i] != BST_NONE) {
            continue;
        }
        const char *name = m->events[i].name;
        const bst_loc where = bst_machine_event_where(m, i);
        WARN(c, "unused-event", &where, "event \"%s\" is emitted by no transition", name);
        const char *near = searches++ < SUGGESTIONS_MAX ? meant_event(c, name) : NULL;
        if (near) {
            const uint32_t user = c->m->event_user[bst_machine_event(m, near)];
            bst_diag_hint(
                c->diags,
                "Command \"%s\" emits \"%s\": call the event so, or add \"event\": \"%s\" to "
                "the transition.",
                m->commands[c->m->written[user].command].name, near, name);
        } else {
            bst_diag_hint(c->diags, "Name it in the \"event\" of a transition, or remove it.");
        }
    }
}

static void check_used(check *c) {
    const bst_machine *m = c->machine;
    check_used_events(c);
    for (uint32_t i = 0; i < m->command_count; i++) {
        if (c->m->command_user[i] == BST_NONE) {
            const bst_loc where = bst__command_where(m, i);
            WARN(c, "unused-command", &where, "command \"%s\" is accepted by no state",
                 m->commands[i].name);
            bst_diag_hint(c->diags, "Add it to the \"on\" of a state, or remove it.");
        }
    }
    for (uint32_t i = 0; i < c->m->named_guard_count; i++) {
        if (c->m->guard_user[i] == BST_NONE) {
            const bst_loc where = bst__written_guard_where(m, i);
            WARN(c, "unused-guard", &where, "guard \"%s\" is asked by no transition",
                 c->m->written_guards[i].name);
            bst_diag_hint(c->diags, "Name it in the \"guard\" of a transition, or remove it.");
        }
    }
}

/* Creation. */

static void report_unset(check *c, uint32_t field, uint32_t creation) {
    const bst_machine *m = c->machine;
    const char *event = m->events[m->transitions[creation].event].name;
    const bst_loc where = bst_machine_field_where(m, field);
    const bst_loc there = bst_machine_transition_where(m, creation);
    WARN(c, "unset-field", &where, "field \"%s\" is required, but event \"%s\" does not set it",
         m->fields[field].name, event);
    bst_diag_hint(c->diags,
                  "Give event \"%s\" a field \"%s\", or this field a \"default\", or a \"?\".",
                  event, m->fields[field].name);
    bst_diag_also(c->diags, &there, "created here");
}

static bool check_creations(check *c) {
    const bst_machine *m = c->machine;
    bool *seen = bst_arena_array(c->arena, m->event_count, sizeof *seen);
    bool *reported = bst_arena_array(c->arena, m->field_count, sizeof *reported);
    uint32_t *set = bst_arena_array(c->arena, m->field_count, sizeof *set); /* creation + 1 */
    if (!seen || !reported || !set) {
        return false;
    }
    for (uint32_t i = 0; i < m->creation_count; i++) {
        const bst_event_type *event = &m->events[m->transitions[i].event];
        if (seen[m->transitions[i].event]) {
            continue;
        }
        seen[m->transitions[i].event] = true;
        for (uint32_t k = 0; k < event->assignment_count; k++) {
            set[event->assignments[k].field] = i + 1;
        }
        for (uint32_t f = 0; f < m->field_count; f++) {
            const bst_field *field = &m->fields[f];
            if (set[f] != i + 1 && !field->type.optional && !field->default_value.present &&
                !reported[f]) {
                reported[f] = true;
                report_unset(c, f, i);
            }
        }
    }
    return true;
}

/* Names. */

static void report_tense(check *c, uint32_t event) {
    const bst_machine *m = c->machine;
    const bst_loc where = bst_machine_event_where(m, event);
    const uint32_t user = c->m->event_user[event];
    const char *command = m->commands[c->m->written[user].command].name;
    if (m->events[event].derived) {
        WARN(c, "not-past-tense", &where,
             "command \"%s\" gives the event name \"%s\", which is not in the past tense", command,
             m->events[event].name);
        bst_diag_hint(c->diags, "Say in the transition what has happened, with \"event\".");
        return;
    }
    WARN(c, "not-past-tense", &where, "event name \"%s\" is not in the past tense",
         m->events[event].name);
    bst_strbuf name = BST_STRBUF_INIT;
    bst_event_name(m->id, command, &name);
    if (bst_is_past_tense(name.text)) {
        bst_diag_hint(c->diags, "An event is a fact: \"%s\", for example.", name.text);
    } else {
        bst_diag_hint(c->diags, "An event is a fact: say what has happened.");
    }
    bst_strbuf_release(&name);
}

static void check_names(check *c) {
    const bst_machine *m = c->machine;
    for (uint32_t i = 0; i < m->event_count; i++) {
        if (c->m->event_user[i] == BST_NONE) {
            continue; /* reported already */
        }
        if (!bst_is_past_tense(m->events[i].name)) {
            report_tense(c, i);
        } else if (bst_leaks_implementation(m->events[i].name)) {
            const bst_loc where = bst_machine_event_where(m, i);
            WARN(c, "leaks-implementation", &where,
                 "event name \"%s\" speaks of how data is kept, not of what happened",
                 m->events[i].name);
            bst_diag_hint(c->diags,
                          "Name what it means to the business, such as \"AddressCorrected\".");
        }
    }
}

bst_status bst_machine_check(const bst_machine *machine, bst_diags *diags) {
    check c = {.machine = machine, .m = bst__machine_of(machine), .diags = diags};
    c.arena = bst_arena_new();
    const bool ok =
        c.arena && find_ways(&c) && check_order(&c) && check_creations(&c) && check_leaves(&c);
    if (ok) {
        check_states(&c);
        check_used(&c);
        check_names(&c);
    }
    bst_arena_free(c.arena);
    if (!ok) {
        return bst_diag_nomem(diags);
    }
    if (diags) {
        bst_diags_sort(diags);
    }
    return BST_OK;
}
