/* The proof of a migration: after the load every stored history is folded and held against its row,
 * as it was at the moment that was loaded; and what can be recounted later is written down. */
#ifndef BACKSTORY_CLI_PROOF_H
#define BACKSTORY_CLI_PROOF_H

#include "backstory/compare.h"
#include "backstory/mapping.h"

#include "watch.h"

#define CLI_PROOF_DIFFERENCES 20 /* that are kept to be shown */
#define CLI_PROOF_CHUNKS      8  /* of a digest that has changed, that are named */

typedef struct cli_proof {
    cli_call *call;
    cli_watch *watch;
    const bst_mapping *mapping;
    const bst_run_options *run;
    const char *manifest_path; /* NULL: no file; the store keeps it all the same */
    bst_arena *arena;
    bool done; /* it was made */
    enum {
        CLI_ROWS_OF_LOAD, /* what was loaded */
        CLI_ROWS_OF_LAST, /* of several moments that were loaded, the last */
        CLI_ROWS_OF_NOW   /* an earlier run has loaded what was then */
    } rows_of;
    uint32_t snapshots;
    bst_status verdict;
    bst_comparison result;
    json_t *differences;
    json_t *store; /* what the store says itself; null for a file */
    double seconds;
} cli_proof;

/* Has the proof made when `run` is done; all of these must outlive it. */
bst_status cli_proof_begin(cli_proof *proof, cli_watch *watch, const bst_mapping *mapping,
                           bst_run_options *run, const char *manifest_path);
void cli_proof_print(const cli_proof *proof);
void cli_proof_to_json(const cli_proof *proof, json_t *object);
/* Writes the manifest. Returns BST_DIFFERENT when the proof failed. */
bst_status cli_proof_end(cli_proof *proof, const bst_run_figures *figures);
void cli_proof_release(cli_proof *proof);

#endif
