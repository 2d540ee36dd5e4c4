/* The profile of a CSV file: types from the cells, everything else by counting.
 *
 * A file has no catalogue. A column is what all its cells can be read as: a time, a number, a uuid,
 * else text. Each question is one pass over the file; memory holds a few values of each column,
 * never the rows.
 */
#include "draft_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#include "backstory/source.h"
#include "backstory/timestamp.h"
#include "backstory/value.h"

#include "source/csv_reader_private.h"

typedef struct seen_value {
    char *text;
    uint64_t rows;
    bool lost; /* there was no memory to keep it */
    UT_hash_handle hh;
} seen_value;

/* What the cells of a column have all been so far. */
typedef struct shape {
    bool not_int, not_decimal, not_time, not_date, not_uuid, not_bool, naive, big;
    unsigned digits, scale;
    size_t longest;
    seen_value *values;
    size_t value_count;
} shape;

typedef struct draft_csv {
    const char *path;
    const bst_zone *utc;
    shape *shapes;
    bst__csv_field *fields; /* of the row at hand */
} draft_csv;

typedef void each_row(draft *d, const bst__csv_field *fields, void *context);

static draft_csv *csv_of(draft *d) {
    return d->source;
}

static bool is_null(const bst__csv_field *field) {
    return field->len == 0 && !field->quoted;
}

/* One pass; the header is passed over. */
static bst_status pass(draft *d, each_row *each, void *context) {
    draft_csv *source = csv_of(d);
    bst__csv csv;
    char *bytes;
    size_t len;
    uint64_t line;
    bst_status status = bst__csv_open(&csv, source->path, false, d->diags);

    if (status != BST_OK)
        return status;
    status = bst__csv_next(&csv, &bytes, &len, &line, d->diags);
    while (status == BST_OK && !d->failed) {
        status = bst__csv_next(&csv, &bytes, &len, &line, d->diags);
        if (status != BST_OK || !bytes)
            break;
        const size_t got = bst__csv_split(bytes, len, source->fields, d->column_count);
        if (got != d->column_count) {
            const bst_loc where = {source->path, (uint32_t)line, 0};
            status = bst_diag_add(d->diags, BST_IO, BST_ERROR, "csv-fields", &where,
                                  "this record has %zu cells, and the header has %zu", got,
                                  d->column_count);
            break;
        }
        each(d, source->fields, context);
    }
    bst__csv_close(&csv);
    if (d->failed)
        return bst_diag_nomem(d->diags);
    return status;
}

/* ---- types */

static void look_at_number(shape *s, const char *text, size_t len) {
    size_t i = len > 0 && *text == '-';
    const size_t start = i;

    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    const size_t digits = i - start;
    size_t scale = 0;
    if (i < len && text[i] == '.') {
        scale = len - ++i;
        while (i < len && text[i] >= '0' && text[i] <= '9')
            i++;
    }
    /* A number with zeros in front is a code: "007". */
    const bool number = i == len && digits > 0 && !(digits > 1 && text[start] == '0');
    s->not_decimal = s->not_decimal || !number;
    s->not_int = s->not_int || !number || scale > 0 || digits > 18;
    s->big = s->big || digits > 9;
    s->digits = digits > s->digits ? (unsigned)digits : s->digits;
    s->scale = scale > s->scale ? (unsigned)scale : s->scale;
}

static bool reads_as(bst_kind kind, draft *d, const bst__csv_field *f) {
    const bst_type type = {.kind = kind};
    bst_value value;
    return bst_value_parse(&type, f->text, f->len, d->arena, &value) == BST_VALUE_OK;
}

static void look_at_cell(draft *d, shape *s, const bst__csv_field *f) {
    int64_t time;
    int32_t days;

    look_at_number(s, f->text, f->len);
    if (!s->not_time) {
        s->not_time = bst_time_parse(f->text, f->len, csv_of(d)->utc, &time) != BST_TIME_OK;
        s->naive = s->naive || bst_time_parse(f->text, f->len, NULL, &time) == BST_TIME_NO_ZONE;
    }
    s->not_date = s->not_date || bst_date_parse(f->text, f->len, &days) != BST_TIME_OK;
    s->not_uuid = s->not_uuid || !reads_as(BST_KIND_UUID, d, f);
    s->not_bool = s->not_bool || !reads_as(BST_KIND_BOOL, d, f);
    s->longest = f->len > s->longest ? f->len : s->longest;
}

static void keep_value(draft *d, shape *s, const bst__csv_field *f) {
    seen_value *value = NULL;

    if (s->value_count > BST_DRAFT_STATES_MAX)
        return;
    HASH_FIND(hh, s->values, f->text, f->len, value);
    if (value) {
        value->rows++;
        return;
    }
    value = bst__draft_array(d, 1, sizeof *value);
    if (!value)
        return;
    value->text = bst__draft_text(d, "%.*s", (int)f->len, f->text);
    value->rows = 1;
    s->value_count++;
    HASH_ADD_KEYPTR(hh, s->values, value->text, f->len, value);
    d->failed = d->failed || value->lost;
}

static void look_at_row(draft *d, const bst__csv_field *fields, void *context) {
    (void)context;
    d->rows++;
    for (size_t i = 0; i < d->column_count; i++) {
        if (is_null(&fields[i])) {
            d->columns[i].nulls++;
            continue;
        }
        look_at_cell(d, &csv_of(d)->shapes[i], &fields[i]);
        keep_value(d, &csv_of(d)->shapes[i], &fields[i]);
    }
}

static void settle_type(draft *d, draft_column *c, const shape *s) {
    c->distinct = s->value_count;
    c->distinct_known = true;
    if (c->nulls == d->rows) {
        c->type = "text";
    } else if (!s->not_int) {
        c->integer = true;
        c->type = s->big ? "int8" : "int4";
    } else if (!s->not_decimal && s->digits + s->scale <= 18) {
        c->type = bst__draft_text(d, "decimal(18,%u)", s->scale);
    } else if (!s->not_date) {
        c->time = c->date = true;
        c->type = "date";
    } else if (!s->not_time) {
        c->time = true;
        c->naive = s->naive;
        c->type = "timestamptz";
    } else if (!s->not_uuid) {
        c->type = "uuid";
    } else if (!s->not_bool) {
        c->type = "bool";
    } else {
        c->text = true;
        c->type = "text";
    }
}

static bst_status read_header(draft *d) {
    draft_csv *source = csv_of(d);
    bst__csv csv;
    char *bytes = NULL;
    size_t len;
    uint64_t line;
    bst_status status = bst__csv_open(&csv, source->path, false, d->diags);

    if (status != BST_OK)
        return status;
    source->fields = bst__draft_array(d, BST_COLUMNS_MAX, sizeof *source->fields);
    status = bst__csv_next(&csv, &bytes, &len, &line, d->diags);
    if (status == BST_OK && !bytes)
        status =
            bst_diag_add(d->diags, BST_IO, BST_ERROR, "csv-header", NULL,
                         "\"%s\" is empty: its first line must name the columns", source->path);
    if (status == BST_OK && !d->failed) {
        d->column_count = bst__csv_split(bytes, len, source->fields, BST_COLUMNS_MAX);
        if (d->column_count > BST_COLUMNS_MAX)
            status = bst_diag_add(d->diags, BST_LIMIT, BST_ERROR, "limit", NULL,
                                  "\"%s\" has %zu columns; at most %u can be read", source->path,
                                  d->column_count, BST_COLUMNS_MAX);
    }
    if (status == BST_OK && !d->failed)
        status =
            bst__csv_check_names(source->path, line, source->fields, d->column_count, d->diags);
    if (status == BST_OK && !d->failed) {
        d->columns = bst__draft_array(d, d->column_count, sizeof *d->columns);
        source->shapes = bst__draft_array(d, d->column_count, sizeof *source->shapes);
        for (size_t i = 0; d->columns && i < d->column_count; i++)
            d->columns[i].name =
                bst__draft_text(d, "%.*s", (int)source->fields[i].len, source->fields[i].text);
    }
    bst__csv_close(&csv);
    return d->failed ? bst_diag_nomem(d->diags) : status;
}

static bst_status csv_columns(draft *d) {
    bst_status status = read_header(d);

    if (status == BST_OK)
        status = pass(d, look_at_row, NULL);
    for (size_t i = 0; status == BST_OK && i < d->column_count; i++)
        settle_type(d, &d->columns[i], &csv_of(d)->shapes[i]);
    return status;
}

static bst_status csv_distinct(draft *d, uint32_t column) {
    d->columns[column].distinct = csv_of(d)->shapes[column].value_count;
    return BST_OK;
}

static int by_text(const void *a, const void *b) {
    const draft_code *left = a, *right = b;
    char *left_end, *right_end;
    const long long x = strtoll(left->text, &left_end, 10);
    const long long y = strtoll(right->text, &right_end, 10);

    if (!*left_end && !*right_end && x != y)
        return x < y ? -1 : 1;
    return strcmp(left->text, right->text);
}

static bst_status csv_codes(draft *d) {
    const shape *s = &csv_of(d)->shapes[d->state_column];
    seen_value *value, *next;

    d->codes = bst__draft_array(d, s->value_count + 1, sizeof *d->codes);
    if (!d->codes)
        return bst_diag_nomem(d->diags);
    HASH_ITER (hh, s->values, value, next)
        d->codes[d->code_count++] = (draft_code){.text = value->text, .rows = value->rows};
    qsort(d->codes, d->code_count, sizeof *d->codes, by_text);
    return BST_OK;
}

/* ---- times */

static bool time_at(draft *d, const bst__csv_field *fields, uint32_t column, int64_t *ret) {
    return column != DRAFT_NONE && !is_null(&fields[column]) &&
           bst_time_parse(fields[column].text, fields[column].len, csv_of(d)->utc, ret) ==
               BST_TIME_OK &&
           bst_time_is_finite(*ret);
}

static bool in_scope(const draft *d, const bst__csv_field *fields) {
    return d->deleted == DRAFT_NONE || is_null(&fields[d->deleted]);
}

static uint32_t state_at(const draft *d, const bst__csv_field *fields) {
    const bst__csv_field *f = &fields[d->state_column];
    for (size_t i = 0; i < d->code_count && !is_null(f); i++) {
        if (strlen(d->codes[i].text) == f->len && memcmp(d->codes[i].text, f->text, f->len) == 0)
            return d->codes[i].state;
    }
    return DRAFT_NONE;
}

static int64_t latest_time(draft *d, const bst__csv_field *fields) {
    int64_t latest = BST_TIME_MIN, at;
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (d->columns[i].time && d->columns[i].role == ROLE_FIELD && time_at(d, fields, i, &at) &&
            at > latest)
            latest = at;
    }
    return latest;
}

static void matrix_row(draft *d, const bst__csv_field *fields, void *context) {
    int64_t first = 0, last = 0, at;
    const bool has_first = time_at(d, fields, d->creation, &first);
    const bool has_last = time_at(d, fields, d->last_change, &last);
    const uint32_t state = state_at(d, fields);

    (void)context;
    if (!in_scope(d, fields))
        return;
    d->rows++;
    d->without_state += state == DRAFT_NONE;
    if (state != DRAFT_NONE)
        d->states[state].rows++;
    const int64_t latest = latest_time(d, fields);
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *c = &d->columns[i];
        if (!c->time || c->role != ROLE_FIELD || !time_at(d, fields, i, &at))
            continue;
        if (state != DRAFT_NONE)
            d->states[state].last[i] += at == latest;
        c->set++;
        c->early += has_first && at < first;
        c->late += has_last && at > last;
        if (state != DRAFT_NONE)
            d->states[state].set[i]++;
    }
}

static bst_status csv_matrix(draft *d) {
    d->rows = 0;
    for (size_t s = 0; s < d->state_count; s++)
        d->states[s].rows = 0;
    return pass(d, matrix_row, NULL);
}

typedef struct known_path {
    uint32_t key[DRAFT_PATH_MAX + 1]; /* the state and the columns */
    uint32_t index;
    bool lost;
    UT_hash_handle hh;
} known_path;

static void read_path(draft *d, const bst__csv_field *fields, uint32_t state, draft_path *path) {
    int64_t times[DRAFT_PATH_MAX], at;

    *path = (draft_path){.state = state, .rows = 1};
    for (uint32_t i = 0; i < d->column_count && path->len < DRAFT_PATH_MAX; i++) {
        if (d->columns[i].role != ROLE_EVIDENCE || !time_at(d, fields, i, &at))
            continue;
        size_t place = path->len++;
        for (; place > 0 && times[place - 1] > at; place--) {
            times[place] = times[place - 1];
            path->columns[place] = path->columns[place - 1];
        }
        times[place] = at;
        path->columns[place] = i;
    }
}

static void path_row(draft *d, const bst__csv_field *fields, void *context) {
    known_path **known = context, *found = NULL;
    const uint32_t state = state_at(d, fields);
    draft_path path;
    uint32_t key[DRAFT_PATH_MAX + 1];

    if (!in_scope(d, fields) || state == DRAFT_NONE)
        return;
    read_path(d, fields, state, &path);
    key[0] = state;
    memcpy(key + 1, path.columns, path.len * sizeof *key);
    const size_t len = (path.len + 1) * sizeof *key;
    HASH_FIND(hh, *known, key, len, found);
    if (found) {
        d->paths[found->index].rows++;
        return;
    }
    found = d->path_count < BST_DRAFT_PATHS_MAX ? bst__draft_array(d, 1, sizeof *found) : NULL;
    if (!found)
        return;
    memcpy(found->key, key, len);
    found->index = (uint32_t)d->path_count;
    d->paths[d->path_count++] = path;
    HASH_ADD(hh, *known, key, (unsigned)len, found);
    d->failed = d->failed || found->lost;
}

static bst_status csv_paths(draft *d) {
    known_path *known = NULL;

    d->paths = bst__draft_array(d, BST_DRAFT_PATHS_MAX, sizeof *d->paths);
    if (!d->paths)
        return bst_diag_nomem(d->diags);
    const bst_status status = pass(d, path_row, &known);
    HASH_CLEAR(hh, known);
    return status;
}

/* ---- counters */

typedef struct tally_wish {
    uint32_t column, against;
    draft_tally *ret;
    bool first;
} tally_wish;

static void tally_row(draft *d, const bst__csv_field *fields, void *context) {
    tally_wish *w = context;
    char text[32];
    int64_t at;

    if (!in_scope(d, fields))
        return;
    const bst__csv_field *f = &fields[w->column];
    if (is_null(f)) {
        w->ret->nulls++;
        w->ret->low += w->against != DRAFT_NONE && time_at(d, fields, w->against, &at);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)(f->len < 31 ? f->len : 31), f->text);
    const int64_t value = strtoll(text, NULL, 10);
    w->ret->min = w->first || value < w->ret->min ? value : w->ret->min;
    w->ret->max = w->first || value > w->ret->max ? value : w->ret->max;
    w->first = false;
    if (w->against != DRAFT_NONE) {
        const bool set = time_at(d, fields, w->against, &at);
        w->ret->low += value == 0 && set;
        w->ret->high += value > 0 && !set;
        return;
    }
    int64_t least = 1;
    for (uint32_t i = 0; i < d->column_count; i++)
        least += d->columns[i].role == ROLE_EVIDENCE && time_at(d, fields, i, &at);
    w->ret->low += value < least;
    w->ret->high += value > least;
}

static bst_status csv_tally(draft *d, uint32_t column, uint32_t against, draft_tally *ret) {
    tally_wish wish = {.column = column, .against = against, .ret = ret, .first = true};
    const bst_status status = pass(d, tally_row, &wish);

    /* One that starts at 0 needs an SQL expression in the mapping, which a file cannot have. */
    if (status == BST_OK && against == DRAFT_NONE && ret->min == 0)
        ret->min = -1;
    return status;
}

static void csv_close(draft *d) {
    draft_csv *source = csv_of(d);
    for (size_t i = 0; source->shapes && i < d->column_count; i++)
        HASH_CLEAR(hh, source->shapes[i].values);
    bst_zone_free(source->utc);
}

static const draft_ops csv_ops = {csv_columns, csv_distinct, csv_codes, csv_matrix,
                                  csv_paths,   csv_tally,    NULL,      csv_close};

bst_status bst__draft_open_csv(draft *d) {
    draft_csv *source = bst__draft_array(d, 1, sizeof *source);
    const char *dot = strrchr(d->options->table, '.');
    struct stat st;

    if (!source)
        return bst_diag_nomem(d->diags);
    if (d->options->sample_percent > 0)
        return bst_diag_add(d->diags, BST_USAGE, BST_ERROR, "needs-postgres", NULL,
                            "a sample can be taken of a PostgreSQL table only");
    d->table = d->options->table;
    source->path = d->options->from;
    if (stat(d->options->from, &st) == 0 && S_ISDIR(st.st_mode))
        source->path =
            bst__draft_text(d, "%s/%s.csv", d->options->from, dot ? dot + 1 : d->options->table);
    source->utc = bst_zone_new("UTC");
    d->source = source;
    d->ops = &csv_ops;
    return source->utc ? BST_OK : bst_diag_nomem(d->diags);
}
