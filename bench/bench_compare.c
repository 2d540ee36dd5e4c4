/* Old against new at full length: ROWS payments (2,000,000 unless the environment says otherwise)
 * and their histories, against a binary COPY of both sides to nowhere.
 *
 *   compare         with two readers a side
 *   again           with --since, when nothing has changed, and when one row has
 *   found           a field that was changed behind our back, and two amounts that changed places
 *                   while every total agrees
 */
#define _DEFAULT_SOURCE /* wait4 */

#include "figure.h"
#include "payments.h"

#define TURNS 3

typedef struct figures {
    double copy[TURNS], compare[TURNS], unchanged[TURNS], one_row[TURNS];
    long memory_kb;
    bool changed_found, swapped_found;
} figures;

static void make_both_sides(const char *program, const char *samples, const char *rows) {
    char line[16384];
    make_payments(samples, rows);
    run_in_database("postgres", "CREATE DATABASE events");
    snprintf(line, sizeof line,
             "exec %s migrate %s --from dbname=shop --to dbname=events --jobs 2 --quiet"
             " --quarantine %s/quarantine.jsonl",
             program, mapping, folder);
    run(line, NULL);
    run_in_database("events", "VACUUM ANALYZE backstory.segment");
}

/* The differences go to a file; `exit_status` is the one that must come out. */
static cost compare(const char *program, const char *options, int exit_status) {
    char line[32768];
    snprintf(line, sizeof line,
             "%s compare %s --from dbname=shop --to dbname=events --jobs 2 --quiet"
             " --quarantine %s/quarantine.jsonl --differences %s/differences %s;"
             " test $? = %d",
             program, mapping, folder, folder, options, exit_status);
    return run(line, NULL);
}

/* Whether just these lines were found. */
static bool found(const char *pattern, int count) {
    char line[8192], path[4096];
    int lines = 0, matching = 0;
    snprintf(path, sizeof path, "%s/differences", folder);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        lines++;
        matching += strstr(line, pattern) != NULL;
    }
    if (file)
        fclose(file);
    return lines == count && matching == count;
}

static void one_turn(const char *program, int turn, figures *f) {
    char since[4400];
    f->copy[turn] =
        copy_payments() +
        run_in_database("events", "COPY backstory.segment TO STDOUT (FORMAT binary)").seconds;
    const cost whole = compare(program, "", 0);
    f->compare[turn] = whole.seconds;
    if (whole.memory_kb > f->memory_kb)
        f->memory_kb = whole.memory_kb;
    snprintf(since, sizeof since, "--since %s/since.json", folder);
    if (turn == 0)
        compare(program, since, 0);
    f->unchanged[turn] = compare(program, since, 0).seconds;
    run_in_database("shop", "UPDATE payments SET failure_reason = 'x' WHERE id = 3");
    f->one_row[turn] = compare(program, since, 1).seconds;
    run_in_database("shop", "UPDATE payments SET failure_reason = NULL WHERE id = 3");
    compare(program, since, 0);
}

/* Two captured payments of one currency and one month: nothing that is added up can tell. */
static const char swap_sql[] =
    "WITH one AS (SELECT id, amount, currency, created_at FROM payments WHERE status = 20"
    "  AND captured_cents = amount * 100 ORDER BY id LIMIT 1),"
    " two AS (SELECT p.id, p.amount FROM payments p, one WHERE p.status = 20"
    "  AND p.captured_cents = p.amount * 100 AND p.currency = one.currency AND p.id > one.id"
    "  AND p.amount <> one.amount"
    "  AND date_trunc('month', p.created_at) = date_trunc('month', one.created_at)"
    "  ORDER BY p.id LIMIT 1)"
    " UPDATE payments p SET amount = CASE WHEN p.id = one.id THEN two.amount ELSE one.amount END"
    " FROM one, two WHERE p.id IN (one.id, two.id)";

static void find(const char *program, figures *f) {
    run_in_database("shop", "UPDATE payments SET currency = 'XXX' WHERE id = 50");
    compare(program, "", 1);
    f->changed_found = found("\"field\":\"currency\"", 1);
    run_in_database("shop", "UPDATE payments SET currency = 'EUR' WHERE id = 50");
    run_in_database("shop", swap_sql);
    compare(program, "", 1);
    f->swapped_found = found("\"field\":\"amount\"", 2);
}

static void report_all(figures *f) {
    const double rows = ask("shop", "SELECT count(*) FROM payments");
    const double events = ask("events", "SELECT sum(events) FROM backstory.run");
    const double copy = median(f->copy, TURNS), whole = median(f->compare, TURNS);
    const double unchanged = median(f->unchanged, TURNS), one_row = median(f->one_row, TURNS);
    const bench_limit both_sides = {"COPY of both sides", copy, true, 1.5};
    const bench_limit half = {"comparing all", whole, true, 0.5};
    const bench_limit no_more = {"comparing all", whole, true, 1};
    const bench_limit small = {"64 MB", 64, true, 1};
    const bench_limit yes = {"yes", 1, false, 1};

    printf("%.0f rows, %.0f events\n", rows, events);
    bench_figure("compare/whole", whole, "s", &both_sides);
    bench_figure("compare/rows", rows / whole, "1/s", NULL);
    bench_figure("compare/since_unchanged", unchanged, "s", &half);
    bench_figure("compare/since_one_row", one_row, "s", &no_more);
    bench_figure("compare/memory", (double)f->memory_kb / 1024, "MB", &small);
    bench_figure("compare/one_field_found", f->changed_found, "", &yes);
    bench_figure("compare/swapped_amounts_found", f->swapped_found, "", &yes);
}

int main(void) {
    const char *program = getenv("BACKSTORY"), *samples = getenv("SAMPLES"), *rows = getenv("ROWS");
    static figures f;

    if (!start_server("compare"))
        return 2;
    make_both_sides(program, samples, rows ? rows : "2000000");
    for (int turn = 0; turn < TURNS; turn++)
        one_turn(program, turn, &f);
    find(program, &f);
    report_all(&f);
    stop_server();
    return 0;
}
