/* A comparison as `compare` shows it: differences as they are found, on stdout and in a file of
 * JSON lines, then the totals, the figures and what was left out. */
#ifndef BACKSTORY_CLI_COMPARISON_H
#define BACKSTORY_CLI_COMPARISON_H

#include "backstory/compare.h"

#include "cli.h"

typedef struct cli_comparison {
    cli_call *call;
    const bst_machine *machine;
    cli_progress progress;
    FILE *lines; /* every difference, a JSON object a line; NULL: no file */
    const char *lines_path;
    uint64_t found, limit; /* limit 0: none */
    uint32_t share;        /* of a sample; 0: all is compared */
} cli_comparison;

/* `share`: as in bst_key_part. `lines_path` NULL: no file. A file that is there is replaced;
 * only its owner may read it, for it holds values of the rows. */
bst_status cli_comparison_begin(cli_comparison *comparison, cli_call *call,
                                const bst_machine *machine, const char *lines_path, uint64_t limit,
                                uint32_t share);
/* For bst_compare_options; `context` is a cli_comparison. */
bst_status cli_comparison_difference(void *context, const bst_difference *difference);
void cli_comparison_notice(void *context, const char *text);
bst_status cli_comparison_progress(void *context, const bst_compare_figures *figures);
/* Closes the file and, when the comparison came to its end, prints `result`. Returns `status`, or
 * what went wrong with the file. */
bst_status cli_comparison_end(cli_comparison *comparison, bst_status status,
                              const bst_comparison *result);

/* A difference as a line of the file has it, and the figures of a whole comparison. */
json_t *cli_difference_as_json(const bst_machine *machine, const bst_difference *difference);
void cli_comparison_to_json(const bst_machine *machine, const bst_comparison *result,
                            json_t *object);
/* A field's name; BST_NONE: null. */
json_t *cli_field_as_json(const bst_machine *machine, uint32_t field);

#endif
