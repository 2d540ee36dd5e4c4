/* backstory migrate: gives every legacy row its history and loads the histories into a store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/clock.h"
#include "backstory/mapping.h"
#include "backstory/output_path.h"
#include "backstory/run.h"
#include "backstory/synth.h"
#include "backstory/timestamp.h"

#include "chunks.h"
#include "figures.h"
#include "files_apart.h"
#include "proof.h"
#include "watch.h"

/* "now" or a timestamp. A server has a clock of its own, and who goes on with a run its time. */
static bst_status read_recorded_at(cli_call *call, const char *text, bst_run_options *run) {
    if (!text)
        return BST_OK;
    const bool now = strcmp(text, "now") == 0;
    run->has_recorded_at = !now || !bst_is_connection_string(run->to);
    if (now) {
        run->recorded_at = bst_clock_now();
        return BST_OK;
    }
    const bst_time_result result = bst_time_parse(text, strlen(text), NULL, &run->recorded_at);
    if (result == BST_TIME_OK && bst_time_is_finite(run->recorded_at))
        return BST_OK;
    return cli_usage(
        call,
        "--recorded-at is \"now\" or a time with its zone, as 2024-07-01T12:00:00Z, not \"%s\"",
        text);
}

/* `proof` NULL: none was asked for. */
static void print_result(const cli_call *call, const bst_run_figures *figures,
                         const bst_run_options *run, const cli_proof *proof, double seconds) {
    const bool quarantined = figures->quarantined > 0;

    if (call->json) {
        json_t *root = json_object();
        cli_figures_to_json(figures, root);
        cli_chunks_to_json(figures, root);
        json_object_set_new(root, "quarantine",
                            quarantined ? json_string(run->quarantine_path) : json_null());
        json_object_set_new(root, "seconds", json_real(seconds));
        if (proof)
            cli_proof_to_json(proof, root);
        cli_print_json(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6),
                       strcmp(run->to, "-") == 0 ? stderr : stdout);
        putc('\n', strcmp(run->to, "-") == 0 ? stderr : stdout);
        json_decref(root);
        return;
    }
    if (call->quiet || strcmp(run->to, "-") == 0)
        return;
    cli_figures_print(figures);
    cli_chunks_print(figures);
    const double own = (double)(figures->read - figures->resumed);
    if (figures->already)
        cli_printf("\nin %s\n", cli_seconds(seconds).text);
    else
        cli_printf("\nin %s (%s rows/s)\n", cli_seconds(seconds).text,
                   cli_number(seconds > 0 ? (uint64_t)(own / seconds) : 0).text);
    if (quarantined)
        cli_printf("the quarantined rows are in %s\n", run->quarantine_path);
    if (proof)
        cli_proof_print(proof);
}

static bst_status run_migration(cli_call *call, const bst_mapping *mapping, bst_run_options *run,
                                cli_watch *watch, cli_proof *proof, bool strict) {
    bst_synth *synth = NULL;
    bst_run_figures figures = {0};
    bst_status status = bst_synth_new(mapping, &synth, call->diags);

    if (status == BST_OK)
        status = bst_migrate(mapping, synth, run, &figures, call->diags);
    cli_watch_end(watch);
    if (status == BST_OK) {
        const double seconds =
            cli_progress_seconds(&watch->progress) - (proof ? proof->seconds : 0);
        print_result(call, &figures, run, proof, seconds);
        if (proof)
            status = cli_proof_end(proof, &figures);
        if (status == BST_OK && strict && figures.quarantined > 0)
            status = BST_INVALID;
    }
    bst_synth_free(synth);
    return status;
}

/* What the command line says; strings are popt's and freed at the end. */
typedef struct arguments {
    char *from, *to, *quarantine, *recorded_at, *manifest, *progress, *max_quarantine;
    int strict, verify;
    cli_chunks chunks;
} arguments;

static bst_status read_arguments(cli_call *call, arguments *given, bst_run_options *run) {
    if (!given->from || !given->to)
        return cli_usage(call, given->from ? "--to is missing" : "--from is missing");
    if ((given->verify || given->manifest) && strcmp(given->to, "-") == 0)
        return cli_usage(call, "what went to stdout cannot be read back: no --verify there");
    const char *const moment = given->chunks.snapshot       ? "--snapshot"
                               : given->chunks.snapshot_age ? "--max-snapshot-age"
                                                            : NULL;
    if (moment && !bst_is_connection_string(given->from))
        return cli_usage(call, "%s is for a source in PostgreSQL: a file has one moment", moment);
    if (given->chunks.snapshot && !*given->chunks.snapshot)
        return cli_usage(call, "--snapshot needs the name that pg_export_snapshot() gave");
    const bst_status status = read_recorded_at(call, given->recorded_at, run);
    return status == BST_OK ? cli_chunks_read(call, &given->chunks, run) : status;
}

static bst_status watch_and_run(cli_call *call, const arguments *given, const bst_mapping *mapping,
                                bst_run_options *run) {
    const bool prove = given->verify || given->manifest;
    cli_proof proof = {0};
    cli_watch watch;
    bst_status status =
        cli_watch_begin(&watch, call, "migrate", given->progress, given->max_quarantine);

    watch.chunked = bst_is_connection_string(given->to) &&
                    (bst_is_connection_string(given->from) || bst_source_is_file(given->from));
    run->on_progress = cli_watch_progress;
    run->on_warning = cli_watch_warning;
    run->context = &watch;
    if (status == BST_OK && prove)
        status = cli_proof_begin(&proof, &watch, mapping, run, given->manifest);
    if (status == BST_OK)
        status =
            run_migration(call, mapping, run, &watch, prove ? &proof : NULL, given->strict != 0);
    cli_proof_release(&proof);
    return status;
}

static bst_status check_files(cli_call *call, const arguments *given, const bst_mapping *mapping) {
    const cli_named_file files[] = {{"the learned file", mapping->learned_file, false},
                                    {"--to", given->to, true},
                                    {"--quarantine", given->quarantine, true},
                                    {"--manifest", given->manifest, true}};
    const bst_loc where = {given->quarantine, 0, 0};

    if (!bst_output_possible(given->quarantine))
        return bst_diag_add(call->diags, BST_IO, BST_ERROR, "cannot-write", &where,
                            "could not write the file: %s", strerror(errno));
    return cli_mapping_apart(call, mapping, given->from, files, sizeof files / sizeof files[0]);
}

static bst_status load_and_run(cli_call *call, arguments *given, bst_run_options *run) {
    bst_mapping *mapping = NULL;
    bst_status status = cli_load_mapping(call, call->argument[0], &mapping);

    if (status == BST_OK && !given->quarantine)
        given->quarantine = cli_quarantine_path(given->to, mapping->machine);
    if (status == BST_OK && !given->quarantine)
        status = bst_diag_nomem(call->diags);
    run->quarantine_path = given->quarantine;
    if (status == BST_OK)
        status = check_files(call, given, mapping);
    if (status == BST_OK)
        status = watch_and_run(call, given, mapping, run);
    bst_mapping_free(mapping);
    return status;
}

static void free_arguments(arguments *given) {
    free(given->from);
    free(given->to);
    free(given->quarantine);
    free(given->recorded_at);
    free(given->manifest);
    free(given->progress);
    free(given->max_quarantine);
    cli_chunks_release(&given->chunks);
}

static int migrate(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    arguments given = {0};
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &given.from, 0,
         "the legacy rows: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"to", 0, POPT_ARG_STRING, &given.to, 0,
         "the store: a connection string, a .jsonl file, or - for stdout", "SINK"},
        {"quarantine", 0, POPT_ARG_STRING, &given.quarantine, 0,
         "file for the rows that have no possible history (default: beside the sink)", "FILE"},
        {"recorded-at", 0, POPT_ARG_STRING, &given.recorded_at, 0,
         "when the store learns of the events: now or a time (default: the server's clock; none in "
         "a file)",
         "TIME"},
        {"verify", 0, POPT_ARG_NONE, &given.verify, 0,
         "after the load, fold every stored history and hold it against its row as it was then",
         NULL},
        {"manifest", 0, POPT_ARG_STRING, &given.manifest, 0,
         "verify, and write down what was done, with digests and queries for a recount (JSON)",
         "FILE"},
        {"max-quarantine", 0, POPT_ARG_STRING, &given.max_quarantine, 0,
         "end early when more rows go to quarantine: a number, or a share of those read, as 0.5%",
         "N|P%"},
        {"progress", 0, POPT_ARG_STRING, &given.progress, 0,
         "bar (lines where there is no terminal; the default), json (a line a second) or none",
         "STYLE"},
        {"strict", 0, POPT_ARG_NONE, &given.strict, 0, "exit with 1 when a row is quarantined",
         NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, given.chunks.options, 0,
         "Into a store in PostgreSQL:", NULL},
        POPT_TABLEEND};

    cli_chunks_init(&given.chunks);
    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_run_options run = {.from = given.from, .to = given.to, .tool_version = BACKSTORY_VERSION};
    bst_status status = read_arguments(&call, &given, &run);
    if (status == BST_OK)
        status = load_and_run(&call, &given, &run);
    free_arguments(&given);
    return cli_end(&call, status);
}

const cli_command cli_migrate = {
    .name = "migrate",
    .arguments = "MAPPING",
    .summary = "give every legacy row its history and load the histories into a store",
    .examples =
        "  backstory migrate payment.legacy.json --from payments.csv --to payments.jsonl\n"
        "  backstory migrate payment.legacy.json --from dbname=shop --to dbname=events --jobs 2\n",
    .run = migrate,
};
