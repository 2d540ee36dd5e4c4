/* Following: the old system goes on writing, and every transaction that it commits becomes events
 * in the store, exactly once.
 *
 *     slot and snapshot - every row of the snapshot - the log from exactly there on
 *
 * A legacy transaction that changes rows of the mapping's table comes into the store in one
 * transaction, together with its place in the log. So whatever is killed, and whenever: what the
 * store has is the whole of some first part of the log, and following goes on behind it. After
 * each transaction the fold of every entity that it touched is its row, or the entity stands in
 * quarantine and the change is kept there.
 */
#ifndef BACKSTORY_FOLLOW_H
#define BACKSTORY_FOLLOW_H

#include <signal.h>

#include "backstory/mapping.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_FOLLOW_BATCH_CHANGES 8192u       /* changes held at a time, */
#define BST_FOLLOW_BATCH_BYTES   (16u << 20) /* and their bytes: a transaction may have more */

typedef struct bst_follow_figures {
    /* since this process began */
    uint64_t transactions, changes, unchanged, quarantined, released, events;
    uint64_t races;         /* that the log shows, see bst_follow_ledger */
    uint64_t snapshot_rows; /* of the first snapshot, as far as it is read */
    uint64_t lsn;           /* all before it is in the store */
    uint64_t server_lsn;    /* the end of the log, as last heard */
    uint64_t lag_bytes;     /* between the two */
    int64_t lag_us_max;     /* the largest since this process had first caught up */
    /* from the commit in the old system to that in the store, of the transaction that waited
     * longest among those of the last commit */
    int64_t lag_us;
    uint64_t lag_transactions; /* received, and not committed yet */
    uint64_t retained_bytes;   /* of log that the server keeps for the slot; 0: not asked yet */
    bool idle;                 /* nothing is left to do at the moment */
} bst_follow_figures;

/* A table in which the old system writes down what each of its transactions does to a field: with
 * it a lost update is proved, without it only suspected. What it inserts, updates and deletes
 * there, all in all, is what it does to the field:
 *
 *     INSERT INTO transfers (account_id, amount) VALUES (1, -20);
 *     UPDATE accounts SET balance = 80 WHERE id = 1;               -- and 115 was there */
typedef struct bst_follow_ledger {
    const char *table;  /* "public.transfers" */
    const char *entity; /* its column with the entity's key */
    const char *amount; /* its column with what is added */
    const char *field;  /* of the machine: a number */
} bst_follow_ledger;

typedef struct bst_follow_options {
    const char *from, *to; /* connection strings */
    const char *slot;      /* of the slot and of its publication: a-z, 0-9 and _ */
    const char *tool_version;
    bool until_now; /* stop at what is committed at the start; or at `until`, when not 0 */
    uint64_t until;
    bool check_only;     /* the preflight, and nothing else */
    bool snapshot_again; /* make the slot anew and reconcile with every row */
    /* The source, as it is called in a refusal (followed-by-another), whose place `from` takes;
     * NULL: none. */
    const char *take_over;
    /* Of the first snapshot, see bst_run_options: readers, and about how many rows each takes. */
    uint32_t jobs;
    uint64_t chunk_rows;
    const bst_follow_ledger *ledger; /* NULL: none */
    /* A column that each writer sets to one more than it saw; NULL: none */
    const char *version_column;
    uint64_t retained_max;             /* warn when the slot keeps more log than this; 0: 1 GiB */
    const volatile sig_atomic_t *stop; /* not 0: stop at the next commit. May be NULL */
    /* Now and then, at least each second; may be NULL. Not BST_OK stops. */
    bst_status (*on_progress)(void *context, const bst_follow_figures *figures);
    /* What a person should hear of: "the publication payment_follow was made". May be NULL. */
    void (*on_notice)(void *context, const char *text);
    void *context;
} bst_follow_options;

/* Runs until it is stopped, `until` is reached or something fails; can be started again at any
 * time. Findings of the preflight are all reported, each with what mends it. */
BST_API bst_status bst_follow(const bst_mapping *mapping, const bst_follow_options *options,
                              bst_follow_figures *ret_figures, bst_diags *diags) BST_MUST_USE;

/* What following has found of races, see backstory.follow_race. All is text as the store prints it,
 * NULL where there is nothing, and borrowed. */
typedef struct bst_races_sum {
    const char *kind, *proof, *field;
    uint64_t count, entities;
    const char *lost;
} bst_races_sum;

typedef struct bst_race {
    const char *kind, *proof, *field, *key, *lsn, *xid, *committed_at;
    const char *overwrote; /* transactions, with ", " between them */
    const char *seen, *found, *wrote, *lost;
} bst_race;

/* Since when a slot has been watched, and how often following began anew: a race with one half on
 * either side of a start is told only if its entity was among the last that were written. */
typedef struct bst_races_watch {
    const char *slot, *since, *last_start, *last_lsn, *until; /* times; NULL: not known */
    uint64_t starts;
} bst_races_watch;

/* How long entities stayed in a state: seconds. */
typedef struct bst_stay {
    const char *machine, *state;
    uint64_t stays;
    const char *shortest, *median, *mean, *longest;
} bst_stay;

typedef struct bst_races_visitor {
    bst_status (*on_watch)(void *context, const bst_races_watch *watch);
    bst_status (*on_sum)(void *context, const bst_races_sum *sum);
    bst_status (*on_race)(void *context, const bst_race *race);
    bst_status (*on_stay)(void *context, const bst_stay *stay);
    void *context;
} bst_races_visitor;

/* Those that are proved first. `slot` NULL: of all; `limit` 0: all races. */
BST_API bst_status bst_races_list(const char *from, const char *slot, uint64_t limit,
                                  const bst_races_visitor *visitor, bst_diags *diags) BST_MUST_USE;

/* A logical slot of a server, as far as a person wants to know. Texts are borrowed. */
typedef struct bst_slot {
    const char *name, *plugin, *database;
    const char *wal_status; /* reserved, extended, unreserved or lost */
    bool active, published; /* a publication of its name is there */
    uint64_t confirmed, retained_bytes;
} bst_slot;

/* Those of the connection's database, by name. */
BST_API bst_status bst_slots_list(const char *from,
                                  bst_status (*on_slot)(void *context, const bst_slot *slot),
                                  void *context, bst_diags *diags) BST_MUST_USE;
/* Drops the slot of pgoutput and the publication of its name, where they are there; BST_DATABASE
 * when neither is, or when somebody reads the slot. */
BST_API bst_status bst_slots_drop(const char *from, const char *name,
                                  bst_diags *diags) BST_MUST_USE;

/* The name of a slot for a machine: "backstory_payment". The caller frees it; NULL: no memory. */
BST_API char *bst_follow_slot_name(const bst_machine *machine);

#ifdef __cplusplus
}
#endif
#endif
