/* One part of a comparison: a merge join of its rows by key and its histories by key, in constant
 * memory.
 *
 * A history is folded as its events come by; a row is read as the mapping reads it; both are
 * entities of the same machine then, compared field by field.
 */
#include "compare_private.h"

#include "synth/synth_private.h"

#define PROGRESS_ROWS 4096u

typedef struct comparison {
    bst__compare_part *part;
    const bst_compare_options *options;
    bst_compare_figures *figures;
    bst_diags *diags;
    bst_synth *synth;
    bst__old_rows rows;
    bst__fold fold;
    bool matched; /* some row has the key of the history at the head */
    bst__totals *totals;
    bst_arena *arena; /* buffers */
    bst_value *row_fields;
    bst__entity_comparer comparer;
} comparison;

/* ---- differences of whole entities ---- */

static bst_status tell(comparison *c, bst_difference_kind kind, const char *key, size_t key_len,
                       const char *message) {
    const bst_difference difference = {
        .kind = kind, .key = key, .key_len = key_len, .field = BST_NONE, .message = message};
    return c->options->on_difference ? c->options->on_difference(c->options->context, &difference)
                                     : BST_OK;
}

static bool is_left_behind(const bst__compare_part *part, const char *key, size_t len) {
    return part->left_behind && bst__key_set_has(part->left_behind, key, len);
}

/* ---- totals ---- */

static int32_t month_of_head(const comparison *c) {
    return c->fold.has_created ? bst_time_month(c->fold.created) : BST__NO_MONTH;
}

static int32_t month_of_row(const comparison *c, const bst_row *row) {
    const bst_evidence *creation = c->fold.creation;
    const bst_cell *cell = creation ? &row->cells[creation->column] : NULL;
    return cell && cell->result == BST_VALUE_OK && cell->value.present
               ? bst_time_month(cell->value.u.i)
               : BST__NO_MONTH;
}

/* A row and its history, which has been told when they are not `equal`. Both count under the month
 * of the creation where both sides have it, by the same column: else neither knows of one. */
static bst_status add_totals(comparison *c, const bst_row *row, const bst_entity *was, bool equal,
                             bool again) {
    const int32_t month = c->fold.has_created ? month_of_row(c, row) : BST__NO_MONTH;
    bst_status status = BST_OK;
    if (equal && !again) {
        return bst__totals_add_pair(c->totals, was, &c->fold.entity, month, c->diags);
    }
    if (was) {
        status = bst__totals_add(c->totals, BST__OLD, was, month, c->diags);
    }
    if (status == BST_OK && !again && c->fold.trouble.len == 0) {
        status = bst__totals_add(c->totals, BST__NEW, &c->fold.entity, month_of_head(c), c->diags);
    }
    return status;
}

/* ---- histories without a row ---- */

/* The history at the head has been dealt with; one that no row has matched is told, unless it is
 * known: its row was deleted, got another key or left the scope while it was followed. */
static bst_status pass_head(comparison *c) {
    bst_status status = BST_OK;
    if (!c->matched && is_left_behind(c->part, c->fold.key.text, c->fold.key.len)) {
        c->figures->quarantined++;
    } else if (!c->matched) {
        c->figures->missing_in_source++;
        status = tell(c, BST_MISSING_IN_SOURCE, c->fold.key.text, c->fold.key.len, NULL);
        if (status == BST_OK && c->fold.trouble.len == 0) {
            status =
                bst__totals_add(c->totals, BST__NEW, &c->fold.entity, month_of_head(c), c->diags);
        }
    }
    c->matched = false;
    return status == BST_OK ? bst__fold_next(&c->fold, c->diags) : status;
}

/* ---- rows ---- */

/* `was` NULL: the row cannot be read, and `unreadable` says why. */
static bst_status compare_with_history(comparison *c, const bst_row *row, const bst_entity *was,
                                       const char *unreadable, bool *ret_equal) {
    *ret_equal = false;
    if (c->fold.trouble.len > 0) {
        c->figures->different++;
        return tell(c, BST_NOT_REPLAYABLE, row->key, row->key_len, c->fold.trouble.text);
    }
    if (!was) {
        c->figures->different++;
        c->figures->field_differences++;
        return tell(c, BST_DIFFERS, row->key, row->key_len, unreadable);
    }
    return bst__entities_compare(&c->comparer, row, was, &c->fold.entity,
                                 c->fold.has_created ? &c->fold.created : NULL, ret_equal);
}

static bst_status take_pair(comparison *c, const bst_row *row, const bst_entity *was,
                            const char *unreadable) {
    const bool again = c->matched;
    bool equal = false;
    c->matched = true;
    bst_status status = compare_with_history(c, row, was, unreadable, &equal);
    return status == BST_OK ? add_totals(c, row, was, equal, again) : status;
}

static bst_status miss_history(comparison *c, const bst_row *row, const bst_entity *was) {
    bst_status status = tell(c, BST_MISSING_IN_STORE, row->key, row->key_len, NULL);
    c->figures->missing_in_store++;
    return status == BST_OK && was
               ? bst__totals_add(c->totals, BST__OLD, was, month_of_row(c, row), c->diags)
               : status;
}

static int compare_head(const comparison *c, const bst_row *row) {
    return bst__keys_compare(c->fold.key.text, c->fold.key.len, row->key, row->key_len);
}

static bool is_aside(const bst__compare_part *part, const bst_row *row) {
    return bst__key_set_has(part->quarantined, row->key, row->key_len) ||
           (part->aside && bst__key_set_has(part->aside, row->key, row->key_len));
}

static bst_status compare_row(comparison *c, const bst_row *row) {
    bst_entity was = {BST_NONE, c->row_fields};
    const bst_refusal *refusal = NULL;
    bst_status status = BST_OK;
    while (status == BST_OK && c->fold.there && compare_head(c, row) < 0) {
        status = pass_head(c);
    }
    if (status != BST_OK) {
        return status;
    }
    bool found = c->fold.there && compare_head(c, row) == 0;
    if (is_left_behind(c->part, row->key, row->key_len)) {
        c->matched = found;
        c->figures->quarantined++;
        return BST_OK;
    }
    if (!found && is_aside(c->part, row)) {
        c->figures->quarantined++;
        return BST_OK;
    }
    bool readable = bst_synth_entity(c->synth, row, &was, &refusal);
    const bst_entity *read = readable ? &was : NULL;
    return found ? take_pair(c, row, read, readable ? NULL : refusal->message.text)
                 : miss_history(c, row, read);
}

/* A file hands out the rows of all parts. */
static bool is_of_part(const comparison *c, const bst_row *row) {
    const bst_key_part *keys = &c->part->keys;
    return row->key_is_null ? !keys->from && keys->share == 0
                            : bst_key_part_has(keys, row->key, row->key_len);
}

static bst_status take_row(comparison *c, const bst_row *row) {
    bool unclear = false;
    if (!is_of_part(c, row)) {
        return BST_OK;
    }
    c->figures->rows++;
    bst__synth_begin(c->synth, c->diags);
    if (!bst__in_scope(c->synth, row, &unclear) && !unclear) {
        c->figures->out_of_scope++;
        return BST_OK;
    }
    if (!bst__key_serves(c->synth, row)) {
        c->figures->quarantined++; /* it can have no history */
        return BST_OK;
    }
    return compare_row(c, row);
}

static bst_status report(comparison *c) {
    c->figures->progress = bst_source_progress(c->rows.source);
    return c->part->on_progress ? c->part->on_progress(c->part) : BST_OK;
}

static bst_status join(comparison *c) {
    const bst_row *row = NULL;
    uint64_t seen = 0;
    bst_status status = BST_OK;
    while (status == BST_OK) {
        status = bst__old_rows_next(&c->rows, &row, c->diags);
        if (status != BST_OK || !row) {
            break;
        }
        status = take_row(c, row);
        if (status == BST_OK && ++seen % PROGRESS_ROWS == 0) {
            status = report(c);
        }
    }
    while (status == BST_OK && c->fold.there) {
        status = pass_head(c);
    }
    return status == BST_OK ? report(c) : status;
}

/* ---- the part ---- */

static bst_status make_buffers(comparison *c) {
    const uint32_t count = c->part->mapping->machine->field_count;
    c->arena = bst_arena_new();
    if (!c->arena) {
        return bst_diag_nomem(c->diags);
    }
    c->row_fields = bst_arena_array(c->arena, count, sizeof *c->row_fields);
    c->comparer.differs = bst_arena_array(c->arena, count, sizeof *c->comparer.differs);
    return c->row_fields && c->comparer.differs ? BST_OK : bst_diag_nomem(c->diags);
}

static bst_status open_all(comparison *c, const bst_source_spec *spec) {
    const bst__compare_part *part = c->part;
    bst_status status = make_buffers(c);
    if (status == BST_OK) {
        status = bst_synth_new(part->mapping, &c->synth, c->diags);
    }
    if (status == BST_OK) {
        status = bst__old_rows_open(&c->rows, part, spec, c->diags);
    }
    if (status == BST_OK) {
        status = bst__fold_open(&c->fold, c->options->store, part->store_moment, c->diags);
    }
    return status;
}

bst_status bst__compare_part_run(bst__compare_part *part) {
    comparison c = {.part = part,
                    .options = &part->options,
                    .figures = &part->figures,
                    .diags = part->diags,
                    .totals = part->totals,
                    .fold = {.machine = part->mapping->machine,
                             .part = &part->keys,
                             .figures = &part->figures,
                             .key = BST_STRBUF_INIT,
                             .trouble = BST_STRBUF_INIT},
                    .comparer = {.mapping = part->mapping,
                                 .options = &part->options,
                                 .figures = &part->figures,
                                 .old_text = BST_STRBUF_INIT,
                                 .new_text = BST_STRBUF_INIT}};
    c.fold.creation = c.comparer.creation = bst__creation_of(part->mapping);
    bst_source_spec spec = part->mapping->source;
    spec.ordered = true;
    spec.pace = part->options.pace;
    bst_status status = open_all(&c, &spec);
    if (status == BST_OK) {
        status = join(&c);
    }
    bst__fold_release(&c.fold);
    bst__old_rows_release(&c.rows);
    bst_synth_free(c.synth);
    bst_arena_free(c.arena);
    bst_strbuf_release(&c.comparer.old_text);
    bst_strbuf_release(&c.comparer.new_text);
    return status;
}
