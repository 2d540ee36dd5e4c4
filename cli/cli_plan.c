/* backstory plan: what a migration would do, without doing it. */
#include <stdlib.h>
#include <string.h>

#include "backstory/mapping.h"
#include "backstory/run.h"
#include "backstory/synth.h"

#include "figures.h"

#define SIGNATURES_SHOWN 30

static void add_path(const bst_machine *machine, const bst_plan *plan, bst_strbuf *out) {
    for (uint32_t i = 0; i < plan->event_count; i++) {
        const bst_plan_event *event = &plan->events[i];
        bst_strbuf_adds(out, i ? " > " : "");
        bst_strbuf_adds(out, cli_short_event(machine, event->type));
        bst_strbuf_adds(out, event->basis == BST_BASIS_ASSUMED ? "?" : "");
    }
}

static void add_runner_up(const bst_machine *machine, const bst_signature_info *info,
                          bst_strbuf *out) {
    for (uint32_t i = 0; i < info->runner_up->event_count; i++)
        bst_strbuf_addf(out, "%s%s", i ? " > " : "",
                        cli_short_event(machine, info->runner_up->events[i].type));
}

static void print_histories(const bst_machine *machine, const bst_signature_info *info,
                            size_t count, uint64_t rows, size_t limit) {
    cli_table *table = cli_table_new("rrlll");
    size_t shown = 0;
    size_t left = 0;
    uint64_t left_rows = 0;

    cli_table_add(table, (const char *[]){"rows", "share", "sure", "example",
                                          "history (? is a choice; the next best below it)"});
    for (size_t i = 0; i < count; i++) {
        if (!info[i].plan)
            continue;
        if (shown == limit) {
            left++;
            left_rows += info[i].rows;
            continue;
        }
        shown++;
        bst_strbuf path = BST_STRBUF_INIT;
        add_path(machine, info[i].plan, &path);
        const cli_text number = cli_number(info[i].rows);
        const cli_text share = cli_percent(info[i].rows, rows);
        const cli_text sure = cli_confidence(info[i].plan->confidence, info[i].plan->certain);
        cli_table_add(table, (const char *[]){number.text, share.text, sure.text,
                                              info[i].example_key, path.text});
        if (info[i].runner_up) {
            bst_strbuf_clear(&path);
            bst_strbuf_adds(&path, "  or ");
            add_runner_up(machine, &info[i], &path);
            const cli_text next = cli_confidence(info[i].runner_up_confidence, false);
            cli_table_add(table, (const char *[]){"", "", next.text, "", path.text});
        }
        bst_strbuf_release(&path);
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
    if (left > 0)
        printf("  ... and %s kinds more, with %s rows; --all shows them\n", cli_number(left).text,
               cli_number(left_rows).text);
}

static void print_refusals(const bst_signature_info *info, size_t count, size_t limit) {
    size_t shown = 0;

    for (size_t i = 0; i < count && shown < limit; i++) {
        if (info[i].plan)
            continue;
        if (shown++ == 0)
            puts("\nno history, for example");
        printf("  %s rows, as %s: %s: %s\n", cli_number(info[i].rows).text,
               info[i].example_key ? info[i].example_key : "(no key)",
               bst_reason_text(info[i].reason), info[i].message ? info[i].message : info[i].text);
    }
}

static json_t *signature_to_json(const bst_machine *machine, const bst_signature_info *info) {
    json_t *object = json_pack("{s:I, s:s?, s:s?}", "rows", (json_int_t)info->rows, "example_key",
                               info->example_key, "signature", info->text);

    if (!info->plan) {
        json_object_set_new(object, "reason", json_string(bst_reason_text(info->reason)));
        if (info->message)
            json_object_set_new(object, "message", json_string(info->message));
        return object;
    }
    json_t *events = json_array();
    for (uint32_t i = 0; i < info->plan->event_count; i++) {
        const bst_plan_event *event = &info->plan->events[i];
        json_array_append_new(events, json_pack("{s:s, s:s, s:s, s:f, s:s?}", "type",
                                                machine->events[event->type].name, "state",
                                                machine->states[event->state].name, "basis",
                                                bst_basis_text(event->basis), "confidence",
                                                event->confidence, "source", event->source));
    }
    json_object_set_new(object, "confidence", json_real(info->plan->confidence));
    json_object_set_new(object, "certain", json_boolean(info->plan->certain));
    json_object_set_new(object, "events", events);
    if (info->runner_up) {
        json_t *other = json_array();
        for (uint32_t i = 0; i < info->runner_up->event_count; i++)
            json_array_append_new(
                other, json_string(machine->events[info->runner_up->events[i].type].name));
        json_object_set_new(
            object, "runner_up",
            json_pack("{s:f, s:o}", "confidence", info->runner_up_confidence, "events", other));
    }
    return object;
}

static void print_json(const bst_machine *machine, const bst_run_figures *figures,
                       const bst_signature_info *info, size_t count) {
    json_t *root = json_object();
    json_t *list = json_array();

    cli_figures_to_json(figures, root);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, signature_to_json(machine, &info[i]));
    json_object_set_new(root, "plans", list);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static bst_status report(cli_call *call, const bst_mapping *mapping, bst_synth *synth,
                         const bst_run_figures *figures, bool all) {
    const size_t count = bst_synth_signature_count(synth);
    bst_signature_info *info = calloc(count + 1, sizeof *info);
    bst_status status =
        info ? bst_synth_signatures(synth, info, count, call->diags) : bst_diag_nomem(call->diags);

    if (status == BST_OK && call->json) {
        print_json(mapping->machine, figures, info, count);
    } else if (status == BST_OK) {
        const size_t limit = all ? SIZE_MAX : SIGNATURES_SHOWN;
        print_histories(mapping->machine, info, count, figures->read, limit);
        print_refusals(info, count, limit);
        putchar('\n');
        cli_figures_print(figures);
    }
    free(info);
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
         "show every kind of history, not the most frequent ones only", NULL},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status = from ? BST_OK : cli_usage(&call, "--from is missing");
    if (status == BST_OK)
        status = bst_mapping_load(call.argument[0], &mapping, call.diags);
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, call.diags);
    if (status == BST_OK) {
        cli_progress progress;
        bst_run_figures figures = {0};
        cli_progress_begin(&progress, &call, "plan");
        const bst_run_options run = {
            .from = from, .on_progress = cli_figures_progress, .context = &progress};
        status = bst_migrate(mapping, synth, &run, &figures, call.diags);
        cli_progress_end(&progress);
        if (status == BST_OK)
            status = report(&call, mapping, synth, &figures, all != 0);
    }
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    free(from);
    return cli_end(&call, status);
}

const cli_command cli_plan = {
    "plan", "MAPPING", "dry run: which histories the rows would get, and how sure they are",
    "  backstory plan payment.legacy.json --from payments.csv\n"
    "  backstory plan payment.legacy.json --from postgresql:///shop --format json\n",
    plan};
