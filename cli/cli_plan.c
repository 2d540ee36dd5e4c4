/* backstory plan: what a migration would do, without doing it. */
#include <stdlib.h>
#include <string.h>

#include "backstory/mapping.h"
#include "backstory/run.h"
#include "backstory/synth.h"

#include "figures.h"
#include "path.h"

#define SIGNATURES_SHOWN 30
#define ADVICE_SHOWN     3

/* Kinds of rows that get the same history, in one line. */
typedef struct line {
    const bst_signature_info *first;  /* the one with the most rows */
    const bst_signature_info *second; /* the first that has a runner-up; or NULL */
    uint64_t rows;
    double confidence; /* sum over rows */
    size_t number;
} line;

static int compare_numbers(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* By what is shown: certain or not, by a policy, and the events. */
static int compare_paths(const line *a, const line *b) {
    const bst_plan *one = a->first->plan;
    const bst_plan *other = b->first->plan;
    int order = compare_numbers(other->certain, one->certain);

    if (order == 0)
        order = compare_numbers(one->remedy, other->remedy);
    if (order == 0)
        order = compare_numbers(one->event_count, other->event_count);
    for (uint32_t i = 0; order == 0 && i < one->event_count; i++) {
        order = compare_numbers(one->events[i].type, other->events[i].type);
        if (order == 0)
            order = compare_numbers(one->events[i].state, other->events[i].state);
    }
    return order;
}

static int by_path(const void *a, const void *b) {
    const int order = compare_paths(a, b);
    return order != 0 ? order
                      : compare_numbers(((const line *)a)->number, ((const line *)b)->number);
}

static int by_rows(const void *a, const void *b) {
    const line *one = a;
    const line *other = b;
    return one->rows != other->rows ? compare_numbers(other->rows, one->rows)
                                    : compare_numbers(one->number, other->number);
}

static size_t make_lines(const bst_signature_info *info, size_t count, bool merge, line *lines) {
    size_t found = 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (info[i].plan)
            lines[found++] = (line){&info[i], info[i].runner_up ? &info[i] : NULL, info[i].rows,
                                    info[i].plan->confidence * (double)info[i].rows, i};
    }
    if (!merge)
        return found;
    qsort(lines, found, sizeof *lines, by_path);
    for (size_t i = 0; i < found; i++) {
        if (kept > 0 && compare_paths(&lines[kept - 1], &lines[i]) == 0) {
            lines[kept - 1].rows += lines[i].rows;
            lines[kept - 1].confidence += lines[i].confidence;
            if (!lines[kept - 1].second)
                lines[kept - 1].second = lines[i].second;
        } else {
            lines[kept++] = lines[i];
        }
    }
    qsort(lines, kept, sizeof *lines, by_rows);
    return kept;
}

static void add_line(cli_table *table, const bst_machine *machine, const line *l, uint64_t rows) {
    bst_strbuf path = BST_STRBUF_INIT;
    const cli_text number = cli_number(l->rows);
    const cli_text share = cli_percent(l->rows, rows);
    const bst_plan *const plan = l->first->plan;
    const bst_plan *const other = l->second ? l->second->runner_up : NULL;
    cli_text sure = cli_confidence(l->confidence / (double)l->rows, plan->certain);
    const bool claimed =
        plan->remedy != BST_REMEDY_GENESIS && plan->remedy != BST_REMEDY_RECONCILED;

    if (plan->at_least && *sure.text != '>')
        snprintf(sure.text, sizeof sure.text, ">=%.3f", l->confidence / (double)l->rows);
    cli_add_path(&path, machine, plan, other, true);
    cli_table_add(table, (const char *[]){number.text, share.text, claimed ? sure.text : "-",
                                          l->first->example_key, path.text});
    if (other) {
        const cli_text next = cli_confidence(l->second->runner_up_confidence, false);
        bst_strbuf_clear(&path);
        bst_strbuf_adds(&path, "  or ");
        cli_add_path(&path, machine, other, plan, false);
        cli_table_add(table, (const char *[]){"", "", next.text, "", path.text});
    }
    bst_strbuf_release(&path);
}

static void print_histories(const bst_machine *machine, const line *lines, size_t count,
                            uint64_t rows, size_t limit) {
    cli_table *table = cli_table_new("rrlll");
    uint64_t left_rows = 0;

    cli_table_add(table, (const char *[]){"rows", "share", "sure", "example",
                                          "history (? is a choice; the next best below it)"});
    for (size_t i = 0; i < count; i++) {
        if (i < limit)
            add_line(table, machine, &lines[i], rows);
        else
            left_rows += lines[i].rows;
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
    if (count > limit)
        cli_printf("  ... and %s kinds more, with %s rows; --all shows them\n",
                   cli_number(count - limit).text, cli_number(left_rows).text);
}

/* ---- contradictions, by kind: those in quarantine, and those that a policy remedies ---- */

typedef struct refusals {
    const bst_signature_info *first;
    uint64_t rows;
} refusals;

static bst_reason trouble(const bst_signature_info *info) {
    return info->plan ? info->cause : info->reason;
}

static bool same_kind(const bst_signature_info *a, const bst_signature_info *b) {
    return trouble(a) == trouble(b) && strcmp(a->columns, b->columns) == 0 &&
           strcmp(a->repair ? a->repair : "", b->repair ? b->repair : "") == 0 &&
           (!a->plan || a->plan->remedy == b->plan->remedy);
}

static size_t gather_refusals(const bst_signature_info *info, size_t count, bool remedied,
                              refusals *ret) {
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        if (trouble(&info[i]) == BST_REASON_NONE || (info[i].plan != NULL) != remedied)
            continue;
        while (k < found && !same_kind(ret[k].first, &info[i]))
            k++;
        if (k == found)
            ret[found++] = (refusals){&info[i], 0};
        ret[k].rows += info[i].rows;
    }
    for (size_t i = 1; i < found; i++) {
        const refusals moved = ret[i];
        size_t at = i;
        for (; at > 0 && ret[at - 1].rows < moved.rows; at--)
            ret[at] = ret[at - 1];
        ret[at] = moved;
    }
    return found;
}

static void print_refusals(const char *title, const refusals *kinds, size_t count, size_t limit) {
    if (count > 0)
        cli_printf("\n%s\n", title);
    for (size_t i = 0; i < count && i < limit; i++) {
        const bst_signature_info *of = kinds[i].first;
        cli_printf("  %s row%s%s%s: %s, as %s: %s\n", cli_number(kinds[i].rows).text,
                   kinds[i].rows == 1 ? "" : "s", of->plan ? " " : "",
                   of->plan ? bst_remedy_text(of->plan->remedy) : "", bst_reason_text(trouble(of)),
                   of->example_key, of->message);
        if (of->repair)
            cli_printf("    %s\n", of->repair);
    }
    if (count > limit)
        cli_printf("  ... and %s kinds more; --all shows them\n", cli_number(count - limit).text);
}

/* ---- what would help, what to expect ---- */

typedef struct outlook {
    size_t advice_count;
    bst_advice advice[ADVICE_SHOWN];
    double open_rows;
    uint64_t bytes;
    uint64_t minutes; /* rounded up */
} outlook;

static void print_advice(const bst_machine *machine, const bst_advice *advice) {
    const cli_text rows = cli_number((uint64_t)(advice->rows + 0.5));

    switch (advice->kind) {
    case BST_ADVICE_EVENT_TIME:
        cli_printf("  %s  when %s last happened\n", rows.text,
                   machine->events[advice->subject].name);
        break;
    case BST_ADVICE_STATE_TIME:
        cli_printf("  %s  when state \"%s\" was last entered\n", rows.text,
                   machine->states[advice->subject].name);
        break;
    case BST_ADVICE_EVENT_COUNT:
        cli_printf("  %s  how often %s happened\n", rows.text,
                   machine->events[advice->subject].name);
        break;
    case BST_ADVICE_COUNT_ALL:
        cli_printf("  %s  how many events there were\n", rows.text);
        break;
    }
}

static cli_text bytes_text(uint64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    size_t unit = 0;
    cli_text out;

    for (; size >= 1000 && unit < 4; unit++)
        size /= 1000;
    snprintf(out.text, sizeof out.text, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return out;
}

static void print_outlook(const bst_machine *machine, const bst_run_figures *figures,
                          const outlook *look) {
    if (look->open_rows > 0)
        cli_printf("\nnot certain: %s %s; one further column would make certain, about\n",
                   cli_number((uint64_t)look->open_rows).text,
                   look->open_rows < 2 ? "history" : "histories");
    for (size_t i = 0; i < look->advice_count; i++)
        print_advice(machine, &look->advice[i]);
    if (look->open_rows > 0)
        cli_printf("  %s  a log table with every event\n",
                   cli_number((uint64_t)look->open_rows).text);
    cli_printf("\nto expect: %s events, about %s as JSON Lines; ", cli_number(figures->events).text,
               bytes_text(look->bytes).text);
    if (look->minutes > 1)
        cli_printf("at the rate of this run %s minutes, and what the store takes\n",
                   cli_number(look->minutes).text);
    else
        puts("at the rate of this run less than a minute");
}

static json_t *outlook_to_json(const bst_machine *machine, const bst_run_figures *figures,
                               const outlook *look) {
    static const char *const kinds[] = {"event_time", "state_time", "event_count", "count_all"};
    json_t *advice = json_array();

    for (size_t i = 0; i < look->advice_count; i++) {
        const bst_advice *of = &look->advice[i];
        json_t *object = json_pack("{s:s, s:f}", "column", kinds[of->kind], "rows", of->rows);
        if (of->kind == BST_ADVICE_STATE_TIME)
            json_object_set_new(object, "state", json_string(machine->states[of->subject].name));
        else if (of->kind != BST_ADVICE_COUNT_ALL)
            json_object_set_new(object, "event", json_string(machine->events[of->subject].name));
        json_array_append_new(advice, object);
    }
    return json_pack("{s:I, s:I, s:I, s:f, s:o}", "events", (json_int_t)figures->events, "bytes",
                     (json_int_t)look->bytes, "minutes", (json_int_t)look->minutes, "uncertain",
                     look->open_rows, "would_help", advice);
}

/* "captured_at, authorized_at" as an array */
static json_t *columns_to_json(const char *columns) {
    json_t *list = json_array();

    while (*columns) {
        const size_t len = strcspn(columns, ",");
        json_array_append_new(list, json_stringn(columns, len));
        columns += len;
        columns += strspn(columns, ", ");
    }
    return list;
}

static void trouble_to_json(const bst_signature_info *info, json_t *object) {
    if (trouble(info) == BST_REASON_NONE)
        return;
    json_object_set_new(object, "reason", json_string(bst_reason_text(trouble(info))));
    json_object_set_new(object, "message", json_string(info->message));
    json_object_set_new(object, "columns", columns_to_json(info->columns));
    if (info->repair)
        json_object_set_new(object, "repair", json_string(info->repair));
}

static json_t *signature_to_json(const bst_machine *machine, const bst_signature_info *info) {
    json_t *object = json_pack("{s:I, s:s?, s:s?}", "rows", (json_int_t)info->rows, "example_key",
                               info->example_key, "signature", info->text);

    trouble_to_json(info, object);
    if (!info->plan)
        return object;
    if (info->plan->remedy != BST_REMEDY_NONE)
        json_object_set_new(object, "remedy", json_string(bst_remedy_text(info->plan->remedy)));
    json_t *events = json_array();
    for (uint32_t i = 0; i < info->plan->event_count; i++) {
        const bst_plan_event *event = &info->plan->events[i];
        json_t *const made = json_pack(
            "{s:s, s:s, s:s, s:f, s:s?}", "type", machine->events[event->type].name, "state",
            machine->states[event->state].name, "basis", bst_basis_text(event->basis), "confidence",
            event->confidence, "source", event->source);
        if (event->tied)
            json_object_set_new(made, "tied", json_true());
        json_array_append_new(events, made);
    }
    if (info->plan->at_least)
        json_object_set_new(object, "at_least", json_true());
    json_object_set_new(object, "confidence", json_real(info->plan->confidence));
    json_object_set_new(object, "certain", json_boolean(info->plan->certain));
    json_object_set_new(object, "events", events);
    if (info->runner_up) {
        json_t *const other = json_pack("{s:f}", "confidence", info->runner_up_confidence);
        cli_path_to_json(other, machine, info->runner_up);
        json_object_set_new(object, "runner_up", other);
    }
    return object;
}

static void print_json(const bst_machine *machine, const bst_run_figures *figures,
                       const bst_signature_info *info, size_t count, const outlook *look) {
    json_t *root = json_object();
    json_t *list = json_array();

    cli_figures_to_json(figures, root);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, signature_to_json(machine, &info[i]));
    json_object_set_new(root, "plans", list);
    json_object_set_new(root, "outlook", outlook_to_json(machine, figures, look));
    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
}

static void print_text(const bst_machine *machine, const bst_run_figures *figures,
                       const bst_signature_info *info, size_t count, line *lines, refusals *kinds,
                       const outlook *look, bool all) {
    const size_t limit = all ? SIZE_MAX : SIGNATURES_SHOWN;

    const size_t line_count = make_lines(info, count, !all, lines);
    print_histories(machine, lines, line_count, figures->read, limit);
    print_refusals("a history by policy, by kind", kinds, gather_refusals(info, count, true, kinds),
                   limit);
    print_refusals("no history, by kind", kinds, gather_refusals(info, count, false, kinds), limit);
    putchar('\n');
    cli_figures_print(figures);
    print_outlook(machine, figures, look);
}

static bst_status report(cli_call *call, const bst_mapping *mapping, bst_synth *synth,
                         const bst_run_figures *figures, double seconds, bool all) {
    const size_t count = bst_synth_signature_count(synth);
    bst_signature_info *info = calloc(count + 1, sizeof *info);
    line *lines = calloc(count + 1, sizeof *lines);
    refusals *kinds = calloc(count + 1, sizeof *kinds);
    outlook look = {.minutes = (uint64_t)(seconds / 60) + 1};
    bst_status status = info && lines && kinds
                            ? bst_synth_signatures(synth, info, count, call->diags)
                            : bst_diag_nomem(call->diags);

    if (figures->sampled_events > 0)
        look.bytes = (uint64_t)((double)figures->events * (double)figures->sampled_bytes /
                                (double)figures->sampled_events);
    if (status == BST_OK)
        status = bst_synth_advise(synth, ADVICE_SHOWN, look.advice, &look.advice_count,
                                  &look.open_rows, call->diags);
    if (status == BST_OK && call->json)
        print_json(mapping->machine, figures, info, count, &look);
    else if (status == BST_OK)
        print_text(mapping->machine, figures, info, count, lines, kinds, &look, all);
    free(info);
    free(lines);
    free(kinds);
    return status;
}

static int plan(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_mapping *mapping = NULL;
    bst_synth *synth = NULL;
    char *from = NULL;
    int all = 0;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "the legacy rows: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"all", 0, POPT_ARG_NONE, &all, 0,
         "show every kind of row by itself, not the most frequent histories only", NULL},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status = from ? BST_OK : cli_usage(&call, "--from is missing");
    if (status == BST_OK)
        status = cli_load_mapping(&call, call.argument[0], &mapping);
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, call.diags);
    if (status == BST_OK) {
        cli_progress progress;
        bst_run_figures figures = {0};
        const double start = cli_now();
        cli_progress_begin(&progress, &call, "plan");
        const bst_run_options run = {
            .from = from, .on_progress = cli_figures_progress, .context = &progress};
        status = bst_migrate(mapping, synth, &run, &figures, call.diags);
        cli_progress_end(&progress);
        if (status == BST_OK)
            status = report(&call, mapping, synth, &figures, cli_now() - start, all != 0);
    }
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    free(from);
    return cli_end(&call, status);
}

const cli_command cli_plan = {
    .name = "plan",
    .arguments = "MAPPING",
    .summary = "dry run: which histories the rows would get, and how sure they are",
    .examples = "  backstory plan payment.legacy.json --from payments.csv\n"
                "  backstory plan payment.legacy.json --from postgresql:///shop --format json\n",
    .run = plan,
};
