/* Contradictions that the order of times alone tells: something before the creation, or after the
 * last change. Their reason is a plainer one.
 */
#include "synth_private.h"

bool bst__items_keep(bst_synth *synth, const bst_claim *claims, const uint32_t *indices,
                     uint32_t count, uint32_t *ret_count, const uint32_t **ret) {
    uint32_t *items = bst_arena_array(synth->arena, count, sizeof *items);
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
        bst_status status = bst__claims_infer(synth, state, sig->conflict[0], &claims, &without);
        if (status != BST_OK) {
            return status;
        }
        if (without.outcome == BST_FOUND) {
            repairs[sig->repair_count++] = sig->conflict[0];
        }
    }
    return BST_OK;
}

bst_status bst__find_disorder(bst_synth *synth, uint32_t state, const bst_claim *claims,
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
        !bst__items_keep(synth, claims, answer->repairs, answer->repair_count, &sig->repair_count,
                         &sig->repairs)) {
        return bst_diag_nomem(synth->diags);
    }
    return BST_OK;
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

bst_status bst__keep_whole_repairs(bst_synth *synth, bst__signature *sig) {
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
