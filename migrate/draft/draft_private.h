/* What the files of the draft share: the profile of a table, and the draft as it grows. */
#ifndef BACKSTORY_DRAFT_PRIVATE_H
#define BACKSTORY_DRAFT_PRIVATE_H

#include <jansson.h>

#include "backstory/arena.h"
#include "backstory/draft.h"
#include "backstory/strbuf.h"

#define DRAFT_NONE        UINT32_MAX
#define DRAFT_COLUMNS_MAX 1600u
#define DRAFT_NOTES_MAX   200u
#define DRAFT_PATH_MAX    32u /* time columns of one table that count as evidence */

typedef enum draft_role {
    ROLE_FIELD,
    ROLE_KEY,
    ROLE_STATE,
    ROLE_CREATION,
    ROLE_LAST_CHANGE,
    ROLE_EVIDENCE,  /* a time that stands for `states` */
    ROLE_COUNT,     /* how often the states were entered */
    ROLE_COUNT_ALL, /* how many events in all */
    ROLE_DELETED,   /* soft delete: rows that have it are out of scope */
    ROLE_PLAN,      /* a time that lies ahead: a field, with a word about it */
    ROLE_DOUBTED    /* looks like evidence, and is none: a field */
} draft_role;

typedef struct draft_column {
    const char *name;
    const char *type; /* of the machine, without `?` */
    bool time, naive, date, integer, text;
    bool not_null;
    uint64_t nulls;
    uint64_t distinct; /* up to BST_DRAFT_STATES_MAX + 1; only when asked for */
    bool distinct_known;
    const char *initial_text; /* what an INSERT without it puts there; NULL */
    /* values the catalogue knows of: an enum's, a CHECK's, a lookup table's */
    size_t value_count;
    const char *const *values;
    const char *const *labels; /* the lookup's names; NULL: the values speak for themselves */
    const char *values_from;   /* "enum type", "CHECK constraint", "lookup table \"x\"" */
    const char *refers_to;     /* quoted, a table that a foreign key leads to; NULL */
    const char *refers_name, *refers_column;

    draft_role role;
    const char *note;          /* for the description of what becomes of it */
    const char *field;         /* the field's name */
    uint8_t *states;           /* EVIDENCE, COUNT: flags by state */
    bool first;                /* EVIDENCE: of several occurrences the first */
    bool always;               /* EVIDENCE: set in every row that stands in one of `states` */
    uint64_t set, early, late; /* EVIDENCE candidates: rows; before creation, after last change */
    bool at_most;              /* COUNT */
    bool from_zero;            /* COUNT_ALL: creation leaves 0 */
} draft_column;

typedef struct draft_state {
    const char *name, *label, *note, *verb;
    uint64_t rows;
    uint64_t *set;  /* by column: rows in this state where the time is there */
    uint64_t *last; /* by column: and where no other time is later */
    bool reached;
    uint64_t exits;
} draft_state;

typedef struct draft_code {
    const char *text, *label;
    uint32_t state;
    uint64_t rows;
} draft_code;

typedef struct draft_edge {
    uint32_t from, to; /* from == to: it happens, and the state stays */
    uint32_t event_of; /* the state whose entering it is named after (= to, but for a stay) */
    uint64_t count;
    const char *command; /* of the log; NULL: named after the state */
    const char *note;
    bool guess;
    bool taken;
} draft_edge;

/* Rows that look alike: the state, and the order of the times that are set. */
typedef struct draft_path {
    uint32_t state;
    size_t len;
    uint32_t columns[DRAFT_PATH_MAX];
    uint64_t rows;
} draft_path;

typedef struct draft_tally {
    int64_t min, max;
    uint64_t nulls;
    uint64_t low;  /* rows where it is less than the times prove */
    uint64_t high; /* rows where it is more */
} draft_tally;

typedef struct draft draft;

/* A kind of source. Each call is one pass over the rows at most. */
typedef struct draft_ops {
    bst_status (*columns)(draft *d); /* names, types, NULLs, keys, what the catalogue knows */
    bst_status (*distinct)(draft *d, uint32_t column);
    bst_status (*codes)(draft *d); /* the values of the state column, and how many rows have each */
    bst_status (*matrix)(draft *d); /* draft_state.set and .last, draft_column.set, early, late */
    bst_status (*paths)(draft *d);  /* of the columns that are evidence */
    /* `against`: the time that is set with it; DRAFT_NONE: all evidence, and 1 for the creation */
    bst_status (*tally)(draft *d, uint32_t column, uint32_t against, draft_tally *ret);
    bst_status (*log)(draft *d); /* edges and `log`; may be NULL */
    void (*close)(draft *d);
} draft_ops;

struct draft {
    const bst_draft_options *options;
    bst_diags *diags;
    bst_arena *arena;
    const draft_ops *ops;
    void *source;
    const char *id, *table; /* "public.payments" */
    uint64_t rows, without_state;
    size_t column_count;
    draft_column *columns;
    size_t key_count;
    uint32_t key[16];
    uint32_t state_column, creation, last_change, deleted;
    size_t state_count, code_count;
    draft_state *states;
    draft_code *codes;
    uint32_t initial;
    size_t edge_count, edge_size;
    draft_edge *edges;
    size_t path_count;
    draft_path *paths;
    const char *log;            /* "public.payment_transitions (statesman)" */
    bool log_begins_with_steps; /* its first step leaves the initial state */
    size_t note_count;
    const char *notes[DRAFT_NOTES_MAX];
    bool of_machine[DRAFT_NOTES_MAX]; /* the note belongs into the machine */
    bool noting_machine;
    bool failed; /* out of memory */
};

/* Adds a sentence about what was guessed; too many are dropped. */
void bst__draft_note(draft *d, const char *format, ...) BST_PRINTF(2, 3);
char *bst__draft_text(draft *d, const char *format, ...) BST_PRINTF(2, 3); /* never NULL */
void *bst__draft_array(draft *d, size_t count, size_t size);               /* NULL: d->failed */

/* Words (words.c). Texts live in the draft's arena. */
#define DRAFT_WORDS_MAX 16u
typedef struct draft_words {
    size_t count;
    char word[DRAFT_WORDS_MAX][40]; /* lower case */
} draft_words;
void bst__draft_split(const char *text, draft_words *ret);
/* "WRITE OFF" -> "write_off"; never starts with a digit; `empty` when nothing is left */
char *bst__draft_identifier(draft *d, const char *text, const char *empty);
char *bst__draft_singular(draft *d, const char *name);
/* "captured" -> "capture", "cancellation" -> "cancel"; the word itself when there is none */
void bst__draft_stem(const char *word, char ret[40]);
/* The command that leads to a state: "captured" -> "capture", "in_transit" -> "put_in_transit",
 * "pending" -> "move_to_pending". */
char *bst__draft_verb(draft *d, const char *state);
bool bst__draft_has_word(const draft_words *words, const char *const *list);

/* The words of a column that say what it is about: without "at", "date", "last" and the entity's
 * own name; *ret_first (may be NULL): "first" is among them. */
void bst__draft_telling_words(const draft *d, const char *name, draft_words *ret, bool *ret_first);
/* Whether words of a column and of a state mean the same: "date_paid", "payment" and paid. */
bool bst__draft_same_meaning(const draft_words *column, const char *state);

/* The state column and the states (states.c). */
bst_status bst__draft_find_state_column(draft *d);
bst_status bst__draft_name_states(draft *d);
void bst__draft_find_initial(draft *d);
uint32_t bst__draft_state_of(const draft *d, const char *code);

/* What the columns are (columns.c). */
bst_status bst__draft_find_key(draft *d);
void bst__draft_name_roles(draft *d); /* by name, before the rows are read */
void bst__draft_fields(draft *d);
/* By name and data, after the matrix (match.c, counters.c). */
void bst__draft_match_states(draft *d);
bst_status bst__draft_match_counts(draft *d);

/* How states follow one another (steps.c). */
draft_edge *bst__draft_edge(draft *d, uint32_t from, uint32_t to, uint32_t event_of, uint64_t rows);
void bst__draft_steps_from_paths(draft *d);
void bst__draft_mend_steps(draft *d); /* noise out, bridges in, names */

/* The files (write.c, layout.c). */
json_t *bst__draft_machine(draft *d);
json_t *bst__draft_mapping(draft *d);
/* It has times without a zone that matter: the mapping reads them as UTC. */
bool bst__draft_wants_zone(const draft *d);
/* Objects that fit stand on one line. */
void bst__draft_layout(const json_t *json, bst_strbuf *out);

/* draft.c: of one status column */
bst_status bst__draft_one(const bst_draft_options *options, bst_draft *ret, bst_diags *diags);
/* regions.c: several status columns, with commas between them */
bst_status bst__draft_regions(const bst_draft_options *options, bst_draft *ret, bst_diags *diags);

bst_status bst__draft_open_csv(draft *d);
bst_status bst__draft_open_pg(draft *d);
#endif
