/* Histories into a file, one event a line.
 *
 * The lines go to a new file beside the target, which takes the target's place when everything is
 * on the disk; so the target is either what it was or complete. "-" is the standard output, and a
 * device or a FIFO is written as it stands: there nothing can be taken back. Lines come out in the
 * order in which histories come in; a reader wants them by key.
 */
#include "sink_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/output_path.h"
#include "backstory/reader.h"

#define FLUSH_BYTES     (256u << 10)
#define TEMPORARY_TRIES 100

typedef struct sink_jsonl {
    bst_sink base;
    bst_run_info run;
    bst_strbuf path, temporary; /* `temporary` empty: there is no file to remove */
    int fd;                     /* -1: none */
    bst_strbuf lines;
    bst_strbuf last_key;
} sink_jsonl;

static bst_status failed(const char *what, const char *path, int error, bst_diags *diags) {
    const bst_loc where = {*path ? path : "standard output", 0, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, "cannot-write", &where, "could not %s: %s", what,
                        strerror(error));
}

static bst_status flush(sink_jsonl *sink, bst_diags *diags) {
    const char *at = sink->lines.text;
    size_t left = sink->lines.len;
    while (left > 0) {
        const ssize_t written = write(sink->fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed("write", sink->path.text, errno, diags);
        at += written;
        left -= (size_t)written;
    }
    sink->base.totals.bytes += sink->lines.len;
    bst_strbuf_clear(&sink->lines);
    return BST_OK;
}

/* A reader could not tell two histories of one key apart. Only neighbours are seen here: the file
 * has no index. */
static bst_status check_new(sink_jsonl *sink, const bst_history *history, bst_diags *diags) {
    if (history->key_len == sink->last_key.len &&
        memcmp(history->key, sink->last_key.text, history->key_len) == 0) {
        bst_diag_add(diags, BST_CONFLICT, BST_ERROR, "history-exists", NULL,
                     "entity \"%.*s\" comes with two histories", (int)history->key_len,
                     history->key);
        bst_diag_hint(diags, "Each entity has one history: its key must be unique in the source.");
        return BST_CONFLICT;
    }
    bst_strbuf_clear(&sink->last_key);
    bst_strbuf_add(&sink->last_key, history->key, history->key_len);
    return sink->last_key.failed ? bst_diag_nomem(diags) : BST_OK;
}

static void add_event(sink_jsonl *sink, const bst_history *history, uint32_t place) {
    const bst_plan_event *const step = &history->plan->events[place];
    const bst_happening *const happening = &history->events[place];
    bst_stored_event event = {
        .key = history->key,
        .key_len = history->key_len,
        .version = (int64_t)place + 1,
        .type = step->type,
        .state = step->state,
        .command = step->command,
        .occurred_at = happening->occurred_at,
        .interval = happening->interval,
        .after = happening->after,
        .before = happening->before,
        .has_recorded_at = sink->run.has_recorded_at,
        .recorded_at = sink->run.recorded_at,
        .basis = step->basis,
        .confidence = step->confidence,
        .source = step->source,
        .fields = happening->fields,
    };
    bst_event_line(sink->base.machine, &event, &sink->lines);
}

/* No line may be longer than a reader takes. */
static bool add_events(sink_jsonl *sink, const bst_history *history) {
    bool fit = true;
    for (uint32_t i = 0; fit && i < history->plan->event_count; i++) {
        const size_t start = sink->lines.len;
        add_event(sink, history, i);
        fit = sink->lines.len - start <= BST_EVENT_LINE_MAX;
    }
    return fit;
}

static bst_status jsonl_write(bst_sink *base, const bst_history *history, bool *ret_fits,
                              bst_diags *diags) {
    sink_jsonl *const sink = (sink_jsonl *)base;
    const bst_status status = check_new(sink, history, diags);
    if (status != BST_OK)
        return status;
    const size_t before = sink->lines.len;
    *ret_fits = add_events(sink, history);
    if (sink->lines.failed)
        return bst_diag_nomem(diags);
    if (!*ret_fits)
        bst_strbuf_cut(&sink->lines, before);
    return sink->lines.len < FLUSH_BYTES ? BST_OK : flush(sink, diags);
}

/* The name of a file is on the disk when its folder is. */
static bst_status sync_folder(const char *path, bst_diags *diags) {
    bst_strbuf folder = BST_STRBUF_INIT;
    const char *const slash = strrchr(path, '/');
    if (slash)
        bst_strbuf_add(&folder, path, (size_t)(slash - path) + 1);
    else
        bst_strbuf_adds(&folder, ".");
    bst_status status = folder.failed ? bst_diag_nomem(diags) : BST_OK;
    const int fd = status == BST_OK ? open(folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (status == BST_OK && fd < 0)
        status = failed("open the folder", folder.text, errno, diags);
    /* Some file systems cannot sync a folder, and say EINVAL. */
    if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL)
        status = failed("write the folder", folder.text, errno, diags);
    if (fd >= 0)
        close(fd);
    bst_strbuf_release(&folder);
    return status;
}

static bst_status jsonl_finish(bst_sink *base, bst_diags *diags) {
    sink_jsonl *const sink = (sink_jsonl *)base;
    const bst_status status = flush(sink, diags);
    const bool in_place = sink->temporary.len == 0;
    if (status != BST_OK || sink->fd == STDOUT_FILENO)
        return status;
    if (!in_place && fsync(sink->fd) != 0)
        return failed("write", sink->path.text, errno, diags);
    const int fd = sink->fd;
    sink->fd = -1;
    if (close(fd) != 0)
        return failed("write", sink->path.text, errno, diags);
    if (in_place)
        return BST_OK;
    if (rename(sink->temporary.text, sink->path.text) != 0)
        return failed("put the new file in place", sink->path.text, errno, diags);
    bst_strbuf_clear(&sink->temporary);
    return sync_folder(sink->path.text, diags);
}

static void jsonl_free(bst_sink *base) {
    sink_jsonl *const sink = (sink_jsonl *)base;
    if (sink->fd >= 0 && sink->fd != STDOUT_FILENO)
        close(sink->fd);
    if (sink->temporary.len > 0)
        unlink(sink->temporary.text);
    bst_strbuf_release(&sink->path);
    bst_strbuf_release(&sink->temporary);
    bst_strbuf_release(&sink->lines);
    bst_strbuf_release(&sink->last_key);
    free(sink);
}

static const bst__sink_ops jsonl_ops = {jsonl_write, NULL, jsonl_finish, jsonl_free};

/* Made by open() itself with 0666, so that the user's umask decides who may read it. */
static bst_status open_temporary(sink_jsonl *sink, bst_diags *diags) {
    int error = EEXIST;
    for (int i = 0; i < TEMPORARY_TRIES && error == EEXIST; i++) {
        bst_strbuf_clear(&sink->temporary);
        bst_strbuf_addf(&sink->temporary, "%s.%ld-%d.tmp", sink->path.text, (long)getpid(), i);
        if (sink->temporary.failed)
            return bst_diag_nomem(diags);
        sink->fd = open(sink->temporary.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (sink->fd >= 0)
            return BST_OK;
        error = errno;
    }
    bst_strbuf_clear(&sink->temporary);
    return failed("make a file", sink->path.text, error, diags);
}

static bst_status open_target(sink_jsonl *sink, const char *path, bst_diags *diags) {
    if (strcmp(path, "-") == 0) {
        sink->fd = STDOUT_FILENO;
        return BST_OK;
    }
    const bool in_place = bst_output_path(path, &sink->path);
    if (sink->path.failed)
        return bst_diag_nomem(diags);
    if (!in_place)
        return open_temporary(sink, diags);
    sink->fd = bst_output_open_in_place(sink->path.text);
    return sink->fd >= 0 ? BST_OK : failed("open", sink->path.text, errno, diags);
}

bst_status bst__sink_jsonl_open(const char *path, const bst_machine *machine,
                                const bst_run_info *run, bst_sink **ret, bst_diags *diags) {
    sink_jsonl *const sink = calloc(1, sizeof *sink);
    if (!sink)
        return bst_diag_nomem(diags);
    sink->base = (bst_sink){.ops = &jsonl_ops, .machine = machine};
    sink->run = *run;
    bst_strbuf_init(&sink->path);
    bst_strbuf_init(&sink->temporary);
    bst_strbuf_init(&sink->lines);
    bst_strbuf_init(&sink->last_key);
    sink->fd = -1;
    const bst_status status = open_target(sink, path, diags);
    if (status != BST_OK) {
        jsonl_free(&sink->base);
        return status;
    }
    *ret = &sink->base;
    return BST_OK;
}
