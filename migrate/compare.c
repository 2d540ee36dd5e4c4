/* Old against new: a merge join of the rows by key and the histories by key, in constant memory.
 *
 * A history is folded as its events come by; a row is read as the mapping reads it; both are
 * entities of the same machine then, compared field by field. Fields that the mapping does not know
 * are not compared.
 */
#include "backstory/compare.h"

#include <string.h>

#include "backstory/reader.h"

#include "quarantine_private.h"
#include "synth_private.h"
#include "totals_private.h"

#define PROGRESS_ROWS 4096u

/* The history that stands at the head of the new side, folded. */
typedef struct folded {
    bool there;
    bool matched; /* some row has its key */
    bst_strbuf key;
    bst_entity entity;
    bst_strbuf trouble; /* not empty: it cannot be replayed, and why */
} folded;

typedef struct comparison {
    const bst_mapping *mapping;
    const bst_machine *machine;
    const bst_compare_options *options;
    bst_compare_figures *figures;
    bst_diags *diags;
    bst_synth *synth;
    bst_source *source;
    bst_reader *reader;
    const bst_stored_event *next; /* read, not yet folded; NULL: no more */
    bst__key_set *quarantined;
    bst__totals *totals;
    bst_arena *arena; /* buffers of this comparison */
    bst_arena *texts; /* of the fields of the history at the head */
    folded history;
    bst_value *payload;
    bst_value *row_fields;
    bst_strbuf old_text, new_text;
} comparison;

/* ---- the new side ---- */

static bst_status read_event(comparison *c) {
    bst_status status = bst_reader_next(c->reader, &c->next, c->diags);
    c->figures->events += status == BST_OK && c->next;
    return status;
}

static const char *apply_trouble(bst_apply_result result) {
    switch (result) {
    case BST_APPLY_OK:
        break;
    case BST_APPLY_ILLEGAL:
        return "the machine has no such step from";
    case BST_APPLY_OVERFLOW:
        return "its apply leaves the range of a field in";
    case BST_APPLY_INVALID:
        return "a required field is missing in its payload, in";
    }
    return "";
}

/* One event into the fold. What it borrows from the reader is copied: the fold outlives the
 * event. */
static bst_status fold_event(comparison *c) {
    const bst_stored_event *stored = c->next;
    const bst_event_type *type = &c->machine->events[stored->type];
    folded *history = &c->history;
    if (history->trouble.len > 0) {
        return BST_OK;
    }
    for (uint32_t f = 0; f < type->field_count; f++) {
        if (!bst_value_copy(&type->fields[f].type, &stored->fields[f], c->texts, &c->payload[f])) {
            return bst_diag_nomem(c->diags);
        }
    }
    const bst_event event = {stored->type, stored->state, c->payload};
    const char *before = history->entity.state == BST_NONE
                             ? "nothing"
                             : c->machine->states[history->entity.state].name;
    bst_apply_result result = bst_apply(c->machine, &history->entity, &event);
    if (result != BST_APPLY_OK) {
        bst_strbuf_addf(&history->trouble, "event %lld, %s into \"%s\": %s \"%s\"",
                        (long long)stored->version, type->name,
                        c->machine->states[stored->state].name, apply_trouble(result), before);
    }
    return BST_OK;
}

static bool is_same_key(const bst_strbuf *key, const bst_stored_event *event) {
    return event && event->key_len == key->len && memcmp(event->key, key->text, key->len) == 0;
}

static bst_status fold_next(comparison *c) {
    folded *history = &c->history;
    bst_status status = BST_OK;
    history->there = c->next != NULL;
    history->matched = false;
    bst_strbuf_clear(&history->key);
    bst_strbuf_clear(&history->trouble);
    bst_arena_clear(c->texts);
    bst_entity_clear(c->machine, &history->entity);
    if (!history->there) {
        return BST_OK;
    }
    bst_strbuf_add(&history->key, c->next->key, c->next->key_len);
    while (status == BST_OK && is_same_key(&history->key, c->next)) {
        status = fold_event(c);
        if (status == BST_OK) {
            status = read_event(c);
        }
    }
    if (status == BST_OK && (history->key.failed || history->trouble.failed)) {
        return bst_diag_nomem(c->diags);
    }
    c->figures->histories++;
    if (status == BST_OK && history->trouble.len == 0) {
        status = bst__totals_add(c->totals, BST__NEW, &history->entity, c->diags);
    }
    return status;
}

/* ---- differences ---- */

static bst_status tell(comparison *c, const bst_difference *difference) {
    return c->options->on_difference ? c->options->on_difference(c->options->context, difference)
                                     : BST_OK;
}

static bst_status tell_missing_row(comparison *c) {
    const bst_difference difference = {.kind = BST_MISSING_IN_SOURCE,
                                       .key = c->history.key.text,
                                       .key_len = c->history.key.len,
                                       .field = BST_NONE};
    if (!c->history.there || c->history.matched) {
        return BST_OK;
    }
    c->figures->missing_in_source++;
    return tell(c, &difference);
}

static const char *text_of(const bst_type *type, const bst_value *value, bst_strbuf *text) {
    bst_strbuf_clear(text);
    if (!value->present) {
        return NULL;
    }
    bst_value_to_text(type, value, text);
    return text->text;
}

static bst_status tell_state(comparison *c, const bst_row *row, uint32_t was) {
    const bst_difference difference = {.kind = BST_DIFFERS,
                                       .key = row->key,
                                       .key_len = row->key_len,
                                       .field = BST_NONE,
                                       .old_text = c->machine->states[was].name,
                                       .new_text =
                                           c->machine->states[c->history.entity.state].name};
    c->figures->field_differences++;
    return tell(c, &difference);
}

static bst_status tell_field(comparison *c, const bst_row *row, uint32_t field) {
    const bst_type *type = &c->machine->fields[field].type;
    const bst_difference difference = {
        .kind = BST_DIFFERS,
        .key = row->key,
        .key_len = row->key_len,
        .field = field,
        .old_text = text_of(type, &c->row_fields[field], &c->old_text),
        .new_text = text_of(type, &c->history.entity.fields[field], &c->new_text)};
    c->figures->field_differences++;
    return tell(c, &difference);
}

static bst_status tell_trouble(comparison *c, const bst_row *row, bst_difference_kind kind,
                               const char *message) {
    const bst_difference difference = {.kind = kind,
                                       .key = row->key,
                                       .key_len = row->key_len,
                                       .field = BST_NONE,
                                       .message = message};
    return tell(c, &difference);
}

/* ---- rows ---- */

static bst_status compare_fields(comparison *c, const bst_row *row, const bst_entity *was) {
    bst_status status = BST_OK;
    bool differs = false;
    if (was->state != c->history.entity.state) {
        differs = true;
        status = tell_state(c, row, was->state);
    }
    for (uint32_t f = 0; status == BST_OK && f < c->machine->field_count; f++) {
        if (c->mapping->fields[f].kind != BST_FROM_NOTHING &&
            !bst_value_equal(&c->machine->fields[f].type, &was->fields[f],
                             &c->history.entity.fields[f])) {
            differs = true;
            status = tell_field(c, row, f);
        }
    }
    c->figures->different += differs;
    c->figures->equal += !differs;
    return status;
}

static bst_status compare_with_history(comparison *c, const bst_row *row, const bst_entity *was,
                                       const char *unreadable) {
    c->history.matched = true;
    if (c->history.trouble.len > 0) {
        c->figures->different++;
        return tell_trouble(c, row, BST_NOT_REPLAYABLE, c->history.trouble.text);
    }
    if (unreadable) {
        c->figures->different++;
        c->figures->field_differences++;
        return tell_trouble(c, row, BST_DIFFERS, unreadable);
    }
    return compare_fields(c, row, was);
}

static bst_status compare_row(comparison *c, const bst_row *row) {
    bst_entity was = {BST_NONE, c->row_fields};
    const bst_refusal *refusal = NULL;
    bst_status status = BST_OK;
    while (status == BST_OK && c->history.there) {
        size_t shorter = c->history.key.len < row->key_len ? c->history.key.len : row->key_len;
        int order = memcmp(c->history.key.text, row->key, shorter);
        if (order > 0 || (order == 0 && c->history.key.len >= row->key_len)) {
            break;
        }
        status = tell_missing_row(c);
        if (status == BST_OK) {
            status = fold_next(c);
        }
    }
    if (status != BST_OK) {
        return status;
    }
    bool found = c->history.there && c->history.key.len == row->key_len &&
                 memcmp(c->history.key.text, row->key, row->key_len) == 0;
    if (!found && bst__key_set_has(c->quarantined, row->key, row->key_len)) {
        c->figures->quarantined++;
        return BST_OK;
    }
    bool readable = bst_synth_entity(c->synth, row, &was, &refusal);
    if (readable) {
        status = bst__totals_add(c->totals, BST__OLD, &was, c->diags);
    }
    if (status == BST_OK && found) {
        return compare_with_history(c, row, &was, readable ? NULL : refusal->message.text);
    }
    c->figures->missing_in_store++;
    return status == BST_OK ? tell_trouble(c, row, BST_MISSING_IN_STORE, NULL) : status;
}

static bst_status take_row(comparison *c, const bst_row *row) {
    bool unclear = false;
    c->figures->rows++;
    bst__synth_begin(c->synth, c->diags);
    if (!bst__in_scope(c->synth, row, &unclear) && !unclear) {
        c->figures->out_of_scope++;
        return BST_OK;
    }
    if (row->key_is_null) {
        c->figures->quarantined++; /* it can have no history */
        return BST_OK;
    }
    return compare_row(c, row);
}

static bst_status report(comparison *c) {
    c->figures->progress = bst_source_progress(c->source);
    return c->options->on_progress ? c->options->on_progress(c->options->context, c->figures)
                                   : BST_OK;
}

static bst_status join(comparison *c) {
    const bst_row *row = NULL;
    bst_status status = read_event(c);
    if (status == BST_OK) {
        status = fold_next(c);
    }
    while (status == BST_OK) {
        status = bst_source_next(c->source, &row, c->diags);
        if (status != BST_OK || !row) {
            break;
        }
        status = take_row(c, row);
        if (status == BST_OK && c->figures->rows % PROGRESS_ROWS == 0) {
            status = report(c);
        }
    }
    while (status == BST_OK && c->history.there) {
        status = tell_missing_row(c);
        if (status == BST_OK) {
            status = fold_next(c);
        }
    }
    return status == BST_OK ? report(c) : status;
}

/* ---- the whole ---- */

static bst_status make_buffers(comparison *c) {
    const bst_machine *machine = c->machine;
    c->arena = bst_arena_new();
    c->texts = bst_arena_new();
    if (!c->arena || !c->texts) {
        return bst_diag_nomem(c->diags);
    }
    c->payload = bst_arena_array(c->arena, bst_machine_payload_max(machine), sizeof *c->payload);
    c->row_fields = bst_arena_array(c->arena, machine->field_count, sizeof *c->row_fields);
    c->history.entity.fields =
        bst_arena_array(c->arena, machine->field_count, sizeof *c->row_fields);
    bool made = c->payload && c->row_fields && c->history.entity.fields;
    return made ? BST_OK : bst_diag_nomem(c->diags);
}

static bst_status open_all(comparison *c, const bst_source_spec *spec) {
    const bst_compare_options *options = c->options;
    bst_status status = make_buffers(c);
    if (status == BST_OK) {
        status = bst_synth_new(c->mapping, &c->synth, c->diags);
    }
    if (status == BST_OK) {
        status = bst__totals_new(c->machine, options->sum_field, options->group_field, &c->totals,
                                 c->diags);
    }
    if (status == BST_OK) {
        status = bst__key_set_read(options->quarantine_path, &c->quarantined, c->diags);
    }
    if (status == BST_OK) {
        status = bst_source_open(options->from, spec, &c->source, c->diags);
    }
    if (status == BST_OK) {
        status = bst_reader_open(options->store, c->machine, NULL, &c->reader, c->diags);
    }
    return status;
}

static void close_all(comparison *c) {
    bst_reader_free(c->reader);
    bst_source_free(c->source);
    bst__key_set_free(c->quarantined);
    bst__totals_free(c->totals);
    bst_synth_free(c->synth);
    bst_arena_free(c->texts);
    bst_arena_free(c->arena);
    bst_strbuf_release(&c->history.key);
    bst_strbuf_release(&c->history.trouble);
    bst_strbuf_release(&c->old_text);
    bst_strbuf_release(&c->new_text);
}

bst_status bst_compare(const bst_mapping *mapping, const bst_compare_options *options,
                       bst_arena *arena, bst_compare_figures *ret_figures,
                       const bst_total **ret_totals, size_t *ret_total_count, bst_diags *diags) {
    comparison c = {.mapping = mapping,
                    .machine = mapping->machine,
                    .options = options,
                    .figures = ret_figures,
                    .diags = diags,
                    .history = {.key = BST_STRBUF_INIT, .trouble = BST_STRBUF_INIT},
                    .old_text = BST_STRBUF_INIT,
                    .new_text = BST_STRBUF_INIT};
    bst_source_spec spec = mapping->source;
    bool totals_differ = false;
    spec.ordered = true;
    *ret_figures = (bst_compare_figures){.progress = -1};
    bst_status status = open_all(&c, &spec);
    if (status == BST_OK) {
        status = join(&c);
    }
    if (status == BST_OK) {
        status =
            bst__totals_list(c.totals, arena, ret_totals, ret_total_count, &totals_differ, diags);
    }
    close_all(&c);
    const bst_compare_figures *f = ret_figures;
    bool differ = f->different + f->missing_in_store + f->missing_in_source > 0 || totals_differ;
    return status == BST_OK && differ ? BST_DIFFERENT : status;
}
