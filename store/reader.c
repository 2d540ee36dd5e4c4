/* A reader of either kind: streams are followed here, so that neither kind can hand out events that
 * do not follow one another.
 */
#include "backstory/reader.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/step.h"
#include "reader_private.h"

bst_status bst_reader_moment(bst_reader *reader, const char **ret, bst_diags *diags) {
    *ret = NULL;
    return reader->ops->moment ? reader->ops->moment(reader, ret, diags) : BST_OK;
}

bst_status bst_reader_cut(bst_reader *reader, uint32_t count, bst_arena *arena,
                          const char *const **ret_keys, size_t *ret_count, bst_diags *diags) {
    *ret_keys = NULL;
    *ret_count = 0;
    return reader->ops->cut && count > 1
               ? reader->ops->cut(reader, count, arena, ret_keys, ret_count, diags)
               : BST_OK;
}

bst_status bst_reader_mark(bst_reader *reader, const char *const *bounds, size_t count,
                           const bst_marks *before, bst_arena *arena, bst_marks *ret,
                           bst_diags *diags) {
    bst_marks_clear(ret, count);
    return reader->ops->mark ? reader->ops->mark(reader, bounds, count, before, arena, ret, diags)
                             : BST_OK;
}

bst_status bst_reader_next(bst_reader *reader, const bst_stored_event **ret_event,
                           bst_diags *diags) {
    if (reader->ended) {
        *ret_event = NULL;
        return BST_OK;
    }
    const bst_status status = reader->ops->next(reader, ret_event, diags);
    reader->ended = status != BST_OK || !*ret_event;
    return status;
}

bst_reader *bst_reader_free(bst_reader *reader) {
    if (reader)
        reader->ops->free(reader);
    return NULL;
}

bst_status bst__reader_init(bst_reader *reader, const bst__reader_ops *ops,
                            const bst_machine *machine, bst_diags *diags) {
    reader->ops = ops;
    reader->machine = machine;
    bst_strbuf_init(&reader->key);
    bst_strbuf_init(&reader->message);
    reader->arena = bst_arena_new();
    reader->fields = calloc(bst_machine_payload_max(machine) + 1u, sizeof *reader->fields);
    return reader->arena && reader->fields ? BST_OK : bst_diag_nomem(diags);
}

void bst__reader_release(bst_reader *reader) {
    bst_arena_free(reader->arena);
    free(reader->fields);
    bst_strbuf_release(&reader->key);
    bst_strbuf_release(&reader->message);
}

int bst__key_compare(const char *a, size_t a_len, const char *b, size_t b_len) {
    const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a_len > b_len) - (a_len < b_len);
}

bst__follows bst__reader_step(bst_reader *reader, const char *key, size_t len, int64_t version) {
    const int order =
        reader->version ? bst__key_compare(key, len, reader->key.text, reader->key.len) : 1;
    if (order < 0)
        return BST__EARLIER_KEY;
    if (version != (order == 0 ? reader->version + 1 : 1))
        return BST__WRONG_VERSION;
    if (order > 0) {
        bst_strbuf_clear(&reader->key);
        bst_strbuf_add(&reader->key, key, len);
        if (reader->key.failed)
            return BST__FOLLOWS_NOMEM;
    }
    reader->version = version;
    return BST__FOLLOWS;
}
