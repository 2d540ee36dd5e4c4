/* Inference: which walks through a machine agree with what is known of an entity, which is the most
 * probable, and how sure that is. Knows machines and claims; nothing of columns, rows or files.
 *
 * A walk is a sequence of transitions, from a creation to the state where the entity stands now.
 * Claims say what must, and what cannot, be on it. The possible walks are the paths of a product
 * graph: state x claims met so far x counts so far. The most probable one is a best path (Viterbi);
 * its confidence is its probability over that of all possible walks together (forward sum, loops
 * included); the marginal of a step is the share of walks that have this transition at this place.
 *
 * When does a walk agree? When one step of it can be chosen for each HAPPENED claim so that
 * - the step is one of the claim's transitions, and for FIRST no earlier step is, for LAST no later
 *   step is, for ONLY neither; other occurrences of ANY claims are free;
 * - of two claims with different ranks, the one of the lower rank is met by an earlier step;
 * - of two claims with equal ranks, either may be met first, or one step may meet both;
 * - a claim is met by a later step than the one it comes `after`;
 * - a claim without a rank may be met anywhere (but is only `after` what it says);
 * and when it takes no NEVER transition, and each COUNT set as often as it says, creations
 * included. Confidence is over distinct walks: that a claim fits several steps does not count a
 * walk twice.
 */
#ifndef BACKSTORY_INFER_H
#define BACKSTORY_INFER_H

#include "backstory/contexts.h"
#include "backstory/digest.h"
#include "backstory/history.h"
#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_CLAIMS_MAX 512u /* of one entity */
/* Default budget of the product graph: some 0.2 s and 50 MB. */
#define BST_INFER_NODES_MAX 200000u
#define BST_WALK_STEPS_MAX  10000u

typedef enum bst_claim_kind {
    BST_CLAIM_HAPPENED, /* one of `transitions` was taken, at a known place in the order of times */
    BST_CLAIM_NEVER,    /* none of `transitions` was taken */
    BST_CLAIM_COUNT     /* `transitions` were taken `count` times in all */
} bst_claim_kind;

typedef enum bst_occurrence {
    BST_OCCURRENCE_ANY,   /* some occurrence (a log row) */
    BST_OCCURRENCE_FIRST, /* none of `transitions` before it */
    BST_OCCURRENCE_LAST,  /* none after it */
    BST_OCCURRENCE_ONLY   /* neither */
} bst_occurrence;

typedef enum bst_relation { BST_EXACTLY, BST_AT_MOST, BST_AT_LEAST } bst_relation;

typedef struct bst_claim {
    bst_claim_kind kind;
    uint32_t item;              /* the caller's number for it (evidence item), carried through */
    const uint8_t *transitions; /* machine->transition_count flags, 0 or 1 */
    /* HAPPENED */
    bst_occurrence occurrence;
    /* order of its time: lower is earlier, equal is a tie (order unknown; one step may meet several
     * claims of one rank, never of two); BST_NONE: it happened, nobody knows when */
    uint32_t rank;
    /* the index of a claim that is met by an earlier step (order known although times tie), or
     * BST_NONE */
    uint32_t after;
    /* COUNT */
    bst_relation relation;
    uint32_t count;
} bst_claim;

/* How probable steps are. weight[t]: of transition t, given its state (for a creation: among
 * creations); they need not add up to 1. NULL: all the same, but creations elsewhere than into the
 * initial state are rare, unless there is evidence of several things at the first moment and such a
 * one does two of them. stop[s]: of the history ending in
 * state s. NULL: like the mean transition of s. A weight that is very small, zero or no number
 * counts as 1e-9 of the largest of its state: weights never make anything impossible, that is for
 * claims.
 *
 *     p(t | s) = weight[t] / (weights of all transitions of s + stop[s])
 *     p(walk)  = p(creation) p(t1 | s1) p(t2 | s2) ... p(stop | end)
 *                * step_penalty^steps loop_penalty^(steps that lead back)
 *
 * step_penalty in (0, 1] (anything else: the default): every step costs this factor, so that the
 * plainest history wins; below 1 the sums over loops are finite whatever the weights. loop_penalty
 * in (0, 1] (anything else: 1) is another factor, of the steps of `leads_back` (NULL: of none).
 *
 * With contexts their weights stand for `weight` and `stop`, but among creations. Where the product
 * graph with them would be over the budget, single steps do it alone. */
typedef struct bst_weights {
    const double *weight;
    const double *stop;
    double step_penalty, loop_penalty;
    const uint8_t *leads_back;    /* flags of transitions */
    const bst_contexts *contexts; /* NULL: none */
    bool births_unknown; /* the weights of creations are as without any, whatever `weight` has */
    /* Without weights of creations: of those that are rare, usual ones have 1. 0: the default. */
    double rare_birth;
    /* Whole histories that were seen, of entities like these, each once. Then the mass of a walk is
     *     times it was seen + steps_worth * p(walk)
     * and probabilities are shares of the mass of all possible walks. steps_worth: for how many
     * histories that were seen the single steps speak. */
    uint32_t seen_count;
    const bst_seen_walk *seen;
    double steps_worth;
    /* How often they were seen where the evidence was the very same, as these claims are; NULL:
     * nowhere. Then the mass of a walk is
     *     here[its number] + rest * its share by all of the above,
     *     rest = rest_worth + rest_worth_each * how many different ones there were */
    const double *here;
    double rest_worth, rest_worth_each;
} bst_weights;
#define BST_STEP_PENALTY_DEFAULT 0.5
#define BST_RARE_BIRTH_DEFAULT   0.01

/* Flags of the transitions that lead back; of every loop one does. NULL: out of memory. */
BST_API const uint8_t *bst_steps_back(const bst_machine *machine, bst_arena *arena);

typedef struct bst_question {
    uint32_t state; /* where the entity stands now */
    /* Walks begin in the state `start`, which is known, instead of with a creation. */
    bool started;
    uint32_t start;
    const bst_claim *claims;
    size_t claim_count;
    uint32_t nodes_max;  /* 0: BST_INFER_NODES_MAX */
    uint32_t others_max; /* how many walks are wanted beside the best one */
} bst_question;

/* The place of a step is the stretch between two neighbouring groups of claims with equal rank,
 * where ANY claims count as met by the earliest steps that can. Confidence of a recorded step: the
 * share of the possible walks (by their probability) where this event, into this state, meets the
 * claim; of another: where this event, into this state, is taken in this place, if it is the second
 * such step there then twice, and so on. `basis` and `certain` do not depend on weights, nor on
 * rounding. */
typedef struct bst_walk_step {
    uint32_t transition;
    /* the HAPPENED claim with a rank that this step meets (the lowest index), or BST_NONE */
    uint32_t claim;
    bst_basis basis;   /* RECORDED: it meets `claim`; IMPLIED: every possible walk; ASSUMED */
    double confidence; /* marginal; 1 when certain */
    /* Times tie: some possible walk meets this claim and another of its rank the other way round */
    bool tied;
    /* The last step of this walk that `claim` may mean, for of an ANY claim nobody knows which
     * occurrence it is; the step itself: there is no doubt. Then the time of this step is that of
     * the claim or earlier, that of the other the same or later. */
    uint32_t latest;
} bst_walk_step;

/* Another possible walk. */
typedef struct bst_other_walk {
    uint32_t step_count;
    const uint32_t *transitions;
    const uint32_t *claims, *latest; /* as in bst_walk_step */
    double confidence;
} bst_other_walk;

typedef enum bst_outcome {
    BST_FOUND,
    BST_CONTRADICTION, /* no walk agrees with all claims */
    /* The budget ran out before an answer, a walk needs more than BST_WALK_STEPS_MAX steps, or the
     * best walk is less than about 1e-300 of all */
    BST_TOO_AMBIGUOUS
} bst_outcome;

typedef struct bst_answer {
    bst_outcome outcome;
    /* FOUND */
    uint32_t step_count;
    const bst_walk_step *steps;
    double confidence;         /* of the whole walk */
    bool certain;              /* exactly one possible walk */
    uint32_t runner_up_count;  /* steps of the second most probable walk; 0: there is none */
    const uint32_t *runner_up; /* transitions */
    double runner_up_confidence;
    /* the next best walks, at most question->others_max of them; with the best one these are
     * (complete) all there are */
    uint32_t other_count;
    const bst_other_walk *others;
    bool complete;
    /* CONTRADICTION: a smallest set of claims (indices) that cannot hold together with the state
     * (none of them can be left out; none at all: the state is out of reach), and the single claims
     * whose removal mends it (may be none), the most plausible first: by the best walk there is
     * then. Where the budget runs out the set may be larger than it need be, and repairs may be
     * missing. */
    uint32_t conflict_count;
    const uint32_t *conflict;
    uint32_t repair_count;
    const uint32_t *repairs;
} bst_answer;

/* Pure and deterministic: ties go to the transition that stands first in the machine. Everything in
 * the answer lives in `arena`. `weights` may be NULL: uniform. Time and memory are bounded by
 * question->nodes_max. BST_OK for every outcome; BST_NOMEM; BST_LIMIT for more than BST_CLAIMS_MAX
 * claims. */
BST_API bst_status bst_infer(const bst_machine *machine, const bst_weights *weights,
                             const bst_question *question, bst_arena *arena, bst_answer *ret,
                             bst_diags *diags) BST_MUST_USE;

/* ---- values ----
 *
 * Evidence is the same for all entities of a signature, values are not: guards, payloads and folds
 * of one row may rule out walks that agree with every claim. Here the possible walks are held, and
 * asked with the values of a row. A lens folds values along a walk; equal values have equal
 * numbers; and the walks that fit are the paths of the product of graph and values, of which
 * everything is answered as above: the best, its confidence among those that fit, whether it is the
 * only one.
 */

/* A step of some possible walk: a transition, and the claim with a rank that it records (of several
 * the lowest index), or BST_NONE. */
typedef struct bst_possible_step {
    uint32_t transition, claim;
} bst_possible_step;

typedef struct bst_walks bst_walks;

/* *ret is NULL where bst_infer() finds no walk. Copies what it needs of `weights` (but for the
 * walks seen) and of `question`. */
BST_API bst_status bst_walks_new(const bst_machine *machine, const bst_weights *weights,
                                 const bst_question *question, bst_walks **ret,
                                 bst_diags *diags) BST_MUST_USE;
BST_API bst_walks *bst_walks_free(bst_walks *walks);
BST_API size_t bst_walks_bytes(const bst_walks *walks); /* of memory, about */
/* Each once. The numbers below are indices into these. */
BST_API const bst_possible_step *bst_walks_steps(const bst_walks *walks, uint32_t *ret_count);
/* Whether all walks have the same sequence of labels: labels[step], 0 for none. */
BST_API bst_status bst_walks_alike(const bst_walks *walks, const uint32_t *labels, bool *ret,
                                   bst_diags *diags) BST_MUST_USE;
/* The answer as bst_infer() gives it. */
BST_API bst_status bst_walks_answer(const bst_walks *walks, uint32_t others_max, bst_arena *arena,
                                    bst_answer *ret, bst_diags *diags) BST_MUST_USE;

#define BST_LENS_FORKS_MAX 16u

/* What a row's values say on the way. Numbers are the caller's: equal ones mean that whatever
 * follows is judged alike. */
typedef struct bst_lens {
    void *context;
    uint32_t start; /* before the first step */
    /* The values after a step; how many: none, the values rule it out; of several, a walk may end
     * well with one of them only. */
    uint32_t (*step)(void *context, uint32_t values, uint32_t step,
                     uint32_t ret[BST_LENS_FORKS_MAX]);
    bool (*accept)(void *context, uint32_t values); /* at the end of a walk */
} bst_lens;

struct bst__graph;
typedef struct bst_fit {
    /* FOUND; CONTRADICTION: no walk fits; TOO_AMBIGUOUS: even without values there are more than
     * nodes_max nodes */
    bst_outcome outcome;
    /* There are more than nodes_max pairs of a node and values, or eight times so many steps
     * between them. Beyond, values were not asked: some of the walks may not fit. */
    bool open;
    char shape[BST_SHA256_HEX]; /* rows with the same shape have the same answer */
    const struct bst__graph *graph;
} bst_fit;

/* In `arena`, while the walks live. Asks the lens level by level, in the order of the machine. */
BST_API bst_status bst_fit_make(const bst_walks *walks, const bst_lens *lens, uint32_t nodes_max,
                                bst_arena *arena, bst_fit *ret, bst_diags *diags) BST_MUST_USE;
/* Of a fit that was FOUND: as bst_infer() does. */
BST_API bst_status bst_fit_answer(const bst_walks *walks, const bst_fit *fit, uint32_t others_max,
                                  bst_arena *arena, bst_answer *ret, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
