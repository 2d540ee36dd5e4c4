/* Options and words of a run that goes into a store in PostgreSQL, chunk by chunk. */
#include "chunks.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MOST (30u * 24 * 3600) /* seconds */
#define NOT_GIVEN INT_MIN

void cli_chunks_init(cli_chunks *chunks) {
    const struct poptOption options[] = {
        {"jobs", 'j', POPT_ARG_INT, &chunks->jobs, 0, "readers at a time (default: 1)", "N"},
        {"restart", 0, POPT_ARG_NONE, &chunks->restart, 0,
         "take back what a run that was broken off has loaded, and begin anew (default: go on with "
         "it)",
         NULL},
        {"require-one-snapshot", 0, POPT_ARG_NONE, &chunks->one_snapshot, 0,
         "all rows as they were at one moment: do not go on with a broken-off run at a later one",
         NULL},
        {"no-resume", 0, POPT_ARG_NONE, &chunks->no_resume, 0,
         "read the table as it lies, a little faster; a run that is broken off begins anew", NULL},
        {"chunk-rows", 0, POPT_ARG_LONGLONG, &chunks->chunk_rows, 0,
         "rows that are committed at a time, about (default: 50000)", "N"},
        {"snapshot", 0, POPT_ARG_STRING, &chunks->snapshot, 0,
         "read at this moment, which another session has exported and holds until the end", "NAME"},
        {"max-rate", 0, POPT_ARG_LONGLONG, &chunks->rate, 0,
         "read at most this many rows a second, to spare the source (default: no limit)", "N"},
        {"max-snapshot-age", 0, POPT_ARG_STRING, &chunks->snapshot_age, 0,
         "hold no moment of the source for longer, as 90s, 30m, 2h; what is left then is read at a "
         "later one (default: no limit)",
         "TIME"},
        {"stall-timeout", 0, POPT_ARG_STRING, &chunks->stall, 0,
         "give up a session that is silent for so long while its server is not at work for it, and "
         "take a new one (default: 60s)",
         "TIME"},
        {"hang-timeout", 0, POPT_ARG_STRING, &chunks->hang, 0,
         "give up a session for which the server says to work, but of which nothing has moved for "
         "so long (default: 15m)",
         "TIME"},
        {"retry-timeout", 0, POPT_ARG_STRING, &chunks->retry, 0,
         "when a server is gone try again until nothing has gone forward for so long (default: 2m)",
         "TIME"},
        POPT_TABLEEND};
    _Static_assert(sizeof options <= sizeof chunks->options, "the table has room for all options");
    memset(chunks, 0, sizeof *chunks);
    chunks->jobs = NOT_GIVEN;
    chunks->chunk_rows = NOT_GIVEN;
    chunks->rate = NOT_GIVEN;
    memcpy(chunks->options, options, sizeof options);
}

/* A count that must be at least 1 where it is given; 0 where it is not. */
static bst_status check(cli_call *call, const char *option, long long value, long long most,
                        uint64_t *ret) {
    *ret = value == NOT_GIVEN ? 0 : (uint64_t)value;
    if (value == NOT_GIVEN || (value >= 1 && value <= most))
        return BST_OK;
    return cli_usage(call, "--%s is a number from 1 to %lld, not %lld", option, most, value);
}

/* "90s", "30m", "2h"; a bare number counts seconds. */
static bst_status read_time(cli_call *call, const char *option, const char *text, uint32_t *ret) {
    char *end = NULL;
    if (!text)
        return BST_OK;
    const unsigned long long number = strtoull(text, &end, 10);
    const unsigned unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
    const bool whole = *end == '\0' || (strchr("smh", *end) && end[1] == '\0');
    if (text[0] >= '0' && text[0] <= '9' && whole && number >= 1 && number <= TIME_MOST / unit) {
        *ret = (uint32_t)number * unit;
        return BST_OK;
    }
    return cli_usage(call, "--%s is a time as 90s, 30m or 2h, not \"%s\"", option, text);
}

/* Rows as they lie are the same rows in one snapshot only. */
static bst_status check_place(cli_call *call, const cli_chunks *chunks) {
    return chunks->no_resume && chunks->snapshot_age
               ? cli_usage(call, "--max-snapshot-age reads in several snapshots, and --no-resume "
                                 "can be read in one only: leave one of them out")
               : BST_OK;
}

static bst_status read_rate(cli_call *call, cli_chunks *chunks, bst_run_options *run) {
    uint64_t rate;
    const bst_status status = check(call, "max-rate", chunks->rate, UINT32_MAX, &rate);
    if (status != BST_OK || rate == 0)
        return status;
    run->pace = chunks->pace = bst_pace_new(rate);
    return chunks->pace ? BST_OK : bst_diag_nomem(call->diags);
}

bst_status cli_chunks_read(cli_call *call, cli_chunks *chunks, bst_run_options *run) {
    uint64_t jobs;
    bst_status status = check(call, "jobs", chunks->jobs, BST_JOBS_MAX, &jobs);
    if (status == BST_OK)
        status = check(call, "chunk-rows", chunks->chunk_rows, UINT32_MAX, &run->chunk_rows);
    if (status == BST_OK)
        status = read_rate(call, chunks, run);
    if (status == BST_OK)
        status = check_place(call, chunks);
    if (status == BST_OK)
        status =
            read_time(call, "max-snapshot-age", chunks->snapshot_age, &run->snapshot_seconds_max);
    if (status == BST_OK)
        status = read_time(call, "stall-timeout", chunks->stall, &run->stall_seconds);
    if (status == BST_OK)
        status = read_time(call, "retry-timeout", chunks->retry, &run->retry_seconds);
    if (status == BST_OK)
        status = read_time(call, "hang-timeout", chunks->hang, &run->hang_seconds);
    run->jobs = (uint32_t)jobs;
    run->restart = chunks->restart != 0;
    run->by_place = chunks->no_resume != 0;
    run->snapshot = chunks->snapshot;
    run->one_snapshot = chunks->one_snapshot != 0;
    return status;
}

void cli_chunks_release(cli_chunks *chunks) {
    free(chunks->snapshot);
    free(chunks->snapshot_age);
    free(chunks->stall);
    free(chunks->retry);
    free(chunks->hang);
    bst_pace_free(chunks->pace);
}

void cli_chunks_print(const bst_run_figures *figures) {
    if (figures->already)
        cli_printf("\nrun %d has loaded this before: nothing was done\n", (int)figures->run_id);
    else if (figures->resumed > 0)
        cli_printf("\nrun %d went on where it had been broken off, after %s rows\n",
                   (int)figures->run_id, cli_number(figures->resumed).text);
    if (figures->retries > 0)
        cli_printf("\nsessions that were lost or refused, and tried again: %s\n",
                   cli_number(figures->retries).text);
    if (figures->snapshots > 1)
        cli_printf("the rows are not of one moment but of %u: see backstory.snapshot\n",
                   (unsigned)figures->snapshots);
}

void cli_chunks_to_json(const bst_run_figures *figures, json_t *object) {
    if (figures->run_id == 0)
        return;
    json_object_set_new(object, "run", json_integer(figures->run_id));
    json_object_set_new(object, "already", json_boolean(figures->already));
    json_object_set_new(object, "resumed", json_integer((json_int_t)figures->resumed));
    json_object_set_new(object, "retries", json_integer((json_int_t)figures->retries));
    json_object_set_new(object, "snapshots", json_integer(figures->snapshots));
}
