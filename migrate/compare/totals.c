/* Totals by state, group and month, in a hash table; sorted, and added up over the months, when
 * they are asked for. */
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
    const char *key; /* the state's 4 bytes, the month's 4 bytes, the group */
    uint32_t state;
    int32_t month;
    const char *group;
    uint64_t count[2];
    int128 sum[2];
    bool lost;
    UT_hash_handle hh;
} total;

struct bst__totals {
    const bst_machine *machine;
    uint32_t sum_field, group_field;
    bool sums_may_differ;
    bst_arena *arena;
    bst_strbuf key, group;
    total *table;
};

bool bst_compare_has_both(const bst_mapping *mapping, uint32_t field) {
    return mapping->fields[field].kind != BST_FROM_NOTHING;
}

static uint32_t first_decimal(const bst_mapping *mapping) {
    for (uint32_t f = 0; f < mapping->machine->field_count; f++) {
        if (mapping->machine->fields[f].type.kind == BST_KIND_DECIMAL &&
            bst_compare_has_both(mapping, f)) {
            return f;
        }
    }
    return BST_NONE;
}

static uint32_t currency(const bst_mapping *mapping) {
    const uint32_t field = bst_machine_field(mapping->machine, "currency");
    return field != BST_NONE && bst_compare_has_both(mapping, field) ? field : BST_NONE;
}

bst_status bst__totals_new(const bst_mapping *mapping, const bst_compare_options *options,
                           bst__totals **ret, bst_diags *diags) {
    bst__totals *totals = calloc(1, sizeof *totals);
    if (!totals || !(totals->arena = bst_arena_new())) {
        free(totals);
        return bst_diag_nomem(diags);
    }
    totals->machine = mapping->machine;
    totals->sum_field =
        options->sum_field == BST_NONE ? first_decimal(mapping) : options->sum_field;
    totals->group_field =
        options->group_field == BST_NONE ? currency(mapping) : options->group_field;
    totals->sums_may_differ = options->tolerance && totals->sum_field != BST_NONE &&
                              options->tolerance[totals->sum_field] > 0;
    bst_strbuf_init(&totals->key);
    bst_strbuf_init(&totals->group);
    *ret = totals;
    return BST_OK;
}

bst__totals *bst__totals_free(bst__totals *totals) {
    if (totals) {
        HASH_CLEAR(hh, totals->table);
        bst_strbuf_release(&totals->key);
        bst_strbuf_release(&totals->group);
        bst_arena_free(totals->arena);
        free(totals);
    }
    return NULL;
}

/* By totals->key. */
static total *add_total(bst__totals *totals, uint32_t state, int32_t month) {
    total *entry = bst_arena_alloc(totals->arena, sizeof *entry);
    char *key = bst_arena_strndup(totals->arena, totals->key.text, totals->key.len);
    if (!entry || !key) {
        return NULL;
    }
    entry->key = key;
    entry->state = state;
    entry->month = month;
    entry->group = key + sizeof state + sizeof month;
    HASH_ADD_KEYPTR(hh, totals->table, entry->key, totals->key.len, entry);
    return entry->lost ? NULL : entry;
}

static total *find_total(bst__totals *totals, uint32_t state, const char *group, size_t len,
                         int32_t month) {
    bst_strbuf *key = &totals->key;
    total *entry = NULL;
    bst_strbuf_clear(key);
    bst_strbuf_add(key, &state, sizeof state);
    bst_strbuf_add(key, &month, sizeof month);
    bst_strbuf_add(key, group, len);
    HASH_FIND(hh, totals->table, key->text, key->len, entry);
    return entry || key->failed ? entry : add_total(totals, state, month);
}

/* NULL: no memory. */
static total *total_of(bst__totals *totals, const bst_entity *entity, int32_t month) {
    bst_strbuf_clear(&totals->group);
    if (totals->group_field != BST_NONE) {
        bst_value_to_text(&totals->machine->fields[totals->group_field].type,
                          &entity->fields[totals->group_field], &totals->group);
    }
    return totals->group.failed
               ? NULL
               : find_total(totals, entity->state, totals->group.text, totals->group.len, month);
}

static void count(const bst__totals *totals, total *entry, bst__side side,
                  const bst_entity *entity) {
    entry->count[side]++;
    if (totals->sum_field != BST_NONE && entity->fields[totals->sum_field].present) {
        entry->sum[side] += entity->fields[totals->sum_field].u.i;
    }
}

bst_status bst__totals_add(bst__totals *totals, bst__side side, const bst_entity *entity,
                           int32_t month, bst_diags *diags) {
    total *entry = total_of(totals, entity, month);
    if (!entry) {
        return bst_diag_nomem(diags);
    }
    count(totals, entry, side, entity);
    return BST_OK;
}

bst_status bst__totals_add_pair(bst__totals *totals, const bst_entity *old, const bst_entity *new,
                                int32_t month, bst_diags *diags) {
    total *entry = total_of(totals, old, month);
    if (!entry) {
        return bst_diag_nomem(diags);
    }
    count(totals, entry, BST__OLD, old);
    count(totals, entry, BST__NEW, new);
    return BST_OK;
}

bst_status bst__totals_merge(bst__totals *totals, const bst__totals *from, bst_diags *diags) {
    for (const total *one = from->table; one; one = one->hh.next) {
        total *entry = find_total(totals, one->state, one->group, strlen(one->group), one->month);
        if (!entry) {
            return bst_diag_nomem(diags);
        }
        for (int side = 0; side < 2; side++) {
            entry->count[side] += one->count[side];
            entry->sum[side] += one->sum[side];
        }
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
    const total *one = *(const total *const *)a;
    const total *other = *(const total *const *)b;
    if (one->state != other->state) {
        return one->state < other->state ? -1 : 1;
    }
    int order = strcmp(one->group, other->group);
    return order != 0 ? order : (one->month > other->month) - (one->month < other->month);
}

static const char *month_text(int32_t month, bst_arena *arena) {
    char text[BST_TIME_TEXT_MAX];
    return month == BST__NO_MONTH ? ""
                                  : bst_arena_strndup(arena, text, bst_month_format(month, text));
}

/* One line for `count` entries of the same state and group; without a month when `all`. */
static bool make_line(const bst__totals *totals, total *const *entries, size_t count, bool all,
                      bst_arena *arena, bst_total *ret) {
    int128 sum[2] = {0, 0};
    *ret = (bst_total){.state = entries[0]->state,
                       .group = bst_arena_strdup(arena, entries[0]->group),
                       .month = all ? NULL : month_text(entries[0]->month, arena)};
    for (size_t i = 0; i < count; i++) {
        ret->old_count += entries[i]->count[BST__OLD];
        ret->new_count += entries[i]->count[BST__NEW];
        sum[BST__OLD] += entries[i]->sum[BST__OLD];
        sum[BST__NEW] += entries[i]->sum[BST__NEW];
    }
    if (totals->sum_field == BST_NONE) {
        return ret->group && (all || ret->month);
    }
    int scale = totals->machine->fields[totals->sum_field].type.scale;
    ret->old_sum = sum_text(sum[BST__OLD], scale, arena);
    ret->new_sum = sum_text(sum[BST__NEW], scale, arena);
    return ret->group && (all || ret->month) && ret->old_sum && ret->new_sum;
}

/* The lines of one state and group; returns how many, 0 when out of memory. */
static size_t make_lines(const bst__totals *totals, total *const *entries, size_t count,
                         bst_arena *arena, bst_total *lines) {
    bool months = count > 1 || entries[0]->month != BST__NO_MONTH;
    bool fine = make_line(totals, entries, count, true, arena, lines);
    for (size_t i = 0; months && fine && i < count; i++) {
        fine = make_line(totals, &entries[i], 1, false, arena, &lines[1 + i]);
    }
    return !fine ? 0 : months ? 1 + count : 1;
}

static bool is_same_group(const total *a, const total *b) {
    return a->state == b->state && strcmp(a->group, b->group) == 0;
}

static bool differs(const bst__totals *totals, const total *entry) {
    return entry->count[BST__OLD] != entry->count[BST__NEW] ||
           (!totals->sums_may_differ && entry->sum[BST__OLD] != entry->sum[BST__NEW]);
}

void bst__totals_fields(const bst__totals *totals, uint32_t *ret_sum, uint32_t *ret_group) {
    *ret_sum = totals->sum_field;
    *ret_group = totals->group_field;
}

bst_status bst__totals_list(const bst__totals *totals, bst_arena *arena, const bst_total **ret,
                            size_t *ret_count, bool *ret_differ, bst_diags *diags) {
    const size_t count = HASH_COUNT(totals->table);
    total **entries = bst_arena_array(arena, count, sizeof *entries);
    bst_total *lines = bst_arena_array(arena, 2 * count, sizeof *lines);
    size_t line_count = 0;
    size_t filled = 0;
    if (!entries || !lines) {
        return bst_diag_nomem(diags);
    }
    *ret_differ = false;
    for (total *entry = totals->table; entry; entry = entry->hh.next) {
        entries[filled++] = entry;
        *ret_differ = *ret_differ || differs(totals, entry);
    }
    qsort(entries, count, sizeof(total *), compare_totals);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && is_same_group(entries[first], entries[end])) {
            end++;
        }
        size_t made = make_lines(totals, &entries[first], end - first, arena, &lines[line_count]);
        if (made == 0) {
            return bst_diag_nomem(diags);
        }
        line_count += made;
        first = end;
    }
    *ret = lines;
    *ret_count = line_count;
    return BST_OK;
}
