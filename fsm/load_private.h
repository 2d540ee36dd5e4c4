/* Reading a machine file: what the steps of the loader share. load.c says in which order they
 * run.
 *
 * A mistake is reported where it stands and leaves a mark ("poisoned": an index BST_NONE, a type
 * of kind BST_KIND_COUNT); whoever meets the mark later stays silent. So one mistake gives one
 * finding, and all mistakes are found in one run.
 *
 * Steps return false only when reading must stop: out of memory, or a limit passed.
 */
#ifndef BACKSTORY_FSM_LOAD_PRIVATE_H
#define BACKSTORY_FSM_LOAD_PRIVATE_H

#include <jansson.h>

#include "machine_private.h"

/* Where the reader stands: a chain on the stack that becomes a JSON pointer only when something
 * is wrong. */
typedef struct bst__path {
    const struct bst__path *up; /* NULL: the root */
    const char *key;            /* NULL: an item of an array ... */
    size_t index;               /* ... with this number */
} bst__path;

/* What is known of an event, a command and a transition while the file is being read, beside
 * their tables. */
typedef struct bst__event_note {
    json_t *apply;      /* NULL: none */
    json_t *upcast;     /* the same */
    bool listed;        /* in "events" */
    bool creates;       /* some creation emits it */
    bool poisoned;      /* its payload could not be read: nothing can be said about it */
    uint32_t fields_of; /* derived: the command whose listed fields it carries, or BST_NONE */
} bst__event_note;

typedef struct bst__command_note {
    bool listed;
    bool has_fields;        /* "commands" says its payload */
    bool poisoned;          /* nothing can be said about its payload */
    uint32_t derived_event; /* BST_NONE: not asked for yet */
    uint32_t first_emission, last_emission;
    uint32_t last_written; /* transition under it, so far */
    uint32_t emission_count;
} bst__command_note;

/* A node of the tree of states, beside its table. */
typedef struct bst__node_note {
    json_t *states, *on, *after, *always, *done, *ignores; /* NULL: none */
    json_t *initial;                                       /* as it is written; NULL: it is not */
    json_t *target;                                        /* of a history; the same */
    bool misspelt;           /* its "initial" is, which was reported */
    const char *id;          /* "#id" names it; NULL: no id of its own */
    const uint32_t *targets; /* of a history: what it stands for as long as nothing is remembered */
    uint32_t target_count;
    /* Its written transitions: those of commands, then those of "always", then of "onDone". */
    uint32_t first, command_count, always_count, done_count;
} bst__node_note;

typedef struct bst__transition_note {
    const uint32_t *targets; /* nodes, when they are several; one stands in `to` */
    uint32_t target_count;
    const char *guard_name;        /* NULL: none, or in place */
    json_t *guard_text;            /* in place: the expression; NULL: none */
    bool guard_linked;             /* ... which is the name of a C function */
    const char *guard_description; /* in place */
    json_t *event; /* a name that is not in "events": looked for once all derived ones are known */
    uint32_t emission;
} bst__transition_note;

/* One (command, event) pair that some transition makes: how the event's payload comes from the
 * command's. */
typedef struct bst__emission {
    uint32_t command, event;
    uint32_t next; /* of the same command */
    const uint32_t *payload_from;
} bst__emission;

typedef struct bst__load {
    bst__machine *m;
    bst_arena *arena;
    const bst_json_source *source;
    bst_diags *diags;
    bst_status status;    /* the worst so far */
    uint32_t suggestions; /* "did you mean" searches so far: they are not free */
    uint32_t payload_total;

    json_t *root;

    /* The tables while they grow; those of the machine point here once they are done. */
    bst_field *fields;
    bst_event_type *events;
    bst__event_note *event_notes;
    uint32_t event_room;
    bst_command *commands;
    bst__command_note *command_notes;
    uint32_t command_room;
    bst_guard *guards;
    uint32_t *guard_user;
    json_t *
        *guard_text;    /* the expression, a JSON string; NULL: there is none, which was reported */
    bool *guard_linked; /* the text is the name of a C function */
    uint32_t guard_room;
    /* The tree. Until it is flattened `from` and `to` of transitions are nodes, not states. */
    bst_node *nodes;
    bst__node_note *node_notes;
    uint32_t node_count, node_room;
    bst__index children;    /* (parent, name) -> node */
    bst__index node_names;  /* name -> the first node with it; made when first wanted */
    bst__index ids;         /* "id" -> node */
    uint32_t *next_of_name; /* by node; made with node_names */
    size_t path_bytes;
    bool parallel;         /* the machine itself */
    uint32_t together_max; /* configurations in one table */
    bool may_split;        /* beyond that: regions may keep tables of their own */
    bool nested;           /* the tree is not the table: levels, regions, history, "always" */
    bst_transition *transitions;
    bst__transition_note *transition_notes;
    bst__written *written;
    uint32_t written_count, transition_room, creation_count;
    size_t expected; /* transitions, by what the nodes have in "on" */
    bst__emission *emissions;
    uint32_t emission_count, emission_room;
    bst__index emission_index;
} bst__load;

/* load_report.c: findings */
bst_loc bst__value_at(const bst__load *l, const bst__path *path);
bst_loc bst__key_at(const bst__load *l, const bst__path *path);
void bst__error(bst__load *l, const bst_loc *where, const char *code, const char *format, ...)
    BST_PRINTF(4, 5);
/* Out of memory: returns false, for `return bst__nomem(l);`. */
bool bst__nomem(bst__load *l);
bool bst__limit(bst__load *l, const bst_loc *where, const char *what, uint32_t limit);
/* The hint of the last finding: "Did you mean ...?" when a name is near, else `otherwise` (may
 * be NULL). */
void bst__did_you_mean(bst__load *l, const char *name, const bst__names *names, uint32_t count,
                       const char *otherwise);

/* load_keys.c: the form of objects */
/* The number of the path's key in `keys` (a gap is NULL), or -1 after reporting it. */
int bst__key_number(bst__load *l, const bst__path *path, const char *const *keys, int count);
/* Each reports a value of another kind at `path` and returns NULL (or false) then. */
const char *bst__string(bst__load *l, const bst__path *path, const json_t *value);
bool bst__is_object(bst__load *l, const bst__path *path, const json_t *value);
bool bst__is_identifier(const char *name);
/* Whether a list of the root is there and is no object: whatever is missing from it may be its
 * fault. */
bool bst__is_broken(const bst__load *l, const char *list);
bool bst__wrong_kind(bst__load *l, const bst__path *path, const char *wanted, const json_t *value);
/* Whether `name` is an identifier of ours; reports it at the key (or value) of `path` when it is
 * not. */
bool bst__good_name(bst__load *l, const bst__path *path, bool key, const char *kind,
                    const char *name);
/* The same, and not a word of C, C++ or of expressions: fields are members of structs and bare
 * names in expressions. */
bool bst__good_field_name(bst__load *l, const bst__path *path, const char *name);
/* Words of C, C++ and of expressions. */
bool bst__is_reserved(const char *name);
/* Two names that give one identifier in generated code. `where` finds the place of an item. */
typedef bst_loc bst__where(const bst_machine *machine, uint32_t number);
bool bst__check_clashes(bst__load *l, const char *kind, const bst__names *names, uint32_t count,
                        bst__where *where);
/* A longer array in the arena with the first `count` items of the old one; NULL when out of
 * memory. */
void *bst__longer(bst__load *l, const void *items, size_t size, uint32_t count, uint32_t room);
/* How long an array of `room` items that is full becomes. */
uint32_t bst__next_room(uint32_t room);

/* load_types.c: fields, events, commands as they are listed */
bool bst__load_fields(bst__load *l);
bool bst__load_events(bst__load *l);
bool bst__load_commands(bst__load *l);
/* The object at `path` as the fields of a payload. False: stop. */
bool bst__read_payload(bst__load *l, const bst__path *path, json_t *json,
                       const bst_field **ret_fields, uint32_t *ret_count);
/* The number of an event or command, made when it is new. False: stop. */
bool bst__intern_command(bst__load *l, const bst__path *path, bool key, const char *name,
                         uint32_t *ret_command);
bool bst__derive_event(bst__load *l, uint32_t command, uint32_t *ret_event);

/* load_builtin.c: events that are built in */
void bst__read_builtin(bst__load *l, const bst__path *path, const json_t *json,
                       bst_event_type *event);
bool bst__load_builtins(bst__load *l); /* their fields, once the entity's are known */
/* What such an event does to a field, as text of an expression; NULL: it is set, as every shared
 * name is. In the arena; *ret_failed: no memory. */
const char *bst__builtin_apply(bst__load *l, const bst_event_type *event, uint32_t field,
                               bool *ret_failed);

/* load_states.c: the tree of states */
bool bst__load_states(bst__load *l);
/* load_targets.c: the nodes that a "target" names, seen from the node where it stands (0: the
 * machine). False after a finding, or when out of memory. */
bool bst__find_target(bst__load *l, const bst__path *path, const json_t *json, uint32_t source,
                      uint32_t *ret);
bool bst__find_targets(bst__load *l, const bst__path *path, const json_t *json, uint32_t source,
                       const uint32_t **ret, uint32_t *ret_count);
uint32_t bst__child(const bst__load *l, uint32_t parent, const char *name, size_t len);
uint32_t bst__child_hash(const bst__load *l, uint32_t parent, const char *name, size_t len);

/* load_transitions.c: transitions and creations */
bool bst__load_creations(bst__load *l);
bool bst__load_transitions(bst__load *l);

/* load_check.c: what only check.h reads */
bool bst__load_ignores(bst__load *l); /* once transitions and commands are known */
bool bst__load_warnings(bst__load *l);

/* flatten.c: the tables of the machine, from the tree. Last of all. */
bool bst__flatten(bst__load *l);
/* Of a finished machine. */
void bst__check_former_names(bst__load *l);

/* load_payloads.c: what commands carry, and how events take it */
bool bst__load_payloads(bst__load *l);
bst_loc bst__payload_field_where(const bst__load *l, uint32_t event, const char *field);
/* Whether two types are the same but for the `?`, or one of them could not be read. */
bool bst__types_agree(const bst_type *a, const bst_type *b);

/* load_apply.c: what events do to the entity */
bool bst__load_assignments(bst__load *l);

/* load_upcasts.c: what older versions of events carried, and how it reads now */
bool bst__load_upcasts(bst__load *l);

/* load_guards.c */
bool bst__load_guards(bst__load *l); /* the named ones */
/* What stands under "guard" in a transition. */
void bst__read_guard(bst__load *l, const bst__path *path, json_t *json, bst__transition_note *note);
bool bst__compile_guards(bst__load *l); /* all, each for the commands that ask it */

/* load_expression.c */
/* Compiles the JSON string at `pointer`. *ret stays NULL when it has a mistake, or when it
 * speaks of a field whose type could not be read; false: out of memory. */
bool bst__compile(bst__load *l, const json_t *text, const char *pointer, const bst_scope *scope,
                  const bst_type *want, const bst_expr **ret);
/* Fills `scope_fields` and the root of a scope from fields. */
void bst__scope_root(bst_scope *scope, bst_root root, bst_scope_field *scope_fields,
                     const bst_field *fields, uint32_t count);
/* The first place of an expression that reads `root`, or NULL. */
const bst_expr *bst__expr_reads(const bst_expr *expr, bst_root root);
/* The next identifier at or after `text`, or NULL: for texts that did not compile. */
const char *bst__next_word(const char *text, size_t *ret_len);

#endif
