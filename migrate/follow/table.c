/* The table in the log, and its rows as the mapping reads them.
 *
 * Values come as the text that the server prints; from there on they are what a cell of a CSV file
 * is. A table may change its columns while it is followed: each description of it is held against
 * the mapping again. New columns are nobody's business; one that the mapping reads must stay.
 */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

#include "source/source_private.h"

#define MONEY_OID 790u

/* "payments" without a schema means public, as for every source. */
bool bst__table_is(const char *name, const bst_wal_message *relation) {
    const char *const dot = strchr(name, '.');
    if (!dot)
        return strcmp(relation->schema, "public") == 0 && strcmp(relation->table, name) == 0;
    const size_t schema = (size_t)(dot - name);
    return strlen(relation->schema) == schema && memcmp(relation->schema, name, schema) == 0 &&
           strcmp(relation->table, dot + 1) == 0;
}

static uint32_t find_column(const bst__table *table, const char *name) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->names[i], name) == 0)
            return i;
    }
    return BST_NONE;
}

static bst_status find_columns(bst__table *t, bst_diags *diags) {
    const bst_source_spec *const spec = &t->mapping->source;
    bst_status status = BST_OK;
    for (size_t i = 0; i < spec->key_count; i++) {
        t->key_at[i] = find_column(t, spec->key[i]);
        if (t->key_at[i] == BST_NONE)
            status = bst__report_missing_column(spec->table, spec->key[i], t->names,
                                                t->column_count, diags);
    }
    for (size_t i = 0; i < spec->column_count; i++) {
        t->column_at[i] = find_column(t, spec->columns[i].name);
        if (t->column_at[i] == BST_NONE)
            status = bst__report_missing_column(spec->table, spec->columns[i].name, t->names,
                                                t->column_count, diags);
    }
    return status;
}

/* Which columns an entity's field holds as they are. */
static void find_fields(bst__table *t) {
    const bst_machine *const machine = t->mapping->machine;
    for (uint32_t f = 0; f < machine->field_count; f++) {
        const bst_value_from *const from = &t->mapping->fields[f];
        if (from->kind != BST_FROM_COLUMN || from->minor_digits >= 0)
            continue;
        bst_type column = t->mapping->source.columns[from->column].type;
        column.optional = machine->fields[f].type.optional;
        if (bst_type_equal(&column, &machine->fields[f].type) && !from->default_value.present) {
            t->from_field[from->column] = true;
            t->field_of[from->column] = f;
        }
    }
}

static bool make_room(bst__table *t, const bst_wal_message *relation) {
    const bst_source_spec *const spec = &t->mapping->source;
    t->arena = bst_arena_new();
    if (!t->arena)
        return false;
    t->names = bst_arena_array(t->arena, relation->column_count, sizeof *t->names);
    t->key_at = bst_arena_array(t->arena, spec->key_count, sizeof *t->key_at);
    t->column_at = bst_arena_array(t->arena, spec->column_count, sizeof *t->column_at);
    t->is_money = bst_arena_array(t->arena, spec->column_count, sizeof *t->is_money);
    t->from_field = bst_arena_array(t->arena, spec->column_count, sizeof *t->from_field);
    t->field_of = bst_arena_array(t->arena, spec->column_count, sizeof *t->field_of);
    if (!t->names || !t->key_at || !t->column_at || !t->is_money || !t->from_field || !t->field_of)
        return false;
    for (uint16_t i = 0; i < relation->column_count; i++) {
        t->names[i] = bst_arena_strdup(t->arena, relation->columns[i].name);
        if (!t->names[i])
            return false;
    }
    return true;
}

bst_status bst__table_bind(const bst_mapping *mapping, const bst_wal_message *relation,
                           bst__table **ret, bst_diags *diags) {
    bst__table *t = calloc(1, sizeof *t);
    if (!t)
        return bst_diag_nomem(diags);
    t->mapping = mapping;
    t->oid = relation->relation;
    t->identity = relation->identity;
    t->column_count = relation->column_count;
    bst_status status = make_room(t, relation) ? BST_OK : bst_diag_nomem(diags);
    if (status == BST_OK)
        status = find_columns(t, diags);
    if (status != BST_OK) {
        bst__table_free(t);
        return status;
    }
    find_fields(t);
    for (size_t i = 0; i < mapping->source.column_count; i++)
        t->is_money[i] = relation->columns[t->column_at[i]].type_oid == MONEY_OID;
    *ret = t;
    return BST_OK;
}

bst__table *bst__table_free(bst__table *table) {
    if (table) {
        bst_arena_free(table->arena);
        free(table);
    }
    return NULL;
}

/* ---- rows */

/* "-$1,234.50" -> "-1234.50": what the server's cast to numeric would give. */
static const char *plain_amount(const char *text, size_t len, bst_arena *arena, size_t *ret_len) {
    char *const plain = bst_arena_alloc(arena, len + 1);
    size_t to = 0;
    for (size_t i = 0; plain && i < len; i++) {
        if ((text[i] >= '0' && text[i] <= '9') || text[i] == '-' || text[i] == '.')
            plain[to++] = text[i];
    }
    *ret_len = to;
    return plain;
}

static bst_status fill_cell(const bst__table *t, size_t column, const bst_wal_value *value,
                            bst_arena *arena, bst_cell *ret, bst_diags *diags) {
    const bst_source_spec *const spec = &t->mapping->source;
    static const char not_sent[] = "(not sent: stored out of line and unchanged)";
    const char *text = value->text;
    size_t len = value->len;
    if (value->form == BST_WAL_NULL) {
        *ret = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
        return BST_OK;
    }
    if (value->form == BST_WAL_UNCHANGED) {
        bst__cell_bad(ret, BST_VALUE_SYNTAX, not_sent, sizeof not_sent - 1);
        return BST_OK;
    }
    if (t->is_money[column])
        text = plain_amount(text, len, arena, &len);
    if (!text)
        return bst_diag_nomem(diags);
    if (!bst__cell_from_text(&spec->columns[column], text, len, arena, ret))
        return bst__report_no_zone(spec->table, spec->columns[column].name, diags);
    return ret->result == BST_VALUE_NOMEM ? bst_diag_nomem(diags) : BST_OK;
}

bst_status bst__table_row(const bst__table *t, const bst_wal_tuple *tuple, bst_arena *arena,
                          bst_row *ret, bst_diags *diags) {
    const bst_source_spec *const spec = &t->mapping->source;
    bst_cell *const cells = bst_arena_array(arena, spec->column_count, sizeof *cells);
    if (!cells)
        return bst_diag_nomem(diags);
    for (size_t i = 0; i < spec->column_count; i++) {
        const bst_wal_value *const value = bst__wal_value(tuple, t->column_at[i]);
        const bst_status status = fill_cell(t, i, value, arena, &cells[i], diags);
        if (status != BST_OK)
            return status;
    }
    *ret = (bst_row){.in_scope = true, .cells = cells};
    return BST_OK;
}

const char *bst__table_text(const bst__table *t, const bst_wal_tuple *tuple, const char *column,
                            bst_arena *arena) {
    const uint32_t at = column ? find_column(t, column) : BST_NONE;
    const bst_wal_value *const value = at == BST_NONE ? NULL : bst__wal_value(tuple, at);
    return value && value->form == BST_WAL_TEXT ? bst_arena_strndup(arena, value->text, value->len)
                                                : NULL;
}

void bst__table_image(const bst__table *t, const bst_wal_tuple *tuple, bst_strbuf *out) {
    bst_strbuf_addc(out, '{');
    bool first = true;
    for (uint32_t i = 0; i < t->column_count && i < tuple->count; i++) {
        const bst_wal_value *const value = &tuple->values[i];
        if (value->form == BST_WAL_UNCHANGED)
            continue;
        bst_strbuf_adds(out, first ? "" : ",");
        first = false;
        bst_strbuf_add_json(out, t->names[i], strlen(t->names[i]));
        bst_strbuf_addc(out, ':');
        if (value->form == BST_WAL_NULL)
            bst_strbuf_adds(out, "null");
        else
            bst_strbuf_add_json(out, value->text, value->len);
    }
    bst_strbuf_addc(out, '}');
}
