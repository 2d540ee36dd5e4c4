/* The PostgreSQL side of a draft: what its two files share. */
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

/* "t.\"status\"", in the draft's arena. */
const char *bst__draft_quoted(draft *d, const char *alias, const char *name);
const char *bst__draft_literal(draft *d, const char *text);
bst_status bst__draft_query(draft *d, const char *sql, size_t count, const char *const *params,
                            bst_pg_rows **ret);
uint64_t bst__draft_number(const bst_pg_rows *rows, size_t row, size_t column);
/* Edges and `log` of the draft, when a table is recognised. */
bst_status bst__draft_log(draft *d);

#endif
