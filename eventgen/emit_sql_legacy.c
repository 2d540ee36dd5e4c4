/* The legacy table's shape over the event store, so that whoever read it keeps working after the
 * cut-over: its columns, by their names, as the mapping of the migration read them, the other way
 * round. One pass over the events, folded as in `current`.
 */
#include <string.h>

#include "emit_sql_private.h"

/* ---- names ---- */

static bool is_one_of(const char *name, const char *const *names) {
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The table's own name, unless the schema has something else of that name. */
static void add_view_name(const bst__sql *sql, const bst_legacy_table *table, bst_strbuf *out) {
    static const char *const ours[] = {"state",  "event_type", "event_field", "transition",
                                       "entity", "current",    NULL};
    const char *dot = strrchr(table->name, '.');
    const char *name = dot ? dot + 1 : table->name;
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, name);
    bool taken = is_one_of(name, ours) || (bst__sql_renames(sql) && strcmp(name, "event") == 0);
    for (uint32_t e = 0; e < sql->machine->event_count; e++) {
        taken = taken || strcmp(sql->events[e], name) == 0;
    }
    bst_strbuf_adds(&text, taken ? "_" : "");
    bst__sql_name(text.text, out);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* What an aggregate is called inside: as its column, unless something else is there. */
static void add_inner_name(const bst_legacy_column *column, bst_strbuf *out) {
    static const char *const ours[] = {"entity", "first_event_at", "last_event_at", "folded", NULL};
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s%s", column->name, is_one_of(column->name, ours) ? "_" : "");
    bst__sql_name(text.text, out);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* ---- columns of the history ---- */

/* The events of the transitions, as (type, state) pairs: each once. */
static void add_pairs(const bst__sql *sql, const uint8_t *transitions, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    const char *between = "";
    for (uint32_t i = 0; i < m->transition_count; i++) {
        bool known = !transitions[i];
        for (uint32_t k = 0; k < i && !known; k++) {
            known = transitions[k] && m->transitions[k].event == m->transitions[i].event &&
                    m->transitions[k].to == m->transitions[i].to;
        }
        if (known) {
            continue;
        }
        bst_strbuf_addf(out, "%s(", between);
        bst__sql_literal(m->events[m->transitions[i].event].name, out);
        bst_strbuf_adds(out, ", ");
        bst__sql_literal(m->states[m->transitions[i].to].name, out);
        bst_strbuf_addc(out, ')');
        between = ", ";
    }
    bst_strbuf_adds(out, *between ? "" : "(NULL, NULL)"); /* nothing ever */
}

static bool is_aggregate(const bst_legacy_column *column) {
    return column->from == BST_LEGACY_FIRST || column->from == BST_LEGACY_LAST ||
           column->from == BST_LEGACY_COUNT;
}

static void add_aggregates(const bst__sql *sql, const bst_legacy_table *table, bst_strbuf *out) {
    bst_strbuf line = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const bst_legacy_column *column = &table->columns[i];
        if (!is_aggregate(column)) {
            continue;
        }
        bst_strbuf_clear(&line);
        bst_strbuf_addf(&line, "             %s FILTER (WHERE (type, state) IN (",
                        column->from == BST_LEGACY_COUNT   ? "count(*)"
                        : column->from == BST_LEGACY_FIRST ? "min(occurred_at)"
                                                           : "max(occurred_at)");
        add_pairs(sql, column->transitions, &line);
        bst_strbuf_adds(&line, ")) AS ");
        add_inner_name(column, &line);
        bst_strbuf_adds(out, ",\n");
        bst__sql_wrap(line.text, 17, out);
        out->failed = out->failed || line.failed;
    }
    bst_strbuf_release(&line);
}

/* ---- columns of the view ---- */

/* The parts of a key are joined by "/", which is "%2F" inside them. */
static void add_key(const bst_legacy_table *table, const bst_legacy_column *column,
                    bst_strbuf *out) {
    const bool is_text = !column->type || column->type->kind == BST_KIND_TEXT ||
                         column->type->kind == BST_KIND_VARCHAR ||
                         column->type->kind == BST_KIND_CHAR;
    if (table->key_count > 1) {
        bst_strbuf_addf(out,
                        "replace(replace(split_part(entity, '/', %u), '%%2F', '/'), '%%25', '%%')",
                        (unsigned)column->number + 1);
    } else {
        bst_strbuf_adds(out, "entity");
    }
    if (!is_text) {
        bst_strbuf_adds(out, "::");
        bst__sql_type(column->type, out);
    }
}

/* Whether all codes are numbers, as those of a column that holds numbers. */
static bool are_numbers(const bst_machine *m, const char *const *codes) {
    for (uint32_t s = 0; s < m->state_count; s++) {
        const char *code = codes[s];
        const size_t sign = code && *code == '-';
        if (code && (strlen(code) - sign > 9 || strlen(code) == sign ||
                     code[sign + strspn(code + sign, "0123456789")] != '\0' ||
                     (code[sign] == '0' && strlen(code) > 1))) {
            return false;
        }
    }
    return true;
}

static void add_code(const bst__sql *sql, const bst_legacy_column *column, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    const bool numbers = are_numbers(m, column->codes);
    bst_strbuf_adds(out, "CASE (folded).state");
    for (uint32_t s = 0; s < m->state_count; s++) {
        if (!column->codes[s]) {
            continue;
        }
        bst_strbuf_adds(out, "\n           WHEN ");
        bst__sql_literal(m->states[s].name, out);
        bst_strbuf_adds(out, " THEN ");
        if (numbers) {
            bst_strbuf_adds(out, column->codes[s]);
        } else {
            bst__sql_literal(column->codes[s], out);
        }
    }
    bst_strbuf_adds(out, "\n       END");
}

static void add_field(const bst__sql *sql, const bst_legacy_column *column, bst_strbuf *out) {
    if (column->minor_digits < 0) {
        bst_strbuf_addf(out, "(folded).%s", sql->fields[column->number]);
    } else {
        bst_strbuf_addf(out, "((folded).%s * 1", sql->fields[column->number]);
        for (int i = 0; i < column->minor_digits; i++) {
            bst_strbuf_addc(out, '0');
        }
        bst_strbuf_adds(out, ")::bigint");
    }
}

static void add_column(const bst__sql *sql, const bst_legacy_table *table,
                       const bst_legacy_column *column, bst_strbuf *out) {
    switch (column->from) {
    case BST_LEGACY_KEY:
        add_key(table, column, out);
        break;
    case BST_LEGACY_STATE:
        add_code(sql, column, out);
        break;
    case BST_LEGACY_FIELD:
        add_field(sql, column, out);
        break;
    case BST_LEGACY_CREATED:
        bst_strbuf_adds(out, "first_event_at");
        break;
    case BST_LEGACY_CHANGED:
        bst_strbuf_adds(out, "last_event_at");
        break;
    default:
        add_inner_name(column, out);
    }
    bst_strbuf_adds(out, " AS ");
    bst__sql_name(column->name, out);
}

void bst__sql_add_legacy(bst__sql *sql, const bst_legacy_table *table, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s, as it was: whoever read it finds it here.", table->name);
    bst__sql_comment(text.text, out);
    bst_strbuf_addf(out, "CREATE VIEW %s.", sql->schema);
    add_view_name(sql, table, out);
    bst_strbuf_adds(out, " AS\nSELECT ");
    for (uint32_t i = 0; i < table->column_count; i++) {
        bst_strbuf_adds(out, i > 0 ? ",\n       " : "");
        add_column(sql, table, &table->columns[i], out);
    }
    bst_strbuf_adds(out, "\nFROM (SELECT entity, min(occurred_at) AS first_event_at,\n"
                         "             max(occurred_at) AS last_event_at,\n"
                         "             ");
    bst__sql_fold(sql, out);
    bst_strbuf_adds(out, " AS folded");
    add_aggregates(sql, table, out);
    bst_strbuf_adds(out, "\n      FROM ");
    bst__sql_source(sql, out);
    bst_strbuf_adds(out, "\n      WHERE machine = ");
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_adds(out, "\n      GROUP BY entity) AS history;\n\n");
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}
