/* From the tree of the file to the table of the machine: what the files of flatten*.c share.
 *
 * A configuration is written as a row of numbers, so that two are the same when their rows are:
 *
 *     count, leaves ...   then for each history that is kept: count, nodes ...
 *
 * all in document order. A walk (flatten_walk.c) tries, from one configuration and for one command,
 * every way in which guards can answer; at its end stands a transition of the table.
 */
#ifndef BACKSTORY_FSM_FLATTEN_PRIVATE_H
#define BACKSTORY_FSM_FLATTEN_PRIVATE_H

#include "load_private.h"

typedef struct bst__row {
    uint32_t *words;
    uint32_t len;
} bst__row;

/* A guard's answer on the way: what it asks, and what it was taken to say. */
typedef struct bst__answer {
    const bst_expr *expr;
    uint32_t guard; /* as it is written */
    bool holds;
} bst__answer;

/* A step within a step: where it led, so that circles are seen. */
typedef struct bst__visit {
    bst__row row;
    uint32_t taken;   /* the written transition that led there */
    uint32_t pending; /* done, and not answered yet */
} bst__visit;

#define BST_SETTLE_MAX      100u        /* steps that follow by themselves within one step */
#define BST_HISTORIES_MAX   1000u       /* nodes that remember */
#define BST_STATE_NAMES_MAX (64u << 20) /* bytes of the names of all configurations */

/* A configuration and its number before all were put in order. */
typedef struct bst__ranked {
    bst__row row;
    uint32_t number;
} bst__ranked;

typedef struct bst__list {
    uint32_t *items;
    uint32_t count, room;
} bst__list;

/* What an eventless guard sees: the fields after this event. */
typedef struct bst__change {
    uint32_t event, command;
    const uint32_t *payload_from;
    bool creation;
} bst__change;

typedef struct bst__flat {
    bst__load *l;
    bst_arena *scratch; /* what the tables do not keep */
    bool exploded;      /* there are more configurations than one table takes */
    const bst_node *nodes;
    bool regions; /* the machine has regions or history: configurations are found, not listed */

    uint32_t *histories; /* nodes of those that are kept */
    uint32_t history_count;
    bool *history_inside; /* by kept history: some transition asks it from inside its parent */
    bool silent;          /* some node has an "always" */
    uint32_t *group_of;   /* by command: scratch of a walk, 0 between walks */
    bool plain_initials;  /* no history is entered by "initial" */

    bst__row *rows; /* the configurations found so far */
    uint32_t row_count, row_room, row_max;
    bst__index row_index;

    /* A microstep: active nodes, as marks and as a list. */
    bool *active;
    bst__list members;
    bool *entered;
    bst__list entries;

    /* A walk. */
    uint32_t from; /* row; BST_NONE: creation */
    uint32_t ways;
    const uint32_t *command_taken; /* the written transitions that answered the command */
    uint32_t command_taken_count;
    bst__change change;
    bst__answer *answers;
    uint32_t answer_count, answer_room;
    bst__visit *visits;
    uint32_t visit_count;
    bool *reported; /* by written transition */
    bool *passed;   /* by node; the machine's */
    bst__list way;  /* the nodes that were entered on it so far */

    /* The tables. */
    bst_transition *transitions;
    uint32_t *origin;
    bst__nodes *entered_by; /* by transition */
    uint32_t transition_count, transition_room, creation_count;
    size_t name_bytes;
    bst_guard *guards;
    uint32_t *guard_origin;
    uint32_t guard_count, guard_room;
    const bst_expr ***guard_parts; /* by guard: what it is made of */
    uint32_t *guard_part_count;
    bst__index guard_index;
    /* Where regions keep tables of their own; see flatten_split.c. */
    uint32_t split;          /* the parallel node; BST_NONE: there is one table */
    const uint32_t *part_of; /* by node: the number of the region that it is in, or BST_NONE */
    uint32_t part_nodes[BST_REGIONS_MAX], part_count;
    uint32_t *entry; /* by transition: a tuple, or BST_NONE */
    bool *moves;     /* by transition: the command makes it leave some node */
    bool left;       /* the last microstep left some node */
    bool command_left;
    uint32_t command_dropped; /* one that gave way to what was taken, or BST_NONE */
    uint32_t *dropped;        /* the same by transition */
    bool any_dropped;
    uint32_t *tuples; /* rows, one a region */
    uint32_t tuple_count, tuple_room;
    uint32_t done_row, done_entry;
    uint32_t asked[BST_ASKED_MAX], asked_count;
    const char *why_not; /* it cannot be split because ... */

    bst__index substituted; /* (guard, event, command) -> number in: */
    struct bst__substitution *substitutions;
    uint32_t substitution_count, substitution_room;
} bst__flat;

/* flatten_list.c; false: no memory. */
bool bst__list_add(bst__flat *f, bst__list *list, uint32_t item);

/* It cannot be split, because of this. */
static inline bool bst__cannot(bst__flat *f, const char *why_not) {
    f->why_not = why_not;
    return false;
}

/* flatten_step.c, with flatten_domain.c and flatten_enter.c (flatten_step_private.h) */
/* Marks the configuration's nodes in `active` and `members`; unmarks them. */
bool bst__activate(bst__flat *f, const bst__row *row);
void bst__deactivate(bst__flat *f);
/* Takes transitions that were chosen together, in that order; those that others preempt are
 * dropped from `taken`. Appends to `done` the nodes that are now done, in the order of XState. */
bool bst__take(bst__flat *f, const bst__row *from, uint32_t *taken, uint32_t *taken_count,
               bst__row *ret, bst__list *done);
/* Whether all that matters inside the node has ended. */
bool bst__is_done(bst__flat *f, const bst__row *row, uint32_t node, bool *ret);
/* Whether a life ends here. */
bool bst__is_end(bst__flat *f, const bst__row *row, bool *ret);

/* flatten_walk.c */
/* Adds to the table what leads away from the configuration (BST_NONE: what creates). */
bool bst__walk(bst__flat *f, uint32_t row);

/* flatten_rows.c */
bool bst__same_row(const bst__row *a, const bst__row *b);
/* The number of a configuration; a new one is added at the end. */
bool bst__intern_row(bst__flat *f, const bst__row *row, uint32_t *ret);
/* That of the row that stands for all regions together. */
bool bst__intern_split(bst__flat *f, uint32_t *ret);
/* The row where a way ends, in the table that it belongs to. *ret_entry: the tuple of the regions
 * when it leads into the split. */
bool bst__intern_place(bst__flat *f, const bst__row *row, uint32_t *ret, uint32_t *ret_entry);
/* Whether nobody knows here if the node is active: it is in a region that is not looked at. */
bool bst__is_elsewhere(const bst__flat *f, uint32_t node);
/* The number under which guards ask for such a node; BST_NONE: there are too many. */
uint32_t bst__asked_number(bst__flat *f, uint32_t node);

/* flatten_done.c: finds `done_row`. */
bool bst__find_done(bst__flat *f);

/* flatten_split.c */
/* The tables of a machine that exploded, region by region; or an error that says why not. */
bool bst__flatten_split(bst__load *l);
/* The error; `why_not`: they cannot be split either, or NULL. Returns false. */
bool bst__report_too_many(bst__load *l, const char *why_not);

/* flatten_tree.c: the tables from a `bst__flat` that knows what to split. */
bool bst__flatten_tree(bst__flat *f);

/* flatten_guard.c */
typedef enum bst__say { BST__NO, BST__YES, BST__MAYBE } bst__say;
/* What a written guard asks in the configuration that is active, and what is known of it. `after`:
 * of the fields as `change` leaves them. False: out of memory. */
bool bst__ask(bst__flat *f, uint32_t guard, bool after, const bst_expr **ret, bst__say *ret_say);
/* The guard of the table for the answers that have to be yes; BST_NONE when there are none. */
bool bst__compose(bst__flat *f, uint32_t *ret);

#endif
