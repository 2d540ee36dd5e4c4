/* The preflight: everything that following needs, asked before anything is made, and each thing
 * that is missing told with what mends it.
 */
#include "check_private.h"

#include <stdlib.h>
#include <string.h>

#define SERVER_VERSION_MIN 140000

/* ---- the mapping */

/* The log of the source is the only one to ask, and it evaluates nothing. */
static void refuse_sql(bst__preflight *p, const char *what, const char *sql, const char *hint) {
    bst_diag_add(p->diags, BST_INVALID, BST_ERROR, "sql-in-mapping", NULL,
                 "%s of the mapping is SQL, which takes a server that has the row: %s", what, sql);
    bst_diag_hint(p->diags, "%s", hint);
    p->failed = true;
}

static void check_mapping(bst__preflight *p) {
    const bst_mapping *const mapping = p->mapping;
    for (size_t i = 0; i < mapping->source.column_count; i++) {
        if (!mapping->source.columns[i].sql)
            continue;
        if (mapping->log && mapping->log->evidence && i == mapping->log->cell)
            refuse_sql(
                p, "\"log\"", mapping->log->source.table,
                "Bring the histories in with backstory migrate and this mapping first; then "
                "follow with one that has no \"log\": its first snapshot goes on from there.");
        else
            refuse_sql(p, "a column", mapping->source.columns[i].sql,
                       "Where it reads this row alone write it as \"cel\"; codes of another table "
                       "belong into \"values\". What is left must be a column of the table, that a "
                       "trigger keeps.");
    }
    if (mapping->source.where_sql)
        refuse_sql(p, "\"where\"", mapping->source.where_sql,
                   "Write it as \"where\": { \"cel\": ... }.");
}

/* ---- the server */

enum {
    SERVER_VERSION,
    SERVER_STANDBY,
    SERVER_WAL_LEVEL,
    SERVER_SLOTS,
    SERVER_SLOTS_FREE,
    SERVER_SENDERS,
    SERVER_SENDERS_FREE,
    SERVER_MAY_REPLICATE,
    SERVER_MAY_CREATE,
    SERVER_SLOT_LIMIT,
    SERVER_HAS_SLOT,
    SERVER_SLOT_PLUGIN,
    SERVER_SLOT_WAL,
    SERVER_HAS_PUBLICATION,
    SERVER_PUBLISHES,
    SERVER_PUBLISHES_ALL,
    SERVER_PUBLISHES_PART,
    SERVER_PUBLISHES_ROOT,
    SERVER_ROLE
};

static bst_status ask_server(bst__preflight *p) {
    const char *const params[] = {p->options->slot, p->schema, p->table};
    return bst_pg_query(
        p->source,
        "SELECT current_setting('server_version_num'), pg_catalog.pg_is_in_recovery(),"
        " current_setting('wal_level'), current_setting('max_replication_slots')::int,"
        " current_setting('max_replication_slots')::int"
        "  - (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
        " current_setting('max_wal_senders')::int, current_setting('max_wal_senders')::int"
        "  - (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
        " (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles"
        "  WHERE rolname = current_user),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'),"
        " slot.slot_name IS NOT NULL,"
        " slot.plugin = 'pgoutput' AND slot.database = current_database(), slot.wal_status,"
        " pub.oid IS NOT NULL,"
        /* itself, or its partitions */
        " EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = $1"
        "  AND (t.schemaname = $2 AND t.tablename = $3 OR (t.schemaname, t.tablename) IN"
        "   (SELECT ln.nspname, l.relname FROM pg_catalog.pg_class c"
        "    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        "    CROSS JOIN pg_catalog.pg_partition_tree(c.oid) part"
        "    JOIN pg_catalog.pg_class l ON l.oid = part.relid"
        "    JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace"
        "    WHERE n.nspname = $2 AND c.relname = $3))),"
        " pub.pubinsert AND pub.pubupdate AND pub.pubdelete AND pub.pubtruncate,"
        /* row filters and lists of columns, which servers before 15 have not */
        " EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class c"
        "  ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE r.prpubid = pub.oid AND n.nspname = $2 AND c.relname = $3"
        "  AND (to_jsonb(r)->>'prqual' IS NOT NULL OR to_jsonb(r)->>'prattrs' IS NOT NULL)),"
        " pub.pubviaroot OR NOT EXISTS (SELECT FROM pg_catalog.pg_class c"
        "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = $2 AND c.relname = $3 AND c.relkind = 'p'),"
        " quote_ident(current_user)"
        " FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_replication_slots slot"
        "  ON slot.slot_name = $1 LEFT JOIN pg_catalog.pg_publication pub ON pub.pubname = $1",
        3, params, &p->server, p->diags);
}

static bool is_true(const bst__preflight *p, size_t column) {
    return bst__answer_is(p->server, column, "t");
}

static long number(const bst__preflight *p, size_t column) {
    return strtol(bst_pg_rows_text(p->server, 0, column), NULL, 10);
}

/* A beginning has a temporary slot, and then a second one beside it. */
static void check_room(bst__preflight *p) {
    const long wanted = !p->begins ? 0 : is_true(p, SERVER_HAS_SLOT) ? 1 : 2;
    const long missing = wanted - number(p, SERVER_SLOTS_FREE);
    if (missing > 0)
        bst__complain(p, "no-free-slot",
                      wanted == 2 ? "a beginning needs two free replication slots, one of them for "
                                    "its first snapshot only; the source has not so many"
                                  : "the source has no free replication slot for the snapshot",
                      "ALTER SYSTEM SET max_replication_slots = %ld; and restart the server. Or "
                      "drop a slot that nobody needs: backstory slots list.",
                      number(p, SERVER_SLOTS) + missing);
    if (number(p, SERVER_SENDERS_FREE) < 1)
        bst__complain(p, "no-free-walsender", "the source has no free WAL sender",
                      "ALTER SYSTEM SET max_wal_senders = %ld; and restart the server.",
                      number(p, SERVER_SENDERS) + 2);
}

static void check_settings(bst__preflight *p) {
    if (number(p, SERVER_VERSION) < SERVER_VERSION_MIN)
        bst__complain(p, "server-version", "the source is older than PostgreSQL 14",
                      "Upgrade it, or follow a newer server that it replicates to.");
    if (is_true(p, SERVER_STANDBY))
        bst__complain(p, "standby", "the source is a standby, where no publication can be made",
                      "Follow its primary.");
    if (!bst__answer_is(p->server, SERVER_WAL_LEVEL, "logical"))
        bst__complain(p, "wal-level", "wal_level of the source is not \"logical\"",
                      "ALTER SYSTEM SET wal_level = logical; and restart the server.");
    check_room(p);
    if (!is_true(p, SERVER_MAY_REPLICATE))
        bst__complain(p, "may-not-replicate", "the role may not replicate",
                      "ALTER ROLE %s REPLICATION;", p->role.text);
}

/* What only trying tells: a pooler in between, mostly. */
static void check_connection(bst__preflight *p) {
    bst_pg_stream *stream = NULL;
    if (!is_true(p, SERVER_MAY_REPLICATE) || number(p, SERVER_SENDERS_FREE) < 1)
        return;
    if (bst_pg_stream_open(p->options->from, &stream, p->diags) != BST_OK) {
        bst_diag_hint(
            p->diags,
            "Following takes a session that replicates beside the ordinary ones. A pooler "
            "(PgBouncer) does not pass it on: name the server itself.");
        p->failed = true;
    }
    bst_pg_stream_free(stream);
}

static void check_slot(bst__preflight *p) {
    if (is_true(p, SERVER_HAS_SLOT) && !is_true(p, SERVER_SLOT_PLUGIN)) {
        bst__complain(
            p, "other-slot",
            "a slot of this name is there, and it is not one of pgoutput in this database",
            "Give another name with --slot.");
        return;
    }
    if (bst__answer_is(p->server, SERVER_SLOT_WAL, "lost") && !p->options->snapshot_again)
        bst__complain(p, "slot-lost",
                      "the slot is lost: the server has removed log that was not followed yet",
                      "Start again with --snapshot-again: a new slot, and every row is reconciled "
                      "with its history. A larger max_slot_wal_keep_size keeps slots longer.");
    if (bst__answer_is(p->server, SERVER_SLOT_LIMIT, "-1")) {
        bst_diag_add(p->diags, BST_OK, BST_NOTE, "slot-without-limit", NULL,
                     "max_slot_wal_keep_size is not set: if nobody follows, the slot keeps log "
                     "until the source's disk is full");
        bst_diag_hint(p->diags, "Watch it (backstory slots list), or set a limit; beyond it the "
                                "slot is lost and follow needs --snapshot-again.");
    }
}

/* ---- the publication */

static void check_publication(bst__preflight *p, bool owner) {
    const char *const slot = p->slot.text, *const name = p->name.text;
    if (!is_true(p, SERVER_HAS_PUBLICATION)) {
        if (!owner || !is_true(p, SERVER_MAY_CREATE))
            bst__complain(p, "may-not-publish",
                          "the role can make no publication of the table: that takes its ownership "
                          "and CREATE on the database",
                          "CREATE PUBLICATION %s FOR TABLE %s%s%s WITH (publish_via_partition_root "
                          "= true); is for the table's owner to say.",
                          slot, name, p->options->ledger ? ", " : "",
                          p->options->ledger ? p->options->ledger->table : "");
        return;
    }
    if (!is_true(p, SERVER_PUBLISHES))
        bst__complain(p, "other-publication",
                      "a publication of the slot's name is there, and it does not have the table",
                      "ALTER PUBLICATION %s ADD TABLE %s; or give another name with --slot.", slot,
                      name);
    if (!is_true(p, SERVER_PUBLISHES_ALL))
        bst__complain(
            p, "other-publication", "the publication leaves out insert, update, delete or truncate",
            "ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate');", slot);
    if (is_true(p, SERVER_PUBLISHES_PART))
        bst__complain(p, "other-publication",
                      "the publication has only some rows or columns of the table",
                      "ALTER PUBLICATION %s DROP TABLE %s; ALTER PUBLICATION %s ADD TABLE %s;",
                      slot, name, slot, name);
    if (!is_true(p, SERVER_PUBLISHES_ROOT))
        bst__complain(p, "other-publication",
                      "the publication tells of changes under the names of the partitions",
                      "ALTER PUBLICATION %s SET (publish_via_partition_root = true);", slot);
}

/* ---- all of it */

static bst_status name_all(bst__preflight *p, char **ret_schema) {
    const char *const name = p->mapping->source.table;
    const char *const dot = strchr(name, '.');
    *ret_schema = dot ? strndup(name, (size_t)(dot - name)) : strdup("public");
    if (!*ret_schema)
        return bst_diag_nomem(p->diags);
    p->schema = *ret_schema;
    p->table = dot ? dot + 1 : name;
    bool quoted = bst_pg_add_identifier(p->source, p->schema, &p->name);
    bst_strbuf_addc(&p->name, '.');
    quoted = quoted && bst_pg_add_identifier(p->source, p->table, &p->name) &&
             bst_pg_add_identifier(p->source, p->options->slot, &p->slot);
    return quoted ? BST_OK : bst_diag_nomem(p->diags);
}

static bst_status check_all(bst__preflight *p) {
    bool owner = false;
    bst_status status = ask_server(p);
    if (status != BST_OK)
        return status;
    p->begins = p->options->snapshot_again || !is_true(p, SERVER_HAS_SLOT);
    bst_strbuf_adds(&p->role, bst_pg_rows_text(p->server, 0, SERVER_ROLE));
    check_mapping(p);
    check_settings(p);
    check_connection(p);
    check_slot(p);
    status = bst__check_table(p, &owner);
    if (status == BST_OK)
        check_publication(p, owner);
    return status == BST_OK ? bst__check_witnesses(p) : status;
}

bst_status bst__follow_preflight(bst_pg *source, const bst_mapping *mapping,
                                 const bst_follow_options *options, bst_diags *diags) {
    bst__preflight p = {.source = source, .mapping = mapping, .options = options, .diags = diags};
    char *schema = NULL;
    bst_strbuf_init(&p.name);
    bst_strbuf_init(&p.slot);
    bst_strbuf_init(&p.role);
    bst_status status = name_all(&p, &schema);
    if (status == BST_OK)
        status = check_all(&p);
    if (status == BST_OK && p.failed)
        status = BST_DATABASE;
    bst_pg_rows_free(p.server);
    bst_pg_rows_free(p.relation);
    bst_strbuf_release(&p.name);
    bst_strbuf_release(&p.slot);
    bst_strbuf_release(&p.role);
    free(schema);
    return status;
}
