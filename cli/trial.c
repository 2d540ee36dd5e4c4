/* What a draft is worth: a dry run over the very rows. A draft that loses most of them looks like
 * one that does not, until somebody tries it. */
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/mapping.h"
#include "backstory/synth.h"

#include "figures.h"

#define QUARANTINED_WARN 0.05 /* a share of the rows */

/* ---- what clashes */

static void count_clash(cli_trial *trial, const char *column, size_t len, uint64_t rows) {
    size_t i = 0;

    while (i < trial->clash_count && (strlen(trial->clashes[i].column) != len ||
                                      strncmp(trial->clashes[i].column, column, len) != 0))
        i++;
    if (i == CLI_CLASHES_MAX)
        return;
    if (i == trial->clash_count) {
        char *kept = strndup(column, len);
        if (!kept)
            return;
        trial->clashes[trial->clash_count++] = (cli_clash){kept, 0};
    }
    trial->clashes[i].rows += rows;
}

/* Each of several columns that cannot hold together is suspected. */
static void count_clashes(cli_trial *trial, const bst_signature_info *info) {
    static const char separator[] = ", ";

    if (info->plan || !info->columns ||
        !(info->reason == BST_REASON_CONTRADICTION || info->reason == BST_REASON_AFTER_LAST_CHANGE))
        return;
    for (const char *at = info->columns; *at;) {
        const char *end = strstr(at, separator);
        const size_t len = end ? (size_t)(end - at) : strlen(at);
        count_clash(trial, at, len, info->rows);
        at += len + (end ? sizeof separator - 1 : 0);
    }
}

static int by_rows(const void *a, const void *b) {
    const cli_clash *x = a, *y = b;
    return x->rows != y->rows ? (x->rows < y->rows ? 1 : -1) : strcmp(x->column, y->column);
}

static bst_status find_clashes(cli_call *call, bst_synth *synth, cli_trial *trial) {
    const size_t count = bst_synth_signature_count(synth);
    bst_signature_info *info = calloc(count + 1, sizeof *info);
    const bst_status status =
        info ? bst_synth_signatures(synth, info, count, call->diags) : bst_diag_nomem(call->diags);

    for (size_t i = 0; status == BST_OK && i < count; i++)
        count_clashes(trial, &info[i]);
    qsort(trial->clashes, trial->clash_count, sizeof *trial->clashes, by_rows);
    free(info);
    return status;
}

/* ---- the run */

bst_status cli_trial_run(cli_call *call, const char *mapping_path, const char *from,
                         cli_trial *ret) {
    bst_mapping *mapping = NULL;
    bst_synth *synth = NULL;
    cli_progress progress;
    bst_status status = bst_mapping_load(mapping_path, &mapping, call->diags);

    *ret = (cli_trial){.clash_count = 0};
    cli_progress_begin(&progress, call, "trial");
    const bst_run_options run = {
        .from = from, .on_progress = cli_figures_progress, .context = &progress};
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, call->diags);
    if (status == BST_OK)
        status = bst_migrate(mapping, synth, &run, &ret->figures, call->diags);
    if (status == BST_OK)
        status = find_clashes(call, synth, ret);
    cli_progress_end(&progress);
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    return status;
}

void cli_trial_release(cli_trial *trial) {
    for (size_t i = 0; i < trial->clash_count; i++)
        free(trial->clashes[i].column);
    trial->clash_count = 0;
}

bool cli_trial_is_bad(const cli_trial *trial) {
    return (double)trial->figures.quarantined > QUARANTINED_WARN * (double)trial->figures.read;
}

static int worst_reason(const bst_run_figures *f) {
    int worst = 0;

    for (int i = 1; i < BST_REASON_COUNT; i++)
        worst = f->by_reason[i] > f->by_reason[worst] ? i : worst;
    return worst;
}

void cli_trial_print(const cli_trial *trial, const char *mapping_path) {
    const bst_run_figures *f = &trial->figures;
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
    if (cli_trial_is_bad(trial))
        cli_printf("Too many: something in the draft is guessed wrong. What clashes, and in which "
                   "rows:\n  backstory plan %s --from ...\n",
                   mapping_path);
}
