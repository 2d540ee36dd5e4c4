/* The pace without its clock. */
#ifndef BACKSTORY_PACE_PRIVATE_H
#define BACKSTORY_PACE_PRIVATE_H

#include <stdint.h>

typedef struct bst__pace {
    uint64_t rate;  /* rows a second, at least 1 */
    int64_t due_us; /* when the next row may be read, by a clock that only goes forward */
    uint64_t rest;  /* of a microsecond, in parts of `rate` */
} bst__pace;

uint64_t bst__pace_step(const bst__pace *pace);
/* So many rows were read by now; in how many microseconds the next one may be. */
int64_t bst__pace_take(bst__pace *pace, uint64_t rows, int64_t now_us);

#endif
