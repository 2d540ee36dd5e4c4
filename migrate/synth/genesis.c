/* Genesis: the policy for rows whose past cannot be told. One event, the machine's own for that,
 * carries the whole row into its state.
 *
 * It claims nothing about the past: its basis is "assumed", its confidence 0, and the whole history
 * has the confidence 0. It stands at the latest time that the row speaks of, for by then the row
 * was what it is; the interval begins with the earliest, and ends with the last change, when the
 * row has one.
 */
#include "synth_private.h"

bool bst__genesis_wanted(const bst_synth *synth, bst_reason cause) {
    const bst_policy *policy = &synth->mapping->policy;
    switch (cause) {
    case BST_REASON_BEFORE_CREATION:
    case BST_REASON_AFTER_LAST_CHANGE:
    case BST_REASON_CONTRADICTION:
    case BST_REASON_GUARD_REFUSED:
    case BST_REASON_OVERFLOW:
    case BST_REASON_MISSING_VALUE:
        return policy->contradiction_genesis && !synth->timeless;
    case BST_REASON_TOO_AMBIGUOUS:
        return policy->too_ambiguous == BST_POLICY_GENESIS;
    case BST_REASON_FOLD_DIFFERS:
    case BST_REASON_UNDIVIDED:
        return policy->residual_genesis;
    default:
        return false;
    }
}

/* The first required field that neither the mapping nor a default gives, or BST_NONE. */
static uint32_t find_gap(const bst_synth *synth) {
    for (uint32_t f = 0; f < synth->machine->field_count; f++) {
        const bst_field *field = &synth->machine->fields[f];
        if (synth->mapping->fields[f].kind == BST_FROM_NOTHING && !field->type.optional &&
            !field->default_value.present) {
            return f;
        }
    }
    return BST_NONE;
}

bool bst__genesis_can(const bst_synth *synth) {
    return synth->genesis != BST_NONE && find_gap(synth) == BST_NONE;
}

bool bst__genesis_plan(bst_synth *synth, const char *text, bst_plan *ret) {
    bst_plan_event *event = bst_arena_alloc(synth->arena, sizeof *event);
    if (!event) {
        return false;
    }
    *event = (bst_plan_event){.type = synth->genesis,
                              .state = synth->state,
                              .command = BST_NONE,
                              .basis = BST_BASIS_ASSUMED,
                              .source = synth->mapping->source.table};
    *ret = (bst_plan){
        .signature = text, .event_count = 1, .events = event, .remedy = BST_REMEDY_GENESIS};
    return true;
}

/* False: the row speaks of no time. */
static bool find_times(const bst_synth *synth, bst_happening *ret) {
    int64_t earliest = BST_TIME_INFINITY;
    int64_t latest = BST_TIME_MINUS_INFINITY;
    bool bound = false;
    for (uint32_t i = 0; i < bst__item_count(synth); i++) {
        const bst__said *said = &synth->said[i];
        if (said->say == BST__SAY_AT || said->say == BST__SAY_BOUND) {
            earliest = said->time < earliest ? said->time : earliest;
            latest = said->time > latest ? said->time : latest;
            bound = bound || bst__item_kind(synth, i) == BST_EVIDENCE_LAST_CHANGE;
        }
    }
    *ret = (bst_happening){.occurred_at = latest,
                           .interval = true,
                           .after = earliest,
                           .before = bound ? latest : BST_TIME_INFINITY};
    return earliest <= latest;
}

static bool refuse_more(bst_synth *synth, const char *why) {
    bst_strbuf_addf(&synth->refusal.message, "; it cannot be imported as it is either: %s", why);
    return false;
}

bool bst__genesis_fill(bst_synth *synth) {
    const bst_machine *machine = synth->machine;
    if (!bst__genesis_can(synth)) {
        const uint32_t gap = find_gap(synth);
        bst_strbuf_addf(&synth->refusal.message,
                        "; it cannot be imported as it is either: nothing holds field \"%s\"",
                        machine->fields[gap].name);
        return false;
    }
    if (!bst__room(synth, 1, machine->field_count)) {
        return false;
    }
    bst_value *payload = synth->values;
    for (uint32_t f = 0; f < machine->field_count; f++) {
        payload[f] = synth->mapping->fields[f].kind == BST_FROM_NOTHING
                         ? machine->fields[f].default_value
                         : synth->expected[f];
    }
    if (!find_times(synth, synth->happenings)) {
        return refuse_more(synth, "no column says when anything happened");
    }
    synth->happenings->fields = payload;
    bst_entity entity = {BST_NONE, synth->folded};
    const bst_event event = {synth->genesis, synth->state, payload};
    bst_entity_clear(machine, &entity);
    if (bst_apply(machine, &entity, &event) == BST_APPLY_OK) {
        return true;
    }
    synth->status = bst_diag_add(synth->diags, BST_INTERNAL, BST_ERROR, "internal", NULL,
                                 "a genesis into state \"%s\" cannot be applied",
                                 machine->states[synth->state].name);
    return false;
}
