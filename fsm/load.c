/* Reading a machine file, in the order in which things become known:
 *
 *     root, id                         what the machine is called
 *     fields, events, commands, guards what the file lists; what is built in follows from it
 *     states                           the tree, by name
 *     creations, transitions           everything by number; implied commands and events
 *     payloads                         what commands carry
 *     apply, upcasts, guards           expressions, once every field of every record is known
 *     flatten                          the table, when all of this is right
 *
 * A step that finds mistakes lets the next ones go on. Names and text are borrowed from the
 * parsed JSON, which lives as long as the machine; all else lives in its arena.
 */
#include <stdlib.h>
#include <string.h>

#include "load_private.h"

enum {
    ROOT_SCHEMA,
    ROOT_ID,
    ROOT_VERSION,
    ROOT_LABEL,
    ROOT_DESCRIPTION,
    ROOT_FIELDS,
    ROOT_EVENTS,
    ROOT_COMMANDS,
    ROOT_GUARDS,
    ROOT_CREATES,
    ROOT_INITIAL,
    ROOT_STATES,
    ROOT_TYPE,
    ROOT_ON,
    ROOT_AFTER,
    ROOT_ALWAYS,
    ROOT_WARNINGS,
    ROOT_META,
    ROOT_KEYS
};
static const char *const root_keys[ROOT_KEYS] = {
    [ROOT_SCHEMA] = "$schema",
    [ROOT_ID] = "id",
    [ROOT_VERSION] = "version",
    [ROOT_LABEL] = "label",
    [ROOT_DESCRIPTION] = "description",
    [ROOT_FIELDS] = "fields",
    [ROOT_EVENTS] = "events",
    [ROOT_COMMANDS] = "commands",
    [ROOT_GUARDS] = "guards",
    [ROOT_CREATES] = "creates",
    [ROOT_INITIAL] = "initial",
    [ROOT_STATES] = "states",
    [ROOT_TYPE] = "type",
    [ROOT_ON] = "on",
    [ROOT_AFTER] = "after",
    [ROOT_ALWAYS] = "always",
    [ROOT_WARNINGS] = "warnings",
    [ROOT_META] = "meta",
};

static void missing_key(bst__load *l, const char *key, const char *hint) {
    if (!json_object_get(l->root, key) && !bst_json_misspells(l->root, key)) {
        const bst_loc where = bst__value_at(l, NULL);
        bst__error(l, &where, "missing-key", "machine has no \"%s\"", key);
        bst_diag_hint(l->diags, "%s", hint);
    }
}

static void read_type(bst__load *l, const bst__path *path, const json_t *json) {
    const char *type = bst__string(l, path, json);
    l->parallel = type && strcmp(type, "parallel") == 0;
    if (type && !l->parallel && strcmp(type, "compound") != 0) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "bad-state-type", "machine has the type \"%s\"", type);
        bst_diag_hint(l->diags, "A machine is \"parallel\", or has no \"type\" at all.");
    } else if (l->parallel && json_object_get(l->root, "initial")) {
        const bst__path initial = {NULL, "initial", 0};
        const bst_loc where = bst__key_at(l, &initial);
        bst__error(l, &where, "unsupported-key", "key \"initial\" is not supported here");
        bst_diag_hint(l->diags, "All regions of a parallel machine are entered.");
    }
}

static void read_root(bst__load *l) {
    bst_machine *table = &l->m->table;
    const char *key;
    json_t *value;
    json_object_foreach (l->root, key, value) {
        const bst__path here = {NULL, key, 0};
        switch (bst__key_number(l, &here, root_keys, ROOT_KEYS)) {
        case ROOT_SCHEMA:
            bst__string(l, &here, value);
            break;
        case ROOT_ID:
            table->id = bst__string(l, &here, value);
            if (table->id && !bst__good_name(l, &here, false, "machine", table->id)) {
                table->id = NULL; /* nothing is named after it */
            }
            break;
        case ROOT_VERSION:
            table->version = bst__string(l, &here, value);
            break;
        case ROOT_LABEL:
            table->label = bst__string(l, &here, value);
            break;
        case ROOT_DESCRIPTION:
            table->description = bst__string(l, &here, value);
            break;
        case ROOT_TYPE:
            read_type(l, &here, value);
            break;
        default: /* the rest has its turn below */
            break;
        }
    }
    missing_key(l, "id", "Add the name of the entity, such as \"id\": \"payment\".");
    if (!l->parallel) {
        missing_key(l, "initial", "Name the state in which an entity begins.");
    }
    missing_key(l, "states", "Add the states, such as \"states\": { \"open\": {} }.");
}

static bool read_machine(bst__load *l) {
    read_root(l);
    return bst__load_fields(l) && bst__load_events(l) && bst__load_builtins(l) &&
           bst__load_commands(l) && bst__load_guards(l) && bst__load_states(l) &&
           bst__load_creations(l) && bst__load_transitions(l) && bst__load_ignores(l) &&
           bst__load_warnings(l) && bst__load_payloads(l) && bst__load_assignments(l) &&
           bst__load_upcasts(l) && bst__compile_guards(l) &&
           (l->status != BST_OK || bst__flatten(l));
}

/* The seed of the name indices: the first digits of the file's digest. */
static uint32_t seed_of(const char *hex) {
    char digits[9];
    memcpy(digits, hex, 8);
    digits[8] = '\0';
    return (uint32_t)strtoul(digits, NULL, 16);
}

/* Takes the source, whatever becomes of it. */
static bst_status compile(bst_json_source *source, uint32_t together_max, bool may_split,
                          bst_machine **ret, bst_diags *diags) {
    bst_arena *arena = bst_arena_new();
    bst__machine *m = arena ? bst_arena_alloc(arena, sizeof *m) : NULL;
    if (!m) {
        bst_arena_free(arena);
        bst_json_source_free(source);
        return bst_diag_nomem(diags);
    }
    size_t len;
    const char *text = bst_json_source_text(source, &len);
    m->arena = arena;
    m->source = source;
    m->table.source = source;
    m->table.file = bst_json_source_name(source);
    bst_sha256_hex(text, len, m->table.sha256);
    m->seed = seed_of(m->table.sha256);

    bst__load load = {.m = m,
                      .arena = arena,
                      .source = source,
                      .diags = diags,
                      .together_max = together_max,
                      .may_split = may_split};
    /* jansson iterates over mutable objects only; nothing here changes one */
    load.root = (json_t *)bst_json_source_root(source);
    const bool whole = read_machine(&load);
    if (whole && load.status == BST_OK &&
        (!bst__machine_index_steps(m) || !bst__machine_index_former(m))) {
        bst__nomem(&load);
    }
    if (whole && load.status == BST_OK) {
        bst__check_former_names(&load);
    }
    if (diags) {
        bst_diags_sort(diags);
    }
    if (load.status != BST_OK) {
        bst_machine_free(&m->table);
        return load.status;
    }
    *ret = &m->table;
    return BST_OK;
}

static bst_status load(const char *path, uint32_t together_max, bool may_split, bst_machine **ret,
                       bst_diags *diags) {
    bst_json_source *source = NULL;
    const bst_status status = bst_json_source_read(path, &source, diags);
    return status == BST_OK ? compile(source, together_max, may_split, ret, diags) : status;
}

static bst_status parse(const char *name, const char *text, size_t len, uint32_t together_max,
                        bool may_split, bst_machine **ret, bst_diags *diags) {
    bst_json_source *source = NULL;
    const bst_status status = bst_json_source_parse(name, text, len, &source, diags);
    return status == BST_OK ? compile(source, together_max, may_split, ret, diags) : status;
}

bst_status bst_machine_load(const char *path, bst_machine **ret, bst_diags *diags) {
    return load(path, BST_CONFIGURATIONS_MAX, false, ret, diags);
}

bst_status bst_machine_parse(const char *name, const char *text, size_t len, bst_machine **ret,
                             bst_diags *diags) {
    return parse(name, text, len, BST_CONFIGURATIONS_MAX, false, ret, diags);
}

bst_status bst_regions_load(const char *path, uint32_t together_max, bst_machine **ret,
                            bst_diags *diags) {
    return load(path, together_max, true, ret, diags);
}

bst_status bst_regions_parse(const char *name, const char *text, size_t len, uint32_t together_max,
                             bst_machine **ret, bst_diags *diags) {
    return parse(name, text, len, together_max, true, ret, diags);
}
