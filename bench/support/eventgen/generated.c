/* The generated table, as docs/generated-c.md says to use it. */
#include "steps.h"

/* Every command is legal. */
unsigned generated_walk(unsigned state, const unsigned char *p, const unsigned char *pe) {
    for (; p < pe; p++) {
        state = payment_next((enum payment_state)state, (enum payment_command_type) * p);
    }
    return state;
}

/* Commands may be refused, which is counted. */
unsigned generated_any(unsigned state, const unsigned char *p, const unsigned char *pe,
                       size_t *refused) {
    size_t count = 0;
    for (; p < pe; p++) {
        const unsigned next =
            payment_next((enum payment_state)state, (enum payment_command_type) * p);
        count += next == PAYMENT_STATE_NONE;
        state = next == PAYMENT_STATE_NONE ? state : next;
    }
    *refused = count;
    return state;
}
