/* The table of signatures: rows that say the same are solved once. */
#include "synth_private.h"

#include <string.h>

bst_status bst__signatures_limit(bst_synth *synth) {
    if (synth->signature_count >= BST_SIGNATURES_MAX) {
        bst_diag_add(synth->diags, BST_LIMIT, BST_ERROR, "too-many-signatures", NULL,
                     "the rows have more than %u different patterns of evidence",
                     BST_SIGNATURES_MAX);
        bst_diag_hint(synth->diags,
                      "A counter with many values may be the cause: it is of use only "
                      "where it is small.");
        return BST_LIMIT;
    }
    return BST_OK;
}

static bst_status add_signature(bst_synth *synth, uint32_t state, bst__signature **ret) {
    bst_status status = bst__signatures_limit(synth);
    if (status != BST_OK) {
        return status;
    }
    bst__signature *sig = bst_arena_alloc(synth->arena, sizeof *sig);
    uint8_t *bytes = bst_arena_alloc(synth->arena, synth->bytes_len);
    if (!sig || !bytes) {
        return bst_diag_nomem(synth->diags);
    }
    memcpy(bytes, synth->bytes, synth->bytes_len);
    sig->bytes = bytes;
    status = bst__signature_solve(synth, state, sig);
    if (status != BST_OK) {
        return status;
    }
    HASH_ADD_KEYPTR(hh, synth->signatures, sig->bytes, synth->bytes_len, sig);
    if (sig->lost) {
        return bst_diag_nomem(synth->diags);
    }
    synth->signature_count++;
    *ret = sig;
    return BST_OK;
}

static void find_or_add(bst_synth *synth, uint32_t state, bst__signature **ret) {
    HASH_FIND(hh, synth->signatures, synth->bytes, synth->bytes_len, *ret);
    if (!*ret) {
        synth->status = add_signature(synth, state, ret);
    }
}

bool bst__signature_find(bst_synth *synth, uint32_t state, bst__signature **ret) {
    synth->span = BST_NONE;
    find_or_add(synth, state, ret);
    if (synth->status == BST_OK && (*ret)->spans != 0) {
        const uint32_t span = bst__row_span(synth, synth->mapping->span_of);
        if (((*ret)->spans >> span) & 1) {
            synth->bytes[synth->bytes_len++] = (uint8_t)(span + 1);
            synth->span = span;
            find_or_add(synth, state, ret);
        }
    }
    return synth->status == BST_OK;
}
