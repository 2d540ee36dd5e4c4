/* The road at full length, on PostgreSQL: reading, inferring, checking and loading against what the
 * server alone takes for the same bytes.
 *
 * Starts a throw-away cluster, makes ROWS legacy payments (500,000 unless the environment says
 * otherwise), and takes each figure several times in turn, so that a noisy machine disturbs all
 * alike:
 *
 *   plan     against a binary COPY of the same columns to nowhere
 *   migrate  against that COPY out and a binary COPY in of the very segments it makes
 *   compare  against a COPY out of both sides
 *
 * and the bytes an event takes on disk, and the largest memory of a run.
 */
#define _DEFAULT_SOURCE /* wait4 */

#include "figure.h"
#include "payments.h"

#define TURNS 3

typedef struct figures {
    double copy[TURNS], plan[TURNS], load[TURNS], migrate[TURNS], compare[TURNS], store[TURNS];
    long memory_kb;
} figures;

static void one_turn(const char *program, int turn, figures *f) {
    char line[16384], out[4096], back[4096];

    snprintf(out, sizeof out, "%s/segments", folder);
    snprintf(back, sizeof back, "%s/quarantine.jsonl", folder);
    run_in_database("postgres", "DROP DATABASE IF EXISTS events");
    run_in_database("postgres", "CREATE DATABASE events");
    f->copy[turn] = copy_payments();
    snprintf(line, sizeof line, "exec %s plan %s --from dbname=shop --quiet", program, mapping);
    f->plan[turn] = run(line, NULL).seconds;
    snprintf(line, sizeof line,
             "exec %s migrate %s --from dbname=shop --to dbname=events --quiet --quarantine %s",
             program, mapping, back);
    const cost migrate = run(line, NULL);
    f->migrate[turn] = migrate.seconds;
    if (migrate.memory_kb > f->memory_kb)
        f->memory_kb = migrate.memory_kb;
    /* The very bytes, into a table of the same form, with the same index built after. */
    run("exec psql -Xq -d events -c 'COPY backstory.segment TO STDOUT (FORMAT binary)'", out);
    run_in_database("events", "CREATE TABLE floor (LIKE backstory.segment)");
    snprintf(line, sizeof line,
             "exec psql -Xq -d events -c '\\copy floor FROM %s WITH (FORMAT binary)'"
             " -c 'CREATE UNIQUE INDEX ON floor (key, machine_id, first_version)'",
             out);
    f->load[turn] = run(line, NULL).seconds;
    run_in_database("events", "DROP TABLE floor");
    f->store[turn] =
        run("exec psql -Xq -d events -c 'COPY (SELECT * FROM backstory.segment ORDER BY"
            " key COLLATE \"C\", machine_id, first_version) TO STDOUT (FORMAT binary)'",
            NULL)
            .seconds;
    snprintf(line, sizeof line,
             "exec %s compare %s --from dbname=shop --to dbname=events --quiet --quarantine %s",
             program, mapping, back);
    f->compare[turn] = run(line, NULL).seconds;
}

static void report_all(figures *f) {
    const double rows = ask("shop", "SELECT count(*) FROM payments");
    const double events = ask("events", "SELECT count(*) FROM backstory.event");
    const double bytes = ask("events", "SELECT pg_total_relation_size('backstory.segment')");
    const double copy = median(f->copy, TURNS), plan = median(f->plan, TURNS);
    const double load = median(f->load, TURNS), migrate = median(f->migrate, TURNS);
    const double store = median(f->store, TURNS), compare = median(f->compare, TURNS);

    const bench_limit bare_copy = {"COPY out alone", copy, true, 1 / 0.7};
    const bench_limit both_copies = {"COPY out, COPY in and index", copy + load, true, 2};
    const bench_limit both_sides = {"COPY of both sides", copy + store, true, 2};
    const bench_limit lean = {"110 bytes", 110, true, 1};
    const bench_limit small = {"64 MB + 32 MB", 96, true, 1};

    printf("%.0f rows, %.0f events\n", rows, events);
    bench_figure("road/plan", plan, "s", &bare_copy);
    bench_figure("road/plan_rows", rows / plan, "1/s", NULL);
    bench_figure("road/migrate", migrate, "s", &both_copies);
    bench_figure("road/migrate_rows", rows / migrate, "1/s", NULL);
    bench_figure("road/compare", compare, "s", &both_sides);
    bench_figure("road/disk_per_event", bytes / events, "bytes", &lean);
    bench_figure("road/memory", (double)f->memory_kb / 1024, "MB", &small);
}

int main(void) {
    const char *program = getenv("BACKSTORY"), *samples = getenv("SAMPLES"), *rows = getenv("ROWS");
    static figures f;

    if (!start_server("road"))
        return 2;
    make_payments(samples, rows ? rows : "500000");
    for (int turn = 0; turn < TURNS; turn++)
        one_turn(program, turn, &f);
    report_all(&f);
    stop_server();
    return 0;
}
