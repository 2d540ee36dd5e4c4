/* Totals by state and group, in a hash table; sorted when they are asked for. */
#include "totals_private.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#define INT128_TEXT_MAX 64

typedef struct total {
    const char *key; /* the state's 4 bytes, then the group */
    uint32_t state;
    const char *group;
    uint64_t count[2];
    int128 sum[2];
    bool lost;
    UT_hash_handle hh;
} total;

struct bst__totals {
    const bst_machine *machine;
    uint32_t sum_field, group_field;
    bst_arena *arena;
    bst_strbuf key;
    total *table;
};

static uint32_t first_decimal(const bst_machine *machine) {
    for (uint32_t f = 0; f < machine->field_count; f++) {
        if (machine->fields[f].type.kind == BST_KIND_DECIMAL) {
            return f;
        }
    }
    return BST_NONE;
}

bst_status bst__totals_new(const bst_machine *machine, uint32_t sum_field, uint32_t group_field,
                           bst__totals **ret, bst_diags *diags) {
    bst__totals *totals = calloc(1, sizeof *totals);
    if (!totals || !(totals->arena = bst_arena_new())) {
        free(totals);
        return bst_diag_nomem(diags);
    }
    totals->machine = machine;
    totals->sum_field = sum_field == BST_NONE ? first_decimal(machine) : sum_field;
    totals->group_field =
        group_field == BST_NONE ? bst_machine_field(machine, "currency") : group_field;
    bst_strbuf_init(&totals->key);
    *ret = totals;
    return BST_OK;
}

bst__totals *bst__totals_free(bst__totals *totals) {
    if (totals) {
        HASH_CLEAR(hh, totals->table);
        bst_strbuf_release(&totals->key);
        bst_arena_free(totals->arena);
        free(totals);
    }
    return NULL;
}

static total *add_total(bst__totals *totals, uint32_t state) {
    total *entry = bst_arena_alloc(totals->arena, sizeof *entry);
    char *key = bst_arena_strndup(totals->arena, totals->key.text, totals->key.len);
    if (!entry || !key) {
        return NULL;
    }
    entry->key = key;
    entry->state = state;
    entry->group = key + sizeof state;
    HASH_ADD_KEYPTR(hh, totals->table, entry->key, totals->key.len, entry);
    return entry->lost ? NULL : entry;
}

bst_status bst__totals_add(bst__totals *totals, bst__side side, const bst_entity *entity,
                           bst_diags *diags) {
    bst_strbuf *key = &totals->key;
    bst_strbuf_clear(key);
    bst_strbuf_add(key, &entity->state, sizeof entity->state);
    if (totals->group_field != BST_NONE) {
        bst_value_to_text(&totals->machine->fields[totals->group_field].type,
                          &entity->fields[totals->group_field], key);
    }
    total *entry = NULL;
    HASH_FIND(hh, totals->table, key->text, key->len, entry);
    if (!entry) {
        entry = key->failed ? NULL : add_total(totals, entity->state);
    }
    if (!entry) {
        return bst_diag_nomem(diags);
    }
    entry->count[side]++;
    if (totals->sum_field != BST_NONE && entity->fields[totals->sum_field].present) {
        entry->sum[side] += entity->fields[totals->sum_field].u.i;
    }
    return BST_OK;
}

/* Decimal text of a sum, `scale` digits after the point. */
static char *sum_text(int128 sum, int scale, bst_arena *arena) {
    char text[INT128_TEXT_MAX];
    size_t at = sizeof text;
    uint128 rest = sum < 0 ? -(uint128)sum : (uint128)sum;
    int digits = 0;
    text[--at] = '\0';
    do {
        if (digits == scale && scale > 0) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        digits++;
    } while (rest > 0 || digits <= scale);
    if (sum < 0) {
        text[--at] = '-';
    }
    return bst_arena_strdup(arena, text + at);
}

static int compare_totals(const void *a, const void *b) {
    const bst_total *one = a;
    const bst_total *other = b;
    if (one->state != other->state) {
        return one->state < other->state ? -1 : 1;
    }
    return strcmp(one->group, other->group);
}

static bool make_total(const bst__totals *totals, const total *from, bst_arena *arena,
                       bst_total *ret) {
    *ret = (bst_total){.state = from->state,
                       .group = bst_arena_strdup(arena, from->group),
                       .old_count = from->count[BST__OLD],
                       .new_count = from->count[BST__NEW]};
    if (totals->sum_field == BST_NONE) {
        return ret->group != NULL;
    }
    int scale = totals->machine->fields[totals->sum_field].type.scale;
    ret->old_sum = sum_text(from->sum[BST__OLD], scale, arena);
    ret->new_sum = sum_text(from->sum[BST__NEW], scale, arena);
    return ret->group && ret->old_sum && ret->new_sum;
}

bst_status bst__totals_list(const bst__totals *totals, bst_arena *arena, const bst_total **ret,
                            size_t *ret_count, bool *ret_differ, bst_diags *diags) {
    size_t count = 0;
    bst_total *list = bst_arena_array(arena, HASH_COUNT(totals->table), sizeof *list);
    bool differ = false;
    for (const total *entry = totals->table; list && entry; entry = entry->hh.next) {
        if (!make_total(totals, entry, arena, &list[count++])) {
            return bst_diag_nomem(diags);
        }
        differ = differ || entry->count[BST__OLD] != entry->count[BST__NEW] ||
                 entry->sum[BST__OLD] != entry->sum[BST__NEW];
    }
    if (!list) {
        return bst_diag_nomem(diags);
    }
    qsort(list, count, sizeof *list, compare_totals);
    *ret = list;
    *ret_count = count;
    *ret_differ = differ;
    return BST_OK;
}
