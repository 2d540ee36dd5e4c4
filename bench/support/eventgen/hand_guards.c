/* The guarded machine as one would write it by hand, with care: see guards.h. */
#include "guards.h"

#define MOST INT64_C(999999999999)

/* Filled from the generated code, so that nobody has to type it: where commands lead, whatever
 * guards say, which event they emit, and into which states an event may lead. */
static uint8_t next_state[GUARDED_STATE_COUNT][GUARDED_COMMAND_COUNT];
static uint8_t event_of[GUARDED_COMMAND_COUNT];
static uint32_t legal[GUARDED_EVENT_COUNT][GUARDED_STATE_COUNT]; /* a bit a state */

static void try_command(unsigned state, unsigned type) {
    struct guarded entity;
    struct guarded_command command;
    struct guarded_event event;
    guarded_init(&entity);
    entity.state = (enum guarded_state)state;
    entity.amount = 1000;
    entity.captured = 500;
    command.type = (enum guarded_command_type)type;
    switch (type) {
    case GUARDED_COMMAND_CREATE:
        command.create.amount = 1;
        break;
    case GUARDED_COMMAND_CAPTURE:
        command.capture.amount = 1;
        break;
    case GUARDED_COMMAND_CAPTURE_PART:
        command.capture_part.amount = 1;
        break;
    case GUARDED_COMMAND_REFUND:
        command.refund.amount = 1;
        break;
    case GUARDED_COMMAND_REFUND_PART:
        command.refund_part.amount = 1;
        break;
    default:
        break;
    }
    if (guarded_decide(&entity, &command, &event).verdict == GUARDED_VERDICT_ACCEPTED) {
        next_state[state][type] = (uint8_t)event.state;
        event_of[type] = (uint8_t)event.type;
        legal[event.type][state] |= 1u << event.state;
    }
}

void hand_init(void) {
    for (unsigned state = 0; state < GUARDED_STATE_COUNT; state++) {
        for (unsigned type = 0; type < GUARDED_COMMAND_COUNT; type++) {
            try_command(state, type);
        }
    }
}

static struct guarded_decision refuse(enum guarded_verdict verdict, enum guarded_guard guard) {
    const struct guarded_decision decision = {verdict, guard, NULL};
    return decision;
}

/* captured + amount <= authorized, and the sum a decimal(12,2) */
static struct guarded_decision add(int64_t before, int64_t amount, int64_t most,
                                   enum guarded_guard guard) {
    const int64_t sum = before + amount; /* both have 12 digits */
    if (sum > most) {
        return refuse(GUARDED_VERDICT_GUARD_REFUSED, guard);
    }
    if (sum > MOST || sum < -MOST) {
        return refuse(GUARDED_VERDICT_OVERFLOW, GUARDED_GUARD_NONE);
    }
    return refuse(GUARDED_VERDICT_ACCEPTED, GUARDED_GUARD_NONE);
}

struct guarded_decision hand_decide(const struct guarded *entity,
                                    const struct guarded_command *command,
                                    struct guarded_event *event) {
    const unsigned next = next_state[entity->state][command->type];
    struct guarded_decision decision = refuse(GUARDED_VERDICT_ACCEPTED, GUARDED_GUARD_NONE);
    if (next == 0) {
        return refuse(GUARDED_VERDICT_NO_TRANSITION, GUARDED_GUARD_NONE);
    }
    switch (command->type) {
    case GUARDED_COMMAND_CREATE:
        event->created.amount = command->create.amount;
        break;
    case GUARDED_COMMAND_CAPTURE:
        decision = add(entity->captured, command->capture.amount, entity->amount,
                       GUARDED_GUARD_WITHIN_AUTHORIZATION);
        event->captured.amount = command->capture.amount;
        break;
    case GUARDED_COMMAND_CAPTURE_PART:
        decision = add(entity->captured, command->capture_part.amount, entity->amount,
                       GUARDED_GUARD_WITHIN_AUTHORIZATION);
        event->captured.amount = command->capture_part.amount;
        break;
    case GUARDED_COMMAND_REFUND:
        decision = add(entity->refunded, command->refund.amount, entity->captured,
                       GUARDED_GUARD_WITHIN_CAPTURE);
        event->refunded.amount = command->refund.amount;
        break;
    case GUARDED_COMMAND_REFUND_PART:
        decision = add(entity->refunded, command->refund_part.amount, entity->captured,
                       GUARDED_GUARD_WITHIN_CAPTURE);
        event->refunded.amount = command->refund_part.amount;
        break;
    default:
        break;
    }
    event->type = (enum guarded_event_type)event_of[command->type];
    event->state = (enum guarded_state)next;
    return decision;
}

static bool add_to(int64_t *field, int64_t amount) {
    const int64_t sum = *field + amount;
    if (sum > MOST || sum < -MOST) {
        return false;
    }
    *field = sum;
    return true;
}

enum guarded_apply_result hand_apply(struct guarded *entity, const struct guarded_event *event) {
    if (!(legal[event->type][entity->state] >> event->state & 1)) {
        return GUARDED_APPLY_ILLEGAL;
    }
    switch (event->type) {
    case GUARDED_EVENT_CREATED:
        guarded_init(entity);
        entity->amount = event->created.amount;
        break;
    case GUARDED_EVENT_CAPTURED:
        if (!add_to(&entity->captured, event->captured.amount)) {
            return GUARDED_APPLY_OVERFLOW;
        }
        break;
    case GUARDED_EVENT_REFUNDED:
        if (!add_to(&entity->refunded, event->refunded.amount)) {
            return GUARDED_APPLY_OVERFLOW;
        }
        break;
    default:
        break;
    }
    entity->state = event->state;
    return GUARDED_APPLY_OK;
}
