/* One figure of a benchmark, printed and added to $BENCH_JSONL: the C half of figure.sh. */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* `value` measured, `other` what `against` takes; the ratio value / other must be at most (or at
 * least) `bound`; 0: it is only told. */
typedef struct bench_limit {
    const char *against;
    double other;
    bool at_most;
    double bound;
} bench_limit;

/* `limit` NULL: the figure stands alone. */
static inline void bench_figure(const char *name, double value, const char *unit,
                                const bench_limit *limit) {
    const char *path = getenv("BENCH_JSONL");
    FILE *out = path ? fopen(path, "a") : NULL;
    char judged[256] = "\"against\":null,\"ratio\":null,\"limit\":null,\"holds\":true";
    printf("%-36s %14.6g %-6s", name, value, unit);
    if (limit) {
        double ratio = value / limit->other;
        bool holds = limit->at_most ? ratio <= limit->bound : ratio >= limit->bound;
        const char *sign = limit->at_most ? "<=" : ">=";
        printf(" %.2f x %s", ratio, limit->against);
        if (limit->bound > 0) {
            snprintf(judged, sizeof judged,
                     "\"against\":\"%s\",\"ratio\":%.4f,\"limit\":\"%s%g\",\"holds\":%s",
                     limit->against, ratio, sign, limit->bound, holds ? "true" : "false");
            printf(" (%s%g: %s)", sign, limit->bound, holds ? "holds" : "DOES NOT HOLD");
        } else {
            snprintf(judged, sizeof judged,
                     "\"against\":\"%s\",\"ratio\":%.4f,\"limit\":null,\"holds\":true",
                     limit->against, ratio);
        }
    }
    printf("\n");
    if (out) {
        fprintf(out, "{\"name\":\"%s\",\"value\":%.17g,\"unit\":\"%s\",%s}\n", name, value, unit,
                judged);
        fclose(out);
    }
}

#endif
