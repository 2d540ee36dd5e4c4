/* The legacy table of a mapping, as the SQL emitter wants it. */
#ifndef BACKSTORY_CLI_LEGACY_TABLE_H
#define BACKSTORY_CLI_LEGACY_TABLE_H

#include "backstory/emit.h"
#include "backstory/mapping.h"

/* The columns that the mapping reads and histories can give back, in the arena; what they cannot
 * (values that an expression made, several state columns) is left out. NULL: out of memory. */
const bst_legacy_table *cli_legacy_table(const bst_mapping *mapping, bst_arena *arena);

#endif
