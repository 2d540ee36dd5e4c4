/* The insides of a comparison, shared by its files:
 *
 *     compare.c  the whole: parts of the keys, a thread each, and what they found together
 *     part.c     one part: the merge join
 *     fold.c     the new side: histories, folded one at a time
 *     entity.c   a row and a history, field by field
 *     left.c     what is not compared
 *     since.c    what has not changed since the comparison before
 *     again.c    while the old system writes: what differs is looked at again
 *     bound.c    what a sample says of all
 */
#ifndef BACKSTORY_COMPARE_PRIVATE_H
#define BACKSTORY_COMPARE_PRIVATE_H

#include <pthread.h>

#include "backstory/compare.h"
#include "backstory/reader.h"

#include "run/quarantine_private.h"
#include "totals_private.h"

/* The histories of a store in the order of their keys; the one at the head is folded. */
typedef struct bst__fold {
    const bst_machine *machine;
    const bst_key_part *part;
    bst_compare_figures *figures;
    bst_reader *reader;
    const bst_stored_event *next; /* read, not yet folded; NULL: no more */
    bst_arena *arena;             /* buffers */
    bst_arena *texts;             /* of the fields of the history at the head */
    bst_value *payload;
    /* the head */
    bool there;
    bst_strbuf key;
    bst_entity entity;
    bst_strbuf trouble; /* not empty: it cannot be replayed, and why */
    int32_t month;      /* of its creation; BST__NO_MONTH: not recorded */
} bst__fold;

bst_status bst__fold_open(bst__fold *fold, const char *store, const char *moment,
                          bst_diags *diags) BST_MUST_USE;
/* The next history of the part to the head. */
bst_status bst__fold_next(bst__fold *fold, bst_diags *diags) BST_MUST_USE;
void bst__fold_release(bst__fold *fold);

/* Row against history. */
typedef struct bst__entity_comparer {
    const bst_mapping *mapping;
    const bst_compare_options *options;
    bst_compare_figures *figures;
    bool *differs; /* by field of the machine */
    bst_strbuf old_text, new_text;
} bst__entity_comparer;

bst_status bst__entities_compare(bst__entity_comparer *comparer, const bst_row *row,
                                 const bst_entity *old, const bst_entity *new) BST_MUST_USE;

/* One part of the keys. Its thread has everything in it to itself; `options` say to whom it tells
 * what it finds. */
typedef struct bst__compare_part {
    const bst_mapping *mapping;
    bst_compare_options options;
    bst_key_part keys;
    const char *store_moment; /* NULL: of its own */
    /* of the file, and of the store or NULL: shared */
    const bst__key_set *quarantined, *aside;
    const bst__key_set *left_behind; /* have a history that is not their row's; shared, or NULL */
    uint32_t created_column;         /* when an entity was created, or BST_NONE */
    bst_status (*on_progress)(struct bst__compare_part *part); /* now and then */
    void *whole;
    bst_compare_figures shown; /* as they were last told, under the lock of the whole */
    /* what it found */
    bst_compare_figures figures;
    bst__totals *totals;
    /* its own */
    pthread_t thread;
    bool started;
    bst_status status;
    bst_diags *diags;
} bst__compare_part;

/* One comparison; `ret_totals_differ` NULL: they are not asked for. BST_OK also when something
 * differs. */
bst_status bst__compare_pass(const bst_mapping *mapping, const bst_compare_options *options,
                             bst_arena *arena, bst_comparison *ret, bool *ret_totals_differ,
                             bst_diags *diags) BST_MUST_USE;
/* again.c: as often as it takes, for two sides that move. */
bst_status bst__compare_until_settled(const bst_mapping *mapping,
                                      const bst_compare_options *options, bst_arena *arena,
                                      bst_comparison *ret, bst_diags *diags) BST_MUST_USE;

/* Joins the rows and histories of the part. */
bst_status bst__compare_part_run(bst__compare_part *part) BST_MUST_USE;

/* A chunk of keys: its digests now, and at the comparison before. */
typedef struct bst__since_chunk {
    const char *old_digest, *new_digest, *old_before, *new_before; /* NULL: empty */
    bool was_equal, differs;
} bst__since_chunk;

typedef struct bst__since {
    const char *path;
    const char *made_at; /* NULL: there was none before */
    size_t bound_count;  /* one less than there are chunks */
    const char **bounds;
    bst__since_chunk *chunks;
    size_t read; /* chunks that have to be */
    size_t range_count;
    bst_key_range *ranges; /* of those */
} bst__since;

/* Reads the file, if there is one, and finds out what has changed. Nothing has been read yet of
 * `source` and `reader`. */
bst_status bst__since_open(bst__since *since, const bst_mapping *mapping,
                           const bst_compare_options *options, bst_source *source,
                           bst_reader *reader, bst_arena *arena, bst_diags *diags) BST_MUST_USE;
/* The chunk of this key is not equal. */
void bst__since_differs(bst__since *since, const char *key, size_t len);
bst_status bst__since_write(const bst__since *since, const bst_mapping *mapping,
                            const int64_t *tolerance, bst_diags *diags) BST_MUST_USE;

/* `source` is open. In `arena`. */
bst_status bst__left_out(const bst_mapping *mapping, const bst_synth *synth,
                         const bst_source *source, bst_arena *arena, const bst_left_out **ret,
                         size_t *ret_count, bst_diags *diags) BST_MUST_USE;

#endif
