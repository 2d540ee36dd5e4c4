/* Reads the log ahead.
 *
 * The thread fills blocks with messages and hands each over when it is full or the line is empty;
 * so the lock is taken a few times a millisecond, not for every change. It alone speaks to the
 * stream: what is to be confirmed is left for it, and it answers the server also while the store
 * takes long. When enough is waiting it stops reading, and the server waits as well.
 */
#include "follow_intake_private.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"

#define BLOCK_BYTES   (256u << 10)
#define LINE_MS       20   /* how long the line is waited at before requests are looked at again */
#define LINE_MESSAGES 2000 /* and how many are taken then */
#define ALIVE_MS      5000 /* the server hears of us at least so often */

/* Messages one after the other: the struct, then its bytes, aligned. */
typedef struct block {
    struct block *next;
    size_t used, size, taken;
    /* the messages follow */
} block;

struct bst__intake {
    bst_pg_stream *stream;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    /* under the lock */
    block *first, *last;
    size_t bytes; /* in them */
    bool stop, ended, confirm, ask;
    uint64_t done;
    bst_status status; /* why it ended */
    /* the thread's */
    block *filling;
    bst_diags *diags;
    uint64_t received;
    int64_t told_ms;
    /* the taker's */
    block *taking;
};

static void wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, int ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(cond, lock, &until);
}

static char *bytes_of(block *b) {
    return (char *)(b + 1);
}

/* ---- the thread */

static size_t room_for(size_t len) {
    const size_t align = _Alignof(bst_stream_message);
    return (sizeof(bst_stream_message) + len + align - 1) / align * align;
}

/* A line that is read faster than it is worked off comes in small pieces. They go into the block
 * that waits already as long as it has room: else each of them would take a block of its own. */
static bool join_last(bst__intake *in, block *b) {
    block *const last = in->last;
    if (!last || last->size - last->used < b->used)
        return false;
    memcpy(bytes_of(last) + last->used, bytes_of(b), b->used);
    last->used += b->used;
    b->used = 0;
    return true;
}

static void hand_over(bst__intake *in) {
    block *const b = in->filling;
    if (!b || b->used == 0)
        return;
    pthread_mutex_lock(&in->lock);
    in->bytes += b->used;
    if (!join_last(in, b)) {
        in->filling = NULL;
        if (in->last)
            in->last->next = b;
        else
            in->first = b;
        in->last = b;
    }
    pthread_cond_signal(&in->filled);
    pthread_mutex_unlock(&in->lock);
}

/* Room for so much in the block that is being filled. False: no memory. */
static bool make_room(bst__intake *in, size_t wanted) {
    if (in->filling && in->filling->size - in->filling->used >= wanted)
        return true;
    hand_over(in);
    if (in->filling && in->filling->size >= wanted) /* what was in it has joined another */
        return true;
    free(in->filling);
    const size_t size = wanted > BLOCK_BYTES ? wanted : BLOCK_BYTES;
    in->filling = malloc(sizeof(block) + size);
    if (in->filling)
        *in->filling = (block){.size = size};
    return in->filling != NULL;
}

static bool put(bst__intake *in, const bst_stream_message *message) {
    const size_t wanted = room_for(message->len);
    if (!make_room(in, wanted))
        return false;
    char *const at = bytes_of(in->filling) + in->filling->used;
    memcpy(at, message, sizeof *message);
    if (message->len > 0)
        memcpy(at + sizeof *message, message->bytes, message->len);
    in->filling->used += wanted;
    return true;
}

/* Waits while enough is waiting; then, is there anything to tell the server? */
static bool look_at_requests(bst__intake *in, bool *ret_confirm, bool *ret_ask,
                             uint64_t *ret_done) {
    pthread_mutex_lock(&in->lock);
    while (in->bytes > BST__INTAKE_BYTES_MAX && !in->stop && !in->confirm &&
           bst_clock_ms() - in->told_ms < ALIVE_MS)
        wait_on(&in->emptied, &in->lock, 1000);
    *ret_confirm = in->confirm || bst_clock_ms() - in->told_ms >= ALIVE_MS;
    *ret_ask = in->ask;
    *ret_done = in->done;
    in->confirm = in->ask = false;
    const bool go_on = !in->stop;
    pthread_mutex_unlock(&in->lock);
    return go_on || *ret_confirm;
}

static bst_status tell(bst__intake *in, uint64_t done, bool ask) {
    in->told_ms = bst_clock_ms();
    return bst_pg_stream_confirm(in->stream, in->received > done ? in->received : done, done, ask,
                                 in->diags);
}

static bool is_full(bst__intake *in) {
    pthread_mutex_lock(&in->lock);
    const bool full = in->bytes > BST__INTAKE_BYTES_MAX;
    pthread_mutex_unlock(&in->lock);
    return full;
}

/* Takes what is on the line, but not so much that requests would have to wait. */
static bst_status read_line(bst__intake *in, uint64_t done) {
    bst_stream_message message;
    bst_status status = bst_pg_stream_read(in->stream, LINE_MS, &message, in->diags);
    for (int i = 0; status == BST_OK && message.kind != BST_STREAM_NOTHING; i++) {
        if (!put(in, &message))
            return bst_diag_nomem(in->diags);
        if (message.start > in->received)
            in->received = message.start;
        if (message.kind == BST_STREAM_KEEPALIVE && message.reply_wanted)
            status = tell(in, done, false);
        if (status != BST_OK || i == LINE_MESSAGES)
            break;
        status = bst_pg_stream_read(in->stream, 0, &message, in->diags);
    }
    hand_over(in);
    return status;
}

static void *run(void *context) {
    bst__intake *const in = context;
    bst_status status = BST_OK;
    bool confirm, ask;
    uint64_t done;
    while (status == BST_OK && look_at_requests(in, &confirm, &ask, &done)) {
        if (confirm)
            status = tell(in, done, ask);
        if (status == BST_OK && !is_full(in))
            status = read_line(in, done);
    }
    pthread_mutex_lock(&in->lock);
    in->ended = true;
    in->status = status;
    pthread_cond_signal(&in->filled);
    pthread_mutex_unlock(&in->lock);
    return NULL;
}

/* ---- the taker */

static bst_status begin_thread(bst__intake *in, bst_diags *diags) {
    sigset_t all, before;
    /* Signals are for the main thread: they end its waiting. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(&in->thread, NULL, run, in);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}

bst_status bst__intake_start(bst_pg_stream *stream, bst__intake **ret, bst_diags *diags) {
    pthread_condattr_t monotonic;
    bst__intake *const in = calloc(1, sizeof *in);
    bst_diags *const own = in ? bst_diags_new() : NULL;
    if (!own) {
        free(in);
        return bst_diag_nomem(diags);
    }
    in->stream = stream;
    in->diags = own;
    in->told_ms = bst_clock_ms();
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->filled, &monotonic);
    pthread_cond_init(&in->emptied, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const bst_status status = begin_thread(in, diags);
    if (status != BST_OK) {
        bst_diags_free(own);
        free(in);
        return status;
    }
    *ret = in;
    return BST_OK;
}

bst__intake *bst__intake_free(bst__intake *in) {
    if (!in)
        return NULL;
    pthread_mutex_lock(&in->lock);
    in->stop = true;
    pthread_cond_signal(&in->emptied);
    pthread_mutex_unlock(&in->lock);
    pthread_join(in->thread, NULL);
    while (in->first) {
        block *const next = in->first->next;
        free(in->first);
        in->first = next;
    }
    free(in->filling);
    free(in->taking);
    pthread_cond_destroy(&in->filled);
    pthread_cond_destroy(&in->emptied);
    pthread_mutex_destroy(&in->lock);
    bst_diags_free(in->diags);
    free(in);
    return NULL;
}

static bst_status why_ended(const bst__intake *in, bst_diags *diags) {
    bst_diags_move(in->diags, diags);
    return in->status;
}

/* The next block; NULL: there is none, in time. */
static bst_status next_block(bst__intake *in, int timeout_ms, bst_diags *diags) {
    pthread_mutex_lock(&in->lock);
    if (!in->first && !in->ended && timeout_ms > 0)
        wait_on(&in->filled, &in->lock, timeout_ms);
    in->taking = in->first;
    if (in->taking) {
        in->first = in->taking->next;
        in->last = in->first ? in->last : NULL;
        in->bytes -= in->taking->used;
        pthread_cond_signal(&in->emptied);
    }
    const bool over = !in->taking && in->ended;
    pthread_mutex_unlock(&in->lock);
    return over ? why_ended(in, diags) : BST_OK;
}

bst_status bst__intake_take(bst__intake *in, int timeout_ms, bst_stream_message *ret,
                            bst_diags *diags) {
    bst_status status = BST_OK;
    *ret = (bst_stream_message){.kind = BST_STREAM_NOTHING};
    if (in->taking && in->taking->taken == in->taking->used) {
        free(in->taking);
        in->taking = NULL;
    }
    if (!in->taking)
        status = next_block(in, timeout_ms, diags);
    if (status != BST_OK || !in->taking)
        return status;
    char *const at = bytes_of(in->taking) + in->taking->taken;
    memcpy(ret, at, sizeof *ret);
    ret->bytes = at + sizeof *ret;
    in->taking->taken += room_for(ret->len);
    return BST_OK;
}

void bst__intake_confirm(bst__intake *in, uint64_t done, bool ask) {
    pthread_mutex_lock(&in->lock);
    in->confirm = true;
    in->ask = in->ask || ask;
    in->done = done;
    pthread_cond_signal(&in->emptied);
    pthread_mutex_unlock(&in->lock);
}
