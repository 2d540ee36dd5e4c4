/* A signature becomes a plan: the evidence as claims, inference over the machine, and then
 * everything that the rows of this signature have in common, looked up once: whose time each event
 * has, which column each payload field comes from, which guards must be asked with the row's
 * values.
 */
#include "synth_private.h"

#include <string.h>

#include "mapping/mapping_private.h"

/* ---- claims ---- */

/* The claim of that row of the log, or of the last before it that was made; BST_NONE. */
static uint32_t claim_of(const bst_claim *claims, size_t count, uint32_t item) {
    while (item != BST_NONE && count > 0 && claims[count - 1].item > item) {
        count--;
    }
    return item == BST_NONE || count == 0 ? BST_NONE : (uint32_t)count - 1;
}

/* The rows of the log, after the claims there are. */
static bool claim_log(bst_synth *synth, uint32_t leave_out, bst_claim *claims, size_t *count) {
    const size_t first = *count;
    for (uint32_t i = synth->mapping->evidence_count; i < bst__item_count(synth); i++) {
        const bst__said *said = &synth->said[i];
        if (i == leave_out || said->say == BST__SAY_NOTHING) {
            continue;
        }
        const uint32_t before = claim_of(claims + first, *count - first, bst__log_before(synth, i));
        bst_claim *claim = &claims[*count];
        *claim =
            (bst_claim){.kind = said->say == BST__SAY_COUNT ? BST_CLAIM_COUNT : BST_CLAIM_HAPPENED,
                        .count = said->number,
                        .item = i,
                        .transitions = bst__log_transitions(synth, i),
                        .occurrence = BST_OCCURRENCE_ANY,
                        .rank = said->say == BST__SAY_AT ? said->number : BST_NONE,
                        .after = before == BST_NONE ? BST_NONE : before + (uint32_t)first};
        if (said->say == BST__SAY_COUNT) {
            claim->relation = bst__item_relation(synth, i);
        }
        (*count)++;
        if (!claim->transitions) {
            return false;
        }
    }
    return true;
}

/* What the items say, as claims in the scratch arena; without item `leave_out`. NULL: no memory. */
const bst_claim *bst__claims_make(bst_synth *synth, uint32_t leave_out, size_t *ret_count) {
    const bst_mapping *mapping = synth->mapping;
    bst_claim *claims = bst_arena_array(synth->scratch, bst__item_count(synth), sizeof *claims);
    size_t count = 0;
    for (uint32_t i = 0; claims && i < mapping->evidence_count; i++) {
        const bst_evidence *evidence = &mapping->evidence[i];
        const bst__said *said = &synth->said[i];
        bst_claim claim = {.item = i,
                           .transitions = evidence->transitions,
                           .occurrence = evidence->occurrence,
                           .rank = BST_NONE,
                           .after = BST_NONE};
        if (i == leave_out) {
            continue;
        }
        if (said->say == BST__SAY_AT) {
            claim.kind = BST_CLAIM_HAPPENED;
            claim.rank = said->number;
        } else if (said->say == BST__SAY_NEVER) {
            claim.kind = BST_CLAIM_NEVER;
        } else if (said->say == BST__SAY_COUNT) {
            claim.kind = BST_CLAIM_COUNT;
            claim.relation = evidence->relation;
            claim.count = said->number;
        } else {
            continue;
        }
        claims[count++] = claim;
    }
    *ret_count = count;
    return claims && claim_log(synth, leave_out, claims, ret_count) ? claims : NULL;
}

/* Adds what those had that took as long, to what is known of the signature as a whole:
 *     mass(walk) = times in this span + span_worth * its share by all the rest
 * which is, with that written out, again of the form that inference knows. */
static void add_span(const bst_mapping *mapping, const bst_seen_here *span, bst_weights *weights,
                     double *here) {
    double total = 0;
    double different = 0;
    for (uint32_t i = 0; i < weights->seen_count; i++) {
        total += here[i];
        different += here[i] > 0;
    }
    const double rest = weights->rest_worth + weights->rest_worth_each * different;
    const double factor = mapping->span_worth / (total + rest);
    for (uint32_t i = 0; i < weights->seen_count; i++) {
        here[i] *= factor;
    }
    for (uint32_t i = 0; i < span->count; i++) {
        here[span->times[i].walk] += span->times[i].times;
    }
    weights->rest_worth = rest * factor;
    weights->rest_worth_each = 0;
}

/* What was learned of entities whose evidence was the very same. */
static bool find_seen_here(bst_synth *synth, uint32_t state, bst_weights *weights) {
    const bst_mapping *mapping = synth->mapping;
    bst_strbuf text = BST_STRBUF_INIT;
    if (mapping->seen_here_count == 0) {
        return true;
    }
    bst__signature_text(synth, state, &text);
    const bst_seen_here *found = text.failed ? NULL : bst_mapping_seen(mapping, text.text);
    const bst_seen_here *span = NULL;
    if (!text.failed && synth->span != BST_NONE) {
        span = bst_mapping_span(mapping, text.text, synth->span);
    }
    bool good = !text.failed;
    bst_strbuf_release(&text);
    if (found) {
        double *here = bst_arena_array(synth->scratch, weights->seen_count, sizeof *here);
        for (uint32_t i = 0; here && i < found->count; i++) {
            here[found->times[i].walk] = found->times[i].times;
        }
        weights->here = here;
        good = here != NULL;
        if (here && span) {
            add_span(mapping, span, weights, here);
        }
    }
    return good;
}

/* The question that a signature asks, its claims and weights in the scratch arena. */
static bst_status make_question(bst_synth *synth, uint32_t state, uint32_t leave_out,
                                bst_question *ret, bst_weights *ret_weights) {
    size_t count = 0;
    const bst_claim *claims = bst__claims_make(synth, leave_out, &count);
    *ret = (bst_question){.state = state, .claims = claims, .claim_count = count};
    *ret_weights = synth->weights;
    return claims && find_seen_here(synth, state, ret_weights) ? BST_OK
                                                               : bst_diag_nomem(synth->diags);
}

static bst_status infer(bst_synth *synth, uint32_t state, uint32_t leave_out,
                        const bst_claim **ret_claims, bst_answer *ret) {
    bst_question question;
    bst_weights weights;
    const bst_status status = make_question(synth, state, leave_out, &question, &weights);
    *ret_claims = question.claims;
    if (status != BST_OK) {
        return status;
    }
    return bst_infer(synth->machine, &weights, &question, synth->scratch, ret, synth->diags);
}

bst_status bst__walks_make(bst_synth *synth, uint32_t state, uint32_t leave_out, bst_walks **ret,
                           const bst_claim **ret_claims) {
    bst_question question;
    bst_weights weights;
    const bst_status status = make_question(synth, state, leave_out, &question, &weights);
    *ret_claims = question.claims;
    if (status != BST_OK) {
        return status;
    }
    return bst_walks_new(synth->machine, &weights, &question, ret, synth->diags);
}

/* ---- contradictions ---- */

static bool keep_items(bst_synth *synth, const bst_claim *claims, const uint32_t *indices,
                       uint32_t count, uint32_t room, uint32_t *ret_count, const uint32_t **ret) {
    uint32_t *items = bst_arena_array(synth->arena, (size_t)count + room, sizeof *items);
    if (!items) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = claims[indices[i]].item;
    }
    *ret = items;
    *ret_count = count;
    return true;
}

/* Items that say AT before a creation, and that creation. */
static uint32_t find_before_creation(const bst_synth *synth, uint32_t *items) {
    for (uint32_t i = 0; i < synth->order_count; i++) {
        uint32_t creation = synth->order[i];
        uint32_t count = 0;
        if (bst__item_kind(synth, creation) != BST_EVIDENCE_CREATION) {
            continue;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (synth->said[synth->order[k]].number < synth->said[creation].number) {
                items[count++] = synth->order[k];
            }
        }
        if (count > 0) {
            items[count++] = creation;
            return count;
        }
    }
    return 0;
}

/* Items that are later than the last change, and that bound. */
static uint32_t find_after_bound(const bst_synth *synth, uint32_t *items) {
    uint32_t count = 0;
    uint32_t bound = BST_NONE;
    for (uint32_t i = 0; i < synth->order_count; i++) {
        if (synth->said[synth->order[i]].late) {
            items[count++] = synth->order[i];
        }
    }
    for (uint32_t i = 0; i < synth->mapping->evidence_count && bound == BST_NONE; i++) {
        if (synth->said[i].say == BST__SAY_BOUND && synth->said[i].late) {
            bound = i;
        }
    }
    if (bound != BST_NONE) {
        items[count++] = bound;
        return count;
    }
    /* An exact last change is an event itself: what is later than it contradicts it. */
    for (uint32_t i = 0; i < synth->order_count; i++) {
        if (bst__item_kind(synth, synth->order[i]) != BST_EVIDENCE_LAST_CHANGE) {
            continue;
        }
        count = 0;
        for (uint32_t k = i + 1; k < synth->order_count; k++) {
            if (synth->said[synth->order[k]].number > synth->said[synth->order[i]].number) {
                items[count++] = synth->order[k];
            }
        }
        if (count > 0) {
            items[count++] = synth->order[i];
        }
        return count;
    }
    return 0;
}

/* The bound may be what is wrong, or the single item beyond it. */
static bst_status repair_bound(bst_synth *synth, uint32_t state, const bst_answer *answer,
                               bst__signature *sig) {
    uint32_t *repairs = bst_arena_array(synth->arena, 2, sizeof *repairs);
    if (!repairs) {
        return bst_diag_nomem(synth->diags);
    }
    sig->repairs = repairs;
    sig->repair_count = 0;
    if (answer->outcome == BST_FOUND) {
        repairs[sig->repair_count++] = sig->conflict[sig->conflict_count - 1];
    }
    if (sig->conflict_count == 2) {
        const bst_claim *claims = NULL;
        bst_answer without = {0};
        bst_status status = infer(synth, state, sig->conflict[0], &claims, &without);
        if (status != BST_OK) {
            return status;
        }
        if (without.outcome == BST_FOUND) {
            repairs[sig->repair_count++] = sig->conflict[0];
        }
    }
    return BST_OK;
}

/* The order of times alone may already tell: then the reason is a plainer one. */
static bst_status find_disorder(bst_synth *synth, uint32_t state, const bst_claim *claims,
                                const bst_answer *answer, bst__signature *sig) {
    uint32_t *items =
        bst_arena_array(synth->arena, (size_t)bst__item_count(synth) + 1, sizeof *items);
    if (!items) {
        return bst_diag_nomem(synth->diags);
    }
    uint32_t count = find_before_creation(synth, items);
    bst_reason reason = BST_REASON_BEFORE_CREATION;
    if (count == 0) {
        count = find_after_bound(synth, items);
        reason = BST_REASON_AFTER_LAST_CHANGE;
    }
    if (count == 0) {
        return BST_OK;
    }
    sig->reason = reason;
    sig->conflict = items;
    sig->conflict_count = count;
    if (synth->said[items[count - 1]].say == BST__SAY_BOUND) {
        return repair_bound(synth, state, answer, sig);
    }
    if (answer->outcome == BST_CONTRADICTION &&
        !keep_items(synth, claims, answer->repairs, answer->repair_count, 0, &sig->repair_count,
                    &sig->repairs)) {
        return bst_diag_nomem(synth->diags);
    }
    return BST_OK;
}

/* ---- where payloads come from ---- */

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

/* ---- which guards must hold ---- */

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

/* ---- walks ---- */

/* Where in the order of times each step stands. */
static void find_places(const bst_synth *synth, bst__step *steps, uint32_t count) {
    uint32_t place = BST_NONE;
    for (uint32_t i = count; i-- > 0;) {
        if (steps[i].item != BST_NONE) {
            place = synth->said[steps[i].item].number;
        }
        steps[i].place = place;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i && steps[i].item == BST_NONE; k++) {
            steps[i].ordinal += steps[k].item == BST_NONE && steps[k].place == steps[i].place &&
                                steps[k].transition == steps[i].transition;
        }
    }
}

bool bst__step_asks(const bst_synth *synth, const bst__step *step) {
    uint32_t event = synth->machine->transitions[step->transition].event;
    return step->guard_check_count > 0 || step->filler_count > 0 ||
           synth->machine->events[event].assignment_count > 0;
}

static const bst__step *next_asking(const bst_synth *synth, const bst__walk *walk, uint32_t *at) {
    while (*at < walk->plan.event_count && !bst__step_asks(synth, &walk->steps[*at])) {
        (*at)++;
    }
    return *at < walk->plan.event_count ? &walk->steps[(*at)++] : NULL;
}

static bool ask_alike(const bst_synth *synth, const bst__walk *a, const bst__walk *b) {
    uint32_t at_a = 0;
    uint32_t at_b = 0;
    for (;;) {
        const bst__step *one = next_asking(synth, a, &at_a);
        const bst__step *other = next_asking(synth, b, &at_b);
        if (!one || !other) {
            return one == other;
        }
        if (one->transition != other->transition ||
            (one->filler_count > 0 && one->item != other->item)) {
            return false;
        }
    }
}

/* Room for a walk of so many steps; NULL: no memory. */
static bst_plan_event *start_walk(bst_synth *synth, bst__signature *sig, uint32_t count,
                                  bst__step **ret_steps) {
    bst_plan_event *events = bst_arena_array(synth->arena, count, sizeof *events);
    *ret_steps = bst_arena_array(synth->arena, count, sizeof **ret_steps);
    bst__walk *walk = &sig->walks[sig->walk_count];
    *walk = (bst__walk){.plan = {.signature = sig->text, .event_count = count, .events = events},
                        .steps = *ret_steps};
    return *ret_steps ? events : NULL;
}

static bool add_step(bst_synth *synth, uint32_t transition, uint32_t item, bst_plan_event *event,
                     bst__step *step) {
    const bst_transition *of = &synth->machine->transitions[transition];
    event->type = of->event;
    event->state = of->to;
    event->command = of->command;
    event->source = item == BST_NONE ? NULL : bst__item_label(synth, item);
    return bst__step_make(synth, transition, item, step);
}

/* Step `i` meets an item that may as well mean a later one, up to `latest`: its time is not the
 * item's. */
static void doubt(bst__walk *walk, bst__step *steps, uint32_t i, uint32_t latest, uint32_t item) {
    if (item != BST_NONE && latest != i) {
        steps[i].until = item;
        steps[latest].since = item;
        walk->doubts = true;
    }
}

static uint32_t find_illegal(const bst_machine *machine, const bst_plan *plan) {
    uint32_t from = BST_NONE;
    for (uint32_t i = 0; i < plan->event_count; i++) {
        if (!bst_machine_allows(machine, from, plan->events[i].type, plan->events[i].state)) {
            return i;
        }
        from = plan->events[i].state;
    }
    return BST_NONE;
}

static void end_walk(bst_synth *synth, bst__signature *sig, bst__step *steps) {
    bst__walk *walk = &sig->walks[sig->walk_count];
    find_places(synth, steps, walk->plan.event_count);
    bst__sums_mark(synth, walk, steps);
    walk->illegal = find_illegal(synth->machine, &walk->plan);
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        walk->value_count += steps[i].filler_count;
    }
    while (walk->like < sig->walk_count && !ask_alike(synth, walk, &sig->walks[walk->like])) {
        walk->like++;
    }
    sig->walk_count++;
}

bst_status bst__signature_keep_best(bst_synth *synth, const bst_claim *claims,
                                    const bst_answer *answer, bst__signature *sig) {
    bst__step *steps = NULL;
    sig->walks = bst_arena_array(synth->arena, 1, sizeof *sig->walks);
    bst_plan_event *events = sig->walks ? start_walk(synth, sig, answer->step_count, &steps) : NULL;
    if (!events) {
        return bst_diag_nomem(synth->diags);
    }
    for (uint32_t i = 0; i < answer->step_count; i++) {
        const bst_walk_step *step = &answer->steps[i];
        const bool sure = step->claim != BST_NONE && step->latest == i;
        const uint32_t item = sure ? claims[step->claim].item : BST_NONE;
        events[i].basis = step->basis;
        events[i].confidence = step->confidence;
        events[i].tied = step->tied && sure;
        if (step->claim != BST_NONE && !sure) { /* which of some steps is recorded is a choice */
            events[i].basis = step->confidence < 1 ? BST_BASIS_ASSUMED : BST_BASIS_IMPLIED;
        }
        if (!add_step(synth, step->transition, item, &events[i], &steps[i])) {
            return bst_diag_nomem(synth->diags);
        }
    }
    for (uint32_t i = 0; i < answer->step_count; i++) {
        const bst_walk_step *step = &answer->steps[i];
        doubt(&sig->walks[0], steps, i, step->latest,
              step->claim == BST_NONE ? BST_NONE : claims[step->claim].item);
    }
    sig->walks->plan.confidence = answer->confidence;
    sig->walks->plan.certain = answer->certain;
    sig->complete = answer->certain;
    end_walk(synth, sig, steps);
    return BST_OK;
}

static bool keep_other(bst_synth *synth, const bst_claim *claims, const bst_other_walk *other,
                       bst__signature *sig) {
    bst__step *steps = NULL;
    bst_plan_event *events = start_walk(synth, sig, other->step_count, &steps);
    if (!events) {
        return false;
    }
    for (uint32_t i = 0; i < other->step_count; i++) {
        const uint32_t claim = other->latest[i] == i ? other->claims[i] : BST_NONE;
        events[i].basis = claim == BST_NONE ? BST_BASIS_ASSUMED : BST_BASIS_RECORDED;
        events[i].confidence = other->confidence;
        if (!add_step(synth, other->transitions[i],
                      claim == BST_NONE ? BST_NONE : claims[claim].item, &events[i], &steps[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < other->step_count; i++) {
        doubt(&sig->walks[sig->walk_count], steps, i, other->latest[i],
              other->claims[i] == BST_NONE ? BST_NONE : claims[other->claims[i]].item);
    }
    sig->walks[sig->walk_count].plan.confidence = other->confidence;
    end_walk(synth, sig, steps);
    return true;
}

bst_status bst__signature_add_others(bst_synth *synth, const bst_claim *claims,
                                     const bst_answer *answer, bst__signature *sig) {
    bst__walk *walks =
        bst_arena_array(synth->arena, (size_t)answer->other_count + 1, sizeof *walks);
    if (!walks) {
        return bst_diag_nomem(synth->diags);
    }
    memcpy(walks, sig->walks, sig->walk_count * sizeof *walks);
    sig->walks = walks;
    for (uint32_t i = sig->walk_count - 1; i < answer->other_count; i++) {
        if (!keep_other(synth, claims, &answer->others[i], sig)) {
            return bst_diag_nomem(synth->diags);
        }
    }
    sig->complete = answer->complete;
    return BST_OK;
}

static bst_status take_answer(bst_synth *synth, const bst_claim *claims, const bst_answer *answer,
                              bst__signature *sig) {
    switch (answer->outcome) {
    case BST_FOUND:
        return bst__signature_keep_best(synth, claims, answer, sig);
    case BST_TOO_AMBIGUOUS:
        sig->reason = BST_REASON_TOO_AMBIGUOUS;
        return BST_OK;
    case BST_CONTRADICTION:
        break;
    }
    sig->reason = BST_REASON_CONTRADICTION;
    bool kept = keep_items(synth, claims, answer->conflict, answer->conflict_count, 0,
                           &sig->conflict_count, &sig->conflict) &&
                keep_items(synth, claims, answer->repairs, answer->repair_count, 0,
                           &sig->repair_count, &sig->repairs);
    return kept ? BST_OK : bst_diag_nomem(synth->diags);
}

/* What is ignored leaves its mark: in the name of the plan, and on the events that the item speaks
 * of and no other one proves. */
static bool mark_ignored(bst_synth *synth, bst__signature *sig) {
    bst_strbuf column = BST_STRBUF_INIT;
    bst__add_item_column(synth, sig->ignored, &column);
    sig->ignored_text =
        bst_arena_printf(synth->arena, "%s (ignored)", bst__item_label(synth, sig->ignored));
    sig->text = bst_arena_printf(synth->arena, "%s; %s is ignored", sig->text, column.text);
    const bool good = !column.failed && sig->ignored_text && sig->text;
    bst_strbuf_release(&column);
    return good;
}

/* Whether something is still later than a last change, once an item is ignored. */
static bool is_still_late(const bst_synth *synth, uint32_t ignored) {
    bool event = false;
    bool bound = false;
    for (uint32_t i = 0; i < bst__item_count(synth); i++) {
        const bst__said *said = &synth->said[i];
        event = event || (i != ignored && said->late && said->say == BST__SAY_AT);
        bound = bound || (i != ignored && said->late && said->say == BST__SAY_BOUND);
    }
    return event && bound;
}

/* Inference knows nothing of upper bounds: a repair that leaves one broken is none. */
static bst_status keep_whole_repairs(bst_synth *synth, bst__signature *sig) {
    uint32_t *kept = bst_arena_array(synth->arena, sig->repair_count, sizeof *kept);
    uint32_t count = 0;
    for (uint32_t i = 0; kept && i < sig->repair_count; i++) {
        if (!is_still_late(synth, sig->repairs[i])) {
            kept[count++] = sig->repairs[i];
        }
    }
    sig->repairs = kept;
    sig->repair_count = kept ? count : 0;
    return kept ? BST_OK : bst_diag_nomem(synth->diags);
}

bst_status bst__signature_without(bst_synth *synth, uint32_t state, uint32_t item,
                                  bst__signature *ret) {
    const bst_claim *claims = NULL;
    bst_answer answer = {0};
    const bst_status status = infer(synth, state, item, &claims, &answer);
    if (status != BST_OK || answer.outcome != BST_FOUND) {
        return status;
    }
    ret->ignored = item;
    ret->cause = ret->reason;
    ret->reason = BST_REASON_NONE;
    if (!mark_ignored(synth, ret)) {
        return bst_diag_nomem(synth->diags);
    }
    return bst__signature_keep_best(synth, claims, &answer, ret);
}

bst_status bst__signature_solve(bst_synth *synth, uint32_t state, bst__signature *ret) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst__signature_text(synth, state, &text);
    for (uint32_t s = 0; s < BST_SPANS && !text.failed && synth->span == BST_NONE; s++) {
        ret->spans |= (bst_mapping_span(synth->mapping, text.text, s) ? UINT32_C(1) : 0) << s;
    }
    if (synth->span != BST_NONE) {
        bst_strbuf_addf(&text, "; %s", bst_span_text(synth->span));
    }
    ret->text = text.failed ? NULL : bst_arena_strdup(synth->arena, text.text);
    bst_strbuf_release(&text);
    if (!ret->text) {
        return bst_diag_nomem(synth->diags);
    }
    ret->ignored = BST_NONE;
    const bst_claim *claims = NULL;
    bst_answer answer = {0};
    bst_status status = infer(synth, state, BST_NONE, &claims, &answer);
    if (status == BST_OK) {
        status = find_disorder(synth, state, claims, &answer, ret);
    }
    if (status == BST_OK && ret->reason == BST_REASON_NONE) {
        status = take_answer(synth, claims, &answer, ret);
    }
    if (status == BST_OK) {
        status = keep_whole_repairs(synth, ret);
    }
    if (status == BST_OK && ret->repair_count > 0 && synth->mapping->policy.relax) {
        /* nothing that rests on such a choice is certain */
        status = bst__signature_without(synth, state, ret->repairs[0], ret);
    }
    return status;
}
