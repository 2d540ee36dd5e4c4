/* A sink of either kind: what is common to both is done here, first of all the checks of what is
 * handed in.
 *
 * A history comes from our own synthesis, so a wrong one is a bug of ours (BST_INTERNAL) and not
 * the user's; only a key can be the user's fault.
 */
#include "backstory/sink.h"

#include <assert.h>

#include "backstory/timestamp.h"
#include "sink_private.h"
#include "target_private.h"

bst_status bst_sink_open(const char *target, const bst_machine *machine, const bst_run_info *run,
                         bst_sink **ret, bst_diags *diags) {
    if (bst__is_jsonl(target))
        return bst__sink_jsonl_open(target, machine, run, ret, diags);
    if (!bst_is_connection_string(target))
        return bst__unknown_target(target, diags);
#if BACKSTORY_POSTGRES
    return bst__sink_pg_open(target, machine, run, ret, diags);
#else
    return bst_no_postgres("a .jsonl file", diags);
#endif
}

static bst_status wrong_key(const bst_history *history, bst_status status, const char *why,
                            bst_diags *diags) {
    const int shown = history->key_len < 80 ? (int)history->key_len : 80;
    return bst_diag_add(diags, status, BST_ERROR, "bad-key", NULL, "entity key \"%.*s\" %s", shown,
                        history->key, why);
}

static bst_status check_key(const bst_history *history, bst_diags *diags) {
    if (history->key_len > BST_KEY_BYTES_MAX) {
        wrong_key(history, BST_LIMIT, "is too long", diags);
        bst_diag_detail(diags, "A key may have %u bytes.", BST_KEY_BYTES_MAX);
        return BST_LIMIT;
    }
    if (history->key_len == 0)
        return wrong_key(history, BST_INVALID, "is empty", diags);
    if (!bst_text_is_valid(history->key, history->key_len))
        return wrong_key(history, BST_INVALID, "is not UTF-8 text", diags);
    return BST_OK;
}

static bool is_right(const bst_machine *machine, const bst_plan *plan) {
    bool right = plan->event_count > 0 && plan->confidence >= 0 && plan->confidence <= 1;
    for (uint32_t i = 0; right && i < plan->event_count; i++) {
        const bst_plan_event *const step = &plan->events[i];
        right = step->type < machine->event_count && step->state < machine->state_count &&
                (step->command < machine->command_count || step->command == BST_NONE) &&
                step->confidence >= 0 && step->confidence <= 1;
    }
    return right;
}

/* Most histories have the plan of the one before. */
static bst_status check(bst_sink *sink, const bst_history *history, bst_diags *diags) {
    const bst_plan *const plan = history->plan;
    bool right = plan == sink->right || is_right(sink->machine, plan);
    for (uint32_t i = 0; right && i < plan->event_count; i++)
        right = bst_time_is_finite(history->events[i].occurred_at);
    sink->right = right ? plan : NULL;
    if (!right)
        return bst_diag_add(diags, BST_INTERNAL, BST_ERROR, "bad-history", NULL,
                            "the history made for entity \"%.*s\" is not well formed",
                            (int)(history->key_len < 80 ? history->key_len : 80), history->key);
    return check_key(history, diags);
}

bst_status bst_sink_write(bst_sink *sink, const bst_history *history, bool *ret_fits,
                          bst_diags *diags) {
    assert(!sink->failed && !sink->finished);
    *ret_fits = true;
    bst_status status = check(sink, history, diags);
    if (status == BST_OK)
        status = sink->ops->write(sink, history, ret_fits, diags);
    if (status != BST_OK) {
        sink->failed = true;
        return status;
    }
    if (*ret_fits) {
        sink->totals.histories++;
        sink->totals.events += history->plan->event_count;
    }
    return BST_OK;
}

bst_status bst_sink_quarantine(bst_sink *sink, const bst_quarantined *row, bst_diags *diags) {
    assert(!sink->failed && !sink->finished);
    const bst_status status =
        sink->ops->quarantine ? sink->ops->quarantine(sink, row, diags) : BST_OK;
    sink->failed = status != BST_OK;
    return status;
}

bst_status bst_sink_finish(bst_sink *sink, bst_sink_totals *ret_totals, bst_diags *diags) {
    assert(!sink->failed && !sink->finished);
    const bst_status status = sink->ops->finish(sink, diags);
    sink->failed = status != BST_OK;
    sink->finished = !sink->failed;
    if (status == BST_OK && ret_totals)
        *ret_totals = sink->totals;
    return status;
}

bst_sink *bst_sink_free(bst_sink *sink) {
    if (sink)
        sink->ops->free(sink);
    return NULL;
}
