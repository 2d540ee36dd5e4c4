/* The SQL emitter: one file on top of the event store, for PostgreSQL 14 and later.
 *
 * A schema named after the machine, with views and functions only: what there is (catalogue), its
 * events with typed columns, checks of payloads, the fold with its read model, and the guards. See
 * docs/generated-sql.md for what users are told. The store is known by the names of its views and
 * tables alone (docs/store.md).
 */
#include "emit_sql_private.h"

static void add_head(const bst__sql *sql, bst_strbuf *out) {
    bst_strbuf_adds(out, "-- ");
    bst__emit_notice(sql->machine, out);
    bst_strbuf_adds(out, "\n-- This file belongs to whoever generated it, under any terms.\n--\n");
    if (sql->machine->description) {
        bst__sql_comment(sql->machine->description, out);
        bst_strbuf_adds(out, "--\n");
    }
    bst_strbuf_addf(out,
                    "-- Views and functions over the event store (schema backstory); they hold no "
                    "data. To load them:\n"
                    "--     psql -v ON_ERROR_STOP=1 -1 -f %s.sql\n"
                    "-- To replace or remove them: DROP SCHEMA %s CASCADE\n"
                    "CREATE SCHEMA %s;\n\n",
                    sql->machine->id, sql->schema, sql->schema);
}

static void add_body(bst__sql *sql, const bst_legacy_table *legacy, bst_strbuf *out) {
    bst__sql_add_catalogue(sql, out);
    bst__sql_add_former(sql, out);
    bst__sql_add_upcast(sql, out);
    bst__sql_add_events(sql, out);
    bst__sql_add_checks(sql, out);
    bst__sql_add_fold(sql, out);
    bst__sql_add_guards(sql, out);
    if (legacy) {
        bst__sql_add_legacy(sql, legacy, out);
    }
    while (out->len > 1 && out->text[out->len - 2] == '\n') { /* no empty line at the end */
        out->text[--out->len] = '\0';
    }
}

bst_status bst__emit_sql(const bst_machine *machine, const bst_emit_options *options,
                         bst_emit_files *files, bst_diags *diags) {
    bst__sql sql = {.machine = machine, .arena = bst_arena_new()};
    bst_strbuf *out = &files->file[0].text;
    bst_strbuf body = BST_STRBUF_INIT;
    if (!sql.arena) {
        return bst_diag_nomem(diags);
    }
    bst__sql_name_all(&sql, options);
    if (!sql.failed) {
        add_body(&sql, options->legacy, &body);
        add_head(&sql, out);
        bst__sql_add_helpers(sql.helpers, sql.schema, out);
        bst_strbuf_add(out, body.text, body.len);
    }
    const bool failed = sql.failed || body.failed;
    bst_strbuf_release(&body);
    bst_arena_free(sql.arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
