/* A leaky bucket (the generic cell rate algorithm of ITU-T I.371): each row moves the moment at
 * which the next is due. Who is late may catch up, by a tenth of a second and no more: a run that
 * has waited for a lost server does not make up for it at the cost of the source.
 */
#include "backstory/pace.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "backstory/clock.h"

#include "pace_private.h"

#define LATE_US_MAX 100000
#define STEPS       20u  /* a second */
#define STEP_MAX    256u /* rows */

struct bst_pace {
    bst__pace pace; /* its rate never changes */
    pthread_mutex_t lock;
};

uint64_t bst__pace_step(const bst__pace *pace) {
    const uint64_t step = pace->rate / STEPS;
    return step < 1 ? 1 : step > STEP_MAX ? STEP_MAX : step;
}

int64_t bst__pace_take(bst__pace *pace, uint64_t rows, int64_t now_us) {
    const uint64_t parts = rows * 1000000 + pace->rest;
    if (pace->due_us < now_us - LATE_US_MAX)
        pace->due_us = now_us - LATE_US_MAX;
    pace->due_us += (int64_t)(parts / pace->rate);
    pace->rest = parts % pace->rate;
    return pace->due_us > now_us ? pace->due_us - now_us : 0;
}

bst_pace *bst_pace_new(uint64_t rows_per_second) {
    bst_pace *const pace = calloc(1, sizeof *pace);
    if (!pace)
        return NULL;
    pace->pace = (bst__pace){.rate = rows_per_second, .due_us = bst_clock_us()};
    pthread_mutex_init(&pace->lock, NULL);
    return pace;
}

bst_pace *bst_pace_free(bst_pace *pace) {
    if (pace)
        pthread_mutex_destroy(&pace->lock);
    free(pace);
    return NULL;
}

uint64_t bst_pace_step(const bst_pace *pace) {
    return bst__pace_step(&pace->pace);
}

void bst_pace_keep(bst_pace *pace, uint64_t rows) {
    pthread_mutex_lock(&pace->lock);
    const int64_t wait = bst__pace_take(&pace->pace, rows, bst_clock_us());
    pthread_mutex_unlock(&pace->lock);
    const struct timespec nap = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
    if (wait > 0)
        nanosleep(&nap, NULL);
}
