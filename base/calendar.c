/* The proleptic Gregorian calendar, computed with integers: years start in March, so that the leap
 * day is the last of its year, and 400 years are one cycle of 146097 days.
 */
#include "timestamp_private.h"

#define CYCLE_YEARS      400
#define CYCLE_DAYS       146097
#define DAYS_FROM_YEAR_0 730425 /* from 0000-03-01 to 2000-01-01 */

/* Days from 1 March to the first of a month, counted from March = 0. */
static int days_before(int month_from_march) {
    return (153 * month_from_march + 2) / 5;
}

int64_t bst__days_of(int64_t year, int month, int day) {
    const int from_march = (month + 9) % 12;
    const int64_t years = year - (month <= 2);
    const int64_t cycle = bst__floor_div(years, CYCLE_YEARS);
    const int64_t of_cycle = years - cycle * CYCLE_YEARS;
    const int64_t days = of_cycle * 365 + of_cycle / 4 - of_cycle / 100;
    return cycle * CYCLE_DAYS + days + days_before(from_march) + day - 1 - DAYS_FROM_YEAR_0;
}

bst__civil bst__civil_of(int64_t days) {
    days += DAYS_FROM_YEAR_0;
    const int64_t cycle = bst__floor_div(days, CYCLE_DAYS);
    const int of_cycle = (int)(days - cycle * CYCLE_DAYS);
    /* Take out the leap days that have passed (and put back those of the centuries), then years
     * have 365 days. */
    const int year =
        (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / (CYCLE_DAYS - 1)) / 365;
    const int of_year = of_cycle - (year * 365 + year / 4 - year / 100);
    const int from_march = (5 * of_year + 2) / 153;
    const int month = from_march < 10 ? from_march + 3 : from_march - 9;
    return (bst__civil){cycle * CYCLE_YEARS + year + (month <= 2), month,
                        of_year - days_before(from_march) + 1};
}

int bst__month_days(int64_t year, int month) {
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}
