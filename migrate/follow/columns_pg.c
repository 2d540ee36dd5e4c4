/* Are the columns still those that the histories were made of?
 *
 * A table can get other values without a change of a row, and then the log has nothing of it:
 *
 *     a column is dropped and another one takes its name    the number of the column is another
 *     ALTER ... TYPE ... USING                              its description was written again, and
 *                                                           the table lies in another file
 *     ALTER TYPE ... RENAME VALUE                           the enum's label is another
 *
 * Of the second neither half alone says anything: SET NOT NULL writes the description again, VACUUM
 * FULL the table. So what the catalog said when all was well is kept with the follower's place, and
 * held against what it says now: at the start, each second, and whenever the log describes the
 * table anew. Changes before the last place of the log at which all was well are of the old
 * columns, whenever they are followed.
 *
 * Of a table with partitions one of them stands for all: what alters the table alters each.
 */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

#include "source/source_pg_private.h"

struct bst__columns {
    bst_pg *source;
    const bst_mapping *mapping;
    bst_strbuf names; /* of those that the mapping reads: a JSON array */
    bst_strbuf kept;  /* what the catalog said; empty: nothing is known */
    bst_strbuf why;   /* in what it says otherwise by now; empty: in nothing */
    uint64_t same_until;
    bool to_store; /* `kept` is not in the store yet */
};

/* $1 schema, $2 table, $3 the names, $4 what was kept, or NULL */
static const char ask_sql[] =
    "WITH whole AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
    "  ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2),"
    " leaf AS (SELECT l.oid, l.relfilenode FROM whole JOIN pg_catalog.pg_class l"
    "  ON l.oid = whole.oid OR l.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(whole.oid))"
    "  WHERE l.relkind = 'r' ORDER BY l.oid LIMIT 1),"
    " columns AS (SELECT a.attname, jsonb_build_object('number', a.attnum, 'type',"
    "   pg_catalog.format_type(a.atttypid, a.atttypmod), 'by', a.xmin::text, 'labels',"
    "   (SELECT jsonb_object_agg(e.oid::text, e.enumlabel) FROM pg_catalog.pg_enum e"
    "    WHERE e.enumtypid = a.atttypid)) AS said"
    "  FROM whole JOIN pg_catalog.pg_attribute a ON a.attrelid = whole.oid"
    "  WHERE NOT a.attisdropped AND $3::jsonb ? a.attname::text),"
    " now AS (SELECT jsonb_build_object('table', (SELECT oid FROM whole)::text, 'file',"
    "  (SELECT concat_ws(' ', oid, relfilenode) FROM leaf), 'columns',"
    "  (SELECT jsonb_object_agg(attname, said) FROM columns)) AS said),"
    " moved AS (SELECT ($4::jsonb) ->> 'file' IS DISTINCT FROM said ->> 'file' AS it FROM now),"
    " other AS (SELECT attname, CASE"
    "   WHEN was ->> 'number' <> said ->> 'number' THEN 'is another one than before: it was"
    " dropped and added again, or has another''s name'"
    "   WHEN moved.it AND was ->> 'by' <> said ->> 'by' THEN 'was altered ('"
    "    || CASE WHEN was ->> 'type' = said ->> 'type' THEN '' ELSE (was ->> 'type') || ' before, '"
    "    END || (said ->> 'type') || ' now), and the table has been rewritten since'"
    "   WHEN EXISTS (SELECT FROM jsonb_each_text(nullif(was -> 'labels', 'null')) AS l"
    "    WHERE said -> 'labels' ->> l.key <> l.value)"
    "    THEN 'has labels that were renamed' END AS how"
    "  FROM moved CROSS JOIN columns CROSS JOIN LATERAL"
    "   (SELECT ($4::jsonb) -> 'columns' -> attname::text AS was) AS before)"
    " SELECT said::text, CASE WHEN ($4::jsonb) ->> 'table' <> said ->> 'table'"
    "  THEN 'it is another table than before, of the same name'"
    "  ELSE (SELECT 'column \"' || attname || '\" ' || how FROM other WHERE how IS NOT NULL"
    "   ORDER BY attname LIMIT 1) END FROM now WHERE EXISTS (SELECT FROM whole)";

static void add_names(const bst_source_spec *spec, bst_strbuf *out) {
    for (size_t i = 0; i < spec->key_count + spec->column_count; i++) {
        const char *const name =
            i < spec->key_count ? spec->key[i] : spec->columns[i - spec->key_count].name;
        bst_strbuf_addc(out, i == 0 ? '[' : ',');
        bst_strbuf_add_json(out, name, strlen(name));
    }
    bst_strbuf_addc(out, ']');
}

bst__columns *bst__columns_new(bst_pg *source, const bst_mapping *mapping, const char *kept) {
    bst__columns *const c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->source = source;
    c->mapping = mapping;
    bst_strbuf_init(&c->names);
    bst_strbuf_init(&c->kept);
    bst_strbuf_init(&c->why);
    add_names(&mapping->source, &c->names);
    bst_strbuf_adds(&c->kept, kept ? kept : "");
    return c->names.failed || c->kept.failed ? bst__columns_free(c) : c;
}

bst__columns *bst__columns_free(bst__columns *c) {
    if (c) {
        bst_strbuf_release(&c->names);
        bst_strbuf_release(&c->kept);
        bst_strbuf_release(&c->why);
        free(c);
    }
    return NULL;
}

/* What it says becomes what is known, unless it says something else than before. */
static bst_status take(bst__columns *c, const bst_pg_rows *rows, bst_diags *diags) {
    const char *const why = bst_pg_rows_text(rows, 0, 1);
    const char *const said = bst_pg_rows_text(rows, 0, 0);
    if (why) {
        bst_strbuf_adds(&c->why, why);
    } else if (strcmp(said, c->kept.text) != 0) {
        bst_strbuf_clear(&c->kept);
        bst_strbuf_adds(&c->kept, said);
        c->to_store = true;
    }
    return c->why.failed || c->kept.failed ? bst_diag_nomem(diags) : BST_OK;
}

/* A table that is not there, as after a new name, is for others to tell. */
static bst_status ask(bst__columns *c, bst_diags *diags) {
    const char *const name = c->mapping->source.table, *const dot = strchr(name, '.');
    char *const schema = dot ? strndup(name, (size_t)(dot - name)) : strdup("public");
    const char *const params[] = {schema, dot ? dot + 1 : name, c->names.text,
                                  c->kept.len > 0 ? c->kept.text : NULL};
    bst_pg_rows *rows = NULL;
    bst_strbuf_clear(&c->why);
    bst_status status =
        schema ? bst_pg_query(c->source, ask_sql, 4, params, &rows, diags) : bst_diag_nomem(diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == 1)
        status = take(c, rows, diags);
    bst_pg_rows_free(rows);
    free(schema);
    return status;
}

bst_status bst__columns_at(bst__columns *c, const char *snapshot, bst_diags *diags) {
    bst_strbuf_clear(&c->kept);
    bst_status status = bst__pg_begin(c->source, snapshot, diags);
    if (status == BST_OK)
        status = ask(c, diags);
    /* Also when it has failed: there is more to be asked. */
    const bst_status ended = bst_pg_exec(c->source, "ROLLBACK", status == BST_OK ? diags : NULL);
    return status == BST_OK ? ended : status;
}

/* The place comes first: what alters the columns after it holds the table until it has been
 * committed, so that no row changes meanwhile. */
bst_status bst__columns_look(bst__columns *c, bool *ret_same, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    uint64_t lsn = 0;
    bst_status status = bst_pg_query(c->source, "SELECT pg_catalog.pg_current_wal_insert_lsn()", 0,
                                     NULL, &rows, diags);
    if (status == BST_OK)
        (void)bst_lsn_parse(bst_pg_rows_text(rows, 0, 0), &lsn);
    bst_pg_rows_free(rows);
    if (status == BST_OK)
        status = ask(c, diags);
    *ret_same = c->why.len == 0;
    if (status == BST_OK && *ret_same)
        c->same_until = lsn;
    return status;
}

uint64_t bst__columns_same_until(const bst__columns *c) {
    return c->same_until;
}

const char *bst__columns_to_store(bst__columns *c) {
    const bool wanted = c->to_store;
    c->to_store = false;
    return wanted ? c->kept.text : NULL;
}

bst_status bst__columns_report(const bst__columns *c, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "columns-changed", NULL,
                 "%s: %s. Its rows may have other values than the changes in the log have told",
                 c->mapping->source.table, c->why.text);
    bst_diag_hint(diags,
                  "What was followed before is in the store. Look whether the mapping fits the "
                  "values of now (units, codes), mend it if not, and go on with --snapshot-again: "
                  "every row is reconciled with its history.");
    return BST_INVALID;
}
