/* Rows of a CSV table through synthesis, as text: one line a row, the history or why there is none.
 * Machines and mappings are written with ' for ".
 */
#ifndef SYNTH_FIXTURE_H
#define SYNTH_FIXTURE_H

#include <check.h>
#include <stdlib.h>

#include "backstory/synth.h"
#include "scratch.h"

static scratch s;
static bst_diags *diags;
static bst_mapping *mapping;
static bst_synth *synth;

static inline void synth_setup(const char *machine_text) {
    scratch_make(&s);
    scratch_write(&s, "m.fsm.json", machine_text, 1);
    diags = bst_diags_new();
    mapping = NULL;
    synth = NULL;
}

static inline void teardown(void) {
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    scratch_remove(&s);
}

static inline void no_findings(void) {
    if (bst_diags_count(diags) > 0) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_diag_format_text(bst_diags_at(diags, 0), NULL, 0, &text);
        ck_abort_msg("%s", text.text);
    }
}

static inline void load(const char *text) {
    bst_status status =
        bst_mapping_load(scratch_write(&s, "m.legacy.json", text, 1), &mapping, diags);
    no_findings();
    ck_assert_int_eq(status, BST_OK);
    ck_assert_int_eq(bst_synth_new(mapping, &synth, diags), BST_OK);
}

/* `Created 08:00 {"amount":"10.00"}`, or `Created 08:00 [07:00 09:00] ...` for an interval. */
static inline void show_event(const bst_plan_event *planned, const bst_happening *happening,
                              bst_strbuf *out) {
    const bst_event_type *type = &mapping->machine->events[planned->type];
    char time[BST_TIME_TEXT_MAX];
    bst_time_format(happening->occurred_at, time);
    bst_strbuf_addf(out, "%s %s", type->name + strlen("Payment"), time + strlen("2021-"));
    if (happening->interval) {
        char after[BST_TIME_TEXT_MAX];
        char before[BST_TIME_TEXT_MAX];
        bst_time_format(happening->after, after);
        bst_time_format(happening->before, before);
        bst_strbuf_addf(out, " [%s %s]", after, before);
    }
    bst_strbuf_addf(out, " %s", bst_basis_text(planned->basis));
    for (uint32_t f = 0; f < type->field_count; f++) {
        bst_strbuf_addc(out, ' ');
        bst_value_to_text(&type->fields[f].type, &happening->fields[f], out);
    }
}

static inline void show_history(const bst_history *history, bst_strbuf *out) {
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        bst_strbuf_adds(out, i > 0 ? "; " : "");
        show_event(&history->plan->events[i], &history->events[i], out);
    }
    bst_strbuf_adds(out, history->plan->certain ? "; certain" : "; likely");
    if (history->plan->remedy != BST_REMEDY_NONE) {
        bst_strbuf_addf(out, ", %s", bst_remedy_text(history->plan->remedy));
    }
}

static inline void show_refusal(const bst_refusal *refusal, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s: %s", bst_reason_text(refusal->reason), refusal->message.text);
    if (refusal->repair.len > 0) {
        bst_strbuf_addf(out, "; %s", refusal->repair.text);
    }
    for (uint32_t i = 0; i < refusal->evidence_count; i++) {
        bst_strbuf_addf(out, "%s%s", i == 0 ? " <" : " ",
                        mapping->source.columns[refusal->evidence[i]].name);
    }
    bst_strbuf_adds(out, refusal->evidence_count > 0 ? ">" : "");
}

/* What becomes of the rows, one line each. */
static inline void synthesize_table(const char *header, const char *rows, bst_strbuf *out) {
    bst_source *source = NULL;
    const bst_row *row = NULL;
    bst_strbuf csv = BST_STRBUF_INIT;
    bst_strbuf_addf(&csv, "%s%s", header, rows);
    bst_source_spec spec = mapping->source;
    spec.ordered = true;
    bst_status status =
        bst_source_open(scratch_write(&s, "payments.csv", csv.text, 0), &spec, &source, diags);
    bst_strbuf_release(&csv);
    no_findings();
    ck_assert_int_eq(status, BST_OK);
    while (bst_source_next(source, &row, diags) == BST_OK && row) {
        bst_fate fate;
        bst_history history;
        const bst_refusal *refusal = NULL;
        status = bst_synth_row(synth, row, &fate, &history, &refusal, diags);
        no_findings();
        ck_assert_int_eq(status, BST_OK);
        bst_strbuf_adds(out, out->len > 0 ? "\n" : "");
        if (fate == BST_MIGRATED) {
            show_history(&history, out);
            if (refusal) {
                bst_strbuf_addf(out, " <- %s", bst_reason_text(refusal->reason));
            }
        } else if (fate == BST_QUARANTINED) {
            show_refusal(refusal, out);
        } else {
            bst_strbuf_adds(out, "out of scope");
        }
    }
    no_findings();
    bst_source_free(source);
}

#endif
