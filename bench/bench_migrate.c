/* A migration at full speed: ROWS payments of 12 columns (2,000,000 unless the environment says
 * otherwise), about 3.1 events each, from one database into another of the same server, by two
 * readers.
 *
 *   floor     what the server alone takes for the same bytes: COPY out of the same columns, COPY in
 *             of the very segments by two connections, the same index
 *   by hand   SQL by somebody who does it well, in four ways; see bench/migrate
 *
 * All of it in turn, TURNS times, so that a noisy machine disturbs all alike; medians count. The
 * client that goes from entity to entity does LOOP_ENTITIES of them, and is extrapolated. First on
 * a server as PostgreSQL ships it, which is what users have and what the limits are for; then, as
 * no_fsync/, on one that forgets everything with its machine, where writing costs least.
 *
 * BIG_ROWS=20000000 in the environment adds one run of that size: memory must not grow, and time in
 * proportion.
 */
#define _DEFAULT_SOURCE /* wait4 */

#include "figure.h"
#include "server.h"

#define TURNS         3
#define LOOP_ENTITIES 3000

/* In the forms in which the migration reads them: what the server need not cast is not cast. */
static const char columns[] = "id, status, amount, currency, captured_cents, refunded_amount,"
                              " failure_reason,"
                              " created_at, authorized_at, captured_at, refunded_at, closed_at";
static const char index_sql[] =
    "SET maintenance_work_mem = '256MB';"
    "CREATE UNIQUE INDEX ON %s (key COLLATE \\\"C\\\", machine_id, first_version)";

typedef struct kind {
    const char *options, *name; /* of pg-cluster.sh; before the names of its figures */
    bool judged;
} kind;

static const kind durable = {"--durable", "migrate", true};
static const kind hasty = {"", "migrate/no_fsync", false};

static const char *tree; /* the sources */
static const char *program;

typedef struct series {
    double of[TURNS];
} series;

typedef struct times {
    series migrate, place, out, out_by_two, in, sql_union, sql_union_bare, sql_lateral,
        sql_segments, sql_checked, loop;
    long memory_kb;
} times;

/* Its first session, which builds caches for all others, is nobody's. */
static void fresh_database(const char *name) {
    char sql[256];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", name);
    run_in_database("postgres", sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    run_in_database("postgres", sql);
    run_in_database(name, "SELECT 1");
}

/* What one has written shall not be the next one's burden. */
static void settle(void) {
    run_in_database("postgres", "CHECKPOINT");
}

static double run_script(const char *database, const char *script, const char *more,
                         const char *output) {
    char line[8192];
    settle();
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
    settle();
    snprintf(line, sizeof line,
             "exec %s migrate %s/bench/migrate/payment.legacy.json --from dbname=%s"
             " --to dbname=events --jobs 2 --quiet --quarantine %s/quarantine.jsonl %s",
             program, tree, from, folder, more);
    return run(line, NULL);
}

/* ---- the floor */

static void take_out(times *t, int turn) {
    char sql[4096], line[16384];
    snprintf(sql, sizeof sql, "COPY (SELECT %s FROM payments) TO STDOUT (FORMAT binary)", columns);
    t->out.of[turn] = run_in_database("shop", sql).seconds;
    snprintf(line, sizeof line,
             "half() { psql -Xq -d shop -c \"COPY (SELECT %s FROM payments WHERE $1) TO STDOUT"
             " (FORMAT binary)\"; }\n"
             "middle=$(psql -XAt -d shop -c 'SELECT max(id) / 2 FROM payments')\n"
             "half \"id < $middle\" & half \"id >= $middle\" >/dev/null && wait $!",
             columns);
    t->out_by_two.of[turn] = run(line, NULL).seconds;
}

static void take_in(times *t, int turn) {
    char line[16384], sql[512];
    snprintf(line, sizeof line,
             "for part in 0 1; do psql -Xq -d events -c \"COPY (SELECT * FROM backstory.segment"
             " WHERE hashtext(key) & 1 = $part) TO STDOUT (FORMAT binary)\" >%s/part$part; done",
             folder);
    run(line, NULL);
    run_in_database("events", "CREATE TABLE floor (LIKE backstory.segment)");
    settle();
    snprintf(
        line, sizeof line,
        "load() { psql -Xq -v ON_ERROR_STOP=1 -d events -c \"\\copy floor FROM '%s/part$1' WITH"
        " (FORMAT binary)\"; }\n"
        "load 0 & load 1 && wait $!",
        folder);
    t->in.of[turn] = run(line, NULL).seconds;
    snprintf(sql, sizeof sql, index_sql, "floor");
    t->in.of[turn] += run_in_database("events", sql).seconds;
    run_in_database("events", "DROP TABLE floor");
}

/* ---- by hand */

/* Both must have stored the same rows: then it is the same work. */
static void check_segments(void) {
    static const char digest[] =
        "psql -XAt -d %s -c \"SELECT md5(string_agg(md5(ROW(plan, first_version, run_id,"
        " machine_id, key, data)::text), '' ORDER BY key COLLATE \\\"C\\\")) FROM %s\"";
    char own[1024], sql[1024], line[4096];
    snprintf(own, sizeof own, digest, "events", "backstory.segment");
    snprintf(sql, sizeof sql, digest, "shop", "segment");
    snprintf(line, sizeof line,
             "own=$(%s) && sql=$(%s) && [ -n \"$own\" ] && [ \"$own\" = \"$sql\" ] ||"
             " { echo 'segments.sql stores other rows' >&2; exit 1; }",
             own, sql);
    run(line, NULL);
}

static double by_hand_into_segments(bool checked) {
    char line[16384], sql[512];
    run_in_database("shop", "DROP TABLE IF EXISTS segment");
    run_in_database("shop", "CREATE TABLE segment (position bigint, recorded_at timestamptz, plan"
                            " bigint NOT NULL, first_version integer NOT NULL, run_id integer NOT"
                            " NULL, machine_id smallint NOT NULL, key text NOT NULL, data text NOT"
                            " NULL)");
    settle();
    snprintf(line, sizeof line,
             "middle=$(psql -XAt -d shop -c 'SELECT max(id) / 2 FROM payments')\n"
             "plans=$(psql -XAt -d events -c \"SELECT '-v ' || state[cardinality(state)] || '=' ||"
             " plan FROM backstory.plan\")\n"
             "half() { psql -Xq -v ON_ERROR_STOP=1 -d shop $plans -v checked=%d -v low=$1 -v"
             " high=$2 -f %s/bench/migrate/segments.sql; }\n"
             "half 0 $middle & half $middle 9000000000 && wait $!",
             checked, tree);
    const double rows = run(line, NULL).seconds;
    snprintf(sql, sizeof sql, index_sql, "segment");
    return rows + run_in_database("shop", sql).seconds;
}

static double by_union(const char *id) {
    char more[64];
    snprintf(more, sizeof more, "-v 'id=%s'", id);
    return run_script("shop", "union.sql", more, NULL);
}

static void by_loop(times *t, int turn) {
    char more[64], script[4200], line[8400];
    snprintf(more, sizeof more, "-v entities=%d", LOOP_ENTITIES);
    snprintf(script, sizeof script, "%s/loop", folder);
    run_script("shop", "loop.sql", more, script);
    run_in_database("shop", "TRUNCATE event");
    snprintf(line, sizeof line, "exec psql -Xq -v ON_ERROR_STOP=1 -d shop -f %s", script);
    t->loop.of[turn] = run(line, NULL).seconds;
}

static void one_turn(times *t, int turn) {
    const cost fast = run_migrate("shop", "--no-resume");
    t->place.of[turn] = fast.seconds;
    const cost plain = run_migrate("shop", "");
    t->migrate.of[turn] = plain.seconds;
    t->memory_kb = plain.memory_kb > t->memory_kb ? plain.memory_kb : t->memory_kb;
    take_out(t, turn);
    take_in(t, turn);
    t->sql_checked.of[turn] = by_hand_into_segments(true);
    t->sql_segments.of[turn] = by_hand_into_segments(false);
    if (turn == 0)
        check_segments();
    run_in_database("shop", "DROP TABLE segment");
    t->sql_lateral.of[turn] = run_script("shop", "lateral.sql", "", NULL);
    t->sql_union_bare.of[turn] = by_union("NULL::uuid");
    t->sql_union.of[turn] = by_union("gen_random_uuid()");
    by_loop(t, turn);
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
    by_union("gen_random_uuid()");
    bench_figure("migrate/disk_jsonb_rows", disk_of("event", events), "bytes", NULL);
    run_script("shop", "message_db.sql", "", NULL);
    bench_figure("migrate/disk_message_db", disk_of("messages", events), "bytes", NULL);
    run_in_database("shop", "DROP TABLE messages");
    run_script("shop", "emmett.sql", "", NULL);
    bench_figure("migrate/disk_emmett", disk_of("emt_messages", events), "bytes", NULL);
    run_in_database("shop", "DROP TABLE emt_messages, event");
}

/* `bound` counts where this kind of server is judged. */
static void tell(const kind *server, const char *name, double value, const char *unit,
                 const bench_limit *limit) {
    char full[128];
    bench_limit judged = limit ? *limit : (bench_limit){0};
    snprintf(full, sizeof full, "%s/%s", server->name, name);
    if (!server->judged)
        judged.bound = 0;
    bench_figure(full, value, unit, limit ? &judged : NULL);
}

static void report(const kind *server, times *t, double rows, double events) {
    const double own = median(t->migrate.of, TURNS), one = median(t->out.of, TURNS);
    const double two = median(t->out_by_two.of, TURNS), load = median(t->in.of, TURNS);
    const double each = median(t->loop.of, TURNS) / LOOP_ENTITIES * rows;
    const bench_limit floor = {"COPY out, COPY in by 2, index", one + load, true, 1.25};
    const bench_limit unions = {"this run", own, false, 4};
    const bench_limit told = {"this run", own, false, 0};
    const bench_limit segments = {"this run", own, false, 1.3};
    const bench_limit laterals = {"this run", own, false, 10};
    const bench_limit loops = {"this run", own, false, 100};
    const bench_limit small = {"64 MB + 2 x 32 MB", 128, true, 1};

    tell(server, "copy_out", one, "s", NULL);
    tell(server, "copy_out_by_two", two, "s", NULL);
    tell(server, "copy_in_and_index", load, "s", NULL);
    tell(server, "whole", own, "s", &floor);
    tell(server, "whole_no_resume", median(t->place.of, TURNS), "s", &floor);
    tell(server, "against_all_by_two", own / (two + load), "x", NULL);
    tell(server, "rows", rows / own, "1/s", NULL);
    tell(server, "events", events / own, "1/s", NULL);
    tell(server, "sql_union", median(t->sql_union.of, TURNS), "s", &unions);
    tell(server, "sql_union_without_ids", median(t->sql_union_bare.of, TURNS), "s", &told);
    tell(server, "sql_own_layout", median(t->sql_segments.of, TURNS), "s", &segments);
    tell(server, "sql_own_layout_checked", median(t->sql_checked.of, TURNS), "s", &told);
    tell(server, "sql_lateral", median(t->sql_lateral.of, TURNS), "s", &laterals);
    tell(server, "client_loop", each, "s", &loops);
    tell(server, "memory", (double)t->memory_kb / 1024, "MB", &small);
}

static void report_big(const char *big_rows, times *t, double rows) {
    const double own = median(t->migrate.of, TURNS);
    make_legacy("shop", big_rows);
    const double big = ask("shop", "SELECT count(*) FROM payments");
    const cost took = run_migrate("shop", "");
    const bench_limit small = {"64 MB + 2 x 32 MB", 128, true, 1};
    const bench_limit linear = {"rows a second of the smaller run", rows / own, false, 0.8};
    bench_figure("migrate/big_memory", (double)took.memory_kb / 1024, "MB", &small);
    bench_figure("migrate/big_rows", big / took.seconds, "1/s", &linear);
}

static bool on_server(const kind *server, const char *rows, const char *big) {
    times t = {0};
    if (!start_server_as("migrate", server->options))
        return false;
    make_legacy("shop", rows);
    run_script("shop", "is_right.sql", "", NULL);
    for (int turn = 0; turn < TURNS; turn++)
        one_turn(&t, turn);
    const double count = ask("shop", "SELECT count(*) FROM payments");
    const double events = ask("events", "SELECT sum(events) FROM backstory.run");
    printf("%.0f rows, %.0f events\n", count, events);
    report(server, &t, count, events);
    if (server->judged)
        report_disk(events);
    if (server->judged && big)
        report_big(big, &t, count);
    stop_server();
    return true;
}

int main(void) {
    const char *const given = getenv("ROWS"), *const big = getenv("BIG_ROWS");
    const char *const rows = given ? given : "2000000";
    tree = getenv("SOURCE_DIR");
    program = getenv("BACKSTORY");
    return on_server(&durable, rows, big) && on_server(&hasty, rows, NULL) ? 0 : 2;
}
