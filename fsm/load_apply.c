/* What an event does to the entity: the assignments of its `apply`, then the names that entity
 * and event share.
 *
 * A shared name is set unless `apply` speaks of it: assigns the entity's field, or reads the
 * event's. So an event with `amount` and "captured": "captured + event.amount" adds to one field
 * and leaves the other, `amount`, alone.
 *
 * Before its first event an entity has only its defaults. For events that create, fields without
 * one are therefore typed as optional, and an expression has to ask has(x) first.
 */
#include <string.h>

#include "load_private.h"

/* What is built up for one event. */
typedef struct work {
    bst_scope scope;
    bst_scope_field *entity; /* the entity's fields as they are */
    bst_scope_field *entity_at_birth;
    bst_scope_field *event;
    bool *spoken;       /* by field of the event */
    uint32_t *assigned; /* by field of the entity: number of the event that set it, + 1 */
    bst_assignment *assignments;
    uint32_t count;
} work;

static bool prepare(bst__load *l, work *w) {
    const bst_machine *table = &l->m->table;
    memset(w, 0, sizeof *w);
    w->entity = bst_arena_array(l->arena, table->field_count, sizeof *w->entity);
    w->entity_at_birth = bst_arena_array(l->arena, table->field_count, sizeof *w->entity_at_birth);
    w->event = bst_arena_array(l->arena, l->m->payload_max, sizeof *w->event);
    w->spoken = bst_arena_array(l->arena, l->m->payload_max, sizeof *w->spoken);
    w->assigned = bst_arena_array(l->arena, table->field_count, sizeof *w->assigned);
    if (!w->entity || !w->entity_at_birth || !w->event || !w->spoken || !w->assigned) {
        return bst__nomem(l);
    }
    bst__scope_root(&w->scope, BST_ROOT_ENTITY, w->entity, table->fields, table->field_count);
    for (uint32_t i = 0; i < table->field_count; i++) {
        w->entity_at_birth[i] = w->entity[i];
        w->entity_at_birth[i].type.optional =
            w->entity[i].type.optional || !table->fields[i].default_value.present;
    }
    return true;
}

static void mark_spoken(const bst_expr *ref, void *spoken) {
    if (ref->root == BST_ROOT_EVENT) {
        ((bool *)spoken)[ref->index] = true;
    }
}

/* The same for a text that did not compile: no findings may follow from it. */
static void mark_words(const char *text, const bst_event_type *event, bool *spoken) {
    size_t len;
    for (const char *word = bst__next_word(text, &len); word;
         word = bst__next_word(word + len, &len)) {
        for (uint32_t i = 0; i < event->field_count; i++) {
            if (strncmp(event->fields[i].name, word, len) == 0 && !event->fields[i].name[len]) {
                spoken[i] = true;
            }
        }
    }
}

static void explain_birth(bst__load *l, const work *w, const bst_event_type *event,
                          const json_t *text) {
    size_t len;
    const bst_scope_field *fields = w->scope.root[BST_ROOT_ENTITY].fields;
    if (fields != w->entity_at_birth) {
        return;
    }
    for (const char *word = bst__next_word(json_string_value(text), &len); word;
         word = bst__next_word(word + len, &len)) {
        for (uint32_t i = 0; i < l->m->table.field_count; i++) {
            if (strncmp(fields[i].name, word, len) == 0 && !fields[i].name[len] &&
                fields[i].type.optional && !w->entity[i].type.optional) {
                bst_diag_detail(
                    l->diags,
                    "Event \"%s\" creates the entity: field \"%s\" has no default, so it "
                    "has no value yet.",
                    event->name, fields[i].name);
                return;
            }
        }
    }
}

/* "field": "expression" of the event's apply. */
static bool assign(bst__load *l, work *w, uint32_t number, const bst__path *path, json_t *text,
                   bst_strbuf *pointer) {
    const bst_machine *table = &l->m->table;
    const bst_event_type *event = &l->events[number];
    const uint32_t field = bst_machine_field(table, path->key);
    if (bst__is_broken(l, "fields")) {
        return true;
    }
    if (field == BST_NONE) {
        const bst_loc where = bst__key_at(l, path);
        const bst__names names = {table->fields, sizeof *table->fields};
        bst__error(l, &where, "unknown-field", "field \"%s\" of the entity is not declared",
                   path->key);
        bst__did_you_mean(l, path->key, &names, table->field_count, "Add it to \"fields\".");
        if (json_is_string(text)) {
            mark_words(json_string_value(text), event, w->spoken);
        }
        return true;
    }
    w->assigned[field] = number + 1;
    if (!bst__string(l, path, text)) {
        return true;
    }
    const bst_expr *expr = NULL;
    const bst_type *type = &table->fields[field].type;
    const size_t len = pointer->len;
    bst_json_pointer_add(pointer, path->key);
    const size_t findings = bst_diags_count(l->diags);
    if (type->kind != BST_KIND_COUNT &&
        !bst__compile(l, text, pointer->text, &w->scope, type, &expr)) {
        return false;
    }
    pointer->len = len;
    pointer->text[len] = '\0';
    if (expr) {
        bst_expr_each_ref(expr, mark_spoken, w->spoken);
        w->assignments[w->count++] = (bst_assignment){field, expr, BST_NONE};
        return true;
    }
    mark_words(json_string_value(text), event, w->spoken);
    if (bst_diags_count(l->diags) > findings) {
        explain_birth(l, w, event, text);
    }
    return true;
}

static bool assign_explicit(bst__load *l, work *w, uint32_t number) {
    const bst__path events = {NULL, "events", 0};
    const bst__path event = {&events, l->events[number].name, 0};
    const bst__path apply = {&event, "apply", 0};
    bst_strbuf pointer = BST_STRBUF_INIT;
    const char *key;
    json_t *value;
    bool ok = true;
    bst_json_pointer_add(&pointer, "events");
    bst_json_pointer_add(&pointer, l->events[number].name);
    bst_json_pointer_add(&pointer, "apply");
    json_object_foreach (l->event_notes[number].apply, key, value) {
        const bst__path here = {&apply, key, 0};
        ok = ok && (pointer.failed ? bst__nomem(l) : assign(l, w, number, &here, value, &pointer));
    }
    bst_strbuf_release(&pointer);
    return ok;
}

/* What a built-in event does: an expression for each of its fields. */
static bool assign_builtin(bst__load *l, work *w, uint32_t number) {
    const bst_event_type *event = &l->events[number];
    for (uint32_t i = 0; i < event->field_count; i++) {
        bool failed = false;
        const char *text = bst__builtin_apply(l, event, i, &failed);
        const uint32_t field = bst_machine_field(&l->m->table, event->fields[i].name);
        if (failed) {
            return bst__nomem(l);
        }
        if (!text || event->fields[i].type.kind == BST_KIND_COUNT) {
            continue;
        }
        json_t *json = json_string(text);
        const bst_expr *expr = NULL;
        const bool ok = json && bst__compile(l, json, "/events", &w->scope,
                                             &l->m->table.fields[field].type, &expr);
        json_decref(json);
        if (!ok) {
            return bst__nomem(l);
        }
        if (expr) {
            w->assigned[field] = number + 1;
            w->assignments[w->count++] = (bst_assignment){field, expr, BST_NONE};
        }
    }
    return true;
}

/* Shared names. */

static bool shared_type_fits(bst__load *l, uint32_t number, const bst_field *from,
                             const bst_field *to) {
    const bool same = bst__types_agree(&from->type, &to->type);
    if (from->type.kind == BST_KIND_COUNT || to->type.kind == BST_KIND_COUNT) {
        return false; /* reported already */
    }
    if (same && (!from->type.optional || to->type.optional)) {
        return true;
    }
    const char *event = l->events[number].name;
    const bst_loc where = bst__payload_field_where(l, number, from->name);
    const bst__path fields = {NULL, "fields", 0};
    const bst__path field = {&fields, to->name, 0};
    const bst_loc there = bst__value_at(l, &field);
    bst_strbuf type = BST_STRBUF_INIT;
    bst_strbuf wanted = BST_STRBUF_INIT;
    bst_type_format(&from->type, &type);
    bst_type_format(&to->type, &wanted);
    if (same) {
        bst__error(l, &where, "optional-to-required",
                   "field \"%s\" of event \"%s\" may be absent, that of the entity may not",
                   from->name, event);
        bst_diag_hint(
            l->diags,
            "Say in the event's \"apply\" what happens then, such as \"%s\": \"has(event.%s) "
            "? event.%s : %s\".",
            to->name, from->name, from->name, to->name);
    } else {
        bst__error(l, &where, "shared-type",
                   "field \"%s\" of event \"%s\" is %s, that of the entity is %s", from->name,
                   event, type.text, wanted.text);
        bst_diag_hint(l->diags,
                      "A name that both share is set by the event: give both the same type, "
                      "rename one, or say in \"apply\" what it does.");
    }
    bst_diag_also(l->diags, &there, "the entity's field is here");
    bst_strbuf_release(&type);
    bst_strbuf_release(&wanted);
    return false;
}

static void assign_shared(bst__load *l, work *w, uint32_t number) {
    const bst_machine *table = &l->m->table;
    const bst_event_type *event = &l->events[number];
    for (uint32_t i = 0; i < event->field_count; i++) {
        const uint32_t field = bst_machine_field(table, event->fields[i].name);
        if (field == BST_NONE || w->spoken[i] || w->assigned[field] == number + 1) {
            continue;
        }
        if (shared_type_fits(l, number, &event->fields[i], &table->fields[field])) {
            w->assignments[w->count++] = (bst_assignment){field, NULL, i};
        }
    }
}

static bool load_event(bst__load *l, work *w, uint32_t number) {
    bst_event_type *event = &l->events[number];
    const bst__event_note *note = &l->event_notes[number];
    const size_t most = json_object_size(note->apply) + event->field_count;
    if (note->poisoned || most == 0) {
        return true;
    }
    w->count = 0;
    w->assignments = bst_arena_array(l->arena, most, sizeof *w->assignments);
    if (!w->assignments) {
        return bst__nomem(l);
    }
    memset(w->spoken, 0, event->field_count * sizeof *w->spoken);
    w->scope.root[BST_ROOT_ENTITY].fields = note->creates ? w->entity_at_birth : w->entity;
    bst__scope_root(&w->scope, BST_ROOT_EVENT, w->event, event->fields, event->field_count);
    if ((note->apply && !assign_explicit(l, w, number)) || !assign_builtin(l, w, number)) {
        return false;
    }
    assign_shared(l, w, number);
    event->assignments = w->assignments;
    event->assignment_count = w->count;
    return true;
}

bool bst__load_assignments(bst__load *l) {
    work w;
    if (!prepare(l, &w)) {
        return false;
    }
    for (uint32_t i = 0; i < l->m->table.event_count; i++) {
        if (!load_event(l, &w, i)) {
            return false;
        }
    }
    return true;
}
