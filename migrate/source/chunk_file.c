/* Chunks of files: a file always comes out in the order of keys, so a chunk is the rows from one
 * place in that order to another.
 *
 *     {}                       all rows
 *     {"rows": [0, 50000]}     the first 50,000 of them; null: to the end
 *
 * How many rows there are is known only when all are read, so the number of chunks is a guess from
 * the file's size, and the last one is open. A source is read forward only.
 */
#include <inttypes.h>
#include <sys/stat.h>

#include <jansson.h>

#include "backstory/clock.h"
#include "source_private.h"

bool bst_source_is_file(const char *from) {
    struct stat st;
    return stat(from, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

bst_status bst__file_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                           const char *const **ret, size_t *ret_count, bst_diags *diags) {
    const uint64_t rows = source->ops->expected(source);
    const size_t count = cut->by_place || rows <= cut->rows ? 1 : (size_t)(rows / cut->rows);
    const char **const bounds = bst_arena_array(arena, count, sizeof *bounds);
    bool failed = !bounds;
    for (size_t i = 0; !failed && i < count; i++) {
        const uint64_t from = i * cut->rows;
        bounds[i] = i + 1 < count ? bst_arena_printf(arena, "{\"rows\":[%" PRIu64 ",%" PRIu64 "]}",
                                                     from, from + cut->rows)
                                  : bst_arena_printf(arena, "{\"rows\":[%" PRIu64 ",null]}", from);
        failed = !bounds[i];
    }
    *ret = bounds;
    *ret_count = count;
    return failed ? bst_diag_nomem(diags) : BST_OK;
}

const char *bst__file_one_reader(const bst_source *source) {
    (void)source;
    return "a file";
}

bst_status bst__file_select(bst_source *source, const char *bounds, bst_diags *diags) {
    json_t *const json = json_loads(bounds, 0, NULL);
    const json_t *const rows = json_object_get(json, "rows");
    const json_t *const from = json_array_get(rows, 0), *const to = json_array_get(rows, 1);
    bst_status status = BST_OK;
    source->limited = true;
    source->begin = (uint64_t)json_integer_value(from);
    source->end = json_is_integer(to) ? (uint64_t)json_integer_value(to) : UINT64_MAX;
    if (!json_is_object(json) || (rows && !json_is_integer(from)))
        status = bst_diag_add(diags, BST_DATABASE, BST_ERROR, "bad-chunk", NULL,
                              "the store says of a chunk what no reader can have written: %.200s",
                              bounds);
    else if (source->begin < source->place)
        status = bst_diag_add(diags, BST_INTERNAL, BST_ERROR, "bad-call", NULL,
                              "a file is read forward only");
    json_decref(json);
    return status;
}

bst_status bst__file_next(bst_source *source, const bst_row **ret_row, bst_diags *diags) {
    *ret_row = NULL;
    while (source->place < source->end) {
        const bst_status status = source->ops->next(source, ret_row, diags);
        if (status != BST_OK || !*ret_row)
            return status;
        if (source->place++ >= source->begin)
            return BST_OK;
        *ret_row = NULL;
    }
    return BST_OK;
}

bst_status bst__file_identity(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    bst_strbuf_addc(out, '{');
    const bst_status status = source->ops->digest(source, out, diags);
    bst_strbuf_addc(out, '}');
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

/* A file has no moments of its own: the one at which it is first asked for. */
bst_status bst__file_moment(bst_source *source, bst_source_moment *ret, bst_diags *diags) {
    (void)diags;
    if (!*source->asked_at)
        bst_time_format(bst_clock_now(), source->asked_at);
    *ret = (bst_source_moment){.taken_at = source->asked_at};
    return BST_OK;
}
