/* The lens through which inference sees the values of a row (backstory/infer.h): what the steps
 * of a signature ask of values, and the values folded so far along a walk.
 *
 * It never rules out a walk that fits. Where it cannot tell (an amount that only a sum tells,
 * what it leads to, and guards that read either) it lets the walk pass and calls it hazy: then
 * the walk itself has to be tried. Where no walk is hazy, those that pass are those that fit. */
#ifndef BACKSTORY_LENS_PRIVATE_H
#define BACKSTORY_LENS_PRIVATE_H

#include "synth_private.h"

/* What is known of a payload field without a row. */
typedef struct bst__amount {
    bool doubtful;     /* which column supplies it depends on the walk */
    bool alone, among; /* its amount is known where it is the only one; where there are others */
} bst__amount;

/* A step of the possible walks, by its number there. */
typedef struct bst__ask {
    bst__step step;
    bool silent; /* values have no say in it */
    const bst__amount *amounts;
} bst__ask;

bool bst__lens_plan_make(bst_synth *synth, bst__lens_plan *ret); /* false: no memory */
bool bst__lens_ask_make(bst_synth *synth, const bst_possible_step *step, uint32_t item,
                        bst__ask *ret);

typedef struct bst__lens bst__lens;
/* For one row, in `arena`; NULL: no memory. */
bst__lens *bst__lens_new(bst_synth *synth, const bst__ask *asks, uint32_t ask_count,
                         const bst_row *row, bst_arena *arena, bst_lens *ret);
bool bst__lens_is_hazy(const bst__lens *lens); /* a hazy walk was accepted */
bool bst__lens_failed(const bst__lens *lens);  /* no memory */
bool bst__lens_gave_up(const bst__lens *lens); /* one step forks too often */

#endif
