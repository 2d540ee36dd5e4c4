/* The session in which a follower writes to the event store: the store is there, nobody else
 * follows the same, and the slot is known.
 */
#include "journal_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/loads.h"
#include "backstory/pg_stream.h"
#include "pg_store_private.h"

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

/* One process a slot, and one a machine: by two slots of one source every change would come twice,
 * and of two sources each would put right what is of the other. */
static bst_status lock_both(bst_journal *j, bst_diags *diags) {
    bst_strbuf name = BST_STRBUF_INIT;
    bst_strbuf_addf(&name, "slot %s", j->info.slot);
    bst_status status =
        name.failed ? bst_diag_nomem(diags) : lock(j, "backstory follow", name.text, diags);
    bst_strbuf_clear(&name);
    bst_strbuf_addf(&name, "machine %s", j->machine->id);
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
    bst_follow_state known = {.empty = false};
    j->machine = machine;
    j->info = *info;
    bst_strbuf_init(&j->rows);
    bst_strbuf_init(&j->aside);
    bst_strbuf_init(&j->released);
    bst_strbuf_init(&j->races);
    bst_status status = bst_pg_connect(conninfo, BST_PG_STORE, &j->pg, diags);
    if (status == BST_OK)
        status = set_up(j, diags);
    if (status == BST_OK)
        status = make_known(j, diags);
    if (status == BST_OK)
        status = lock_both(j, diags);
    if (status == BST_OK)
        status = find_slot(j, diags);
    if (status == BST_OK)
        status = bst__follow_ready(j->pg, machine->id, info->slot, info->run.mapping_sha256, &known,
                                   diags);
    j->empty = known.empty;
    j->columns_before = known.columns;
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
        free(j->columns_before);
        free(j);
    }
    return NULL;
}

bst_status bst_journal_others(bst_journal *j, bst_follow_others *ret, bst_diags *diags) {
    return bst__follow_find_others(j->pg, j->machine->id, j->info.run.source, j->info.slot, ret,
                                   diags);
}

bst_journal_state bst_journal_where(const bst_journal *j, uint64_t *ret_lsn) {
    *ret_lsn = j->lsn;
    return j->state;
}

bool bst_journal_same_mapping(const bst_journal *j) {
    return j->same_mapping;
}

bool bst_journal_is_empty(const bst_journal *j) {
    return j->empty;
}

bst_status bst_journal_enter(bst_journal *j, bst_diags *diags) {
    bst_strbuf machine = BST_STRBUF_INIT;
    assert(!j->open);
    bst_strbuf_add_int(&machine, j->machine_id);
    const char *const params[] = {j->info.slot, machine.text, j->info.run.source,
                                  j->info.run.mapping_sha256};
    bst_status status = machine.failed ? bst_diag_nomem(diags) : BST_OK;
    if (status == BST_OK)
        status = bst__journal_run(
            j,
            "INSERT INTO backstory.follow (slot, machine_id, source, mapping_sha256)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT (slot) DO UPDATE"
            " SET lsn = NULL, writers = NULL, columns = NULL,"
            " mapping_sha256 = excluded.mapping_sha256",
            4, params, diags);
    bst_strbuf_release(&machine);
    if (status == BST_OK) {
        j->state = BST_JOURNAL_UNFINISHED;
        j->lsn = 0;
        j->same_mapping = true;
    }
    return status;
}

bst_status bst_journal_start(bst_journal *j, bst_strbuf *memory, bst_diags *diags) {
    const char *const params[] = {j->info.slot};
    char *text = NULL;
    bst_status status = bst__journal_run(j,
                                         "INSERT INTO backstory.follow_start (slot, lsn)"
                                         " SELECT slot, lsn FROM backstory.follow WHERE slot = $1",
                                         1, params, diags);
    if (status == BST_OK)
        status = bst__pg_value(j->pg, "SELECT writers FROM backstory.follow WHERE slot = $1", 1,
                               params, &text, diags);
    if (text)
        bst_strbuf_adds(memory, text);
    free(text);
    return status == BST_OK && memory->failed ? bst_diag_nomem(diags) : status;
}

void bst_journal_remember(bst_journal *j, const char *memory) {
    j->memory = memory;
}

const char *bst_journal_columns(const bst_journal *j) {
    return j->columns_before;
}

void bst_journal_keep_columns(bst_journal *j, const char *columns) {
    j->columns = columns;
}

bst_status bst__journal_run(bst_journal *j, const char *sql, size_t count,
                            const char *const *params, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(j->pg, sql, count, params, &rows, diags);
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst__journal_begin(bst_journal *j, bst_diags *diags) {
    if (j->open)
        return BST_OK;
    const bst_status status =
        bst_pg_exec(j->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", diags);
    j->open = status == BST_OK;
    return status;
}
