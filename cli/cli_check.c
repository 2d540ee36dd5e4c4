/* backstory check: says what is wrong with a machine, and what a mapping's histories cannot
 * recover. */
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/mapping.h"
#include "backstory/regions.h"

#include "cli.h"

static bst_status same_machine(cli_call *call, const bst_machine *machine,
                               const bst_mapping *mapping) {
    if (strcmp(machine->sha256, mapping->machine->sha256) == 0)
        return BST_OK;
    const bst_loc where = bst_json_source_value(mapping->json, "/machine");
    bst_diag_add(call->diags, BST_INVALID, BST_ERROR, "other-machine", &where,
                 "this mapping is for the machine in \"%s\", which is not the one checked",
                 mapping->machine->file);
    bst_diag_hint(call->diags, "Give that file, or mend \"machine\".");
    return BST_INVALID;
}

#define REGIONS_SHOWN 10

/* "shop: 7 regions of 10 + 10 + ... states (10000000 combinations), 140 transitions ..." */
static void print_apart(const cli_call *call, const bst_machine *machine) {
    const bst_regions *regions = bst_machine_regions(machine);
    const uint64_t size = bst_regions_size(machine);

    if (call->quiet)
        return;
    cli_printf("%s: %u regions of", machine->id, regions->count);
    for (uint32_t i = 0; i < regions->count && i < REGIONS_SHOWN; i++)
        cli_printf("%s %u", i > 0 ? " +" : "", regions->regions[i].state_count);
    if (regions->count > REGIONS_SHOWN)
        cli_printf(" + ...");
    if (size == UINT64_MAX)
        cli_printf(" states (more combinations than can be counted)");
    else
        cli_printf(" states (%llu combinations)", (unsigned long long)size);
    cli_printf(", %u transitions, %u commands, %u events; no findings\n", machine->transition_count,
               machine->command_count, machine->event_count);
}

static void print_result(cli_call *call, const bst_machine *machine) {
    const size_t errors = bst_diags_count_of(call->diags, BST_ERROR);
    const size_t warnings = bst_diags_count_of(call->diags, BST_WARNING);

    if (call->json) {
        bst_strbuf out = BST_STRBUF_INIT;
        bst_diags_format_json(call->diags, &out);
        fputs(out.text, stdout);
        bst_strbuf_release(&out);
        bst_diags_clear(call->diags);
        return;
    }
    cli_print_findings(call, stdout);
    if (errors > 0 || warnings > 0)
        cli_printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
                   warnings == 1 ? "" : "s");
    else if (machine && bst_machine_regions(machine))
        print_apart(call, machine);
    else if (machine && !call->quiet)
        cli_printf("%s: %u states, %u transitions, %u commands, %u events; no findings\n",
                   machine->id, machine->state_count, machine->transition_count,
                   machine->command_count, machine->event_count);
}

typedef struct check_options {
    int warnings_are_errors, matrix, list_warnings;
    char *from;
} check_options;

static bst_status check_mapping(cli_call *call, const bst_machine *machine,
                                const check_options *with, bst_mapping **ret) {
    /* The machine has been heard: what the mapping loads and finds again is not said twice. */
    bst_status status = cli_load_mapping(call, call->argument[1], ret);
    if (status == BST_OK)
        status = same_machine(call, machine, *ret);
    if (status == BST_OK)
        status = bst_mapping_check(*ret, call->diags);
    if (status == BST_OK && with->from)
        status = bst_mapping_check_source(*ret, with->from, call->diags);
    return status;
}

static int check(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_machine *machine = NULL;
    bst_mapping *mapping = NULL;
    check_options with = {0};
    int exit_status;
    struct poptOption options[] = {{"from", 0, POPT_ARG_STRING, &with.from, 0,
                                    "hold the mapping against the values of a real table",
                                    "SOURCE"},
                                   {"matrix", 0, POPT_ARG_NONE, &with.matrix, 0,
                                    "print what each state does with each command", NULL},
                                   {"list-warnings", 0, POPT_ARG_NONE, &with.list_warnings, 0,
                                    "list the warnings, and whether they are on", NULL},
                                   {"werror", 0, POPT_ARG_NONE, &with.warnings_are_errors, 0,
                                    "treat warnings as errors", NULL},
                                   POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 0, 2, argc, argv, &exit_status))
        return exit_status;
    bst_status status = BST_OK;
    if (with.warnings_are_errors)
        cli_warnings_are_errors(&call);
    if (with.list_warnings) {
        cli_list_warnings(&call);
        free(with.from);
        return cli_end(&call, BST_OK);
    }
    if (call.count == 0)
        status = cli_usage(&call, "%s is missing", command->arguments);
    else if (with.from && call.count < 2)
        status =
            cli_usage(&call, "--from holds a mapping against a table, and only one file is given: "
                             "it takes MACHINE and MAPPING");
    if (status != BST_OK) {
        free(with.from);
        return cli_end(&call, status);
    }
    status = cli_load_regions(&call, call.argument[0], &machine);
    if (status == BST_OK)
        status = bst_machine_check(machine, call.diags);
    if (status == BST_OK && call.count == 2)
        status = check_mapping(&call, machine, &with, &mapping);
    bst_diags_sort(call.diags);
    status = cli_judge(&call, status);
    if (!with.matrix || !machine)
        print_result(&call, machine);
    else if (cli_print_matrix(&call, machine) != BST_OK)
        status = BST_NOMEM;
    bst_mapping_free(mapping);
    bst_machine_free(machine);
    free(with.from);
    return cli_end(&call, status);
}

const cli_command cli_check = {
    .name = "check",
    .arguments = "MACHINE [MAPPING]",
    .summary = "analyse a machine, and what a mapping can recover of its histories",
    .examples = "  backstory check payment.fsm.json\n"
                "  backstory check payment.fsm.json payment.legacy.json --werror\n"
                "  backstory check payment.fsm.json payment.legacy.json --from old.csv\n"
                "  backstory check payment.fsm.json -Wguard-gap -Werror=dead-end\n"
                "  backstory check --matrix payment.fsm.json\n"
                "  backstory check --format json - < payment.fsm.json\n",
    .run = check,
    .warns = true,
};
