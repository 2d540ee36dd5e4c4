/* The PostgreSQL side of a draft: what its files share. */
#ifndef BACKSTORY_DRAFT_PG_PRIVATE_H
#define BACKSTORY_DRAFT_PG_PRIVATE_H

#include "backstory/pg.h"

#include "draft_private.h"

typedef struct draft_pg {
    bst_pg *pg;
    const char *oid, *schema, *table;
    const char *quoted; /* "public"."payments" */
    const char *from;   /* the same as `t`, with TABLESAMPLE when asked for */
} draft_pg;

static inline draft_pg *bst__draft_pg_of(draft *d) {
    return d->source;
}

/* "t.\"status\"", in the draft's arena. */
const char *bst__draft_quoted(draft *d, const char *alias, const char *name);
const char *bst__draft_literal(draft *d, const char *text);
bst_status bst__draft_query(draft *d, const char *sql, size_t count, const char *const *params,
                            bst_pg_rows **ret);
uint64_t bst__draft_number(const bst_pg_rows *rows, size_t row, size_t column);
const char *bst__draft_cell(draft *d, const bst_pg_rows *rows, size_t row, size_t column);
const char *bst__draft_quoted_column(draft *d, uint32_t column);
/* " WHERE t.deleted_at IS NULL" once that is known. */
const char *bst__draft_scope(draft *d);

/* catalogue_pg.c: see draft_ops */
bst_status bst__draft_pg_columns(draft *d);
bst_status bst__draft_pg_distinct(draft *d, uint32_t column);
bst_status bst__draft_pg_codes(draft *d);

/* Edges and `log` of the draft, when a table is recognised. */
bst_status bst__draft_log(draft *d);

#endif
