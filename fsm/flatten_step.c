/* One microstep, as SCXML describes it and XState v5 runs it: which of the chosen transitions
 * preempt others, which nodes they leave, what histories remember, what is done. What they enter
 * is found in flatten_enter.c.
 */
#include <stdlib.h>

#include "flatten_step_private.h"

/* What is active. */

bool bst__activate(bst__flat *f, const bst__row *row) {
    f->members.count = 0;
    for (uint32_t i = 0; row->len && i < row->words[0]; i++) {
        for (uint32_t n = row->words[1 + i]; n != BST_NONE && !f->active[n];
             n = f->nodes[n].parent) {
            f->active[n] = true;
            if (!bst__list_add(f, &f->members, n)) {
                return false;
            }
        }
    }
    return true;
}

void bst__deactivate(bst__flat *f) {
    for (uint32_t i = 0; i < f->members.count; i++) {
        f->active[f->members.items[i]] = false;
    }
    f->members.count = 0;
}

/* Nodes of which all that matters is active. */
static bool is_done(const bst__flat *f, uint32_t node) {
    const bst_node *n = &f->nodes[node];
    if (n->kind == BST_NODE_FINAL) {
        return f->active[node];
    }
    if (n->kind != BST_NODE_COMPOUND && n->kind != BST_NODE_PARALLEL) {
        return false;
    }
    const bool all = n->kind == BST_NODE_PARALLEL;
    for (uint32_t c = n->first_child; c != BST_NONE; c = f->nodes[c].next_sibling) {
        if (all && !bst__is_history(f, c) && !is_done(f, c)) {
            return false;
        }
        if (!all && f->nodes[c].kind == BST_NODE_FINAL && f->active[c]) {
            return true;
        }
    }
    return all;
}

bool bst__is_done(bst__flat *f, const bst__row *row, uint32_t node, bool *ret) {
    const bool ok = bst__activate(f, row);
    *ret = ok && is_done(f, node);
    bst__deactivate(f);
    return ok;
}

bool bst__is_end(bst__flat *f, const bst__row *row, bool *ret) {
    return bst__is_done(f, row, 0, ret);
}

/* Preemption. */

/* A chosen transition: what it leaves is all inside `domain`, and the domain itself when it
 * re-enters its source. */
typedef struct leave {
    bool any;
    uint32_t domain;
    bool itself;
} leave;

static bool find_leave(bst__flat *f, const bst__row *row, uint32_t written, bst__list *targets,
                       leave *ret) {
    if (!bst__effective_targets(f, row, written, targets)) {
        return false;
    }
    *ret = (leave){.any = targets->count > 0};
    if (ret->any) {
        ret->domain = bst__domain_of(f, written, targets);
        ret->itself =
            f->l->transitions[written].reenter && ret->domain == bst__source_of(f, written);
    }
    return true;
}

static bool leaves(const bst__flat *f, const leave *a, uint32_t node) {
    return a->any && (bst__within(f, node, a->domain) || (a->itself && node == a->domain));
}

/* Whether both leave some active node. Domains are nested or apart, so it is enough to look for one
 * in the inner. */
static bool collide(const bst__flat *f, const leave *a, const leave *b) {
    for (uint32_t i = 0; a->any && b->any && i < f->members.count; i++) {
        if (leaves(f, a, f->members.items[i]) && leaves(f, b, f->members.items[i])) {
            return true;
        }
    }
    return false;
}

static bool preempt(bst__flat *f, const bst__row *row, uint32_t *taken, uint32_t *taken_count) {
    leave *all = bst_arena_array(f->scratch, *taken_count, sizeof *all);
    bst__list targets = {0};
    uint32_t kept = 0;
    if (!all) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; i < *taken_count; i++) {
        const uint32_t one = taken[i];
        leave mine;
        bool preempted = false;
        if (!find_leave(f, row, one, &targets, &mine)) {
            return false;
        }
        uint32_t left = 0;
        for (uint32_t k = 0; k < kept && !preempted; k++) {
            preempted = collide(f, &mine, &all[k]) &&
                        !bst__inside(f->nodes, bst__source_of(f, one), bst__source_of(f, taken[k]));
        }
        for (uint32_t k = 0; k < kept && !preempted; k++) {
            if (!collide(f, &mine, &all[k])) {
                taken[left] = taken[k];
                all[left++] = all[k];
            }
        }
        if (!preempted) {
            taken[left] = one;
            all[left] = mine;
            kept = left + 1;
        }
    }
    *taken_count = kept;
    return true;
}

/* Done. */

static bool note_done(bst__flat *f, uint32_t final, bool *completed, bst__list *done) {
    const uint32_t parent = f->nodes[final].parent;
    uint32_t around = parent;
    if (f->nodes[parent].kind == BST_NODE_COMPOUND) {
        if (!bst__list_add(f, done, parent)) {
            return false;
        }
        around = f->nodes[parent].parent;
    }
    while (around != BST_NONE && f->nodes[around].kind == BST_NODE_PARALLEL && !completed[around] &&
           is_done(f, around)) {
        completed[around] = true;
        if (!bst__list_add(f, done, around)) {
            return false;
        }
        around = f->nodes[around].parent;
    }
    return true;
}

static int by_number(const void *left, const void *right) {
    const uint32_t a = *(const uint32_t *)left;
    const uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The rows. */

static bool add_memory(bst__flat *f, const bst__row *from, uint32_t history, bool left,
                       bst__list *words) {
    const bst_node *h = &f->nodes[history];
    const uint32_t at = words->count;
    uint32_t count;
    const uint32_t *old = bst__memory_of(f, from, history, &count);
    if (!bst__list_add(f, words, 0)) {
        return false;
    }
    for (uint32_t i = 0; !left && i < count; i++) {
        if (!bst__list_add(f, words, old[i])) {
            return false;
        }
    }
    /* the nodes that were active when its parent was left */
    for (uint32_t i = 0; left && i < f->members.count; i++) {
        const uint32_t n = f->members.items[i];
        if (f->active[n] &&
            (h->deep ? bst__is_leaf(f, n) && bst__inside(f->nodes, n, h->parent)
                     : f->nodes[n].parent == h->parent) &&
            !bst__list_add(f, words, n)) {
            return false;
        }
    }
    words->items[at] = words->count - at - 1;
    qsort(words->items + at + 1, words->items[at], sizeof *words->items, by_number);
    return true;
}

/* What the histories hold after the step: `members` still has what was active before. */
static bool remember(bst__flat *f, const bst__row *from, const uint32_t *taken, uint32_t count,
                     bst__list *words) {
    leave *all = bst_arena_array(f->scratch, count, sizeof *all);
    bst__list targets = {0};
    if (!all) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!find_leave(f, from, taken[i], &targets, &all[i])) {
            return false;
        }
    }
    for (uint32_t h = 0; h < f->history_count; h++) {
        const uint32_t parent = f->nodes[f->histories[h]].parent;
        bool left = false;
        for (uint32_t i = 0; i < count && f->active[parent]; i++) {
            left = left || leaves(f, &all[i], parent);
        }
        if (!add_memory(f, from, f->histories[h], left, words)) {
            return false;
        }
    }
    return true;
}

/* Whether the node that is split stands for all that is inside it: nothing there is known. */
static bool is_closed(const bst__flat *f, uint32_t node) {
    bool open = node != f->split;
    for (uint32_t i = 0; i < f->part_count && !open; i++) {
        open = f->active[f->part_nodes[i]];
    }
    return !open;
}

/* Leaves what the transitions leave: for good, `members` has only what stays. */
static bool leave_nodes(bst__flat *f, const bst__row *from, const uint32_t *taken, uint32_t count) {
    bst__list targets = {0};
    uint32_t kept = 0;
    /* what is inside is left as well then, whatever it is */
    const bool closed = f->split != BST_NONE && f->active[f->split] && is_closed(f, f->split);
    f->left = false;
    for (uint32_t i = 0; i < count; i++) {
        leave one;
        if (!find_leave(f, from, taken[i], &targets, &one)) {
            return false;
        }
        f->left = f->left || (closed && one.any);
        for (uint32_t k = 0; k < f->members.count; k++) {
            const uint32_t n = f->members.items[k];
            f->active[n] = f->active[n] && !leaves(f, &one, n);
        }
    }
    for (uint32_t k = 0; k < f->members.count; k++) {
        if (f->active[f->members.items[k]]) {
            f->members.items[kept++] = f->members.items[k];
        }
    }
    f->left = f->left || kept < f->members.count;
    f->members.count = kept;
    return true;
}

/* The entry leaves of a history with and without what it remembers: the same?  */
static bool is_default(bst__flat *f, const bst__row *with, uint32_t history, bool *ret) {
    bst__list first = {0};
    *ret = false;
    for (int round = 0; round < 2; round++) {
        const bst__row none = {NULL, 0};
        f->entries.count = 0;
        if (!bst__enter_descendants(f, round ? &none : with, history)) {
            return false;
        }
        uint32_t leaf_count = 0;
        bool same = true;
        for (uint32_t i = 0; i < f->entries.count; i++) {
            const uint32_t n = f->entries.items[i];
            f->entered[n] = false;
            if (!bst__is_leaf(f, n)) {
                continue;
            }
            leaf_count++;
            if (round == 0) {
                if (!bst__list_add(f, &first, n)) {
                    return false;
                }
            } else {
                bool known = false;
                for (uint32_t k = 0; k < first.count; k++) {
                    known = known || first.items[k] == n;
                }
                same = same && known;
            }
        }
        *ret = round == 1 && same && leaf_count == first.count;
    }
    f->entries.count = 0;
    return true;
}

/* Forgets what makes no difference, so that fewer configurations have to be told apart: what is
 * entered without a memory as well, and what will be overwritten before anybody asks. */
static bool forget(bst__flat *f, bst__row *row) {
    bst__list words = {0};
    for (uint32_t i = 0; i <= row->words[0]; i++) {
        if (!bst__list_add(f, &words, row->words[i])) {
            return false;
        }
    }
    for (uint32_t h = 0; h < f->history_count; h++) {
        uint32_t count;
        const uint32_t *nodes = bst__memory_of(f, row, f->histories[h], &count);
        bool drop = f->active[f->nodes[f->histories[h]].parent] && !f->history_inside[h];
        if (nodes && !drop && f->plain_initials && !is_default(f, row, f->histories[h], &drop)) {
            return false;
        }
        count = drop ? 0 : count;
        if (!bst__list_add(f, &words, count)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (!bst__list_add(f, &words, nodes[i])) {
                return false;
            }
        }
    }
    *row = (bst__row){words.items, words.count};
    return true;
}

/* The configuration that is active now, with the memories of a row that has only those. */
static bool make_row(bst__flat *f, const bst__list *memories, bst__row *ret) {
    bst__list words = {0};
    if (!bst__list_add(f, &words, 0)) {
        return false;
    }
    for (uint32_t i = 0; i < f->members.count; i++) {
        const uint32_t n = f->members.items[i];
        if (f->active[n] && (bst__is_leaf(f, n) || is_closed(f, n)) &&
            !bst__list_add(f, &words, n)) {
            return false;
        }
    }
    words.items[0] = words.count - 1;
    qsort(words.items + 1, words.items[0], sizeof *words.items, by_number);
    for (uint32_t i = 1; i < memories->count; i++) {
        if (!bst__list_add(f, &words, memories->items[i])) {
            return false;
        }
    }
    *ret = (bst__row){words.items, words.count};
    return f->history_count == 0 || forget(f, ret);
}

static bool enter_all(bst__flat *f, const bst__row *row, const uint32_t *taken, uint32_t count,
                      bst__list *done) {
    bst__list targets = {0};
    bool *completed = NULL;
    f->entries.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!bst__enter_by(f, row, taken[i], &targets)) {
            return false;
        }
    }
    qsort(f->entries.items, f->entries.count, sizeof *f->entries.items, by_number);
    for (uint32_t i = 0; i < f->entries.count; i++) {
        const uint32_t n = f->entries.items[i];
        f->entered[n] = false;
        if (!f->active[n] && !bst__list_add(f, &f->way, n)) {
            return false;
        }
        if (!f->active[n]) {
            f->active[n] = true;
            if (!bst__list_add(f, &f->members, n)) {
                return false;
            }
        }
        if (f->nodes[n].kind != BST_NODE_FINAL) {
            continue;
        }
        completed = completed ? completed
                              : bst_arena_array(f->scratch, f->l->node_count, sizeof *completed);
        if (!completed) {
            return bst__nomem(f->l);
        }
        if (!note_done(f, n, completed, done)) {
            return false;
        }
    }
    f->entries.count = 0;
    return true;
}

bool bst__take(bst__flat *f, const bst__row *from, uint32_t *taken, uint32_t *taken_count,
               bst__row *ret, bst__list *done) {
    bst__list memories = {0};
    /* what is entered is looked up in a row that has only the memories, as they are from now on */
    const bool ok = bst__activate(f, from) && preempt(f, from, taken, taken_count) &&
                    bst__list_add(f, &memories, 0) &&
                    remember(f, from, taken, *taken_count, &memories) &&
                    leave_nodes(f, from, taken, *taken_count);
    const bst__row now = {memories.items, memories.count};
    const bool entered =
        ok && enter_all(f, &now, taken, *taken_count, done) && make_row(f, &memories, ret);
    bst__deactivate(f);
    return entered;
}
