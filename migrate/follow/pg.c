/* The loop: read the log, put it into the store, tell the server up to where it is done with.
 *
 * Order is everything. The store commits first, then the server is told: what it has been told it
 * never sends again. What the store has already is recognised by its place and skipped.
 *
 * Small transactions are committed together, as many as come within a moment; so a busy source
 * makes large commits and a quiet one small ones, and the lag stays a fraction of a second.
 *
 * A session that breaks (a restart on either side, a cut line) is begun anew, with growing pauses:
 * all that it needs is in the store and in the slot.
 */
#include "follow_intake_private.h"
#include "follow_private.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"
#include "backstory/timestamp.h"

#define GATHER_MS        5   /* how long an empty line is waited at before a commit, */
#define GATHER_MAX_MS    100 /* and how long a transaction may wait for others in all */
#define IDLE_MS          200
#define REST_MS          10000 /* then the place moves over log that has nothing for us */
#define WATCH_MS         1000
#define COMMIT_CHANGES   BST_FOLLOW_BATCH_CHANGES
#define RETRY_MAX_MS     10000
#define RETRY_FOR_MS     600000 /* how long a break may last */
#define RETRY_AT_ONCE_MS 5000   /* and a first session that finds another one still ending */
#define BEGINNINGS_MAX   5u     /* first snapshots, one after the other, that are lost */
#define RETAINED_MAX     (UINT64_C(1) << 30)

typedef struct session {
    const bst_mapping *mapping;
    bst_follow_options options; /* a copy: some are for the first session only */
    bst_follow_figures *figures;
    bst_pg *source; /* for questions */
    bst_pg_stream *stream;
    bst__intake *intake; /* reads the stream */
    bst_journal *journal;
    bst__columns *columns;
    bst__batch *batch;
    bst_strbuf label;
    bst__origin origin; /* of the transaction that is coming in */
    bool inside, skipping, past_end;
    uint64_t done;         /* in the store */
    uint64_t heard;        /* the server has nothing more before that */
    uint64_t end_at_start; /* of the log, when the session began */
    int64_t oldest_at; /* when the first transaction since the last commit was committed; 0: none */
    int64_t dirty_since_ms, watched_ms, moved_ms;
    uint32_t beginnings; /* whose snapshot has not come to its end */
    bool alarmed, began, caught_up;
    bool columns_changed; /* then `until` is where they were still the same */
    bst_diags *diags;
} session;

static bool wants_stop(const session *s) {
    return s->options.stop && *s->options.stop;
}

/* ---- what comes in */

static bst_status take_begin(session *s, const bst_wal_message *message) {
    s->origin = (bst__origin){
        .commit_lsn = message->lsn, .committed_at = message->time, .xid = message->xid};
    s->inside = true;
    s->skipping = message->lsn < s->done; /* `done` is where a commit ends: behind its own place */
    s->past_end = s->options.until != 0 && message->lsn >= s->options.until;
    return BST_OK;
}

static bst_status take_commit(session *s, const bst_wal_message *message) {
    s->inside = false;
    if (s->skipping)
        return BST_OK;
    if (!bst__batch_is_dirty(s->batch))
        s->dirty_since_ms = bst_clock_ms();
    if (s->oldest_at == 0)
        s->oldest_at = s->origin.committed_at;
    const bst_status status = bst__batch_end(s->batch, &s->origin, message->end_lsn, s->diags);
    s->figures->lag_transactions = bst__batch_pending(s->batch);
    return status;
}

static bst_status take_frame(session *s, const bst_stream_message *message) {
    bst_wal_message frame;
    bst_arena *const none = NULL; /* neither begin nor commit has names or arrays */
    if (bst_wal_parse(message->bytes, message->len, none, &frame) != BST_WAL_OK)
        return bst_diag_add(s->diags, BST_DATABASE, BST_ERROR, "stream-malformed", NULL,
                            "the begin or the end of a transaction in the log is not understood");
    return frame.kind == BST_WAL_BEGIN ? take_begin(s, &frame) : take_commit(s, &frame);
}

static bst_status take_data(session *s, const bst_stream_message *message) {
    const char kind = message->len > 0 ? message->bytes[0] : '\0';
    if (message->start > s->figures->server_lsn)
        s->figures->server_lsn = message->start;
    if (kind == 'B' || kind == 'C')
        return take_frame(s, message);
    if (s->past_end || (s->skipping && kind != 'R'))
        return BST_OK;
    if (!bst__batch_is_dirty(s->batch))
        s->dirty_since_ms = bst_clock_ms();
    return bst__batch_add(s->batch, message->bytes, message->len, message->start, &s->origin,
                          s->diags);
}

/* ---- what goes out */

/* Never ahead of the store: what was confirmed is gone. */
static void confirm(session *s, bool ask) {
    bst__intake_confirm(s->intake, s->done, ask);
}

static bst_status commit(session *s, uint64_t upto) {
    const bst_status status = bst__batch_commit(s->batch, upto, s->diags);
    if (status != BST_OK)
        return status;
    bst_follow_figures *const f = s->figures;
    f->lag_us = s->oldest_at != 0 ? bst_clock_now() - s->oldest_at : 0;
    if (s->caught_up && f->lag_us > f->lag_us_max)
        f->lag_us_max = f->lag_us;
    s->oldest_at = 0;
    f->lag_transactions = 0;
    if (f->lsn > s->done)
        s->done = f->lsn;
    s->caught_up = s->caught_up || s->done >= s->end_at_start;
    s->moved_ms = bst_clock_ms();
    confirm(s, false);
    return BST_OK;
}

/* ---- how it stands */

/* What a server says of log that it would rather not keep, or no longer promises to. */
static const char *danger_of(const char *wal_status) {
    if (wal_status && strcmp(wal_status, "extended") == 0)
        return "more than max_wal_size";
    if (wal_status && strcmp(wal_status, "unreserved") == 0)
        return "more than max_slot_wal_keep_size: with the next checkpoint the slot may be lost";
    return NULL;
}

static void sound_alarm(session *s, const char *wal_status) {
    const uint64_t limit = s->options.retained_max ? s->options.retained_max : RETAINED_MAX;
    const char *const danger = danger_of(wal_status);
    const bool alarm = danger || s->figures->retained_bytes > limit;
    if (alarm && !s->alarmed)
        bst__follow_say(&s->options,
                        "warning: the server keeps %" PRIu64 " MiB of log for slot %s%s%s; while "
                        "nobody catches up its disk fills, or the slot is lost",
                        s->figures->retained_bytes >> 20, s->options.slot, danger ? ", " : "",
                        danger ? danger : "");
    s->alarmed = alarm;
}

/* A table that is no longer published tells of nothing, which is not the same as being at rest. */
static bst_status report_unpublished(session *s) {
    bst_diag_add(s->diags, BST_DATABASE, BST_ERROR, "other-publication", NULL,
                 "publication \"%s\" has no longer any table: changes of %s do not come any more",
                 s->options.slot, s->mapping->source.table);
    bst_diag_hint(s->diags, "It was taken out of the publication, or dropped and made anew. Add it "
                            "again, and go on with --snapshot-again: what was changed meanwhile is "
                            "not in the log.");
    return BST_DATABASE;
}

/* Where they are others by now, what was committed while they were still the same is followed. */
static bst_status watch_columns(session *s) {
    bool same = true;
    if (s->columns_changed)
        return BST_OK; /* the end is settled, and so is what it says */
    const uint64_t same_until = bst__columns_same_until(s->columns);
    const bst_status status = bst__columns_look(s->columns, &same, s->diags);
    if (status != BST_OK || same)
        return status;
    if (same_until <= s->done)
        return bst__columns_report(s->columns, s->diags);
    if (s->options.until == 0 || s->options.until > same_until) {
        s->options.until = same_until;
        s->columns_changed = true;
    }
    return BST_OK;
}

static bst_status watch_log(session *s) {
    const char *const params[] = {s->options.slot,
                                  s->options.ledger ? s->options.ledger->table : ""};
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        s->source,
        "SELECT pg_catalog.pg_current_wal_lsn(),"
        " pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint,"
        " wal_status, EXISTS (SELECT FROM pg_catalog.pg_publication_tables"
        "  WHERE pubname = $1 AND $2::text NOT IN (tablename, schemaname || '.' || tablename))"
        " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
        2, params, &rows, s->diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == 1) {
        uint64_t lsn = 0;
        const char *const kept = bst_pg_rows_text(rows, 0, 1);
        if (bst_lsn_parse(bst_pg_rows_text(rows, 0, 0), &lsn) && lsn > s->figures->server_lsn)
            s->figures->server_lsn = lsn;
        s->figures->retained_bytes = kept ? strtoull(kept, NULL, 10) : 0;
        sound_alarm(s, bst_pg_rows_text(rows, 0, 2));
        if (strcmp(bst_pg_rows_text(rows, 0, 3), "t") != 0)
            status = report_unpublished(s);
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status watch(session *s) {
    s->watched_ms = bst_clock_ms();
    const bst_status status = watch_log(s);
    return status == BST_OK ? watch_columns(s) : status;
}

static bst_status report(session *s) {
    bst_follow_figures *const f = s->figures;
    const uint64_t upto = s->heard > s->done && f->idle ? s->heard : s->done;
    f->lag_bytes = f->server_lsn > upto ? f->server_lsn - upto : 0;
    if (f->idle && f->lag_bytes == 0)
        f->lag_us = 0;
    return s->options.on_progress ? s->options.on_progress(s->options.context, f) : BST_OK;
}

/* ---- the loop */

static bool is_at_end(const session *s) {
    if (s->options.until == 0)
        return false;
    if (s->past_end || s->done >= s->options.until)
        return true;
    return !s->inside && !bst__batch_is_dirty(s->batch) && s->heard >= s->options.until;
}

/* Nothing is on the line. Where nothing comes for long the place moves all the same: or a table at
 * rest would make its server keep the log of all the others for ever. */
static bst_status take_breath(session *s) {
    bst_status status = BST_OK;
    const bool resting = s->heard > s->done && bst_clock_ms() - s->moved_ms >= REST_MS;
    if (!s->inside && (bst__batch_is_dirty(s->batch) || resting))
        status = commit(s, resting ? s->heard : 0);
    else if (s->inside)
        status = bst__batch_work(s->batch, s->diags);
    s->figures->idle = !s->inside;
    s->caught_up = s->caught_up || (s->figures->idle && s->heard >= s->end_at_start);
    return status;
}

static bst_status take_keepalive(session *s, const bst_stream_message *message) {
    if (message->end > s->figures->server_lsn)
        s->figures->server_lsn = message->end;
    bst_status status = BST_OK;
    if (!s->inside) { /* all before `end` has come: the server sends in order */
        if (bst__batch_is_dirty(s->batch))
            status = commit(s, 0);
        if (message->end > s->heard)
            s->heard = message->end;
    }
    return status;
}

static int patience(const session *s) {
    if (bst__batch_is_dirty(s->batch))
        return s->inside || bst_clock_ms() - s->dirty_since_ms < GATHER_MAX_MS ? GATHER_MS : 0;
    return IDLE_MS;
}

/* A commit that waits for nothing more: enough has come, or the first has waited long enough. */
static bool is_ripe(const session *s) {
    return !s->inside && bst__batch_is_dirty(s->batch) &&
           (bst__batch_pending_changes(s->batch) >= COMMIT_CHANGES ||
            bst_clock_ms() - s->dirty_since_ms >= GATHER_MAX_MS);
}

static bst_status take_message(session *s) {
    bst_stream_message message;
    bst_status status = bst__intake_take(s->intake, patience(s), &message, s->diags);
    if (status == BST_OK && message.kind == BST_STREAM_NOTHING) {
        status = take_breath(s);
        if (status == BST_OK && s->figures->idle) /* where is the end of the log by now? */
            confirm(s, s->options.until != 0 || !s->caught_up);
        return status;
    }
    if (status != BST_OK)
        return status;
    if (message.kind == BST_STREAM_KEEPALIVE)
        return take_keepalive(s, &message);
    s->figures->idle = false;
    status = take_data(s, &message);
    return status == BST_OK && is_ripe(s) ? commit(s, 0) : status;
}

/* The last commit, and where the log was seen to end. */
static bst_status stop(session *s) {
    bst_status status = BST_OK;
    const bool clean = !s->inside || s->past_end;
    uint64_t upto = s->heard > s->done && !s->inside ? s->heard : 0;
    if (s->options.until != 0 && upto > s->options.until)
        upto = s->options.until;
    if (clean && (bst__batch_is_dirty(s->batch) || upto > s->done))
        status = commit(s, upto > s->done ? upto : 0);
    s->intake = bst__intake_free(s->intake);
    if (status == BST_OK)
        status = bst_pg_stream_confirm(s->stream, s->done, s->done, false, s->diags);
    if (status == BST_OK)
        status = bst_pg_stream_end(s->stream, s->diags);
    return status == BST_OK ? report(s) : status;
}

static bst_status loop(session *s) {
    bst_status status = BST_OK;
    while (status == BST_OK && !is_at_end(s) && !(wants_stop(s) && !s->inside)) {
        status = take_message(s);
        if (status == BST_OK && bst_clock_ms() - s->watched_ms >= WATCH_MS) {
            status = watch(s);
            if (status == BST_OK)
                status = report(s);
        }
    }
    const bool ended = is_at_end(s);
    if (status == BST_OK)
        status = stop(s);
    return status == BST_OK && ended && s->columns_changed
               ? bst__columns_report(s->columns, s->diags)
               : status;
}

/* ---- a session */

static bst_status find_until(session *s) {
    bst_pg_rows *rows = NULL;
    if (!s->options.until_now || s->options.until != 0)
        return BST_OK;
    const bst_status status = bst_pg_query(
        s->source, "SELECT pg_catalog.pg_current_wal_insert_lsn()", 0, NULL, &rows, s->diags);
    if (status == BST_OK)
        (void)bst_lsn_parse(bst_pg_rows_text(rows, 0, 0), &s->options.until);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status open_journal(session *s) {
    bst_journal_info info = {
        .slot = s->options.slot,
        .run = {.tool_version = s->options.tool_version, .mapping_sha256 = s->mapping->sha256}};
    bst_strbuf_clear(&s->label);
    bst_status status = bst__follow_label(s->source, s->mapping, &s->label, s->diags);
    info.run.source = s->label.text;
    if (status == BST_OK)
        status = bst_journal_open(s->options.to, s->mapping->machine, &info, &s->journal, s->diags);
    if (status == BST_OK) {
        s->columns = bst__columns_new(s->source, s->mapping, bst_journal_columns(s->journal));
        status = s->columns ? BST_OK : bst_diag_nomem(s->diags);
    }
    if (status == BST_OK)
        status = bst__batch_new(s->mapping, &s->options, s->journal, s->columns, s->figures,
                                &s->batch, s->diags);
    return status;
}

/* Both are asked, so that one answer tells all that is missing. */
static bst_status check_all(session *s) {
    const bst_status old = bst__follow_preflight(s->source, s->mapping, &s->options, s->diags);
    const bst_status new = bst__follow_alone(s->source, s->mapping, &s->options, NULL, s->diags);
    return old != BST_OK ? old : new;
}

static bst_status begin(session *s) {
    bst_status status = bst_pg_connect(s->options.from, BST_PG_SOURCE, &s->source, s->diags);
    if (status == BST_OK)
        status = check_all(s);
    if (status != BST_OK || s->options.check_only)
        return status;
    status = open_journal(s);
    if (status == BST_OK)
        status = bst__follow_alone(s->source, s->mapping, &s->options, s->journal, s->diags);
    if (status == BST_OK) {
        s->beginnings++;
        status = bst__follow_begin(s->source, s->mapping, &s->options, s->journal, s->batch,
                                   s->figures, s->diags);
    }
    if (status != BST_OK || bst_journal_where(s->journal, &s->done) != BST_JOURNAL_READY)
        return status;
    s->options.snapshot_again = false;
    s->beginnings = 0;
    s->figures->lsn = s->heard = s->done;
    s->moved_ms = bst_clock_ms();
    status = find_until(s);
    if (status == BST_OK)
        status = watch(s);
    if (status == BST_OK)
        status = bst__batch_recall(s->batch, s->diags);
    s->end_at_start = s->figures->server_lsn;
    if (status == BST_OK)
        status = bst_pg_stream_open(s->options.from, &s->stream, s->diags);
    if (status == BST_OK)
        status =
            bst_pg_stream_start(s->stream, s->options.slot, s->options.slot, s->done, s->diags);
    if (status == BST_OK)
        status = bst__intake_start(s->stream, &s->intake, s->diags);
    s->began = status == BST_OK;
    return status;
}

static void end(session *s) {
    s->intake = bst__intake_free(s->intake);
    s->stream = bst_pg_stream_free(s->stream);
    s->batch = bst__batch_free(s->batch);
    s->columns = bst__columns_free(s->columns);
    s->journal = bst_journal_free(s->journal);
    s->source = bst_pg_free(s->source);
    s->inside = s->skipping = s->past_end = false;
    s->oldest_at = 0;
    s->origin = (bst__origin){.commit_lsn = 0};
}

static bst_status run_session(session *s) {
    bst_status status = begin(s);
    if (status == BST_OK && s->stream)
        status = loop(s);
    end(s);
    return status;
}

/* ---- sessions */

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Does this pass by itself? A server that is restarted, a line that was cut, a snapshot whose
 * session has ended; or what a process that was killed leaves behind for a moment. */
static bool passes(const bst_diags *found, bool began_before) {
    static const char *const lost[] = {"connect",      "stream-silent", "sqlstate-57P0",
                                       "sqlstate-08",  "sqlstate-40",   "sqlstate-53300",
                                       "snapshot-lost"};
    static const char *const ending[] = {"already-followed", "sqlstate-55006", "sqlstate-57P03"};
    for (size_t i = bst_diags_count(found); i-- > 0;) {
        const char *const code = bst_diags_at(found, i)->code;
        for (size_t k = 0; k < sizeof lost / sizeof *lost; k++) {
            if (began_before && starts_with(code, lost[k]))
                return true;
        }
        for (size_t k = 0; k < sizeof ending / sizeof *ending; k++) {
            if (starts_with(code, ending[k]))
                return true;
        }
    }
    return false;
}

/* The error that ended it: notes may stand behind it. */
static const char *why_ended(const bst_diags *found) {
    const char *why = "";
    for (size_t i = 0; i < bst_diags_count(found); i++) {
        const bst_diag *const d = bst_diags_at(found, i);
        if (d->severity == BST_ERROR)
            why = d->message;
    }
    return why;
}

static void rest(const session *s, int64_t ms) {
    const int64_t until = bst_clock_ms() + ms;
    for (int64_t left = ms; left > 0 && !wants_stop(s); left = until - bst_clock_ms())
        (void)poll(NULL, 0, left < 100 ? (int)left : 100);
}

/* True: begin anew. What a first snapshot that was lost has brought into the store is gone on with.
 */
static bool endure(session *s, int64_t broken_since_ms, int64_t *pause_ms) {
    const bool reached = s->began || s->beginnings > 0; /* both servers were there */
    const int64_t limit = reached ? RETRY_FOR_MS : RETRY_AT_ONCE_MS;
    if (wants_stop(s) || !passes(s->diags, reached) || bst_clock_ms() - broken_since_ms > limit)
        return false;
    if (s->beginnings == BEGINNINGS_MAX) {
        bst__follow_say(&s->options, "%u first snapshots were lost, one after the other: no more",
                        BEGINNINGS_MAX);
        return false;
    }
    if (reached)
        bst__follow_say(&s->options, "interrupted: %s; trying again", why_ended(s->diags));
    rest(s, *pause_ms);
    *pause_ms = *pause_ms * 2 < RETRY_MAX_MS ? *pause_ms * 2 : RETRY_MAX_MS;
    return !wants_stop(s);
}

bst_status bst_follow(const bst_mapping *mapping, const bst_follow_options *options,
                      bst_follow_figures *ret_figures, bst_diags *diags) {
    session s = {.mapping = mapping, .options = *options, .figures = ret_figures};
    int64_t broken_since = bst_clock_ms(), pause = 250;
    bst_status status = BST_NOMEM;
    *ret_figures = (bst_follow_figures){.lsn = 0};
    bst_strbuf_init(&s.label);
    s.diags = bst_diags_new();
    for (bool again = s.diags != NULL; again;) {
        const uint64_t before = ret_figures->transactions;
        const uint32_t beginnings = s.beginnings;
        bst_diags_clear(s.diags);
        status = run_session(&s);
        if (ret_figures->transactions != before || s.beginnings != beginnings) {
            broken_since = bst_clock_ms();
            pause = 250;
        }
        again = status != BST_OK && endure(&s, broken_since, &pause);
    }
    if (s.diags)
        bst_diags_move(s.diags, diags);
    else
        status = bst_diag_nomem(diags);
    bst_diags_free(s.diags);
    bst_strbuf_release(&s.label);
    return status;
}
