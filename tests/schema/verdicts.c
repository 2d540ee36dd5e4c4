/* What the program says of many files: one a line on standard input, "fsm" or "legacy", a space and
 * the file's JSON; a line with the codes of its errors on standard output for each. As `backstory
 * check`, without a process a file. Mappings find their machines in the working directory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/mapping.h"
#include "backstory/regions.h"

static bst_status look_at_machine(const char *text, bst_diags *diags) {
    bst_machine *machine = NULL;
    bst_status status = bst_regions_parse("candidate.fsm.json", text, strlen(text),
                                          BST_CONFIGURATIONS_MAX, &machine, diags);
    if (status == BST_OK)
        status = bst_machine_check(machine, diags);
    bst_machine_free(machine);
    return status;
}

static bst_status look_at_mapping(const char *text, bst_diags *diags) {
    bst_mapping *mapping = NULL;
    bst_status status =
        bst_mapping_parse("candidate.legacy.json", text, strlen(text), &mapping, diags);
    if (status == BST_OK)
        status = bst_mapping_check(mapping, diags);
    bst_mapping_free(mapping);
    return status;
}

/* Anything but a fine file or a file with findings ends the test. */
static bool look_at(const char *line) {
    bst_diags *diags = bst_diags_new();
    const bool is_machine = strncmp(line, "fsm ", 4) == 0;
    const char *const text = strchr(line, ' ') + 1;
    const bst_status status =
        is_machine ? look_at_machine(text, diags) : look_at_mapping(text, diags);

    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        if (diag->severity == BST_ERROR)
            printf("%s ", diag->code);
    }
    putchar('\n');
    bst_diags_free(diags);
    if (status == BST_OK || status == BST_INVALID)
        return true;
    fprintf(stderr, "%s: %s\n", bst_status_text(status), line);
    return false;
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    bool good = true;

    while (good && (len = getline(&line, &size, stdin)) > 0) {
        line[len - 1] = '\0';
        good = look_at(line);
    }
    free(line);
    return good ? 0 : 1;
}
