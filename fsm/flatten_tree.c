/* One table of a machine that nests.
 *
 * Of one that only nests, states are its leaves, in the order of the file. With regions or history
 * they are the configurations that can be reached, found breadth first from the creations and then
 * put in document order.
 */
#include <stdlib.h>
#include <string.h>

#include "flatten_private.h"

/* Histories. */

static bool targets(const bst__load *l, uint32_t written, uint32_t node) {
    const bst__transition_note *note = &l->transition_notes[written];
    if (note->target_count == 1) {
        return l->transitions[written].to == node;
    }
    for (uint32_t i = 0; i < note->target_count; i++) {
        if (note->targets[i] == node) {
            return true;
        }
    }
    return false;
}

/* A history is kept when something leads to it. */
static void look_at_history(bst__flat *f, uint32_t node) {
    const bst__load *l = f->l;
    const uint32_t parent = l->nodes[node].parent;
    bool asked = false;
    bool inside = false;
    for (uint32_t i = 0; i < l->written_count; i++) {
        const uint32_t from = l->transitions[i].from;
        if (targets(l, i, node)) {
            asked = true;
            inside = inside ||
                     (from != BST_NONE && (from == parent || bst__inside(l->nodes, from, parent)));
        }
    }
    for (uint32_t i = 0; i < l->node_count; i++) {
        asked = asked || l->nodes[i].initial == node;
    }
    if (asked) {
        f->history_inside[f->history_count] = inside;
        f->histories[f->history_count++] = node;
    }
}

static bool find_histories(bst__flat *f) {
    const bst__load *l = f->l;
    uint32_t count = 0;
    f->plain_initials = true;
    for (uint32_t i = 0; i < l->node_count; i++) {
        count += l->nodes[i].kind == BST_NODE_HISTORY;
        f->regions = f->regions || l->nodes[i].kind == BST_NODE_PARALLEL;
        f->silent = f->silent || l->node_notes[i].always_count;
        if (l->nodes[i].initial != BST_NONE) {
            f->plain_initials =
                f->plain_initials && l->nodes[l->nodes[i].initial].kind != BST_NODE_HISTORY;
        }
    }
    f->regions = f->regions || count > 0;
    if (count > BST_HISTORIES_MAX) {
        return bst__limit(f->l, NULL, "histories", BST_HISTORIES_MAX);
    }
    f->histories = bst_arena_array(f->scratch, count, sizeof *f->histories);
    f->history_inside = bst_arena_array(f->scratch, count, sizeof *f->history_inside);
    if (!f->histories || !f->history_inside) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; count && i < l->node_count; i++) {
        if (l->nodes[i].kind == BST_NODE_HISTORY) {
            look_at_history(f, i);
        }
    }
    return true;
}

/* Exploring. */

static bool prepare(bst__flat *f) {
    const bst__load *l = f->l;
    f->active = bst_arena_array(f->scratch, l->node_count, sizeof *f->active);
    f->entered = bst_arena_array(f->scratch, l->node_count, sizeof *f->entered);
    f->reported = bst_arena_array(f->scratch, l->written_count, sizeof *f->reported);
    f->group_of = bst_arena_array(f->scratch, l->m->table.command_count, sizeof *f->group_of);
    f->passed = bst_arena_array(l->arena, l->node_count, sizeof *f->passed);
    f->visits = bst_arena_array(f->scratch, BST_SETTLE_MAX + 1, sizeof *f->visits);
    return (f->active && f->entered && f->reported && f->group_of && f->passed && f->visits) ||
           bst__nomem(f->l);
}

/* Without regions every leaf is a configuration, reached or not. */
static bool list_leaves(bst__flat *f) {
    for (uint32_t i = 0; !f->regions && i < f->l->node_count; i++) {
        const bst_node_kind kind = f->nodes[i].kind;
        if (kind != BST_NODE_ATOMIC && kind != BST_NODE_FINAL) {
            continue;
        }
        uint32_t *words = bst_arena_array(f->scratch, 2, sizeof *words);
        uint32_t number;
        if (!words) {
            return bst__nomem(f->l);
        }
        words[0] = 1;
        words[1] = i;
        const bst__row row = {words, 2};
        if (!bst__intern_row(f, &row, &number)) {
            return false;
        }
    }
    return true;
}

static bool explore(bst__flat *f) {
    if (!list_leaves(f) || !bst__walk(f, BST_NONE)) {
        return false;
    }
    f->creation_count = f->transition_count;
    if (f->split != BST_NONE && !bst__find_done(f)) {
        return false;
    }
    for (uint32_t i = 0; i < f->row_count; i++) {
        if (!bst__walk(f, i)) {
            return false;
        }
    }
    return true;
}

/* Document order. */

static int by_words(const void *left, const void *right) {
    const bst__ranked *a = left;
    const bst__ranked *b = right;
    const uint32_t *const x = a->row.words;
    const uint32_t *const y = b->row.words;
    for (uint32_t i = 1; i < a->row.len && i < b->row.len; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return a->row.len != b->row.len ? (a->row.len < b->row.len ? -1 : 1)
                                    : (a->number > b->number) - (a->number < b->number);
}

/* Numbers the configurations in document order, and orders the transitions likewise. */
static bool sort_rows(bst__flat *f) {
    const uint32_t count = f->row_count;
    bst__ranked *ranked = bst_arena_array(f->scratch, count, sizeof *ranked);
    uint32_t *rank = bst_arena_array(f->scratch, count, sizeof *rank);
    uint32_t *start = bst_arena_array(f->scratch, (size_t)count + 1, sizeof *start);
    bst_transition *sorted = bst_arena_array(f->l->arena, f->transition_count, sizeof *sorted);
    uint32_t *origin = bst_arena_array(f->l->arena, f->transition_count, sizeof *origin);
    bst__nodes *entries = bst_arena_array(f->l->arena, f->transition_count, sizeof *entries);
    uint32_t *entry = bst_arena_array(f->l->arena, f->transition_count, sizeof *entry);
    bool *moves = bst_arena_array(f->l->arena, f->transition_count, sizeof *moves);
    uint32_t *dropped = bst_arena_array(f->l->arena, f->transition_count, sizeof *dropped);
    if (!ranked || !rank || !start || !sorted || !origin || !entries || !entry || !moves ||
        !dropped) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; i < count; i++) {
        ranked[i] = (bst__ranked){f->rows[i], i};
    }
    qsort(ranked, count, sizeof *ranked, by_words);
    for (uint32_t i = 0; i < count; i++) {
        rank[ranked[i].number] = i;
        f->rows[i] = ranked[i].row;
    }
    start[0] = f->creation_count;
    for (uint32_t i = f->creation_count; i < f->transition_count; i++) {
        start[rank[f->transitions[i].from] + 1]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        start[i + 1] += start[i];
    }
    for (uint32_t i = 0; i < f->transition_count; i++) {
        bst_transition t = f->transitions[i];
        t.to = rank[t.to];
        t.from = t.from == BST_NONE ? BST_NONE : rank[t.from];
        const uint32_t at = t.from == BST_NONE ? i : start[t.from]++;
        sorted[at] = t;
        origin[at] = f->origin[i];
        entries[at] = f->entered_by[i];
        entry[at] = f->entry[i];
        moves[at] = f->moves[i];
        dropped[at] = f->dropped[i];
    }
    for (uint32_t i = 0; i < f->tuple_count * f->part_count; i++) {
        f->tuples[i] = rank[f->tuples[i]];
    }
    f->done_row = f->done_row == BST_NONE ? BST_NONE : rank[f->done_row];
    f->entry = entry;
    f->moves = moves;
    f->dropped = dropped;
    f->transitions = sorted;
    f->origin = origin;
    f->entered_by = entries;
    return true;
}

/* States. */

/* "payment.open+shipping.packed~payment.closed"; of several histories each says whose memory it is:
 * "off~work.last~work.second". */
static const char *make_name(bst__flat *f, const bst__row *row) {
    bst_strbuf name = BST_STRBUF_INIT;
    const uint32_t count = row->words[0];
    if (count == 1 && row->len == 2) {
        return row->words[1] == 0 ? f->l->m->table.id : f->nodes[row->words[1]].path;
    }
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_addf(&name, "%s%s", i ? "+" : "", f->nodes[row->words[1 + i]].path);
    }
    uint32_t at = 1 + count;
    for (uint32_t h = 0; h < f->history_count; h++) {
        if (row->words[at] && f->history_count > 1) {
            bst_strbuf_addf(&name, "~%s", f->nodes[f->histories[h]].path);
        }
        for (uint32_t i = 0; i < row->words[at]; i++) {
            bst_strbuf_addf(&name, "~%s", f->nodes[row->words[at + 1 + i]].path);
        }
        at += 1 + row->words[at];
    }
    f->name_bytes += name.len;
    const char *copy = name.failed ? NULL : bst_arena_strndup(f->l->arena, name.text, name.len);
    bst_strbuf_release(&name);
    if (!copy) {
        bst__nomem(f->l);
    } else if (f->name_bytes > BST_STATE_NAMES_MAX) {
        bst__limit(f->l, NULL, "bytes of names of combined states", BST_STATE_NAMES_MAX);
        return NULL;
    }
    return copy;
}

static bool make_state(bst__flat *f, const bst__row *row, bst_state *state) {
    const uint32_t count = row->words[0];
    uint32_t *nodes = bst_arena_array(f->l->arena, count, sizeof *nodes);
    if (!nodes) {
        return bst__nomem(f->l);
    }
    memcpy(nodes, row->words + 1, count * sizeof *nodes);
    *state = (bst_state){.name = make_name(f, row), .nodes = nodes, .node_count = count};
    if (count == 1) {
        state->label = f->nodes[nodes[0]].label;
        state->description = f->nodes[nodes[0]].description;
        state->was = f->nodes[nodes[0]].was;
    }
    const uint32_t part = f->split == BST_NONE ? BST_NONE : f->part_of[nodes[0]];
    return state->name &&
           bst__is_done(f, row, part == BST_NONE ? 0 : f->part_nodes[part], &state->final);
}

static bool make_states(bst__flat *f) {
    bst__load *l = f->l;
    bst_machine *table = &l->m->table;
    bst_state *states = bst_arena_array(l->arena, f->row_count, sizeof *states);
    uint32_t at = f->creation_count;
    if (!states || !bst__index_reserve(&l->m->states, l->arena, f->row_count)) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < f->row_count; i++) {
        if (!make_state(f, &f->rows[i], &states[i])) {
            return false;
        }
        states[i].first_transition = at;
        while (at < f->transition_count && f->transitions[at].from == i) {
            at++;
        }
        states[i].transition_count = at - states[i].first_transition;
        if (!bst__index_add(&l->m->states, l->arena, bst__name_hash(l->m->seed, states[i].name),
                            i)) {
            return bst__nomem(l);
        }
    }
    table->states = states;
    table->state_count = f->row_count;
    const bst__names names = {states, sizeof *states};
    return bst__check_clashes(l, "state", &names, table->state_count, bst_machine_state_where);
}

/* Where an entity begins when nothing else is said: the first creation that leads where "initial"
 * does, or what that node alone makes. */
static uint32_t find_initial(const bst__flat *f) {
    const bst__load *l = f->l;
    const uint32_t initial = l->nodes[0].initial;
    for (uint32_t i = 0; i < f->creation_count; i++) {
        const bst_transition *written = &l->transitions[f->origin[i]];
        if (written->to == (l->parallel ? 0 : initial)) {
            return f->transitions[i].to;
        }
    }
    for (uint32_t i = 0; !f->regions && i < f->row_count; i++) {
        uint32_t leaf = initial;
        while (f->nodes[leaf].kind == BST_NODE_COMPOUND) {
            leaf = f->nodes[leaf].initial;
        }
        if (f->rows[i].words[1] == leaf) {
            return i;
        }
    }
    return BST_NONE;
}

bool bst__flatten_tree(bst__flat *f) {
    bst__load *l = f->l;
    bst_machine *table = &l->m->table;
    if (!prepare(f) || !find_histories(f) || !explore(f) || (f->regions && !sort_rows(f)) ||
        !make_states(f)) {
        return false;
    }
    table->transitions = f->transitions;
    table->transition_count = f->transition_count;
    table->creation_count = f->creation_count;
    table->guards = f->guards;
    table->guard_count = f->guard_count;
    table->initial = find_initial(f);
    l->m->origin = f->origin;
    l->m->entries = f->entered_by;
    l->m->dropped = f->any_dropped ? f->dropped : NULL;
    l->m->guard_origin = f->guard_origin;
    l->m->passed = f->passed;
    return true;
}
