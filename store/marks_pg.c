/* Marks of chunks of keys by the transactions that wrote their rows (see marks.h).
 *
 * A transaction number has 32 bits in a row and goes round; age() counts back from now. So the look
 * before must not be too long ago, and a version that is older than half a round counts as new:
 * read once too often, never once too seldom. The oldest transaction that was running then is the
 * bound: what it wrote was not seen. Freezing leaves the number where it is.
 *
 * What would change a value without writing its row is part of the stamp: another table or column,
 * labels of enums; and what would make numbers come again: another server, a restore, a crash. Of a
 * crash of one session the server recovers without being started: commits that did not wait for the
 * disk are gone, and so are the processes of its own that ran beside, all of which it starts anew.
 */
#include <stdlib.h>
#include <string.h>

#include "pg_store_private.h"

#define AGE_MAX UINT64_C(1500000000)

static bst_status may_stamp(bst_pg *pg, bool *ret, bst_diags *diags) {
    return bst__pg_truth(
        pg,
        "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"
        " AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')"
        " AND NOT pg_catalog.pg_is_in_recovery()",
        0, NULL, ret, diags);
}

bst_status bst_pg_stamp(bst_pg *pg, const char *table, bst_arena *arena, const char **ret,
                        bst_diags *diags) {
    const char *const params[] = {table};
    bool may = false;
    char *text = NULL;
    bst_status status = may_stamp(pg, &may, diags);
    *ret = NULL;
    if (status != BST_OK || !may)
        return status;
    status = bst__pg_value(
        pg,
        "SELECT pg_snapshot_xmin(s)::text || ' ' || pg_snapshot_xmax(s)::text || ' ' ||"
        " jsonb_build_object('server', system_identifier, 'timeline', timeline_id,"
        " 'started', pg_postmaster_start_time(), 'processes',"
        /* whoever may not see what each of them is sees them all */
        " (SELECT jsonb_agg(pid ORDER BY pid) FROM pg_catalog.pg_stat_activity"
        "  WHERE datid IS NULL AND usesysid IS NULL AND coalesce(backend_type, 'checkpointer')"
        "   = 'checkpointer'), 'database', current_database(), 'table', c.oid,"
        " 'columns', (SELECT jsonb_agg(jsonb_build_array(attnum, attname, atttypid, atttypmod)"
        "   ORDER BY attnum) FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0"
        "   AND NOT attisdropped),"
        " 'parts', (SELECT array_agg(relid::pg_catalog.oid ORDER BY relid)"
        "   FROM pg_catalog.pg_partition_tree(c.oid)),"
        " 'labels', (SELECT md5(string_agg(oid || enumlabel, ' ' ORDER BY oid))"
        "   FROM pg_catalog.pg_enum))"
        " FROM pg_catalog.pg_class c, pg_catalog.pg_current_snapshot() s,"
        " pg_catalog.pg_control_system(), pg_catalog.pg_control_checkpoint()"
        " WHERE c.oid = $1::pg_catalog.regclass AND CASE WHEN c.relkind = 'p'"
        "  THEN NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid)"
        "   JOIN pg_catalog.pg_class leaf ON leaf.oid = relid WHERE leaf.relkind NOT IN ('r', 'p'))"
        "  ELSE c.relkind IN ('r', 'm') AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits"
        "   WHERE inhparent = c.oid) END",
        1, params, &text, diags);
    if (status == BST_OK && text && !(*ret = bst_arena_strdup(arena, text)))
        status = bst_diag_nomem(diags);
    free(text);
    return status;
}

static bool parse(const char *stamp, uint64_t *ret_xmin, uint64_t *ret_xmax,
                  const char **ret_rest) {
    char *end = NULL;
    *ret_xmin = strtoull(stamp, &end, 10);
    if (end == stamp || *end != ' ')
        return false;
    const char *const second = end + 1;
    *ret_xmax = strtoull(second, &end, 10);
    *ret_rest = end;
    return end != second && *end == ' ';
}

/* The bound of the look before, when its numbers still mean the same; else false. */
static bool bound_of(const char *before, const char *now, uint64_t *ret) {
    uint64_t before_xmax, now_xmin, now_xmax;
    const char *before_rest, *now_rest;
    return before && parse(before, ret, &before_xmax, &before_rest) &&
           parse(now, &now_xmin, &now_xmax, &now_rest) && strcmp(before_rest, now_rest) == 0 &&
           now_xmax >= before_xmax && *ret <= now_xmax && now_xmax - *ret < AGE_MAX;
}

/* Whether a row `t` was written since. */
static void add_written(const char *before, const char *now, bst_strbuf *sql) {
    uint64_t bound;
    if (bound_of(before, now, &bound))
        bst_strbuf_addf(sql,
                        "pg_catalog.age(t.xmin) <= (SELECT pg_catalog.age("
                        "'%lu'::pg_catalog.xid))",
                        (unsigned long)(uint32_t)bound);
    else
        bst_strbuf_adds(sql, "true");
}

static uint64_t count_all(const bst_marks *marks, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i <= count; i++)
        sum += marks->marks[i] ? strtoull(marks->marks[i], NULL, 10) : 0;
    return sum;
}

/* Where nothing at all was written the chunks need not be told apart, which costs most. */
static bst_status is_untouched(bst_pg *pg, const bst_pg_chunks *chunks, const bst_marks *before,
                               const char *now, bool *ret, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    uint64_t bound;
    *ret = false;
    if (!before->stamp || !bound_of(before->stamp, now, &bound))
        return BST_OK;
    bst_strbuf_addf(&sql, "SELECT count(%s), coalesce(bool_or(", chunks->key);
    add_written(before->stamp, now, &sql);
    bst_strbuf_addf(&sql, "), false) FROM %s", chunks->from);
    const bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_query(pg, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK)
        *ret = strcmp(bst_pg_rows_text(rows, 0, 1), "f") == 0 &&
               strtoull(bst_pg_rows_text(rows, 0, 0), NULL, 10) ==
                   count_all(before, chunks->bound_count);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status take(const bst_pg_rows *rows, size_t count, bst_arena *arena, bst_marks *ret,
                       bst_diags *diags) {
    for (size_t i = 0; i < bst_pg_rows_count(rows); i++) {
        const char *const chunk = bst_pg_rows_text(rows, i, 0);
        const size_t number = chunk ? strtoul(chunk, NULL, 10) : SIZE_MAX; /* rows without a key */
        if (number > count)
            continue;
        ret->marks[number] = bst_arena_strdup(arena, bst_pg_rows_text(rows, i, 1));
        ret->written[number] = strcmp(bst_pg_rows_text(rows, i, 2), "t") == 0;
        if (!ret->marks[number])
            return bst_diag_nomem(diags);
    }
    return BST_OK;
}

bst_status bst_pg_marks(bst_pg *pg, const bst_pg_chunks *chunks, const bst_marks *before,
                        bst_arena *arena, bst_marks *ret, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bool untouched = false;
    bst_status status = is_untouched(pg, chunks, before, ret->stamp, &untouched, diags);
    if (status != BST_OK || untouched) {
        for (size_t i = 0; i <= chunks->bound_count && status == BST_OK; i++)
            ret->marks[i] = before->marks[i];
        return status;
    }
    bst_strbuf_adds(&sql, "SELECT chunk, count(*), bool_or(written) FROM (SELECT ");
    bst_pg_add_key_chunk(pg, chunks->bounds, chunks->bound_count, chunks->key, &sql);
    bst_strbuf_adds(&sql, " AS chunk, ");
    add_written(before->stamp, ret->stamp, &sql);
    bst_strbuf_addf(&sql, " AS written FROM %s) x GROUP BY chunk", chunks->from);
    status = sql.failed ? bst_diag_nomem(diags) : bst_pg_query(pg, sql.text, 0, NULL, &rows, diags);
    bst_strbuf_release(&sql);
    if (status == BST_OK)
        status = take(rows, chunks->bound_count, arena, ret, diags);
    bst_pg_rows_free(rows);
    return status;
}
