/* The figures of a run, as `plan` and `migrate` show them. */
#include "figures.h"

static json_t *count(uint64_t n) {
    return json_integer((json_int_t)n);
}

void cli_figures_to_json(const bst_run_figures *figures, json_t *object) {
    json_t *reasons = json_object();
    json_t *basis = json_object();
    json_t *confidence = json_array();

    for (int i = 1; i < BST_REASON_COUNT; i++) {
        if (figures->by_reason[i] > 0)
            json_object_set_new(reasons, bst_reason_text((bst_reason)i),
                                count(figures->by_reason[i]));
    }
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        if (figures->by_basis[i] > 0)
            json_object_set_new(basis, bst_basis_text((bst_basis)i), count(figures->by_basis[i]));
    }
    for (int i = 0; i < 10; i++)
        json_array_append_new(confidence, count(figures->by_confidence[i]));
    json_object_set_new(object, "read", count(figures->read));
    json_object_set_new(object, "migrated", count(figures->migrated));
    json_object_set_new(object, "quarantined", count(figures->quarantined));
    json_object_set_new(object, "out_of_scope", count(figures->out_of_scope));
    json_object_set_new(object, "certain", count(figures->certain));
    for (int i = 1; i < BST_REMEDY_COUNT; i++) {
        if (figures->by_remedy[i] > 0)
            json_object_set_new(object, bst_remedy_text((bst_remedy)i),
                                count(figures->by_remedy[i]));
    }
    json_object_set_new(object, "events", count(figures->events));
    json_object_set_new(object, "signatures", count(figures->signatures));
    json_object_set_new(object, "quarantined_by_reason", reasons);
    json_object_set_new(object, "events_by_basis", basis);
    json_object_set_new(object, "histories_by_confidence", confidence);
}

static void print_balance(const bst_run_figures *f) {
    cli_table *table = cli_table_new("rrl");
    const struct {
        uint64_t n;
        const char *what;
    } lines[] = {{f->read, "rows read ="},
                 {f->migrated, "migrated +"},
                 {f->quarantined, "quarantined +"},
                 {f->out_of_scope, "out of scope"}};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const cli_text number = cli_number(lines[i].n);
        const cli_text share = cli_percent(lines[i].n, f->read);
        cli_table_add(table, (const char *[]){number.text, share.text, lines[i].what});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_reasons(const bst_run_figures *f) {
    cli_table *table = cli_table_new("rl");

    if (f->quarantined > 0)
        cli_printf("\nquarantined because of\n");
    for (int i = 1; i < BST_REASON_COUNT; i++) {
        const cli_text number = cli_number(f->by_reason[i]);
        if (f->by_reason[i] > 0)
            cli_table_add(table, (const char *[]){number.text, bst_reason_text((bst_reason)i)});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

/* What policies did for rows that no history agreed with. */
static void print_remedies(const bst_run_figures *f) {
    static const char *const meaning[] = {
        "", "a column that contradicts the others is ignored",
        "an event at the end carries what the others leave unexplained",
        "one event carries the row; nothing is claimed about its past"};
    _Static_assert(sizeof meaning / sizeof *meaning == BST_REMEDY_COUNT, "a meaning for each");

    for (int i = 1; i < BST_REMEDY_COUNT; i++) {
        if (f->by_remedy[i] > 0)
            cli_printf("%s: %s (%s): %s\n", bst_remedy_text((bst_remedy)i),
                       cli_number(f->by_remedy[i]).text,
                       cli_percent(f->by_remedy[i], f->migrated).text, meaning[i]);
    }
}

static void print_certainty(const bst_run_figures *f) {
    static const char *const meaning[] = {"a column says so", "every possible history has it",
                                          "the likeliest choice", "", "what is left unexplained"};
    _Static_assert(sizeof meaning / sizeof *meaning == BST_BASIS_COUNT, "a meaning for each");
    cli_table *table = cli_table_new("rrll");
    const uint64_t sure = f->by_confidence[9];

    cli_printf("\n%s events, known how\n", cli_number(f->events).text);
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        if (i > BST_BASIS_ASSUMED && f->by_basis[i] == 0)
            continue;
        const cli_text number = cli_number(f->by_basis[i]);
        const cli_text share = cli_percent(f->by_basis[i], f->events);
        cli_table_add(table, (const char *[]){number.text, share.text, bst_basis_text((bst_basis)i),
                                              meaning[i]});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
    cli_printf("\nhistories: %s certain (%s), %s with a confidence of 0.9 or more (%s)\n",
               cli_number(f->certain).text, cli_percent(f->certain, f->migrated).text,
               cli_number(sure).text, cli_percent(sure, f->migrated).text);
    print_remedies(f);
}

void cli_figures_print(const bst_run_figures *figures) {
    print_balance(figures);
    print_reasons(figures);
    if (figures->migrated > 0)
        print_certainty(figures);
}

bst_status cli_figures_progress(void *context, const bst_run_figures *figures) {
    char extra[80];

    snprintf(extra, sizeof extra, "%s quarantined", cli_number(figures->quarantined).text);
    cli_progress_show(context, figures->progress, figures->read,
                      figures->quarantined > 0 ? extra : NULL);
    return BST_OK;
}
