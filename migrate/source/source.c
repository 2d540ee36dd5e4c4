/* Sources of legacy rows, whatever their kind: each question goes to the kind of this one. */
#include "backstory/source.h"

#include "source_private.h"

bst_status bst_source_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                            const char *const **ret, size_t *ret_count, bst_diags *diags) {
    return source->ops->split(source, cut, arena, ret, ret_count, diags);
}

const char *bst_source_one_reader(const bst_source *source) {
    return source->ops->one_reader(source);
}

bst_status bst_source_select(bst_source *source, const char *bounds, bst_diags *diags) {
    return source->ops->select(source, bounds, diags);
}

bst_status bst_source_identity(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    return source->ops->identity(source, out, diags);
}

bst_status bst_source_moment_of(bst_source *source, bst_source_moment *ret, bst_diags *diags) {
    return source->ops->moment(source, ret, diags);
}

static void keep_pace(bst_source *source) {
    bst_pace *const pace = source->spec->pace;
    if (!pace || ++source->unpaced_rows < bst_pace_step(pace))
        return;
    bst_pace_keep(pace, source->unpaced_rows);
    source->unpaced_rows = 0;
}

bst_status bst_source_next(bst_source *source, const bst_row **ret_row, bst_diags *diags) {
    keep_pace(source);
    return source->limited ? bst__file_next(source, ret_row, diags)
                           : source->ops->next(source, ret_row, diags);
}

bst_status bst_source_keep(bst_source *source, const bst_key_part *part, bst_diags *diags) {
    return source->ops->keep ? source->ops->keep(source, part, diags) : BST_OK;
}

bst_status bst_source_mark(bst_source *source, const char *const *bounds, size_t count,
                           const bst_marks *before, bst_arena *arena, bst_marks *ret,
                           bst_diags *diags) {
    bst_marks_clear(ret, count);
    return source->ops->mark ? source->ops->mark(source, bounds, count, before, arena, ret, diags)
                             : BST_OK;
}

bst_status bst_source_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    return source->ops->original(source, out, diags);
}

bst_status bst_source_note(bst_source *source, bst_arena *arena, const char **ret,
                           bst_diags *diags) {
    const struct bst__source_ops *const ops = source->ops;
    bst_strbuf text = BST_STRBUF_INIT;
    const bst_status status = (ops->note ? ops->note : ops->original)(source, &text, diags);
    *ret = text.failed ? NULL : bst_arena_strndup(arena, text.text, text.len);
    bst_strbuf_release(&text);
    return status == BST_OK && !*ret ? bst_diag_nomem(diags) : status;
}

bst_status bst_source_originals(bst_source *source, const char *const *notes, size_t count,
                                bst_arena *arena, const char **ret, size_t *ret_count,
                                bst_diags *diags) {
    if (source->ops->originals)
        return source->ops->originals(source, notes, count, arena, ret, ret_count, diags);
    for (size_t i = 0; i < count; i++)
        ret[i] = notes[i];
    *ret_count = count;
    return BST_OK;
}

uint64_t bst_source_expected(const bst_source *source) {
    return source->ops->expected(source);
}

double bst_source_progress(const bst_source *source) {
    return source->ops->progress(source);
}

const char *bst_source_label(const bst_source *source) {
    return source->label;
}

size_t bst_source_column_count(const bst_source *source) {
    return source->ops->column_count(source);
}

const char *bst_source_column_name(const bst_source *source, size_t index) {
    return source->ops->column_name(source, index);
}

bst_source *bst_source_free(bst_source *source) {
    if (source)
        source->ops->free(source);
    return NULL;
}
