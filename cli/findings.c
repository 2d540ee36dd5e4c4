/* What is said of a call: its findings, its mistakes, and how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int cli_end(cli_call *call, bst_status status) {
    const bool lost = status == BST_NOMEM || bst_diags_dropped(call->diags) > 0;
    if (lost && bst_diags_count(call->diags) == 0)
        cli_out_of_memory();
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
    if (text.failed)
        cli_out_of_memory();
    fwrite(text.text, 1, text.len, out);
    bst_strbuf_release(&text);
    bst_diags_clear(call->diags);
}
