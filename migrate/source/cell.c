/* What all kinds of source make alike: cells of texts, keys of their parts, and the complaints
 * about columns. */
#include "source_private.h"

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
