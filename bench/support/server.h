/* A throw-away server for a benchmark, and shell lines that are timed. One bench program includes
 * it. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[4000]; /* of this bench, under TMPDIR */

typedef struct cost {
    double seconds;
    long memory_kb;
} cost;

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Runs a shell line; its output goes to `output` (NULL: nowhere). Ends the bench when it fails. */
static inline cost run(const char *line, const char *output) {
    const double start = now();
    const pid_t child = fork();
    if (child == 0) {
        const int fd = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
        fprintf(stderr, "bench: failed: %s\n", line);
        exit(1);
    }
    return (cost){now() - start, usage.ru_maxrss};
}

static inline cost run_in_database(const char *database, const char *sql) {
    char line[40000];
    snprintf(line, sizeof line, "exec psql -Xq -v ON_ERROR_STOP=1 -d %s -c \"%s\"", database, sql);
    return run(line, NULL);
}

static inline double ask(const char *database, const char *sql) {
    char line[4096], path[4096], text[64] = "";
    snprintf(path, sizeof path, "%s/answer", folder);
    snprintf(line, sizeof line, "exec psql -XAt -d %s -c \"%s\"", database, sql);
    run(line, path);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file))
        exit(1);
    fclose(file);
    return strtod(text, NULL);
}

static inline int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static inline double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

/* The cluster's address: the first line of its file has PGHOST=... PGPORT=... and so on. */
static inline void take_environment(void) {
    char path[4096], name[64], value[256];
    snprintf(path, sizeof path, "%s/pg/env", folder);
    FILE *file = fopen(path, "r");
    while (file && fscanf(file, " %63[A-Z_]=%255s", name, value) == 2) {
        if (strncmp(name, "PG", 2) == 0)
            setenv(name, value, 1);
    }
    if (file)
        fclose(file);
}

/* Starts the cluster, with options of pg-cluster.sh; it ends with this program however that ends.
 * False: something is missing in the environment. */
static inline bool start_server_as(const char *name, const char *options) {
    const char *tree = getenv("SOURCE_DIR"), *place = getenv("TMPDIR");
    char line[8192];
    snprintf(folder, sizeof folder, "%s/bst-%s-XXXXXX", place ? place : "/tmp", name);
    if (!tree || !getenv("BACKSTORY") || !getenv("SAMPLES") || !mkdtemp(folder)) {
        fprintf(stderr, "bench %s: run it with ./dev bench %s\n", name, name);
        return false;
    }
    snprintf(line, sizeof line, "exec %s/tests/support/pg-cluster.sh start %s/pg --while %d %s",
             tree, folder, (int)getpid(), options);
    run(line, NULL);
    take_environment();
    setenv("PGOPTIONS", "-c client_min_messages=warning", 1);
    return true;
}

static inline bool start_server(const char *name) {
    return start_server_as(name, "");
}

static inline void stop_server(void) {
    char line[8192];
    snprintf(line, sizeof line, "%s/tests/support/pg-cluster.sh stop %s/pg; exec rm -rf %s",
             getenv("SOURCE_DIR"), folder, folder);
    run(line, NULL);
}

#endif
