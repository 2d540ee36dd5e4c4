/* What the parts of a comparison share: changes are gathered, partners known, types compared. */
#include "diff_private.h"

#include <string.h>

/* Adds a change; the caller fills in what it speaks of. Never NULL: without memory a dummy that
 * nobody sees. */
bst_change *bst__diff_add(bst__differ *d, bst_changed what, bst_effect effect, const bst_loc *where,
                          const char *name, const char *message) {
    if (d->count == d->room) {
        const size_t room = d->room ? d->room * 2 : 32;
        bst_change *longer = bst_arena_array(d->arena, room, sizeof *longer);
        if (!longer) {
            d->failed = true;
            return &d->nobody;
        }
        if (d->count > 0) {
            memcpy(longer, d->changes, d->count * sizeof *longer);
        }
        d->changes = longer;
        d->room = room;
    }
    d->failed = d->failed || !name || !message;
    bst_change *change = &d->changes[d->count++];
    *change = (bst_change){.what = what,
                           .effect = effect,
                           .name = name,
                           .message = message,
                           .old_state = BST_NONE,
                           .old_event = BST_NONE,
                           .old_command = BST_NONE,
                           .old_transition = BST_NONE};
    if (where) {
        change->where = *where;
    }
    return change;
}

bool bst__diff_has_partner(const uint32_t *partners, uint32_t count, uint32_t number) {
    for (uint32_t i = 0; i < count; i++) {
        if (partners[i] == number) {
            return true;
        }
    }
    return false;
}

/* By new index: whether some old one is its partner. NULL without memory. */
bool *bst__diff_known(bst__differ *d, const uint32_t *partners, uint32_t old_count,
                      uint32_t new_count) {
    bool *is_known = bst_arena_array(d->arena, new_count, sizeof *is_known);
    d->failed = d->failed || !is_known;
    for (uint32_t i = 0; is_known && i < old_count; i++) {
        if (partners[i] != BST_NONE) {
            is_known[partners[i]] = true;
        }
    }
    return is_known;
}

/* ---- types ---- */

const char *bst__diff_type_text(bst__differ *d, const bst_type *type) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_type_format(type, &text);
    const char *kept = text.failed ? NULL : bst_arena_strndup(d->arena, text.text, text.len);
    bst_strbuf_release(&text);
    d->failed = d->failed || !kept;
    return kept ? kept : "";
}

static int integer_rank(bst_kind kind) {
    switch (kind) {
    case BST_KIND_INT2:
        return 1;
    case BST_KIND_INT4:
        return 2;
    case BST_KIND_INT8:
        return 3;
    default:
        return 0;
    }
}

static bool is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR;
}

/* Every member of `a` is one of `b`. */
static bool has_members(const bst_type *a, const bst_type *b) {
    for (uint32_t i = 0; i < a->member_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < b->member_count && !found; j++) {
            found = strcmp(a->members[i], b->members[j]) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* Whether every value of the type `a`, as it is stored, reads as a value of `b`. */
bool bst__diff_widens(const bst_type *a, const bst_type *b) {
    if (a->optional && !b->optional) {
        return false;
    }
    if (is_text(a->kind) && is_text(b->kind)) {
        return b->kind == BST_KIND_TEXT || b->length == 0 ||
               (a->length != 0 && a->length <= b->length);
    }
    /* int8 is a JSON string and the others numbers; both are read. */
    if (integer_rank(a->kind) && integer_rank(b->kind)) {
        return integer_rank(a->kind) <= integer_rank(b->kind);
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == BST_KIND_DECIMAL) {
        return a->scale <= b->scale && a->precision - a->scale <= b->precision - b->scale;
    }
    return a->kind != BST_KIND_ENUM || has_members(a, b);
}
