/* backstory compare: every legacy row against the fold of its stored history. */
#include <stdlib.h>
#include <string.h>

#include "backstory/compare.h"
#include "backstory/mapping.h"
#include "backstory/timestamp.h"

#include "comparison.h"
#include "files_apart.h"

#define US_PER_DAY INT64_C(86400000000)
#define WAIT_MAX   86400

/* What the command line says; strings are popt's and freed at the end. */
typedef struct arguments {
    char *from, *to, *quarantine, *sum, *group, *differences;
    char **tolerance;
    char *sample, *since, *at;
    long limit, seed;
    int jobs, rechecks, wait;
} arguments;

/* A field named on the command line. */
static bst_status find_field(cli_call *call, const bst_machine *machine, const char *name,
                             uint32_t *ret) {
    *ret = name ? bst_machine_field(machine, name) : BST_NONE;
    return name && *ret == BST_NONE
               ? cli_usage(call, "the machine \"%s\" has no field \"%s\"", machine->id, name)
               : BST_OK;
}

/* The same, of which both sides can have totals. */
static bst_status find_total(cli_call *call, const bst_mapping *mapping, const char *name,
                             uint32_t *ret) {
    const bst_status status = find_field(call, mapping->machine, name, ret);
    return status == BST_OK && *ret != BST_NONE && !bst_compare_has_both(mapping, *ret)
               ? cli_usage(call,
                           "no column gives field \"%s\": rows have nothing to hold against its "
                           "totals",
                           name)
               : status;
}

/* "0.01" of a decimal, "3" of an integer, "PT1S" of a time, "P2D" of a date. */
static bool read_amount(const bst_type *type, const char *text, int64_t *ret) {
    bst_value value;

    if (type->kind != BST_KIND_TIMESTAMPTZ && type->kind != BST_KIND_DATE) {
        if (bst_value_parse(type, text, strlen(text), NULL, &value) != BST_VALUE_OK)
            return false;
        *ret = value.u.i;
        return *ret > 0;
    }
    if (bst_duration_parse(text, strlen(text), ret) != BST_TIME_OK || *ret <= 0)
        return false;
    if (type->kind == BST_KIND_TIMESTAMPTZ)
        return true;
    const bool whole = *ret % US_PER_DAY == 0;
    *ret /= US_PER_DAY;
    return whole;
}

static bst_status no_tolerance(cli_call *call, const char *what, const char *name,
                               const char *amount) {
    return cli_usage(call,
                     "\"%s\" is no tolerance for %s \"%s\": a positive number of its type, or"
                     " for times a duration such as PT1S",
                     amount, what, name);
}

/* By the column: it is no field of the machine. */
static bst_status read_creation_tolerance(cli_call *call, const char *name, const char *amount,
                                          int64_t *ret) {
    static const bst_type time = {.kind = BST_KIND_TIMESTAMPTZ};

    return read_amount(&time, amount, ret) ? BST_OK
                                           : no_tolerance(call, "the creation", name, amount);
}

static bst_status read_field_tolerance(cli_call *call, const bst_machine *machine, const char *name,
                                       const char *amount, int64_t *tolerances) {
    uint32_t field;
    const bst_status status = find_field(call, machine, name, &field);

    if (status != BST_OK)
        return status;
    const bst_type *type = &machine->fields[field].type;
    if (!bst_compare_tolerates(type))
        return cli_usage(call, "field \"%s\" can have no tolerance: only numbers and times can",
                         machine->fields[field].name);
    return read_amount(type, amount, &tolerances[field])
               ? BST_OK
               : no_tolerance(call, "field", name, amount);
}

/* One FIELD=AMOUNT. A column of the creation that is a field as well has one for both. */
static bst_status read_tolerance(cli_call *call, const bst_mapping *mapping, const char *text,
                                 int64_t *tolerances, int64_t *ret_creation) {
    const char *const equals = strchr(text, '=');
    const char *const created = bst_compare_creation_column(mapping);

    if (!equals)
        return cli_usage(call, "--tolerance wants FIELD=AMOUNT, as in amount=0.01, not \"%s\"",
                         text);
    char *name = strndup(text, (size_t)(equals - text));
    if (!name)
        return bst_diag_nomem(call->diags);
    const bool is_creation = created && strcmp(name, created) == 0;
    bst_status status =
        is_creation ? read_creation_tolerance(call, name, equals + 1, ret_creation) : BST_OK;
    if (status == BST_OK && !(is_creation && bst_machine_field(mapping->machine, name) == BST_NONE))
        status = read_field_tolerance(call, mapping->machine, name, equals + 1, tolerances);
    free(name);
    return status;
}

/* *ret_fields: to be freed, also when it fails. */
static bst_status read_tolerances(cli_call *call, const bst_mapping *mapping, char **texts,
                                  int64_t **ret_fields, int64_t *ret_creation) {
    bst_status status = BST_OK;

    *ret_fields = calloc(mapping->machine->field_count + 1, sizeof **ret_fields);
    if (!*ret_fields)
        return bst_diag_nomem(call->diags);
    for (size_t i = 0; texts && texts[i] && status == BST_OK; i++)
        status = read_tolerance(call, mapping, texts[i], *ret_fields, ret_creation);
    return status;
}

/* "1%", "0.5%": how many of 2^32 keys are drawn. */
static bst_status read_sample(cli_call *call, const char *text, long seed, bst_key_part *ret) {
    char *end = NULL;
    const double percent = text ? strtod(text, &end) : 100;

    if (text && (strcmp(end, "%") != 0 || !(percent > 0 && percent <= 100)))
        return cli_usage(call, "--sample wants a share of the entities, as in 1%%, not \"%s\"",
                         text);
    if (seed < 0 || seed > UINT32_MAX)
        return cli_usage(call, "--seed is from 0 to %lu", (unsigned long)UINT32_MAX);
    const double share = percent / 100 * 4294967296.0;
    ret->share = percent >= 100 ? 0 : share < 1 ? 1 : (uint32_t)share;
    ret->seed = (uint32_t)seed;
    return BST_OK;
}

/* What is looked at again needs no moment that both sides share. */
static bst_status read_at(cli_call *call, const arguments *given, bst_at *ret) {
    *ret = given->rechecks > 0 ? BST_AT_REST : BST_AT_AUTO;
    if (!given->at)
        return BST_OK;
    if (strcmp(given->at, "now") != 0 && strcmp(given->at, "rest") != 0)
        return cli_usage(call, "--at is now or rest, not \"%s\"", given->at);
    *ret = strcmp(given->at, "now") == 0 ? BST_AT_NOW : BST_AT_REST;
    return *ret == BST_AT_NOW && given->rechecks > 0
               ? cli_usage(call, "--at now is exact: nothing has to be looked at again")
               : BST_OK;
}

static bst_status run_compare(cli_call *call, const bst_mapping *mapping,
                              bst_compare_options *options, const arguments *given) {
    cli_comparison comparison;
    bst_comparison result;
    bst_arena *arena = bst_arena_new();

    if (!arena)
        return bst_diag_nomem(call->diags);
    bst_status status =
        cli_comparison_begin(&comparison, call, mapping->machine, given->differences,
                             (uint64_t)given->limit, options->sample.share);
    if (status == BST_OK) {
        options->on_difference = cli_comparison_difference;
        options->on_progress = cli_comparison_progress;
        options->on_notice = cli_comparison_notice;
        options->context = &comparison;
        status = bst_compare(mapping, options, arena, &result, call->diags);
        status = cli_comparison_end(&comparison, status, &result);
    }
    bst_arena_free(arena);
    return status;
}

static bst_status check_files(cli_call *call, const arguments *given, const bst_mapping *mapping) {
    const cli_named_file files[] = {{"the learned file", mapping->learned_file, false},
                                    {"--to", given->to, false},
                                    {"--quarantine", given->quarantine, false},
                                    {"--since", given->since, true},
                                    {"--differences", given->differences, true}};
    return cli_mapping_apart(call, mapping, given->from, files, sizeof files / sizeof files[0]);
}

static bst_status load_and_run(cli_call *call, arguments *given) {
    bst_mapping *mapping = NULL;
    bst_compare_options options = {.from = given->from,
                                   .store = given->to,
                                   .since = given->since,
                                   .jobs = (uint32_t)given->jobs,
                                   .wait_seconds = (uint32_t)given->wait,
                                   .rechecks = (uint32_t)given->rechecks};
    int64_t *tolerances = NULL;
    bst_status status = read_at(call, given, &options.at);

    if (status == BST_OK)
        status = cli_load_mapping(call, call->argument[0], &mapping);
    if (status == BST_OK)
        status = find_total(call, mapping, given->sum, &options.sum_field);
    if (status == BST_OK && options.sum_field != BST_NONE &&
        mapping->machine->fields[options.sum_field].type.kind != BST_KIND_DECIMAL)
        status = cli_usage(call, "field \"%s\" cannot be added up: it is no decimal", given->sum);
    if (status == BST_OK)
        status = find_total(call, mapping, given->group, &options.group_field);
    if (status == BST_OK)
        status = read_sample(call, given->sample, given->seed, &options.sample);
    if (status == BST_OK)
        status = read_tolerances(call, mapping, given->tolerance, &tolerances,
                                 &options.creation_tolerance);
    /* A store in PostgreSQL has its own: a file that happens to lie here may be of another run. */
    if (status == BST_OK && !given->quarantine && !bst_is_connection_string(given->to))
        given->quarantine = cli_quarantine_path(given->to, mapping->machine);
    options.quarantine_path = given->quarantine;
    options.tolerance = tolerances;
    if (status == BST_OK)
        status = check_files(call, given, mapping);
    if (status == BST_OK)
        status = run_compare(call, mapping, &options, given);
    free(tolerances);
    bst_mapping_free(mapping);
    return status;
}

static void free_arguments(arguments *given) {
    for (size_t i = 0; given->tolerance && given->tolerance[i]; i++)
        free(given->tolerance[i]);
    free(given->tolerance);
    free(given->from);
    free(given->to);
    free(given->quarantine);
    free(given->sum);
    free(given->group);
    free(given->differences);
    free(given->sample);
    free(given->since);
    free(given->at);
}

static int compare(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    arguments given = {.limit = 1000, .seed = 1, .jobs = 1, .wait = (int)BST_RECHECK_SECONDS_MAX};
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &given.from, 0,
         "the legacy rows: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"to", 0, POPT_ARG_STRING, &given.to, 0, "the store: a connection string or a .jsonl file",
         "STORE"},
        {"quarantine", 0, POPT_ARG_STRING, &given.quarantine, 0,
         "rows that migrate put aside (default: beside the store; one in PostgreSQL has its own)",
         "FILE"},
        {"tolerance", 0, POPT_ARG_ARGV, &given.tolerance, 0,
         "let a field, or the creation by its column, differ by so much: amount=0.01, "
         "updated_at=PT1S; may be repeated",
         "FIELD=AMOUNT"},
        {"jobs", 'j', POPT_ARG_INT, &given.jobs, 0,
         "read with so many connections a side, where both are servers (default: 1)", "N"},
        {"sample", 0, POPT_ARG_STRING, &given.sample, 0,
         "compare a share of the entities only, and say what that says of all", "P%"},
        {"since", 0, POPT_ARG_STRING, &given.since, 0,
         "remember in this file what was equal, and read only what has changed since", "FILE"},
        {"at", 0, POPT_ARG_STRING, &given.at, 0,
         "now: both sides at one place in the log of the old system, exactly, while it writes and "
         "backstory follow runs; rest: each as it is found, nobody writes (default: now where a "
         "follower runs)",
         "now|rest"},
        {"wait", 0, POPT_ARG_INT, &given.wait, 0,
         "how long to wait for the follower to come there (default: 60)", "SECONDS"},
        {"recheck", 0, POPT_ARG_INT, &given.rechecks, 0,
         "while backstory follow runs: look again at what differs, so often at most, each time the "
         "follower has come to where the rows stand",
         "N"},
        {"seed", 0, POPT_ARG_LONG, &given.seed, 0, "another seed draws another sample (default: 1)",
         "N"},
        {"sum", 0, POPT_ARG_STRING, &given.sum, 0,
         "decimal field to add up (default: the first that a column gives)", "FIELD"},
        {"by", 0, POPT_ARG_STRING, &given.group, 0,
         "text field to group the totals by, beside the state (default: currency)", "FIELD"},
        {"differences", 0, POPT_ARG_STRING, &given.differences, 0,
         "write every difference to this file, a JSON object a line", "FILE"},
        {"limit", 0, POPT_ARG_LONG, &given.limit, 0,
         "list at most this many differences; 0 is no limit (default: 1000)", "N"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status = given.from && given.to ? BST_OK
                                               : cli_usage(&call, given.from ? "--to is missing"
                                                                             : "--from is missing");
    if (status == BST_OK && given.limit < 0)
        status = cli_usage(&call, "--limit is 0 or more");
    if (status == BST_OK && (given.jobs < 1 || given.jobs > (int)BST_JOBS_MAX))
        status = cli_usage(&call, "--jobs is from 1 to %u", BST_JOBS_MAX);
    if (status == BST_OK && (given.rechecks < 0 || given.rechecks > 1000))
        status = cli_usage(&call, "--recheck is from 1 to 1000");
    if (status == BST_OK && (given.wait < 1 || given.wait > WAIT_MAX))
        status = cli_usage(&call, "--wait is from 1 to %d seconds", WAIT_MAX);
    if (status == BST_OK && given.rechecks > 0 && (given.sample || given.since))
        status = cli_usage(&call, "--recheck is of all entities: no --sample or --since with it");
    if (status == BST_OK && given.sample && given.since)
        status = cli_usage(&call, "a sample says nothing of what has changed: no --sample with "
                                  "--since");
    if (status == BST_OK)
        status = load_and_run(&call, &given);
    free_arguments(&given);
    return cli_end(&call, status);
}

const cli_command cli_compare = {
    .name = "compare",
    .arguments = "MAPPING",
    .summary = "hold every legacy row against its stored history; "
               "exit 1 when anything differs",
    .examples = "  backstory compare payment.legacy.json --from payments.csv --to payments.jsonl\n"
                "  backstory compare payment.legacy.json --from postgresql:///shop "
                "--to postgresql:///events\n",
    .run = compare,
};
