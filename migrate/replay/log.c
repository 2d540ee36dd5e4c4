/* The log of commands: JSON lines, checked before anything is done with them. */
#include "replay_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct entity {
    const char *key;
    uint32_t number;
    bool lost;
    UT_hash_handle hh;
} entity;

typedef struct reader {
    const char *path;
    const bst_mapping *mapping;
    bst_arena *arena;
    bst_diags *diags;
    uint32_t line;
    bst__replay_step *steps;
    size_t count, room;
    entity *entities;
    const char **keys;
    uint32_t entity_count, key_room;
} reader;

BST_PRINTF(3, 4)
static bst_status wrong(reader *r, const char *code, const char *format, ...) {
    const bst_loc where = {r->path, r->line, 0};
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return bst_diag_add(r->diags, BST_INVALID, BST_ERROR, code, &where, "%s", text);
}

/* Doubles the room when it is used up. */
static bool grow(void **array, size_t count, size_t *room, size_t size) {
    if (count < *room)
        return true;
    const size_t larger = *room ? *room * 2 : 256;
    void *const made = realloc(*array, larger * size);
    if (!made)
        return false;
    *array = made;
    *room = larger;
    return true;
}

static bst_status number_entity(reader *r, const char *key, uint32_t *ret) {
    entity *found = NULL;
    HASH_FIND_STR(r->entities, key, found);
    if (found) {
        *ret = found->number;
        return BST_OK;
    }
    size_t room = r->key_room;
    if (!grow((void **)&r->keys, r->entity_count, &room, sizeof *r->keys))
        return bst_diag_nomem(r->diags);
    r->key_room = (uint32_t)room;
    found = bst_arena_alloc(r->arena, sizeof *found);
    char *const copy = bst_arena_strdup(r->arena, key);
    if (!found || !copy)
        return bst_diag_nomem(r->diags);
    found->key = copy;
    found->number = r->entity_count;
    HASH_ADD_KEYPTR(hh, r->entities, found->key, strlen(copy), found);
    if (found->lost)
        return bst_diag_nomem(r->diags);
    *ret = r->entity_count;
    r->keys[r->entity_count++] = copy;
    return BST_OK;
}

/* A payload field. Text must outlive the line. */
static bst_status read_value(reader *r, const bst_field *field, const json_t *json,
                             bst_value *ret) {
    bst_value value = BST_ABSENT;
    if (json_is_null(json)) {
        *ret = BST_ABSENT;
        return BST_OK;
    }
    const bst_value_result result = bst_value_from_json(&field->type, json, r->arena, &value);
    if (result == BST_VALUE_NOMEM)
        return bst_diag_nomem(r->diags);
    if (result != BST_VALUE_OK) {
        const bst_status status =
            wrong(r, "bad-payload", "field \"%s\" of the command", field->name);
        bst_diag_detail(r->diags, "It %s.", bst_value_result_text(result));
        return status;
    }
    return bst_value_copy(&field->type, &value, r->arena, ret) ? BST_OK : bst_diag_nomem(r->diags);
}

static bst_status read_payload(reader *r, const bst_command *command, const json_t *data,
                               bst__replay_step *step) {
    bst_value *const payload = bst_arena_array(r->arena, command->field_count, sizeof *payload);
    bst_status status = BST_OK;
    const char *name;
    json_t *item;
    if (!payload)
        return bst_diag_nomem(r->diags);
    step->payload = payload;
    if (data && !json_is_object(data))
        return wrong(r, "not-a-command", "\"data\" is not an object");
    json_object_foreach ((json_t *)(uintptr_t)data, name, item) {
        const uint32_t field = bst_command_field(command, name);
        const bst_status one =
            field == BST_NONE ? wrong(r, "unknown-field", "the command has no field \"%s\"", name)
                              : read_value(r, &command->fields[field], item, &payload[field]);
        status = status == BST_OK ? one : status;
    }
    return status;
}

static bst_status read_command(reader *r, const json_t *line, bst__replay_step *step) {
    const bst_machine *const machine = r->mapping->machine;
    const char *const name = json_string_value(json_object_get(line, "command"));
    if (!name)
        return wrong(r, "not-a-command", "the line has no text \"command\"");
    step->command = bst_machine_command(machine, name);
    if (step->command == BST_NONE)
        return wrong(r, "unknown-command", "command \"%s\" is not in the machine", name);
    if (!r->mapping->commands || !r->mapping->commands[step->command].function) {
        const bst_status status =
            wrong(r, "no-function", "nothing carries out command \"%s\" on the old side", name);
        bst_diag_hint(
            r->diags,
            "Name a function in the mapping: \"commands\": { \"%s\": \"schema.function\" }.", name);
        return status;
    }
    return read_payload(r, &machine->commands[step->command], json_object_get(line, "data"), step);
}

static bst_status read_line(reader *r, const json_t *line) {
    static const char *const keys[] = {"id", "at", "entity", "command", "data", "meta"};
    bst__replay_step step = {.line = r->line};
    const char *name;
    json_t *item;
    json_object_foreach ((json_t *)(uintptr_t)line, name, item) {
        bool known = false;
        for (size_t i = 0; i < COUNT(keys); i++)
            known = known || strcmp(keys[i], name) == 0;
        if (!known)
            return wrong(r, "unknown-key", "key \"%s\" is not known here", name);
    }
    const char *const key = json_string_value(json_object_get(line, "entity"));
    if (!key || key[0] == '\0')
        return wrong(r, "not-a-command", "the line has no text \"entity\"");
    bst_status status = number_entity(r, key, &step.entity);
    if (status == BST_OK)
        status = read_command(r, line, &step);
    if (status == BST_OK && !grow((void **)&r->steps, r->count, &r->room, sizeof *r->steps))
        status = bst_diag_nomem(r->diags);
    if (status == BST_OK)
        r->steps[r->count++] = step;
    return status;
}

static bst_status take_text(reader *r, const char *text, size_t len) {
    const bst_loc where = {r->path, r->line, 0};
    json_error_t error;
    if (len >= BST_REPLAY_LINE_MAX)
        return bst_diag_add(r->diags, BST_LIMIT, BST_ERROR, "line-too-long", &where,
                            "the line has more than %u bytes", BST_REPLAY_LINE_MAX);
    if (r->count == BST_REPLAY_STEPS_MAX)
        return bst_diag_add(r->diags, BST_LIMIT, BST_ERROR, "too-many", &where,
                            "the log has more than %u commands", BST_REPLAY_STEPS_MAX);
    if (strspn(text, " \t\r\n") == len)
        return BST_OK;
    json_t *const line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(line)) {
        json_decref(line);
        return wrong(r, "not-a-command", "the line is not a JSON object: %s",
                     line ? "it is another value" : error.text);
    }
    const bst_status status = read_line(r, line);
    json_decref(line);
    return status;
}

/* Goes on after a mistake, so that all are found; stops at what is no mistake of a line. */
static bst_status read_lines(reader *r, FILE *file) {
    char *const buffer = malloc(BST_REPLAY_LINE_MAX + 1);
    bst_status status = BST_OK;
    if (!buffer)
        return bst_diag_nomem(r->diags);
    while ((status == BST_OK || status == BST_INVALID) &&
           fgets(buffer, (int)BST_REPLAY_LINE_MAX + 1, file)) {
        r->line++;
        const bst_status one = take_text(r, buffer, strlen(buffer));
        status = one == BST_OK ? status : one;
    }
    free(buffer);
    if ((status == BST_OK || status == BST_INVALID) && ferror(file)) {
        const bst_loc where = {r->path, 0, 0};
        status = bst_diag_add(r->diags, BST_IO, BST_ERROR, "cannot-read", &where,
                              "could not read the file: %s", strerror(errno));
    }
    return status;
}

/* Into the arena, which lives as long as the log. */
static bst_status keep(reader *r, bst__replay_log *ret) {
    bst__replay_step *const steps = bst_arena_array(r->arena, r->count, sizeof *steps);
    const char **const keys = bst_arena_array(r->arena, r->entity_count, sizeof *keys);
    if (!steps || !keys)
        return bst_diag_nomem(r->diags);
    if (r->count > 0) {
        memcpy(steps, r->steps, r->count * sizeof *steps);
        memcpy(keys, r->keys, r->entity_count * sizeof *keys);
    }
    *ret = (bst__replay_log){r->count, steps, r->entity_count, keys};
    return BST_OK;
}

bst_status bst__replay_log_read(const char *path, const bst_mapping *mapping, bst_arena *arena,
                                bst__replay_log *ret, bst_diags *diags) {
    reader r = {.path = path, .mapping = mapping, .arena = arena, .diags = diags};
    FILE *const file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        const bst_loc where = {path, 0, 0};
        return bst_diag_add(diags, BST_IO, BST_ERROR, "cannot-read", &where,
                            "could not open the file: %s", strerror(errno));
    }
    bst_status status = read_lines(&r, file);
    if (file != stdin)
        fclose(file);
    if (status == BST_OK)
        status = keep(&r, ret);
    HASH_CLEAR(hh, r.entities);
    free(r.steps);
    free(r.keys);
    return status;
}
