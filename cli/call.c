/* One call of a command: what stands on the command line. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define OPTIONS_MAX 64
#define WORDS_MAX   64 /* of a command line, the program's name among them */

static void print_help(const cli_call *call) {
    cli_printf("backstory %s: %s.\n\n", call->command->name, call->command->summary);
    poptPrintHelp(call->popt, stdout, 0);
    if (call->command->warns)
        puts("\nWarnings:\n"
             "  -Wname, -Wno-name           hear a warning, or do not; -Wall and -Wno-all for all\n"
             "  -Werror=name                make it an error, and -Wno-error=name undoes that\n"
             "  -Werror                     make all that are heard errors, as --werror does");
    if (call->command->more_help)
        call->command->more_help();
    if (call->command->examples) {
        puts("\nExamples:");
        fputs(call->command->examples, stdout);
    }
}

static bool read_format(cli_call *call) {
    if (!call->format || strcmp(call->format, "text") == 0)
        return true;
    call->json = strcmp(call->format, "json") == 0;
    if (!call->json)
        cli_usage(call, "--format is \"text\" or \"json\", not \"%s\"", call->format);
    return call->json;
}

static bool take_arguments(cli_call *call, size_t count_min, size_t count_max) {
    const char *argument;

    while ((argument = poptGetArg(call->popt))) {
        if (call->count == count_max) {
            cli_usage(call, "\"%s\" is one argument too many", argument);
            return false;
        }
        call->argument[call->count++] = argument;
    }
    if (call->count < count_min) {
        const char *missing = call->command->arguments;
        for (size_t i = 0; i < call->count && strchr(missing, ' '); i++)
            missing = strchr(missing, ' ') + 1;
        cli_usage(call, "%s is missing", missing);
        return false;
    }
    return true;
}

/* The long names of all tables, as far as there is room. */
static size_t option_names(const struct poptOption *options, const char **names, size_t room) {
    size_t count = 0;

    for (; options->longName || options->shortName || options->arg; options++) {
        if ((options->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE)
            count += option_names(options->arg, names + count, room - count);
        else if (options->longName && count < room)
            names[count++] = options->longName;
    }
    return count;
}

static bst_status bad_option(cli_call *call, const struct poptOption *all, int code) {
    const char *given = poptBadOption(call->popt, POPT_BADOPTION_NOALIAS);
    const char *names[OPTIONS_MAX];
    const bst_status status = cli_usage(call, "%s: %s", given, poptStrerror(code));
    const char *nearest = NULL;

    if (code == POPT_ERROR_BADOPT && strncmp(given, "--", 2) == 0)
        nearest = bst_nearest_name(given + 2, names, option_names(all, names, OPTIONS_MAX));
    if (nearest)
        bst_diag_hint(call->diags, "Did you mean \"--%s\"?", nearest);
    return status;
}

/* What was read into options, of a call that comes to nothing. */
static void free_texts(const struct poptOption *options) {
    for (; options->longName || options->shortName || options->arg; options++) {
        const unsigned kind = options->argInfo & POPT_ARG_MASK;
        char **const text = options->arg;
        if (kind == POPT_ARG_INCLUDE_TABLE) {
            free_texts(options->arg);
        } else if (kind == POPT_ARG_STRING && text) {
            free(*text);
            *text = NULL;
        }
    }
}

enum { OPTION_HELP = 'h', OPTION_VALUED = 256 };

/* The options that take one value, numbered so that popt tells of each as it comes: of two values
 * the first would be dropped without a word, and it may have been the store that was meant. */
typedef struct valued {
    struct poptOption *option[OPTIONS_MAX];
    char *text[OPTIONS_MAX]; /* what was given, where it is a text */
    bool given[OPTIONS_MAX];
    int count;
} valued;

static void number_valued(struct poptOption *options, valued *all) {
    for (; options->longName || options->shortName || options->arg; options++) {
        const unsigned kind = options->argInfo & POPT_ARG_MASK;
        if (kind == POPT_ARG_INCLUDE_TABLE) {
            number_valued(options->arg, all);
        } else if (kind != POPT_ARG_NONE && kind != POPT_ARG_ARGV && all->count < OPTIONS_MAX) {
            options->val = OPTION_VALUED + all->count;
            all->option[all->count++] = options;
        }
    }
}

static bst_status take_value(cli_call *call, valued *all, int number) {
    const struct poptOption *const option = all->option[number];
    const bool is_text = (option->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING;
    char *const before = all->text[number];

    all->text[number] = is_text ? *(char **)option->arg : NULL;
    if (!all->given[number]) {
        all->given[number] = true;
        return BST_OK;
    }
    free(before);
    return cli_usage(call, "--%s is given twice", option->longName);
}

bool cli_begin(cli_call *call, const cli_command *command, struct poptOption *options,
               size_t count_min, size_t count_max, int argc, const char **argv, int *ret_exit) {
    *call = (cli_call){.command = command, .diags = bst_diags_new()};
    struct poptOption common[] = {
        {"format", 0, POPT_ARG_STRING, &call->format, 0,
         "how results and findings are written: text (default) or json", "FORMAT"},
        {"quiet", 'q', POPT_ARG_NONE, &call->quiet_flag, 0,
         "no progress and no talk, only results and findings", NULL},
        {"help", 'h', POPT_ARG_NONE, NULL, OPTION_HELP, "show this text", NULL},
        POPT_TABLEEND};
    struct poptOption none[] = {POPT_TABLEEND};
    struct poptOption all[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, options ? options : none, 0, "Options:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, common, 0, "Common options:", NULL},
        POPT_TABLEEND};
    char name[64];
    int code;

    snprintf(name, sizeof name, "backstory %s", command->name);
    const char *full[WORDS_MAX] = {name};
    int used = argc < WORDS_MAX ? argc : WORDS_MAX;
    for (int i = 1; i < used; i++)
        full[i] = argv[i];
    *ret_exit = 0;
    bst_status status =
        argc > WORDS_MAX
            ? cli_usage(call, "more than %d words on a command line", WORDS_MAX)
            : (command->warns && call->diags ? cli_take_warnings(call, full, &used) : BST_OK);
    valued values = {.count = 0};
    number_valued(all, &values);
    call->popt = poptGetContext("backstory", used, full, all, 0);
    if (!call->diags || !call->popt) {
        *ret_exit = cli_end(call, bst_diag_nomem(call->diags));
        return false;
    }
    char usage[128];
    snprintf(usage, sizeof usage, "[OPTION...] %s", command->arguments);
    poptSetOtherOptionHelp(call->popt, usage);
    code = -1;
    while (status == BST_OK && (code = poptGetNextOpt(call->popt)) >= 0) {
        if (code == OPTION_HELP) {
            print_help(call);
            *ret_exit = cli_end(call, BST_OK);
            return false;
        }
        if (code >= OPTION_VALUED)
            status = take_value(call, &values, code - OPTION_VALUED);
    }
    call->quiet = call->quiet_flag != 0;
    if (status == BST_OK && code < -1)
        status = bad_option(call, all, code);
    if (status == BST_OK && (!read_format(call) || !take_arguments(call, count_min, count_max)))
        status = BST_USAGE;
    if (status != BST_OK) {
        *ret_exit = cli_end(call, status);
        if (options)
            free_texts(options);
        return false;
    }
    cli_hide_secrets(call, argc, argv);
    return true;
}
