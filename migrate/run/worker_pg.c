/* One worker: it takes a chunk that nobody has, reads its rows, and commits what became of them;
 * until none is left.
 *
 * The store hands out the chunks, not the program: a worker that is gone, with its process or its
 * connection, leaves no claim behind.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"

#include "run_team_private.h"

#define NAP_NS 20000000

static bool told_to_stop(bst__team *team) {
    pthread_mutex_lock(&team->lock);
    const bool stop = team->stop;
    pthread_mutex_unlock(&team->lock);
    return stop;
}

static void tell_rows(bst__worker *w, uint64_t rows) {
    pthread_mutex_lock(&w->team->lock);
    w->rows = rows;
    pthread_mutex_unlock(&w->team->lock);
}

static void tell_done(bst__worker *w, const bst_run_figures *figures) {
    pthread_mutex_lock(&w->team->lock);
    bst__figures_add(&w->team->done, figures);
    w->rows = 0;
    pthread_mutex_unlock(&w->team->lock);
}

static bst_status read_chunk(bst__worker *w, bst__rows *rows) {
    const bst_row *row = NULL;
    bst_status status;
    while ((status = bst_source_next(w->source, &row, w->diags)) == BST_OK && row) {
        rows->figures->read++;
        status = bst__rows_take(rows, row, w->diags);
        if (status != BST_OK) {
            return status;
        }
        if (rows->figures->read % BST__PROGRESS_ROWS == 0) {
            tell_rows(w, rows->figures->read);
        }
    }
    return status;
}

/* What is to be waited for now: the last finding. */
static void note_trouble(bst__worker *w) {
    const size_t count = bst_diags_count(w->diags);
    bst__trouble *const trouble = w->team->trouble;
    pthread_mutex_lock(&w->team->lock);
    trouble->retries++;
    free(trouble->last);
    trouble->last = count > 0 ? strdup(bst_diags_at(w->diags, count - 1)->message) : NULL;
    pthread_mutex_unlock(&w->team->lock);
}

static bst__trouble take_trouble(bst__team *team) {
    pthread_mutex_lock(&team->lock);
    const bst__trouble taken = *team->trouble;
    *team->trouble = (bst__trouble){0};
    pthread_mutex_unlock(&team->lock);
    return taken;
}

/* It was not told after all. */
static void return_trouble(bst__team *team, const bst__trouble *taken) {
    pthread_mutex_lock(&team->lock);
    team->trouble->retries += taken->retries;
    if (!team->trouble->last && taken->last) {
        team->trouble->last = strdup(taken->last);
    }
    pthread_mutex_unlock(&team->lock);
}

static bst_status commit_chunk(bst__worker *w, const bst_run_figures *figures) {
    const bst__trouble trouble = take_trouble(w->team);
    char *text = bst__figures_write(figures, &trouble);
    bst_status status = text ? bst_chunk_commit(w->sink, w->team->snapshot_number, text, w->diags)
                             : bst_diag_nomem(w->diags);
    free(text);
    if (status == BST_OK) {
        tell_done(w, figures);
    } else {
        return_trouble(w->team, &trouble);
    }
    free(trouble.last);
    return status;
}

/* A snapshot stays what it is. A file need not be the one any more that the load began with: what
 * was read of it tells. */
static bst_status check_file(bst__worker *w) {
    bst_strbuf identity = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    if (bst_source_is_file(w->team->options->from)) {
        status = bst_source_identity(w->source, &identity, w->diags);
        if (status == BST_OK) {
            status = bst_load_same_source(w->team->load, identity.text, w->diags);
        }
    }
    bst_strbuf_release(&identity);
    return status;
}

static bst_status load_chunk(bst__worker *w, const bst_chunk *chunk) {
    bst_run_figures figures = {0};
    const uint64_t bytes = bst_load_sink_bytes(w->sink);
    bst__rows rows = {.mapping = w->team->mapping,
                      .synth = w->synth,
                      .source = w->source,
                      .sink = w->sink,
                      .numbered = !bst_is_connection_string(w->team->options->from),
                      .figures = &figures};
    bst_status status = bst_source_select(w->source, chunk->bounds, w->diags);
    if (status == BST_OK) {
        status = read_chunk(w, &rows);
    }
    if (status == BST_OK) {
        status = bst__rows_end(&rows, w->diags);
    }
    if (status == BST_OK) {
        status = check_file(w);
    }
    figures.bytes = bst_load_sink_bytes(w->sink) - bytes;
    if (status == BST_OK) {
        status = commit_chunk(w, &figures);
    }
    bst__rows_release(&rows);
    return status;
}

/* Nothing is left to do: who is still waiting for a session need not wait any longer. */
static bst_status end_of_work(bst__team *team) {
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_mutex_unlock(&team->lock);
    return BST_OK;
}

/* What others hold is waited for at the end: who fails gives his chunk back. */
static bst_status load_chunks(bst__worker *w) {
    bool wait = false;
    while (!told_to_stop(w->team)) {
        bst_chunk chunk;
        bst_status status = bst_chunk_claim(w->sink, wait, &chunk, w->diags);
        if (status == BST_OK && chunk.number == 0 && wait) {
            return end_of_work(w->team);
        }
        wait = wait || chunk.number == 0;
        if (status == BST_OK && chunk.number != 0 && !told_to_stop(w->team)) {
            status = load_chunk(w, &chunk);
        }
        if (status != BST_OK) {
            return status;
        }
    }
    return BST_OK;
}

/* ---- sessions */

static bst_status open_source(bst__worker *w) {
    return bst_source_open_at(w->team->options->from, w->team->spec, w->team->snapshot, &w->source,
                              w->diags);
}

/* Whose lock others of the team wait for in peace. */
static void tell_process(bst__worker *w, int process) {
    pthread_mutex_lock(&w->team->lock);
    w->sink_process = process;
    pthread_mutex_unlock(&w->team->lock);
}

static void close_all(bst__worker *w) {
    tell_process(w, 0);
    w->sink = bst_sink_free(w->sink); /* gives back a chunk that is not committed */
    w->source = bst_source_free(w->source);
}

/* False: the team stops. */
static bool wait_us(bst__team *team, int64_t us) {
    const int64_t until = bst_clock_us() + us;
    const struct timespec nap = {.tv_nsec = NAP_NS};
    while (bst_clock_us() < until && !told_to_stop(team)) {
        nanosleep(&nap, NULL);
    }
    return !told_to_stop(team);
}

static void tell_loss(bst__worker *w) {
    pthread_mutex_lock(&w->team->lock);
    w->team->done.retries++;
    w->rows = 0;
    pthread_mutex_unlock(&w->team->lock);
}

static void tell_wait(bst__worker *w, const bst_run_wait *waits) {
    pthread_mutex_lock(&w->team->lock);
    w->waits = *waits;
    pthread_mutex_unlock(&w->team->lock);
}

/* Since it was last asked: has this worker, or another one, committed a chunk? */
static bool went_forward(bst__worker *w) {
    pthread_mutex_lock(&w->team->lock);
    const uint64_t now = w->team->done.read;
    pthread_mutex_unlock(&w->team->lock);
    const bool forward = now != w->seen_rows;
    w->seen_rows = now;
    return forward;
}

/* With new sessions each time. A snapshot that can no longer be had is no failure: who needs
 * another one is the run's business. */
static bst_status keep_trying(bst__worker *w) {
    bst__patience patience =
        bst__patience_new((uint32_t)(w - w->team->workers), w->team->options->retry_seconds);
    for (;;) {
        bst_status status = open_source(w);
        if (status == BST_OK) {
            status = bst_load_sink_open(w->team->load, &w->sink, w->diags);
        }
        if (status == BST_OK) {
            tell_wait(w, &(bst_run_wait){.why = ""});
            tell_process(w, bst_load_sink_process(w->sink));
            status = load_chunks(w);
        }
        close_all(w);
        if (went_forward(w)) {
            bst__patience_rest(&patience);
        }
        const bool lost = status != BST_OK && bst__diags_end_with(w->diags, "sqlstate-22023");
        if (status == BST_OK || !(lost || bst__patience_left(&patience, w->diags))) {
            return status;
        }
        const int64_t wait = bst__patience_us(&patience);
        if (!lost) {
            bst_run_wait waits;
            bst__patience_tell(&patience, w->diags, wait, &waits);
            tell_wait(w, &waits);
            note_trouble(w);
        }
        bst_diags_clear(w->diags);
        tell_loss(w);
        if (lost || !wait_us(w->team, wait)) {
            return BST_OK;
        }
    }
}

void *bst__worker_run(void *context) {
    bst__worker *w = context;
    bst__team *team = w->team;
    w->status = w->synth ? BST_OK : bst_synth_new(team->mapping, &w->synth, w->diags);
    if (w->status == BST_OK) {
        w->status = keep_trying(w);
    }
    pthread_mutex_lock(&team->lock);
    team->working--;
    team->stop = team->stop || w->status != BST_OK;
    if (w->status != BST_OK && !team->failed) {
        team->failed = w;
    }
    pthread_cond_signal(&team->changed);
    pthread_mutex_unlock(&team->lock);
    return NULL;
}
