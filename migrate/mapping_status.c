/* The state column of the real table, held against the mapping: values that it lacks, and values
 * that the table lacks. Reads one column where it can: the whole row only when the mapping's
 * `where` is an expression over it.
 */
#include "mapping_private.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(added) (*(added_ok) = false)
#include <uthash.h>

/* Different values kept; a column with more is hardly a status. */
#define VALUES_MAX  1000u
#define VALUE_SHOWN 200 /* bytes of one in a message */

typedef struct seen_value {
    const char *text;
    size_t len;
    uint64_t rows;
    uint32_t order;
    UT_hash_handle hh;
} seen_value;

typedef struct survey {
    const bst_mapping *mapping;
    bst_arena *arena;
    bst_diags *diags;
    bst_source_spec spec;
    uint32_t column; /* of the state, in `spec` */
    bst_value *record;
    seen_value *unknown;
    uint64_t *code_rows; /* by code */
    uint64_t rows, nulls, others;
} survey;

static bool in_scope(const survey *s, const bst_row *row) {
    if (!row->in_scope || !s->mapping->where) {
        return row->in_scope;
    }
    for (size_t i = 0; i < s->spec.column_count; i++) {
        s->record[i] = row->cells[i].result == BST_VALUE_OK ? row->cells[i].value : BST_ABSENT;
    }
    bst_records records = {{NULL}};
    records.root[BST_ROOT_ROW] = s->record;
    bst_value holds;
    return bst_expr_eval(s->mapping->where, &records, &holds) != BST_EVAL_OK ||
           (holds.present && holds.u.i != 0);
}

/* False: out of memory. */
static bool count_unknown(survey *s, const char *text, size_t len) {
    seen_value *found = NULL;
    bool ok = true;
    bool *added_ok = &ok;
    HASH_FIND(hh, s->unknown, text, len, found);
    if (!found && HASH_COUNT(s->unknown) >= VALUES_MAX) {
        s->others++;
        return true;
    }
    if (!found) {
        found = bst_arena_alloc(s->arena, sizeof *found);
        char *copy = bst_arena_strndup(s->arena, text, len);
        if (!found || !copy) {
            return false;
        }
        found->text = copy;
        found->len = len;
        found->order = HASH_COUNT(s->unknown);
        HASH_ADD_KEYPTR(hh, s->unknown, found->text, found->len, found);
    }
    found->rows++;
    return ok;
}

static bool count_row(survey *s, const bst_row *row) {
    const bst_mapping *mapping = s->mapping;
    const bst_cell *cell = &row->cells[s->column];
    const bool good = cell->result == BST_VALUE_OK;
    s->rows++;
    if (good && !cell->value.present) {
        s->nulls++;
        return true;
    }
    const char *text = good ? cell->value.u.text : cell->text;
    const size_t len = good ? cell->value.len : cell->text_len;
    const uint32_t state = good ? bst_mapping_state(mapping, text, len) : BST_NONE;
    if (state == BST_NONE) {
        return count_unknown(s, text, len);
    }
    for (uint32_t c = 0; c < mapping->state_code_count; c++) {
        const char *code = mapping->state_codes[c].text;
        if (strlen(code) == len && memcmp(code, text, len) == 0) {
            s->code_rows[c]++;
            break;
        }
    }
    return true;
}

static int by_rows(const void *left, const void *right) {
    const seen_value *a = *(const seen_value *const *)left;
    const seen_value *b = *(const seen_value *const *)right;
    if (a->rows != b->rows) {
        return a->rows > b->rows ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

static void report_unknown(survey *s, const char *text, size_t len, uint64_t rows) {
    const bst_mapping *mapping = s->mapping;
    const bst_loc where = bst_json_source_value(mapping->json, "/state/values");
    const char *const column = mapping->source.columns[mapping->state_column].name;
    bst_strbuf value = BST_STRBUF_INIT;
    if (text) {
        bst_strbuf_add_json(&value, text, len < VALUE_SHOWN ? len : VALUE_SHOWN);
    } else {
        bst_strbuf_adds(&value, "NULL");
    }
    bst_diag_add(s->diags, BST_INVALID, BST_WARNING, "unmapped-status", &where,
                 "column \"%s\" is %s in %llu row%s, and no state stands for that", column,
                 value.text, (unsigned long long)rows, rows == 1 ? "" : "s");
    bst_diag_hint(s->diags, text ? "Add it to \"values\"; until then such rows go to quarantine."
                                 : "Such rows go to quarantine; \"where\" can leave them out.");
    bst_strbuf_release(&value);
}

static bool report_unknowns(survey *s) {
    const size_t count = HASH_COUNT(s->unknown);
    seen_value **list = bst_arena_array(s->arena, count, sizeof *list);
    if (!list) {
        return false;
    }
    size_t at = 0;
    for (seen_value *v = s->unknown; v; v = v->hh.next) {
        list[at++] = v;
    }
    qsort(list, count, sizeof(*list), by_rows);
    for (size_t i = 0; i < count; i++) {
        report_unknown(s, list[i]->text, list[i]->len, list[i]->rows);
    }
    if (s->nulls > 0) {
        report_unknown(s, NULL, 0, s->nulls);
    }
    if (s->others > 0) {
        const bst_loc where = bst_json_source_value(s->mapping->json, "/state");
        bst_diag_add(s->diags, BST_INVALID, BST_WARNING, "unmapped-status", &where,
                     "%llu more rows have values that no state stands for",
                     (unsigned long long)s->others);
        bst_diag_hint(s->diags, "A column with so many values is hardly the state.");
    }
    return true;
}

static void report_unused(survey *s) {
    const bst_mapping *mapping = s->mapping;
    for (uint32_t c = 0; s->rows > 0 && c < mapping->state_code_count; c++) {
        if (s->code_rows[c] > 0) {
            continue;
        }
        bst_strbuf pointer = BST_STRBUF_INIT;
        bst_strbuf_adds(&pointer, "/state/values");
        bst_json_pointer_add(&pointer, mapping->state_codes[c].text);
        const bst_loc where = bst_json_source_key(mapping->json, pointer.text);
        bst_diag_add(s->diags, BST_OK, BST_NOTE, "unused-code", &where,
                     "no row has the value \"%s\"", mapping->state_codes[c].text);
        bst_diag_hint(s->diags, "This is fine for a state that is rare; else look for a typo.");
        bst_strbuf_release(&pointer);
    }
}

static bst_status read_rows(survey *s, const char *from) {
    bst_source *source = NULL;
    const bst_row *row = NULL;
    bst_status status = bst_source_open(from, &s->spec, &source, s->diags);
    while (status == BST_OK && (status = bst_source_next(source, &row, s->diags)) == BST_OK &&
           row) {
        if (in_scope(s, row) && !count_row(s, row)) {
            status = bst_diag_nomem(s->diags);
        }
    }
    bst_source_free(source);
    return status;
}

bst_status bst_mapping_check_source(const bst_mapping *mapping, const char *from,
                                    bst_diags *diags) {
    survey s = {.mapping = mapping, .diags = diags, .spec = mapping->source};
    s.column = mapping->state_column;
    if (!mapping->where) {
        s.spec.columns = &mapping->source.columns[mapping->state_column];
        s.spec.column_count = 1;
        s.column = 0;
    }
    s.spec.ordered = false;
    s.arena = bst_arena_new();
    if (s.arena) {
        s.record = bst_arena_array(s.arena, s.spec.column_count, sizeof *s.record);
        s.code_rows = bst_arena_array(s.arena, mapping->state_code_count, sizeof *s.code_rows);
    }
    bst__map_warnings_begin(mapping, diags);
    bst_status status = s.record && s.code_rows ? read_rows(&s, from) : bst_diag_nomem(diags);
    if (status == BST_OK && !report_unknowns(&s)) {
        status = bst_diag_nomem(diags);
    }
    if (status == BST_OK) {
        report_unused(&s);
    }
    bst_diags_set_file_warnings(diags, NULL);
    HASH_CLEAR(hh, s.unknown);
    bst_arena_free(s.arena);
    return status;
}
