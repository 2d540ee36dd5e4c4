/* Both sides at one place in the log, while the old system writes and a follower brings the store
 * along.
 *
 *     source   a passing slot begins at L: its snapshot has all that was committed before L
 *     store    is waited for; a snapshot of it, in which its follower's place is E >= L, has all
 *              that was committed before E
 *     log      the slot gives what was committed from L to E; the last image of each of those rows
 *              lies over the snapshot's
 *
 * So rows and histories are both those of E. The follower knows nothing of it and waits for nobody;
 * the slot ends with its session, also when this process is killed.
 */
#include "compare_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"
#include "backstory/pg_stream.h"

struct bst__at {
    const bst_mapping *mapping;
    const bst_compare_options *options;
    bst_pg *pg; /* holds the moment of the source */
    char *moment;
    bst_pg_stream *stream;
    char slot[BST_SLOT_NAME_MAX + 1u];
    uint64_t begin, end; /* of the log that is read */
    bst_strbuf source;   /* as the store calls it */
    bst_follow_place place;
    bst__overlay *overlay;
    uint32_t waited; /* seconds */
    bst_diags *diags;
};

static void say(const bst_compare_options *options, const char *format, ...) BST_PRINTF(2, 3);
static void say(const bst_compare_options *options, const char *format, ...) {
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;
    if (!options->on_notice)
        return;
    va_start(args, format);
    bst_strbuf_vaddf(&text, format, args);
    va_end(args);
    options->on_notice(options->context, text.text);
    bst_strbuf_release(&text);
}

static uint32_t patience(const bst_compare_options *options) {
    return options->wait_seconds > 0 ? options->wait_seconds : BST_RECHECK_SECONDS_MAX;
}

/* ---- is it wanted */

static bst_status report_files(bst_diags *diags) {
    return bst_diag_add(diags, BST_USAGE, BST_ERROR, "needs-postgres", NULL,
                        "files have no log: --at now is of two servers, one of them followed");
}

static bst_status describe(const bst_follow_place *place, bst_arena *arena, const char **ret,
                           bst_diags *diags) {
    char at[BST_LSN_TEXT_MAX];
    bst_lsn_format(place->lsn, at);
    *ret = bst_arena_printf(arena,
                            "the follower of slot %s does not run: it is at %s, and what was "
                            "committed since differs",
                            place->slot, at);
    return *ret ? BST_OK : bst_diag_nomem(diags);
}

/* The follower of the source that is compared, if there is one: another system's place would say
 * nothing of this one's. */
static bst_status find_follower(const bst_mapping *mapping, const bst_compare_options *options,
                                bst_strbuf *source, bst_follow_place *ret, bst_diags *diags) {
    const char *const machine = mapping->machine->id;
    bst_pg *pg = NULL;
    bst_status status = bst_follow_find(options->store, machine, NULL, NULL, ret, diags);
    if (status != BST_OK || !ret->slot[0])
        return status;
    status = bst_pg_connect(options->from, BST_PG_SOURCE, &pg, diags);
    if (status == BST_OK)
        status = bst__follow_label(pg, mapping, source, diags);
    if (status == BST_OK)
        status = bst_follow_find(options->store, machine, source->text, NULL, ret, diags);
    bst_pg_free(pg);
    return status;
}

bst_status bst__at_wanted(const bst_mapping *mapping, const bst_compare_options *options,
                          bst_arena *arena, bool *ret, const char **ret_standing,
                          bst_diags *diags) {
    const bool servers =
        bst_is_connection_string(options->from) && bst_is_connection_string(options->store);
    bst_strbuf source = BST_STRBUF_INIT;
    bst_follow_place place;
    *ret = options->at == BST_AT_NOW;
    if (options->at != BST_AT_AUTO || !servers)
        return *ret && !servers ? report_files(diags) : BST_OK;
    bst_status status = find_follower(mapping, options, &source, &place, diags);
    bst_strbuf_release(&source);
    if (status != BST_OK)
        return status;
    *ret = place.running;
    return place.slot[0] && !place.running && place.lsn != 0
               ? describe(&place, arena, ret_standing, diags)
               : BST_OK;
}

/* ---- a place, and the moment that belongs to it */

static bst_status lacks(bst_diags *diags, const char *code, const char *message, const char *hint) {
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, code, NULL, "%s", message);
    bst_diag_hint(diags,
                  "%s Or compare with --recheck N, which needs no slot, or --at rest when nobody "
                  "writes.",
                  hint);
    return BST_DATABASE;
}

static bool is_false(const bst_pg_rows *rows, size_t column) {
    const char *const text = bst_pg_rows_text(rows, 0, column);
    return text && strcmp(text, "f") == 0;
}

static bst_status report_lacking(const bst_pg_rows *rows, bst_diags *diags) {
    if (is_false(rows, 4))
        return lacks(diags, "standby", "the rows are those of a standby, which gives no slot",
                     "Read them from its primary.");
    if (is_false(rows, 0))
        return lacks(
            diags, "may-not-replicate", "the role may not replicate",
            "ALTER ROLE ... REPLICATION; the server's pg_hba.conf must let it in as well.");
    if (is_false(rows, 1))
        return lacks(diags, "no-free-slot", "the source has no free replication slot",
                     "Drop one that nobody needs (backstory slots list), or raise "
                     "max_replication_slots and restart the server.");
    if (is_false(rows, 2))
        return lacks(diags, "no-free-walsender", "the source has no free WAL sender",
                     "Raise max_wal_senders and restart the server.");
    return BST_OK;
}

/* What a passing slot takes, told in words before the server refuses it. */
static bst_status check(bst__at *at) {
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        at->pg,
        "SELECT (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles"
        "  WHERE rolname = current_user),"
        " current_setting('max_replication_slots')::int >"
        "  (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
        " current_setting('max_wal_senders')::int >"
        "  (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
        " 'backstory_compare_' || pg_catalog.pg_backend_pid(), NOT pg_catalog.pg_is_in_recovery()",
        0, NULL, &rows, at->diags);
    if (status == BST_OK)
        status = report_lacking(rows, at->diags);
    if (status == BST_OK)
        snprintf(at->slot, sizeof at->slot, "%s", bst_pg_rows_text(rows, 0, 3));
    bst_pg_rows_free(rows);
    return status;
}

/* The slot's own snapshot ends with the next command of its session. */
static bst_status hold_moment(bst__at *at, const char *snapshot) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_adds(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                          " SET TRANSACTION SNAPSHOT ");
    sql.failed = sql.failed || !bst_pg_add_literal(at->pg, snapshot, &sql);
    bst_status status =
        sql.failed ? bst_diag_nomem(at->diags) : bst_pg_exec(at->pg, sql.text, at->diags);
    bst_strbuf_release(&sql);
    if (status == BST_OK)
        status = bst_pg_query(at->pg, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &rows,
                              at->diags);
    if (status == BST_OK && !(at->moment = strdup(bst_pg_rows_text(rows, 0, 0))))
        status = bst_diag_nomem(at->diags);
    bst_pg_rows_free(rows);
    return status;
}

/* The server gave up waiting. */
static bst_status still_open(const bst__at *at, bst_status status) {
    const size_t count = bst_diags_count(at->diags);
    const bst_diag *const last = count > 0 ? bst_diags_at(at->diags, count - 1) : NULL;
    if (!last || strcmp(last->code, "sqlstate-55P03") != 0)
        return status;
    bst_diags_clear(at->diags);
    bst_diag_add(at->diags, BST_RETRY, BST_ERROR, "still-open", NULL,
                 "a transaction of the old system was still open after %lu s",
                 (unsigned long)patience(at->options));
    bst_diag_hint(at->diags, "A place in the log that all readers share can be had when those that "
                             "were open have ended: --wait SECONDS, end them, or --recheck N.");
    return BST_RETRY;
}

static bst_status make_slot(bst__at *at) {
    char snapshot[64] = "";
    bst_strbuf who = BST_STRBUF_INIT;
    bst_status status = bst_pg_stream_open(at->options->from, &at->stream, at->diags);
    if (status == BST_OK)
        status = bst__follow_who_blocks(at->pg, &who, at->diags);
    if (status == BST_OK && who.len > 0)
        say(at->options, "waits for these transactions of the old system to end: %s", who.text);
    bst_strbuf_release(&who);
    if (status == BST_OK)
        status = bst_pg_stream_make_slot(at->stream, at->slot, patience(at->options), &at->begin,
                                         snapshot, at->diags);
    return status == BST_OK ? hold_moment(at, snapshot) : still_open(at, status);
}

static bst_status report_not_followed(const bst__at *at) {
    bst_diag_add(at->diags, BST_INVALID, BST_ERROR, "not-followed", NULL,
                 "nobody follows %s for machine \"%s\" in this store",
                 at->source.len > 0 ? at->source.text : at->mapping->source.table,
                 at->mapping->machine->id);
    bst_diag_hint(at->diags, "Start backstory follow, or compare with --at rest.");
    return BST_INVALID;
}

bst_status bst__at_open(const bst_mapping *mapping, const bst_compare_options *options,
                        bst__at **ret, bst_diags *diags) {
    bst__at *const at = calloc(1, sizeof *at);
    if (!at)
        return bst_diag_nomem(diags);
    *ret = at; /* also when it fails */
    at->mapping = mapping;
    at->options = options;
    at->diags = diags;
    bst_strbuf_init(&at->source);
    bst_status status = find_follower(mapping, options, &at->source, &at->place, diags);
    if (status == BST_OK && !at->place.slot[0])
        status = report_not_followed(at);
    if (status == BST_OK)
        status = bst_pg_connect(options->from, BST_PG_SOURCE, &at->pg, diags);
    if (status == BST_OK)
        status = check(at);
    if (status == BST_OK)
        status = make_slot(at);
    return status;
}

bst__at *bst__at_free(bst__at *at) {
    if (at) {
        bst_pg_stream_free(at->stream);
        bst_pg_free(at->pg);
        bst__overlay_free(at->overlay);
        bst_strbuf_release(&at->source);
        free(at->moment);
        free(at);
    }
    return NULL;
}

const char *bst__at_moment(const bst__at *at) {
    return at->moment;
}

const bst__overlay *bst__at_overlay(const bst__at *at) {
    return at->overlay;
}

uint64_t bst__at_lsn(const bst__at *at) {
    return at->end;
}

/* ---- the store comes there */

/* Told after 1, 2, 4, 8, ... seconds. */
static void on_wait(void *context, const bst_follow_place *place) {
    bst__at *const at = context;
    at->waited++;
    if ((at->waited & (at->waited - 1)) != 0)
        return;
    char is[BST_LSN_TEXT_MAX], wanted[BST_LSN_TEXT_MAX];
    bst_lsn_format(place->lsn, is);
    bst_lsn_format(at->begin, wanted);
    if (place->lsn == 0)
        say(at->options, "waits for the follower, which reads its first snapshot%s",
            place->running ? "" : ", or would if it were running");
    else
        say(at->options,
            "waits for the follower to come to %s: it is at %s, %" PRIu64 " bytes away%s", wanted,
            is, at->begin - place->lsn, place->running ? "" : ", and not running");
}

bst_status bst__at_await(bst__at *at, bst_diags *diags) {
    const bst_follow_wait wait = {.slot = at->place.slot,
                                  .lsn = at->begin,
                                  .seconds = patience(at->options),
                                  .on_wait = on_wait,
                                  .context = at};
    return bst_follow_await(at->options->store, at->mapping->machine->id, &wait, diags);
}

bst_status bst__at_read_log(bst__at *at, const char *store_moment, bool *ret_behind,
                            bst_diags *diags) {
    at->diags = diags;
    bst_status status = bst_follow_find(at->options->store, at->mapping->machine->id,
                                        at->source.text, store_moment, &at->place, diags);
    *ret_behind = status == BST_OK && at->place.lsn < at->begin;
    if (status != BST_OK || *ret_behind)
        return status;
    at->end = at->place.lsn;
    at->overlay = bst__overlay_new();
    if (!at->overlay)
        return bst_diag_nomem(diags);
    status = bst_pg_stream_start(at->stream, at->slot, at->place.slot, at->begin, diags);
    if (status == BST_OK)
        status = bst__overlay_read(at->overlay, at->mapping, at->stream, at->begin, at->end, diags);
    at->stream = bst_pg_stream_free(at->stream); /* and the slot with it */
    return status;
}
