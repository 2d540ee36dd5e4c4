/* A run under somebody's eyes: progress as a bar, as lines or as JSON; SIGINT and SIGTERM end it at
 * the next chunk, SIGUSR1 asks for a line; a limit to what may go to quarantine. */
#ifndef BACKSTORY_CLI_WATCH_H
#define BACKSTORY_CLI_WATCH_H

#include "cli.h"

typedef struct cli_watch {
    cli_call *call;
    cli_progress progress;
    bool json;    /* a JSON object a second on stderr */
    bool chunked; /* what is done stays done when the run ends early */
    bool limited; /* quarantined rows: at most `most`, and at most `share` of those read */
    uint64_t most;
    double share;
    double last_json;
    bst_run_figures last; /* that were told */
    bool verifying;
    cli_progress loading; /* while it is verified: that of the run */
} cli_watch;

/* `style`: "bar" (which is lines where there is no terminal), "json", "none", or NULL for what the
 * call says; `limit`: "100" or "0.5%", NULL: none. */
bst_status cli_watch_begin(cli_watch *watch, cli_call *call, const char *what, const char *style,
                           const char *limit);
/* For bst_run_options; `context` is a cli_watch. */
bst_status cli_watch_progress(void *context, const bst_run_figures *figures);
void cli_watch_warning(void *context, const bst_diag *warning);
void cli_watch_end(cli_watch *watch);
/* The proof after a run is watched in the same way, from _verify to _verified. Of the figures it
 * has the rows, those put aside and the progress. */
void cli_watch_verify(cli_watch *watch);
bst_status cli_watch_verify_progress(cli_watch *watch, const bst_run_figures *figures);
void cli_watch_verified(cli_watch *watch);

#endif
