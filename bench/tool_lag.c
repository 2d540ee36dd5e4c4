/* How long what is committed in one database takes to be seen in another: a sentinel row at a time,
 * by one clock.
 *
 *     tool_lag FROM TO SECONDS WRITE ASK        two statements; $1 is the number of the sentinel
 *
 * The clock starts when the server has answered WRITE, which commits, and stops when ASK first
 * gives a row, asked each half millisecond. Between two sentinels it rests for a time of varying
 * length, so that it does not keep step with whoever carries them over. Prints the count, and the
 * 50th and 99th percentile and the maximum in seconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backstory/pg.h"

#define SAMPLES_MAX 100000u
#define LOOK_NS     500000
#define REST_MS_MAX 40u
#define GIVE_UP_S   60
#define NS_PER_S    INT64_C(1000000000)

typedef struct probe {
    bst_pg *from, *to;
    const char *write, *ask;
    bst_diags *diags;
} probe;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void rest_ns(long ns) {
    const struct timespec rest = {.tv_nsec = ns};
    nanosleep(&rest, NULL);
}

static bst_status run(bst_pg *pg, const char *sql, const char *number, size_t *ret_rows,
                      bst_diags *diags) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {number};
    const bst_status status = bst_pg_query(pg, sql, 1, params, &rows, diags);
    *ret_rows = status == BST_OK ? bst_pg_rows_count(rows) : 0;
    bst_pg_rows_free(rows);
    return status;
}

static bst_status one(const probe *p, unsigned number, int64_t *ret_ns) {
    char text[16];
    size_t rows = 0;
    snprintf(text, sizeof text, "%u", number);
    bst_status status = run(p->from, p->write, text, &rows, p->diags);
    const int64_t start = now_ns();
    for (rows = 0; status == BST_OK && rows == 0;) {
        status = run(p->to, p->ask, text, &rows, p->diags);
        *ret_ns = now_ns() - start;
        if (status == BST_OK && *ret_ns > GIVE_UP_S * NS_PER_S)
            return bst_diag_add(p->diags, BST_RETRY, BST_ERROR, "lost", NULL,
                                "sentinel %u did not come in %d s", number, GIVE_UP_S);
        if (rows == 0)
            rest_ns(LOOK_NS);
    }
    return status;
}

static int compare(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bst_status measure(const probe *p, int64_t seconds) {
    static int64_t samples[SAMPLES_MAX];
    const int64_t until = now_ns() + seconds * NS_PER_S;
    unsigned count = 0;
    uint32_t dice = 1;
    bst_status status = BST_OK;
    while (status == BST_OK && count < SAMPLES_MAX && now_ns() < until) {
        status = one(p, count + 1, &samples[count]);
        count++;
        dice = dice * 1664525u + 1013904223u;
        rest_ns((long)((dice >> 16) % REST_MS_MAX) * 1000000);
    }
    if (status != BST_OK || count == 0)
        return status;
    qsort(samples, count, sizeof *samples, compare);
    printf("%u %.4f %.4f %.4f\n", count, (double)samples[count / 2] / 1e9,
           (double)samples[count - 1 - count / 100] / 1e9, (double)samples[count - 1] / 1e9);
    return BST_OK;
}

int main(int argc, char **argv) {
    probe p = {.diags = bst_diags_new()};
    if (argc != 6) {
        fprintf(stderr, "usage: tool_lag FROM TO SECONDS WRITE ASK\n");
        return 2;
    }
    p.write = argv[4];
    p.ask = argv[5];
    bst_status status = bst_pg_connect(argv[1], BST_PG_STORE, &p.from, p.diags);
    if (status == BST_OK)
        status = bst_pg_connect(argv[2], BST_PG_STORE, &p.to, p.diags);
    if (status == BST_OK)
        status = measure(&p, strtoll(argv[3], NULL, 10));
    for (size_t i = 0; status != BST_OK && i < bst_diags_count(p.diags); i++)
        fprintf(stderr, "tool_lag: %s\n", bst_diags_at(p.diags, i)->message);
    bst_pg_free(p.from);
    bst_pg_free(p.to);
    bst_diags_free(p.diags);
    return status == BST_OK ? 0 : 3;
}
