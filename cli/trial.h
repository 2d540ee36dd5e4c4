/* A draft is tried on the rows it was drafted from: how many would get a history. */
#ifndef BACKSTORY_CLI_TRIAL_H
#define BACKSTORY_CLI_TRIAL_H

#include "cli.h"

/* A dry run of the mapping over the source. */
bst_status cli_trial(cli_call *call, const char *mapping_path, const char *from,
                     bst_run_figures *ret);
void cli_trial_print(const bst_run_figures *figures, const char *mapping_path);

#endif
