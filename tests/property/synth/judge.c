/* What must hold of a row's history, or of its refusal, when the truth is known.
 */
#include <math.h>
#include <string.h>

#include "synth_case.h"

static void check_times(const bst_history *history) {
    int64_t before = BST_TIME_MINUS_INFINITY;
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_happening *at = &history->events[i];
        EXPECT(bst_time_is_finite(at->occurred_at));
        EXPECT(at->occurred_at >= before);
        EXPECT(at->after <= at->occurred_at && at->occurred_at <= at->before);
        EXPECT(history->plan->remedy != BST_REMEDY_NONE ||
               at->interval == (history->plan->events[i].source == NULL));
        before = at->occurred_at;
    }
}

static void check_replay(const bst_history *history) {
    bst_value fields[FIELDS];
    bst_entity entity = {BST_NONE, fields};
    bst_entity_clear(machine, &entity);
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        bst_value payload[2];
        const bst_plan_event *planned = &history->plan->events[i];
        for (uint32_t f = 0; f < machine->events[planned->type].field_count; f++) {
            payload[f] = history->events[i].fields[f];
        }
        const bst_event event = {planned->type, planned->state, payload};
        EXPECT(bst_apply(machine, &entity, &event) == BST_APPLY_OK);
    }
    EXPECT(entity.state == claimed.state);
    for (uint32_t f = 0; f < FIELDS; f++) {
        EXPECT(bst_value_equal(&machine->fields[f].type, &fields[f], &claimed.fields[f]));
    }
}

/* What a policy wrote says so, and claims nothing. */
static void check_remedy(const bst_history *history) {
    const bst_plan *plan = history->plan;
    const bst_builtin first = machine->events[plan->events[0].type].builtin;
    const bst_plan_event *last = &plan->events[plan->event_count - 1];
    const bst_builtin end = machine->events[last->type].builtin;
    tally.remedied[plan->remedy]++;
    EXPECT((plan->remedy == BST_REMEDY_GENESIS) == (first == BST_BUILTIN_GENESIS));
    EXPECT((plan->remedy == BST_REMEDY_RECONCILED) == (end == BST_BUILTIN_RECONCILE));
    EXPECT(!(plan->remedy != BST_REMEDY_NONE && plan->certain));
    EXPECT(plan->remedy != BST_REMEDY_GENESIS || plan->event_count == 1);
    if (end != BST_BUILTIN_NONE) {
        EXPECT(last->basis != BST_BASIS_RECORDED && !(last->confidence > 0));
        EXPECT(!(plan->confidence > 0));
    } else {
        EXPECT(plan->confidence > 0 && plan->confidence <= 1);
    }
    for (uint32_t i = 0; i < plan->event_count; i++) {
        EXPECT(plan->remedy == BST_REMEDY_NONE || plan->events[i].basis != BST_BASIS_IMPLIED);
    }
}

static void check_certain(const bst_history *history) {
    EXPECT(history->plan->confidence == 1);
    EXPECT(history->plan->event_count == now.count);
    for (uint32_t i = 0; i < now.count; i++) {
        const bst_transition *t = &machine->transitions[now.transitions[i]];
        const bst_plan_event *planned = &history->plan->events[i];
        const bst_happening *at = &history->events[i];
        EXPECT(planned->type == t->event && planned->state == t->to);
        EXPECT(planned->basis != BST_BASIS_ASSUMED && planned->confidence == 1);
        EXPECT(at->after <= now.times[i] && now.times[i] <= at->before);
        if (bst_event_field(&machine->events[t->event], "amount") == 0) {
            EXPECT(at->fields[0].u.i == now.paid[i].u.i);
        }
    }
}

/* `remedied_here`: by a reconciliation, which does not say how many were tried. */
static void check_refusal(const bst_refusal *refusal, bool remedied_here) {
    switch (refusal->reason) {
    case BST_REASON_TOO_AMBIGUOUS: /* never a code that says "impossible" */
        EXPECT(strstr(refusal->message.text, "more are possible than were tried") != NULL);
        tally.given_up++;
        break;
    case BST_REASON_FOLD_DIFFERS: /* of the likeliest history, which was reconciled */
        EXPECT(remedied_here);
        break;
    case BST_REASON_UNDIVIDED:
        EXPECT(shape.sums);
        tally.undivided++;
        break;
    case BST_REASON_MISSING_VALUE:
        EXPECT(strstr(refusal->message.text, "no column says when") != NULL);
        break;
    default:
        fail(__FILE__, __LINE__, refusal->message.text);
    }
    tally.refused++;
}

static bool has_walk(const bst__signature *sig, const bst__walk *walk) {
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        const bst__walk *one = &sig->walks[w];
        bool same = one->plan.event_count == walk->plan.event_count;
        for (uint32_t i = 0; same && i < walk->plan.event_count; i++) {
            same = one->steps[i].transition == walk->steps[i].transition;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Where all walks are known and were tried one by one, the search among them finds the same. */
static void check_search(bst_synth *synth, const bst_row *row) {
    const bst__outcome *tried = synth->last_outcome;
    bst__signature *sig = (bst__signature *)(uintptr_t)tried->signature, *fits = NULL;
    bst_outcome outcome;
    uint32_t left = 0;
    if (!sig->asks || !sig->complete || sig->alike || sig->ignored != BST_NONE) {
        return;
    }
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        left += !(tried->verdict.unfit >> w & 1);
    }
    EXPECT(bst__fits_find(synth, claimed.state, sig, row, &outcome, &fits) == BST_OK);
    EXPECT(outcome == BST_FOUND);
    if (!fits->exact) { /* what passes may not fit, but what fits passes */
        EXPECT(has_walk(fits, &sig->walks[tried->verdict.walk]));
        tally.hazy++;
        return;
    }
    EXPECT(fits->complete ? fits->walk_count == left : fits->walk_count <= left);
    EXPECT(fits->walks[0].plan.certain == tried->plan.certain);
    EXPECT(fabs(fits->walks[0].plan.confidence - tried->plan.confidence) < 1e-6);
    tally.searched++;
}

/* The truth is not possible any more, or it is but the row denies it. */
static void check_spoiled(bst_synth *synth, const bst_row *row, bst_diags *diags) {
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    tally.spoiled++;
    EXPECT(bst_synth_row(synth, row, &fate, &history, &refusal, diags) == BST_OK);
    if (fate == BST_MIGRATED) {
        EXPECT((refusal != NULL) == (history.plan->remedy != BST_REMEDY_NONE));
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
    } else if (shape.wants_all) {
        EXPECT(strstr(refusal->message.text, "no column says when") != NULL);
    }
}

void judge_row(bst_synth *synth, bst_diags *diags) {
    bst_row row;
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    truth_live();
    row_write(&row);
    tally.summed += shape.sums;
    EXPECT(bst_synth_row(synth, &row, &fate, &history, &refusal, diags) == BST_OK);
    EXPECT(fate != BST_OUT_OF_SCOPE);
    if (fate == BST_QUARANTINED) {
        check_refusal(refusal, false);
    } else if (history.plan->remedy != BST_REMEDY_NONE) { /* of those that would be refused */
        EXPECT(refusal != NULL);
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
        check_refusal(refusal, history.plan->remedy == BST_REMEDY_RECONCILED);
    } else {
        tally.migrated++;
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
        check_search(synth, &row);
        tally.certain += history.plan->certain;
        tally.assumed += !history.plan->certain;
        if (history.plan->certain) {
            check_certain(&history);
        }
    }
    if (roll(2) == 0 && row_spoil()) {
        check_spoiled(synth, &row, diags);
    }
}

/* A plan's signature is its name: no two have the same. */
void judge_names(bst_synth *synth, bst_diags *diags) {
    bst_signature_info infos[2 * ROWS_A_MACHINE];
    size_t count = bst_synth_signature_count(synth);
    EXPECT(count <= 2 * ROWS_A_MACHINE);
    EXPECT(bst_synth_signatures(synth, infos, count, diags) == BST_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(infos[i].text, infos[k].text) == 0) {
                fail(__FILE__, __LINE__, infos[i].text);
            }
        }
    }
}
