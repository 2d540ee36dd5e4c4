/* Races: what the log shows of transactions that did not see one another's work.
 *
 * The log has commits in their order, each with its transaction's number and with rows before and
 * after. Numbers are given out when a transaction first writes, or tries to. So of two transactions
 * P and T that wrote one row, P first:
 *
 *   T overlapped P    when T's number is lower than one that was seen committed by P's commit: T
 *                     was already under way. This is proved, but not that anything was lost: T may
 *                     have waited for P and read again.
 *   T lost P's work   is proved only by what T itself wrote down of what it meant to do: an entry
 *                     in a ledger that does not fit (found + amount != wrote), or a row version
 *                     that goes back: to one more than what T saw, behind one that was there since.
 *
 * A row lock makes every old image the image before: from the images alone a read-modify-write that
 * read too early looks like any other write. That is why there are two grades. Entities in
 * quarantine are passed over: their fold is not the row that a writer found.
 */
#include "follow_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/decimal.h"

struct bst__races {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_journal *journal;
    uint32_t ledger_field; /* BST_NONE: no ledger */
    bst__memory *memory;
    uint32_t newest; /* the newest transaction that has been seen; 0: none */
    bst__tallies tallies;
    bst_arena *scratch;
    uint64_t count;
    bst_strbuf seen, found, wrote, lost;
    bst_diags *diags;
};

/* ---- life ---- */

static bool is_number(bst_kind kind) {
    return kind == BST_KIND_INT2 || kind == BST_KIND_INT4 || kind == BST_KIND_INT8 ||
           kind == BST_KIND_DECIMAL;
}

static bst_status find_field(bst__races *r, const bst_follow_ledger *ledger, bst_diags *diags) {
    r->ledger_field = BST_NONE;
    if (!ledger)
        return BST_OK;
    const uint32_t f = bst_machine_field(r->machine, ledger->field);
    if (f != BST_NONE && is_number(r->machine->fields[f].type.kind) &&
        r->mapping->fields[f].kind != BST_FROM_NOTHING) {
        r->ledger_field = f;
        r->tallies.type = &r->machine->fields[f].type;
        return BST_OK;
    }
    return bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-field", NULL,
                        "\"%s\" is no number of machine \"%s\" that the mapping reads",
                        ledger->field, r->machine->id);
}

bst_status bst__races_new(const bst_mapping *mapping, const bst_follow_options *options,
                          bst_journal *journal, bst__races **ret, bst_diags *diags) {
    bst__races *const r = calloc(1, sizeof *r);
    if (!r)
        return bst_diag_nomem(diags);
    r->mapping = mapping;
    r->machine = mapping->machine;
    r->journal = journal;
    bst_strbuf_init(&r->seen);
    bst_strbuf_init(&r->found);
    bst_strbuf_init(&r->wrote);
    bst_strbuf_init(&r->lost);
    bst_status status = find_field(r, options->ledger, diags);
    r->memory = bst__memory_new(r->machine, r->ledger_field);
    r->scratch = bst_arena_new();
    if (status == BST_OK && !(r->memory && r->scratch))
        status = bst_diag_nomem(diags);
    if (status != BST_OK) {
        bst__races_free(r);
        return status;
    }
    *ret = r;
    return BST_OK;
}

bst__races *bst__races_free(bst__races *r) {
    if (r) {
        bst__tallies_clear(&r->tallies);
        bst_arena_free(r->scratch);
        bst__memory_free(r->memory);
        bst_strbuf_release(&r->seen);
        bst_strbuf_release(&r->found);
        bst_strbuf_release(&r->wrote);
        bst_strbuf_release(&r->lost);
        free(r);
    }
    return NULL;
}

uint64_t bst__races_count(const bst__races *r) {
    return r->count;
}

/* Numbers of transactions go round. */
static bool is_before(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) < 0;
}

static void see(bst__races *r, uint32_t xid) {
    if (r->newest == 0 || is_before(r->newest, xid))
        r->newest = xid;
}

bst__memory *bst__races_memory(bst__races *r) {
    return r->memory;
}

void bst__races_recall(bst__races *r, const bst__trace *trace) {
    see(r, trace->newest);
}

/* ---- notes ---- */

static const char *text_of(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    bst_strbuf_clear(out);
    if (!value->present)
        return NULL;
    bst_value_to_text(type, value, out);
    return out->text;
}

static bst_status note(bst__races *r, const bst__write *w, bst_journal_race *race) {
    race->key = w->known->key;
    race->key_len = w->known->key_len;
    race->lsn = w->lsn;
    race->xid = w->xid;
    race->committed_at = w->committed_at;
    r->count++;
    return bst_journal_note_race(r->journal, race, r->diags);
}

static bst_status note_field(bst__races *r, const bst__write *w, uint32_t f) {
    const bst__trace *const before = w->known->trace;
    const bst_type *const type = &r->machine->fields[f].type;
    const bool restored = bst_value_equal(type, &before->fields[f], &w->row->fields[f]);
    bst_journal_race race = {.kind = restored ? "restored" : "overlapped",
                             .proof = "transaction ids",
                             .field = r->machine->fields[f].name,
                             .overwrote_count = 1,
                             .overwrote = {before->xid},
                             .found = text_of(type, &w->known->fields[f], &r->found),
                             .wrote = text_of(type, &w->row->fields[f], &r->wrote)};
    return note(r, w, &race);
}

static bst_status note_state(bst__races *r, const bst__write *w) {
    const bst__trace *const before = w->known->trace;
    const bst_state *const states = r->machine->states;
    const bool overtook = is_before(w->xid, before->xid);
    bst_journal_race race = {.kind = before->state == w->row->state ? "restored"
                                     : overtook                     ? "overtook"
                                                                    : "overlapped",
                             .proof = "transaction ids",
                             .field = "(state)",
                             .overwrote_count = 1,
                             .overwrote = {before->xid},
                             .found = states[w->known->state].name,
                             .wrote = states[w->row->state].name};
    return note(r, w, &race);
}

/* ---- two writers ---- */

static bst_status compare_writers(bst__races *r, const bst__write *w) {
    const bst__trace *const before = w->known->trace;
    const bst_value *const found = w->known->fields;
    bst_status status = BST_OK;
    if (!is_before(w->xid, before->newest))
        return BST_OK; /* nothing says that they overlapped */
    if (before->state != w->known->state && w->row->state != w->known->state &&
        before->state != BST_NONE)
        status = note_state(r, w);
    for (uint32_t f = 0; f < r->machine->field_count && status == BST_OK; f++) {
        const bst_type *const type = &r->machine->fields[f].type;
        if (r->mapping->fields[f].kind != BST_FROM_NOTHING &&
            !bst_value_equal(type, &before->fields[f], &found[f]) &&
            !bst_value_equal(type, &found[f], &w->row->fields[f]))
            status = note_field(r, w, f);
    }
    return status;
}

static bool read_version(const char *text, int64_t *ret) {
    char *end = NULL;
    if (!text)
        return false;
    *ret = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

/* A version that goes back: the writer saw one less than what it set, and another has been there
 * since. One that stays proves nothing: a writer that leaves the column alone looks the same. Nor
 * does one below 1, for no writer saw a version below 0: it was set anew. */
static bst_status compare_versions(bst__races *r, const bst__write *w) {
    const bst__trace *const before = w->known->trace;
    const uint32_t setter = before ? before->version_by : 0;
    int64_t found, wrote;
    if (!read_version(w->old_version, &found) || !read_version(w->new_version, &wrote) ||
        wrote >= found || wrote < 1 || setter == w->xid)
        return BST_OK;
    bst_strbuf_clear(&r->seen);
    bst_strbuf_addf(&r->seen, "%" PRId64, wrote - 1);
    bst_journal_race race = {.kind = "lost-update",
                             .proof = "version",
                             .field = "(version)",
                             .overwrote_count = setter != 0 ? 1 : 0,
                             .overwrote = {setter},
                             .seen = r->seen.text,
                             .found = w->old_version,
                             .wrote = w->new_version};
    return note(r, w, &race);
}

static bool sets_version(const bst__write *w) {
    return w->old_version && w->new_version && strcmp(w->old_version, w->new_version) != 0;
}

/* ---- what is remembered ---- */

static void push_writer(bst__trace *trace, uint32_t xid, int64_t found) {
    if (trace->writer_count == BST_RACE_WRITERS_MAX) {
        trace->writer_count--;
        memmove(trace->writers, trace->writers + 1, trace->writer_count * sizeof *trace->writers);
        memmove(trace->found, trace->found + 1, trace->writer_count * sizeof *trace->found);
    }
    trace->writers[trace->writer_count] = xid;
    trace->found[trace->writer_count++] = found;
}

/* The state of things before the first write of a transaction. */
static bool remember(bst__races *r, bst__known *known, const bst__write *w) {
    size_t size;
    char *block = NULL;
    if (!known->trace)
        known->trace = bst__trace_new(r->machine);
    bst__trace *const trace = known->trace;
    if (!trace || !bst__cache_copy(r->machine, known->fields, trace->fields, &block, &size))
        return false;
    free(trace->block);
    trace->block = block;
    trace->state = known->state;
    trace->xid = w->xid;
    if (r->ledger_field != BST_NONE && known->fields[r->ledger_field].present)
        push_writer(trace, w->xid, known->fields[r->ledger_field].u.i);
    return true;
}

/* ---- the ledger ---- */

void bst__races_entry(bst__races *r, const bst__ledger_table *table,
                      const bst__ledger_change *change) {
    bst__tallies_entry(&r->tallies, table, change, r->scratch);
    bst_arena_clear(r->scratch);
}

void bst__races_emptied(bst__races *r) {
    r->tallies.unclear = true;
}

void bst__races_pass_over(bst__races *r, bst__known *known) {
    known->trace = bst__trace_free(known->trace);
    if (r->ledger_field != BST_NONE)
        bst__tallies_pass_over(&r->tallies, known->key, known->key_len);
}

/* Whose work it did not see: the last who found what it saw, and all after. */
static void name_overwritten(const bst__tally *t, int64_t seen, bst_journal_race *race) {
    uint32_t first = t->writer_count;
    while (first > 0 && t->writer_found[first - 1] != seen)
        first--;
    if (first == 0)
        return;
    for (uint32_t i = first - 1; i < t->writer_count; i++)
        race->overwrote[race->overwrote_count++] = t->writers[i];
}

static bst_status hold_against(bst__races *r, const bst__tally *t) {
    const bst_type *const type = r->tallies.type;
    bst_value seen = {.present = true}, lost = {.present = true};
    const bst_value found = {.present = true, .u.i = t->found};
    const bst_value wrote = {.present = true, .u.i = t->wrote};
    if (!bst__tally_lost(&r->tallies, t, &seen.u.i, &lost.u.i))
        return BST_OK;
    bst_journal_race race = {.kind = "lost-update",
                             .proof = "ledger",
                             .field = r->machine->fields[r->ledger_field].name,
                             .key = t->key,
                             .key_len = t->key_len,
                             .lsn = t->lsn,
                             .xid = t->xid,
                             .committed_at = t->committed_at,
                             .seen = text_of(type, &seen, &r->seen),
                             .found = text_of(type, &found, &r->found),
                             .wrote = text_of(type, &wrote, &r->wrote),
                             .lost = text_of(type, &lost, &r->lost)};
    name_overwritten(t, seen.u.i, &race);
    r->count++;
    return bst_journal_note_race(r->journal, &race, r->diags);
}

bst_status bst__races_commit(bst__races *r, bst_diags *diags) {
    bst_status status = BST_OK;
    r->diags = diags;
    for (const bst__tally *t = r->tallies.all; t && status == BST_OK; t = t->hh.next)
        status = hold_against(r, t);
    bst__tallies_clear(&r->tallies);
    return status;
}

/* ---- a write ---- */

bst_status bst__races_write(bst__races *r, bst__known *known, const bst__write *w,
                            bst_diags *diags) {
    bst_status status = BST_OK;
    r->diags = diags;
    see(r, w->xid);
    if (known->version == 0 || !w->row || known->quarantined) {
        bst__races_pass_over(r, known);
        return BST_OK;
    }
    const bool first = !known->trace || known->trace->xid != w->xid;
    if (r->ledger_field != BST_NONE)
        bst__tallies_write(&r->tallies, w, r->ledger_field);
    if (first && known->trace)
        status = compare_writers(r, w);
    if (status == BST_OK)
        status = compare_versions(r, w);
    if (status == BST_OK && first &&
        !(remember(r, known, w) && bst__memory_touch(r->memory, known->key, known->key_len)))
        status = bst_diag_nomem(diags);
    if (known->trace) {
        known->trace->newest = r->newest;
        if (sets_version(w))
            known->trace->version_by = w->xid;
    }
    return status;
}
