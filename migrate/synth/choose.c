/* Which of the possible walks is a row's history, and what becomes of a row that none fits.
 *
 * The likeliest walk that fits is the history. A walk may
 *
 *     fit                its guards hold, and its events give the row
 *     be ruled out       a guard refuses, a value is missing, the fold differs
 *     leave a residue    the fold differs, by what a reconciliation can carry
 *     be untold          it may have happened, but how a sum was divided nobody knows
 *
 * Only what is ruled out is no possible history. Where all walks ask the same of the values one
 * speaks for all; where they are few each is tried; else they are searched (fits.c), and those that
 * the search leaves take the place of the signature's. Where none fits, the policies of the mapping
 * have their say: reconcile, then genesis, then quarantine.
 */
#include "synth_private.h"

#include <assert.h>

static uint64_t bit(uint32_t walk) {
    return UINT64_C(1) << walk; /* BST__WALKS_MAX of them */
}

/* What was found out about the walks of a row. */
typedef struct trial {
    bst_synth *synth;
    bst__signature *sig;
    const bst_row *row;
    uint64_t unfit, residue, untold; /* walks, by bit */
    uint64_t unsure;                 /* of the untold: a guard on the way may refuse them */
    uint32_t last;                   /* the walk that fills the buffers */
    bool hopeless;                   /* what is wrong is wrong for every walk */
    bool all_known;                  /* no walk but those that were tried can fit */
    bst__said ignored;               /* what the item that is ignored says */
} trial;

/* Whether a refusal is the walk's fault. What cannot be read, or has no time, fits no history. */
static bool is_of_walk(const bst_synth *synth) {
    bst_reason reason = synth->refusal.reason;
    if (synth->timeless) {
        return false;
    }
    return reason == BST_REASON_GUARD_REFUSED || reason == BST_REASON_FOLD_DIFFERS ||
           reason == BST_REASON_MISSING_VALUE || reason == BST_REASON_OVERFLOW ||
           reason == BST_REASON_UNDIVIDED;
}

/* Whether a walk meets a guard. What this says of amounts that nobody knows, nobody knows. */
static bool has_guards(const bst__walk *walk) {
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        if (walk->steps[i].guard_check_count > 0) {
            return true;
        }
    }
    return false;
}

static void try_walk(trial *t, uint32_t walk) {
    bst_synth *synth = t->synth;
    t->last = walk;
    if (bst__walk_fill(synth, &t->sig->walks[walk], t->row)) {
        return;
    }
    if (bst__residue_fits(synth)) {
        t->residue |= bit(walk);
    } else if (synth->refusal.reason == BST_REASON_UNDIVIDED || synth->open_sums) {
        t->untold |= bit(walk);
        t->unsure |= has_guards(&t->sig->walks[walk]) ? bit(walk) : 0;
    } else {
        t->unfit |= bit(walk);
    }
}

/* The same as an earlier walk that asks the same. */
static void copy_trial(trial *t, uint32_t walk, uint32_t like) {
    t->unfit |= t->unfit & bit(like) ? bit(walk) : 0;
    t->residue |= t->residue & bit(like) ? bit(walk) : 0;
    t->untold |= t->untold & bit(like) ? bit(walk) : 0;
    t->unsure |= t->unsure & bit(like) ? bit(walk) : 0;
}

/* The first walk that is in `set`, or BST_NONE. */
static uint32_t first_in(const trial *t, uint64_t set) {
    for (uint32_t w = 0; w < t->sig->walk_count && w < BST__WALKS_MAX; w++) {
        if (set & bit(w)) {
            return w;
        }
    }
    return BST_NONE;
}

/* The first walk that is not. */
static uint32_t first_but(const trial *t, uint64_t set) {
    const uint32_t count = t->sig->walk_count;
    return first_in(t, (count >= BST__WALKS_MAX ? UINT64_MAX : bit(count) - 1) & ~set);
}

static uint64_t judged(const trial *t) {
    return t->unfit | t->residue | t->untold;
}

/* Those that are known one by one, from `first` on. */
static bool try_known(trial *t, uint32_t first) {
    for (uint32_t w = first; t->synth->status == BST_OK && w < t->sig->walk_count; w++) {
        const uint32_t like = t->sig->walks[w].like;
        if (like == w) {
            try_walk(t, w);
        } else {
            copy_trial(t, w, like);
        }
    }
    return t->synth->status == BST_OK;
}

static void take_signature(trial *t, bst__signature *sig) {
    t->sig = sig;
    t->unfit = t->residue = t->untold = t->unsure = 0;
}

/* Those that a search leaves. Where it finds none, or finds no end, those that are known: one of
 * them may fit by what a reconciliation can carry, or fit at all. */
static bool search_walks(trial *t, uint32_t state) {
    bst__signature *const all = t->sig;
    bst__signature *fits = NULL;
    bst_outcome outcome = BST_TOO_AMBIGUOUS;
    t->synth->status = bst__fits_find(t->synth, state, all, t->row, &outcome, &fits);
    if (t->synth->status != BST_OK) {
        return false;
    }
    t->all_known = outcome == BST_CONTRADICTION;
    if (outcome == BST_FOUND) {
        t->all_known = fits->exact || fits->complete;
        take_signature(t, fits);
        try_walk(t, 0);
        if (t->synth->status != BST_OK || (fits->exact && judged(t) == 0)) {
            return t->synth->status == BST_OK;
        }
        const bool tried = try_known(t, 1);
        if (!tried || first_but(t, t->unfit) != BST_NONE) {
            return tried;
        }
        take_signature(t, all);
    }
    t->unfit = t->residue = t->untold = t->unsure = 0;
    const bool tried = try_known(t, 0);
    t->unfit |= t->all_known ? t->untold : 0;
    t->untold = t->all_known ? 0 : t->untold;
    t->unsure &= t->untold;
    assert(!tried || !t->all_known || first_but(t, judged(t)) == BST_NONE);
    return tried;
}

/* The likeliest walk, and others: as many as are needed to say which fit. False: synth->status
 * is not OK. */
static bool try_walks(trial *t, uint32_t state) {
    bst_synth *synth = t->synth;
    try_walk(t, 0);
    t->hopeless = judged(t) != 0 && !is_of_walk(synth);
    if (synth->status != BST_OK || t->sig->walks[0].plan.certain || t->hopeless) {
        t->all_known = true;
        return synth->status == BST_OK;
    }
    synth->status = bst__signature_open(synth, state, t->sig);
    if (synth->status != BST_OK) {
        return false;
    }
    t->all_known = t->sig->alike || t->sig->complete;
    if (t->all_known && !try_known(t, 1)) {
        return false;
    }
    /* the search knows more of those that cannot be told: what else they would have to give */
    return t->all_known && (t->untold == 0 || t->sig->alike) ? true : search_walks(t, state);
}

/* ---- no history ---- */

/* One event that carries the row, if the policy for `cause` wants it; the refusal says what is
 * wrong. False: it does not, or the row has not what it takes. */
static bool take_genesis(bst_synth *synth, bst__signature *sig, const bst_row *row,
                         bst_history *ret) {
    const bst_reason cause = synth->refusal.reason;
    if (!bst__genesis_wanted(synth, cause) || !bst__genesis_fill(synth)) {
        return false;
    }
    const bst__ending verdict = {.walk = BST_NONE, .remedy = BST_REMEDY_GENESIS, .cause = cause};
    const bst__outcome *outcome = bst__outcome_count(synth, sig, row, &verdict);
    if (!outcome) {
        return false;
    }
    synth->last_outcome = outcome;
    *ret = (bst_history){row->key, row->key_len, &outcome->plan, synth->happenings};
    return true;
}

/* The refusal says why; it may yet be remedied. */
static bool end_without(bst_synth *synth, bst__signature *sig, const bst_row *row, uint64_t unfit,
                        bst_history *ret) {
    if (synth->status != BST_OK) {
        return false;
    }
    if (take_genesis(synth, sig, row, ret)) {
        return true;
    }
    if (synth->status == BST_OK) {
        const bst__ending verdict = {
            .unfit = unfit, .walk = BST_NONE, .reason = synth->refusal.reason};
        (void)bst__outcome_count(synth, sig, row, &verdict);
    }
    return false;
}

/* The single items without which some history fits. */
static uint32_t find_mends(const trial *t, uint32_t state, uint32_t *ret) {
    bst_synth *synth = t->synth;
    uint32_t count = 0;
    for (uint32_t item = 0; synth->status == BST_OK && item < bst__item_count(synth); item++) {
        const bst__said said = synth->said[item];
        bst__signature without = {.text = t->sig->text};
        if (said.say == BST__SAY_NOTHING || said.say == BST__SAY_OFF ||
            said.say == BST__SAY_BOUND) {
            continue;
        }
        synth->said[item].say = BST__SAY_NOTHING;
        synth->status = bst__signature_without(synth, state, item, &without);
        if (synth->status == BST_OK && without.walk_count > 0) {
            trial other = {.synth = synth, .sig = &without, .row = t->row};
            if (try_walks(&other, state) && !other.hopeless &&
                first_but(&other, judged(&other)) != BST_NONE) {
                ret[count++] = item;
            }
        }
        synth->said[item] = said;
        bst__fits_free(&without);
    }
    return count;
}

/* The likeliest walk's refusal, and that no other one does better; or that of one which is possible
 * and cannot be told. */
static bool end_unfit(trial *t, bst_history *ret) {
    bst_synth *synth = t->synth;
    const uint32_t walk = t->untold ? first_in(t, t->untold) : 0;
    uint32_t mends[BST_CLAIMS_MAX];
    uint32_t mend_count = 0;
    if (synth->explains && t->all_known && !t->hopeless && t->sig->ignored == BST_NONE) {
        mend_count = find_mends(t, synth->state, mends);
    }
    if (synth->status != BST_OK || bst__walk_fill(synth, &t->sig->walks[walk], t->row)) {
        return false;
    }
    const uint32_t others = t->hopeless || t->untold ? 0 : t->sig->walk_count - 1;
    if (others > 0 && t->all_known && !t->sig->complete) {
        bst_strbuf_adds(&synth->refusal.message, "; no other history fits either");
    } else if (others > 1) {
        bst_strbuf_addf(&synth->refusal.message, "; the %s %u histories do not fit either",
                        t->all_known ? "other" : "next", others);
    } else if (others == 1) {
        bst_strbuf_adds(&synth->refusal.message, "; the other history does not fit either");
    }
    if (!t->hopeless && !t->untold && !t->all_known) { /* not impossible: given up */
        synth->refusal.reason = BST_REASON_TOO_AMBIGUOUS;
        bst_strbuf_adds(&synth->refusal.message, ", and more are possible than were tried");
    }
    for (uint32_t i = 0; i < mend_count; i++) {
        bst__blame(synth, bst__item_column(synth, mends[i]));
    }
    bst__add_repairs(synth, mends, mend_count);
    return end_without(synth, t->sig, t->row, t->unfit, ret);
}

/* ---- a history ---- */

static bool end_with(trial *t, const bst__ending *verdict, bst_history *ret) {
    bst_synth *synth = t->synth;
    const bst__outcome *outcome = bst__outcome_count(synth, t->sig, t->row, verdict);
    if (outcome && (outcome->verdict.reason == BST_REASON_AMBIGUOUS || outcome->replaced)) {
        bst__refuse(synth, BST_REASON_AMBIGUOUS);
        bst_strbuf_adds(&synth->refusal.message, outcome->message);
    }
    if (!outcome || outcome->verdict.reason != BST_REASON_NONE ||
        (outcome->replaced && !bst__genesis_fill(synth))) {
        return false;
    }
    synth->last_outcome = outcome;
    *ret = (bst_history){t->row->key, t->row->key_len, &outcome->plan, synth->happenings};
    return true;
}

/* Fills the buffers with the walk once more; then what it leaves unexplained. */
static bool end_reconciled(trial *t, uint32_t walk, bst_history *ret) {
    const bst__ending verdict = {.unfit = t->unfit,
                                 .walk = walk,
                                 .remedy = BST_REMEDY_RECONCILED,
                                 .cause = BST_REASON_FOLD_DIFFERS};
    const bst__walk *of = &t->sig->walks[walk];
    if (bst__walk_fill(t->synth, of, t->row) || !bst__reconcile(t->synth, of)) {
        return false;
    }
    return end_with(t, &verdict, ret);
}

/* The walk fits. What was ignored so that there is one is told with the row's own values. */
static bool end_fit(trial *t, uint32_t walk, bst_history *ret) {
    bst_synth *synth = t->synth;
    const bool relaxed = t->sig->ignored != BST_NONE;
    const bst__ending verdict = {.unfit = t->unfit | t->residue,
                                 .walk = walk,
                                 .remedy = relaxed ? BST_REMEDY_RELAXED : BST_REMEDY_NONE,
                                 .cause = t->sig->cause,
                                 .at_least = !t->all_known || t->unsure != 0};
    if (walk != t->last && !bst__walk_fill(synth, &t->sig->walks[walk], t->row)) {
        return false;
    }
    if (relaxed) {
        synth->said[t->sig->ignored] = t->ignored;
        bst__refuse_signature(synth, t->sig, synth->state);
    }
    return end_with(t, &verdict, ret);
}

bool bst__history_choose(bst_synth *synth, bst__signature *sig, uint32_t state, const bst_row *row,
                         bst_history *ret) {
    synth->state = state;
    if (sig->reason != BST_REASON_NONE) {
        bst__refuse_signature(synth, sig, state);
        return end_without(synth, sig, row, 0, ret);
    }
    trial t = {.synth = synth, .sig = sig, .row = row};
    if (sig->ignored != BST_NONE) {
        t.ignored = synth->said[sig->ignored];
        synth->said[sig->ignored].say = BST__SAY_NOTHING;
    }
    if (!try_walks(&t, state)) {
        return false;
    }
    const uint32_t walk = first_but(&t, judged(&t));
    if (walk != BST_NONE && !t.hopeless) {
        return end_fit(&t, walk, ret);
    }
    const uint32_t residue = first_in(&t, t.residue);
    return residue != BST_NONE ? end_reconciled(&t, residue, ret) : end_unfit(&t, ret);
}
