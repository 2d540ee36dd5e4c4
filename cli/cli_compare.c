/* backstory compare: every legacy row against the fold of its stored history. */
#include <stdlib.h>
#include <string.h>

#include "backstory/compare.h"
#include "backstory/mapping.h"

#include "cli.h"

typedef struct printer {
    const cli_call *call;
    const bst_machine *machine;
    cli_progress progress;
    uint64_t found, limit; /* limit 0: none */
} printer;

static const char *const kinds[] = {[BST_DIFFERS] = "differs",
                                    [BST_MISSING_IN_STORE] = "missing-in-store",
                                    [BST_MISSING_IN_SOURCE] = "missing-in-source",
                                    [BST_NOT_REPLAYABLE] = "not-replayable"};

static void print_as_json(const printer *p, const bst_difference *d) {
    json_t *object = json_object();
    json_object_set_new(object, "key", json_stringn(d->key, d->key_len));
    json_object_set_new(object, "kind", json_string(kinds[d->kind]));
    if (d->kind == BST_DIFFERS) {
        json_object_set_new(
            object, "field",
            json_string(d->field == BST_NONE ? "(state)" : p->machine->fields[d->field].name));
        json_object_set_new(object, "old", d->old_text ? json_string(d->old_text) : json_null());
        json_object_set_new(object, "new", d->new_text ? json_string(d->new_text) : json_null());
    }
    if (d->message)
        json_object_set_new(object, "message", json_string(d->message));
    fputs(p->found > 1 ? ",\n" : "\n", stdout);
    json_dumpf(object, stdout, JSON_COMPACT);
    json_decref(object);
}

static void print_as_text(const printer *p, const bst_difference *d) {
    printf("%.*s  ", (int)d->key_len, d->key);
    if (d->kind == BST_DIFFERS)
        printf("%s: %s in the row, %s in the history\n",
               d->field == BST_NONE ? "(state)" : p->machine->fields[d->field].name,
               d->old_text ? d->old_text : "null", d->new_text ? d->new_text : "null");
    else if (d->kind == BST_MISSING_IN_STORE)
        puts("has a row and no history");
    else if (d->kind == BST_MISSING_IN_SOURCE)
        puts("has a history and no row");
    else
        printf("cannot be replayed: %s\n", d->message ? d->message : "");
}

static bst_status on_difference(void *context, const bst_difference *difference) {
    printer *p = context;

    p->found++;
    if (p->limit != 0 && p->found > p->limit)
        return BST_OK;
    cli_progress_end(&p->progress);
    if (p->call->json)
        print_as_json(p, difference);
    else
        print_as_text(p, difference);
    return BST_OK;
}

static bst_status on_progress(void *context, const bst_compare_figures *figures) {
    printer *p = context;
    char extra[80];

    snprintf(extra, sizeof extra, "%s different", cli_number(p->found).text);
    cli_progress_show(&p->progress, figures->progress, figures->rows, p->found > 0 ? extra : NULL);
    return BST_OK;
}

static bool same_total(const bst_total *t) {
    return t->old_count == t->new_count && (!t->old_sum || strcmp(t->old_sum, t->new_sum) == 0);
}

static void print_totals(const bst_machine *machine, const bst_total *totals, size_t count) {
    cli_table *table = cli_table_new("llrrrrl");

    cli_table_add(table, (const char *[]){"state", "", "rows", "histories", "sum of rows",
                                          "of histories", ""});
    for (size_t i = 0; i < count; i++) {
        const bst_total *t = &totals[i];
        const cli_text old_count = cli_number(t->old_count);
        const cli_text new_count = cli_number(t->new_count);
        cli_table_add(table, (const char *[]){machine->states[t->state].name, t->group,
                                              old_count.text, new_count.text, t->old_sum,
                                              t->new_sum, same_total(t) ? "=" : "differs"});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_text(const printer *p, const bst_compare_figures *f, const bst_total *totals,
                       size_t count) {
    if (p->limit != 0 && p->found > p->limit)
        printf("... and %s more; --limit 0 lists all\n", cli_number(p->found - p->limit).text);
    if (p->found > 0)
        putchar('\n');
    print_totals(p->machine, totals, count);
    printf("\n%s rows and %s histories (%s events): %s equal, %s different\n",
           cli_number(f->rows).text, cli_number(f->histories).text, cli_number(f->events).text,
           cli_number(f->equal).text, cli_number(f->different).text);
    printf("%s missing in the store, %s missing in the source, %s quarantined, %s out of scope\n",
           cli_number(f->missing_in_store).text, cli_number(f->missing_in_source).text,
           cli_number(f->quarantined).text, cli_number(f->out_of_scope).text);
}

static void print_json(const bst_machine *machine, const bst_compare_figures *f,
                       const bst_total *totals, size_t count) {
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const bst_total *t = &totals[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:s?, s:s?}", "state",
                                              machine->states[t->state].name, "group", t->group,
                                              "rows", (json_int_t)t->old_count, "histories",
                                              (json_int_t)t->new_count, "sum_of_rows", t->old_sum,
                                              "sum_of_histories", t->new_sum));
    }
    json_t *rest =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "rows", (json_int_t)f->rows,
                  "histories", (json_int_t)f->histories, "events", (json_int_t)f->events, "equal",
                  (json_int_t)f->equal, "different", (json_int_t)f->different, "missing_in_store",
                  (json_int_t)f->missing_in_store, "missing_in_source",
                  (json_int_t)f->missing_in_source, "quarantined", (json_int_t)f->quarantined,
                  "out_of_scope", (json_int_t)f->out_of_scope, "totals", list);
    fputs("],\n\"figures\":", stdout);
    json_dumpf(rest, stdout, JSON_INDENT(2));
    fputs("}\n", stdout);
    json_decref(rest);
}

/* A field named on the command line. */
static bst_status find_field(cli_call *call, const bst_machine *machine, const char *name,
                             uint32_t *ret) {
    *ret = name ? bst_machine_field(machine, name) : BST_NONE;
    return name && *ret == BST_NONE
               ? cli_usage(call, "the machine \"%s\" has no field \"%s\"", machine->id, name)
               : BST_OK;
}

static bst_status run_compare(cli_call *call, const bst_mapping *mapping,
                              bst_compare_options *options, uint64_t limit) {
    printer p = {.call = call, .machine = mapping->machine, .limit = limit};
    bst_arena *arena = bst_arena_new();
    bst_compare_figures figures = {0};
    const bst_total *totals = NULL;
    size_t total_count = 0;

    if (!arena)
        return bst_diag_nomem(call->diags);
    options->on_difference = on_difference;
    options->on_progress = on_progress;
    options->context = &p;
    cli_progress_begin(&p.progress, call, "compare");
    if (call->json)
        fputs("{\"differences\":[", stdout);
    const bst_status status =
        bst_compare(mapping, options, arena, &figures, &totals, &total_count, call->diags);
    cli_progress_end(&p.progress);
    if (status == BST_OK || status == BST_DIFFERENT) {
        if (call->json)
            print_json(mapping->machine, &figures, totals, total_count);
        else
            print_text(&p, &figures, totals, total_count);
    } else if (call->json) {
        fputs("]}\n", stdout);
    }
    bst_arena_free(arena);
    return status;
}

static int compare(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_mapping *mapping = NULL;
    char *from = NULL;
    char *to = NULL;
    char *quarantine = NULL;
    char *sum = NULL;
    char *group = NULL;
    long limit = 1000;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "the legacy rows: a connection string, a .csv file, or a folder of them", "SOURCE"},
        {"to", 0, POPT_ARG_STRING, &to, 0, "the store: a connection string or a .jsonl file",
         "STORE"},
        {"quarantine", 0, POPT_ARG_STRING, &quarantine, 0,
         "rows that migrate put aside (default: beside the store)", "FILE"},
        {"sum", 0, POPT_ARG_STRING, &sum, 0,
         "decimal field to add up (default: the machine's first)", "FIELD"},
        {"by", 0, POPT_ARG_STRING, &group, 0,
         "text field to group the totals by, beside the state (default: currency)", "FIELD"},
        {"limit", 0, POPT_ARG_LONG, &limit, 0,
         "list at most this many differences; 0 is no limit (default: 1000)", "N"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 1, 1, argc, argv, &exit_status))
        return exit_status;
    bst_status status =
        from && to ? BST_OK : cli_usage(&call, from ? "--to is missing" : "--from is missing");
    if (status == BST_OK && limit < 0)
        status = cli_usage(&call, "--limit is 0 or more");
    if (status == BST_OK)
        status = bst_mapping_load(call.argument[0], &mapping, call.diags);
    bst_compare_options run = {.from = from, .store = to};
    if (status == BST_OK)
        status = find_field(&call, mapping->machine, sum, &run.sum_field);
    if (status == BST_OK)
        status = find_field(&call, mapping->machine, group, &run.group_field);
    if (status == BST_OK && !quarantine)
        quarantine = cli_quarantine_path(to, mapping->machine);
    run.quarantine_path = quarantine;
    if (status == BST_OK)
        status = run_compare(&call, mapping, &run, (uint64_t)limit);
    bst_mapping_free(mapping);
    free(from);
    free(to);
    free(quarantine);
    free(sum);
    free(group);
    return cli_end(&call, status);
}

const cli_command cli_compare = {
    "compare", "MAPPING",
    "hold every legacy row against its stored history; exit 1 when anything differs",
    "  backstory compare payment.legacy.json --from payments.csv --to payments.jsonl\n"
    "  backstory compare payment.legacy.json --from postgresql:///shop --to postgresql:///events\n",
    compare};
