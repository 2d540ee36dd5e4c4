/* Who answers when several could: a state and one around it, or two regions.
 *
 * Of a state and one around it the inner one is asked first; when its guards
 * refuse, the outer one is taken, and no line of the file says so. That an inner transition without
 * a guard overrides the outer one is the common idiom, and silent.
 *
 * The table has it already: among the transitions of one state and one command, those of the inner
 * node stand before those of the node around it, each with the guard that is asked there.
 *
 * Two regions that answer one command do so together, unless one of them leaves what both are in:
 * then the one that comes first in the file is taken, and the other gives way in silence.
 */
#include "check_private.h"
#include "guard_private.h"

#define WITNESS_TRIES 50000u /* evaluations for the whole machine */
#define STATES_TRIED  4u     /* in how many states a list of the file is looked at */

typedef struct levels {
    bst__check *check;
    const bst_machine *machine;
    uint8_t *tried; /* by the first written transition of an inner list; STATES_TRIED: reported */
    uint32_t budget;
    bst_arena *scratch;
} levels;

/* Of one state and command: [first, outer) stand in `inside`, and [outer, end) in a node around
 * it. */
typedef struct meeting {
    uint32_t first, outer, end;
    const bst__written *inside, *around;
} meeting;

static const bst__written *origin(const levels *v, uint32_t transition) {
    return &v->check->m->written[bst__origin(v->machine, transition)];
}

static bst__claim claim_of(const levels *v, uint32_t transition, bool holds) {
    const uint32_t guard = v->machine->transitions[transition].guard;
    return (bst__claim){v->machine->guards[guard].expr, holds};
}

static bool is_guarded(const levels *v, const meeting *m) {
    for (uint32_t i = m->first; i < m->outer; i++) {
        if (v->machine->transitions[i].guard == BST_NONE) {
            return false;
        }
    }
    return true;
}

/* Whether it matters who answers: one of each leads elsewhere, and both can be enabled. */
static bool nesting_decides(const levels *v, const meeting *m) {
    for (uint32_t i = m->first; i < m->outer; i++) {
        for (uint32_t k = m->outer; k < m->end; k++) {
            const bst_transition *inner = &v->machine->transitions[i];
            const bst_transition *outer = &v->machine->transitions[k];
            if (inner->to == outer->to && inner->event == outer->event) {
                continue;
            }
            /* as it is written: in the table it asks no more than the inner ones leave open */
            const uint32_t guard = origin(v, k)->guard;
            if (guard == BST_NONE) {
                return true;
            }
            const bst__claim both[] = {claim_of(v, i, true),
                                       {v->check->m->written_guards[guard].expr, true}};
            if (!bst__guards_clash(both, 2)) {
                return true;
            }
        }
    }
    return false;
}

/* Looks for values with which all of the inner ones refuse and an outer one is taken. */
static bool find_fall(levels *v, const meeting *m, bst_strbuf *ret) {
    bst__claim claims[BST__CLAIMS_MAX];
    uint32_t count = 0;
    if (m->outer - m->first >= BST__CLAIMS_MAX) {
        return false;
    }
    for (uint32_t i = m->first; i < m->outer; i++) {
        claims[count++] = claim_of(v, i, false);
    }
    const bst_transition *outer = &v->machine->transitions[m->outer];
    if (outer->guard != BST_NONE) {
        claims[count++] = claim_of(v, m->outer, true);
    }
    bst_arena_clear(v->scratch);
    return v->budget > 0 && !bst__guards_clash(claims, count) &&
           bst__guards_witness(v->machine, outer->command, claims, count, v->scratch, &v->budget,
                               ret);
}

static void report(const levels *v, const meeting *m, const char *witness) {
    const bst_machine *machine = v->machine;
    const char *inside = machine->nodes[m->inside->node].path;
    const char *around = m->around->node == 0 ? machine->id : machine->nodes[m->around->node].path;
    const bst_loc where = bst_machine_transition_where(machine, m->first);
    const bst_loc there = bst_machine_transition_where(machine, m->outer);
    WARN(v->check, "nested-fallthrough", &where,
         "when \"%s\" is refused here in \"%s\", it falls through to \"%s\" around it",
         machine->commands[m->inside->command].name, inside, around);
    bst_diag_detail(v->check->diags, "That is so for %s.", witness);
    bst_diag_hint(v->check->diags,
                  "If it is meant, say so: repeat the outer one here, last and without a guard. If "
                  "not, let its guard leave this state out: !state_in(\"%s\").",
                  inside);
    bst_diag_also(v->check->diags, &there, "this one is taken then");
}

static void look_at(levels *v, const meeting *m) {
    uint8_t *tried = &v->tried[m->inside - v->check->m->written];
    bst_strbuf witness = BST_STRBUF_INIT;
    if (*tried < STATES_TRIED && is_guarded(v, m) && nesting_decides(v, m)) {
        ++*tried;
        if (find_fall(v, m, &witness)) {
            *tried = STATES_TRIED;
            report(v, m, witness.text);
        }
    }
    bst_strbuf_release(&witness);
}

static bool same_list(const bst__written *a, const bst__written *b) {
    return a->node == b->node && a->command == b->command;
}

/* The first of the list in the file, which stands for all of it. */
static const bst__written *list_of(const levels *v, const bst__written *written) {
    const bst__written *all = v->check->m->written;
    while (written > all && same_list(written - 1, written)) {
        written--;
    }
    return written;
}

/* All transitions of one state and one command. */
static void look_at_group(levels *v, uint32_t first, uint32_t end) {
    const bst_node *nodes = v->machine->nodes;
    for (uint32_t outer = first + 1; outer < end; outer++) {
        const bst__written *around = origin(v, outer);
        const bst__written *inside = origin(v, outer - 1);
        if (around->node == inside->node || !bst__inside(nodes, inside->node, around->node)) {
            continue;
        }
        meeting m = {outer - 1, outer, outer + 1, list_of(v, inside), around};
        while (m.first > first && same_list(origin(v, m.first - 1), inside)) {
            m.first--;
        }
        while (m.end < end && same_list(origin(v, m.end), around)) {
            m.end++;
        }
        look_at(v, &m);
    }
}

/* ---- regions ---- */

static void report_preempted(const levels *v, uint32_t transition, const char *witness) {
    const bst_machine *machine = v->machine;
    const uint32_t dropped = v->check->m->dropped[transition];
    const bst__written *gives_way = &v->check->m->written[dropped];
    const bst_loc where = bst__written_where(machine, dropped);
    const bst_loc there = bst_machine_transition_where(machine, transition);
    WARN(v->check, "preempted-transition", &where,
         "\"%s\" in \"%s\" gives way to another region: both cannot be taken together, and only "
         "their order in the file decides",
         machine->commands[gives_way->command].name, machine->nodes[gives_way->node].path);
    bst_diag_detail(v->check->diags, "That is so in \"%s\"%s%s.",
                    machine->states[machine->transitions[transition].from].name,
                    *witness ? ", for " : "", witness);
    bst_diag_hint(v->check->diags, "Let their guards exclude each other, with state_in() for "
                                   "example; or let one transition around both regions answer.");
    bst_diag_also(v->check->diags, &there, "this one is taken");
}

/* Each written transition once, where values are found with which it would be taken as well. */
static void look_at_preempted(levels *v, uint32_t transition) {
    const bst_transition *t = &v->machine->transitions[transition];
    uint8_t *tried = &v->tried[v->check->m->dropped[transition]];
    bst_strbuf witness = BST_STRBUF_INIT;
    bool found = t->guard == BST_NONE;
    if (*tried == STATES_TRIED) {
        return;
    }
    ++*tried;
    if (!found && v->budget > 0) {
        const bst__claim claim = claim_of(v, transition, true);
        bst_arena_clear(v->scratch);
        found = bst__guards_witness(v->machine, t->command, &claim, 1, v->scratch, &v->budget,
                                    &witness);
    }
    if (found) {
        *tried = STATES_TRIED;
        report_preempted(v, transition, witness.text);
    }
    bst_strbuf_release(&witness);
}

static void check_preempted(levels *v) {
    const bst__machine *m = v->check->m;
    if (!m->dropped || !bst_diags_wants(v->check->diags, BST_WARNING_PREEMPTED_TRANSITION)) {
        return;
    }
    for (uint32_t i = 0; i < m->written_count; i++) {
        v->tried[i] = 0; /* it is another question */
    }
    for (uint32_t t = v->machine->creation_count; t < v->machine->transition_count; t++) {
        if (m->dropped[t] != BST_NONE) {
            look_at_preempted(v, t);
        }
    }
}

static void check_nested(levels *v) {
    const bst_machine *machine = v->machine;
    if (!bst_diags_wants(v->check->diags, BST_WARNING_NESTED_FALLTHROUGH)) {
        return;
    }
    for (uint32_t at = machine->creation_count; at < machine->transition_count;) {
        const bst_transition *t = &machine->transitions[at];
        uint32_t end = at + 1;
        while (end < machine->transition_count && machine->transitions[end].from == t->from &&
               machine->transitions[end].command == t->command) {
            end++;
        }
        look_at_group(v, at, end);
        at = end;
    }
}

bool bst__check_levels(bst__check *c) {
    if (!c->m->origin) {
        return true; /* flat: there are neither levels nor regions */
    }
    levels v = {.check = c, .machine = c->machine, .budget = WITNESS_TRIES};
    v.tried = bst_arena_array(c->arena, c->m->written_count, sizeof *v.tried);
    v.scratch = bst_arena_new();
    const bool ok = v.tried && v.scratch;
    if (ok) {
        check_nested(&v);
        check_preempted(&v);
    }
    bst_arena_free(v.scratch);
    return ok;
}
