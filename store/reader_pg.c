/* Histories out of the event store in PostgreSQL: one COPY in the order of the unique index, in a
 * snapshot that the plans are read in as well. A row is a segment (see schema.sql); its events are
 * handed out one by one.
 *
 * What is read is checked as if it came from a file: the store refuses changes, but its owner can
 * switch that off.
 */
#include "reader_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "copy_row_private.h"
#include "payload_private.h"
#include "pg_store_private.h"
#include "plan_shelf_private.h"

enum {
    SEGMENT_KEY,
    SEGMENT_FIRST_VERSION,
    SEGMENT_RUN,
    SEGMENT_PLAN,
    SEGMENT_RECORDED_AT,
    SEGMENT_DATA,
    SEGMENT_COLUMNS
};

typedef struct reader_pg {
    bst_reader base;
    bst_pg *pg;
    bool borrowed; /* the connection and the plans are the caller's, and the transaction is */
    bst__plan_shelf *plans;
    bst_strbuf condition; /* of the rows to read */
    bool started;
    char *moment;
    bst__copy_reader rows;
    const bst__stored_plan *plan; /* of the row being handed out; NULL: take the next row */
    uint32_t place;               /* of the next event in it */
    bst__scan data;
    bst_diags *diags; /* of the call that is running */
} reader_pg;

static bst_status wrong(reader_pg *reader, const char *code, const char *what) {
    const bst_stored_event *const event = &reader->base.event;
    return bst_diag_add(reader->diags, BST_INVALID, BST_ERROR, code, NULL,
                        "event %lld of entity \"%.*s\" in the store: %s", (long long)event->version,
                        (int)event->key_len, event->key, what);
}

static bst_status malformed(reader_pg *reader) {
    return wrong(reader, "not-an-event", "the stored form is damaged");
}

/* Rows */

static bst_status take_row(reader_pg *reader, bool *ret_row) {
    const bst_status status = bst__copy_reader_next(&reader->rows, ret_row, reader->diags);
    if (status != BST_OK || !*ret_row)
        return status;
    const bst__copy_field *const row = reader->rows.fields;
    bst_stored_event *const event = &reader->base.event;
    event->key = row[SEGMENT_KEY].bytes;
    event->key_len = row[SEGMENT_KEY].len;
    event->version = bst__copy_int(&row[SEGMENT_FIRST_VERSION]) - 1; /* of the event before */
    reader->plan = bst__plan_shelf_find(reader->plans, (int32_t)bst__copy_int(&row[SEGMENT_RUN]),
                                        bst__copy_int(&row[SEGMENT_PLAN]));
    if (!reader->plan)
        return wrong(reader, "not-an-event", "its plan is missing");
    const bst__copy_field *const recorded = &row[SEGMENT_RECORDED_AT];
    event->has_recorded_at = recorded->bytes || reader->plan->has_recorded_at;
    event->recorded_at = recorded->bytes ? bst__copy_int(recorded) : reader->plan->recorded_at;
    reader->place = 0;
    const bst__copy_field *const data = &row[SEGMENT_DATA];
    reader->data = (bst__scan){data->bytes, data->bytes + data->len};
    return bst__scan_byte(&reader->data, '[') ? BST_OK : malformed(reader);
}

/* Events in a row */

static bool scan_bound(bst__scan *scan, int64_t open, int64_t *ret) {
    bst__item token;
    if (!bst__scan_value(scan, &token))
        return false;
    *ret = open;
    return bst__item_is_null(&token) || bst__item_int(&token, ret);
}

/* `[at,{...}]` or `[at,after,before,{...}]` */
static bool scan_item(bst__scan *scan, bst_stored_event *event, bst__item *ret_payload) {
    if (!bst__scan_byte(scan, '[') || !bst__scan_int(scan, &event->occurred_at) ||
        !bst__scan_byte(scan, ','))
        return false;
    bst__scan ahead = *scan;
    event->interval = !bst__scan_byte(&ahead, '{');
    if (event->interval &&
        !(scan_bound(scan, BST_TIME_MINUS_INFINITY, &event->after) && bst__scan_byte(scan, ',') &&
          scan_bound(scan, BST_TIME_INFINITY, &event->before) && bst__scan_byte(scan, ',')))
        return false;
    return bst__scan_value(scan, ret_payload) && ret_payload->kind == BST__OBJECT &&
           bst__scan_byte(scan, ']');
}

static bst_status read_payload(reader_pg *reader, const bst__item *payload) {
    bst_stored_event *const event = &reader->base.event;
    bst__payload_error error = {NULL, reader->base.message};
    bst_strbuf_clear(&error.message);
    const bst_status status = bst__payload_read(&reader->base.machine->events[event->type],
                                                event->type_version, payload->text, payload->len,
                                                reader->base.arena, reader->base.fields, &error);
    reader->base.message = error.message;
    if (status == BST_NOMEM)
        return bst_diag_nomem(reader->diags);
    if (status != BST_OK)
        return wrong(reader, "bad-payload", error.message.text);
    event->fields = reader->base.fields;
    event->data = payload->text;
    event->data_len = payload->len;
    return BST_OK;
}

static bst_status take_step(reader_pg *reader) {
    const bst__stored_step *const step = &reader->plan->steps[reader->place];
    bst_stored_event *const event = &reader->base.event;
    if (step->unknown) {
        bst_strbuf_clear(&reader->base.message);
        bst_strbuf_addf(&reader->base.message, "%s is not known to the machine", step->unknown);
        wrong(reader, "unknown-name", reader->base.message.text);
        bst_diag_hint(reader->diags,
                      "The events were written by another version of machine \"%s\". A state, an "
                      "event or a field that was renamed since says so: \"was\": \"old_name\".",
                      reader->base.machine->id);
        return BST_INVALID;
    }
    event->type = step->type;
    event->type_version = step->type_version;
    event->state = step->state;
    event->command = step->command;
    event->basis = step->basis;
    event->confidence = step->confidence;
    event->source = step->source;
    return BST_OK;
}

static bst_status follow(reader_pg *reader) {
    const bst_stored_event *const event = &reader->base.event;
    switch (bst__reader_step(&reader->base, event->key, event->key_len, event->version)) {
    case BST__FOLLOWS:
        return BST_OK;
    case BST__FOLLOWS_NOMEM:
        return bst_diag_nomem(reader->diags);
    default:
        return wrong(reader, "version-gap", "it does not follow the one before");
    }
}

static bst_status take_event(reader_pg *reader) {
    bst_stored_event *const event = &reader->base.event;
    bst__item payload;
    event->version++;
    bst_status status = follow(reader);
    if (status != BST_OK)
        return status;
    if ((reader->place > 0 && !bst__scan_byte(&reader->data, ',')) ||
        !scan_item(&reader->data, event, &payload))
        return malformed(reader);
    status = take_step(reader);
    if (status == BST_OK)
        status = read_payload(reader, &payload);
    if (status != BST_OK)
        return status;
    if (++reader->place < reader->plan->step_count)
        return BST_OK;
    reader->plan = NULL;
    return bst__scan_byte(&reader->data, ']') && bst__scan_done(&reader->data) ? BST_OK
                                                                               : malformed(reader);
}

static bst_status start_rows(reader_pg *reader, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    reader->started = true;
    bst_strbuf_addf(
        &sql,
        "COPY (SELECT key, first_version, run_id, plan, recorded_at, data FROM backstory.segment"
        " WHERE %s ORDER BY key, first_version) TO STDOUT (FORMAT binary)",
        reader->condition.text);
    const bst_status status = sql.failed ? bst_diag_nomem(diags)
                                         : bst__copy_reader_start(&reader->rows, reader->pg,
                                                                  sql.text, SEGMENT_COLUMNS, diags);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status pg_next(bst_reader *base, const bst_stored_event **ret_event, bst_diags *diags) {
    reader_pg *const reader = (reader_pg *)base;
    bool row = true;
    bst_status status = BST_OK;
    reader->diags = diags;
    bst_arena_clear(base->arena);
    if (!reader->started)
        status = start_rows(reader, diags);
    if (status == BST_OK && !reader->plan)
        status = take_row(reader, &row);
    if (status == BST_OK && row)
        status = take_event(reader);
    if (status == BST_OK)
        *ret_event = row ? &base->event : NULL;
    return status;
}

static void pg_free(bst_reader *base) {
    reader_pg *const reader = (reader_pg *)base;
    if (!reader->borrowed) {
        bst_pg_free(reader->pg);
        bst__plan_shelf_free(reader->plans);
    }
    bst__reader_release(base);
    bst_strbuf_release(&reader->condition);
    free(reader->moment);
    free(reader);
}

static bst_status pg_moment(bst_reader *base, const char **ret, bst_diags *diags) {
    reader_pg *const reader = (reader_pg *)base;
    bst_status status = BST_OK;
    if (!reader->moment)
        status = bst__pg_value(reader->pg, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL,
                               &reader->moment, diags);
    *ret = reader->moment;
    return status;
}

/* Told by a sample of the pages; equal parts matter less than a quick answer. */
static bst_status pg_cut(bst_reader *base, uint32_t count, bst_arena *arena,
                         const char *const **ret_keys, size_t *ret_count, bst_diags *diags) {
    reader_pg *const reader = (reader_pg *)base;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_addf(&sql,
                    "SELECT DISTINCT key FROM (SELECT key, row_number() OVER (ORDER BY key) AS n,"
                    " count(*) OVER () AS c FROM backstory.segment TABLESAMPLE SYSTEM (2)"
                    " REPEATABLE (1) WHERE %s) x WHERE n * %lu / c > (n - 1) * %lu / c AND n < c"
                    " ORDER BY key",
                    reader->condition.text, (unsigned long)count, (unsigned long)count);
    bst_status status = sql.failed ? bst_diag_nomem(diags)
                                   : bst_pg_query(reader->pg, sql.text, 0, NULL, &rows, diags);
    bst_strbuf_release(&sql);
    const size_t found = status == BST_OK ? bst_pg_rows_count(rows) : 0;
    const char **const keys = bst_arena_array(arena, found, sizeof *keys);
    for (size_t i = 0; i < found && keys; i++) {
        keys[i] = bst_arena_strdup(arena, bst_pg_rows_text(rows, i, 0));
        status = keys[i] ? status : bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    *ret_keys = keys;
    *ret_count = found;
    return keys ? status : bst_diag_nomem(diags);
}

static bst_status digest(reader_pg *reader, const char *const *bounds, size_t count,
                         bst_arena *arena, const char **ret_digests, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, BST_PG_DIGEST_HEAD);
    bst_pg_add_key_chunk(reader->pg, bounds, count, "key", &sql);
    bst_strbuf_addf(&sql,
                    " AS chunk, ROW(key, first_version, run_id, plan, recorded_at, data) AS r"
                    " FROM backstory.segment WHERE %s) x) y GROUP BY chunk",
                    reader->condition.text);
    const bst_status status =
        sql.failed ? bst_diag_nomem(diags)
                   : bst_pg_digests(reader->pg, sql.text, count, arena, ret_digests, diags);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status pg_mark(bst_reader *base, const char *const *bounds, size_t count,
                          const bst_marks *before, bst_arena *arena, bst_marks *ret,
                          bst_diags *diags) {
    reader_pg *const reader = (reader_pg *)base;
    bst_strbuf from = BST_STRBUF_INIT;
    bst_status status = bst_pg_stamp(reader->pg, "backstory.segment", arena, &ret->stamp, diags);
    if (status != BST_OK || !ret->stamp)
        return status == BST_OK ? digest(reader, bounds, count, arena, ret->marks, diags) : status;
    bst_strbuf_addf(&from, "backstory.segment t WHERE %s", reader->condition.text);
    const bst_pg_chunks chunks = {from.text, "key", count, bounds};
    status = from.failed ? bst_diag_nomem(diags)
                         : bst_pg_marks(reader->pg, &chunks, before, arena, ret, diags);
    bst_strbuf_release(&from);
    return status;
}

static const bst__reader_ops pg_ops = {pg_next, pg_free, pg_moment, pg_cut, pg_mark};

/* Opening */

/* What a load has brought counts when all of it is there. */
static bst_status leave_out_unfinished(reader_pg *reader, bst_strbuf *segments, bst_diags *diags) {
    char *runs = NULL;
    const bst_status status = bst__pg_value(
        reader->pg,
        "SELECT string_agg(run_id::text, ',') FROM backstory.load WHERE finished_at IS NULL", 0,
        NULL, &runs, diags);
    if (status == BST_OK && runs)
        bst_strbuf_addf(segments, " AND run_id <> ALL ('{%s}')", runs);
    free(runs);
    return status;
}

/* Which rows of segment are to be read, and which of plan belong to them. A machine that the
 * store has not heard of has no events: its number is 0 here. */
static bst_status make_conditions(reader_pg *reader, const char *key, const bst_key_part *part,
                                  bst_strbuf *plans, bst_diags *diags) {
    bst_strbuf *const segments = &reader->condition;
    const char *const params[] = {reader->base.machine->id};
    int64_t machine_id;
    bst_status status =
        bst__pg_number(reader->pg, "SELECT machine_id FROM backstory.machine WHERE name = $1", 1,
                       params, &machine_id, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_addf(segments, "machine_id = %lld", (long long)machine_id);
    status = leave_out_unfinished(reader, segments, diags);
    if (status != BST_OK)
        return status;
    if (key) {
        bst_strbuf_adds(segments, " AND key = ");
        if (!bst_pg_add_literal(reader->pg, key, segments))
            return bst_diag_nomem(diags);
        bst_strbuf_addf(plans,
                        "(run_id, plan) IN (SELECT run_id, plan FROM backstory.segment WHERE %s)",
                        segments->text);
    } else {
        bst_strbuf_addf(plans,
                        "machine_version_id IN (SELECT machine_version_id FROM"
                        " backstory.machine_version WHERE machine_id = %lld)",
                        (long long)machine_id);
    }
    if (part) {
        bst_strbuf_adds(segments, " AND ");
        bst_pg_add_key_part(reader->pg, part, "key", segments);
    }
    return segments->failed || plans->failed ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status start(reader_pg *reader, const char *key, const bst_key_part *part,
                        const char *moment, bst_diags *diags) {
    bst_strbuf plans = BST_STRBUF_INIT;
    bst_status status = bst__pg_begin_at(reader->pg, moment, diags);
    if (status == BST_OK)
        status = bst__store_need(reader->pg, diags);
    if (status == BST_OK)
        status = make_conditions(reader, key, part, &plans, diags);
    if (status == BST_OK)
        status = bst__plan_shelf_load(reader->pg, reader->base.machine, plans.text, &reader->plans,
                                      diags);
    bst_strbuf_release(&plans);
    return status;
}

bst_status bst__reader_pg_attach(bst_pg *pg, const bst_machine *machine,
                                 struct bst__plan_shelf *plans, const char *condition,
                                 bst_reader **ret, bst_diags *diags) {
    reader_pg *const reader = calloc(1, sizeof *reader);
    if (!reader)
        return bst_diag_nomem(diags);
    reader->pg = pg;
    reader->plans = plans;
    reader->borrowed = true;
    bst_strbuf_init(&reader->condition);
    bst_strbuf_adds(&reader->condition, condition);
    bst_status status = bst__reader_init(&reader->base, &pg_ops, machine, diags);
    if (status == BST_OK)
        status = leave_out_unfinished(reader, &reader->condition, diags);
    if (status == BST_OK && reader->condition.failed)
        status = bst_diag_nomem(diags);
    if (status == BST_OK)
        status = start_rows(reader, diags);
    if (status != BST_OK) {
        pg_free(&reader->base);
        return status;
    }
    *ret = &reader->base;
    return BST_OK;
}

bst_status bst__reader_pg_open(const char *conninfo, const bst_machine *machine, const char *key,
                               const bst_key_part *part, const char *moment, bst_reader **ret,
                               bst_diags *diags) {
    reader_pg *const reader = calloc(1, sizeof *reader);
    if (!reader)
        return bst_diag_nomem(diags);
    bst_strbuf_init(&reader->condition);
    bst_status status = bst__reader_init(&reader->base, &pg_ops, machine, diags);
    if (status == BST_OK)
        status = bst_pg_connect(conninfo, BST_PG_STORE, &reader->pg, diags);
    if (status == BST_OK)
        status = start(reader, key, part, moment, diags);
    if (status != BST_OK) {
        pg_free(&reader->base);
        return status;
    }
    *ret = &reader->base;
    return BST_OK;
}
