/* Trouble that may pass: a server that restarts, a session that was ended, a path that broke.
 *
 * A server needs some seconds to recover from a crash, and a minute when it has much to do. So it
 * is tried again after 0.1, 0.2, 0.4 ... seconds, at most 5, for two minutes in which nothing went
 * forward.
 */
#include <string.h>

#include "backstory/clock.h"
#include "backstory/pg.h"
#include "run_team_private.h"

#define WAIT_FIRST_US INT64_C(100000)
#define WAIT_MOST_US  INT64_C(5000000)
#define LIMIT_US      INT64_C(120000000)

static const bst_diag *last_of(const bst_diags *diags) {
    const size_t count = bst_diags_count(diags);
    return count > 0 ? bst_diags_at(diags, count - 1) : NULL;
}

bool bst__diags_end_with(const bst_diags *diags, const char *code) {
    const bst_diag *last = last_of(diags);
    return last && strcmp(last->code, code) == 0;
}

bool bst__patience_left(bst__patience *patience, const bst_diags *diags) {
    const bst_diag *last = last_of(diags);
    const int64_t now = bst_clock_us();
    /* The lock of a session of ours that is lost goes when the server notices. */
    if (!last || !(bst_pg_heals(last) || strcmp(last->code, "run-in-progress") == 0)) {
        return false;
    }
    if (patience->since_us == 0) {
        patience->since_us = now;
    }
    patience->tries++;
    return now - patience->since_us < LIMIT_US;
}

int64_t bst__patience_us(const bst__patience *patience) {
    int64_t wait = WAIT_FIRST_US;
    for (uint32_t i = 1; i < patience->tries && wait < WAIT_MOST_US; i++) {
        wait *= 2;
    }
    return wait < WAIT_MOST_US ? wait : WAIT_MOST_US;
}
