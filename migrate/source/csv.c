/* Legacy rows from a CSV file.
 *
 * A file has no index, so whether a key is unique is known only when all of it has been seen: the
 * rows always go through the sorter and come out by key, one of them held back so that two of a key
 * are seen side by side.
 */
#include "backstory/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backstory/digest.h"
#include "csv_reader_private.h"
#include "row_sort_private.h"
#include "source_private.h"

/* One row out of the sorter, in memory of its own. */
typedef struct held_row {
    char *bytes;
    size_t len, size;
    bst_strbuf key;
    bool key_is_null;
    uint64_t number;
    bool there;
} held_row;

typedef struct csv_source {
    bst_source base;
    char *path;
    bst__csv csv;
    char **names; /* of the file's columns */
    size_t name_count;
    bst__csv_field *fields; /* of the row at hand: name_count */
    size_t *key_at;         /* spec->key_count places among the names */
    size_t *column_at;      /* spec->column_count */
    bst__row_sort *sort;
    bool sorted;
    char sha256[BST_SHA256_HEX]; /* of the bytes that were sorted; "": not wanted */
    uint64_t guessed;            /* rows, before they are read */
    uint64_t row_count, rows_out;
    held_row now, next;
    bool last_key_equal; /* the row before `now` had its key */
    char *original;      /* the bytes of `now` before they were cut up */
    size_t original_size;
    bst_cell *cells;
    bst_arena *arena; /* of the cells at hand */
    bst_row row;
} csv_source;

static bst_status malformed(const csv_source *s, uint64_t line, size_t got, bst_diags *diags) {
    const bst_loc where = {s->path, (uint32_t)line, 0};

    bst_diag_add(diags, BST_IO, BST_ERROR, "csv-fields", &where,
                 "this record has %zu cells, and the header has %zu", got, s->name_count);
    bst_diag_hint(diags, "The file may be cut off, or a cell with a comma is not quoted.");
    return BST_IO;
}

static bool is_null(const csv_source *s, const bst__csv_field *field) {
    if (field->len == 0)
        return !field->quoted;
    for (size_t i = 0; i < s->base.spec->null_text_count; i++) {
        const char *text = s->base.spec->null_texts[i];
        if (strlen(text) == field->len && memcmp(text, field->text, field->len) == 0)
            return true;
    }
    return false;
}

/* The key of the cut record in s->fields. True: a part of it is NULL. */
static bool make_key(const csv_source *s, bst_strbuf *key) {
    bool null = false;

    bst_strbuf_clear(key);
    for (size_t i = 0; i < s->base.spec->key_count; i++) {
        const bst__csv_field *field = &s->fields[s->key_at[i]];
        if (is_null(s, field))
            null = true;
        else
            bst__key_add(key, s->base.spec, i, field->text, field->len);
    }
    if (null)
        bst_strbuf_clear(key);
    return null;
}

static bst_status reserve(char **bytes, size_t *size, size_t want, bst_diags *diags) {
    if (want <= *size)
        return BST_OK;
    char *larger = realloc(*bytes, want);
    if (!larger)
        return bst_diag_nomem(diags);
    *bytes = larger;
    *size = want;
    return BST_OK;
}

/* Reads the whole file into the sorter. */
static bst_status sort_file(csv_source *s, bst_diags *diags) {
    bst_strbuf key = BST_STRBUF_INIT;
    bst_status status = BST_OK;

    while (status == BST_OK) {
        char *bytes;
        bst__sort_row row = {0};
        status = bst__csv_next(&s->csv, &bytes, &row.len, &row.number, diags);
        if (status != BST_OK || !bytes)
            break;
        status = reserve(&s->original, &s->original_size, row.len + 1, diags);
        if (status != BST_OK)
            break;
        memcpy(s->original, bytes, row.len);
        const size_t got = bst__csv_split(bytes, row.len, s->fields, s->name_count);
        if (got != s->name_count) {
            status = malformed(s, row.number, got, diags);
            break;
        }
        row.bytes = s->original;
        row.key_is_null = make_key(s, &key);
        row.key = key.text;
        row.key_len = key.len;
        status = key.failed ? bst_diag_nomem(diags) : bst__row_sort_add(s->sort, &row, diags);
        s->row_count++;
    }
    bst_strbuf_release(&key);
    if (s->csv.sha256 && status == BST_OK)
        bst_sha256_take(s->csv.sha256, s->sha256);
    s->sorted = true;
    return status;
}

static bst_status hold_next(csv_source *s, bst_diags *diags) {
    bst__sort_row row;
    bool end;
    bst_status status = bst__row_sort_next(s->sort, &row, &end, diags);

    s->next.there = status == BST_OK && !end;
    if (!s->next.there)
        return status;
    status = reserve(&s->next.bytes, &s->next.size, row.len + 1, diags);
    if (status != BST_OK)
        return status;
    memcpy(s->next.bytes, row.bytes, row.len);
    s->next.len = row.len;
    s->next.number = row.number;
    s->next.key_is_null = row.key_is_null;
    bst_strbuf_clear(&s->next.key);
    bst_strbuf_add(&s->next.key, row.key, row.key_len);
    return s->next.key.failed ? bst_diag_nomem(diags) : BST_OK;
}

static bool same_key(const held_row *a, const held_row *b) {
    return a->there && b->there && !a->key_is_null && !b->key_is_null && a->key.len == b->key.len &&
           memcmp(a->key.text, b->key.text, a->key.len) == 0;
}

static bst_status fill_cells(csv_source *s, bst_diags *diags) {
    bst_arena_clear(s->arena);
    for (size_t i = 0; i < s->base.spec->column_count; i++) {
        const bst_source_column *column = &s->base.spec->columns[i];
        const bst__csv_field *field = &s->fields[s->column_at[i]];
        bst_cell *cell = &s->cells[i];
        if (is_null(s, field)) {
            *cell = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
        } else if (!bst__cell_from_text(column, field->text, field->len, s->arena, cell)) {
            const bst_status status = bst__report_no_zone(s->path, column->name, diags);
            return status;
        } else if (cell->result == BST_VALUE_NOMEM) {
            return bst_diag_nomem(diags);
        }
    }
    return BST_OK;
}

static bst_status csv_next(bst_source *source, const bst_row **ret_row, bst_diags *diags) {
    csv_source *s = (csv_source *)source;
    bst_status status = BST_OK;

    *ret_row = NULL;
    if (!s->sorted) {
        status = sort_file(s, diags);
        if (status == BST_OK)
            status = hold_next(s, diags);
        if (status != BST_OK)
            return status;
    }
    const held_row before = s->now;
    s->now = s->next;
    s->next = before; /* its memory is used again */
    if (!s->now.there)
        return BST_OK;
    const bool like_before = same_key(&s->next, &s->now);
    status = hold_next(s, diags);
    if (status == BST_OK)
        status = reserve(&s->original, &s->original_size, s->now.len + 1, diags);
    if (status != BST_OK)
        return status;
    memcpy(s->original, s->now.bytes, s->now.len);
    bst__csv_split(s->now.bytes, s->now.len, s->fields, s->name_count);
    status = fill_cells(s, diags);
    if (status != BST_OK)
        return status;
    s->row = (bst_row){.key = s->now.key.text,
                       .key_len = s->now.key.len,
                       .key_is_null = s->now.key_is_null,
                       .key_is_double = like_before || same_key(&s->now, &s->next),
                       .in_scope = true,
                       .number = s->now.number,
                       .cells = s->cells};
    s->rows_out++;
    *ret_row = &s->row;
    return BST_OK;
}

static bst_status csv_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    const csv_source *s = (const csv_source *)source;

    bst_strbuf_addc(out, '{');
    for (size_t i = 0; i < s->name_count; i++) {
        const bst__csv_field *field = &s->fields[i];
        if (i > 0)
            bst_strbuf_addc(out, ',');
        bst_strbuf_add_json(out, s->names[i], strlen(s->names[i]));
        bst_strbuf_addc(out, ':');
        if (field->len == 0 && !field->quoted)
            bst_strbuf_adds(out, "null");
        else
            bst_strbuf_add_json(out, field->text, field->len);
    }
    bst_strbuf_addc(out, '}');
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

static uint64_t csv_expected(const bst_source *source) {
    const csv_source *s = (const csv_source *)source;
    return s->row_count > 0 ? s->row_count : s->guessed;
}

/* Rows by the size of the file, and of the lines that stand in the buffer. */
static uint64_t guess_rows(const csv_source *s) {
    const char *at = s->csv.bytes + s->csv.begin;
    const char *const end = s->csv.bytes + s->csv.end;
    const uint64_t bytes = (uint64_t)(end - at);
    struct stat st;
    uint64_t lines = 0;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        lines++;
        at++;
    }
    return lines > 0 && stat(s->path, &st) == 0 ? (uint64_t)st.st_size / (bytes / lines) : 0;
}

static bst_status digest_file(const csv_source *s, char ret[BST_SHA256_HEX], bst_diags *diags) {
    const bst_loc where = {s->path, 0, 0};
    FILE *const file = fopen(s->path, "rb");
    const bool read = file && bst_sha256_file(file, ret);
    const int error = errno;
    if (file)
        fclose(file);
    return read ? BST_OK
                : bst_diag_add(diags, BST_IO, BST_ERROR, "read", &where, "%s", strerror(error));
}

/* Of what was read, where that is done: the file may have become another one since. */
static bst_status csv_digest(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    const csv_source *s = (const csv_source *)source;
    char sha256[BST_SHA256_HEX];
    bst_strbuf name = BST_STRBUF_INIT;
    memcpy(sha256, s->sha256, sizeof sha256);
    const bst_status status = *sha256 ? BST_OK : digest_file(s, sha256, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_addf(&name, "SHA-256 of %s", s->base.label);
    bst_strbuf_adds(out, out->len > 1 ? "," : "");
    bst_strbuf_add_json(out, name.text, name.len);
    bst_strbuf_addf(out, ":\"%s\"", sha256);
    out->failed = out->failed || name.failed;
    bst_strbuf_release(&name);
    return BST_OK;
}

static double csv_progress(const bst_source *source) {
    const csv_source *s = (const csv_source *)source;
    return s->row_count == 0 ? 0 : (double)s->rows_out / (double)s->row_count;
}

static size_t csv_column_count(const bst_source *source) {
    return ((const csv_source *)source)->name_count;
}

static const char *csv_column_name(const bst_source *source, size_t index) {
    return ((const csv_source *)source)->names[index];
}

static void csv_free(bst_source *source) {
    csv_source *s = (csv_source *)source;

    for (size_t i = 0; i < s->name_count; i++)
        free(s->names[i]);
    free(s->names);
    free(s->fields);
    free(s->key_at);
    free(s->column_at);
    free(s->cells);
    free(s->now.bytes);
    free(s->next.bytes);
    free(s->original);
    free(s->path);
    bst_strbuf_release(&s->now.key);
    bst_strbuf_release(&s->next.key);
    bst_arena_free(s->arena);
    bst__row_sort_free(s->sort);
    bst__csv_close(&s->csv);
    free(s);
}

static const struct bst__source_ops csv_ops = {.next = csv_next,
                                               .original = csv_original,
                                               .expected = csv_expected,
                                               .progress = csv_progress,
                                               .column_count = csv_column_count,
                                               .column_name = csv_column_name,
                                               .free = csv_free,
                                               .split = bst__file_split,
                                               .one_reader = bst__file_one_reader,
                                               .select = bst__file_select,
                                               .identity = bst__file_identity,
                                               .moment = bst__file_moment,
                                               .digest = csv_digest};

/* The header row gives the names. */
static bst_status read_header(csv_source *s, bst_diags *diags) {
    char *bytes;
    size_t len;
    uint64_t line;
    bst__csv_field *fields = NULL;
    bst_status status = bst__csv_next(&s->csv, &bytes, &len, &line, diags);

    if (status != BST_OK)
        return status;
    if (!bytes) {
        const bst_loc where = {s->path, 0, 0};
        bst_diag_add(diags, BST_IO, BST_ERROR, "csv-header", &where,
                     "the file is empty: its first line must name the columns");
        return BST_IO;
    }
    fields = calloc(BST_COLUMNS_MAX, sizeof *fields);
    if (!fields)
        return bst_diag_nomem(diags);
    const size_t count = bst__csv_split(bytes, len, fields, BST_COLUMNS_MAX);
    if (count > BST_COLUMNS_MAX) {
        free(fields);
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "limit", NULL,
                            "\"%s\" has %zu columns; at most %u can be read", s->path, count,
                            BST_COLUMNS_MAX);
    }
    status = bst__csv_check_names(s->path, line, fields, count, diags);
    if (status != BST_OK) {
        free(fields);
        return status;
    }
    s->names = calloc(count, sizeof *s->names);
    s->fields = calloc(count, sizeof *s->fields);
    for (size_t i = 0; i < count && s->names; i++) {
        s->names[i] = strndup(fields[i].text, fields[i].len);
        if (!s->names[i])
            break;
        s->name_count++;
    }
    free(fields);
    return s->fields && s->name_count == count ? BST_OK : bst_diag_nomem(diags);
}

static bst_status find_column(const csv_source *s, const char *name, size_t *ret_at,
                              bst_diags *diags) {
    for (size_t i = 0; i < s->name_count; i++) {
        if (strcmp(s->names[i], name) == 0) {
            *ret_at = i;
            return BST_OK;
        }
    }
    return bst__report_missing_column(s->path, name, (const char *const *)s->names, s->name_count,
                                      diags);
}

static bst_status find_columns(csv_source *s, bst_diags *diags) {
    const bst_source_spec *spec = s->base.spec;
    bst_status status = BST_OK;

    for (size_t i = 0; i < spec->key_count; i++) {
        const bst_status found = find_column(s, spec->key[i], &s->key_at[i], diags);
        if (found != BST_OK)
            status = found;
    }
    for (size_t i = 0; i < spec->column_count; i++) {
        const bst_source_column *column = &spec->columns[i];
        bst_status found = BST_OK;
        bool seen = false; /* one column wanted as several types is one mistake */
        for (size_t j = 0; j < i && !seen; j++)
            seen = !column->sql && !spec->columns[j].sql &&
                   strcmp(spec->columns[j].name, column->name) == 0;
        if (column->sql) {
            found = bst_diag_add(diags, BST_INVALID, BST_ERROR, "needs-postgres", NULL,
                                 "\"%s\" is an SQL expression, and \"%s\" is a file", column->name,
                                 s->path);
            bst_diag_hint(diags, "Write it as { \"cel\": ... }, or read from PostgreSQL.");
        } else {
            found = find_column(s, column->name, &s->column_at[i], seen ? NULL : diags);
        }
        if (found != BST_OK)
            status = found;
    }
    if (spec->where_sql) {
        status = bst_diag_add(diags, BST_INVALID, BST_ERROR, "needs-postgres", NULL,
                              "the mapping's \"where\" is SQL, and \"%s\" is a file", s->path);
        bst_diag_hint(diags,
                      "Write it as { \"cel\": \"!has(deleted_at)\" }, or read from PostgreSQL.");
    }
    return status;
}

/* `from` itself, or the table's file in it. The caller frees it. */
static char *path_of(const char *from, const char *table) {
    struct stat st;

    if (stat(from, &st) != 0 || !S_ISDIR(st.st_mode))
        return strdup(from);
    const char *dot = strrchr(table, '.');
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/%s.csv", from, dot ? dot + 1 : table);
    return bst_strbuf_detach(&path);
}

bst_status bst__source_csv_open(const char *path, const bst_source_spec *spec, bst_source **ret,
                                bst_diags *diags) {
    csv_source *s = calloc(1, sizeof *s);
    bst_status status = BST_OK;

    if (!s)
        return bst_diag_nomem(diags);
    s->base = (bst_source){.ops = &csv_ops, .spec = spec};
    bst_strbuf_init(&s->now.key);
    bst_strbuf_init(&s->next.key);
    s->path = path_of(path, spec->table);
    s->key_at = calloc(spec->key_count + 1, sizeof *s->key_at);
    s->column_at = calloc(spec->column_count + 1, sizeof *s->column_at);
    s->cells = calloc(spec->column_count + 1, sizeof *s->cells);
    s->arena = bst_arena_new();
    s->sort = bst__row_sort_new(BST__SORT_BYTES_DEFAULT);
    if (!s->path || !s->key_at || !s->column_at || !s->cells || !s->arena || !s->sort) {
        status = bst_diag_nomem(diags);
        goto out;
    }
    const char *slash = strrchr(s->path, '/');
    s->base.label = slash ? slash + 1 : s->path;
    status = bst__csv_open(&s->csv, s->path, spec->digested, diags);
    if (status != BST_OK)
        goto out;
    status = read_header(s, diags);
    if (status == BST_OK)
        status = find_columns(s, diags);
    if (status == BST_OK)
        s->guessed = guess_rows(s);
out:
    if (status != BST_OK) {
        bst_source_free(&s->base);
        return status;
    }
    *ret = &s->base;
    return BST_OK;
}
