/* A compiled machine: immutable, checked, everything resolved to indices. Made from a `.fsm.json`
 * file by bst_machine_load(); read by the interpreter (step.h), by every emitter and by migrate.
 *
 * All arrays are in the order of the file: it is the order in which transitions are tried, in which
 * ties are broken and in which generated text appears. Everything belongs to the machine and lives
 * until bst_machine_free().
 *
 * A machine has one flat table: a state is where an entity can stand, a transition leads from one
 * to one. (Nesting and regions, when the language has them, flatten into it.)
 */
#ifndef BACKSTORY_MACHINE_H
#define BACKSTORY_MACHINE_H

#include "backstory/diag.h"
#include "backstory/digest.h"
#include "backstory/expr.h"
#include "backstory/json_source.h"
#include "backstory/value.h"

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
/* fields of all payloads where a command's is not simply that of its one event */
#define BST_PAYLOADS_MAX 1000000u

typedef struct bst_field {
    const char *name;
    const char *label, *description; /* may be NULL */
    const char *was;                 /* its name in the version before, for diff.h; or NULL */
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

typedef struct bst_event_type {
    const char *name; /* "PaymentCaptured" */
    const char *label, *description;
    const char *was;  /* its name in the version before, or NULL */
    uint32_t version; /* of its payload: 1, 2, ... */
    bool derived;     /* the file does not list it: named after its command */
    uint32_t field_count, assignment_count;
    const bst_field *fields;
    /* Explicit ones, then the names that entity and event share. A shared name is left alone when
     * `apply` speaks of it: assigns the entity's field, or reads the event's. */
    const bst_assignment *assignments;
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

typedef struct bst_state {
    const char *name;
    const char *label, *description;
    const char *was; /* its name in the version before, or NULL */
    bool final;
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
    /* its number among the transitions of (from, command); of a creation: its number in the file,
     * for creations of one command stand together here. For bst_machine_transition_where */
    uint32_t place;
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
     * a named guard that reads `command.x` exists once for each command that asks it. */
    const bst_guard *guards;
    const bst_state *states;
    /* creations first (0 .. creation_count-1, from == BST_NONE), then by state */
    const bst_transition *transitions;
    uint32_t initial;
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
/* Linear in the fields of the payload. */
BST_API uint32_t bst_event_field(const bst_event_type *event, const char *name);
BST_API uint32_t bst_command_field(const bst_command *command, const char *name);

/* The transitions of (from, command), in the order in which they are tried; from == BST_NONE:
 * creations. Writes the index of the first and returns how many. */
BST_API uint32_t bst_machine_candidates(const bst_machine *machine, uint32_t from, uint32_t command,
                                        uint32_t *ret_first);

/* Places in the file, for findings about a checked machine. */
BST_API bst_loc bst_machine_state_where(const bst_machine *machine, uint32_t state);
BST_API bst_loc bst_machine_event_where(const bst_machine *machine, uint32_t event);
BST_API bst_loc bst_machine_field_where(const bst_machine *machine, uint32_t field);
BST_API bst_loc bst_machine_guard_where(const bst_machine *machine, uint32_t guard);
BST_API bst_loc bst_machine_transition_where(const bst_machine *machine, uint32_t transition);

#ifdef __cplusplus
}
#endif
#endif
