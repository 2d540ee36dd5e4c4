/* Guards on: the same stream of commands decided and applied by generated code and by hand, taking
 * turns. Nine in ten are legal, some ask for more than there is.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "guards.h"
#include "timing.h"

enum { COMMANDS = 1 << 17, RUNS = 31 };

static struct guarded_command commands[COMMANDS];

static void set_amount(struct guarded_command *command, int64_t amount) {
    switch (command->type) {
    case GUARDED_COMMAND_CREATE:
        command->create.amount = INT64_C(99999999999);
        break;
    case GUARDED_COMMAND_CAPTURE:
        command->capture.amount = amount;
        break;
    case GUARDED_COMMAND_CAPTURE_PART:
        command->capture_part.amount = amount;
        break;
    case GUARDED_COMMAND_REFUND:
        command->refund.amount = amount;
        break;
    case GUARDED_COMMAND_REFUND_PART:
        command->refund_part.amount = amount;
        break;
    default:
        break;
    }
}

/* Draws commands until one fits the state, nine times in ten. */
static void make_stream(void) {
    uint64_t seed = 3;
    struct guarded entity;
    guarded_init(&entity);
    for (size_t i = 0; i < COMMANDS; i++) {
        struct guarded_command *command = &commands[i];
        const bool legal = draw(&seed) % 10 > 0;
        do {
            command->type = (enum guarded_command_type)(draw(&seed) % GUARDED_COMMAND_COUNT);
        } while (legal && guarded_next(entity.state, command->type) == GUARDED_STATE_NONE);
        set_amount(command, draw(&seed) % 16 == 0 ? INT64_C(99999999999) : draw(&seed) % 300 + 1);
        struct guarded_event event;
        if (guarded_decide(&entity, command, &event).verdict == GUARDED_VERDICT_ACCEPTED) {
            guarded_apply(&entity, &event);
        }
    }
}

typedef struct result {
    struct guarded entity;
    uint32_t verdicts[6];
} result;

static double run_generated(result *ret) {
    guarded_init(&ret->entity);
    memset(ret->verdicts, 0, sizeof ret->verdicts);
    const double start = now();
    for (size_t i = 0; i < COMMANDS; i++) {
        struct guarded_event event;
        const struct guarded_decision d = guarded_decide(&ret->entity, &commands[i], &event);
        ret->verdicts[d.verdict]++;
        if (d.verdict == GUARDED_VERDICT_ACCEPTED) {
            guarded_apply(&ret->entity, &event);
        }
    }
    return (now() - start) * 1e9 / COMMANDS;
}

static double run_hand(result *ret) {
    guarded_init(&ret->entity);
    memset(ret->verdicts, 0, sizeof ret->verdicts);
    const double start = now();
    for (size_t i = 0; i < COMMANDS; i++) {
        struct guarded_event event;
        const struct guarded_decision d = hand_decide(&ret->entity, &commands[i], &event);
        ret->verdicts[d.verdict]++;
        if (d.verdict == GUARDED_VERDICT_ACCEPTED) {
            hand_apply(&ret->entity, &event);
        }
    }
    return (now() - start) * 1e9 / COMMANDS;
}

int main(void) {
    double hand[RUNS], generated[RUNS];
    result by_hand, by_code;
    hand_init();
    make_stream();
    for (int i = 0; i < RUNS; i++) {
        hand[i] = run_hand(&by_hand);
        generated[i] = run_generated(&by_code);
        if (memcmp(by_hand.verdicts, by_code.verdicts, sizeof by_hand.verdicts) != 0 ||
            by_hand.entity.captured != by_code.entity.captured ||
            by_hand.entity.refunded != by_code.entity.refunded ||
            by_hand.entity.state != by_code.entity.state) {
            fprintf(stderr, "by hand and generated differ\n");
            return 70;
        }
    }
    const double by_hand_ns = median(hand, RUNS);
    const bench_limit limit = {"the same by hand", by_hand_ns, true, 1.2};
    bench_figure("eventgen.guards_by_hand", by_hand_ns, "ns", NULL);
    bench_figure("eventgen.guards_decide_apply", median(generated, RUNS), "ns", &limit);
    return 0;
}
