/* Large values that a change did not touch: the log does not send them, so a new row comes with
 * gaps.
 *
 * They are what they were before the change. That stands in the old row, where the log has it; else
 * in the last image of an entity in quarantine; else in the fields of an entity whose fold is its
 * row. The fields of one in quarantine are of an earlier row: what its image does not have is not
 * known, and the gap stays.
 */
#include "follow_private.h"

#include <jansson.h>

static const bst_wal_value gap = {.form = BST_WAL_UNCHANGED};

static bool has_gaps(const bst_wal_tuple *row) {
    for (uint16_t i = 0; i < row->count; i++) {
        if (row->values[i].form == BST_WAL_UNCHANGED)
            return true;
    }
    return false;
}

static bst_wal_value text_value(const char *text, size_t len) {
    return (bst_wal_value){.form = BST_WAL_TEXT, .len = (uint32_t)len, .text = text};
}

/* Of an image; its text is the image's. */
static bst_wal_value from_image(const json_t *image, const char *column) {
    const json_t *const json = json_object_get(image, column);
    if (json_is_null(json))
        return (bst_wal_value){.form = BST_WAL_NULL};
    return json_is_string(json) ? text_value(json_string_value(json), json_string_length(json))
                                : gap;
}

/* False: no memory. */
static bool fill_from_image(const bst__table *t, const char *text, bst_arena *arena,
                            bst_wal_value *values, uint16_t count) {
    json_t *const image = json_loads(text, 0, NULL);
    bool copied = true;
    for (uint16_t i = 0; i < count && i < t->column_count && copied; i++) {
        if (values[i].form != BST_WAL_UNCHANGED)
            continue;
        values[i] = from_image(image, t->names[i]);
        if (values[i].form == BST_WAL_TEXT) {
            values[i].text = bst_arena_strndup(arena, values[i].text, values[i].len);
            copied = values[i].text != NULL;
        }
    }
    json_decref(image);
    return copied;
}

/* A field as the server would print its column. False: no memory. */
static bool from_field(const bst__table *t, size_t column, const bst_value *value, bst_arena *arena,
                       bst_wal_value *ret) {
    *ret = (bst_wal_value){.form = BST_WAL_NULL};
    if (!value->present)
        return true;
    bst_strbuf text = BST_STRBUF_INIT;
    bst_value_to_text(&t->mapping->source.columns[column].type, value, &text);
    *ret = text_value(
        text.failed ? NULL : bst_arena_strndup(arena, text.len > 0 ? text.text : "", text.len),
        text.len);
    bst_strbuf_release(&text);
    return ret->text != NULL;
}

static bool fill_from_fields(const bst__table *t, const bst_value *fields, bst_arena *arena,
                             bst_wal_value *values, uint16_t count) {
    bool copied = true;
    for (size_t c = 0; c < t->mapping->source.column_count && copied; c++) {
        const uint32_t at = t->column_at[c];
        if (t->from_field[c] && at < count && values[at].form == BST_WAL_UNCHANGED)
            copied = from_field(t, c, &fields[t->field_of[c]], arena, &values[at]);
    }
    return copied;
}

bst_status bst__table_complete(const bst__table *t, const bst_wal_tuple *old_row,
                               const bst__known *before, bst_arena *arena, bst_wal_tuple *row,
                               bst_diags *diags) {
    if (!has_gaps(row))
        return BST_OK;
    bst_wal_value *const values = bst_arena_array(arena, row->count, sizeof *values);
    if (!values)
        return bst_diag_nomem(diags);
    for (uint16_t i = 0; i < row->count; i++) {
        const bool in_old =
            row->values[i].form == BST_WAL_UNCHANGED && old_row && i < old_row->count;
        values[i] = in_old ? old_row->values[i] : row->values[i];
    }
    bool copied = true;
    if (before->image)
        copied = fill_from_image(t, before->image, arena, values, row->count);
    else if (!before->quarantined && before->version > 0)
        copied = fill_from_fields(t, before->fields, arena, values, row->count);
    row->values = values;
    return copied ? BST_OK : bst_diag_nomem(diags);
}

const char *bst__table_unsent(const bst__table *t, const bst_wal_tuple *row) {
    for (size_t c = 0; c < t->mapping->source.column_count; c++) {
        const uint32_t at = t->column_at[c];
        if (t->from_field[c] && at < row->count && row->values[at].form == BST_WAL_UNCHANGED)
            return t->mapping->source.columns[c].name;
    }
    return NULL;
}
