/* A compiled mapping: where a legacy database keeps the entities of a machine, and what its columns
 * prove. Made from a `.legacy.json` file; immutable; everything resolved to indices.
 */
#ifndef BACKSTORY_MAPPING_H
#define BACKSTORY_MAPPING_H

#include "backstory/infer.h"
#include "backstory/machine.h"
#include "backstory/source.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_EVIDENCE_MAX      200u
#define BST_LOG_ROWS_MAX      256u /* of one entity, as evidence */
#define BST_STATE_COLUMNS_MAX 32u

/* Where a value of the machine's comes from. */
typedef struct bst_value_from {
    enum { BST_FROM_NOTHING, BST_FROM_COLUMN, BST_FROM_EXPR } kind;
    uint32_t column;      /* into bst_mapping.columns */
    const bst_expr *expr; /* over BST_ROOT_ROW */
    /* COLUMN into a decimal: the column counts units of 10^-minor_digits; -1: it does not */
    int minor_digits;
    bst_value default_value; /* where the column is NULL; absent: none */
} bst_value_from;

typedef enum bst_evidence_kind {
    BST_EVIDENCE_EVENT,      /* `at`: when an event of `transitions` happened */
    BST_EVIDENCE_STATE,      /* `at`: when a state was entered by one of `transitions` */
    BST_EVIDENCE_COUNT,      /* `count`: how often `transitions` were taken */
    BST_EVIDENCE_CREATION,   /* `at`: the time of the first event, whichever it is */
    BST_EVIDENCE_LAST_CHANGE /* `at`: an upper bound for all, or (exact) the time of the last */
} bst_evidence_kind;

typedef struct bst_payload_from {
    uint32_t event, field; /* of the machine */
    bst_value_from from;
} bst_payload_from;

typedef struct bst_evidence {
    bst_evidence_kind kind;
    const char *label;          /* "payments.captured_at": the `source` of its events */
    uint32_t column;            /* `at`, or the count */
    const uint8_t *transitions; /* flags */
    uint32_t node_count;        /* of an item about states: those that the file names */
    const uint32_t *nodes;
    bst_occurrence occurrence; /* LAST unless the file says so */
    bool absent_is_never;      /* NULL: it did not happen */
    bst_relation relation;     /* COUNT */
    bool exact;                /* LAST_CHANGE */
    const bst_expr *when;      /* NULL: always */
    /* what this evidence says of the payload of the events it speaks of */
    uint32_t payload_count;
    const bst_payload_from *payload;
    bst_loc where;
} bst_evidence;

typedef struct bst_state_code {
    const char *text; /* the value as PostgreSQL prints it as text */
    /* what it stands for: a state; or, where the state is in several columns, a node that is active
     * in it, and `state` is BST_NONE */
    uint32_t state, node;
} bst_state_code;

/* A column that says where an entity stands: all of it, or the part of one region. */
typedef struct bst_state_column {
    const char *region_key; /* as the file calls the region; NULL: it is the machine's own column */
    uint32_t column;        /* into bst_mapping.source.columns */
    uint32_t region;        /* node; 0: the machine */
    /* number of the state column that decides whether the region is active: that of the nearest
     * region around it which has one; BST_NONE: there is none */
    uint32_t decider;
    uint32_t code_count;
    const bst_state_code *codes; /* in file order */
} bst_state_column;

/* What the state columns of a row say together. */
typedef enum bst_state_verdict {
    BST_STATE_KNOWN,
    BST_STATE_UNKNOWN,   /* a column is NULL, or has a value without a code */
    BST_STATE_IMPOSSIBLE /* each value has a code, and no state has all of these */
} bst_state_verdict;

typedef struct bst_state_reading {
    bst_state_verdict verdict;
    uint32_t state;  /* KNOWN */
    uint32_t column; /* UNKNOWN: number of the state column */
    /* by state column: the number of the code; BST_NONE: NULL, or not asked */
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    /* not asked: its region is not active, as its decider says */
    bool asked[BST_STATE_COLUMNS_MAX];
} bst_state_reading;

/* What carries out a command on the legacy side. */
typedef struct bst_legacy_command {
    const char *function; /* "legacy.capture"; NULL: nothing is known */
    uint32_t argument_count;
    const uint32_t *arguments; /* fields of the command; BST_NONE: the key of the entity */
} bst_legacy_command;

/* Which of weights.seen entities with one signature had, and how often. */
typedef struct bst_seen_times {
    uint32_t walk;
    double times;
} bst_seen_times;

typedef struct bst_seen_here {
    const char *signature; /* as bst_plan has it */
    uint32_t count;
    const bst_seen_times *times;
} bst_seen_here;

/* Of those which took about so long. */
#define BST_SPANS 7u

typedef enum bst_span_of {
    BST_SPAN_WHOLE, /* from the first time of the evidence to the last */
    BST_SPAN_FIRST, /* ... to the next one that differs */
    BST_SPAN_LAST   /* from the one before the last that differs */
} bst_span_of;
#define BST_SPAN_KINDS 3u

typedef struct bst_seen_span {
    bst_seen_here here;
    uint32_t span;
} bst_seen_span;

typedef enum bst_policy_choice {
    BST_POLICY_QUARANTINE,
    BST_POLICY_LIKELIEST,
    BST_POLICY_RELAX,
    BST_POLICY_RECONCILE,
    BST_POLICY_GENESIS
} bst_policy_choice;

/* What becomes of a row without a history of which it is certain. */
typedef struct bst_policy {
    bst_policy_choice ambiguous;     /* several are possible: LIKELIEST, QUARANTINE, GENESIS */
    bst_policy_choice too_ambiguous; /* so many that the search ended: QUARANTINE, GENESIS */
    /* None is possible, or the events do not add up to the row. What is allowed is tried in this
     * order; then the row goes to quarantine. */
    bool relax, contradiction_genesis;
    bool reconcile, residual_genesis;
} bst_policy;

typedef struct bst_mapping {
    const char *file;
    char sha256[BST_SHA256_HEX];
    const bst_machine *machine; /* owned */
    bst_source_spec source;     /* all columns that the mapping reads, each once */
    /* over the row; NULL when all are in scope or source.where_sql speaks */
    const bst_expr *where;
    /* where the state is: those of regions around others first; one, unless there are "regions" */
    uint32_t state_column_count;
    const bst_state_column *state_columns;
    bool regional; /* there are */
    /* machine->field_count: the row's value of each entity field */
    const bst_value_from *fields;
    uint32_t evidence_count;
    const bst_evidence *evidence;
    bst_weights weights;      /* "probabilities"; all 0: none */
    const char *learned_file; /* where they are read from; NULL: they stand in the mapping */
    uint32_t seen_here_count; /* by signature, bytewise */
    const bst_seen_here *seen_here;
    /* By signature and span, in addition. span_worth: for how many histories of one span what there
     * is of its signature speaks. */
    bst_span_of span_of;
    double span_worth;
    uint32_t seen_span_count;
    const bst_seen_span *seen_spans;
    uint32_t log_count;
    const bst_log *log; /* log_count */
    /* where the state is in several columns, [number of the column * nodes + node]: the node may be
     * entered twice with nothing between that the column shows */
    const uint8_t *reentered;
    bst_policy policy;
    /* by command of the machine, or NULL: for replaying commands only */
    const bst_legacy_command *commands;
    const bst_warnings *warnings; /* what the file says of them; NULL: nothing */
    const bst_json_source *json;
} bst_mapping;

/* Loads the mapping and the machine it names (relative to the mapping's folder). Every mistake of
 * both files is reported. */
BST_API bst_status bst_mapping_load(const char *path, bst_mapping **ret,
                                    bst_diags *diags) BST_MUST_USE;
/* The same from memory. `name` is what findings call it, and in its folder the machine is looked
 * for. */
BST_API bst_status bst_mapping_parse(const char *name, const char *text, size_t len,
                                     bst_mapping **ret, bst_diags *diags) BST_MUST_USE;
BST_API bst_mapping *bst_mapping_free(bst_mapping *mapping);

/* The state a status text stands for, where the state is in one column; BST_NONE. O(1) on average.
 * `char(n)` padding is stripped, nothing else. */
BST_API uint32_t bst_mapping_state(const bst_mapping *mapping, const char *text, size_t len);
/* The number of the code that a text is in a state column; BST_NONE. O(1) on average. */
BST_API uint32_t bst_mapping_code(const bst_mapping *mapping, uint32_t state_column,
                                  const char *text, size_t len);
/* What the state columns say together; `values`: the text of each. O(columns) on average. */
BST_API void bst_mapping_read_state(const bst_mapping *mapping, const bst_value *values,
                                    bst_state_reading *ret);
/* How a row says that it is in the state: ret_codes[c] is the first such code of state column c, or
 * BST_NONE where that is NULL. False: no row can say so. */
BST_API bool bst_mapping_codes_of(const bst_mapping *mapping, uint32_t state, uint32_t *ret_codes);
/* Whether the column (of `source`) is one of the state. */
BST_API bool bst_mapping_is_state(const bst_mapping *mapping, uint32_t column);

/* Warnings about what a history cannot recover: states without a code, values that mean one state,
 * required payload fields that no column supplies, fields that are not mapped, histories that look
 * the same. Obeys the "warnings" of the mapping and, where that is silent, of its machine. */
BST_API bst_status bst_mapping_check(const bst_mapping *mapping, bst_diags *diags) BST_MUST_USE;
/* Reads the state column of the real table: values in scope that the mapping lacks, with their
 * counts, and values of the mapping that the table lacks. */
BST_API bst_status bst_mapping_check_source(const bst_mapping *mapping, const char *from,
                                            bst_diags *diags) BST_MUST_USE;

/* What entities with the signature had; NULL: nothing is known. */
BST_API const bst_seen_here *bst_mapping_seen(const bst_mapping *mapping, const char *signature);
BST_API const bst_seen_here *bst_mapping_span(const bst_mapping *mapping, const char *signature,
                                              uint32_t span);
BST_API uint32_t bst_span_of_time(int64_t from, int64_t to); /* microseconds */
BST_API const char *bst_span_text(uint32_t span);            /* "within a day" */
BST_API const char *bst_span_of_text(bst_span_of of);        /* "whole" */

#ifdef __cplusplus
}
#endif
#endif
