/* The tables of the machine, from its tree of states.
 *
 * A flat machine has them already: its nodes are its states. Others get one table, or where that
 * would explode one for each region.
 */
#include "flatten_private.h"

/* The nodes of state i are &numbers[i]: one. */
static bool make_plain_states(bst__load *l) {
    bst_machine *table = &l->m->table;
    const uint32_t count = l->node_count - 1;
    bst_state *states = bst_arena_array(l->arena, count, sizeof *states);
    uint32_t *numbers = bst_arena_array(l->arena, count, sizeof *numbers);
    if (!states || !numbers || !bst__index_reserve(&l->m->states, l->arena, count)) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < count; i++) {
        const bst_node *n = &l->nodes[i + 1];
        const bst__node_note *note = &l->node_notes[i + 1];
        numbers[i] = i + 1;
        states[i] = (bst_state){.name = n->name,
                                .label = n->label,
                                .description = n->description,
                                .was = n->was,
                                .final = n->kind == BST_NODE_FINAL,
                                .nodes = &numbers[i],
                                .node_count = 1,
                                .first_transition = note->first,
                                .transition_count = note->command_count};
        if (!bst__index_add(&l->m->states, l->arena, bst__name_hash(l->m->seed, n->name), i)) {
            return bst__nomem(l);
        }
    }
    table->states = states;
    table->state_count = count;
    return true;
}

static bool flatten_plain(bst__load *l) {
    bst_machine *table = &l->m->table;
    for (uint32_t i = 0; i < l->written_count; i++) {
        bst_transition *t = &l->transitions[i];
        t->from = t->from == BST_NONE ? BST_NONE : t->from - 1;
        t->to = t->targetless ? t->from : t->to - 1;
    }
    table->transitions = l->transitions;
    table->transition_count = l->written_count;
    table->initial = l->nodes[0].initial - 1;
    return make_plain_states(l);
}

bool bst__flatten(bst__load *l) {
    bst__machine *m = l->m;
    for (uint32_t i = 0; i < l->written_count; i++) {
        l->written[i].guard = l->transitions[i].guard;
    }
    m->written_count = l->written_count;
    m->written_guards = l->guards;
    m->written_guard_count = m->table.guard_count;
    m->table.creation_count = l->creation_count;
    if (!l->nested) {
        return flatten_plain(l);
    }
    bst__flat f = {.l = l,
                   .nodes = l->nodes,
                   .scratch = bst_arena_new(),
                   .row_max = l->together_max,
                   .split = BST_NONE,
                   .done_row = BST_NONE};
    const bool ok = f.scratch ? bst__flatten_tree(&f) : bst__nomem(l);
    bst_arena_free(f.scratch);
    if (!f.exploded || l->status != BST_OK) {
        return ok;
    }
    return l->may_split ? bst__flatten_split(l) : bst__report_too_many(l, NULL);
}
