/* decide and apply where regions keep tables of their own (regions.h). Each region chooses by
 * itself, in the order of the file; what they have chosen is one step, with one event.
 *
 * Of two that cannot be taken together the first wins: one that leaves its region, and any other
 * that moves.
 */
#include "step_private.h"

/* What the regions have chosen. */
typedef struct chosen {
    uint32_t transitions[BST_REGIONS_MAX];
    uint32_t count;
    bool moves; /* one of them does more than emit its event */
    bool far;   /* one of them leaves its region */
} chosen;

static bst_decision refusal(bst_verdict verdict, uint32_t field) {
    return (bst_decision){verdict, BST_NONE, BST_NONE, field};
}

static const bst_regions *regions_of(const bst_machine *machine) {
    return bst__machine_of(machine)->regions;
}

static bool is_split(const bst_regions *r, const bst_place *place) {
    return place->state != BST_NONE && place->state == r->split;
}

static bool in_region(const bst_region *region, uint32_t state) {
    return state - region->first_state < region->state_count;
}

/* Where a transition leads when it leaves its region, or was in none. */
static void lead_to(const bst_regions *r, uint32_t state, uint32_t entry, bst_place *place) {
    place->state = state;
    for (uint32_t i = 0; entry != BST_NONE && i < r->count; i++) {
        place->parts[i] = r->parts[(size_t)entry * r->count + i];
    }
}

static bool all_final(const bst_machine *machine, const bst_place *place) {
    const bst_regions *r = regions_of(machine);
    for (uint32_t i = 0; i < r->count; i++) {
        if (!machine->states[place->parts[i]].final) {
            return false;
        }
    }
    return true;
}

/* A life ends when all regions of a machine that is parallel itself have ended. */
static bool has_ended(const bst_machine *machine, const bst_place *place) {
    const bst_regions *r = regions_of(machine);
    return is_split(r, place) && machine->states[r->split].nodes[0] == 0 &&
           all_final(machine, place);
}

/* ---- decide ---- */

static void add_chosen(const bst_machine *machine, const bst_region *region, uint32_t transition,
                       chosen *c) {
    const bst_transition *t = &machine->transitions[transition];
    const bool moves = regions_of(machine)->moves[transition];
    const bool far = !in_region(region, t->to);
    if ((moves && c->far) || (far && c->moves)) {
        return;
    }
    c->transitions[c->count++] = transition;
    c->moves = c->moves || moves;
    c->far = c->far || far;
}

/* Asks the transitions of one state, and adds the one that is taken. False: a guard cannot be
 * answered. `last`: the last refusal by a guard. */
static bool ask(const bst_machine *machine, const bst_records *records, uint32_t state,
                uint32_t command, bst_decision *ret, bst_decision *last) {
    uint32_t first = BST_NONE;
    const uint32_t count = bst_machine_candidates(machine, state, command, &first);
    *ret = refusal(BST_NO_TRANSITION, BST_NONE);
    if (count > 0) {
        *ret = bst__step_choose(machine, records, first, count);
    }
    if (ret->verdict == BST_GUARD_REFUSED) {
        *last = *ret;
    }
    return ret->verdict == BST_ACCEPTED || ret->verdict == BST_NO_TRANSITION ||
           ret->verdict == BST_GUARD_REFUSED;
}

/* All that takes the command; when nothing does, the decision says why not. */
static bst_decision choose(const bst_machine *machine, const bst_place *at,
                           const bst_records *records, uint32_t command, chosen *c) {
    const bst_regions *r = regions_of(machine);
    bst_decision one;
    bst_decision last = refusal(BST_NO_TRANSITION, BST_NONE);
    for (uint32_t i = 0; is_split(r, at) && i < r->count; i++) {
        if (!ask(machine, records, at->parts[i], command, &one, &last)) {
            return one;
        }
        if (one.verdict == BST_ACCEPTED) {
            add_chosen(machine, &r->regions[i], one.transition, c);
        }
    }
    if (c->count > 0) {
        return (bst_decision){BST_ACCEPTED, c->transitions[0], BST_NONE, BST_NONE};
    }
    if (!ask(machine, records, at->state, command, &one, &last)) {
        return one;
    }
    if (one.verdict == BST_ACCEPTED) {
        c->transitions[c->count++] = one.transition;
        return one;
    }
    return last;
}

/* Where the entity stands after what was chosen. */
static void move(const bst_machine *machine, const bst_place *from, const chosen *c,
                 bst_place *ret) {
    const bst_regions *r = regions_of(machine);
    bool completes = false;
    *ret = *from;
    for (uint32_t i = 0; i < c->count; i++) {
        const bst_transition *t = &machine->transitions[c->transitions[i]];
        bool near = false;
        for (uint32_t p = 0; is_split(r, from) && p < r->count; p++) {
            near = near || in_region(&r->regions[p], t->to);
            if (in_region(&r->regions[p], t->to)) {
                ret->parts[p] = t->to;
            }
        }
        const bool moves = r->moves[c->transitions[i]];
        completes = completes || (near && moves && machine->states[t->to].final);
        if (!near && moves) {
            lead_to(r, t->to, r->entry[c->transitions[i]], ret);
            return;
        }
    }
    if (completes && r->done_state != BST_NONE && all_final(machine, ret)) {
        lead_to(r, r->done_state, r->done_entry, ret);
    }
}

static bool is_known(const bst_machine *machine, const bst_place *at, uint32_t command) {
    const bst_regions *r = regions_of(machine);
    uint32_t first;
    bool known = bst_machine_candidates(machine, at->state, command, &first) > 0;
    for (uint32_t i = 0; is_split(r, at) && i < r->count && !known; i++) {
        known = bst_machine_candidates(machine, at->parts[i], command, &first) > 0;
    }
    return known;
}

bst_decision bst_regions_decide(const bst_machine *machine, const bst_region_entity *entity,
                                uint32_t command, const bst_value *payload,
                                bst_region_event *ret_event) {
    const bst_regions *r = regions_of(machine);
    const bst_place *at = &entity->at;
    const bst_command *type = &machine->commands[command];
    bst_value asked[BST_ASKED_MAX];
    chosen c = {.count = 0};
    if (has_ended(machine, at) || !is_known(machine, at, command)) {
        return refusal(BST_NO_TRANSITION, BST_NONE);
    }
    const uint32_t missing = bst__step_missing(type->fields, type->field_count, payload);
    if (missing != BST_NONE) {
        return refusal(BST_INVALID_PAYLOAD, missing);
    }
    for (uint32_t i = 0; i < r->asked_count; i++) {
        asked[i] =
            (bst_value){.present = true, .u.i = bst_place_is_active(machine, at, r->asked[i])};
    }
    const bst_records records = {{[BST_ROOT_ENTITY] = entity->fields,
                                  [BST_ROOT_COMMAND] = payload,
                                  [BST_ROOT_STATE] = asked}};
    bst_decision decision = choose(machine, at, &records, command, &c);
    if (decision.verdict == BST_ACCEPTED) {
        decision = bst__step_emit(machine, at->state != BST_NONE, entity->fields,
                                  decision.transition, payload, ret_event->fields);
    }
    if (decision.verdict == BST_ACCEPTED) {
        ret_event->type = machine->transitions[decision.transition].event;
        move(machine, at, &c, &ret_event->at);
    }
    return decision;
}

/* ---- apply ---- */

/* Whether a step can be: each region takes a transition of one command that emits the event, or
 * stays because it need not take one. Guards are taken as possible. */
typedef struct step {
    const bst_machine *machine;
    const bst_place *from, *to;
    uint32_t event, command;
} step;

/* Whether the place is where this transition alone leads. */
static bool leads_there(const step *s, uint32_t transition) {
    const chosen c = {.transitions = {transition}, .count = 1};
    bst_place to;
    move(s->machine, s->from, &c, &to);
    return bst_place_equal(s->machine, &to, s->to);
}

/* A transition from the state, which is in no region or leaves its own, that emits the event and
 * leads to the place by itself. */
static bool has_single(const step *s, const bst_region *region, uint32_t state) {
    const bst_machine *m = s->machine;
    const uint32_t first = state == BST_NONE ? 0 : m->states[state].first_transition;
    const uint32_t count =
        state == BST_NONE ? m->creation_count : m->states[state].transition_count;
    for (uint32_t i = first; i < first + count; i++) {
        const bst_transition *t = &m->transitions[i];
        if (t->event == s->event && !(region && in_region(region, t->to)) && leads_there(s, i)) {
            return true;
        }
    }
    return false;
}

/* Whether region `p` can go its part of the way. *ret_taken: it takes a transition. */
static bool region_can(const step *s, uint32_t p, uint32_t to, bool *ret_taken) {
    const bst_transition *all = s->machine->transitions;
    const uint32_t from = s->from->parts[p];
    uint32_t first = 0;
    const uint32_t count = bst_machine_candidates(s->machine, from, s->command, &first);
    bool must = false;
    bool may_give_way = false; /* one that leaves the region may have to, and then it stays */
    *ret_taken = false;
    for (uint32_t i = first; i < first + count; i++) {
        may_give_way = may_give_way || !in_region(&regions_of(s->machine)->regions[p], all[i].to);
        must = must || (all[i].guard == BST_NONE && !may_give_way);
        *ret_taken = *ret_taken || (all[i].event == s->event && all[i].to == to);
    }
    return *ret_taken || (from == to && !must);
}

static bool regions_can(const step *s) {
    const bst_regions *r = regions_of(s->machine);
    bool any = false;
    for (uint32_t p = 0; p < r->count; p++) {
        bool taken;
        if (!region_can(s, p, s->to->parts[p], &taken)) {
            return false;
        }
        any = any || taken;
    }
    return any;
}

/* Whether all regions can become final in this step, or are. */
static bool regions_can_end(const step *s) {
    const bst_regions *r = regions_of(s->machine);
    bool any = false;
    for (uint32_t p = 0; p < r->count; p++) {
        bool can = false;
        for (uint32_t i = 0; i < r->regions[p].state_count && !can; i++) {
            const uint32_t to = r->regions[p].first_state + i;
            bool taken = false;
            can = s->machine->states[to].final && region_can(s, p, to, &taken);
            any = any || (can && taken);
        }
        if (!can) {
            return false;
        }
    }
    return any;
}

static bool is_done_place(const bst_machine *machine, const bst_place *place) {
    const bst_regions *r = regions_of(machine);
    bst_place done = {.state = BST_NONE};
    if (r->done_state == BST_NONE) {
        return false;
    }
    lead_to(r, r->done_state, r->done_entry, &done);
    return bst_place_equal(machine, &done, place);
}

static bool is_legal(step *s) {
    const bst_machine *m = s->machine;
    const bst_regions *r = regions_of(m);
    bool legal = !has_ended(m, s->from) && has_single(s, NULL, s->from->state);
    for (uint32_t p = 0; is_split(r, s->from) && p < r->count && !legal; p++) {
        legal = has_single(s, &r->regions[p], s->from->parts[p]);
    }
    for (s->command = 0; is_split(r, s->from) && s->command < m->command_count && !legal;
         s->command++) {
        legal = (is_split(r, s->to) && regions_can(s)) ||
                (is_done_place(m, s->to) && regions_can_end(s));
    }
    return legal;
}

static bool allows(const bst_machine *machine, const bst_place *from,
                   const bst_region_event *event) {
    step s = {machine, from, &event->at, event->type, 0};
    switch (machine->events[event->type].builtin) {
    case BST_BUILTIN_GENESIS:
        return from->state == BST_NONE && event->at.state != BST_NONE;
    case BST_BUILTIN_RECONCILE:
        return from->state != BST_NONE && bst_place_equal(machine, from, &event->at);
    case BST_BUILTIN_NONE:
        break;
    }
    return is_legal(&s);
}

bst_apply_result bst_regions_apply(const bst_machine *machine, bst_region_entity *entity,
                                   const bst_region_event *event) {
    if (!allows(machine, &entity->at, event)) {
        return BST_APPLY_ILLEGAL;
    }
    const bst_apply_result result = bst_apply_fields(machine, entity->at.state != BST_NONE,
                                                     entity->fields, event->type, event->fields);
    if (result == BST_APPLY_OK) {
        entity->at = event->at;
    }
    return result;
}
