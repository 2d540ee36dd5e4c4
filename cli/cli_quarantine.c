/* backstory quarantine: the rows that were put aside: list them, look at one, try them again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"
#include "backstory/mapping.h"
#include "backstory/run.h"

#include "chunks.h"
#include "figures.h"
#include "files_apart.h"
#include "proof.h"
#include "watch.h"

#define LINE_BYTES_MAX (256u << 20)

typedef struct arguments {
    char *from, *to, *code, *machine, *quarantine, *manifest;
    long limit;
    int verify;
} arguments;

/* One pass over rows that were put aside. */
typedef struct pass {
    cli_call *call;
    const arguments *given;
    const char *key; /* NULL: all */
    json_t *counts;  /* by code */
    json_t *rows;    /* as many as are shown */
    uint64_t found;
} pass;

static bool is_wanted(const pass *p, const json_t *row) {
    const char *code = json_string_value(json_object_get(row, "code"));
    const char *key = json_string_value(json_object_get(row, "key"));

    return code && (!p->given->code || strcmp(code, p->given->code) == 0) &&
           (!p->key || (key && strcmp(key, p->key) == 0));
}

static void count_code(const pass *p, const char *code) {
    const json_int_t before = json_integer_value(json_object_get(p->counts, code));
    json_object_set_new(p->counts, code, json_integer(before + 1));
}

/* Takes `row`. */
static void take(pass *p, json_t *row) {
    if (is_wanted(p, row)) {
        p->found++;
        count_code(p, json_string_value(json_object_get(row, "code")));
        if (p->given->limit == 0 || p->found <= (uint64_t)p->given->limit)
            json_array_append(p->rows, row);
    }
    json_decref(row);
}

static bst_status on_aside(void *context, const bst_aside *aside) {
    pass *p = context;
    json_t *row = json_loadb(aside->line, aside->line_len, JSON_ALLOW_NUL, NULL);

    if (!row)
        return bst_diag_add(p->call->diags, BST_DATABASE, BST_ERROR, "quarantine-file", NULL,
                            "a quarantined row of the store is not JSON");
    json_object_set_new(row, "machine", json_string(aside->machine));
    take(p, row);
    return BST_OK;
}

static bst_status bad_file(const pass *p, uint32_t line, const char *what) {
    const bst_loc where = {p->given->from, line, 0};
    return bst_diag_add(p->call->diags, BST_IO, BST_ERROR, "quarantine-file", &where, "%s", what);
}

static bst_status read_file(pass *p) {
    FILE *file = fopen(p->given->from, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    uint32_t line = 0;
    bst_status status = BST_OK;

    if (!file)
        return bad_file(p, 0, strerror(errno));
    while (status == BST_OK && (len = getline(&text, &size, file)) >= 0) {
        line++;
        json_t *row = len < (ssize_t)LINE_BYTES_MAX
                          ? json_loadb(text, (size_t)len, JSON_ALLOW_NUL, NULL)
                          : NULL;
        if (json_is_object(row))
            take(p, row);
        else
            status = bad_file(p, line, "this line is no quarantined row");
    }
    free(text);
    fclose(file);
    return status;
}

static bst_status read_all(pass *p) {
    if (!bst_is_connection_string(p->given->from))
        return read_file(p);
#if BACKSTORY_POSTGRES
    const arguments *given = p->given;
    const bst_status status =
        bst_store_aside(given->from, given->machine, p->key, NULL, on_aside, p, p->call->diags);
    return status == BST_OK ? bst_follow_aside(given->from, given->machine, p->key, NULL, on_aside,
                                               p, p->call->diags)
                            : status;
#else
    (void)on_aside;
    return cli_usage(p->call, "this program was built without PostgreSQL");
#endif
}

/* ---- list and show */

static const char *text_of(const json_t *row, const char *name) {
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

static void print_list(const pass *p) {
    cli_table *counts = cli_table_new("rl");
    const char *code;
    json_t *value;
    size_t i;

    json_object_foreach (p->counts, code, value) {
        const cli_text number = cli_number((uint64_t)json_integer_value(value));
        cli_table_add(counts, (const char *[]){number.text, code});
    }
    cli_table_print(counts, stdout);
    cli_table_free(counts);
    if (p->found > 0)
        putchar('\n');
    json_array_foreach (p->rows, i, value) {
        const char *key = json_string_value(json_object_get(value, "key"));
        cli_printf("%s  %s: %s\n", key ? key : "(no key)", text_of(value, "code"),
                   text_of(value, "reason"));
    }
    if (p->found > json_array_size(p->rows))
        cli_printf("... and %s more; --limit 0 lists all\n",
                   cli_number(p->found - json_array_size(p->rows)).text);
    if (p->found == 0 && !p->call->quiet)
        puts("no row is put aside");
}

static void print_values(const char *title, const json_t *object) {
    const char *name;
    json_t *value;

    if (json_object_size(object) == 0)
        return;
    cli_printf("  %s\n", title);
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        const char *text = json_string_value(value);
        cli_printf("    %s: %s\n", name, text ? text : "null");
    }
}

static void print_row(const json_t *row) {
    cli_printf("%s  %s\n  %s\n", text_of(row, "key"), text_of(row, "code"), text_of(row, "reason"));
    if (*text_of(row, "repair"))
        cli_printf("  %s\n", text_of(row, "repair"));
    print_values("what clashes", json_object_get(row, "evidence"));
    print_values("the row", json_object_get(row, "row"));
}

static void print_json(const pass *p) {
    json_t *all = json_pack("{s:I, s:O, s:O}", "count", (json_int_t)p->found, "by_code", p->counts,
                            "rows", p->rows);
    cli_print_json(all, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(all);
}

static bst_status list_or_show(cli_call *call, const arguments *given, const char *key) {
    pass p = {
        .call = call, .given = given, .key = key, .counts = json_object(), .rows = json_array()};
    bst_status status = read_all(&p);
    size_t i;
    json_t *row;

    if (status == BST_OK && call->json) {
        print_json(&p);
    } else if (status == BST_OK && key) {
        json_array_foreach (p.rows, i, row)
            print_row(row);
    } else if (status == BST_OK) {
        print_list(&p);
    }
    if (status == BST_OK && key && p.found == 0)
        status = bst_diag_add(call->diags, BST_INVALID, BST_ERROR, "no-row", NULL,
                              "no row with key \"%s\" is put aside here", key);
    json_decref(p.counts);
    json_decref(p.rows);
    return status;
}

/* ---- retry */

static void print_result(const cli_call *call, const bst_run_figures *figures,
                         const cli_proof *proof) {
    if (call->json) {
        json_t *root = json_object();
        cli_figures_to_json(figures, root);
        cli_chunks_to_json(figures, root);
        if (proof)
            cli_proof_to_json(proof, root);
        cli_print_json(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6), stdout);
        putchar('\n');
        json_decref(root);
    } else if (!call->quiet) {
        cli_figures_print(figures);
        if (proof)
            cli_proof_print(proof);
    }
}

/* `proof` NULL: none was asked for. */
static bst_status run_watched(cli_call *call, const bst_mapping *mapping, bst_run_options *run,
                              cli_watch *watch, cli_proof *proof) {
    bst_synth *synth = NULL;
    bst_run_figures figures = {0};
    bst_status status = bst_synth_new(mapping, &synth, call->diags);

    if (status == BST_OK)
        status = bst_migrate(mapping, synth, run, &figures, call->diags);
    cli_watch_end(watch);
    /* With a number it is there, and the proof was ended or failed. */
    if ((status == BST_DATABASE || status == BST_CONFLICT) && figures.run_id == 0)
        bst_diag_add(call->diags, BST_OK, BST_NOTE, "retry-undone", NULL,
                     "nothing was changed: the same command begins anew");
    if (status == BST_OK) {
        print_result(call, &figures, proof);
        if (proof)
            status = cli_proof_end(proof, &figures);
    }
    bst_synth_free(synth);
    return status;
}

static bst_status run_again(cli_call *call, const bst_mapping *mapping, const arguments *given) {
    const bool prove = given->verify || given->manifest;
    cli_proof proof = {0};
    cli_watch watch;
    bst_run_options run = {.from = given->from,
                           .to = given->to,
                           .quarantine_path = given->quarantine,
                           .only_aside = true,
                           .tool_version = BACKSTORY_VERSION,
                           .on_progress = cli_watch_progress,
                           .context = &watch};
    bst_status status = cli_watch_begin(&watch, call, "retry", NULL, NULL);

    if (status == BST_OK && prove)
        status = cli_proof_begin(&proof, &watch, mapping, &run, given->manifest);
    if (status == BST_OK)
        status = run_watched(call, mapping, &run, &watch, prove ? &proof : NULL);
    cli_proof_release(&proof);
    return status;
}

/* Nothing that is read is written over. */
static bst_status check_files(cli_call *call, const arguments *given, const bst_mapping *mapping) {
    const cli_named_file files[] = {{"the learned file", mapping->learned_file, false},
                                    {"--quarantine", given->quarantine, true},
                                    {"--manifest", given->manifest, true}};
    return cli_mapping_apart(call, mapping, given->from, files, sizeof files / sizeof files[0]);
}

static bst_status retry(cli_call *call, const arguments *given, const char *path) {
    bst_mapping *mapping = NULL;

    if (!given->to)
        return cli_usage(call, "--to is missing: the store that has the quarantine");
    if (!bst_is_connection_string(given->to)) {
        bst_status status = cli_usage(call, "only a store in PostgreSQL can be added to");
        bst_diag_hint(
            call->diags,
            "A file of events is written whole: give backstory migrate the mended mapping.");
        return status;
    }
    bst_status status = cli_load_mapping(call, path, &mapping);
    if (status == BST_OK)
        status = check_files(call, given, mapping);
    if (status == BST_OK)
        status = run_again(call, mapping, given);
    bst_mapping_free(mapping);
    return status;
}

static bst_status dispatch(cli_call *call, const arguments *given) {
    const char *action = call->argument[0];
    const char *what = call->argument[1];

    if (!given->from)
        return cli_usage(call, "--from is missing");
    if (given->limit < 0)
        return cli_usage(call, "--limit is 0 or more");
    if (strcmp(action, "retry") != 0 && (given->verify || given->manifest || given->to))
        return cli_usage(call, "--to, --verify and --manifest are for quarantine retry");
    if (strcmp(action, "list") == 0 && !what)
        return list_or_show(call, given, NULL);
    if (strcmp(action, "show") == 0 && what)
        return list_or_show(call, given, what);
    if (strcmp(action, "retry") == 0 && what)
        return retry(call, given, what);
    return cli_usage(call,
                     "it is quarantine list, quarantine show KEY or quarantine retry MAPPING");
}

static int quarantine(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    arguments given = {.limit = 1000};
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &given.from, 0,
         "list, show: the store, or a file of quarantined rows; retry: the legacy rows", "WHERE"},
        {"to", 0, POPT_ARG_STRING, &given.to, 0, "retry: the store", "STORE"},
        {"machine", 0, POPT_ARG_STRING, &given.machine, 0, "only rows of this machine", "ID"},
        {"code", 0, POPT_ARG_STRING, &given.code, 0, "only rows put aside for this reason", "CODE"},
        {"limit", 0, POPT_ARG_LONG, &given.limit, 0,
         "list at most this many rows; 0 is no limit (default: 1000)", "N"},
        {"quarantine", 0, POPT_ARG_STRING, &given.quarantine, 0,
         "retry: file for the rows that still have no possible history (default: none)", "FILE"},
        {"verify", 0, POPT_ARG_NONE, &given.verify, 0,
         "retry: fold every history of the store afterwards and hold it against its row", NULL},
        {"manifest", 0, POPT_ARG_STRING, &given.manifest, 0,
         "retry: verify, and write down what was done, as migrate does", "FILE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 2, argc, argv, &exit_status))
        return exit_status;
    const bst_status status = dispatch(&call, &given);
    free(given.from);
    free(given.to);
    free(given.code);
    free(given.machine);
    free(given.quarantine);
    free(given.manifest);
    return cli_end(&call, status);
}

const cli_command cli_quarantine = {
    .name = "quarantine",
    .arguments = "list | show KEY | retry MAPPING",
    .summary = "the rows that have no possible history: list them, look at one, try them again",
    .examples =
        "  backstory quarantine list --from postgresql:///events --code contradiction\n"
        "  backstory quarantine show 3005 --from payment.quarantine.jsonl\n"
        "  backstory quarantine retry payment.legacy.json --from dbname=shop --to dbname=events\n",
    .run = quarantine,
};
