/* The workers of a run, and whoever started them, who tells how far they are. Several may have
 * something to tell; the caller hears one at a time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"

#include "run_chunks_private.h"

/* Longer than any step of a sort or a scan without a page read or written. */
#define HANG_SECONDS 900u

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* The figures so far: those of chunks that are done, and the rows under way. Under the team's lock.
 * */
static void glance(const bst__chunk_run *run, const bst__team *team, bst_run_figures *ret) {
    *ret = team->done;
    for (uint32_t i = 0; i < team->count; i++) {
        ret->read += team->workers[i].rows;
        if (team->workers[i].waits.again_us > ret->waits.again_us) {
            ret->waits = team->workers[i].waits;
        }
    }
    const uint64_t expected = bst_source_expected(run->source);
    ret->run_id = run->figures->run_id;
    ret->resumed = run->figures->resumed;
    ret->snapshot_age = run->moment.snapshot ? (bst_clock_us() - run->taken_us) / 1000000 : 0;
    ret->progress = expected > 0 ? (double)min_u64(ret->read, expected) / (double)expected : -1;
}

static bool is_too_old(const bst__chunk_run *run, const bst_run_figures *now) {
    const uint32_t most = run->options->snapshot_seconds_max;
    return most > 0 && run->moment.snapshot && now->snapshot_age >= (int64_t)most;
}

bst_status bst__tell_progress(bst__chunk_run *run, const bst_run_figures *figures) {
    bst_status status = BST_OK;
    pthread_mutex_lock(&run->telling);
    if (run->options->on_progress) {
        status = run->options->on_progress(run->options->context, figures);
    }
    pthread_mutex_unlock(&run->telling);
    return status;
}

/* Who asks the store from another terminal hears what is waited for; unless it is the store. */
static void tell_store(bst__chunk_run *run, const bst_run_wait *waits) {
    const int64_t now = bst_clock_us();
    if (waits->again_us == run->told_again_us || run->untold) {
        return;
    }
    run->told_again_us = waits->again_us;
    if (strncmp(waits->why, "store ", 6) != 0) {
        run->untold =
            !bst_load_tell_wait(run->load, *waits->why ? waits->why : NULL,
                                (now - waits->since_us) / 1000, (waits->again_us - now) / 1000);
    }
}

static void pass_warning(void *context, const bst_diag *warning) {
    bst__chunk_run *const run = context;
    pthread_mutex_lock(&run->telling);
    if (run->options->on_warning) {
        run->options->on_warning(run->options->context, warning);
    }
    pthread_mutex_unlock(&run->telling);
}

static bool is_own(void *context, int process) {
    const bst__chunk_run *const run = context;
    bool found = false;
    if (run->team) {
        pthread_mutex_lock(&run->team->lock);
        for (uint32_t i = 0; i < run->team->count && !found; i++) {
            found = run->team->workers[i].sink_process == process;
        }
        pthread_mutex_unlock(&run->team->lock);
    }
    return found;
}

bst_pg_watch bst__team_watch(bst__chunk_run *run) {
    const bst_run_options *const options = run->options;
    return (bst_pg_watch){.stall_seconds = options->stall_seconds,
                          .hang_seconds =
                              options->hang_seconds > 0 ? options->hang_seconds : HANG_SECONDS,
                          .on_still = pass_warning,
                          .is_own = is_own,
                          .context = run};
}

/* Until every worker has ended. Not OK: the caller of the run wants it to end; chunks under way are
 * finished. */
static bst_status watch(bst__chunk_run *run, bst__team *team) {
    bst_status status = BST_OK;
    pthread_mutex_lock(&team->lock);
    while (team->working > 0) {
        bst_run_figures now;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += BST__GLANCE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&team->changed, &team->lock, &until);
        glance(run, team, &now);
        pthread_mutex_unlock(&team->lock);
        if (status == BST_OK) {
            status = bst__tell_progress(run, &now);
        }
        tell_store(run, &now.waits);
        pthread_mutex_lock(&team->lock);
        team->stop = team->stop || status != BST_OK || is_too_old(run, &now);
    }
    pthread_mutex_unlock(&team->lock);
    return status;
}

/* ---- workers */

static bst_status start_workers(const bst__chunk_run *run, bst__team *team) {
    for (uint32_t i = 0; i < team->count; i++) {
        bst__worker *w = &team->workers[i];
        *w = (bst__worker){.team = team, .diags = bst_diags_new()};
        w->synth = i == 0 ? run->synth : NULL;
        w->owns_synth = i > 0;
    }
    for (uint32_t i = 0; i < team->count; i++) {
        bst__worker *w = &team->workers[i];
        pthread_mutex_lock(&team->lock);
        w->started = w->diags && pthread_create(&w->thread, NULL, bst__worker_run, w) == 0;
        team->working += w->started;
        pthread_mutex_unlock(&team->lock);
        if (!w->started) {
            return bst_diag_nomem(run->diags);
        }
    }
    return BST_OK;
}

/* The findings of the first that failed; the others may have failed because of it. */
static bst_status end_workers(const bst__chunk_run *run, bst__team *team) {
    bst_status status = BST_OK;
    for (uint32_t i = 0; i < team->count; i++) {
        bst__worker *w = &team->workers[i];
        if (w->started) {
            pthread_join(w->thread, NULL);
        }
        if (w == team->failed) {
            status = w->status;
            bst_diags_move(w->diags, run->diags);
        }
        bst_diags_free(w->diags);
        if (w->owns_synth) {
            bst_synth_free(w->synth);
        }
    }
    return status;
}

bst_status bst__team_work(bst__chunk_run *run) {
    bst__team team = {.mapping = run->mapping,
                      .spec = &run->spec,
                      .options = run->options,
                      .load = run->load,
                      .snapshot = run->moment.snapshot,
                      .snapshot_number = run->snapshot_number,
                      .count = bst_source_one_reader(run->source) || run->options->jobs == 0
                                   ? 1
                                   : run->options->jobs,
                      .trouble = &run->trouble,
                      .done = *run->figures};
    team.workers = calloc(team.count, sizeof *team.workers);
    if (!team.workers) {
        return bst_diag_nomem(run->diags);
    }
    pthread_mutex_init(&team.lock, NULL);
    pthread_cond_init(&team.changed, NULL);
    run->team = &team;
    bst_status started = start_workers(run, &team);
    if (started != BST_OK) {
        pthread_mutex_lock(&team.lock);
        team.stop = true;
        pthread_mutex_unlock(&team.lock);
    }
    bst_status watched = watch(run, &team);
    bst_status ended = end_workers(run, &team);
    run->team = NULL;
    *run->figures = team.done;
    pthread_cond_destroy(&team.changed);
    pthread_mutex_destroy(&team.lock);
    free(team.workers);
    return started != BST_OK ? started : ended != BST_OK ? ended : watched;
}
