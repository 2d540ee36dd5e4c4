/* Options and words of a run that goes from a server into a store, chunk by chunk. */
#include "chunks.h"

#include <string.h>

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
        POPT_TABLEEND};
    _Static_assert(sizeof options <= sizeof chunks->options, "the table has room for all options");
    memset(chunks, 0, sizeof *chunks);
    memcpy(chunks->options, options, sizeof options);
}

/* A count that must be at least 1 where it is given. */
static bst_status check(cli_call *call, const char *option, long long value, long long most) {
    if (value >= 0 && value <= most)
        return BST_OK;
    return cli_usage(call, "--%s is a number from 1 to %lld, not %lld", option, most, value);
}

bst_status cli_chunks_read(cli_call *call, const cli_chunks *chunks, bst_run_options *run) {
    bst_status status = check(call, "jobs", chunks->jobs, BST_JOBS_MAX);
    if (status == BST_OK)
        status = check(call, "chunk-rows", chunks->chunk_rows, UINT32_MAX);
    run->jobs = (uint32_t)chunks->jobs;
    run->chunk_rows = (uint64_t)chunks->chunk_rows;
    run->restart = chunks->restart != 0;
    run->by_place = chunks->no_resume != 0;
    run->one_snapshot = chunks->one_snapshot != 0;
    return status;
}

void cli_chunks_print(const bst_run_figures *figures) {
    if (figures->already)
        printf("\nrun %d has loaded this before: nothing was done\n", (int)figures->run_id);
    else if (figures->resumed > 0)
        printf("\nrun %d went on where it had been broken off, after %s rows\n",
               (int)figures->run_id, cli_number(figures->resumed).text);
    if (figures->snapshots > 1)
        printf("the rows are not of one moment but of %u: see backstory.snapshot\n",
               (unsigned)figures->snapshots);
}

void cli_chunks_to_json(const bst_run_figures *figures, json_t *object) {
    if (figures->run_id == 0)
        return;
    json_object_set_new(object, "run", json_integer(figures->run_id));
    json_object_set_new(object, "already", json_boolean(figures->already));
    json_object_set_new(object, "resumed", json_integer((json_int_t)figures->resumed));
    json_object_set_new(object, "snapshots", json_integer(figures->snapshots));
}
