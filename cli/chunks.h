/* Options and words of a run that goes into a store in PostgreSQL, chunk by chunk. */
#ifndef BACKSTORY_CLI_CHUNKS_H
#define BACKSTORY_CLI_CHUNKS_H

#include "cli.h"

#define CLI_CHUNK_OPTIONS_MAX 16

typedef struct cli_chunks {
    int jobs, restart, no_resume, one_snapshot;
    long long chunk_rows, rate;
    char *snapshot, *snapshot_age, *stall, *retry, *hang; /* popt's, until cli_chunks_release() */
    bst_pace *pace;                                       /* the run's, until then, too */
    struct poptOption options[CLI_CHUNK_OPTIONS_MAX];     /* to be included in the command's own */
} cli_chunks;

void cli_chunks_init(cli_chunks *chunks);
/* What the options say, into those of the run. */
bst_status cli_chunks_read(cli_call *call, cli_chunks *chunks, bst_run_options *run);

void cli_chunks_release(cli_chunks *chunks);

/* What such a run has to say beside its figures. */
void cli_chunks_print(const bst_run_figures *figures);
void cli_chunks_to_json(const bst_run_figures *figures, json_t *object);

#endif
