/* A row and a history: the state, field by field, and the time of creation. All are looked at
 * before any difference is told, so that each can say how far the entity differs. Fields that the
 * mapping does not give are left out, and so is a creation that the history does not have from the
 * row's own column.
 */
#include "compare_private.h"

static const bst_type time_type = {.kind = BST_KIND_TIMESTAMPTZ};

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

const bst_evidence *bst__creation_of(const bst_mapping *mapping) {
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const bst_evidence *item = &mapping->evidence[i];
        if (item->kind == BST_EVIDENCE_CREATION && !item->when) {
            return item;
        }
    }
    return NULL;
}

const char *bst_compare_creation_column(const bst_mapping *mapping) {
    const bst_evidence *item = bst__creation_of(mapping);
    return item ? mapping->source.columns[item->column].name : NULL;
}

static bool creation_differs(bst__entity_comparer *comparer, const bst_row *row,
                             const int64_t *created) {
    if (!created) {
        return false;
    }
    const bst_cell *cell = &row->cells[comparer->creation->column];
    if (cell->result != BST_VALUE_OK || !cell->value.present) {
        return true;
    }
    if (cell->value.u.i == *created) {
        return false;
    }
    if (!is_near(&time_type, cell->value.u.i, *created, comparer->options->creation_tolerance)) {
        return true;
    }
    comparer->figures->tolerated++;
    return false;
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

static bst_status tell_creation(bst__entity_comparer *comparer, bst_difference *difference,
                                const bst_row *row, int64_t created) {
    const bst_cell *cell = &row->cells[comparer->creation->column];
    const bst_value new = {.present = true, .u.i = created};
    difference->field = BST_NONE;
    difference->creation = true;
    difference->old_text = text_of(&time_type, &cell->value, &comparer->old_text);
    difference->new_text = text_of(&time_type, &new, &comparer->new_text);
    if (cell->result != BST_VALUE_OK) {
        bst_strbuf_add(&comparer->old_text, cell->text, cell->text_len);
        difference->old_text = comparer->old_text.text;
    }
    return tell(comparer, difference);
}

/* False: nothing differs. What does among the fields is noted in the comparer. */
static bool find_extent(bst__entity_comparer *comparer, const bst_entity *old,
                        const bst_entity *new, bool creation, bst_extent *ret) {
    const bool state = old->state != new->state;
    bool fields = false;
    for (uint32_t f = 0; f < comparer->mapping->machine->field_count; f++) {
        comparer->differs[f] = field_differs(comparer, f, &old->fields[f], &new->fields[f]);
        fields = fields || comparer->differs[f];
    }
    *ret = state && fields ? BST_EXTENT_BOTH
           : state         ? BST_EXTENT_STATE
           : fields        ? BST_EXTENT_FIELDS
                           : BST_EXTENT_CREATION;
    return state || fields || creation;
}

bst_status bst__entities_compare(bst__entity_comparer *comparer, const bst_row *row,
                                 const bst_entity *old, const bst_entity *new,
                                 const int64_t *created, bool *ret_equal) {
    const bst_machine *machine = comparer->mapping->machine;
    bst_compare_figures *figures = comparer->figures;
    const bool creation = creation_differs(comparer, row, created);
    bst_extent extent;
    *ret_equal = !find_extent(comparer, old, new, creation, &extent);
    if (*ret_equal) {
        figures->equal++;
        return BST_OK;
    }
    bst_difference difference = {.kind = BST_DIFFERS,
                                 .extent = extent,
                                 .key = row->key,
                                 .key_len = row->key_len,
                                 .field = BST_NONE,
                                 .old_text = machine->states[old->state].name,
                                 .new_text = machine->states[new->state].name};
    figures->different++;
    figures->by_extent[extent]++;
    bst_status status = old->state != new->state ? tell(comparer, &difference) : BST_OK;
    if (status == BST_OK) {
        status = tell_fields(comparer, &difference, old, new);
    }
    return status == BST_OK && creation ? tell_creation(comparer, &difference, row, *created)
                                        : status;
}
