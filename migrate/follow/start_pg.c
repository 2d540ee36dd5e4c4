/* The beginning: publication, then slot, then the snapshot that the slot was made with.
 *
 * A slot that nobody follows keeps log until the disk is full, and a snapshot is gone with the
 * session that made it. So the slot is temporary as long as its snapshot is being read: whatever
 * is killed or cut off meanwhile, the server takes it away. When all rows are in the store it is
 * copied under its own name, to stay, and then the store is told from where to follow. The store
 * knows of the slot before, as unfinished; a start that was broken off is begun again with
 * another snapshot, and what the store has already is not written twice. */
#include "follow_batch_private.h"

#include <stdlib.h>
#include <string.h>

/* A beginning, as far as it has come. */
typedef struct beginning {
    bst_pg *source;
    const bst_mapping *mapping;
    const bst_follow_options *options;
    bst_journal *journal;
    bst__batch *batch;
    bst_follow_figures *figures;
    bst_pg_stream *stream; /* holds slot and snapshot while it is idle */
    bst_strbuf temporary;  /* the slot's name until it stays */
    char name[64];         /* of the snapshot */
    bst__snapshot snapshot;
    bool published;
    bst_diags *diags;
} beginning;

static bst_status ask(bst_pg *source, const char *sql, const char *param, bst_strbuf *out,
                      bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {param};
    const bst_status status = bst_pg_query(source, sql, param ? 1 : 0, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0 && bst_pg_rows_text(rows, 0, 0))
        bst_strbuf_adds(out, bst_pg_rows_text(rows, 0, 0));
    bst_pg_rows_free(rows);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

/* Not the address, which may change: the cluster's own number, and the database. */
bst_status bst__follow_label(bst_pg *source, const bst_mapping *mapping, bst_strbuf *out,
                             bst_diags *diags) {
    bst_strbuf_addf(out, "%s of ", mapping->source.table);
    return ask(source,
               "SELECT current_database() || ' in cluster ' || system_identifier"
               " FROM pg_catalog.pg_control_system()",
               NULL, out, diags);
}

/* Appends the table's name, quoted; without a schema it is in public. */
static bool add_table(bst_pg *source, const char *name, bst_strbuf *out) {
    const char *const dot = strchr(name, '.');
    char *const schema = dot ? strndup(name, (size_t)(dot - name)) : strdup("public");
    bool added = schema && bst_pg_add_identifier(source, schema, out);
    bst_strbuf_addc(out, '.');
    added = added && bst_pg_add_identifier(source, dot ? dot + 1 : name, out);
    free(schema);
    return added;
}

/* `prefix` PUBLICATION name `verb` table[, ledger] `suffix` */
static bst_status say_publication(bst_pg *source, const char *prefix, const char *verb,
                                  const char *const *tables, size_t count, const char *suffix,
                                  const bst_follow_options *options, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(&sql, "%s PUBLICATION ", prefix);
    bool quoted = bst_pg_add_identifier(source, options->slot, &sql);
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_adds(&sql, i == 0 ? verb : ", ");
        quoted = quoted && add_table(source, tables[i], &sql);
    }
    bst_strbuf_adds(&sql, suffix);
    const bst_status status =
        quoted && !sql.failed ? bst_pg_exec(source, sql.text, diags) : bst_diag_nomem(diags);
    bst_strbuf_release(&sql);
    return status;
}

/* An older publication may lack the ledger. */
static bst_status add_ledger(bst_pg *source, const bst_follow_options *options, bst_diags *diags) {
    bst_strbuf found = BST_STRBUF_INIT;
    const char *const table[] = {options->ledger->table};
    bst_status status = ask(source,
                            "SELECT string_agg(schemaname || '.' || tablename, ' ')"
                            " FROM pg_catalog.pg_publication_tables WHERE pubname = $1",
                            options->slot, &found, diags);
    if (status == BST_OK && !strstr(found.text, table[0]))
        status = say_publication(source, "ALTER", " ADD TABLE ", table, 1, "", options, diags);
    bst_strbuf_release(&found);
    return status;
}

static bst_status make_publication(bst_pg *source, const bst_mapping *mapping,
                                   const bst_follow_options *options, bool *ret_made,
                                   bst_diags *diags) {
    *ret_made = false;
    bst_strbuf found = BST_STRBUF_INIT;
    const char *const tables[] = {mapping->source.table,
                                  options->ledger ? options->ledger->table : NULL};
    bst_status status = ask(source, "SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1",
                            options->slot, &found, diags);
    const bool there = found.len > 0;
    bst_strbuf_release(&found);
    if (status != BST_OK)
        return status;
    if (there)
        return options->ledger ? add_ledger(source, options, diags) : BST_OK;
    status = say_publication(source, "CREATE", " FOR TABLE ", tables, options->ledger ? 2 : 1,
                             " WITH (publish_via_partition_root = true)", options, diags);
    *ret_made = status == BST_OK;
    if (*ret_made)
        bst__follow_say(options, "made publication %s of %s", options->slot, tables[0]);
    return status;
}

/* A slot that no snapshot belongs to any more. */
static bst_status drop_slot(bst_pg *source, const bst_follow_options *options, bst_diags *diags) {
    bst_strbuf dropped = BST_STRBUF_INIT;
    const bst_status status =
        ask(source,
            "SELECT pg_catalog.pg_drop_replication_slot(slot_name)::text || slot_name"
            " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
            options->slot, &dropped, diags);
    if (status == BST_OK && dropped.len > 0)
        bst__follow_say(options, "dropped slot %s, which could not be gone on from", options->slot);
    bst_strbuf_release(&dropped);
    return status;
}

bst_status bst__follow_who_blocks(bst_pg *source, bst_strbuf *out, bst_diags *diags) {
    return ask(source,
               "SELECT string_agg(format('%s (pid %s, since %s)', usename, pid, xact_start), ', ')"
               " FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL"
               " AND pid <> pg_catalog.pg_backend_pid()",
               NULL, out, diags);
}

static void say_who_blocks(bst_pg *source, const bst_follow_options *options) {
    bst_strbuf who = BST_STRBUF_INIT;
    if (bst__follow_who_blocks(source, &who, NULL) == BST_OK && who.len > 0)
        bst__follow_say(options, "making slot %s waits for these transactions to end: %s",
                        options->slot, who.text);
    bst_strbuf_release(&who);
}

/* Two may begin at the same server: the session's number makes the name its own. */
static void name_temporary(beginning *b, const char *pid) {
    const size_t room = BST_SLOT_NAME_MAX - strlen("_first_") - strlen(pid);
    bst_strbuf_clear(&b->temporary);
    bst_strbuf_addf(&b->temporary, "%.*s_first_%s", (int)room, b->options->slot, pid);
}

static bst_status take_snapshot(beginning *b) {
    bst_strbuf pid = BST_STRBUF_INIT, now = BST_STRBUF_INIT;
    bst_status status = bst_pg_stream_open(b->options->from, &b->stream, b->diags);
    if (status == BST_OK)
        status = ask(b->source, "SELECT pg_catalog.pg_backend_pid()", NULL, &pid, b->diags);
    if (status == BST_OK) {
        name_temporary(b, pid.text);
        say_who_blocks(b->source, b->options);
        status = b->temporary.failed ? bst_diag_nomem(b->diags)
                                     : bst_pg_stream_make_slot(b->stream, b->temporary.text, 0,
                                                               &b->snapshot.lsn, b->name, b->diags);
    }
    if (status == BST_OK)
        status = ask(b->source,
                     "SELECT ((extract(epoch FROM clock_timestamp()) - 946684800)"
                     " * 1000000)::bigint",
                     NULL, &now, b->diags);
    b->snapshot.name = b->name;
    b->snapshot.taken_at = now.len > 0 ? strtoll(now.text, NULL, 10) : 0;
    bst_strbuf_release(&pid);
    bst_strbuf_release(&now);
    return status;
}

static bst_status read_snapshot(beginning *b) {
    bst__look look = BST__LOOK_AT_ALL;
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(b->snapshot.lsn, at);
    bst__follow_say(b->options, "reading a snapshot of the source at %s", at);
    bst_status status = BST_OK;
    if (bst_journal_is_empty(b->journal))
        status =
            bst__follow_load(b->mapping, b->options, &b->snapshot, b->figures, &look, b->diags);
    return status == BST_OK
               ? bst__batch_snapshot(b->batch, b->options, &b->snapshot, look, b->diags)
               : status;
}

static bst_status report_slot_lost(const beginning *b) {
    bst_diag_add(b->diags, BST_DATABASE, BST_ERROR, "snapshot-lost", NULL,
                 "the source has given up slot \"%s\" while its snapshot was being read",
                 b->temporary.text);
    bst_diag_hint(b->diags,
                  "Its session was ended, or it kept more log than "
                  "max_slot_wal_keep_size allows: then it takes a larger one, or more "
                  "--jobs. The same command begins anew with what the store has already.");
    return BST_DATABASE;
}

/* Under its own name the slot outlives this session: the same place, and nobody has moved it. */
static bst_status keep_slot(beginning *b) {
    const char *const params[] = {b->temporary.text, b->options->slot};
    char at[BST_LSN_TEXT_MAX];
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        b->source,
        "SELECT pg_catalog.pg_copy_logical_replication_slot(slot_name, $2::name, false)"
        " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1"
        " AND coalesce(wal_status, 'lost') <> 'lost'",
        2, params, &rows, b->diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == 0)
        status = report_slot_lost(b);
    bst_pg_rows_free(rows);
    bst_lsn_format(b->snapshot.lsn, at);
    if (status == BST_OK)
        bst__follow_say(b->options, "made slot %s at %s", b->options->slot, at);
    return status;
}

/* Reading ends with all kinds of words when the session that holds the snapshot has ended: was it
 * that? */
static void look_for_slot(beginning *b) {
    bst_strbuf found = BST_STRBUF_INIT;
    bst_diags *const ignored = bst_diags_new();
    const bst_status status =
        ask(b->source, "SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
            b->temporary.text, &found, ignored);
    if (status == BST_OK && found.len == 0)
        (void)report_slot_lost(b);
    bst_diags_free(ignored);
    bst_strbuf_release(&found);
}

/* Of a beginning that came to nothing, as far as the source still answers; what is said is why it
 * came to nothing. */
static void clear_away(beginning *b) {
    bst_diags *const ignored = bst_diags_new();
    const bst_status slot = drop_slot(b->source, b->options, ignored);
    if (slot == BST_OK && b->published &&
        say_publication(b->source, "DROP", "", NULL, 0, "", b->options, ignored) == BST_OK)
        bst__follow_say(b->options, "dropped publication %s", b->options->slot);
    bst_diags_free(ignored);
}

static bst_status prepare(beginning *b) {
    bst_status status =
        make_publication(b->source, b->mapping, b->options, &b->published, b->diags);
    if (status == BST_OK)
        status = bst_journal_enter(b->journal, b->diags);
    return status == BST_OK ? drop_slot(b->source, b->options, b->diags) : status;
}

/* A stop that was asked for ends it well, and the journal is not READY then. */
static bst_status begin_anew(beginning *b) {
    bst_strbuf_init(&b->temporary);
    bst_status status = prepare(b);
    if (status == BST_OK)
        status = take_snapshot(b);
    if (status == BST_OK) {
        status = bst__columns_at(b->batch->columns, b->snapshot.name, b->diags);
        if (status == BST_OK)
            status = read_snapshot(b);
        if (status != BST_OK)
            look_for_slot(b);
    }
    const bool stops = bst__follow_stops(b->options);
    if (status == BST_OK && !stops)
        status = keep_slot(b);
    if (status == BST_OK && !stops)
        status = bst__batch_commit(b->batch, b->snapshot.lsn, b->diags);
    bst_pg_stream_free(b->stream);
    if (status != BST_OK || stops)
        clear_away(b);
    bst_strbuf_release(&b->temporary);
    return status == BST_RETRY && stops ? BST_OK : status;
}

static bst_status report_other_mapping(const bst_follow_options *options, bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "other-mapping", NULL,
                 "slot \"%s\" was followed with another mapping so far", options->slot);
    bst_diag_hint(diags,
                  "If the new one reads the rows in the same way as far as they go, or if you "
                  "want their histories reconciled with it, start with --snapshot-again.");
    return BST_INVALID;
}

static bst_status report_no_slot(const bst_follow_options *options, bst_diags *diags) {
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "slot-missing", NULL,
                 "the store was followed with slot \"%s\", and the source has none of this name",
                 options->slot);
    bst_diag_hint(diags,
                  "It was dropped, or the source was restored from a backup. Start again with "
                  "--snapshot-again: every row is reconciled with its history.");
    return BST_DATABASE;
}

/* The place in the store is never behind the slot's, unless the store lost what it had
 * committed. */
static bst_status report_behind(const bst_follow_options *options, const char *confirmed,
                                uint64_t lsn, bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, at);
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "store-behind", NULL,
                 "the store is at %s, but slot \"%s\" was told that all before %s is there", at,
                 options->slot, confirmed);
    bst_diag_hint(diags, "The store was restored from a backup, or failed over to a standby that "
                         "was behind. Start again with --snapshot-again: every row is reconciled "
                         "with its history.");
    return BST_DATABASE;
}

static bst_status check_slot(bst_pg *source, const bst_follow_options *options, uint64_t lsn,
                             bst_diags *diags) {
    bst_strbuf confirmed = BST_STRBUF_INIT;
    uint64_t at = 0;
    bst_status status =
        ask(source,
            "SELECT coalesce(confirmed_flush_lsn, '0/0') FROM pg_catalog.pg_replication_slots"
            " WHERE slot_name = $1",
            options->slot, &confirmed, diags);
    if (status == BST_OK && confirmed.len == 0)
        status = report_no_slot(options, diags);
    else if (status == BST_OK && bst_lsn_parse(confirmed.text, &at) && at > lsn)
        status = report_behind(options, confirmed.text, lsn, diags);
    bst_strbuf_release(&confirmed);
    return status;
}

bst_status bst__follow_can_go_on(bst_pg *source, const bst_follow_options *options, uint64_t lsn,
                                 bool same_mapping, bst_diags *diags) {
    return same_mapping ? check_slot(source, options, lsn, diags)
                        : report_other_mapping(options, diags);
}

bst_status bst__follow_begin(bst_pg *source, const bst_mapping *mapping,
                             const bst_follow_options *options, bst_journal *journal,
                             bst__batch *batch, bst_follow_figures *figures, bst_diags *diags) {
    uint64_t lsn;
    bool made;
    beginning b = {.source = source,
                   .mapping = mapping,
                   .options = options,
                   .journal = journal,
                   .batch = batch,
                   .figures = figures,
                   .diags = diags};
    if (bst_journal_where(journal, &lsn) != BST_JOURNAL_READY || options->snapshot_again)
        return begin_anew(&b);
    const bst_status status =
        bst__follow_can_go_on(source, options, lsn, bst_journal_same_mapping(journal), diags);
    /* The publication may have been taken away while nobody followed. */
    return status == BST_OK ? make_publication(source, mapping, options, &made, diags) : status;
}
