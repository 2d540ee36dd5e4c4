/* The events of a row of backstory.segment. */
#ifndef BACKSTORY_SEGMENT_ROW_PRIVATE_H
#define BACKSTORY_SEGMENT_ROW_PRIVATE_H

#include "backstory/history.h"
#include "backstory/strbuf.h"

/* Appends the column `data` with its length, as a binary COPY takes it:
 * `[[at,{...}],[at,after,before,{...}]]`. False when it is more than one value may hold. */
bool bst__segment_put_data(bst_strbuf *out, const bst_machine *machine, const bst_history *history);

#endif
