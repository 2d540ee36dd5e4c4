/* What a transition enters: its targets, the nodes around them up to its domain, and in each what
 * is entered without being named: initial states, and every region of a parallel one. (W3C SCXML,
 * Appendix D: computeEntrySet, addDescendantStatesToEnter, addAncestorStatesToEnter.)
 */
#include "flatten_step_private.h"

static bool enter(bst__flat *f, uint32_t node) {
    if (f->entered[node]) {
        return true;
    }
    f->entered[node] = true;
    return bst__list_add(f, &f->entries, node);
}

static bool entered_inside(const bst__flat *f, uint32_t node) {
    for (uint32_t i = 0; i < f->entries.count; i++) {
        if (bst__inside(f->nodes, f->entries.items[i], node)) {
            return true;
        }
    }
    return false;
}

/* The regions of a parallel state into which nothing leads yet. */
static bool enter_regions(bst__flat *f, const bst__row *row, uint32_t parallel) {
    for (uint32_t c = f->nodes[parallel].first_child; c != BST_NONE; c = f->nodes[c].next_sibling) {
        if (!bst__is_history(f, c) && !entered_inside(f, c) &&
            !(enter(f, c) && bst__enter_descendants(f, row, c))) {
            return false;
        }
    }
    return true;
}

/* The nodes around `node`, up to but without `end`; those not inside `within` are only looked at
 * for their regions. */
static bool enter_ancestors(bst__flat *f, const bst__row *row, uint32_t node, uint32_t end,
                            uint32_t within) {
    if (node == end) {
        return true;
    }
    for (uint32_t n = f->nodes[node].parent; n != BST_NONE && n != end; n = f->nodes[n].parent) {
        if (bst__within(f, n, within) && !enter(f, n)) {
            return false;
        }
        if (f->nodes[n].kind == BST_NODE_PARALLEL && !enter_regions(f, row, n)) {
            return false;
        }
    }
    return true;
}

static bool enter_history(bst__flat *f, const bst__row *row, uint32_t history) {
    uint32_t count;
    const uint32_t *nodes = bst__stands_for(f, row, history, &count);
    const uint32_t parent = f->nodes[history].parent;
    for (uint32_t i = 0; i < count; i++) {
        if (!enter(f, nodes[i]) || !bst__enter_descendants(f, row, nodes[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!enter_ancestors(f, row, nodes[i], parent, BST__OUTSIDE)) {
            return false;
        }
    }
    return true;
}

bool bst__enter_descendants(bst__flat *f, const bst__row *row, uint32_t node) {
    const bst_node *n = &f->nodes[node];
    if (n->kind == BST_NODE_HISTORY) {
        return enter_history(f, row, node);
    }
    if (n->kind == BST_NODE_PARALLEL) {
        return enter_regions(f, row, node);
    }
    if (n->kind != BST_NODE_COMPOUND) {
        return true;
    }
    return (bst__is_history(f, n->initial) || enter(f, n->initial)) &&
           bst__enter_descendants(f, row, n->initial) &&
           enter_ancestors(f, row, n->initial, node, BST__OUTSIDE);
}

bool bst__enter_by(bst__flat *f, const bst__row *row, uint32_t written, bst__list *effective) {
    uint32_t count;
    const uint32_t *targets = bst__targets_of(f, written, &count);
    const uint32_t source = bst__source_of(f, written);
    if (!bst__effective_targets(f, row, written, effective)) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    const uint32_t domain = bst__domain_of(f, written, effective);
    if (domain != BST__OUTSIDE && domain != 0 && !f->active[domain]) {
        return true; /* a history that stands for its source: another has left it, it was first */
    }
    for (uint32_t i = 0; i < count; i++) {
        const bool enters = !bst__is_history(f, targets[i]) &&
                            (targets[i] != source || source != domain || bst__reenters(f, written));
        if ((enters && !enter(f, targets[i])) || !bst__enter_descendants(f, row, targets[i])) {
            return false;
        }
    }
    const uint32_t within = source == 0 && bst__reenters(f, written) ? BST__OUTSIDE : domain;
    for (uint32_t i = 0; i < effective->count; i++) {
        if (!enter_ancestors(f, row, effective->items[i], domain, within)) {
            return false;
        }
    }
    return domain == BST__OUTSIDE || f->nodes[domain].kind != BST_NODE_PARALLEL ||
           enter_regions(f, row, domain);
}
