/* The walks of a signature, with what its rows have in common: the item that each step has its time
 * from, where it stands in the order of times, and which walks ask the same of a row's values.
 */
#include "synth_private.h"

#include <string.h>

/* Where in the order of times each step stands. */
static void find_places(const bst_synth *synth, bst__step *steps, uint32_t count) {
    uint32_t place = BST_NONE;
    for (uint32_t i = count; i-- > 0;) {
        if (steps[i].item != BST_NONE) {
            place = synth->said[steps[i].item].number;
        }
        steps[i].place = place;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i && steps[i].item == BST_NONE; k++) {
            steps[i].ordinal += steps[k].item == BST_NONE && steps[k].place == steps[i].place &&
                                steps[k].transition == steps[i].transition;
        }
    }
}

static const bst__step *next_asking(const bst_synth *synth, const bst__walk *walk, uint32_t *at) {
    while (*at < walk->plan.event_count && !bst__step_asks(synth, &walk->steps[*at])) {
        (*at)++;
    }
    return *at < walk->plan.event_count ? &walk->steps[(*at)++] : NULL;
}

static bool ask_alike(const bst_synth *synth, const bst__walk *a, const bst__walk *b) {
    uint32_t at_a = 0;
    uint32_t at_b = 0;
    for (;;) {
        const bst__step *one = next_asking(synth, a, &at_a);
        const bst__step *other = next_asking(synth, b, &at_b);
        if (!one || !other) {
            return one == other;
        }
        if (one->transition != other->transition ||
            (one->filler_count > 0 && one->item != other->item)) {
            return false;
        }
    }
}

/* Room for a walk of so many steps; NULL: no memory. */
static bst_plan_event *start_walk(bst_synth *synth, bst__signature *sig, uint32_t count,
                                  bst__step **ret_steps) {
    bst_plan_event *events = bst_arena_array(synth->arena, count, sizeof *events);
    *ret_steps = bst_arena_array(synth->arena, count, sizeof **ret_steps);
    bst__walk *walk = &sig->walks[sig->walk_count];
    *walk = (bst__walk){.plan = {.signature = sig->text, .event_count = count, .events = events},
                        .steps = *ret_steps};
    return *ret_steps ? events : NULL;
}

static bool add_step(bst_synth *synth, uint32_t transition, uint32_t item, bst_plan_event *event,
                     bst__step *step) {
    const bst_transition *of = &synth->machine->transitions[transition];
    event->type = of->event;
    event->state = of->to;
    event->command = of->command;
    event->source = item == BST_NONE ? NULL : bst__item_label(synth, item);
    return bst__step_make(synth, transition, item, step);
}

/* Step `i` meets an item that may as well mean a later one, up to `latest`: its time is not the
 * item's. */
static void doubt(bst__walk *walk, bst__step *steps, uint32_t i, uint32_t latest, uint32_t item) {
    if (item != BST_NONE && latest != i) {
        steps[i].until = item;
        steps[latest].since = item;
        walk->doubts = true;
    }
}

static uint32_t find_illegal(const bst_machine *machine, const bst_plan *plan) {
    uint32_t from = BST_NONE;
    for (uint32_t i = 0; i < plan->event_count; i++) {
        if (!bst_machine_allows(machine, from, plan->events[i].type, plan->events[i].state)) {
            return i;
        }
        from = plan->events[i].state;
    }
    return BST_NONE;
}

static void end_walk(bst_synth *synth, bst__signature *sig, bst__step *steps) {
    bst__walk *walk = &sig->walks[sig->walk_count];
    find_places(synth, steps, walk->plan.event_count);
    bst__sums_mark(synth, walk, steps);
    walk->illegal = find_illegal(synth->machine, &walk->plan);
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        steps[i].idle = i > 0 && i != walk->illegal && !bst__step_asks(synth, &steps[i]);
        walk->value_count += steps[i].filler_count;
    }
    while (walk->like < sig->walk_count && !ask_alike(synth, walk, &sig->walks[walk->like])) {
        walk->like++;
    }
    sig->walk_count++;
}

bst_status bst__signature_keep_best(bst_synth *synth, const bst_claim *claims,
                                    const bst_answer *answer, bst__signature *sig) {
    bst__step *steps = NULL;
    sig->walks = bst_arena_array(synth->arena, 1, sizeof *sig->walks);
    bst_plan_event *events = sig->walks ? start_walk(synth, sig, answer->step_count, &steps) : NULL;
    if (!events) {
        return bst_diag_nomem(synth->diags);
    }
    for (uint32_t i = 0; i < answer->step_count; i++) {
        const bst_walk_step *step = &answer->steps[i];
        const bool sure = step->claim != BST_NONE && step->latest == i;
        const uint32_t item = sure ? claims[step->claim].item : BST_NONE;
        events[i].basis = step->basis;
        events[i].confidence = step->confidence;
        events[i].tied = step->tied && sure;
        if (step->claim != BST_NONE && !sure) { /* which of some steps is recorded is a choice */
            events[i].basis = step->confidence < 1 ? BST_BASIS_ASSUMED : BST_BASIS_IMPLIED;
        }
        if (!add_step(synth, step->transition, item, &events[i], &steps[i])) {
            return bst_diag_nomem(synth->diags);
        }
    }
    for (uint32_t i = 0; i < answer->step_count; i++) {
        const bst_walk_step *step = &answer->steps[i];
        doubt(&sig->walks[0], steps, i, step->latest,
              step->claim == BST_NONE ? BST_NONE : claims[step->claim].item);
    }
    sig->walks->plan.confidence = answer->confidence;
    sig->walks->plan.certain = answer->certain;
    sig->complete = answer->certain;
    end_walk(synth, sig, steps);
    return BST_OK;
}

static bool keep_other(bst_synth *synth, const bst_claim *claims, const bst_other_walk *other,
                       bst__signature *sig) {
    bst__step *steps = NULL;
    bst_plan_event *events = start_walk(synth, sig, other->step_count, &steps);
    if (!events) {
        return false;
    }
    for (uint32_t i = 0; i < other->step_count; i++) {
        const uint32_t claim = other->latest[i] == i ? other->claims[i] : BST_NONE;
        events[i].basis = claim == BST_NONE ? BST_BASIS_ASSUMED : BST_BASIS_RECORDED;
        events[i].confidence = other->confidence;
        if (!add_step(synth, other->transitions[i],
                      claim == BST_NONE ? BST_NONE : claims[claim].item, &events[i], &steps[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < other->step_count; i++) {
        doubt(&sig->walks[sig->walk_count], steps, i, other->latest[i],
              other->claims[i] == BST_NONE ? BST_NONE : claims[other->claims[i]].item);
    }
    sig->walks[sig->walk_count].plan.confidence = other->confidence;
    end_walk(synth, sig, steps);
    return true;
}

bst_status bst__signature_add_others(bst_synth *synth, const bst_claim *claims,
                                     const bst_answer *answer, bst__signature *sig) {
    bst__walk *walks =
        bst_arena_array(synth->arena, (size_t)answer->other_count + 1, sizeof *walks);
    if (!walks) {
        return bst_diag_nomem(synth->diags);
    }
    memcpy(walks, sig->walks, sig->walk_count * sizeof *walks);
    sig->walks = walks;
    for (uint32_t i = sig->walk_count - 1; i < answer->other_count; i++) {
        if (!keep_other(synth, claims, &answer->others[i], sig)) {
            return bst_diag_nomem(synth->diags);
        }
    }
    sig->complete = answer->complete;
    return BST_OK;
}
