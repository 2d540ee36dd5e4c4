/* The event store as a place in a database: is it there, is it ours. */
#ifndef BACKSTORY_PG_STORE_PRIVATE_H
#define BACKSTORY_PG_STORE_PRIVATE_H

#include "backstory/loads.h"
#include "backstory/pg.h"

#define BST__STORE_VERSION 1

/* Looks for the store. BST_DATABASE when the server is too old or the store has another version. */
bst_status bst__store_find(bst_pg *pg, bool *ret_found, bst_diags *diags) BST_MUST_USE;
/* Connects, and says whether there is a store; *ret is the caller's, also when it fails. */
bst_status bst__store_look(const char *conninfo, bst_pg **ret, bool *ret_found,
                           bst_diags *diags) BST_MUST_USE;
/* The store must be there: BST_DATABASE (code no-store) when it is not. */
bst_status bst__store_need(bst_pg *pg, bst_diags *diags) BST_MUST_USE;
/* bst_store_open() in a transaction that sees what another session does which has exported its
 * snapshot by this name; NULL: in none. */
bst_status bst__store_open_at(const char *conninfo, const char *moment, bst_pg **ret,
                              bst_diags *diags) BST_MUST_USE;
/* BEGIN, at such a moment; NULL: at one of its own. */
bst_status bst__pg_begin_at(bst_pg *pg, const char *moment, bst_diags *diags) BST_MUST_USE;
/* Inside a transaction: looks for the store and installs it when it is not there; *ret_new tells.
 * BST_RETRY when somebody else is doing so. */
bst_status bst__store_install(bst_pg *pg, bool *ret_new, bst_diags *diags) BST_MUST_USE;

/* Runs a statement that gives one value; a malloc'd copy, or NULL for null or no row. */
bst_status bst__pg_value(bst_pg *pg, const char *sql, size_t param_count, const char *const *params,
                         char **ret, bst_diags *diags) BST_MUST_USE;
bst_status bst__pg_number(bst_pg *pg, const char *sql, size_t param_count,
                          const char *const *params, int64_t *ret, bst_diags *diags) BST_MUST_USE;
bst_status bst__pg_truth(bst_pg *pg, const char *sql, size_t param_count, const char *const *params,
                         bool *ret, bst_diags *diags) BST_MUST_USE;

/* bst_follow_find_others(), over a connection to a store that is there. */
bst_status bst__follow_find_others(bst_pg *pg, const char *machine, const char *source,
                                   const char *slot, bst_follow_others *ret,
                                   bst_diags *diags) BST_MUST_USE;
struct bst_follow_state;
/* bst_follow_ready(), likewise. */
bst_status bst__follow_ready(bst_pg *pg, const char *machine, const char *slot,
                             const char *mapping_sha256, struct bst_follow_state *ret,
                             bst_diags *diags) BST_MUST_USE;

#endif
