/* The ways to step through the payment machine that are measured against each other. */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include "payment.h"

struct row {
    const struct row *next[PAYMENT_COMMAND_COUNT];
};
void hand_init(void);
const struct row *hand_row(unsigned state);
unsigned hand_state(const struct row *row);
const struct row *hand_run(const struct row *row, const unsigned char *p, const unsigned char *pe);

unsigned generated_walk(unsigned state, const unsigned char *p, const unsigned char *pe);
unsigned generated_any(unsigned state, const unsigned char *p, const unsigned char *pe,
                       size_t *refused);

/* By ragel: a number of its own for the state; -1: from the beginning. */
int ragel_g2(int cs, const unsigned char *p, const unsigned char *pe);
int ragel_t0(int cs, const unsigned char *p, const unsigned char *pe);

#endif
