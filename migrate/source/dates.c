/* Times that do not start with the year: `29/2/2016 01:16`, day or month first as the mapping says.
 * They are put into the order that bst_time_parse() reads, and read by that.
 */
#include <stdio.h>
#include <string.h>

#include "source_private.h"

#define TIME_TEXT_MAX 64u

/* One or two digits, or four of a year; returns how many, 0: none. */
static size_t read_number(const char *text, size_t len, size_t most, unsigned *ret) {
    size_t count = 0;
    *ret = 0;
    while (count < len && count < most && text[count] >= '0' && text[count] <= '9')
        *ret = *ret * 10 + (unsigned)(text[count++] - '0');
    return count;
}

static bool is_separator(char c) {
    return c == '/' || c == '.' || c == '-';
}

/* Whether the text starts with `d/m/yyyy`; then how long that is, and its three numbers. */
static size_t read_date(const char *text, size_t len, unsigned ret[3]) {
    size_t at = 0;
    for (int part = 0; part < 3; part++) {
        const size_t digits = read_number(text + at, len - at, part < 2 ? 2 : 4, &ret[part]);
        at += digits;
        if (digits == 0 || (part == 2 && digits != 4))
            return 0;
        if (part < 2 && (at == len || !is_separator(text[at++])))
            return 0;
    }
    return at;
}

bst_time_result bst__time_read(const bst_source_column *column, const char *text, size_t len,
                               int64_t *ret) {
    char iso[TIME_TEXT_MAX + 16];
    unsigned part[3], hour = 0;
    const size_t date = column->dates == BST_DATES_YMD ? 0 : read_date(text, len, part);
    if (date == 0 || len > TIME_TEXT_MAX)
        return bst_time_parse(text, len, column->zone, ret);
    const bool day_first = column->dates == BST_DATES_DMY;
    const char *rest = text + date;
    size_t rest_len = len - date;
    int made = snprintf(iso, sizeof iso, "%04u-%02u-%02u", part[2], part[day_first ? 1 : 0],
                        part[day_first ? 0 : 1]);
    /* ` 1:16` */
    if (rest_len > 2 && read_number(rest + 1, rest_len - 1, 2, &hour) == 1 && rest[2] == ':') {
        made += snprintf(iso + made, sizeof iso - (size_t)made, "%c%02u", rest[0], hour);
        rest += 2;
        rest_len -= 2;
    }
    memcpy(iso + made, rest, rest_len);
    return bst_time_parse(iso, (size_t)made + rest_len, column->zone, ret);
}
