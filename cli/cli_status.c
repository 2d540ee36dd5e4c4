/* backstory status: the migrations of a store, and how far they are. */
#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"

#include "cli.h"

typedef struct listing {
    cli_table *table, *troubles;
    json_t *list;
    uint64_t count;
} listing;

static const char *state_of(const bst_load_entry *e) {
    return e->finished_at ? "done" : e->running ? "running" : "broken off";
}

/* By chunks, which are about equal; below 0: it cannot be told. */
static double seconds_left(const bst_load_entry *e) {
    if (!e->running || e->rows_per_second <= 0 || e->chunks_done == 0)
        return -1;
    const double all = (double)e->rows / (double)e->chunks_done * (double)e->chunks;
    return (all - (double)e->rows) / e->rows_per_second;
}

static void add_to_table(const listing *l, const bst_load_entry *e) {
    const double left = seconds_left(e);
    const cli_text run = cli_number((uint64_t)e->run_id);
    const cli_text share = cli_percent(e->chunks_done, e->chunks);
    const cli_text rows = cli_number(e->rows);
    const cli_text events = cli_number(e->events);
    const cli_text quarantined = cli_number(e->quarantined);
    const cli_text megabytes = cli_number(e->bytes / 1000000);
    const cli_text took = cli_seconds(left >= 0 ? left : e->seconds);
    char time[80];

    snprintf(time, sizeof time, "%s%s", took.text, left >= 0 ? " left" : "");
    cli_table_add(l->table,
                  (const char *[]){run.text, e->machine, state_of(e), share.text, rows.text,
                                   events.text, megabytes.text, quarantined.text, time, e->source});
}

/* What it waited for, and went on after. */
static void add_trouble(const listing *l, const bst_load_entry *e) {
    bst_strbuf text = BST_STRBUF_INIT;

    bst_strbuf_addf(&text, "run %d lost %s session%s and took %s up again; the last: %s",
                    (int)e->run_id, cli_number(e->retries).text, e->retries == 1 ? "" : "s",
                    e->retries == 1 ? "it" : "them", e->waited_for ? e->waited_for : "");
    if (e->retries > 0)
        cli_table_add(l->troubles, (const char *[]){text.text});
    bst_strbuf_release(&text);
}

/* What it waits for just now. */
static void add_wait(const listing *l, const bst_load_entry *e) {
    bst_strbuf text = BST_STRBUF_INIT;

    if (!e->waits_for)
        return;
    bst_strbuf_addf(&text, "run %d waits since %s: %s; it tries again at %s", (int)e->run_id,
                    e->waits_since, e->waits_for, e->waits_until);
    cli_table_add(l->troubles, (const char *[]){text.text});
    bst_strbuf_release(&text);
}

static json_t *wait_to_json(const bst_load_entry *e) {
    return e->waits_for ? json_pack("{s:s, s:s, s:s}", "why", e->waits_for, "since", e->waits_since,
                                    "again", e->waits_until)
                        : json_null();
}

static bst_status on_load(void *context, const bst_load_entry *e) {
    listing *l = context;
    const double left = seconds_left(e);

    l->count++;
    add_to_table(l, e);
    add_trouble(l, e);
    add_wait(l, e);
    json_array_append_new(
        l->list,
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:f, "
                  "s:f, s:o, s:o}",
                  "run", (json_int_t)e->run_id, "machine", e->machine, "state", state_of(e),
                  "source", e->source, "started_at", e->started_at, "finished_at", e->finished_at,
                  "chunks", (json_int_t)e->chunks, "chunks_done", (json_int_t)e->chunks_done,
                  "rows", (json_int_t)e->rows, "events", (json_int_t)e->events, "quarantined",
                  (json_int_t)e->quarantined, "bytes", (json_int_t)e->bytes, "retries",
                  (json_int_t)e->retries, "waited_for", e->waited_for, "seconds", e->seconds,
                  "rows_per_second", e->rows_per_second, "seconds_left",
                  left >= 0 ? json_real(left) : json_null(), "waiting", wait_to_json(e)));
    return BST_OK;
}

/* Who is asked may be the one that is gone. */
static void tell_of_store(cli_call *call) {
    const size_t count = bst_diags_count(call->diags);

    if (count > 0 && strcmp(bst_diags_at(call->diags, count - 1)->code, "connect") == 0)
        bst_diag_hint(call->diags, "A run that is under way waits for its store, and says so where "
                                   "it was started.");
}

static bst_status list_loads(cli_call *call, const char *from) {
    listing l = {
        .table = cli_table_new("rllrrrrrrl"), .troubles = cli_table_new("l"), .list = json_array()};

    cli_table_add(l.table, (const char *[]){"run", "machine", "", "", "rows", "events", "MB",
                                            "quarantined", "time", "from"});
    const bst_status status = bst_loads_list(from, on_load, &l, call->diags);
    if (status == BST_OK && call->json) {
        cli_print_json(l.list, JSON_INDENT(2) | JSON_REAL_PRECISION(6), stdout);
        putchar('\n');
    } else if (status == BST_OK && l.count > 0) {
        cli_table_print(l.table, stdout);
        cli_table_print(l.troubles, stdout);
    } else if (status == BST_OK && !call->quiet) {
        puts("nothing has been migrated into this store");
    }
    if (status == BST_DATABASE)
        tell_of_store(call);
    cli_table_free(l.table);
    cli_table_free(l.troubles);
    json_decref(l.list);
    return status;
}

static int status_command(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0, "the store: a connection string", "STORE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 0, 0, argc, argv, &exit_status))
        return exit_status;
    bst_status status = from ? BST_OK : cli_usage(&call, "--from is missing");
#if BACKSTORY_POSTGRES
    if (status == BST_OK)
        status = list_loads(&call, from);
#else
    (void)list_loads;
    if (status == BST_OK)
        status = cli_usage(&call, "this program was built without PostgreSQL");
#endif
    free(from);
    return cli_end(&call, status);
}

const cli_command cli_status = {
    .name = "status",
    .arguments = "",
    .summary = "the migrations of a store, and how far they are",
    .examples = "  backstory status --from postgresql:///events\n",
    .run = status_command,
};
