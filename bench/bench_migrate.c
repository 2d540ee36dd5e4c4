/* A migration at full speed: ROWS payments of 12 columns (2,000,000 unless the environment says
 * otherwise), about 3.1 events each, from one database into another of the same throw-away server,
 * by two readers.
 *
 *   floor     what the server alone takes for the same bytes: COPY out of the same columns, COPY in
 * of the very
 *             segments by two connections, the same index
 *   by hand   SQL by somebody who does it well, in four ways; see bench/migrate
 *
 * All of it in turn, TURNS times, so that a noisy machine disturbs all alike; medians count. The
 * client that goes from entity to entity does LOOP_ENTITIES of them, and is extrapolated.
 * BIG_ROWS=20000000 in the environment adds one run of that size: memory must not grow, and time in
 * proportion.
 */
#define _DEFAULT_SOURCE /* wait4 */

#include "figure.h"
#include "server.h"

#define TURNS         3
#define LOOP_ENTITIES 3000

static const char columns[] =
    "id::text, status::text, amount, currency::text, captured_cents, refunded_amount,"
    " failure_reason,"
    " created_at, authorized_at, captured_at, refunded_at, closed_at";
static const char index_sql[] =
    "CREATE UNIQUE INDEX ON %s (key COLLATE \\\"C\\\", machine_id, first_version)";

static const char *tree; /* the sources */
static const char *program;

typedef struct series {
    double of[TURNS];
} series;

static series migrate, place, out, out_by_two, in, sql_union, sql_lateral, sql_segments, loop;
static long memory_kb;

static void fresh_database(const char *name) {
    char sql[256];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", name);
    run_in_database("postgres", sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    run_in_database("postgres", sql);
}

static double run_script(const char *database, const char *script, const char *more,
                         const char *output) {
    char line[8192];
    snprintf(line, sizeof line,
             "exec psql -XAtq -v ON_ERROR_STOP=1 -d %s %s -f %s/bench/migrate/%s", database, more,
             tree, script);
    return run(line, output).seconds;
}

static void make_legacy(const char *database, const char *rows) {
    char more[128];
    fresh_database(database);
    snprintf(more, sizeof more, "-v rows=%s", rows);
    run_script(database, "legacy.sql", more, NULL);
}

static cost run_migrate(const char *from, const char *more) {
    char line[8192];
    fresh_database("events");
    snprintf(line, sizeof line,
             "exec %s migrate %s/bench/migrate/payment.legacy.json --from dbname=%s"
             " --to dbname=events --jobs 2 --quiet --quarantine %s/quarantine.jsonl %s",
             program, tree, from, folder, more);
    return run(line, NULL);
}

/* ---- the floor */

static void take_out(int turn) {
    char sql[4096], line[16384];
    snprintf(sql, sizeof sql, "COPY (SELECT %s FROM payments) TO STDOUT (FORMAT binary)", columns);
    out.of[turn] = run_in_database("shop", sql).seconds;
    snprintf(line, sizeof line,
             "half() { psql -Xq -d shop -c \"COPY (SELECT %s FROM payments WHERE $1) TO STDOUT"
             " (FORMAT binary)\"; }\n"
             "middle=$(psql -XAt -d shop -c 'SELECT max(id) / 2 FROM payments')\n"
             "half \"id < $middle\" & half \"id >= $middle\" >/dev/null && wait $!",
             columns);
    out_by_two.of[turn] = run(line, NULL).seconds;
}

static void take_in(int turn) {
    char line[16384], sql[512];
    snprintf(line, sizeof line,
             "for part in 0 1; do psql -Xq -d events -c \"COPY (SELECT * FROM backstory.segment"
             " WHERE hashtext(key) & 1 = $part) TO STDOUT (FORMAT binary)\" >%s/part$part; done",
             folder);
    run(line, NULL);
    run_in_database("events", "CREATE TABLE floor (LIKE backstory.segment)");
    snprintf(
        line, sizeof line,
        "load() { psql -Xq -v ON_ERROR_STOP=1 -d events -c \"\\copy floor FROM '%s/part$1' WITH"
        " (FORMAT binary)\"; }\n"
        "load 0 & load 1 && wait $!",
        folder);
    in.of[turn] = run(line, NULL).seconds;
    snprintf(sql, sizeof sql, index_sql, "floor");
    in.of[turn] += run_in_database("events", sql).seconds;
    run_in_database("events", "DROP TABLE floor");
}

/* ---- by hand */

static void by_hand_into_segments(int turn) {
    char line[16384], sql[512];
    run_in_database("shop", "DROP TABLE IF EXISTS segment");
    run_in_database("shop", "CREATE TABLE segment (position bigint, recorded_at timestamptz, plan"
                            " bigint NOT NULL, first_version integer NOT NULL, run_id integer NOT"
                            " NULL, machine_id smallint NOT NULL, key text NOT NULL, data text NOT"
                            " NULL)");
    snprintf(line, sizeof line,
             "middle=$(psql -XAt -d shop -c 'SELECT max(id) / 2 FROM payments')\n"
             "half() { psql -Xq -v ON_ERROR_STOP=1 -d shop -v low=$1 -v high=$2 -f"
             " %s/bench/migrate/segments.sql; }\n"
             "half 0 $middle & half $middle 9000000000 && wait $!",
             tree);
    sql_segments.of[turn] = run(line, NULL).seconds;
    snprintf(sql, sizeof sql, index_sql, "segment");
    sql_segments.of[turn] += run_in_database("shop", sql).seconds;
    run_in_database("shop", "DROP TABLE segment");
}

static void by_loop(int turn) {
    char more[64], script[4200], line[8400];
    snprintf(more, sizeof more, "-v entities=%d", LOOP_ENTITIES);
    snprintf(script, sizeof script, "%s/loop", folder);
    run_script("shop", "loop.sql", more, script);
    run_in_database("shop", "TRUNCATE event");
    snprintf(line, sizeof line, "exec psql -Xq -v ON_ERROR_STOP=1 -d shop -f %s", script);
    loop.of[turn] = run(line, NULL).seconds;
}

static void one_turn(int turn) {
    const cost fast = run_migrate("shop", "--no-resume");
    place.of[turn] = fast.seconds;
    const cost plain = run_migrate("shop", "");
    migrate.of[turn] = plain.seconds;
    memory_kb = plain.memory_kb > memory_kb ? plain.memory_kb : memory_kb;
    take_out(turn);
    take_in(turn);
    by_hand_into_segments(turn);
    sql_lateral.of[turn] = run_script("shop", "lateral.sql", "", NULL);
    sql_union.of[turn] = run_script("shop", "union.sql", "", NULL);
    by_loop(turn);
}

/* ---- what comes out */

static double disk_of(const char *table, double events) {
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT pg_total_relation_size('%s')", table);
    return ask("shop", sql) / events;
}

static void report_disk(double events) {
    const bench_limit lean = {"110 bytes", 110, true, 1};
    const double own = ask("events", "SELECT pg_total_relation_size('backstory.segment')"
                                     " + pg_total_relation_size('backstory.plan')");
    bench_figure("migrate/disk_per_event", own / events, "bytes", &lean);
    run_script("shop", "union.sql", "", NULL);
    bench_figure("migrate/disk_jsonb_rows", disk_of("event", events), "bytes", NULL);
    run_script("shop", "message_db.sql", "", NULL);
    bench_figure("migrate/disk_message_db", disk_of("messages", events), "bytes", NULL);
    run_in_database("shop", "DROP TABLE messages");
    run_script("shop", "emmett.sql", "", NULL);
    bench_figure("migrate/disk_emmett", disk_of("emt_messages", events), "bytes", NULL);
    run_in_database("shop", "DROP TABLE emt_messages, event");
}

static void report(double rows, double events) {
    const double own = median(migrate.of, TURNS), one = median(out.of, TURNS);
    const double two = median(out_by_two.of, TURNS), load = median(in.of, TURNS);
    const double each = median(loop.of, TURNS) / LOOP_ENTITIES * rows;
    const bench_limit floor = {"COPY out, COPY in by 2, index", one + load, true, 1.25};
    const bench_limit unions = {"this run", own, false, 4};
    const bench_limit segments = {"this run", own, false, 1.3};
    const bench_limit laterals = {"this run", own, false, 10};
    const bench_limit loops = {"this run", own, false, 100};
    const bench_limit small = {"64 MB + 2 x 32 MB", 128, true, 1};

    printf("%.0f rows, %.0f events\n", rows, events);
    bench_figure("migrate/copy_out", one, "s", NULL);
    bench_figure("migrate/copy_out_by_two", two, "s", NULL);
    bench_figure("migrate/copy_in_and_index", load, "s", NULL);
    bench_figure("migrate/whole", own, "s", &floor);
    bench_figure("migrate/whole_no_resume", median(place.of, TURNS), "s", &floor);
    bench_figure("migrate/against_all_by_two", own / (two + load), "x", NULL);
    bench_figure("migrate/rows", rows / own, "1/s", NULL);
    bench_figure("migrate/events", events / own, "1/s", NULL);
    bench_figure("migrate/sql_union", median(sql_union.of, TURNS), "s", &unions);
    bench_figure("migrate/sql_own_layout", median(sql_segments.of, TURNS), "s", &segments);
    bench_figure("migrate/sql_lateral", median(sql_lateral.of, TURNS), "s", &laterals);
    bench_figure("migrate/client_loop", each, "s", &loops);
    bench_figure("migrate/memory", (double)memory_kb / 1024, "MB", &small);
}

static void report_big(const char *big_rows, double rows) {
    const double own = median(migrate.of, TURNS);
    make_legacy("shop", big_rows);
    const double big = ask("shop", "SELECT count(*) FROM payments");
    const cost took = run_migrate("shop", "");
    const bench_limit small = {"64 MB + 2 x 32 MB", 128, true, 1};
    const bench_limit linear = {"rows a second of the smaller run", rows / own, false, 0.8};
    bench_figure("migrate/big_memory", (double)took.memory_kb / 1024, "MB", &small);
    bench_figure("migrate/big_rows", big / took.seconds, "1/s", &linear);
}

int main(void) {
    const char *rows = getenv("ROWS"), *big = getenv("BIG_ROWS");
    tree = getenv("SOURCE_DIR");
    program = getenv("BACKSTORY");
    if (!start_server("migrate"))
        return 2;
    make_legacy("shop", rows ? rows : "2000000");
    for (int turn = 0; turn < TURNS; turn++)
        one_turn(turn);
    const double count = ask("shop", "SELECT count(*) FROM payments");
    const double events = ask("events", "SELECT sum(events) FROM backstory.run");
    report(count, events);
    report_disk(events);
    if (big)
        report_big(big, count);
    stop_server();
    return 0;
}
