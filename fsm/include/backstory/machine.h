/* A compiled machine: immutable, checked, everything resolved to indices. Made from a `.fsm.json`
 * file by bst_machine_load(); read by the interpreter (step.h), by every emitter and by migrate.
 *
 * All arrays are in the order of the file: it is the order in which transitions are tried, in which
 * ties are broken and in which generated text appears. Everything belongs to the machine and lives
 * until bst_machine_free().
 *
 * A machine has one flat table: a state is where an entity can stand, a transition leads from one
 * to one. The states of the file are a tree of nodes, with nesting, regions and history; it is
 * flattened into the table, where a state is a configuration: the leaves that are active together,
 * and what histories remember. Who executes a machine needs the table alone; who draws it wants the
 * nodes too.
 */
#ifndef BACKSTORY_MACHINE_H
#define BACKSTORY_MACHINE_H

#include "backstory/diag.h"
#include "backstory/digest.h"
#include "backstory/expr.h"
#include "backstory/json_source.h"
#include "backstory/value.h"
#include "backstory/warnings.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_NONE UINT32_MAX /* no such index; as a `from` state: the entity does not exist yet */

#define BST_STATES_MAX      1000000u
#define BST_TRANSITIONS_MAX 10000000u
#define BST_COMMANDS_MAX    65000u
#define BST_EVENTS_MAX      32000u /* event types are 2-byte references in the store */
#define BST_FIELDS_MAX      1000u  /* of an entity or a payload */
#define BST_NAME_MAX        120u   /* bytes of an identifier */
#define BST_LINKED_MAX      64u    /* C functions that guards name */
#define BST_NESTING_MAX     50u    /* levels of nodes */
#define BST_ACTIVE_MAX      1000u  /* leaves that are active together */
/* states of the table of a machine with regions or history, where they multiply */
#define BST_CONFIGURATIONS_MAX 20000u
/* ways of one command out of one configuration: guards of regions multiply as well */
#define BST_WAYS_MAX 4096u
/* fields of all payloads where a command's is not simply that of its one event */
#define BST_PAYLOADS_MAX 1000000u

typedef struct bst_field {
    const char *name;
    const char *label, *description; /* may be NULL */
    const char *was;                 /* its name in the version before, or NULL */
    bst_type type;
    bst_value default_value; /* absent: none. Fields of the entity only */
} bst_field;

/* field := expr(entity before, event), or := event.fields[event_field] when expr is NULL. All
 * right-hand sides read the entity as it was before the event. */
typedef struct bst_assignment {
    uint32_t field;
    const bst_expr *expr;
    uint32_t event_field;
} bst_assignment;

/* What a version of an event carried, and how it reads as the next one: field (of the next one) :=
 * expr(event), or := event.fields[event_field] when expr is NULL; what nothing sets is absent. */
typedef struct bst_upcast {
    uint32_t version;
    uint32_t field_count, assignment_count;
    const bst_field *fields;
    const bst_assignment *assignments;
} bst_upcast;

/* An event that no transition emits and no command can ask for: it is written by a migration, where
 * the past cannot be told, and folded by everybody. Its fields and what it does follow from the
 * entity's fields.
 *
 *     genesis    from nothing into any state: sets every field
 *     reconcile  from any state into the same: adds to the required numbers what it carries, sets
 *                the other fields that it carries */
typedef enum bst_builtin {
    BST_BUILTIN_NONE,
    BST_BUILTIN_GENESIS,
    BST_BUILTIN_RECONCILE
} bst_builtin;

typedef struct bst_event_type {
    const char *name; /* "PaymentCaptured" */
    const char *label, *description;
    const char *was;  /* its name in the version before, or NULL */
    uint32_t version; /* of its payload: 1, 2, ... */
    bool derived;     /* the file does not list it: named after its command */
    bst_builtin builtin;
    uint32_t field_count, assignment_count;
    const bst_field *fields;
    /* Explicit ones, then the names that entity and event share. A shared name is left alone when
     * `apply` speaks of it: assigns the entity's field, or reads the event's. */
    const bst_assignment *assignments;
    /* Older versions, oldest first and without a gap: the last one reads as `version`. */
    uint32_t upcast_count;
    const bst_upcast *upcasts;
} bst_event_type;

typedef struct bst_command {
    const char *name; /* "capture" */
    const char *label, *description;
    uint32_t field_count;
    const bst_field *fields;
} bst_command;

typedef struct bst_guard {
    const char *name; /* NULL: written in place */
    const char *description;
    const bst_expr *expr; /* bool; reads the entity and the command */
    uint32_t command;     /* whose payload it reads; BST_NONE: none, it serves every command */
} bst_guard;

typedef enum bst_node_kind {
    BST_NODE_ATOMIC,
    BST_NODE_COMPOUND, /* one child is active at a time */
    BST_NODE_PARALLEL, /* all children are: regions */
    BST_NODE_FINAL,
    BST_NODE_HISTORY /* never active: stands for what was active last in its parent */
} bst_node_kind;

/* A state as it stands in the file. Nodes are in document order, parents before children: what is
 * inside node n is n + 1 .. last. Node 0 is the machine itself. */
typedef struct bst_node {
    const char *name; /* "partial" */
    const char *path; /* "authorized.partial"; of node 0: "" */
    const char *label, *description;
    const char *was; /* its name in the version before, or NULL */
    bst_node_kind kind;
    bool deep;       /* a history of leaves, not of children */
    uint32_t parent; /* of node 0: BST_NONE */
    uint32_t depth;  /* of node 0: 0 */
    uint32_t first_child, next_sibling, last;
    uint32_t initial; /* of a compound: the node that is entered with it */
    /* commands that it knows and means to refuse, for those inside it too; for check.h alone */
    bool ignores_all;
    uint32_t ignore_count;
    const uint32_t *ignores;
} bst_node;

typedef struct bst_state {
    /* In a flat machine that of its node. Else the path of its leaf, or those of its leaves joined
     * by "+"; then "~" and a path for each node that a history remembers. */
    const char *name;
    const char *label, *description;
    const char *was; /* its name in the version before, or NULL; of one leaf only */
    bool final;
    const uint32_t *nodes; /* its active leaves, in document order */
    uint32_t node_count;
    /* those that leave it: consecutive, grouped by command in file order */
    uint32_t first_transition, transition_count;
} bst_state;

typedef struct bst_transition {
    uint32_t from; /* state; BST_NONE: creation */
    uint32_t command;
    uint32_t guard; /* BST_NONE: none */
    uint32_t event;
    uint32_t to;     /* state afterwards (= from when there is no target) */
    bool targetless; /* emits its event and stays */
    bool reenter;
    /* its number in the list where it is written, which several states share when it is written in
     * a state around them; of a creation: its number in the file, for creations of one command
     * stand together here */
    uint32_t place;
    int64_t after_us; /* the command is sent by time, so long after the state is entered; 0: not */
    /* payload_from[i]: the command field that fills field i of the event; BST_NONE leaves it absent
     * (it is optional then) */
    const uint32_t *payload_from;
} bst_transition;

typedef struct bst_machine {
    const char *id, *version, *label, *description; /* version, label, description may be NULL */
    char sha256[BST_SHA256_HEX];                    /* of the file's bytes */
    const char *file;                               /* as given, for messages */
    uint32_t field_count, event_count, command_count, guard_count, state_count, transition_count,
        creation_count;
    const bst_field *fields;
    const bst_event_type *events;
    const bst_command *commands;
    /* Named ones in file order, then those written in place, then further ones of the same name:
     * a named guard that reads `command.x` exists once for each command that asks it. Where the
     * states are flattened: those that the table asks, in the order in which it does; a guard that
     * several make up has no name. */
    const bst_guard *guards;
    /* Names of the C functions that guards ask: programs link them, nobody else can. In the
     * expressions of guards they are names of BST_ROOT_LINKED. */
    uint32_t linked_count;
    const char *const *linked;
    const bst_node *nodes;
    uint32_t node_count;
    const bst_state *states;
    /* creations first (0 .. creation_count-1, from == BST_NONE), then by state */
    const bst_transition *transitions;
    uint32_t initial; /* BST_NONE when no entity of a machine with regions begins there */
    const bst_warnings *warnings;  /* what the file says of them; NULL: nothing */
    const bst_json_source *source; /* the file and the places in it */
} bst_machine;

/* Reads, checks and compiles a machine file. Every mistake of the file is added to `diags` (what a
 * mistake leads to is not: one mistake, one finding); BST_INVALID when any is an error. Warnings of
 * the analyses come from bst_machine_check(). `path` "-" reads stdin. */
BST_API bst_status bst_machine_load(const char *path, bst_machine **ret,
                                    bst_diags *diags) BST_MUST_USE;
/* The same from memory; takes no ownership of `text`. `name` is what findings call it. */
BST_API bst_status bst_machine_parse(const char *name, const char *text, size_t len,
                                     bst_machine **ret, bst_diags *diags) BST_MUST_USE;
BST_API bst_machine *bst_machine_free(bst_machine *machine); /* takes NULL, returns NULL */

/* By name; BST_NONE when there is none. O(1) on average. */
BST_API uint32_t bst_machine_state(const bst_machine *machine, const char *name);
BST_API uint32_t bst_machine_command(const bst_machine *machine, const char *name);
BST_API uint32_t bst_machine_event(const bst_machine *machine, const char *name);
BST_API uint32_t bst_machine_field(const bst_machine *machine, const char *name);
/* By the name that something stored gives it: the machine's own, else the one that a `was` of it
 * says. A name that is in use is never a former one. O(1) on average. */
BST_API uint32_t bst_machine_state_stored(const bst_machine *machine, const char *name);
BST_API uint32_t bst_machine_event_stored(const bst_machine *machine, const char *name);
/* The same of a payload's fields. Linear in them. */
BST_API uint32_t bst_field_stored(const bst_field *fields, uint32_t count, const char *name);
/* The event of that kind; BST_NONE when the machine has none. Linear in the events. */
BST_API uint32_t bst_machine_builtin(const bst_machine *machine, bst_builtin builtin);
/* What an event of this kind does to a field of this type: adds, or else sets. */
BST_API bool bst_builtin_adds(bst_builtin builtin, const bst_type *type);
/* Linear in the fields of the payload. */
BST_API uint32_t bst_event_field(const bst_event_type *event, const char *name);
BST_API uint32_t bst_command_field(const bst_command *command, const char *name);

/* By its dotted path, or by the end of it ("shipped", "parcel.shipped") when that of no other node
 * ends so; BST_NONE when there is none. Linear in the nodes. */
BST_API uint32_t bst_machine_node(const bst_machine *machine, const char *path);
/* The same among the nodes inside one, with paths that begin there. */
BST_API uint32_t bst_machine_node_inside(const bst_machine *machine, uint32_t node,
                                         const char *path);
/* Whether the node is active in the state: it is a leaf of it, or around one. */
BST_API bool bst_machine_is_active(const bst_machine *machine, uint32_t state, uint32_t node);

/* Whether the transition enters the node: also one that it only passes through on its way. */
BST_API bool bst_machine_enters(const bst_machine *machine, uint32_t transition, uint32_t node);

/* The transitions of (from, command), in the order in which they are tried; from == BST_NONE:
 * creations. Writes the index of the first and returns how many. */
BST_API uint32_t bst_machine_candidates(const bst_machine *machine, uint32_t from, uint32_t command,
                                        uint32_t *ret_first);

/* Places in the file, for findings about a checked machine. */
BST_API bst_loc bst_machine_node_where(const bst_machine *machine, uint32_t node);
BST_API bst_loc bst_machine_state_where(const bst_machine *machine, uint32_t state);
BST_API bst_loc bst_machine_event_where(const bst_machine *machine, uint32_t event);
BST_API bst_loc bst_machine_field_where(const bst_machine *machine, uint32_t field);
BST_API bst_loc bst_machine_guard_where(const bst_machine *machine, uint32_t guard);
BST_API bst_loc bst_machine_transition_where(const bst_machine *machine, uint32_t transition);

#ifdef __cplusplus
}
#endif
#endif
