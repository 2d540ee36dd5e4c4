/* A history in one line, and as JSON: what `plan` and `history --why` show of the histories that
 * agree with a row. */
#ifndef BACKSTORY_CLI_PATH_H
#define BACKSTORY_CLI_PATH_H

#include <jansson.h>

#include "backstory/strbuf.h"
#include "backstory/synth.h"

/* `Opened > Resolved? > Closed`. Where `beside` (NULL: none) has the same events and leads through
 * other states, those that differ are named: `Opened (new) > Resolved > Closed`. With `choices` an
 * event that not every possible history has in its place carries a question mark. */
void cli_add_path(bst_strbuf *out, const bst_machine *machine, const bst_plan *plan,
                  const bst_plan *beside, bool choices);

/* Adds "events" and "states", an array each, to an object. */
void cli_path_to_json(json_t *object, const bst_machine *machine, const bst_plan *plan);

#endif
