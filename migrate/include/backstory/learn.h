/* Learning how probable histories are, from a log of some entities, or else from the evidence of
 * all rows.
 *
 * With a log: how often each step was taken, which whole histories there were, in all and for each
 * kind of evidence, and how much each of these is to be believed. The last is not set by hand: the
 * entities are dealt into five parts, and what makes each part's histories most probable, given
 * what the columns of its rows say, by the counts of the other four, is kept. Without a log:
 * expectation-maximisation over the signatures of the rows.
 *
 * docs/histories.md has the method, docs/probabilities.md the file.
 */
#ifndef BACKSTORY_LEARN_H
#define BACKSTORY_LEARN_H

#include "backstory/mapping.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_LEARN_FOLDS   5u
#define BST_LEARN_TRY_MAX 8u

/* What was tried beyond single steps and whole histories. */
typedef enum bst_learn_try_kind {
    BST_TRY_LOOPS,
    BST_TRY_CONTEXTS,
    BST_TRY_SPANS
} bst_learn_try_kind;

typedef struct bst_learn_try {
    bst_learn_try_kind kind;
    uint32_t states;  /* CONTEXTS */
    bst_span_of span; /* SPANS */
    /* in the mean logarithm, against what was kept so far; its standard error */
    double gain, error;
    bool kept;
} bst_learn_try;

/* Why an entity of the log is left out. */
typedef enum bst_learn_left {
    BST_LEFT_UNKNOWN,    /* a row without a state that the mapping knows */
    BST_LEFT_CREATIONS,  /* the creation is missing, and several are possible */
    BST_LEFT_SEVERAL,    /* steps are missing, and there are several ways */
    BST_LEFT_IMPOSSIBLE, /* there is no way */
    BST_LEFT_NO_GAPS,    /* a step is missing, where the mapping says that none is */
    BST_LEFT_END,        /* another end than the row's */
    BST_LEFT_TOO_LONG,
    BST_LEFT_NONE /* it is not */
} bst_learn_left;

BST_API const char *bst_learn_left_text(bst_learn_left left); /* in words */
BST_API const char *bst_learn_left_key(bst_learn_left left);  /* as in the file */

typedef struct bst_learn_figures {
    uint64_t rows;      /* in scope, with a state that is known */
    uint64_t histories; /* whole ones that the log gave */
    uint64_t logged;    /* entities that the log has rows of */
    uint64_t left_out;  /* of which there is no whole history */
    uint64_t left[BST_LEFT_NONE];
    uint64_t created;   /* histories whose creation was not in the log */
    uint64_t unmoved;   /* that had no row at all in such a log: created, and no more */
    uint64_t filled;    /* that had other steps missing, and one way only */
    uint64_t different; /* whole histories, each once */
    uint64_t signatures;
    bool has_log;   /* the mapping has one or more */
    bool reads_log; /* and it was read */
    bool by_log;    /* false: from the evidence of all rows */
    /* histories held out that a signature leaves a choice for; without a log, rows held out */
    uint64_t tested;
    /* per tested history, the mean logarithm of its probability: as chosen; with single steps and
     * whole histories; with single steps alone; without learning. Without a log, that of the
     * evidence of a row, as chosen and without learning. */
    double fit, fit_whole, fit_steps, fit_plain;
    uint32_t tried_count;
    bst_learn_try tried[BST_LEARN_TRY_MAX];
    double step_penalty, loop_penalty, smoothing; /* loop_penalty 1: none */
    double rare_birth;                            /* without a log */
    uint32_t context_states;                      /* 1 or less: none */
    double context_worth;
    double span_worth; /* 0: none */
    bst_span_of span_of;
    double steps_worth, discount, rest_worth, rest_worth_each, here_discount;
} bst_learn_figures;

/* Appends the file to `out`. Deterministic. */
BST_API bst_status bst_learn(const bst_mapping *mapping, const char *from, bst_strbuf *out,
                             bst_learn_figures *ret, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
