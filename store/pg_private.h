/* What the room needs of a connection beyond pg.h. */
#ifndef BACKSTORY_PG_PRIVATE_H
#define BACKSTORY_PG_PRIVATE_H

#include "backstory/pg.h"

/* The server's version as PostgreSQL counts: 150020 is 15.20. */
int bst__pg_version(const bst_pg *pg);

/* Adds a finding of the server's to another list. */
bst_status bst__diag_pass_on(const bst_diag *diag, bst_diags *diags);

#endif
