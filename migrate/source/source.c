/* Sources of legacy rows: the way from "--from" to a kind of source, and the cells that all kinds
 * make alike. */
#include "backstory/source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/sink.h"

#include "source_private.h"

/* A connection string that is not quite one, or one of another kind of server: not shown then. */
static bool may_hold_secret(const char *from) {
    return strpbrk(from, "@=") || strstr(from, "://");
}

static bst_status report_unknown_source(bst_diags *diags) {
    bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-source", NULL,
                 "the source is neither a file or folder nor a connection string of PostgreSQL");
    bst_diag_hint(diags,
                  "Write it as postgresql://user@host/database, as host=... dbname=..., or as "
                  "a path.");
    return BST_USAGE;
}

bst_status bst_source_open(const char *from, const bst_source_spec *spec, bst_source **ret,
                           bst_diags *diags) {
    return bst_source_open_at(from, spec, NULL, ret, diags);
}

#if !BACKSTORY_POSTGRES
static bst_status no_postgres(bst_diags *diags) {
    bst_diag_add(diags, BST_USAGE, BST_ERROR, "no-postgres", NULL,
                 "cannot read from PostgreSQL: this program was built without it");
    bst_diag_hint(diags, "Give a .csv file, or build with BACKSTORY_POSTGRES=ON.");
    return BST_USAGE;
}
#endif

bst_status bst_source_open_at(const char *from, const bst_source_spec *spec, const char *snapshot,
                              bst_source **ret, bst_diags *diags) {
    if (!bst_is_connection_string(from)) {
        if (may_hold_secret(from) && access(from, F_OK) != 0)
            return report_unknown_source(diags);
        for (size_t i = 0; i < spec->column_count; i++) {
            if (spec->columns[i].log)
                return bst__source_log_open(from, spec, i, ret, diags);
        }
        return bst__source_csv_open(from, spec, ret, diags);
    }
#if BACKSTORY_POSTGRES
    return bst__source_pg_open(from, spec, snapshot, ret, diags);
#else
    (void)snapshot;
    return no_postgres(diags);
#endif
}

/* ---- in chunks */

bst_status bst_source_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                            const char *const **ret, size_t *ret_count, bst_diags *diags) {
    return source->ops->split(source, cut, arena, ret, ret_count, diags);
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

void bst__cell_bad(bst_cell *cell, bst_value_result result, const char *text, size_t len) {
    cell->value = BST_ABSENT;
    cell->result = result;
    cell->text = text;
    cell->text_len = len;
}

/* A timestamp that did not give a value: what is that to the row? False: nothing, the mapping is
 * wrong. */
static bool take_time(bst_time_result result, int64_t time, const char *text, size_t len,
                      bst_cell *ret) {
    switch (result) {
    case BST_TIME_OK:
        ret->value = (bst_value){.present = true, .u.i = time};
        ret->result = BST_VALUE_OK;
        return true;
    case BST_TIME_NO_ZONE:
        return false;
    case BST_TIME_GAP:
    case BST_TIME_OVERLAP:
        bst__cell_bad(ret, BST_VALUE_ZONE, text, len);
        return true;
    case BST_TIME_RANGE:
        bst__cell_bad(ret, BST_VALUE_RANGE, text, len);
        return true;
    case BST_TIME_INEXACT:
        bst__cell_bad(ret, BST_VALUE_INEXACT, text, len);
        return true;
    case BST_TIME_SYNTAX:
        break;
    }
    bst__cell_bad(ret, BST_VALUE_SYNTAX, text, len);
    return true;
}

bool bst__cell_from_text(const bst_source_column *column, const char *text, size_t len,
                         bst_arena *arena, bst_cell *ret) {
    if (column->type.kind == BST_KIND_TIMESTAMPTZ) {
        int64_t time = 0;
        const bst_time_result result = bst__time_read(column, text, len, &time);
        return take_time(result, time, text, len, ret);
    }
    ret->result = bst_value_parse(&column->type, text, len, arena, &ret->value);
    if (ret->result != BST_VALUE_OK)
        bst__cell_bad(ret, ret->result, text, len);
    return true;
}

bool bst__cell_from_naive(const bst_source_column *column, int64_t naive, bst_arena *arena,
                          bst_cell *ret) {
    int64_t time = naive;
    bst_time_result result = BST_TIME_OK;

    if (bst_time_is_finite(naive))
        result = column->zone ? bst_time_from_naive(naive, column->zone, &time) : BST_TIME_NO_ZONE;
    char *text = NULL;
    size_t len = 0;
    if (result != BST_TIME_OK && result != BST_TIME_NO_ZONE) {
        char shown[BST_TIME_TEXT_MAX];
        len = bst_time_format(naive, shown);
        if (len > 0 && shown[len - 1] == 'Z') /* it is local time: take the zone away */
            len--;
        text = bst_arena_strndup(arena, shown, len);
    }
    return take_time(result, time, text ? text : "", text ? len : 0, ret);
}

void bst__key_add(bst_strbuf *key, const bst_source_spec *spec, size_t part, const char *text,
                  size_t len) {
    if (spec->key_count == 1) {
        bst_strbuf_add(key, text, len);
        return;
    }
    if (part > 0)
        bst_strbuf_addc(key, '/');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '/')
            bst_strbuf_adds(key, "%2F");
        else if (text[i] == '%')
            bst_strbuf_adds(key, "%25");
        else
            bst_strbuf_addc(key, text[i]);
    }
}

bst_status bst__report_missing_column(const char *where, const char *column,
                                      const char *const *names, size_t count, bst_diags *diags) {
    const char *nearest = bst_nearest_name(column, names, count);

    bst_diag_add(diags, BST_INVALID, BST_ERROR, "unknown-column", NULL,
                 "%s has no column \"%s\" that the mapping reads", where, column);
    if (nearest)
        bst_diag_hint(diags, "Did you mean \"%s\"?", nearest);
    return BST_INVALID;
}

bst_status bst__report_no_zone(const char *where, const char *column, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "naive-timestamp", NULL,
                 "%s: column \"%s\" holds times without a zone, and the mapping names none", where,
                 column);
    bst_diag_hint(diags, "Say by which clock they were written: \"source\": { \"zone\": \"UTC\" }, "
                         "or the zone's name, as in \"Europe/Copenhagen\".");
    return BST_INVALID;
}
