/* Reading histories back, from a `.jsonl` file or from PostgreSQL: event by event, by key
 * (bytewise, as COLLATE "C") and version. One consistent snapshot; constant memory.
 */
#ifndef BACKSTORY_READER_H
#define BACKSTORY_READER_H

#include "backstory/history.h"
#include "backstory/key_part.h"
#include "backstory/marks.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_EVENT_LINE_MAX (64u << 20) /* bytes of one line of a file */

/* One event as it is stored. Everything is borrowed until the next call. Its id is not kept but
 * follows from machine, key and version (bst_event_id): that takes as long as reading the event,
 * and few want it. */
typedef struct bst_stored_event {
    const char *key;
    size_t key_len;
    int64_t version;               /* 1, 2, ... in its stream */
    uint32_t type, state, command; /* indices in the machine; command may be BST_NONE */
    uint32_t type_version;         /* of `data`; `fields` are those of the machine's version */
    int64_t occurred_at;
    bool interval;
    int64_t after, before;
    bool has_recorded_at;
    int64_t recorded_at;
    bst_basis basis;
    double confidence;
    const char *source;      /* may be NULL */
    const bst_value *fields; /* the payload, typed; one of an older version as it reads now */
    const char *data;        /* the payload as JSON text, as it is stored */
    size_t data_len;
} bst_stored_event;

typedef struct bst_reader bst_reader;

/* `key` NULL: every entity of the machine. An event that the machine does not know (type, state,
 * payload) is an error with the line, or the key and version. A file whose keys are not in order is
 * an error that says how to sort it. */
BST_API bst_status bst_reader_open(const char *store, const bst_machine *machine, const char *key,
                                   bst_reader **ret, bst_diags *diags) BST_MUST_USE;
/* A part of the entities, at a moment that another reader holds (see bst_reader_moment; NULL: its
 * own). Only a hint for files, which hand out all: ask bst_key_part_has(). */
BST_API bst_status bst_reader_open_part(const char *store, const bst_machine *machine,
                                        const bst_key_part *part, const char *moment,
                                        bst_reader **ret, bst_diags *diags) BST_MUST_USE;
/* Before the first event is asked for: a name by which others read at the same moment while this
 * reader is open; NULL for files. Borrowed. */
BST_API bst_status bst_reader_moment(bst_reader *reader, const char **ret,
                                     bst_diags *diags) BST_MUST_USE;
/* Before the first event is asked for: keys that cut the entities into about `count` equal
 * parts, in their order, in `arena`; there may be fewer, and of files there are none. Parts go
 * from one of them to the next. */
BST_API bst_status bst_reader_cut(bst_reader *reader, uint32_t count, bst_arena *arena,
                                  const char *const **ret_keys, size_t *ret_count,
                                  bst_diags *diags) BST_MUST_USE;
/* Before the first event is asked for: a mark of what the store holds of each chunk of keys, where
 * `count` bounds make count + 1 chunks (see marks.h). The same mark as `before`, and not written:
 * the same segments, but where marks are digests for chance (2^-64 for each that changes, and not
 * safe against somebody who looks for it). `ret` has room for them; texts in `arena`, or those of
 * `before`. NULL: an empty chunk, and for files all are. */
BST_API bst_status bst_reader_mark(bst_reader *reader, const char *const *bounds, size_t count,
                                   const bst_marks *before, bst_arena *arena, bst_marks *ret,
                                   bst_diags *diags) BST_MUST_USE;
/* *ret_event is NULL at the end. */
BST_API bst_status bst_reader_next(bst_reader *reader, const bst_stored_event **ret_event,
                                   bst_diags *diags) BST_MUST_USE;
BST_API bst_reader *bst_reader_free(bst_reader *reader);

/* The JSONL form, keys in this order: id machine entity version type type_version data state
 * command occurred_at occurred_between recorded_at basis confidence source; a type_version of 1 is
 * left out. One line with its line feed. */
BST_API void bst_event_line(const bst_machine *machine, const bst_stored_event *event,
                            bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
