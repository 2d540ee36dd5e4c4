/* Walks through a machine as a script on stdin says, for agree.mjs to hold against XState:
 *
 *     walk MACHINE < script
 *
 * A line is `command number`; the number is the payload, and every event sets the field by it. `!`
 * begins a new entity. After each line the active leaves are printed, with "!" behind them at an
 * end. A machine that does not load prints the code of its first finding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/step.h"

static void print_configuration(const bst_machine *machine, uint32_t state) {
    for (uint32_t i = 0; i < machine->states[state].node_count; i++) {
        printf("%s%s", i ? " " : "", machine->nodes[machine->states[state].nodes[i]].path);
    }
    puts(machine->states[state].final ? " !" : "");
}

/* A refusal leaves everything as it is. */
static bool send(const bst_machine *machine, bst_entity *entity, const char *name, long number) {
    const uint32_t command = bst_machine_command(machine, name);
    const bst_value payload[1] = {{.present = true, .u = {.i = number}}};
    bst_value fields[1];
    bst_event event = {.fields = fields};
    if (command == BST_NONE ||
        bst_decide(machine, entity, command, payload, &event).verdict != BST_ACCEPTED) {
        return true;
    }
    return bst_apply(machine, entity, &event) == BST_APPLY_OK;
}

static bool walk(const bst_machine *machine) {
    bst_value field[1];
    bst_entity entity = {.fields = field};
    char line[200];
    bool ok = true;
    while (ok && fgets(line, sizeof line, stdin)) {
        char *number = strchr(line, ' ');
        if (*line == '!') {
            bst_entity_clear(machine, &entity);
            ok = send(machine, &entity, "create", 0);
        } else if (number) {
            *number = '\0';
            ok = send(machine, &entity, line, strtol(number + 1, NULL, 10));
        }
        print_configuration(machine, entity.state);
    }
    return ok;
}

int main(int argc, char **argv) {
    bst_machine *machine = NULL;
    bst_diags *diags = bst_diags_new();
    bool ok = argc == 2 && diags;
    if (ok && bst_machine_load(argv[1], &machine, diags) == BST_OK) {
        ok = walk(machine);
    } else if (ok) {
        printf("error %s %s\n", bst_diags_at(diags, 0)->code, bst_diags_at(diags, 0)->message);
    }
    bst_machine_free(machine);
    bst_diags_free(diags);
    return ok ? 0 : 1;
}
