/* The fold in SQL: the type of an entity, apply() with what each event does to it, the aggregate
 * that goes through a history, the read model of where everything stands, and state_at().
 *
 * apply() is that of the interpreter: it refuses an event that no transition emits here, or whose
 * payload lacks a required field, and every right-hand side reads the entity as it was.
 */
#include "emit_sql_private.h"

/* ---- where an event may lead ---- */

typedef struct step_list {
    uint32_t *first, *next; /* by event, by transition: a transition + 1 */
} step_list;

/* The transitions of each event, in the order of the machine. */
static step_list list_steps(bst__sql *sql) {
    const bst_machine *m = sql->machine;
    step_list list = {bst_arena_array(sql->arena, m->event_count + 1, sizeof *list.first),
                      bst_arena_array(sql->arena, m->transition_count + 1, sizeof *list.next)};
    sql->failed = sql->failed || !list.first || !list.next;
    for (uint32_t i = m->transition_count; !sql->failed && i > 0; i--) {
        const uint32_t event = m->transitions[i - 1].event;
        list.next[i - 1] = list.first[event];
        list.first[event] = i;
    }
    return list;
}

static void add_step(const bst_machine *m, const bst_transition *t, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s -> %s", t->from == BST_NONE ? "" : m->states[t->from].name,
                    m->states[t->to].name);
    bst__sql_literal(text.text, out);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* A built-in event stands in no transition. */
static void add_builtin_step(const bst_machine *m, const bst_event_type *event, bst_strbuf *out) {
    if (event->builtin == BST_BUILTIN_NONE) {
        return;
    }
    bst_strbuf_adds(out, "\n    WHEN ");
    bst__sql_literal(event->name, out);
    bst_strbuf_adds(out, " THEN\n        ");
    if (event->builtin == BST_BUILTIN_RECONCILE) {
        bst_strbuf_adds(out, "coalesce(from_state = to_state, false)");
        return;
    }
    bst_strbuf_adds(out, "from_state IS NULL AND to_state IN (");
    for (uint32_t s = 0; s < m->state_count; s++) {
        bst_strbuf_adds(out, s > 0 ? ",\n            " : "\n            ");
        bst__sql_literal(m->states[s].name, out);
    }
    bst_strbuf_addc(out, ')');
}

static void add_steps(bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    const step_list list = list_steps(sql);
    bst_strbuf_addf(
        out,
        "-- Whether some transition from one state to the other emits the event; before "
        "the first event the\n-- state is NULL.\n"
        "CREATE FUNCTION %s.is_step(from_state text, event_type text, to_state text) "
        "RETURNS boolean\n"
        "LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
        "RETURN CASE event_type",
        sql->schema);
    for (uint32_t e = 0; !sql->failed && e < m->event_count; e++) {
        const bst_transition *last = NULL;
        add_builtin_step(m, &m->events[e], out);
        for (uint32_t i = list.first[e]; i > 0; i = list.next[i - 1]) {
            const bst_transition *t = &m->transitions[i - 1];
            if (last && last->from == t->from && last->to == t->to) {
                continue;
            }
            if (!last) {
                bst_strbuf_adds(out, "\n    WHEN ");
                bst__sql_literal(m->events[e].name, out);
                bst_strbuf_adds(out,
                                " THEN\n        coalesce(from_state, '') || ' -> ' || to_state "
                                "IN (");
            }
            bst_strbuf_adds(out, last ? ",\n            " : "\n            ");
            add_step(m, t, out);
            last = t;
        }
        bst_strbuf_adds(out, last ? ")" : "");
    }
    bst_strbuf_adds(out, m->transition_count > 0 ? "\n    ELSE false\nEND;\n\n"
                                                 : " WHEN NULL THEN true ELSE false END;\n\n");
}

/* ---- apply ---- */

typedef struct place {
    const bst__sql *sql;
    uint32_t event;
} place;

static void put_ref(const void *context, const bst_expr *ref, bst_strbuf *out) {
    const place *at = context;
    if (ref->root == BST_ROOT_EVENT) {
        bst__sql_payload_value(&at->sql->machine->events[at->event].fields[ref->index], true, out);
    } else {
        bst_strbuf_addf(out, "before.%s", at->sql->fields[ref->index]);
    }
}

/* Before its creation an entity has its defaults, and nothing else. */
static bool is_unsure(const void *context, const bst_expr *ref) {
    const place *at = context;
    const bst_field *field = &at->sql->machine->fields[ref->index];
    return ref->root == BST_ROOT_ENTITY && !field->type.optional &&
           (at->sql->unsure[ref->index] ||
            (at->sql->creating[at->event] && !field->default_value.present));
}

static void add_assignments(bst__sql *sql, uint32_t event, bst_strbuf *out) {
    const bst_event_type *type = &sql->machine->events[event];
    const place at = {sql, event};
    bst__sql_scope scope = {
        .put_ref = put_ref, .is_unsure = is_unsure, .context = &at, .schema = sql->schema};
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(out, "    WHEN ");
    bst__sql_literal(type->name, out);
    bst_strbuf_adds(out, " THEN\n");
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_assignment *a = &type->assignments[i];
        bst_strbuf_clear(&text);
        bst_strbuf_addf(&text, "        after.%s := ", sql->fields[a->field]);
        if (a->expr) {
            bst__sql_value(&scope, a->expr, &text);
        } else {
            bst__sql_payload_value(&type->fields[a->event_field], false, &text);
        }
        bst__sql_wrap(text.text, 12, out);
        bst_strbuf_adds(out, ";\n");
    }
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
    sql->helpers |= scope.helpers;
}

static void add_defaults(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bool any = false;
    for (uint32_t f = 0; f < m->field_count; f++) {
        if (m->fields[f].default_value.present) {
            bst_strbuf_adds(out, any ? "" : "    IF before.state IS NULL THEN\n");
            bst_strbuf_addf(out, "        before.%s := ", sql->fields[f]);
            bst__sql_constant(&m->fields[f].type, &m->fields[f].default_value, out);
            bst_strbuf_adds(out, ";\n");
            any = true;
        }
    }
    bst_strbuf_adds(out, any ? "    END IF;\n" : "");
}

static void add_apply(bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf_addf(
        out,
        "-- The entity after an event that leads to a state; before its first event it "
        "is NULL.\n"
        "CREATE FUNCTION %s.apply(before %s.entity, event_type text, data jsonb, state "
        "text)\n"
        "RETURNS %s.entity\n"
        "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
        "DECLARE\n"
        "    after %s.entity;\n"
        "BEGIN\n"
        "    IF %s.is_step(before.state, event_type, state) IS NOT TRUE THEN\n"
        "        RAISE data_exception USING MESSAGE =\n"
        "            format('%%s cannot lead from %%s to %%s', event_type, before.state, "
        "state);\n"
        "    ELSIF %s.is_complete(event_type, data) IS NOT TRUE THEN\n"
        "        RAISE null_value_not_allowed USING MESSAGE = event_type || ' lacks a "
        "required field';\n"
        "    END IF;\n",
        sql->schema, sql->schema, sql->schema, sql->schema, sql->schema, sql->schema);
    add_defaults(sql, out);
    bst_strbuf_adds(out, "    after := before;\n    after.state := state;\n");
    bool any = false;
    for (uint32_t e = 0; e < m->event_count; e++) {
        if (m->events[e].assignment_count > 0) {
            bst_strbuf_adds(out, any ? "" : "    CASE event_type\n");
            add_assignments(sql, e, out);
            any = true;
        }
    }
    bst_strbuf_adds(out, any ? "    ELSE\n        NULL;\n    END CASE;\n" : "");
    bst_strbuf_adds(out, "    RETURN after;\nEND\n$$;\n\n");
}

/* ---- the entity, the aggregate, the read model ---- */

static void add_entity(const bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bst_strbuf_addf(out,
                    "-- An entity: its state and its fields. char and varchar are text, an enum is "
                    "its member's name.\n"
                    "CREATE TYPE %s.entity AS (\n    state text",
                    sql->schema);
    for (uint32_t f = 0; f < m->field_count; f++) {
        bst_strbuf_addf(out, ",\n    %s ", sql->fields[f]);
        bst__sql_type(&m->fields[f].type, out);
    }
    bst_strbuf_adds(out, "\n);\n\n");
}

static void add_read_model(const bst__sql *sql, bst_strbuf *out) {
    const char *s = sql->schema;
    bst_strbuf_addf(out,
                    "CREATE AGGREGATE %s.fold(event_type text, data jsonb, state text) (\n"
                    "    SFUNC = %s.apply, STYPE = %s.entity, PARALLEL = SAFE\n);\n\n",
                    s, s, s);
    bst_strbuf_addf(
        out,
        "-- Where every entity stands: its history, folded. One entity is found through "
        "an index.\n"
        "CREATE VIEW %s.current AS\n"
        "SELECT entity, version, changed_at, (folded).*\n"
        "FROM (SELECT entity, max(version) AS version, max(occurred_at) AS changed_at,\n"
        "             ",
        s);
    bst__sql_fold(sql, out);
    bst_strbuf_adds(out, " AS folded\n      FROM ");
    bst__sql_source(sql, out);
    bst_strbuf_adds(out, "\n      WHERE machine = ");
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_adds(out, "\n      GROUP BY entity) AS history;\n\n");
    bst_strbuf_addf(out,
                    "-- An entity as it was at a time; NULL when it did not exist yet.\n"
                    "CREATE FUNCTION %s.state_at(key text, at timestamptz) RETURNS %s.entity\n"
                    "LANGUAGE sql STABLE PARALLEL SAFE\n"
                    "BEGIN ATOMIC\n"
                    "    SELECT ",
                    s, s);
    bst__sql_fold(sql, out);
    bst_strbuf_adds(out, "\n    FROM ");
    bst__sql_source(sql, out);
    bst_strbuf_adds(out, "\n    WHERE machine = ");
    bst__sql_literal(sql->machine->id, out);
    bst_strbuf_adds(out, " AND entity = state_at.key AND occurred_at <= state_at.at;\nEND;\n\n");
}

void bst__sql_add_fold(bst__sql *sql, bst_strbuf *out) {
    add_entity(sql, out);
    add_steps(sql, out);
    add_apply(sql, out);
    add_read_model(sql, out);
}
