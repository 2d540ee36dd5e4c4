/* Events that are built in: `"PaymentImported": { "builtin": "genesis" }`.
 *
 * A migration writes them where the past cannot be told: a genesis carries a whole row, a
 * reconciliation what the known events leave unexplained. They are events like all others in that
 * they are stored, folded, typed and versioned; but no command asks for them, so they stand in no
 * transition. What they carry follows from the entity's fields, and what they do follows from that:
 *
 *     genesis    { "captured": "decimal(12,2)", "note": "text?" }    both are set
 *     reconcile  { "captured": "decimal(12,2)?", "note": "text?" }   captured is added to, note set
 *
 * A reconciliation may list the fields that it may touch, and touches no others.
 */
#include <string.h>

#include "load_private.h"

bool bst_builtin_adds(bst_builtin builtin, const bst_type *type) {
    const bool number = type->kind == BST_KIND_DECIMAL || type->kind == BST_KIND_INT2 ||
                        type->kind == BST_KIND_INT4 || type->kind == BST_KIND_INT8;
    return builtin == BST_BUILTIN_RECONCILE && number && !type->optional;
}

void bst__read_builtin(bst__load *l, const bst__path *path, const json_t *json,
                       bst_event_type *event) {
    const char *word = bst__string(l, path, json);
    if (!word) {
        return;
    }
    if (strcmp(word, "genesis") == 0) {
        event->builtin = BST_BUILTIN_GENESIS;
    } else if (strcmp(word, "reconcile") == 0) {
        event->builtin = BST_BUILTIN_RECONCILE;
    } else {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "unknown-word", "\"%s\" is not built in", word);
        bst_diag_hint(l->diags, "It is \"genesis\" or \"reconcile\".");
    }
}

static void refuse_key(bst__load *l, const bst_event_type *event, const char *key,
                       const char *hint) {
    const bst__path events = {NULL, "events", 0};
    const bst__path up = {&events, event->name, 0};
    const bst__path here = {&up, key, 0};
    const bst_loc where = bst__key_at(l, &here);
    bst__error(l, &where, "unsupported-key", "key \"%s\" is not supported here", key);
    bst_diag_hint(l->diags, "%s", hint);
}

static bst_loc event_where(const bst__load *l, const bst_event_type *event) {
    const bst__path events = {NULL, "events", 0};
    const bst__path here = {&events, event->name, 0};
    return bst__key_at(l, &here);
}

/* One of a kind, or it would not be known which to write. */
static void check_only(bst__load *l, uint32_t number) {
    const bst_event_type *event = &l->events[number];
    for (const bst_event_type *other = l->events; other < event; other++) {
        if (other->builtin != event->builtin) {
            continue;
        }
        const bst_loc where = event_where(l, event);
        const bst_loc there = event_where(l, other);
        bst__error(l, &where, "builtin-twice", "event \"%s\" is built in like \"%s\"", event->name,
                   other->name);
        bst_diag_hint(l->diags, "A machine has one event of each kind: remove one of them.");
        bst_diag_also(l->diags, &there, "\"%s\" is here", other->name);
        return;
    }
}

/* Every field of the entity; in a reconciliation each may be absent. */
static bool take_fields(bst__load *l, bst_event_type *event) {
    const bst_machine *table = &l->m->table;
    bst_field *fields = bst_arena_array(l->arena, table->field_count, sizeof *fields);
    if (!fields) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < table->field_count; i++) {
        fields[i] = (bst_field){.name = table->fields[i].name,
                                .label = table->fields[i].label,
                                .description = table->fields[i].description,
                                .was = table->fields[i].was,
                                .type = table->fields[i].type};
        fields[i].type.optional =
            fields[i].type.optional || event->builtin == BST_BUILTIN_RECONCILE;
    }
    event->fields = fields;
    event->field_count = table->field_count;
    return true;
}

/* A listed field is one of the entity's, of the same type, and may be absent. */
static void check_field(bst__load *l, const bst_event_type *event, const bst_field *field) {
    const bst_machine *table = &l->m->table;
    const uint32_t same = bst_machine_field(table, field->name);
    const bst__path events = {NULL, "events", 0};
    const bst__path up = {&events, event->name, 0};
    const bst__path fields = {&up, "fields", 0};
    const bst__path here = {&fields, field->name, 0};
    if (same == BST_NONE) {
        const bst_loc where = bst__key_at(l, &here);
        const bst__names names = {table->fields, sizeof *table->fields};
        bst__error(l, &where, "unknown-field", "field \"%s\" of the entity is not declared",
                   field->name);
        bst__did_you_mean(l, field->name, &names, table->field_count, NULL);
        return;
    }
    bst_type wanted = table->fields[same].type;
    wanted.optional = true;
    if (field->type.kind == BST_KIND_COUNT || wanted.kind == BST_KIND_COUNT ||
        bst_type_equal(&field->type, &wanted)) {
        return;
    }
    bst_strbuf text = BST_STRBUF_INIT;
    bst_type_format(&wanted, &text);
    const bst_loc where = bst__value_at(l, &here);
    bst__error(l, &where, "shared-type", "field \"%s\" of event \"%s\" must be %s", field->name,
               event->name, text.text);
    bst_diag_hint(l->diags, "It says by how much the entity's field is put right, and may be "
                            "absent.");
    bst_strbuf_release(&text);
}

bool bst__load_builtins(bst__load *l) {
    for (uint32_t i = 0; i < l->m->table.event_count; i++) {
        bst_event_type *event = &l->events[i];
        if (event->builtin == BST_BUILTIN_NONE || bst__is_broken(l, "fields")) {
            continue;
        }
        check_only(l, i);
        if (l->event_notes[i].apply) {
            refuse_key(l, event, "apply", "What a built-in event does follows from its fields.");
            l->event_notes[i].apply = NULL;
        }
        if (event->fields && event->builtin == BST_BUILTIN_GENESIS) {
            refuse_key(l, event, "fields", "A genesis carries every field of the entity.");
        }
        for (uint32_t f = 0; event->builtin == BST_BUILTIN_RECONCILE && f < event->field_count;
             f++) {
            check_field(l, event, &event->fields[f]);
        }
        const bool listed = event->fields && event->builtin == BST_BUILTIN_RECONCILE;
        if (!listed && !take_fields(l, event)) {
            return false;
        }
        l->event_notes[i].creates = event->builtin == BST_BUILTIN_GENESIS;
    }
    return true;
}

const char *bst__builtin_apply(bst__load *l, const bst_event_type *event, uint32_t field,
                               bool *ret_failed) {
    const char *name = event->fields[field].name;
    const uint32_t same = bst_machine_field(&l->m->table, name);
    if (event->builtin != BST_BUILTIN_RECONCILE || same == BST_NONE) {
        return NULL;
    }
    const bool adds = bst_builtin_adds(event->builtin, &l->m->table.fields[same].type);
    const char *text =
        adds ? bst_arena_printf(l->arena, "%s + (has(event.%s) ? event.%s : 0)", name, name, name)
             : bst_arena_printf(l->arena, "has(event.%s) ? event.%s : %s", name, name, name);
    *ret_failed = !text;
    return text;
}
