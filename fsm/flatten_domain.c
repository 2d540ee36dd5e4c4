/* What a transition is about: the nodes that histories among its targets stand for, and its domain,
 * the node within which everything is left: its source, when it stays inside and does not re-enter;
 * else the nearest node around its source and all its targets. (W3C SCXML, Appendix D:
 * getEffectiveTargetStates, getTransitionDomain.)
 */
#include "flatten_step_private.h"

const uint32_t *bst__memory_of(const bst__flat *f, const bst__row *row, uint32_t history,
                               uint32_t *ret_count) {
    uint32_t at = row->len ? 1 + row->words[0] : 0;
    for (uint32_t h = 0; row->len && h < f->history_count; h++) {
        if (f->histories[h] == history) {
            *ret_count = row->words[at];
            return row->words[at] ? &row->words[at + 1] : NULL;
        }
        at += 1 + row->words[at];
    }
    *ret_count = 0;
    return NULL;
}

const uint32_t *bst__stands_for(const bst__flat *f, const bst__row *row, uint32_t history,
                                uint32_t *ret_count) {
    const uint32_t *nodes = bst__memory_of(f, row, history, ret_count);
    const bst_node *parent = &f->nodes[f->nodes[history].parent];
    if (nodes) {
        return nodes;
    }
    if (f->l->node_notes[history].target_count) {
        *ret_count = f->l->node_notes[history].target_count;
        return f->l->node_notes[history].targets;
    }
    *ret_count = 1;
    if (parent->kind != BST_NODE_COMPOUND) {
        return &f->nodes[history].parent;
    }
    return bst__is_history(f, parent->initial) ? bst__stands_for(f, row, parent->initial, ret_count)
                                               : &parent->initial;
}

bool bst__effective_targets(bst__flat *f, const bst__row *row, uint32_t written, bst__list *list) {
    uint32_t count;
    const uint32_t *targets = bst__targets_of(f, written, &count);
    list->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t one = 1;
        const uint32_t *nodes = bst__is_history(f, targets[i])
                                    ? bst__stands_for(f, row, targets[i], &one)
                                    : &targets[i];
        for (uint32_t k = 0; k < one; k++) {
            if (!bst__list_add(f, list, nodes[k])) {
                return false;
            }
        }
    }
    return true;
}

uint32_t bst__domain_of(const bst__flat *f, uint32_t written, const bst__list *targets) {
    const uint32_t source = bst__source_of(f, written);
    bool stays = !bst__reenters(f, written);
    for (uint32_t i = 0; i < targets->count && stays; i++) {
        stays = targets->items[i] == source || bst__within(f, targets->items[i], source);
    }
    if (stays) {
        return source;
    }
    for (uint32_t n = f->nodes[targets->items[0]].parent; n != BST_NONE; n = f->nodes[n].parent) {
        bool around = bst__inside(f->nodes, source, n);
        for (uint32_t i = 1; i < targets->count && around; i++) {
            around = bst__inside(f->nodes, targets->items[i], n);
        }
        if (around) {
            return n;
        }
    }
    return bst__reenters(f, written) ? BST__OUTSIDE : 0;
}
