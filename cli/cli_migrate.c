/* backstory migrate: gives every legacy row its history and loads the histories into a store. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/mapping.h"
#include "backstory/run.h"
#include "backstory/synth.h"
#include "backstory/timestamp.h"

#include "chunks.h"
#include "figures.h"
#include "proof.h"

/* "now" or a timestamp. */
static bst_status read_recorded_at(cli_call *call, const char *text, bst_run_options *run) {
    if (!text)
        return BST_OK;
    run->has_recorded_at = true;
    if (strcmp(text, "now") == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        run->recorded_at = BST_TIME_UNIX_EPOCH + (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
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
        json_dumpf(root, strcmp(run->to, "-") == 0 ? stderr : stdout, JSON_INDENT(2));
        putc('\n', strcmp(run->to, "-") == 0 ? stderr : stdout);
        json_decref(root);
        return;
    }
    if (call->quiet || strcmp(run->to, "-") == 0)
        return;
    cli_figures_print(figures);
    cli_chunks_print(figures);
    printf("\nin %s (%s rows/s)\n", cli_seconds(seconds).text,
           cli_number(seconds > 0 ? (uint64_t)((double)figures->read / seconds) : 0).text);
    if (quarantined)
        printf("the quarantined rows are in %s\n", run->quarantine_path);
    if (proof)
        cli_proof_print(proof);
}

static bst_status run_migration(cli_call *call, const bst_mapping *mapping, bst_run_options *run,
                                cli_proof *proof, bool strict) {
    bst_synth *synth = NULL;
    bst_run_figures figures = {0};
    cli_progress progress;
    bst_status status = bst_synth_new(mapping, &synth, call->diags);

    cli_progress_begin(&progress, call, "migrate");
    run->on_progress = cli_figures_progress;
    run->context = &progress;
    if (status == BST_OK)
        status = bst_migrate(mapping, synth, run, &figures, call->diags);
    cli_progress_end(&progress);
    if (status == BST_OK) {
        const double seconds = cli_progress_seconds(&progress) - (proof ? proof->seconds : 0);
        print_result(call, &figures, run, proof, seconds);
        if (proof)
            status = cli_proof_end(proof, &figures);
        if (status == BST_OK && strict && figures.quarantined > 0)
            status = BST_INVALID;
    }
    bst_synth_free(synth);
    return status;
}

static int migrate(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_mapping *mapping = NULL;
    char *from = NULL;
    char *to = NULL;
    char *quarantine = NULL;
    char *recorded_at = NULL;
    char *manifest = NULL;
    cli_proof proof = {0};
    int strict = 0;
    int verify = 0;
    cli_chunks chunks;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "the legacy rows: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"to", 0, POPT_ARG_STRING, &to, 0,
         "the store: a connection string, a .jsonl file, or - for stdout", "SINK"},
        {"quarantine", 0, POPT_ARG_STRING, &quarantine, 0,
         "file for the rows that have no possible history (default: beside the sink)", "FILE"},
        {"recorded-at", 0, POPT_ARG_STRING, &recorded_at, 0,
         "when the store learns of the events: now or a time (default: the server's clock; none in "
         "a file)",
         "TIME"},
        {"verify", 0, POPT_ARG_NONE, &verify, 0,
         "after the load, fold every stored history and hold it against its row as it was then",
         NULL},
        {"manifest", 0, POPT_ARG_STRING, &manifest, 0,
         "verify, and write down what was done, with digests and queries for a recount (JSON)",
         "FILE"},
        {"strict", 0, POPT_ARG_NONE, &strict, 0, "exit with 1 when a row is quarantined", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, chunks.options, 0, "From a server into a store:", NULL},
        POPT_TABLEEND};

    cli_chunks_init(&chunks);
    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_run_options run = {.from = from, .to = to, .tool_version = BACKSTORY_VERSION};
    bst_status status = from && to
                            ? read_recorded_at(&call, recorded_at, &run)
                            : cli_usage(&call, from ? "--to is missing" : "--from is missing");
    if (status == BST_OK)
        status = cli_chunks_read(&call, &chunks, &run);
    if (status == BST_OK)
        status = bst_mapping_load(call.argument[0], &mapping, call.diags);
    if (status == BST_OK && !quarantine)
        quarantine = cli_quarantine_path(to, mapping->machine);
    if (status == BST_OK && !quarantine)
        status = bst_diag_nomem(call.diags);
    run.quarantine_path = quarantine;
    const bool prove = verify || manifest;
    if (status == BST_OK && prove && strcmp(to, "-") == 0)
        status = cli_usage(&call, "what went to stdout cannot be read back: no --verify there");
    if (status == BST_OK && prove)
        status = cli_proof_begin(&proof, &call, mapping, &run, manifest);
    if (status == BST_OK)
        status = run_migration(&call, mapping, &run, prove ? &proof : NULL, strict != 0);
    cli_proof_release(&proof);
    bst_mapping_free(mapping);
    free(from);
    free(to);
    free(quarantine);
    free(recorded_at);
    cli_chunks_release(&chunks);
    free(manifest);
    return cli_end(&call, status);
}

const cli_command cli_migrate = {
    "migrate", "MAPPING", "give every legacy row its history and load the histories into a store",
    "  backstory migrate payment.legacy.json --from payments.csv --to payments.jsonl\n"
    "  backstory migrate payment.legacy.json --from dbname=shop --to dbname=events --jobs 2\n",
    migrate};
