/* Events of a follower. Segments are held as the rows of one COPY whose times and positions are
 * still blank; they are taken for all at once, filled in, and sent with the plans that are new.
 */
#include <assert.h>
#include <stdlib.h>

#include "copy_put_private.h"
#include "journal_private.h"
#include "pg_store_private.h"
#include "segment_row_private.h"

#define COLUMNS         8
#define RECORDED_OFFSET (2u + 4u) /* in a row: after the count of columns and the length */
#define POSITION_OFFSET (RECORDED_OFFSET + 8u + 4u)

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
    bst_status status = run.failed || version.failed ? bst_diag_nomem(diags) : BST_OK;
    if (status == BST_OK)
        status = bst__journal_run(
            j,
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
    struct bst__row_start *const more = realloc(j->starts, room * sizeof *more);
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
    bst_status status = bst__journal_begin(j, diags);
    if (status == BST_OK)
        status = need_run(j, diags);
    if (status != BST_OK)
        return status;
    if (!grow(j) || !bst__plan_book_number(&j->plans, j->machine, events->plan, &plan))
        return bst_diag_nomem(diags);
    j->starts[j->row_count++] = (struct bst__row_start){out->len, initial};
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
    bst__copy_set_be(out->text + at, (uint64_t)value, 8);
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
    const bst_status status =
        wanted.failed ? bst_diag_nomem(diags)
                      : bst_pg_query(j->pg, "SELECT * FROM backstory.take_positions($1)", 1, params,
                                     &p.runs, diags);
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

bst_status bst__journal_send_rows(bst_journal *j, bst_diags *diags) {
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
