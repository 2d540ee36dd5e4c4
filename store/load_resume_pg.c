/* Is there an earlier load of this machine, and is it the same one?
 *
 * The same load asks the same: machine file, mapping file, and source. When it is finished there is
 * nothing to do, whatever else was begun since. A machine has at most one unfinished load, whatever
 * its source: to start another one beside it would be to leave half a history behind without a
 * word.
 */
#include "load_private.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "backstory/digest.h"
#include "backstory/timestamp.h"
#include "pg_store_private.h"

enum {
    RUN,
    MACHINE,
    FINISHED,
    MACHINE_SHA256,
    MAPPING_SHA256,
    IDENTITY,
    SOURCE,
    RESUMABLE,
    RECORDED_AT /* in microseconds from 2000-01-01 */
};

static const char find_sql[] =
    "SELECT run_id, load.machine_id, finished_at, version.sha256, mapping_sha256, source_identity,"
    " source, resumable, ((extract(epoch FROM recorded_at) - 946684800) * 1000000)::bigint"
    " FROM backstory.load JOIN backstory.machine USING (machine_id)"
    " JOIN backstory.machine_version AS version USING (machine_version_id)"
    " WHERE machine.name = $1 ORDER BY finished_at IS NULL DESC, run_id DESC";

static bst_status find_loads(const bst_load *load, bst_pg_rows **ret, bst_diags *diags) {
    const char *const params[] = {load->machine->id};
    return bst_pg_query(load->pg, find_sql, 1, params, ret, diags);
}

static bool is_same(const char *a, const char *b) {
    return a ? b && strcmp(a, b) == 0 : !b;
}

/* Appends "; the column ... was ..., and is now ..." for every name whose texts differ. */
static void add_differences(const char *was, const char *is, bst_strbuf *out) {
    json_t *const before = was ? json_loads(was, 0, NULL) : NULL;
    json_t *const now = is ? json_loads(is, 0, NULL) : NULL;
    const char *name;
    json_t *value;
    json_object_foreach (now, name, value) {
        const char *const old_text = json_string_value(json_object_get(before, name));
        const char *const new_text = json_string_value(value);
        if (!is_same(old_text, new_text))
            bst_strbuf_addf(out, "%sthe %s was \"%s\" and is now \"%s\"", out->len ? "; " : "",
                            name, old_text ? old_text : "", new_text ? new_text : "");
    }
    json_decref(before);
    json_decref(now);
}

static void add_file(const char *what, const char *was, const char *is, bst_strbuf *out) {
    if (!is_same(was, is))
        bst_strbuf_addf(out, "%sthe %s file is another one (SHA-256 %.12s, was %.12s)",
                        out->len ? "; " : "", what, is ? is : "", was ? was : "");
}

static void find_differences(const bst_load *load, const bst_pg_rows *rows, size_t row,
                             bst_strbuf *out) {
    char sha256[BST_SHA256_HEX];
    size_t len;
    const char *const spec = bst_json_source_text(load->machine->source, &len);
    bst_sha256_hex(spec, len, sha256);
    add_file("machine", bst_pg_rows_text(rows, row, MACHINE_SHA256), sha256, out);
    add_file("mapping", bst_pg_rows_text(rows, row, MAPPING_SHA256), load->info.run.mapping_sha256,
             out);
    add_differences(bst_pg_rows_text(rows, row, IDENTITY), load->info.source_identity, out);
}

bst_status bst_load_same_source(const bst_load *load, const char *identity, bst_diags *diags) {
    bst_strbuf differences = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    add_differences(load->info.source_identity, identity, &differences);
    if (differences.failed) {
        status = bst_diag_nomem(diags);
    } else if (differences.len > 0) {
        status = bst_diag_add(diags, BST_INVALID, BST_ERROR, "source-changed", NULL,
                              "the source was changed while it was read");
        bst_diag_detail(diags, "%s.", differences.text);
        bst_diag_hint(diags, "Change it back and give the same command again; or give --restart, "
                             "which takes back what has been loaded.");
    }
    bst_strbuf_release(&differences);
    return status;
}

static void take(bst_load *load, const bst_pg_rows *rows, size_t row, bst_load_state state) {
    load->state = state;
    load->run_id = (int32_t)strtol(bst_pg_rows_text(rows, row, RUN), NULL, 10);
    load->machine_id = (int16_t)strtol(bst_pg_rows_text(rows, row, MACHINE), NULL, 10);
}

/* What has histories in it only its owner may take back. */
static bst_status discard(bst_load *load, const char *run_id, bst_diags *diags) {
    const char *const params[] = {run_id};
    bst_pg_rows *gone = NULL;
    bool withdrawn;
    bst_status status = bst__load_withdraw(load, run_id, &withdrawn, diags);
    if (status != BST_OK || withdrawn)
        return status;
    status = bst_pg_query(load->pg, "SELECT backstory.discard_load($1)", 1, params, &gone, diags);
    bst_pg_rows_free(gone);
    if (bst_diags_count(diags) > 0 && status == BST_DATABASE)
        bst_diag_hint(diags, "Only the owner of the store may take back a run that has loaded "
                             "something; the command that began it goes on with it.");
    return status;
}

static bst_status refuse(const bst_load *load, const bst_pg_rows *rows, const char *differences,
                         bst_diags *diags) {
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "run-differs", NULL,
                 "run %s of machine \"%s\" was broken off, and this command is not the one that "
                 "started it",
                 bst_pg_rows_text(rows, 0, RUN), load->machine->id);
    bst_diag_detail(diags, "%s.", differences);
    bst_diag_hint(diags, "Go on with the files and the source it was started with; or give "
                         "--restart, which takes back what it has loaded.");
    return BST_INVALID;
}

/* The events of a run have one time of recording; who names none takes the one there is. */
static void find_other_time(const bst_load *load, const bst_pg_rows *rows, bst_strbuf *out) {
    char before[BST_TIME_TEXT_MAX], now[BST_TIME_TEXT_MAX];
    const int64_t was = strtoll(bst_pg_rows_text(rows, 0, RECORDED_AT), NULL, 10);
    if (!load->info.run.has_recorded_at || was == load->info.run.recorded_at)
        return;
    bst_time_format(was, before);
    bst_time_format(load->info.run.recorded_at, now);
    bst_strbuf_addf(out, "%sthe events were recorded at %s, and are now at %s",
                    out->len ? "; " : "", before, now);
}

static bst_status take_unfinished(bst_load *load, const bst_pg_rows *rows, bst_diags *diags) {
    bst_strbuf differences = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    find_differences(load, rows, 0, &differences);
    find_other_time(load, rows, &differences);
    if (differences.failed)
        status = bst_diag_nomem(diags);
    else if (differences.len > 0)
        status = refuse(load, rows, differences.text, diags);
    else if (!load->info.resumable || strcmp(bst_pg_rows_text(rows, 0, RESUMABLE), "t") != 0)
        status = discard(load, bst_pg_rows_text(rows, 0, RUN), diags);
    else
        take(load, rows, 0, BST_LOAD_UNFINISHED);
    bst_strbuf_release(&differences);
    return status;
}

/* Of the finished ones, the same one. False: there is none. */
static bool take_finished(bst_load *load, const bst_pg_rows *rows) {
    for (size_t row = 0; row < bst_pg_rows_count(rows); row++) {
        bst_strbuf differences = BST_STRBUF_INIT;
        if (!bst_pg_rows_text(rows, row, FINISHED))
            continue;
        find_differences(load, rows, row, &differences);
        const bool same = differences.len == 0 && !differences.failed;
        bst_strbuf_release(&differences);
        if (same) {
            take(load, rows, row, BST_LOAD_FINISHED);
            return true;
        }
    }
    return false;
}

bst_status bst__load_look_up(bst_load *load, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_status status = find_loads(load, &rows, diags);
    load->state = BST_LOAD_NEW;
    if (status == BST_OK) {
        const bool unfinished = bst_pg_rows_count(rows) > 0 && !bst_pg_rows_text(rows, 0, FINISHED);
        if (unfinished && load->info.restart)
            status = discard(load, bst_pg_rows_text(rows, 0, RUN), diags);
        if (status == BST_OK && !take_finished(load, rows) && unfinished && !load->info.restart)
            status = take_unfinished(load, rows, diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

static void tell_finished(const bst_load *load, const bst_pg_rows *rows, size_t row,
                          bst_diags *diags) {
    bst_strbuf differences = BST_STRBUF_INIT;
    find_differences(load, rows, row, &differences);
    bst_diag_add(diags, BST_OK, BST_NOTE, "run-before", NULL,
                 "run %s has loaded machine \"%s\" from \"%s\" into this store, and is finished",
                 bst_pg_rows_text(rows, row, RUN), load->machine->id,
                 bst_pg_rows_text(rows, row, SOURCE));
    if (differences.len > 0 && !differences.failed)
        bst_diag_detail(diags, "%s.", differences.text);
    bst_diag_hint(diags, "What is loaded stays as it is: load into another store, or let backstory "
                         "follow bring what is new.");
    bst_strbuf_release(&differences);
}

/* Of a kind that has no load, as a follower's. */
static void tell_other_run(const bst_load *load, bst_diags *ignored, bst_diags *diags) {
    static const char sql[] =
        "SELECT run_id, kind, source FROM backstory.run JOIN backstory.machine_version"
        " USING (machine_version_id) JOIN backstory.machine USING (machine_id)"
        " WHERE machine.name = $1 ORDER BY run_id DESC LIMIT 1";
    const char *const params[] = {load->machine->id};
    bst_pg_rows *rows = NULL;
    const bst_status status = bst_pg_query(load->pg, sql, 1, params, &rows, ignored);
    if (status == BST_OK && bst_pg_rows_count(rows) > 0) {
        const char *const source = bst_pg_rows_text(rows, 0, 2);
        bst_diag_add(diags, BST_OK, BST_NOTE, "run-before", NULL,
                     "run %s (%s) has brought machine \"%s\" from \"%s\" into this store",
                     bst_pg_rows_text(rows, 0, 0), bst_pg_rows_text(rows, 0, 1), load->machine->id,
                     source ? source : "");
    }
    bst_pg_rows_free(rows);
}

void bst_load_tell_finished(bst_load *load, bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    bst_diags *const ignored = bst_diags_new();
    const bool asked = load->pg && ignored && find_loads(load, &rows, ignored) == BST_OK;
    size_t row = 0;
    while (asked && row < bst_pg_rows_count(rows) && !bst_pg_rows_text(rows, row, FINISHED))
        row++;
    if (asked && row < bst_pg_rows_count(rows))
        tell_finished(load, rows, row, diags);
    else if (asked)
        tell_other_run(load, ignored, diags);
    bst_pg_rows_free(rows);
    bst_diags_free(ignored);
}
