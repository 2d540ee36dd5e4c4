/* Compiling random machines of growing size: read, resolved, analysed (every warning on) and
 * emitted as C, against what jansson alone takes to read the same file. Each figure is the least of
 * some runs that take turns, for what disturbs a run only adds to it; each size runs in a process
 * of its own, so that its memory can be told.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "backstory/check.h"
#include "backstory/emit.h"
#include "figure.h"

#define RUNS        9
#define VERBS       20
#define TRANSITIONS 4

/* Seconds of this process alone: others on the machine do not count. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t next(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The shape of a machine: every state has four commands, one of them guarded, and what they are
 * called: `commands` names in all. */
typedef struct shape {
    const char *name;
    uint32_t states, commands;
} shape;

static void write_machine(FILE *out, const shape *of) {
    static const char *const verbs[VERBS] = {
        "open", "close", "ship",   "pack",  "pay",  "cancel", "refund", "pick",  "send", "check",
        "sign", "move",  "assign", "start", "stop", "accept", "reject", "renew", "mark", "load"};
    uint32_t seed = 7;
    fprintf(out, "{ \"id\": \"order\",\n  \"fields\": { \"amount\": { \"type\": \"decimal(12,2)\", "
                 "\"default\": \"0.00\" }, \"count\": { \"type\": \"int4\", \"default\": 0 } },\n"
                 "  \"guards\": { \"large\": \"amount > 100.00\", \"few\": \"count < 10\" },\n"
                 "  \"initial\": \"s0\",\n  \"states\": {\n");
    for (uint32_t s = 0; s < of->states; s++) {
        fprintf(out, "    \"s%u\": { \"on\": {", s);
        const uint32_t first = next(&seed) % of->commands;
        for (uint32_t k = 0; k < TRANSITIONS; k++) {
            const char *guard = k == 1 ? (next(&seed) % 2 ? "large" : "few") : NULL;
            const uint32_t command = (first + k * of->commands / TRANSITIONS) % of->commands;
            char number[16] = "";
            if (of->commands > VERBS) {
                snprintf(number, sizeof number, "_%u", command / VERBS);
            }
            fprintf(out, "%s\n      \"%s%s\": { \"target\": \"s%u\"%s%s%s }", k ? "," : "",
                    verbs[command % VERBS], number, next(&seed) % of->states,
                    guard ? ", \"guard\": \"" : "", guard ? guard : "", guard ? "\"" : "");
        }
        fprintf(out, " } },\n");
    }
    fprintf(out, "    \"done\": { \"type\": \"final\" } } }\n");
}

static double time_json(const char *path) {
    const double start = now();
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const double seconds = now() - start;
    if (!root) {
        exit(70);
    }
    json_decref(root);
    return seconds;
}

static double time_ours(const char *path) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    bst_emit_files files;
    bst_warnings all = {.all_errors = false};
    const char *name;
    bst_warnings_option(&all, "-Wall", &name);
    bst_diags_set_warnings(diags, &all);
    bst_emit_files_init(&files);
    const double start = now();
    if (bst_machine_load(path, &machine, diags) != BST_OK ||
        bst_machine_check(machine, diags) != BST_OK ||
        bst_emit(machine, "c", NULL, &files, diags) != BST_OK) {
        fprintf(stderr, "%s\n", bst_diags_at(diags, 0)->message);
        exit(70);
    }
    const double seconds = now() - start;
    bst_emit_files_release(&files);
    bst_machine_free(machine);
    bst_diags_free(diags);
    return seconds;
}

typedef struct result {
    double json, ours, peak; /* seconds, seconds, MB */
} result;

static result measure(const char *path) {
    result least = {time_json(path), time_ours(path), 0};
    struct rusage usage;
    for (int i = 1; i < RUNS; i++) {
        const double json = time_json(path);
        const double ours = time_ours(path);
        least.json = json < least.json ? json : least.json;
        least.ours = ours < least.ours ? ours : least.ours;
    }
    getrusage(RUSAGE_SELF, &usage);
    least.peak = (double)usage.ru_maxrss / 1024;
    return least;
}

static result measure_apart(const char *path) {
    result found = {0};
    int ends[2];
    if (pipe(ends) != 0) {
        exit(70);
    }
    const pid_t child = fork();
    if (child == 0) {
        const result r = measure(path);
        _exit(write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? 0 : 70);
    }
    close(ends[1]);
    int status = 1;
    if (child < 0 || read(ends[0], &found, sizeof found) != (ssize_t)sizeof found ||
        waitpid(child, &status, 0) != child || status != 0) {
        exit(70);
    }
    close(ends[0]);
    return found;
}

static result measure_shape(const shape *of) {
    char path[] = "/tmp/bst-compile.XXXXXX";
    const int fd = mkstemp(path);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        exit(3);
    }
    write_machine(out, of);
    fclose(out);
    const result found = measure_apart(path);
    unlink(path);
    return found;
}

static void report(const shape *of, const result *found) {
    const bool judged = of->states == 10000;
    const bench_limit ratio = {"json_load_file", found->json * 1e3, true, 3};
    const bench_limit memory = {"200 MB", 200, true, 1};
    char name[64];
    snprintf(name, sizeof name, "compile.%s", of->name);
    bench_figure(name, found->ours * 1e3, "ms", judged ? &ratio : NULL);
    snprintf(name, sizeof name, "compile.%s_json", of->name);
    bench_figure(name, found->json * 1e3, "ms", NULL);
    snprintf(name, sizeof name, "compile.%s_peak", of->name);
    bench_figure(name, found->peak, "MB", judged ? &memory : NULL);
}

int main(void) {
    static const shape shapes[] = {{"100_states", 100, VERBS},
                                   {"1000_states", 1000, VERBS},
                                   {"10000_states", 10000, VERBS},
                                   {"100000_states", 100000, VERBS},
                                   {"10000_states_1000_commands", 10000, 1000}};
    result results[sizeof shapes / sizeof *shapes];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        results[i] = measure_shape(&shapes[i]);
        report(&shapes[i], &results[i]);
    }
    /* Large files miss the caches; jansson shows by how much. */
    const double growth = results[3].ours / results[2].ours;
    const bench_limit steady = {"growth of json_load_file, 10000 to 100000",
                                results[3].json / results[2].json, true, 2};
    bench_figure("compile.growth", growth, "x", &steady);
    return 0;
}
