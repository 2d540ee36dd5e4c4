/* The POSIX TZ rule at the end of a zone file (RFC 8536, section 3.3, with the longer hours of
 * version 3). Offsets are written there as hours to add to local time to reach UTC, the other way
 * round than everywhere else.
 */
#include "zone_private.h"

#include "digits_private.h"
#include "timestamp_private.h"

#define OFFSET_HOURS_MAX 24
#define CHANGE_HOURS_MAX 167 /* a week less an hour */
#define HOUR             3600

/* A number of one to three digits within bounds. */
static bool read_number(bst__cursor *in, int least, int most, int *ret) {
    int value = 0, digits = 0;
    for (; digits < 4 && in->at < in->end && bst__is_digit(*in->at); in->at++, digits++)
        value = value * 10 + (*in->at - '0');
    *ret = value;
    return digits > 0 && digits < 4 && value >= least && value <= most;
}

/* An abbreviation: letters, or anything between < and >. It is not kept. */
static bool skip_abbreviation(bst__cursor *in) {
    const char *const start = in->at;
    if (bst__cursor_skip(in, '<')) {
        while (in->at < in->end && *in->at != '>')
            in->at++;
        return bst__cursor_skip(in, '>');
    }
    while (in->at < in->end && ((*in->at | 0x20) >= 'a' && (*in->at | 0x20) <= 'z'))
        in->at++;
    return in->at - start >= 3;
}

/* Reads `[+-]hh[:mm[:ss]]`. */
static bool read_clock(bst__cursor *in, int hours_max, int32_t *ret_seconds) {
    int hours, minutes = 0, seconds = 0;
    const bool minus = bst__cursor_skip(in, '-');
    if (!minus)
        bst__cursor_skip(in, '+');
    if (!read_number(in, 0, hours_max, &hours))
        return false;
    if (bst__cursor_skip(in, ':')) {
        if (!read_number(in, 0, 59, &minutes))
            return false;
        if (bst__cursor_skip(in, ':') && !read_number(in, 0, 59, &seconds))
            return false;
    }
    const int32_t value = (hours * 60 + minutes) * 60 + seconds;
    *ret_seconds = minus ? -value : value;
    return true;
}

/* Reads `,date[/time]`. */
static bool read_day(bst__cursor *in, bst__zone_day *ret) {
    *ret = (bst__zone_day){.seconds = 2 * HOUR};
    if (!bst__cursor_skip(in, ','))
        return false;
    bool valid;
    if (bst__cursor_skip(in, 'M')) {
        ret->kind = BST__DAY_WEEKDAY;
        valid = read_number(in, 1, 12, &ret->month) && bst__cursor_skip(in, '.') &&
                read_number(in, 1, 5, &ret->week) && bst__cursor_skip(in, '.') &&
                read_number(in, 0, 6, &ret->day);
    } else if (bst__cursor_skip(in, 'J')) {
        ret->kind = BST__DAY_JULIAN;
        valid = read_number(in, 1, 365, &ret->day);
    } else {
        ret->kind = BST__DAY_OF_YEAR;
        valid = read_number(in, 0, 365, &ret->day);
    }
    return valid && (!bst__cursor_skip(in, '/') || read_clock(in, CHANGE_HOURS_MAX, &ret->seconds));
}

bool bst__zone_rule_parse(const char *text, const char *end, bst__zone_rule *ret) {
    bst__cursor in = {text, end};
    bst__zone_rule rule = {0};
    if (!skip_abbreviation(&in) || !read_clock(&in, OFFSET_HOURS_MAX, &rule.standard))
        return false;
    rule.standard = -rule.standard;
    rule.daylight = rule.standard;
    if (in.at < in.end) {
        rule.has_daylight = true;
        rule.daylight = rule.standard + HOUR;
        if (!skip_abbreviation(&in))
            return false;
        if (in.at < in.end && *in.at != ',') {
            if (!read_clock(&in, OFFSET_HOURS_MAX, &rule.daylight))
                return false;
            rule.daylight = -rule.daylight;
        }
        if (!read_day(&in, &rule.start) || !read_day(&in, &rule.end))
            return false;
    }
    *ret = rule;
    return in.at == in.end;
}

/* Days since 2000-01-01, which was a Saturday. */
static int64_t weekday_of(int64_t days) {
    const int64_t weekday = (days + 6) % 7;
    return weekday < 0 ? weekday + 7 : weekday;
}

static int64_t day_of(const bst__zone_day *day, int64_t year) {
    const int64_t first = bst__days_of(year, 1, 1);
    if (day->kind == BST__DAY_OF_YEAR)
        return first + day->day;
    if (day->kind == BST__DAY_JULIAN)
        return first + day->day - 1 + (day->day > 59 && bst__month_days(year, 2) == 29);
    const int64_t month = bst__days_of(year, day->month, 1);
    const int64_t wanted = (day->day - weekday_of(month) + 7) % 7 + 7 * (day->week - 1);
    return month + (wanted < bst__month_days(year, day->month) ? wanted : wanted - 7);
}

int64_t bst__zone_rule_start(const bst__zone_rule *rule, int64_t year) {
    return day_of(&rule->start, year) * BST__DAY_SECONDS + rule->start.seconds - rule->standard;
}

int64_t bst__zone_rule_end(const bst__zone_rule *rule, int64_t year) {
    return day_of(&rule->end, year) * BST__DAY_SECONDS + rule->end.seconds - rule->daylight;
}

int64_t bst__zone_year(int64_t time) {
    /* Near enough: the years before and after are looked at as well. */
    return 2000 + time / (BST__DAY_SECONDS * INT64_C(146097) / 400);
}
