/* Experiments: a recorded sequence of commands is given to the legacy system (a function of its
 * database for each command) and to the machine (decide, apply), and what comes of it is compared
 * step by step: accepted or refused, the row, the state, every mapped field.
 *
 * Everything the legacy side does is rolled back. A second run, old against old, measures what the
 * old system does not even repeat itself (times, random codes): noise, as in Twitter's Diffy. A
 * mismatch is shrunk to the fewest commands that still show it, by delta debugging (Zeller and
 * Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002).
 */
#ifndef BACKSTORY_REPLAY_H
#define BACKSTORY_REPLAY_H

#include "backstory/mapping.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_REPLAY_STEPS_MAX    1000000u
#define BST_REPLAY_LINE_MAX     (1u << 20) /* bytes of one line of the log */
#define BST_REPLAY_SHRUNK_MAX   50u        /* kinds of mismatch that are shrunk */
#define BST_REPLAY_ATTEMPTS_MAX 400u       /* runs to shrink one */

/*      kind         text */
#define BST_MISMATCH_LIST(X)                                                                       \
    X(OLD_REFUSED, "old-refused")   /* the machine accepts the command, the old system does not */ \
    X(NEW_REFUSED, "new-refused")   /* the other way round */                                      \
    X(NO_ROW, "no-row")             /* the entity exists, and the old system has no row */         \
    X(UNREADABLE, "unreadable-row") /* the mapping cannot read the row */                          \
    X(STATE, "state")                                                                              \
    X(FIELD, "field")

typedef enum bst_mismatch_kind {
#define X(name, text) BST_MISMATCH_##name,
    BST_MISMATCH_LIST(X)
#undef X
        BST_MISMATCH_COUNT
} bst_mismatch_kind;
BST_API const char *bst_mismatch_text(bst_mismatch_kind kind);

/* All steps at which the same went wrong: the same kind, after the same command in the same state,
 * in the same field. The texts are those of the first. */
typedef struct bst_mismatch {
    bst_mismatch_kind kind;
    uint32_t command;
    uint32_t state; /* before it; BST_NONE: the entity did not exist */
    uint32_t field; /* FIELD */
    uint64_t steps;
    uint64_t noise; /* of these: the old system did not repeat itself there either */
    const char *entity;
    const char *old_text, *new_text; /* a refusal, a state, a value; NULL: null */
    /* lines of the log: the fewest that show it, the last one being where it shows */
    size_t line_count;
    const uint32_t *lines;
    bool shrunk; /* false: there was no time for it, or it does not show again */
} bst_mismatch;

/* What the old system did not repeat. */
typedef struct bst_noise {
    bst_mismatch_kind kind;
    uint32_t field; /* FIELD */
    uint64_t steps;
} bst_noise;

typedef struct bst_replay_result {
    uint64_t steps, entities;
    uint64_t accepted, refused; /* by both */
    uint64_t skipped;           /* steps of entities that could not be followed any further */
    size_t mismatch_count, noise_count;
    const bst_mismatch *mismatches; /* the most steps first */
    const bst_noise *noise;
} bst_replay_result;

typedef struct bst_replay_options {
    const char *from; /* a connection string */
    const char *log;  /* a file of JSON lines: {"entity","command","data"}; "-" is stdin */
    bool no_noise;    /* leave out the second run */
    bst_status (*on_progress)(void *context, uint64_t steps, uint64_t of);
    void *context;
} bst_replay_options;

/* BST_OK: the same. BST_DIFFERENT: there is a mismatch that is not noise. The result lives in
 * `arena`. */
BST_API bst_status bst_replay(const bst_mapping *mapping, const bst_replay_options *options,
                              bst_arena *arena, bst_replay_result *ret,
                              bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
