/* Prints the history that each row of a table gets, with how sure it is, one line a row:
 *
 *     key TAB confidence TAB certain TAB state=confidence TAB state=confidence ...
 *
 * or, for a row without one, key TAB the reason. What bench/support/histories.py scores.
 */
#include <stdio.h>

#include "backstory/run.h"

static void print_history(const bst_machine *machine, const bst_history *history) {
    const bst_plan *const plan = history->plan;
    printf("%.*s\t%.9g\t%d", (int)history->key_len, history->key, plan->confidence, plan->certain);
    for (uint32_t i = 0; i < plan->event_count; i++)
        printf("\t%s=%.9g", machine->states[plan->events[i].state].name,
               plan->events[i].confidence);
    putchar('\n');
}

static bst_status print_rows(const bst_mapping *mapping, bst_source *source, bst_synth *synth,
                             bst_diags *diags) {
    const bst_row *row = NULL;
    bst_status status;
    while ((status = bst_source_next(source, &row, diags)) == BST_OK && row) {
        bst_fate fate = BST_OUT_OF_SCOPE;
        bst_history history;
        const bst_refusal *refusal = NULL;
        status = bst_synth_row(synth, row, &fate, &history, &refusal, diags);
        if (status != BST_OK)
            return status;
        if (fate == BST_MIGRATED)
            print_history(mapping->machine, &history);
        else if (fate == BST_QUARANTINED)
            printf("%.*s\t%s\n", (int)row->key_len, row->key, bst_reason_text(refusal->reason));
    }
    return status;
}

int main(int argc, char **argv) {
    bst_diags *const diags = bst_diags_new();
    bst_mapping *mapping = NULL;
    bst_source *source = NULL;
    bst_synth *synth = NULL;
    bst_status status = BST_INVALID;
    if (argc != 3) {
        fprintf(stderr, "usage: tool_histories MAPPING SOURCE\n");
        return 2;
    }
    status = bst_mapping_load(argv[1], &mapping, diags);
    if (status == BST_OK)
        status = bst_source_open(argv[2], &mapping->source, &source, diags);
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, diags);
    if (status == BST_OK)
        status = print_rows(mapping, source, synth, diags);
    for (size_t i = 0; status != BST_OK && i < bst_diags_count(diags); i++)
        fprintf(stderr, "%s\n", bst_diags_at(diags, i)->message);
    bst_synth_free(synth);
    bst_source_free(source);
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    return status == BST_OK ? 0 : 3;
}
