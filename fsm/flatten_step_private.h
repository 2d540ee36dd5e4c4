/* What the files of a microstep share: flatten_domain.c, flatten_enter.c, flatten_step.c. */
#ifndef BACKSTORY_FSM_FLATTEN_STEP_PRIVATE_H
#define BACKSTORY_FSM_FLATTEN_STEP_PRIVATE_H

#include "flatten_private.h"

#define BST__OUTSIDE BST_NONE /* the domain that holds the machine's own node as well */

static inline bool bst__within(const bst__flat *f, uint32_t inner, uint32_t outer) {
    return outer == BST__OUTSIDE || bst__inside(f->nodes, inner, outer);
}

static inline bool bst__is_leaf(const bst__flat *f, uint32_t node) {
    const bst_node_kind kind = f->nodes[node].kind;
    return kind == BST_NODE_ATOMIC || kind == BST_NODE_FINAL;
}

static inline bool bst__is_history(const bst__flat *f, uint32_t node) {
    return f->nodes[node].kind == BST_NODE_HISTORY;
}

static inline const uint32_t *bst__targets_of(const bst__flat *f, uint32_t written,
                                              uint32_t *ret_count) {
    const bst__transition_note *note = &f->l->transition_notes[written];
    *ret_count = note->target_count;
    return note->target_count > 1 ? note->targets : &f->l->transitions[written].to;
}

static inline uint32_t bst__source_of(const bst__flat *f, uint32_t written) {
    const uint32_t from = f->l->transitions[written].from;
    return from == BST_NONE ? 0 : from;
}

static inline bool bst__reenters(const bst__flat *f, uint32_t written) {
    return f->l->transitions[written].reenter || f->l->transitions[written].from == BST_NONE;
}

/* ---- flatten_domain.c */

/* What a history remembers: NULL when that is nothing. */
const uint32_t *bst__memory_of(const bst__flat *f, const bst__row *row, uint32_t history,
                               uint32_t *ret_count);
/* Without a memory it stands for its target, else for what is entered with its parent. */
const uint32_t *bst__stands_for(const bst__flat *f, const bst__row *row, uint32_t history,
                                uint32_t *ret_count);
/* The targets, with what histories stand for in their place. False: no memory. */
bool bst__effective_targets(bst__flat *f, const bst__row *row, uint32_t written, bst__list *list);
/* `targets`: the effective ones, at least one. */
uint32_t bst__domain_of(const bst__flat *f, uint32_t written, const bst__list *targets);

/* ---- flatten_enter.c: into `entries`, with marks in `entered`. False: no memory. */

/* What is entered inside of a node that is. */
bool bst__enter_descendants(bst__flat *f, const bst__row *row, uint32_t node);
/* What the transition enters; `effective` is scratch. */
bool bst__enter_by(bst__flat *f, const bst__row *row, uint32_t written, bst__list *effective);

#endif
