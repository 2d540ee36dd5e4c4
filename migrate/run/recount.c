/* Queries for a recount by hand. They are printed, not run here: an error in this program must not
 * be able to hide in them. */
#include "backstory/recount.h"

#include <string.h>

#include <jansson.h>

/* The condition as the file has it: SQL, NULL where there is none. False: it is something else. */
static bool find_where(const bst_mapping *mapping, const char **ret) {
    const json_t *const root = bst_json_source_root(mapping->json);
    const json_t *const where = json_object_get(json_object_get(root, "source"), "where");
    *ret = json_string_value(where);
    return !where || *ret;
}

/* An identifier of SQL, always quoted. */
static void add_name(bst_strbuf *out, const char *name, size_t len) {
    bst_strbuf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        bst_strbuf_addc(out, name[i]);
        if (name[i] == '"')
            bst_strbuf_addc(out, '"');
    }
    bst_strbuf_addc(out, '"');
}

static void add_table(bst_strbuf *out, const char *table) {
    const char *const dot = strchr(table, '.');
    if (dot) {
        add_name(out, table, (size_t)(dot - table));
        bst_strbuf_addc(out, '.');
        table = dot + 1;
    }
    add_name(out, table, strlen(table));
}

static void add_column(bst_strbuf *out, const bst_source_column *column) {
    if (column->sql)
        bst_strbuf_addf(out, "(%s)", column->sql);
    else
        add_name(out, column->name, strlen(column->name));
}

/* The column that a field is, or NULL. */
static const bst_source_column *column_of(const bst_mapping *mapping, uint32_t field) {
    if (field == BST_NONE || mapping->fields[field].kind != BST_FROM_COLUMN)
        return NULL;
    return &mapping->source.columns[mapping->fields[field].column];
}

/* In the unit of the field, whatever the column counts in. */
static void add_sum(bst_strbuf *out, const bst_mapping *mapping, uint32_t field) {
    const bst_value_from *const from = &mapping->fields[field];
    bst_strbuf_adds(out, ", sum(");
    add_column(out, column_of(mapping, field));
    bst_strbuf_adds(out, ")");
    if (from->minor_digits > 0)
        bst_strbuf_addf(out, " / 1e%d", from->minor_digits);
}

bool bst_recount_source(const bst_mapping *mapping, uint32_t sum_field, uint32_t group_field,
                        bst_strbuf *out) {
    const bool grouped = column_of(mapping, group_field) != NULL;
    uint32_t groups = mapping->state_column_count + grouped;
    const char *where = NULL;
    if (!find_where(mapping, &where))
        return false;
    bst_strbuf_adds(out, "SELECT ");
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        bst_strbuf_adds(out, c ? ", " : "");
        add_column(out, &mapping->source.columns[mapping->state_columns[c].column]);
    }
    if (grouped) {
        bst_strbuf_adds(out, ", ");
        add_column(out, column_of(mapping, group_field));
    }
    bst_strbuf_adds(out, ", count(*)");
    if (column_of(mapping, sum_field))
        add_sum(out, mapping, sum_field);
    bst_strbuf_adds(out, " FROM ");
    add_table(out, mapping->source.table);
    bst_strbuf_adds(out, " AS t");
    if (where)
        bst_strbuf_addf(out, " WHERE (%s)", where);
    bst_strbuf_adds(out, " GROUP BY ");
    for (uint32_t i = 1; i <= groups; i++)
        bst_strbuf_addf(out, "%s%u", i > 1 ? ", " : "", i);
    bst_strbuf_adds(out, " ORDER BY ");
    for (uint32_t i = 1; i <= groups; i++)
        bst_strbuf_addf(out, "%s%u", i > 1 ? ", " : "", i);
    return true;
}

void bst_recount_store(const bst_mapping *mapping, bst_strbuf *out) {
    bst_strbuf_addf(out,
                    "SELECT state, count(*) FROM backstory.entity WHERE machine = '%s'"
                    " GROUP BY state ORDER BY state",
                    mapping->machine->id);
}
