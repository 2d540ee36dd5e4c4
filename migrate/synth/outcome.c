/* What is left of a signature when the values of a row rule some of its walks out: an outcome, with
 * the plan that such rows have. It is worked out for the first of them and kept.
 *
 * What was found not to fit is no possible history of the row, so confidence is over the rest:
 *
 *     confidence(w) = p(w) / (1 - sum of p(u) over all u that are ruled out)
 *
 * A walk that was not tried counts as possible. So the figure is never too high, and "certain" is
 * said only where all other walks are known and ruled out.
 */
#include "synth_private.h"

#include <string.h>

static bool is_out(uint64_t unfit, uint32_t walk) {
    return walk < 64 && (unfit >> walk & 1);
}

/* The likeliest walk that is not ruled out, other than the one chosen; or BST_NONE. */
static uint32_t next_left(const bst__signature *sig, uint64_t unfit, uint32_t chosen) {
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (w != chosen && !is_out(unfit, w)) {
            return w;
        }
    }
    return BST_NONE;
}

/* ---- what is left ---- */

/* The same fact at the same place of two walks. */
static bool is_same_step(const bst_synth *synth, const bst__step *a, const bst__step *b) {
    const bst_transition *one = &synth->machine->transitions[a->transition];
    const bst_transition *other = &synth->machine->transitions[b->transition];
    if (a->item != b->item) {
        return false;
    }
    return a->item != BST_NONE
               ? one->event == other->event && one->to == other->to
               : a->transition == b->transition && a->place == b->place && a->ordinal == b->ordinal;
}

static uint32_t find_step(const bst_synth *synth, const bst__walk *walk, const bst__step *step) {
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        if (is_same_step(synth, &walk->steps[i], step)) {
            return i;
        }
    }
    return BST_NONE;
}

/* How probable the walks are that are ruled out, or else those that are known and left; with `step`
 * only those that have it. */
static double mass(const bst_synth *synth, const bst__signature *sig, uint64_t unfit, bool out,
                   const bst__step *step) {
    double sum = 0;
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (is_out(unfit, w) == out &&
            (!step || find_step(synth, &sig->walks[w], step) != BST_NONE)) {
            sum += sig->walks[w].plan.confidence;
        }
    }
    return sum;
}

static bool all_left_have(const bst_synth *synth, const bst__signature *sig, uint64_t unfit,
                          const bst__step *step) {
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (!is_out(unfit, w) && find_step(synth, &sig->walks[w], step) == BST_NONE) {
            return false;
        }
    }
    return true;
}

/* Of all that is possible, what is left. */
static double rest_of(const bst_synth *synth, const bst__signature *sig, uint64_t unfit) {
    double known = mass(synth, sig, unfit, false, NULL);
    double rest = 1 - mass(synth, sig, unfit, true, NULL);
    return sig->complete || rest < known ? known : rest;
}

static double within(double value, double low) {
    return value > 1 ? 1 : value < low ? low : value;
}

/* Whether a walk that is left has two steps of this one, of equal times, the other way round. */
static bool is_swapped(const bst_synth *synth, const bst__signature *sig,
                       const bst__ending *verdict, uint32_t i, uint32_t k) {
    const bst__step *steps = sig->walks[verdict->walk].steps;
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (is_out(verdict->unfit, w)) {
            continue;
        }
        const uint32_t one = find_step(synth, &sig->walks[w], &steps[i]);
        const uint32_t other = find_step(synth, &sig->walks[w], &steps[k]);
        if (one != BST_NONE && other != BST_NONE && (one < other) != (i < k)) {
            return true;
        }
    }
    return false;
}

static bool is_tied(const bst_synth *synth, const bst__signature *sig, const bst__ending *verdict,
                    uint32_t i) {
    const bst__walk *walk = &sig->walks[verdict->walk];
    const uint32_t item = walk->steps[i].item;
    for (uint32_t k = 0; item != BST_NONE && k < walk->plan.event_count; k++) {
        const uint32_t other = walk->steps[k].item;
        if (k != i && other != BST_NONE && synth->said[other].number == synth->said[item].number &&
            is_swapped(synth, sig, verdict, i, k)) {
            return true;
        }
    }
    return false;
}

/* Basis and confidence of one event, now that some walks are ruled out. */
static void judge(const bst_synth *synth, const bst__signature *sig, const bst__outcome *outcome,
                  uint32_t i, double rest, bst_plan_event *event) {
    const bst__step *step = &sig->walks[outcome->verdict.walk].steps[i];
    uint32_t in_best = find_step(synth, &sig->walks[0], step);
    const bst_plan_event *known = in_best == BST_NONE ? NULL : &sig->walks[0].plan.events[in_best];
    bool implied = sig->complete ? all_left_have(synth, sig, outcome->verdict.unfit, step)
                                 : known && known->basis == BST_BASIS_IMPLIED;
    double share = mass(synth, sig, outcome->verdict.unfit, false, step);
    if (known && !sig->complete) {
        share = known->confidence - mass(synth, sig, outcome->verdict.unfit, true, step);
    }
    event->confidence = implied ? 1 : within(share / rest, outcome->plan.confidence);
    event->tied = is_tied(synth, sig, &outcome->verdict, i);
    if (step->item == BST_NONE) {
        event->basis = implied ? BST_BASIS_IMPLIED : BST_BASIS_ASSUMED;
    }
}

/* Over what the values leave. */
static void judge_all(const bst_synth *synth, const bst__signature *sig, bst__outcome *outcome,
                      double rest, bst_plan_event *events) {
    const bst_plan *before = &sig->walks[outcome->verdict.walk].plan;
    outcome->plan.certain = sig->complete && outcome->next_walk == BST_NONE;
    outcome->plan.confidence =
        outcome->plan.certain ? 1 : within(before->confidence / rest, before->confidence);
    for (uint32_t i = 0; i < before->event_count; i++) {
        judge(synth, sig, outcome, i, rest, &events[i]);
    }
}

/* A history that a policy made agree with the row. Another repair might be the right one, or what
 * is unknown might change more; so nothing in it is implied, and it is never certain. */
static void judge_remedied(const bst_synth *synth, const bst__signature *sig, bst__outcome *outcome,
                           bst_plan_event *events) {
    const bst__walk *walk = &sig->walks[outcome->verdict.walk];
    const uint8_t *ignored =
        sig->ignored == BST_NONE ? NULL : bst__item_transitions(synth, sig->ignored);
    const double share = sig->ignored != BST_NONE ? 1.0 / sig->repair_count : 1;
    outcome->plan.certain = false;
    outcome->plan.confidence *= share;
    outcome->next_confidence *= share;
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        if (events[i].basis == BST_BASIS_IMPLIED) {
            events[i].basis = BST_BASIS_ASSUMED;
        }
        if (events[i].basis == BST_BASIS_ASSUMED) {
            events[i].confidence *= share;
        }
        if (!events[i].source && ignored && ignored[walk->steps[i].transition]) {
            events[i].source = sig->ignored_text;
        }
    }
}

/* What is ignored must show on some event, whatever it spoke of: else on the last one. */
static bool mark_last(bst_synth *synth, const bst__signature *sig, uint32_t count,
                      bst_plan_event *events) {
    bst_plan_event *last = &events[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        if (events[i].source == sig->ignored_text) {
            return true;
        }
    }
    last->source = last->source
                       ? bst_arena_printf(synth->arena, "%s; %s", last->source, sig->ignored_text)
                       : sig->ignored_text;
    return last->source != NULL;
}

static bool make_plan(bst_synth *synth, const bst__signature *sig, bst__outcome *outcome) {
    const bst__ending *verdict = &outcome->verdict;
    const bst_plan *before = &sig->walks[verdict->walk].plan;
    double rest = rest_of(synth, sig, verdict->unfit);
    outcome->next_walk = next_left(sig, verdict->unfit, verdict->walk);
    outcome->plan = *before;
    outcome->plan.signature = outcome->text;
    outcome->plan.remedy = verdict->remedy;
    outcome->plan.at_least = verdict->at_least && !before->certain;
    if (outcome->next_walk != BST_NONE) {
        outcome->next_confidence = within(sig->walks[outcome->next_walk].plan.confidence / rest, 0);
    }
    if (verdict->unfit == 0 && verdict->walk == 0 && verdict->remedy == BST_REMEDY_NONE) {
        return true;
    }
    bst_plan_event *events =
        bst_arena_array(synth->arena, (size_t)before->event_count + 1, sizeof *events);
    if (!events) {
        return false;
    }
    memcpy(events, before->events, before->event_count * sizeof *events);
    outcome->plan.events = events;
    if (verdict->unfit != 0 || verdict->walk != 0) {
        judge_all(synth, sig, outcome, rest, events);
    }
    if (verdict->remedy != BST_REMEDY_NONE) {
        judge_remedied(synth, sig, outcome, events);
        if (sig->ignored != BST_NONE && !mark_last(synth, sig, before->event_count, events)) {
            return false;
        }
    }
    if (verdict->remedy == BST_REMEDY_RECONCILED) {
        bst__reconcile_plan(synth, &outcome->plan, events);
    }
    return true;
}

/* A signature's text, which of its histories the values rule out, and what a policy made of it. */
static const char *name_outcome(bst_synth *synth, const bst__signature *sig,
                                const bst__ending *verdict) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, sig->text);
    if (verdict->remedy == BST_REMEDY_GENESIS) {
        bst_strbuf_addf(&text, "; genesis: %s", bst_reason_text(verdict->cause));
    } else if (sig->reason == BST_REASON_NONE && verdict->walk == BST_NONE) {
        bst_strbuf_addf(&text, "; values: %s", bst_reason_text(verdict->reason));
    }
    const char *separator = "; values rule out history ";
    for (uint32_t w = 0; verdict->walk != BST_NONE && w < sig->walk_count; w++) {
        if (is_out(verdict->unfit, w)) {
            bst_strbuf_addf(&text, "%s%u", separator, w + 1);
            separator = ", ";
        }
    }
    if (verdict->walk != BST_NONE && next_left(sig, verdict->unfit, BST_NONE) < verdict->walk) {
        bst_strbuf_addf(&text, "; sums leave history %u", verdict->walk + 1);
    }
    bst_strbuf_adds(&text, verdict->remedy == BST_REMEDY_RECONCILED ? "; reconciled" : "");
    const char *kept = text.failed ? NULL : bst_arena_strdup(synth->arena, text.text);
    bst_strbuf_release(&text);
    return kept;
}

/* What is said of the first row stands for all of them. */
static bool keep_refusal(bst_synth *synth, bst__outcome *outcome) {
    const bst_refusal *refusal = &synth->refusal;
    bst_strbuf columns = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < refusal->evidence_count; i++) {
        bst_strbuf_addf(&columns, "%s%s", i > 0 ? ", " : "",
                        synth->mapping->source.columns[refusal->evidence[i]].name);
    }
    outcome->message = bst_arena_strdup(synth->arena, refusal->message.text);
    outcome->columns = bst_arena_strdup(synth->arena, columns.len > 0 ? columns.text : "");
    bool good = !columns.failed && outcome->message && outcome->columns;
    if (good && refusal->repair.len > 0) {
        outcome->repair = bst_arena_strdup(synth->arena, refusal->repair.text);
        good = outcome->repair != NULL;
    }
    bst_strbuf_release(&columns);
    return good;
}

/* Whether other histories are left that agree with the row as well. */
static bool is_ambiguous(const bst__signature *sig, const bst__outcome *outcome) {
    if (outcome->verdict.remedy == BST_REMEDY_NONE) {
        return !outcome->plan.certain;
    }
    return outcome->next_walk != BST_NONE || !sig->complete || sig->repair_count > 1;
}

/* What the mapping wants of a history that is not the only one. */
static bool apply_ambiguous(bst_synth *synth, const bst__signature *sig, bst__outcome *outcome) {
    const bst_policy_choice policy = synth->mapping->policy.ambiguous;
    if (policy == BST_POLICY_LIKELIEST || !is_ambiguous(sig, outcome)) {
        return true;
    }
    bst__refuse_ambiguous(synth, outcome);
    if (policy != BST_POLICY_GENESIS || !bst__genesis_can(synth)) {
        outcome->verdict.reason = BST_REASON_AMBIGUOUS;
        return true;
    }
    outcome->replaced = true;
    bst__ending verdict = outcome->verdict;
    verdict.remedy = BST_REMEDY_GENESIS;
    verdict.cause = BST_REASON_AMBIGUOUS;
    outcome->cause = BST_REASON_AMBIGUOUS;
    outcome->text = name_outcome(synth, sig, &verdict);
    return outcome->text && bst__genesis_plan(synth, outcome->text, &outcome->plan);
}

static bool describe(bst_synth *synth, bst__signature *sig, const bst_row *row,
                     bst__outcome *outcome) {
    outcome->example_key = bst_arena_strndup(synth->arena, row->key, row->key_len);
    outcome->text = name_outcome(synth, sig, &outcome->verdict);
    outcome->cause = outcome->verdict.cause;
    if (!outcome->example_key || !outcome->text) {
        return false;
    }
    if (outcome->verdict.remedy == BST_REMEDY_GENESIS) {
        if (!bst__genesis_plan(synth, outcome->text, &outcome->plan)) {
            return false;
        }
    } else if (outcome->verdict.walk != BST_NONE) {
        if (!make_plan(synth, sig, outcome) || !apply_ambiguous(synth, sig, outcome)) {
            return false;
        }
    }
    const bool plain =
        outcome->verdict.reason == BST_REASON_NONE && outcome->cause == BST_REASON_NONE;
    return plain || keep_refusal(synth, outcome);
}

static bool same_verdict(const bst__ending *a, const bst__ending *b) {
    return a->unfit == b->unfit && a->walk == b->walk && a->remedy == b->remedy &&
           a->cause == b->cause && (a->walk != BST_NONE || a->reason == b->reason);
}

bst__outcome *bst__outcome_count(bst_synth *synth, bst__signature *sig, const bst_row *row,
                                 const bst__ending *verdict) {
    bst__outcome *outcome = sig->outcomes;
    while (outcome && !same_verdict(&outcome->asked, verdict)) {
        outcome = outcome->next_of_signature;
    }
    if (!outcome) {
        outcome = bst_arena_alloc(synth->arena, sizeof *outcome);
        if (outcome) {
            *outcome = (bst__outcome){.signature = sig,
                                      .next_of_signature = sig->outcomes,
                                      .asked = *verdict,
                                      .verdict = *verdict,
                                      .next_walk = BST_NONE,
                                      .number = synth->outcome_count};
        }
        if (!outcome || !describe(synth, sig, row, outcome)) {
            synth->status = bst_diag_nomem(synth->diags);
            return NULL;
        }
        sig->outcomes = outcome;
        *synth->outcomes_end = outcome;
        synth->outcomes_end = &outcome->next;
        synth->outcome_count++;
    }
    outcome->rows++;
    return outcome;
}
