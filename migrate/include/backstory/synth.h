/* Synthesis: one legacy row -> one history, or the reason why not.
 *
 *     row -> state, claims -> signature -> plan (inferred once, cached)
 *         -> times and payloads filled in -> replay check
 *
 * A signature is what inference depends on: the state, which evidence is there, the order of its
 * times, the counts. There are few; so the graph is searched a few hundred times and a row only
 * fills in a plan. Per row nothing is allocated once the buffers have grown.
 */
#ifndef BACKSTORY_SYNTH_H
#define BACKSTORY_SYNTH_H

#include "backstory/mapping.h"
#include "backstory/step.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_SIGNATURES_MAX 1000000u

/*      code                     text in quarantine files */
#define BST_REASON_LIST(X)                                                                         \
    X(NULL_KEY, "null-key")           /* a part of the key is NULL */                              \
    X(DUPLICATE_KEY, "duplicate-key") /* several rows have this key */                             \
    X(UNKNOWN_STATE, "unknown-state") /* the status is NULL or the mapping does not know it */     \
    X(IMPOSSIBLE_STATE, "impossible-state") /* the status columns agree on no state */             \
    X(BAD_VALUE, "bad-value")               /* a cell does not have its type */                    \
    X(MISSING_VALUE, "missing-value")       /* NULL where the machine requires a value */          \
    X(NOT_FINITE, "not-finite-time")        /* an infinite timestamp */                            \
    X(NAIVE_TIME, "ambiguous-local-time")   /* local time that the zone skipped or showed twice */ \
    X(BAD_COUNT, "bad-count")               /* a negative or absurd counter */                     \
    X(BEFORE_CREATION, "before-creation")   /* evidence older than the creation */                 \
    X(AFTER_LAST_CHANGE, "after-last-change") /* evidence younger than the last change */          \
    X(CONTRADICTION, "contradiction")         /* no possible history agrees with the evidence */   \
    X(TOO_AMBIGUOUS, "too-ambiguous")         /* the search ran out of its budget */               \
    X(AMBIGUOUS, "ambiguous")         /* several histories, and the policy is quarantine */        \
    X(OVERFLOW, "overflow")           /* an expression left its range */                           \
    X(GUARD_REFUSED, "guard-refused") /* a guard on the way does not hold with these values */     \
    X(FOLD_DIFFERS, "fold-differs")   /* the events do not add up to the row */                    \
    X(UNDIVIDED, "undivided-sum")     /* a column has the sum of several events' amounts */

typedef enum bst_reason {
    BST_REASON_NONE,
#define X(name, text) BST_REASON_##name,
    BST_REASON_LIST(X)
#undef X
        BST_REASON_COUNT
} bst_reason;
BST_API const char *bst_reason_text(bst_reason reason);

/* Why a row has no history. Everything is borrowed until the next row. */
typedef struct bst_refusal {
    bst_reason reason;
    /* one sentence: "captured_at 2021-03-02 is before authorized_at 2021-03-05, and no path ..." */
    bst_strbuf message;
    bst_strbuf repair;        /* "holds if captured_at is ignored"; empty: none known */
    uint32_t evidence_count;  /* the columns that clash or are bad */
    const uint32_t *evidence; /* indices of columns in mapping->source.columns */
} bst_refusal;

typedef enum bst_fate { BST_MIGRATED, BST_QUARANTINED, BST_OUT_OF_SCOPE } bst_fate;

typedef struct bst_synth bst_synth;

/* The mapping must outlive it. */
BST_API bst_status bst_synth_new(const bst_mapping *mapping, bst_synth **ret,
                                 bst_diags *diags) BST_MUST_USE;
BST_API bst_synth *bst_synth_free(bst_synth *synth);

/* From now on the refusal of a row whose values fit no history says which single item of evidence
 * mends that when it is ignored: an inference for each, for some rows only. */
BST_API void bst_synth_explain(bst_synth *synth);

/* One row. On BST_MIGRATED ret_history is filled (borrowed until the next call; its plan as long as
 * the synth lives); it has been replayed, and gives exactly the row. On BST_QUARANTINED ret_refusal
 * points to the reason; on BST_MIGRATED to what a genesis or a reconciliation remedies, or else it
 * is NULL. */
BST_API bst_status bst_synth_row(bst_synth *synth, const bst_row *row, bst_fate *ret_fate,
                                 bst_history *ret_history, const bst_refusal **ret_refusal,
                                 bst_diags *diags) BST_MUST_USE;

/* What the entity of a row should be: state and field values as the mapping reads them. False: the
 * row has no such state or a bad value (the refusal says which). `entity->fields` is the caller's
 * array. For compare. */
BST_API bool bst_synth_entity(bst_synth *synth, const bst_row *row, bst_entity *ret_entity,
                              const bst_refusal **ret_refusal);

/* What was seen so far, for `plan`: one entry for each signature and what the values of rows leave
 * of its histories, by falling count. */
typedef struct bst_signature_info {
    uint64_t rows;
    const char *example_key;
    bst_reason reason;         /* NONE: it has a plan */
    bst_reason cause;          /* of a genesis or a reconciliation; else NONE */
    const bst_plan *plan;      /* may be NULL */
    const bst_plan *runner_up; /* the next likeliest history; NULL: there is none */
    double runner_up_confidence;
    const char *text; /* the signature, readable */
    /* of its first row, when it has no history, or one by a policy (see `cause`) */
    const char *message;
    const char *repair;  /* NULL: none is known */
    const char *columns; /* that clash: "captured_at, authorized_at" */
} bst_signature_info;
BST_API size_t bst_synth_signature_count(const bst_synth *synth);
BST_API bst_status bst_synth_signatures(bst_synth *synth, bst_signature_info *ret, size_t count,
                                        bst_diags *diags) BST_MUST_USE;

/* What else fits the row that was last made a history of: the next likeliest walks, as far as they
 * are known. Returns how many were filled in. */
typedef struct bst_alternative {
    const bst_plan *plan; /* its events; their basis and confidence are not worked out */
    double confidence;
} bst_alternative;
BST_API size_t bst_synth_alternatives(const bst_synth *synth, bst_alternative *ret, size_t max);

/* One further column of the legacy table, and how many more rows would be certain with it. */
typedef enum bst_advice_kind {
    BST_ADVICE_EVENT_TIME, /* when an event last happened; NULL: never */
    BST_ADVICE_STATE_TIME, /* when a state was last entered */
    BST_ADVICE_EVENT_COUNT,
    BST_ADVICE_COUNT_ALL /* of all events; `subject` is BST_NONE */
} bst_advice_kind;
typedef struct bst_advice {
    bst_advice_kind kind;
    uint32_t subject; /* event or state */
    double rows;      /* expected */
} bst_advice;
/* The most useful first. *ret_open_rows: those with a history that is not certain. */
BST_API bst_status bst_synth_advise(const bst_synth *synth, size_t max, bst_advice *ret,
                                    size_t *ret_count, double *ret_open_rows,
                                    bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
