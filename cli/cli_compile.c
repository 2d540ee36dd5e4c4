/* backstory compile: one machine file in; C, diagrams and more out. */
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/emit.h"

#include "cli.h"
#include "files_apart.h"
#include "legacy_table.h"
#include "weights.h"

#define EMITTERS_MAX 32

static void print_emitters(void) {
    size_t count;
    const bst_emitter *all = bst_emitters(&count);
    puts("\nEmitters:");
    for (size_t i = 0; i < count; i++)
        cli_printf("  %-12s %s\n", all[i].name, all[i].summary);
}

/* For --list-emitters: also the names of the files, behind the machine's id. */
static void list_emitters(const cli_call *call) {
    size_t count;
    const bst_emitter *all = bst_emitters(&count);
    json_t *list = json_array();
    cli_table *table = cli_table_new("lll");
    for (size_t i = 0; i < count; i++) {
        json_t *suffixes = json_array();
        bst_strbuf text = BST_STRBUF_INIT;
        for (size_t f = 0; all[i].suffixes[f]; f++) {
            json_array_append_new(suffixes, json_string(all[i].suffixes[f]));
            bst_strbuf_addf(&text, "%s*%s", f ? " " : "", all[i].suffixes[f]);
        }
        cli_table_add(table, (const char *const[]){all[i].name, text.text, all[i].summary});
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", all[i].name, "summary",
                                              all[i].summary, "suffixes", suffixes));
        bst_strbuf_release(&text);
    }
    json_t *root = json_pack("{s:o}", "emitters", list);
    if (call->json) {
        cli_print_json(root, JSON_COMPACT, stdout);
        putchar('\n');
    } else {
        cli_table_print(table, stdout);
    }
    json_decref(root);
    cli_table_free(table);
}

static bst_status unknown_emitter(cli_call *call, const char *name) {
    size_t count;
    const bst_emitter *all = bst_emitters(&count);
    const char *names[EMITTERS_MAX];
    bst_strbuf known = BST_STRBUF_INIT;

    for (size_t i = 0; i < count && i < EMITTERS_MAX; i++) {
        names[i] = all[i].name;
        bst_strbuf_addf(&known, "%s%s", i ? ", " : "", all[i].name);
    }
    const char *nearest =
        bst_nearest_name(name, names, count < EMITTERS_MAX ? count : EMITTERS_MAX);
    const bst_status status =
        cli_usage(call, "--emit does not know \"%s\"; it knows %s", name, known.text);
    if (nearest)
        bst_diag_hint(call->diags, "Did you mean \"%s\"?", nearest);
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

/* One emitter can go to stdout. */
static bst_status emit_to_stdout(cli_call *call, const bst_machine *machine, const char *name,
                                 const bst_emit_options *with) {
    bst_emit_files files;
    bst_emit_files_init(&files);
    bst_status status = bst_emit(machine, name, with, &files, call->diags);
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
        cli_print_json(root, JSON_COMPACT, stdout);
        putchar('\n');
        json_decref(root);
    } else if (!call->quiet) {
        for (size_t i = 0; i < outputs->count; i++)
            cli_printf("%s%s\n", outputs->output[i].path,
                       outputs->output[i].changed ? "" : " (unchanged)");
    }
}

typedef struct compile_options {
    char *folder, *list, *depfile, *prefix, *direction, *weights, *mapping;
    int list_emitters;
} compile_options;

static void free_options(compile_options *with) {
    free(with->folder);
    free(with->list);
    free(with->depfile);
    free(with->prefix);
    free(with->direction);
    free(with->weights);
    free(with->mapping);
}

static bst_status check_direction(cli_call *call, const char *direction) {
    static const char *const known[] = {"LR", "TB", "RL", "BT"};
    for (size_t i = 0; direction && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(direction, known[i]) == 0)
            return BST_OK;
    }
    return direction ? cli_usage(call, "--direction is LR, TB, RL or BT, not \"%s\"", direction)
                     : BST_OK;
}

static bst_status check_prefix(cli_call *call, const char *prefix) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    const bool fine =
        !prefix || (*prefix && strlen(prefix) <= BST_NAME_MAX &&
                    !(*prefix >= '0' && *prefix <= '9') && prefix[strspn(prefix, letters)] == '\0');
    return fine ? BST_OK
                : cli_usage(call, "--prefix takes letters, digits and _, not \"%s\"", prefix);
}

/* The mapping reads the machine file that it names, which must be this one. */
static bst_status load_mapping(cli_call *call, const bst_machine *machine, const char *path,
                               bst_mapping **ret) {
    const bst_status status = cli_load_mapping(call, path, ret);
    if (status != BST_OK || strcmp((*ret)->machine->sha256, machine->sha256) == 0)
        return status;
    const bst_loc where = {path, 0, 0};
    bst_diag_add(call->diags, BST_INVALID, BST_ERROR, "other-machine", &where,
                 "the mapping is one of another machine file, %s", (*ret)->machine->file);
    bst_diag_hint(call->diags, "Compile the machine that the mapping names.");
    return BST_INVALID;
}

static bool is_again(const char *const *names, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (strcmp(names[i], names[at]) == 0)
            return true;
    }
    return false;
}

/* Adds the files of an emitter; their paths live in `arena`. False: no memory. */
static bool add_outputs(const bst_machine *machine, const char *folder, const char *name,
                        bst_arena *arena, cli_named_file *files, size_t *count) {
    const char *const *suffixes = bst_emitter_find(name)->suffixes;
    bst_strbuf path = BST_STRBUF_INIT;
    bool good = true;

    for (size_t i = 0; good && suffixes[i]; i++) {
        bst_strbuf_clear(&path);
        bst_strbuf_addf(&path, "%s/%s%s", folder, machine->id, suffixes[i]);
        const char *kept = path.failed ? NULL : bst_arena_strndup(arena, path.text, path.len);
        files[(*count)++] = (cli_named_file){"a file of --emit", kept, true};
        good = kept != NULL;
    }
    bst_strbuf_release(&path);
    return good;
}

static bst_status check_files(cli_call *call, const bst_machine *machine,
                              const compile_options *with, const char *const *names,
                              size_t name_count) {
    const bool to_stdout = with->folder && strcmp(with->folder, "-") == 0;
    bst_arena *arena = bst_arena_new();
    cli_named_file *files =
        bst_arena_array(arena, 4 + name_count * BST_EMIT_FILES_MAX, sizeof *files);
    size_t count = 4;
    bool good = files != NULL;

    if (good) {
        files[0] = (cli_named_file){"MACHINE", call->argument[0], false};
        files[1] = (cli_named_file){"--mapping", with->mapping, false};
        files[2] = (cli_named_file){"--weights", with->weights, false};
        files[3] = (cli_named_file){"--depfile", with->depfile, true};
    }
    for (size_t i = 0; good && i < name_count && !to_stdout; i++)
        good = is_again(names, i) || add_outputs(machine, with->folder ? with->folder : ".",
                                                 names[i], arena, files, &count);
    const bst_status status =
        good ? cli_files_apart(call, files, count) : bst_diag_nomem(call->diags);
    bst_arena_free(arena);
    return status;
}

/* Everything is checked before anything is written. */
static bst_status emit_all(cli_call *call, const bst_machine *machine, const compile_options *with,
                           const char *const *names, size_t name_count) {
    bst_emit_options options = {.prefix = with->prefix, .direction = with->direction};
    const bool to_stdout = with->folder && strcmp(with->folder, "-") == 0;
    bst_emit_outputs outputs = {0};
    uint64_t *weights = NULL;
    bst_mapping *mapping = NULL;
    bst_arena *arena = bst_arena_new();
    bst_status status = arena ? BST_OK : bst_diag_nomem(call->diags);
    if (status == BST_OK && to_stdout && name_count > 1)
        status = cli_usage(call, "-o - takes one emitter");
    if (status == BST_OK && with->mapping)
        status = load_mapping(call, machine, with->mapping, &mapping);
    if (mapping && status == BST_OK) {
        options.legacy = cli_legacy_table(mapping, arena);
        status = options.legacy ? BST_OK : bst_diag_nomem(call->diags);
    }
    if (status == BST_OK && with->weights)
        status = cli_count_transitions(machine, with->weights, &weights, call->diags);
    options.weights = weights;
    if (status == BST_OK && to_stdout)
        status = emit_to_stdout(call, machine, names[0], &options);
    else if (status == BST_OK)
        status = bst_emit_write(with->folder ? with->folder : ".", machine, names, name_count,
                                &options, with->depfile, &outputs, call->diags);
    if (status == BST_OK && !to_stdout)
        print_outputs(call, &outputs);
    bst_emit_outputs_release(&outputs);
    bst_mapping_free(mapping);
    bst_arena_free(arena);
    free(weights);
    return status;
}

static bst_status run(cli_call *call, compile_options *with) {
    const char *names[EMITTERS_MAX];
    size_t name_count = 0;
    bst_machine *machine = NULL;
    if (call->count == 0)
        return cli_usage(call, "%s is missing", call->command->arguments);
    if (!with->list)
        with->list = strdup("c");
    bst_status status = with->list ? split_names(call, with->list, names, &name_count)
                                   : bst_diag_nomem(call->diags);
    if (status == BST_OK)
        status = check_direction(call, with->direction);
    if (status == BST_OK)
        status = check_prefix(call, with->prefix);
    if (status == BST_OK)
        status = cli_load_regions(call, call->argument[0], &machine);
    if (status == BST_OK)
        status = cli_judge(call, bst_machine_check(machine, call->diags));
    if (status == BST_OK)
        status = check_files(call, machine, with, names, name_count);
    if (status == BST_OK)
        status = emit_all(call, machine, with, names, name_count);
    bst_diags_sort(call->diags);
    bst_machine_free(machine);
    return status;
}

static int compile(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    compile_options with = {0};
    int exit_status;
    struct poptOption options[] = {
        {"output", 'o', POPT_ARG_STRING, &with.folder, 0,
         "folder to write to, made when missing; - is stdout (default: .)", "DIR"},
        {"emit", 0, POPT_ARG_STRING, &with.list, 0,
         "what to write, separated by commas (default: c); see below", "LIST"},
        {"prefix", 0, POPT_ARG_STRING, &with.prefix, 0,
         "what generated names begin with, SQL's schema (default: the machine's id)", "NAME"},
        {"direction", 0, POPT_ARG_STRING, &with.direction, 0,
         "where diagrams go: LR (default), TB, RL or BT", "WAY"},
        {"mapping", 0, POPT_ARG_STRING, &with.mapping, 0,
         "SQL: also a view in the shape of the legacy table that this mapping reads", "MAPPING"},
        {"weights", 0, POPT_ARG_STRING, &with.weights, 0,
         "count how often each transition was taken, and show it in diagrams: a connection string "
         "or a .jsonl file",
         "STORE"},
        {"depfile", 0, POPT_ARG_STRING, &with.depfile, 0,
         "also write a dependency file for Ninja or Make", "FILE"},
        {"list-emitters", 0, POPT_ARG_NONE, &with.list_emitters, 0,
         "list what --emit knows, with the files that it writes", NULL},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 0, 1, argc, argv, &exit_status)) {
        free_options(&with);
        return exit_status;
    }
    bst_status status = BST_OK;
    if (with.list_emitters)
        list_emitters(&call);
    else
        status = run(&call, &with);
    free_options(&with);
    return cli_end(&call, status);
}

const cli_command cli_compile = {
    .name = "compile",
    .arguments = "MACHINE",
    .summary = "write C, diagrams and more from a machine",
    .examples =
        "  backstory compile payment.fsm.json -o src\n"
        "  backstory compile payment.fsm.json -o docs --emit mermaid,dot\n"
        "  backstory compile payment.fsm.json -o api --emit jsonschema,asyncapi\n"
        "  backstory compile payment.fsm.json -o sql --emit sql --mapping payment.legacy.json\n"
        "  backstory compile payment.fsm.json -o docs --emit svg --weights payments.jsonl\n",
    .run = compile,
    .warns = true,
    .more_help = print_emitters,
};
