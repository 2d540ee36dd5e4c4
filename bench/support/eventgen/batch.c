/* Many entities, each stepped by its own command: the generated batch, one entity after the other
 * through the table, and the floor: only reading the bytes of the commands. Figures are medians of
 * ns a transition.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "payment.h"
#include "timing.h"

enum { ENTITIES = 131072, ROUNDS = 8, RUNS = 21 };

static uint8_t start[ENTITIES], states[ENTITIES], commands[ROUNDS][ENTITIES];

static size_t step_each(uint8_t *to, const uint8_t *command, size_t count) {
    size_t stayed = 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned next =
            payment_next((enum payment_state)to[i], (enum payment_command_type)command[i]);
        const bool moves = next != PAYMENT_STATE_NONE && next < PAYMENT_STATE_COUNT;
        to[i] = moves ? (uint8_t)next : to[i];
        stayed += !moves;
    }
    return stayed;
}

/* Words, for that is how one reads bytes fast. */
static size_t read_only(uint8_t *to, const uint8_t *command, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i + sizeof sum <= count; i += sizeof sum) {
        uint64_t word;
        memcpy(&word, command + i, sizeof word);
        sum += word;
    }
    to[0] = (uint8_t)(sum + to[0]);
    return (size_t)sum;
}

typedef size_t step_fn(uint8_t *to, const uint8_t *command, size_t count);

static double run(step_fn *step, size_t *ret_stayed) {
    memcpy(states, start, sizeof states);
    size_t stayed = 0;
    const double from = now();
    for (int i = 0; i < ROUNDS; i++) {
        stayed += step(states, commands[i], ENTITIES);
    }
    *ret_stayed = stayed;
    return (now() - from) * 1e9 / ENTITIES / ROUNDS;
}

int main(int argc, char **argv) {
    static step_fn *const steps[] = {step_each, payment_step_all, read_only};
    static const char *const names[] = {"one_by_one", "step_all", "read_only"};
    static uint8_t after[ENTITIES];
    double times[3][RUNS], ns[3];
    size_t stayed[3];
    uint64_t seed = 1;
    for (size_t i = 0; i < ENTITIES; i++) {
        start[i] = (uint8_t)(1 + draw(&seed) % (PAYMENT_STATE_COUNT - 1));
        for (int k = 0; k < ROUNDS; k++) {
            commands[k][i] = (uint8_t)(draw(&seed) % PAYMENT_COMMAND_COUNT);
        }
    }
    for (int i = 0; i < RUNS; i++) {
        times[0][i] = run(steps[0], &stayed[0]);
        memcpy(after, states, sizeof after);
        times[1][i] = run(steps[1], &stayed[1]);
        if (stayed[0] != stayed[1] || memcmp(after, states, sizeof after) != 0) {
            fprintf(stderr, "the batch differs from its entities one by one\n");
            return 70;
        }
        times[2][i] = run(steps[2], &stayed[2]);
    }
    for (int way = 0; way < 3; way++) {
        ns[way] = median(times[way], RUNS);
    }
    for (int way = 0; way < 3; way++) {
        char name[64];
        const bench_limit each = {"one by one", ns[0], true, 1};
        snprintf(name, sizeof name, "eventgen.batch_%s_%s", names[way], argc > 1 ? argv[1] : "");
        bench_figure(name, ns[way], "ns", way == 1 ? &each : NULL);
    }
    return 0;
}
