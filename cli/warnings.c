/* Warnings on the command line. popt has no word for -Wname: such arguments are taken out before it
 * sees the rest.
 */
#include <string.h>

#include "backstory/check.h"

#include "cli.h"

static bst_status unknown_warning(cli_call *call, const char *name) {
    const char *nearest = bst_warning_nearest(name);
    const bst_status status = cli_usage(call, "there is no warning \"%s\"", name);
    if (nearest)
        bst_diag_hint(call->diags, "Did you mean \"%s\"?", nearest);
    else
        bst_diag_hint(call->diags, "`backstory check --list-warnings` names them all.");
    return status;
}

bst_status cli_take_warnings(cli_call *call, const char **arguments, int *count) {
    bst_status status = BST_OK;
    int kept = 0;
    bool options = true;

    for (int i = 0; i < *count; i++) {
        const char *name;
        options = options && strcmp(arguments[i], "--") != 0;
        if (!options || strncmp(arguments[i], "-W", 2) != 0)
            arguments[kept++] = arguments[i];
        else if (status == BST_OK && !bst_warnings_option(&call->warnings, arguments[i], &name))
            status = unknown_warning(call, name);
    }
    *count = kept;
    bst_diags_set_warnings(call->diags, &call->warnings);
    return status;
}

void cli_warnings_are_errors(cli_call *call) {
    call->warnings.all_errors = true;
    bst_diags_set_warnings(call->diags, &call->warnings);
}

bst_status cli_judge(const cli_call *call, bst_status status) {
    return status == BST_OK && bst_diags_count_of(call->diags, BST_ERROR) > 0 ? BST_INVALID
                                                                              : status;
}

static const char *level_text(bst_warning warning) {
    return bst_warning_default(warning) == BST_LEVEL_OFF ? "off" : "on";
}

void cli_list_warnings(const cli_call *call) {
    if (call->json) {
        json_t *list = json_array();
        for (int i = 0; i < BST_WARNING_COUNT; i++)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name",
                                                  bst_warning_name((bst_warning)i), "default",
                                                  level_text((bst_warning)i), "summary",
                                                  bst_warning_summary((bst_warning)i)));
        json_t *root = json_pack("{s:o}", "warnings", list);
        cli_print_json(root, JSON_COMPACT, stdout);
        putchar('\n');
        json_decref(root);
        return;
    }
    cli_table *table = cli_table_new("lll");
    for (int i = 0; i < BST_WARNING_COUNT; i++)
        cli_table_add(table, (const char *const[]){bst_warning_name((bst_warning)i),
                                                   level_text((bst_warning)i),
                                                   bst_warning_summary((bst_warning)i)});
    cli_table_print(table, stdout);
    cli_table_free(table);
}
