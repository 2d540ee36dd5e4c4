/* Rows of a store's quarantine that have no history yet: what was put aside and has got one since,
 * by a retry or by a follower, is left out without anybody having to tick it off. Of a row that was
 * tried again in vain the last reason counts; a follower has its own. */
#include "backstory/loads.h"

#include "copy_row_private.h"
#include "pg_store_private.h"

enum { ASIDE_MACHINE, ASIDE_KEY, ASIDE_CODE, ASIDE_LINE, ASIDE_COLUMNS };

static void add_equal(bst_pg *pg, const char *column, const char *text, bst_strbuf *sql) {
    if (!text)
        return;
    bst_strbuf_addf(sql, " AND %s = ", column);
    if (!bst_pg_add_literal(pg, text, sql))
        sql->failed = true;
}

static void add_sql(bst_pg *pg, const char *machine, const char *key, bst_strbuf *sql) {
    bst_strbuf_adds(
        sql,
        "COPY (WITH q AS (SELECT q.*, o.machine_id FROM backstory.quarantine q JOIN"
        "  (SELECT run_id, machine_id FROM backstory.load UNION SELECT run_id, machine_id"
        "   FROM backstory.run JOIN backstory.machine_version USING (machine_version_id)) o"
        "  USING (run_id))"
        " SELECT m.name, q.key, q.code, q.line FROM q JOIN backstory.machine m USING (machine_id)"
        " WHERE NOT EXISTS (SELECT FROM backstory.segment s"
        "  WHERE s.machine_id = q.machine_id AND s.key = q.key)"
        " AND NOT EXISTS (SELECT FROM q later WHERE later.machine_id = q.machine_id"
        "  AND later.key = q.key AND later.run_id > q.run_id)"
        " AND NOT EXISTS (SELECT FROM backstory.follow_quarantine f"
        "  WHERE f.machine_id = q.machine_id AND f.key = q.key)");
    add_equal(pg, "m.name", machine, sql);
    add_equal(pg, "q.key", key, sql);
    bst_strbuf_adds(sql, " ORDER BY q.run_id, q.chunk, q.number) TO STDOUT (FORMAT binary)");
}

/* The line is as in the file of quarantined rows, of the change as it came. */
static void add_follow_sql(bst_pg *pg, const char *machine, const char *key, bst_strbuf *sql) {
    bst_strbuf_adds(sql,
                    "COPY (SELECT m.name, f.key, f.reason, jsonb_build_object('key', f.key,"
                    " 'code', f.reason, 'reason', f.message,"
                    " 'row', coalesce(f.new_row, f.old_row, '{}'))::text"
                    " FROM backstory.follow_quarantine f"
                    " JOIN backstory.machine m USING (machine_id) WHERE f.released_lsn IS NULL");
    add_equal(pg, "m.name", machine, sql);
    add_equal(pg, "f.key", key, sql);
    bst_strbuf_adds(sql, " ORDER BY f.lsn, f.place, f.key) TO STDOUT (FORMAT binary)");
}

/* Fields of a row are not terminated: the short ones are copied. */
static bst_status hand_over(const bst__copy_field *row,
                            bst_status (*visit)(void *context, const bst_aside *aside),
                            void *context, bst_strbuf *texts, bst_diags *diags) {
    bst_strbuf_clear(texts);
    bst_strbuf_add(texts, row[ASIDE_MACHINE].bytes, row[ASIDE_MACHINE].len);
    bst_strbuf_addc(texts, '\0');
    const size_t code_at = texts->len;
    bst_strbuf_add(texts, row[ASIDE_CODE].bytes, row[ASIDE_CODE].len);
    if (texts->failed)
        return bst_diag_nomem(diags);
    const bst_aside aside = {.machine = texts->text,
                             .key = row[ASIDE_KEY].bytes,
                             .key_len = row[ASIDE_KEY].len,
                             .code = texts->text + code_at,
                             .line = row[ASIDE_LINE].bytes,
                             .line_len = row[ASIDE_LINE].len};
    return visit(context, &aside);
}

static bst_status read_rows(bst_pg *pg, const char *sql,
                            bst_status (*visit)(void *context, const bst_aside *aside),
                            void *context, bst_diags *diags) {
    bst__copy_reader reader;
    bst_strbuf texts = BST_STRBUF_INIT;
    bool row = true;
    bst_status status = bst__copy_reader_start(&reader, pg, sql, ASIDE_COLUMNS, diags);
    while (status == BST_OK) {
        status = bst__copy_reader_next(&reader, &row, diags);
        if (status != BST_OK || !row)
            break;
        status = hand_over(reader.fields, visit, context, &texts, diags);
    }
    bst_strbuf_release(&texts);
    return status;
}

static bst_status
visit_rows(const char *store, const char *machine, const char *key, const char *moment,
           void (*add)(bst_pg *pg, const char *machine, const char *key, bst_strbuf *sql),
           bst_status (*visit)(void *context, const bst_aside *aside), void *context,
           bst_diags *diags) {
    bst_pg *pg = NULL;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_status status = bst__store_open_at(store, moment, &pg, diags);
    if (status == BST_OK) {
        add(pg, machine, key, &sql);
        status =
            sql.failed ? bst_diag_nomem(diags) : read_rows(pg, sql.text, visit, context, diags);
    }
    bst_strbuf_release(&sql);
    bst_pg_free(pg);
    return status;
}

bst_status bst_store_aside(const char *store, const char *machine, const char *key,
                           const char *moment,
                           bst_status (*visit)(void *context, const bst_aside *aside),
                           void *context, bst_diags *diags) {
    return visit_rows(store, machine, key, moment, add_sql, visit, context, diags);
}

bst_status bst_follow_aside(const char *store, const char *machine, const char *key,
                            const char *moment,
                            bst_status (*visit)(void *context, const bst_aside *aside),
                            void *context, bst_diags *diags) {
    return visit_rows(store, machine, key, moment, add_follow_sql, visit, context, diags);
}
