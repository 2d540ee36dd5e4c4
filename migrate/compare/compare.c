/* Comparing: one pass, or, while the old system writes and a follower brings the new one along, as
 * many as it takes. Then the two sides cannot be read at one moment: the store is at least as far
 * as the rows, for the follower is waited for, but it may be further. So what differs is compared
 * again, at a later moment, and only what differs each time is told.
 *
 * Where every entity that was looked at came out equal, so do all totals; the totals themselves
 * are those of the first pass, when the sides were not at one moment. */
#include "compare_private.h"

#include <stdlib.h>
#include <string.h>

/* Differing entities of one pass. */
typedef struct key_list {
    bst_arena *arena;
    const char **keys;
    size_t count, room;
    bool failed;
} key_list;

static bst_status note_key(void *context, const bst_difference *difference) {
    key_list *list = context;
    const char *last = list->count > 0 ? list->keys[list->count - 1] : NULL;
    if (last && strlen(last) == difference->key_len &&
        memcmp(last, difference->key, difference->key_len) == 0) {
        return BST_OK; /* another field of the same */
    }
    if (list->count == list->room) {
        const size_t room = list->room > 0 ? list->room * 2 : 256;
        const char **larger = realloc(list->keys, room * sizeof *larger);
        if (!larger) {
            list->failed = true;
            return BST_NOMEM;
        }
        list->keys = larger;
        list->room = room;
    }
    list->keys[list->count] = bst_arena_strndup(list->arena, difference->key, difference->key_len);
    list->failed = list->failed || !list->keys[list->count];
    list->count += !list->failed;
    return list->failed ? BST_NOMEM : BST_OK;
}

static int compare_keys(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A range for each key: up to the next text there could be after it. */
static bool make_ranges(key_list *list, bst_key_part *part) {
    bst_key_range *ranges = bst_arena_array(list->arena, list->count, sizeof *ranges);
    size_t count = 0;
    if (!ranges) {
        return false;
    }
    qsort(list->keys, list->count, sizeof *list->keys, compare_keys);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && strcmp(list->keys[i - 1], list->keys[i]) == 0) {
            continue;
        }
        ranges[count].from = list->keys[i];
        ranges[count].before = bst_arena_printf(list->arena, "%s\x01", list->keys[i]);
        if (!ranges[count].before) {
            return false;
        }
        count++;
    }
    *part = (bst_key_part){.range_count = count, .ranges = ranges};
    return true;
}

static uint64_t wrong(const bst_compare_figures *f) {
    return f->different + f->missing_in_store + f->missing_in_source;
}

/* The figures of the first pass, with what a later one found of the entities that differed. */
static void settle(bst_comparison *result, const bst_compare_figures *later) {
    bst_compare_figures *f = &result->figures;
    f->settled += wrong(f) - wrong(later);
    f->equal += later->equal;
    f->different = later->different;
    f->missing_in_store = later->missing_in_store;
    f->missing_in_source = later->missing_in_source;
    f->field_differences = later->field_differences;
    memcpy(f->by_extent, later->by_extent, sizeof f->by_extent);
}

/* One pass over what differed; `last`: what still does is told. */
static bst_status look_again(const bst_mapping *mapping, const bst_compare_options *options,
                             key_list *list, bool last, bst_comparison *result, bst_diags *diags) {
    bst_compare_options again = *options;
    bst_comparison found;
    if (!make_ranges(list, &again.sample)) {
        return bst_diag_nomem(diags);
    }
    list->count = 0;
    again.jobs = 1;
    again.on_progress = NULL;
    if (!last) {
        again.on_difference = note_key;
        again.context = list;
    }
    const bst_status status = bst__compare_pass(mapping, &again, list->arena, &found, NULL, diags);
    if (status == BST_OK) {
        settle(result, &found.figures);
    }
    return status;
}

static bst_status compare_until_settled(const bst_mapping *mapping,
                                        const bst_compare_options *options, bst_arena *arena,
                                        bst_comparison *ret, bst_diags *diags) {
    key_list list = {.arena = bst_arena_new()};
    bst_compare_options first = *options;
    first.on_difference = note_key;
    first.on_progress = NULL;
    first.context = &list;
    bst_status status = list.arena ? bst__compare_pass(mapping, &first, arena, ret, NULL, diags)
                                   : bst_diag_nomem(diags);
    for (uint32_t round = 1; status == BST_OK && list.count > 0; round++) {
        const bool last = round >= options->rechecks || list.count > BST_RECHECK_KEYS_MAX;
        status = look_again(mapping, options, &list, last, ret, diags);
        if (last) {
            break;
        }
    }
    free(list.keys);
    bst_arena_free(list.arena);
    return status;
}

bst_status bst_compare(const bst_mapping *mapping, const bst_compare_options *options,
                       bst_arena *arena, bst_comparison *ret, bst_diags *diags) {
    bool totals_differ = false;
    bst_status status =
        options->rechecks > 0
            ? compare_until_settled(mapping, options, arena, ret, diags)
            : bst__compare_pass(mapping, options, arena, ret, &totals_differ, diags);
    const bst_compare_figures *f = &ret->figures;
    bool differ = f->different + f->missing_in_store + f->missing_in_source > 0 || totals_differ;
    return status == BST_OK && differ ? BST_DIFFERENT : status;
}
