/* The first snapshot of a machine that nobody has brought into the store: the run that `migrate`
 * is, in the snapshot of the slot, with its readers, checkpoints and speed.
 *
 * A snapshot dies with the session that holds it, a load does not. So a load that was broken off
 * is gone on with in the snapshot of the next beginning, and because some of its rows are then
 * of an earlier moment, all of them are held against their histories afterwards (snapshot_pg.c).
 * Rows that the run puts aside are looked at again as well: a follower may say that a row came
 * to be by now, where a migration may not. */
#include "follow_private.h"

#include "backstory/run.h"

#define STALL_SECONDS 60u

typedef struct loading {
    const bst_follow_options *options;
    bst_follow_figures *figures;
} loading;

static bst_status on_progress(void *context, const bst_run_figures *run) {
    const loading *const l = context;
    l->figures->snapshot_rows = run->read;
    if (bst__follow_stops(l->options))
        return BST_RETRY;
    return l->options->on_progress ? l->options->on_progress(l->options->context, l->figures)
                                   : BST_OK;
}

static bst__look what_is_left(const bst_run_figures *run) {
    if (run->already || run->resumed > 0 || run->snapshots > 1)
        return BST__LOOK_AT_ALL;
    return run->quarantined > 0 ? BST__LOOK_AT_ASIDE : BST__LOOK_AT_NONE;
}

static void on_warning(void *context, const bst_diag *warning) {
    const loading *const l = context;
    bst__follow_say(l->options, "%s; %s", warning->message, warning->hint ? warning->hint : "");
}

bst_status bst__follow_load(const bst_mapping *mapping, const bst_follow_options *options,
                            const bst__snapshot *snapshot, bst_follow_figures *figures,
                            bst__look *ret_left, bst_diags *diags) {
    loading l = {options, figures};
    const bst_run_options run = {.from = options->from,
                                 .to = options->to,
                                 .tool_version = options->tool_version,
                                 .jobs = options->jobs,
                                 .chunk_rows = options->chunk_rows,
                                 .snapshot = snapshot->name,
                                 .stall_seconds = STALL_SECONDS,
                                 .on_progress = on_progress,
                                 .on_warning = on_warning,
                                 .context = &l};
    bst_run_figures made;
    bst_synth *synth = NULL;
    bst_status status = bst_synth_new(mapping, &synth, diags);
    if (status == BST_OK)
        status = bst_migrate(mapping, synth, &run, &made, diags);
    bst_synth_free(synth);
    if (status != BST_OK)
        return status;
    if (made.resumed > 0)
        bst__follow_say(options, "went on with run %d, which had been broken off", made.run_id);
    figures->snapshot_rows = made.read;
    *ret_left = what_is_left(&made);
    return BST_OK;
}
