/* A row and a history, field by field. All fields are looked at before any difference is told, so
 * that each can say how far the entity differs. Fields that the mapping does not give are left out.
 */
#include "compare_private.h"

bool bst_compare_tolerates(const bst_type *type) {
    switch (type->kind) {
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
    case BST_KIND_DECIMAL:
    case BST_KIND_DATE:
    case BST_KIND_TIMESTAMPTZ:
        return true;
    default:
        return false;
    }
}

/* Infinities are near to nothing but themselves. */
static bool is_near(const bst_type *type, int64_t a, int64_t b, int64_t tolerance) {
    if (type->kind == BST_KIND_TIMESTAMPTZ && !(bst_time_is_finite(a) && bst_time_is_finite(b))) {
        return false;
    }
    uint64_t distance = a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
    return distance <= (uint64_t)tolerance;
}

static bool field_differs(bst__entity_comparer *comparer, uint32_t field, const bst_value *old,
                          const bst_value *new) {
    const bst_type *type = &comparer->mapping->machine->fields[field].type;
    const int64_t *tolerance = comparer->options->tolerance;
    if (comparer->mapping->fields[field].kind == BST_FROM_NOTHING ||
        bst_value_equal(type, old, new)) {
        return false;
    }
    if (tolerance && tolerance[field] > 0 && old->present &&
        new->present &&is_near(type, old->u.i, new->u.i, tolerance[field])) {
        comparer->figures->tolerated++;
        return false;
    }
    return true;
}

static const char *text_of(const bst_type *type, const bst_value *value, bst_strbuf *text) {
    bst_strbuf_clear(text);
    if (!value->present) {
        return NULL;
    }
    bst_value_to_text(type, value, text);
    return text->text;
}

static bst_status tell(bst__entity_comparer *comparer, const bst_difference *difference) {
    const bst_compare_options *options = comparer->options;
    comparer->figures->field_differences++;
    return options->on_difference ? options->on_difference(options->context, difference) : BST_OK;
}

static bst_status tell_fields(bst__entity_comparer *comparer, bst_difference *difference,
                              const bst_entity *old, const bst_entity *new) {
    const bst_machine *machine = comparer->mapping->machine;
    bst_status status = BST_OK;
    for (uint32_t f = 0; status == BST_OK && f < machine->field_count; f++) {
        if (comparer->differs[f]) {
            const bst_type *type = &machine->fields[f].type;
            difference->field = f;
            difference->old_text = text_of(type, &old->fields[f], &comparer->old_text);
            difference->new_text = text_of(type, &new->fields[f], &comparer->new_text);
            status = tell(comparer, difference);
        }
    }
    return status;
}

bst_status bst__entities_compare(bst__entity_comparer *comparer, const bst_row *row,
                                 const bst_entity *old, const bst_entity *new) {
    const bst_machine *machine = comparer->mapping->machine;
    bst_compare_figures *figures = comparer->figures;
    bool state = old->state != new->state;
    bool fields = false;
    for (uint32_t f = 0; f < machine->field_count; f++) {
        comparer->differs[f] = field_differs(comparer, f, &old->fields[f], &new->fields[f]);
        fields = fields || comparer->differs[f];
    }
    if (!state && !fields) {
        figures->equal++;
        return BST_OK;
    }
    bst_difference difference = {.kind = BST_DIFFERS,
                                 .extent = !fields  ? BST_EXTENT_STATE
                                           : !state ? BST_EXTENT_FIELDS
                                                    : BST_EXTENT_BOTH,
                                 .key = row->key,
                                 .key_len = row->key_len,
                                 .field = BST_NONE,
                                 .old_text = machine->states[old->state].name,
                                 .new_text = machine->states[new->state].name};
    figures->different++;
    figures->by_extent[difference.extent]++;
    bst_status status = state ? tell(comparer, &difference) : BST_OK;
    return status == BST_OK ? tell_fields(comparer, &difference, old, new) : status;
}
