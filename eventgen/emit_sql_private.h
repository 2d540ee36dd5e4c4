/* The parts of the SQL emitter. */
#ifndef BACKSTORY_EMIT_SQL_PRIVATE_H
#define BACKSTORY_EMIT_SQL_PRIVATE_H

#include "emit_sql_expr_private.h"

/* One machine on its way to SQL. All names are identifiers, in quotes where they need them. */
typedef struct bst__sql {
    const bst_machine *machine;
    bst_arena *arena;
    const char *schema;
    const char **fields;    /* by field of the entity: its column */
    const char **events;    /* by event: its view */
    const char ***payloads; /* by event and field: its column in that view */
    const char **guards;    /* by guard: its function */
    const bool *unsure;     /* by field: required, and yet some creation leaves it unset */
    const bool *creating;   /* by event: some creation emits it */
    uint32_t helpers;       /* that expressions call, by bit */
    bool failed;            /* out of memory */
} bst__sql;

/* emit_sql_names.c. Fills all of the above. */
void bst__sql_name_all(bst__sql *sql, const bst_emit_options *options);
/* A set of names: what is not taken yet of `name`, `name_`, ...; at most 63 bytes, as PostgreSQL
 * has them. */
typedef struct bst__sql_taken bst__sql_taken;
const char *bst__sql_claim(bst__sql *sql, bst__sql_taken **set, const char *name);
void bst__sql_claim_all(bst__sql *sql, bst__sql_taken **set, const char *const *names);
void bst__sql_taken_free(bst__sql_taken **set);

/* emit_sql_text.c. Text as one or more lines of comment. */
void bst__sql_comment(const char *text, bst_strbuf *out);
void bst__sql_literal(const char *text, bst_strbuf *out); /* in quotes */
/* Text that begins at the start of a line, broken between its words where it is long; lines after
 * the first are indented so far. */
void bst__sql_wrap(const char *text, int indent, bst_strbuf *out);

/* Each appends its part of the file. */
void bst__sql_add_catalogue(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_events(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_checks(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_fold(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_guards(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_former(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_upcast(bst__sql *sql, bst_strbuf *out);
void bst__sql_add_legacy(bst__sql *sql, const bst_legacy_table *table, bst_strbuf *out);

/* emit_sql_former.c. Whether something was renamed; and the relation with the machine's events
 * under the names of today. */
bool bst__sql_renames(const bst__sql *sql);
void bst__sql_source(const bst__sql *sql, bst_strbuf *out);

/* emit_sql_upcast.c. Whether the event, or some event of the machine, has been carried in other
 * shapes before; and the payload of a row of that as one of the current version. */
bool bst__sql_has_upcasts(const bst_event_type *event);
bool bst__sql_upcasts(const bst__sql *sql);
void bst__sql_data(const bst__sql *sql, bst_strbuf *out);
/* The fold of its rows that stand together. */
void bst__sql_fold(const bst__sql *sql, bst_strbuf *out);

/* emit_sql_payload.c. A field of the payload `data` as a value of its type; in
 * brackets where it needs them as an operand. */
void bst__sql_payload_value(const bst_field *field, bool operand, bst_strbuf *out);

#endif
