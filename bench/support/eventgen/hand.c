/* The best table that one would write by hand: a state is its row, and a row holds the rows that
 * commands lead to. One load a step. A refused command leads to the row itself. */
#include "steps.h"

static struct row rows[PAYMENT_STATE_COUNT];

const struct row *hand_row(unsigned state) {
    return &rows[state];
}

unsigned hand_state(const struct row *row) {
    return (unsigned)(row - rows);
}

void hand_init(void) {
    for (unsigned s = 0; s < PAYMENT_STATE_COUNT; s++) {
        for (unsigned c = 0; c < PAYMENT_COMMAND_COUNT; c++) {
            const unsigned next = payment_next((enum payment_state)s, (enum payment_command_type)c);
            rows[s].next[c] = &rows[next == 0 ? s : next];
        }
    }
}

const struct row *hand_run(const struct row *row, const unsigned char *p, const unsigned char *pe) {
    for (; p < pe; p++) {
        row = row->next[*p];
    }
    return row;
}
