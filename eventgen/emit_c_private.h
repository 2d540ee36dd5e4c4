/* The C emitter's parts.
 *
 *     machine -> bst__c (every name chosen: emit_c_names.c; the table packed: emit_c_tables.c)
 *             -> <id>.h (emit_c_header.c) and <id>.c (emit_c_source.c and what it calls)
 *
 * Names come first and in one place, since C has few name spaces and C++ fewer. All of it lives in
 * one arena that is freed with the run. Running out of memory sets `failed`; names are then "",
 * never NULL, and the run goes on to its end.
 */
#ifndef BACKSTORY_EMIT_C_PRIVATE_H
#define BACKSTORY_EMIT_C_PRIVATE_H

#include "backstory/regions.h"
#include "emit_private.h"

#define BST__C_COLUMNS 100

/* An enum that stands for a type `enum(a,b)`; fields with the same members share it. */
typedef struct bst__c_enum {
    const bst_type *type;
    const char *tag;
    const char *count; /* macro */
    const char **constants;
    const char *name, *from_name; /* functions */
} bst__c_enum;

typedef struct bst__c_field {
    const bst_field *field;
    const char *member;
    /* The bool before it; NULL: always there. Required fields of the entity have one, too, when
     * some creation leaves them unset. */
    const char *has;
    const char *scale; /* macro; NULL: no decimal */
    const bst__c_enum *enumeration;
} bst__c_field;

/* The entity, or what an event or a command carries. */
typedef struct bst__c_record {
    const char *tag;      /* of the struct; NULL: no fields, no struct */
    const char *member;   /* its place in the union */
    const char *constant; /* in the enum of types */
    const char *suffix;   /* unique among its kind, for function names: "captured" */
    uint32_t count;
    bst__c_field *fields;
} bst__c_record;

/* One way on from a cell of the table: what is tried when the command does not just lead to a
 * state. */
typedef struct bst__c_candidate {
    uint32_t transition;
    bool more; /* the next one is tried when the guard of this one refuses */
} bst__c_candidate;

typedef struct bst__c_emission {
    uint32_t command, event;
    /* The first that does this; all of them fill the payload alike. */
    const bst_transition *transition;
} bst__c_emission;

/* What a command leads to from a state (row = state + 1, 0: does not exist yet). In C a value is
 *     0           the state does not know the command: there is no such cell here
 *     1 .. rows-1 it leads to state - 1 and emits the usual event of the command
 *     rows + n    candidates[n] and what follows it decide */
typedef struct bst__c_cell {
    uint32_t row, command, value;
} bst__c_cell;

typedef struct bst__c_table {
    bst__c_cell *cells;
    uint32_t cell_count, cell_max, rows; /* rows = states + 1 */
    uint32_t *usual_event;               /* by command */
    bst__c_candidate *candidates;
    uint32_t candidate_count;
    /* Pairs of a command and an event that it emits, by event: those of event e are
     * emissions[emission_first[e]] to emissions[emission_first[e + 1] - 1]; and by command:
     * emissions[of_command[k]], k from command_first[c] on. */
    bst__c_emission *emissions;
    uint32_t *emission_first, *of_command, *command_first;
} bst__c_table;

typedef struct bst__c_scale {
    const char *macro;
    unsigned scale;
} bst__c_scale;

/* Names of the machine as a whole. */
typedef struct bst__c_fixed {
    const char *state, *command_type, *event_type, *guard, *verdict, *apply_result; /* enums */
    const char *command, *event, *decision, *candidate;                             /* structs */
    const char *state_count, *command_count, *event_count, *guard_count;            /* macros */
    const char *transitions;                                                        /* the table */
    const char *next, *step_all, *init, *decide, *apply;
    const char *older_event, *upcast; /* a struct, a function; NULL: no event has older versions */
    const char *state_name, *command_name, *event_name, *guard_name, *verdict_name;
    const char *state_from_name, *command_from_name, *event_from_name;
    const char *region_count, *taken, *place_name; /* NULL: there is one table */
    const char *include_guard;
} bst__c_fixed;

typedef struct bst__c_names bst__c_names; /* what is taken; emit_c_names.c */

typedef struct bst__c {
    const bst_machine *machine;
    const bst_regions *regions; /* NULL: there is one table */
    bst_arena *arena;
    bool failed;
    const char *prefix, *upper; /* "payment", "PAYMENT" */
    bst__c_names *names;
    bst__c_fixed fixed;
    const char **states;                /* constants; [0]: does not exist, [i + 1]: state i */
    const char **guards;                /* the same for guards */
    const char **guard_suffixes;        /* by guard: "within_authorization" */
    const bst_transition **guard_users; /* by guard: the first that asks it; NULL: none */
    bst__c_record entity, *events, *commands;
    /* What older versions of events carried: those of event e begin at older[first_older[e]]. */
    bst__c_record *older;
    uint32_t *first_older, older_count;
    bst__c_enum *enums;
    uint32_t enum_count;
    bst__c_scale *scales;
    uint32_t scale_count;
    bst__c_table table;
} bst__c;

/* emit_c_names.c */
void bst__c_name_all(bst__c *c, const bst_emit_options *options);
/* A further name of file scope, for the files beside the core: <prefix>_<name>. */
const char *bst__c_claim(bst__c *c, const char *name);
void bst__c_names_free(bst__c *c);

/* emit_c_tables.c */
void bst__c_pack_table(bst__c *c);
void bst__c_add_tables(bst__c *c, bst_strbuf *out);
/* emit_c_cells.c: the table itself, in the source; what the header says of it; the cell of a state
 * and a command, which are expressions of C */
void bst__c_add_cells(bst__c *c, bst_strbuf *out);
void bst__c_add_cell_access(bst__c *c, bst_strbuf *out);
const char *bst__c_cell_text(bst__c *c, const char *state, const char *command);
/* emit_c_batch.c: what the header says of step_all */
void bst__c_add_batch_access(bst__c *c, bst_strbuf *out);

/* emit_c_regions.c: what is different where regions keep tables of their own */
/* The members that say where an entity stands: "enum plant_state state, parts[PLANT_...];". */
const char *bst__c_state_member(bst__c *c);
/* A statement that copies where the regions are; nothing when there is one table. */
void bst__c_copy_parts(bst__c *c, const char *to, const char *from, bst_strbuf *out);
/* What the header says of them, and the function that names a place. */
void bst__c_add_region_header(bst__c *c, bst_strbuf *out);
void bst__c_add_place_name_head(bst__c *c, bst_strbuf *out);
void bst__c_add_place_name(bst__c *c, bst_strbuf *out);
/* The tables that only regions need. */
void bst__c_add_region_tables(bst__c *c, bst_strbuf *out);

/* emit_c_header.c, emit_c_source.c: the two files */
void bst__c_add_header(bst__c *c, bst_strbuf *out);
void bst__c_add_source(bst__c *c, bst_strbuf *out);

/* emit_c_text.c: layout, as clang-format would have it; and the smallest unsigned type that holds
 * 0 .. max */
const char *bst__c_uint(uint32_t max);
void bst__c_comment(bst_strbuf *out, unsigned indent, const char *text);
/* A string literal with its quotes; of UTF-8, or (`bytes`) of anything. */
void bst__c_add_literal(bst_strbuf *out, const char *text, size_t len, bool bytes);
/* `head` `a, b, c` `tail` and a line feed, broken after commas when it is too long: `f(` a, b `);`
 */
void bst__c_add_list(bst_strbuf *out, unsigned indent, const char *head, const char *const *items,
                     size_t count, const char *tail);
/* `head expr;`, broken where clang-format would when it is too long. */
void bst__c_add_statement(bst_strbuf *out, unsigned indent, const char *head, const char *expr);
/* Columns, not bytes: UTF-8 characters. */
size_t bst__c_columns(const char *text);

/* Lines of code with comments behind them, aligned. */
typedef struct bst__c_line {
    const char *code;    /* without indentation */
    const char *comment; /* NULL: none */
} bst__c_line;
void bst__c_add_lines(bst_strbuf *out, unsigned indent, const bst__c_line *lines, size_t count);

/* A text in the arena; never NULL (see `failed`). */
const char *bst__c_text(bst__c *c, const char *format, ...) BST_PRINTF(2, 3);
void *bst__c_array(bst__c *c, size_t count, size_t size);

#endif
