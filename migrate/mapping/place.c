/* Where a row stands: what its state columns say, together.
 *
 * A value names a node; a row is in the state in which all the nodes that its columns name are
 * active. Of each column a state has at most one such node (or values would overlap, a mistake), so
 * a state is a list of nodes, one a column, and a row finds its state by its list in a hash table.
 * A column of a region that is not active stands in the list as BST_NONE. Two states with one list
 * look the same; that is a mistake of the mapping, unless only their histories differ: then a row
 * means the first, whose histories remember nothing.
 */
#include "mapping_private.h"

#include <string.h>

#include "backstory/hash.h"

#define HASH_NONFATAL_OOM             1
#define uthash_nonfatal_oom(added)    (*(added_ok) = false)
#define HASH_FUNCTION(key, len, hash) ((hash) = bst_hash(key, len))
#include <uthash.h>

#define MENDS_MAX 3u /* other values of one column that a repair names */

struct bst__map_code {
    uint32_t number;
    UT_hash_handle hh;
};

struct bst__map_place {
    const uint32_t *nodes; /* by state column */
    uint32_t state;
    UT_hash_handle hh;
};

static const bst__map_whole *whole_of(const bst_mapping *mapping) {
    return (const bst__map_whole *)(const void *)mapping;
}

/* ---- codes ---- */

uint32_t bst_mapping_code(const bst_mapping *mapping, uint32_t state_column, const char *text,
                          size_t len) {
    const bst__map_code *found = NULL;
    HASH_FIND(hh, whole_of(mapping)->codes[state_column], text, len, found);
    return found ? found->number : BST_NONE;
}

uint32_t bst_mapping_state(const bst_mapping *mapping, const char *text, size_t len) {
    const uint32_t code = mapping->regional ? BST_NONE : bst_mapping_code(mapping, 0, text, len);
    return code == BST_NONE ? BST_NONE : mapping->state_columns[0].codes[code].state;
}

static bool add_codes(bst__map *map, uint32_t c) {
    const bst_state_column *column = &map->mapping->state_columns[c];
    bst__map_code *entries = bst_arena_array(map->arena, column->code_count, sizeof *entries);
    bool ok = entries != NULL;
    bool *added_ok = &ok;
    for (uint32_t i = 0; ok && i < column->code_count; i++) {
        const char *text = column->codes[i].text;
        entries[i].number = i;
        HASH_ADD_KEYPTR(hh, map->whole->codes[c], text, strlen(text), &entries[i]);
    }
    return ok;
}

bool bst_mapping_is_state(const bst_mapping *mapping, uint32_t column) {
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (mapping->state_columns[c].column == column) {
            return true;
        }
    }
    return false;
}

/* ---- the nodes of a state ---- */

static bool is_coded(const bst_mapping *mapping, uint32_t c, uint32_t node) {
    return whole_of(mapping)->coded[(size_t)c * mapping->machine->node_count + node];
}

/* The node of the state that column c can name; BST_NONE: none. With `ret_other`, a second one. */
static uint32_t named_node(const bst_mapping *mapping, uint32_t c, uint32_t state,
                           uint32_t *ret_other) {
    const bst_machine *m = mapping->machine;
    uint32_t found = BST_NONE;
    for (uint32_t i = 0; i < m->states[state].node_count; i++) {
        for (uint32_t n = m->states[state].nodes[i]; n != BST_NONE; n = m->nodes[n].parent) {
            if (!is_coded(mapping, c, n) || n == found) {
                continue;
            }
            if (found == BST_NONE) {
                found = n;
            } else if (ret_other) {
                *ret_other = n;
            }
        }
    }
    return found;
}

/* The list of a state. False: no row can say that it is there. */
static bool list_nodes(const bst_mapping *mapping, uint32_t state, uint32_t *nodes) {
    bool any = false;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        nodes[c] = named_node(mapping, c, state, NULL);
        if (nodes[c] == BST_NONE &&
            bst_machine_is_active(mapping->machine, state, mapping->state_columns[c].region)) {
            return false;
        }
        any = any || nodes[c] != BST_NONE;
    }
    return any;
}

static const bst__map_place *find_place(const bst_mapping *mapping, const uint32_t *nodes) {
    const bst__map_place *found = NULL;
    HASH_FIND(hh, whole_of(mapping)->places, nodes, mapping->state_column_count * sizeof *nodes,
              found);
    return found;
}

static uint32_t first_code(const bst_state_column *column, uint32_t state, uint32_t node) {
    for (uint32_t i = 0; i < column->code_count; i++) {
        if (column->codes[i].state == state && column->codes[i].node == node) {
            return i;
        }
    }
    return BST_NONE;
}

bool bst_mapping_codes_of(const bst_mapping *mapping, uint32_t state, uint32_t *ret_codes) {
    uint32_t nodes[BST_STATE_COLUMNS_MAX];
    if (!mapping->regional) {
        ret_codes[0] = first_code(&mapping->state_columns[0], state, BST_NONE);
        return ret_codes[0] != BST_NONE;
    }
    if (!list_nodes(mapping, state, nodes) || find_place(mapping, nodes)->state != state) {
        return false;
    }
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        ret_codes[c] = nodes[c] == BST_NONE
                           ? BST_NONE
                           : first_code(&mapping->state_columns[c], BST_NONE, nodes[c]);
    }
    return true;
}

/* ---- mistakes ---- */

static void report_overlap(bst__map *map, uint32_t c, uint32_t node, uint32_t other) {
    const bst_state_column *column = &map->mapping->state_columns[c];
    const bst_state_code *first = &column->codes[first_code(column, BST_NONE, node)];
    const bst_state_code *second = &column->codes[first_code(column, BST_NONE, other)];
    const bst_loc where = bst__map_code_where(map->mapping, column, second);
    const bst_loc there = bst__map_code_where(map->mapping, column, first);
    bst__map_error(map, &where, "overlapping-codes",
                   "values \"%s\" and \"%s\" of one column name states that are active together",
                   first->text, second->text);
    bst_diag_hint(map->diags, "A column has one value at a time: name the innermost states, or "
                              "give each region a column.");
    bst_diag_also(map->diags, &there, "the other value is here");
}

static bool has_leaf(const bst_state *state, uint32_t node) {
    for (uint32_t i = 0; i < state->node_count; i++) {
        if (state->nodes[i] == node) {
            return true;
        }
    }
    return false;
}

static bool same_leaves(const bst_state *a, const bst_state *b) {
    bool same = a->node_count == b->node_count;
    for (uint32_t i = 0; same && i < a->node_count; i++) {
        same = a->nodes[i] == b->nodes[i];
    }
    return same;
}

static bool has_column(const bst_mapping *mapping, uint32_t region) {
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (mapping->state_columns[c].region == region) {
            return true;
        }
    }
    return false;
}

/* The innermost region around the node that has no column; BST_NONE: all have. */
static uint32_t region_without(const bst_mapping *mapping, uint32_t node) {
    const bst_node *nodes = mapping->machine->nodes;
    for (uint32_t n = node; nodes[n].parent != BST_NONE; n = nodes[n].parent) {
        if (nodes[nodes[n].parent].kind == BST_NODE_PARALLEL && !has_column(mapping, n)) {
            return n;
        }
    }
    return BST_NONE;
}

static void report_alike(bst__map *map, uint32_t first, uint32_t second) {
    const bst_machine *m = map->machine;
    const bst_loc where = bst_json_source_value(map->json, "/state");
    uint32_t leaf = 0;
    while (has_leaf(&m->states[first], m->states[second].nodes[leaf])) {
        leaf++;
    }
    const uint32_t region = region_without(map->mapping, m->states[second].nodes[leaf]);
    if (region != BST_NONE) {
        bst__map_error(map, &where, "region-without-column",
                       "region \"%s\" has no column, so nothing tells in which state of it a row "
                       "is",
                       m->nodes[region].path);
        bst_diag_hint(map->diags, "Add it to \"regions\".");
    } else {
        bst__map_error(map, &where, "indistinct-states",
                       "two states have the same values in all columns");
        bst_diag_hint(map->diags, "Name the innermost states in \"values\".");
    }
    bst_diag_detail(map->diags, "Rows in \"%s\" and in \"%s\" look the same.",
                    m->states[first].name, m->states[second].name);
}

/* ---- making the table ---- */

static bool mark_codes(bst__map *map) {
    const bst_mapping *mapping = map->mapping;
    const uint32_t nodes = map->machine->node_count;
    bool *coded = bst_arena_array(map->arena, (size_t)mapping->state_column_count * nodes, 1);
    for (uint32_t c = 0; coded && c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        for (uint32_t i = 0; i < column->code_count; i++) {
            coded[(size_t)c * nodes + column->codes[i].node] = true;
        }
    }
    map->whole->coded = coded;
    return coded != NULL;
}

/* False: the first mistake is reported; what it leads to is not. */
static bool check_overlaps(bst__map *map) {
    for (uint32_t c = 0; c < map->mapping->state_column_count; c++) {
        for (uint32_t s = 0; s < map->machine->state_count; s++) {
            uint32_t other = BST_NONE;
            const uint32_t node = named_node(map->mapping, c, s, &other);
            if (other != BST_NONE) {
                report_overlap(map, c, node, other);
                return false;
            }
        }
    }
    return true;
}

/* False: out of memory, or a mistake is reported. */
static bool add_place(bst__map *map, uint32_t state, const uint32_t *nodes) {
    const size_t size = map->mapping->state_column_count * sizeof *nodes;
    const bst__map_place *there = find_place(map->mapping, nodes);
    if (there) {
        if (same_leaves(&map->machine->states[there->state], &map->machine->states[state])) {
            return true;
        }
        report_alike(map, there->state, state);
        return false;
    }
    bool ok = true;
    bool *added_ok = &ok;
    uint32_t *copy = bst_arena_alloc(map->arena, size);
    bst__map_place *place = bst_arena_alloc(map->arena, sizeof *place);
    if (!copy || !place) {
        bst__map_nomem(map);
        return false;
    }
    memcpy(copy, nodes, size);
    *place = (bst__map_place){.nodes = copy, .state = state};
    HASH_ADD_KEYPTR(hh, map->whole->places, place->nodes, size, place);
    if (!ok) {
        bst__map_nomem(map);
    }
    return ok;
}

void bst__map_places(bst__map *map) {
    uint32_t nodes[BST_STATE_COLUMNS_MAX];
    for (uint32_t c = 0; c < map->mapping->state_column_count; c++) {
        if (!add_codes(map, c)) {
            bst__map_nomem(map);
            return;
        }
    }
    if (!map->mapping->regional) {
        return;
    }
    if (!mark_codes(map)) {
        bst__map_nomem(map);
        return;
    }
    bool ok = check_overlaps(map);
    for (uint32_t s = 0; ok && s < map->machine->state_count; s++) {
        ok = !list_nodes(map->mapping, s, nodes) || add_place(map, s, nodes);
    }
}

void bst__map_places_free(bst__map_whole *whole) {
    for (uint32_t c = 0; c < BST_STATE_COLUMNS_MAX; c++) {
        HASH_CLEAR(hh, whole->codes[c]);
    }
    HASH_CLEAR(hh, whole->places);
}

/* ---- reading a row ---- */

/* Whether the region can be active while the node is. */
static bool is_compatible(const bst_machine *machine, uint32_t node, uint32_t region) {
    const bst_node *nodes = machine->nodes;
    if (region >= node && region <= nodes[node].last) {
        return true;
    }
    uint32_t around = node;
    while (region < around || region > nodes[around].last) {
        around = nodes[around].parent;
    }
    return around == region || nodes[around].kind == BST_NODE_PARALLEL;
}

/* Whether column c is asked: its decider does not say that the region is not active. */
static bool is_asked(const bst_mapping *mapping, uint32_t c, const uint32_t *nodes,
                     const bst_state_reading *reading) {
    const uint32_t decider = mapping->state_columns[c].decider;
    return decider == BST_NONE ||
           (reading->asked[decider] && nodes[decider] != BST_NONE &&
            is_compatible(mapping->machine, nodes[decider], mapping->state_columns[c].region));
}

static void read_regions(const bst_mapping *mapping, const bst_value *values,
                         bst_state_reading *ret) {
    uint32_t nodes[BST_STATE_COLUMNS_MAX] = {0};
    uint32_t null = BST_NONE;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        nodes[c] = ret->codes[c] = BST_NONE;
        ret->asked[c] = is_asked(mapping, c, nodes, ret);
        if (!ret->asked[c]) {
            continue;
        }
        if (!values[c].present) {
            null = null == BST_NONE ? c : null;
            continue;
        }
        ret->codes[c] = bst_mapping_code(mapping, c, values[c].u.text, values[c].len);
        if (ret->codes[c] == BST_NONE) {
            ret->column = c;
            return;
        }
        nodes[c] = column->codes[ret->codes[c]].node;
    }
    const bst__map_place *place = find_place(mapping, nodes);
    if (place) {
        ret->verdict = BST_STATE_KNOWN;
        ret->state = place->state;
    } else if (null != BST_NONE) {
        ret->column = null;
    } else {
        ret->verdict = BST_STATE_IMPOSSIBLE;
    }
}

void bst_mapping_read_state(const bst_mapping *mapping, const bst_value *values,
                            bst_state_reading *ret) {
    ret->verdict = BST_STATE_UNKNOWN;
    ret->state = BST_NONE;
    ret->column = 0;
    if (mapping->regional) {
        read_regions(mapping, values, ret);
        return;
    }
    ret->asked[0] = true;
    ret->codes[0] = values[0].present
                        ? bst_mapping_code(mapping, 0, values[0].u.text, values[0].len)
                        : BST_NONE;
    if (ret->codes[0] != BST_NONE) {
        ret->verdict = BST_STATE_KNOWN;
        ret->state = mapping->state_columns[0].codes[ret->codes[0]].state;
    }
}

/* ---- repair ---- */

/* The codes of one column with which the list would be that of a state. */
static void mend_column(const bst_mapping *mapping, uint32_t c, const uint32_t *nodes,
                        bst_strbuf *out) {
    const bst_state_column *column = &mapping->state_columns[c];
    uint32_t other[BST_STATE_COLUMNS_MAX];
    uint32_t found = 0;
    memcpy(other, nodes, mapping->state_column_count * sizeof *other);
    for (uint32_t i = 0; i < column->code_count && found < MENDS_MAX; i++) {
        other[c] = column->codes[i].node;
        if (other[c] == nodes[c] || first_code(column, BST_NONE, other[c]) != i ||
            !find_place(mapping, other)) {
            continue;
        }
        bst_strbuf_adds(out, out->len ? " or " : "holds if ");
        if (found++ == 0) {
            bst_strbuf_addf(out, "%s is ", mapping->source.columns[column->column].name);
        }
        bst_strbuf_add_json(out, column->codes[i].text, strlen(column->codes[i].text));
    }
}

void bst__map_mend_state(const bst_mapping *mapping, const bst_state_reading *reading,
                         bst_strbuf *out) {
    uint32_t nodes[BST_STATE_COLUMNS_MAX];
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const uint32_t code = reading->codes[c];
        nodes[c] = code == BST_NONE ? BST_NONE : mapping->state_columns[c].codes[code].node;
    }
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (reading->asked[c]) {
            mend_column(mapping, c, nodes, out);
        }
    }
}
