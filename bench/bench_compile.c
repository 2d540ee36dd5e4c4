/* Compiling random machines of growing size: read, resolved, analysed (every warning on) and
 * emitted as C, against what jansson alone takes to read the same file. Each figure is the median
 * of some runs that take turns; each size runs in a process of its own, so that its memory can be
 * told.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "backstory/check.h"
#include "backstory/emit.h"
#include "figure.h"

#define RUNS        7
#define COMMANDS    20
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

/* `states` states with four commands each, a quarter of them guarded in turn. */
static void write_machine(FILE *out, uint32_t states) {
    static const char *const verbs[COMMANDS] = {
        "open", "close", "ship",   "pack",  "pay",  "cancel", "refund", "pick",  "send", "check",
        "sign", "move",  "assign", "start", "stop", "accept", "reject", "renew", "mark", "load"};
    uint32_t seed = 7;
    fprintf(out, "{ \"id\": \"order\",\n  \"fields\": { \"amount\": { \"type\": \"decimal(12,2)\", "
                 "\"default\": \"0.00\" }, \"count\": { \"type\": \"int4\", \"default\": 0 } },\n"
                 "  \"guards\": { \"large\": \"amount > 100.00\", \"few\": \"count < 10\" },\n"
                 "  \"initial\": \"s0\",\n  \"states\": {\n");
    for (uint32_t s = 0; s < states; s++) {
        fprintf(out, "    \"s%u\": { \"on\": {", s);
        const uint32_t first = next(&seed) % COMMANDS;
        for (uint32_t k = 0; k < TRANSITIONS; k++) {
            const char *guard = k == 1 ? (next(&seed) % 2 ? "large" : "few") : NULL;
            fprintf(out, "%s\n      \"%s\": { \"target\": \"s%u\"%s%s%s }", k ? "," : "",
                    verbs[(first + k * 5) % COMMANDS], next(&seed) % states,
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

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct result {
    double json, ours, peak; /* seconds, seconds, MB */
} result;

static result measure(const char *path) {
    double json[RUNS];
    double ours[RUNS];
    struct rusage usage;
    for (int i = 0; i < RUNS; i++) {
        json[i] = time_json(path);
        ours[i] = time_ours(path);
    }
    qsort(json, RUNS, sizeof *json, by_value);
    qsort(ours, RUNS, sizeof *ours, by_value);
    getrusage(RUSAGE_SELF, &usage);
    return (result){json[RUNS / 2], ours[RUNS / 2], (double)usage.ru_maxrss / 1024};
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

int main(void) {
    static const uint32_t sizes[] = {100, 1000, 10000, 100000};
    result results[4];
    for (size_t i = 0; i < 4; i++) {
        char path[] = "/tmp/bst-compile.XXXXXX";
        char name[64];
        const int fd = mkstemp(path);
        FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
        if (!out) {
            return 3;
        }
        write_machine(out, sizes[i]);
        fclose(out);
        results[i] = measure_apart(path);
        unlink(path);
        const bool judged = sizes[i] == 10000;
        const bench_limit ratio = {"json_load_file", results[i].json * 1e3, true, 3};
        const bench_limit memory = {"200 MB", 200, true, 1};
        snprintf(name, sizeof name, "compile.%u_states", sizes[i]);
        bench_figure(name, results[i].ours * 1e3, "ms", judged ? &ratio : NULL);
        snprintf(name, sizeof name, "compile.%u_json", sizes[i]);
        bench_figure(name, results[i].json * 1e3, "ms", NULL);
        snprintf(name, sizeof name, "compile.%u_peak", sizes[i]);
        bench_figure(name, results[i].peak, "MB", judged ? &memory : NULL);
    }
    /* Large files miss the caches; jansson shows by how much. */
    const double growth = results[3].ours / results[2].ours;
    const bench_limit steady = {"growth of json_load_file, 10000 to 100000",
                                results[3].json / results[2].json, true, 2};
    bench_figure("compile.growth", growth, "x", &steady);
    return 0;
}
