/* An outline: what SCXML and XState both say, between reading it and writing a machine file.
 *
 * A reader (read_scxml.c, read_xstate.c) adds nodes and transitions as it finds them, in document
 * order, names as they are written. The writer (write.c) then gives everything a name of ours,
 * finds targets, writes wildcards out and lays the file out.
 */
#ifndef BACKSTORY_IMPORT_PRIVATE_H
#define BACKSTORY_IMPORT_PRIVATE_H

#include <jansson.h>

#include "backstory/arena.h"
#include "backstory/import.h"
#include "backstory/json_source.h"

#define BST__NO_NODE     UINT32_MAX
#define BST__NESTING_MAX 50 /* levels of states, as in machine files */

typedef enum bst__form {
    BST__FORM_ON,
    BST__FORM_ALWAYS,
    BST__FORM_AFTER,
    BST__FORM_DONE
} bst__form;

/* What can be left out or needs a hand, as the description sums it up. */
typedef enum bst__loss {
    BST__LOSS_ACTION,
    BST__LOSS_INVOKE,
    BST__LOSS_DATA,
    BST__LOSS_GUARD,
    BST__LOSS_DELAY,
    BST__LOSS_EVENT,
    BST__LOSS_WILDCARD,
    BST__LOSS_INITIAL,
    BST__LOSS_OTHER,
    BST__LOSS_COUNT
} bst__loss;

typedef struct bst__import_transition {
    bst__form form;
    const char *event; /* ON: its descriptor, without a wildcard; AFTER: the command, or NULL */
    bool prefix;       /* ON: serves "event.*" too; an empty event: serves all */
    bool as_last;      /* ON: only for commands that the node does not name (XState's wildcards) */
    int64_t delay_us;
    const char *const *targets; /* as they are written */
    uint32_t target_count;
    bool reenter;
    bool external;    /* reenters when all targets are inside its node */
    json_t *guard;    /* as we write it; or NULL */
    const char *cond; /* or a condition of theirs */
    json_t *extra;    /* further keys, or NULL */
    bst_loc where;
    struct bst__import_transition *next; /* of its node */
} bst__import_transition;

typedef enum bst__kind {
    BST__KIND_STATE,
    BST__KIND_PARALLEL,
    BST__KIND_FINAL,
    BST__KIND_HISTORY
} bst__kind;

typedef struct bst__import_node {
    const char *written; /* the key or the last part of the id; NULL: none */
    const char *name;    /* ours; the writer's */
    bst__kind kind;
    bool deep;
    uint32_t parent, depth;
    uint32_t first_child, last_child, next_sibling;
    const char *initial;        /* as it is written; NULL: none */
    const char *const *targets; /* of a history */
    uint32_t target_count;
    bst__import_transition *transitions, *last_transition;
    json_t *extra; /* further keys, or NULL */
    bst_loc where;
} bst__import_node;

typedef struct bst__outline {
    bst_arena *arena;
    bst_diags *diags;
    const char *file;
    bool scxml;
    bst__import_node *nodes; /* node 0 is the machine */
    uint32_t count, room;
    json_t *places; /* "parent/written" and "#id" -> node */
    json_t *seen;   /* what was warned of once and for all */
    json_t *trash;  /* owns the JSON of nodes and transitions */
    uint32_t losses[BST__LOSS_COUNT];
    bst_status status; /* the first failure */
} bst__outline;

bst_status bst__read_scxml(bst__outline *o, const char *text, size_t len);
bst_status bst__read_xstate(bst__outline *o, const char *text, size_t len);
/* The machine file as JSON; NULL after a failure. The caller gives it back. */
json_t *bst__write_machine(bst__outline *o);

/* outline.c */
bst__import_node *bst__outline_node(bst__outline *o, uint32_t parent, const char *written,
                                    const bst_loc *where);
bst__import_transition *bst__outline_transition(bst__outline *o, uint32_t node, bst__form form,
                                                const bst_loc *where);
/* Keeps a reference to the JSON until the outline is gone, and returns it. Takes over its own. */
json_t *bst__outline_keep(bst__outline *o, json_t *json);
const char *bst__outline_text(bst__outline *o, const char *text, size_t len);
bool bst__outline_set_id(bst__outline *o, uint32_t node, const char *id);
/* What a target means that is written in `source`; BST__NO_NODE when nothing has that name. */
uint32_t bst__outline_find(const bst__outline *o, uint32_t source, const char *text);
bool bst__outline_is_inside(const bst__outline *o, uint32_t node, uint32_t outer);
bst_status bst__outline_nomem(bst__outline *o);

/* Warns and counts. Of one kind so many are listed, that no error is lost among them. */
#define BST__LISTED_MAX 80
void bst__outline_loss(bst__outline *o, bst__loss loss, const bst_loc *where, const char *format,
                       ...) BST_PRINTF(4, 5);
/* How many were not. */
void bst__outline_unlisted(bst__outline *o);
/* Whether something of this name is met for the first time. */
bool bst__outline_first(bst__outline *o, const char *what, const char *name);

/* condition.c: a condition that only speaks of states (`In('a') && !In("b")`) in our words. False
 * when it is none, or speaks of a state that is not there. */
bool bst__condition(const bst__outline *o, uint32_t source, const char *text, bst_strbuf *out);
/* "outer.inner" in our names. */
void bst__outline_path(const bst__outline *o, uint32_t node, bst_strbuf *out);

#endif
