/* One row of a binary COPY, cut into the key and the cells that the mapping wants. */
#include <string.h>

#include "backstory/decimal.h"

#include "pg_binary_private.h"
#include "source_pg_private.h"

bst_status bst__pg_broken(bst_diags *diags) {
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "copy-format", NULL,
                        "the server sent a COPY row that does not have the binary format");
}

bool bst__pg_take_field(const char **at, const char *end, const char **ret_bytes, size_t *ret_len) {
    if (end - *at < 4)
        return false;
    const uint32_t len = (uint32_t)bst__pg_int4(*at);
    *at += 4;
    if (len <= (size_t)(end - *at)) {
        *ret_bytes = *at;
        *ret_len = len;
        *at += len;
        return true;
    }
    *ret_bytes = NULL;
    *ret_len = 0;
    return len == UINT32_MAX;
}

static bool is_int_len(size_t len) {
    return len == 8 || len == 4 || len == 2;
}

/* Whether a value of this form can have so many bytes. */
static bool is_len(bst__wire w, size_t len) {
    static const uint8_t lens[] = {[WIRE_BOOL] = 1,        [WIRE_DATE] = 4,  [WIRE_TIMESTAMP] = 8,
                                   [WIRE_TIMESTAMPTZ] = 8, [WIRE_UUID] = 16, [WIRE_BYTEA] = 0};
    return w == WIRE_INT || w == WIRE_INT_TEXT ? is_int_len(len) : lens[w] == 0 || lens[w] == len;
}

static int64_t read_int(const char *bytes, size_t len) {
    return len == 8 ? bst__pg_int8(bytes) : len == 4 ? bst__pg_int4(bytes) : bst__pg_int2(bytes);
}

static void set_int(const bst_type *type, int64_t i, bst_arena *arena, bst_cell *cell) {
    const int64_t limit = type->kind == BST_KIND_INT2   ? INT16_MAX
                          : type->kind == BST_KIND_INT4 ? INT32_MAX
                                                        : INT64_MAX;
    if (i > limit || i < -limit - 1) {
        const char *text = bst_arena_printf(arena, "%lld", (long long)i);
        bst__cell_bad(cell, text ? BST_VALUE_RANGE : BST_VALUE_NOMEM, text,
                      text ? strlen(text) : 0);
        return;
    }
    *cell = (bst_cell){.value = {.present = true, .u.i = i}};
}

static void set_numeric(const bst_type *type, const char *bytes, size_t len, bst_arena *arena,
                        bst_cell *cell) {
    int64_t units = 0;
    const bst_value_result result = bst__pg_numeric(bytes, len, type, &units);

    if (result == BST_VALUE_OK) {
        *cell = (bst_cell){.value = {.present = true, .u.i = units}};
        return;
    }
    bst_strbuf shown = BST_STRBUF_INIT;
    bst__pg_numeric_text(bytes, len, &shown);
    const char *text = shown.failed ? NULL : bst_arena_strndup(arena, shown.text, shown.len);
    bst__cell_bad(cell, text ? result : BST_VALUE_NOMEM, text, text ? shown.len : 0);
    bst_strbuf_release(&shown);
}

static bst_status take_text(bst__pg_source *s, size_t i, const char *text, size_t len,
                            bst_diags *diags) {
    const bst_source_column *column = &s->base.spec->columns[i];
    if (!bst__cell_from_text(column, text, len, s->arena, &s->cells[i]))
        return bst__report_no_zone(s->base.spec->table, column->name, diags);
    return s->cells[i].result == BST_VALUE_NOMEM ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status take_int_text(bst__pg_source *s, size_t i, int64_t value, bst_diags *diags) {
    char *const text = bst_arena_alloc(s->arena, BST_DECIMAL_TEXT_MAX);
    return text ? take_text(s, i, text, bst_decimal_format(value, 0, text), diags)
                : bst_diag_nomem(diags);
}

static bst_status fill_cell(bst__pg_source *s, size_t i, const char *bytes, size_t len,
                            bst_diags *diags) {
    const bst_source_column *column = &s->base.spec->columns[i];
    bst_cell *cell = &s->cells[i];
    bst_value value = {.present = true};

    if (!bytes) {
        *cell = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
        return BST_OK;
    }
    if (!is_len(s->wires[i], len))
        return bst__pg_broken(diags);
    switch (s->wires[i]) {
    case WIRE_TEXT:
        return take_text(s, i, bytes, len, diags);
    case WIRE_CHAR: /* its filling blanks are not part of the value */
        while (len > 0 && bytes[len - 1] == ' ')
            len--;
        return take_text(s, i, bytes, len, diags);
    case WIRE_INT_TEXT:
        return take_int_text(s, i, read_int(bytes, len), diags);
    case WIRE_INT:
        set_int(&column->type, read_int(bytes, len), s->arena, cell);
        break;
    case WIRE_NUMERIC:
        set_numeric(&column->type, bytes, len, s->arena, cell);
        break;
    case WIRE_BOOL:
        value.u.i = bytes[0] != 0;
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_TIMESTAMPTZ:
        value.u.i = bst__pg_int8(bytes);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_TIMESTAMP:
        bst__cell_from_naive(column, bst__pg_int8(bytes), s->arena, cell);
        break;
    case WIRE_DATE:
        value.u.i = bst__pg_int4(bytes);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_UUID:
        memcpy(value.u.uuid, bytes, sizeof value.u.uuid);
        *cell = (bst_cell){.value = value};
        break;
    case WIRE_BYTEA:
        value.u.text = bytes;
        value.len = (uint32_t)len;
        *cell = (bst_cell){.value = value};
        break;
    }
    return cell->result == BST_VALUE_NOMEM ? bst_diag_nomem(diags) : BST_OK;
}

static bool take_key(bst__pg_source *s, const char *bytes, size_t len) {
    s->row.key_is_null = !bytes;
    s->row.key = bytes ? bytes : "";
    s->row.key_len = len;
    if (!bytes || !s->key_is_int)
        return true;
    if (!is_int_len(len))
        return false;
    s->row.key = s->key_text;
    s->row.key_len = bst_decimal_format(read_int(bytes, len), 0, s->key_text);
    return true;
}

bst_status bst__pg_row_take(bst__pg_source *s, const char *bytes, size_t len, bst_diags *diags) {
    const char *end = bytes + len;
    const char *at = bytes + 2;
    const char *field;
    size_t field_len;
    const bool placed = s->has_ctid && !s->by_key;
    const size_t extra = (size_t)1 + s->has_scope + (placed ? 2 : 0);

    bst_arena_clear(s->arena);
    if ((size_t)bst__pg_int2(bytes) != s->base.spec->column_count + extra)
        return bst__pg_broken(diags);
    if (!bst__pg_take_field(&at, end, &field, &field_len))
        return bst__pg_broken(diags);
    if (!take_key(s, field, field_len))
        return bst__pg_broken(diags);
    s->row.in_scope = true;
    if (s->has_scope) {
        if (!bst__pg_take_field(&at, end, &field, &field_len) || !field || field_len != 1)
            return bst__pg_broken(diags);
        s->row.in_scope = field[0] != 0;
    }
    if (placed) {
        if (!bst__pg_take_field(&at, end, &s->ctid, &field_len) || !s->ctid || field_len != 6)
            return bst__pg_broken(diags);
        if (!bst__pg_take_field(&at, end, &field, &field_len) || !field || field_len != 4)
            return bst__pg_broken(diags);
        s->table_oid = (uint32_t)bst__pg_int4(field);
    }
    for (size_t i = 0; i < s->base.spec->column_count; i++) {
        if (!bst__pg_take_field(&at, end, &field, &field_len))
            return bst__pg_broken(diags);
        const bst_status status = fill_cell(s, i, field, field_len, diags);
        if (status != BST_OK)
            return status;
    }
    return at == end ? BST_OK : bst__pg_broken(diags);
}
