/* What there is, and what has happened: the catalogue of states, events and transitions as views
 * without a table, and a view with typed columns for each type of event.
 */
#include "emit_sql_private.h"

static void add_text_or_null(const char *text, bst_strbuf *out) {
    if (text) {
        bst__sql_literal(text, out);
    } else {
        bst_strbuf_adds(out, "NULL");
    }
}

static const char *state_name(const bst_machine *machine, uint32_t state) {
    return state == BST_NONE ? NULL : machine->states[state].name;
}

/* ---- the catalogue ---- */

static void open_view(const bst__sql *sql, const char *name, const char *columns, const char *what,
                      bst_strbuf *out) {
    bst__sql_comment(what, out);
    bst_strbuf_addf(out, "CREATE VIEW %s.%s (%s) AS VALUES\n", sql->schema, name, columns);
}

static void add_states(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    open_view(sql, "state", "name, label, final", "Where an entity can stand.", out);
    for (uint32_t i = 0; i < m->state_count; i++) {
        bst_strbuf_adds(out, "    (");
        bst__sql_literal(m->states[i].name, out);
        bst_strbuf_adds(out, i == 0 ? "::text, " : ", ");
        add_text_or_null(m->states[i].label, out);
        bst_strbuf_adds(out, i == 0 ? "::text, " : ", ");
        bst_strbuf_addf(out, "%s)%s\n", m->states[i].final ? "true" : "false",
                        i + 1 < m->state_count ? "," : ";\n");
    }
}

static void add_event_types(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    if (m->event_count == 0) {
        return;
    }
    open_view(sql, "event_type", "name, version, description",
              "What can happen to it; the version is that of the payload.", out);
    for (uint32_t i = 0; i < m->event_count; i++) {
        bst_strbuf_adds(out, "    (");
        bst__sql_literal(m->events[i].name, out);
        bst_strbuf_addf(out, "%s, %u, ", i == 0 ? "::text" : "", (unsigned)m->events[i].version);
        add_text_or_null(m->events[i].description, out);
        bst_strbuf_addf(out, "%s)%s\n", i == 0 ? "::text" : "",
                        i + 1 < m->event_count ? "," : ";\n");
    }
}

static void add_event_field(const bst_event_type *event, const bst_field *field, bool first,
                            bst_strbuf *out) {
    bst_strbuf type = BST_STRBUF_INIT;
    bst_type required = field->type;
    required.optional = false;
    bst_type_format(&required, &type);
    bst_strbuf_adds(out, first ? "    (" : ",\n    (");
    bst__sql_literal(event->name, out);
    bst_strbuf_adds(out, first ? "::text, " : ", ");
    bst__sql_literal(field->name, out);
    bst_strbuf_adds(out, first ? "::text, " : ", ");
    bst__sql_literal(type.text, out);
    bst_strbuf_addf(out, "%s, %s)", first ? "::text" : "", field->type.optional ? "false" : "true");
    out->failed = out->failed || type.failed;
    bst_strbuf_release(&type);
}

static void add_event_fields(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bool any = false;
    for (uint32_t e = 0; e < m->event_count; e++) {
        for (uint32_t f = 0; f < m->events[e].field_count; f++) {
            if (!any) {
                open_view(sql, "event_field", "event, name, type, required",
                          "What an event carries.", out);
            }
            add_event_field(&m->events[e], &m->events[e].fields[f], !any, out);
            any = true;
        }
    }
    bst_strbuf_adds(out, any ? ";\n\n" : "");
}

static void add_transitions(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf guard = BST_STRBUF_INIT;
    if (m->transition_count == 0) {
        return;
    }
    open_view(sql, "transition", "from_state, command, event, to_state, guard",
              "Which command leads where; those of one state and command are tried in this order. "
              "From NULL: how an entity is born.",
              out);
    for (uint32_t i = 0; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        const bst__arrow arrow = bst__emit_arrow(m, t, &guard);
        const char *const columns[] = {state_name(m, t->from), arrow.command, arrow.event,
                                       state_name(m, t->to), arrow.guard};
        bst_strbuf_adds(out, "    (");
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
            bst_strbuf_adds(out, c == 0 ? "" : ", ");
            add_text_or_null(columns[c], out);
            bst_strbuf_adds(out, i == 0 ? "::text" : "");
        }
        bst_strbuf_adds(out, i + 1 < m->transition_count ? "),\n" : ");\n\n");
    }
    out->failed = out->failed || guard.failed;
    bst_strbuf_release(&guard);
}

void bst__sql_add_catalogue(bst__sql *sql, bst_strbuf *out) {
    add_states(sql, out);
    add_event_types(sql, out);
    add_event_fields(sql, out);
    add_transitions(sql, out);
}

/* ---- events ---- */

/* The events of the store; where there are older versions, as those of today. */
static void add_source(const bst__sql *sql, const bst_event_type *event, bst_strbuf *out) {
    const bool older = bst__sql_has_upcasts(event);
    bst_strbuf_adds(out, "\nFROM ");
    if (older) {
        bst_strbuf_adds(out, "(SELECT entity, version, state, occurred_at, recorded_at, basis, "
                             "confidence,\n             ");
        bst__sql_data(sql, out);
        bst_strbuf_adds(out, " AS data\n      FROM ");
    }
    bst__sql_source(sql, out);
    bst_strbuf_addf(out, "\n%sWHERE machine = ", older ? "      " : "");
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_adds(out, " AND type = ");
    bst__sql_literal(event->name, out);
    bst_strbuf_adds(out, older ? ") AS event;\n\n" : ";\n\n");
}

void bst__sql_add_events(bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    for (uint32_t e = 0; e < m->event_count; e++) {
        const bst_event_type *event = &m->events[e];
        bst__sql_comment(event->description ? event->description : "", out);
        bst_strbuf_addf(out,
                        "CREATE VIEW %s.%s AS\n"
                        "SELECT entity, version, state, occurred_at, recorded_at, basis, "
                        "confidence",
                        sql->schema, sql->events[e]);
        for (uint32_t f = 0; f < event->field_count; f++) {
            bst_strbuf_adds(out, ",\n       ");
            bst__sql_payload_value(&event->fields[f], false, out);
            bst_strbuf_addf(out, " AS %s", sql->payloads[e][f]);
        }
        add_source(sql, event, out);
    }
}
