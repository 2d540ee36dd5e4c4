/* check --matrix: what each state does with each command. */
#include <stdlib.h>

#include "backstory/check.h"
#include "backstory/regions.h"

#include "cli.h"

/* A machine, and which of its commands only create: these are no concern of its states. */
typedef struct matrix {
    const bst_machine *machine;
    bool *creating;
} matrix;

/* Whether a row has a place for the command. A table of one region says nothing of what others
 * handle. */
static bool has_place(const matrix *of, uint32_t state, uint32_t command, bst_handling handling) {
    return handling != BST_HANDLING_NONE ||
           (state != BST_NONE && !of->creating[command] && !bst_machine_regions(of->machine));
}

/* The commands of one state, by what it does with them. */
static json_t *row_json(const matrix *of, uint32_t state) {
    const bst_machine *machine = of->machine;
    json_t *row = json_object();
    if (state != BST_NONE)
        json_object_set_new(row, "state", json_string(machine->states[state].name));
    for (int handling = BST_HANDLING_ACCEPTED; handling >= BST_HANDLING_NONE; handling--) {
        json_t *names = json_array();
        for (uint32_t k = 0; k < machine->command_count; k++) {
            if (bst_machine_handling(machine, state, k) == (bst_handling)handling &&
                has_place(of, state, k, (bst_handling)handling))
                json_array_append_new(names, json_string(machine->commands[k].name));
        }
        json_object_set_new(row, bst_handling_text((bst_handling)handling), names);
    }
    return row;
}

static void print_json(const cli_call *call, const matrix *of) {
    const bst_machine *machine = of->machine;
    bst_strbuf findings = BST_STRBUF_INIT;
    json_t *rows = json_array();

    for (uint32_t s = 0; s < machine->state_count; s++)
        json_array_append_new(rows, row_json(of, s));
    bst_diags_format_json(call->diags, &findings);
    json_t *root = json_pack("{s:s, s:o, s:o}", "machine", machine->id, "creation",
                             row_json(of, BST_NONE), "states", rows);
    json_t *diagnostics = json_loadb(findings.text, findings.len, 0, NULL);
    json_object_update_new(root, diagnostics);
    cli_print_json(root, JSON_COMPACT, stdout);
    putchar('\n');
    json_decref(root);
    bst_strbuf_release(&findings);
    bst_diags_clear(call->diags);
}

/* A command a line: states have longer names than marks, and there are more of them. */
static void print_row(const matrix *of, uint32_t state, cli_table *table) {
    const bst_machine *machine = of->machine;
    bst_strbuf text[BST_HANDLING_ACCEPTED + 1];
    const char *cells[BST_HANDLING_ACCEPTED + 2];

    for (int h = 0; h <= BST_HANDLING_ACCEPTED; h++)
        bst_strbuf_init(&text[h]);
    for (uint32_t k = 0; k < machine->command_count; k++) {
        const bst_handling handling = bst_machine_handling(machine, state, k);
        bst_strbuf *to = &text[handling];
        if (has_place(of, state, k, handling))
            bst_strbuf_addf(to, "%s%s", to->len ? " " : "", machine->commands[k].name);
    }
    cells[0] = state == BST_NONE ? "(creation)" : machine->states[state].name;
    for (int h = 0; h <= BST_HANDLING_ACCEPTED; h++) {
        cells[1 + BST_HANDLING_ACCEPTED - h] = text[h].len ? text[h].text : "-";
    }
    cli_table_add(table, cells);
    for (int h = 0; h <= BST_HANDLING_ACCEPTED; h++)
        bst_strbuf_release(&text[h]);
}

static void print_table(const matrix *of) {
    cli_table *table = cli_table_new("lllll");
    cli_table_add(table,
                  (const char *const[]){"state", "accepted", "guarded", "ignored", "unhandled"});
    print_row(of, BST_NONE, table);
    for (uint32_t s = 0; s < of->machine->state_count; s++)
        print_row(of, s, table);
    cli_table_print(table, stdout);
    cli_table_free(table);
}

bst_status cli_print_matrix(const cli_call *call, const bst_machine *machine) {
    const matrix of = {machine, calloc(machine->command_count + 1, sizeof(bool))};
    if (!of.creating)
        return bst_diag_nomem(call->diags);
    bst_machine_creating(machine, of.creating);
    if (call->json)
        print_json(call, &of);
    else
        print_table(&of);
    free(of.creating);
    return BST_OK;
}
