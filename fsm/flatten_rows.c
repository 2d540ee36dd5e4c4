/* Rows: the configurations that have a number, in one table or in those of regions, and what guards
 * may ask of regions that a row does not know.
 */
#include <string.h>

#include "flatten_private.h"

typedef struct wanted_row {
    const bst__row *rows;
    const bst__row *row;
} wanted_row;

bool bst__same_row(const bst__row *a, const bst__row *b) {
    return a->len == b->len && memcmp(a->words, b->words, a->len * sizeof *a->words) == 0;
}

static bool same_row(const void *wanted, uint32_t number) {
    const wanted_row *w = wanted;
    return bst__same_row(&w->rows[number], w->row);
}

bool bst__intern_row(bst__flat *f, const bst__row *row, uint32_t *ret) {
    const wanted_row wanted = {f->rows, row};
    uint32_t hash = row->len;
    for (uint32_t i = 0; i < row->len; i++) {
        hash = bst__hash3(hash, row->words[i], 0);
    }
    *ret = bst__index_find(&f->row_index, hash, same_row, &wanted);
    if (*ret != BST_NONE) {
        return true;
    }
    if (f->regions && f->row_count >= f->row_max) {
        f->exploded = true;
        return false;
    }
    if (f->row_count == f->row_room) {
        const uint32_t room = bst__next_room(f->row_room);
        bst__row *longer = bst_arena_array(f->scratch, room, sizeof *longer);
        if (!longer) {
            return bst__nomem(f->l);
        }
        if (f->row_count) {
            memcpy(longer, f->rows, f->row_count * sizeof *longer);
        }
        f->rows = longer;
        f->row_room = room;
    }
    f->rows[f->row_count] = *row;
    *ret = f->row_count++;
    return bst__index_add(&f->row_index, f->scratch, hash, *ret) || bst__nomem(f->l);
}

/* The end of a way. */

/* ---- of regions ---- */

static bool same_part(const bst__flat *f, const bst__row *row) {
    for (uint32_t i = 2; i <= row->words[0]; i++) {
        if (f->part_of[row->words[i]] != f->part_of[row->words[1]]) {
            return false;
        }
    }
    return true;
}

bool bst__intern_split(bst__flat *f, uint32_t *ret) {
    uint32_t *words = bst_arena_array(f->scratch, 2, sizeof *words);
    if (!words) {
        return bst__nomem(f->l);
    }
    words[0] = 1;
    words[1] = f->split;
    const bst__row row = {words, 2};
    return bst__intern_row(f, &row, ret);
}

/* Cuts a row of all regions. Leaves are in document order, so those of a region stand together. */
static bool add_tuple(bst__flat *f, const bst__row *row) {
    if (f->tuple_count == f->tuple_room) {
        f->tuple_room = bst__next_room(f->tuple_count);
        f->tuples = bst__longer(f->l, f->tuples, f->part_count * sizeof *f->tuples, f->tuple_count,
                                f->tuple_room);
        if (!f->tuples) {
            return false;
        }
    }
    uint32_t *tuple = &f->tuples[(size_t)f->tuple_count * f->part_count];
    uint32_t at = 1;
    for (uint32_t p = 0; p < f->part_count; p++) {
        uint32_t *words = bst_arena_array(f->scratch, row->words[0] + 1, sizeof *words);
        if (!words) {
            return bst__nomem(f->l);
        }
        for (words[0] = 0; at <= row->words[0] && f->part_of[row->words[at]] == p; at++) {
            words[++words[0]] = row->words[at];
        }
        const bst__row part = {words, words[0] + 1};
        if (!bst__intern_row(f, &part, &tuple[p])) {
            return false;
        }
    }
    f->tuple_count++;
    return true;
}

bool bst__intern_place(bst__flat *f, const bst__row *row, uint32_t *ret, uint32_t *ret_entry) {
    *ret_entry = BST_NONE;
    if (f->split == BST_NONE || same_part(f, row)) {
        return bst__intern_row(f, row, ret);
    }
    *ret_entry = f->tuple_count;
    return bst__intern_split(f, ret) && add_tuple(f, row);
}

/* ---- what guards ask ---- */

bool bst__is_elsewhere(const bst__flat *f, uint32_t node) {
    if (f->split == BST_NONE || f->part_of[node] == BST_NONE || !f->active[f->split]) {
        return false;
    }
    return !f->active[f->part_nodes[f->part_of[node]]];
}

uint32_t bst__asked_number(bst__flat *f, uint32_t node) {
    for (uint32_t i = 0; i < f->asked_count; i++) {
        if (f->asked[i] == node) {
            return i;
        }
    }
    if (f->asked_count == BST_ASKED_MAX) {
        f->why_not = "guards ask for more than 250 states of other regions";
        return BST_NONE;
    }
    f->asked[f->asked_count] = node;
    return f->asked_count++;
}
