/* CSV records.
 *
 * A record ends at a line end outside quotes. The reader keeps one window of the file, which holds
 * at least the record at hand and grows with it up to a limit; a record is handed out as it stands,
 * so that the sorter can keep its bytes, and cut into fields in place. Comma, double quotes doubled
 * inside quotes, LF or CRLF. A byte order mark is passed over.
 */
#include "csv_reader_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_START     ((size_t)256 << 10)
#define RECORD_BYTES_MAX ((size_t)256 << 20)

static bst_status fail(const bst__csv *csv, const char *code, bst_diags *diags, const char *what) {
    const bst_loc where = {csv->name, (uint32_t)csv->line, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, code, &where, "%s", what);
}

bst_status bst__csv_open(bst__csv *csv, const char *path, bool digested, bst_diags *diags) {
    *csv = (bst__csv){.name = path, .line = 1};
    csv->file = fopen(path, "rb");
    if (!csv->file) {
        bst_diag_add(diags, BST_IO, BST_ERROR, "io", NULL, "could not open \"%s\": %s", path,
                     strerror(errno));
        return BST_IO;
    }
    csv->bytes = malloc(WINDOW_START);
    csv->sha256 = digested ? bst_sha256_new() : NULL;
    if (!csv->bytes || (digested && !csv->sha256)) {
        bst__csv_close(csv);
        return bst_diag_nomem(diags);
    }
    csv->size = WINDOW_START;
    return BST_OK;
}

void bst__csv_close(bst__csv *csv) {
    if (csv->file)
        fclose(csv->file);
    free(csv->bytes);
    csv->sha256 = bst_sha256_free(csv->sha256);
    csv->file = NULL;
    csv->bytes = NULL;
}

/* Reads more behind what the window holds, moving or growing it. */
static bst_status fill(bst__csv *csv, bst_diags *diags) {
    if (csv->begin > 0) {
        memmove(csv->bytes, csv->bytes + csv->begin, csv->end - csv->begin);
        csv->end -= csv->begin;
        csv->begin = 0;
    }
    if (csv->end == csv->size) {
        if (csv->size >= RECORD_BYTES_MAX)
            return fail(csv, "csv-record", diags,
                        "this record is longer than 256 MB: is a quote missing?");
        char *larger = realloc(csv->bytes, csv->size * 2);
        if (!larger)
            return bst_diag_nomem(diags);
        csv->bytes = larger;
        csv->size *= 2;
    }
    const size_t got = fread(csv->bytes + csv->end, 1, csv->size - csv->end, csv->file);
    if (got == 0) {
        if (ferror(csv->file)) {
            bst_diag_add(diags, BST_IO, BST_ERROR, "io", NULL, "could not read \"%s\": %s",
                         csv->name, strerror(errno));
            return BST_IO;
        }
        csv->at_end = true;
    }
    if (csv->sha256)
        bst_sha256_add(csv->sha256, csv->bytes + csv->end, got);
    csv->end += got;
    return BST_OK;
}

/* One walk over the window. `scanned`, `quoted` and `lines` go on where the last walk ended. */
typedef struct walk {
    size_t scanned;
    bool quoted;
    uint64_t lines;
} walk;

/* True when a line end outside quotes was found, at begin + scanned. */
static bool find_end(const bst__csv *csv, walk *w) {
    const char *bytes = csv->bytes + csv->begin;
    const size_t len = csv->end - csv->begin;

    for (; w->scanned < len; w->scanned++) {
        const char c = bytes[w->scanned];
        if (c == '"')
            w->quoted = !w->quoted;
        else if (c == '\n' && !w->quoted)
            return true;
        else if (c == '\n')
            w->lines++;
    }
    return false;
}

static bst_status next_raw(bst__csv *csv, char **ret_bytes, size_t *ret_len, bst_diags *diags) {
    walk w = {0, false, 0};

    *ret_bytes = NULL;
    *ret_len = 0;
    while (!find_end(csv, &w)) {
        if (csv->at_end) {
            if (csv->begin == csv->end)
                return BST_OK;
            if (w.quoted) {
                fail(csv, "csv-quote", diags, "a quote is opened here and never closed");
                bst_diag_hint(diags,
                              "The file may be cut off, or holds a bare quote: inside a quoted "
                              "cell a quote is written twice.");
                return BST_IO;
            }
            break;
        }
        const bst_status status = fill(csv, diags);
        if (status != BST_OK)
            return status;
    }
    *ret_bytes = csv->bytes + csv->begin;
    *ret_len = w.scanned;
    csv->begin += w.scanned;
    csv->offset += w.scanned;
    if (csv->begin < csv->end) { /* the line feed */
        csv->begin++;
        csv->offset++;
    }
    csv->line += w.lines + 1;
    if (*ret_len > 0 && (*ret_bytes)[*ret_len - 1] == '\r')
        (*ret_len)--;
    return BST_OK;
}

bst_status bst__csv_next(bst__csv *csv, char **ret_bytes, size_t *ret_len, uint64_t *ret_line,
                         bst_diags *diags) {
    for (;;) {
        *ret_line = csv->line;
        const bool first = csv->offset == 0;
        const bst_status status = next_raw(csv, ret_bytes, ret_len, diags);
        if (status != BST_OK || !*ret_bytes)
            return status;
        if (first && *ret_len >= 3 && memcmp(*ret_bytes, "\xEF\xBB\xBF", 3) == 0) {
            *ret_bytes += 3;
            *ret_len -= 3;
        }
        if (*ret_len > 0)
            return BST_OK;
    }
}

/* A quoted field that starts after its quote at `from`: unquotes it in place. Returns where it
 * ends. */
static size_t unquote(char *bytes, size_t len, size_t from, bst__csv_field *field) {
    size_t in = from;
    size_t out = from;

    while (in < len) {
        if (bytes[in] == '"') {
            if (in + 1 < len && bytes[in + 1] == '"') {
                in++;
            } else {
                in++;
                break;
            }
        }
        bytes[out++] = bytes[in++];
    }
    /* What stands between the closing quote and the comma belongs to the cell, as PostgreSQL reads
     * it. */
    while (in < len && bytes[in] != ',')
        bytes[out++] = bytes[in++];
    *field = (bst__csv_field){bytes + from, out - from, true};
    return in;
}

size_t bst__csv_split(char *bytes, size_t len, bst__csv_field *fields, size_t room) {
    size_t count = 0;
    size_t at = 0;

    for (;;) {
        bst__csv_field field;
        if (at < len && bytes[at] == '"') {
            at = unquote(bytes, len, at + 1, &field);
        } else {
            const char *comma = at < len ? memchr(bytes + at, ',', len - at) : NULL;
            const size_t end = comma ? (size_t)(comma - bytes) : len;
            field = (bst__csv_field){bytes + at, end - at, false};
            at = end;
        }
        if (count < room)
            fields[count] = field;
        count++;
        if (at >= len)
            return count;
        at++; /* the comma */
    }
}

static bool same_text(const bst__csv_field *a, const bst__csv_field *b) {
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bst_status bst__csv_check_names(const char *path, uint64_t line, const bst__csv_field *names,
                                size_t count, bst_diags *diags) {
    const bst_loc where = {path, (uint32_t)line, 0};

    for (size_t second = 1; second < count; second++) {
        for (size_t first = 0; first < second; first++) {
            if (!same_text(&names[first], &names[second]))
                continue;
            bst_diag_add(diags, BST_IO, BST_ERROR, "csv-header", &where,
                         "columns %zu and %zu have the same name, \"%.*s\"", first + 1, second + 1,
                         (int)names[first].len, names[first].text);
            bst_diag_hint(diags, "Give each column a name of its own; when the file comes from a "
                                 "query, with AS.");
            return BST_IO;
        }
    }
    return BST_OK;
}
