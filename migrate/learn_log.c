/* The rows of a log, entity by entity, in the order of keys: so they are joined with the legacy
 * rows as both are read, in the memory of one entity.
 */
#include "learn_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backstory/sink.h"

typedef struct entry {
    uint32_t state;
    int64_t order[BST_LOG_ORDER_MAX + 1]; /* the time last */
    uint64_t number;
} entry;

struct bst__log_reader {
    const bst_mapping *mapping;
    const bst_log *log;
    bst_source *source;
    const bst_row *row; /* read, not yet used; NULL: the end */
    entry *entries;
    uint32_t *states;
    size_t count, room;
};

/* Where the log's table is: beside the file of the rows. The caller frees it. */
static char *place_of(const char *from) {
    struct stat st;
    if (bst_is_connection_string(from) || (stat(from, &st) == 0 && S_ISDIR(st.st_mode)))
        return strdup(from);
    const char *const slash = strrchr(from, '/');
    return slash ? strndup(from, (size_t)(slash - from) + 1) : strdup(".");
}

bst_status bst__log_open(const bst_mapping *mapping, const char *from, bst__log_reader **ret,
                         bst_diags *diags) {
    bst__log_reader *reader = calloc(1, sizeof *reader);
    char *const place = place_of(from);
    bst_status status = reader && place ? BST_OK : bst_diag_nomem(diags);
    if (status == BST_OK) {
        reader->mapping = mapping;
        reader->log = mapping->log;
        status = bst_source_open(place, &mapping->log->source, &reader->source, diags);
    }
    if (status == BST_OK)
        status = bst_source_next(reader->source, &reader->row, diags);
    free(place);
    if (status != BST_OK)
        reader = bst__log_free(reader);
    *ret = reader;
    return status;
}

bst__log_reader *bst__log_free(bst__log_reader *reader) {
    if (reader) {
        bst_source_free(reader->source);
        free(reader->entries);
        free(reader->states);
        free(reader);
    }
    return NULL;
}

static int compare_entries(const void *a, const void *b) {
    const entry *const x = a, *const y = b;
    for (size_t i = 0; i <= BST_LOG_ORDER_MAX; i++) {
        if (x->order[i] != y->order[i])
            return x->order[i] < y->order[i] ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool grow(bst__log_reader *reader) {
    const size_t room = reader->room > 0 ? reader->room * 2 : 64;
    entry *const entries = realloc(reader->entries, room * sizeof *entries);
    if (entries)
        reader->entries = entries;
    uint32_t *const states = entries ? realloc(reader->states, room * sizeof *states) : NULL;
    if (!states)
        return false;
    reader->states = states;
    reader->room = room;
    return true;
}

static int64_t number_in(const bst_row *row, uint32_t column) {
    const bst_cell *const cell = column == BST_NONE ? NULL : &row->cells[column];
    return cell && cell->result == BST_VALUE_OK && cell->value.present ? cell->value.u.i
                                                                       : INT64_MIN;
}

/* A row without a state says nothing of it: an audit table has such rows for other columns. */
static bool take_row(bst__log_reader *reader) {
    const bst_row *const row = reader->row;
    const bst_cell *const to = &row->cells[reader->log->to];
    if (to->result == BST_VALUE_OK && !to->value.present)
        return true;
    if (reader->count == reader->room && !grow(reader))
        return false;
    entry *const made = &reader->entries[reader->count++];
    *made = (entry){.state = BST_NONE, .number = row->number};
    if (to->result == BST_VALUE_OK)
        made->state = bst_mapping_state(reader->mapping, to->value.u.text, to->value.len);
    for (uint32_t i = 0; i < reader->log->order_count; i++)
        made->order[i] = number_in(row, reader->log->order[i]);
    made->order[BST_LOG_ORDER_MAX] = number_in(row, reader->log->at);
    return true;
}

static int compare_keys(const bst_row *row, const char *key, size_t len) {
    if (row->key_is_null)
        return -1;
    const size_t least = row->key_len < len ? row->key_len : len;
    const int order = least > 0 ? memcmp(row->key, key, least) : 0;
    return order != 0 ? order : (row->key_len > len) - (row->key_len < len);
}

bst_status bst__log_states(bst__log_reader *reader, const char *key, size_t key_len,
                           const uint32_t **ret, uint32_t *ret_count, bst_diags *diags) {
    int order = -1;
    reader->count = 0;
    while (reader->row && (order = compare_keys(reader->row, key, key_len)) <= 0) {
        if (order == 0 && !take_row(reader))
            return bst_diag_nomem(diags);
        const bst_status status = bst_source_next(reader->source, &reader->row, diags);
        if (status != BST_OK)
            return status;
    }
    *ret = NULL;
    *ret_count = (uint32_t)reader->count;
    if (reader->count == 0)
        return BST_OK;
    qsort(reader->entries, reader->count, sizeof *reader->entries, compare_entries);
    for (size_t i = 0; i < reader->count; i++)
        reader->states[i] = reader->entries[i].state;
    *ret = reader->states;
    return BST_OK;
}
