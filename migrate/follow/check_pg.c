/* The preflight: everything that must be so on the source's side before a row is followed. All that
 * is missing is reported at once, each with what mends it, and nothing has been changed by then.
 */
#include "follow_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_VERSION_MIN 140000

typedef struct preflight {
    bst_pg *source;
    const bst_mapping *mapping;
    const bst_follow_options *options;
    const char *schema, *table;
    bst_strbuf name; /* quoted */
    bst_pg_rows *server, *relation;
    bst_diags *diags;
    bool failed;
} preflight;

static void complain(preflight *p, const char *code, const char *message, const char *hint) {
    bst_diag_add(p->diags, BST_DATABASE, BST_ERROR, code, NULL, "%s", message);
    bst_diag_hint(p->diags, "%s", hint);
    p->failed = true;
}

/* ---- the mapping */

static void check_mapping(preflight *p) {
    const bst_source_spec *const spec = &p->mapping->source;
    for (size_t i = 0; i < spec->column_count; i++) {
        if (!spec->columns[i].sql)
            continue;
        bst_diag_add(p->diags, BST_INVALID, BST_ERROR, "sql-in-mapping", NULL,
                     "column \"%s\" of the mapping is an SQL expression, and the log has no server "
                     "to ask",
                     spec->columns[i].name);
        bst_diag_hint(p->diags, "Write it as \"cel\", or make it a generated column of the table.");
        p->failed = true;
    }
    if (spec->where_sql)
        complain(p, "sql-in-mapping",
                 "the scope of the mapping is an SQL condition, and the log has no server to ask",
                 "Write it as \"where\": { \"cel\": ... }.");
}

/* ---- the server */

enum {
    SERVER_VERSION,
    SERVER_WAL_LEVEL,
    SERVER_SLOTS_FREE,
    SERVER_SENDERS_FREE,
    SERVER_MAY_REPLICATE,
    SERVER_MAY_CREATE,
    SERVER_SLOT_LIMIT,
    SERVER_HAS_SLOT,
    SERVER_SLOT_PLUGIN,
    SERVER_SLOT_WAL,
    SERVER_HAS_PUBLICATION,
    SERVER_PUBLISHES,
    SERVER_PUBLISHES_ALL
};

static bst_status ask_server(preflight *p) {
    const char *const params[] = {p->options->slot, p->schema, p->table};
    return bst_pg_query(
        p->source,
        "SELECT current_setting('server_version_num'), current_setting('wal_level'),"
        " current_setting('max_replication_slots')::int >"
        "  (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
        " current_setting('max_wal_senders')::int >"
        "  (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
        " (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles"
        "  WHERE rolname = current_user),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'),"
        " slot.slot_name IS NOT NULL,"
        " slot.plugin = 'pgoutput' AND slot.database = current_database(), slot.wal_status,"
        " pub.oid IS NOT NULL,"
        " EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = $1"
        "  AND t.schemaname = $2 AND t.tablename = $3),"
        " pub.pubinsert AND pub.pubupdate AND pub.pubdelete AND pub.pubtruncate"
        " FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_replication_slots slot"
        "  ON slot.slot_name = $1 LEFT JOIN pg_catalog.pg_publication pub ON pub.pubname = $1",
        3, params, &p->server, p->diags);
}

static bool is_true(const bst_pg_rows *rows, size_t column) {
    const char *const text = bst_pg_rows_text(rows, 0, column);
    return text && strcmp(text, "t") == 0;
}

static bool is_text(const bst_pg_rows *rows, size_t column, const char *wanted) {
    const char *const text = bst_pg_rows_text(rows, 0, column);
    return text && strcmp(text, wanted) == 0;
}

static void check_settings(preflight *p) {
    if (strtol(bst_pg_rows_text(p->server, 0, SERVER_VERSION), NULL, 10) < SERVER_VERSION_MIN)
        complain(p, "server-version", "the source is older than PostgreSQL 14",
                 "Upgrade it, or follow a newer server that it replicates to.");
    if (!is_text(p->server, SERVER_WAL_LEVEL, "logical"))
        complain(p, "wal-level", "wal_level of the source is not \"logical\"",
                 "ALTER SYSTEM SET wal_level = logical; and restart the server.");
    if (!is_true(p->server, SERVER_HAS_SLOT) && !is_true(p->server, SERVER_SLOTS_FREE))
        complain(p, "no-free-slot", "the source has no free replication slot",
                 "Drop one that nobody needs (backstory slots list), or raise "
                 "max_replication_slots and restart the server.");
    if (!is_true(p->server, SERVER_SENDERS_FREE))
        complain(p, "no-free-walsender", "the source has no free WAL sender",
                 "Raise max_wal_senders and restart the server.");
    if (!is_true(p->server, SERVER_MAY_REPLICATE))
        complain(p, "may-not-replicate", "the role may not replicate",
                 "ALTER ROLE ... REPLICATION; the server's pg_hba.conf must let it in as well.");
}

static void check_slot(preflight *p) {
    if (is_true(p->server, SERVER_HAS_SLOT) && !is_true(p->server, SERVER_SLOT_PLUGIN)) {
        complain(p, "other-slot",
                 "a slot of this name is there, and it is not one of pgoutput in this database",
                 "Give another name with --slot.");
        return;
    }
    if (is_text(p->server, SERVER_SLOT_WAL, "lost") && !p->options->snapshot_again)
        complain(p, "slot-lost",
                 "the slot is lost: the server has removed log that was not followed yet",
                 "Start again with --snapshot-again: a new slot, and every row is reconciled with "
                 "its history. A larger max_slot_wal_keep_size keeps slots longer.");
    if (is_text(p->server, SERVER_SLOT_LIMIT, "-1")) {
        bst_diag_add(p->diags, BST_OK, BST_NOTE, "slot-without-limit", NULL,
                     "max_slot_wal_keep_size is not set: if nobody follows, the slot keeps log "
                     "until the source's disk is full");
        bst_diag_hint(p->diags, "Watch it (backstory slots list), or set a limit; beyond it the "
                                "slot is lost and follow needs --snapshot-again.");
    }
}

static void check_publication(preflight *p, bool owner) {
    if (!is_true(p->server, SERVER_HAS_PUBLICATION)) {
        if (!owner || !is_true(p->server, SERVER_MAY_CREATE))
            complain(p, "may-not-publish",
                     "the role can make no publication of the table: that takes its ownership and "
                     "CREATE on the database",
                     "Let the owner say CREATE PUBLICATION <slot> FOR TABLE <table> WITH "
                     "(publish_via_partition_root = true), with the slot's name.");
        return;
    }
    if (!is_true(p->server, SERVER_PUBLISHES))
        complain(p, "other-publication",
                 "a publication of the slot's name is there, and it does not have the table",
                 "ALTER PUBLICATION ... ADD TABLE ..., or give another name with --slot.");
    if (!is_true(p->server, SERVER_PUBLISHES_ALL))
        complain(p, "other-publication",
                 "the publication leaves out insert, update, delete or truncate",
                 "ALTER PUBLICATION ... SET (publish = 'insert, update, delete, truncate').");
}

/* ---- the table */

enum { TABLE_KIND, TABLE_LOGGED, TABLE_SELECT, TABLE_OWNER, TABLE_IDENTITY, TABLE_KEY_IN_IDENTITY };

/* The identity is that of the leaves: "f" when all have all columns. The key must be in it. */
static bst_status ask_table(preflight *p) {
    bst_strbuf keys = BST_STRBUF_INIT, sql = BST_STRBUF_INIT;
    const char *const params[] = {p->name.text};
    for (size_t i = 0; i < p->mapping->source.key_count; i++) {
        bst_strbuf_adds(&keys, i ? ", " : "");
        if (!bst_pg_add_literal(p->source, p->mapping->source.key[i], &keys))
            keys.failed = true;
    }
    bst_strbuf_addf(
        &sql,
        "WITH leaf AS (SELECT l.oid, l.relreplident, l.relpersistence FROM pg_catalog.pg_class l"
        "  WHERE l.oid = to_regclass($1) AND l.relkind <> 'p' UNION ALL"
        "  SELECT l.oid, l.relreplident, l.relpersistence"
        "  FROM pg_catalog.pg_partition_tree(to_regclass($1)) t"
        "  JOIN pg_catalog.pg_class l ON l.oid = t.relid"
        "  WHERE t.isleaf AND l.oid <> to_regclass($1))"
        "SELECT c.relkind IN ('r', 'p'), NOT EXISTS (SELECT FROM leaf WHERE relpersistence <> 'p'),"
        " has_table_privilege(c.oid, 'SELECT'), pg_has_role(c.relowner, 'USAGE'),"
        " coalesce((SELECT bool_and(relreplident = 'f') FROM leaf), false),"
        " NOT EXISTS (SELECT FROM leaf, unnest(ARRAY[%s]::text[]) k"
        "  WHERE leaf.relreplident <> 'f' AND NOT EXISTS ("
        "   SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
        "    ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])"
        "   WHERE i.indrelid = leaf.oid AND a.attname = k AND CASE leaf.relreplident"
        "    WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END))"
        " FROM pg_catalog.pg_class c WHERE c.oid = to_regclass($1)",
        keys.text);
    const bst_status status =
        keys.failed || sql.failed
            ? bst_diag_nomem(p->diags)
            : bst_pg_query(p->source, sql.text, 1, params, &p->relation, p->diags);
    bst_strbuf_release(&keys);
    bst_strbuf_release(&sql);
    return status;
}

static void check_table(preflight *p) {
    if (bst_pg_rows_count(p->relation) == 0) {
        bst_diag_add(p->diags, BST_DATABASE, BST_ERROR, "unknown-table", NULL,
                     "%s has no table \"%s\"", bst_pg_label(p->source), p->mapping->source.table);
        p->failed = true;
        return;
    }
    if (!is_true(p->relation, TABLE_KIND))
        complain(p, "not-in-the-log", "a view or a foreign table has no log of its own",
                 "Let the mapping name the table behind it.");
    else if (!is_true(p->relation, TABLE_LOGGED))
        complain(p, "not-in-the-log",
                 "the table is unlogged or temporary: its changes are in no log",
                 "ALTER TABLE ... SET LOGGED.");
    if (!is_true(p->relation, TABLE_SELECT))
        complain(p, "may-not-read", "the role may not read the table",
                 "GRANT SELECT ON ... TO ...");
    if (is_true(p->relation, TABLE_KIND) && !is_true(p->relation, TABLE_KEY_IN_IDENTITY))
        complain(p, "replica-identity",
                 "the table's replica identity does not have the mapping's key: updates of a "
                 "published table fail, or cannot be told apart",
                 "ALTER TABLE ... REPLICA IDENTITY FULL, or DEFAULT with the key as primary key.");
    else if (!is_true(p->relation, TABLE_IDENTITY)) {
        bst_diag_add(p->diags, BST_OK, BST_NOTE, "no-old-images", NULL,
                     "the log has no old images of the rows: quarantine and the report on races "
                     "can tell less");
        bst_diag_hint(p->diags, "ALTER TABLE ... REPLICA IDENTITY FULL gives them, for about a "
                                "fifth more log.");
    }
    check_publication(p, is_true(p->relation, TABLE_OWNER));
}

static bst_status name_table(preflight *p, char **ret_schema) {
    const char *const name = p->mapping->source.table;
    const char *const dot = strchr(name, '.');
    *ret_schema = dot ? strndup(name, (size_t)(dot - name)) : strdup("public");
    if (!*ret_schema)
        return bst_diag_nomem(p->diags);
    p->schema = *ret_schema;
    p->table = dot ? dot + 1 : name;
    const bool quoted = bst_pg_add_identifier(p->source, p->schema, &p->name);
    bst_strbuf_addc(&p->name, '.');
    return quoted && bst_pg_add_identifier(p->source, p->table, &p->name)
               ? BST_OK
               : bst_diag_nomem(p->diags);
}

bst_status bst__follow_preflight(bst_pg *source, const bst_mapping *mapping,
                                 const bst_follow_options *options, bst_diags *diags) {
    preflight p = {.source = source, .mapping = mapping, .options = options, .diags = diags};
    char *schema = NULL;
    bst_strbuf_init(&p.name);
    bst_status status = name_table(&p, &schema);
    if (status == BST_OK)
        status = ask_server(&p);
    if (status == BST_OK)
        status = ask_table(&p);
    if (status == BST_OK) {
        check_mapping(&p);
        check_settings(&p);
        check_slot(&p);
        check_table(&p);
        status = p.failed ? BST_DATABASE : BST_OK;
    }
    bst_pg_rows_free(p.server);
    bst_pg_rows_free(p.relation);
    bst_strbuf_release(&p.name);
    free(schema);
    return status;
}
