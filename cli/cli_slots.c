/* backstory slots: what the old system keeps for those who follow it. */
#include <stdlib.h>
#include <string.h>

#include "backstory/follow.h"

#include "cli.h"

typedef struct listing {
    cli_table *table;
    json_t *list;
    uint64_t count;
} listing;

static cli_text place(uint64_t lsn) {
    cli_text text;
    snprintf(text.text, sizeof text.text, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(uint32_t)lsn);
    return text;
}

static bst_status on_slot(void *context, const bst_slot *slot) {
    listing *const l = context;
    const cli_text mib = cli_number((slot->retained_bytes + (1u << 20) - 1) >> 20);
    const cli_text confirmed = place(slot->confirmed);

    l->count++;
    cli_table_add(l->table,
                  (const char *[]){slot->name, slot->active ? "followed" : "idle", confirmed.text,
                                   mib.text, slot->wal_status, slot->published ? "yes" : "no"});
    json_array_append_new(
        l->list, json_pack("{s:s, s:s, s:b, s:b, s:s, s:I, s:s}", "name", slot->name, "plugin",
                           slot->plugin, "active", slot->active, "published", slot->published,
                           "confirmed", confirmed.text, "retained_bytes",
                           (json_int_t)slot->retained_bytes, "wal_status", slot->wal_status));
    return BST_OK;
}

static bst_status list_slots(cli_call *call, const char *from) {
    listing l = {.table = cli_table_new("lllrll"), .list = json_array()};

    cli_table_add(l.table,
                  (const char *[]){"slot", "", "done up to", "keeps MiB", "log", "publication"});
    const bst_status status = bst_slots_list(from, on_slot, &l, call->diags);
    if (status == BST_OK && call->json) {
        cli_print_json(l.list, JSON_INDENT(2), stdout);
        putchar('\n');
    } else if (status == BST_OK && l.count > 0) {
        cli_table_print(l.table, stdout);
    } else if (status == BST_OK && !call->quiet) {
        puts("there is no slot in this database");
    }
    cli_table_free(l.table);
    json_decref(l.list);
    return status;
}

static bst_status drop_slot(cli_call *call, const char *from, const char *name) {
    if (!name)
        return cli_usage(call, "which slot is to be dropped?");
    const bst_status status = bst_slots_drop(from, name, call->diags);
    if (status == BST_OK && !call->quiet && !call->json)
        cli_printf("dropped %s and its publication\n", name);
    return status;
}

static int slots(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0, "the old system: a connection string", "SOURCE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 2, argc, argv, &exit_status))
        return exit_status;
    const char *const what = call.argument[0];
    bst_status status;
    if (!from)
        status = cli_usage(&call, "--from is missing");
    else if (strcmp(what, "list") == 0 && call.count == 1)
        status = list_slots(&call, from);
    else if (strcmp(what, "drop") == 0)
        status = drop_slot(&call, from, call.count > 1 ? call.argument[1] : NULL);
    else
        status = cli_usage(
            &call, "slots are to be listed (list) or dropped (drop NAME), not \"%s\"", what);
    free(from);
    return cli_end(&call, status);
}

const cli_command cli_slots = {
    .name = "slots",
    .arguments = "list|drop [NAME]",
    .summary = "the replication slots of the old system, and what they keep",
    .examples = "  backstory slots list --from postgresql:///shop\n"
                "  backstory slots drop backstory_payment --from postgresql:///shop\n",
    .run = slots,
};
