/* Points in time as PostgreSQL keeps them: microseconds since 2000-01-01 00:00:00 UTC in an int64,
 * -infinity and infinity at the ends. (Counting from 1970 would not reach PostgreSQL's last year,
 * 294276.) Finite values run from 4714-11-24 BC (Julian day 0) to the end of 294276. Dates are days
 * since 2000-01-01. Durations are microseconds.
 */
#ifndef BACKSTORY_TIMESTAMP_H
#define BACKSTORY_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_TIME_INFINITY       INT64_MAX
#define BST_TIME_MINUS_INFINITY INT64_MIN
/* The first finite value and the first one past the last (MIN_TIMESTAMP, END_TIMESTAMP there). */
#define BST_TIME_MIN        INT64_C(-211813488000000000)
#define BST_TIME_END        INT64_C(9223371331200000000)
#define BST_TIME_UNIX_EPOCH INT64_C(-946684800000000) /* 1970-01-01 in our count */
#define BST_TIME_TEXT_MAX   40

typedef enum bst_time_result {
    BST_TIME_OK,
    BST_TIME_SYNTAX,
    BST_TIME_RANGE,   /* well formed, but no such day or outside PostgreSQL's range */
    BST_TIME_INEXACT, /* digits other than 0 beyond microseconds */
    BST_TIME_NO_ZONE, /* naive text, and `zone` is NULL */
    BST_TIME_GAP,     /* naive text that the zone's clocks skipped */
    BST_TIME_OVERLAP  /* naive text that the zone's clocks showed twice */
} bst_time_result;

/* A time zone by which naive timestamps are read. Opaque; immutable; may be shared by threads. */
typedef struct bst_zone bst_zone;

/* `name`: "UTC", a fixed offset ("+02:00", "-0530"), or an IANA name ("Europe/Copenhagen") read
 * from the system's zone files. NULL when there is no such zone or no memory. Does not touch TZ or
 * any other global state. */
BST_API const bst_zone *bst_zone_new(const char *name);
BST_API const bst_zone *bst_zone_free(const bst_zone *zone); /* takes NULL, returns NULL */

/* Reads `2021-03-02[ T]10:11[:12[.123456]][Z|+02|+0200|+02:00|+02:00:30][ BC]`, a bare date
 * (midnight), `infinity`,
 * `-infinity`; years of 4 to 6 digits. A text that names its offset ignores `zone`. */
BST_API bst_time_result bst_time_parse(const char *text, size_t len, const bst_zone *zone,
                                       int64_t *ret_time);
/* A naive value (as a `timestamp without time zone` column delivers it, same count) read as local
 * time of `zone`. */
BST_API bst_time_result bst_time_from_naive(int64_t naive, const bst_zone *zone, int64_t *ret_time);
/* `2021-03-02T10:11:12.123456Z`; the fraction only when it is not 0, without trailing zeros;
 * `infinity`; years before 1 as PostgreSQL writes them, with ` BC`. Returns the length. */
BST_API size_t bst_time_format(int64_t time, char out[BST_TIME_TEXT_MAX]);
BST_API bool bst_time_is_finite(int64_t time);
/* The month it lies in, in UTC, counted from 2000-01 as 0; INT32_MIN for an infinity. And that
 * month as text: `2021-03`, before the year 1 as bst_time_format() does. */
BST_API int32_t bst_time_month(int64_t time);
BST_API size_t bst_month_format(int32_t month, char out[BST_TIME_TEXT_MAX]);

BST_API bst_time_result bst_date_parse(const char *text, size_t len, int32_t *ret_days);
BST_API size_t bst_date_format(int32_t days, char out[BST_TIME_TEXT_MAX]);

/* ISO 8601 durations with fixed length: weeks, days (24 h), hours, minutes, seconds with a fraction
 * ("P1DT2H", "PT0.5S",
 * "-PT5M"). Years and months have no fixed length: BST_TIME_SYNTAX. */
BST_API bst_time_result bst_duration_parse(const char *text, size_t len, int64_t *ret_us);
BST_API size_t bst_duration_format(int64_t us, char out[BST_TIME_TEXT_MAX]);

#ifdef __cplusplus
}
#endif
#endif
