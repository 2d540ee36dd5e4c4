/* Replaying commands: a run of old against new, a run of old against itself, then the smallest
 * sequence for each kind of mismatch.
 */
#include "replay_private.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#include "backstory/sink.h"

#define PROGRESS_STEPS 256u

/* What mismatches are grouped by. */
typedef struct group_key {
    uint32_t kind, command, state, field;
} group_key;

typedef struct group {
    group_key key;
    bst_mismatch mismatch;
    size_t first; /* step */
    bool lost;
    UT_hash_handle hh;
} group;

/* A step at which a group shows, to be asked whether it is noise. */
typedef struct occurrence {
    size_t step;
    group *group;
} occurrence;

typedef struct replay {
    const bst_mapping *mapping;
    const bst_machine *machine;
    const bst_replay_options *options;
    bst_replay_result *result;
    bst_arena *arena;   /* the caller's */
    bst_arena *scratch; /* of this call */
    bst_diags *diags;
    bst__replay_log log;
    bst__old *old;
    bst__pair *pair;
    group *groups;
    occurrence *occurrences;
    size_t occurrence_count, occurrence_room;
    bst__replay_digest *digests; /* by step; NULL: no second run */
    uint8_t *noisy;              /* by step and kind of digest: 0 verdict, 1 row, 2 + field */
    size_t done;                 /* steps, of both runs */
} replay;

const char *bst_mismatch_text(bst_mismatch_kind kind) {
    static const char *const texts[] = {
#define X(name, text) text,
        BST_MISMATCH_LIST(X)
#undef X
    };
    return kind < BST_MISMATCH_COUNT ? texts[kind] : "unknown";
}

static bst_status open_old(const replay *r, bst__old **ret) {
#if BACKSTORY_POSTGRES
    return bst__old_pg_open(r->options->from, r->mapping, ret, r->diags);
#else
    (void)ret;
    return bst_no_postgres(NULL, r->diags);
#endif
}

/* ---- old against new */

static const char *keep(replay *r, const char *text) {
    return text ? bst_arena_strdup(r->arena, text) : NULL;
}

static group *make_group(replay *r, const group_key *key, size_t step,
                         const bst__replay_difference *difference) {
    group *const made = bst_arena_alloc(r->scratch, sizeof *made);
    if (!made)
        return NULL;
    const bst__replay_step *const what = &r->log.steps[step];
    made->key = *key;
    made->first = step;
    made->mismatch = (bst_mismatch){.kind = difference->kind,
                                    .command = what->command,
                                    .state = difference->state,
                                    .field = difference->field,
                                    .entity = keep(r, r->log.entities[what->entity]),
                                    .old_text = keep(r, difference->old_text),
                                    .new_text = keep(r, difference->new_text)};
    HASH_ADD(hh, r->groups, key, sizeof made->key, made);
    return made->lost || !made->mismatch.entity ? NULL : made;
}

static bst_status on_difference(void *context, size_t step,
                                const bst__replay_difference *difference) {
    replay *const r = context;
    const group_key key = {difference->kind, r->log.steps[step].command, difference->state,
                           difference->field};
    group *found = NULL;
    HASH_FIND(hh, r->groups, &key, sizeof key, found);
    if (!found && !(found = make_group(r, &key, step, difference)))
        return bst_diag_nomem(r->diags);
    found->mismatch.steps++;
    if (r->occurrence_count == r->occurrence_room) {
        const size_t room = r->occurrence_room ? r->occurrence_room * 2 : 256;
        occurrence *const larger = realloc(r->occurrences, room * sizeof *larger);
        if (!larger)
            return bst_diag_nomem(r->diags);
        r->occurrences = larger;
        r->occurrence_room = room;
    }
    r->occurrences[r->occurrence_count++] = (occurrence){step, found};
    return BST_OK;
}

static bst_status make_digests(replay *r) {
    const size_t fields = r->machine->field_count;
    r->digests = bst_arena_array(r->scratch, r->log.count, sizeof *r->digests);
    r->noisy = bst_arena_array(r->scratch, r->log.count, fields + 2);
    uint64_t *const room = bst_arena_array(r->scratch, r->log.count * fields + 1, sizeof *room);
    if (!r->digests || !r->noisy || !room)
        return bst_diag_nomem(r->diags);
    for (size_t i = 0; i < r->log.count; i++)
        r->digests[i].fields = room + i * fields;
    return BST_OK;
}

static bst_status progress(replay *r) {
    const uint64_t of = r->log.count * (r->digests ? 2 : 1);
    r->done++;
    return r->options->on_progress && r->done % PROGRESS_STEPS == 0
               ? r->options->on_progress(r->options->context, r->done, of)
               : BST_OK;
}

static void count_end(bst_replay_result *result, bst__step_end end) {
    result->accepted += end == BST__ACCEPTED;
    result->refused += end == BST__REFUSED;
    result->skipped += end == BST__SKIPPED;
}

static bst_status run_both(replay *r) {
    bst__step_end end;
    bst_status status = bst__pair_restart(r->pair, r->diags);
    for (size_t i = 0; status == BST_OK && i < r->log.count; i++) {
        status = bst__pair_step(r->pair, i, on_difference, r, &end,
                                r->digests ? &r->digests[i] : NULL, r->diags);
        if (status == BST_OK) {
            count_end(r->result, end);
            status = progress(r);
        }
    }
    return status;
}

/* ---- old against old */

static void note_noise(replay *r, size_t step, const bst__replay_digest *again) {
    const size_t width = r->machine->field_count + 2;
    const bst__replay_digest *const before = &r->digests[step];
    uint8_t *const noisy = r->noisy + step * width;
    noisy[0] = before->verdict != again->verdict;
    noisy[1] = before->row != again->row;
    for (uint32_t f = 0; f < r->machine->field_count; f++)
        noisy[2 + f] = before->fields[f] != again->fields[f];
}

static bst_status run_old_again(replay *r) {
    bst__step_end end;
    bst__replay_digest again = {
        .fields = bst_arena_array(r->scratch, r->machine->field_count, sizeof(uint64_t))};
    if (!again.fields)
        return bst_diag_nomem(r->diags);
    bst_status status = bst__pair_restart(r->pair, r->diags);
    for (size_t i = 0; status == BST_OK && i < r->log.count; i++) {
        status = bst__pair_step(r->pair, i, NULL, NULL, &end, &again, r->diags);
        if (status == BST_OK && end != BST__SKIPPED)
            note_noise(r, i, &again);
        if (status == BST_OK)
            status = progress(r);
    }
    return status;
}

static bool is_noise(const replay *r, size_t step, const bst_mismatch *mismatch) {
    const uint8_t *const noisy = r->noisy + step * (r->machine->field_count + 2);
    switch (mismatch->kind) {
    case BST_MISMATCH_OLD_REFUSED:
    case BST_MISMATCH_NEW_REFUSED:
        return noisy[0];
    case BST_MISMATCH_FIELD:
        return noisy[2 + mismatch->field];
    default:
        return noisy[1];
    }
}

static bst_status list_noise(replay *r) {
    const size_t width = r->machine->field_count + 2;
    bst_noise *const list = bst_arena_array(r->arena, width, sizeof *list);
    size_t count = 0;
    if (!list)
        return bst_diag_nomem(r->diags);
    for (size_t w = 0; w < width; w++) {
        uint64_t steps = 0;
        for (size_t i = 0; i < r->log.count; i++)
            steps += r->noisy[i * width + w];
        if (steps > 0)
            list[count++] = (bst_noise){w == 0   ? BST_MISMATCH_OLD_REFUSED
                                        : w == 1 ? BST_MISMATCH_STATE
                                                 : BST_MISMATCH_FIELD,
                                        w < 2 ? BST_NONE : (uint32_t)w - 2, steps};
    }
    r->result->noise = list;
    r->result->noise_count = count;
    for (size_t i = 0; i < r->occurrence_count; i++) {
        const occurrence *const at = &r->occurrences[i];
        at->group->mismatch.noise += is_noise(r, at->step, &at->group->mismatch);
    }
    return BST_OK;
}

/* ---- what is told */

static int compare_groups(const void *a, const void *b) {
    const group *const one = *(group *const *)a;
    const group *const other = *(group *const *)b;
    if (one->mismatch.steps != other->mismatch.steps)
        return one->mismatch.steps > other->mismatch.steps ? -1 : 1;
    return one->first < other->first ? -1 : one->first > other->first;
}

static bst_status set_lines(replay *r, bst_mismatch *mismatch, const size_t *steps, size_t count) {
    uint32_t *const lines = bst_arena_array(r->arena, count, sizeof *lines);
    if (!lines)
        return bst_diag_nomem(r->diags);
    for (size_t i = 0; i < count; i++)
        lines[i] = r->log.steps[steps[i]].line;
    mismatch->lines = lines;
    mismatch->line_count = count;
    return BST_OK;
}

static bst_status shrink(replay *r, group *one) {
    const bst__replay_difference wanted = {
        .kind = one->mismatch.kind, .field = one->mismatch.field, .state = one->mismatch.state};
    size_t *steps = &one->first;
    size_t count = 1;
    bst_status status = bst__replay_shrink(r->pair, &r->log, one->first, &wanted, r->scratch,
                                           &steps, &count, &one->mismatch.shrunk, r->diags);
    return status == BST_OK ? set_lines(r, &one->mismatch, steps, count) : status;
}

static bst_status list_mismatches(replay *r) {
    const size_t count = HASH_COUNT(r->groups);
    group **const sorted = bst_arena_array(r->scratch, count, sizeof(group *));
    bst_mismatch *const list = bst_arena_array(r->arena, count, sizeof *list);
    size_t filled = 0;
    bst_status status = BST_OK;
    if (!sorted || !list)
        return bst_diag_nomem(r->diags);
    for (group *one = r->groups; one; one = one->hh.next)
        sorted[filled++] = one;
    qsort(sorted, count, sizeof(group *), compare_groups);
    for (size_t i = 0; status == BST_OK && i < count; i++) {
        status = i < BST_REPLAY_SHRUNK_MAX
                     ? shrink(r, sorted[i])
                     : set_lines(r, &sorted[i]->mismatch, &sorted[i]->first, 1);
        list[i] = sorted[i]->mismatch;
    }
    r->result->mismatches = list;
    r->result->mismatch_count = count;
    return status;
}

static bst_status run(replay *r) {
    bst_status status =
        bst__replay_log_read(r->options->log, r->mapping, r->scratch, &r->log, r->diags);
    if (status == BST_OK)
        status = open_old(r, &r->old);
    if (status == BST_OK)
        status = bst__pair_new(r->mapping, &r->log, r->old, &r->pair, r->diags);
    if (status == BST_OK && !r->options->no_noise)
        status = make_digests(r);
    r->result->steps = r->log.count;
    r->result->entities = r->log.entity_count;
    if (status == BST_OK)
        status = run_both(r);
    if (status == BST_OK && r->digests)
        status = run_old_again(r);
    if (status == BST_OK && r->digests)
        status = list_noise(r);
    return status == BST_OK ? list_mismatches(r) : status;
}

bst_status bst_replay(const bst_mapping *mapping, const bst_replay_options *options,
                      bst_arena *arena, bst_replay_result *ret, bst_diags *diags) {
    replay r = {.mapping = mapping,
                .machine = mapping->machine,
                .options = options,
                .result = ret,
                .arena = arena,
                .scratch = bst_arena_new(),
                .diags = diags};
    *ret = (bst_replay_result){0};
    bst_status status = r.scratch ? run(&r) : bst_diag_nomem(diags);
    bst__pair_free(r.pair);
    if (r.old)
        r.old->ops->free(r.old);
    HASH_CLEAR(hh, r.groups);
    free(r.occurrences);
    bst_arena_free(r.scratch);
    for (size_t i = 0; status == BST_OK && i < ret->mismatch_count; i++) {
        if (ret->mismatches[i].noise < ret->mismatches[i].steps)
            status = BST_DIFFERENT;
    }
    return status;
}
