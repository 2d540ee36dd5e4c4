/* A migration run. One loop: a row, its fate, the sink or the quarantine, the count. Nothing is
 * committed before the counts add up: read = migrated + quarantined + out of scope.
 *
 * Order of the end: the quarantine file first, then the sink. If the sink fails after that, the
 * store is as it was and the file tells of a run that can be repeated; the other way round rows
 * could vanish.
 */
#include "backstory/run.h"

#include <inttypes.h>
#include <string.h>

#include "backstory/reader.h"

#include "quarantine_private.h"

#define PROGRESS_ROWS 4096u
#define SAMPLED_ROWS  1000u /* histories whose size is taken */

typedef struct run {
    const bst_mapping *mapping;
    const bst_run_options *options;
    bst_synth *synth;
    bst_source *source;
    bst_sink *sink; /* NULL: a dry run */
    bst__quarantine *quarantine;
    bst_run_figures *figures;
    bst_diags *diags;
} run;

static void count_history(bst_run_figures *figures, const bst_plan *plan) {
    int tenth = (int)(plan->confidence * 10);
    figures->migrated++;
    figures->events += plan->event_count;
    figures->certain += plan->certain;
    figures->by_confidence[tenth < 0 ? 0 : tenth > 9 ? 9 : tenth]++;
    for (uint32_t i = 0; i < plan->event_count; i++) {
        figures->by_basis[plan->events[i].basis]++;
    }
}

/* How large the events are, to tell what to expect. */
static bst_status measure(run *r, const bst_history *history) {
    bst_strbuf lines = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_plan_event *planned = &history->plan->events[i];
        const bst_happening *at = &history->events[i];
        const bst_stored_event event = {.key = history->key,
                                        .key_len = history->key_len,
                                        .version = (int64_t)i + 1,
                                        .type = planned->type,
                                        .state = planned->state,
                                        .command = planned->command,
                                        .occurred_at = at->occurred_at,
                                        .interval = at->interval,
                                        .after = at->after,
                                        .before = at->before,
                                        .basis = planned->basis,
                                        .confidence = planned->confidence,
                                        .source = planned->source,
                                        .fields = at->fields};
        bst_event_line(r->mapping->machine, &event, &lines);
    }
    bool failed = lines.failed;
    r->figures->sampled_events += history->plan->event_count;
    r->figures->sampled_bytes += lines.len;
    bst_strbuf_release(&lines);
    return failed ? bst_diag_nomem(r->diags) : BST_OK;
}

static bst_status take_row(run *r, const bst_row *row) {
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    bst_status status = bst_synth_row(r->synth, row, &fate, &history, &refusal, r->diags);
    if (status != BST_OK) {
        return status;
    }
    switch (fate) {
    case BST_OUT_OF_SCOPE:
        r->figures->out_of_scope++;
        return BST_OK;
    case BST_QUARANTINED:
        r->figures->quarantined++;
        r->figures->by_reason[refusal->reason]++;
        return bst__quarantine_add(r->quarantine, row, refusal, r->source, r->diags);
    case BST_MIGRATED:
        break;
    }
    count_history(r->figures, history.plan);
    if (r->sink) {
        return bst_sink_write(r->sink, &history, r->diags);
    }
    return r->figures->migrated <= SAMPLED_ROWS ? measure(r, &history) : BST_OK;
}

static bst_status report(run *r) {
    r->figures->signatures = bst_synth_signature_count(r->synth);
    r->figures->relaxed = bst_synth_relaxed(r->synth);
    r->figures->progress = bst_source_progress(r->source);
    return r->options->on_progress ? r->options->on_progress(r->options->context, r->figures)
                                   : BST_OK;
}

static bst_status read_rows(run *r) {
    const bst_row *row = NULL;
    bst_status status;
    while ((status = bst_source_next(r->source, &row, r->diags)) == BST_OK && row) {
        r->figures->read++;
        status = take_row(r, row);
        if (status == BST_OK && r->figures->read % PROGRESS_ROWS == 0) {
            status = report(r);
        }
        if (status != BST_OK) {
            return status;
        }
    }
    if (status == BST_OK) {
        status = report(r);
    }
    return status;
}

static bst_status check_balance(const run *r) {
    const bst_run_figures *f = r->figures;
    if (f->read == f->migrated + f->quarantined + f->out_of_scope) {
        return BST_OK;
    }
    return bst_diag_add(r->diags, BST_INTERNAL, BST_ERROR, "unbalanced", NULL,
                        "%" PRIu64 " rows were read, but %" PRIu64 " migrated, %" PRIu64
                        " quarantined and %" PRIu64 " out of scope",
                        f->read, f->migrated, f->quarantined, f->out_of_scope);
}

static bst_status finish(run *r) {
    bst_status status = check_balance(r);
    if (status == BST_OK) {
        status = bst__quarantine_finish(r->quarantine, r->diags);
    }
    bst_sink_totals totals = {0};
    if (status == BST_OK && r->sink) {
        status = bst_sink_finish(r->sink, &totals, r->diags);
    }
    if (status == BST_OK && r->sink &&
        (totals.histories != r->figures->migrated || totals.events != r->figures->events)) {
        status =
            bst_diag_add(r->diags, BST_INTERNAL, BST_ERROR, "unbalanced", NULL,
                         "%" PRIu64 " histories with %" PRIu64 " events were handed over, but "
                         "%" PRIu64 " with %" PRIu64 " were written",
                         r->figures->migrated, r->figures->events, totals.histories, totals.events);
    }
    return status;
}

static bst_status open_sink(run *r) {
    const bst_run_info info = {.tool_version = r->options->tool_version,
                               .mapping_sha256 = r->mapping->sha256,
                               .source = bst_source_label(r->source),
                               .has_recorded_at = r->options->has_recorded_at,
                               .recorded_at = r->options->recorded_at};
    return bst_sink_open(r->options->to, r->mapping->machine, &info, &r->sink, r->diags);
}

bst_status bst_migrate(const bst_mapping *mapping, bst_synth *synth, const bst_run_options *options,
                       bst_run_figures *ret_figures, bst_diags *diags) {
    run r = {.mapping = mapping,
             .options = options,
             .synth = synth,
             .figures = ret_figures,
             .diags = diags};
    bst_source_spec spec = mapping->source;
    /* A file of events is in the order of keys; a table of them needs none. */
    spec.ordered = options->to && !bst_is_connection_string(options->to);
    *ret_figures = (bst_run_figures){.progress = -1};
    bst_status status = bst_source_open(options->from, &spec, &r.source, diags);
    if (status == BST_OK && options->to) {
        status = open_sink(&r);
    }
    if (status == BST_OK) {
        status = bst__quarantine_new(options->quarantine_path, mapping, &r.quarantine, diags);
    }
    if (status == BST_OK) {
        status = read_rows(&r);
    }
    if (status == BST_OK) {
        status = finish(&r);
    }
    bst__quarantine_free(r.quarantine);
    bst_sink_free(r.sink);
    bst_source_free(r.source);
    return status;
}
