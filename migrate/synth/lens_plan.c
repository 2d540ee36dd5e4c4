/* What the lens needs to know before it sees a row: which fields matter, what guards and
 * assignments read, and what the steps of a signature ask. */
#include "lens_private.h"

#include "mapping/mapping_private.h"

/* ---- what expressions read ---- */

typedef struct reader {
    bst__ref *refs;
    uint32_t count;
} reader;

static void count_ref(const bst_expr *ref, void *context) {
    (void)ref;
    ++*(uint32_t *)context;
}

static void note_ref(const bst_expr *ref, void *context) {
    reader *to = context;
    to->refs[to->count++] = (bst__ref){ref->root, ref->index};
}

static bool find_refs(const bst_expr *expr, bst_arena *arena, bst__refs *ret) {
    uint32_t count = 0;
    *ret = (bst__refs){0, NULL};
    if (!expr) {
        return true;
    }
    bst_expr_each_ref(expr, count_ref, &count);
    reader to = {.refs = bst_arena_array(arena, count, sizeof *to.refs)};
    if (!to.refs) {
        return false;
    }
    bst_expr_each_ref(expr, note_ref, &to);
    *ret = (bst__refs){count, to.refs};
    return true;
}

static bool reads_entity(const bst_expr *expr) {
    if (expr->op == BST_EXPR_REF) {
        return expr->root == BST_ROOT_ENTITY;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (reads_entity(expr->args[i])) {
            return true;
        }
    }
    return false;
}

/* f, f + x, x + f, f - x, or the one or the other by what is not of the entity. */
static bool adds_to(const bst_expr *expr, uint32_t field) {
    switch (expr->op) {
    case BST_EXPR_CONVERT:
        return adds_to(expr->args[0], field);
    case BST_EXPR_REF:
        return expr->root == BST_ROOT_ENTITY && expr->index == field;
    case BST_EXPR_ADD:
        return (adds_to(expr->args[0], field) && !reads_entity(expr->args[1])) ||
               (adds_to(expr->args[1], field) && !reads_entity(expr->args[0]));
    case BST_EXPR_SUB:
        return adds_to(expr->args[0], field) && !reads_entity(expr->args[1]);
    case BST_EXPR_COND:
        return !reads_entity(expr->args[0]) && adds_to(expr->args[1], field) &&
               adds_to(expr->args[2], field);
    default:
        return false;
    }
}

/* ---- which fields matter ---- */

static uint32_t mark_read(const bst__refs *reads, uint8_t *matters) {
    uint32_t marked = 0;
    for (uint32_t i = 0; i < reads->count; i++) {
        if (reads->refs[i].root == BST_ROOT_ENTITY && !matters[reads->refs[i].index]) {
            matters[reads->refs[i].index] = 1;
            marked++;
        }
    }
    return marked;
}

/* Those that fields which matter are made of. */
static uint32_t mark_made_of(const bst_machine *machine, const bst__lens_plan *plan,
                             uint8_t *matters) {
    uint32_t marked = 0;
    for (uint32_t e = 0; e < machine->event_count; e++) {
        for (uint32_t a = 0; a < machine->events[e].assignment_count; a++) {
            if (matters[machine->events[e].assignments[a].field]) {
                marked += mark_read(&plan->assigns[e][a].reads, matters);
            }
        }
    }
    return marked;
}

static bool number_slots(bst_synth *synth, bst__lens_plan *plan) {
    const bst_machine *machine = synth->machine;
    uint8_t *matters = bst_arena_array(synth->arena, machine->field_count, 1);
    uint32_t *slots = bst_arena_array(synth->arena, machine->field_count, sizeof *slots);
    uint32_t *slot_of = bst_arena_array(synth->arena, machine->field_count, sizeof *slot_of);
    if (!matters || !slots || !slot_of) {
        return false;
    }
    for (uint32_t f = 0; f < machine->field_count; f++) {
        matters[f] = synth->mapping->fields[f].kind != BST_FROM_NOTHING;
    }
    for (uint32_t g = 0; g < machine->guard_count; g++) {
        (void)mark_read(&plan->guards[g], matters);
    }
    while (mark_made_of(machine, plan, matters) > 0) {
    }
    for (uint32_t f = 0; f < machine->field_count; f++) {
        slot_of[f] = matters[f] ? plan->slot_count : BST_NONE;
        if (matters[f]) {
            slots[plan->slot_count++] = f;
        }
    }
    plan->slots = slots;
    plan->slot_of = slot_of;
    return true;
}

static bool number_sums(bst_synth *synth, bst__lens_plan *plan) {
    const bst_machine *machine = synth->machine;
    uint32_t *sum_of = bst_arena_array(synth->arena, machine->field_count, sizeof *sum_of);
    bool negative;
    for (uint32_t f = 0; sum_of && f < machine->field_count; f++) {
        sum_of[f] = BST_NONE;
    }
    for (uint32_t e = 0; sum_of && e < machine->event_count; e++) {
        for (uint32_t f = 0; f < machine->events[e].field_count; f++) {
            const uint32_t sum = bst__sum_of(machine, e, f, &negative);
            if (sum != BST_NONE && sum_of[sum] == BST_NONE) {
                sum_of[sum] = plan->sum_count++;
            }
        }
    }
    plan->sum_of = sum_of;
    return sum_of;
}

bool bst__lens_plan_make(bst_synth *synth, bst__lens_plan *ret) {
    const bst_machine *machine = synth->machine;
    *ret = (bst__lens_plan){0};
    bst__refs *guards = bst_arena_array(synth->arena, machine->guard_count, sizeof *guards);
    const bst__assigns **events =
        bst_arena_array(synth->arena, machine->event_count, sizeof *events);
    if (!guards || !events) {
        return false;
    }
    for (uint32_t g = 0; g < machine->guard_count; g++) {
        if (!find_refs(machine->guards[g].expr, synth->arena, &guards[g])) {
            return false;
        }
    }
    for (uint32_t e = 0; e < machine->event_count; e++) {
        const bst_event_type *event = &machine->events[e];
        bst__assigns *made = bst_arena_array(synth->arena, event->assignment_count, sizeof *made);
        for (uint32_t a = 0; made && a < event->assignment_count; a++) {
            const bst_assignment *of = &event->assignments[a];
            made[a].adds = of->expr && adds_to(of->expr, of->field);
            if (!find_refs(of->expr, synth->arena, &made[a].reads)) {
                return false;
            }
        }
        if (!made) {
            return false;
        }
        events[e] = made;
        ret->payload_max =
            event->field_count > ret->payload_max ? event->field_count : ret->payload_max;
    }
    ret->guards = guards;
    ret->assigns = events;
    return number_slots(synth, ret) && number_sums(synth, ret);
}

/* ---- what a step asks ---- */

/* Which column supplies a field follows from the walk where a row of a log may be the step's
 * time or may not (bst_walk_step.latest). */
static bool is_doubtful(const bst_synth *synth, uint32_t item, uint32_t event, uint32_t field,
                        const bst__filler *filler) {
    bst__filler otherwise;
    if (!bst__is_log_row(synth, item)) {
        return false;
    }
    bst__filler_make(synth, BST_NONE, event, field, &otherwise);
    return otherwise.getter != filler->getter || otherwise.entity_field != filler->entity_field;
}

bool bst__lens_ask_make(bst_synth *synth, const bst_possible_step *step, uint32_t item,
                        bst__ask *ret) {
    const bst_machine *machine = synth->machine;
    const bst_transition *of = &machine->transitions[step->transition];
    *ret = (bst__ask){.silent = false};
    if (!bst__step_make(synth, step->transition, item, &ret->step)) {
        return false;
    }
    bst__amount *amounts = bst_arena_array(synth->arena, ret->step.filler_count, sizeof *amounts);
    for (uint32_t f = 0; amounts && f < ret->step.filler_count; f++) {
        bst__filler *filler = &ret->step.fillers[f];
        filler->sum = bst__sum_of(machine, of->event, f, &filler->negative);
        amounts[f].doubtful = is_doubtful(synth, item, of->event, f, filler);
        amounts[f].alone = amounts[f].among = !amounts[f].doubtful;
        if (filler->sum != BST_NONE && !amounts[f].doubtful) {
            amounts[f].alone = bst__amount_is_known(synth, filler, item, false);
            amounts[f].among = bst__amount_is_known(synth, filler, item, true);
        }
    }
    ret->amounts = amounts;
    /* a creation sets defaults */
    ret->silent = of->from != BST_NONE && !bst__step_asks(synth, &ret->step);
    return amounts;
}
