/* The proof of a history. The events are applied one by one from nothing; every guard that can be
 * asked must agree; and the entity that comes out must be the row, field by field. It runs for
 * every row before it is written.
 */
#include "synth_private.h"

#include <string.h>

static bool ask_guards(bst_synth *synth, const bst__walk *walk, uint32_t i,
                       const bst_value *payload) {
    const bst__step *step = &walk->steps[i];
    const bst_transition *transition = &synth->machine->transitions[step->transition];
    const bst_command *command = &synth->machine->commands[transition->command];
    for (uint32_t f = 0; f < command->field_count; f++) {
        synth->command[f] = BST_ABSENT;
    }
    for (uint32_t f = 0; f < step->filler_count; f++) {
        if (transition->payload_from[f] != BST_NONE) {
            synth->command[transition->payload_from[f]] = payload[f];
        }
    }
    bst_records records = {{NULL}};
    records.root[BST_ROOT_ENTITY] = synth->folded;
    records.root[BST_ROOT_COMMAND] = synth->command;
    for (uint32_t g = 0; g < step->guard_check_count; g++) {
        const bst__guard_check *check = &step->guard_checks[g];
        bst_value holds = BST_ABSENT;
        bst_eval_result result = BST_EVAL_OK;
        if (check->guard != BST_NONE) {
            result = bst_expr_eval(synth->machine->guards[check->guard].expr, &records, &holds);
        }
        if (result != BST_EVAL_OK) {
            bst__refuse_step(synth, walk, i, "a guard", result == BST_EVAL_OVERFLOW);
            return false;
        }
        bool held = check->guard == BST_NONE || (holds.present && holds.u.i != 0);
        if (held != check->expected) {
            bst__refuse_guard(synth, walk, i, check);
            return false;
        }
    }
    return true;
}

static bool refuse_illegal(bst_synth *synth, const bst__walk *walk, uint32_t i) {
    synth->status =
        bst_diag_add(synth->diags, BST_INTERNAL, BST_ERROR, "internal", NULL,
                     "event %u of the plan \"%s\" cannot be applied", i + 1, walk->plan.signature);
    return false;
}

static bool apply_event(bst_synth *synth, const bst__walk *walk, uint32_t i,
                        const bst_value *payload) {
    if (i == walk->illegal) {
        return refuse_illegal(synth, walk, i);
    }
    switch (bst_apply_fields(synth->machine, i > 0, synth->folded, walk->plan.events[i].type,
                             payload)) {
    case BST_APPLY_OK:
        return true;
    case BST_APPLY_OVERFLOW:
        bst__refuse_step(synth, walk, i, "an apply", true);
        return false;
    case BST_APPLY_INVALID:
        bst__refuse_step(synth, walk, i, "an apply", false);
        return false;
    case BST_APPLY_ILLEGAL:
        break;
    }
    return refuse_illegal(synth, walk, i);
}

static bool fold(bst_synth *synth, const bst__walk *walk, bool guards) {
    bst_entity entity = {BST_NONE, synth->folded};
    bst_value *payload = synth->values;
    bst_entity_clear(synth->machine, &entity);
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        const bst__step *step = &walk->steps[i];
        if (step->idle) {
            continue;
        }
        if ((guards && step->guard_check_count > 0 && !ask_guards(synth, walk, i, payload)) ||
            !apply_event(synth, walk, i, payload)) {
            return false;
        }
        payload += step->filler_count;
    }
    return true;
}

bool bst__walk_fold(bst_synth *synth, const bst__walk *walk) {
    return fold(synth, walk, false);
}

bool bst__walk_replay(bst_synth *synth, const bst__walk *walk) {
    const bst_machine *machine = synth->machine;
    if (!fold(synth, walk, true)) {
        return false;
    }
    for (uint32_t i = 0; i < synth->mapped_count; i++) {
        const uint32_t f = synth->mapped[i];
        const bst_value *folded = &synth->folded[f];
        const bst_value *expected = &synth->expected[f];
        const bool identical = memcmp(folded, expected, sizeof *folded) == 0;
        if (!identical && !bst_value_equal(&machine->fields[f].type, folded, expected)) {
            bst__refuse_fold(synth, walk, f);
            return false;
        }
    }
    return true;
}
