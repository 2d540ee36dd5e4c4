/* The event store as the follower of a legacy database writes it: events of entities that may have
 * a history already, a transaction at a time, each with the place in the source's log up to which
 * it goes. Built only with BACKSTORY_POSTGRES.
 *
 *     load what is known of some entities - append ... set aside ... - commit(lsn)
 *
 * All or nothing between two commits. The place moves in the same transaction, and only from where
 * this journal has seen it, as with a fencing token (Kleppmann, Designing Data-Intensive
 * Applications, 2017, chapter 8): of two followers one gets a BST_CONFLICT (code `fenced`). So each
 * change has its effect once, though the log may be sent twice. Places are LSNs (pg_stream.h),
 * times those of timestamp.h.
 */
#ifndef BACKSTORY_JOURNAL_H
#define BACKSTORY_JOURNAL_H

#include "backstory/loads.h"
#include "backstory/reader.h"
#include "backstory/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_journal bst_journal;

typedef struct bst_journal_info {
    const char *slot;
    bst_run_info run; /* source and mapping_sha256 must be there */
} bst_journal_info;

typedef enum bst_journal_state {
    BST_JOURNAL_NEW,        /* nothing is known of the slot */
    BST_JOURNAL_UNFINISHED, /* it was made, but its snapshot is not all in the store */
    BST_JOURNAL_READY       /* follow from its place on */
} bst_journal_state;

/* Makes the store when there is none. BST_RETRY when another process follows with this slot, or
 * this machine, into this store. A slot that was followed with another machine or
 * from another source is a BST_INVALID. Everything given must outlive the journal. */
BST_API bst_status bst_journal_open(const char *conninfo, const bst_machine *machine,
                                    const bst_journal_info *info, bst_journal **ret,
                                    bst_diags *diags) BST_MUST_USE;
BST_API bst_journal *bst_journal_free(bst_journal *journal);

/* See bst_follow_find_others(): nobody becomes one more of them while this journal is open. */
BST_API bst_status bst_journal_others(bst_journal *journal, bst_follow_others *ret,
                                      bst_diags *diags) BST_MUST_USE;
BST_API bst_journal_state bst_journal_where(const bst_journal *journal, uint64_t *ret_lsn);
/* Whether the mapping is the one that the slot was last followed with. */
BST_API bool bst_journal_same_mapping(const bst_journal *journal);
/* Whether nobody had brought histories of the machine into the store when the journal was opened; a
 * load that was broken off has brought none yet. */
BST_API bool bst_journal_is_empty(const bst_journal *journal);
/* Enters the slot as UNFINISHED, also one that was READY: before its snapshot is read. */
BST_API bst_status bst_journal_enter(bst_journal *journal, bst_diags *diags) BST_MUST_USE;

/* Notes that following begins at the journal's place, which must be there, and appends to `memory`
 * what the follower wanted to be remembered when the place was moved last; nothing when there is
 * nothing. */
BST_API bst_status bst_journal_start(bst_journal *journal, bst_strbuf *memory,
                                     bst_diags *diags) BST_MUST_USE;
/* To be kept with the next commit that moves the place, until when the text is borrowed. */
BST_API void bst_journal_remember(bst_journal *journal, const char *memory);
/* What was kept of the source's columns when the journal was opened: borrowed until it is freed;
 * NULL: nothing. And what is to be kept of them with the next commit, until when it is borrowed. */
BST_API const char *bst_journal_columns(const bst_journal *journal);
BST_API void bst_journal_keep_columns(bst_journal *journal, const char *columns);

typedef struct bst_text {
    const char *text;
    size_t len;
} bst_text;

/* What is stored of entities, in the order of keys and versions. */
typedef struct bst_journal_visitor {
    bst_status (*on_event)(void *context, const bst_stored_event *event);
    /* it stands in quarantine; before or after its events. `image`: the new row of the last change
     * there, as it was given; NULL: none was, or it is no row of the log */
    bst_status (*on_quarantined)(void *context, const bst_text *key, const char *image);
    void *context;
} bst_journal_visitor;

/* Sees what has been appended before, in this transaction too. */
BST_API bst_status bst_journal_load(bst_journal *journal, const bst_text *keys, size_t count,
                                    const bst_journal_visitor *visitor,
                                    bst_diags *diags) BST_MUST_USE;

/* The events of one change, together: versions first_version, ... Plans are told apart by address,
 * as a sink does. `initial`: a history of what was before, which has no place in the order of
 * appends: whoever reads on from there is not told of it. */
BST_API bst_status bst_journal_append(bst_journal *journal, const bst_history *events,
                                      int64_t first_version, bool initial,
                                      bst_diags *diags) BST_MUST_USE;

/* A change that cannot become events. Texts are copied. */
typedef struct bst_journal_exception {
    uint64_t lsn;
    uint32_t place, xid;
    const char *key;
    size_t key_len;
    int64_t version;
    uint32_t state; /* BST_NONE: no history */
    int64_t committed_at;
    const char *operation, *reason, *message;
    const char *old_row, *new_row; /* JSON, or NULL */
} bst_journal_exception;
BST_API bst_status bst_journal_set_aside(bst_journal *journal,
                                         const bst_journal_exception *exception,
                                         bst_diags *diags) BST_MUST_USE;
/* The entity's fold is its row again. */
BST_API bst_status bst_journal_release(bst_journal *journal, const char *key, size_t key_len,
                                       uint64_t lsn, bst_diags *diags) BST_MUST_USE;
/* Whoever stands in quarantine of the machine is let go: all of them are about to be looked at. Of
 * other slots, which must be gone or give way, the place is taken. */
BST_API bst_status bst_journal_release_all(bst_journal *journal, uint64_t lsn,
                                           bst_diags *diags) BST_MUST_USE;
/* Every entity with a history is set aside in the same way (key, version, state are ignored). */
BST_API bst_status bst_journal_set_all_aside(bst_journal *journal,
                                             const bst_journal_exception *exception,
                                             bst_diags *diags) BST_MUST_USE;

/* A race that the log shows; see backstory.follow_race. Texts are copied. */
#define BST_RACE_WRITERS_MAX 16u
typedef struct bst_journal_race {
    const char *kind, *proof, *field;
    const char *key;
    size_t key_len;
    uint64_t lsn;
    uint32_t xid;
    int64_t committed_at;
    uint32_t overwrote_count;
    uint32_t overwrote[BST_RACE_WRITERS_MAX];
    const char *seen, *found, *wrote, *lost; /* values as text, or NULL */
} bst_journal_race;
BST_API bst_status bst_journal_note_race(bst_journal *journal, const bst_journal_race *race,
                                         bst_diags *diags) BST_MUST_USE;

/* Sends what is held, without committing: for a transaction that does not fit into memory. */
BST_API bst_status bst_journal_flush(bst_journal *journal, bst_diags *diags) BST_MUST_USE;

/* What has come since the last commit. */
typedef struct bst_journal_mark {
    uint64_t lsn; /* the new place; 0: it stays where it is */
    uint64_t transactions, changes, unchanged, quarantined, events;
    int64_t committed_at; /* of the last legacy transaction; 0: none */
} bst_journal_mark;
BST_API bst_status bst_journal_commit(bst_journal *journal, const bst_journal_mark *mark,
                                      bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
