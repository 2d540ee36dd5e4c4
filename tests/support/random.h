/* Seeded random numbers for tests (splitmix64): the same on every machine. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

/* A number out of the environment: BACKSTORY_SEED, BACKSTORY_CASES. */
static inline uint64_t random_setting(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static inline uint64_t random_next(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Any int64, small ones as often as large ones. */
static inline int64_t random_int64(uint64_t *state) {
    const uint64_t bits = random_next(state) >> (random_next(state) % 64);
    return (int64_t)(random_next(state) % 2 ? bits : 0 - bits);
}

#endif
