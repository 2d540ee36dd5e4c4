/* The file of probabilities, one line a state and a line a history, so that a difference between
 * two of them can be read.
 */
#include "learn_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_number(bst_strbuf *out, double number) {
    if (number == floor(number) && fabs(number) < 1e15)
        bst_strbuf_add_int(out, (int64_t)number);
    else
        bst_strbuf_addf(out, "%.6g", number);
}

/* "capture": 12, or "capture": [12, 3] where it has several transitions. */
static void add_commands(const bst__learner *learner, uint32_t first, uint32_t count,
                         bst_strbuf *out) {
    const bst_machine *const machine = learner->machine;
    for (uint32_t t = first; t < first + count;) {
        const uint32_t command = machine->transitions[t].command;
        uint32_t start = 0;
        const uint32_t several =
            bst_machine_candidates(machine, machine->transitions[t].from, command, &start);
        bst_strbuf_addf(out, "%s\"%s\": ", t > first ? ", " : "", machine->commands[command].name);
        if (several > 1)
            bst_strbuf_addc(out, '[');
        for (uint32_t i = 0; i < several; i++) {
            bst_strbuf_adds(out, i > 0 ? ", " : "");
            add_number(out, learner->counts[t + i]);
        }
        if (several > 1)
            bst_strbuf_addc(out, ']');
        t += several;
    }
}

static void add_steps(const bst__learner *learner, bst_strbuf *out) {
    const bst_machine *const machine = learner->machine;
    if (learner->figures.by_log) {
        bst_strbuf_adds(out, "  \"creations\": { ");
        add_commands(learner, 0, machine->creation_count, out);
        bst_strbuf_adds(out, " },\n");
    }
    bst_strbuf_adds(out, "  \"states\": {");
    for (uint32_t s = 0; s < machine->state_count; s++) {
        const bst_state *const state = &machine->states[s];
        bst_strbuf_addf(out, "%s\n    \"%s\": { \"stop\": ", s > 0 ? "," : "", state->name);
        add_number(out, learner->stops[s]);
        if (state->transition_count > 0) {
            bst_strbuf_adds(out, ", \"commands\": { ");
            add_commands(learner, state->first_transition, state->transition_count, out);
            bst_strbuf_adds(out, " }");
        }
        bst_strbuf_adds(out, " }");
    }
    bst_strbuf_adds(out, "\n  }");
}

/* What was tried, and what of it was kept. */
static void add_tries(const bst_learn_figures *figures, bst_strbuf *out) {
    for (uint32_t i = 0; i < figures->tried_count; i++) {
        const bst_learn_try *const tried = &figures->tried[i];
        bst_strbuf_adds(out, i > 0 ? ",\n      { " : "\n      { ");
        if (tried->kind == BST_TRY_CONTEXTS)
            bst_strbuf_addf(out, "\"what\": \"context\", \"states\": %" PRIu32, tried->states);
        else if (tried->kind == BST_TRY_SPANS)
            bst_strbuf_addf(out, "\"what\": \"spans\", \"of\": \"%s\"",
                            bst_span_of_text(tried->span));
        else
            bst_strbuf_adds(out, "\"what\": \"loop_penalty\"");
        bst_strbuf_addf(out, ", \"gain\": %.4f, \"error\": %.4f, \"kept\": %s }", tried->gain,
                        tried->error, tried->kept ? "true" : "false");
    }
}

/* What the log lacked; nothing, where it lacked nothing. */
static void add_lacks(const bst_learn_figures *figures, bst_strbuf *out) {
    bool any = false;
    if (figures->created > 0)
        bst_strbuf_addf(out, " \"without_creation\": %" PRIu64 ",", figures->created);
    if (figures->unmoved > 0)
        bst_strbuf_addf(out, " \"without_rows\": %" PRIu64 ",", figures->unmoved);
    if (figures->filled > 0)
        bst_strbuf_addf(out, " \"without_steps\": %" PRIu64 ",", figures->filled);
    for (bst_learn_left left = BST_LEFT_UNKNOWN; left < BST_LEFT_NONE; left++) {
        if (figures->left[left] > 0)
            bst_strbuf_addf(out, "%s \"%s\": %" PRIu64, any ? "," : " \"left_out_for\": {",
                            bst_learn_left_key(left), figures->left[left]);
        any |= figures->left[left] > 0;
    }
    bst_strbuf_adds(out, any ? " }," : "");
}

static void add_learned(const bst_learn_figures *figures, bst_strbuf *out) {
    bst_strbuf_addf(out,
                    "  \"learned\": {\n    \"histories\": %" PRIu64 ", \"left_out\": %" PRIu64 ",",
                    figures->histories, figures->left_out);
    add_lacks(figures, out);
    bst_strbuf_addf(
        out,
        " \"held_out\": %" PRIu64 ",\n"
        "    \"fit\": %.4f, \"fit_whole\": %.4f, \"fit_steps\": %.4f, \"fit_plain\": %.4f,\n"
        "    \"tried\": [",
        figures->tested, figures->fit, figures->fit_whole, figures->fit_steps, figures->fit_plain);
    add_tries(figures, out);
    bst_strbuf_adds(out, figures->tried_count > 0 ? "\n    ]\n  },\n" : "]\n  },\n");
}

static void add_estimated(const bst_learn_figures *figures, bst_strbuf *out) {
    bst_strbuf_addf(out, "  \"learned\": { \"rows\": %" PRIu64 ",", figures->rows);
    if (figures->has_log)
        bst_strbuf_addf(out, " \"histories\": 0, \"left_out\": %" PRIu64 ",", figures->left_out);
    add_lacks(figures, out);
    bst_strbuf_addf(out, " \"held_out\": %" PRIu64 ", \"fit\": %.4f, \"fit_plain\": %.4f },\n",
                    figures->tested, figures->fit, figures->fit_plain);
}

static void add_walk(const bst_machine *machine, const bst__learn_walk *walk, uint32_t name,
                     bst_strbuf *out) {
    bst_strbuf_addf(out, "      { \"name\": \"h%" PRIu32 "\", \"times\": ", name);
    add_number(out, walk->total);
    bst_strbuf_adds(out, ", \"commands\": [");
    for (uint32_t i = 0; i < walk->step_count; i++) {
        const uint32_t t = walk->transitions[i];
        const bst_transition *const step = &machine->transitions[t];
        uint32_t first = 0;
        bst_machine_candidates(machine, step->from, step->command, &first);
        bst_strbuf_addf(out, "%s\"%s", i > 0 ? ", " : "", machine->commands[step->command].name);
        if (t > first)
            bst_strbuf_addf(out, "#%" PRIu32, t - first + 1);
        bst_strbuf_addc(out, '"');
    }
    bst_strbuf_adds(out, "] }");
}

/* The most frequent first; then as the machine's file has their steps. */
static int compare_walks(const void *a, const void *b) {
    const bst__learn_walk *const x = *(const bst__learn_walk *const *)a;
    const bst__learn_walk *const y = *(const bst__learn_walk *const *)b;
    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    for (uint32_t i = 0; i < x->step_count && i < y->step_count; i++) {
        if (x->transitions[i] != y->transitions[i])
            return x->transitions[i] < y->transitions[i] ? -1 : 1;
    }
    return (x->step_count > y->step_count) - (x->step_count < y->step_count);
}

/* Cells of a class stand together then, those of the first rows first. */
static int compare_cells(const void *a, const void *b) {
    const bst__learn_cell *const x = *(const bst__learn_cell *const *)a;
    const bst__learn_cell *const y = *(const bst__learn_cell *const *)b;
    for (int i = 0; i < 2; i++) {
        if (x->key[i] != y->key[i])
            return x->key[i] < y->key[i] ? -1 : 1;
    }
    return 0;
}

static double sum_of(const double *times) {
    double sum = 0;
    for (uint32_t fold = 0; fold < BST__FOLDS; fold++)
        sum += times[fold];
    return sum;
}

static void add_times(double times, uint32_t name, bst_strbuf *out) {
    bst_strbuf_addf(out, "\"h%" PRIu32 "\": ", name);
    add_number(out, times);
}

static void add_signatures(const bst__learner *learner, const bst__learn_cell **cells,
                           const char *const *texts, const uint32_t *names, bst_strbuf *out) {
    uint32_t count = 0;
    for (const bst__learn_cell *cell = learner->cells; cell; cell = cell->hh.next)
        cells[count++] = cell;
    qsort(cells, count, sizeof *cells, compare_cells);
    bst_strbuf_adds(out, ",\n    \"signatures\": {");
    for (uint32_t i = 0; i < count; i++) {
        const bool new = i == 0 || cells[i]->key[0] != cells[i - 1]->key[0];
        if (new) {
            bst_strbuf_adds(out, i > 0 ? " },\n      " : "\n      ");
            const char *const text = texts[cells[i]->key[0]];
            bst_strbuf_add_json(out, text, strlen(text));
            bst_strbuf_adds(out, ": { ");
        } else {
            bst_strbuf_adds(out, ", ");
        }
        add_times(sum_of(cells[i]->times), names[cells[i]->key[1]], out);
    }
    bst_strbuf_adds(out, count > 0 ? " }\n    }" : "}");
}

/* Cells of a class, kind and span stand together then. */
static int compare_spans(const void *a, const void *b) {
    const bst__learn_span *const x = *(const bst__learn_span *const *)a;
    const bst__learn_span *const y = *(const bst__learn_span *const *)b;
    for (int i = 0; i < 4; i++) {
        if (x->key[i] != y->key[i])
            return x->key[i] < y->key[i] ? -1 : 1;
    }
    return 0;
}

/* Of signatures that leave a choice: these have a text here. */
static uint32_t list_spans(const bst__learner *learner, const char *const *texts,
                           const bst__learn_span **spans) {
    uint32_t count = 0;
    for (const bst__learn_span *span = learner->spans; span; span = span->hh.next) {
        if (span->key[1] == learner->figures.span_of && texts[span->key[0]])
            spans[count++] = span;
    }
    qsort(spans, count, sizeof *spans, compare_spans);
    return count;
}

static void add_spans(const bst__learner *learner, const bst__learn_span **spans,
                      const char *const *texts, const uint32_t *names, bst_strbuf *out) {
    const uint32_t count = list_spans(learner, texts, spans);
    bst_strbuf_addf(out, ",\n    \"spans\": {\n      \"of\": \"%s\",\n      \"worth\": ",
                    bst_span_of_text(learner->figures.span_of));
    add_number(out, learner->figures.span_worth);
    bst_strbuf_adds(out, ",\n      \"signatures\": {");
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *const key = spans[i]->key;
        const bool new_class = i == 0 || key[0] != spans[i - 1]->key[0];
        const bool new_span = new_class || key[2] != spans[i - 1]->key[2];
        if (new_class) {
            bst_strbuf_adds(out, i > 0 ? " } },\n        " : "\n        ");
            bst_strbuf_add_json(out, texts[key[0]], strlen(texts[key[0]]));
            bst_strbuf_adds(out, ": {");
        }
        if (new_span)
            bst_strbuf_addf(out, "%s\n          \"%s\": { ", new_class ? "" : " },",
                            bst_span_text(key[2]));
        bst_strbuf_adds(out, new_span ? "" : ", ");
        add_times(sum_of(spans[i]->times), names[key[3]], out);
    }
    bst_strbuf_adds(out, count > 0 ? " } }\n      }\n    }" : "}\n    }");
}

/* What those with the same evidence had. */
static bst_status add_evidence(const bst__learner *learner, const uint32_t *names,
                               bst_strbuf *out) {
    const bst__learn_cell **const cells =
        bst_arena_array(learner->arena, HASH_COUNT(learner->cells), sizeof(bst__learn_cell *));
    const bst__learn_span **const spans =
        bst_arena_array(learner->arena, HASH_COUNT(learner->spans), sizeof(bst__learn_span *));
    const char **const texts =
        bst_arena_array(learner->arena, learner->class_count, sizeof(char *));
    if (!cells || !spans || !texts)
        return BST_NOMEM;
    for (const bst__learn_class *class = learner->classes; class; class = class->hh.next)
        texts[class->number] = class->text;
    add_signatures(learner, cells, texts, names, out);
    for (const bst__learn_class *class = learner->classes; class; class = class->hh.next) {
        if (!class->arena)
            texts[class->number] = NULL;
    }
    if (learner->figures.span_worth > 0)
        add_spans(learner, spans, texts, names, out);
    return BST_OK;
}

static bst_status add_seen(const bst__learner *learner, bst_strbuf *out) {
    const bst__learn_walk **const sorted =
        bst_arena_array(learner->arena, learner->walk_count, sizeof(bst__learn_walk *));
    uint32_t *const names = bst_arena_array(learner->arena, learner->walk_count, sizeof *names);
    uint32_t count = 0;
    if (!sorted || !names)
        return BST_NOMEM;
    for (const bst__learn_walk *walk = learner->walks; walk; walk = walk->hh.next)
        sorted[count++] = walk;
    qsort(sorted, count, sizeof *sorted, compare_walks);
    bst_strbuf_adds(out, ",\n  \"seen\": {\n    \"steps_worth\": ");
    add_number(out, learner->figures.steps_worth);
    bst_strbuf_adds(out, ",\n    \"discount\": ");
    add_number(out, learner->figures.discount);
    bst_strbuf_adds(out, ",\n    \"histories\": [\n");
    for (uint32_t i = 0; i < count; i++) {
        names[sorted[i]->number] = i + 1;
        add_walk(learner->machine, sorted[i], i + 1, out);
        bst_strbuf_adds(out, i + 1 < count ? ",\n" : "\n");
    }
    bst_strbuf_adds(out, "    ],\n    \"rest_worth\": ");
    add_number(out, learner->figures.rest_worth);
    if (learner->figures.rest_worth_each > 0) {
        bst_strbuf_adds(out, ",\n    \"rest_worth_each\": ");
        add_number(out, learner->figures.rest_worth_each);
    }
    bst_strbuf_adds(out, ",\n    \"signature_discount\": ");
    add_number(out, learner->figures.here_discount);
    const bst_status status = add_evidence(learner, names, out);
    bst_strbuf_adds(out, "\n  }");
    return status;
}

bst_status bst__learn_write(const bst__learner *learner, bst_strbuf *out) {
    const bst_learn_figures *const figures = &learner->figures;
    bst_status status = BST_OK;
    bst_strbuf_addf(out, "{\n  \"version\": 2,\n  \"machine\": \"%s\",\n", learner->machine->id);
    if (figures->by_log)
        add_learned(figures, out);
    else
        add_estimated(figures, out);
    bst_strbuf_adds(out, "  \"step_penalty\": ");
    add_number(out, figures->step_penalty);
    if (figures->loop_penalty < 1) {
        bst_strbuf_adds(out, ",\n  \"loop_penalty\": ");
        add_number(out, figures->loop_penalty);
    }
    if (figures->context_states > 1) {
        bst_strbuf_addf(out, ",\n  \"context\": { \"states\": %" PRIu32 ", \"shorter_worth\": ",
                        figures->context_states);
        add_number(out, figures->context_worth);
        bst_strbuf_adds(out, " }");
    }
    if (!figures->by_log) {
        bst_strbuf_adds(out, ",\n  \"unusual_creation\": ");
        add_number(out, figures->rare_birth);
    }
    bst_strbuf_adds(out, ",\n  \"smoothing\": ");
    add_number(out, figures->smoothing);
    bst_strbuf_adds(out, ",\n");
    add_steps(learner, out);
    if (figures->by_log)
        status = add_seen(learner, out);
    bst_strbuf_adds(out, "\n}\n");
    return status == BST_OK && out->failed ? BST_NOMEM : status;
}
