/* A mapping, the other way round: which column of the legacy table says what of an entity. Each
 * column once, in the order in which the mapping speaks of them: key, state, fields, evidence.
 */
#include "legacy_table.h"

#include <string.h>

typedef struct table {
    const bst_mapping *mapping;
    bst_arena *arena;
    bst_legacy_column *columns;
    uint32_t count, room;
} table;

static void add(table *t, const bst_legacy_column *column) {
    for (uint32_t i = 0; i < t->count; i++) {
        if (strcmp(t->columns[i].name, column->name) == 0)
            return;
    }
    if (t->count < t->room)
        t->columns[t->count++] = *column;
}

/* NULL: no column of the table, but an expression or a log. */
static const char *name_of(const table *t, uint32_t column) {
    const bst_source_column *c = &t->mapping->source.columns[column];
    return c->sql || c->log ? NULL : c->name;
}

/* As the file declares it: of a key the mapping itself needs no type. NULL: it does not. */
static const bst_type *declared_type(const table *t, const char *column) {
    const json_t *root = bst_json_source_root(t->mapping->json);
    const json_t *source = json_object_get(root, "source");
    const json_t *text = json_object_get(json_object_get(source, "columns"), column);
    bst_type *type = bst_arena_alloc(t->arena, sizeof *type);
    const char *reason;
    return type && json_is_string(text) &&
                   bst_type_parse(json_string_value(text), t->arena, type, &reason)
               ? type
               : NULL;
}

static void add_key(table *t) {
    const bst_source_spec *source = &t->mapping->source;
    for (uint32_t k = 0; k < source->key_count; k++)
        add(t, &(bst_legacy_column){.name = source->key[k],
                                    .from = BST_LEGACY_KEY,
                                    .number = k,
                                    .minor_digits = -1,
                                    .type = declared_type(t, source->key[k])});
}

/* The first code of each state, as the file has them. */
static bool add_state(table *t) {
    const bst_state_column *state = &t->mapping->state_columns[0];
    const uint32_t count = t->mapping->machine->state_count;
    const char **codes = bst_arena_array(t->arena, count, sizeof *codes);
    const char *name = name_of(t, state->column);
    if (!codes)
        return false;
    if (t->mapping->regional || !name)
        return true;
    for (uint32_t i = state->code_count; i-- > 0;) {
        if (state->codes[i].state != BST_NONE)
            codes[state->codes[i].state] = state->codes[i].text;
    }
    add(t, &(bst_legacy_column){
               .name = name, .from = BST_LEGACY_STATE, .minor_digits = -1, .codes = codes});
    return true;
}

static void add_fields(table *t) {
    for (uint32_t f = 0; f < t->mapping->machine->field_count; f++) {
        const bst_value_from *from = &t->mapping->fields[f];
        const char *name = from->kind == BST_FROM_COLUMN ? name_of(t, from->column) : NULL;
        if (name)
            add(t, &(bst_legacy_column){.name = name,
                                        .from = BST_LEGACY_FIELD,
                                        .number = f,
                                        .minor_digits = from->minor_digits});
    }
}

static bst_legacy_source source_of(const bst_evidence *e) {
    switch (e->kind) {
    case BST_EVIDENCE_CREATION:
        return BST_LEGACY_CREATED;
    case BST_EVIDENCE_LAST_CHANGE:
        return BST_LEGACY_CHANGED;
    case BST_EVIDENCE_COUNT:
        return BST_LEGACY_COUNT;
    default:
        return e->occurrence == BST_OCCURRENCE_FIRST ? BST_LEGACY_FIRST : BST_LEGACY_LAST;
    }
}

static void add_evidence(table *t) {
    for (uint32_t i = 0; i < t->mapping->evidence_count; i++) {
        const bst_evidence *e = &t->mapping->evidence[i];
        const char *name = name_of(t, e->column);
        if (name)
            add(t, &(bst_legacy_column){.name = name,
                                        .from = source_of(e),
                                        .minor_digits = -1,
                                        .transitions = e->transitions});
    }
}

const bst_legacy_table *cli_legacy_table(const bst_mapping *mapping, bst_arena *arena) {
    table t = {.mapping = mapping, .arena = arena};
    bst_legacy_table *ret = bst_arena_alloc(arena, sizeof *ret);
    t.room = (uint32_t)mapping->source.key_count + 1 + mapping->machine->field_count +
             mapping->evidence_count;
    t.columns = bst_arena_array(arena, t.room, sizeof *t.columns);
    if (!ret || !t.columns)
        return NULL;
    add_key(&t);
    if (!add_state(&t))
        return NULL;
    add_fields(&t);
    add_evidence(&t);
    *ret = (bst_legacy_table){mapping->file, mapping->source.table,
                              (uint32_t)mapping->source.key_count, t.count, t.columns};
    return ret;
}
