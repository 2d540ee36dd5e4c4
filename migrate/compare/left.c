/* What a comparison does not speak of: fields that no column gives, columns that only served to
 * find histories, columns that the mapping does not name. Said each time, for "equal" means only as
 * much as was looked at.
 */
#include "compare_private.h"

#include <string.h>

#include "synth/synth_private.h"

typedef struct left_list {
    bst_left_out *items;
    size_t count;
} left_list;

static bool add(left_list *list, bst_left_out_kind kind, const char *name, bst_arena *arena) {
    const char *copy = bst_arena_strdup(arena, name);
    list->items[list->count++] = (bst_left_out){kind, copy};
    return copy != NULL;
}

/* Whether the state, the time of creation or a field is read from the column. */
static bool is_compared(const bst_mapping *mapping, const bst_synth *synth, uint32_t column) {
    const bst_evidence *creation = bst__creation_of(mapping);
    if (bst_mapping_is_state(mapping, column) || (creation && creation->column == column)) {
        return true;
    }
    for (uint32_t f = 0; f < mapping->machine->field_count; f++) {
        const bst_value_from *from = &mapping->fields[f];
        const bst__row_expr *expr = &synth->fields[f].expr;
        if (from->kind == BST_FROM_COLUMN && from->column == column) {
            return true;
        }
        for (uint32_t i = 0; from->kind == BST_FROM_EXPR && i < expr->column_count; i++) {
            if (expr->columns[i] == column) {
                return true;
            }
        }
    }
    return false;
}

static bool is_named(const bst_source_spec *spec, const char *name) {
    for (size_t i = 0; i < spec->key_count; i++) {
        if (strcmp(spec->key[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < spec->column_count; i++) {
        if (strcmp(spec->columns[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_all(left_list *list, const bst_mapping *mapping, const bst_synth *synth,
                    const bst_source *source, bst_arena *arena) {
    const bst_source_spec *spec = &mapping->source;
    bool fine = true;
    for (uint32_t f = 0; f < mapping->machine->field_count; f++) {
        if (mapping->fields[f].kind == BST_FROM_NOTHING) {
            fine = fine && add(list, BST_LEFT_FIELD, mapping->machine->fields[f].name, arena);
        }
    }
    for (uint32_t i = 0; i < spec->column_count; i++) {
        if (!is_compared(mapping, synth, i)) {
            fine = fine && add(list, BST_LEFT_EVIDENCE, spec->columns[i].name, arena);
        }
    }
    for (size_t i = 0; i < bst_source_column_count(source); i++) {
        const char *name = bst_source_column_name(source, i);
        if (!is_named(spec, name)) {
            fine = fine && add(list, BST_LEFT_COLUMN, name, arena);
        }
    }
    return fine;
}

bst_status bst__left_out(const bst_mapping *mapping, const bst_synth *synth,
                         const bst_source *source, bst_arena *arena, const bst_left_out **ret,
                         size_t *ret_count, bst_diags *diags) {
    const size_t room = mapping->machine->field_count + mapping->source.column_count +
                        bst_source_column_count(source);
    left_list list = {.items = bst_arena_array(arena, room, sizeof *list.items)};
    if (!list.items || !add_all(&list, mapping, synth, source, arena)) {
        return bst_diag_nomem(diags);
    }
    *ret = list.items;
    *ret_count = list.count;
    return BST_OK;
}
