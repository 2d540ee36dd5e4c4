/* What the old system wrote down: rows of its ledger, and what they come to.
 *
 * A transaction says what it does to an entity's field by what it does to the ledger, all in all:
 * a row that it inserts adds its amount, one that it deletes takes it back, and one that it updates
 * does both; with another key in it that is another entity. So the sum is kept by transaction and
 * entity, beside the value that the transaction found in the row and the one that it left there,
 * and looked at when it is over.
 *
 *     insert (7, +4)   update (7, +4) to (7, +6)   row 7: found 10, wrote 16      16 - 6 = 10: fits
 *
 * A proof needs all of this. Where the log does not have the old row, where an amount cannot be
 * read, or where the value that was found is not what the transaction itself began with, nothing is
 * said. Nor where the sum is 0: a note was changed, or a row inserted and deleted again.
 */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

#define TALLIES_MAX 100000u /* entities of one transaction that a ledger is held against */

void bst__tallies_clear(bst__tallies *t) {
    bst__tally *tally, *next;
    HASH_ITER (hh, t->all, tally, next) {
        HASH_DEL(t->all, tally);
        free(tally);
    }
    t->unclear = false;
}

/* NULL: beyond the limit, or no memory; then a part of what the ledger says is missing. */
static bst__tally *find(bst__tallies *t, const char *key, size_t len) {
    bst__tally *tally;
    HASH_FIND(hh, t->all, key, len, tally);
    if (tally || HASH_COUNT(t->all) >= TALLIES_MAX)
        return tally;
    tally = calloc(1, sizeof *tally + len + 1);
    if (!tally) {
        t->unclear = true;
        return NULL;
    }
    memcpy(tally->key, key, len);
    tally->key_len = len;
    HASH_ADD_KEYPTR(hh, t->all, tally->key, len, tally);
    if (!tally->lost)
        return tally;
    free(tally);
    t->unclear = true;
    return NULL;
}

/* ---- what the ledger says */

static bst_text text_at(const bst_wal_tuple *tuple, uint32_t column) {
    const bst_wal_value *const value = bst__wal_value(tuple, column);
    return value->form == BST_WAL_TEXT ? (bst_text){value->text, value->len} : (bst_text){NULL, 0};
}

/* A value that is stored out of line and did not change stands in the old row alone. */
static bst_text new_text(const bst__ledger_change *c, uint32_t column) {
    const bool sent = bst__wal_value(&c->new_row, column)->form != BST_WAL_UNCHANGED;
    return text_at(sent ? &c->new_row : &c->old_row, column);
}

/* An entry that does not say of what, or how much, is none. */
static void add(bst__tallies *t, const bst_text *key, const bst_text *amount, bool back,
                bst_arena *scratch) {
    bst__tally *const tally = key->text && amount->text ? find(t, key->text, key->len) : NULL;
    bst_value value;
    if (!tally)
        return;
    if (bst_value_parse(t->type, amount->text, amount->len, scratch, &value) != BST_VALUE_OK)
        tally->unclear = true;
    else if (back ? __builtin_sub_overflow(tally->amount, value.u.i, &tally->amount)
                  : __builtin_add_overflow(tally->amount, value.u.i, &tally->amount))
        tally->unclear = true;
}

void bst__tallies_entry(bst__tallies *t, const bst__ledger_table *table,
                        const bst__ledger_change *c, bst_arena *scratch) {
    if (c->kind != BST_WAL_INSERT) {
        const bst_text key = text_at(&c->old_row, table->entity_at);
        const bst_text amount = text_at(&c->old_row, table->amount_at);
        /* An image of the key alone has NULL where the column is no part of it. */
        if (c->old_kind != 'O' && !(c->old_kind == 'K' && key.text && amount.text))
            t->unclear = true;
        else
            add(t, &key, &amount, true, scratch);
    }
    if (c->kind != BST_WAL_DELETE) {
        const bst_text key = new_text(c, table->entity_at);
        const bst_text amount = new_text(c, table->amount_at);
        add(t, &key, &amount, false, scratch);
    }
}

/* ---- what was done to the field */

void bst__tallies_pass_over(bst__tallies *t, const char *key, size_t len) {
    bst__tally *const tally = find(t, key, len);
    if (tally)
        tally->unclear = true;
}

void bst__tallies_write(bst__tallies *t, const bst__write *w, uint32_t field) {
    const bst__trace *const trace = w->known->trace;
    bst__tally *const tally = find(t, w->known->key, w->known->key_len);
    if (!tally)
        return;
    if (!w->row->fields[field].present || !w->known->fields[field].present) {
        tally->unclear = true;
        return;
    }
    if (!tally->written) {
        tally->found = w->known->fields[field].u.i;
        tally->writer_count = trace ? trace->writer_count : 0;
        for (uint32_t i = 0; i < tally->writer_count; i++) {
            tally->writers[i] = trace->writers[i];
            tally->writer_found[i] = trace->found[i];
        }
    }
    tally->written = true;
    tally->wrote = w->row->fields[field].u.i;
    tally->lsn = w->lsn;
    tally->committed_at = w->committed_at;
    tally->xid = w->xid;
}

bool bst__tally_lost(const bst__tallies *t, const bst__tally *tally, int64_t *ret_seen,
                     int64_t *ret_lost) {
    if (t->unclear || tally->unclear || !tally->written || tally->amount == 0)
        return false;
    return !__builtin_sub_overflow(tally->wrote, tally->amount, ret_seen) &&
           *ret_seen != tally->found && !__builtin_sub_overflow(tally->found, *ret_seen, ret_lost);
}
