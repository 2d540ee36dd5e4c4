/* Trouble that may pass: a server that restarts, a session that was ended, a path that broke.
 *
 * A server needs some seconds to recover from a crash, and a minute when it has much to do. So it
 * is tried again after 0.1, 0.2, 0.4 ... seconds, at most 5, until nothing has gone forward for two
 * minutes, or as long as it was told to.
 *
 * All workers lose their sessions at the same moment. So that they do not come back at the same
 * moments, and fall upon a server that is just up again, each waits a share of its time between a
 * half and the whole, by chance ("equal jitter": Brooker, Exponential Backoff And Jitter, 2015).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backstory/clock.h"
#include "backstory/pg.h"
#include "run_team_private.h"

#define WAIT_FIRST_US INT64_C(100000)
#define WAIT_MOST_US  INT64_C(5000000)
#define LIMIT_SECONDS 120u

static const bst_diag *last_of(const bst_diags *diags) {
    const size_t count = bst_diags_count(diags);
    return count > 0 ? bst_diags_at(diags, count - 1) : NULL;
}

bool bst__diags_end_with(const bst_diags *diags, const char *code) {
    const bst_diag *last = last_of(diags);
    return last && strcmp(last->code, code) == 0;
}

/* Splitmix64 (Steele, Lea and Flood, 2014): its numbers follow from the state alone. */
static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

bst__patience bst__patience_new(uint32_t worker, uint32_t limit_seconds) {
    uint64_t mixed = (uint64_t)bst_clock_us() ^ (uint64_t)getpid() << 40;
    const uint32_t limit = limit_seconds > 0 ? limit_seconds : LIMIT_SECONDS;
    return (bst__patience){.limit_us = INT64_C(1000000) * limit, .chance = draw(&mixed) + worker};
}

void bst__patience_rest(bst__patience *patience) {
    *patience = (bst__patience){.limit_us = patience->limit_us, .chance = patience->chance};
}

void bst__patience_tell(const bst__patience *patience, const bst_diags *diags, int64_t wait_us,
                        bst_run_wait *ret) {
    const bst_diag *last = last_of(diags);
    snprintf(ret->why, sizeof ret->why, "%s", last ? last->message : "");
    ret->since_us = patience->since_us;
    ret->again_us = bst_clock_us() + wait_us;
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
    return now - patience->since_us < patience->limit_us;
}

int64_t bst__patience_us(bst__patience *patience) {
    int64_t wait = WAIT_FIRST_US;
    for (uint32_t i = 1; i < patience->tries && wait < WAIT_MOST_US; i++) {
        wait *= 2;
    }
    const int64_t half = (wait < WAIT_MOST_US ? wait : WAIT_MOST_US) / 2;
    return half + (int64_t)(draw(&patience->chance) % (uint64_t)(half + 1));
}
