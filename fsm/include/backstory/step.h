/* The interpreter: decide and apply on any machine. Both are pure; all I/O stands outside.
 *
 *     decide(entity, command) -> event, or a refusal with its reason
 *     apply(entity, event)    -> entity
 */
#ifndef BACKSTORY_STEP_H
#define BACKSTORY_STEP_H

#include "backstory/machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where an entity stands. Text in `fields` is borrowed: from the events applied, or from the
 * machine (defaults). */
typedef struct bst_entity {
    uint32_t state;    /* BST_NONE: does not exist yet */
    bst_value *fields; /* machine->field_count, the caller's array */
} bst_entity;

/* An event in memory: what apply() needs. */
typedef struct bst_event {
    uint32_t type;
    uint32_t state;    /* after it */
    bst_value *fields; /* of its payload, machine->events[type].field_count, the caller's array */
} bst_event;

/*      verdict           text */
#define BST_VERDICT_LIST(X)                                                                        \
    X(ACCEPTED, "accepted")                                                                        \
    X(NO_TRANSITION, "no-transition")     /* the state does not know the command */                \
    X(GUARD_REFUSED, "guard-refused")     /* every candidate's guard said no; `guard`: the last */ \
    X(INVALID_PAYLOAD, "invalid-payload") /* `field` of the command is missing */                  \
    X(OVERFLOW, "overflow") /* a guard (`guard`) or an apply (`field`) left its range */           \
    X(INVALID_ENTITY, "invalid-entity") /* a guard (`guard`) or an apply (`field`) reads a */      \
                                        /* required field of the entity that is absent */          \
    X(UNDECIDED, "undecided") /* `guard` asks a C function, which is not here: see bst_linked */

typedef enum bst_verdict {
#define X(name, text) BST_##name,
    BST_VERDICT_LIST(X)
#undef X
        BST_VERDICT_COUNT
} bst_verdict;
BST_API const char *bst_verdict_text(bst_verdict verdict);

typedef struct bst_decision {
    bst_verdict verdict;
    uint32_t transition; /* the one taken, or BST_NONE */
    uint32_t guard;      /* that refused or overflowed, or BST_NONE */
    uint32_t field;      /* see the verdicts, or BST_NONE */
} bst_decision;

/* Nothing yet: state BST_NONE, fields absent. */
BST_API void bst_entity_clear(const bst_machine *machine, bst_entity *entity);

/* `payload`: machine->commands[command].field_count values. On BST_ACCEPTED fills `ret_event` (its
 * `fields` array must have room for the largest payload, see bst_machine_payload_max); otherwise
 * leaves it alone. An event that is returned can be applied: overflow of its apply is refused here.
 */
BST_API bst_decision bst_decide(const bst_machine *machine, const bst_entity *entity,
                                uint32_t command, const bst_value *payload, bst_event *ret_event);
/* The C functions that guards name (machine->linked), as the caller has them: ask() gives what the
 * one with the number `linked` says. It is asked for all of them before the first guard is. */
typedef struct bst_linked {
    bool (*ask)(void *context, uint32_t linked, const bst_entity *entity, uint32_t command,
                const bst_value *payload);
    void *context;
} bst_linked;

/* The same, with somebody to ask; NULL: nobody, as in bst_decide(). A guard that asks a C function
 * then is BST_UNDECIDED: nothing is assumed of it. */
BST_API bst_decision bst_decide_linked(const bst_machine *machine, const bst_entity *entity,
                                       uint32_t command, const bst_value *payload,
                                       const bst_linked *linked, bst_event *ret_event);
/* Fields of the largest payload, those of older versions included. */
BST_API uint32_t bst_machine_payload_max(const bst_machine *machine);

typedef enum bst_apply_result {
    BST_APPLY_OK,
    BST_APPLY_ILLEGAL,  /* the event cannot lead from this state into that one */
    BST_APPLY_OVERFLOW, /* an apply expression left its field's range */
    BST_APPLY_INVALID   /* a required field is absent: of the payload, or one that an apply reads */
} bst_apply_result;

/* On anything but BST_APPLY_OK the entity is as it was. The first event of an entity sets defaults,
 * then applies. */
BST_API bst_apply_result bst_apply(const bst_machine *machine, bst_entity *entity,
                                   const bst_event *event);
/* The same for an event that is known to be legal, by whoever applies one sequence of events to
 * many entities: its fields only. `born`: it is not the entity's first. */
BST_API bst_apply_result bst_apply_fields(const bst_machine *machine, bool born, bst_value *fields,
                                          uint32_t event, const bst_value *payload);
/* Whether the event can lead from `from` (BST_NONE: nothing yet) to `to`: some transition emits it
 * there, or it is built in. */
BST_API bool bst_machine_allows(const bst_machine *machine, uint32_t from, uint32_t event,
                                uint32_t to);
/* The first transition from `from` that emits `event` into `to`; BST_NONE when there is none. */
BST_API uint32_t bst_machine_find_transition(const bst_machine *machine, uint32_t from,
                                             uint32_t event, uint32_t to);

/* What version `version` of an event carried; NULL when the machine does not know that version. */
BST_API const bst_field *bst_event_fields_at(const bst_event_type *event, uint32_t version,
                                             uint32_t *ret_count);

typedef enum bst_upcast_result {
    BST_UPCAST_OK,
    BST_UPCAST_UNKNOWN, /* there is no way from this version to the current one */
    BST_UPCAST_OVERFLOW /* a field of a later version cannot hold what it is set to */
} bst_upcast_result;

/* Reads the payload of an older version, whose required fields are all there, as one of
 * event->version: step by step, through each version between. `ret_payload` is the caller's array
 * of event->field_count values, may be `payload` itself, and changes only when the result is OK;
 * its text is borrowed from `payload` and the machine. On BST_UPCAST_OVERFLOW `reterr_field` names
 * the field. */
BST_API bst_upcast_result bst_upcast_payload(const bst_event_type *event, uint32_t version,
                                             const bst_value *payload, bst_value *ret_payload,
                                             const char **reterr_field);

#ifdef __cplusplus
}
#endif
#endif
