/* Timestamps and dates, as PostgreSQL counts and reads them.
 *
 * Where PostgreSQL is generous so are we: 24:00:00 is the next midnight, second 60 is the first of
 * the next minute. The calendar is calendar.c's, parts of texts are time_text.c's, zones zone.c's,
 * durations duration.c's.
 */
#include "backstory/timestamp.h"

#include <string.h>

#include "digits_private.h"
#include "timestamp_private.h"

#define DATE_MIN            INT64_C(-2451545)   /* 4714-11-24 BC, Julian day 0 */
#define DATE_END            INT64_C(2145031949) /* after PostgreSQL's last, 5874897-12-31 */
#define DATE_INFINITY       INT32_MAX
#define DATE_MINUS_INFINITY INT32_MIN

/* A timestamp as it is written. */
typedef struct written {
    int64_t days;
    int64_t time; /* of the day, microseconds */
    int offset;   /* seconds east of UTC */
    bool has_offset;
} written;

typedef struct day_text {
    int year, month, day;
} day_text;

static bool read_day(bst__cursor *in, int year_digits_max, day_text *ret) {
    int digits = 0;
    while (in->at + digits < in->end && digits <= year_digits_max && bst__is_digit(in->at[digits]))
        digits++;
    return digits >= 4 && digits <= year_digits_max && bst__cursor_digits(in, digits, &ret->year) &&
           bst__cursor_skip(in, '-') && bst__cursor_digits(in, 2, &ret->month) &&
           bst__cursor_skip(in, '-') && bst__cursor_digits(in, 2, &ret->day);
}

/* Reads `10:11[:12[.5]]`. */
static bst_time_result read_time(bst__cursor *in, int64_t *ret) {
    int hour, minute, second = 0, us = 0;
    bst_time_result result = BST_TIME_OK;
    if (!bst__cursor_digits(in, 2, &hour) || !bst__cursor_skip(in, ':') ||
        !bst__cursor_digits(in, 2, &minute))
        return BST_TIME_SYNTAX;
    if (bst__cursor_skip(in, ':')) {
        if (!bst__cursor_digits(in, 2, &second))
            return BST_TIME_SYNTAX;
        if (bst__cursor_skip(in, '.'))
            result = bst__cursor_fraction(in, &us);
    }
    const int64_t time = ((hour * 60 + minute) * 60 + second) * BST__SECOND + us;
    if (result == BST_TIME_SYNTAX)
        return result;
    if (minute > 59 || second > 60 || time > BST__DAY)
        return BST_TIME_RANGE;
    *ret = time;
    return result;
}

/* Reads ` BC` where it stands, which must end the text. */
static bool read_era(bst__cursor *in, bool *ret_bc) {
    *ret_bc = in->end - in->at == 3 && memcmp(in->at, " BC", 3) == 0;
    return *ret_bc || in->at == in->end;
}

static bst_time_result day_number(day_text day, bool bc, int64_t *ret) {
    const int64_t year = bc ? 1 - (int64_t)day.year : day.year;
    if (day.year == 0 || day.month < 1 || day.month > 12 || day.day < 1 ||
        day.day > bst__month_days(year, day.month))
        return BST_TIME_RANGE;
    *ret = bst__days_of(year, day.month, day.day);
    return BST_TIME_OK;
}

/* Whatever is wrong with the day comes before what is wrong with the time of day. */
static bst_time_result first_of(bst_time_result a, bst_time_result b) {
    return a != BST_TIME_OK ? a : b;
}

static bst_time_result read_written(bst__cursor in, written *ret) {
    day_text day;
    bool bc;
    bst_time_result time = BST_TIME_OK, offset = BST_TIME_OK;
    *ret = (written){0, 0, 0, false};
    if (!read_day(&in, 6, &day))
        return BST_TIME_SYNTAX;
    if (in.end - in.at > 1 && (*in.at == 'T' || *in.at == 't' || *in.at == ' ') &&
        in.at[1] != 'B') {
        in.at++;
        time = read_time(&in, &ret->time);
        if (bst__cursor_skip(&in, 'Z') || bst__cursor_skip(&in, 'z')) {
            ret->has_offset = true;
        } else if (in.at < in.end && (*in.at == '+' || *in.at == '-')) {
            ret->has_offset = true;
            offset = bst__cursor_offset(&in, &ret->offset);
        }
    }
    if (time == BST_TIME_SYNTAX || offset == BST_TIME_SYNTAX || !read_era(&in, &bc))
        return BST_TIME_SYNTAX;
    return first_of(day_number(day, bc, &ret->days), first_of(offset, time));
}

/* `infinity` and `-infinity`, in any case as PostgreSQL reads them. */
static bool read_infinity(const char *text, size_t len, bool *ret_minus) {
    static const char word[] = "infinity";
    const bool minus = len > 0 && *text == '-';
    text += minus;
    len -= minus;
    if (len != sizeof word - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((text[i] | 0x20) != word[i])
            return false;
    }
    *ret_minus = minus;
    return true;
}

static bst_time_result within_range(int64_t time, int64_t *ret_time) {
    if (time < BST_TIME_MIN || time >= BST_TIME_END)
        return BST_TIME_RANGE;
    *ret_time = time;
    return BST_TIME_OK;
}

bst_time_result bst_time_parse(const char *text, size_t len, const bst_zone *zone,
                               int64_t *ret_time) {
    bool minus;
    if (read_infinity(text, len, &minus)) {
        *ret_time = minus ? BST_TIME_MINUS_INFINITY : BST_TIME_INFINITY;
        return BST_TIME_OK;
    }
    written found;
    const bst_time_result result = read_written((bst__cursor){text, text + len}, &found);
    if (result != BST_TIME_OK)
        return result;
    /* A day beyond either end cannot become a time by its offset; the product below would
     * overflow. */
    if (found.days < DATE_MIN - 1 || found.days > BST_TIME_END / BST__DAY)
        return BST_TIME_RANGE;
    const int64_t seconds = found.days * BST__DAY_SECONDS + found.time / BST__SECOND;
    const int64_t us = found.time % BST__SECOND;
    int64_t utc = seconds - found.offset;
    if (!found.has_offset) {
        const bst_time_result placed =
            zone ? bst__zone_resolve(zone, seconds, &utc) : BST_TIME_NO_ZONE;
        if (placed != BST_TIME_OK)
            return placed;
    }
    if (utc >= BST_TIME_END / BST__SECOND)
        return BST_TIME_RANGE;
    return within_range(utc * BST__SECOND + us, ret_time);
}

bst_time_result bst_time_from_naive(int64_t naive, const bst_zone *zone, int64_t *ret_time) {
    if (!bst_time_is_finite(naive)) {
        *ret_time = naive;
        return BST_TIME_OK;
    }
    if (!zone)
        return BST_TIME_NO_ZONE;
    if (naive < BST_TIME_MIN || naive >= BST_TIME_END)
        return BST_TIME_RANGE;
    const int64_t seconds = bst__floor_div(naive, BST__SECOND);
    int64_t utc;
    const bst_time_result result = bst__zone_resolve(zone, seconds, &utc);
    if (result != BST_TIME_OK)
        return result;
    if (utc >= BST_TIME_END / BST__SECOND)
        return BST_TIME_RANGE;
    return within_range(utc * BST__SECOND + (naive - seconds * BST__SECOND), ret_time);
}

bool bst_time_is_finite(int64_t time) {
    return time != BST_TIME_INFINITY && time != BST_TIME_MINUS_INFINITY;
}

static size_t put_infinity(bool minus, char *out) {
    const char *const word = minus ? "-infinity" : "infinity";
    const size_t len = strlen(word);
    memcpy(out, word, len + 1);
    return len;
}

/* The year as it is written; before year 1 it counts backwards from 1 BC, and `finish` says so at
 * the end. */
static char *put_day(char *at, bst__civil day) {
    at = bst__digits_put(at, (uint64_t)(day.year > 0 ? day.year : 1 - day.year), 4);
    *at++ = '-';
    at = bst__digits_put2(at, (unsigned)day.month);
    *at++ = '-';
    return bst__digits_put2(at, (unsigned)day.day);
}

static size_t finish(char *at, bst__civil day, const char *out) {
    if (day.year <= 0) {
        memcpy(at, " BC", 3);
        at += 3;
    }
    *at = '\0';
    return (size_t)(at - out);
}

size_t bst_time_format(int64_t time, char out[BST_TIME_TEXT_MAX]) {
    if (!bst_time_is_finite(time))
        return put_infinity(time == BST_TIME_MINUS_INFINITY, out);
    const int64_t days = bst__floor_div(time, BST__DAY);
    const int64_t of_day = time % BST__DAY + (time % BST__DAY < 0 ? BST__DAY : 0);
    const unsigned seconds = (unsigned)(of_day / BST__SECOND);
    const bst__civil day = bst__civil_of(days);
    char *at = put_day(out, day);
    *at++ = 'T';
    at = bst__digits_put2(at, seconds / 3600);
    *at++ = ':';
    at = bst__digits_put2(at, seconds / 60 % 60);
    *at++ = ':';
    at = bst__digits_put2(at, seconds % 60);
    at = bst__fraction_put(at, (unsigned)(of_day % BST__SECOND));
    *at++ = 'Z';
    return finish(at, day, out);
}

bst_time_result bst_date_parse(const char *text, size_t len, int32_t *ret_days) {
    bool minus, bc;
    if (read_infinity(text, len, &minus)) {
        *ret_days = minus ? DATE_MINUS_INFINITY : DATE_INFINITY;
        return BST_TIME_OK;
    }
    bst__cursor in = {text, text + len};
    day_text day;
    int64_t days;
    if (!read_day(&in, 7, &day) || !read_era(&in, &bc))
        return BST_TIME_SYNTAX;
    if (day_number(day, bc, &days) != BST_TIME_OK || days < DATE_MIN || days >= DATE_END)
        return BST_TIME_RANGE;
    *ret_days = (int32_t)days;
    return BST_TIME_OK;
}

size_t bst_date_format(int32_t days, char out[BST_TIME_TEXT_MAX]) {
    if (days == DATE_INFINITY || days == DATE_MINUS_INFINITY)
        return put_infinity(days == DATE_MINUS_INFINITY, out);
    const bst__civil day = bst__civil_of(days);
    return finish(put_day(out, day), day, out);
}

int32_t bst_time_month(int64_t time) {
    if (!bst_time_is_finite(time))
        return INT32_MIN;
    const bst__civil day = bst__civil_of(bst__floor_div(time, BST__DAY));
    return (int32_t)((day.year - 2000) * 12 + day.month - 1);
}

size_t bst_month_format(int32_t month, char out[BST_TIME_TEXT_MAX]) {
    const int64_t year = 2000 + bst__floor_div(month, 12);
    const bst__civil day = {year, (int)(month - (year - 2000) * 12) + 1, 1};
    char *const end = put_day(out, day);
    return finish(end - strlen("-01"), day, out);
}
