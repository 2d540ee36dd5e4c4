/* The key of a row in the log, and the name under which an entity is kept whose key can be none.
 *
 * A row without a usable key has no history, but it is set aside as any other: under the empty name
 * where its key is empty or NULL; under a shortened one, with a digest behind it, where it is so
 * long that no index holds it. Neither can be the key of an entity that has a history: a shortened
 * name is still longer than those may be. */
#include "follow_private.h"

#include <string.h>

#include "backstory/digest.h"
#include "source/source_private.h"

const bst_wal_value *bst__wal_value(const bst_wal_tuple *row, uint32_t column) {
    static const bst_wal_value nothing = {.form = BST_WAL_NULL};
    return row && column < row->count ? &row->values[column] : &nothing;
}

/* A long one that did not change is in the old row alone. */
static const bst_wal_value *part_of(const bst_wal_tuple *row, const bst_wal_tuple *old_row,
                                    uint32_t column) {
    const bst_wal_value *const value = bst__wal_value(row, column);
    return value->form == BST_WAL_UNCHANGED && old_row ? bst__wal_value(old_row, column) : value;
}

bst__key_result bst__table_key(const bst__table *t, const bst_wal_tuple *row,
                               const bst_wal_tuple *old_row, bst_arena *arena, bst_text *ret) {
    const bst_source_spec *const spec = &t->mapping->source;
    bst_strbuf key = BST_STRBUF_INIT;
    bst__key_result result = BST__KEY_OK;
    for (size_t i = 0; i < spec->key_count; i++) {
        const bst_wal_value *const value = part_of(row, old_row, t->key_at[i]);
        if (value->form == BST_WAL_TEXT)
            bst__key_add(&key, spec, i, value->text, value->len);
        else if (result != BST__KEY_UNSENT)
            result = value->form == BST_WAL_NULL ? BST__KEY_NULL : BST__KEY_UNSENT;
    }
    *ret = (bst_text){"", 0};
    if (result == BST__KEY_OK && key.len > 0)
        *ret = (bst_text){bst_arena_strndup(arena, key.text, key.len), key.len};
    if (key.failed || !ret->text)
        result = BST__KEY_NOMEM;
    bst_strbuf_release(&key);
    return result;
}

bool bst__key_name(const char *key, size_t len, bst_arena *arena, bst_text *ret) {
    *ret = (bst_text){key, len};
    if (len <= BST_KEY_BYTES_MAX)
        return true;
    char digest[BST_SHA256_HEX];
    size_t kept = BST_KEY_BYTES_MAX;
    while (kept > 0 && ((unsigned char)key[kept] & 0xc0) == 0x80) /* not within a letter */
        kept--;
    bst_sha256_hex(key, len, digest);
    ret->text = bst_arena_printf(arena, "%.*s...%s", (int)kept, key, digest);
    ret->len = kept + strlen("...") + BST_SHA256_HEX - 1;
    return ret->text != NULL;
}
