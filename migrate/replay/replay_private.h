/* The insides of replaying commands, shared by its files:
 *
 *     replay.c  the runs, and what is told of them
 *     log.c     the log -> steps
 *     old_pg.c  the legacy side
 *     pair.c    both sides of every entity, step by step
 *     shrink.c  the fewest steps that show a mismatch
 */
#ifndef BACKSTORY_REPLAY_PRIVATE_H
#define BACKSTORY_REPLAY_PRIVATE_H

#include "backstory/replay.h"
#include "backstory/synth.h"

typedef struct bst__replay_step {
    uint32_t line;
    uint32_t command;
    uint32_t entity; /* its number, by first appearance */
    const bst_value *payload;
} bst__replay_step;

typedef struct bst__replay_log {
    size_t count;
    const bst__replay_step *steps;
    uint32_t entity_count;
    const char *const *entities; /* their keys as the log has them */
} bst__replay_log;

/* Every mistake of the log is a finding with its line. In `arena`. */
bst_status bst__replay_log_read(const char *path, const bst_mapping *mapping, bst_arena *arena,
                                bst__replay_log *ret, bst_diags *diags) BST_MUST_USE;

/* ---- the legacy side: one transaction that never commits */

typedef struct bst__old_row {
    bool there;
    const char *trouble; /* NULL; or why the mapping cannot read it. Borrowed until the next read */
    bst_entity entity;   /* `fields` is the caller's; texts borrowed until the next read */
} bst__old_row;

/* The first member of every kind of legacy system. */
typedef struct bst__old bst__old;
typedef struct bst__old_ops {
    /* As it was before the first step. */
    bst_status (*restart)(bst__old *old, bst_diags *diags);
    /* The row whose key (parts of a composite one joined as in history.h) is `key`. */
    bst_status (*read)(bst__old *old, const char *key, bst__old_row *ret, bst_diags *diags);
    /* *ret_refusal: NULL when the command was accepted, else why not; *ret_key: the key of a new
     * row, when the function gave one. Both borrowed until the next call. */
    bst_status (*carry_out)(bst__old *old, const bst__replay_step *step, const char *key,
                            const char **ret_refusal, const char **ret_key, bst_diags *diags);
    void (*free)(bst__old *old);
} bst__old_ops;
struct bst__old {
    const bst__old_ops *ops;
};
bst_status bst__old_pg_open(const char *from, const bst_mapping *mapping, bst__old **ret,
                            bst_diags *diags) BST_MUST_USE;

/* ---- both sides */

/* One thing that differs after a step. */
typedef struct bst__replay_difference {
    bst_mismatch_kind kind;
    uint32_t field;
    uint32_t state;                  /* before */
    const char *old_text, *new_text; /* borrowed for the call */
} bst__replay_difference;

/* What the old side did in a step, to be told from what it does another time. */
typedef struct bst__replay_digest {
    uint64_t verdict, row; /* row: is it there, can it be read, its state */
    uint64_t *fields;      /* by field of the machine */
} bst__replay_digest;

typedef struct bst__pair bst__pair;
typedef bst_status (*bst__on_difference)(void *context, size_t step,
                                         const bst__replay_difference *difference);

bst_status bst__pair_new(const bst_mapping *mapping, const bst__replay_log *log, bst__old *old,
                         bst__pair **ret, bst_diags *diags) BST_MUST_USE;
bst__pair *bst__pair_free(bst__pair *pair);
/* Both sides as they were before the first step. */
bst_status bst__pair_restart(bst__pair *pair, bst_diags *diags) BST_MUST_USE;
/* How one step ended; `both` is meant when they agree. */
typedef enum bst__step_end {
    BST__SKIPPED,
    BST__ACCEPTED,
    BST__REFUSED,
    BST__DIFFERED
} bst__step_end;
/* Step number `step` of the log. Where the sides differ, the new one goes on from where the old one
 * stands, so that one mistake is not told again and again; an entity whose row cannot be read any
 * more is skipped from then on. `ret_digest` may be NULL, else its array has room. */
bst_status bst__pair_step(bst__pair *pair, size_t step, bst__on_difference on_difference,
                          void *context, bst__step_end *ret_end, bst__replay_digest *ret_digest,
                          bst_diags *diags) BST_MUST_USE;

/* ---- shrinking */

/* The fewest steps, of those up to `step`, after whose last the difference is there: step numbers
 * in `arena`. */
bst_status bst__replay_shrink(bst__pair *pair, const bst__replay_log *log, size_t step,
                              const bst__replay_difference *wanted, bst_arena *arena,
                              size_t **ret_steps, size_t *ret_count, bool *ret_shrunk,
                              bst_diags *diags) BST_MUST_USE;

#endif
