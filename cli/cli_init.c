/* backstory init: drafts a machine and a mapping from a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/draft.h"
#include "backstory/strbuf.h"

#include "figures.h"
#include "files_apart.h"
#include "trial.h"

#define REPAIRS_MAX  3 /* columns that a draft gives up */
#define SUSPECTS_MAX 3 /* that are tried for each */

/* "x" in the mode: a file that is there is never written over unless asked. */
static bst_status write_file(cli_call *call, const char *path, const char *text, bool force) {
    FILE *file = fopen(path, force ? "w" : "wx");
    const size_t len = strlen(text);

    if (!file && errno == EEXIST) {
        bst_diag_add(call->diags, BST_USAGE, BST_ERROR, "file-exists", NULL,
                     "\"%s\" is there already", path);
        bst_diag_hint(call->diags, "Give another folder with -o, or --force to write over it.");
        return BST_USAGE;
    }
    bool fine = file && fwrite(text, 1, len, file) == len;
    if (file && fclose(file) != 0)
        fine = false;
    return fine ? BST_OK
                : bst_diag_add(call->diags, BST_IO, BST_ERROR, "write-failed", NULL,
                               "could not write \"%s\": %s", path, strerror(errno));
}

static void print_states(const bst_draft *draft) {
    cli_table *table = cli_table_new("lrll");

    cli_table_add(table, (const char *[]){draft->state_column, "rows", "state", ""});
    for (size_t i = 0; i < draft->state_count; i++) {
        const bst_draft_state *s = &draft->states[i];
        const cli_text rows = cli_number(s->rows);
        cli_table_add(table, (const char *[]){s->code, rows.text, s->name,
                                              s->initial ? "initial"
                                              : s->final ? "final"
                                                         : ""});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_steps(const bst_draft *draft) {
    cli_table *table = cli_table_new("rll");

    cli_table_add(table, (const char *[]){"seen", "transition", "command"});
    for (size_t i = 0; i < draft->step_count; i++) {
        const bst_draft_step *s = &draft->steps[i];
        bst_strbuf what = BST_STRBUF_INIT;
        const cli_text count = cli_number(s->count);
        bst_strbuf_addf(&what, "%s > %s", s->from, s->to);
        cli_table_add(table,
                      (const char *[]){s->guess ? "guess" : count.text, what.text, s->command});
        bst_strbuf_release(&what);
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_text(const bst_draft *draft) {
    cli_printf("%s: %s rows\n\n", draft->table, cli_number(draft->rows).text);
    print_states(draft);
    putchar('\n');
    print_steps(draft);
    putchar('\n');
    for (size_t i = 0; i < draft->note_count; i++)
        cli_printf("- %s\n", draft->notes[i]);
}

static void print_json(const bst_draft *draft, const bst_run_figures *trial) {
    json_t *states = json_array();
    json_t *steps = json_array();
    json_t *notes = json_array();

    for (size_t i = 0; i < draft->state_count; i++) {
        const bst_draft_state *s = &draft->states[i];
        json_array_append_new(states,
                              json_pack("{s:s, s:s, s:I, s:b, s:b}", "name", s->name, "code",
                                        s->code, "rows", (json_int_t)s->rows, "initial",
                                        (int)s->initial, "final", (int)s->final));
    }
    for (size_t i = 0; i < draft->step_count; i++) {
        const bst_draft_step *s = &draft->steps[i];
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:I, s:b}", "from", s->from, "to",
                                               s->to, "command", s->command, "count",
                                               (json_int_t)s->count, "guess", (int)s->guess));
    }
    for (size_t i = 0; i < draft->note_count; i++)
        json_array_append_new(notes, json_string(draft->notes[i]));
    json_t *root = json_pack("{s:s, s:s, s:I, s:s, s:s?, s:o, s:o, s:o}", "id", draft->id, "table",
                             draft->table, "rows", (json_int_t)draft->rows, "state_column",
                             draft->state_column, "log", draft->log, "states", states,
                             "transitions", steps, "notes", notes);
    json_t *tried = json_object();
    cli_figures_to_json(trial, tried);
    json_object_set_new(root, "trial", tried);
    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
}

/* ---- drafting: what is said speaks of what was written and tried */

/* A draft on disk, and what its trial says. */
typedef struct drafting {
    cli_call *call;
    bst_draft_options wishes;
    const char *dir;
    bst_draft draft;
    bst_strbuf machine, mapping; /* paths */
    cli_trial trial;
    char *doubted[REPAIRS_MAX + 1]; /* ended by NULL */
    size_t doubted_count;
} drafting;

static bst_status write_both(const drafting *d, bool force) {
    const bst_status status = write_file(d->call, d->machine.text, d->draft.machine, force);
    return status == BST_OK ? write_file(d->call, d->mapping.text, d->draft.mapping, force)
                            : status;
}

/* Neither file is written when one of them is there. */
static bst_status prepare_files(const drafting *d, bool force) {
    const cli_named_file files[] = {{"--from", d->wishes.from, false},
                                    {"the machine", d->machine.text, true},
                                    {"the mapping", d->mapping.text, true}};
    const char *paths[] = {d->machine.text, d->mapping.text};
    bst_status status = BST_OK;

    if (mkdir(d->dir, 0777) != 0 && errno != EEXIST)
        status = bst_diag_add(d->call->diags, BST_IO, BST_ERROR, "write-failed", NULL,
                              "could not make folder \"%s\": %s", d->dir, strerror(errno));
    if (status == BST_OK)
        status = cli_files_apart(d->call, files, sizeof files / sizeof files[0]);
    for (size_t i = 0; i < 2 && status == BST_OK && !force; i++) {
        if (access(paths[i], F_OK) == 0)
            status = write_file(d->call, paths[i], "", false);
    }
    return status;
}

/* The draft without one more column as evidence: takes its place when it loses half as many rows.
 * The files are those of the better one. */
static bst_status doubt(drafting *d, const char *column, bool *ret_better) {
    drafting other = *d;
    bst_status status;

    *ret_better = false;
    other.draft = (bst_draft){0};
    other.trial = (cli_trial){.clash_count = 0};
    other.doubted[other.doubted_count++] = strdup(column);
    other.wishes.doubted = (const char *const *)other.doubted;
    status = bst_draft_make(&other.wishes, &other.draft, d->call->diags);
    if (status == BST_OK)
        status = write_both(&other, true);
    if (status == BST_OK)
        status = cli_trial_run(d->call, other.mapping.text, other.wishes.from, &other.trial);
    *ret_better =
        status == BST_OK && other.trial.figures.quarantined * 2 <= d->trial.figures.quarantined;
    drafting *loser = *ret_better ? d : &other;
    bst_draft_release(&loser->draft);
    cli_trial_release(&loser->trial);
    if (*ret_better) {
        *d = other;
        d->wishes.doubted = NULL; /* that was the other's */
    } else {
        free(other.doubted[other.doubted_count - 1]);
        status = status == BST_OK ? write_both(d, true) : status;
    }
    return status;
}

/* As long as too many rows are lost: without the column that clashes most, or the next ones. */
static bst_status repair(drafting *d) {
    bst_status status = BST_OK;
    bool better = true;

    while (status == BST_OK && better && cli_trial_is_bad(&d->trial) &&
           d->doubted_count < REPAIRS_MAX) {
        better = false;
        for (size_t i = 0; i < d->trial.clash_count && i < SUSPECTS_MAX && !better; i++) {
            status = doubt(d, d->trial.clashes[i].column, &better);
            if (status != BST_OK)
                break;
        }
    }
    return status;
}

static bst_status make_draft(drafting *d, bool force) {
    bst_status status = bst_draft_make(&d->wishes, &d->draft, d->call->diags);

    if (status != BST_OK)
        return status;
    bst_strbuf_addf(&d->machine, "%s/%s.fsm.json", d->dir, d->draft.id);
    bst_strbuf_addf(&d->mapping, "%s/%s.legacy.json", d->dir, d->draft.id);
    status = d->machine.failed || d->mapping.failed ? bst_diag_nomem(d->call->diags)
                                                    : prepare_files(d, force);
    if (status == BST_OK)
        status = write_both(d, force);
    if (status == BST_OK)
        status = cli_trial_run(d->call, d->mapping.text, d->wishes.from, &d->trial);
    if (status == BST_OK)
        status = repair(d);
    if (status == BST_OK && d->call->json) {
        print_json(&d->draft, &d->trial.figures);
    } else if (status == BST_OK && !d->call->quiet) {
        print_text(&d->draft);
        cli_printf("\nwrote %s and %s\n", d->machine.text, d->mapping.text);
        cli_trial_print(&d->trial, d->mapping.text);
    }
    return status;
}

static void release_drafting(drafting *d) {
    bst_draft_release(&d->draft);
    cli_trial_release(&d->trial);
    bst_strbuf_release(&d->machine);
    bst_strbuf_release(&d->mapping);
    for (size_t i = 0; i < d->doubted_count; i++)
        free(d->doubted[i]);
}

static bst_status read_sample(cli_call *call, const char *text, double *ret) {
    char *end;

    if (!text)
        return BST_OK;
    *ret = strtod(text, &end);
    if (*end || !(*ret > 0 && *ret <= 100))
        return cli_usage(call, "--sample is a percentage above 0 and up to 100, not \"%s\"", text);
    return BST_OK;
}

static int init(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL, *table = NULL, *key = NULL, *state = NULL, *dir = NULL, *sample = NULL;
    int force = 0;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "where the table is: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"table", 0, POPT_ARG_STRING, &table, 0, "the table, with its schema unless it is public",
         "TABLE"},
        {"output", 'o', POPT_ARG_STRING, &dir, 0, "where the two files go (default: here)", "DIR"},
        {"key", 0, POPT_ARG_STRING, &key, 0,
         "the columns that tell one entity from another (default: the primary key)", "COLUMNS"},
        {"state", 0, POPT_ARG_STRING, &state, 0,
         "the state's column (default: by its name), or several that become regions", "COLUMNS"},
        {"sample", 0, POPT_ARG_STRING, &sample, 0,
         "look at this share of a large table only (PostgreSQL)", "PERCENT"},
        {"force", 0, POPT_ARG_NONE, &force, 0, "write over files that are there", NULL},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 0, 0, argc, argv, &exit_status))
        return exit_status;
    bst_status status = BST_OK;
    drafting d = {.call = &call,
                  .wishes = {.from = from, .table = table, .key = key, .state = state},
                  .dir = dir ? dir : ".",
                  .machine = BST_STRBUF_INIT,
                  .mapping = BST_STRBUF_INIT};
    if (!from)
        status = cli_usage(&call, "--from is missing");
    if (status == BST_OK)
        status = read_sample(&call, sample, &d.wishes.sample_percent);
    if (status == BST_OK)
        status = make_draft(&d, force != 0);
    release_drafting(&d);
    free(from);
    free(table);
    free(key);
    free(state);
    free(dir);
    free(sample);
    return cli_end(&call, status);
}

const cli_command cli_init = {
    .name = "init",
    .arguments = "",
    .summary = "draft a machine and a mapping from a live table",
    .examples = "  backstory init --from dbname=shop --table payments -o drafts\n"
                "  backstory init --from payments.csv --state status_code\n",
    .run = init,
};
