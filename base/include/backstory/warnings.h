/* Warnings by name: which there are, and which of them a user wants to hear.
 *
 * A warning's name is the code of its findings. Three may speak of it: the default below, the file
 * (`"warnings": { "dead-end": "off" }`), and the command line (`-Wno-dead-end`); the later one is
 * obeyed. A list of findings that has been told so (bst_diags_set_warnings) drops what is off and
 * makes errors of what is meant to be one, so that an analysis just reports.
 */
#ifndef BACKSTORY_WARNINGS_H
#define BACKSTORY_WARNINGS_H

#include "backstory/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

/*    name         code                default  in one line */
#define BST_WARNING_LIST(X)                                                                        \
    X(UNREACHABLE_STATE, "unreachable-state", ON, "a state that no entity can come to")            \
    X(DEAD_END, "dead-end", ON, "a state that nothing leaves, and that is not final")              \
    X(CYCLE_WITHOUT_EXIT, "cycle-without-exit", ON, "a circle of states that nothing leaves")      \
    X(NO_WAY_TO_FINAL, "no-way-to-final", OFF, "every state that no final state follows")          \
    X(FINAL_WITH_EXIT, "final-with-exit", ON, "a final state that accepts commands")               \
    X(SHADOWED_TRANSITION, "shadowed-transition", ON, "a transition that never has its turn")      \
    X(NEVER_FIRES, "never-fires", ON, "a guard that no values can satisfy")                        \
    X(OVERLAPPING_GUARDS, "overlapping-guards", ON, "values for which only the order decides")     \
    X(NESTED_FALLTHROUGH, "nested-fallthrough", ON, "a refusal that a state around it answers")    \
    X(PREEMPTED_TRANSITION, "preempted-transition", ON, "a transition that another region undoes") \
    X(GUARD_GAP, "guard-gap", OFF, "values for which no guard of a command holds")                 \
    X(UNHANDLED_COMMAND, "unhandled-command", OFF, "a command that a state says nothing of")       \
    X(UNUSED_EVENT, "unused-event", ON, "an event that no transition emits")                       \
    X(UNUSED_COMMAND, "unused-command", ON, "a command that no state accepts")                     \
    X(UNUSED_GUARD, "unused-guard", ON, "a guard that no transition asks")                         \
    X(UNSET_FIELD, "unset-field", ON, "a required field that a creation leaves unset")             \
    X(NOT_PAST_TENSE, "not-past-tense", ON, "an event that is not named as a fact")                \
    X(LEAKS_IMPLEMENTATION, "leaks-implementation", ON, "an event that speaks of rows and tables") \
    X(STATE_WITHOUT_CODE, "state-without-code", ON, "a state that no value of the column means")   \
    X(FOLDED_STATES, "folded-states", ON, "several values of the column that mean one state")      \
    X(UNMAPPED_FIELD, "unmapped-field", ON, "a field that no column holds")                        \
    X(UNSUPPLIED_PAYLOAD, "unsupplied-payload", ON, "a required payload that no column holds")     \
    X(INDISTINCT_EVENTS, "indistinct-events", ON, "two events of one step that look the same")     \
    X(AMBIGUOUS_HISTORY, "ambiguous-history", ON, "two histories whose rows look the same")        \
    X(NO_TIMES, "no-times", ON, "no column says when anything happened")                           \
    X(UNMAPPED_STATUS, "unmapped-status", ON, "a value in the table that the mapping lacks")       \
    X(IMPOSSIBLE_STATUS, "impossible-status", ON, "values of several columns that no state has")   \
    X(LOG_WITHOUT_INDEX, "log-without-index", ON, "a log that is read whole for each row")         \
    X(UNUSED_CODE, "unused-code", ON, "a value of the mapping that the table lacks")

typedef enum bst_warning {
#define X(name, code, level, summary) BST_WARNING_##name,
    BST_WARNING_LIST(X)
#undef X
        BST_WARNING_COUNT
} bst_warning;

typedef enum bst_warning_level {
    BST_LEVEL_UNSAID, /* whoever speaks next decides */
    BST_LEVEL_OFF,
    BST_LEVEL_ON,
    BST_LEVEL_ERROR
} bst_warning_level;

typedef struct bst_warnings {
    uint8_t level[BST_WARNING_COUNT]; /* bst_warning_level */
    bool all_errors;                  /* -Werror: whatever is on (notes are not) */
} bst_warnings;

/* BST_WARNING_COUNT: there is none of this name (of `len` bytes). */
BST_API bst_warning bst_warning_find(const char *name, size_t len);
BST_API const char *bst_warning_name(bst_warning warning);
BST_API const char *bst_warning_summary(bst_warning warning);
BST_API bst_warning_level bst_warning_default(bst_warning warning);
/* The name that was probably meant, or NULL. */
BST_API const char *bst_warning_nearest(const char *name);

/* Obeys one option, "-Wname", "-Wno-name", "-Werror", "-Werror=name", "-Wno-error=name", "-Wall"
 * or "-Wno-all". False: there is no such option; *ret_name is the name in it then. */
BST_API bool bst_warnings_option(bst_warnings *warnings, const char *option, const char **ret_name);
/* "off", "warning", "error" as in a file; BST_LEVEL_UNSAID for anything else. */
BST_API bst_warning_level bst_warning_level_of(const char *text);

/* What the command line says, and what the file in hand says; both are copied, NULL is nothing. */
BST_API void bst_diags_set_warnings(bst_diags *diags, const bst_warnings *line);
BST_API void bst_diags_set_file_warnings(bst_diags *diags, const bst_warnings *file);
/* Whether a finding of this warning would be kept: before costly work. True without a list. */
BST_API bool bst_diags_wants(const bst_diags *diags, bst_warning warning);

#ifdef __cplusplus
}
#endif
#endif
