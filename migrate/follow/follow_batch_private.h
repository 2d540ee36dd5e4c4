/* What the log and the first snapshot share: the way of events into the journal.
 *
 *     message_pg.c   a message of the log -> a change that is held
 *     batch_pg.c     the batch as a whole, and its commit
 *     change_pg.c    a change -> events, or set aside
 *     load_pg.c      what the store knows of the entities
 */
#ifndef BACKSTORY_FOLLOW_BATCH_PRIVATE_H
#define BACKSTORY_FOLLOW_BATCH_PRIVATE_H

#include "follow_private.h"

typedef struct bst__change {
    bst_wal_kind kind;
    char old_kind;
    bst_wal_tuple old_row, new_row;
    uint64_t lsn;
    uint32_t place;
    bst__origin origin;
    bst_text key;     /* its name: of the new row; of a delete, the old */
    bst_text old_key; /* where it differs; text NULL: it does not */
    bool of_ledger;   /* its row: none of the mapping's table */
    bool key_is_null, old_key_is_null;
    bst__known *known, *old_known; /* of the keys, once they are loaded */
} bst__change;

struct bst__batch {
    const bst_mapping *mapping;
    const bst_follow_options *options;
    bst_journal *journal;
    bst__columns *columns;
    bst_follow_figures *figures;
    bst__stepper *stepper;
    bst__races *races;
    bst__ledger_table ledger;
    bst__cache cache;
    bst__table *table; /* NULL: not described yet */
    bst_arena *arena;  /* of what is held */
    bst_arena *row_arena;
    bst__change *changes;
    bst_text *missing; /* keys to be loaded */
    uint32_t count;
    bst_journal_mark mark; /* since the last commit */
    bst_value *payload;    /* room to fold an event */
    bst__known *folding;   /* the entity whose events are coming */
    bst_strbuf old_image, new_image, text;
    bst_strbuf memory; /* of writers, until it is committed */
    /* they work beside it for the same journal, which tells their plans by address */
    bst__batch **helpers;
    size_t helper_count;
    bst_diags *diags;
};

/* batch_pg.c: one more batch for the same journal, owned by this one, until when it lives. Whoever
 * uses several sees to it that one at a time has the journal. */
bst_status bst__batch_help(bst__batch *batch, bst__batch **ret_helper,
                           bst_diags *diags) BST_MUST_USE;
/* What it has done since its last commit goes with the next one of the batch. */
void bst__batch_take_figures(bst__batch *batch, bst__batch *helper);
/* load_pg.c: the histories of the first `count` of `missing` into the cache, which has an entry for
 * each of them. */
bst_status bst__batch_load(bst__batch *batch, size_t count) BST_MUST_USE;
/* Takes one event of the store's more. */
bst_status bst__batch_fold(bst__batch *batch, bst__known *known,
                           const bst_stored_event *event) BST_MUST_USE;
/* change_pg.c: puts events behind those of the entity; `initial`: it is a history of what was
 * before. */
bst_status bst__batch_append(bst__batch *batch, bst__known *known, bst__verdict *verdict,
                             bool initial) BST_MUST_USE;
/* Works off what is held when it is enough. */
bst_status bst__batch_work_when_full(bst__batch *batch, bst_diags *diags) BST_MUST_USE;

#endif
