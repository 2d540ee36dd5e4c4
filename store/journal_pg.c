/* The event store as a follower writes it.
 *
 * Segments are held as the rows of one COPY whose positions are still blank; a flush takes as many
 * positions as there are rows, fills them in, and sends the plans that are new, the rows, and what
 * was set aside. A commit flushes, moves the place of the slot from where it was seen last, and
 * commits: whoever finds it elsewhere has been overtaken, and nothing of his remains.
 */
#include "backstory/journal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/pg_stream.h"
#include "backstory/timestamp.h"
#include "copy_put_private.h"
#include "pg_private.h"
#include "pg_store_private.h"
#include "plan_shelf_private.h"
#include "reader_private.h"
#include "segment_row_private.h"
#include "sink_pg_private.h"

#define COLUMNS         8
#define RECORDED_OFFSET (2u + 4u) /* in a row: after the count of columns and the length */
#define POSITION_OFFSET (RECORDED_OFFSET + 8u + 4u)

/* Where a row begins among those that are held. */
struct row_start {
    size_t at;
    bool initial; /* it gets no position */
};

struct bst_journal {
    bst_pg *pg;
    const bst_machine *machine;
    bst_journal_info info;
    int16_t machine_id;
    int64_t version_id;
    int32_t run_id; /* 0: not yet taken */
    bool run_stored, open;
    bst_journal_state state;
    bool same_mapping;
    uint64_t lsn; /* of the slot, as committed */
    bst__plan_book plans;
    bst__plan_shelf *shelf;   /* all plans of the machine's events; NULL: to be loaded */
    bst_strbuf rows;          /* of a COPY, without its head */
    struct row_start *starts; /* of each row */
    size_t row_count, row_room, initial_count;
    bst_strbuf aside, released, races; /* JSON arrays without their end */
};

/* ---- opening */

static bst_status lock(bst_journal *j, const char *space, const char *name, bst_diags *diags) {
    const char *const params[] = {space, name};
    bool locked;
    const bst_status status =
        bst__pg_truth(j->pg, "SELECT pg_try_advisory_lock(hashtext($1), hashtext($2))", 2, params,
                      &locked, diags);
    if (status != BST_OK || locked)
        return status;
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "already-followed", NULL,
                 "another process follows %s into %s", name, bst_pg_label(j->pg));
    bst_diag_hint(diags, "One is enough. If it has just been killed, its session ends within a "
                         "moment: try again.");
    return BST_RETRY;
}

/* The source forgets what it is told is here: then it must be, whatever happens to this server.
 * And all questions are for a few thousand keys of many: by the index. */
static bst_status set_up(bst_journal *j, bst_diags *diags) {
    return bst_pg_exec(j->pg,
                       "SET enable_seqscan = off; SET jit = off;"
                       "SELECT set_config('synchronous_commit', 'on', false)"
                       " WHERE current_setting('synchronous_commit') = 'off'",
                       diags);
}

/* One process a slot, and one a machine and source: by two slots every change would come twice. */
static bst_status lock_both(bst_journal *j, bst_diags *diags) {
    static const char usual[] = "public."; /* may be left out */
    const char *const source = j->info.run.source;
    bst_strbuf name = BST_STRBUF_INIT;
    bst_strbuf_addf(&name, "slot %s", j->info.slot);
    bst_status status =
        name.failed ? bst_diag_nomem(diags) : lock(j, "backstory follow", name.text, diags);
    bst_strbuf_clear(&name);
    bst_strbuf_addf(&name, "%s from %s", j->machine->id,
                    source + (strncmp(source, usual, strlen(usual)) == 0 ? strlen(usual) : 0));
    if (status == BST_OK)
        status =
            name.failed ? bst_diag_nomem(diags) : lock(j, "backstory follow", name.text, diags);
    bst_strbuf_release(&name);
    return status;
}

static bst_status make_known(bst_journal *j, bst_diags *diags) {
    size_t len;
    bool fresh;
    int64_t machine_id = 0;
    const char *const spec[] = {bst_json_source_text(j->machine->source, &len)};
    const char *const name[] = {j->machine->id};
    bst_status status = bst_pg_exec(j->pg, "BEGIN", diags);
    if (status == BST_OK)
        status = bst__store_install(j->pg, &fresh, diags);
    if (status == BST_OK)
        status =
            bst__pg_number(j->pg, "SELECT backstory.register($1)", 1, spec, &j->version_id, diags);
    if (status == BST_OK)
        status = bst__pg_number(j->pg, "SELECT machine_id FROM backstory.machine WHERE name = $1",
                                1, name, &machine_id, diags);
    j->machine_id = (int16_t)machine_id;
    return status == BST_OK ? bst_pg_exec(j->pg, "COMMIT", diags) : status;
}

/* Events can be added to histories when all of these are there. */
static bst_status check_loaded(bst_journal *j, bst_diags *diags) {
    const char *const params[] = {j->machine->id};
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        j->pg,
        "SELECT l.run_id, m.name FROM backstory.load l JOIN backstory.machine m USING (machine_id)"
        " WHERE l.finished_at IS NULL"
        " AND (m.name = $1 OR to_regclass('backstory.segment_stream') IS NULL)"
        " ORDER BY m.name <> $1 LIMIT 1",
        1, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0) {
        status = BST_RETRY;
        bst_diag_add(diags, BST_RETRY, BST_ERROR, "load-unfinished", NULL,
                     "run %s, a migration of machine \"%s\" into %s, is not finished",
                     bst_pg_rows_text(rows, 0, 0), bst_pg_rows_text(rows, 0, 1),
                     bst_pg_label(j->pg));
        bst_diag_hint(diags, "backstory status tells how far it is. If it was broken off, the same "
                             "backstory migrate goes on with it; follow when it is done.");
    }
    bst_pg_rows_free(rows);
    return status;
}

static bst_status check_slot(bst_journal *j, const bst_pg_rows *rows, bst_diags *diags) {
    const char *const lsn = bst_pg_rows_text(rows, 0, 2);
    const bool own = strtoll(bst_pg_rows_text(rows, 0, 0), NULL, 10) == j->machine_id;
    if (!own || strcmp(bst_pg_rows_text(rows, 0, 1), j->info.run.source) != 0) {
        bst_diag_add(diags, BST_INVALID, BST_ERROR, "other-slot", NULL,
                     "slot \"%s\" of this store follows %s%s", j->info.slot,
                     own ? "" : "another machine from ", bst_pg_rows_text(rows, 0, 1));
        bst_diag_hint(diags, "Give this one another name with --slot.");
        return BST_INVALID;
    }
    j->state = lsn ? BST_JOURNAL_READY : BST_JOURNAL_UNFINISHED;
    j->same_mapping = strcmp(bst_pg_rows_text(rows, 0, 3), j->info.run.mapping_sha256) == 0;
    if (lsn && !bst_lsn_parse(lsn, &j->lsn))
        return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "store-damaged", NULL,
                            "the place of slot \"%s\" in the store is not one", j->info.slot);
    return BST_OK;
}

static bst_status find_slot(bst_journal *j, bst_diags *diags) {
    const char *const params[] = {j->info.slot};
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(
        j->pg,
        "SELECT machine_id, source, lsn, mapping_sha256 FROM backstory.follow WHERE slot = $1", 1,
        params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == 1)
        status = check_slot(j, rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_journal_open(const char *conninfo, const bst_machine *machine,
                            const bst_journal_info *info, bst_journal **ret, bst_diags *diags) {
    bst_journal *const j = calloc(1, sizeof *j);
    if (!j)
        return bst_diag_nomem(diags);
    j->machine = machine;
    j->info = *info;
    bst_strbuf_init(&j->rows);
    bst_strbuf_init(&j->aside);
    bst_strbuf_init(&j->released);
    bst_strbuf_init(&j->races);
    bst_status status = bst_pg_connect(conninfo, &j->pg, diags);
    if (status == BST_OK)
        status = set_up(j, diags);
    if (status == BST_OK)
        status = make_known(j, diags);
    if (status == BST_OK)
        status = lock_both(j, diags);
    if (status == BST_OK)
        status = check_loaded(j, diags);
    if (status == BST_OK)
        status = find_slot(j, diags);
    if (status != BST_OK) {
        bst_journal_free(j);
        return status;
    }
    *ret = j;
    return BST_OK;
}

bst_journal *bst_journal_free(bst_journal *j) {
    if (j) {
        bst_pg_free(j->pg);
        bst__plan_book_release(&j->plans);
        bst__plan_shelf_free(j->shelf);
        bst_strbuf_release(&j->rows);
        bst_strbuf_release(&j->aside);
        bst_strbuf_release(&j->released);
        bst_strbuf_release(&j->races);
        free(j->starts);
        free(j);
    }
    return NULL;
}

bst_status bst_journal_others(bst_journal *j, bst_strbuf *out, bst_diags *diags) {
    return bst__follow_others(j->pg, j->machine->id, j->info.run.source, j->info.slot, out, diags);
}

bst_journal_state bst_journal_where(const bst_journal *j, uint64_t *ret_lsn) {
    *ret_lsn = j->lsn;
    return j->state;
}

bool bst_journal_same_mapping(const bst_journal *j) {
    return j->same_mapping;
}

static bst_status run_statement(bst_journal *j, const char *sql, size_t count,
                                const char *const *params, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(j->pg, sql, count, params, &rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_journal_enter(bst_journal *j, bst_diags *diags) {
    bst_strbuf machine = BST_STRBUF_INIT;
    assert(!j->open);
    bst_strbuf_add_int(&machine, j->machine_id);
    const char *const params[] = {j->info.slot, machine.text, j->info.run.source,
                                  j->info.run.mapping_sha256};
    const bst_status status =
        run_statement(j,
                      "INSERT INTO backstory.follow (slot, machine_id, source, mapping_sha256)"
                      " VALUES ($1, $2, $3, $4) ON CONFLICT (slot) DO UPDATE"
                      " SET lsn = NULL, mapping_sha256 = excluded.mapping_sha256",
                      4, params, diags);
    bst_strbuf_release(&machine);
    if (status == BST_OK) {
        j->state = BST_JOURNAL_UNFINISHED;
        j->lsn = 0;
        j->same_mapping = true;
    }
    return status;
}

static bst_status begin(bst_journal *j, bst_diags *diags) {
    if (j->open)
        return BST_OK;
    const bst_status status =
        bst_pg_exec(j->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    j->open = status == BST_OK;
    return status;
}

/* ---- loading */

static bst_status need_plans(bst_journal *j, bst_diags *diags) {
    bst_strbuf condition = BST_STRBUF_INIT;
    if (j->shelf)
        return BST_OK;
    bst_strbuf_addf(&condition,
                    "machine_version_id IN (SELECT machine_version_id FROM"
                    " backstory.machine_version WHERE machine_id = %d)",
                    j->machine_id);
    const bst_status status =
        condition.failed
            ? bst_diag_nomem(diags)
            : bst__plan_shelf_load(j->pg, j->machine, condition.text, &j->shelf, diags);
    bst_strbuf_release(&condition);
    return status;
}

static bst_status visit_events(bst_journal *j, const char *condition,
                               const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_status status = need_plans(j, diags);
    if (status == BST_OK)
        status = bst__reader_pg_attach(j->pg, j->machine, j->shelf, condition, &reader, diags);
    do {
        if (status == BST_OK)
            status = bst_reader_next(reader, &event, diags);
        if (status == BST_OK && event)
            status = visitor->on_event(visitor->context, event);
    } while (status == BST_OK && event);
    bst_reader_free(reader);
    return status;
}

static bst_status visit_quarantined(bst_journal *j, const char *condition,
                                    const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_addf(&sql,
                    "SELECT DISTINCT key FROM backstory.follow_quarantine"
                    " WHERE released_lsn IS NULL AND %s",
                    condition);
    bst_status status =
        sql.failed ? bst_diag_nomem(diags) : bst_pg_query(j->pg, sql.text, 0, NULL, &rows, diags);
    const size_t count = status == BST_OK ? bst_pg_rows_count(rows) : 0;
    for (size_t i = 0; i < count && status == BST_OK; i++) {
        const char *const key = bst_pg_rows_text(rows, i, 0);
        status = visitor->on_quarantined(visitor->context, key, strlen(key));
    }
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

static bst_status visit(bst_journal *j, const bst_strbuf *condition,
                        const bst_journal_visitor *visitor, bst_diags *diags) {
    if (condition->failed)
        return bst_diag_nomem(diags);
    bst_status status = bst_journal_flush(j, diags); /* what is held must be seen */
    if (status == BST_OK)
        status = begin(j, diags);
    if (status == BST_OK)
        status = visit_events(j, condition->text, visitor, diags);
    return status == BST_OK ? visit_quarantined(j, condition->text, visitor, diags) : status;
}

static void add_literal(bst_journal *j, const bst_text *text, bst_strbuf *out) {
    char *const copy = strndup(text->text, text->len);
    out->failed = out->failed || !copy || !bst_pg_add_literal(j->pg, copy, out);
    free(copy);
}

bst_status bst_journal_load(bst_journal *j, const bst_text *keys, size_t count,
                            const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_strbuf condition = BST_STRBUF_INIT;
    if (count == 0)
        return BST_OK;
    /* Seen as a constant the server would take the list for a reason to read everything. */
    bst_strbuf_addf(&condition, "machine_id = %d AND key = ANY ((SELECT ARRAY[", j->machine_id);
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_adds(&condition, i > 0 ? "," : "");
        add_literal(j, &keys[i], &condition);
    }
    bst_strbuf_adds(&condition, "])::text[])");
    const bst_status status = visit(j, &condition, visitor, diags);
    bst_strbuf_release(&condition);
    return status;
}

bst_status bst_journal_load_range(bst_journal *j, const bst_text *after, const bst_text *upto,
                                  const bst_journal_visitor *visitor, bst_diags *diags) {
    bst_strbuf condition = BST_STRBUF_INIT;
    bst_strbuf_addf(&condition, "machine_id = %d", j->machine_id);
    if (after) {
        bst_strbuf_adds(&condition, " AND key > ");
        add_literal(j, after, &condition);
    }
    if (upto) {
        bst_strbuf_adds(&condition, " AND key <= ");
        add_literal(j, upto, &condition);
    }
    const bst_status status = visit(j, &condition, visitor, diags);
    bst_strbuf_release(&condition);
    return status;
}

/* ---- writing */

/* The run of this process: there from the first transaction that needs it. */
static bst_status need_run(bst_journal *j, bst_diags *diags) {
    int64_t run_id = 0;
    if (j->run_id > 0)
        return BST_OK;
    const bst_status status =
        bst__pg_number(j->pg, "SELECT nextval('backstory.run_id')", 0, NULL, &run_id, diags);
    j->run_id = (int32_t)run_id;
    return status;
}

static bst_status store_run(bst_journal *j, bst_diags *diags) {
    bst_strbuf run = BST_STRBUF_INIT, version = BST_STRBUF_INIT;
    bst_strbuf_add_int(&run, j->run_id);
    bst_strbuf_add_int(&version, j->version_id);
    const char *const params[] = {run.text, version.text, j->info.run.tool_version,
                                  j->info.run.mapping_sha256, j->info.run.source};
    const bst_status status =
        run_statement(j,
                      "INSERT INTO backstory.run (run_id, machine_version_id, kind, tool_version,"
                      " mapping_sha256, source) VALUES ($1, $2, 'follow', $3, $4, $5)",
                      5, params, diags);
    bst_strbuf_release(&run);
    bst_strbuf_release(&version);
    return status;
}

static bool grow(bst_journal *j) {
    if (j->row_count < j->row_room)
        return true;
    const size_t room = j->row_room ? 2 * j->row_room : 1024;
    struct row_start *const more = realloc(j->starts, room * sizeof *more);
    if (!more)
        return false;
    j->starts = more;
    j->row_room = room;
    return true;
}

bst_status bst_journal_append(bst_journal *j, const bst_history *events, int64_t first_version,
                              bool initial, bst_diags *diags) {
    int64_t plan;
    bst_strbuf *const out = &j->rows;
    bst_status status = begin(j, diags);
    if (status == BST_OK)
        status = need_run(j, diags);
    if (status != BST_OK)
        return status;
    if (!grow(j) || !bst__plan_book_number(&j->plans, j->machine, events->plan, &plan))
        return bst_diag_nomem(diags);
    j->starts[j->row_count++] = (struct row_start){out->len, initial};
    j->initial_count += initial;
    bst__copy_put_be(out, COLUMNS, 2);
    bst__copy_put_int(out, 0, 8); /* time and position: see fill_in() */
    if (initial)
        bst__copy_put_text(out, NULL, 0);
    else
        bst__copy_put_int(out, 0, 8);
    bst__copy_put_int(out, first_version, 4);
    bst__copy_put_int(out, j->run_id, 4);
    bst__copy_put_int(out, plan, 8);
    bst__copy_put_int(out, j->machine_id, 2);
    bst__copy_put_text(out, events->key, events->key_len);
    if (!bst__segment_put_data(out, j->machine, events))
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "history-too-large", NULL,
                            "the events of entity \"%.*s\" have more than %u bytes",
                            (int)events->key_len, events->key, BST__SEGMENT_BYTES_MAX);
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

static void put_at(bst_strbuf *out, size_t at, int64_t value) {
    for (int i = 0; i < 8; i++)
        out->text[at + (size_t)i] = (char)((uint64_t)value >> (8 * (7 - i)));
}

/* Positions as the server has given them: runs of neighbours, one after the other. */
typedef struct positions {
    bst_pg_rows *runs;
    size_t run;
    int64_t taken; /* of that run */
} positions;

static int64_t run_value(const positions *p, size_t column) {
    return strtoll(bst_pg_rows_text(p->runs, p->run, column), NULL, 10);
}

static int64_t next_position(positions *p) {
    while (p->taken == run_value(p, 1)) {
        p->run++;
        p->taken = 0;
        assert(p->run < bst_pg_rows_count(p->runs));
    }
    return run_value(p, 0) + p->taken++;
}

/* Gives the rows their time, and their positions in the order in which they came. */
static bst_status fill_in(bst_journal *j, bst_diags *diags) {
    bst_strbuf wanted = BST_STRBUF_INIT;
    positions p = {.runs = NULL};
    bst_strbuf_add_int(&wanted, (int64_t)(j->row_count - j->initial_count));
    const char *const params[] = {wanted.text};
    const bst_status status = bst_pg_query(j->pg, "SELECT * FROM backstory.take_positions($1)", 1,
                                           params, &p.runs, diags);
    bst_strbuf_release(&wanted);
    if (status != BST_OK)
        return status;
    const int64_t recorded = run_value(&p, 2);
    for (size_t i = 0; i < j->row_count; i++) {
        put_at(&j->rows, j->starts[i].at + RECORDED_OFFSET, recorded);
        if (!j->starts[i].initial)
            put_at(&j->rows, j->starts[i].at + POSITION_OFFSET, next_position(&p));
    }
    bst_pg_rows_free(p.runs);
    return BST_OK;
}

/* The unique index speaks: somebody else has appended to the entity. */
static bst_status report_conflict(bst_status status, bst_diags *found, bst_diags *diags) {
    for (size_t i = 0; i < bst_diags_count(found); i++) {
        const bst_diag *const diag = bst_diags_at(found, i);
        if (diag->status != BST_CONFLICT) {
            bst__diag_pass_on(diag, diags);
            continue;
        }
        bst_strbuf key = BST_STRBUF_INIT;
        bst_strbuf_adds(&key, "entity");
        bst__conflict_key(diag->detail ? diag->detail : "", &key);
        bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "fenced", NULL,
                     "somebody else has appended events to %s", key.text);
        bst_diag_hint(diags, "While the old system writes, its follower alone may append to the "
                             "entities that it follows.");
        bst_strbuf_release(&key);
    }
    bst_diags_free(found);
    return status;
}

static bst_status send_rows(bst_journal *j, bst_diags *diags) {
    bst_strbuf head = BST_STRBUF_INIT;
    bst_diags *const found = bst_diags_new();
    if (!found)
        return bst_diag_nomem(diags);
    bst__copy_put_head(&head);
    bst__copy_put_trailer(&j->rows);
    bst_status status = head.failed || j->rows.failed ? bst_diag_nomem(found) : BST_OK;
    if (status == BST_OK)
        status = bst_pg_copy_in(j->pg,
                                "COPY backstory.segment (recorded_at, position, first_version,"
                                " run_id, plan, machine_id, key, data) FROM STDIN (FORMAT binary)",
                                found);
    if (status == BST_OK)
        status = bst_pg_copy_write(j->pg, head.text, head.len, found);
    if (status == BST_OK)
        status = bst_pg_copy_write(j->pg, j->rows.text, j->rows.len, found);
    if (status == BST_OK)
        status = bst_pg_copy_finish(j->pg, j->row_count, found);
    bst_strbuf_release(&head);
    return report_conflict(status, found, diags);
}

static bst_status flush_rows(bst_journal *j, bst_diags *diags) {
    if (j->row_count == 0)
        return BST_OK;
    bst_status status = BST_OK;
    if (!j->run_stored)
        status = store_run(j, diags);
    j->run_stored = true; /* or all of this transaction is gone, and the journal with it */
    if (status == BST_OK)
        status = bst__plan_book_write(&j->plans, j->pg, j->machine, j->run_id, diags);
    if (status == BST_OK)
        status = fill_in(j, diags);
    if (status == BST_OK)
        status = send_rows(j, diags);
    const uint32_t stored = j->plans.stored;
    bst__plan_book_settle(&j->plans);
    if (j->plans.stored != stored)
        j->shelf = bst__plan_shelf_free(j->shelf);
    bst_strbuf_clear(&j->rows);
    j->row_count = j->initial_count = 0;
    return status;
}

/* ---- what could not become an event */

static void add_member(bst_strbuf *out, const char *name, const char *text, size_t len) {
    bst_strbuf_addf(out, ",\"%s\":", name);
    if (text)
        bst_strbuf_add_json(out, text, len);
    else
        bst_strbuf_adds(out, "null");
}

static void add_lsn(bst_strbuf *out, const char *name, uint64_t lsn) {
    char text[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, text);
    bst_strbuf_addf(out, "\"%s\":\"%s\"", name, text);
}

static void add_common(bst_strbuf *out, const bst_journal_exception *e) {
    char time[BST_TIME_TEXT_MAX];
    bst_time_format(e->committed_at, time);
    add_lsn(out, "lsn", e->lsn);
    bst_strbuf_addf(out, ",\"place\":%" PRIu32 ",\"xid\":%" PRIu32 ",\"committed_at\":\"%s\"",
                    e->place, e->xid, time);
    add_member(out, "operation", e->operation, strlen(e->operation));
    add_member(out, "reason", e->reason, strlen(e->reason));
    add_member(out, "message", e->message, strlen(e->message));
}

bst_status bst_journal_set_aside(bst_journal *j, const bst_journal_exception *e, bst_diags *diags) {
    bst_strbuf *const out = &j->aside;
    const char *const state = e->state == BST_NONE ? NULL : j->machine->states[e->state].name;
    const bst_status status = begin(j, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_adds(out, out->len == 0 ? "[{" : ",{");
    add_common(out, e);
    add_member(out, "key", e->key, e->key_len);
    add_member(out, "state", state, state ? strlen(state) : 0);
    bst_strbuf_addf(out, ",\"version\":%" PRId64, e->version);
    bst_strbuf_addf(out, ",\"old_row\":%s", e->old_row ? e->old_row : "null");
    bst_strbuf_addf(out, ",\"new_row\":%s}", e->new_row ? e->new_row : "null");
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

static void add_text(bst_strbuf *out, const char *name, const char *text) {
    add_member(out, name, text, text ? strlen(text) : 0);
}

bst_status bst_journal_note_race(bst_journal *j, const bst_journal_race *race, bst_diags *diags) {
    bst_strbuf *const out = &j->races;
    char time[BST_TIME_TEXT_MAX];
    const bst_status status = begin(j, diags);
    if (status != BST_OK)
        return status;
    bst_time_format(race->committed_at, time);
    bst_strbuf_adds(out, out->len == 0 ? "[{" : ",{");
    add_lsn(out, "lsn", race->lsn);
    bst_strbuf_addf(out, ",\"xid\":%" PRIu32 ",\"committed_at\":\"%s\",\"overwrote\":[", race->xid,
                    time);
    for (uint32_t i = 0; i < race->overwrote_count; i++)
        bst_strbuf_addf(out, i > 0 ? ",%" PRIu32 : "%" PRIu32, race->overwrote[i]);
    bst_strbuf_addc(out, ']');
    add_member(out, "key", race->key, race->key_len);
    add_text(out, "kind", race->kind);
    add_text(out, "proof", race->proof);
    add_text(out, "field", race->field);
    add_text(out, "seen", race->seen);
    add_text(out, "found", race->found);
    add_text(out, "wrote", race->wrote);
    add_text(out, "lost", race->lost);
    bst_strbuf_addc(out, '}');
    return out->failed ? bst_diag_nomem(diags) : BST_OK;
}

static const char race_sql[] =
    "INSERT INTO backstory.follow_race (slot, lsn, machine_id, key, kind, proof, field, xid,"
    " committed_at, overwrote, seen, found, wrote, lost)"
    " SELECT $1, lsn, $2, key, kind, proof, field, xid, committed_at, overwrote, seen, found,"
    " wrote, lost FROM jsonb_to_recordset($3) AS given (lsn pg_lsn, key text, kind text,"
    " proof text, field text, xid bigint, committed_at timestamptz, overwrote bigint[],"
    " seen text, found text, wrote text, lost numeric)";
static const char aside_sql[] =
    "INSERT INTO backstory.follow_quarantine (slot, lsn, place, machine_id, key, version, state,"
    " xid, committed_at, operation, reason, message, old_row, new_row)"
    " SELECT $1, lsn, place, $2, key, version, state, xid, committed_at, operation, reason,"
    " message, old_row, new_row FROM jsonb_to_recordset($3) AS given (lsn pg_lsn, place integer,"
    " key text, version bigint, state text, xid bigint, committed_at timestamptz,"
    " operation text, reason text, message text, old_row jsonb, new_row jsonb)";
static const char all_aside_sql[] =
    "INSERT INTO backstory.follow_quarantine (slot, lsn, place, machine_id, key, version, state,"
    " xid, committed_at, operation, reason, message)"
    " SELECT $1, lsn, place, $2, segment.key, segment.first_version + cardinality(plan.state) - 1,"
    " plan.state[cardinality(plan.state)], xid, committed_at, operation, reason, message"
    " FROM jsonb_to_recordset($3) AS given (lsn pg_lsn, place integer, xid bigint,"
    " committed_at timestamptz, operation text, reason text, message text)"
    " CROSS JOIN backstory.segment JOIN backstory.plan USING (run_id, plan)"
    " WHERE segment.machine_id = $2 AND NOT EXISTS (SELECT FROM backstory.segment AS later"
    "  WHERE later.machine_id = segment.machine_id AND later.key = segment.key"
    "  AND later.first_version > segment.first_version)";
static const char release_sql[] =
    "UPDATE backstory.follow_quarantine AS aside SET released_lsn = given.lsn"
    " FROM jsonb_to_recordset($3) AS given (key text, lsn pg_lsn)"
    " WHERE aside.slot = $1 AND aside.machine_id = $2 AND aside.key = given.key"
    " AND aside.released_lsn IS NULL AND aside.lsn <= given.lsn";

/* Gives what has been gathered, as an array, to a statement. */
static bst_status hand_over(bst_journal *j, bst_strbuf *items, const char *sql, bst_diags *diags) {
    bst_strbuf machine = BST_STRBUF_INIT;
    if (items->len == 0)
        return BST_OK;
    bst_strbuf_addc(items, ']');
    bst_strbuf_add_int(&machine, j->machine_id);
    const char *const params[] = {j->info.slot, machine.text, items->text};
    const bst_status status = items->failed || machine.failed
                                  ? bst_diag_nomem(diags)
                                  : run_statement(j, sql, 3, params, diags);
    bst_strbuf_release(&machine);
    bst_strbuf_clear(items);
    return status;
}

bst_status bst_journal_set_all_aside(bst_journal *j, const bst_journal_exception *e,
                                     bst_diags *diags) {
    bst_strbuf item = BST_STRBUF_INIT;
    bst_status status = bst_journal_flush(j, diags);
    if (status == BST_OK)
        status = begin(j, diags);
    bst_strbuf_adds(&item, "[{");
    add_common(&item, e);
    bst_strbuf_addc(&item, '}');
    if (status == BST_OK)
        status = hand_over(j, &item, all_aside_sql, diags);
    bst_strbuf_release(&item);
    return status;
}

bst_status bst_journal_release(bst_journal *j, const char *key, size_t key_len, uint64_t lsn,
                               bst_diags *diags) {
    bst_status status = begin(j, diags);
    if (status == BST_OK && j->aside.len > 0) /* it may stand among those: they come first */
        status = hand_over(j, &j->aside, aside_sql, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_adds(&j->released, j->released.len == 0 ? "[{" : ",{");
    add_lsn(&j->released, "lsn", lsn);
    add_member(&j->released, "key", key, key_len);
    bst_strbuf_addc(&j->released, '}');
    return j->released.failed ? bst_diag_nomem(diags) : BST_OK;
}

/* A slot before this one, by which the same rows were followed, has no place any more: else it
 * would be waited for, and what stands in quarantine by it would do so for ever. */
static const char release_all_sql[] =
    "WITH before AS (UPDATE backstory.follow AS f SET lsn = NULL FROM backstory.follow AS own"
    " WHERE own.slot = $1 AND f.slot <> own.slot AND f.machine_id = own.machine_id"
    " AND regexp_replace(f.source, '^public\\.', '') = regexp_replace(own.source, '^public\\.', '')"
    " RETURNING f.slot)"
    "UPDATE backstory.follow_quarantine SET released_lsn = $2"
    " WHERE released_lsn IS NULL AND (slot = $1 OR slot IN (SELECT slot FROM before))";

bst_status bst_journal_release_all(bst_journal *j, uint64_t lsn, bst_diags *diags) {
    char text[BST_LSN_TEXT_MAX];
    bst_lsn_format(lsn, text);
    const char *const params[] = {j->info.slot, text};
    const bst_status status = begin(j, diags);
    return status == BST_OK ? run_statement(j, release_all_sql, 2, params, diags) : status;
}

/* ---- the end of a transaction */

bst_status bst_journal_flush(bst_journal *j, bst_diags *diags) {
    bst_status status = flush_rows(j, diags);
    if (status == BST_OK)
        status = hand_over(j, &j->released, release_sql, diags);
    if (status == BST_OK)
        status = hand_over(j, &j->races, race_sql, diags);
    return status == BST_OK ? hand_over(j, &j->aside, aside_sql, diags) : status;
}

static bst_status report_fenced(const bst_journal *j, bst_diags *diags) {
    char seen[BST_LSN_TEXT_MAX];
    bst_lsn_format(j->lsn, seen);
    bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "fenced", NULL,
                 "slot \"%s\" is no longer at %s in the store: another follower was faster",
                 j->info.slot, seen);
    bst_diag_hint(diags, "Nothing of this transaction was kept. Let the other one go on, or start "
                         "again when it has ended.");
    return BST_CONFLICT;
}

static bst_status move(bst_journal *j, const bst_journal_mark *mark, bst_diags *diags) {
    char from[BST_LSN_TEXT_MAX], to[BST_LSN_TEXT_MAX], time[BST_TIME_TEXT_MAX];
    const uint64_t counts[] = {mark->transactions, mark->changes, mark->unchanged,
                               mark->quarantined, mark->events};
    char texts[5][24];
    bst_pg_rows *rows = NULL;
    bst_lsn_format(j->lsn, from);
    bst_lsn_format(mark->lsn, to);
    bst_time_format(mark->committed_at, time);
    for (int i = 0; i < 5; i++)
        snprintf(texts[i], sizeof texts[i], "%" PRIu64, counts[i]);
    const char *const params[] = {j->info.slot, j->state == BST_JOURNAL_READY ? from : NULL,
                                  to,           mark->committed_at != 0 ? time : NULL,
                                  texts[0],     texts[1],
                                  texts[2],     texts[3],
                                  texts[4]};
    bst_status status = bst_pg_query(
        j->pg,
        "UPDATE backstory.follow SET lsn = $3, committed_at = coalesce($4, committed_at),"
        " transactions = transactions + $5, changes = changes + $6, unchanged = unchanged + $7,"
        " quarantined = quarantined + $8, events = events + $9, moved_at = clock_timestamp()"
        " WHERE slot = $1 AND lsn IS NOT DISTINCT FROM $2 RETURNING 1",
        9, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) != 1)
        status = report_fenced(j, diags);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_journal_commit(bst_journal *j, const bst_journal_mark *mark, bst_diags *diags) {
    bst_status status = bst_journal_flush(j, diags);
    if (status == BST_OK)
        status = begin(j, diags);
    if (status == BST_OK && mark->lsn != 0)
        status = move(j, mark, diags);
    if (status == BST_OK)
        status = bst_pg_exec(j->pg, "COMMIT", diags);
    if (status != BST_OK)
        return status;
    j->open = false;
    if (mark->lsn != 0) {
        j->lsn = mark->lsn;
        j->state = BST_JOURNAL_READY;
    }
    return BST_OK;
}
