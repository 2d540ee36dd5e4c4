/* What timestamp.c, duration.c and zone.c share: parts of texts (time_text.c), the calendar
 * (calendar.c), and the look-up of local time (zone.c). */
#ifndef BACKSTORY_TIMESTAMP_PRIVATE_H
#define BACKSTORY_TIMESTAMP_PRIVATE_H

#include "backstory/timestamp.h"

#define BST__DAY_SECONDS     86400
#define BST__SECOND          INT64_C(1000000) /* in microseconds */
#define BST__DAY             (BST__DAY_SECONDS * BST__SECOND)
#define BST__UNIX_EPOCH_DAYS 10957 /* from 1970-01-01 to 2000-01-01 */

/* A text that is being read. */
typedef struct bst__cursor {
    const char *at, *end;
} bst__cursor;

static inline bool bst__cursor_skip(bst__cursor *in, char c) {
    const bool found = in->at < in->end && *in->at == c;
    in->at += found;
    return found;
}

/* Reads exactly `count` digits (9 at most). */
bool bst__cursor_digits(bst__cursor *in, int count, int *ret);
/* Reads `+02`, `+0200`, `+02:00` or `+02:00:30`: seconds east of UTC, at most 15:59:59 as in
 * PostgreSQL. */
bst_time_result bst__cursor_offset(bst__cursor *in, int *ret_seconds);
/* Reads what follows the point of a second, as microseconds. */
bst_time_result bst__cursor_fraction(bst__cursor *in, int *ret_us);
/* Writes ".5" and the like; nothing for 0. */
char *bst__fraction_put(char *at, unsigned us);

/* Rounded down, for b > 0. */
static inline int64_t bst__floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Days since 2000-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC. The day may lie
 * outside its month. */
int64_t bst__days_of(int64_t year, int month, int day);
int bst__month_days(int64_t year, int month);
typedef struct bst__civil {
    int64_t year; /* 0 is 1 BC */
    int month, day;
} bst__civil;
bst__civil bst__civil_of(int64_t days);

/* Which time local clocks showed `seconds` at; both counts are seconds since 2000-01-01. */
bst_time_result bst__zone_resolve(const bst_zone *zone, int64_t seconds, int64_t *ret_seconds);

#endif
