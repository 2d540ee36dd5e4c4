/* A migration run. From a server into a store it goes chunk by chunk (chunks_pg.c); where a
 * file is on either side it is one loop and one transaction, here. Nothing is committed before the
 * counts add up: read = migrated + quarantined + out of scope.
 *
 * Order of the end: the quarantine file first, then the sink. If the sink fails after that, the
 * store is as it was and the file tells of a run that can be repeated; the other way round rows
 * could vanish.
 */
#include "backstory/run.h"

#include <inttypes.h>

#include "run_private.h"

typedef struct run {
    const bst_run_options *options;
    bst__rows rows;
    bst__key_set *only; /* NULL: all rows */
    bst_run_figures *figures;
    bst_diags *diags;
} run;

static bst_status report(run *r) {
    r->figures->signatures = bst_synth_signature_count(r->rows.synth);
    r->figures->progress = bst_source_progress(r->rows.source);
    return r->options->on_progress ? r->options->on_progress(r->options->context, r->figures)
                                   : BST_OK;
}

static bst_status read_rows(run *r) {
    const bst_row *row = NULL;
    bst_status status;
    while ((status = bst_source_next(r->rows.source, &row, r->diags)) == BST_OK && row) {
        if (r->only && !bst__key_set_has(r->only, row->key, row->key_len)) {
            continue;
        }
        r->figures->read++;
        status = bst__rows_take(&r->rows, row, r->diags);
        if (status == BST_OK && r->figures->read % BST__PROGRESS_ROWS == 0) {
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

static bst_status finish(run *r) {
    bst_status status = bst__rows_end(&r->rows, r->diags);
    if (status == BST_OK && r->rows.file) {
        status = bst__quarantine_finish(r->rows.file, r->diags);
    }
    bst_sink_totals totals = {0};
    if (status == BST_OK && r->rows.sink) {
        status = bst_sink_finish(r->rows.sink, &totals, r->diags);
        r->figures->run_id = totals.run_id;
    }
    if (status == BST_OK && r->rows.sink &&
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
                               .mapping_sha256 = r->rows.mapping->sha256,
                               .source = bst_source_label(r->rows.source),
                               .has_recorded_at = r->options->has_recorded_at,
                               .recorded_at = r->options->recorded_at};
    return bst_sink_open(r->options->to, r->rows.mapping->machine, &info, &r->rows.sink, r->diags);
}

static bst_status tell_loaded(const run *r) {
    bst_source_moment moment = {0};
    bst_status status = BST_OK;
#if BACKSTORY_POSTGRES
    if (bst_is_connection_string(r->options->from)) {
        status = bst_source_moment_of(r->rows.source, &moment, r->diags);
    }
#endif
    return status == BST_OK
               ? r->options->on_loaded(r->options->loaded_context, r->figures, moment.snapshot)
               : status;
}

static bst_status read_aside(run *r) {
    return bst__key_set_of_store(r->options->to, r->rows.mapping->machine->id,
                                 BST__ASIDE_WITHOUT_HISTORY, NULL, &r->only, r->diags);
}

static bst_status run_through(const bst_mapping *mapping, bst_synth *synth,
                              const bst_run_options *options, bst_run_figures *figures,
                              bst_diags *diags) {
    run r = {.options = options, .figures = figures, .diags = diags};
    bst_source_spec spec = mapping->source;
    /* A file of events is in the order of keys; a table of them needs none. */
    spec.ordered = options->to && !bst_is_connection_string(options->to);
    spec.pace = options->pace;
    r.rows = (bst__rows){.mapping = mapping, .synth = synth, .numbered = true, .figures = figures};
    bst_status status =
        bst_source_open_at(options->from, &spec, options->snapshot, &r.rows.source, diags);
    if (status == BST_OK && options->only_aside) {
        status = read_aside(&r); /* before the sink makes a store where there is none */
    }
    if (status == BST_OK && options->to) {
        status = open_sink(&r);
    }
    if (status == BST_OK && options->quarantine_path) {
        status = bst__quarantine_new(options->quarantine_path, &r.rows.file, diags);
    }
    if (status == BST_OK) {
        status = read_rows(&r);
    }
    if (status == BST_OK) {
        status = finish(&r);
    }
    if (status == BST_OK && options->to && options->on_loaded) {
        status = tell_loaded(&r);
    }
    bst__quarantine_free(r.rows.file);
    bst_sink_free(r.rows.sink);
    bst_source_free(r.rows.source);
    bst__key_set_free(r.only);
    bst__rows_release(&r.rows);
    return status;
}

bst_status bst_migrate(const bst_mapping *mapping, bst_synth *synth, const bst_run_options *options,
                       bst_run_figures *ret_figures, bst_diags *diags) {
    *ret_figures = (bst_run_figures){.progress = -1};
#if BACKSTORY_POSTGRES
    if (options->to && bst_is_connection_string(options->to) && !options->only_aside &&
        (bst_is_connection_string(options->from) || bst_source_is_file(options->from))) {
        return bst__run_chunks(mapping, synth, options, ret_figures, diags);
    }
#endif
    return run_through(mapping, synth, options, ret_figures, diags);
}
