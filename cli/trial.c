/* What a draft is worth: a dry run over the very rows. A draft that loses most of them looks like
 * one that does not, until somebody tries it. */
#include "trial.h"

#include "backstory/mapping.h"
#include "backstory/synth.h"

#include "figures.h"

#define QUARANTINED_WARN 0.05 /* a share of the rows */

bst_status cli_trial(cli_call *call, const char *mapping_path, const char *from,
                     bst_run_figures *ret) {
    bst_mapping *mapping = NULL;
    bst_synth *synth = NULL;
    cli_progress progress;
    bst_status status = bst_mapping_load(mapping_path, &mapping, call->diags);

    cli_progress_begin(&progress, call, "trial");
    const bst_run_options run = {
        .from = from, .on_progress = cli_figures_progress, .context = &progress};
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, call->diags);
    if (status == BST_OK)
        status = bst_migrate(mapping, synth, &run, ret, call->diags);
    cli_progress_end(&progress);
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    return status;
}

static int worst_reason(const bst_run_figures *f) {
    int worst = 0;

    for (int i = 1; i < BST_REASON_COUNT; i++)
        worst = f->by_reason[i] > f->by_reason[worst] ? i : worst;
    return worst;
}

void cli_trial_print(const bst_run_figures *f, const char *mapping_path) {
    const int worst = worst_reason(f);

    cli_printf("tried on the rows: %s of %s (%s) get a history, %s a certain one",
               cli_number(f->migrated).text, cli_number(f->read).text,
               cli_percent(f->migrated, f->read).text, cli_number(f->certain).text);
    if (f->quarantined > 0)
        cli_printf("; %s go to quarantine, most of them because of %s (%s)",
                   cli_number(f->quarantined).text, bst_reason_text((bst_reason)worst),
                   cli_number(f->by_reason[worst]).text);
    putchar('\n');
    /* not where from: a password may stand in that */
    if ((double)f->quarantined > QUARANTINED_WARN * (double)f->read)
        cli_printf("Too many: something in the draft is guessed wrong. What clashes, and in which "
                   "rows:\n  backstory plan %s --from ...\n",
                   mapping_path);
}
