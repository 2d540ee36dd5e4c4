/* The payload that makes an event lead from one entity to another.
 *
 * What an event does to the fields is turned round: `f := event.x` gives x, `f := f + event.x`
 * gives the difference. What no assignment tells comes from the mapping's evidence, then from the
 * field of the same name. Whether it all comes out right is the fold's to say, not ours.
 */
#include "follow_private.h"

#include "mapping/mapping_private.h"

static const bst_expr *without_convert(const bst_expr *expr) {
    while (expr->op == BST_EXPR_CONVERT)
        expr = expr->args[0];
    return expr;
}

static bool is_ref(const bst_expr *expr, bst_root root, uint32_t index) {
    return expr->op == BST_EXPR_REF && expr->root == root && expr->index == index;
}

/* 1: `field := field + event.x`; -1: `field := field - event.x`; 0: neither. */
static int sign_of(const bst_assignment *assignment, uint32_t event_field) {
    if (!assignment->expr)
        return 0;
    const bst_expr *const expr = without_convert(assignment->expr);
    if ((expr->op != BST_EXPR_ADD && expr->op != BST_EXPR_SUB) || expr->arg_count != 2)
        return 0;
    const bst_expr *const left = without_convert(expr->args[0]);
    const bst_expr *const right = without_convert(expr->args[1]);
    if (is_ref(left, BST_ROOT_ENTITY, assignment->field) &&
        is_ref(right, BST_ROOT_EVENT, event_field))
        return expr->op == BST_EXPR_ADD ? 1 : -1;
    return expr->op == BST_EXPR_ADD && is_ref(right, BST_ROOT_ENTITY, assignment->field) &&
                   is_ref(left, BST_ROOT_EVENT, event_field)
               ? 1
               : 0;
}

static bool is_number(bst_kind kind) {
    return kind == BST_KIND_INT2 || kind == BST_KIND_INT4 || kind == BST_KIND_INT8 ||
           kind == BST_KIND_DECIMAL;
}

/* A value of the entity's as one of the payload's. False: it does not fit. */
static bool convert(bst_synth *synth, const bst_type *from, const bst_type *to,
                    const bst_value *value, bst_value *ret) {
    bst_type plain = *from;
    plain.optional = to->optional;
    *ret = *value;
    if (!value->present || bst_type_equal(&plain, to))
        return true;
    return bst__map_converts(from, to) &&
           bst__cell_convert(from, -1, to, value, synth->scratch, ret) == BST_VALUE_OK;
}

static bool solve_difference(bst_synth *synth, const bst_assignment *assignment, int sign,
                             const bst_field *event_field, const bst_entity *entity,
                             const bst_value *target, bst_value *ret, bool *ret_negative) {
    const bst_type *const type = &synth->machine->fields[assignment->field].type;
    const bst_value *const before = &entity->fields[assignment->field];
    const bst_value *const after = &target[assignment->field];
    bst_value difference = {.present = true};
    if (!before->present || !after->present || !is_number(type->kind))
        return false;
    if (sign > 0 ? __builtin_sub_overflow(after->u.i, before->u.i, &difference.u.i)
                 : __builtin_sub_overflow(before->u.i, after->u.i, &difference.u.i))
        return false;
    *ret_negative = *ret_negative || difference.u.i < 0;
    return convert(synth, type, &event_field->type, &difference, ret);
}

static bool is_mapped(const bst_synth *synth, uint32_t field) {
    return synth->mapping->fields[field].kind != BST_FROM_NOTHING;
}

/* What the event's own assignments tell of a field of its payload. */
static bool solve_assignment(bst_synth *synth, const bst_event_type *event, uint32_t f,
                             const bst_entity *entity, const bst_value *target, bst_value *ret,
                             bool *ret_negative) {
    const bst_field *const field = &event->fields[f];
    for (uint32_t a = 0; a < event->assignment_count; a++) {
        const bst_assignment *const assignment = &event->assignments[a];
        const bst_type *const type = &synth->machine->fields[assignment->field].type;
        if (!is_mapped(synth, assignment->field))
            continue;
        if (!assignment->expr && assignment->event_field == f)
            return convert(synth, type, &field->type, &target[assignment->field], ret);
        if (assignment->expr && is_ref(without_convert(assignment->expr), BST_ROOT_EVENT, f))
            return convert(synth, type, &field->type, &target[assignment->field], ret);
        const int sign = sign_of(assignment, f);
        if (sign != 0 && entity->state != BST_NONE)
            return solve_difference(synth, assignment, sign, field, entity, target, ret,
                                    ret_negative);
    }
    return false;
}

/* What the mapping's evidence says of it. */
static const bst__getter *find_getter(const bst_synth *synth, uint32_t event, uint32_t f) {
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        const bst_evidence *const evidence = &synth->mapping->evidence[i];
        for (uint32_t p = 0; p < evidence->payload_count; p++) {
            if (evidence->payload[p].event == event && evidence->payload[p].field == f)
                return &synth->items[i].payload[p];
        }
    }
    return NULL;
}

static bool solve_field(bst_synth *synth, uint32_t number, uint32_t f, const bst_entity *entity,
                        const bst_value *target, const bst_row *row, bst_value *ret,
                        bool *ret_negative) {
    const bst_event_type *const event = &synth->machine->events[number];
    *ret = BST_ABSENT;
    if (solve_assignment(synth, event, f, entity, target, ret, ret_negative))
        return true;
    *ret = BST_ABSENT;
    const bst__getter *const getter = find_getter(synth, number, f);
    if (getter)
        return bst__getter_get(synth, getter, row, ret);
    const uint32_t same = bst_machine_field(synth->machine, event->fields[f].name);
    return same == BST_NONE || !is_mapped(synth, same) ||
           convert(synth, &synth->machine->fields[same].type, &event->fields[f].type, &target[same],
                   ret);
}

bool bst__payload_solve(bst_synth *synth, uint32_t transition, const bst_entity *entity,
                        const bst_value *target, const bst_row *row, bst_value *ret_payload,
                        bool *ret_negative) {
    const uint32_t number = synth->machine->transitions[transition].event;
    const bst_event_type *const event = &synth->machine->events[number];
    for (uint32_t f = 0; f < event->field_count; f++) {
        if (!solve_field(synth, number, f, entity, target, row, &ret_payload[f], ret_negative))
            return false;
        if (!ret_payload[f].present && !event->fields[f].type.optional)
            return false;
    }
    return true;
}

/* ---- a reconciliation */

bool bst__payload_reconcile(bst_synth *synth, uint32_t event, const bst_entity *entity,
                            const bst_value *target, bst_value *ret_payload) {
    const bst_event_type *const type = &synth->machine->events[event];
    for (uint32_t i = 0; i < type->field_count; i++) {
        const uint32_t f = bst_machine_field(synth->machine, type->fields[i].name);
        const bst_type *const field = &synth->machine->fields[f].type;
        ret_payload[i] = BST_ABSENT;
        if (!is_mapped(synth, f) || bst_value_equal(field, &entity->fields[f], &target[f]))
            continue;
        ret_payload[i] = target[f];
        if (bst_builtin_adds(BST_BUILTIN_RECONCILE, field) &&
            (!entity->fields[f].present || !target[f].present ||
             __builtin_sub_overflow(target[f].u.i, entity->fields[f].u.i, &ret_payload[i].u.i)))
            return false;
    }
    return true;
}

/* ---- guards */

typedef struct supply {
    const bst_transition *taken;
    uint32_t event_fields;
    bool whole;
} supply;

/* Is a field of the command one that the event keeps? */
static void look_up(const bst_expr *ref, void *context) {
    supply *const s = context;
    /* a C function is not here to be asked */
    bool kept = ref->root != BST_ROOT_COMMAND && ref->root != BST_ROOT_LINKED;
    for (uint32_t i = 0; i < s->event_fields && ref->root == BST_ROOT_COMMAND && !kept; i++)
        kept = s->taken->payload_from[i] == ref->index;
    s->whole = s->whole && kept;
}

static bool can_ask(const bst_machine *machine, const bst_transition *taken, uint32_t guard) {
    supply s = {taken, machine->events[taken->event].field_count, true};
    bst_expr_each_ref(machine->guards[guard].expr, look_up, &s);
    return s.whole;
}

static void make_command(bst_synth *synth, const bst_transition *taken, const bst_value *payload) {
    const bst_command *const command = &synth->machine->commands[taken->command];
    const uint32_t count = synth->machine->events[taken->event].field_count;
    for (uint32_t f = 0; f < command->field_count; f++)
        synth->command[f] = BST_ABSENT;
    for (uint32_t f = 0; f < count; f++) {
        if (taken->payload_from[f] != BST_NONE)
            synth->command[taken->payload_from[f]] = payload[f];
    }
}

bool bst__payload_allowed(bst_synth *synth, uint32_t transition, const bst_entity *entity,
                          const bst_value *payload, uint32_t *ret_guard) {
    const bst_machine *const machine = synth->machine;
    const bst_transition *const taken = &machine->transitions[transition];
    uint32_t first = 0;
    const uint32_t count = bst_machine_candidates(machine, taken->from, taken->command, &first);
    bst_records records = {{NULL}};
    make_command(synth, taken, payload);
    records.root[BST_ROOT_ENTITY] = entity->fields;
    records.root[BST_ROOT_COMMAND] = synth->command;
    for (uint32_t t = first; t < first + count && t <= transition; t++) {
        const bst_transition *const other = &machine->transitions[t];
        const bool self = t == transition;
        const bool same = !self && other->event == taken->event && other->to == taken->to;
        bst_value holds = {.present = true, .u.i = 1};
        if (same || (other->guard == BST_NONE && self))
            continue;
        if (other->guard != BST_NONE && !can_ask(machine, taken, other->guard))
            continue;
        if (other->guard != BST_NONE &&
            bst_expr_eval(machine->guards[other->guard].expr, &records, &holds) != BST_EVAL_OK)
            holds = BST_ABSENT;
        if ((holds.present && holds.u.i != 0) != self) {
            *ret_guard = other->guard;
            return false;
        }
    }
    return true;
}
