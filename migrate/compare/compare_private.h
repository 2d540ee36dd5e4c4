/* The insides of a comparison, shared by its files:
 *
 *     compare.c  all of it: one pass or, while the old system writes, as many as it takes
 *     pass.c     one comparison: parts of the keys, a thread each, and what they found together
 *     part.c     one part: the merge join
 *     fold.c     the new side: histories, folded one at a time
 *     entity.c   a row and a history, field by field
 *     left.c     what is not compared
 *     since.c    what has not changed since the comparison before
 *     bound.c    what a sample says of all
 *     at_pg.c    while the old system writes: both sides at one place in its log
 *     log_pg.c   what was committed between two places
 *     overlay.c  what the log says of rows after they were read
 *     old_rows.c the old side: rows, and what the log says of them
 */
#ifndef BACKSTORY_COMPARE_PRIVATE_H
#define BACKSTORY_COMPARE_PRIVATE_H

#include <pthread.h>

#include "backstory/compare.h"
#include "backstory/reader.h"

#include "follow/follow_private.h"
#include "run/quarantine_private.h"
#include "totals_private.h"

/* The histories of a store in the order of their keys; the one at the head is folded. */
typedef struct bst__fold {
    const bst_machine *machine;
    const bst_key_part *part;
    const bst_evidence *creation; /* or NULL */
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
    bool has_created;   /* its first event is recorded by the creation column, */
    int64_t created;    /* at this time */
} bst__fold;

bst_status bst__fold_open(bst__fold *fold, const char *store, const char *moment,
                          bst_diags *diags) BST_MUST_USE;
/* The next history of the part to the head. */
bst_status bst__fold_next(bst__fold *fold, bst_diags *diags) BST_MUST_USE;
void bst__fold_release(bst__fold *fold);

/* ---- what the log says of rows */

typedef struct bst__overlay_row {
    const char *key;
    size_t key_len;
    bool gone;               /* there is no such row any more */
    const bst__table *table; /* as it was described then */
    bst_wal_tuple image;
    bool lost;
    UT_hash_handle hh;
} bst__overlay_row;

typedef struct bst__overlay_table {
    bst__table *table;
    struct bst__overlay_table *next;
} bst__overlay_table;

typedef struct bst__overlay {
    bst_arena *arena;
    bst__overlay_table *tables; /* the latest description first */
    bst__overlay_row *all;
    bool emptied; /* no row that was there before is there any more */
    /* when they are sorted: in the order of keys */
    size_t count;
    bst__overlay_row **rows;
} bst__overlay;

/* NULL, false: no memory. */
bst__overlay *bst__overlay_new(void);
bst__overlay *bst__overlay_free(bst__overlay *overlay);
/* Rows that follow are of this table, which is the overlay's from now on. */
bool bst__overlay_describe(bst__overlay *overlay, bst__table *table);
/* `old_key` NULL: the same key as before. */
bool bst__overlay_put(bst__overlay *overlay, const bst_text *key, const bst_text *old_key,
                      const bst_wal_tuple *image);
bool bst__overlay_remove(bst__overlay *overlay, const bst_text *key);
void bst__overlay_empty(bst__overlay *overlay);
bool bst__overlay_sort(bst__overlay *overlay);
/* log_pg.c: fills it with what was committed from `begin`, where the stream has been started, and
 * before `end`; sorted. BST_RETRY when that is too much. */
bst_status bst__overlay_read(bst__overlay *overlay, const bst_mapping *mapping,
                             bst_pg_stream *stream, uint64_t begin, uint64_t end,
                             bst_diags *diags) BST_MUST_USE;

/* Bytewise, as COLLATE "C". */
int bst__keys_compare(const char *a, size_t a_len, const char *b, size_t b_len);

struct bst__compare_part;
typedef struct bst__old_rows {
    const struct bst__compare_part *part;
    bst_source *source;
    const bst_row *held; /* read, not yet given */
    bool ended;
    size_t next; /* of what lies over them */
    bst_arena *arena;
    bst_row row;
} bst__old_rows;

bst_status bst__old_rows_open(bst__old_rows *rows, const struct bst__compare_part *part,
                              const bst_source_spec *spec, bst_diags *diags) BST_MUST_USE;
/* *ret NULL: no more; borrowed until the next. */
bst_status bst__old_rows_next(bst__old_rows *rows, const bst_row **ret,
                              bst_diags *diags) BST_MUST_USE;
void bst__old_rows_release(bst__old_rows *rows);

/* ---- both sides at one place in the log */

typedef struct bst__at bst__at;

/* Whether the comparison is to be one: as it was asked, or because somebody follows just now. A
 * follower that does not run is told in `ret_standing` (in `arena`). */
bst_status bst__at_wanted(const bst_mapping *mapping, const bst_compare_options *options,
                          bst_arena *arena, bool *ret, const char **ret_standing,
                          bst_diags *diags) BST_MUST_USE;
/* A moment of the source, and the place in its log that belongs to it; then waits until the store
 * has come there. */
bst_status bst__at_open(const bst_mapping *mapping, const bst_compare_options *options,
                        bst__at **ret, bst_diags *diags) BST_MUST_USE;
/* By this name the rows are read. */
const char *bst__at_moment(const bst__at *at);
/* What the log says of rows between that place and where the store is at its moment. *ret_behind:
 * it is not there yet, it was begun again meanwhile; take a later moment. */
bst_status bst__at_read_log(bst__at *at, const char *store_moment, bool *ret_behind,
                            bst_diags *diags) BST_MUST_USE;
bst_status bst__at_await(bst__at *at, bst_diags *diags) BST_MUST_USE;
const bst__overlay *bst__at_overlay(const bst__at *at);
/* Where both sides are. */
uint64_t bst__at_lsn(const bst__at *at);
bst__at *bst__at_free(bst__at *at);

/* Row against history. */
typedef struct bst__entity_comparer {
    const bst_mapping *mapping;
    const bst_evidence *creation; /* or NULL */
    const bst_compare_options *options;
    bst_compare_figures *figures;
    bool *differs; /* by field of the machine */
    bst_strbuf old_text, new_text;
} bst__entity_comparer;

/* The mapping's item that says when an entity was created, or NULL. */
const bst_evidence *bst__creation_of(const bst_mapping *mapping);
/* `created`: when by the history, NULL: it is not recorded by that item. */
bst_status bst__entities_compare(bst__entity_comparer *comparer, const bst_row *row,
                                 const bst_entity *old, const bst_entity *new,
                                 const int64_t *created, bool *ret_equal) BST_MUST_USE;

/* One part of the keys. Its thread has everything in it to itself; `options` say to whom it tells
 * what it finds. */
typedef struct bst__compare_part {
    const bst_mapping *mapping;
    bst_compare_options options;
    bst_key_part keys;
    const char *store_moment;    /* NULL: of its own */
    const bst__overlay *overlay; /* what lies over the rows; shared, or NULL */
    /* of the file, and of the store or NULL: shared */
    const bst__key_set *quarantined, *aside;
    const bst__key_set *left_behind; /* have a history that is not their row's; shared, or NULL */
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

/* Joins the rows and histories of the part. */
bst_status bst__compare_part_run(bst__compare_part *part) BST_MUST_USE;

/* One side of the chunks: how they are marked now, and how at the comparison before. */
typedef struct bst__since_side {
    bst_marks before, now;
} bst__since_side;

typedef struct bst__since {
    const char *path;
    bst_arena *arena;    /* of the marks of the old side, which another thread makes */
    const char *made_at; /* NULL: there was none before */
    size_t bound_count;  /* one less than there are chunks */
    const char **bounds;
    bst__since_side old, new;
    bool *was_equal, *differs; /* each chunk */
    size_t read;               /* chunks that have to be */
    size_t range_count;
    bst_key_range *ranges; /* of those */
} bst__since;

/* Reads the file, if there is one, and finds out what has changed. Nothing has been read yet of
 * `source` and `reader`; `overlay` lies over the former, or is NULL. */
bst_status bst__since_open(bst__since *since, const bst_mapping *mapping,
                           const bst_compare_options *options, bst_source *source,
                           const bst__overlay *overlay, bst_reader *reader, bst_arena *arena,
                           bst_diags *diags) BST_MUST_USE;
void bst__since_release(bst__since *since);
/* The chunk of this key is not equal. */
void bst__since_differs(bst__since *since, const char *key, size_t len);
bst_status bst__since_write(const bst__since *since, const bst_mapping *mapping,
                            const bst_compare_options *options, bst_diags *diags) BST_MUST_USE;

/* `source` is open. In `arena`. */
bst_status bst__left_out(const bst_mapping *mapping, const bst_synth *synth,
                         const bst_source *source, bst_arena *arena, const bst_left_out **ret,
                         size_t *ret_count, bst_diags *diags) BST_MUST_USE;

#endif
