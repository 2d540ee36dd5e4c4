/* Reading a mapping file: what the steps of the loader share. mapping.c says in which order they
 * run.
 *
 * A mistake is reported where it stands and the reading goes on; what could not be read is left
 * out, and nobody complains of its absence. So one mistake gives one finding and all are found in
 * one run. `machine` is NULL when the machine file is wrong itself: then names are not looked up.
 */
#ifndef BACKSTORY_MAPPING_PRIVATE_H
#define BACKSTORY_MAPPING_PRIVATE_H

#include <jansson.h>

#include "backstory/mapping.h"

/* Where the reader stands: a chain on the stack that becomes a JSON pointer only when needed. */
typedef struct bst__map_path {
    const struct bst__map_path *up; /* NULL: the root */
    const char *key;                /* NULL: an item of an array ... */
    size_t index;                   /* ... with this number */
} bst__map_path;

/* Hash tables of place.c: a status text, and what all state columns say together. */
typedef struct bst__map_code bst__map_code;
typedef struct bst__map_place bst__map_place;

typedef struct bst__map_zone {
    struct bst__map_zone *next;
    const char *name;
    const bst_zone *zone;
} bst__map_zone;

/* A mapping and what it owns. */
typedef struct bst__map_whole {
    bst_mapping mapping; /* first: it is what the public pointer points to */
    bst_arena *arena;
    bst_machine *machine;
    bst_json_source *json;
    bst__map_zone *zones;
    bst__map_code *codes[BST_STATE_COLUMNS_MAX]; /* by state column */
    bst__map_place *places;
    bool *coded; /* by state column and node: a code names it; where there are regions */
    bst_json_source *learned; /* the file of probabilities */
    json_t *made;             /* columns that a preset of the log stands for */
} bst__map_whole;

typedef struct bst__map_declared {
    const char *name;
    bst_type type;
} bst__map_declared;

/* An expression that waits until all columns are known: then its names get their types. */
typedef struct bst__map_pending {
    struct bst__map_pending *next;
    const char *text;
    size_t len;
    const char *pointer;
    const bst_type *want; /* NULL: bool */
    const bst_expr **ret;
} bst__map_pending;

typedef struct bst__map {
    bst__map_whole *whole;
    bst_arena *arena;
    bst_mapping *mapping;
    const bst_machine *machine; /* may be NULL */
    const bst_json_source *json;
    bst_diags *diags;
    bst_status status; /* the worst so far */
    uint32_t suggestions;
    const char *table;    /* the last part of the table's name: "payments" */
    const bst_zone *zone; /* of naive timestamps where nothing nearer says so */
    bst_dates dates;
    bst__map_declared *declared;
    size_t declared_count;
    bst_source_column *columns;
    size_t column_count, column_room;
    bst__map_pending *pending, **pending_tail;
    const char *state_name; /* the column of the state, for presets of logs */
} bst__map;

/* report.c: findings, and the form of objects */
const char *bst__map_pointer(bst__map *map, const bst__map_path *path); /* in the arena */
bst_loc bst__map_value_at(bst__map *map, const bst__map_path *path);
bst_loc bst__map_key_at(bst__map *map, const bst__map_path *path);
void bst__map_error(bst__map *map, const bst_loc *where, const char *code, const char *format, ...)
    BST_PRINTF(4, 5);
void bst__map_nomem(bst__map *map);
/* The hint of the last finding: "Did you mean ...?" when a name is near, else `otherwise`, if any.
 * `items` is an array of structs of `size` bytes that begin with their name. */
void bst__map_did_you_mean(bst__map *map, const char *name, const void *items, size_t size,
                           size_t count, const char *otherwise);
/* Every key of `object` that is not among `keys` is an error. */
void bst__map_keys(bst__map *map, const json_t *object, const bst__map_path *path,
                   const char *const *keys, size_t count);
/* The member `key` if it is there and of this type, else NULL; another type is an error. */
const json_t *bst__map_get(bst__map *map, const json_t *object, const bst__map_path *path,
                           const char *key, json_type type);
/* The same, and its absence is an error. */
const json_t *bst__map_need(bst__map *map, const json_t *object, const bst__map_path *path,
                            const char *key, json_type type);
bool bst__map_is(bst__map *map, const json_t *json, const bst__map_path *path, json_type type);
/* A text out of a closed list: its number, or `count` after a finding. `key` is what it is for. */
size_t bst__map_word(bst__map *map, const json_t *json, const bst__map_path *path, const char *key,
                     const char *const *names, size_t count);
/* The same of a member: its number, or `otherwise` when it is absent or wrong. */
int bst__map_choice(bst__map *map, const json_t *object, const bst__map_path *path, const char *key,
                    const char *const *names, size_t count, int otherwise);

/* columns.c: columns, their types and zones */
void bst__map_declare(bst__map *map, const json_t *columns, const bst__map_path *path);
const bst_zone *bst__map_zone_of(bst__map *map, const json_t *object, const bst__map_path *path);
/* Whether a column declared as `from` can serve where `to` is wanted. */
bool bst__map_converts(const bst_type *from, const bst_type *to);
/* The column `name` (or, when `sql` is set, that expression) as it is wanted here; BST_NONE and a
 * finding at `path` when it cannot be. */
uint32_t bst__map_column(bst__map *map, const bst__map_path *path, const char *name,
                         const char *sql, const bst_type *want, const bst_zone *zone);
/* The number of a column like this, made when there is none. */
uint32_t bst__map_add_column(bst__map *map, const bst_source_column *column);
/* The same for the state: as text, whatever the column is declared as, for codes are matched as
 * text. */
uint32_t bst__map_state_column(bst__map *map, const bst__map_path *path, const char *name,
                               const char *sql);
/* Compiles `text` once all columns are known. `want` NULL: bool. */
void bst__map_expression(bst__map *map, const bst__map_path *path, const char *text, size_t len,
                         const bst_type *want, const bst_expr **ret);
void bst__map_compile(bst__map *map);

/* values.c */
/* A value source for something of type `want` (NULL: not known, nothing is checked against it). */
void bst__map_value(bst__map *map, const json_t *json, const bst__map_path *path,
                    const bst_type *want, bst_value_from *ret);
/* A plain column: a name, { "column", "zone" } or { "sql", "zone" }. */
uint32_t bst__map_plain(bst__map *map, const json_t *json, const bst__map_path *path,
                        const bst_type *want);

/* source.c: table, key, where, zone, null */
void bst__map_source(bst__map *map, const json_t *root);
/* state.c: the columns of the state, and what their values stand for */
void bst__map_state(bst__map *map, const json_t *root);
/* A state by its name, by its path, or by its own name where only one state of the file has it. Of
 * configurations with the same leaves the first: the one whose histories remember nothing. */
uint32_t bst__map_find_state(const bst_machine *machine, const char *name);
/* Appends the pointer of a state column's part of the file: "/state", "/state/regions/payment". */
void bst__map_state_pointer(const bst_state_column *column, bst_strbuf *pointer);
/* The place of a code in the file. */
bst_loc bst__map_code_where(const bst_mapping *mapping, const bst_state_column *column,
                            const bst_state_code *code);

/* place.c: where a row stands */
/* Once the state's columns are read without a mistake: makes the look-ups of codes, and where there
 * are regions that of places. Two states that no column tells apart are a finding. */
void bst__map_places(bst__map *map);
void bst__map_places_free(bst__map_whole *whole);
/* Other values of one column with which the columns would agree: "payment_status is \"due\"". */
void bst__map_mend_state(const bst_mapping *mapping, const bst_state_reading *reading,
                         bst_strbuf *out);

/* evidence.c */
void bst__map_evidence(bst__map *map, const json_t *root);

/* check.c: the warnings of mapping and machine are those of the file in hand until
 * bst_diags_set_file_warnings(diags, NULL). */
void bst__map_warnings_begin(const bst_mapping *mapping, bst_diags *diags);
/* histories.c */
bst_status bst__map_check_histories(const bst_mapping *mapping, bst_diags *diags);
/* sum.c: the field of the entity that the event adds its field to, or
 * (*ret_negative) takes it away from; BST_NONE: none. */
uint32_t bst__sum_of(const bst_machine *machine, uint32_t event, uint32_t field,
                     bool *ret_negative);
/* policy.c */
void bst__map_policy(bst__map *map, const json_t *root);
/* log.c */
void bst__map_log(bst__map *map, const json_t *root);
/* log_region.c: whose codes a log has; the number of the state column before that is read; what
 * bst_mapping.reentered says */
void bst__map_log_region(bst__map *map, const json_t *json, const bst__map_path *path,
                         bst_log *log);
uint32_t bst__map_log_state_column(const bst_mapping *mapping, const json_t *log);
void bst__map_log_nodes(bst__map *map);
/* log_join.c: the log as one more column of the mapping */
void bst__map_log_join(bst__map *map, bst_log *log);
/* commands.c */
void bst__map_commands(bst__map *map, const json_t *root);
/* learned.c: the file of probabilities that is named at `path` */
void bst__map_learned(bst__map *map, const bst__map_path *path, const char *file);
/* learned_steps.c */
void bst__map_steps(bst__map *map, const json_t *root, double *weight, double *stop);
void bst__map_bad_number(bst__map *map, const bst__map_path *path, const char *what);
/* A count; -1 and a finding when it is none. */
double bst__map_count(bst__map *map, const json_t *json, const bst__map_path *path);
/* `of_machine`: it is a command of the machine, but does nothing there. */
void bst__map_unknown_step(bst__map *map, const bst__map_path *path, const char *name,
                           bool of_machine);
/* spans.c */
uint32_t bst__map_span(const char *text);    /* BST_NONE: there is none */
uint32_t bst__map_span_of(const char *text); /* the same */
void bst__map_sort_spans(bst_seen_span *all, uint32_t count);
/* learned_seen.c: whole histories and contexts; the weights of single steps are there already */
void bst__map_seen(bst__map *map, const json_t *root, bst_weights *ret);

/* where.c: `a IS NULL AND b IS NOT NULL` as CEL; false when the SQL is anything else. */
bool bst__map_where_cel(const char *sql, bst_strbuf *out);

#endif
