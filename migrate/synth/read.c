/* Cells into values. A mapping says which column a value comes from; here the row is asked,
 * converted to the machine's type, and refused in words when that cannot be done exactly.
 */
#include "synth_private.h"

#include "backstory/decimal.h"

#include "mapping/mapping_private.h"

/* ---- expressions over the row ---- */

static void collect_columns(const bst_expr *expr, uint32_t *columns, uint32_t *count) {
    if (expr->op == BST_EXPR_REF && expr->root == BST_ROOT_ROW) {
        for (uint32_t i = 0; i < *count; i++) {
            if (columns[i] == expr->index) {
                return;
            }
        }
        columns[(*count)++] = expr->index;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        collect_columns(expr->args[i], columns, count);
    }
}

bool bst__row_expr_init(bst_synth *synth, const bst_expr *expr, bst__row_expr *ret) {
    *ret = (bst__row_expr){expr, 0, NULL};
    if (!expr) {
        return true;
    }
    uint32_t *columns =
        bst_arena_array(synth->arena, synth->mapping->source.column_count, sizeof *columns);
    if (!columns) {
        return false;
    }
    collect_columns(expr, columns, &ret->column_count);
    ret->columns = columns;
    return true;
}

/* Refuses when the cell does not have its type. */
static bool cell_good(bst_synth *synth, const bst_row *row, uint32_t column) {
    if (row->cells[column].result == BST_VALUE_OK) {
        return true;
    }
    bst__refuse_cell(synth, row, column);
    return false;
}

bool bst__row_eval(bst_synth *synth, const bst__row_expr *expr, const bst_row *row,
                   bst_value *ret) {
    for (uint32_t i = 0; i < expr->column_count; i++) {
        uint32_t column = expr->columns[i];
        const bst_source_column *source = &synth->mapping->source.columns[column];
        if (!cell_good(synth, row, column)) {
            return false;
        }
        synth->record[column] = row->cells[column].value;
        if (!synth->record[column].present && !source->type.optional) {
            bst__refuse(synth, BST_REASON_MISSING_VALUE);
            bst__blame(synth, column);
            bst_strbuf_addf(&synth->refusal.message,
                            "%s is NULL, but the mapping declares that it never is", source->name);
            return false;
        }
    }
    bst_records records = {{NULL}};
    records.root[BST_ROOT_ROW] = synth->record;
    if (bst_expr_eval(expr->expr, &records, ret) == BST_EVAL_OK) {
        return true;
    }
    bst__refuse(synth, BST_REASON_OVERFLOW);
    bst_strbuf_adds(&synth->refusal.message, "the expression ");
    bst_expr_format(expr->expr, &synth->refusal.message);
    bst_strbuf_adds(&synth->refusal.message, " leaves its range");
    for (uint32_t i = 0; i < expr->column_count; i++) {
        bst__blame(synth, expr->columns[i]);
    }
    return false;
}

bool bst__in_scope(bst_synth *synth, const bst_row *row, bool *reterr) {
    *reterr = false;
    if (!row->in_scope) {
        return false;
    }
    bst_value holds;
    if (!synth->where.expr) {
        return true;
    }
    if (!bst__row_eval(synth, &synth->where, row, &holds)) {
        *reterr = true;
        return false;
    }
    return holds.present && holds.u.i != 0;
}

/* ---- cells ---- */

static bool is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR;
}

static bst_value_result of_decimal(bst_decimal_result result) {
    switch (result) {
    case BST_DECIMAL_OK:
        return BST_VALUE_OK;
    case BST_DECIMAL_SYNTAX:
        return BST_VALUE_SYNTAX;
    case BST_DECIMAL_OVERFLOW:
        return BST_VALUE_RANGE;
    case BST_DECIMAL_INEXACT:
        break;
    }
    return BST_VALUE_INEXACT;
}

bst_value_result bst__cell_convert(const bst_type *from, int minor_digits, const bst_type *to,
                                   const bst_value *value, bst_arena *arena, bst_value *ret) {
    if (is_text(to->kind) && is_text(from->kind)) {
        return bst_value_parse(to, value->u.text, value->len, arena, ret);
    }
    *ret = *value;
    if (to->kind == BST_KIND_DECIMAL) {
        int scale = from->kind == BST_KIND_DECIMAL ? from->scale : 0;
        scale += minor_digits > 0 ? minor_digits : 0;
        return scale > BST_DECIMAL_DIGITS_MAX
                   ? BST_VALUE_INEXACT
                   : of_decimal(bst_decimal_rescale(value->u.i, scale, to->scale, to->precision,
                                                    &ret->u.i));
    }
    bool fits = true;
    if (to->kind == BST_KIND_INT2) {
        fits = value->u.i >= INT16_MIN && value->u.i <= INT16_MAX;
    } else if (to->kind == BST_KIND_INT4) {
        fits = value->u.i >= INT32_MIN && value->u.i <= INT32_MAX;
    }
    return fits ? BST_VALUE_OK : BST_VALUE_RANGE;
}

/* ---- getters ---- */

bool bst__getter_init(bst_synth *synth, const bst_value_from *from, const bst_type *type,
                      bst__getter *ret) {
    *ret = (bst__getter){.from = from, .type = type};
    if (from->kind == BST_FROM_COLUMN) {
        bst_type column = synth->mapping->source.columns[from->column].type;
        column.optional = type->optional;
        ret->plain = from->minor_digits < 0 && bst_type_equal(&column, type);
    }
    return from->kind != BST_FROM_EXPR || bst__row_expr_init(synth, from->expr, &ret->expr);
}

void bst__getter_columns(bst_synth *synth, const bst__getter *getter) {
    if (getter->from->kind == BST_FROM_COLUMN) {
        bst__blame(synth, getter->from->column);
    }
    for (uint32_t i = 0; i < getter->expr.column_count; i++) {
        bst__blame(synth, getter->expr.columns[i]);
    }
}

static bool get_column(bst_synth *synth, const bst__getter *getter, const bst_row *row,
                       bst_value *ret) {
    uint32_t column = getter->from->column;
    const bst_cell *cell = &row->cells[column];
    if (!cell_good(synth, row, column)) {
        return false;
    }
    if (!cell->value.present || getter->plain) {
        *ret = cell->value.present ? cell->value : getter->from->default_value;
        return true;
    }
    const bst_source_column *source = &synth->mapping->source.columns[column];
    bst_value_result result = bst__cell_convert(&source->type, getter->from->minor_digits,
                                                getter->type, &cell->value, synth->scratch, ret);
    if (result == BST_VALUE_OK) {
        return true;
    }
    bst__refuse(synth, BST_REASON_BAD_VALUE);
    bst__blame(synth, column);
    bst_strbuf_addf(&synth->refusal.message, "%s ", source->name);
    bst_value_to_text(&source->type, &cell->value, &synth->refusal.message);
    bst__add_unread(getter->type, result, &synth->refusal.message);
    return false;
}

bool bst__getter_get(bst_synth *synth, const bst__getter *getter, const bst_row *row,
                     bst_value *ret) {
    switch (getter->from->kind) {
    case BST_FROM_NOTHING:
        *ret = BST_ABSENT;
        return true;
    case BST_FROM_COLUMN:
        return get_column(synth, getter, row, ret);
    case BST_FROM_EXPR:
        break;
    }
    return bst__row_eval(synth, &getter->expr, row, ret);
}

/* ---- the entity ---- */

/* Blames a state column: "shipment_status \"packed\"". */
static void blame_status(bst_synth *synth, const bst_value *values, uint32_t c) {
    const uint32_t column = synth->mapping->state_columns[c].column;
    bst_strbuf *message = &synth->refusal.message;
    bst__blame(synth, column);
    bst_strbuf_addf(message, "%s ", synth->mapping->source.columns[column].name);
    if (values[c].present) {
        bst_strbuf_add_json(message, values[c].u.text, values[c].len);
    } else {
        bst_strbuf_adds(message, "is NULL");
    }
}

static void refuse_state(bst_synth *synth, const bst_value *values,
                         const bst_state_reading *reading) {
    const bst_mapping *mapping = synth->mapping;
    if (reading->verdict == BST_STATE_UNKNOWN) {
        bst__refuse(synth, BST_REASON_UNKNOWN_STATE);
        blame_status(synth, values, reading->column);
        if (values[reading->column].present) {
            bst_strbuf_adds(&synth->refusal.message, " is no state that the mapping knows");
        }
        return;
    }
    bst__refuse(synth, BST_REASON_IMPOSSIBLE_STATE);
    const char *between = "";
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (reading->asked[c]) {
            bst_strbuf_adds(&synth->refusal.message, between);
            blame_status(synth, values, c);
            between = ", ";
        }
    }
    bst_strbuf_adds(&synth->refusal.message, " name no state that the machine can be in");
    bst__map_mend_state(mapping, reading, &synth->refusal.repair);
}

bool bst__read_state(bst_synth *synth, const bst_row *row, uint32_t *ret_state) {
    const bst_mapping *mapping = synth->mapping;
    bst_value values[BST_STATE_COLUMNS_MAX];
    bst_state_reading reading;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const uint32_t column = mapping->state_columns[c].column;
        if (!cell_good(synth, row, column)) {
            return false;
        }
        values[c] = row->cells[column].value;
    }
    bst_mapping_read_state(mapping, values, &reading);
    if (reading.verdict != BST_STATE_KNOWN) {
        refuse_state(synth, values, &reading);
        return false;
    }
    *ret_state = reading.state;
    return true;
}

bool bst__read_fields(bst_synth *synth, const bst_row *row, uint32_t *reterr_field) {
    for (uint32_t i = 0; i < synth->mapped_count; i++) {
        const uint32_t f = synth->mapped[i];
        const bst__getter *getter = &synth->fields[f];
        *reterr_field = f;
        if (!bst__getter_get(synth, getter, row, &synth->expected[f])) {
            return false;
        }
        if (!synth->expected[f].present && !getter->type->optional) {
            bst__refuse(synth, BST_REASON_MISSING_VALUE);
            bst__getter_columns(synth, getter);
            for (uint32_t k = 0; k < synth->refusal.evidence_count; k++) {
                bst_strbuf_addf(&synth->refusal.message, "%s%s", k > 0 ? ", " : "",
                                synth->mapping->source.columns[synth->refusal.evidence[k]].name);
            }
            bst_strbuf_addf(&synth->refusal.message, " is NULL, but field \"%s\" must have a value",
                            synth->machine->fields[f].name);
            return false;
        }
    }
    return true;
}
