/* The figures of a run, as `plan` and `migrate` show them. */
#ifndef BACKSTORY_CLI_FIGURES_H
#define BACKSTORY_CLI_FIGURES_H

#include "cli.h"

/* Appends to an object: counts, the balance, reasons, basis, confidence. */
void cli_figures_to_json(const bst_run_figures *figures, json_t *object);
/* The balance, then what went to quarantine, then how the events are known. */
void cli_figures_print(const bst_run_figures *figures);

/* For bst_run_options.on_progress; `context` is a cli_progress. */
bst_status cli_figures_progress(void *context, const bst_run_figures *figures);

#endif
