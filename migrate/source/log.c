/* A file of rows with the file of their log beside it: the rows of each entity's log become one
 * more cell of its row (bst_source_column.log). Both files are read in the order of keys, so they
 * are joined in the memory of one entity. (PostgreSQL does the same by a sub-query.)
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backstory/machine.h"

#include "source_private.h"

typedef struct entry {
    int64_t order[BST_LOG_ORDER_MAX + 1]; /* the time last */
    uint64_t number;
    size_t text, len; /* its JSON, among the bytes of `texts` */
} entry;

typedef struct joined_source {
    bst_source base;
    bst_source_spec spec; /* of the rows alone */
    bst_source_spec rest_spec;
    bst_source *rows, *rest;
    const bst_log *log;
    size_t place;           /* of the cell */
    const bst_row *waiting; /* a row of the log, read, not yet used; NULL: the end */
    bst_cell *cells;
    bst_row row;
    bst_strbuf key; /* whose rows `entries` are */
    entry *entries;
    size_t count, room;
    bst_strbuf texts, cell;
} joined_source;

/* ---- the log of one entity ---- */

static int compare_entries(const void *a, const void *b) {
    const entry *const x = a, *const y = b;
    for (size_t i = 0; i <= BST_LOG_ORDER_MAX; i++) {
        if (x->order[i] != y->order[i])
            return x->order[i] < y->order[i] ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static int64_t number_in(const bst_row *row, uint32_t column) {
    const bst_cell *const cell = column == BST_NONE ? NULL : &row->cells[column];
    return cell && cell->result == BST_VALUE_OK && cell->value.present ? cell->value.u.i
                                                                       : INT64_MIN;
}

/* As it stands in the file, when it is bad: whoever reads the cell says so. */
static void add_cell(const bst_row *row, uint32_t column, bool time, bst_strbuf *out) {
    const bst_cell *const cell = column == BST_NONE ? NULL : &row->cells[column];
    char text[BST_TIME_TEXT_MAX];
    if (cell && cell->result != BST_VALUE_OK)
        bst_strbuf_add_json(out, cell->text, cell->text_len);
    else if (!cell || !cell->value.present)
        bst_strbuf_adds(out, "null");
    else if (time)
        bst_strbuf_add_json(out, text, bst_time_format(cell->value.u.i, text));
    else
        bst_strbuf_add_json(out, cell->value.u.text, cell->value.len);
}

static bool is_silent(const bst_row *row, uint32_t column) {
    return column == BST_NONE ||
           (row->cells[column].result == BST_VALUE_OK && !row->cells[column].value.present);
}

static bool take_row(joined_source *s) {
    const bst_row *const row = s->waiting;
    if (is_silent(row, s->log->to) && is_silent(row, s->log->event))
        return true;
    if (s->count == s->room) {
        const size_t room = s->room > 0 ? 2 * s->room : 64;
        entry *const more = realloc(s->entries, room * sizeof *more);
        if (!more)
            return false;
        s->entries = more;
        s->room = room;
    }
    entry *const made = &s->entries[s->count++];
    *made = (entry){.number = row->number, .text = s->texts.len};
    for (uint32_t i = 0; i < s->log->order_count; i++)
        made->order[i] = number_in(row, s->log->order[i]);
    made->order[BST_LOG_ORDER_MAX] = number_in(row, s->log->at);
    bst_strbuf_addc(&s->texts, '[');
    add_cell(row, s->log->to, false, &s->texts);
    bst_strbuf_adds(&s->texts, ", ");
    add_cell(row, s->log->at, true, &s->texts);
    bst_strbuf_adds(&s->texts, ", ");
    add_cell(row, s->log->event, false, &s->texts);
    if (s->log->region != BST_NONE) {
        bst_strbuf_adds(&s->texts, ", ");
        add_cell(row, s->log->region, false, &s->texts);
    }
    bst_strbuf_addc(&s->texts, ']');
    made->len = s->texts.len - made->text;
    return !s->texts.failed;
}

static int compare_keys(const bst_row *row, const bst_row *with) {
    if (row->key_is_null)
        return -1;
    const size_t least = row->key_len < with->key_len ? row->key_len : with->key_len;
    const int order = least > 0 ? memcmp(row->key, with->key, least) : 0;
    return order != 0 ? order : (row->key_len > with->key_len) - (row->key_len < with->key_len);
}

static bst_status read_log(joined_source *s, const bst_row *row, bst_diags *diags) {
    int order = -1;
    /* a second row of the same key has the same log: what was read stays */
    if (row->key_is_double && s->key.len == row->key_len &&
        memcmp(s->key.text, row->key, row->key_len) == 0)
        return BST_OK;
    s->count = 0;
    bst_strbuf_clear(&s->texts);
    bst_strbuf_clear(&s->key);
    bst_strbuf_add(&s->key, row->key, row->key_len);
    while (s->waiting && !row->key_is_null && (order = compare_keys(s->waiting, row)) <= 0) {
        if (order == 0 && !take_row(s))
            return bst_diag_nomem(diags);
        const bst_status status = bst_source_next(s->rest, &s->waiting, diags);
        if (status != BST_OK)
            return status;
    }
    if (s->count > 1)
        qsort(s->entries, s->count, sizeof *s->entries, compare_entries);
    return s->key.failed ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status fill_cell(joined_source *s, bst_diags *diags) {
    bst_cell *const cell = &s->cells[s->place];
    *cell = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
    if (s->count == 0)
        return BST_OK;
    bst_strbuf_clear(&s->cell);
    for (size_t i = 0; i < s->count; i++) {
        bst_strbuf_adds(&s->cell, i > 0 ? ", " : "[");
        bst_strbuf_add(&s->cell, s->texts.text + s->entries[i].text, s->entries[i].len);
    }
    bst_strbuf_addc(&s->cell, ']');
    cell->value =
        (bst_value){.present = true, .len = (uint32_t)s->cell.len, .u.text = s->cell.text};
    return s->cell.failed ? bst_diag_nomem(diags) : BST_OK;
}

/* ---- the source ---- */

static bst_status joined_next(bst_source *source, const bst_row **ret_row, bst_diags *diags) {
    joined_source *const s = (joined_source *)source;
    const bst_row *row = NULL;
    bst_status status = bst_source_next(s->rows, &row, diags);
    *ret_row = NULL;
    if (status != BST_OK || !row)
        return status;
    status = read_log(s, row, diags);
    for (size_t i = 0; i < s->base.spec->column_count; i++) {
        if (i != s->place)
            s->cells[i] = row->cells[i < s->place ? i : i - 1];
    }
    if (status == BST_OK)
        status = fill_cell(s, diags);
    s->row = *row;
    s->row.cells = s->cells;
    *ret_row = &s->row;
    return status;
}

static bst_status joined_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    return bst_source_original(((joined_source *)source)->rows, out, diags);
}

static uint64_t joined_expected(const bst_source *source) {
    return bst_source_expected(((const joined_source *)source)->rows);
}

static double joined_progress(const bst_source *source) {
    return bst_source_progress(((const joined_source *)source)->rows);
}

static size_t joined_column_count(const bst_source *source) {
    return bst_source_column_count(((const joined_source *)source)->rows);
}

static const char *joined_column_name(const bst_source *source, size_t index) {
    return bst_source_column_name(((const joined_source *)source)->rows, index);
}

static bst_status joined_digest(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    const joined_source *const s = (const joined_source *)source;
    const bst_status status = s->rows->ops->digest(s->rows, out, diags);
    return status == BST_OK ? s->rest->ops->digest(s->rest, out, diags) : status;
}

static void joined_free(bst_source *source) {
    joined_source *const s = (joined_source *)source;
    bst_source_free(s->rows);
    bst_source_free(s->rest);
    bst_strbuf_release(&s->key);
    bst_strbuf_release(&s->texts);
    bst_strbuf_release(&s->cell);
    free((void *)(uintptr_t)s->spec.columns);
    free(s->cells);
    free(s->entries);
    free(s);
}

static const struct bst__source_ops joined_ops = {.next = joined_next,
                                                  .original = joined_original,
                                                  .expected = joined_expected,
                                                  .progress = joined_progress,
                                                  .column_count = joined_column_count,
                                                  .column_name = joined_column_name,
                                                  .free = joined_free,
                                                  .split = bst__file_split,
                                                  .one_reader = bst__file_one_reader,
                                                  .select = bst__file_select,
                                                  .identity = bst__file_identity,
                                                  .moment = bst__file_moment,
                                                  .digest = joined_digest};

char *bst_log_file(const char *from, const bst_log *log) {
    const char *const dot = strrchr(log->source.table, '.');
    const char *const slash = strrchr(from, '/');
    bst_strbuf path = BST_STRBUF_INIT;
    struct stat st;

    if (stat(from, &st) == 0 && S_ISDIR(st.st_mode))
        bst_strbuf_addf(&path, "%s/", from);
    else if (slash)
        bst_strbuf_add(&path, from, (size_t)(slash - from) + 1);
    bst_strbuf_addf(&path, "%s.csv", dot ? dot + 1 : log->source.table);
    return bst_strbuf_detach(&path);
}

static bst_status open_both(joined_source *s, const char *from, bst_diags *diags) {
    const bst_source_spec *const spec = s->base.spec;
    bst_source_column *const columns = calloc(spec->column_count, sizeof *columns);
    char *const log = bst_log_file(from, s->log);
    s->cells = calloc(spec->column_count, sizeof *s->cells);
    s->spec = *spec;
    s->spec.pace = NULL; /* who takes the joined rows keeps it */
    s->spec.columns = columns;
    s->spec.column_count = spec->column_count - 1;
    s->rest_spec = s->log->source;
    s->rest_spec.digested = spec->digested;
    bst_status status = columns && log && s->cells ? BST_OK : bst_diag_nomem(diags);
    for (size_t i = 0; status == BST_OK && i < spec->column_count; i++) {
        if (i != s->place)
            columns[i < s->place ? i : i - 1] = spec->columns[i];
    }
    if (status == BST_OK)
        status =
            bst__source_files_open(from, &s->spec, &s->rows, diags); /* with their other logs */
    if (status == BST_OK)
        status = bst__source_csv_open(log, &s->rest_spec, &s->rest, diags);
    if (status == BST_OK)
        status = bst_source_next(s->rest, &s->waiting, diags);
    free(log);
    return status;
}

/* `column` is what is made of the log. */
static bst_status open_joined(const char *from, const bst_source_spec *spec, size_t column,
                              bst_source **ret, bst_diags *diags) {
    joined_source *s = calloc(1, sizeof *s);
    if (!s)
        return bst_diag_nomem(diags);
    s->base = (bst_source){.ops = &joined_ops, .spec = spec};
    s->log = spec->columns[column].log;
    s->place = column;
    bst_strbuf_init(&s->key);
    bst_strbuf_init(&s->texts);
    bst_strbuf_init(&s->cell);
    const bst_status status = open_both(s, from, diags);
    if (status != BST_OK) {
        joined_free(&s->base);
        return status;
    }
    s->base.label = bst_source_label(s->rows);
    *ret = &s->base;
    return BST_OK;
}

bst_status bst__source_files_open(const char *from, const bst_source_spec *spec, bst_source **ret,
                                  bst_diags *diags) {
    for (size_t i = 0; i < spec->column_count; i++) {
        if (spec->columns[i].log)
            return open_joined(from, spec, i, ret, diags);
    }
    return bst__source_csv_open(from, spec, ret, diags);
}
