/* The sample's legacy payments in a database `shop`, for a benchmark. One bench program includes
 * it. */
#ifndef BENCH_PAYMENTS_H
#define BENCH_PAYMENTS_H

#include "server.h"

static char mapping[4096]; /* of the sample */

static inline void make_payments(const char *samples, const char *rows) {
    char line[8192];
    snprintf(mapping, sizeof mapping, "%s/payment/payment.legacy.json", samples);
    run_in_database("postgres", "CREATE DATABASE shop");
    snprintf(line, sizeof line, "exec psql -Xq -d shop -v rows=%s -f %s/payment/legacy.sql", rows,
             samples);
    run(line, NULL);
    run_in_database("shop", "VACUUM ANALYZE payments");
}

/* Seconds for a binary COPY of the columns that the mapping reads, to nowhere. */
static inline double copy_payments(void) {
    static const char sql[] =
        "COPY (SELECT id::text, status::text, amount, currency::text, captured_cents,"
        " refunded_amount, refund_count, failure_reason, created_at, challenged_at, authorized_at,"
        " captured_at, refunded_at, closed_at, updated_at, deleted_at FROM payments)"
        " TO STDOUT (FORMAT binary)";
    return run_in_database("shop", sql).seconds;
}

#endif
