/* From a server, or from files, into a store, chunk by chunk.
 *
 *     source: a session holds the snapshot ─┬─ worker: a chunk ─▶ histories ─▶ a transaction
 *     store:  a session holds the machine   └─ worker ...
 *
 * What the run was asked and what is done stands in the store (backstory/load.h), so the same
 * command goes on where an earlier one was broken off. Rows of chunks that were done then are of
 * that moment, the others of a new one; the run says how many moments there are, and with
 * `one_snapshot` there may be only one. A file has no moments, and one reader.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"

#include "run_chunks_private.h"

#define ROUNDS_MAX 20u /* snapshots in a row in which nothing went forward */

/* ---- the load */

static bst_status open_load(bst__chunk_run *run) {
    bst_strbuf identity = BST_STRBUF_INIT;
    bst_status status = bst_source_identity(run->source, &identity, run->diags);
    const bst_load_info info = {.run = {.tool_version = run->options->tool_version,
                                        .mapping_sha256 = run->mapping->sha256,
                                        .source = bst_source_label(run->source),
                                        .has_recorded_at = run->options->has_recorded_at,
                                        .recorded_at = run->options->recorded_at},
                                .source_identity = identity.text,
                                .resumable = !run->options->by_place,
                                .watch = run->spec.watch,
                                .restart = run->options->restart};
    if (status == BST_OK) {
        status =
            bst_load_open(run->options->to, run->mapping->machine, &info, &run->load, run->diags);
    }
    bst_strbuf_release(&identity);
    return status;
}

static bst_status begin_load(const bst__chunk_run *run) {
    const bst_source_cut cut = {.rows = run->options->chunk_rows > 0 ? run->options->chunk_rows
                                                                     : BST_CHUNK_ROWS_DEFAULT,
                                .by_place = run->options->by_place};
    const char *const *bounds = NULL;
    size_t count = 0;
    bst_arena *arena = bst_arena_new();
    bst_status status =
        arena ? bst_source_split(run->source, &cut, arena, &bounds, &count, run->diags)
              : bst_diag_nomem(run->diags);
    if (status == BST_OK) {
        status = bst_load_begin(run->load, bounds, count, run->diags);
    }
    bst_arena_free(arena);
    return status;
}

/* Of a run that could be faster. */
static void tell_one_reader(const bst__chunk_run *run) {
    const char *const why = bst_source_one_reader(run->source);
    if (why && run->options->jobs > 1) {
        bst_diag_add(run->diags, BST_OK, BST_NOTE, "one-reader", NULL,
                     "one reader worked, of %u: %s is %s", (unsigned)run->options->jobs,
                     bst_source_label(run->source), why);
    }
}

typedef struct done_sum {
    bst_run_figures figures;
    bst_diags *diags;
} done_sum;

static bst_status add_done(void *context, const char *text) {
    done_sum *const sum = context;
    bst_run_figures part;
    if (!bst__figures_read(text, &part)) {
        return bst_diag_nomem(sum->diags);
    }
    bst__figures_add(&sum->figures, &part);
    return BST_OK;
}

/* The figures of all chunks that are done, and how many are not. */
static bst_status count_done(bst__chunk_run *run) {
    done_sum sum = {.figures = {.progress = run->figures->progress,
                                .run_id = bst_load_run_id(run->load),
                                .resumed = run->figures->resumed,
                                .retries = run->figures->retries,
                                .already = run->figures->already},
                    .diags = run->diags};
    bst_run_figures *const figures = &sum.figures;
    bst_status status = bst_load_done(run->load, add_done, &sum, &run->left, run->diags);
    if (status == BST_OK) {
        status = bst_load_count(run->load, &figures->snapshots, &figures->signatures, run->diags);
    }
    if (status == BST_OK) {
        *run->figures = *figures;
    }
    return status;
}

/* ---- patience */

/* Not OK: the caller of the run wants it to end. */
static bst_status wait_and_tell(bst__chunk_run *run, bst__patience *patience) {
    const struct timespec nap = {.tv_nsec = BST__GLANCE_NS};
    const int64_t wait = bst__patience_us(patience);
    bst_status status = BST_OK;
    bst__patience_tell(patience, run->diags, wait, &run->figures->waits);
    bst_diags_clear(run->diags);
    const int64_t until = run->figures->waits.again_us;
    while (status == BST_OK && bst_clock_us() < until) {
        nanosleep(&nap, NULL);
        status = bst__tell_progress(run, run->figures);
    }
    run->figures->waits = (bst_run_wait){.why = ""};
    return status;
}

/* A step, again after trouble that may pass; `mend` (NULL: nothing) comes before each try again. */
static bst_status try_patiently(bst__chunk_run *run, bst_status (*mend)(bst__chunk_run *run),
                                bst_status (*step)(bst__chunk_run *run)) {
    bst__patience patience = bst__patience_new(0, run->options->retry_seconds);
    bst_status status = step(run);
    while (status != BST_OK && bst__patience_left(&patience, run->diags)) {
        status = wait_and_tell(run, &patience);
        run->figures->retries++;
        if (status == BST_OK) {
            status = mend ? mend(run) : BST_OK;
        } else {
            return status;
        }
        if (status == BST_OK) {
            status = step(run);
        }
    }
    return status;
}

static bst_status reconnect(bst__chunk_run *run) {
    return bst_load_reconnect(run->load, run->diags);
}

/* A step over the session of the load. */
static bst_status patiently(bst__chunk_run *run, bst_status (*step)(bst__chunk_run *run)) {
    return try_patiently(run, reconnect, step);
}

static bst_status open_source(bst__chunk_run *run) {
    bst_status status = bst_source_open_at(run->options->from, &run->spec, run->options->snapshot,
                                           &run->source, run->diags);
    run->taken_us = bst_clock_us();
    if (status == BST_OK) {
        status = bst_source_moment_of(run->source, &run->moment, run->diags);
    }
    if (status != BST_OK) {
        run->source = bst_source_free(run->source);
    }
    return status;
}

static bst_status add_snapshot(bst__chunk_run *run) {
    if (!run->moment.snapshot && run->figures->snapshots > 0) {
        run->snapshot_number = 1; /* it is the same file */
        return BST_OK;
    }
    return bst_load_add_snapshot(run->load, run->moment.lsn, run->moment.taken_at,
                                 &run->snapshot_number, run->diags);
}

static bst_status refuse_second_snapshot(const bst__chunk_run *run) {
    bst_diag_add(
        run->diags, BST_INVALID, BST_ERROR, "second-snapshot", NULL,
        "run %d was broken off, and the moment of the source that it has read can no longer be "
        "had",
        (int)run->figures->run_id);
    bst_diag_hint(run->diags,
                  "Leave --require-one-snapshot out to load the other rows as they are now, or "
                  "give --restart.");
    return BST_INVALID;
}

static bst_status refuse_lost_snapshot(const bst__chunk_run *run) {
    bst_diag_add(run->diags, BST_DATABASE, BST_ERROR, "snapshot-lost", NULL,
                 "snapshot \"%s\" of the source can no longer be had", run->moment.snapshot);
    bst_diag_hint(run->diags,
                  run->options->snapshot
                      ? "Whoever made it must keep its session open until the run has ended."
                      : "What is left would be read in a new one without --no-resume; the same "
                        "command begins anew.");
    return BST_DATABASE;
}

/* As long as the snapshot is held nobody can change the table; but now it was not. */
static bst_status check_source(bst__chunk_run *run) {
    bst_strbuf identity = BST_STRBUF_INIT;
    bst_status status = bst_source_identity(run->source, &identity, run->diags);
    if (status == BST_OK) {
        status = bst_load_same_source(run->load, identity.text, run->diags);
    }
    bst_strbuf_release(&identity);
    return status;
}

/* Another moment, for the chunks that are left; rows that are read as they lie may lie elsewhere by
 * then. */
static bst_status renew_snapshot(bst__chunk_run *run) {
    if (run->options->snapshot || run->options->by_place) {
        return refuse_lost_snapshot(run);
    }
    run->source = bst_source_free(run->source);
    const bst_status status = try_patiently(run, NULL, open_source);
    return status == BST_OK ? check_source(run) : status;
}

/* What the first snapshot leaves over, when it is lost or too old, is read in the next. */
static bst_status load_rest(bst__chunk_run *run) {
    bst_status status = BST_OK;
    uint64_t before = run->left;
    for (uint32_t round = 0, idle = 0; status == BST_OK && run->left > 0; round++) {
        if (run->options->one_snapshot && run->moment.snapshot && run->figures->snapshots > 0) {
            return refuse_second_snapshot(run);
        }
        if (round > 0) {
            status = renew_snapshot(run);
        }
        if (status == BST_OK) {
            status = patiently(run, add_snapshot);
        }
        if (status == BST_OK) {
            status = bst__team_work(run);
        }
        if (status == BST_OK) {
            status = patiently(run, count_done);
        }
        idle = run->left < before ? 0 : idle + 1;
        before = run->left;
        if (status == BST_OK && idle > ROUNDS_MAX) {
            status = refuse_lost_snapshot(run);
        }
    }
    return status;
}

static bst_status finish_load(bst__chunk_run *run) {
    bst_sink_totals totals = {0};
    const bst_run_figures *made = run->figures;
    bst_status status = bst_load_finish(run->load, &totals, run->diags);
    if (status != BST_OK || (totals.histories == made->migrated && totals.events == made->events)) {
        return status;
    }
    return bst_diag_add(run->diags, BST_INTERNAL, BST_ERROR, "unbalanced", NULL,
                        "%" PRIu64 " histories with %" PRIu64 " events were made, but %" PRIu64
                        " with %" PRIu64 " were written",
                        made->migrated, made->events, totals.histories, totals.events);
}

/* ---- the quarantine file, as the store has it */

typedef struct file_writer {
    bst__quarantine *file;
    bst_diags *diags;
} file_writer;

static bst_status add_line(void *context, const char *line, size_t len) {
    const file_writer *writer = context;
    return bst__quarantine_add(writer->file, line, len, writer->diags);
}

static bst_status write_quarantine(bst__chunk_run *run) {
    file_writer writer = {.diags = run->diags};
    if (!run->options->quarantine_path) {
        return BST_OK;
    }
    bst_status status =
        bst__quarantine_new(run->options->quarantine_path, &writer.file, run->diags);
    if (status == BST_OK) {
        status = bst_load_quarantined(run->load, add_line, &writer, run->diags);
    }
    if (status == BST_OK) {
        status = bst__quarantine_finish(writer.file, run->diags);
    }
    bst__quarantine_free(writer.file);
    return status;
}

/* ---- all of it */

/* Nothing more is read, unless there is a proof: the source can clean up after itself while the
 * index is built. */
static void leave_source(bst__chunk_run *run) {
    tell_one_reader(run);
    if (!run->options->on_loaded) {
        run->source = bst_source_free(run->source);
        run->moment = (bst_source_moment){0};
    }
}

static bst_status load_all(bst__chunk_run *run) {
    bst_status status = BST_OK;
    if (bst_load_is(run->load) == BST_LOAD_NEW) {
        status = begin_load(run);
    }
    if (status == BST_OK) {
        status = patiently(run, count_done);
    }
    run->figures->resumed = run->figures->read;
    if (status == BST_OK) {
        status = load_rest(run);
    }
    /* The caller sees the figures of all before anybody sees the histories, and may refuse. */
    if (status == BST_OK && run->options->on_progress) {
        run->figures->progress = 1;
        status = bst__tell_progress(run, run->figures);
    }
    if (status == BST_OK) {
        leave_source(run);
        status = patiently(run, finish_load);
    }
    return status;
}

/* A run that fails has not failed in vain; or it leaves nothing behind. */
static void end_failed(const bst__chunk_run *run) {
    if (bst__diags_end_with(run->diags, "history-exists")) {
        bst_load_tell_finished(run->load, run->diags);
    }
    if (run->figures->read == 0) {
        bst_load_withdraw(run->load);
    }
    if (run->figures->read > 0 && !run->options->by_place &&
        !bst__diags_end_with(run->diags, "too-much-quarantine")) { /* it would end the same again */
        bst_diag_add(run->diags, BST_OK, BST_NOTE, "run-kept", NULL,
                     "the store keeps what %" PRIu64 " rows have come to, unseen; the same command "
                     "goes on from there",
                     run->figures->read);
    }
}

static bst_status tell_loaded(const bst__chunk_run *run) {
    bst_source_moment moment;
    const bst_status status = bst_source_moment_of(run->source, &moment, run->diags);
    return status == BST_OK ? run->options->on_loaded(run->options->loaded_context, run->figures,
                                                      moment.snapshot)
                            : status;
}

bst_status bst__run_chunks(const bst_mapping *mapping, bst_synth *synth,
                           const bst_run_options *options, bst_run_figures *figures,
                           bst_diags *diags) {
    bst__chunk_run run = {.mapping = mapping,
                          .options = options,
                          .synth = synth,
                          .figures = figures,
                          .diags = diags,
                          .spec = mapping->source};
    run.spec.watch = bst__team_watch(&run);
    pthread_mutex_init(&run.telling, NULL);
    run.spec.digested = true;
    run.spec.pace = options->pace;
    bst_status status = open_source(&run);
    if (status == BST_OK) {
        status = open_load(&run);
    }
    if (status == BST_OK && bst_load_is(run.load) == BST_LOAD_FINISHED) {
        figures->already = true;
        status = count_done(&run);
    } else if (status == BST_OK) {
        status = load_all(&run);
        if (status != BST_OK) {
            end_failed(&run);
        }
    }
    if (status == BST_OK) {
        status = patiently(&run, write_quarantine);
        figures->progress = 1;
    }
    if (status == BST_OK && options->on_loaded) {
        status = tell_loaded(&run);
    }
    free(run.trouble.last);
    pthread_mutex_destroy(&run.telling);
    bst_load_free(run.load);
    bst_source_free(run.source);
    return status;
}
