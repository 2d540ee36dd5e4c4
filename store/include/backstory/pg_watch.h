/* How long a server may be silent, and who hears of it. For every room, also without libpq. */
#ifndef BACKSTORY_PG_WATCH_H
#define BACKSTORY_PG_WATCH_H

#include "backstory/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bst_pg_watch {
    /* Silent for so many seconds, a server is asked, by a second session, whether it still works
     * for this one; if not, calls fail with `stalled`, which is BST_RETRY. 0: BST_PG_PATIENCE. */
    uint32_t stall_seconds;
    /* It says that it works, but for so many seconds nothing of what it shows of that moves: calls
     * fail with `server-hangs` (BST_RETRY), or, where it waits for a lock of another process,
     * with `lock-held`. 0: it is waited for, however long. */
    uint32_t hang_seconds;
    /* Once, long before that: a warning (`server-still`), borrowed for the call, from the thread
     * that waits. May be NULL. */
    void (*on_still)(void *context, const bst_diag *warning);
    /* Whether this process of the server is one of the caller's own, which are watched themselves:
     * to wait for its lock is to wait for him. May be NULL: none is. */
    bool (*is_own)(void *context, int process);
    void *context;
} bst_pg_watch;

#ifdef __cplusplus
}
#endif
#endif
