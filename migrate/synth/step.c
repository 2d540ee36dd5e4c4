/* A step of a walk: which column or field each value of its payload comes from, and which guards
 * must be asked with the row's values.
 */
#include "synth_private.h"

#include "mapping/mapping_private.h"

static const bst__getter *find_payload(const bst_synth *synth, uint32_t item, uint32_t event,
                                       uint32_t field) {
    const bst_evidence *evidence = &synth->mapping->evidence[item];
    for (uint32_t p = 0; !bst__is_log_row(synth, item) && p < evidence->payload_count; p++) {
        if (evidence->payload[p].event == event && evidence->payload[p].field == field) {
            return &synth->items[item].payload[p];
        }
    }
    return NULL;
}

/* Whether item `other` dates an event that is not the one which `item` dates (BST_NONE: nothing
 * does): what it says of a payload is that event's. */
static bool speaks_of_another(const bst_synth *synth, uint32_t other, uint32_t item) {
    return synth->said[other].say == BST__SAY_AT &&
           (item == BST_NONE || synth->said[item].number != synth->said[other].number);
}

/* First the item that the event's time comes from, then any that speaks of such events, then the
 * field of the entity that has the same name. What may be absent is absent rather than taken from
 * another event. */
void bst__filler_make(const bst_synth *synth, uint32_t item, uint32_t event, uint32_t field,
                      bst__filler *ret) {
    const bst_machine *machine = synth->machine;
    *ret = (bst__filler){
        .field = &machine->events[event].fields[field], .entity_field = BST_NONE, .sum = BST_NONE};
    if (item != BST_NONE) {
        ret->getter = find_payload(synth, item, event, field);
    }
    for (uint32_t i = 0; i < synth->mapping->evidence_count && !ret->getter; i++) {
        if (synth->said[i].say != BST__SAY_OFF) {
            ret->getter = find_payload(synth, i, event, field);
        }
        if (ret->getter && ret->field->type.optional && speaks_of_another(synth, i, item)) {
            ret->getter = NULL;
            return;
        }
    }
    uint32_t same = bst_machine_field(machine, ret->field->name);
    if (!ret->getter && same != BST_NONE && synth->mapping->fields[same].kind != BST_FROM_NOTHING &&
        bst__map_converts(&machine->fields[same].type, &ret->field->type)) {
        bst_type type = machine->fields[same].type;
        type.optional = ret->field->type.optional;
        ret->entity_field = same;
        ret->plain = bst_type_equal(&type, &ret->field->type);
    }
}

static bool reads_only(const bst_expr *expr, const bool *supplied) {
    if (expr->op == BST_EXPR_REF && expr->root == BST_ROOT_COMMAND && !supplied[expr->index]) {
        return false;
    }
    if (expr->op == BST_EXPR_REF && expr->root == BST_ROOT_LINKED) {
        return false; /* a C function: what it says is not known */
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!reads_only(expr->args[i], supplied)) {
            return false;
        }
    }
    return true;
}

/* The guard of the transition must hold; those of the candidates before it must not, or they
 * would have been taken. A guard that reads what the event does not keep of its command cannot
 * be asked. */
static bool find_guards(bst_synth *synth, bst__step *step) {
    const bst_machine *machine = synth->machine;
    const bst_transition *taken = &machine->transitions[step->transition];
    const bst_event_type *event = &machine->events[taken->event];
    uint32_t first = 0;
    uint32_t candidates = bst_machine_candidates(machine, taken->from, taken->command, &first);
    bst__guard_check *checks = bst_arena_array(synth->arena, candidates, sizeof *checks);
    bool *supplied = bst_arena_array(synth->scratch, machine->commands[taken->command].field_count,
                                     sizeof *supplied);
    if (!checks || !supplied) {
        return false;
    }
    for (uint32_t i = 0; i < event->field_count; i++) {
        if (taken->payload_from[i] != BST_NONE) {
            supplied[taken->payload_from[i]] = true;
        }
    }
    for (uint32_t t = first; t < first + candidates && t <= step->transition; t++) {
        const bst_transition *other = &machine->transitions[t];
        bool self = t == step->transition;
        bool same = !self && other->event == taken->event && other->to == taken->to;
        bool asked =
            other->guard != BST_NONE && reads_only(machine->guards[other->guard].expr, supplied);
        if (!same && (asked || (!self && other->guard == BST_NONE))) {
            checks[step->guard_check_count++] = (bst__guard_check){other->guard, self, other->to};
        }
    }
    step->guard_checks = checks;
    return true;
}

bool bst__step_make(bst_synth *synth, uint32_t transition, uint32_t item, bst__step *ret) {
    uint32_t event = synth->machine->transitions[transition].event;
    uint32_t count = synth->machine->events[event].field_count;
    bst__filler *fillers = bst_arena_array(synth->arena, count, sizeof *fillers);
    if (!fillers) {
        return false;
    }
    for (uint32_t f = 0; f < count; f++) {
        bst__filler_make(synth, item, event, f, &fillers[f]);
    }
    *ret = (bst__step){.transition = transition,
                       .item = item,
                       .until = BST_NONE,
                       .since = BST_NONE,
                       .filler_count = count,
                       .fillers = fillers};
    return find_guards(synth, ret);
}

bool bst__step_asks(const bst_synth *synth, const bst__step *step) {
    uint32_t event = synth->machine->transitions[step->transition].event;
    return step->guard_check_count > 0 || step->filler_count > 0 ||
           synth->machine->events[event].assignment_count > 0;
}
