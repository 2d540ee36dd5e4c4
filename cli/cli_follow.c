/* backstory follow: what the old system commits becomes events, exactly once, while it goes on
 * writing. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/follow.h"
#include "backstory/run.h"

#include "cli.h"

static volatile sig_atomic_t stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
}

typedef struct talk {
    const cli_call *call;
    cli_progress progress;
    double last;
} talk;

static cli_text lsn_text(uint64_t lsn) {
    cli_text text;
    snprintf(text.text, sizeof text.text, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(uint32_t)lsn);
    return text;
}

static double lag_seconds(const bst_follow_figures *f) {
    return f->lag_us > 0 ? (double)f->lag_us / 1e6 : 0;
}

/* A line each second on a terminal, each ten elsewhere. */
static bst_status on_progress(void *context, const bst_follow_figures *f) {
    talk *const t = context;
    const double now = cli_now();
    const bool terminal = t->progress.terminal;

    if (t->call->quiet || now - t->last < (terminal ? 1 : 10))
        return BST_OK;
    t->last = now;
    bst_strbuf line = BST_STRBUF_INIT;
    if (f->lsn == 0)
        bst_strbuf_addf(&line, "follow: snapshot, %s rows", cli_number(f->snapshot_rows).text);
    else
        bst_strbuf_addf(
            &line,
            "follow: at %s, lag %s bytes, %.2f s, %s transactions; %s changes, %s events, "
            "%s quarantined; the slot keeps %s MiB",
            lsn_text(f->lsn).text, cli_number(f->lag_bytes).text, lag_seconds(f),
            cli_number(f->lag_transactions).text, cli_number(f->changes).text,
            cli_number(f->events).text, cli_number(f->quarantined).text,
            cli_number(f->retained_bytes >> 20).text);
    cli_progress_line(&t->progress, &line);
    bst_strbuf_release(&line);
    return BST_OK;
}

static void on_notice(void *context, const char *text) {
    talk *const t = context;

    if (t->call->quiet)
        return;
    cli_progress_end(&t->progress);
    cli_fprintf(stderr, "follow: %s\n", text);
}

static void print_json(const bst_follow_figures *f) {
    json_t *root =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I}", "lsn",
                  lsn_text(f->lsn).text, "transactions", (json_int_t)f->transactions, "changes",
                  (json_int_t)f->changes, "unchanged", (json_int_t)f->unchanged, "events",
                  (json_int_t)f->events, "quarantined", (json_int_t)f->quarantined, "released",
                  (json_int_t)f->released, "races", (json_int_t)f->races, "snapshot_rows",
                  (json_int_t)f->snapshot_rows, "lag_bytes", (json_int_t)f->lag_bytes,
                  "lag_seconds", lag_seconds(f), "lag_seconds_max", (double)f->lag_us_max / 1e6,
                  "retained_bytes", (json_int_t)f->retained_bytes);

    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
}

static void print_text(const bst_follow_figures *f) {
    if (f->snapshot_rows > 0)
        cli_printf("%s rows of the snapshot\n", cli_number(f->snapshot_rows).text);
    if (f->lsn == 0) {
        cli_printf("nothing is followed yet\n");
        return;
    }
    cli_printf(
        "%s transactions with %s changes: %s events, %s quarantined, %s without a meaning for "
        "the machine\n",
        cli_number(f->transactions).text, cli_number(f->changes).text, cli_number(f->events).text,
        cli_number(f->quarantined).text, cli_number(f->unchanged).text);
    if (f->races > 0)
        cli_printf("%s races: `backstory races` tells them\n", cli_number(f->races).text);
    if (f->released > 0)
        cli_printf("%s entities left quarantine\n", cli_number(f->released).text);
    cli_printf("all before %s is in the store\n", lsn_text(f->lsn).text);
}

static bst_status read_until(cli_call *call, const char *text, bst_follow_options *options) {
    unsigned high = 0, low = 0;
    char rest = '\0';

    if (!text)
        return BST_OK;
    options->until_now = true;
    if (strcmp(text, "now") == 0)
        return BST_OK;
    if (sscanf(text, "%8X/%8X%c", &high, &low, &rest) != 2 || (high == 0 && low == 0))
        return cli_usage(
            call, "--until is \"now\" or a place in the log, as 16/B374D848, not \"%s\"", text);
    options->until = (uint64_t)high << 32 | low;
    return BST_OK;
}

/* "public.transfers:account_id:amount:balance", taken apart in place. */
static bst_status read_ledger(cli_call *call, char *text, bst_follow_ledger *ret) {
    char *part[4] = {text, NULL, NULL, NULL};
    int count = 1;

    for (char *at = text; *at && count <= 4; at++) {
        if (*at != ':')
            continue;
        *at = '\0';
        if (count < 4)
            part[count] = at + 1;
        count++;
    }
    if (count != 4)
        return cli_usage(call, "--ledger is TABLE:ENTITY:AMOUNT:FIELD, as "
                               "public.transfers:account_id:amount:balance");
    *ret = (bst_follow_ledger){part[0], part[1], part[2], part[3]};
    return BST_OK;
}

static bst_status check_slot_name(cli_call *call, const char *name) {
    const size_t len = strlen(name);

    if (len > 0 && len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len)
        return BST_OK;
    return cli_usage(call, "a slot's name has a-z, 0-9 and _, at most 63 of them; not \"%s\"",
                     name);
}

static bst_status check_counts(cli_call *call, int jobs, long long chunk_rows) {
    if (jobs < 1 || jobs > (int)BST_JOBS_MAX)
        return cli_usage(call, "--jobs is a number from 1 to %u, not %d", BST_JOBS_MAX, jobs);
    if (chunk_rows < 1 || chunk_rows > UINT32_MAX)
        return cli_usage(call, "--chunk-rows is a number from 1 to %u, not %lld", UINT32_MAX,
                         chunk_rows);
    return BST_OK;
}

static void listen_to_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bst_status run_follow(cli_call *call, const bst_mapping *mapping,
                             bst_follow_options *options) {
    bst_follow_figures figures;
    talk t = {.call = call};

    cli_progress_begin(&t.progress, call, "follow");
    options->stop = &stop_asked;
    options->on_progress = on_progress;
    options->on_notice = on_notice;
    options->context = &t;
    listen_to_signals();
    const bst_status status = bst_follow(mapping, options, &figures, call->diags);
    cli_progress_end(&t.progress);
    if (status != BST_OK)
        return status;
    if (options->check_only)
        puts("everything is there that following needs");
    else if (call->json)
        print_json(&figures);
    else if (!call->quiet)
        print_text(&figures);
    if (stop_asked && !call->quiet)
        fputs("stopped; the same command goes on from there\n", stderr);
    return BST_OK;
}

/* The options as they were given; texts are popt's. */
typedef struct given {
    char *from, *to, *slot, *until, *take_over, *ledger, *version_column;
    int check, again, warn_mib, jobs;
    long long chunk_rows;
} given;

static bst_status read_given(cli_call *call, given *g, bst_follow_ledger *ledger,
                             bst_follow_options *ret) {
    *ret = (bst_follow_options){.from = g->from,
                                .to = g->to,
                                .tool_version = BACKSTORY_VERSION,
                                .check_only = g->check != 0,
                                .snapshot_again = g->again != 0,
                                .take_over = g->take_over,
                                .jobs = (uint32_t)g->jobs,
                                .chunk_rows = (uint64_t)g->chunk_rows,
                                .version_column = g->version_column,
                                .retained_max = g->warn_mib > 0 ? (uint64_t)g->warn_mib << 20 : 0};
    if (!g->from || !(g->to || g->check))
        return cli_usage(call, g->from ? "--to is missing" : "--from is missing");
    bst_status status = read_until(call, g->until, ret);
    if (status == BST_OK)
        status = check_counts(call, g->jobs, g->chunk_rows);
    if (status == BST_OK && g->ledger) {
        status = read_ledger(call, g->ledger, ledger);
        ret->ledger = ledger;
    }
    return status == BST_OK && g->slot ? check_slot_name(call, g->slot) : status;
}

static void release(given *g) {
    free(g->from);
    free(g->to);
    free(g->slot);
    free(g->until);
    free(g->take_over);
    free(g->ledger);
    free(g->version_column);
}

static int follow(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_mapping *mapping = NULL;
    bst_follow_options run;
    bst_follow_ledger ledger;
    given g = {.warn_mib = 1024, .jobs = 1, .chunk_rows = BST_CHUNK_ROWS_DEFAULT};
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &g.from, 0, "the old system: a connection string", "SOURCE"},
        {"to", 0, POPT_ARG_STRING, &g.to, 0, "the store: a connection string", "STORE"},
        {"slot", 0, POPT_ARG_STRING, &g.slot, 0,
         "name of the replication slot and its publication (default: backstory_<machine>)", "NAME"},
        {"until", 0, POPT_ARG_STRING, &g.until, 0,
         "stop there: a place in the log, or now (default: follow on)", "LSN|now"},
        {"check", 0, POPT_ARG_NONE, &g.check, 0, "only say what is missing, and change nothing",
         NULL},
        {"snapshot-again", 0, POPT_ARG_NONE, &g.again, 0,
         "a new slot, and every row reconciled with its history", NULL},
        {"take-over", 0, POPT_ARG_STRING, &g.take_over, 0,
         "take the place of the source that the store's histories are from, by its name", "OTHER"},
        {"jobs", 'j', POPT_ARG_INT, &g.jobs, 0, "readers of a snapshot (default: 1)", "N"},
        {"chunk-rows", 0, POPT_ARG_LONGLONG, &g.chunk_rows, 0,
         "rows of the first snapshot that are committed at a time, about (default: 50000)", "N"},
        {"ledger", 0, POPT_ARG_STRING, &g.ledger, 0,
         "where the old system writes down what it adds to a field: proves lost updates",
         "TABLE:ENTITY:AMOUNT:FIELD"},
        {"version-column", 0, POPT_ARG_STRING, &g.version_column, 0,
         "a column that each writer sets to one more than it saw: proves lost updates", "COLUMN"},
        {"warn-retained", 0, POPT_ARG_INT, &g.warn_mib, 0,
         "warn when the slot keeps more than so many MiB of log (default: 1024)", "MIB"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status = read_given(&call, &g, &ledger, &run);
    if (status == BST_OK)
        status = cli_load_mapping(&call, call.argument[0], &mapping);
    if (status == BST_OK && !g.slot)
        g.slot = bst_follow_slot_name(mapping->machine);
    if (status == BST_OK && !g.slot)
        status = bst_diag_nomem(call.diags);
    run.slot = g.slot;
    if (status == BST_OK)
        status = run_follow(&call, mapping, &run);
    bst_mapping_free(mapping);
    release(&g);
    return cli_end(&call, status);
}

const cli_command cli_follow = {
    .name = "follow",
    .arguments = "MAPPING",
    .summary = "turn what the old system commits into events, "
               "while it goes on writing",
    .examples = "  backstory follow payment.legacy.json --from postgresql:///shop --check\n"
                "  backstory follow payment.legacy.json --from postgresql:///shop "
                "--to postgresql:///events\n"
                "  backstory follow payment.legacy.json --from ... --to ... --until now\n",
    .run = follow,
};
