/* The insides of following, shared by its files:
 *
 *     wal.c          bytes -> messages
 *     table.c        a row image in a message -> the row as the mapping reads it
 *     key.c          the key of a row image, and the entity's name where it can be none
 *     unsent.c       values that the log left out of a row image, from where they stand
 *     cache.c        what is known of entities: where they stand, at which version
 *     step.c         an entity and its new row -> events, or why not (step_private.h)
 *     payload.c      which payload makes an event lead from here to there
 *     bridge.c       the likeliest ways from one state to another
 *     races_pg.c     what the log shows of writers that did not see one another
 *     ledger.c       what the old system wrote down of its transactions, and whether it fits
 *     races_memory.c what is remembered of writers across starts
 *     message_pg.c, batch_pg.c, change_pg.c, load_pg.c
 *                    changes in the order of the log -> the store (follow_batch_private.h)
 *     first_pg.c     a first snapshot, by the run that loads a machine
 *     snapshot_pg.c, merge_pg.c
 *                    every row of the source, held against its history -> the store
 *                    (snapshot_private.h)
 *     columns_pg.c   whether the columns are still those that the histories were made of
 *     check_pg.c     the preflight
 *     alone_pg.c     is there another follower?
 *     talk.c         notices to the caller, and its wish to stop
 *     start_pg.c     publication, slot, the first snapshot
 *     intake_pg.c    the log, read ahead
 *     pg.c           the loop: read, batch, commit, confirm
 */
#ifndef BACKSTORY_FOLLOW_PRIVATE_H
#define BACKSTORY_FOLLOW_PRIVATE_H

#include "backstory/follow.h"
#include "backstory/journal.h"
#include "backstory/pg_stream.h"
#include "backstory/wal.h"

#include "synth/synth_private.h"

/* ---- table.c */

/* The table as the log describes it at the moment, held against the mapping. */
typedef struct bst__table {
    const bst_mapping *mapping;
    bst_arena *arena;
    uint32_t oid;
    char identity;
    uint16_t column_count; /* of the table */
    const char **names;
    uint32_t *key_at;    /* spec->key_count: column of the table */
    uint32_t *column_at; /* spec->column_count: likewise */
    bool *is_money;      /* of spec->columns: its text is an amount in the server's currency */
    bool *from_field;    /* of spec->columns: an entity's field holds its value as it is */
    uint32_t *field_of;  /* and which */
    uint64_t shape;      /* of the description, to see that it is the same */
} bst__table;

/* True when this message describes the table of that name; without a schema it is in public. */
bool bst__table_is(const char *name, const bst_wal_message *relation);
/* A column that the mapping reads and the table has no more is a BST_INVALID. */
bst_status bst__table_bind(const bst_mapping *mapping, const bst_wal_message *relation,
                           bst__table **ret, bst_diags *diags) BST_MUST_USE;
bst__table *bst__table_free(bst__table *table);

/* A row as the mapping reads it, in `arena`. The cell of a value that was not sent is a bad one.
 * BST_INVALID only for what is the mapping's mistake (a naive time without a zone). */
bst_status bst__table_row(const bst__table *table, const bst_wal_tuple *tuple, bst_arena *arena,
                          bst_row *ret, bst_diags *diags) BST_MUST_USE;
/* A column's value as text in `arena`; NULL: it is NULL, was not sent, or there is no such column.
 */
const char *bst__table_text(const bst__table *table, const bst_wal_tuple *tuple, const char *column,
                            bst_arena *arena);
/* The row as a JSON object of texts; NULL columns are null, those not sent left out. */
void bst__table_image(const bst__table *table, const bst_wal_tuple *tuple, bst_strbuf *out);

/* ---- key.c */

/* A value of a row; NULL where there is no row or no such column. Borrowed from it. */
const bst_wal_value *bst__wal_value(const bst_wal_tuple *row, uint32_t column);

typedef enum bst__key_result {
    BST__KEY_OK,
    BST__KEY_NULL,   /* a part of it is NULL; it is given as the empty text */
    BST__KEY_UNSENT, /* a part of it is neither in the row nor in the old one */
    BST__KEY_NOMEM
} bst__key_result;

/* The key of a row, in `arena`; `old_row` may be NULL. It may be empty, or too long. */
bst__key_result bst__table_key(const bst__table *table, const bst_wal_tuple *row,
                               const bst_wal_tuple *old_row, bst_arena *arena, bst_text *ret);
/* What an entity with this key is called here: the key; or, where that is longer than
 * BST_KEY_BYTES_MAX, something in `arena` that is longer as well, and that an index of the store
 * can hold. False: no memory. */
bool bst__key_name(const char *key, size_t len, bst_arena *arena, bst_text *ret);

/* ---- cache.c */

/* What is known of an entity. Values lie in one block behind it. */
typedef struct bst__known {
    const char *key;
    size_t key_len;
    int64_t version; /* 0: it has no history */
    uint32_t state;
    bool quarantined;
    char *image; /* its last row, when QUARANTINED and known: JSON; or NULL */
    size_t image_size;
    bool touched;             /* since the last sweep */
    int64_t last_at;          /* when its last event occurred */
    int64_t since;            /* when it came to its state */
    struct bst__trace *trace; /* of its last writer here; NULL: none yet */
    bst_value *fields;        /* machine->field_count */
    char *block;
    size_t block_size;
    bool lost;
    UT_hash_handle hh;
} bst__known;

typedef struct bst__cache {
    const bst_machine *machine;
    bst__known *all;
    size_t bytes;
} bst__cache;

#define BST__CACHE_BYTES_MAX (48u << 20)

bst__known *bst__cache_find(bst__cache *cache, const char *key, size_t len);
/* NULL: no memory. */
bst__known *bst__cache_add(bst__cache *cache, const char *key, size_t len);
/* Copies values so that their texts lie in `*ret_block`. False: no memory. */
bool bst__cache_copy(const bst_machine *machine, const bst_value *fields, bst_value *ret_fields,
                     char **ret_block, size_t *ret_size);
/* Copies the values. False: no memory. */
bool bst__cache_set(bst__cache *cache, bst__known *known, uint32_t state, const bst_value *fields);
/* It stands in quarantine with this image (copied), which may be NULL. False: no memory. */
bool bst__cache_set_aside(bst__cache *cache, bst__known *known, const char *image);
/* It does not any more. */
void bst__cache_release(bst__cache *cache, bst__known *known);
/* Throws out what has not been touched lately, when it has grown too large. No pointer survives. */
void bst__cache_sweep(bst__cache *cache);
void bst__cache_clear(bst__cache *cache);

/* ---- unsent.c */

/* Fills the gaps of a new row, values that are stored out of line and did not change, as far as
 * they are known: from `old_row` (NULL: the log has none), or from what is known of the entity
 * whose row it was before the change. Values lie in `arena`. */
bst_status bst__table_complete(const bst__table *table, const bst_wal_tuple *old_row,
                               const bst__known *before, bst_arena *arena, bst_wal_tuple *row,
                               bst_diags *diags) BST_MUST_USE;
/* A column that a field holds and the row still lacks; NULL: there is none. */
const char *bst__table_unsent(const bst__table *table, const bst_wal_tuple *row);

/* ---- races_pg.c */

/* What is remembered of writers of an entity. */
typedef struct bst__trace {
    uint32_t xid;
    uint32_t newest;     /* the newest transaction when that one was committed */
    uint32_t version_by; /* who set the version that is there; 0: not known */
    /* before the first write of that one */
    uint32_t state;
    bst_value *fields;
    char *block;
    /* of the ledger's field: its last writers, the latest last, with what each found */
    uint32_t writer_count;
    uint32_t writers[BST_RACE_WRITERS_MAX];
    int64_t found[BST_RACE_WRITERS_MAX];
} bst__trace;

/* NULL: no memory. */
bst__trace *bst__trace_new(const bst_machine *machine);
bst__trace *bst__trace_free(bst__trace *trace);

/* ---- races_memory.c */

#define BST__MEMORY_ENTITIES 256u

typedef struct bst__memory bst__memory;

bst__memory *bst__memory_new(const bst_machine *machine, uint32_t ledger_field); /* NULL: none */
bst__memory *bst__memory_free(bst__memory *memory);
/* The entity has been written. False: no memory. */
bool bst__memory_touch(bst__memory *memory, const char *key, size_t len);
/* Appends the traces of those that were written last, as JSON. False: none was since the last time,
 * and nothing is appended. */
bool bst__memory_write(bst__memory *memory, bst__cache *cache, bst_strbuf *out);

typedef struct bst__memory_visitor {
    /* The trace is the visitor's. */
    bst_status (*on_trace)(void *context, const char *key, size_t len, bst__trace *trace);
    void *context;
} bst__memory_visitor;

/* What an earlier start wrote. What does not fit this machine, or is no such JSON, is left out. */
bst_status bst__memory_read(bst__memory *memory, const char *text,
                            const bst__memory_visitor *visitor, bst_diags *diags) BST_MUST_USE;

/* ---- races_pg.c */

/* A change of an entity, to be held against the one before. */
typedef struct bst__write {
    const bst__known *known; /* before it */
    const bst_entity *row;   /* after it; NULL: it cannot be read */
    uint64_t lsn;
    uint32_t xid;
    int64_t committed_at;
    const char *old_version, *new_version; /* of the version column; NULL: there is none */
} bst__write;

/* ---- ledger.c */

/* The ledger as the log describes it. */
typedef struct bst__ledger_table {
    uint32_t oid; /* 0: not described yet */
    uint32_t entity_at, amount_at;
} bst__ledger_table;

/* A change of one of its rows. */
typedef struct bst__ledger_change {
    bst_wal_kind kind;
    char old_kind; /* as in bst_wal_message */
    bst_wal_tuple old_row, new_row;
} bst__ledger_change;

/* What a transaction did to the ledger's field of an entity, and what it says it did. */
typedef struct bst__tally {
    bool unclear; /* some of it is not known */
    bool written;
    int64_t found, wrote, amount;
    uint64_t lsn;
    int64_t committed_at;
    uint32_t xid;
    uint32_t writer_count; /* before it, the latest last, with what each found */
    uint32_t writers[BST_RACE_WRITERS_MAX];
    int64_t writer_found[BST_RACE_WRITERS_MAX];
    bool lost;
    UT_hash_handle hh;
    size_t key_len;
    char key[];
} bst__tally;

/* Of one transaction. */
typedef struct bst__tallies {
    const bst_type *type; /* of the field: a number */
    bst__tally *all;
    bool unclear; /* what the ledger says is not all known */
} bst__tallies;

void bst__tallies_clear(bst__tallies *tallies);
void bst__tallies_entry(bst__tallies *tallies, const bst__ledger_table *table,
                        const bst__ledger_change *change, bst_arena *scratch);
/* A write of the entity, before it is remembered in its trace. */
void bst__tallies_write(bst__tallies *tallies, const bst__write *write, uint32_t field);
/* Of this entity nothing is to be said in this transaction. */
void bst__tallies_pass_over(bst__tallies *tallies, const char *key, size_t len);
/* False: it fits, or nothing can be said. Else the value that the transaction saw, and how much
 * more the row should have. */
bool bst__tally_lost(const bst__tallies *tallies, const bst__tally *tally, int64_t *ret_seen,
                     int64_t *ret_lost);

/* ---- races_pg.c */

typedef struct bst__races bst__races;

bst_status bst__races_new(const bst_mapping *mapping, const bst_follow_options *options,
                          bst_journal *journal, bst__races **ret, bst_diags *diags) BST_MUST_USE;
bst__races *bst__races_free(bst__races *races);
/* Holds the write against what came before it, and remembers it in `known`. */
bst_status bst__races_write(bst__races *races, bst__known *known, const bst__write *write,
                            bst_diags *diags) BST_MUST_USE;
/* The entity is deleted, or has another key: it is passed over in this transaction, and its last
 * writer is forgotten. */
void bst__races_pass_over(bst__races *races, bst__known *known);
/* A change of a row of the ledger. */
void bst__races_entry(bst__races *races, const bst__ledger_table *table,
                      const bst__ledger_change *change);
/* A table was emptied: nothing that the transaction wrote down proves anything. */
void bst__races_emptied(bst__races *races);
/* The transaction is over: do its entries in the ledger fit what it did? */
bst_status bst__races_commit(bst__races *races, bst_diags *diags) BST_MUST_USE;
uint64_t bst__races_count(const bst__races *races);
/* Writers that an earlier start remembers; `trace` becomes the entity's. */
bst__memory *bst__races_memory(bst__races *races);
void bst__races_recall(bst__races *races, const bst__trace *trace);

/* ---- bridge.c */

typedef struct bst__way {
    uint32_t count;
    const uint32_t *transitions;
    const bst_basis *basis; /* of each step */
    const double *confidence;
    double share; /* of the whole way among all */
} bst__way;

typedef struct bst__bridge bst__bridge;
struct bst__bridge {
    uint64_t ends;  /* from << 32 | to; from BST_NONE: a creation */
    uint32_t count; /* the likeliest first; 0: there is none */
    const bst__way *ways;
    bool lost;
    UT_hash_handle hh;
};

#define BST__WAYS_MAX 8u

/* ---- payload.c */

/* Fills the payload of the event of a transition so that it leads from `entity` to `target` (field
 * values as the row has them), as far as that can be. `ret_negative`: an amount that the event adds
 * or takes away came out below zero. False: a value does not fit its type. */
bool bst__payload_solve(bst_synth *synth, uint32_t transition, const bst_entity *entity,
                        const bst_value *target, const bst_row *row, bst_value *ret_payload,
                        bool *ret_negative);
/* The payload of a reconciliation that leads from `entity` to `target`, as far as it may. False: a
 * difference is out of range. */
bool bst__payload_reconcile(bst_synth *synth, uint32_t event, const bst_entity *entity,
                            const bst_value *target, bst_value *ret_payload);
/* Whether the guards that can be asked agree that this transition is the one taken. */
bool bst__payload_allowed(bst_synth *synth, uint32_t transition, const bst_entity *entity,
                          const bst_value *payload, uint32_t *ret_guard);

/* ---- step.c */

typedef struct bst__stepper bst__stepper;

typedef enum bst__verdict_kind {
    BST__STEP_NOTHING, /* the row says what the history says */
    BST__STEP_EVENTS,
    BST__STEP_ASIDE
} bst__verdict_kind;

/* What a change comes to. Borrowed until the next one. */
typedef struct bst__verdict {
    bst__verdict_kind kind;
    bst_history events;    /* EVENTS: without the key */
    bst_entity entity;     /* EVENTS: where the entity stands afterwards */
    const bst_entity *row; /* what the row says; NULL: it cannot be read */
    const char *reason;    /* ASIDE: a code */
    const char *message;   /* and a sentence */
} bst__verdict;

typedef struct bst__moment {
    int64_t committed_at;
    bool snapshot; /* it is how the row was found, not what was seen to happen */
} bst__moment;

bst_status bst__stepper_new(const bst_mapping *mapping, bst__stepper **ret,
                            bst_diags *diags) BST_MUST_USE;
bst__stepper *bst__stepper_free(bst__stepper *stepper);
/* `known`: version 0 when there is no history yet. */
bst_status bst__stepper_take(bst__stepper *stepper, const bst__known *known, const bst_row *row,
                             const bst__moment *moment, bst__verdict *ret,
                             bst_diags *diags) BST_MUST_USE;

/* ---- columns_pg.c */

typedef struct bst__columns bst__columns;

/* `kept`: what was to be stored of an earlier start; NULL: nothing. NULL: no memory. */
bst__columns *bst__columns_new(bst_pg *source, const bst_mapping *mapping, const char *kept);
bst__columns *bst__columns_free(bst__columns *columns);
/* What the catalog said at this moment is what is known from now on. */
bst_status bst__columns_at(bst__columns *columns, const char *snapshot,
                           bst_diags *diags) BST_MUST_USE;
/* Holds what the catalog says against what is known. */
bst_status bst__columns_look(bst__columns *columns, bool *ret_same, bst_diags *diags) BST_MUST_USE;
/* Changes of rows that stand before this place in the log are of the columns that are known; 0: of
 * none it is known. */
uint64_t bst__columns_same_until(const bst__columns *columns);
/* What is known, when it has not been given out yet: borrowed until the next look; else NULL. */
const char *bst__columns_to_store(bst__columns *columns);
/* What was found at the last look. */
bst_status bst__columns_report(const bst__columns *columns, bst_diags *diags);

/* ---- batch_pg.c, message_pg.c */

/* A transaction of the log. */
typedef struct bst__origin {
    uint64_t commit_lsn;
    int64_t committed_at;
    uint32_t xid;
    uint32_t changes; /* so far: the place of the next one */
} bst__origin;

typedef struct bst__batch bst__batch;

bst_status bst__batch_new(const bst_mapping *mapping, const bst_follow_options *options,
                          bst_journal *journal, bst__columns *columns, bst_follow_figures *figures,
                          bst__batch **ret, bst_diags *diags) BST_MUST_USE;
bst__batch *bst__batch_free(bst__batch *batch);
/* Takes in a message about rows or tables; works off what is held when it is enough. */
bst_status bst__batch_add(bst__batch *batch, const char *bytes, size_t len, uint64_t lsn,
                          bst__origin *origin, bst_diags *diags) BST_MUST_USE;
/* Works off what is held: it is in the journal then, not committed. */
bst_status bst__batch_work(bst__batch *batch, bst_diags *diags) BST_MUST_USE;
/* A transaction has ended there. */
bst_status bst__batch_end(bst__batch *batch, const bst__origin *origin, uint64_t end_lsn,
                          bst_diags *diags) BST_MUST_USE;
/* Commits all whole transactions so far; must not be called inside of one. `upto`: also that there
 * is nothing more before that place; 0: not. */
bst_status bst__batch_commit(bst__batch *batch, uint64_t upto, bst_diags *diags) BST_MUST_USE;
/* Goes on with what the store has of an earlier start's memory. */
bst_status bst__batch_recall(bst__batch *batch, bst_diags *diags) BST_MUST_USE;
/* Something is waiting for a commit. */
bool bst__batch_is_dirty(const bst__batch *batch);
/* Transactions, and changes, since the last commit. */
uint64_t bst__batch_pending(const bst__batch *batch);
uint64_t bst__batch_pending_changes(const bst__batch *batch);

/* A moment of the source that a session holds, and where in the log it is. */
typedef struct bst__snapshot {
    const char *name;
    uint64_t lsn;
    int64_t taken_at;
} bst__snapshot;

/* Which rows are held against their histories. */
typedef enum bst__look {
    BST__LOOK_AT_NONE,
    BST__LOOK_AT_ASIDE, /* those that a load has put aside */
    BST__LOOK_AT_ALL
} bst__look;

/* ---- first_pg.c */

/* Loads the histories of a machine that the store has none of, as `migrate` does; goes on with a
 * load that was broken off. `*ret_left`: what is still to be looked at in the same snapshot. A stop
 * that was asked for is BST_RETRY. */
bst_status bst__follow_load(const bst_mapping *mapping, const bst_follow_options *options,
                            const bst__snapshot *snapshot, bst_follow_figures *figures,
                            bst__look *ret_left, bst_diags *diags) BST_MUST_USE;

/* ---- snapshot_pg.c */

/* Reconciles the store with rows of the source; all but the last of it is committed. Ends early,
 * and well, when a stop was asked for. */
bst_status bst__batch_snapshot(bst__batch *batch, const bst_follow_options *options,
                               const bst__snapshot *snapshot, bst__look look,
                               bst_diags *diags) BST_MUST_USE;

/* ---- check_pg.c */

/* All that must be so on the source's side, each with what mends it. */
bst_status bst__follow_preflight(bst_pg *source, const bst_mapping *mapping,
                                 const bst_follow_options *options, bst_diags *diags) BST_MUST_USE;
/* ---- alone_pg.c */

/* The store is ready for this follower, and no other slot brings the same table into the same
 * store. With a journal nobody can begin to meanwhile; NULL: the preflight. */
bst_status bst__follow_alone(bst_pg *source, const bst_mapping *mapping,
                             const bst_follow_options *options, bst_journal *journal,
                             bst_diags *diags) BST_MUST_USE;

/* ---- start_pg.c */

/* The source as the store remembers it. */
bst_status bst__follow_label(bst_pg *source, const bst_mapping *mapping, bst_strbuf *out,
                             bst_diags *diags) BST_MUST_USE;
/* Who keeps a slot from being made: transactions that have written and are open. Appends nothing
 * when there are none. */
bst_status bst__follow_who_blocks(bst_pg *source, bst_strbuf *out, bst_diags *diags) BST_MUST_USE;
/* Whether following can go on from this place of the store's. */
bst_status bst__follow_can_go_on(bst_pg *source, const bst_follow_options *options, uint64_t lsn,
                                 bool same_mapping, bst_diags *diags) BST_MUST_USE;
/* Makes publication and slot where they are missing, and reads the first snapshot. Afterwards the
 * journal is ready. */
bst_status bst__follow_begin(bst_pg *source, const bst_mapping *mapping,
                             const bst_follow_options *options, bst_journal *journal,
                             bst__batch *batch, bst_follow_figures *figures,
                             bst_diags *diags) BST_MUST_USE;

/* ---- talk.c */

/* Whether the caller wants an end. */
bool bst__follow_stops(const bst_follow_options *options);
/* A notice to the caller. */
void bst__follow_say(const bst_follow_options *options, const char *format, ...) BST_PRINTF(2, 3);

/* bridge.c; NULL: no memory, or a finding. */
const bst__bridge *bst__bridge_find(bst__bridge **all, const bst_mapping *mapping, uint32_t from,
                                    uint32_t to, bst_arena *arena, bst_diags *diags);

#endif
