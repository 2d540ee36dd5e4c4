/* What a follower notes besides events: changes that could not become one, entities that are well
 * again, and races. Held as JSON arrays, which the server takes apart.
 */
#include <inttypes.h>
#include <string.h>

#include "backstory/pg_stream.h"
#include "backstory/timestamp.h"
#include "journal_private.h"

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

void bst__journal_add_exception(bst_strbuf *out, const bst_journal_exception *e) {
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
    const bst_status status = bst__journal_begin(j, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_adds(out, out->len == 0 ? "[{" : ",{");
    bst__journal_add_exception(out, e);
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
    const bst_status status = bst__journal_begin(j, diags);
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
static const char release_sql[] =
    "UPDATE backstory.follow_quarantine AS aside SET released_lsn = given.lsn"
    " FROM jsonb_to_recordset($3) AS given (key text, lsn pg_lsn)"
    " WHERE aside.slot = $1 AND aside.machine_id = $2 AND aside.key = given.key"
    " AND aside.released_lsn IS NULL AND aside.lsn <= given.lsn";

/* Gives what has been gathered, as an array, to a statement. */
bst_status bst__journal_hand_over(bst_journal *j, bst_strbuf *items, const char *sql,
                                  bst_diags *diags) {
    bst_strbuf machine = BST_STRBUF_INIT;
    if (items->len == 0)
        return BST_OK;
    bst_strbuf_addc(items, ']');
    bst_strbuf_add_int(&machine, j->machine_id);
    const char *const params[] = {j->info.slot, machine.text, items->text};
    const bst_status status = items->failed || machine.failed
                                  ? bst_diag_nomem(diags)
                                  : bst__journal_run(j, sql, 3, params, diags);
    bst_strbuf_release(&machine);
    bst_strbuf_clear(items);
    return status;
}

bst_status bst_journal_release(bst_journal *j, const char *key, size_t key_len, uint64_t lsn,
                               bst_diags *diags) {
    bst_status status = bst__journal_begin(j, diags);
    if (status == BST_OK && j->aside.len > 0) /* it may stand among those: they come first */
        status = bst__journal_hand_over(j, &j->aside, aside_sql, diags);
    if (status != BST_OK)
        return status;
    bst_strbuf_adds(&j->released, j->released.len == 0 ? "[{" : ",{");
    add_lsn(&j->released, "lsn", lsn);
    add_member(&j->released, "key", key, key_len);
    bst_strbuf_addc(&j->released, '}');
    return j->released.failed ? bst_diag_nomem(diags) : BST_OK;
}

bst_status bst__journal_send_notes(bst_journal *j, bst_diags *diags) {
    bst_status status = bst__journal_hand_over(j, &j->released, release_sql, diags);
    if (status == BST_OK)
        status = bst__journal_hand_over(j, &j->races, race_sql, diags);
    return status == BST_OK ? bst__journal_hand_over(j, &j->aside, aside_sql, diags) : status;
}
