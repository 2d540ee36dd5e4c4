/* The state columns of the real table, held against the mapping: values that it lacks, values that
 * the table lacks, and values of several columns that agree on no state. Reads these columns alone
 * where it can: the whole row only when the mapping's `where` is an expression over it.
 */
#include "mapping_private.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(added) (*(added_ok) = false)
#include <uthash.h>

#include "backstory/sink.h"

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

/* What was seen in one column. */
typedef struct column_survey {
    uint32_t cell; /* of the column, in `spec` */
    seen_value *unknown;
    uint64_t *code_rows; /* by code */
    uint64_t nulls, others;
} column_survey;

typedef struct survey {
    const bst_mapping *mapping;
    bst_arena *arena;
    bst_diags *diags;
    bst_source_spec spec;
    bst_value *record;
    column_survey columns[BST_STATE_COLUMNS_MAX]; /* by state column */
    seen_value *impossible;                       /* combinations, in words */
    uint64_t impossible_others;
    bst_strbuf text;
    uint64_t rows;
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
static bool count_value(survey *s, seen_value **values, uint64_t *others, const char *text,
                        size_t len) {
    seen_value *found = NULL;
    bool ok = true;
    bool *added_ok = &ok;
    HASH_FIND(hh, *values, text, len, found);
    if (!found && HASH_COUNT(*values) >= VALUES_MAX) {
        ++*others;
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
        found->order = HASH_COUNT(*values);
        HASH_ADD_KEYPTR(hh, *values, found->text, found->len, found);
    }
    found->rows++;
    return ok;
}

/* "payment_status \"paid\" with shipment_status \"new\"" */
static bool count_impossible(survey *s, const bst_value *values, const bst_state_reading *reading) {
    bst_strbuf_clear(&s->text);
    for (uint32_t c = 0; c < s->mapping->state_column_count; c++) {
        const uint32_t column = s->mapping->state_columns[c].column;
        if (reading->asked[c]) {
            bst_strbuf_addf(&s->text, "%s%s ", s->text.len ? " with " : "",
                            s->mapping->source.columns[column].name);
            bst_strbuf_add_json(&s->text, values[c].u.text, values[c].len);
        }
    }
    return !s->text.failed &&
           count_value(s, &s->impossible, &s->impossible_others, s->text.text, s->text.len);
}

static bool count_row(survey *s, const bst_row *row) {
    const bst_mapping *mapping = s->mapping;
    bst_value values[BST_STATE_COLUMNS_MAX];
    bst_state_reading reading;
    s->rows++;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_cell *cell = &row->cells[s->columns[c].cell];
        values[c] = cell->value;
        if (cell->result != BST_VALUE_OK) { /* no text at all: as it stands there, then */
            values[c] =
                (bst_value){.present = true, .len = (uint32_t)cell->text_len, .u.text = cell->text};
        }
    }
    bst_mapping_read_state(mapping, values, &reading);
    if (reading.verdict == BST_STATE_IMPOSSIBLE) {
        return count_impossible(s, values, &reading);
    }
    if (reading.verdict == BST_STATE_UNKNOWN) {
        column_survey *column = &s->columns[reading.column];
        const bst_value *value = &values[reading.column];
        column->nulls += !value->present;
        return !value->present ||
               count_value(s, &column->unknown, &column->others, value->u.text, value->len);
    }
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (reading.codes[c] != BST_NONE) {
            s->columns[c].code_rows[reading.codes[c]]++;
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

static bst_loc values_where(const survey *s, uint32_t c, const char *key) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__map_state_pointer(&s->mapping->state_columns[c], &pointer);
    bst_strbuf_adds(&pointer, key);
    const bst_loc where = bst_json_source_value(s->mapping->json, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

static void report_unknown(survey *s, uint32_t c, const char *text, size_t len, uint64_t rows) {
    const bst_mapping *mapping = s->mapping;
    const bst_loc where = values_where(s, c, "/values");
    const char *const column = mapping->source.columns[mapping->state_columns[c].column].name;
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

/* The values by falling number of rows; NULL: out of memory. */
static seen_value **sorted(survey *s, seen_value *values) {
    seen_value **list = bst_arena_array(s->arena, HASH_COUNT(values) + 1, sizeof *list);
    size_t at = 0;
    for (seen_value *v = values; list && v; v = v->hh.next) {
        list[at++] = v;
    }
    if (list) {
        qsort(list, at, sizeof(*list), by_rows);
    }
    return list;
}

static bool report_unknowns(survey *s, uint32_t c) {
    const column_survey *column = &s->columns[c];
    seen_value **list = sorted(s, column->unknown);
    if (!list) {
        return false;
    }
    for (; *list; list++) {
        report_unknown(s, c, (*list)->text, (*list)->len, (*list)->rows);
    }
    if (column->nulls > 0) {
        report_unknown(s, c, NULL, 0, column->nulls);
    }
    if (column->others > 0) {
        const bst_loc where = values_where(s, c, "");
        bst_diag_add(s->diags, BST_INVALID, BST_WARNING, "unmapped-status", &where,
                     "%llu more rows have values that no state stands for",
                     (unsigned long long)column->others);
        bst_diag_hint(s->diags, "A column with so many values is hardly the state.");
    }
    return true;
}

static bool report_impossible(survey *s) {
    const bst_loc where = bst_json_source_value(s->mapping->json, "/state/regions");
    seen_value **list = sorted(s, s->impossible);
    if (!list) {
        return false;
    }
    for (; *list; list++) {
        const seen_value *v = *list;
        bst_diag_add(s->diags, BST_INVALID, BST_WARNING, "impossible-status", &where,
                     "%s in %llu row%s: the machine has no such state", v->text,
                     (unsigned long long)v->rows, v->rows == 1 ? "" : "s");
        bst_diag_hint(s->diags, "If it is real, a transition is missing; until then such rows go "
                                "to quarantine.");
    }
    if (s->impossible_others > 0) {
        bst_diag_add(s->diags, BST_INVALID, BST_WARNING, "impossible-status", &where,
                     "%llu more rows have values that agree on no state",
                     (unsigned long long)s->impossible_others);
    }
    return true;
}

static void report_unused(survey *s, uint32_t c) {
    const bst_mapping *mapping = s->mapping;
    const bst_state_column *column = &mapping->state_columns[c];
    for (uint32_t i = 0; s->rows > 0 && i < column->code_count; i++) {
        if (s->columns[c].code_rows[i] > 0) {
            continue;
        }
        const bst_loc where = bst__map_code_where(mapping, column, &column->codes[i]);
        bst_diag_add(s->diags, BST_OK, BST_NOTE, "unused-code", &where,
                     "no row has the value \"%s\"", column->codes[i].text);
        bst_diag_hint(s->diags, "This is fine for a state that is rare; else look for a typo.");
    }
}

static bool report_all(survey *s) {
    bool ok = report_impossible(s);
    for (uint32_t c = 0; ok && c < s->mapping->state_column_count; c++) {
        ok = report_unknowns(s, c);
        report_unused(s, c);
    }
    return ok;
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

/* Opening all that the mapping reads says whether it is there, and finds logs that lack an
 * index. */
static bst_status try_logs(const bst_mapping *mapping, const char *from, bst_diags *diags) {
    bst_source *source = NULL;
    if (mapping->log_count == 0 || !bst_is_connection_string(from)) {
        return BST_OK;
    }
    const bst_status status = bst_source_open(from, &mapping->source, &source, diags);
    bst_source_free(source);
    return status;
}

/* Which columns are read, and what is counted of them. */
static bool prepare(survey *s) {
    const bst_mapping *mapping = s->mapping;
    const uint32_t count = mapping->state_column_count;
    bst_source_column *columns = bst_arena_array(s->arena, count, sizeof *columns);
    bool ok = columns != NULL;
    for (uint32_t c = 0; ok && c < count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        columns[c] = mapping->source.columns[column->column];
        s->columns[c].cell = mapping->where ? column->column : c;
        s->columns[c].code_rows = bst_arena_array(s->arena, column->code_count, sizeof(uint64_t));
        ok = s->columns[c].code_rows != NULL;
    }
    s->spec = mapping->source;
    s->spec.ordered = false;
    if (!mapping->where) {
        s->spec.columns = columns;
        s->spec.column_count = count;
    }
    s->record = bst_arena_array(s->arena, s->spec.column_count, sizeof *s->record);
    return ok && s->record;
}

static void release(survey *s) {
    for (uint32_t c = 0; c < BST_STATE_COLUMNS_MAX; c++) {
        HASH_CLEAR(hh, s->columns[c].unknown);
    }
    HASH_CLEAR(hh, s->impossible);
    bst_strbuf_release(&s->text);
    bst_arena_free(s->arena);
}

bst_status bst_mapping_check_source(const bst_mapping *mapping, const char *from,
                                    bst_diags *diags) {
    survey s = {.mapping = mapping, .diags = diags, .arena = bst_arena_new()};
    bst_strbuf_init(&s.text);
    bst__map_warnings_begin(mapping, diags);
    bst_status status = s.arena && prepare(&s) ? read_rows(&s, from) : bst_diag_nomem(diags);
    if (status == BST_OK) {
        status = try_logs(mapping, from, diags);
    }
    if (status == BST_OK && !report_all(&s)) {
        status = bst_diag_nomem(diags);
    }
    bst_diags_set_file_warnings(diags, NULL);
    release(&s);
    return status;
}
