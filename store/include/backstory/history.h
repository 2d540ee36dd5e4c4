/* The shape of a history: what synthesis hands to a sink, and what a store keeps.
 *
 * What every entity of one kind has in common (event types, states, basis, confidence, source) is
 * said once, in a plan; a history is a plan and what differs from entity to entity: times and
 * payloads. Times are those of timestamp.h: microseconds since 2000-01-01 UTC.
 */
#ifndef BACKSTORY_HISTORY_H
#define BACKSTORY_HISTORY_H

#include "backstory/machine.h"

#define BST_KEY_BYTES_MAX 2000u /* of an entity: what fits the store's index */

#ifdef __cplusplus
extern "C" {
#endif

/*      basis       text */
#define BST_BASIS_LIST(X)                                                                          \
    X(RECORDED, "recorded")     /* a column or log row says so */                                  \
    X(IMPLIED, "implied")       /* every possible history has it there */                          \
    X(ASSUMED, "assumed")       /* a choice; see its confidence */                                 \
    X(LIVE, "live")             /* it was appended when it happened */                             \
    X(CORRECTION, "correction") /* it corrects an earlier one */

typedef enum bst_basis {
#define X(name, text) BST_BASIS_##name,
    BST_BASIS_LIST(X)
#undef X
        BST_BASIS_COUNT
} bst_basis;
BST_API const char *bst_basis_text(bst_basis basis);
BST_API bool bst_basis_parse(const char *text, bst_basis *ret);

/* What a policy did where no history agreed with a row.
 *
 *      remedy                  text */
#define BST_REMEDY_LIST(X)                                                                         \
    X(NONE, "none")             /* nothing: the history agrees with all */                         \
    X(RELAXED, "relaxed")       /* an item of evidence is ignored */                               \
    X(RECONCILED, "reconciled") /* the last event carries what the others leave unexplained */     \
    X(GENESIS, "genesis")       /* one event carries the row; nothing is claimed about its past */

typedef enum bst_remedy {
#define X(name, text) BST_REMEDY_##name,
    BST_REMEDY_LIST(X)
#undef X
        BST_REMEDY_COUNT
} bst_remedy;
BST_API const char *bst_remedy_text(bst_remedy remedy);

typedef struct bst_plan_event {
    uint32_t type, state, command; /* indices in the machine; `state` is the one after the event */
    bst_basis basis;
    double confidence;  /* of this event: 0 <= c <= 1; 0: nobody says that it happened */
    const char *source; /* the evidence ("payments.captured_at"), or NULL */
    bool tied; /* others have the same time, and in some possible history they come before it */
} bst_plan_event;

typedef struct bst_plan {
    const char *signature; /* readable and unique among the plans of a mapping */
    /* of the sequence: its share of the probability of all possible ones; 0: none is claimed */
    double confidence;
    bool at_least; /* ... or more: some that were taken for possible may not be */
    bool certain;  /* it is the only possible one */
    bst_remedy remedy;
    uint32_t event_count;
    const bst_plan_event *events;
} bst_plan;

/* What one entity has at one place of its plan. */
typedef struct bst_happening {
    int64_t occurred_at;     /* the time, or the point chosen in the interval */
    bool interval;           /* the time is not recorded: it lies in [after, before] */
    int64_t after, before;   /* BST_TIME_MINUS_INFINITY / BST_TIME_INFINITY: open */
    const bst_value *fields; /* of the payload */
} bst_happening;

typedef struct bst_history {
    /* the entity's key as text; composite keys joined by "/" with "%2F" for "/" and "%25" for "%"
     */
    const char *key;
    size_t key_len;
    const bst_plan *plan;
    const bst_happening *events; /* plan->event_count; versions 1, 2, ... */
} bst_history;

#ifdef __cplusplus
}
#endif
#endif
