/* The files that a command line names: machines and mappings, and one that is given for the other.
 *
 * A mapping read as a machine is a list of errors that all say something else. So a file that fails
 * to load is looked at again, and where it plainly is of the other kind that alone is said.
 */
#include <stdlib.h>
#include <string.h>

#include "backstory/mapping.h"
#include "backstory/regions.h"

#include "cli.h"

typedef enum kind { KIND_UNKNOWN, KIND_MACHINE, KIND_MAPPING } kind;

static json_t *read_json(const cli_call *call, const char *path) {
    char *text = NULL;
    size_t len = 0;

    if (strcmp(path, "-") == 0)
        return call->stdin_text ? json_loadb(call->stdin_text, call->stdin_len, 0, NULL) : NULL;
    if (bst_file_read(path, BST_SPEC_BYTES_MAX, &text, &len, NULL) != BST_OK)
        return NULL;
    json_t *json = json_loadb(text, len, 0, NULL);
    free(text);
    return json;
}

static kind kind_of(const json_t *json) {
    const bool maps = json_is_string(json_object_get(json, "machine")) &&
                      json_is_object(json_object_get(json, "source"));
    const bool has_states = json_is_object(json_object_get(json, "states"));

    return maps == has_states ? KIND_UNKNOWN : maps ? KIND_MAPPING : KIND_MACHINE;
}

/* The machine's file, which a mapping names from where it stands itself. */
static void add_machine(const char *mapping_path, const json_t *mapping, bst_strbuf *out) {
    const char *name = json_string_value(json_object_get(mapping, "machine"));
    const char *slash = strrchr(mapping_path, '/');

    if (*name != '/' && slash)
        bst_strbuf_add(out, mapping_path, (size_t)(slash - mapping_path) + 1);
    bst_strbuf_adds(out, name);
}

static bst_status is_mapping(cli_call *call, const char *path, const json_t *json) {
    const cli_command *const command = call->command;
    bst_strbuf machine = BST_STRBUF_INIT;

    add_machine(path, json, &machine);
    const bst_status status =
        cli_usage(call, "\"%s\" is a mapping, and this takes a machine", path);
    if (strcmp(command->arguments, "MACHINE [MAPPING]") == 0)
        bst_diag_hint(call->diags, "The mapping comes second: backstory %s %s %s", command->name,
                      machine.text, path);
    else if (strcmp(command->arguments, "MACHINE|MAPPING KEY") == 0)
        bst_diag_hint(call->diags,
                      "A store is read with the machine, %s; the legacy rows with the mapping and "
                      "--why.",
                      machine.text);
    else
        bst_diag_hint(call->diags, "It is a mapping of the machine %s.", machine.text);
    bst_strbuf_release(&machine);
    return status;
}

static bst_status is_machine(cli_call *call, const char *path) {
    const bst_status status =
        cli_usage(call, "\"%s\" is a machine, and this takes a mapping", path);
    bst_diag_hint(call->diags, "A mapping says where a legacy table keeps what the machine speaks "
                               "of; backstory init drafts one.");
    return status;
}

/* `status` is that of a file that was to be of kind `wanted`. */
static bst_status explain(cli_call *call, const char *path, kind wanted, bst_status status) {
    if (status != BST_INVALID)
        return status;
    json_t *json = read_json(call, path);
    const kind found = kind_of(json);

    if (found != KIND_UNKNOWN && found != wanted) {
        bst_diags_clear(call->diags);
        status = found == KIND_MAPPING ? is_mapping(call, path, json) : is_machine(call, path);
    }
    json_decref(json);
    return status;
}

static bst_status read_stdin(cli_call *call) {
    return bst_file_read("-", BST_SPEC_BYTES_MAX, &call->stdin_text, &call->stdin_len, call->diags);
}

static bst_status load_machine(cli_call *call, const char *path, bst_machine **ret) {
    if (strcmp(path, "-") != 0)
        return bst_machine_load(path, ret, call->diags);
    const bst_status status = read_stdin(call);
    return status == BST_OK
               ? bst_machine_parse("-", call->stdin_text, call->stdin_len, ret, call->diags)
               : status;
}

static bst_status load_regions(cli_call *call, const char *path, bst_machine **ret) {
    if (strcmp(path, "-") != 0)
        return bst_regions_load(path, BST_CONFIGURATIONS_MAX, ret, call->diags);
    const bst_status status = read_stdin(call);
    return status == BST_OK ? bst_regions_parse("-", call->stdin_text, call->stdin_len,
                                                BST_CONFIGURATIONS_MAX, ret, call->diags)
                            : status;
}

bst_status cli_load_machine(cli_call *call, const char *path, bst_machine **ret) {
    return explain(call, path, KIND_MACHINE, load_machine(call, path, ret));
}

bst_status cli_load_regions(cli_call *call, const char *path, bst_machine **ret) {
    return explain(call, path, KIND_MACHINE, load_regions(call, path, ret));
}

bst_status cli_load_mapping(cli_call *call, const char *path, bst_mapping **ret) {
    return explain(call, path, KIND_MAPPING, bst_mapping_load(path, ret, call->diags));
}
