/* Logs that legacy systems keep of their states, recognised by their columns.
 *
 * Each kind becomes one sub-query of (f, t, c): the state before, the state after, the command
 * where the log has it. NULL before means that the entity began in `t`. Logs of whole rows (history
 * tables, audit triggers) say nothing of when nothing changed, so equal states are no step there.
 * Only the counted pairs leave the server.
 */
#include "draft_pg_private.h"

#include <string.h>

typedef struct log_table {
    const char *schema, *name, *quoted;
    const char *link; /* the column that leads to our table; NULL */
    size_t count;
    char **columns;
    bool *is_time;
} log_table;

typedef struct log_kind {
    const char *preset;
    /* The sub-query, or NULL when the table is not of this kind. */
    const char *(*steps)(draft *d, const log_table *t);
    bool snapshots;         /* rows, not steps: equal states are no step */
    bool begins_with_steps; /* NULL before: a step out of the initial state, not the beginning */
} log_kind;

static bool has(const log_table *t, const char *name) {
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->columns[i], name) == 0)
            return true;
    }
    return false;
}

static bool has_all(const log_table *t, const char *const *names) {
    for (; *names; names++) {
        if (!has(t, *names))
            return false;
    }
    return true;
}

static const char *q(draft *d, const char *name) {
    return bst__draft_quoted(d, "l", name);
}

static const char *state_name(draft *d) {
    return d->columns[d->state_column].name;
}

static const char *key_name(draft *d) {
    return d->columns[d->key[0]].name;
}

static const char *lag(draft *d, const char *what, const char *entity, const char *order) {
    return bst__draft_text(d, "lag(%s) OVER (PARTITION BY %s ORDER BY %s)", what, entity, order);
}

/* ---- the kinds */

static const char *statesman(draft *d, const log_table *t) {
    static const char *const columns[] = {"to_state", "sort_key", NULL};
    if (!t->link || !has_all(t, columns))
        return NULL;
    return bst__draft_text(d, "SELECT %s::text AS f, l.to_state::text AS t, NULL AS c FROM %s l",
                           has(t, "from_state") ? "l.from_state"
                                                : lag(d, "l.to_state", q(d, t->link), "l.sort_key"),
                           t->quoted);
}

static const char *audit_trail(draft *d, const log_table *t) {
    static const char *const columns[] = {"from", "to", "event", "created_at", NULL};
    if (!t->link || !has_all(t, columns))
        return NULL;
    return bst__draft_text(
        d, "SELECT l.\"from\"::text AS f, l.\"to\"::text AS t, l.event::text AS c FROM %s l",
        t->quoted);
}

/* Rails' class names: Spree::Order for spree_orders, Payment for payments. */
static const char *is_our_class(draft *d, const char *column) {
    return bst__draft_text(d,
                           "replace(%s, '_', '') IN (lower(replace(l.%s, '::', '')),"
                           " lower(regexp_replace(l.%s, '^.*::', '')))",
                           bst__draft_literal(d, d->id), column, column);
}

static const char *state_changes(draft *d, const log_table *t) {
    static const char *const columns[] = {"previous_state", "next_state", "stateful_id",
                                          "stateful_type", NULL};
    if (!has_all(t, columns))
        return NULL;
    const char *last = strrchr(d->id, '_');
    return bst__draft_text(
        d,
        "SELECT nullif(l.previous_state, '')::text AS f, l.next_state::text AS t, NULL AS c"
        " FROM %s l WHERE %s%s",
        t->quoted, is_our_class(d, "stateful_type"),
        has(t, "name")
            ? bst__draft_text(d, " AND l.name = %s", bst__draft_literal(d, last ? last + 1 : d->id))
            : "");
}

/* Which content types are ours; nothing when their table is not there. */
static const char *is_our_content_type(draft *d, const char *schema) {
    const char *types =
        bst__draft_text(d, "%s.django_content_type", bst__draft_quoted(d, "", schema));
    const char *params[] = {types};
    bst_pg_rows *rows = NULL;
    const char *id = bst__draft_literal(d, d->id);

    if (bst__draft_query(d, "SELECT has_table_privilege(to_regclass($1), 'SELECT')", 1, params,
                         &rows) != BST_OK)
        return "";
    const char *readable = bst_pg_rows_text(rows, 0, 0);
    const bool there = readable && *readable == 't';
    bst_pg_rows_free(rows);
    if (!there)
        return "";
    return bst__draft_text(d,
                           " AND l.content_type_id IN (SELECT ct.id FROM %s ct WHERE ct.app_label"
                           " || '_' || ct.model IN (%s, %s) OR ct.model = replace(%s, '_', ''))",
                           types, bst__draft_literal(d, ((const draft_pg *)d->source)->table), id,
                           id);
}

static const char *fsm_log(draft *d, const log_table *t) {
    static const char *const columns[] = {"timestamp",       "state",     "transition",
                                          "content_type_id", "object_id", NULL};
    if (!has_all(t, columns))
        return NULL;
    /* Old rows lack source_state: it was added later. */
    const char *before = lag(d, "l.state", "l.content_type_id, l.object_id", "l.timestamp, l.id");
    return bst__draft_text(
        d,
        "SELECT %s::text AS f, l.state::text AS t, l.transition::text AS c FROM %s l"
        " WHERE EXISTS (SELECT FROM %s own WHERE own.%s::text = l.object_id::text)%s",
        has(t, "source_state") ? bst__draft_text(d, "coalesce(l.source_state, %s)", before)
                               : before,
        t->quoted, ((const draft_pg *)d->source)->quoted, bst__draft_quoted(d, "", key_name(d)),
        is_our_content_type(d, t->schema));
}

/* app_historicalloan is the history of app_loan. */
static bool is_historical_of(draft *d, const char *name) {
    static const char word[] = "historical";
    const char *at = strstr(name, word);
    return at && strcmp(bst__draft_text(d, "%.*s%s", (int)(at - name), name, at + strlen(word)),
                        ((const draft_pg *)d->source)->table) == 0;
}

static const char *simple_history(draft *d, const log_table *t) {
    static const char *const columns[] = {"history_id", "history_date", "history_type", NULL};
    if (!has_all(t, columns) || !has(t, state_name(d)) || !has(t, key_name(d)) ||
        !is_historical_of(d, t->name))
        return NULL;
    const char *state = q(d, state_name(d));
    return bst__draft_text(d,
                           "SELECT %s::text AS f, %s::text AS t, NULL AS c FROM %s l"
                           " WHERE l.history_type <> '-'",
                           lag(d, state, q(d, key_name(d)), "l.history_date, l.history_id"), state,
                           t->quoted);
}

/* `object` is the row before the event; what it became stands in the next version, or in the row.
 */
static const char *paper_trail(draft *d, const log_table *t) {
    static const char *const columns[] = {"item_type", "item_id",    "event",
                                          "object",    "created_at", NULL};
    if (!has_all(t, columns))
        return NULL;
    const draft_pg *p = d->source;
    const char *state = bst__draft_literal(d, state_name(d));
    return bst__draft_text(
        d,
        "SELECT v.f, coalesce(lead(v.f) OVER (PARTITION BY v.item_id ORDER BY v.created_at, v.id),"
        " (SELECT own.%s::text FROM %s own WHERE own.%s::text = v.item_id)) AS t, NULL AS c"
        " FROM (SELECT l.id, l.item_id::text, l.created_at, "
        " CASE WHEN l.object::text ~ '^[[:space:]]*[{]'"
        " THEN l.object::jsonb ->> %s END AS f FROM %s l WHERE l.event <> 'destroy' AND %s) v",
        bst__draft_quoted(d, "", state_name(d)), p->quoted, bst__draft_quoted(d, "", key_name(d)),
        state, t->quoted, is_our_class(d, "item_type"));
}

static const char *audit_trigger(draft *d, const log_table *t) {
    static const char *const columns[] = {"schema_name",    "table_name", "row_data",
                                          "changed_fields", "action",     NULL};
    if (!has_all(t, columns))
        return NULL;
    const draft_pg *p = d->source;
    const char *state = bst__draft_literal(d, state_name(d));
    /* hstore's own operators live in whatever schema it was put; its text form does not. */
    bst_strbuf old = BST_STRBUF_INIT, new = BST_STRBUF_INIT;
    bst_strbuf_addf(&old, "(regexp_match(l.row_data::text, '\"' || %s || '\"=>\"([^\"]*)\"'))[1]",
                    state);
    bst_strbuf_addf(
        &new, "(regexp_match(l.changed_fields::text, '\"' || %s || '\"=>\"([^\"]*)\"'))[1]", state);
    const char *sql = bst__draft_text(
        d,
        "SELECT CASE WHEN l.action = 'U' THEN %s END AS f,"
        " CASE l.action WHEN 'I' THEN %s WHEN 'U' THEN %s END AS t, NULL AS c FROM %s l"
        " WHERE l.action IN ('I', 'U') AND l.schema_name = %s AND l.table_name = %s",
        old.text, old.text, new.text, t->quoted, bst__draft_literal(d, p->schema),
        bst__draft_literal(d, p->table));
    bst_strbuf_release(&old);
    bst_strbuf_release(&new);
    return sql;
}

static const char *supa_audit(draft *d, const log_table *t) {
    static const char *const columns[] = {"record_id",  "old_record_id", "op",         "ts",
                                          "table_name", "record",        "old_record", NULL};
    if (!has_all(t, columns))
        return NULL;
    const draft_pg *p = d->source;
    const char *state = bst__draft_literal(d, state_name(d));
    return bst__draft_text(d,
                           "SELECT l.old_record ->> %s AS f, l.record ->> %s AS t, NULL AS c"
                           " FROM %s l WHERE l.op::text IN ('INSERT', 'UPDATE')"
                           " AND l.table_schema = %s AND l.table_name = %s",
                           state, state, t->quoted, bst__draft_literal(d, p->schema),
                           bst__draft_literal(d, p->table));
}

static const char *temporal(draft *d, const log_table *t) {
    const char *own = ((const draft_pg *)d->source)->table;
    if (!has(t, "sys_period") || !has(t, state_name(d)) || !has(t, key_name(d)) ||
        strncmp(t->name, own, strlen(own)) != 0)
        return NULL;
    const char *state = bst__draft_quoted(d, "", state_name(d));
    const char *key = bst__draft_quoted(d, "", key_name(d));
    return bst__draft_text(
        d,
        "SELECT %s AS f, l.s AS t, NULL AS c FROM (SELECT %s::text AS s, %s::text AS k,"
        " lower(sys_period) AS at FROM %s UNION ALL SELECT %s::text, %s::text, lower(sys_period)"
        " FROM %s) l",
        lag(d, "l.s", "l.k", "l.at"), state, key, t->quoted, state, key,
        ((draft_pg *)d->source)->quoted);
}

static const char *first_of(const log_table *t, const char *const *names) {
    for (; *names; names++) {
        if (has(t, *names))
            return *names;
    }
    return NULL;
}

/* A child table with a state of its own is no log: the items of an order. */
static bool sounds_like_log(const char *name) {
    static const char *const words[] = {"status", "state",   "transition", "history", "log",
                                        "change", "journal", "audit",      NULL};
    for (size_t i = 0; words[i]; i++) {
        if (strstr(name, words[i]))
            return true;
    }
    return false;
}

/* order_status (order_id, status_id, status_datetime), and its many cousins. */
static const char *custom(draft *d, const log_table *t) {
    static const char *const befores[] = {"from_state", "from_status",    "old_state",
                                          "old_status", "previous_state", "previous_status",
                                          "prev_state", "prev_status",    NULL};
    const char *const afters[] = {"to_state",   "to_status",   "new_state",   "new_status",
                                  "next_state", "next_status", state_name(d), "state",
                                  "status",     NULL};
    const char *at = NULL;

    for (size_t i = 0; i < t->count && !at; i++)
        at = t->is_time[i] ? t->columns[i] : NULL;
    const char *before = first_of(t, befores), *after = first_of(t, afters);
    if (!t->link || !at || !after || !(before || sounds_like_log(t->name)))
        return NULL;
    const char *order = has(t, "id") ? bst__draft_text(d, "%s, l.id", q(d, at)) : q(d, at);
    return bst__draft_text(d,
                           "SELECT %s::text AS f, %s::text AS t, NULL AS c FROM %s l"
                           " WHERE %s IS NOT NULL",
                           before ? q(d, before) : lag(d, q(d, after), q(d, t->link), order),
                           q(d, after), t->quoted, q(d, t->link));
}

static const log_kind kinds[] = {
    {"statesman", statesman, false, true},
    {"state_machines-audit_trail", audit_trail, false, false},
    {"django-fsm-log", fsm_log, false, true},
    {"django-simple-history", simple_history, true, false},
    {"paper_trail", paper_trail, true, false},
    {"the PostgreSQL audit trigger", audit_trigger, true, false},
    {"supa_audit", supa_audit, true, false},
    {"temporal_tables", temporal, true, false},
    {"state changes of Solidus", state_changes, false, true},
    {"a log of its own kind", custom, true, false},
};

/* ---- finding and mining */

/* The tables that lead to ours, and those that serve every table, with their columns; `@` before a
 * name: a time. */
static bst_status candidates(draft *d, bst_pg_rows **ret) {
    const draft_pg *p = d->source;
    const char *params[] = {p->oid, d->id};
    return bst__draft_query(
        d,
        "WITH linked AS (SELECT k.conrelid, min(a.attname) AS link FROM pg_constraint k"
        "  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
        "  WHERE k.contype = 'f' AND k.confrelid = $1::oid AND cardinality(k.conkey) = 1"
        "  GROUP BY 1), named AS (SELECT a.attrelid, min(a.attname) AS link FROM pg_attribute a"
        "  WHERE a.attname = $2 || '_id' AND a.attnum > 0 GROUP BY 1)"
        " SELECT n.nspname, c.relname, coalesce(linked.link, named.link),"
        " string_agg(CASE WHEN t.typcategory = 'D' THEN '@' ELSE '' END || a.attname, chr(31)"
        "  ORDER BY a.attnum)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " JOIN pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN linked ON linked.conrelid = c.oid LEFT JOIN named ON named.attrelid = c.oid"
        " WHERE c.relkind IN ('r', 'p') AND c.oid <> $1::oid"
        " AND n.nspname !~ '^(pg_|information_schema$)'"
        " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " AND (coalesce(linked.link, named.link) IS NOT NULL OR c.relname IN ('versions',"
        " 'logged_actions', 'record_version', 'django_fsm_log_statelog') OR c.relname ~"
        " '(state_changes$|_history$|historical)')"
        " GROUP BY n.nspname, c.relname, linked.link, named.link"
        " ORDER BY linked.link IS NULL, 1, 2",
        2, params, ret);
}

static void read_table(draft *d, const bst_pg_rows *rows, size_t row, log_table *t) {
    const char *link = bst_pg_rows_text(rows, row, 2);
    char *rest = bst__draft_text(d, "%s", bst_pg_rows_text(rows, row, 3));

    *t = (log_table){.schema = bst__draft_text(d, "%s", bst_pg_rows_text(rows, row, 0)),
                     .name = bst__draft_text(d, "%s", bst_pg_rows_text(rows, row, 1)),
                     .link = link ? bst__draft_text(d, "%s", link) : NULL,
                     .columns = bst__draft_array(d, DRAFT_COLUMNS_MAX, sizeof *t->columns),
                     .is_time = bst__draft_array(d, DRAFT_COLUMNS_MAX, sizeof *t->is_time)};
    t->quoted = bst__draft_text(d, "%s.%s", bst__draft_quoted(d, "", t->schema),
                                bst__draft_quoted(d, "", t->name));
    while (*rest && t->columns && t->is_time && t->count < DRAFT_COLUMNS_MAX) {
        char *end = rest + strcspn(rest, "\x1f");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        t->is_time[t->count] = *rest == '@';
        t->columns[t->count++] = rest + (*rest == '@');
        rest = next;
    }
}

static bst_status mine(draft *d, const log_table *t, const log_kind *kind, const char *steps) {
    bst_pg_rows *rows = NULL;
    uint64_t unknown = 0, known = 0;
    const bst_status status = bst__draft_query(
        d,
        bst__draft_text(d,
                        "SELECT f, t, c, count(*) FROM (%s) x WHERE t IS NOT NULL%s"
                        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT %u",
                        steps, kind->snapshots ? " AND f IS DISTINCT FROM t" : "",
                        BST_DRAFT_PATHS_MAX),
        0, NULL, &rows);

    if (status != BST_OK)
        return status;
    for (size_t i = 0; i < bst_pg_rows_count(rows) && !d->failed; i++) {
        const char *before = bst_pg_rows_text(rows, i, 0);
        const char *command = bst_pg_rows_text(rows, i, 2);
        const uint32_t from = bst__draft_state_of(d, before);
        const uint32_t to = bst__draft_state_of(d, bst_pg_rows_text(rows, i, 1));
        const uint64_t count = bst__draft_number(rows, i, 3);
        if (to == DRAFT_NONE || (before && from == DRAFT_NONE)) {
            unknown += count;
            continue;
        }
        draft_edge *edge = bst__draft_edge(d, from, to, to, count);
        known += count;
        if (edge && command && *command && !edge->command && before)
            edge->command = bst__draft_identifier(d, command, "do");
    }
    bst_pg_rows_free(rows);
    if (unknown > known) { /* it speaks of something else */
        d->edge_count = 0;
        return BST_OK;
    }
    if (known == 0)
        return BST_OK;
    d->log = bst__draft_text(d, "%s.%s (%s)", t->schema, t->name, kind->preset);
    d->log_begins_with_steps = kind->begins_with_steps;
    bst__draft_note(d, "The transitions are those of the log %s: %llu steps.", d->log,
                    (unsigned long long)known);
    if (unknown > 0)
        bst__draft_note(d, "%llu steps of the log are between states that the table does not have.",
                        (unsigned long long)unknown);
    return BST_OK;
}

bst_status bst__draft_log(draft *d) {
    bst_pg_rows *rows = NULL;
    bst_status status = d->key_count == 1 ? candidates(d, &rows) : BST_OK;

    for (size_t k = 0; rows && k < sizeof kinds / sizeof *kinds && status == BST_OK; k++) {
        for (size_t i = 0; i < bst_pg_rows_count(rows) && status == BST_OK && !d->log; i++) {
            log_table table;
            read_table(d, rows, i, &table);
            const char *steps = d->failed ? NULL : kinds[k].steps(d, &table);
            if (steps)
                status = mine(d, &table, &kinds[k], steps);
        }
    }
    bst_pg_rows_free(rows);
    return d->failed ? bst_diag_nomem(d->diags) : status;
}
