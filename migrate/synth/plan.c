/* A signature becomes a plan: inference over the machine, and what is left when it finds nothing.
 * Everything that the rows of this signature have in common is looked up here, once (walk.c,
 * step.c).
 */
#include "synth_private.h"

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
    bool kept = bst__items_keep(synth, claims, answer->conflict, answer->conflict_count,
                                &sig->conflict_count, &sig->conflict) &&
                bst__items_keep(synth, claims, answer->repairs, answer->repair_count,
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

bst_status bst__signature_without(bst_synth *synth, uint32_t state, uint32_t item,
                                  bst__signature *ret) {
    const bst_claim *claims = NULL;
    bst_answer answer = {0};
    const bst_status status = bst__claims_infer(synth, state, item, &claims, &answer);
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
    bst_status status = bst__claims_infer(synth, state, BST_NONE, &claims, &answer);
    if (status == BST_OK) {
        status = bst__find_disorder(synth, state, claims, &answer, ret);
    }
    if (status == BST_OK && ret->reason == BST_REASON_NONE) {
        status = take_answer(synth, claims, &answer, ret);
    }
    if (status == BST_OK) {
        status = bst__keep_whole_repairs(synth, ret);
    }
    if (status == BST_OK && ret->repair_count > 0 && synth->mapping->policy.relax) {
        /* nothing that rests on such a choice is certain */
        status = bst__signature_without(synth, state, ret->repairs[0], ret);
    }
    return status;
}
