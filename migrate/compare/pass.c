/* One comparison. Its keys are cut into parts, each part is a thread with connections
 * of its own, all at one moment of each side; what they found is added up. What they tell comes
 * out one at a time, in the order of keys within a part. */
#include "compare_private.h"

#include "backstory/loads.h"
#include "run/run_private.h"
#include "synth/synth_private.h"

typedef struct whole {
    const bst_mapping *mapping;
    const bst_compare_options *options;
    bst_comparison *result;
    bst_arena *arena;
    bst_diags *diags;
    bst_synth *synth;   /* knows which columns a field is made of */
    bst_source *source; /* holds the moment of the old side */
    bst_reader *reader; /* and of the new one */
    const char *old_moment, *new_moment;
    bst__key_set *quarantined; /* of the file */
    bst__key_set *aside;       /* of the store */
    bst__key_set *left_behind; /* by a follower */
    size_t count;
    bst__compare_part *parts;
    pthread_mutex_t lock; /* over what is told, and the figures for it */
    bool stop;
    bst__since since;
    bst__at *at; /* NULL: each side at a moment of its own */
} whole;

/* ---- what the parts tell */

static void add_figures(bst_compare_figures *sum, const bst_compare_figures *part) {
    sum->rows += part->rows;
    sum->histories += part->histories;
    sum->equal += part->equal;
    sum->different += part->different;
    sum->missing_in_store += part->missing_in_store;
    sum->missing_in_source += part->missing_in_source;
    sum->quarantined += part->quarantined;
    sum->out_of_scope += part->out_of_scope;
    sum->events += part->events;
    for (int i = 0; i < BST_EXTENT_COUNT; i++) {
        sum->by_extent[i] += part->by_extent[i];
    }
    sum->field_differences += part->field_differences;
    sum->tolerated += part->tolerated;
}

/* A part that has failed ends the others as well. */
static bst_status go_on(const whole *w, bst_status status) {
    return status == BST_OK && w->stop ? BST_RETRY : status;
}

static bst_status on_difference(void *context, const bst_difference *difference) {
    whole *w = context;
    pthread_mutex_lock(&w->lock);
    bst_status status = go_on(w, BST_OK);
    if (w->options->since) {
        bst__since_differs(&w->since, difference->key, difference->key_len);
    }
    if (status == BST_OK && w->options->on_difference) {
        status = w->options->on_difference(w->options->context, difference);
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* What is shown is the sum of what each part last said. */
static bst_status on_progress(bst__compare_part *part) {
    whole *w = part->whole;
    pthread_mutex_lock(&w->lock);
    part->shown = part->figures;
    bst_compare_figures sum = {.progress = -1};
    for (size_t i = 0; i < w->count; i++) {
        add_figures(&sum, &w->parts[i].shown);
    }
    const uint64_t expected = bst_source_expected(w->source);
    if (w->count == 1) {
        sum.progress = part->figures.progress;
    } else if (expected > 0) {
        sum.progress = sum.rows < expected ? (double)sum.rows / (double)expected : 1;
    }
    bst_status status = go_on(w, BST_OK);
    if (status == BST_OK && w->options->on_progress) {
        status = w->options->on_progress(w->options->context, &sum);
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* ---- parts */

static void *run_part(void *context) {
    bst__compare_part *part = context;
    whole *w = part->whole;
    part->status = bst__compare_part_run(part);
    if (part->status != BST_OK) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static const bst__overlay *overlay_of(const whole *w) {
#if BACKSTORY_POSTGRES
    return w->at ? bst__at_overlay(w->at) : NULL;
#else
    (void)w;
    return NULL;
#endif
}

/* `keys`: where the parts meet, one less than there are parts. */
static bst_status make_parts(whole *w, const char *const *keys, size_t key_count) {
    w->parts = bst_arena_array(w->arena, key_count + 1, sizeof *w->parts);
    if (!w->parts) {
        return bst_diag_nomem(w->diags);
    }
    for (size_t i = 0; i <= key_count; i++) {
        bst__compare_part *part = &w->parts[i];
        *part = (bst__compare_part){.mapping = w->mapping,
                                    .options = *w->options,
                                    .keys = w->options->sample,
                                    .store_moment = w->new_moment,
                                    .overlay = overlay_of(w),
                                    .quarantined = w->quarantined,
                                    .aside = w->aside,
                                    .left_behind = w->left_behind,
                                    .on_progress = on_progress,
                                    .whole = w,
                                    .figures = {.progress = -1},
                                    .diags = bst_diags_new()};
        w->count++;
        part->options.moment = w->old_moment;
        part->options.on_difference = on_difference;
        part->options.context = w;
        if (w->options->since) {
            part->keys.range_count = w->since.range_count;
            part->keys.ranges = w->since.ranges;
        }
        part->keys.from = i > 0 ? keys[i - 1] : NULL;
        part->keys.before = i < key_count ? keys[i] : NULL;
        bst_status status = part->diags
                                ? bst__totals_new(w->mapping, w->options, &part->totals, w->diags)
                                : bst_diag_nomem(w->diags);
        if (status != BST_OK) {
            return status;
        }
    }
    return BST_OK;
}

static bst_status start_parts(whole *w) {
    for (size_t i = 1; i < w->count; i++) {
        bst__compare_part *part = &w->parts[i];
        part->started = pthread_create(&part->thread, NULL, run_part, part) == 0;
        if (!part->started) {
            return bst_diag_nomem(w->diags);
        }
    }
    return BST_OK;
}

/* The findings of the part that failed; the others may have stopped because of it. */
static bst_status end_parts(whole *w, bst_status status) {
    const bst__compare_part *failed = NULL;
    for (size_t i = 0; i < w->count; i++) {
        bst__compare_part *part = &w->parts[i];
        if (part->started) {
            pthread_join(part->thread, NULL);
        }
        if (part->status != BST_OK && (!failed || failed->status == BST_RETRY)) {
            failed = part;
        }
        add_figures(&w->result->figures, &part->figures);
    }
    if (failed && status == BST_OK) {
        status = failed->status;
        bst_diags_move(failed->diags, w->diags);
    }
    return status;
}

static bst_status run_parts(whole *w) {
    if (w->options->since && w->since.read == 0) {
        return BST_OK; /* nothing has changed */
    }
    bst_status status = start_parts(w);
    if (status == BST_OK) {
        run_part(&w->parts[0]);
    } else {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_mutex_unlock(&w->lock);
    }
    return end_parts(w, status);
}

/* ---- the whole */

/* The store has to be as far as the rows are. */
static bst_status await_follower(whole *w) {
#if BACKSTORY_POSTGRES
    bst_source_moment moment;
    const bst_compare_options *options = w->options;
    if (!bst_is_connection_string(options->from) || !bst_is_connection_string(options->store)) {
        return bst_diag_add(w->diags, BST_USAGE, BST_ERROR, "needs-postgres", NULL,
                            "files do not move: nothing has to be looked at again");
    }
    bst_follow_wait wait = {.seconds = options->wait_seconds > 0 ? options->wait_seconds
                                                                 : BST_RECHECK_SECONDS_MAX};
    bst_status status = bst_source_moment_of(w->source, &moment, w->diags);
    if (status == BST_OK && (!moment.lsn || !bst_lsn_parse(moment.lsn, &wait.lsn))) {
        status = bst_diag_add(w->diags, BST_DATABASE, BST_ERROR, "no-place", NULL,
                              "the server of the rows does not say where its log stands");
    }
    return status == BST_OK
               ? bst_follow_await(options->store, w->mapping->machine->id, &wait, w->diags)
               : status;
#else
    return bst_no_postgres(NULL, w->diags);
#endif
}

/* The moment of the old side, for all of its readers. */
static bst_status open_source(whole *w) {
    const bst_compare_options *options = w->options;
    bst_source_moment moment;
    w->old_moment = options->moment;
#if BACKSTORY_POSTGRES
    bool wanted = false;
    bst_status status =
        bst__at_wanted(w->mapping, options, w->arena, &wanted, &w->result->standing, w->diags);
    if (status == BST_OK && wanted) {
        status = bst__at_open(w->mapping, options, &w->at, w->diags);
    }
    if (status == BST_OK && w->at) {
        w->old_moment = bst__at_moment(w->at);
    }
#else
    bst_status status = BST_OK;
#endif
    if (status == BST_OK) {
        status = bst_source_open_at(options->from, &w->mapping->source, w->old_moment, &w->source,
                                    w->diags);
    }
    if (status == BST_OK && !w->old_moment && bst_is_connection_string(options->from)) {
        status = bst_source_moment_of(w->source, &moment, w->diags);
        w->old_moment = status == BST_OK ? moment.snapshot : NULL;
    }
    return status;
}

/* The moment of the new one. */
static bst_status open_store(whole *w) {
    static const bst_key_part all = {0};
    bst_status status = bst_reader_open_part(w->options->store, w->mapping->machine, &all, NULL,
                                             &w->reader, w->diags);
    return status == BST_OK ? bst_reader_moment(w->reader, &w->new_moment, w->diags) : status;
}

/* And the log between the two. A follower that has begun again meanwhile is waited for anew. */
static bst_status open_store_at(whole *w) {
#if BACKSTORY_POSTGRES
    bst_status status = BST_OK;
    for (bool behind = true; behind && status == BST_OK;) {
        w->reader = bst_reader_free(w->reader);
        status = bst__at_await(w->at, w->diags);
        if (status == BST_OK) {
            status = open_store(w);
        }
        if (status == BST_OK) {
            status = bst__at_read_log(w->at, w->new_moment, &behind, w->diags);
        }
    }
    if (status == BST_OK) {
        char lsn[BST_LSN_TEXT_MAX];
        bst_lsn_format(bst__at_lsn(w->at), lsn);
        w->result->from_log = bst__at_overlay(w->at)->count;
        w->result->lsn = bst_arena_strdup(w->arena, lsn);
        status = w->result->lsn ? BST_OK : bst_diag_nomem(w->diags);
    }
    return status;
#else
    (void)w;
    return BST_OK;
#endif
}

static bst_status read_aside(whole *w) {
    const char *store = w->options->store;
    const char *machine = w->mapping->machine->id;
    bst_status status = bst__key_set_of_store(store, machine, BST__ASIDE_WITHOUT_HISTORY,
                                              w->new_moment, &w->aside, w->diags);
    return status == BST_OK ? bst__key_set_of_store(store, machine, BST__ASIDE_BY_FOLLOWER,
                                                    w->new_moment, &w->left_behind, w->diags)
                            : status;
}

static bst_status open_all(whole *w) {
    const bst_compare_options *options = w->options;
    bst_status status = bst_synth_new(w->mapping, &w->synth, w->diags);
    if (status == BST_OK) {
        status = bst__key_set_read(options->quarantine_path, &w->quarantined, w->diags);
    }
    if (status == BST_OK) {
        status = open_source(w);
    }
    if (status == BST_OK && options->rechecks > 0) {
        status = await_follower(w);
    }
    if (status == BST_OK) {
        status = w->at ? open_store_at(w) : open_store(w);
    }
    return status == BST_OK && bst_is_connection_string(options->store) ? read_aside(w) : status;
}

static bst_status list_totals(whole *w, bool *ret_differ) {
    bst__totals *sum = w->parts[0].totals;
    bst_status status = BST_OK;
    for (size_t i = 1; i < w->count && status == BST_OK; i++) {
        status = bst__totals_merge(sum, w->parts[i].totals, w->diags);
    }
    bst__totals_fields(sum, &w->result->sum_field, &w->result->group_field);
    return status == BST_OK ? bst__totals_list(sum, w->arena, &w->result->totals,
                                               &w->result->total_count, ret_differ, w->diags)
                            : status;
}

static bst_status open_since(whole *w) {
    const bst_compare_options *options = w->options;
    if (!bst_is_connection_string(options->from) || !bst_is_connection_string(options->store)) {
        return bst_diag_add(w->diags, BST_USAGE, BST_ERROR, "needs-postgres", NULL,
                            "only servers can say what has not changed: both sides must be one");
    }
    bst_status status = bst__since_open(&w->since, w->mapping, options, w->source, overlay_of(w),
                                        w->reader, w->arena, w->diags);
    w->result->chunks = status == BST_OK ? w->since.bound_count + 1 : 0;
    w->result->chunks_read = w->since.read;
    w->result->since = w->since.made_at;
    return status;
}

static bst_status run(whole *w, bool *ret_totals_differ) {
    const char *const *keys = NULL;
    size_t key_count = 0;
    bst_status status = open_all(w);
    if (status == BST_OK && w->options->since) {
        status = open_since(w);
    }
    if (status == BST_OK) {
        status = bst_reader_cut(w->reader, w->options->jobs, w->arena, &keys, &key_count, w->diags);
    }
    if (status == BST_OK) {
        status = make_parts(w, keys, key_count);
    }
    if (status == BST_OK) {
        status = run_parts(w);
    }
    if (status == BST_OK && w->options->since) {
        status = bst__since_write(&w->since, w->mapping, w->options, w->diags);
    }
    if (status == BST_OK) {
        status = list_totals(w, ret_totals_differ);
    }
    if (status == BST_OK) {
        status = bst__left_out(w->mapping, w->synth, w->source, w->arena, &w->result->left_out,
                               &w->result->left_out_count, w->diags);
    }
    return status;
}

static void close_all(whole *w) {
    for (size_t i = 0; i < w->count; i++) {
        bst__totals_free(w->parts[i].totals);
        bst_diags_free(w->parts[i].diags);
    }
    bst_reader_free(w->reader);
    bst_source_free(w->source);
    bst__key_set_free(w->quarantined);
    bst__key_set_free(w->aside);
    bst__key_set_free(w->left_behind);
    bst_synth_free(w->synth);
    bst__since_release(&w->since);
#if BACKSTORY_POSTGRES
    bst__at_free(w->at);
#endif
}

bst_status bst__compare_pass(const bst_mapping *mapping, const bst_compare_options *options,
                             bst_arena *arena, bst_comparison *ret, bool *ret_totals_differ,
                             bst_diags *diags) {
    whole w = {
        .mapping = mapping, .options = options, .result = ret, .arena = arena, .diags = diags};
    bool totals_differ = false;
    *ret = (bst_comparison){.figures = {.progress = -1}};
    pthread_mutex_init(&w.lock, NULL);
    const bst_status status = run(&w, &totals_differ);
    pthread_mutex_destroy(&w.lock);
    close_all(&w);
    if (ret_totals_differ) {
        *ret_totals_differ = totals_differ;
    }
    return status;
}
