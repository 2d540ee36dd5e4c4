/* Guards. A named guard may be asked under several commands, and `command.amount` may stand
 * elsewhere in the payload of each: then the guard is compiled once for each of them, into
 * guards of the same name. One that reads no command serves all; so does a C function, which is
 * given the whole command. Findings come from the first
 * command only; a later one speaks up only about what it lacks itself.
 */
#include <string.h>

#include "load_private.h"

/* What stands for a guard: an expression, or (`linked`) the name of a C function. */
typedef struct written {
    json_t *text; /* NULL: there is none, which was reported */
    bool linked;
} written;

static bool add_guard(bst__load *l, const bst_guard *guard, written text, uint32_t user,
                      uint32_t *ret_number) {
    bst_machine *table = &l->m->table;
    const uint32_t count = table->guard_count;
    if (count == l->guard_room) {
        const uint32_t room = bst__next_room(l->guard_room);
        l->guards = bst__longer(l, l->guards, sizeof *l->guards, count, room);
        l->guard_text = bst__longer(l, l->guard_text, sizeof *l->guard_text, count, room);
        l->guard_user = bst__longer(l, l->guard_user, sizeof *l->guard_user, count, room);
        l->guard_linked = bst__longer(l, l->guard_linked, sizeof *l->guard_linked, count, room);
        if (!l->guards || !l->guard_text || !l->guard_user || !l->guard_linked) {
            return false;
        }
        l->guard_room = room;
        l->m->guard_user = l->guard_user;
        l->m->written_guards = l->guards;
        table->guards = l->guards;
    }
    l->guards[count] = *guard;
    l->guard_text[count] = text.text;
    l->guard_linked[count] = text.linked;
    l->guard_user[count] = user;
    table->guard_count++;
    *ret_number = count;
    return true;
}

/* Reading. */

enum { GUARD_CEL, GUARD_C, GUARD_DESCRIPTION, GUARD_KEYS };
static const char *const guard_keys[GUARD_KEYS] = {
    [GUARD_CEL] = "cel",
    [GUARD_C] = "c",
    [GUARD_DESCRIPTION] = "description",
};

/* The name of a C function, which is the program's: an identifier, and none of C's own words. */
static json_t *read_linked(bst__load *l, const bst__path *path, json_t *json) {
    const char *name = bst__string(l, path, json);
    if (!name || !bst__good_name(l, path, false, "C function", name)) {
        return NULL;
    }
    if (!bst__is_reserved(name)) {
        return json;
    }
    const bst_loc where = bst__value_at(l, path);
    bst__error(l, &where, "reserved-name", "C function name \"%s\" is a word of C or C++", name);
    bst_diag_hint(l->diags,
                  "Name the function that the program links, such as \"is_within_limit\".");
    return NULL;
}

/* `{ "cel": "expr", "description": ... }`, or `{ "c": "function", ... }`. No text after a finding.
 */
static written read_guard_object(bst__load *l, const bst__path *path, json_t *json,
                                 const char **ret_description) {
    const char *key;
    json_t *value;
    json_t *cel = NULL;
    json_t *linked = NULL;
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, guard_keys, GUARD_KEYS)) {
        case GUARD_CEL:
            cel = value;
            break;
        case GUARD_C:
            linked = value;
            break;
        case GUARD_DESCRIPTION:
            *ret_description = bst__string(l, &here, value);
            break;
        default:
            break;
        }
    }
    const bst__path cel_path = {path, "cel", 0};
    const bst__path linked_path = {path, "c", 0};
    if (cel && linked) {
        const bst_loc where = bst__key_at(l, &linked_path);
        bst__error(l, &where, "unsupported-key", "guard has both a \"cel\" and a \"c\"");
        bst_diag_hint(l->diags, "Either an expression decides, or a C function does.");
        return (written){NULL, false};
    }
    if (linked) {
        return (written){read_linked(l, &linked_path, linked), true};
    }
    if (cel) {
        return (written){bst__string(l, &cel_path, cel) ? cel : NULL, false};
    }
    if (!bst_json_misspells(json, "cel")) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "missing-key", "guard has no \"cel\"");
        bst_diag_hint(l->diags, "Add the expression, such as \"cel\": \"amount > 0\".");
    }
    return (written){NULL, false};
}

void bst__read_guard(bst__load *l, const bst__path *path, json_t *json,
                     bst__transition_note *note) {
    if (json_is_object(json)) {
        const written found = read_guard_object(l, path, json, &note->guard_description);
        note->guard_text = found.text;
        note->guard_linked = found.linked;
    } else if (json_is_string(json)) {
        note->guard_name = json_string_value(json);
    } else {
        bst__wrong_kind(l, path, "the name of a guard or an object with a \"cel\"", json);
    }
}

bool bst__load_guards(bst__load *l) {
    const bst_machine *table = &l->m->table;
    json_t *list = json_object_get(l->root, "guards");
    const bst__path path = {NULL, "guards", 0};
    const char *name;
    json_t *value;
    if (!list || !bst__is_object(l, &path, list)) {
        return true;
    }
    json_object_foreach (list, name, value) {
        const bst__path here = {&path, name, 0};
        bst_guard guard = {.name = name, .command = BST_NONE};
        uint32_t number;
        bst__good_name(l, &here, true, "guard", name);
        written text = {NULL, false};
        if (json_is_string(value)) {
            text.text = value;
        } else if (json_is_object(value)) {
            text = read_guard_object(l, &here, value, &guard.description);
        } else {
            bst__wrong_kind(l, &here, "an expression or an object with a \"cel\"", value);
        }
        if (!add_guard(l, &guard, text, BST_NONE, &number)) {
            return false;
        }
        if (!bst__index_add(&l->m->guards, l->arena, bst__name_hash(l->m->seed, name), number)) {
            return bst__nomem(l);
        }
    }
    l->m->named_guard_count = table->guard_count;
    const bst__names names = {table->guards, sizeof *table->guards};
    return bst__check_clashes(l, "guard", &names, table->guard_count, bst__written_guard_where);
}

/* Resolving. */

static void report_unknown(bst__load *l, uint32_t transition, const char *name) {
    const bst_machine *table = &l->m->table;
    if (bst__is_broken(l, "guards")) {
        return;
    }
    const bst__names names = {table->guards, sizeof *table->guards};
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__written_pointer(table, transition, &pointer);
    bst_json_pointer_add(&pointer, "guard");
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    bst_strbuf_release(&pointer);
    bst__error(l, &where, "unknown-guard", "guard \"%s\" is not declared", name);
    if (bst__is_identifier(name)) {
        bst__did_you_mean(l, name, &names, l->m->named_guard_count, "Add it to \"guards\".");
    } else {
        bst_diag_hint(l->diags, "Write an expression in place as { \"cel\": \"%s\" }.", name);
    }
}

/* Turns what stands under "guard" into a number: a named guard, or a new one for an expression
 * in place. */
static bool resolve(bst__load *l, uint32_t transition) {
    const bst_machine *table = &l->m->table;
    bst_transition *t = &l->transitions[transition];
    const bst__transition_note *note = &l->transition_notes[transition];
    if (note->guard_text) {
        const bst_guard guard = {.description = note->guard_description, .command = BST_NONE};
        return add_guard(l, &guard, (written){note->guard_text, note->guard_linked}, transition,
                         &t->guard);
    }
    if (note->guard_name) {
        const bst__names names = {table->guards, sizeof *table->guards};
        t->guard = bst__name_find(&l->m->guards, l->m->seed, &names, note->guard_name);
        if (t->guard == BST_NONE) {
            report_unknown(l, transition, note->guard_name);
        } else if (l->guard_user[t->guard] == BST_NONE) {
            l->guard_user[t->guard] = transition;
        }
    }
    return true;
}

/* Compiling. */

typedef struct work {
    bst_scope scope;
    bst_scope_field *command_fields;
    uint32_t command;    /* whose payload the scope has, or BST_NONE */
    bst__index variants; /* (named guard, command) -> guard */
    bool *failed;        /* by guard */
    bst_strbuf pointer;
} work;

typedef struct wanted_variant {
    const bst_guard *guards;
    const char *name;
    uint32_t command;
} wanted_variant;

static bool same_variant(const void *wanted, uint32_t number) {
    const wanted_variant *w = wanted;
    /* names of guards are not copied: one name, one address */
    return w->guards[number].name == w->name && w->guards[number].command == w->command;
}

static void set_command(const bst__load *l, work *w, uint32_t command) {
    if (command == BST_NONE) { /* what happens by itself carries nothing */
        w->scope.root[BST_ROOT_COMMAND].known = false;
        w->scope.root[BST_ROOT_COMMAND].count = 0;
        w->command = command;
    } else if (w->command != command) {
        bst__scope_root(&w->scope, BST_ROOT_COMMAND, w->command_fields, l->commands[command].fields,
                        l->commands[command].field_count);
        w->command = command;
    }
}

static void point_at(bst__load *l, work *w, uint32_t guard) {
    const bst_machine *table = &l->m->table;
    bst_strbuf_clear(&w->pointer);
    if (l->guards[guard].name) {
        bst_json_pointer_add(&w->pointer, "guards");
        bst_json_pointer_add(&w->pointer, l->guards[guard].name);
    } else {
        bst__written_pointer(table, l->guard_user[guard], &w->pointer);
        bst_json_pointer_add(&w->pointer, "guard");
    }
    const json_t *list = json_object_get(l->root, "guards");
    if (!l->guards[guard].name || json_is_object(json_object_get(list, l->guards[guard].name))) {
        bst_json_pointer_add(&w->pointer, "cel");
    }
}

/* The expression that asks a C function. False: out of memory, or a limit passed. */
static bool make_linked(bst__load *l, const char *name, const bst_expr **ret) {
    bst_machine *table = &l->m->table;
    uint32_t index = 0;
    while (index < table->linked_count && strcmp(table->linked[index], name) != 0) {
        index++;
    }
    if (index == BST_LINKED_MAX) {
        return bst__limit(l, NULL, "C functions", BST_LINKED_MAX);
    }
    if (index == table->linked_count) {
        const char **names = bst__longer(l, table->linked, sizeof *names, index, index + 1);
        if (!names) {
            return false;
        }
        names[index] = name;
        table->linked = names;
        table->linked_count++;
    }
    bst_expr *expr = bst_arena_alloc(l->arena, sizeof *expr);
    if (!expr) {
        return bst__nomem(l);
    }
    *expr = (bst_expr){.op = BST_EXPR_REF,
                       .type = {.kind = BST_KIND_BOOL},
                       .root = BST_ROOT_LINKED,
                       .index = index,
                       .name = name};
    *ret = expr;
    return true;
}

/* Compiles a guard for the scope as it stands. No expression, after a finding or for want of a
 * payload that is known, marks the guard as failed. False: out of memory. */
static bool compile(bst__load *l, work *w, uint32_t guard, const bst_expr **ret) {
    static const bst_type bool_type = {.kind = BST_KIND_BOOL};
    *ret = NULL;
    if (l->guard_text[guard] && l->guard_linked[guard]) {
        return make_linked(l, json_string_value(l->guard_text[guard]), ret);
    }
    if (l->guard_text[guard]) {
        point_at(l, w, guard);
        if (w->pointer.failed) {
            return bst__nomem(l);
        }
        if (!bst__compile(l, l->guard_text[guard], w->pointer.text, &w->scope, &bool_type, ret)) {
            return false;
        }
    }
    w->failed[guard] = !*ret;
    return true;
}

/* The same guard for another command. */
static bool compile_variant(bst__load *l, work *w, uint32_t transition, uint32_t named) {
    bst_transition *t = &l->transitions[transition];
    const wanted_variant wanted = {l->guards, l->guards[named].name, t->command};
    const uint32_t hash = bst__hash3(named, t->command, 0);
    const uint32_t found = bst__index_find(&w->variants, hash, same_variant, &wanted);
    if (found != BST_NONE) {
        t->guard = found;
        return true;
    }
    bst_guard variant = l->guards[named];
    const size_t findings = bst_diags_count(l->diags);
    variant.command = t->command;
    if (!compile(l, w, named, &variant.expr)) {
        return false;
    }
    if (!variant.expr) {
        if (bst_diags_count(l->diags) > findings) {
            const bst_loc where = bst__written_where(&l->m->table, transition);
            if (t->command == BST_NONE) {
                bst_diag_also(l->diags, &where, "it is asked without a command here");
            } else {
                bst_diag_also(l->diags, &where, "command \"%s\" asks the guard here",
                              l->commands[t->command].name);
            }
        }
        return true;
    }
    return add_guard(l, &variant, (written){l->guard_text[named], false}, transition, &t->guard) &&
           (bst__index_add(&w->variants, l->arena, hash, t->guard) || bst__nomem(l));
}

/* Before its creation an entity has no fields to ask for. */
static void check_creation(bst__load *l, uint32_t transition) {
    const bst_transition *t = &l->transitions[transition];
    const bst_expr *expr = l->guards[t->guard].expr;
    const bst_expr *field = expr ? bst__expr_reads(expr, BST_ROOT_ENTITY) : NULL;
    const bst_expr *state = expr ? bst__expr_reads(expr, BST_ROOT_STATE) : NULL;
    if (state) {
        const bst_loc place = bst__written_where(&l->m->table, transition);
        bst__error(l, &place, "creation-guard",
                   "guard of a creation asks the state of an entity that does not exist yet");
        bst_diag_hint(l->diags, "Read what the command brings: command.x.");
    }
    if (!field) {
        return;
    }
    const bst_loc where = bst__written_where(&l->m->table, transition);
    bst__error(l, &where, "creation-guard",
               "guard of a creation reads field \"%s\" of an entity that does not exist yet",
               field->name);
    bst_diag_hint(l->diags, "Read what the command brings: command.%s.", field->name);
}

static bool compile_for(bst__load *l, work *w, uint32_t transition) {
    const bst_transition *t = &l->transitions[transition];
    const uint32_t number = t->guard;
    const bool silent = l->written[transition].form >= BST__ALWAYS;
    if (number == BST_NONE || w->failed[number] || (t->command == BST_NONE && !silent) ||
        (!silent && l->command_notes[t->command].poisoned)) {
        return true;
    }
    set_command(l, w, t->command);
    bst_guard *guard = &l->guards[number];
    if (!guard->expr) {
        if (!compile(l, w, number, &guard->expr)) {
            return false;
        }
        if (guard->expr && bst__expr_reads(guard->expr, BST_ROOT_COMMAND)) {
            guard->command = t->command;
        }
    } else if (guard->command != BST_NONE && guard->command != t->command &&
               !compile_variant(l, w, transition, number)) {
        return false;
    }
    if (t->from == BST_NONE) {
        check_creation(l, transition);
    }
    return true;
}

/* Every payload field that the file writes down, the first of each name. */
typedef struct all_fields {
    bst_field *fields;
    uint32_t count;
    bst__index index;
} all_fields;

static bool add_fields(bst__load *l, all_fields *all, const bst_field *fields, uint32_t count) {
    const bst__names names = {all->fields, sizeof *all->fields};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t hash = bst__name_hash(l->m->seed, fields[i].name);
        if (bst__name_find(&all->index, l->m->seed, &names, fields[i].name) != BST_NONE) {
            continue;
        }
        all->fields[all->count] = fields[i];
        if (!bst__index_add(&all->index, l->arena, hash, all->count++)) {
            return bst__nomem(l);
        }
    }
    return true;
}

static bool gather_fields(bst__load *l, all_fields *all) {
    const bst_machine *table = &l->m->table;
    size_t room = 0;
    for (uint32_t i = 0; i < table->event_count; i++) {
        room += l->events[i].field_count;
    }
    for (uint32_t i = 0; i < table->command_count; i++) {
        room += l->command_notes[i].has_fields ? l->commands[i].field_count : 0;
    }
    all->fields = bst_arena_array(l->arena, room, sizeof *all->fields);
    if (!all->fields) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < table->event_count; i++) {
        if (!add_fields(l, all, l->events[i].fields, l->events[i].field_count)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < table->command_count; i++) {
        if (l->command_notes[i].has_fields &&
            !add_fields(l, all, l->commands[i].fields, l->commands[i].field_count)) {
            return false;
        }
    }
    return true;
}

/* A guard that nobody asks is typed against every payload there is. */
static bool compile_unused(bst__load *l, work *w) {
    bool gathered = false;
    for (uint32_t i = 0; i < l->m->named_guard_count; i++) {
        if (l->guard_user[i] != BST_NONE || !l->guard_text[i]) {
            continue;
        }
        if (!gathered) {
            all_fields all = {0};
            if (!gather_fields(l, &all)) {
                return false;
            }
            bst_scope_field *scope_fields =
                bst_arena_array(l->arena, all.count, sizeof *scope_fields);
            if (!scope_fields) {
                return bst__nomem(l);
            }
            bst__scope_root(&w->scope, BST_ROOT_COMMAND, scope_fields, all.fields, all.count);
            gathered = true;
        }
        if (!compile(l, w, i, &l->guards[i].expr)) {
            return false;
        }
    }
    return true;
}

static uint32_t largest_command(const bst_machine *table) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < table->command_count; i++) {
        const uint32_t count = table->commands[i].field_count;
        largest = count > largest ? count : largest;
    }
    return largest;
}

/* state_in() knows all nodes, by their paths; few machines ask it. */
static bool scope_states(bst__load *l, work *w) {
    static const bst_type answer = {.kind = BST_KIND_BOOL};
    bool asked = false;
    for (uint32_t i = 0; i < l->m->table.guard_count && !asked; i++) {
        asked = l->guard_text[i] && strstr(json_string_value(l->guard_text[i]), "state_in");
    }
    if (!asked) {
        return true;
    }
    bst_scope_field *fields = bst_arena_array(l->arena, l->node_count, sizeof *fields);
    for (uint32_t i = 0; fields && i < l->node_count; i++) {
        fields[i] = (bst_scope_field){l->nodes[i].path, answer};
    }
    w->scope.root[BST_ROOT_STATE].known = true;
    w->scope.root[BST_ROOT_STATE].fields = fields;
    w->scope.root[BST_ROOT_STATE].count = l->node_count;
    l->nested = true;
    return fields || bst__nomem(l);
}

static bool compile_all(bst__load *l, work *w) {
    const bst_machine *table = &l->m->table;
    bst_scope_field *entity = bst_arena_array(l->arena, table->field_count, sizeof *entity);
    w->command_fields =
        bst_arena_array(l->arena, largest_command(table), sizeof *w->command_fields);
    w->failed = bst_arena_array(l->arena, table->guard_count, sizeof *w->failed);
    if (!entity || !w->command_fields || !w->failed) {
        return bst__nomem(l);
    }
    if (!scope_states(l, w)) {
        return false;
    }
    bst__scope_root(&w->scope, BST_ROOT_ENTITY, entity, table->fields, table->field_count);
    for (uint32_t i = 0; i < l->written_count; i++) {
        if (!compile_for(l, w, i)) {
            return false;
        }
    }
    return compile_unused(l, w);
}

bool bst__compile_guards(bst__load *l) {
    for (uint32_t i = 0; i < l->written_count; i++) {
        if (!resolve(l, i)) {
            return false;
        }
    }
    work w = {.command = BST_NONE, .pointer = BST_STRBUF_INIT};
    const bool ok = compile_all(l, &w);
    bst_strbuf_release(&w.pointer);
    return ok;
}
