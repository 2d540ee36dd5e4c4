/* What is stored of some entities, for the follower that goes on with their histories. */
#include <stdlib.h>
#include <string.h>

#include "journal_private.h"
#include "reader_private.h"

static bst_status need_plans(bst_journal *j, bst_diags *diags) {
    bst_strbuf condition = BST_STRBUF_INIT;
    if (j->shelf)
        return BST_OK;
    bst_strbuf_addf(&condition,
                    "machine_version_id IN (SELECT machine_version_id FROM"
                    " backstory.machine_version WHERE machine_id = %d)",
                    j->machine_id);
    const bst_status status =
        condition.failed
            ? bst_diag_nomem(diags)
            : bst__plan_shelf_load(j->pg, j->machine, condition.text, &j->shelf, diags);
    bst_strbuf_release(&condition);
    return status;
}

static bst_status visit_events(bst_journal *j, const char *condition,
                               const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_status status = need_plans(j, diags);
    if (status == BST_OK)
        status = bst__reader_pg_attach(j->pg, j->machine, j->shelf, condition, &reader, diags);
    do {
        if (status == BST_OK)
            status = bst_reader_next(reader, &event, diags);
        if (status == BST_OK && event)
            status = visitor->on_event(visitor->context, event);
    } while (status == BST_OK && event);
    bst_reader_free(reader);
    return status;
}

/* A row that a snapshot found has its values as JSON has them, which is not always their text. Key
 * by key: of a table that has grown since it was last analyzed, as it does within a transaction of
 * millions, the server would else read all of the machine, and look for each in the list. */
static void add_aside_sql(bst_journal *j, const char *keys, bst_strbuf *sql) {
    bst_strbuf_addf(sql,
                    "SELECT wanted.key, aside.image FROM unnest(%s::text[]) AS wanted (key)"
                    " CROSS JOIN LATERAL (SELECT CASE WHEN operation <> 'snapshot' AND slot = ",
                    keys);
    sql->failed = sql->failed || !bst_pg_add_literal(j->pg, j->info.slot, sql);
    bst_strbuf_addf(sql,
                    " THEN new_row END AS image FROM backstory.follow_quarantine AS q"
                    " WHERE q.released_lsn IS NULL AND q.machine_id = %d AND q.key = wanted.key"
                    " ORDER BY lsn DESC, place DESC LIMIT 1) AS aside",
                    j->machine_id);
}

static bst_status visit_quarantined(bst_journal *j, const char *keys,
                                    const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    add_aside_sql(j, keys, &sql);
    bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_query(j->pg, sql.text, 0, NULL, &rows, diags);
    const size_t count = status == BST_OK ? bst_pg_rows_count(rows) : 0;
    for (size_t i = 0; i < count && status == BST_OK; i++) {
        const char *const key = bst_pg_rows_text(rows, i, 0);
        const bst_text text = {key, strlen(key)};
        status = visitor->on_quarantined(visitor->context, &text, bst_pg_rows_text(rows, i, 1));
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status visit(bst_journal *j, const bst_strbuf *keys, const bst_strbuf *condition,
                        const bst_journal_visitor *visitor, bst_diags *diags) {
    if (keys->failed || condition->failed)
        return bst_diag_nomem(diags);
    bst_status status = bst_journal_flush(j, diags); /* what is held must be seen */
    if (status == BST_OK)
        status = bst__journal_begin(j, diags);
    if (status == BST_OK)
        status = visit_events(j, condition->text, visitor, diags);
    return status == BST_OK ? visit_quarantined(j, keys->text, visitor, diags) : status;
}

static void add_literal(bst_journal *j, const bst_text *text, bst_strbuf *out) {
    char *const copy = strndup(text->text, text->len);
    out->failed = out->failed || !copy || !bst_pg_add_literal(j->pg, copy, out);
    free(copy);
}

bst_status bst_journal_load(bst_journal *j, const bst_text *keys, size_t count,
                            const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_strbuf array = BST_STRBUF_INIT, condition = BST_STRBUF_INIT;
    if (count == 0)
        return BST_OK;
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_adds(&array, i > 0 ? "," : "ARRAY[");
        add_literal(j, &keys[i], &array);
    }
    bst_strbuf_adds(&array, "]");
    /* Seen as a constant the server would take the list for a reason to read everything. */
    bst_strbuf_addf(&condition, "machine_id = %d AND key = ANY ((SELECT %s)::text[])",
                    j->machine_id, array.text);
    const bst_status status = visit(j, &array, &condition, visitor, diags);
    bst_strbuf_release(&array);
    bst_strbuf_release(&condition);
    return status;
}
