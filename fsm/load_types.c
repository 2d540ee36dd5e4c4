/* Fields, events and commands as a machine file lists them, and those that it only implies: a
 * command is born where `on` first names it, an event where a transition without an `event`
 * needs one. What events do to the entity is compiled later (load_expressions.c), when it is
 * known which of them create one.
 */
#include <string.h>

#include "backstory/words.h"
#include "load_private.h"

/* Fields. */

static void bad_type(bst__load *l, const bst__path *path, const char *text, const char *reason) {
    const bst_loc where = bst__value_at(l, path);
    bst__error(l, &where, "bad-type", "type \"%s\" of a field: %s", text, reason);
    char base[BST_NAME_MAX + 1];
    size_t len = strcspn(text, "(? ");
    len = len < sizeof base ? len : sizeof base - 1;
    memcpy(base, text, len);
    base[len] = '\0';
    size_t count = 0;
    const char *const *kinds = bst_type_names(&count);
    const char *near = bst_nearest_name(base, kinds, count);
    if (!near) {
        bst_diag_hint(
            l->diags,
            "Types are bool, int2, int4, int8, decimal(p,s), text, varchar(n), char(n), uuid, "
            "date, timestamptz, bytea, json, enum(a,b); a \"?\" at the end makes it optional.");
    } else if (strcmp(near, base) != 0) {
        bst_diag_hint(l->diags, "Did you mean \"%s\"?", near);
    } else if (strchr(text, '(')) {
        bst_diag_hint(l->diags, "Write it as in decimal(12,2), varchar(40), char(3), enum(a,b).");
    }
}

static void read_type(bst__load *l, const bst__path *path, const json_t *json, bst_type *type) {
    const char *text = bst__string(l, path, json);
    const char *reason = NULL;
    *type = (bst_type){.kind = BST_KIND_COUNT};
    if (!text) {
        return;
    }
    bst_type read = {.kind = BST_KIND_COUNT};
    if (!bst_type_parse(text, l->arena, &read, &reason)) {
        bad_type(l, path, text, reason);
    } else if (read.kind == BST_KIND_DURATION) {
        bad_type(l, path, text, "a duration stands in expressions only");
    } else {
        *type = read;
    }
}

static const char *default_hint(bst_kind kind, bst_value_result result) {
    if (result == BST_VALUE_NULL) {
        return "Leave \"default\" out, or make the type optional with a \"?\".";
    }
    if (result == BST_VALUE_RANGE && kind == BST_KIND_ENUM) {
        return "Choose one of its members, or add this one.";
    }
    if (result == BST_VALUE_RANGE || result == BST_VALUE_INEXACT) {
        return "Choose a value that the type can hold, or a larger type.";
    }
    return "Write the value as this type has it in JSON; decimals and int8 as strings.";
}

static void read_default(bst__load *l, const bst__path *path, json_t *json, bst_field *field) {
    if (field->type.kind == BST_KIND_COUNT || (json_is_null(json) && field->type.optional)) {
        return;
    }
    const bst_value_result result =
        bst_value_from_json(&field->type, json, l->arena, &field->default_value);
    if (result == BST_VALUE_OK) {
        return;
    }
    if (result == BST_VALUE_NOMEM) {
        bst__nomem(l);
        return;
    }
    bst_strbuf type = BST_STRBUF_INIT;
    bst_type_format(&field->type, &type);
    const bst_loc where = bst__value_at(l, path);
    if (field->type.kind == BST_KIND_DECIMAL && json_is_real(json)) {
        bst__error(l, &where, "bad-default",
                   "default of field \"%s\" is a binary number, its type is %s", field->name,
                   type.text);
        bst_diag_hint(l->diags,
                      "Write the number as a string: a JSON number such as 0.10 is not exact.");
    } else {
        bst__error(l, &where, "bad-default", "default of field \"%s\" %s; its type is %s",
                   field->name, bst_value_result_text(result), type.text);
        bst_diag_hint(l->diags, "%s", default_hint(field->type.kind, result));
    }
    bst_strbuf_release(&type);
}

/* The default comes last: payloads have the others only. */
enum { FIELD_TYPE, FIELD_LABEL, FIELD_DESCRIPTION, FIELD_WAS, FIELD_DEFAULT, FIELD_KEYS };
static const char *const field_keys[FIELD_KEYS] = {
    [FIELD_TYPE] = "type", [FIELD_LABEL] = "label",     [FIELD_DESCRIPTION] = "description",
    [FIELD_WAS] = "was",   [FIELD_DEFAULT] = "default",
};

static void read_field_object(bst__load *l, const bst__path *path, int key_count, json_t *json,
                              bst_field *field) {
    const char *key;
    json_t *value;
    json_t *type = NULL;
    json_t *given_default = NULL;
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, field_keys, key_count)) {
        case FIELD_TYPE:
            type = value;
            break;
        case FIELD_LABEL:
            field->label = bst__string(l, &here, value);
            break;
        case FIELD_DESCRIPTION:
            field->description = bst__string(l, &here, value);
            break;
        case FIELD_WAS:
            field->was = bst__string(l, &here, value);
            break;
        case FIELD_DEFAULT:
            given_default = value;
            break;
        default:
            break;
        }
    }
    const bst__path type_path = {path, "type", 0};
    if (!type) {
        if (!bst_json_misspells(json, "type")) {
            const bst_loc where = bst__value_at(l, path);
            bst__error(l, &where, "missing-key", "field \"%s\" has no \"type\"", field->name);
            bst_diag_hint(l->diags, "Add one, such as \"type\": \"text\".");
        }
        return;
    }
    read_type(l, &type_path, type, &field->type);
    const bst__path default_path = {path, "default", 0};
    if (given_default) {
        read_default(l, &default_path, given_default, field);
    }
}

/* The object `json` at `path`: name -> type, or name -> { type, ... }. */
static bool read_fields(bst__load *l, const bst__path *path, int key_count, json_t *json,
                        const bst_field **ret_fields, uint32_t *ret_count) {
    *ret_fields = NULL;
    *ret_count = 0;
    if (!bst__is_object(l, path, json)) {
        return true;
    }
    const size_t count = json_object_size(json);
    if (count > BST_FIELDS_MAX) {
        const bst_loc where = bst__value_at(l, path);
        return bst__limit(l, &where, "fields", BST_FIELDS_MAX);
    }
    bst_field *fields = bst_arena_array(l->arena, count, sizeof *fields);
    if (!fields) {
        return bst__nomem(l);
    }
    bst_field *field = fields;
    const char *name;
    json_t *value;
    json_object_foreach (json, name, value) {
        const bst__path here = {path, name, 0};
        bst__good_field_name(l, &here, name);
        field->name = name;
        field->type.kind = BST_KIND_COUNT;
        if (json_is_object(value)) {
            read_field_object(l, &here, key_count, value, field);
        } else if (json_is_string(value)) {
            read_type(l, &here, value, &field->type);
        } else {
            bst__wrong_kind(l, &here, "a type or an object with one", value);
        }
        field++;
    }
    *ret_fields = fields;
    *ret_count = (uint32_t)count;
    return true;
}

bool bst__read_payload(bst__load *l, const bst__path *path, json_t *json,
                       const bst_field **ret_fields, uint32_t *ret_count) {
    return read_fields(l, path, FIELD_DEFAULT, json, ret_fields, ret_count);
}

bool bst__load_fields(bst__load *l) {
    bst_machine *table = &l->m->table;
    json_t *json = json_object_get(l->root, "fields");
    const bst__path path = {NULL, "fields", 0};
    if (json && !read_fields(l, &path, FIELD_KEYS, json, &table->fields, &table->field_count)) {
        return false;
    }
    bst_value *defaults = bst_arena_array(l->arena, table->field_count, sizeof *defaults);
    if (!defaults) {
        return bst__nomem(l);
    }
    l->m->defaults = defaults;
    for (uint32_t i = 0; i < table->field_count; i++) {
        defaults[i] = table->fields[i].default_value;
        if (!bst__index_add(&l->m->fields, l->arena,
                            bst__name_hash(l->m->seed, table->fields[i].name), i)) {
            return bst__nomem(l);
        }
    }
    const bst__names names = {table->fields, sizeof *table->fields};
    return bst__check_clashes(l, "field", &names, table->field_count, bst_machine_field_where);
}

/* Events. */

static bool add_event(bst__load *l, const char *name, uint32_t *ret_event) {
    bst_machine *table = &l->m->table;
    const uint32_t count = table->event_count;
    if (count == l->event_room) {
        const uint32_t room = bst__next_room(l->event_room);
        l->events = bst__longer(l, l->events, sizeof *l->events, count, room);
        l->event_notes = bst__longer(l, l->event_notes, sizeof *l->event_notes, count, room);
        if (!l->events || !l->event_notes) {
            return false;
        }
        l->event_room = room;
        table->events = l->events;
    }
    l->events[count] = (bst_event_type){.name = name, .version = 1};
    l->event_notes[count] = (bst__event_note){.fields_of = BST_NONE};
    table->event_count++;
    *ret_event = count;
    return bst__index_add(&l->m->events, l->arena, bst__name_hash(l->m->seed, name), count) ||
           bst__nomem(l);
}

enum {
    EVENT_FIELDS,
    EVENT_APPLY,
    EVENT_VERSION,
    EVENT_LABEL,
    EVENT_DESCRIPTION,
    EVENT_WAS,
    EVENT_UPCAST,
    EVENT_BUILTIN,
    EVENT_KEYS
};
static const char *const event_keys[EVENT_KEYS] = {
    [EVENT_FIELDS] = "fields",           [EVENT_APPLY] = "apply",
    [EVENT_VERSION] = "version",         [EVENT_LABEL] = "label",
    [EVENT_DESCRIPTION] = "description", [EVENT_WAS] = "was",
    [EVENT_UPCAST] = "upcast",           [EVENT_BUILTIN] = "builtin",
};

static void read_version(bst__load *l, const bst__path *path, const json_t *json,
                         bst_event_type *event) {
    const json_int_t version = json_integer_value(json);
    if (json_is_integer(json) && version >= 1 && version <= INT32_MAX) {
        event->version = (uint32_t)version;
        return;
    }
    const bst_loc where = bst__value_at(l, path);
    bst__error(l, &where, "wrong-type", "version of event \"%s\" must be a whole number from 1 on",
               event->name);
}

static bool read_event(bst__load *l, const bst__path *path, json_t *json, uint32_t number) {
    bst_event_type *event = &l->events[number];
    bst__event_note *note = &l->event_notes[number];
    const char *key;
    json_t *value;
    note->poisoned = !json_is_object(json);
    if (!bst__is_object(l, path, json)) {
        return true;
    }
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, event_keys, EVENT_KEYS)) {
        case EVENT_FIELDS:
            note->poisoned = !json_is_object(value);
            if (!bst__read_payload(l, &here, value, &event->fields, &event->field_count)) {
                return false;
            }
            break;
        case EVENT_APPLY:
            note->apply = bst__is_object(l, &here, value) ? value : NULL;
            break;
        case EVENT_VERSION:
            read_version(l, &here, value, event);
            break;
        case EVENT_UPCAST:
            note->upcast = bst__is_object(l, &here, value) ? value : NULL;
            break;
        case EVENT_BUILTIN:
            bst__read_builtin(l, &here, value, event);
            break;
        case EVENT_WAS:
            event->was = bst__string(l, &here, value);
            break;
        case EVENT_LABEL:
            event->label = bst__string(l, &here, value);
            break;
        case EVENT_DESCRIPTION:
            event->description = bst__string(l, &here, value);
            break;
        default:
            break;
        }
    }
    return true;
}

bool bst__load_events(bst__load *l) {
    json_t *list = json_object_get(l->root, "events");
    const bst__path path = {NULL, "events", 0};
    if (!list || !bst__is_object(l, &path, list)) {
        return true;
    }
    if (json_object_size(list) > BST_EVENTS_MAX) {
        const bst_loc where = bst__value_at(l, &path);
        return bst__limit(l, &where, "events", BST_EVENTS_MAX);
    }
    const char *name;
    json_t *value;
    json_object_foreach (list, name, value) {
        const bst__path here = {&path, name, 0};
        uint32_t event;
        bst__good_name(l, &here, true, "event", name);
        if (!add_event(l, name, &event)) {
            return false;
        }
        l->event_notes[event].listed = true;
        if (!read_event(l, &here, value, event)) {
            return false;
        }
    }
    return true;
}

bool bst__derive_event(bst__load *l, uint32_t command, uint32_t *ret_event) {
    bst__command_note *note = &l->command_notes[command];
    const bst_machine *table = &l->m->table;
    *ret_event = note->derived_event;
    if (note->poisoned || !table->id || note->derived_event != BST_NONE) {
        return true;
    }
    bst_strbuf text = BST_STRBUF_INIT;
    bst_event_name(table->id, l->commands[command].name, &text);
    const char *name = text.failed ? NULL : bst_arena_strndup(l->arena, text.text, text.len);
    bst_strbuf_release(&text);
    if (!name) {
        return bst__nomem(l);
    }
    uint32_t event = bst_machine_event(table, name);
    if (event == BST_NONE) {
        if (table->event_count >= BST_EVENTS_MAX) {
            return bst__limit(l, NULL, "events", BST_EVENTS_MAX);
        }
        if (!add_event(l, name, &event)) {
            return false;
        }
        l->events[event].derived = true;
    }
    if (l->events[event].derived && note->has_fields &&
        l->event_notes[event].fields_of == BST_NONE) {
        l->event_notes[event].fields_of = command;
        l->events[event].fields = l->commands[command].fields;
        l->events[event].field_count = l->commands[command].field_count;
    }
    note->derived_event = event;
    *ret_event = event;
    return true;
}

/* Commands. */

bool bst__intern_command(bst__load *l, const bst__path *path, bool key, const char *name,
                         uint32_t *ret_command) {
    bst_machine *table = &l->m->table;
    *ret_command = bst_machine_command(table, name);
    if (*ret_command != BST_NONE) {
        return true;
    }
    const uint32_t count = table->command_count;
    if (count >= BST_COMMANDS_MAX) {
        const bst_loc where = key ? bst__key_at(l, path) : bst__value_at(l, path);
        return bst__limit(l, &where, "commands", BST_COMMANDS_MAX);
    }
    if (count == l->command_room) {
        const uint32_t room = bst__next_room(l->command_room);
        l->commands = bst__longer(l, l->commands, sizeof *l->commands, count, room);
        l->command_notes = bst__longer(l, l->command_notes, sizeof *l->command_notes, count, room);
        if (!l->commands || !l->command_notes) {
            return false;
        }
        l->command_room = room;
        table->commands = l->commands;
    }
    l->commands[count] = (bst_command){.name = name};
    l->command_notes[count] = (bst__command_note){
        .derived_event = BST_NONE, .first_emission = BST_NONE, .last_emission = BST_NONE};
    l->command_notes[count].poisoned = !bst__good_name(l, path, key, "command", name);
    table->command_count++;
    *ret_command = count;
    return bst__index_add(&l->m->commands, l->arena, bst__name_hash(l->m->seed, name), count) ||
           bst__nomem(l);
}

enum { COMMAND_FIELDS, COMMAND_LABEL, COMMAND_DESCRIPTION, COMMAND_KEYS };
static const char *const command_keys[COMMAND_KEYS] = {
    [COMMAND_FIELDS] = "fields",
    [COMMAND_LABEL] = "label",
    [COMMAND_DESCRIPTION] = "description",
};

static bool read_command(bst__load *l, const bst__path *path, json_t *json, uint32_t number) {
    bst_command *command = &l->commands[number];
    const char *key;
    json_t *value;
    if (!bst__is_object(l, path, json)) {
        return true;
    }
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, command_keys, COMMAND_KEYS)) {
        case COMMAND_FIELDS:
            l->command_notes[number].has_fields = true;
            if (!json_is_object(value)) {
                l->command_notes[number].poisoned = true;
            }
            if (!bst__read_payload(l, &here, value, &command->fields, &command->field_count)) {
                return false;
            }
            break;
        case COMMAND_LABEL:
            command->label = bst__string(l, &here, value);
            break;
        case COMMAND_DESCRIPTION:
            command->description = bst__string(l, &here, value);
            break;
        default:
            break;
        }
    }
    return true;
}

bool bst__load_commands(bst__load *l) {
    json_t *list = json_object_get(l->root, "commands");
    const bst__path path = {NULL, "commands", 0};
    if (!list || !bst__is_object(l, &path, list)) {
        return true;
    }
    const char *name;
    json_t *value;
    json_object_foreach (list, name, value) {
        const bst__path here = {&path, name, 0};
        uint32_t command;
        if (!bst__intern_command(l, &here, true, name, &command)) {
            return false;
        }
        l->command_notes[command].listed = true;
        if (!read_command(l, &here, value, command)) {
            return false;
        }
    }
    return true;
}
