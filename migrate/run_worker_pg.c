/* One worker: it takes a chunk that nobody has, reads its rows, and commits what became of them;
 * until none is left.
 *
 * The store hands out the chunks, not the program: a worker that is gone, with its process or its
 * connection, leaves no claim behind.
 */
#include <stdlib.h>

#include "run_team_private.h"

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

static bst_status commit_chunk(bst__worker *w, const bst_run_figures *figures) {
    char *text = bst__figures_write(figures);
    bst_status status = text ? bst_chunk_commit(w->sink, w->team->snapshot_number, text, w->diags)
                             : bst_diag_nomem(w->diags);
    free(text);
    if (status == BST_OK) {
        tell_done(w, figures);
    }
    return status;
}

static bst_status load_chunk(bst__worker *w, const bst_chunk *chunk) {
    bst_run_figures figures = {0};
    bst__rows rows = {.mapping = w->team->mapping,
                      .synth = w->synth,
                      .source = w->source,
                      .sink = w->sink,
                      .line = BST_STRBUF_INIT,
                      .figures = &figures};
    bst_status status = bst_source_select(w->source, chunk->bounds, w->diags);
    if (status == BST_OK) {
        status = read_chunk(w, &rows);
    }
    if (status == BST_OK) {
        status = bst__rows_balance(&figures, w->diags);
    }
    if (status == BST_OK) {
        status = commit_chunk(w, &figures);
    }
    bst_strbuf_release(&rows.line);
    return status;
}

/* What others hold is waited for at the end: who fails gives his chunk back. */
static bst_status load_chunks(bst__worker *w) {
    bool wait = false;
    while (!told_to_stop(w->team)) {
        bst_chunk chunk;
        bst_status status = bst_chunk_claim(w->sink, wait, &chunk, w->diags);
        if (status == BST_OK && chunk.number == 0 && wait) {
            return BST_OK;
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

static bst_status open_all(bst__worker *w) {
    const bst__team *team = w->team;
    bst_status status = w->synth ? BST_OK : bst_synth_new(team->mapping, &w->synth, w->diags);
    if (status == BST_OK) {
        status = bst_source_open_at(team->options->from, &team->mapping->source, team->snapshot,
                                    &w->source, w->diags);
    }
    return status == BST_OK ? bst_load_sink_open(team->load, &w->sink, w->diags) : status;
}

void *bst__worker_run(void *context) {
    bst__worker *w = context;
    bst__team *team = w->team;
    w->status = open_all(w);
    if (w->status == BST_OK) {
        w->status = load_chunks(w);
    }
    w->sink = bst_sink_free(w->sink); /* gives back a chunk that is not committed */
    w->source = bst_source_free(w->source);
    pthread_mutex_lock(&team->lock);
    team->working--;
    team->stop = team->stop || w->status != BST_OK;
    pthread_cond_signal(&team->changed);
    pthread_mutex_unlock(&team->lock);
    return NULL;
}
