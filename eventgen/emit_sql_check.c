/* What an event must carry, in SQL: is_complete(), which apply() asks; is_valid(), which looks at
 * the form of every value too; and a trigger for the store that refuses what is not valid, to be
 * switched on by whoever wants to pay for it.
 *
 * Forms are looked at, values are not read: a date that no calendar has passes. So nothing raises,
 * and an event costs microseconds.
 */
#include "emit_sql_private.h"

/* ---- is_complete ---- */

static void add_complete(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf_addf(out,
                    "-- Whether the payload of an event has every field that it must have.\n"
                    "CREATE FUNCTION %s.is_complete(event_type text, data jsonb) RETURNS boolean\n"
                    "LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
                    "RETURN ",
                    sql->schema);
    bool cases = false;
    for (uint32_t e = 0; e < m->event_count; e++) {
        bool any = false;
        for (uint32_t f = 0; f < m->events[e].field_count; f++) {
            if (m->events[e].fields[f].type.optional) {
                continue;
            }
            if (!any) {
                bst_strbuf_adds(out, cases ? "    WHEN " : "CASE event_type\n    WHEN ");
                bst__sql_literal(m->events[e].name, out);
                cases = true;
            }
            bst_strbuf_adds(out, any ? "\n        AND data->>" : " THEN\n        data->>");
            bst__sql_literal(m->events[e].fields[f].name, out);
            bst_strbuf_adds(out, " IS NOT NULL");
            any = true;
        }
        bst_strbuf_adds(out, any ? "\n" : "");
    }
    bst_strbuf_adds(out, cases ? "    ELSE true\nEND;\n\n" : "true;\n\n");
}

/* ---- is_valid ---- */

static void add_member_list(const bst_type *type, bst_strbuf *out) {
    bst_strbuf_adds(out, " IN (");
    for (uint32_t i = 0; i < type->member_count; i++) {
        bst_strbuf_adds(out, i == 0 ? "" : ", ");
        bst__sql_literal(type->members[i], out);
    }
    bst_strbuf_addc(out, ')');
}

/* `data->'n'` or `data->>'n'` */
static void add_member(const bst_field *field, const char *arrow, bst_strbuf *out) {
    bst_strbuf_addf(out, "data%s", arrow);
    bst__sql_literal(field->name, out);
}

static void add_integer_form(const bst_field *field, bst_strbuf *out) {
    const bst_kind kind = field->type.kind;
    bst_strbuf_adds(out, "CASE WHEN ");
    add_member(field, "->>", out);
    bst_strbuf_adds(out, " ~ '^-?[0-9]{1,19}$' THEN (");
    add_member(field, "->>", out);
    bst_strbuf_addf(out, ")::numeric BETWEEN %s END",
                    kind == BST_KIND_INT2   ? "-32768 AND 32767"
                    : kind == BST_KIND_INT4 ? "-2147483648 AND 2147483647"
                                            : "-9223372036854775808 AND 9223372036854775807");
}

static void add_decimal_form(const bst_field *field, bst_strbuf *out) {
    const int whole = field->type.precision - field->type.scale;
    add_member(field, "->>", out);
    if (whole > 0) {
        bst_strbuf_addf(out, " ~ '^-?[0-9]{1,%d}", whole);
    } else {
        bst_strbuf_adds(out, " ~ '^-?0");
    }
    if (field->type.scale > 0) {
        bst_strbuf_addf(out, "([.][0-9]{1,%d})?", field->type.scale);
    }
    bst_strbuf_adds(out, "$'");
}

static void add_text_form(const bst_field *field, bst_strbuf *out) {
    bst_strbuf_adds(out, "jsonb_typeof(");
    add_member(field, "->", out);
    bst_strbuf_adds(out, ") = 'string'");
    if (field->type.kind != BST_KIND_TEXT && field->type.length > 0) {
        bst_strbuf_adds(out, " AND char_length(");
        add_member(field, "->>", out);
        bst_strbuf_addf(out, ") <= %u", (unsigned)field->type.length);
    }
}

static const char *pattern(bst_kind kind) {
    switch (kind) {
    case BST_KIND_UUID:
        return "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
    case BST_KIND_DATE:
        return "^([0-9]{4,7}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$";
    case BST_KIND_TIMESTAMPTZ:
        return "^([0-9]{4,6}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(Z|[+-][0-9:]{2,8})( BC)?"
               "|-?infinity)$";
    case BST_KIND_BYTEA:
        return "^[\\\\]x([0-9a-fA-F]{2})*$";
    default:
        return NULL;
    }
}

static void add_form(const bst_field *field, bst_strbuf *out) {
    const bst_kind kind = field->type.kind;
    switch (kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, "jsonb_typeof(");
        add_member(field, "->", out);
        bst_strbuf_adds(out, ") = 'boolean'");
        break;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        add_integer_form(field, out);
        break;
    case BST_KIND_DECIMAL:
        add_decimal_form(field, out);
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        add_text_form(field, out);
        break;
    case BST_KIND_ENUM:
        add_member(field, "->>", out);
        add_member_list(&field->type, out);
        break;
    case BST_KIND_JSON:
        add_member(field, "->>", out);
        bst_strbuf_adds(out, " IS NOT NULL");
        break;
    default:
        add_member(field, "->>", out);
        bst_strbuf_adds(out, " ~ ");
        bst__sql_literal(pattern(kind), out);
    }
}

static void add_keys(const bst_event_type *event, bst_strbuf *out) {
    bst_strbuf_adds(out, event->field_count == 0 ? "data" : "data - ARRAY[");
    for (uint32_t f = 0; f < event->field_count; f++) {
        bst_strbuf_adds(out, f == 0 ? "" : ", ");
        bst__sql_literal(event->fields[f].name, out);
    }
    bst_strbuf_adds(out, event->field_count == 0 ? " = '{}'" : "] = '{}'");
}

static void add_valid(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(out,
                    "-- Whether it is a payload of that event: every required field is there, no "
                    "field is unknown, and\n-- each value has the form of its type.\n"
                    "CREATE FUNCTION %s.is_valid(event_type text, data jsonb) RETURNS boolean\n"
                    "LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
                    "RETURN coalesce(CASE\n"
                    "    WHEN jsonb_typeof(data) <> 'object' THEN false\n",
                    sql->schema);
    for (uint32_t e = 0; e < m->event_count; e++) {
        bst_strbuf_adds(out, "    WHEN event_type = ");
        bst__sql_literal(m->events[e].name, out);
        bst_strbuf_adds(out, " THEN\n");
        bst_strbuf_clear(&text);
        bst_strbuf_adds(&text, "        ");
        add_keys(&m->events[e], &text);
        bst__sql_wrap(text.text, 12, out);
        for (uint32_t f = 0; f < m->events[e].field_count; f++) {
            const bst_field *field = &m->events[e].fields[f];
            bst_strbuf_clear(&text);
            bst_strbuf_adds(&text, "        AND ");
            if (field->type.optional) {
                bst_strbuf_addc(&text, '(');
                add_member(field, "->>", &text);
                bst_strbuf_adds(&text, " IS NULL OR ");
            }
            add_form(field, &text);
            bst_strbuf_adds(&text, field->type.optional ? ")" : "");
            bst_strbuf_addc(out, '\n');
            bst__sql_wrap(text.text, 12, out);
        }
        bst_strbuf_addc(out, '\n');
    }
    bst_strbuf_adds(out, "END, false);\n\n");
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* ---- the trigger ---- */

static void add_trigger(const bst__sql *sql, bst_strbuf *out) {
    const char *s = sql->schema;
    const bool older = bst__sql_upcasts(sql);
    bst_strbuf_addf(
        out,
        "CREATE FUNCTION %s.refuse_invalid() RETURNS trigger\n"
        "LANGUAGE plpgsql AS $$\n"
        "DECLARE\n"
        "    bad record;\n"
        "BEGIN\n"
        "    SELECT NEW.first_version + item.place - 1 AS version,\n"
        "           plan.type[item.place] AS type INTO bad\n"
        "    FROM jsonb_array_elements(NEW.data::jsonb) WITH ORDINALITY AS item (value, "
        "place)\n"
        "        JOIN backstory.plan ON plan.run_id = NEW.run_id AND plan.plan = "
        "NEW.plan\n"
        "    WHERE NOT %s.is_valid(plan.type[item.place], %s%sitem.value -> -1%s)\n"
        "    LIMIT 1;\n"
        "    IF FOUND THEN\n"
        "        RAISE check_violation USING MESSAGE = format(\n"
        "            'event %%s of \"%%s\" is no valid %%s', bad.version, NEW.key, "
        "bad.type);\n"
        "    END IF;\n"
        "    RETURN NULL;\n"
        "END\n"
        "$$;\n\n",
        s, s, older ? s : "",
        older ? ".upcast(plan.type[item.place], plan.type_version[item.place], " : "",
        older ? ")" : "");
    bst_strbuf_addf(
        out,
        "-- From now on the store refuses, when a transaction commits, events of this "
        "machine that are not\n-- valid. The store must know the machine.\n"
        "CREATE PROCEDURE %s.refuse_invalid_events()\n"
        "LANGUAGE plpgsql AS $$\n"
        "DECLARE\n"
        "    machine smallint := (SELECT machine_id FROM backstory.machine WHERE name = ",
        s);
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_addf(out,
                    ");\n"
                    "BEGIN\n"
                    "    IF machine IS NULL THEN\n"
                    "        RAISE no_data_found USING MESSAGE = 'the store does not know the "
                    "machine',\n"
                    "            HINT = 'Register it: SELECT backstory.register(...).';\n"
                    "    END IF;\n"
                    "    EXECUTE format(\n"
                    "        'CREATE CONSTRAINT TRIGGER machine_%%1$s_valid AFTER INSERT ON "
                    "backstory.segment '\n"
                    "        'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW '\n"
                    "        'WHEN (NEW.machine_id = %%1$s) EXECUTE FUNCTION %s.refuse_invalid()', "
                    "machine);\n"
                    "END\n"
                    "$$;\n\n",
                    s);
}

void bst__sql_add_checks(bst__sql *sql, bst_strbuf *out) {
    add_complete(sql, out);
    add_valid(sql, out);
    add_trigger(sql, out);
}
