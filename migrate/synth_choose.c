/* Which of the possible walks fits a row: its values (guards, payloads, the fold) rule walks out.
 *
 * The likeliest walk that fits is the history. What was found not to fit is no possible history of
 * this row, so confidence is over the rest:
 *
 *     confidence(w) = p(w) / (1 - sum of p(u) over all u that do not fit)
 *
 * A walk that was not tried counts as possible. So the figure is never too high, and "certain" is
 * said only where all other walks are known and none of them fits. Walks that ask the same of the
 * values are tried once. What is left of a signature for some set of unfit walks (an outcome) is
 * worked out for the first such row and kept.
 */
#include "synth_private.h"

#include <string.h>

static bool is_unfit(uint64_t unfit, uint32_t walk) {
    return walk < 64 && (unfit >> walk & 1);
}

/* The first walk from `from` on that is not ruled out, or BST_NONE. */
static uint32_t first_left(const bst__signature *sig, uint64_t unfit, uint32_t from) {
    while (from < sig->walk_count && is_unfit(unfit, from)) {
        from++;
    }
    return from < sig->walk_count ? from : BST_NONE;
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
        if (is_unfit(unfit, w) == out &&
            (!step || find_step(synth, &sig->walks[w], step) != BST_NONE)) {
            sum += sig->walks[w].plan.confidence;
        }
    }
    return sum;
}

static bool all_left_have(const bst_synth *synth, const bst__signature *sig, uint64_t unfit,
                          const bst__step *step) {
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        if (!is_unfit(unfit, w) && find_step(synth, &sig->walks[w], step) == BST_NONE) {
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

/* Basis and confidence of one event, now that some walks are ruled out. */
static void judge(const bst_synth *synth, const bst__signature *sig, const bst__outcome *outcome,
                  uint32_t i, double rest, bst_plan_event *event) {
    const bst__step *step = &sig->walks[outcome->walk].steps[i];
    uint32_t in_best = find_step(synth, &sig->walks[0], step);
    const bst_plan_event *known = in_best == BST_NONE ? NULL : &sig->walks[0].plan.events[in_best];
    bool implied = sig->complete ? all_left_have(synth, sig, outcome->unfit, step)
                                 : known && known->basis == BST_BASIS_IMPLIED;
    double share = mass(synth, sig, outcome->unfit, false, step);
    if (known && !sig->complete) {
        share = known->confidence - mass(synth, sig, outcome->unfit, true, step);
    }
    event->confidence = implied ? 1 : within(share / rest, outcome->plan.confidence);
    if (step->item == BST_NONE) {
        event->basis = implied ? BST_BASIS_IMPLIED : BST_BASIS_ASSUMED;
    }
}

/* Over what the values leave. */
static void judge_all(const bst_synth *synth, const bst__signature *sig, bst__outcome *outcome,
                      double rest, bst_plan_event *events) {
    const bst_plan *before = &sig->walks[outcome->walk].plan;
    outcome->plan.certain = sig->complete && outcome->next_walk == BST_NONE;
    outcome->plan.confidence =
        outcome->plan.certain ? 1 : within(before->confidence / rest, before->confidence);
    for (uint32_t i = 0; i < before->event_count; i++) {
        judge(synth, sig, outcome, i, rest, &events[i]);
    }
}

/* A history that ignores an item. Each of the repairs might be the right one, so what is not
 * recorded is a choice, and no history is certain. */
static void judge_relaxed(const bst_synth *synth, const bst__signature *sig, bst__outcome *outcome,
                          bst_plan_event *events) {
    const uint8_t *ignored = bst__is_log_row(synth, sig->ignored)
                                 ? bst__log_transitions(synth, sig->ignored)
                                 : synth->mapping->evidence[sig->ignored].transitions;
    const bst__walk *walk = &sig->walks[outcome->walk];
    outcome->plan.certain = false;
    outcome->plan.confidence /= sig->repair_count;
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        if (events[i].basis == BST_BASIS_IMPLIED) {
            events[i].basis = BST_BASIS_ASSUMED;
        }
        if (events[i].basis == BST_BASIS_ASSUMED) {
            events[i].confidence /= sig->repair_count;
        }
        if (!events[i].source && ignored && ignored[walk->steps[i].transition]) {
            events[i].source = sig->ignored_text;
        }
    }
}

static bool make_plan(bst_synth *synth, const bst__signature *sig, bst__outcome *outcome) {
    const bst_plan *before = &sig->walks[outcome->walk].plan;
    double rest = rest_of(synth, sig, outcome->unfit);
    outcome->next_walk = first_left(sig, outcome->unfit, outcome->walk + 1);
    outcome->plan = *before;
    outcome->plan.signature = outcome->text;
    if (outcome->next_walk != BST_NONE) {
        outcome->next_confidence = within(sig->walks[outcome->next_walk].plan.confidence / rest, 0);
    }
    if (outcome->unfit == 0 && sig->ignored == BST_NONE) {
        return true;
    }
    bst_plan_event *events = bst_arena_array(synth->arena, before->event_count, sizeof *events);
    if (!events) {
        return false;
    }
    memcpy(events, before->events, before->event_count * sizeof *events);
    outcome->plan.events = events;
    if (outcome->unfit != 0) {
        judge_all(synth, sig, outcome, rest, events);
    }
    if (sig->ignored != BST_NONE) {
        outcome->next_confidence /= sig->repair_count;
        judge_relaxed(synth, sig, outcome, events);
    }
    return true;
}

/* A signature's text, and which of its histories the values rule out. */
static const char *name_outcome(bst_synth *synth, const bst__signature *sig,
                                const bst__outcome *outcome) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, sig->text);
    if (sig->reason == BST_REASON_NONE && outcome->walk == BST_NONE) {
        bst_strbuf_addf(&text, "; values: %s", bst_reason_text(outcome->reason));
    } else if (outcome->unfit != 0) {
        const char *separator = "; values rule out history ";
        for (uint32_t w = 0; w < sig->walk_count; w++) {
            if (is_unfit(outcome->unfit, w)) {
                bst_strbuf_addf(&text, "%s%u", separator, w + 1);
                separator = ", ";
            }
        }
    }
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

static bool describe(bst_synth *synth, bst__signature *sig, const bst_row *row,
                     bst__outcome *outcome) {
    outcome->example_key = bst_arena_strndup(synth->arena, row->key, row->key_len);
    outcome->text = name_outcome(synth, sig, outcome);
    if (!outcome->example_key || !outcome->text) {
        return false;
    }
    if (outcome->walk != BST_NONE) {
        if (!make_plan(synth, sig, outcome)) {
            return false;
        }
        if (!outcome->plan.certain && synth->mapping->ambiguous == BST_POLICY_QUARANTINE) {
            outcome->reason = BST_REASON_AMBIGUOUS;
            bst__refuse_ambiguous(synth, outcome);
        }
    }
    return outcome->reason == BST_REASON_NONE || keep_refusal(synth, outcome);
}

/* The outcome that a row belongs to, made if need be. NULL: synth->status is not OK. */
static bst__outcome *count_row(bst_synth *synth, bst__signature *sig, const bst_row *row,
                               uint64_t unfit, uint32_t walk, bst_reason reason) {
    bst__outcome *outcome = sig->outcomes;
    while (outcome && (outcome->unfit != unfit || outcome->walk != walk ||
                       (walk == BST_NONE && outcome->reason != reason))) {
        outcome = outcome->next_of_signature;
    }
    if (!outcome) {
        outcome = bst_arena_alloc(synth->arena, sizeof *outcome);
        if (outcome) {
            *outcome = (bst__outcome){.signature = sig,
                                      .next_of_signature = sig->outcomes,
                                      .unfit = unfit,
                                      .reason = reason,
                                      .walk = walk,
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

/* ---- a row ---- */

/* Whether a refusal is the walk's fault. What cannot be read, or has no time, fits no history. */
static bool is_of_walk(const bst_synth *synth) {
    bst_reason reason = synth->refusal.reason;
    if (synth->timeless) {
        return false;
    }
    return reason == BST_REASON_GUARD_REFUSED || reason == BST_REASON_FOLD_DIFFERS ||
           reason == BST_REASON_MISSING_VALUE || reason == BST_REASON_OVERFLOW;
}

/* Marks which of the first `asked` walks do not fit; the first has been tried. *last: the walk that
 * fills the buffers. */
static uint64_t find_unfit(bst_synth *synth, const bst__signature *sig, uint32_t asked,
                           bool best_fits, const bst_row *row, uint32_t *last) {
    uint64_t unfit = best_fits ? 0 : 1;
    for (uint32_t w = 1; w < asked && w < sig->walk_count && synth->status == BST_OK; w++) {
        uint32_t like = sig->walks[w].like;
        bool out = is_unfit(unfit, like);
        if (like == w) {
            out = !bst__walk_fill(synth, &sig->walks[w], row);
            *last = w;
        }
        unfit |= out ? UINT64_C(1) << w : 0;
    }
    return unfit;
}

/* The likeliest walk's refusal, and that no other one does better. */
static bool refuse_all(bst_synth *synth, bst__signature *sig, const bst_row *row, uint64_t unfit,
                       bool tried) {
    bool fits = bst__walk_fill(synth, &sig->walks[0], row);
    if (fits || synth->status != BST_OK) {
        return false;
    }
    uint32_t others = sig->walk_count - 1;
    if (others > 1 && tried) {
        bst_strbuf_addf(&synth->refusal.message, "; the %s %u histories do not fit either",
                        sig->complete ? "other" : "next", others);
    } else if (others == 1 && tried) {
        bst_strbuf_adds(&synth->refusal.message, "; the other history does not fit either");
    }
    (void)count_row(synth, sig, row, unfit, BST_NONE, synth->refusal.reason);
    return false;
}

static bool refuse_planless(bst_synth *synth, bst__signature *sig, uint32_t state,
                            const bst_row *row) {
    bst__refuse_signature(synth, sig, state);
    (void)count_row(synth, sig, row, 0, BST_NONE, sig->reason);
    return false;
}

bool bst__history_choose(bst_synth *synth, bst__signature *sig, uint32_t state, const bst_row *row,
                         bst_history *ret) {
    if (sig->reason != BST_REASON_NONE) {
        return refuse_planless(synth, sig, state, row);
    }
    if (sig->ignored != BST_NONE) {
        synth->said[sig->ignored].say = BST__SAY_NOTHING;
    }
    bool fits = bst__walk_fill(synth, &sig->walks[0], row);
    bool only = sig->walks[0].plan.certain || (!fits && !is_of_walk(synth));
    uint32_t asked = only ? 1 : fits ? BST__WALKS_ASKED : BST__WALKS_MAX;
    uint32_t last = 0;
    if (synth->status == BST_OK && asked > sig->asked) {
        synth->status = bst__signature_widen(synth, state, asked, sig);
    }
    uint64_t unfit = synth->status == BST_OK ? find_unfit(synth, sig, asked, fits, row, &last) : 0;
    if (synth->status != BST_OK) {
        return false;
    }
    uint32_t walk = only && !fits ? BST_NONE : first_left(sig, unfit, 0);
    if (walk == BST_NONE) {
        return refuse_all(synth, sig, row, unfit, !only);
    }
    if (walk != last && !bst__walk_fill(synth, &sig->walks[walk], row)) {
        return false;
    }
    const bst__outcome *outcome = count_row(synth, sig, row, unfit, walk, BST_REASON_NONE);
    if (outcome && outcome->reason == BST_REASON_AMBIGUOUS) {
        bst__refuse_ambiguous(synth, outcome);
    }
    if (!outcome || outcome->reason != BST_REASON_NONE) {
        return false;
    }
    synth->last_outcome = outcome;
    synth->relaxed_count += sig->ignored != BST_NONE;
    *ret = (bst_history){row->key, row->key_len, &outcome->plan, synth->happenings};
    return true;
}
