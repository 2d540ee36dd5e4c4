/* The insides of synthesis, shared by its files:
 *
 *     synth.c       a row's way through the others
 *     read.c        cells -> values of the machine's types
 *     say.c         evidence -> what it says of this row -> the signature
 *     log.c         the same for the rows of a log
 *     signature.c   the table of signatures
 *     question.c    a signature -> claims and weights -> inference
 *     disorder.c    contradictions that the order of times alone tells
 *     walk.c, step.c           the answer -> walks, with what all rows of the signature share
 *     plan.c        a signature -> its plan, once, by the four above
 *     fill.c        a walk and a row -> times and payloads
 *     fold.c        their events, applied one by one: the proof
 *     sums.c        amounts that only a sum tells
 *     choose.c      walks and a row -> the likeliest walk that fits the row's values
 *     fits.c        many walks and a row -> those that fit, by a search
 *     lens_plan.c, lens.c      ... for which values are folded step by step
 *     outcome.c     what the values leave of a signature, and the plan that follows
 *     genesis.c, reconcile.c   the policies that write events of their own
 *     advise.c      which further column would help
 *     refuse.c      why not: the reason, and the columns that are to blame
 *     text.c        ... in words
 */
#ifndef BACKSTORY_SYNTH_PRIVATE_H
#define BACKSTORY_SYNTH_PRIVATE_H

#include "backstory/hash.h"

#define HASH_NONFATAL_OOM             1
#define uthash_nonfatal_oom(entry)    ((entry)->lost = true)
#define HASH_FUNCTION(key, len, hash) ((hash) = bst_hash(key, len))
#include <uthash.h>

#include "backstory/synth.h"

#include "log_rows_private.h"

/* An expression over the row, and the columns it reads. */
typedef struct bst__row_expr {
    const bst_expr *expr; /* NULL: none */
    uint32_t column_count;
    const uint32_t *columns;
} bst__row_expr;

/* How to get one value of a machine's type out of a row. */
typedef struct bst__getter {
    const bst_value_from *from;
    const bst_type *type; /* of the value wanted */
    bool plain;           /* the cell is the value: nothing to convert */
    bst__row_expr expr;
} bst__getter;

/* What an item of evidence says of one row. */
#define BST__LATE 0x80u /* in a signature, beside what an item says */

typedef enum bst__say {
    BST__SAY_NOTHING, /* NULL, and that means nothing */
    BST__SAY_OFF,     /* its `when` does not hold */
    BST__SAY_NEVER,
    BST__SAY_AT,       /* `number`: the rank of its time; `time` */
    BST__SAY_HAPPENED, /* at an unknown time: a row of a log */
    BST__SAY_COUNT,    /* `number` */
    BST__SAY_BOUND     /* nothing is later than `time` */
} bst__say;

typedef struct bst__said {
    bst__say say;
    bool late; /* AT: later than a bound */
    uint32_t number;
    int64_t time;
} bst__said;

/* Items are numbered: those of the mapping, mapping->evidence, and after them the rows that the log
 * has of the entity. This is an item, beside what the mapping says of it. */
typedef struct bst__item {
    bst__row_expr when;
    uint32_t column;
    bst__say when_null, when_there;
    const char *name;   /* short, for signatures: "captured" */
    const char *phrase; /* for sentences: "PaymentCaptured", "entry into state \"failed\"" */
    const bst__getter *payload; /* evidence->payload_count */
} bst__item;

/* Where a field of an event's payload comes from. */
typedef struct bst__filler {
    const bst_field *field;
    const bst__getter *getter; /* NULL: the entity's field `entity_field`, or nothing */
    uint32_t entity_field;     /* BST_NONE: nothing */
    bool plain;                /* it is of the very type of that field */
    /* No column has it: it is one of the amounts that add up to the entity's field `sum`. */
    bool unknown;
    uint32_t sum; /* the event adds it to this field, or takes it away; BST_NONE */
    bool negative;
} bst__filler;

typedef struct bst__guard_check {
    uint32_t guard; /* BST_NONE: a candidate without guard stands before the one taken */
    bool expected;
    uint32_t to; /* where the earlier candidate leads */
} bst__guard_check;

typedef struct bst__step {
    uint32_t transition;
    uint32_t item; /* whose time it has, or BST_NONE */
    /* items, or BST_NONE: it is not later than that one; not earlier. (A row of a log may mean one
     * of several steps.) */
    uint32_t until, since;
    uint32_t place;   /* the rank of the next time, its own included; BST_NONE: after all */
    uint32_t ordinal; /* of such steps without a time in this place: 0, 1, ... */
    bool idle;        /* its event changes no field, and nothing is asked of the row for it */
    uint32_t filler_count;
    bst__filler *fillers;
    uint32_t guard_check_count;
    const bst__guard_check *guard_checks;
} bst__step;

/* How many walks of a signature are known one by one: where there are no more, or where the search
 * ends without an answer, they are tried on the row. */
#define BST__WALKS_MAX   64u
#define BST__OTHERS_KEPT 8u /* of those that a search finds, to show */
/* The budget of a search among the walks of one row: pairs of a node (what is known of the
 * evidence) and values. Some 20 ms and 10 MB. */
#define BST__FIT_NODES_MAX 20000u

/* A possible walk, and what is known of it before any values are. */
typedef struct bst__walk {
    bst_plan plan;
    const bst__step *steps;
    uint32_t value_count; /* of all payloads */
    uint32_t illegal;     /* the first step that the machine does not allow: a bug; or BST_NONE */
    bool has_unknown;     /* amounts; see sums.c */
    uint32_t like;        /* the first walk that asks the same of a row's values */
    bool doubts;          /* some step has `until` or `since` */
} bst__walk;

typedef struct bst__signature bst__signature;

/* What became of a row. */
typedef struct bst__ending {
    uint64_t unfit;    /* walks, by bit, that the values rule out */
    uint32_t walk;     /* the likeliest that is left and can be told; BST_NONE */
    bst_reason reason; /* NONE: it has a history */
    bst_remedy remedy; /* ... because of a policy */
    bst_reason cause;  /* ... which was asked because of this */
    bool at_least;     /* walks may be left that do not fit */
} bst__ending;

/* What is left of a signature when the values of a row rule out some of its walks. */
typedef struct bst__outcome {
    const bst__signature *signature;
    struct bst__outcome *next, *next_of_signature;
    bst__ending asked, verdict;
    bool replaced;    /* ambiguous, and the policy wants a genesis for it */
    bst_reason cause; /* of the remedy */
    bst_plan plan;
    uint32_t next_walk;
    double next_confidence;
    uint64_t rows;
    size_t number; /* in order of arrival */
    const char *example_key, *text;
    /* of its first row, when it has no history or needed a remedy; see bst_signature_info */
    const char *message, *repair, *columns;
} bst__outcome;

/* A signature and what inference made of it. */
struct bst__signature {
    const uint8_t *bytes;
    bst_reason reason; /* NONE: it has a walk ... */
    bst_reason cause;  /* ... though without what is ignored it had none, for this reason */
    bool lost;         /* the hash table had no memory for it */
    const char *text;
    uint32_t spans; /* by bit: those of which more is known; they are signatures of their own */
    /* the likeliest first; others only when values have to tell them apart */
    uint32_t walk_count;
    bst__walk *walks;
    bool complete; /* no other walk is possible */
    /* when values have to tell walks apart (fits.c) */
    bool opened;
    bool alike; /* they cannot: all walks ask the same of them */
    bool exact; /* this is what values leave of another signature, and all its walks fit */
    uint32_t ask_count;
    const struct bst__ask *asks; /* by step of the graph */
    bst_walks *graph;            /* NULL: not kept */
    struct bst__signature *fits; /* hash table: what values leave, by shape */
    bst__outcome *outcomes;
    /* items of evidence */
    uint32_t conflict_count, repair_count;
    const uint32_t *conflict, *repairs;
    uint32_t ignored;         /* the item that is left out so that the others hold, or BST_NONE */
    const char *ignored_text; /* "payments.captured_at (ignored)" */
    UT_hash_handle hh;
};

/* What an expression reads. */
typedef struct bst__ref {
    bst_root root;
    uint32_t index;
} bst__ref;
typedef struct bst__refs {
    uint32_t count;
    const bst__ref *refs;
} bst__refs;

typedef struct bst__assigns {
    bst__refs reads;
    bool adds; /* f := f + x or f - x, where x reads no field of the entity */
} bst__assigns;

/* What the lens knows before it sees a row (lens_private.h). */
typedef struct bst__lens_plan {
    /* the fields that matter: mapped ones, those that guards read, and those that these are made
     * of; slot_of[field] is its number among them, or BST_NONE */
    uint32_t slot_count;
    const uint32_t *slots, *slot_of;
    /* the fields that amounts are added to (sums.c) */
    uint32_t sum_count;
    const uint32_t *sum_of;             /* by field of the entity: its number, or BST_NONE */
    const bst__refs *guards;            /* by guard */
    const bst__assigns *const *assigns; /* by event, by its assignment */
    uint32_t payload_max;               /* fields of an event */
} bst__lens_plan;

/* How many steps a log without gaps has of a state column. */
#define BST__WHOLES_MAX 50u
typedef struct bst__whole {
    uint32_t log, column, count;
    bst_relation relation;
} bst__whole;

struct bst_synth {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_arena *arena;   /* lives as long as the synth */
    bst_arena *scratch; /* one inference, one message */
    bst_weights weights;
    bst__row_expr where;
    bst__getter *fields; /* machine->field_count */
    uint32_t mapped_count;
    uint32_t *mapped; /* fields that something of the row gives */
    bst__item *items; /* mapping->evidence_count */
    bool has_bounds;  /* an item may say BOUND */

    bst__signature *signatures; /* hash table */
    size_t signature_count;
    bst__outcome *outcomes, **outcomes_end;
    size_t outcome_count;
    bst__lens_plan lens;
    size_t graph_bytes;               /* of the graphs that are kept */
    bst_arena *fit_arena;             /* of one row's search */
    uint32_t genesis, reconcile;      /* events of the machine, or BST_NONE */
    const bst__outcome *last_outcome; /* of the last row that has a history; or NULL */
    uint8_t *bytes;                   /* of the signature of this row */
    size_t bytes_len;
    uint32_t span; /* of the signature that is asked for; BST_NONE: of all spans */

    /* buffers for one row */
    bst__said *said; /* by item, rows of the log included */
    bst__log_rows log;
    bool ignores_log;
    bool explains; /* bst_synth_explain() */
    uint32_t whole_count;
    bst__whole wholes[BST__WHOLES_MAX];
    uint32_t *order; /* items that say AT, by time */
    uint32_t order_count;
    bst_value *record;     /* the row as an expression sees it: by column */
    bst_value *expected;   /* by field of the machine */
    bst_value *folded;     /* the same, replayed */
    bst_value *command;    /* the largest payload of a command */
    bst_value *difference; /* the payload of a reconciliation */
    uint32_t state;        /* of this row */
    bst_happening *happenings;
    size_t happening_room;
    bst_value *values; /* of all payloads of a history */
    size_t value_room;

    bst_refusal refusal;
    bool timeless;             /* this row has no time at all */
    bool undivided;            /* amounts that this walk needs are not known */
    bool open_sums;            /* amounts of this walk are left out, so its fold proves nothing */
    uint32_t *refused_columns; /* room: columns of the mapping */
    bst_status status;         /* of this row: not OK when memory ran out */
    bst_diags *diags;          /* of this call */
};

/* synth.c: before anything is asked of a row */
void bst__synth_begin(bst_synth *synth, bst_diags *diags);
/* Whether an entity can have the row's key at all. */
bool bst__key_serves(bst_synth *synth, const bst_row *row);

/* signature.c */
/* Whether there may be one more signature. */
bst_status bst__signatures_limit(bst_synth *synth);
/* The signature that was just written, solved if it is new. Where more is known of those that took
 * as long as this row, it is a signature of its own. False: synth->status is not OK. */
bool bst__signature_find(bst_synth *synth, uint32_t state, bst__signature **ret);

/* read.c */
bool bst__row_expr_init(bst_synth *synth, const bst_expr *expr, bst__row_expr *ret);
bool bst__getter_init(bst_synth *synth, const bst_value_from *from, const bst_type *type,
                      bst__getter *ret);
/* False: the refusal says why. */
bool bst__getter_get(bst_synth *synth, const bst__getter *getter, const bst_row *row,
                     bst_value *ret);
bool bst__row_eval(bst_synth *synth, const bst__row_expr *expr, const bst_row *row, bst_value *ret);
bool bst__read_state(bst_synth *synth, const bst_row *row, uint32_t *ret_state);
/* Every mapped field of the row into synth->expected. On failure *reterr_field is the bad one. */
bool bst__read_fields(bst_synth *synth, const bst_row *row, uint32_t *reterr_field);
/* Whether the row is in scope; false also when that cannot be told (then *reterr is set). */
bool bst__in_scope(bst_synth *synth, const bst_row *row, bool *reterr);
/* From one type to another that bst__map_converts() allows. */
bst_value_result bst__cell_convert(const bst_type *from, int minor_digits, const bst_type *to,
                                   const bst_value *value, bst_arena *arena, bst_value *ret);
void bst__getter_columns(bst_synth *synth, const bst__getter *getter);

/* say.c */
bool bst__say_init(bst_synth *synth);
/* What every item says of this row, and the signature in synth->bytes. */
bool bst__say_row(bst_synth *synth, const bst_row *row, uint32_t state);
void bst__signature_text(const bst_synth *synth, uint32_t state, bst_strbuf *out);
/* How long it took, by the times of the evidence. */
uint32_t bst__row_span(const bst_synth *synth, bst_span_of of);

/* log.c */
static inline bool bst__is_log_row(const bst_synth *synth, uint32_t item) {
    return item >= synth->mapping->evidence_count && item != BST_NONE;
}
/* The items there are: those of the mapping and the rows of the log. */
uint32_t bst__item_count(const bst_synth *synth);
/* What the rows of the log say, into synth->said. False: the refusal says why. */
bool bst__say_log(bst_synth *synth, const bst_row *row);
/* Appends it to a signature; returns the end. */
uint8_t *bst__write_log(const bst_synth *synth, uint8_t *at);
size_t bst__log_bytes_max(void);
/* The steps that a row of the log may be, as flags in the scratch arena; NULL: no memory. */
const uint8_t *bst__log_transitions(const bst_synth *synth, uint32_t item);
static inline const uint8_t *bst__item_transitions(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? bst__log_transitions(synth, item)
                                        : synth->mapping->evidence[item].transitions;
}
/* A row that is an earlier step, though their times do not say so; BST_NONE: none is known. */
uint32_t bst__log_before(const bst_synth *synth, uint32_t item);
/* Appends what is known of the order of an undated row, and its rank does not say. */
void bst__add_log_order(const bst_synth *synth, uint32_t item, bst_strbuf *out);
/* Whether both are rows of one log and region, and this one the later. */
bool bst__log_is_after(const bst_synth *synth, uint32_t item, uint32_t than);
/* Of any item: its name in signatures; what it is in sentences; its column, and with which value;
 * what it is the source of. */
void bst__add_item_name(const bst_synth *synth, uint32_t item, bst_strbuf *out);
const char *bst__item_phrase(const bst_synth *synth, uint32_t item); /* in the scratch arena */
void bst__add_item_column(const bst_synth *synth, uint32_t item, bst_strbuf *out);
uint32_t bst__item_column(const bst_synth *synth, uint32_t item);
const char *bst__item_label(const bst_synth *synth, uint32_t item);
bst_evidence_kind bst__item_kind(const bst_synth *synth, uint32_t item);
bst_relation bst__item_relation(const bst_synth *synth, uint32_t item); /* of a count */

/* question.c: without the item `leave_out` (BST_NONE: with all); claims are in the scratch arena */
/* What the items say. NULL: no memory. */
const bst_claim *bst__claims_make(bst_synth *synth, uint32_t leave_out, size_t *ret_count);
/* The answer of inference, in the scratch arena as well. */
bst_status bst__claims_infer(bst_synth *synth, uint32_t state, uint32_t leave_out,
                             const bst_claim **ret_claims, bst_answer *ret);
/* All possible walks. */
bst_status bst__walks_make(bst_synth *synth, uint32_t state, uint32_t leave_out, bst_walks **ret,
                           const bst_claim **ret_claims);

/* disorder.c */
/* The items of some claims, in the arena. False: no memory. */
bool bst__items_keep(bst_synth *synth, const bst_claim *claims, const uint32_t *indices,
                     uint32_t count, uint32_t *ret_count, const uint32_t **ret);
/* The order of times alone may already tell: then `sig` has a plainer reason. */
bst_status bst__find_disorder(bst_synth *synth, uint32_t state, const bst_claim *claims,
                              const bst_answer *answer, bst__signature *sig);
/* Inference knows nothing of upper bounds: a repair that leaves one broken is none. */
bst_status bst__keep_whole_repairs(bst_synth *synth, bst__signature *sig);

/* step.c */
/* Where a payload field comes from, in an event whose time is that of `item`. */
void bst__filler_make(const bst_synth *synth, uint32_t item, uint32_t event, uint32_t field,
                      bst__filler *ret);
/* False: no memory. */
bool bst__step_make(bst_synth *synth, uint32_t transition, uint32_t item, bst__step *ret);
/* Whether a row's values have a say in a step. */
bool bst__step_asks(const bst_synth *synth, const bst__step *step);

/* walk.c */
/* The walks of an answer: the likeliest; the others after it. */
bst_status bst__signature_keep_best(bst_synth *synth, const bst_claim *claims,
                                    const bst_answer *answer, bst__signature *sig);
bst_status bst__signature_add_others(bst_synth *synth, const bst_claim *claims,
                                     const bst_answer *answer, bst__signature *sig);

/* plan.c */
bst_status bst__signature_solve(bst_synth *synth, uint32_t state, bst__signature *ret);
/* Gives it the likeliest walk that agrees with all but that item; none when there is none. */
bst_status bst__signature_without(bst_synth *synth, uint32_t state, uint32_t item,
                                  bst__signature *ret);

/* fits.c */
/* Makes the walks after the likeliest one and what tells them apart, the first time. */
bst_status bst__signature_open(bst_synth *synth, uint32_t state, bst__signature *sig);
/* FOUND: *ret is what is left, for this row; if not `exact`, perhaps less. CONTRADICTION: no walk
 * fits. TOO_AMBIGUOUS: the budget ended. */
bst_status bst__fits_find(bst_synth *synth, uint32_t state, bst__signature *sig, const bst_row *row,
                          bst_outcome *ret_outcome, bst__signature **ret);
void bst__fits_free(bst__signature *sig);

/* fill.c: false: the refusal says why (or synth->status is not OK) */
bool bst__walk_fill(bst_synth *synth, const bst__walk *walk, const bst_row *row);
/* Buffers for so many events with so many values; false: synth->status is not OK. */
bool bst__room(bst_synth *synth, size_t events, size_t values);
/* The earliest of the upper bounds that hold for the whole row. */
int64_t bst__upper_bound(const bst_synth *synth);

/* fold.c */
/* Applies the events one by one from nothing, into synth->folded, without asking guards. */
bool bst__walk_fold(bst_synth *synth, const bst__walk *walk);
/* The same, and every guard that can be asked must agree, and what comes out must be the row. */
bool bst__walk_replay(bst_synth *synth, const bst__walk *walk);
/* What the fold gives differs from the row in `field`. */
void bst__refuse_fold(bst_synth *synth, const bst__walk *walk, uint32_t field);

/* A value of a payload as the row's columns have it. False: the refusal says why not. */
bool bst__filler_get(bst_synth *synth, const bst__filler *filler, const bst_row *row,
                     bst_value *ret);

/* sums.c */
/* Whether an amount of an event whose time is that of `item` is known: when it is the only one
 * of its sum, or when it has others beside it. */
bool bst__amount_is_known(const bst_synth *synth, const bst__filler *filler, uint32_t item,
                          bool among_others);
/* Which amounts of a walk no column tells; looks at its steps once they are all made. */
void bst__sums_mark(const bst_synth *synth, bst__walk *walk, bst__step *steps);
/* Those that follow from the row's sums, into synth->values. False: the refusal says why not. */
bool bst__sums_solve(bst_synth *synth, const bst__walk *walk);

/* genesis.c */
bool bst__genesis_wanted(const bst_synth *synth, bst_reason cause);
bool bst__genesis_can(const bst_synth *synth);
bool bst__genesis_plan(bst_synth *synth, const char *text, bst_plan *ret); /* false: no memory */
/* This row. False: the refusal goes on to say why not (or synth->status is not OK). */
bool bst__genesis_fill(bst_synth *synth);

/* reconcile.c: after a fill that ended in "the fold differs" */
/* Whether the machine's event can carry the difference. */
bool bst__residue_fits(bst_synth *synth);
/* Appends it to the history of the walk. */
bool bst__reconcile(bst_synth *synth, const bst__walk *walk);
/* The same in the plan; `events` has room for one more. */
void bst__reconcile_plan(const bst_synth *synth, bst_plan *plan, bst_plan_event *events);

/* outcome.c: the outcome that a row belongs to, made if need be, and one row more in it.
 * NULL: synth->status is not OK. */
bst__outcome *bst__outcome_count(bst_synth *synth, bst__signature *sig, const bst_row *row,
                                 const bst__ending *verdict);

/* choose.c: false: the refusal says why (or synth->status is not OK) */
bool bst__history_choose(bst_synth *synth, bst__signature *sig, uint32_t state, const bst_row *row,
                         bst_history *ret);

/* refuse.c */
void bst__refuse(bst_synth *synth, bst_reason reason); /* starts a refusal: texts empty */
void bst__blame(bst_synth *synth, uint32_t column);    /* adds a column to it, once */
/* " cannot be read as decimal(8,2): it is out of range" */
void bst__add_unread(const bst_type *type, bst_value_result result, bst_strbuf *message);
void bst__refuse_cell(bst_synth *synth, const bst_row *row, uint32_t column);

/* text.c */
/* "holds if a or b is ignored" */
void bst__add_repairs(bst_synth *synth, const uint32_t *items, uint32_t count);
/* Why a signature has no plan, or had none without what is ignored; with the values of this row. */
void bst__refuse_signature(bst_synth *synth, const bst__signature *signature, uint32_t state);
void bst__refuse_guard(bst_synth *synth, const bst__walk *walk, uint32_t step,
                       const bst__guard_check *check);
/* `what` ("a guard", "an apply") leaves its range, or else reads what is not there. */
void bst__refuse_step(bst_synth *synth, const bst__walk *walk, uint32_t step, const char *what,
                      bool overflow);
/* "in the only possible history (created, captured)" */
void bst__add_history(const bst_synth *synth, const bst__walk *walk, bst_strbuf *out);
/* Several histories are left, and the policy wants one. */
void bst__refuse_ambiguous(bst_synth *synth, const bst__outcome *outcome);
/* "captured" of "PaymentCaptured" in the machine "payment" */
void bst__add_event_short(const bst_machine *machine, uint32_t event, bst_strbuf *out);

#endif
