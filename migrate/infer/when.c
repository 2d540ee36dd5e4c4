/* Which steps of one walk the claims may mean.
 *
 * All conditions between claims have the form "an earlier step than", so all claims together can be
 * met at the earliest step of each, and at the latest. Between the two any may be meant; where they
 * are the same, there is no doubt. (Only ANY claims can differ: for the others the walk tells which
 * step is the first or the last.)
 */
#include "infer_private.h"

static bool has(const bst_claim *claim, const uint32_t *walk, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (claim->transitions[walk[i]])
            return true;
    }
    return false;
}

static bool can_be(const bst_claim *claim, const uint32_t *walk, uint32_t count, uint32_t at) {
    const bst_occurrence occurrence = claim->occurrence;
    return claim->transitions[walk[at]] &&
           (occurrence == BST_OCCURRENCE_ANY || occurrence == BST_OCCURRENCE_LAST ||
            !has(claim, walk, 0, at)) &&
           (occurrence == BST_OCCURRENCE_ANY || occurrence == BST_OCCURRENCE_FIRST ||
            !has(claim, walk, at + 1, count));
}

/* Whether claim `a` must be an earlier step than `b`. */
static bool is_before(const bst_question *question, uint32_t a, uint32_t b) {
    const bst_claim *const one = &question->claims[a], *const other = &question->claims[b];
    return other->after == a ||
           (one->rank != BST_NONE && other->rank != BST_NONE && one->rank < other->rank);
}

/* Moves one claim as far as the others let it. True: it moved. */
static bool settle(const bst_question *question, const uint32_t *walk, uint32_t count, bool late,
                   uint32_t claim, uint32_t *at) {
    const uint32_t before = at[claim];
    for (uint32_t c = 0; c < question->claim_count; c++) {
        if (question->claims[c].kind != BST_CLAIM_HAPPENED)
            continue;
        if (late && is_before(question, claim, c) && at[claim] >= at[c])
            at[claim] = at[c] > 0 ? at[c] - 1 : 0;
        if (!late && is_before(question, c, claim) && at[claim] <= at[c])
            at[claim] = at[c] + 1;
    }
    while (at[claim] < count && !can_be(&question->claims[claim], walk, count, at[claim]) &&
           (!late || at[claim] > 0))
        at[claim] += late ? UINT32_MAX : 1; /* one step back, or on */
    return at[claim] != before;
}

/* The step of `walk`, which is possible, that meets each HAPPENED claim: the earliest there is, or
 * the latest. */
static void meetings(const bst_question *question, const uint32_t *walk, uint32_t count, bool late,
                     uint32_t *ret_at) {
    bool moved = true;
    for (uint32_t c = 0; c < question->claim_count; c++)
        ret_at[c] =
            question->claims[c].kind == BST_CLAIM_HAPPENED ? (late ? count - 1 : 0) : BST_NONE;
    while (moved) {
        moved = false;
        for (uint32_t c = 0; c < question->claim_count; c++) {
            if (question->claims[c].kind == BST_CLAIM_HAPPENED)
                moved = settle(question, walk, count, late, c, ret_at) || moved;
        }
    }
}

bst_status bst__doubts(const bst_question *question, const uint32_t *walk, uint32_t count,
                       bst_arena *scratch, const uint32_t *claims, uint32_t *ret_latest) {
    uint32_t *const early = bst_arena_array(scratch, question->claim_count, sizeof *early);
    uint32_t *const late = bst_arena_array(scratch, question->claim_count, sizeof *late);
    if (!early || !late)
        return BST_NOMEM;
    meetings(question, walk, count, false, early);
    meetings(question, walk, count, true, late);
    for (uint32_t i = 0; i < count; i++)
        ret_latest[i] = claims[i] == BST_NONE ? i : late[claims[i]];
    /* of the claims that a step meets, one without doubt stands for all: they have one time */
    for (uint32_t c = 0; c < question->claim_count; c++) {
        if (question->claims[c].rank == BST_NONE || early[c] != late[c] || early[c] >= count)
            continue;
        ret_latest[early[c]] = early[c];
    }
    return BST_OK;
}
