/* backstory compile: one machine file in; C, diagrams and more out. */
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/emit.h"

#include "cli.h"

#define EMITTERS_MAX 32

void cli_print_emitters(void) {
    size_t count;
    const bst_emitter *all = bst_emitters(&count);
    puts("\nEmitters:");
    for (size_t i = 0; i < count; i++)
        printf("  %-12s %s\n", all[i].name, all[i].summary);
}

static bst_status unknown_emitter(cli_call *call, const char *name) {
    size_t count;
    const bst_emitter *all = bst_emitters(&count);
    bst_strbuf known = BST_STRBUF_INIT;

    for (size_t i = 0; i < count; i++)
        bst_strbuf_addf(&known, "%s%s", i ? ", " : "", all[i].name);
    const bst_status status =
        cli_usage(call, "--emit does not know \"%s\"; it knows %s", name, known.text);
    bst_strbuf_release(&known);
    return status;
}

/* "c,dot" into names, in place. */
static bst_status split_names(cli_call *call, char *list, const char **names, size_t *ret_count) {
    *ret_count = 0;
    for (char *name = list; name;) {
        char *comma = strchr(name, ',');
        if (comma)
            *comma++ = 0;
        if (!bst_emitter_find(name))
            return unknown_emitter(call, name);
        if (*ret_count == EMITTERS_MAX)
            return cli_usage(call, "--emit names more than %d emitters", EMITTERS_MAX);
        names[(*ret_count)++] = name;
        name = comma;
    }
    return BST_OK;
}

/* One emitter with one file can go to stdout. */
static bst_status emit_to_stdout(cli_call *call, const bst_machine *machine, const char *name) {
    bst_emit_files files;
    bst_emit_files_init(&files);
    bst_status status = bst_emit(machine, name, NULL, &files, call->diags);
    for (size_t i = 0; status == BST_OK && i < files.count; i++)
        fwrite(files.file[i].text.text, 1, files.file[i].text.len, stdout);
    bst_emit_files_release(&files);
    return status;
}

static void print_outputs(const cli_call *call, const bst_emit_outputs *outputs) {
    if (call->json) {
        json_t *files = json_array();
        for (size_t i = 0; i < outputs->count; i++)
            json_array_append_new(files, json_pack("{s:s, s:b}", "path", outputs->output[i].path,
                                                   "changed", (int)outputs->output[i].changed));
        json_t *root = json_pack("{s:o}", "files", files);
        json_dumpf(root, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(root);
    } else if (!call->quiet) {
        for (size_t i = 0; i < outputs->count; i++)
            printf("%s%s\n", outputs->output[i].path,
                   outputs->output[i].changed ? "" : " (unchanged)");
    }
}

static int compile(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_machine *machine = NULL;
    char *folder = NULL;
    char *list = NULL;
    char *depfile = NULL;
    const char *names[EMITTERS_MAX];
    size_t name_count = 0;
    int exit_status;
    struct poptOption options[] = {
        {"output", 'o', POPT_ARG_STRING, &folder, 0,
         "folder to write to, made when missing; - is stdout (default: .)", "DIR"},
        {"emit", 0, POPT_ARG_STRING, &list, 0,
         "what to write, separated by commas (default: c); see below", "LIST"},
        {"depfile", 0, POPT_ARG_STRING, &depfile, 0,
         "also write a dependency file for Ninja or Make", "FILE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    if (!list)
        list = strdup("c");
    bst_status status =
        list ? split_names(&call, list, names, &name_count) : bst_diag_nomem(call.diags);
    if (status == BST_OK)
        status = cli_load_regions(&call, call.argument[0], &machine);
    if (status == BST_OK)
        status = cli_judge(&call, bst_machine_check(machine, call.diags));
    if (status == BST_OK && folder && strcmp(folder, "-") == 0) {
        status = name_count == 1 ? emit_to_stdout(&call, machine, names[0])
                                 : cli_usage(&call, "-o - takes one emitter");
    } else if (status == BST_OK) {
        bst_emit_outputs outputs = {0};
        status = bst_emit_write(folder ? folder : ".", machine, names, name_count, NULL, depfile,
                                &outputs, call.diags);
        if (status == BST_OK)
            print_outputs(&call, &outputs);
        bst_emit_outputs_release(&outputs);
    }
    bst_diags_sort(call.diags);
    bst_machine_free(machine);
    free(folder);
    free(list);
    free(depfile);
    return cli_end(&call, status);
}

const cli_command cli_compile = {
    "compile", "MACHINE", "write C, diagrams and more from a machine",
    "  backstory compile payment.fsm.json -o src\n"
    "  backstory compile payment.fsm.json -o docs --emit mermaid,dot\n"
    "  backstory compile payment.fsm.json -o api --emit jsonschema,asyncapi\n"
    "  backstory compile payment.fsm.json -o - --emit dot | dot -Tsvg > payment.svg\n",
    compile};
