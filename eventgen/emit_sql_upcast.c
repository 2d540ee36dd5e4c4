/* Events of older versions in SQL: upcast(), which reads the payload of any version that the
 * machine knows as one of the current version, step by step. A machine without older versions has
 * none.
 */
#include "emit_sql_private.h"

bool bst__sql_has_upcasts(const bst_event_type *event) {
    return event->upcast_count > 0 || event->version != 1;
}

bool bst__sql_upcasts(const bst__sql *sql) {
    for (uint32_t e = 0; e < sql->machine->event_count; e++) {
        if (bst__sql_has_upcasts(&sql->machine->events[e])) {
            return true;
        }
    }
    return false;
}

void bst__sql_data(const bst__sql *sql, bst_strbuf *out) {
    if (bst__sql_upcasts(sql)) {
        bst_strbuf_addf(out, "%s.upcast(type, type_version, data)", sql->schema);
    } else {
        bst_strbuf_adds(out, "data");
    }
}

void bst__sql_fold(const bst__sql *sql, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s.fold(type, ", sql->schema);
    bst__sql_data(sql, out);
    bst_strbuf_adds(out, ", state ORDER BY version)");
}

static void put_ref(const void *context, const bst_expr *ref, bst_strbuf *out) {
    const bst_upcast *from = context;
    bst__sql_payload_value(&from->fields[ref->index], true, out);
}

/* As JSON has it: a number or true and false where the canonical form has that, else a text. */
static void add_value(bst__sql *sql, const bst_upcast *from, const bst_assignment *a,
                      const bst_field *to, bst_strbuf *out) {
    bst__sql_scope scope = {.put_ref = put_ref, .context = from, .schema = sql->schema};
    const bst_kind kind = to->type.kind;
    if (!a->expr) {
        bst_strbuf_adds(out, "data->");
        bst__sql_literal(from->fields[a->event_field].name, out);
        return;
    }
    const bool plain = kind == BST_KIND_BOOL || kind == BST_KIND_INT2 || kind == BST_KIND_INT4;
    bst_strbuf_adds(out, kind == BST_KIND_JSON ? "(" : plain ? "to_jsonb(" : "to_jsonb((");
    bst__sql_value(&scope, a->expr, out);
    bst_strbuf_adds(out, kind == BST_KIND_JSON || plain ? ")" : ")::text)");
    sql->helpers |= scope.helpers;
}

/* One version as the next. */
static void add_step(bst__sql *sql, const bst_event_type *event, uint32_t number, bst_strbuf *out) {
    const bst_upcast *from = &event->upcasts[number];
    const bool last = number + 1 == event->upcast_count;
    const bst_field *to = last ? event->fields : event->upcasts[number + 1].fields;
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(out,
                    "        IF type_version = %u THEN\n            data := jsonb_build_object(",
                    (unsigned)from->version);
    for (uint32_t i = 0; i < from->assignment_count; i++) {
        const bst_assignment *a = &from->assignments[i];
        bst_strbuf_clear(&text);
        bst_strbuf_adds(&text, "                ");
        bst__sql_literal(to[a->field].name, &text);
        bst_strbuf_adds(&text, ", ");
        add_value(sql, from, a, &to[a->field], &text);
        bst_strbuf_adds(out, i > 0 ? ",\n" : "\n");
        bst__sql_wrap(text.text, 20, out);
        out->failed = out->failed || text.failed;
    }
    bst_strbuf_addf(out, ");\n            type_version := %u;\n        END IF;\n",
                    (unsigned)from->version + 1);
    bst_strbuf_release(&text);
}

static void add_event(bst__sql *sql, const bst_event_type *event, bst_strbuf *out) {
    bst_strbuf_adds(out, "    WHEN ");
    bst__sql_literal(event->name, out);
    bst_strbuf_adds(out, " THEN\n");
    for (uint32_t u = 0; u < event->upcast_count; u++) {
        add_step(sql, event, u, out);
    }
    bst_strbuf_addf(out, "        newest := %u;\n", (unsigned)event->version);
}

void bst__sql_add_upcast(bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    if (!bst__sql_upcasts(sql)) {
        return;
    }
    bst_strbuf_addf(out,
                    "-- The payload of an event, of whatever version, as one of the current "
                    "version.\n"
                    "CREATE FUNCTION %s.upcast(event_type text, type_version integer, data jsonb) "
                    "RETURNS jsonb\n"
                    "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
                    "DECLARE\n"
                    "    newest integer := 1;\n"
                    "BEGIN\n"
                    "    CASE event_type\n",
                    sql->schema);
    for (uint32_t e = 0; e < m->event_count; e++) {
        if (bst__sql_has_upcasts(&m->events[e])) {
            add_event(sql, &m->events[e], out);
        }
    }
    bst_strbuf_adds(out, "    ELSE\n"
                         "        NULL;\n"
                         "    END CASE;\n"
                         "    IF type_version <> newest THEN\n"
                         "        RAISE data_exception USING MESSAGE =\n"
                         "            format('version %s of %s cannot be read', type_version, "
                         "event_type);\n"
                         "    END IF;\n"
                         "    RETURN data;\n"
                         "END\n"
                         "$$;\n\n");
}
