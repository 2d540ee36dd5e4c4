/* What lies behind a zone: its file, and the rule after the changes that the file lists, a POSIX TZ
 * text such as "CET-1CEST,M3.5.0,M10.5.0/3". */
#ifndef BACKSTORY_ZONE_PRIVATE_H
#define BACKSTORY_ZONE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/timestamp.h"

typedef enum bst__zone_day_kind {
    BST__DAY_JULIAN,  /* Jn: 1 to 365, 29 February never counted */
    BST__DAY_OF_YEAR, /* n: 0 to 365 */
    BST__DAY_WEEKDAY  /* Mm.w.d: weekday d of week w (5: the last) of month m */
} bst__zone_day_kind;

/* A day of each year, and the seconds from its midnight (also before it, or days later). */
typedef struct bst__zone_day {
    bst__zone_day_kind kind;
    int day, week, month;
    int32_t seconds;
} bst__zone_day;

typedef struct bst__zone_rule {
    int32_t standard, daylight; /* seconds east of UTC */
    bool has_daylight;
    bst__zone_day start, end; /* of daylight time */
} bst__zone_rule;

/* A zone file (TZif, version 2 or later); NULL when it is damaged, or there is no memory. */
const bst_zone *bst__zone_parse(const uint8_t *bytes, size_t len);

/* Reads [text, end) whole. */
bool bst__zone_rule_parse(const char *text, const char *end, bst__zone_rule *ret);
/* When daylight time starts and ends in a year: seconds since 2000-01-01 UTC. */
int64_t bst__zone_rule_start(const bst__zone_rule *rule, int64_t year);
int64_t bst__zone_rule_end(const bst__zone_rule *rule, int64_t year);
/* The year of a time in UTC. */
int64_t bst__zone_year(int64_t time);

#endif
