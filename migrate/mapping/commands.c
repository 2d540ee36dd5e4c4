/* "commands": which function of the legacy database carries out a command. For
 * `backstory replay-commands`, which gives both sides the same commands.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char entity_argument[] = "entity";
static const char field_prefix[] = "command.";

static uint32_t *room_for(bst__map *map, size_t count) {
    uint32_t *made = bst_arena_array(map->arena, count, sizeof *made);
    if (!made)
        bst__map_nomem(map);
    return made;
}

/* Unless the file says otherwise: the entity, then the fields of the command in their order. */
static void usual_arguments(bst__map *map, const bst_command *command, bst_legacy_command *ret) {
    uint32_t *const made = room_for(map, command->field_count + 1);
    for (uint32_t i = 0; made && i <= command->field_count; i++)
        made[i] = i == 0 ? BST_NONE : i - 1;
    ret->argument_count = made ? command->field_count + 1 : 0;
    ret->arguments = made;
}

static uint32_t read_argument(bst__map *map, const bst_command *command, const char *text,
                              const bst__map_path *path) {
    const size_t prefix = sizeof field_prefix - 1;
    const bool is_field = strncmp(text, field_prefix, prefix) == 0;
    const uint32_t field = is_field ? bst_command_field(command, text + prefix) : BST_NONE;
    if (strcmp(text, entity_argument) == 0 || field != BST_NONE)
        return field;
    const bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "unknown-field",
                   "argument \"%s\" is neither \"entity\" nor a field of command \"%s\"", text,
                   command->name);
    bst__map_did_you_mean(map, is_field ? text + prefix : text, command->fields,
                          sizeof *command->fields, command->field_count,
                          "Fields are written with their prefix: \"command.amount\".");
    return BST_NONE;
}

static void read_arguments(bst__map *map, const json_t *json, const bst__map_path *path,
                           const bst_command *command, bst_legacy_command *ret) {
    uint32_t *const made = room_for(map, json_array_size(json));
    for (size_t i = 0; made && i < json_array_size(json); i++) {
        const bst__map_path here = {path, NULL, i};
        const json_t *const item = json_array_get(json, i);
        if (bst__map_is(map, item, &here, JSON_STRING))
            made[i] = read_argument(map, command, json_string_value(item), &here);
    }
    ret->argument_count = (uint32_t)json_array_size(json);
    ret->arguments = made;
}

static void read_function(bst__map *map, const json_t *json, const bst__map_path *path,
                          bst_legacy_command *ret) {
    ret->function = json_string_value(json);
    if (*ret->function)
        return;
    const bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "empty-name", "the name of a function is empty");
}

static void read_command(bst__map *map, const json_t *json, const bst__map_path *path,
                         const bst_command *command, bst_legacy_command *ret) {
    static const char *const keys[] = {"function", "arguments", "description"};
    if (json_is_string(json)) {
        read_function(map, json, path, ret);
        usual_arguments(map, command, ret);
        return;
    }
    if (!bst__map_is(map, json, path, JSON_OBJECT))
        return;
    bst__map_keys(map, json, path, keys, COUNT(keys));
    const json_t *const function = bst__map_need(map, json, path, "function", JSON_STRING);
    const bst__map_path function_at = {path, "function", 0};
    const bst__map_path arguments_at = {path, "arguments", 0};
    if (function)
        read_function(map, function, &function_at, ret);
    const json_t *const arguments = bst__map_get(map, json, path, "arguments", JSON_ARRAY);
    if (arguments)
        read_arguments(map, arguments, &arguments_at, command, ret);
    else
        usual_arguments(map, command, ret);
}

void bst__map_commands(bst__map *map, const json_t *root) {
    const json_t *const json = bst__map_get(map, root, NULL, "commands", JSON_OBJECT);
    const bst__map_path path = {NULL, "commands", 0};
    const bst_machine *const machine = map->machine;
    if (!json || !machine)
        return;
    bst_legacy_command *const made =
        bst_arena_array(map->arena, machine->command_count, sizeof *made);
    if (!made) {
        bst__map_nomem(map);
        return;
    }
    const char *name;
    json_t *item;
    json_object_foreach ((json_t *)(uintptr_t)json, name, item) {
        const bst__map_path here = {&path, name, 0};
        const uint32_t command = bst_machine_command(machine, name);
        if (command != BST_NONE) {
            read_command(map, item, &here, &machine->commands[command], &made[command]);
            continue;
        }
        const bst_loc where = bst__map_key_at(map, &here);
        bst__map_error(map, &where, "unknown-command", "command \"%s\" is not in the machine",
                       name);
        bst__map_did_you_mean(map, name, machine->commands, sizeof *machine->commands,
                              machine->command_count, "Name a command of the machine.");
    }
    map->mapping->commands = made;
}
