/* What a machine file says to its checker alone: "ignores" of a state, "warnings" of the machine.
 * Nothing that an entity does depends on either.
 */
#include <string.h>

#include "load_private.h"

/* The place of the item of a node's "ignores". */
static bst_loc item_where(bst__load *l, uint32_t node, size_t item) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__node_pointer(&l->m->table, node, &pointer);
    bst_json_pointer_add(&pointer, "ignores");
    bst_json_pointer_add_index(&pointer, item);
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

/* A command of "ignores": known, and not accepted in the same state. */
static uint32_t find_ignored(bst__load *l, uint32_t node, size_t item, const char *name) {
    const bst_machine *table = &l->m->table;
    const uint32_t command = bst_machine_command(table, name);
    if (command == BST_NONE) {
        const bst_loc where = item_where(l, node, item);
        const bst__names names = {table->commands, sizeof *table->commands};
        bst__error(l, &where, "unknown-command", "command \"%s\" is in no \"on\"", name);
        bst__did_you_mean(l, name, &names, table->command_count,
                          "Name a command that some state accepts.");
        return BST_NONE;
    }
    const bst__node_note *note = &l->node_notes[node];
    for (uint32_t i = note->first; i < note->first + note->command_count; i++) {
        if (l->written[i].command == command) {
            const bst_loc where = item_where(l, node, item);
            const bst_loc there = bst__written_where(table, i);
            bst__error(l, &where, "accepted-and-ignored",
                       "state \"%s\" accepts command \"%s\" and ignores it", l->nodes[node].path,
                       name);
            bst_diag_hint(l->diags, "Remove it from \"ignores\".");
            bst_diag_also(l->diags, &there, "it is accepted here");
            return BST_NONE;
        }
    }
    return command;
}

static bool read_ignores(bst__load *l, uint32_t number, const json_t *json) {
    bst_node *node = &l->nodes[number];
    const bool all = json_is_string(json) && strcmp(json_string_value(json), "*") == 0;
    bool good = all || json_is_array(json);
    uint32_t *ignores = bst_arena_array(l->arena, json_array_size(json), sizeof *ignores);
    if (!ignores) {
        return bst__nomem(l);
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        if (!json_is_string(item)) {
            good = false;
            continue;
        }
        const uint32_t command = find_ignored(l, number, i, json_string_value(item));
        if (command != BST_NONE) {
            ignores[node->ignore_count++] = command;
        }
    }
    if (!good) {
        bst_strbuf pointer = BST_STRBUF_INIT;
        bst__node_pointer(&l->m->table, number, &pointer);
        bst_json_pointer_add(&pointer, "ignores");
        const bst_loc where = bst_json_source_value(l->source, pointer.text);
        bst__error(l, &where, "wrong-type", "\"ignores\" must be an array of commands, or \"*\"");
        bst_strbuf_release(&pointer);
    }
    node->ignores_all = all;
    node->ignores = ignores;
    return true;
}

bool bst__load_ignores(bst__load *l) {
    for (uint32_t n = 1; n < l->node_count; n++) {
        const json_t *ignores = l->node_notes[n].ignores;
        if (ignores && !read_ignores(l, n, ignores)) {
            return false;
        }
    }
    return true;
}

static void read_level(bst__load *l, const bst__path *path, const char *name, const json_t *json,
                       bst_warnings *warnings) {
    const bst_warning warning = bst_warning_find(name, strlen(name));
    const char *text = bst__string(l, path, json);
    const bst_warning_level level = text ? bst_warning_level_of(text) : BST_LEVEL_ON;
    if (warning == BST_WARNING_COUNT) {
        const bst_loc where = bst__key_at(l, path);
        const char *near = bst_warning_nearest(name);
        bst__error(l, &where, "unknown-warning", "there is no warning \"%s\"", name);
        if (near) {
            bst_diag_hint(l->diags, "Did you mean \"%s\"?", near);
        } else {
            bst_diag_hint(l->diags, "`backstory check --list-warnings` names them all.");
        }
        return;
    }
    if (level == BST_LEVEL_UNSAID) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "bad-value", "a warning cannot be \"%s\"", text);
        bst_diag_hint(l->diags, "Write \"off\", \"warning\" or \"error\".");
    }
    warnings->level[warning] = (uint8_t)level;
}

bool bst__load_warnings(bst__load *l) {
    json_t *json = json_object_get(l->root, "warnings");
    const bst__path path = {NULL, "warnings", 0};
    const char *name;
    json_t *value;
    if (!json || !bst__is_object(l, &path, json)) {
        return true;
    }
    bst_warnings *warnings = bst_arena_alloc(l->arena, sizeof *warnings);
    if (!warnings) {
        return bst__nomem(l);
    }
    json_object_foreach (json, name, value) {
        const bst__path here = {&path, name, 0};
        read_level(l, &here, name, value, warnings);
    }
    l->m->table.warnings = warnings;
    return true;
}
