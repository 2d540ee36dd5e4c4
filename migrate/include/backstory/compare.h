/* Old against new: every legacy row against the fold of its stored history. Both sides are read by
 * key and merge-joined in constant memory. The legacy row is the truth here; the store is what is
 * being tried.
 *
 * Values are equal by what they mean, not by how they are written: decimals and integers as
 * numbers (1.0 is 1.00), timestamps as instants, char(n) without its padding, json as JSON,
 * everything else byte by byte. A tolerance has to be asked for, field by field.
 *
 * Beside state and fields the time of creation is compared, where both sides have it: the row in
 * the mapping's `creation` column, the history because its first event is recorded by that column.
 * Then totals by state, group and month are the same on both sides wherever all entities are.
 */
#ifndef BACKSTORY_COMPARE_H
#define BACKSTORY_COMPARE_H

#include "backstory/key_part.h"
#include "backstory/synth.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_RECHECK_KEYS_MAX    100000u /* entities that are looked at again */
#define BST_RECHECK_SECONDS_MAX 60u     /* for which a follower is waited for */

typedef enum bst_difference_kind {
    BST_DIFFERS,           /* the state, a field, or the time of creation */
    BST_MISSING_IN_STORE,  /* a row in scope without a history, and not known as quarantined */
    BST_MISSING_IN_SOURCE, /* a history without a row in scope */
    BST_NOT_REPLAYABLE     /* the stored events break the machine's rules */
} bst_difference_kind;

/* How far an entity differs. A state alone points to a missing or a wrong event, fields alone to a
 * wrong payload or a write past the machine. The time of creation alone: somebody set the column
 * after the history had begun, or the row is another one under the same key. */
typedef enum bst_extent {
    BST_EXTENT_STATE,
    BST_EXTENT_FIELDS,
    BST_EXTENT_BOTH,
    BST_EXTENT_CREATION,
    BST_EXTENT_COUNT
} bst_extent;

typedef struct bst_difference {
    bst_difference_kind kind;
    bst_extent extent; /* DIFFERS */
    const char *key;
    size_t key_len;
    uint32_t field;                  /* of the machine; BST_NONE: the state, or */
    bool creation;                   /* the time of creation */
    const char *old_text, *new_text; /* as text; NULL: null */
    const char *message;             /* NOT_REPLAYABLE: why. DIFFERS: the row has a value that
                                      * cannot be read */
} bst_difference;

/* One line of the totals: rows and the sum of one decimal field, by state, by the value of one text
 * field, and by the month of creation. Sums are exact: 128 bits, given as decimal text. */
typedef struct bst_total {
    uint32_t state;
    const char *group; /* the currency; "" when the machine has no such field */
    const char *month; /* in UTC: "2022-01"; "" when it is not known; NULL: all months together */
    uint64_t old_count, new_count;
    const char *old_sum, *new_sum; /* NULL: no decimal field */
} bst_total;

/* What a comparison cannot speak of. */
typedef enum bst_left_out_kind {
    BST_LEFT_FIELD,    /* of the machine: no column of the mapping gives it */
    BST_LEFT_EVIDENCE, /* a column that is read, but only to find histories */
    BST_LEFT_COLUMN    /* a column of the table that the mapping does not name */
} bst_left_out_kind;
typedef struct bst_left_out {
    bst_left_out_kind kind;
    const char *name;
} bst_left_out;

typedef struct bst_compare_figures {
    uint64_t rows, histories, equal, different, missing_in_store, missing_in_source, quarantined,
        out_of_scope, events;
    /* of `different`; those that cannot be replayed or read are in none */
    uint64_t by_extent[BST_EXTENT_COUNT];
    uint64_t field_differences;
    uint64_t tolerated; /* fields that differ within their tolerance: they count as equal */
    uint64_t settled;   /* differed at first, and no more when they were looked at again */
    double progress;
} bst_compare_figures;

typedef struct bst_comparison {
    bst_compare_figures figures;
    /* of a comparison with `since`: chunks of keys, and those that were read because they have
     * changed or were not equal; the others were equal at `since`, NULL: there was none before */
    size_t chunks, chunks_read;
    const char *since;
    /* Both sides as they were at this place in the log of the old system, and rows that were taken
     * from there; NULL: each at a moment of its own, and then perhaps a follower that does not run
     * and should, in words. */
    const char *lsn;
    uint64_t from_log;
    const char *standing;
    size_t total_count, left_out_count;
    /* by state and group, each followed by its months when the mapping says when an entity was
     * created */
    const bst_total *totals;
    uint32_t sum_field, group_field; /* what they add up and are by; BST_NONE: nothing */
    const bst_left_out *left_out;
} bst_comparison;

/* Of which moment both sides are.
 *
 * A source cannot be read at a place in its log that is past, a store not at one before where its
 * follower is. So the rows are read at the place where a replication slot begins, the store once it
 * has come there, at the place where it is then; and what the log says of rows between the two is
 * laid over them. That is exact, whoever writes meanwhile, and nobody is kept waiting. */
typedef enum bst_at {
    BST_AT_REST, /* each of its own: nobody writes */
    BST_AT_NOW,  /* both at one place in the log of the old system: a follower runs */
    BST_AT_AUTO  /* NOW when a follower runs, else REST */
} bst_at;

typedef struct bst_compare_options {
    const char *from, *store;
    /* rows named there, and those that a store in PostgreSQL has put aside, are expected to have no
     * history; NULL or absent file: none */
    const char *quarantine_path;
    /* Parts that are compared side by side, where both sides are servers; 0 is 1. */
    uint32_t jobs;
    bst_pace *pace; /* of all readers of the old side together; NULL: as fast as may be */
    /* The moment of the old side, which somebody else holds (see bst_source_open_at); NULL: of its
     * own */
    const char *moment;
    /* Only these entities are compared: see bst_sample_bound() for what a sample says of all. Its
     * bounds `from` and `before` are not used. */
    bst_key_part sample;
    /* The old system writes and a follower brings the store along: what differs is looked at again,
     * this often at most, each time when the follower has come to where the rows stand, and only
     * what differs each time is told. 0: both sides are at rest */
    uint32_t rechecks;
    bst_at at;
    /* For which a follower, and a transaction that is open, are waited for; 0:
     * BST_RECHECK_SECONDS_MAX */
    uint32_t wait_seconds;
    /* A file in which a comparison remembers digests of chunks of keys, so that the next one reads
     * only what has changed; NULL: none. Both sides are servers, and there is no sample. */
    const char *since;
    uint32_t sum_field;   /* BST_NONE: the first decimal field that both sides have */
    uint32_t group_field; /* BST_NONE: the field named "currency", if both sides have it */
    /* by field of the machine, in the unit of its type: 10^-scale of a decimal, microseconds, days;
     * 0: none. NULL: none at all. Where the field that is added up has one, sums are shown exactly
     * but do not make a difference */
    const int64_t *tolerance;
    int64_t creation_tolerance; /* of the time of creation, in microseconds; 0: none */
    bst_status (*on_difference)(void *context, const bst_difference *difference);
    bst_status (*on_progress)(void *context, const bst_compare_figures *figures);
    /* What a person should hear of: that it waits, and for whom. May be NULL. */
    void (*on_notice)(void *context, const char *text);
    void *context;
} bst_compare_options;

/* Whether fields of this type can have a tolerance. */
BST_API bool bst_compare_tolerates(const bst_type *type);
/* Whether a column gives the field: else rows have nothing to be totalled by it. */
BST_API bool bst_compare_has_both(const bst_mapping *mapping, uint32_t field);
/* The column of the mapping that says when an entity was created, by which that time is compared;
 * NULL: none, or only under a condition. Borrowed from the mapping. */
BST_API const char *bst_compare_creation_column(const bst_mapping *mapping);

/* What a sample says of all: with this confidence (0.95) at most this share of all entities
 * differs, when `found` of `sampled` do. Exact: Clopper and Pearson, The use of confidence or
 * fiducial limits illustrated in the case of the binomial, 1934. */
BST_API double bst_sample_bound(uint64_t found, uint64_t sampled, double confidence);

/* BST_OK: equal. BST_DIFFERENT: something differs (totals included). What it returns lives in
 * `arena`; the figures are written also when it fails. */
BST_API bst_status bst_compare(const bst_mapping *mapping, const bst_compare_options *options,
                               bst_arena *arena, bst_comparison *ret,
                               bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
