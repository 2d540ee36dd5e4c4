/* A row, its fate, the sink or the quarantine, the count. Whoever reads counts the rows read. */
#include <inttypes.h>

#include "backstory/reader.h"

#include "run_private.h"

#define SAMPLED_ROWS 1000u /* histories whose size is taken */

static void count_history(bst_run_figures *figures, const bst_plan *plan) {
    int tenth = (int)(plan->confidence * 10);
    figures->migrated++;
    figures->events += plan->event_count;
    figures->certain += plan->certain;
    figures->by_remedy[plan->remedy]++;
    figures->by_confidence[tenth < 0 ? 0 : tenth > 9 ? 9 : tenth]++;
    for (uint32_t i = 0; i < plan->event_count; i++) {
        figures->by_basis[plan->events[i].basis]++;
    }
}

/* How large the events are, to tell what to expect. */
static bst_status measure(bst__rows *r, const bst_history *history, bst_diags *diags) {
    bst_strbuf lines = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_plan_event *planned = &history->plan->events[i];
        const bst_happening *at = &history->events[i];
        const bst_stored_event event = {.key = history->key,
                                        .key_len = history->key_len,
                                        .version = (int64_t)i + 1,
                                        .type = planned->type,
                                        .state = planned->state,
                                        .command = planned->command,
                                        .occurred_at = at->occurred_at,
                                        .interval = at->interval,
                                        .after = at->after,
                                        .before = at->before,
                                        .basis = planned->basis,
                                        .confidence = planned->confidence,
                                        .source = planned->source,
                                        .fields = at->fields};
        bst_event_line(r->mapping->machine, &event, &lines);
    }
    bool failed = lines.failed;
    r->figures->sampled_events += history->plan->event_count;
    r->figures->sampled_bytes += lines.len;
    bst_strbuf_release(&lines);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status put_aside(bst__rows *r, const bst_row *row, const bst_refusal *refusal,
                            bst_diags *diags) {
    r->figures->quarantined++;
    r->figures->by_reason[refusal->reason]++;
    if (!r->file && !r->sink) {
        return BST_OK;
    }
    return bst__aside_hold(r, row, refusal, diags);
}

/* What no target holds is put aside like a value that cannot be read: it must not keep the other
 * rows back. */
static bst_status write_history(bst__rows *r, const bst_row *row, const bst_history *history,
                                bst_diags *diags) {
    bool fits;
    bst_status status = bst_sink_write(r->sink, history, &fits, diags);
    if (status != BST_OK) {
        return status;
    }
    if (fits) {
        count_history(r->figures, history->plan);
        return BST_OK;
    }
    bst_refusal refusal = {
        .reason = BST_REASON_BAD_VALUE, .message = BST_STRBUF_INIT, .repair = BST_STRBUF_INIT};
    bst_strbuf_adds(&refusal.message, "the history is longer than a store can hold");
    status = put_aside(r, row, &refusal, diags);
    bst_strbuf_release(&refusal.message);
    return status;
}

bst_status bst__rows_take(bst__rows *r, const bst_row *row, bst_diags *diags) {
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    bst_status status = bst_synth_row(r->synth, row, &fate, &history, &refusal, diags);
    if (status != BST_OK) {
        return status;
    }
    switch (fate) {
    case BST_OUT_OF_SCOPE:
        r->figures->out_of_scope++;
        return BST_OK;
    case BST_QUARANTINED:
        return put_aside(r, row, refusal, diags);
    case BST_MIGRATED:
        break;
    }
    if (r->sink) {
        return write_history(r, row, &history, diags);
    }
    count_history(r->figures, history.plan);
    return r->figures->migrated <= SAMPLED_ROWS ? measure(r, &history, diags) : BST_OK;
}

static bst_status balance(const bst_run_figures *f, bst_diags *diags) {
    if (f->read == f->migrated + f->quarantined + f->out_of_scope) {
        return BST_OK;
    }
    return bst_diag_add(diags, BST_INTERNAL, BST_ERROR, "unbalanced", NULL,
                        "%" PRIu64 " rows were read, but %" PRIu64 " migrated, %" PRIu64
                        " quarantined and %" PRIu64 " out of scope",
                        f->read, f->migrated, f->quarantined, f->out_of_scope);
}

bst_status bst__rows_end(bst__rows *r, bst_diags *diags) {
    const bst_status status = bst__aside_hand_on(r, diags);
    return status == BST_OK ? balance(r->figures, diags) : status;
}

void bst__rows_release(bst__rows *r) {
    bst_arena_free(r->aside.arena);
}
