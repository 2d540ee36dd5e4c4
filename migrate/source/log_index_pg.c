/* Is there an index that finds the rows that a log has of one entity? Each row of the table asks
 * for them, so without one each row reads the whole log. The server's planner is asked, for it
 * knows all kinds of indices, expressions, partitions, and what is small enough to be read
 * whole. */
#include <string.h>

#include "source_pg_private.h"

/* In units of the planner's (a page read in order is 1): some thousand rows are read soon
 * enough. */
#define SCAN_COST_MAX 50.0

/* The cost of reading the log row by row, somewhere in the plan: the alias `l` is ours
 * (mapping/log_join.c), l_1 and so on are its partitions. */
static double scan_cost(const json_t *plan, bool inside) {
    const json_t *const name = json_object_get(plan, "Alias");
    const json_t *const type = json_object_get(plan, "Node Type");
    const json_t *const parent = json_object_get(plan, "Parent Relationship");
    const char *const alias = json_is_string(name) ? json_string_value(name) : "";
    double cost = 0;
    inside =
        inside || (json_is_string(parent) && strcmp(json_string_value(parent), "SubPlan") == 0);
    if (inside && json_is_string(type) && strcmp(json_string_value(type), "Seq Scan") == 0 &&
        (strcmp(alias, "l") == 0 || strncmp(alias, "l_", 2) == 0))
        cost = json_number_value(json_object_get(plan, "Total Cost"));
    const json_t *const parts = json_object_get(plan, "Plans");
    for (size_t i = 0; i < json_array_size(parts); i++)
        cost += scan_cost(json_array_get(parts, i), inside);
    return cost;
}

static bool add_index(bst__pg_source *s, const bst_log *log, bst_strbuf *out) {
    const char *const table = log->source.table;
    const char *const dot = strchr(table, '.');
    char *const schema = dot ? strndup(table, (size_t)(dot - table)) : strdup("public");
    if (!schema)
        return false;
    bst_strbuf_adds(out, "CREATE INDEX ON ");
    bst__pg_add_quoted(s, schema, out);
    bst_strbuf_addc(out, '.');
    bst__pg_add_quoted(s, dot ? dot + 1 : table, out);
    for (uint32_t i = 0; i < log->entity_count; i++) {
        bst_strbuf_adds(out, i > 0 ? ", " : " (");
        if (log->entity[i].sql)
            bst_strbuf_addf(out, "((%s)::text)", log->entity[i].sql);
        else
            bst__pg_add_quoted(s, log->entity[i].name, out);
    }
    bst_strbuf_adds(out, ");");
    free(schema);
    return !out->failed;
}

static bst_status report(bst__pg_source *s, const bst_log *log, bst_diags *diags) {
    bst_strbuf index = BST_STRBUF_INIT;
    if (!add_index(s, log, &index)) {
        bst_strbuf_release(&index);
        return bst_diag_nomem(diags);
    }
    bst_diag_add(diags, BST_OK, BST_WARNING, "log-without-index", NULL,
                 "no index of %s finds the rows of one entity: it is read whole for each row of %s",
                 log->source.table, s->base.spec->table);
    bst_diag_hint(diags, "%s", index.text);
    bst_strbuf_release(&index);
    return BST_OK;
}

static bst_status check_log(bst__pg_source *s, const bst_source_column *column, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    json_t *plan = NULL;
    bst_status status;
    bst_strbuf_addf(&sql, "EXPLAIN (FORMAT JSON) SELECT (%s) FROM %s t", column->sql,
                    s->table.text);
    status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_query(s->pg, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK)
        plan = json_loads(bst_pg_rows_text(rows, 0, 0), 0, NULL);
    if (plan && scan_cost(json_object_get(json_array_get(plan, 0), "Plan"), false) > SCAN_COST_MAX)
        status = report(s, column->log, diags);
    json_decref(plan);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

bst_status bst__pg_logs_check(bst__pg_source *s, bst_diags *diags) {
    const bst_source_spec *const spec = s->base.spec;
    bst_status status = BST_OK;
    for (size_t i = 0; i < spec->column_count && status == BST_OK; i++) {
        if (spec->columns[i].log)
            status = check_log(s, &spec->columns[i], diags);
    }
    return status;
}
