/* Histories into the event store in PostgreSQL: one transaction for the whole run.
 *
 *     connect - begin - store there? - locks - [ COPY of 20,000 segments ] ... - run and plans -
 * index - commit
 *
 * One history is one row of backstory.segment (see schema.sql), written as it is needed on the wire
 * into a buffer that is sent when it is full; nothing is allocated per row. The COPYs are short
 * because the server's errors show only at their end. Plans are numbered as they first appear and
 * written last. When the store is empty the unique index is built after the load.
 */
#include "sink_private.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "payload_private.h"
#include "pg_private.h"
#include "pg_store_private.h"
#include "sink_pg_private.h"

#define COPY_ROWS  20000u
#define SEND_BYTES (64u << 10)

typedef struct sink_pg {
    bst_sink base;
    bst_pg *pg;
    bst__plan_book plans;
    bst_run_info run; /* its texts: the arena's */
    bst_arena *arena;
    bst_strbuf rows; /* not yet sent */
    uint64_t copied; /* rows in the COPY that is under way */
    bool copying;
    bool fresh; /* the store was made in this transaction */
    bool bulk;  /* its unique index is to be built at the end */
    int16_t machine_id;
    int64_t version_id;
    int32_t run_id;
} sink_pg;

/* The COPY stream */

static void put_be(bst_strbuf *out, uint64_t value, int bytes) {
    char wire[8];
    for (int i = 0; i < bytes; i++)
        wire[i] = (char)(value >> (8 * (bytes - 1 - i)));
    bst_strbuf_add(out, wire, (size_t)bytes);
}

static void put_int(bst_strbuf *out, int64_t value, int bytes) {
    put_be(out, (uint64_t)bytes, 4);
    put_be(out, (uint64_t)value, bytes);
}

static void put_time(bst_strbuf *out, int64_t time) {
    if (time == BST_TIME_INFINITY || time == BST_TIME_MINUS_INFINITY)
        bst_strbuf_adds(out, "null"); /* open: which end it is tells the place */
    else
        bst_strbuf_add_int(out, time);
}

/* `[[at,{...}],[at,after,before,{...}]]` */
static void put_events(const bst_machine *machine, const bst_history *history, bst_strbuf *out) {
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_happening *const happening = &history->events[i];
        bst_strbuf_adds(out, i == 0 ? "[[" : ",[");
        bst_strbuf_add_int(out, happening->occurred_at);
        bst_strbuf_addc(out, ',');
        if (happening->interval) {
            put_time(out, happening->after);
            bst_strbuf_addc(out, ',');
            put_time(out, happening->before);
            bst_strbuf_addc(out, ',');
        }
        bst__payload_write(&machine->events[history->plan->events[i].type], happening->fields, out);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_addc(out, ']');
}

static const char copy_sql[] =
    "COPY backstory.segment (first_version, run_id, plan, machine_id, key, data)"
    " FROM STDIN (FORMAT binary";
#define COLUMNS 6

/* False when the events are more than one value may hold. */
static bool put_row(sink_pg *sink, const bst_history *history, int32_t plan) {
    bst_strbuf *const out = &sink->rows;
    put_be(out, COLUMNS, 2);
    put_int(out, 1, 4);
    put_int(out, sink->run_id, 4);
    put_int(out, plan, 4);
    put_int(out, sink->machine_id, 2);
    put_be(out, history->key_len, 4);
    bst_strbuf_add(out, history->key, history->key_len);
    const size_t length_at = out->len;
    put_be(out, 0, 4);
    put_events(sink->base.machine, history, out);
    const size_t len = out->len - length_at - 4;
    if (out->failed)
        return true;
    for (int i = 0; i < 4; i++)
        out->text[length_at + (size_t)i] = (char)(len >> (8 * (3 - i)));
    return len <= BST__SEGMENT_BYTES_MAX;
}

static bst_status send_rows(sink_pg *sink, bst_diags *diags) {
    const bst_status status = bst_pg_copy_write(sink->pg, sink->rows.text, sink->rows.len, diags);
    sink->base.totals.bytes += sink->rows.len;
    bst_strbuf_clear(&sink->rows);
    return status;
}

/* The server's sentence about a unique index says nothing to the user; the entity's key stands in
 * its detail. */
static bst_status report_conflict(const sink_pg *sink, const bst_diag *violation,
                                  bst_diags *diags) {
    bst_strbuf key = BST_STRBUF_INIT;
    bst_strbuf_adds(&key, "entity");
    bst__conflict_key(violation->detail ? violation->detail : "", &key);
    bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "history-exists", NULL, "%s %s", key.text,
                 sink->bulk ? "comes with two histories" : "already has a history in the store");
    bst_strbuf_release(&key);
    if (violation->detail)
        bst_diag_detail(diags, "%s", violation->detail);
    bst_diag_hint(diags, sink->bulk
                             ? "Each entity has one history: its key must be unique in the source."
                             : "This entity already has a history in the store; a second run adds "
                               "nothing.");
    return BST_CONFLICT;
}

/* Takes what a call has found, and hands it on. */
static bst_status hand_on(const sink_pg *sink, bst_status status, bst_diags *found,
                          bst_diags *diags) {
    for (size_t i = 0; i < bst_diags_count(found); i++) {
        const bst_diag *const diag = bst_diags_at(found, i);
        if (diag->status == BST_CONFLICT)
            report_conflict(sink, diag, diags);
        else
            bst__diag_pass_on(diag, diags);
    }
    bst_diags_free(found);
    return status;
}

static bst_status start_copy(sink_pg *sink, bst_diags *diags) {
    /* Signature, flags, length of the extension: the head of the binary format. */
    static const char head[19] = "PGCOPY\n\377\r\n";
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, copy_sql);
    bst_strbuf_adds(&sql, sink->fresh ? ", FREEZE)" : ")");
    const bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_copy_in(sink->pg, sql.text, diags);
    bst_strbuf_release(&sql);
    bst_strbuf_add(&sink->rows, head, sizeof head);
    sink->copying = status == BST_OK;
    sink->copied = 0;
    return status;
}

static bst_status finish_copy(sink_pg *sink, bst_diags *diags) {
    if (!sink->copying)
        return BST_OK;
    put_be(&sink->rows, UINT16_MAX, 2); /* the trailer: a row of -1 columns */
    sink->copying = false;
    bst_diags *const found = bst_diags_new();
    if (!found)
        return bst_diag_nomem(diags);
    bst_status status = send_rows(sink, found);
    if (status == BST_OK)
        status = bst_pg_copy_finish(sink->pg, sink->copied, found);
    return hand_on(sink, status, found, diags);
}

static bst_status pg_write(bst_sink *base, const bst_history *history, bst_diags *diags) {
    sink_pg *const sink = (sink_pg *)base;
    int32_t plan;
    if (!bst__plan_book_number(&sink->plans, history->plan, &plan))
        return bst_diag_nomem(diags);
    bst_status status = sink->copying ? BST_OK : start_copy(sink, diags);
    if (status != BST_OK)
        return status;
    if (!put_row(sink, history, plan))
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "history-too-large", NULL,
                            "the history of entity \"%.*s\" has more than %u bytes",
                            (int)history->key_len, history->key, BST__SEGMENT_BYTES_MAX);
    if (sink->rows.failed)
        return bst_diag_nomem(diags);
    sink->copied++;
    if (sink->copied == COPY_ROWS)
        return finish_copy(sink, diags);
    return sink->rows.len < SEND_BYTES ? BST_OK : send_rows(sink, diags);
}

/* The end */

static bst_status insert_run(sink_pg *sink, bst_diags *diags) {
    char recorded[BST_TIME_TEXT_MAX];
    bst_strbuf run = BST_STRBUF_INIT, version = BST_STRBUF_INIT, histories = BST_STRBUF_INIT,
               events = BST_STRBUF_INIT;
    bst_strbuf_add_int(&run, sink->run_id);
    bst_strbuf_add_int(&version, sink->version_id);
    bst_strbuf_add_int(&histories, (int64_t)sink->base.totals.histories);
    bst_strbuf_add_int(&events, (int64_t)sink->base.totals.events);
    if (sink->run.has_recorded_at)
        bst_time_format(sink->run.recorded_at, recorded);
    const char *const params[] = {run.text,
                                  version.text,
                                  sink->run.has_recorded_at ? recorded : NULL,
                                  sink->run.tool_version,
                                  sink->run.mapping_sha256,
                                  sink->run.source,
                                  histories.text,
                                  events.text};
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(
        sink->pg,
        "INSERT INTO backstory.run (run_id, machine_version_id, kind, recorded_at, finished_at,"
        " tool_version, mapping_sha256, source, histories, events) VALUES"
        " ($1, $2, 'migration', coalesce($3, now()), clock_timestamp(), $4, $5, $6, $7, $8)",
        sizeof params / sizeof *params, params, &rows, diags);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&run);
    bst_strbuf_release(&version);
    bst_strbuf_release(&histories);
    bst_strbuf_release(&events);
    return status;
}

static bst_status build_index(sink_pg *sink, bst_diags *diags) {
    bst_diags *const found = bst_diags_new();
    if (!found)
        return bst_diag_nomem(diags);
    const bst_status status = bst_pg_exec(sink->pg, "SELECT backstory.index_streams()", found);
    return hand_on(sink, status, found, diags);
}

/* What is loaded will be read at once, long before the server looks at it by itself; without
 * figures it would sort where the index gives the order. */
static const char analyze_sql[] = "ANALYZE backstory.segment (machine_id, run_id, plan, key),"
                                  " backstory.plan, backstory.run, backstory.machine";

static bst_status pg_finish(bst_sink *base, bst_diags *diags) {
    sink_pg *const sink = (sink_pg *)base;
    bst_status status = finish_copy(sink, diags);
    if (status == BST_OK && sink->base.totals.histories > 0)
        status = insert_run(sink, diags);
    if (status == BST_OK)
        status =
            bst__plan_book_write(&sink->plans, sink->pg, sink->base.machine, sink->run_id, diags);
    if (status == BST_OK && sink->bulk)
        status = build_index(sink, diags);
    if (status == BST_OK && sink->bulk)
        status = bst_pg_exec(sink->pg, analyze_sql, diags);
    return status == BST_OK ? bst_pg_exec(sink->pg, "COMMIT", diags) : status;
}

/* Closing the connection ends the transaction, whatever it is in the middle of. */
static void pg_free(bst_sink *base) {
    sink_pg *const sink = (sink_pg *)base;
    bst_pg_free(sink->pg);
    bst__plan_book_release(&sink->plans);
    bst_strbuf_release(&sink->rows);
    bst_arena_free(sink->arena);
    free(sink);
}

static const bst__sink_ops pg_ops = {pg_write, pg_finish, pg_free};

/* The beginning */

static bst_status lock_machine(sink_pg *sink, bst_diags *diags) {
    const char *const params[] = {sink->base.machine->id};
    bool locked;
    const bst_status status = bst__pg_truth(
        sink->pg, "SELECT pg_try_advisory_xact_lock(hashtext('backstory'), hashtext($1))", 1,
        params, &locked, diags);
    if (status != BST_OK || locked)
        return status;
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "run-in-progress", NULL,
                 "another run is loading histories of machine \"%s\" into %s",
                 sink->base.machine->id, bst_pg_label(sink->pg));
    bst_diag_hint(diags, "Wait until it has finished, and try again.");
    return BST_RETRY;
}

static bst_status register_machine(sink_pg *sink, bst_diags *diags) {
    size_t len;
    const char *const spec[] = {bst_json_source_text(sink->base.machine->source, &len)};
    const char *const name[] = {sink->base.machine->id};
    int64_t machine_id;
    bst_status status = bst__pg_number(sink->pg, "SELECT backstory.register($1)", 1, spec,
                                       &sink->version_id, diags);
    if (status == BST_OK)
        status =
            bst__pg_number(sink->pg, "SELECT machine_id FROM backstory.machine WHERE name = $1", 1,
                           name, &machine_id, diags);
    if (status == BST_OK)
        sink->machine_id = (int16_t)machine_id;
    return status;
}

static bst_status begin(sink_pg *sink, bst_diags *diags) {
    int64_t run_id;
    bst_status status =
        bst_pg_exec(sink->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    if (status == BST_OK)
        status = bst__store_install(sink->pg, &sink->fresh, diags);
    if (status == BST_OK)
        status = lock_machine(sink, diags);
    if (status == BST_OK)
        status = register_machine(sink, diags);
    if (status == BST_OK)
        status =
            bst__pg_truth(sink->pg, "SELECT backstory.bulk_begin()", 0, NULL, &sink->bulk, diags);
    if (status == BST_OK)
        status =
            bst__pg_number(sink->pg, "SELECT nextval('backstory.run_id')", 0, NULL, &run_id, diags);
    if (status == BST_OK)
        sink->run_id = (int32_t)run_id;
    return status;
}

static bst_status copy_text(bst_arena *arena, const char **text, bst_diags *diags) {
    if (!*text)
        return BST_OK;
    *text = bst_arena_strdup(arena, *text);
    return *text ? BST_OK : bst_diag_nomem(diags);
}

static bst_status keep_run(sink_pg *sink, const bst_run_info *run, bst_diags *diags) {
    sink->arena = bst_arena_new();
    if (!sink->arena)
        return bst_diag_nomem(diags);
    sink->run = *run;
    bst_status status = copy_text(sink->arena, &sink->run.tool_version, diags);
    if (status == BST_OK)
        status = copy_text(sink->arena, &sink->run.mapping_sha256, diags);
    return status == BST_OK ? copy_text(sink->arena, &sink->run.source, diags) : status;
}

bst_status bst__sink_pg_open(const char *conninfo, const bst_machine *machine,
                             const bst_run_info *run, bst_sink **ret, bst_diags *diags) {
    sink_pg *const sink = calloc(1, sizeof *sink);
    if (!sink)
        return bst_diag_nomem(diags);
    sink->base = (bst_sink){.ops = &pg_ops, .machine = machine};
    bst_strbuf_init(&sink->rows);
    bst_status status = keep_run(sink, run, diags);
    if (status == BST_OK)
        status = bst_pg_connect(conninfo, &sink->pg, diags);
    if (status == BST_OK)
        status = begin(sink, diags);
    if (status != BST_OK) {
        pg_free(&sink->base);
        return status;
    }
    *ret = &sink->base;
    return BST_OK;
}
