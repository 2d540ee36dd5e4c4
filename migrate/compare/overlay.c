/* What the log says of rows after the moment at which they are read: of each key the last image, or
 * that the row is gone. Laid over the rows (old_rows.c) it makes them those of a later place in the
 * log.
 */
#include "compare_private.h"

#include <stdlib.h>
#include <string.h>

bst__overlay *bst__overlay_new(void) {
    bst__overlay *overlay = calloc(1, sizeof *overlay);
    if (overlay && !(overlay->arena = bst_arena_new())) {
        free(overlay);
        return NULL;
    }
    return overlay;
}

bst__overlay *bst__overlay_free(bst__overlay *overlay) {
    if (overlay) {
        HASH_CLEAR(hh, overlay->all);
        while (overlay->tables) {
            bst__overlay_table *first = overlay->tables;
            overlay->tables = first->next;
            bst__table_free(first->table);
            free(first);
        }
        bst_arena_free(overlay->arena);
        free(overlay);
    }
    return NULL;
}

bool bst__overlay_describe(bst__overlay *overlay, bst__table *table) {
    bst__overlay_table *entry = calloc(1, sizeof *entry);
    if (!entry) {
        bst__table_free(table);
        return false;
    }
    *entry = (bst__overlay_table){table, overlay->tables};
    overlay->tables = entry;
    return true;
}

static bst__overlay_row *find(const bst__overlay *overlay, const bst_text *key) {
    bst__overlay_row *row = NULL;
    HASH_FIND(hh, overlay->all, key->text, key->len, row);
    return row;
}

static bst__overlay_row *find_or_add(bst__overlay *overlay, const bst_text *key) {
    bst__overlay_row *row = find(overlay, key);
    if (row) {
        return row;
    }
    row = bst_arena_alloc(overlay->arena, sizeof *row);
    const char *copy = bst_arena_strndup(overlay->arena, key->text, key->len);
    if (!row || !copy) {
        return NULL;
    }
    *row = (bst__overlay_row){.key = copy, .key_len = key->len, .gone = true};
    HASH_ADD_KEYPTR(hh, overlay->all, row->key, row->key_len, row);
    return row->lost ? NULL : row;
}

/* The value of the same column in an image before; NULL: it has none. A table is described again
 * now and then, whether it was changed or not. */
static const bst_wal_value *value_before(const bst__overlay_row *before, const bst__table *table,
                                         uint16_t column) {
    uint32_t at = column;
    if (!before || before->gone) {
        return NULL;
    }
    if (before->table != table) {
        for (at = 0; at < before->table->column_count &&
                     strcmp(before->table->names[at], table->names[column]) != 0;) {
            at++;
        }
    }
    return at < before->image.count ? &before->image.values[at] : NULL;
}

/* A value that was not sent is that of the image before. */
static bool copy_values(bst__overlay *overlay, const bst_wal_tuple *from,
                        const bst__overlay_row *before, bst_wal_value *to) {
    const bst__table *table = overlay->tables->table;
    for (uint16_t i = 0; i < from->count; i++) {
        to[i] = from->values[i];
        if (to[i].form == BST_WAL_UNCHANGED && i < table->column_count) {
            const bst_wal_value *value = value_before(before, table, i);
            to[i] = value ? *value : to[i];
        } else if (to[i].form == BST_WAL_TEXT) {
            to[i].text = bst_arena_strndup(overlay->arena, to[i].text, to[i].len);
            if (!to[i].text) {
                return false;
            }
        }
    }
    return true;
}

bool bst__overlay_put(bst__overlay *overlay, const bst_text *key, const bst_text *old_key,
                      const bst_wal_tuple *image) {
    bst_wal_value *values = bst_arena_array(overlay->arena, image->count, sizeof *values);
    const bst__overlay_row *before = find(overlay, old_key ? old_key : key);
    if (!values || !copy_values(overlay, image, before, values)) {
        return false;
    }
    if (old_key && !bst__overlay_remove(overlay, old_key)) {
        return false;
    }
    bst__overlay_row *row = find_or_add(overlay, key);
    if (!row) {
        return false;
    }
    row->gone = false;
    row->table = overlay->tables->table;
    row->image = (bst_wal_tuple){image->count, values};
    return true;
}

bool bst__overlay_remove(bst__overlay *overlay, const bst_text *key) {
    bst__overlay_row *row = find_or_add(overlay, key);
    if (row) {
        row->gone = true;
    }
    return row != NULL;
}

void bst__overlay_empty(bst__overlay *overlay) {
    overlay->emptied = true;
    for (bst__overlay_row *row = overlay->all; row; row = row->hh.next) {
        row->gone = true;
    }
}

static int compare_rows(const void *a, const void *b) {
    const bst__overlay_row *one = *(bst__overlay_row *const *)a;
    const bst__overlay_row *other = *(bst__overlay_row *const *)b;
    return bst__keys_compare(one->key, one->key_len, other->key, other->key_len);
}

bool bst__overlay_sort(bst__overlay *overlay) {
    overlay->count = HASH_COUNT(overlay->all);
    overlay->rows = bst_arena_array(overlay->arena, overlay->count, sizeof(bst__overlay_row *));
    if (!overlay->rows) {
        return false;
    }
    size_t at = 0;
    for (bst__overlay_row *row = overlay->all; row; row = row->hh.next) {
        overlay->rows[at++] = row;
    }
    qsort(overlay->rows, overlay->count, sizeof(bst__overlay_row *), compare_rows);
    return true;
}
