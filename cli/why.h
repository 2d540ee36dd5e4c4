/* Why an entity has the history it has: `history --why`. */
#ifndef BACKSTORY_CLI_WHY_H
#define BACKSTORY_CLI_WHY_H

#include "cli.h"

/* Looks the row up among the legacy rows `from` and tells, event by event, what proves it and what
 * else would have been possible. Arguments of the call: mapping, key. */
bst_status cli_why(cli_call *call, const char *from);

#endif
