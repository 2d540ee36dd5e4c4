/* Tables region by region, for a machine whose configurations are too many for one; regions.h says
 * what they look like and mean.
 *
 * The walk of flatten_walk.c does it all, on rows that know less: the row of a region has the
 * leaves of that region alone, and that of the split its parallel node as if it were a leaf. So a
 * way that starts in a region ends in one of its rows, unless it leaves the parallel state or
 * enters it anew; then its end has leaves of all regions, and is cut into a tuple of rows. A guard
 * that asks for a state of a region that is not looked at stays a question.
 */

#include "flatten_private.h"

/* ---- errors ---- */

static uint32_t leaves_in(const bst__load *l, uint32_t node) {
    uint32_t leaves = 0;
    for (uint32_t k = node; k <= l->nodes[node].last; k++) {
        leaves += l->nodes[k].kind == BST_NODE_ATOMIC || l->nodes[k].kind == BST_NODE_FINAL;
    }
    return leaves;
}

bool bst__report_too_many(bst__load *l, const char *why_not) {
    bst_strbuf sizes = BST_STRBUF_INIT;
    unsigned listed = 0;
    for (uint32_t i = 0; i < l->node_count; i++) {
        if (l->nodes[i].parent == BST_NONE || l->nodes[i].kind == BST_NODE_HISTORY ||
            l->nodes[l->nodes[i].parent].kind != BST_NODE_PARALLEL) {
            continue;
        }
        if (listed++ < 10) {
            bst_strbuf_addf(&sizes, "%s\"%s\" has %u", listed > 1 ? ", " : "", l->nodes[i].path,
                            leaves_in(l, i));
        }
    }
    const bst_loc where = bst_machine_node_where(&l->m->table, 0);
    bst__error(l, &where, "too-many-configurations",
               "regions and histories of the machine make more than %u combinations of states",
               l->together_max);
    bst_diag_detail(l->diags, "States of each region: %s%s.%s%s%s", sizes.text,
                    listed > 10 ? " ..." : "",
                    why_not ? "\nThey cannot keep tables of their own: " : "",
                    why_not ? why_not : "", why_not ? "." : "");
    bst_diag_hint(l->diags, why_not ? "Make machines of their own of regions that do not ask each "
                                      "other."
                                    : "`check` and `compile` let regions keep tables of their own; "
                                      "this needs one table. Make machines of their own of regions "
                                      "that do not ask each other.");
    bst_strbuf_release(&sizes);
    return false;
}

/* ---- what is split ---- */

/* Of the outermost parallel nodes the one with the most combinations; BST_NONE: there is none. */
static uint32_t find_split(const bst__load *l) {
    uint32_t found = BST_NONE;
    double most = 0;
    for (uint32_t n = 0; n < l->node_count; n++) {
        if (l->nodes[n].kind != BST_NODE_PARALLEL) {
            continue;
        }
        double size = 1;
        for (uint32_t c = l->nodes[n].first_child; c != BST_NONE; c = l->nodes[c].next_sibling) {
            const uint32_t leaves = leaves_in(l, c);
            size *= leaves > 0 ? leaves : 1;
        }
        if (size > most) {
            most = size;
            found = n;
        }
        n = l->nodes[n].last;
    }
    return found;
}

static bool asks_always(const bst__flat *f, uint32_t node) {
    for (; node != BST_NONE; node = f->nodes[node].parent) {
        if (f->l->node_notes[node].always_count > 0) {
            return true;
        }
    }
    return false;
}

static bool has_guarded_always(const bst__load *l, uint32_t node) {
    const bst__node_note *note = &l->node_notes[node];
    const uint32_t first = note->first + note->command_count;
    for (uint32_t i = first; i < first + note->always_count; i++) {
        if (l->transitions[i].guard != BST_NONE) {
            return true;
        }
    }
    return false;
}

static bool find_parts(bst__flat *f) {
    const bst__load *l = f->l;
    uint32_t *part_of = bst_arena_array(f->scratch, l->node_count, sizeof *part_of);
    if (!part_of) {
        return bst__nomem(f->l);
    }
    for (uint32_t n = 0; n < l->node_count; n++) {
        part_of[n] = BST_NONE;
        if (l->nodes[n].kind == BST_NODE_HISTORY) {
            return bst__cannot(
                f, "the machine has a history, which remembers several regions at once");
        }
    }
    f->part_of = part_of;
    const bst_node *split = &l->nodes[f->split];
    for (uint32_t c = split->first_child; c != BST_NONE; c = l->nodes[c].next_sibling) {
        if (f->part_count == BST_REGIONS_MAX) {
            return bst__cannot(f, "there are more than 250 of them");
        }
        for (uint32_t n = c; n <= l->nodes[c].last; n++) {
            part_of[n] = f->part_count;
            if (has_guarded_always(l, n)) {
                return bst__cannot(f,
                                   "an \"always\" in one of them has a guard, which events of the "
                                   "others would have to ask");
            }
        }
        if (l->node_notes[f->split].done_count > 0 && l->node_notes[c].done_count > 0) {
            return bst__cannot(f,
                               "a region and the parallel state around it both have an \"onDone\"");
        }
        f->part_nodes[f->part_count++] = c;
    }
    if (f->part_count < 2) {
        return bst__cannot(f, "there is one region alone");
    }
    return !asks_always(f, f->split) ||
           bst__cannot(f, "the parallel state, or one around it, has an \"always\"");
}

/* ---- events ---- */

/* Two regions may answer one command together, so they must name one event. */
static bool check_events(bst__flat *f) {
    bst__load *l = f->l;
    const uint32_t count = l->m->table.command_count;
    uint32_t *first = bst_arena_array(f->scratch, count, sizeof *first); /* transition + 1 */
    bool *reported = bst_arena_array(f->scratch, count, sizeof *reported);
    if (!first || !reported) {
        return bst__nomem(l);
    }
    for (uint32_t i = f->creation_count; i < f->transition_count; i++) {
        const bst_transition *t = &f->transitions[i];
        const uint32_t part = f->part_of[f->rows[t->from].words[1]];
        if (part == BST_NONE || reported[t->command]) {
            continue;
        }
        if (first[t->command] == 0) {
            first[t->command] = i + 1;
            continue;
        }
        const bst_transition *other = &f->transitions[first[t->command] - 1];
        if (other->event == t->event || f->part_of[f->rows[other->from].words[1]] == part) {
            continue;
        }
        reported[t->command] = true;
        const bst_loc where = bst__written_where(&l->m->table, f->origin[i]);
        const bst_loc there = bst__written_where(&l->m->table, f->origin[first[t->command] - 1]);
        bst__error(l, &where, "event-clash",
                   "command \"%s\" emits \"%s\" here and \"%s\" in another region, where it may be "
                   "at the same time",
                   l->commands[t->command].name, l->events[t->event].name,
                   l->events[other->event].name);
        bst_diag_hint(l->diags, "One command gives rise to one event: name the same in both.");
        bst_diag_also(l->diags, &there, "the other event is here");
    }
    return true;
}

/* ---- the tables ---- */

static bool publish(bst__flat *f) {
    const bst_machine *table = &f->l->m->table;
    bst_regions *regions = bst_arena_alloc(f->l->arena, sizeof *regions);
    bst_region *list = bst_arena_array(f->l->arena, f->part_count, sizeof *list);
    uint32_t *asked = bst_arena_array(f->l->arena, f->asked_count, sizeof *asked);
    if (!regions || !list || !asked) {
        return bst__nomem(f->l);
    }
    for (uint32_t p = 0; p < f->part_count; p++) {
        list[p].node = f->part_nodes[p];
    }
    *regions = (bst_regions){.split = BST_NONE,
                             .count = f->part_count,
                             .regions = list,
                             .entry = f->entry,
                             .moves = f->moves,
                             .parts = f->tuples,
                             .done_state = f->done_row,
                             .done_entry = f->done_entry,
                             .asked_count = f->asked_count,
                             .asked = asked};
    for (uint32_t s = 0; s < table->state_count; s++) {
        const uint32_t node = table->states[s].nodes[0];
        const uint32_t part = f->part_of[node];
        regions->split = node == f->split ? s : regions->split;
        if (part != BST_NONE && list[part].state_count++ == 0) {
            list[part].first_state = s;
        }
    }
    if (f->tuple_count == 0) {
        return bst__cannot(f, "nothing leads to them");
    }
    for (uint32_t i = 0; i < f->asked_count; i++) {
        asked[i] = f->asked[i];
    }
    f->l->m->regions = regions;
    return true;
}

static bool split(bst__flat *f) {
    f->split = find_split(f->l);
    if (f->split == BST_NONE) {
        return bst__cannot(f, "it is histories that multiply");
    }
    return find_parts(f) && bst__flatten_tree(f) && check_events(f) && publish(f);
}

bool bst__flatten_split(bst__load *l) {
    bst__flat f = {.l = l,
                   .nodes = l->nodes,
                   .scratch = bst_arena_new(),
                   .row_max = BST_CONFIGURATIONS_MAX,
                   .done_row = BST_NONE};
    const bool ok = f.scratch ? split(&f) : bst__nomem(l);
    bst_arena_free(f.scratch);
    if (f.why_not || f.exploded) {
        return bst__report_too_many(l, f.why_not ? f.why_not
                                                 : "one of them has more than that by itself");
    }
    return ok;
}
