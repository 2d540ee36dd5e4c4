/* The insides of a step:
 *
 *     step.c       which events are tried, in which order
 *     step_try.c   events, folded: do they lead to the row?
 *     step_plan.c  events that do, as a plan: how each is known
 *     step_why.c   why none do
 */
#ifndef BACKSTORY_STEP_PRIVATE_H
#define BACKSTORY_STEP_PRIVATE_H

#include "follow_private.h"

typedef struct bst__step_plan {
    bst_plan plan;
    bool lost;
    UT_hash_handle hh;
} bst__step_plan;

/* How well events lead to the row. */
typedef enum bst__fit {
    BST__FIT_NO,
    BST__FIT_STATE,    /* it leads there, but the fields are others */
    BST__FIT_NEGATIVE, /* it fits, with an amount below zero */
    BST__FIT
} bst__fit;

#define BST__LEFT_MAX 3u /* fields that a person is told of */

struct bst__stepper {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_synth *synth;
    bst_arena *arena;
    bst__bridge *bridges;
    bst__step_plan *plans;
    /* "wal:payments.status", "wal:payments"; then the same with "snapshot:" */
    const char *state_source[2], *row_source[2];
    uint32_t reconcile; /* the machine's event, or BST_NONE */
    bst_strbuf plan_key, message;
    /* of one change */
    const bst__known *known;
    const bst_row *row;
    const bst__moment *moment;
    bst_entity target; /* what the row says */
    bst_entity folded; /* after the events that were tried last */
    bst_happening *happenings;
    size_t happening_room;
    bst_value *values;
    size_t value_room;
    /* Why nothing fits: the fields that those events leave other than in the row which leave the
     * fewest; BST_NONE: no events lead to its state. And how many those leave of which a guard
     * forbids one, and which; a guard may have no name: BST_NONE. */
    uint32_t left[BST__LEFT_MAX], left_count;
    uint32_t forbidden_left_count, refused_guard;
    bst__fit least; /* that is good enough at the moment */
    bst_diags *diags;
};

/* ---- step_try.c */

/* Room for so many events and their payloads. False: no memory. */
bool bst__step_room(bst__stepper *s, uint32_t events);
/* The first mapped field in which two records differ; BST_NONE. */
uint32_t bst__step_difference(const bst__stepper *s, const bst_value *a, const bst_value *b);
/* Before any are tried: the entity stays as it is. */
void bst__step_begin(bst__stepper *s);
/* Takes the transitions from where the entity stands, into `folded`, `happenings` and `values`.
 * `mended`: and puts right what is left. */
bst__fit bst__step_try(bst__stepper *s, const uint32_t *transitions, uint32_t count, bool mended);

/* ---- step_plan.c */

/* Events that were tried last, and are taken. */
typedef struct bst__choice {
    uint32_t count; /* of transitions */
    bool mended;    /* a reconciliation comes behind them */
    const uint32_t *transitions;
    const bst_basis *basis;
    const double *confidence;
    double share;
} bst__choice;

bst_status bst__step_accept(bst__stepper *s, const bst__choice *c, bst__verdict *ret) BST_MUST_USE;

/* ---- step_why.c */

/* The reason, with the message that stands in `message`. */
bst_status bst__step_refuse(bst__stepper *s, const char *reason, bst__verdict *ret) BST_MUST_USE;
bst_status bst__step_refuse_as_synth(bst__stepper *s, const bst_refusal *refusal,
                                     bst__verdict *ret) BST_MUST_USE;
/* Why none of what was tried is an event. */
bst_status bst__step_explain(bst__stepper *s, bst__verdict *ret) BST_MUST_USE;

#endif
