/* What is going on in a store, and what was put aside: for people. Built only with
 * BACKSTORY_POSTGRES. */
#ifndef BACKSTORY_LOADS_H
#define BACKSTORY_LOADS_H

#include "backstory/diag.h"
#include "backstory/pg_stream.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A migration. Texts are borrowed for the call. */
typedef struct bst_load_entry {
    int64_t run_id;
    const char *machine, *source, *started_at;
    const char *finished_at; /* NULL: it is not */
    bool running;            /* somebody holds the machine */
    uint64_t chunks, chunks_done;
    uint64_t rows, events, quarantined, bytes; /* of the chunks that are done */
    uint64_t retries;       /* sessions of its readers that were lost on the way to these chunks */
    const char *waited_for; /* why the last was, in words; NULL: none was */
    /* Why it waits for its source just now, since when, and when it tries again; NULL: it does not
     */
    const char *waits_for, *waits_since, *waits_until;
    double seconds;         /* since it began, or that it took */
    double rows_per_second; /* over the last minute, of one that runs */
} bst_load_entry;

/* Connects to a store that must be there: BST_DATABASE (code no-store) when it is not. The
 * connection is the caller's, also then. */
BST_API bst_status bst_store_open(const char *conninfo, bst_pg **ret,
                                  bst_diags *diags) BST_MUST_USE;

/* The latest first. */
BST_API bst_status bst_loads_list(const char *store,
                                  bst_status (*visit)(void *context, const bst_load_entry *entry),
                                  void *context, bst_diags *diags) BST_MUST_USE;

/* A row that was put aside and has no history yet. */
typedef struct bst_aside {
    const char *machine;
    const char *key; /* NULL: it has none */
    size_t key_len;
    const char *code;
    const char *line; /* as in the file of quarantined rows */
    size_t line_len;
} bst_aside;

/* Those of one machine and one key, or (NULL) of all; in the order in which they were read.
 * `moment`: as a reader of the store gave it (bst_reader_moment), or NULL: now. BST_DATABASE (code
 * no-store) when there is no store. */
BST_API bst_status bst_store_aside(const char *store, const char *machine, const char *key,
                                   const char *moment,
                                   bst_status (*visit)(void *context, const bst_aside *aside),
                                   void *context, bst_diags *diags) BST_MUST_USE;

/* The same of the changes that a follower has set aside: these entities have a history, which is
 * not that of their row any more, or none at all. In the order of the log. */
BST_API bst_status bst_follow_aside(const char *store, const char *machine, const char *key,
                                    const char *moment,
                                    bst_status (*visit)(void *context, const bst_aside *aside),
                                    void *context, bst_diags *diags) BST_MUST_USE;

/* A slot by which a machine is followed, as the store knows it. */
typedef struct bst_follow_place {
    char slot[BST_SLOT_NAME_MAX + 1u]; /* "": there is none */
    uint64_t lsn;                      /* all before it is here; 0: the first snapshot is not */
    bool running;                      /* a process follows it just now */
} bst_follow_place;

/* That of this source (as a journal is told of it; NULL: any, rather one that runs). At a
 * moment as above, or NULL. No store has no slot. */
BST_API bst_status bst_follow_find(const char *store, const char *machine, const char *source,
                                   const char *moment, bst_follow_place *ret,
                                   bst_diags *diags) BST_MUST_USE;

typedef struct bst_follow_wait {
    const char *slot; /* NULL: every one of the machine */
    uint64_t lsn;     /* to come to this place in the old system's log */
    uint32_t seconds;
    /* Each second; NULL: nobody hears of it. */
    void (*on_wait)(void *context, const bst_follow_place *at);
    void *context;
} bst_follow_wait;

/* BST_RETRY when it takes longer. BST_INVALID when nobody follows. */
BST_API bst_status bst_follow_await(const char *store, const char *machine,
                                    const bst_follow_wait *wait, bst_diags *diags) BST_MUST_USE;

/* Who else brought the machine into this store. All empty: nobody, or there is no store. */
typedef struct bst_follow_others {
    bst_strbuf slots; /* but for the own one, from the same source: the text of an array */
    /* one that has a place and comes from another source, and that (as a journal is told of it);
     * without a slot: a table that was migrated, where nobody has followed this source */
    bst_strbuf other_slot, other_source;
} bst_follow_others;

/* `ret` is to be released, also after a failure. */
BST_API bst_status bst_follow_find_others(const char *store, const char *machine,
                                          const char *source, const char *slot,
                                          bst_follow_others *ret, bst_diags *diags) BST_MUST_USE;
BST_API void bst_follow_others_release(bst_follow_others *others);

/* What a store knows before a follower of a slot begins, or goes on. */
typedef struct bst_follow_state {
    bool empty;        /* nobody has brought histories of the machine yet, or there is no store */
    bool ready;        /* the slot's first snapshot is in the store: it has a place */
    bool same_mapping; /* and this is the mapping that it was followed with */
    uint64_t lsn;      /* the place */
    char *columns;     /* what is kept of the source's; the caller frees it. NULL: nothing */
} bst_follow_state;

/* Whether the store can take the events of a follower of this slot: BST_RETRY (code
 * `load-unfinished`) while a migration is not finished that keeps it from that. One of the same
 * machine and mapping does not when the slot has yet to begin: its first snapshot goes on with it.
 */
BST_API bst_status bst_follow_ready(const char *store, const char *machine, const char *slot,
                                    const char *mapping_sha256, bst_follow_state *ret,
                                    bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
