/* A signature whose walks are told apart by values: which of them fit a row.
 *
 * Where the walks are few they are all tried on the row (choose.c). Where they are many, or without
 * end, the possible walks are held as a graph, and searched with the row's values as one more
 * coordinate (lens.c, backstory/infer.h). What is found is a signature of its own, with the same
 * evidence and fewer walks; rows with the same walks left share it.
 *
 * Memory is bounded: graphs beyond BST__GRAPHS_BYTES_MAX in all are made anew for each row.
 */
#include "synth_private.h"

#include "lens_private.h"

#define BST__GRAPHS_BYTES_MAX ((size_t)256 << 20)
#define BST__SHAPE_DIGITS     12 /* of the digest, in names */

/* ---- a signature ---- */

static bool make_asks(bst_synth *synth, const bst_walks *walks, const bst_claim *claims,
                      bst__signature *sig) {
    const bst_possible_step *steps = bst_walks_steps(walks, &sig->ask_count);
    bst__ask *asks = bst_arena_array(synth->arena, sig->ask_count, sizeof *asks);
    for (uint32_t i = 0; asks && i < sig->ask_count; i++) {
        const uint32_t item = steps[i].claim == BST_NONE ? BST_NONE : claims[steps[i].claim].item;
        if (!bst__lens_ask_make(synth, &steps[i], item, &asks[i])) {
            return false;
        }
    }
    sig->asks = asks;
    return asks;
}

/* Whether all walks ask the same of the values, in the same order: then the likeliest one speaks
 * for all. The labels are those that ask_alike() of plan.c compares by. */
static bst_status compare_walks(bst_synth *synth, const bst_walks *walks, bst__signature *sig) {
    uint32_t *labels = bst_arena_array(synth->scratch, sig->ask_count, sizeof *labels);
    if (!labels) {
        return bst_diag_nomem(synth->diags);
    }
    for (uint32_t i = 0; i < sig->ask_count; i++) {
        const bst__step *step = &sig->asks[i].step;
        uint32_t like = 0;
        while (sig->asks[like].step.transition != step->transition ||
               (step->filler_count > 0 && sig->asks[like].step.item != step->item)) {
            like++;
        }
        labels[i] = bst__step_asks(synth, step) ? like + 1 : 0;
    }
    return bst_walks_alike(walks, labels, &sig->alike, synth->diags);
}

bst_status bst__signature_open(bst_synth *synth, uint32_t state, bst__signature *sig) {
    const bst_claim *claims = NULL;
    bst_answer answer = {0};
    bst_walks *walks = NULL;
    if (sig->opened) {
        return BST_OK;
    }
    sig->opened = true;
    bst_status status = bst__walks_make(synth, state, sig->ignored, &walks, &claims);
    if (status == BST_OK && walks) {
        status = bst_walks_answer(walks, BST__WALKS_MAX - 1, synth->scratch, &answer, synth->diags);
    }
    if (status == BST_OK && walks) {
        status = bst__signature_add_others(synth, claims, &answer, sig);
    }
    if (status == BST_OK && walks && !make_asks(synth, walks, claims, sig)) {
        status = bst_diag_nomem(synth->diags);
    }
    if (status == BST_OK && walks) {
        status = compare_walks(synth, walks, sig);
    }
    if (status == BST_OK && walks && !sig->alike && !sig->complete &&
        bst_walks_bytes(walks) <= BST__GRAPHS_BYTES_MAX - synth->graph_bytes) {
        synth->graph_bytes += bst_walks_bytes(walks);
        sig->graph = walks;
        return BST_OK;
    }
    bst_walks_free(walks);
    return status;
}

/* ---- what fits a row ---- */

static const char *name_fit(bst_synth *synth, const bst__signature *sig, const bst_fit *fit,
                            bool hazy, bool certain) {
    return bst_arena_printf(
        synth->arena, "%s; values %s %s (%.*s)", sig->text, hazy ? "may leave" : "leave",
        certain ? "one history" : "several histories", BST__SHAPE_DIGITS, fit->shape);
}

static bst_status make_fit(bst_synth *synth, const bst_walks *walks, const bst_fit *fit, bool hazy,
                           bst__signature *sig, bst__signature **ret) {
    const uint32_t others = (hazy ? BST__WALKS_MAX : BST__OTHERS_KEPT) - 1;
    bst_answer answer = {0};
    size_t count = 0;
    const bst_claim *claims = bst__claims_make(synth, sig->ignored, &count);
    bst__signature *made = bst_arena_alloc(synth->arena, sizeof *made);
    if (!claims || !made) {
        return bst_diag_nomem(synth->diags);
    }
    bst_status status = bst_fit_answer(walks, fit, others, synth->scratch, &answer, synth->diags);
    if (status != BST_OK || answer.outcome != BST_FOUND) {
        return status;
    }
    *made = (bst__signature){.reason = sig->reason,
                             .cause = sig->cause,
                             .conflict_count = sig->conflict_count,
                             .repair_count = sig->repair_count,
                             .conflict = sig->conflict,
                             .repairs = sig->repairs,
                             .ignored = sig->ignored,
                             .ignored_text = sig->ignored_text,
                             .opened = true,
                             .exact = !hazy};
    made->text = name_fit(synth, sig, fit, hazy, answer.certain);
    made->bytes = (const uint8_t *)bst_arena_printf(synth->arena, "%s%d", fit->shape, hazy);
    if (!made->text || !made->bytes) {
        return bst_diag_nomem(synth->diags);
    }
    status = bst__signature_keep_best(synth, claims, &answer, made);
    if (status == BST_OK) {
        status = bst__signature_add_others(synth, claims, &answer, made);
    }
    *ret = status == BST_OK ? made : NULL;
    return status;
}

/* The signature of what fits, made if need be; NULL: sums are out of range. */
static bst_status keep_fit(bst_synth *synth, const bst_walks *walks, const bst_fit *fit, bool hazy,
                           bst__signature *sig, bst__signature **ret) {
    char key[BST_SHA256_HEX + 1];
    const int len = snprintf(key, sizeof key, "%s%d", fit->shape, hazy);
    HASH_FIND(hh, sig->fits, key, (size_t)len, *ret);
    if (*ret) {
        return BST_OK;
    }
    bst_status status = bst__signatures_limit(synth);
    if (status == BST_OK) {
        status = make_fit(synth, walks, fit, hazy, sig, ret);
    }
    if (status != BST_OK || !*ret) {
        return status;
    }
    HASH_ADD_KEYPTR(hh, sig->fits, (*ret)->bytes, (size_t)len, *ret);
    if ((*ret)->lost) {
        return bst_diag_nomem(synth->diags);
    }
    synth->signature_count++;
    return BST_OK;
}

bst_status bst__fits_find(bst_synth *synth, uint32_t state, bst__signature *sig, const bst_row *row,
                          bst_outcome *ret_outcome, bst__signature **ret) {
    const bst_claim *claims = NULL;
    bst_walks *made = NULL;
    bst_fit fit = {.outcome = BST_TOO_AMBIGUOUS};
    bst_lens lens;
    bst_status status = BST_OK;
    *ret = NULL;
    bst_arena_clear(synth->fit_arena);
    if (!sig->graph) {
        status = bst__walks_make(synth, state, sig->ignored, &made, &claims);
    }
    const bst_walks *walks = sig->graph ? sig->graph : made;
    bst__lens *l = NULL;
    if (status == BST_OK && walks) {
        l = bst__lens_new(synth, sig->asks, sig->ask_count, row, synth->fit_arena, &lens);
        status =
            l ? bst_fit_make(walks, &lens, BST__FIT_NODES_MAX, synth->fit_arena, &fit, synth->diags)
              : bst_diag_nomem(synth->diags);
    }
    if (status == BST_OK && l && bst__lens_failed(l)) {
        status = bst_diag_nomem(synth->diags);
    }
    if (l && bst__lens_gave_up(l)) {
        fit.outcome = BST_TOO_AMBIGUOUS;
    }
    if (status == BST_OK && fit.outcome == BST_FOUND) {
        status = keep_fit(synth, walks, &fit, fit.open || bst__lens_is_hazy(l), sig, ret);
        fit.outcome = *ret ? BST_FOUND : BST_TOO_AMBIGUOUS;
    }
    *ret_outcome = fit.outcome;
    bst_walks_free(made);
    return status;
}

void bst__fits_free(bst__signature *sig) {
    bst__signature *fits = sig->fits;
    HASH_CLEAR(hh, fits);
    sig->fits = NULL;
    sig->graph = bst_walks_free(sig->graph);
}
