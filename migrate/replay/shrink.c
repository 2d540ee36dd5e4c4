/* The fewest steps that still show a difference: delta debugging. First only the steps of the
 * entity itself, for most do not depend on others; then all; of those, ever smaller pieces are left
 * out as long as the difference stays.
 */
#include "replay_private.h"

#include <string.h>

typedef struct shrinker {
    bst__pair *pair;
    const bst__replay_log *log;
    const bst__replay_difference *wanted;
    uint32_t command;
    size_t last; /* the step that shows it */
    bst_arena *arena;
    bool seen;
    size_t attempts;
    bst_diags *diags;
} shrinker;

static bst_status look(void *context, size_t step, const bst__replay_difference *difference) {
    shrinker *const s = context;
    s->seen =
        s->seen || (step == s->last && difference->kind == s->wanted->kind &&
                    difference->field == s->wanted->field && difference->state == s->wanted->state);
    return BST_OK;
}

/* Whether these steps, and then the last one, show the difference. */
static bst_status try_steps(shrinker *s, const size_t *steps, size_t count, bool *ret_shown) {
    bst__step_end end;
    bst_status status = bst__pair_restart(s->pair, s->diags);
    s->seen = false;
    s->attempts++;
    for (size_t i = 0; status == BST_OK && i < count; i++)
        status = bst__pair_step(s->pair, steps[i], NULL, NULL, &end, NULL, s->diags);
    if (status == BST_OK)
        status = bst__pair_step(s->pair, s->last, look, s, &end, NULL, s->diags);
    *ret_shown = s->seen;
    return status;
}

/* The steps before the last: all, or those of its entity. */
static bst_status steps_before(shrinker *s, bool all, size_t **ret, size_t *ret_count) {
    size_t *const steps = bst_arena_array(s->arena, s->last, sizeof *steps);
    size_t count = 0;
    if (!steps)
        return bst_diag_nomem(s->diags);
    for (size_t i = 0; i < s->last; i++) {
        if (all || s->log->steps[i].entity == s->log->steps[s->last].entity)
            steps[count++] = i;
    }
    *ret = steps;
    *ret_count = count;
    return BST_OK;
}

/* Without the `size` steps from `at` on. */
static size_t leave_out(const size_t *steps, size_t count, size_t at, size_t size, size_t *rest) {
    const size_t end = at + size < count ? at + size : count;
    memcpy(rest, steps, at * sizeof *steps);
    memcpy(rest + at, steps + end, (count - end) * sizeof *steps);
    return count - (end - at);
}

static bst_status reduce(shrinker *s, size_t *steps, size_t *count) {
    size_t *const rest = bst_arena_array(s->arena, *count, sizeof *rest);
    if (!rest)
        return bst_diag_nomem(s->diags);
    for (size_t size = (*count + 1) / 2; size > 0 && *count > 0;) {
        bool smaller = false;
        for (size_t at = 0; at < *count && s->attempts < BST_REPLAY_ATTEMPTS_MAX;) {
            bool shown = false;
            const size_t left = leave_out(steps, *count, at, size, rest);
            const bst_status status = try_steps(s, rest, left, &shown);
            if (status != BST_OK)
                return status;
            if (shown) {
                memcpy(steps, rest, left * sizeof *steps);
                *count = left;
                smaller = true;
            } else {
                at += size;
            }
        }
        /* Once single steps can be left out no more there is nothing smaller of this kind. */
        if (size > 1)
            size /= 2;
        else if (!smaller || s->attempts >= BST_REPLAY_ATTEMPTS_MAX)
            break;
    }
    return BST_OK;
}

bst_status bst__replay_shrink(bst__pair *pair, const bst__replay_log *log, size_t step,
                              const bst__replay_difference *wanted, bst_arena *arena,
                              size_t **ret_steps, size_t *ret_count, bool *ret_shrunk,
                              bst_diags *diags) {
    shrinker s = {
        .pair = pair, .log = log, .wanted = wanted, .last = step, .arena = arena, .diags = diags};
    size_t *steps = NULL;
    size_t count = 0;
    bool shown = false;
    bst_status status = BST_OK;
    for (int all = 0; status == BST_OK && !shown && all < 2; all++) {
        status = steps_before(&s, all, &steps, &count);
        if (status == BST_OK)
            status = try_steps(&s, steps, count, &shown);
    }
    if (status == BST_OK && shown)
        status = reduce(&s, steps, &count);
    if (status != BST_OK)
        return status;
    size_t *const found = bst_arena_array(arena, count + 1, sizeof *found);
    if (!found)
        return bst_diag_nomem(diags);
    memcpy(found, steps, count * sizeof *found);
    found[count] = step;
    *ret_steps = found;
    *ret_count = count + 1;
    *ret_shrunk = shown;
    return BST_OK;
}
