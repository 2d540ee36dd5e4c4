/* A draft is tried on the rows it was drafted from: how many would get a history, and what speaks
 * against the others. */
#ifndef BACKSTORY_CLI_TRIAL_H
#define BACKSTORY_CLI_TRIAL_H

#include "cli.h"

#define CLI_CLASHES_MAX 64

/* A column that contradicts others, and in how many rows. */
typedef struct cli_clash {
    char *column;
    uint64_t rows;
} cli_clash;

typedef struct cli_trial {
    bst_run_figures figures;
    size_t clash_count;
    cli_clash clashes[CLI_CLASHES_MAX]; /* by falling rows; of the first columns that clash */
} cli_trial;

/* A dry run of the mapping over the source. Released by the caller, also when it fails. */
bst_status cli_trial_run(cli_call *call, const char *mapping_path, const char *from,
                         cli_trial *ret);
void cli_trial_release(cli_trial *trial);
/* Whether so many rows get no history that the draft must be wrong. */
bool cli_trial_is_bad(const cli_trial *trial);
void cli_trial_print(const cli_trial *trial, const char *mapping_path);

#endif
