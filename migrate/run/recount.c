/* Queries for a recount by hand. They are printed, not run here: an error in this program must not
 * be able to hide in them.
 *
 * Each is raw (texts, as a column or a row put aside has them), rows (one an entity or row: state,
 * group, amount) and the counting of these. A history's value of a field is that of the last event
 * which sets it.
 */
#include "backstory/recount.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

/* ---- what can be found again */

/* The column that a field is, or NULL. */
static const bst_source_column *column_of(const bst_mapping *mapping, uint32_t field) {
    if (mapping->fields[field].kind != BST_FROM_COLUMN)
        return NULL;
    return &mapping->source.columns[mapping->fields[field].column];
}

static const bst_assignment *assigned_by(const bst_event_type *event, uint32_t field) {
    for (uint32_t a = 0; a < event->assignment_count; a++) {
        if (event->assignments[a].field == field)
            return &event->assignments[a];
    }
    return NULL;
}

/* "amount": "amount": what the machine says where the event has another thing of that name. */
static bool leaves_alone(const bst_event_type *event, uint32_t field) {
    const bst_assignment *const by = assigned_by(event, field);
    return !by || (by->expr && by->expr->op == BST_EXPR_REF && by->expr->root == BST_ROOT_ENTITY &&
                   by->expr->index == field);
}

/* The event carries the field under the field's own name, and that is what it becomes. */
static bool carries(const bst_machine *machine, const bst_event_type *event, uint32_t field) {
    const bst_assignment *const by = assigned_by(event, field);
    return by && !by->expr && event->builtin != BST_BUILTIN_RECONCILE &&
           strcmp(event->fields[by->event_field].name, machine->fields[field].name) == 0;
}

static bool can_be_found(const bst_mapping *mapping, uint32_t field) {
    const bst_machine *const machine = mapping->machine;
    bool carried = false;
    if (!column_of(mapping, field))
        return false;
    for (uint32_t e = 0; e < machine->event_count; e++) {
        const bst_event_type *const event = &machine->events[e];
        const bool carries_it = carries(machine, event, field);
        if (!carries_it && event->builtin != BST_BUILTIN_RECONCILE && !leaves_alone(event, field))
            return false;
        carried = carried || carries_it;
    }
    return carried;
}

bst_recount bst_recount_of(const bst_mapping *mapping, uint32_t sum, uint32_t by) {
    const bst_machine *const machine = mapping->machine;
    for (uint32_t f = 0; f < machine->field_count && sum == BST_NONE; f++) {
        if (machine->fields[f].type.kind == BST_KIND_DECIMAL && can_be_found(mapping, f))
            sum = f;
    }
    return (bst_recount){.mapping = mapping,
                         .by_state = mapping->state_column_count == 1,
                         .sum = sum != BST_NONE && can_be_found(mapping, sum) ? sum : BST_NONE,
                         .by = by != BST_NONE && can_be_found(mapping, by) ? by : BST_NONE};
}

/* ---- words of SQL */

/* In quotes that are doubled inside: an identifier ("), a text ('). */
static void add_quoted(bst_strbuf *out, char quote, const char *text, size_t len) {
    bst_strbuf_addc(out, quote);
    for (size_t i = 0; i < len; i++) {
        bst_strbuf_addc(out, text[i]);
        if (text[i] == quote)
            bst_strbuf_addc(out, quote);
    }
    bst_strbuf_addc(out, quote);
}

static void add_name(bst_strbuf *out, const char *name) {
    add_quoted(out, '"', name, strlen(name));
}

static void add_text(bst_strbuf *out, const char *text) {
    add_quoted(out, '\'', text, strlen(text));
}

static void add_table(bst_strbuf *out, const char *table) {
    const char *const dot = strchr(table, '.');
    if (dot) {
        add_quoted(out, '"', table, (size_t)(dot - table));
        bst_strbuf_addc(out, '.');
        table = dot + 1;
    }
    add_name(out, table);
}

/* ---- raw */

/* As text: out of the table, or out of a row put aside, which has the table's columns only. */
static void add_column(bst_strbuf *out, const bst_source_column *column, bool aside) {
    if (column->type.kind == BST_KIND_CHAR)
        bst_strbuf_adds(out, "rtrim(");
    if (aside && column->sql) {
        bst_strbuf_adds(out, "NULL::text");
    } else if (aside) {
        bst_strbuf_adds(out, "q.legacy->>");
        add_text(out, column->name);
    } else if (column->sql) {
        bst_strbuf_addf(out, "(%s)::text", column->sql);
    } else {
        bst_strbuf_adds(out, "t.");
        add_name(out, column->name);
        bst_strbuf_adds(out, "::text");
    }
    if (column->type.kind == BST_KIND_CHAR)
        bst_strbuf_addc(out, ')');
}

static void add_field(bst_strbuf *out, const bst_recount *recount, uint32_t field, bool aside,
                      const char *as) {
    if (field == BST_NONE)
        return;
    const bst_value_from *const from = &recount->mapping->fields[field];
    bst_strbuf_adds(out, from->default_value.present ? ", coalesce(" : ", ");
    add_column(out, column_of(recount->mapping, field), aside);
    if (from->default_value.present) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_value_to_text(&recount->mapping->machine->fields[field].type, &from->default_value,
                          &text);
        bst_strbuf_adds(out, ", ");
        add_quoted(out, '\'', text.text, text.len);
        bst_strbuf_addc(out, ')');
        bst_strbuf_release(&text);
    }
    bst_strbuf_addf(out, " AS %s", as);
}

static void add_raw(bst_strbuf *out, const bst_recount *recount, bool aside) {
    bst_strbuf_adds(out, "WITH raw AS (SELECT ");
    if (recount->by_state) {
        const uint32_t state = recount->mapping->state_columns[0].column;
        add_column(out, &recount->mapping->source.columns[state], aside);
    } else {
        bst_strbuf_adds(out, "NULL::text");
    }
    bst_strbuf_adds(out, " AS code");
    add_field(out, recount, recount->by, aside, "by");
    add_field(out, recount, recount->sum, aside, "amount");
}

static void add_raw_aside(bst_strbuf *out, const bst_recount *recount, int32_t run_id) {
    add_raw(out, recount, true);
    bst_strbuf_addf(out,
                    ", q.reason FROM (SELECT code, line::json->'row'"
                    " FROM backstory.quarantine WHERE run_id = %" PRId32 ") AS q (reason, legacy))",
                    run_id);
}

/* ---- rows */

/* A text that is no number counts as none: as such it has been put aside. */
static void add_amount(bst_strbuf *out, const bst_recount *recount) {
    const int digits = recount->mapping->fields[recount->sum].minor_digits;
    bst_strbuf_adds(out, ", CASE WHEN amount ~ '^[-+]?[0-9]+([.][0-9]+)?$' THEN amount::numeric");
    if (digits > 0)
        bst_strbuf_addf(out, " * 1e-%d", digits);
    bst_strbuf_adds(out, " END AS amount");
}

static void add_state(bst_strbuf *out, const bst_recount *recount) {
    const bst_state_column *const column = &recount->mapping->state_columns[0];
    if (!recount->by_state) {
        bst_strbuf_adds(out, "NULL::text");
        return;
    }
    bst_strbuf_adds(out, "CASE code");
    for (uint32_t c = 0; c < column->code_count; c++) {
        bst_strbuf_adds(out, " WHEN ");
        add_text(out, column->codes[c].text);
        bst_strbuf_adds(out, " THEN ");
        add_text(out, recount->mapping->machine->states[column->codes[c].state].name);
    }
    bst_strbuf_adds(out, " ELSE 'unknown: ' || coalesce(code, 'NULL') END");
}

/* `reason`: why a row was put aside stands where the state does else. */
static void add_rows(bst_strbuf *out, const bst_recount *recount, bool reason) {
    bst_strbuf_adds(out, ", rows AS (SELECT ");
    if (reason)
        bst_strbuf_adds(out, "reason");
    else
        add_state(out, recount);
    bst_strbuf_adds(out, " AS state");
    if (recount->by != BST_NONE)
        bst_strbuf_adds(out, ", by");
    if (recount->sum != BST_NONE)
        add_amount(out, recount);
    bst_strbuf_adds(out, " FROM raw");
}

/* Events that give the field as it is; and what a reconcile event does: it sets too, or it adds. */
static void add_setters(bst_strbuf *out, const bst_machine *machine, uint32_t field) {
    const uint32_t reconcile = bst_machine_builtin(machine, BST_BUILTIN_RECONCILE);
    const char *before = "type IN (";
    for (uint32_t e = 0; e < machine->event_count; e++) {
        if (carries(machine, &machine->events[e], field)) {
            bst_strbuf_adds(out, before);
            add_text(out, machine->events[e].name);
            before = ", ";
        }
    }
    bst_strbuf_addc(out, ')');
    if (reconcile != BST_NONE &&
        !bst_builtin_adds(BST_BUILTIN_RECONCILE, &machine->fields[field].type)) {
        bst_strbuf_adds(out, " OR type = ");
        add_text(out, machine->events[reconcile].name);
        bst_strbuf_adds(out, " AND data ? ");
        add_text(out, machine->fields[field].name);
    }
}

static void add_last(bst_strbuf *out, const bst_machine *machine, uint32_t field) {
    const bst_field *const of = &machine->fields[field];
    bst_strbuf_adds(out, of->default_value.present ? "coalesce((" : "(");
    bst_strbuf_adds(out, "array_agg(data->>");
    add_text(out, of->name);
    bst_strbuf_adds(out, " ORDER BY version DESC) FILTER (WHERE ");
    add_setters(out, machine, field);
    bst_strbuf_adds(out, "))[1]");
    if (of->default_value.present) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_value_to_text(&of->type, &of->default_value, &text);
        bst_strbuf_adds(out, ", ");
        add_quoted(out, '\'', text.text, text.len);
        bst_strbuf_addc(out, ')');
        bst_strbuf_release(&text);
    }
}

static void add_sum_of_history(bst_strbuf *out, const bst_machine *machine, uint32_t field) {
    const uint32_t reconcile = bst_machine_builtin(machine, BST_BUILTIN_RECONCILE);
    bst_strbuf_adds(out, ", (");
    add_last(out, machine, field);
    bst_strbuf_adds(out, ")::numeric");
    if (reconcile == BST_NONE ||
        !bst_builtin_adds(BST_BUILTIN_RECONCILE, &machine->fields[field].type))
        return;
    bst_strbuf_adds(out, " + coalesce(sum((data->>");
    add_text(out, machine->fields[field].name);
    bst_strbuf_adds(out, ")::numeric) FILTER (WHERE type = ");
    add_text(out, machine->events[reconcile].name);
    bst_strbuf_adds(out, "), 0)");
}

static void add_histories(bst_strbuf *out, const bst_recount *recount, int32_t run_id) {
    const bst_machine *const machine = recount->mapping->machine;
    bst_strbuf_adds(out, " UNION ALL SELECT ");
    bst_strbuf_adds(out,
                    recount->by_state ? "(array_agg(state ORDER BY version DESC))[1]" : "NULL");
    if (recount->by != BST_NONE) {
        bst_strbuf_adds(out, ", ");
        add_last(out, machine, recount->by);
    }
    if (recount->sum != BST_NONE)
        add_sum_of_history(out, machine, recount->sum);
    bst_strbuf_addf(out, " FROM backstory.event WHERE run_id = %" PRId32 " GROUP BY entity",
                    run_id);
}

/* ---- the counting: bytewise, so that two servers give the same lines */

static void add_count(bst_strbuf *out, const bst_recount *recount, const char *first) {
    const bst_field *const fields = recount->mapping->machine->fields;
    bst_strbuf_addf(out, ") SELECT state COLLATE \"C\" AS %s", first);
    if (recount->by != BST_NONE) {
        bst_strbuf_adds(out, ", by COLLATE \"C\" AS ");
        add_name(out, fields[recount->by].name);
    }
    bst_strbuf_adds(out, ", count(*)");
    if (recount->sum != BST_NONE) {
        bst_strbuf_adds(out, ", trim_scale(sum(amount)) AS ");
        add_name(out, fields[recount->sum].name);
    }
    const char *const groups = recount->by != BST_NONE ? "1, 2" : "1";
    bst_strbuf_addf(out, " FROM rows GROUP BY %s ORDER BY %s", groups, groups);
}

/* ---- the queries */

/* CEL that asks for NULLs and nothing else, as SQL. False: it is something else. */
static bool add_condition(bst_strbuf *out, const bst_mapping *mapping, const bst_expr *expr) {
    bool fits = true;
    switch (expr->op) {
    case BST_EXPR_HAS:
        add_column(out, &mapping->source.columns[expr->args[0]->index], false);
        bst_strbuf_adds(out, " IS NOT NULL");
        return true;
    case BST_EXPR_NOT:
        bst_strbuf_adds(out, "NOT (");
        fits = add_condition(out, mapping, expr->args[0]);
        break;
    case BST_EXPR_AND:
    case BST_EXPR_OR:
        bst_strbuf_addc(out, '(');
        fits = add_condition(out, mapping, expr->args[0]);
        bst_strbuf_adds(out, expr->op == BST_EXPR_AND ? ") AND (" : ") OR (");
        fits = fits && add_condition(out, mapping, expr->args[1]);
        break;
    default:
        return false;
    }
    bst_strbuf_addc(out, ')');
    return fits;
}

/* The scope as the file has it: SQL, or what can be said in it. */
static bool add_scope(bst_strbuf *out, const bst_mapping *mapping) {
    const json_t *const root = bst_json_source_root(mapping->json);
    const json_t *const where = json_object_get(json_object_get(root, "source"), "where");
    bool fits = true;
    if (!where)
        return true;
    bst_strbuf_adds(out, " WHERE (");
    if (json_is_string(where))
        bst_strbuf_adds(out, json_string_value(where));
    else
        fits = mapping->where && add_condition(out, mapping, mapping->where);
    bst_strbuf_addc(out, ')');
    return fits;
}

bool bst_recount_source(const bst_recount *recount, bst_strbuf *out) {
    const bst_mapping *const mapping = recount->mapping;
    bst_strbuf scope = BST_STRBUF_INIT;
    const bool fits = add_scope(&scope, mapping);
    if (fits) {
        add_raw(out, recount, false);
        bst_strbuf_adds(out, " FROM ");
        add_table(out, mapping->source.table);
        bst_strbuf_addf(out, " AS t%s)", scope.text ? scope.text : "");
        add_rows(out, recount, false);
        add_count(out, recount, "state");
        out->failed = out->failed || scope.failed;
    }
    bst_strbuf_release(&scope);
    return fits;
}

void bst_recount_store(const bst_recount *recount, int32_t run_id, bst_strbuf *out) {
    add_raw_aside(out, recount, run_id);
    add_rows(out, recount, false);
    add_histories(out, recount, run_id);
    add_count(out, recount, "state");
}

void bst_recount_quarantine(const bst_recount *recount, int32_t run_id, bst_strbuf *out) {
    add_raw_aside(out, recount, run_id);
    add_rows(out, recount, true);
    add_count(out, recount, "reason");
}
