/* What the files of the journal share: its session, and what is held of a transaction.
 *
 *     journal_pg.c         the session: store, locks, slot; statements in its transaction
 *     journal_rows_pg.c    events, held as the rows of one COPY
 *     journal_notes_pg.c   what was set aside, let go, or noted as a race, held as JSON
 *     journal_commit_pg.c  all of that sent; the place of the slot moved
 *     journal_load_pg.c    what is stored of entities
 *     journal_all_pg.c     what is said of all entities at once
 */
#ifndef BACKSTORY_JOURNAL_PRIVATE_H
#define BACKSTORY_JOURNAL_PRIVATE_H

#include "backstory/journal.h"
#include "pg_private.h"
#include "plan_shelf_private.h"
#include "sink_pg_private.h"

/* Where a row begins among those that are held. */
struct bst__row_start {
    size_t at;
    bool initial; /* it gets no position */
};

struct bst_journal {
    bst_pg *pg;
    const bst_machine *machine;
    bst_journal_info info;
    int16_t machine_id;
    int64_t version_id;
    int32_t run_id; /* 0: not yet taken */
    bool run_stored, open;
    bst_journal_state state;
    bool same_mapping, empty;
    uint64_t lsn;                 /* of the slot, as committed */
    const char *memory, *columns; /* to be kept; NULL: as it is */
    char *columns_before;
    bst__plan_book plans;
    bst__plan_shelf *shelf;        /* all plans of the machine's events; NULL: to be loaded */
    bst_strbuf rows;               /* of a COPY, without its head */
    struct bst__row_start *starts; /* of each row */
    size_t row_count, row_room, initial_count;
    bst_strbuf aside, released, races; /* JSON arrays without their end */
};

/* The transaction that ends with the next commit. */
bst_status bst__journal_begin(bst_journal *journal, bst_diags *diags) BST_MUST_USE;
/* A statement whose rows nobody wants. */
bst_status bst__journal_run(bst_journal *journal, const char *sql, size_t count,
                            const char *const *params, bst_diags *diags) BST_MUST_USE;

/* Send what is held, and hold nothing. */
bst_status bst__journal_send_rows(bst_journal *journal, bst_diags *diags) BST_MUST_USE;
bst_status bst__journal_send_notes(bst_journal *journal, bst_diags *diags) BST_MUST_USE;

/* What every exception has, as members of a JSON object that is begun. */
void bst__journal_add_exception(bst_strbuf *out, const bst_journal_exception *exception);
/* Gives a statement the slot, the machine and an array of such objects, whose end is not written
 * yet; clears it. Nothing is done when there are none. */
bst_status bst__journal_hand_over(bst_journal *journal, bst_strbuf *items, const char *sql,
                                  bst_diags *diags) BST_MUST_USE;

#endif
