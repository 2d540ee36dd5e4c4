/* One stream of commands through one entity: the generated table, the best one by hand and two of
 * ragel's, taking turns on a walk where every command is legal and on one where any may come.
 * Figures are medians of ns a command. Before it is timed, each is held against the others.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "figure.h"
#include "steps.h"
#include "timing.h"

enum { COMMANDS = 1 << 21, RUNS = 15 };
enum { HAND, GENERATED, G2, T0, WAYS };

static unsigned char walk[COMMANDS], any[COMMANDS];

static void make_streams(void) {
    uint64_t seed = 12;
    unsigned state = PAYMENT_STATE_NONE;
    for (size_t i = 0; i < COMMANDS; i++) {
        unsigned next = 0;
        do {
            walk[i] = (unsigned char)(draw(&seed) % PAYMENT_COMMAND_COUNT);
            next = payment_next((enum payment_state)state, (enum payment_command_type)walk[i]);
        } while (next == 0);
        state = next;
        any[i] =
            (unsigned char)(i == 0 ? PAYMENT_COMMAND_CREATE : draw(&seed) % PAYMENT_COMMAND_COUNT);
    }
}

/* The state after a stream: ragel's as ours, by a table that is filled as they meet. */
static void check_stream(const unsigned char *stream) {
    int g2 = -1, t0 = -1, of_g2[PAYMENT_STATE_COUNT + 8] = {0},
        of_t0[PAYMENT_STATE_COUNT + 8] = {0};
    unsigned state = 0;
    size_t refused;
    const struct row *row = hand_row(0);
    for (size_t i = 0; i < 100000; i++) {
        state = generated_any(state, stream + i, stream + i + 1, &refused);
        row = hand_run(row, stream + i, stream + i + 1);
        g2 = ragel_g2(g2, stream + i, stream + i + 1);
        t0 = ragel_t0(t0, stream + i, stream + i + 1);
        of_g2[g2] = of_g2[g2] ? of_g2[g2] : (int)state;
        of_t0[t0] = of_t0[t0] ? of_t0[t0] : (int)state;
        if (hand_state(row) != state || of_g2[g2] != (int)state || of_t0[t0] != (int)state) {
            fprintf(stderr, "after %zu commands they differ\n", i + 1);
            exit(70);
        }
    }
}

static volatile unsigned sink;

static double run(int way, const unsigned char *stream, int legal) {
    const unsigned char *end = stream + COMMANDS;
    size_t refused = 0;
    const double start = now();
    switch (way) {
    case HAND:
        sink = hand_state(hand_run(hand_row(0), stream, end));
        break;
    case GENERATED:
        sink = legal ? generated_walk(0, stream, end) : generated_any(0, stream, end, &refused);
        break;
    case G2:
        sink = (unsigned)ragel_g2(-1, stream, end);
        break;
    default:
        sink = (unsigned)ragel_t0(-1, stream, end);
    }
    return (now() - start) * 1e9 / COMMANDS;
}

static void measure(const unsigned char *stream, int legal, double *ret) {
    double times[WAYS][RUNS];
    for (int i = 0; i < RUNS; i++) {
        for (int way = 0; way < WAYS; way++) {
            times[way][i] = run(way, stream, legal);
        }
    }
    for (int way = 0; way < WAYS; way++) {
        ret[way] = median(times[way], RUNS);
    }
}

static void report(const char *kind, const double *ns, double against_hand, double against_g2,
                   double against_t0) {
    char name[64];
    const bench_limit hand = {"the best table by hand", ns[HAND], true, against_hand};
    snprintf(name, sizeof name, "eventgen.%s_next", kind);
    bench_figure(name, ns[GENERATED], "ns", against_hand > 0 ? &hand : NULL);
    const bench_limit g2 = {"the generated table", ns[GENERATED], false, against_g2};
    snprintf(name, sizeof name, "eventgen.%s_ragel_G2", kind);
    bench_figure(name, ns[G2], "ns", &g2);
    const bench_limit t0 = {"the generated table", ns[GENERATED], false, against_t0};
    snprintf(name, sizeof name, "eventgen.%s_ragel_T0", kind);
    bench_figure(name, ns[T0], "ns", &t0);
}

int main(void) {
    double ns[WAYS];
    hand_init();
    make_streams();
    check_stream(walk);
    check_stream(any);
    measure(walk, 1, ns);
    report("walk", ns, 1.05, 2.5, 6);
    measure(any, 0, ns);
    report("any", ns, 0, 1.5, 6); /* the one by hand does not count what is refused */
    return 0;
}
