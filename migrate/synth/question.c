/* What a signature asks of inference: its evidence as claims, and the weights that were learned of
 * entities with the same evidence.
 */
#include "synth_private.h"

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

bst_status bst__claims_infer(bst_synth *synth, uint32_t state, uint32_t leave_out,
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
