/* What the room needs of a connection beyond pg.h. */
#ifndef BACKSTORY_PG_PRIVATE_H
#define BACKSTORY_PG_PRIVATE_H

#include "backstory/pg.h"

/* For the files that speak libpq themselves, pg*.c: its PGconn and PGresult. */
struct pg_conn;
struct pg_result;
struct pg_conn *bst__pg_conn(const bst_pg *pg);
/* bst_pg_connect(); `replicating`: to a walsender, which takes replication commands as well. */
bst_status bst__pg_connect(const char *conninfo, bst_pg_side side, bool replicating,
                           uint32_t patience, bst_pg **ret, bst_diags *diags) BST_MUST_USE;
/* Takes the result that failed (NULL: none came) and all that follow it, and reports the first that
 * says why. */
bst_status bst__pg_failed(bst_pg *pg, struct pg_result *result, bst_diags *diags) BST_MUST_USE;

/* Adds a finding of the server's to another list. */
bst_status bst__diag_pass_on(const bst_diag *diag, bst_diags *diags);

#endif
