/* Reconcile: the policy for residues. The known events do not add up to the row: the machine's own
 * event for that carries the difference, after the last of them.
 *
 * Required numbers are added to, so sums stay exact; every other field is set. A value that the
 * events give and the row lacks cannot be taken back; nor can a field be touched that the event
 * does not carry. Its basis is "correction", so nobody takes it for something that was recorded.
 * What happened in its place is not known: its confidence is 0, and so is that of the whole
 * history, while the known events keep theirs.
 */
#include "synth_private.h"

#include "backstory/decimal.h"

/* The difference between two numbers of a type; absent when it does not fit the type. */
static bst_value subtract(const bst_type *type, const bst_value *from, const bst_value *what) {
    bst_value ret = {.present = true};
    if (!bst_decimal_sub(from->u.i, what->u.i, &ret.u.i)) {
        return BST_ABSENT;
    }
    switch (type->kind) {
    case BST_KIND_DECIMAL:
        ret.present = bst_decimal_fits(ret.u.i, type->precision);
        break;
    case BST_KIND_INT2:
        ret.present = ret.u.i >= INT16_MIN && ret.u.i <= INT16_MAX;
        break;
    case BST_KIND_INT4:
        ret.present = ret.u.i >= INT32_MIN && ret.u.i <= INT32_MAX;
        break;
    default:
        break;
    }
    return ret.present ? ret : BST_ABSENT;
}

/* What the event has to carry so that the field becomes the row's; absent: it cannot. */
static bst_value find_difference(const bst_synth *synth, uint32_t field) {
    const bst_type *type = &synth->machine->fields[field].type;
    const bst_value *has = &synth->folded[field];
    const bst_value *wants = &synth->expected[field];
    if (!bst_builtin_adds(BST_BUILTIN_RECONCILE, type)) {
        return *wants;
    }
    return has->present && wants->present ? subtract(type, wants, has) : BST_ABSENT;
}

static bool differs(const bst_synth *synth, uint32_t field) {
    return synth->mapping->fields[field].kind != BST_FROM_NOTHING &&
           !bst_value_equal(&synth->machine->fields[field].type, &synth->folded[field],
                            &synth->expected[field]);
}

/* The payload that turns synth->folded into synth->expected. False: there is none. */
static bool make_payload(const bst_synth *synth, bst_value *payload) {
    const bst_machine *machine = synth->machine;
    const bst_event_type *event = &machine->events[synth->reconcile];
    for (uint32_t i = 0; i < event->field_count; i++) {
        payload[i] = BST_ABSENT;
    }
    for (uint32_t f = 0; f < machine->field_count; f++) {
        if (!differs(synth, f)) {
            continue;
        }
        const uint32_t at = bst_event_field(event, machine->fields[f].name);
        const bst_value difference = at == BST_NONE ? BST_ABSENT : find_difference(synth, f);
        if (!difference.present) {
            return false;
        }
        payload[at] = difference;
    }
    return true;
}

bool bst__residue_fits(bst_synth *synth) {
    return synth->mapping->policy.reconcile && synth->reconcile != BST_NONE &&
           synth->refusal.reason == BST_REASON_FOLD_DIFFERS && !synth->undivided &&
           make_payload(synth, synth->difference);
}

void bst__reconcile_plan(const bst_synth *synth, bst_plan *plan, bst_plan_event *events) {
    events[plan->event_count] = (bst_plan_event){.type = synth->reconcile,
                                                 .state = events[plan->event_count - 1].state,
                                                 .command = BST_NONE,
                                                 .basis = BST_BASIS_CORRECTION,
                                                 .source = synth->mapping->source.table};
    plan->event_count++;
    plan->confidence = 0;
}

bool bst__reconcile(bst_synth *synth, const bst__walk *walk) {
    const bst_machine *machine = synth->machine;
    const uint32_t count = walk->plan.event_count;
    const uint32_t state = walk->plan.events[count - 1].state;
    if (!bst__residue_fits(synth)) {
        return false;
    }
    const int64_t bound = bst__upper_bound(synth);
    const bst_happening *last = &synth->happenings[count - 1];
    synth->happenings[count] =
        (bst_happening){.occurred_at = bound == BST_TIME_INFINITY ? last->occurred_at : bound,
                        .interval = true,
                        .after = last->interval ? last->after : last->occurred_at,
                        .before = bound,
                        .fields = synth->difference};
    bst_entity entity = {state, synth->folded};
    const bst_event event = {synth->reconcile, state, synth->difference};
    if (bst_apply(machine, &entity, &event) != BST_APPLY_OK) {
        return false;
    }
    for (uint32_t f = 0; f < machine->field_count; f++) {
        if (differs(synth, f)) {
            return false;
        }
    }
    return true;
}
