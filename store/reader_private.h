/* What a kind of reader supplies, and what they share. */
#ifndef BACKSTORY_READER_PRIVATE_H
#define BACKSTORY_READER_PRIVATE_H

#include "backstory/reader.h"

typedef struct bst__reader_ops {
    bst_status (*next)(bst_reader *reader, const bst_stored_event **ret_event, bst_diags *diags);
    void (*free)(bst_reader *reader);
    /* NULL where there is nothing but a file */
    bst_status (*moment)(bst_reader *reader, const char **ret, bst_diags *diags);
    bst_status (*cut)(bst_reader *reader, uint32_t count, bst_arena *arena,
                      const char *const **ret_keys, size_t *ret_count, bst_diags *diags);
    bst_status (*mark)(bst_reader *reader, const char *const *bounds, size_t count,
                       const bst_marks *before, bst_arena *arena, bst_marks *ret, bst_diags *diags);
} bst__reader_ops;

/* The head of each kind's own struct. */
struct bst_reader {
    const bst__reader_ops *ops;
    const bst_machine *machine;
    bst_stored_event event;
    bst_value *fields; /* of the event: room for the largest payload */
    bst_arena *arena;  /* what the event has that does not stand in its text as it is */
    bst_strbuf key;    /* the stream read last, and the version in it; 0: none */
    int64_t version;
    bst_strbuf message; /* what is wrong with a payload */
    bool ended;
};

bst_status bst__reader_init(bst_reader *reader, const bst__reader_ops *ops,
                            const bst_machine *machine, bst_diags *diags) BST_MUST_USE;
void bst__reader_release(bst_reader *reader);

typedef enum bst__follows {
    BST__FOLLOWS,       /* the next version, or the first of a later key */
    BST__WRONG_VERSION, /* not the one after the last */
    BST__EARLIER_KEY,   /* keys are not in order */
    BST__FOLLOWS_NOMEM
} bst__follows;
/* Takes a step along the streams. */
bst__follows bst__reader_step(bst_reader *reader, const char *key, size_t len, int64_t version);
/* -1, 0, 1: bytewise, as COLLATE "C" has it. */
int bst__key_compare(const char *a, size_t a_len, const char *b, size_t b_len);

bst_status bst__reader_jsonl_open(const char *path, const bst_machine *machine, const char *key,
                                  bst_reader **ret, bst_diags *diags) BST_MUST_USE;
/* `key`: of one entity, or NULL; `part` and `moment` may be NULL. */
bst_status bst__reader_pg_open(const char *conninfo, const bst_machine *machine, const char *key,
                               const bst_key_part *part, const char *moment, bst_reader **ret,
                               bst_diags *diags) BST_MUST_USE;
/* Over a connection and plans of the caller's, in whatever transaction it is: the segments for
 * which an SQL condition holds. It must be read to its end before the connection is used again. */
struct bst_pg;
struct bst__plan_shelf;
bst_status bst__reader_pg_attach(struct bst_pg *pg, const bst_machine *machine,
                                 struct bst__plan_shelf *plans, const char *condition,
                                 bst_reader **ret, bst_diags *diags) BST_MUST_USE;

#endif
