/* The insides of the preflight:
 *
 *     check_pg.c        the mapping, the server, the slot, the publication; all of it in order
 *     check_table_pg.c  the table and its partitions, and what of it is in the log
 *     complain_pg.c     what is missing, and what mends it
 */
#ifndef BACKSTORY_CHECK_PRIVATE_H
#define BACKSTORY_CHECK_PRIVATE_H

#include "follow_private.h"

typedef struct bst__preflight {
    bst_pg *source;
    const bst_mapping *mapping;
    const bst_follow_options *options;
    const char *schema, *table;
    bst_strbuf name, slot, role; /* quoted: of the table, for statements */
    bst_pg_rows *server, *relation;
    bool begins; /* publication and slot are still to be made */
    bst_diags *diags;
    bool failed;
} bst__preflight;

/* An error of the database's side. The hint begins with the statement that mends it, where there is
 * one. */
void bst__complain(bst__preflight *p, const char *code, const char *message, const char *hint, ...)
    BST_PRINTF(4, 5);
/* Whether the first row says exactly this. */
bool bst__answer_is(const bst_pg_rows *rows, size_t column, const char *wanted);

/* Whether the role may publish the table is asked on the way. */
bst_status bst__check_table(bst__preflight *p, bool *ret_owner) BST_MUST_USE;
/* The ledger and the version column, as far as they were asked for. */
bst_status bst__check_witnesses(bst__preflight *p) BST_MUST_USE;

#endif
