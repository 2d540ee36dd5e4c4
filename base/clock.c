/* The two clocks of the system. */
#include "backstory/clock.h"

#include <time.h>

#include "backstory/timestamp.h"

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t bst_clock_us(void) {
    return read_clock(CLOCK_MONOTONIC);
}

int64_t bst_clock_ms(void) {
    return bst_clock_us() / 1000;
}

int64_t bst_clock_now(void) {
    return BST_TIME_UNIX_EPOCH + read_clock(CLOCK_REALTIME);
}
