/* decide and apply: the meaning of a machine, as plainly as it can be said. Generated code and
 * SQL are held against this.
 *
 * Both are pure and allocate nothing. apply() computes all assignments before it writes the
 * first, for each reads the entity as it was; so a refusal half way leaves no trace either.
 */
#include "backstory/step.h"

#include "step_private.h"

const char *bst_verdict_text(bst_verdict verdict) {
    static const char *const texts[] = {
#define X(name, text) text,
        BST_VERDICT_LIST(X)
#undef X
    };
    _Static_assert(sizeof texts / sizeof *texts == BST_VERDICT_COUNT, "one text a verdict");
    return (unsigned)verdict < BST_VERDICT_COUNT ? texts[verdict] : "unknown";
}

void bst_entity_clear(const bst_machine *machine, bst_entity *entity) {
    entity->state = BST_NONE;
    for (uint32_t i = 0; i < machine->field_count; i++) {
        entity->fields[i] = BST_ABSENT;
    }
}

uint32_t bst_machine_payload_max(const bst_machine *machine) {
    return bst__machine_of(machine)->payload_max;
}

/* The fields that the right-hand sides of an event read: at its creation an entity has its
 * defaults. */
static const bst_value *fields_before(const bst_machine *machine, bool born,
                                      const bst_value *fields) {
    return born ? fields : bst__machine_of(machine)->defaults;
}

static void copy(bst_value *to, const bst_value *from, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

static bst_eval_result assign(const bst_assignment *assignment, const bst_value *before,
                              const bst_value *payload, bst_value *ret) {
    if (!assignment->expr) {
        *ret = payload[assignment->event_field];
        return BST_EVAL_OK;
    }
    const bst_records records = {{[BST_ROOT_ENTITY] = before, [BST_ROOT_EVENT] = payload}};
    return bst_expr_eval(assignment->expr, &records, ret);
}

/* decide */

static bst_decision refuse(bst_verdict verdict, uint32_t transition, uint32_t guard,
                           uint32_t field) {
    return (bst_decision){verdict, transition, guard, field};
}

static bst_decision refuse_guard(bst_eval_result result, uint32_t transition, uint32_t guard) {
    const bst_verdict verdict = result == BST_EVAL_ABSENT    ? BST_INVALID_ENTITY
                                : result == BST_EVAL_UNKNOWN ? BST_UNDECIDED
                                                             : BST_OVERFLOW;
    return refuse(verdict, transition, guard, BST_NONE);
}

bst_decision bst__step_choose(const bst_machine *machine, const bst_records *records,
                              uint32_t first, uint32_t count) {
    uint32_t refused = BST_NONE;
    for (uint32_t i = first; i < first + count; i++) {
        const uint32_t guard = machine->transitions[i].guard;
        bst_value holds = BST_ABSENT;
        if (guard == BST_NONE) {
            return refuse(BST_ACCEPTED, i, BST_NONE, BST_NONE);
        }
        const bst_eval_result result = bst_expr_eval(machine->guards[guard].expr, records, &holds);
        if (result != BST_EVAL_OK) {
            return refuse_guard(result, i, guard);
        }
        if (holds.present && holds.u.i) {
            return refuse(BST_ACCEPTED, i, BST_NONE, BST_NONE);
        }
        refused = guard;
    }
    return refuse(BST_GUARD_REFUSED, BST_NONE, refused, BST_NONE);
}

uint32_t bst__step_missing(const bst_field *fields, uint32_t count, const bst_value *values) {
    for (uint32_t i = 0; i < count; i++) {
        if (!fields[i].type.optional && !values[i].present) {
            return i;
        }
    }
    return BST_NONE;
}

/* Whether the entity can take the event that the transition makes of the payload: its fields are
 * all there, its apply stays in range. */
static bst_decision try_event(const bst_machine *machine, const bst_value *before,
                              uint32_t transition, const bst_value *payload,
                              bst_value *event_fields) {
    const bst_transition *t = &machine->transitions[transition];
    const bst_event_type *type = &machine->events[t->event];
    for (uint32_t i = 0; i < type->field_count; i++) {
        const uint32_t from = t->payload_from[i];
        event_fields[i] = from == BST_NONE ? BST_ABSENT : payload[from];
        if (!type->fields[i].type.optional && !event_fields[i].present) {
            return refuse(BST_INVALID_PAYLOAD, transition, BST_NONE, from);
        }
    }
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        bst_value ignored;
        const bst_eval_result result =
            assign(&type->assignments[i], before, event_fields, &ignored);
        if (result != BST_EVAL_OK) {
            return refuse(result == BST_EVAL_ABSENT ? BST_INVALID_ENTITY : BST_OVERFLOW, transition,
                          BST_NONE, type->assignments[i].field);
        }
    }
    return refuse(BST_ACCEPTED, transition, BST_NONE, BST_NONE);
}

bst_decision bst__step_emit(const bst_machine *machine, bool born, const bst_value *fields,
                            uint32_t transition, const bst_value *payload, bst_value *ret_fields) {
    /* 24 kB at most, used only as far as the payload goes */
    bst_value event_fields[BST_FIELDS_MAX];
    const bst_decision decision =
        try_event(machine, fields_before(machine, born, fields), transition, payload, event_fields);
    if (decision.verdict == BST_ACCEPTED) {
        const uint32_t event = machine->transitions[transition].event;
        copy(ret_fields, event_fields, machine->events[event].field_count);
    }
    return decision;
}

bst_decision bst_decide(const bst_machine *machine, const bst_entity *entity, uint32_t command,
                        const bst_value *payload, bst_event *ret_event) {
    return bst_decide_linked(machine, entity, command, payload, NULL, ret_event);
}

bst_decision bst_decide_linked(const bst_machine *machine, const bst_entity *entity,
                               uint32_t command, const bst_value *payload, const bst_linked *linked,
                               bst_event *ret_event) {
    bst_value answers[BST_LINKED_MAX];
    uint32_t first = BST_NONE;
    const uint32_t count = bst_machine_candidates(machine, entity->state, command, &first);
    if (count == 0) {
        return refuse(BST_NO_TRANSITION, BST_NONE, BST_NONE, BST_NONE);
    }
    const bst_command *type = &machine->commands[command];
    const uint32_t missing = bst__step_missing(type->fields, type->field_count, payload);
    if (missing != BST_NONE) {
        return refuse(BST_INVALID_PAYLOAD, BST_NONE, BST_NONE, missing);
    }
    for (uint32_t i = 0; linked && i < machine->linked_count; i++) {
        const bool yes = linked->ask(linked->context, i, entity, command, payload);
        answers[i] = (bst_value){.present = true, .u.i = yes};
    }
    const bst_records records = {{[BST_ROOT_ENTITY] = entity->fields,
                                  [BST_ROOT_COMMAND] = payload,
                                  [BST_ROOT_LINKED] = linked ? answers : NULL}};
    bst_decision decision = bst__step_choose(machine, &records, first, count);
    if (decision.verdict == BST_ACCEPTED) {
        decision = bst__step_emit(machine, entity->state != BST_NONE, entity->fields,
                                  decision.transition, payload, ret_event->fields);
    }
    if (decision.verdict == BST_ACCEPTED) {
        const bst_transition *t = &machine->transitions[decision.transition];
        ret_event->type = t->event;
        ret_event->state = t->to;
    }
    return decision;
}

/* apply */

bool bst_machine_allows(const bst_machine *machine, uint32_t from, uint32_t event, uint32_t to) {
    switch (machine->events[event].builtin) {
    case BST_BUILTIN_GENESIS:
        return from == BST_NONE && to < machine->state_count;
    case BST_BUILTIN_RECONCILE:
        return from != BST_NONE && to == from;
    case BST_BUILTIN_NONE:
        break;
    }
    return bst_machine_find_transition(machine, from, event, to) != BST_NONE;
}

bst_apply_result bst_apply_fields(const bst_machine *machine, bool born, bst_value *fields,
                                  uint32_t event, const bst_value *payload) {
    const bst_event_type *type = &machine->events[event];
    if (bst__step_missing(type->fields, type->field_count, payload) != BST_NONE) {
        return BST_APPLY_INVALID;
    }
    bst_value computed[BST_FIELDS_MAX];
    const bst_value *before = fields_before(machine, born, fields);
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_assignment *assignment = &type->assignments[i];
        const bst_eval_result result =
            assignment->expr ? assign(assignment, before, payload, &computed[i]) : BST_EVAL_OK;
        if (result != BST_EVAL_OK) {
            return result == BST_EVAL_ABSENT ? BST_APPLY_INVALID : BST_APPLY_OVERFLOW;
        }
    }
    if (!born) {
        copy(fields, before, machine->field_count);
    }
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_assignment *assignment = &type->assignments[i];
        fields[assignment->field] =
            assignment->expr ? computed[i] : payload[assignment->event_field];
    }
    return BST_APPLY_OK;
}

bst_apply_result bst_apply(const bst_machine *machine, bst_entity *entity, const bst_event *event) {
    if (!bst_machine_allows(machine, entity->state, event->type, event->state)) {
        return BST_APPLY_ILLEGAL;
    }
    const bst_apply_result result = bst_apply_fields(machine, entity->state != BST_NONE,
                                                     entity->fields, event->type, event->fields);
    if (result == BST_APPLY_OK) {
        entity->state = event->state;
    }
    return result;
}
