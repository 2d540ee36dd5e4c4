/* The old side of a comparison: the rows of a part in the order of their keys, as the source has
 * them at its moment; or, with what the log says since laid over them, as they were at a later
 * place in the log.
 */
#include "compare_private.h"

#include <string.h>

int bst__keys_compare(const char *a, size_t a_len, const char *b, size_t b_len) {
    const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

bst_status bst__old_rows_open(bst__old_rows *rows, const bst__compare_part *part,
                              const bst_source_spec *spec, bst_diags *diags) {
    rows->part = part;
    rows->arena = bst_arena_new();
    if (!rows->arena) {
        return bst_diag_nomem(diags);
    }
    bst_status status =
        bst_source_open_at(part->options.from, spec, part->options.moment, &rows->source, diags);
    if (status == BST_OK) {
        status = bst_source_keep(rows->source, &part->keys, diags);
    }
    return status;
}

void bst__old_rows_release(bst__old_rows *rows) {
    bst_source_free(rows->source);
    bst_arena_free(rows->arena);
}

/* The next entry of the part that lies over the rows; NULL: no more. */
static const bst__overlay_row *next_over(bst__old_rows *rows) {
    const bst__overlay *overlay = rows->part->overlay;
    for (; overlay && rows->next < overlay->count; rows->next++) {
        const bst__overlay_row *entry = overlay->rows[rows->next];
        if (bst_key_part_has(&rows->part->keys, entry->key, entry->key_len)) {
            return entry;
        }
    }
    return NULL;
}

static bst_status not_sent(const bst__overlay_row *entry, bst_diags *diags) {
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "value-not-sent", NULL,
                 "the row of %.*s got its key while both sides were read, and the log does not say "
                 "what one of its large values is",
                 (int)entry->key_len, entry->key);
    bst_diag_hint(diags, "Compare again: a moment later it has had that key all the time.");
    return BST_RETRY;
}

/* The row as the log has it; what was not sent, because it is large and did not change, is what the
 * row at hand has (NULL: there is none). */
static bst_status row_of(bst__old_rows *rows, const bst__overlay_row *entry, const bst_row *at_hand,
                         bst_diags *diags) {
    const bst__table *table = entry->table;
    const size_t count = table->mapping->source.column_count;
    bst_arena_clear(rows->arena);
    bst_cell *cells = bst_arena_array(rows->arena, count, sizeof *cells);
    const bst_status status =
        cells ? bst__table_row(table, &entry->image, rows->arena, &rows->row, diags)
              : bst_diag_nomem(diags);
    if (status != BST_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        cells[i] = rows->row.cells[i];
        const uint32_t column = table->column_at[i];
        if (column >= entry->image.count || entry->image.values[column].form != BST_WAL_UNCHANGED) {
            continue;
        }
        if (!at_hand) {
            return not_sent(entry, diags);
        }
        cells[i] = at_hand->cells[i];
    }
    rows->row.cells = cells;
    rows->row.key = entry->key;
    rows->row.key_len = entry->key_len;
    return BST_OK;
}

static int compare(const bst_row *row, const bst__overlay_row *entry) {
    return !row     ? 1
           : !entry ? -1
           : row->key_is_null
               ? -1
               : bst__keys_compare(row->key, row->key_len, entry->key, entry->key_len);
}

bst_status bst__old_rows_next(bst__old_rows *rows, const bst_row **ret, bst_diags *diags) {
    const bool emptied = rows->part->overlay && rows->part->overlay->emptied;
    for (;;) {
        if (!rows->held && !rows->ended) {
            const bst_status status = bst_source_next(rows->source, &rows->held, diags);
            if (status != BST_OK) {
                return status;
            }
            rows->ended = !rows->held;
        }
        const bst_row *held = rows->held;
        const bst__overlay_row *entry = next_over(rows);
        const int order = compare(held, entry);
        if (order <= 0) {
            rows->held = NULL;
        }
        if (order < 0 && !emptied) {
            *ret = held;
            return BST_OK;
        }
        if (order < 0) {
            continue;
        }
        if (!entry) {
            *ret = NULL;
            return BST_OK;
        }
        rows->next++;
        if (!entry->gone) {
            *ret = &rows->row;
            return row_of(rows, entry, order == 0 ? held : NULL, diags);
        }
    }
}
