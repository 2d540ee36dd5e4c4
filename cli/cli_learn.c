/* backstory learn: how probable each step and each history is, from a log or from the rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/learn.h"
#include "backstory/mapping.h"

#include "files_apart.h"

static void print_tries(const bst_learn_figures *f, FILE *out) {
    for (uint32_t i = 0; i < f->tried_count; i++) {
        const bst_learn_try *const tried = &f->tried[i];
        cli_fprintf(out, "  %+8.4f  +-%.4f  ", tried->gain, tried->error);
        if (tried->kind == BST_TRY_SPANS)
            cli_fprintf(out, "how long it took (%s)", bst_span_of_text(tried->span));
        else if (tried->kind == BST_TRY_LOOPS)
            cli_fprintf(out, "steps that lead back cost more");
        else
            cli_fprintf(out, "steps depend on %u states", tried->states);
        cli_fprintf(out, tried->kept ? ": kept\n" : ": does not pay\n");
    }
}

/* What the log lacked, and what was not learned from for it. */
static void print_log(const bst_learn_figures *f, FILE *out) {
    if (f->by_log)
        cli_fprintf(out, "%s histories in the log, %s different; %s entities left out\n",
                    cli_number(f->histories).text, cli_number(f->different).text,
                    cli_number(f->left_out).text);
    else if (f->logged > 0)
        cli_fprintf(out, "nothing of the log could be used: all of its %s entities left out\n",
                    cli_number(f->logged).text);
    for (bst_learn_left left = BST_LEFT_UNKNOWN; left < BST_LEFT_NONE; left++) {
        if (f->left[left] > 0)
            cli_fprintf(out, "  %s left out: %s\n", cli_number(f->left[left]).text,
                        bst_learn_left_text(left));
    }
    if (f->created > 0)
        cli_fprintf(out, "  %s without their creation in the log: it was supplied\n",
                    cli_number(f->created).text);
    if (f->unmoved > 0)
        cli_fprintf(out, "  %s without any row in the log: created, and not moved since\n",
                    cli_number(f->unmoved).text);
    if (f->filled > 0)
        cli_fprintf(out, "  %s without some steps in the log: the only way was supplied\n",
                    cli_number(f->filled).text);
}

static void print_figures(const cli_call *call, const bst_learn_figures *f, FILE *out) {
    if (call->json || call->quiet)
        return;
    cli_fprintf(out, "%s rows, %s kinds of evidence\n", cli_number(f->rows).text,
                cli_number(f->signatures).text);
    print_log(f, out);
    if (!f->by_log) {
        fputs(f->has_log ? "estimated from the evidence of all rows\n"
                         : "no log: estimated from the evidence of all rows\n",
              out);
        if (f->tested > 0)
            cli_fprintf(out,
                        "held out: %s rows; mean log likelihood of their evidence\n"
                        "  %8.4f  as learned\n  %8.4f  nothing learned\n",
                        cli_number(f->tested).text, f->fit, f->fit_plain);
        return;
    }
    if (f->tested == 0)
        return;
    cli_fprintf(out, "held out: %s histories with a choice; mean log likelihood of the true one\n",
                cli_number(f->tested).text);
    print_tries(f, out);
    cli_fprintf(out, "  %8.4f  as learned\n  %8.4f  single steps alone\n  %8.4f  nothing learned\n",
                f->fit, f->fit_steps, f->fit_plain);
}

static bst_status write_file(cli_call *call, const char *path, const bst_strbuf *text) {
    const bool to_stdout = strcmp(path, "-") == 0;
    FILE *const file = to_stdout ? stdout : fopen(path, "w");
    bool good = file && fwrite(text->text, 1, text->len, file) == text->len;
    if (file && !to_stdout && fclose(file) != 0)
        good = false;
    if (good)
        return BST_OK;
    return bst_diag_add(call->diags, BST_IO, BST_ERROR, "io", NULL, "could not write \"%s\": %s",
                        path, strerror(errno));
}

/* What was learned before may be learned anew. */
static bst_status check_files(cli_call *call, const bst_mapping *mapping, const char *from,
                              const char *output) {
    const cli_named_file files[] = {{"--output", output, true}};
    return cli_mapping_apart(call, mapping, from, files, sizeof files / sizeof files[0]);
}

static int learn(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_mapping *mapping = NULL;
    bst_learn_figures figures = {0};
    bst_strbuf text = BST_STRBUF_INIT;
    char *from = NULL;
    char *output = NULL;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "the legacy rows, and the log beside them: a connection string, a .csv file, or a folder",
         "SOURCE"},
        {"output", 'o', POPT_ARG_STRING, &output, 0, "the file to write; - is stdout", "FILE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status = from && output
                            ? BST_OK
                            : cli_usage(&call, from ? "--output is missing" : "--from is missing");
    if (status == BST_OK)
        status = cli_load_mapping(&call, call.argument[0], &mapping);
    if (status == BST_OK)
        status = check_files(&call, mapping, from, output);
    if (status == BST_OK)
        status = bst_learn(mapping, from, &text, &figures, call.diags);
    if (status == BST_OK)
        status = write_file(&call, output, &text);
    if (status == BST_OK)
        print_figures(&call, &figures, strcmp(output, "-") == 0 ? stderr : stdout);
    bst_strbuf_release(&text);
    bst_mapping_free(mapping);
    free(from);
    free(output);
    return cli_end(&call, status);
}

const cli_command cli_learn = {
    .name = "learn",
    .arguments = "MAPPING",
    .summary = "learn from a log, or from all rows, how probable each history is",
    .examples =
        "  backstory learn payment.legacy.json --from postgresql:///shop -o payment.learned.json\n"
        "  backstory learn payment.legacy.json --from exports -o -\n",
    .run = learn,
};
