/* Former names in SQL: what is stored under a name that the machine knows as `was` of another is
 * read under the name of today, as whatever reads a store by the interpreter does. A machine that
 * has renamed something gets a view `event` in front of backstory.event, and all else reads that.
 */
#include "emit_sql_private.h"

static bool has_former_fields(const bst_field *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].was) {
            return true;
        }
    }
    return false;
}

static bool has_former_payload(const bst_event_type *event) {
    for (uint32_t u = 0; u < event->upcast_count; u++) {
        if (has_former_fields(event->upcasts[u].fields, event->upcasts[u].field_count)) {
            return true;
        }
    }
    return has_former_fields(event->fields, event->field_count);
}

static bool has_former_payloads(const bst_machine *m) {
    for (uint32_t e = 0; e < m->event_count; e++) {
        if (has_former_payload(&m->events[e])) {
            return true;
        }
    }
    return false;
}

bool bst__sql_renames(const bst__sql *sql) {
    const bst_machine *m = sql->machine;
    for (uint32_t i = 0; i < m->state_count; i++) {
        if (m->states[i].was) {
            return true;
        }
    }
    for (uint32_t i = 0; i < m->event_count; i++) {
        if (m->events[i].was) {
            return true;
        }
    }
    return has_former_payloads(m);
}

void bst__sql_source(const bst__sql *sql, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s.event", bst__sql_renames(sql) ? sql->schema : "backstory");
}

/* ---- payloads ---- */

/* Of several fields that were called the same the first has it; a name in use is no former one. */
static void add_fields(const bst_field *fields, uint32_t count, uint32_t version, bst_strbuf *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (!fields[i].was) {
            continue;
        }
        bst_strbuf_addf(out, "        IF type_version = %u AND data ? ", (unsigned)version);
        bst__sql_literal(fields[i].was, out);
        bst_strbuf_adds(out, " AND NOT data ? ");
        bst__sql_literal(fields[i].name, out);
        bst_strbuf_adds(out, " THEN\n            data := data - ");
        bst__sql_literal(fields[i].was, out);
        bst_strbuf_adds(out, " || jsonb_build_object(");
        bst__sql_literal(fields[i].name, out);
        bst_strbuf_adds(out, ", data->");
        bst__sql_literal(fields[i].was, out);
        bst_strbuf_adds(out, ");\n        END IF;\n");
    }
}

static void add_payloads(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf_addf(out,
                    "-- The payload of an event, of whatever version, with the names that its "
                    "fields have now.\n"
                    "CREATE FUNCTION %s.renamed(event_type text, type_version integer, data jsonb) "
                    "RETURNS jsonb\n"
                    "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
                    "BEGIN\n"
                    "    CASE event_type\n",
                    sql->schema);
    for (uint32_t e = 0; e < m->event_count; e++) {
        const bst_event_type *event = &m->events[e];
        if (!has_former_payload(event)) {
            continue;
        }
        bst_strbuf_adds(out, "    WHEN ");
        bst__sql_literal(event->name, out);
        bst_strbuf_adds(out, " THEN\n");
        for (uint32_t u = 0; u < event->upcast_count; u++) {
            const bst_upcast *from = &event->upcasts[u];
            add_fields(from->fields, from->field_count, from->version, out);
        }
        add_fields(event->fields, event->field_count, event->version, out);
    }
    bst_strbuf_adds(out, "    ELSE\n"
                         "        NULL;\n"
                         "    END CASE;\n"
                         "    RETURN data;\n"
                         "END\n"
                         "$$;\n\n");
}

/* ---- states and types ---- */

static void add_name(const char *was, const char *name, bool *any, const char *column,
                     bst_strbuf *out) {
    if (!was) {
        return;
    }
    if (!*any) {
        bst_strbuf_addf(out, "CASE %s", column);
    }
    *any = true;
    bst_strbuf_adds(out, " WHEN ");
    bst__sql_literal(was, out);
    bst_strbuf_adds(out, " THEN ");
    bst__sql_literal(name, out);
}

static void end_names(bool any, const char *column, bst_strbuf *out) {
    if (any) {
        bst_strbuf_addf(out, " ELSE %s END AS %s", column, column);
    } else {
        bst_strbuf_adds(out, column);
    }
}

/* ",\n       CASE type WHEN 'Old' THEN 'New' ELSE type END AS type" */
static void add_types(const bst_machine *m, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bool any = false;
    for (uint32_t i = 0; i < m->event_count; i++) {
        add_name(m->events[i].was, m->events[i].name, &any, "type", &text);
    }
    end_names(any, "type", &text);
    bst__sql_wrap(text.text, 16, out);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

static void add_states(const bst_machine *m, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bool any = false;
    for (uint32_t i = 0; i < m->state_count; i++) {
        add_name(m->states[i].was, m->states[i].name, &any, "state", &text);
    }
    end_names(any, "state", &text);
    bst__sql_wrap(text.text, 16, out);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

void bst__sql_add_former(bst__sql *sql, bst_strbuf *out) {
    const bool payloads = has_former_payloads(sql->machine);
    if (!bst__sql_renames(sql)) {
        return;
    }
    if (payloads) {
        add_payloads(sql, out);
    }
    bst_strbuf_addf(out,
                    "-- The events of the store, under the names of today.\n"
                    "CREATE VIEW %s.event AS\n"
                    "SELECT id, machine, entity, version, type,\n       ",
                    sql->schema);
    if (payloads) {
        bst_strbuf_addf(out, "%s.renamed(type, type_version, data) AS ", sql->schema);
    }
    bst_strbuf_adds(
        out, "data,\n       state, command, occurred_at, occurred_between, recorded_at, basis, "
             "confidence,\n"
             "       source, position, run_id, type_version\n"
             "FROM (SELECT id, machine, entity, version, data, command, occurred_at, "
             "occurred_between,\n"
             "             recorded_at, basis, confidence, source, position, run_id, "
             "type_version,\n"
             "             ");
    add_types(sql->machine, out);
    bst_strbuf_adds(out, ",\n             ");
    add_states(sql->machine, out);
    bst_strbuf_adds(out, "\n      FROM backstory.event\n      WHERE machine = ");
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_adds(out, ") AS stored;\n\n");
}
