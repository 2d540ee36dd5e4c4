/* backstory import: a machine of another tool in; a machine file of ours out. */
#include <stdlib.h>
#include <string.h>

#include "backstory/import.h"
#include "backstory/json_source.h"

#include "files_apart.h"

static bst_status find_format(cli_call *call, const char *name, bst_import_from *ret) {
    *ret = BST_IMPORT_ANY;
    if (!name)
        return BST_OK;
    *ret = strcmp(name, "scxml") == 0 ? BST_IMPORT_SCXML : BST_IMPORT_XSTATE;
    if (*ret == BST_IMPORT_XSTATE && strcmp(name, "xstate") != 0)
        return cli_usage(call, "--from is \"scxml\" or \"xstate\", not \"%s\"", name);
    return BST_OK;
}

static bst_status write_file(cli_call *call, const char *path, const bst_strbuf *text) {
    FILE *file = fopen(path, "w");
    bool ok = file && fwrite(text->text, 1, text->len, file) == text->len;
    ok = (!file || fclose(file) == 0) && ok;
    if (!ok)
        return bst_diag_add(call->diags, BST_IO, BST_ERROR, "io", NULL, "could not write \"%s\"",
                            path);
    return BST_OK;
}

static int import(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *path = NULL;
    char *format = NULL;
    char *text = NULL;
    size_t len = 0;
    bst_import_from from;
    bst_strbuf out = BST_STRBUF_INIT;
    int exit_status;
    struct poptOption options[] = {{"from", 0, POPT_ARG_STRING, &format, 0,
                                    "scxml or xstate (default: as the file looks)", "FORMAT"},
                                   {"output", 'o', POPT_ARG_STRING, &path, 0,
                                    "machine file to write (default: -, which is stdout)", "FILE"},
                                   POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    const cli_named_file files[] = {{"FILE", call.argument[0], false}, {"--output", path, true}};
    bst_status status = find_format(&call, format, &from);
    if (status == BST_OK)
        status = cli_files_apart(&call, files, 2);
    if (status == BST_OK)
        status = bst_file_read(call.argument[0], BST_IMPORT_BYTES_MAX, &text, &len, call.diags);
    if (status == BST_OK)
        status = bst_import(call.argument[0], text, len, from, &out, call.diags);
    bst_diags_sort(call.diags);
    if (status == BST_OK && path && strcmp(path, "-") != 0)
        status = write_file(&call, path, &out);
    else if (status == BST_OK)
        fwrite(out.text, 1, out.len, stdout);
    bst_strbuf_release(&out);
    free(text);
    free(path);
    free(format);
    return cli_end(&call, status);
}

const cli_command cli_import = {
    .name = "import",
    .arguments = "FILE",
    .summary = "a machine of another tool (SCXML, XState) as a machine file",
    .examples = "  backstory import door.scxml -o door.fsm.json\n"
                "  backstory import machine.json --from xstate -o machine.fsm.json\n",
    .run = import,
};
