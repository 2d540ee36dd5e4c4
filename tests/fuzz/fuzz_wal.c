/* Fuzz target: any bytes as a message of the log. What is understood lies wholly inside of them. */
#include <stdint.h>
#include <stdlib.h>

#include "backstory/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tuple(const bst_wal_tuple *tuple, const char *bytes, size_t size) {
    for (uint16_t i = 0; i < tuple->count; i++) {
        const bst_wal_value *const value = &tuple->values[i];
        if (value->len > 0 && (value->text < bytes || value->text > bytes + size ||
                               value->len > (size_t)(bytes + size - value->text)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_wal_message message;
    bst_arena *const arena = bst_arena_new();
    const char *const bytes = (const char *)data;
    if (!arena)
        abort();
    if (bst_wal_parse(bytes, size, arena, &message) == BST_WAL_OK) {
        check_tuple(&message.old_row, bytes, size);
        check_tuple(&message.new_row, bytes, size);
        for (uint16_t i = 0; i < message.column_count; i++) {
            if (!message.columns[i].name)
                abort();
        }
    }
    bst_arena_free(arena);
    return 0;
}
