/* What a SINK or STORE argument means. */
#ifndef BACKSTORY_TARGET_PRIVATE_H
#define BACKSTORY_TARGET_PRIVATE_H

#include "backstory/diag.h"

/* A path that ends in ".jsonl", or "-". */
bool bst__is_jsonl(const char *target);
/* Neither this nor a connection string. */
bst_status bst__unknown_target(const char *target, bst_diags *diags);

#endif
