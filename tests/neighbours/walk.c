/* Walks through a machine as a script on stdin says, for other tools to be held against:
 *
 *     walk MACHINE FORMAT EXPORT AGAIN < script
 *
 * A line is `command number`; the number is the payload, and every event sets the field by it. `!`
 * begins a new entity. After each line the active leaves are printed, with "!" behind them at an
 * end. The machine is written to EXPORT in the other tool's format; what comes out when that is
 * imported and exported again, to AGAIN. A machine that does not load prints the code of its first
 * finding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/emit.h"
#include "backstory/import.h"
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

static bool write_file(const char *path, const bst_strbuf *text) {
    FILE *file = fopen(path, "wb");
    const bool ok = file && fwrite(text->text, 1, text->len, file) == text->len;
    return file && fclose(file) == 0 && ok;
}

static bool export(const bst_machine *machine, const char *format, const char *path,
                   bst_strbuf *ret_text, bst_diags *diags) {
    bst_emit_files files;
    bst_emit_files_init(&files);
    bool ok = bst_emit(machine, format, NULL, &files, diags) == BST_OK;
    if (ok) {
        bst_strbuf_add(ret_text, files.file[0].text.text, files.file[0].text.len);
        ok = write_file(path, ret_text);
    }
    bst_emit_files_release(&files);
    return ok;
}

static bool export_twice(const bst_machine *machine, char **args, bst_diags *diags) {
    const char *format = args[0];
    bst_strbuf there = BST_STRBUF_INIT, back = BST_STRBUF_INIT, again = BST_STRBUF_INIT;
    bst_machine *other = NULL;
    const bool ok =
        export(machine, format, args[1], &there, diags) &&
        bst_import("export", there.text, there.len, BST_IMPORT_ANY, &back, diags) == BST_OK &&
        bst_machine_parse("import", back.text, back.len, &other, diags) == BST_OK &&
        export(other, format, args[2], &again, diags);
    bst_machine_free(other);
    bst_strbuf_release(&there);
    bst_strbuf_release(&back);
    bst_strbuf_release(&again);
    return ok;
}

int main(int argc, char **argv) {
    bst_machine *machine = NULL;
    bst_diags *diags = bst_diags_new();
    bool ok = argc == 5 && diags;
    if (ok && bst_machine_load(argv[1], &machine, diags) == BST_OK) {
        ok = export_twice(machine, argv + 2, diags) && walk(machine);
        for (size_t i = 0; !ok && i < bst_diags_count(diags); i++) {
            fprintf(stderr, "%s\n", bst_diags_at(diags, i)->message);
        }
    } else if (ok) {
        printf("error %s %s\n", bst_diags_at(diags, 0)->code, bst_diags_at(diags, 0)->message);
    }
    bst_machine_free(machine);
    bst_diags_free(diags);
    return ok ? 0 : 1;
}
