/* Where a split goes on once all its regions are final: followed from the row that stands for it,
 * as far as nobody has to ask anything.
 */
#include "flatten_private.h"

static bool has_always(bst__flat *f, const bst__row *row, bool *ret) {
    const bool ok = bst__activate(f, row);
    *ret = false;
    for (uint32_t i = 0; ok && i < f->members.count; i++) {
        *ret = *ret || f->l->node_notes[f->members.items[i]].always_count > 0;
    }
    bst__deactivate(f);
    return ok;
}

/* The "onDone" that answers the node, if it is still active: *ret BST_NONE when there is none. */
static bool answer_to(bst__flat *f, const bst__row *row, uint32_t node, uint32_t *ret) {
    const bst__node_note *note = &f->l->node_notes[node];
    const uint32_t first = note->first + note->command_count + note->always_count;
    const bool ok = bst__activate(f, row);
    *ret = ok && f->active[node] && note->done_count > 0 ? first : BST_NONE;
    bst__deactivate(f);
    if (ok && *ret != BST_NONE && f->l->transitions[first].guard != BST_NONE) {
        return bst__cannot(f, "what follows once all of them are final has a guard");
    }
    return ok;
}

bool bst__find_done(bst__flat *f) {
    bst__list done = {0};
    bst__row row;
    uint32_t number;
    f->done_row = f->done_entry = BST_NONE;
    if (f->l->node_notes[f->split].done_count == 0) {
        return true;
    }
    if (!bst__intern_split(f, &number) || !bst__list_add(f, &done, f->split)) {
        return false;
    }
    row = f->rows[number];
    for (uint32_t i = 0; i < done.count; i++) {
        uint32_t taken;
        uint32_t count = 1;
        bool always;
        bool end;
        if (i == BST_SETTLE_MAX) {
            return bst__cannot(f, "what follows once all of them are final does not end");
        }
        if (!answer_to(f, &row, done.items[i], &taken)) {
            return false;
        }
        if (taken == BST_NONE) {
            continue;
        }
        if (!bst__take(f, &row, &taken, &count, &row, &done) || !has_always(f, &row, &always) ||
            !bst__is_end(f, &row, &end)) {
            return false;
        }
        if (end) {
            break;
        }
        if (always) {
            return bst__cannot(f, "an \"always\" follows once all of them are final");
        }
    }
    f->way.count = 0;
    return bst__intern_place(f, &row, &f->done_row, &f->done_entry);
}
