/* One call of a command: options in, findings out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/regions.h"

#include "cli.h"

static void print_help(const cli_call *call) {
    cli_printf("backstory %s: %s.\n\n", call->command->name, call->command->summary);
    poptPrintHelp(call->popt, stdout, 0);
    if (cli_warns(call->command))
        puts("\nWarnings:\n"
             "  -Wname, -Wno-name           hear a warning, or do not; -Wall and -Wno-all for all\n"
             "  -Werror=name                make it an error, and -Wno-error=name undoes that\n"
             "  -Werror                     make all that are heard errors, as --werror does");
    if (call->command == &cli_compile)
        cli_print_emitters();
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
        cli_usage(call, "%s is missing", call->command->arguments);
        return false;
    }
    return true;
}

enum { OPTION_HELP = 'h' };

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
    const char *full[64] = {name};
    int used = argc < 64 ? argc : 63;
    for (int i = 1; i < used; i++)
        full[i] = argv[i];
    *ret_exit = 0;
    bst_status status =
        cli_warns(command) && call->diags ? cli_take_warnings(call, full, &used) : BST_OK;
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
    }
    call->quiet = call->quiet_flag != 0;
    if (status == BST_OK && code < -1)
        status = cli_usage(call, "%s: %s", poptBadOption(call->popt, 0), poptStrerror(code));
    if (status == BST_OK && (!read_format(call) || !take_arguments(call, count_min, count_max)))
        status = BST_USAGE;
    if (status != BST_OK) {
        *ret_exit = cli_end(call, status);
        return false;
    }
    return true;
}

int cli_end(cli_call *call, bst_status status) {
    cli_print_findings(call, stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_fprintf(stderr, "backstory: could not write the result: %s\n", strerror(errno));
        if (status == BST_OK)
            status = BST_IO;
    }
    call->diags = bst_diags_free(call->diags);
    free(call->stdin_text);
    free(call->format);
    if (call->popt)
        poptFreeContext(call->popt);
    return bst_status_exit(status);
}

bst_status cli_usage(cli_call *call, const char *format, ...) {
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;

    va_start(args, format);
    bst_strbuf_vaddf(&text, format, args);
    va_end(args);
    bst_diag_add(call->diags, BST_USAGE, BST_ERROR, "usage", NULL, "%s", text.text);
    bst_diag_hint(call->diags, "`backstory %s --help` says how it is called.", call->command->name);
    bst_strbuf_release(&text);
    return BST_USAGE;
}

/* The text of the file a finding is about, read again for its caret line; kept while the findings
 * are of one file. */
typedef struct shown_file {
    const char *name; /* borrowed from a finding */
    char *text;
    size_t len;
} shown_file;

static void show_file(const cli_call *call, shown_file *shown, const char *name) {
    if (shown->name && strcmp(shown->name, name) == 0)
        return;
    free(shown->text);
    *shown = (shown_file){.name = name};
    if (strcmp(name, "-") == 0) {
        if (call->stdin_text && (shown->text = malloc(call->stdin_len + 1))) {
            memcpy(shown->text, call->stdin_text, call->stdin_len + 1);
            shown->len = call->stdin_len;
        }
        return;
    }
    /* Only what can be pointed at is read: not a folder, not a file of gigabytes. */
    if (bst_file_read(name, BST_SPEC_BYTES_MAX, &shown->text, &shown->len, NULL) != BST_OK)
        shown->text = NULL;
}

static void print_text(cli_call *call, bst_strbuf *out) {
    shown_file shown = {0};

    for (size_t i = 0; i < bst_diags_count(call->diags); i++) {
        const bst_diag *diag = bst_diags_at(call->diags, i);
        if (diag->file && diag->line > 0 && diag->column > 0)
            show_file(call, &shown, diag->file);
        const bool known =
            shown.text && diag->file && shown.name && strcmp(shown.name, diag->file) == 0;
        bst_diag_format_text(diag, known ? shown.text : NULL, known ? shown.len : 0, out);
    }
    if (bst_diags_dropped(call->diags) > 0)
        bst_strbuf_addf(out, "... and %zu more\n", bst_diags_dropped(call->diags));
    free(shown.text);
}

void cli_print_findings(cli_call *call, FILE *out) {
    bst_strbuf text = BST_STRBUF_INIT;

    if (bst_diags_count(call->diags) == 0)
        return;
    if (call->json)
        bst_diags_format_json(call->diags, &text);
    else
        print_text(call, &text);
    fwrite(text.text, 1, text.len, out);
    bst_strbuf_release(&text);
    bst_diags_clear(call->diags);
}

static bst_status read_stdin(cli_call *call) {
    return bst_file_read("-", BST_SPEC_BYTES_MAX, &call->stdin_text, &call->stdin_len, call->diags);
}

bst_status cli_load_machine(cli_call *call, const char *path, bst_machine **ret) {
    if (strcmp(path, "-") != 0)
        return bst_machine_load(path, ret, call->diags);
    const bst_status status = read_stdin(call);
    return status == BST_OK
               ? bst_machine_parse("-", call->stdin_text, call->stdin_len, ret, call->diags)
               : status;
}

bst_status cli_load_regions(cli_call *call, const char *path, bst_machine **ret) {
    if (strcmp(path, "-") != 0)
        return bst_regions_load(path, BST_CONFIGURATIONS_MAX, ret, call->diags);
    const bst_status status = read_stdin(call);
    return status == BST_OK ? bst_regions_parse("-", call->stdin_text, call->stdin_len,
                                                BST_CONFIGURATIONS_MAX, ret, call->diags)
                            : status;
}
