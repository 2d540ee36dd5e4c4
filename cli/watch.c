/* Watching a run. Signals only set a flag: the run looks at it between rows and ends where nothing
 * is lost. A second SIGINT is not waited for. */
#include "watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/clock.h"

#define JSON_SECONDS   1.0
#define SHARE_ROWS_MIN 1000u /* a share means nothing of fewer rows, before the end */
#define MEGABYTE       1e6
#define REAL_DIGITS    6 /* of seconds and shares */

static volatile sig_atomic_t stop_asked, line_asked;

static void on_stop(int number) {
    stop_asked = 1;
    signal(number, SIG_DFL);
}

static void on_line(int number) {
    (void)number;
    line_asked = 1;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* "100", "0.5%" */
static bst_status read_limit(cli_watch *watch, const char *text) {
    char *end = NULL;
    const double number = strtod(text, &end);
    const bool percent = strcmp(end, "%") == 0;

    if (end == text || !(number >= 0) || (percent ? number > 100 : *end != '\0'))
        return cli_usage(watch->call,
                         "--max-quarantine is a number of rows or a share of them, as in 100 or "
                         "0.5%%, not \"%s\"",
                         text);
    watch->limited = true;
    watch->most = percent ? UINT64_MAX : (uint64_t)number;
    watch->share = percent ? number / 100 : 1;
    return BST_OK;
}

bst_status cli_watch_begin(cli_watch *watch, cli_call *call, const char *what, const char *style,
                           const char *limit) {
    *watch = (cli_watch){.call = call};
    cli_progress_begin(&watch->progress, call, what);
    if (style && strcmp(style, "json") == 0) {
        watch->json = true;
        watch->progress.on = false;
    } else if (style && strcmp(style, "none") == 0) {
        watch->progress.on = false;
    } else if (style && strcmp(style, "bar") != 0) {
        return cli_usage(call, "--progress is bar, json or none, not \"%s\"", style);
    }
    stop_asked = line_asked = 0;
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGUSR1, on_line);
    return limit ? read_limit(watch, limit) : BST_OK;
}

/* ---- what is shown */

static json_t *known(double number) {
    return number >= 0 ? json_real(number) : json_null();
}

static json_t *wait_to_json(const bst_run_wait *waits) {
    const int64_t now = bst_clock_us();
    json_t *object;

    if (!*waits->why)
        return json_null();
    object = json_object();
    json_object_set_new(object, "why", json_string(waits->why));
    json_object_set_new(object, "seconds",
                        json_integer((json_int_t)((now - waits->since_us) / 1000000)));
    json_object_set_new(
        object, "again_seconds",
        json_integer((json_int_t)(waits->again_us > now ? (waits->again_us - now) / 1000000 : 0)));
    return object;
}

static void show_json(const char *phase, const bst_run_figures *f, double seconds) {
    const double own = (double)(f->read - f->resumed);
    json_t *object = json_object();

    json_object_set_new(object, "phase", json_string(phase));
    json_object_set_new(object, "rows", json_integer((json_int_t)f->read));
    json_object_set_new(object, "events", json_integer((json_int_t)f->events));
    json_object_set_new(object, "bytes", json_integer((json_int_t)f->bytes));
    json_object_set_new(object, "quarantined", json_integer((json_int_t)f->quarantined));
    json_object_set_new(object, "seconds", json_real(seconds));
    json_object_set_new(object, "rows_per_second", json_real(seconds > 0 ? own / seconds : 0));
    json_object_set_new(object, "share", known(f->progress));
    json_object_set_new(object, "seconds_left",
                        known(cli_seconds_left(seconds, f->progress, f->read, f->resumed)));
    json_object_set_new(object, "retries", json_integer((json_int_t)f->retries));
    json_object_set_new(object, "snapshot_age", json_integer(f->snapshot_age));
    json_object_set_new(object, "waiting", wait_to_json(&f->waits));
    cli_print_json(object, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS), stderr);
    fputc('\n', stderr);
    json_decref(object);
}

/* Where the figures else are: nothing is rarer, and nothing matters more. */
static void show_wait(cli_watch *watch, const bst_run_figures *f) {
    char extra[400];
    const double now = cli_now();
    const double again = (double)f->waits.again_us / 1e6 - now;

    snprintf(extra, sizeof extra, "waiting for %s: %s; again in %s",
             cli_seconds(now - (double)f->waits.since_us / 1e6).text, f->waits.why,
             cli_seconds(again > 0 ? again : 0).text);
    watch->progress.before = f->resumed;
    cli_progress_show(&watch->progress, f->progress, f->read, extra);
}

static void show_text(cli_watch *watch, const bst_run_figures *f) {
    char extra[160];
    int len = 0;

    if (*f->waits.why) {
        show_wait(watch, f);
        return;
    }
    if (f->events > 0)
        len = snprintf(extra, sizeof extra, "%s events  ", cli_number(f->events).text);
    if (f->bytes > 0)
        len += snprintf(extra + len, sizeof extra - (size_t)len, "%.0f MB  ",
                        (double)f->bytes / MEGABYTE);
    len += snprintf(extra + len, sizeof extra - (size_t)len, "%s quarantined",
                    cli_number(f->quarantined).text);
    if (f->snapshot_age > 0)
        snprintf(extra + len, sizeof extra - (size_t)len, "  snapshot %s old",
                 cli_seconds((double)f->snapshot_age).text);
    watch->progress.before = f->resumed;
    cli_progress_show(&watch->progress, f->progress, f->read, extra);
}

static void show(cli_watch *watch, const bst_run_figures *figures) {
    const double now = cli_now();
    const double seconds = cli_progress_seconds(&watch->progress);
    const bool asked = line_asked != 0;

    line_asked = 0;
    if (watch->json && (asked || now - watch->last_json >= JSON_SECONDS)) {
        watch->last_json = now;
        show_json(watch->verifying ? "verify" : "load", figures, seconds);
    } else if (asked && !watch->json) {
        /* a line of its own, whatever is shown otherwise */
        cli_progress line = watch->progress;
        line.on = true;
        line.terminal = false;
        line.last = 0;
        cli_progress_end(&watch->progress);
        watch->progress.last = 0;
        cli_watch shown = *watch;
        shown.progress = line;
        show_text(&shown, figures);
    } else if (!watch->json) {
        show_text(watch, figures);
    }
}

static void warn_json(const bst_diag *warning) {
    json_t *const object = json_object();

    json_object_set_new(object, "warning", json_string(warning->message));
    json_object_set_new(object, "code", json_string(warning->code));
    json_object_set_new(object, "hint", json_string(warning->hint));
    cli_print_json(object, JSON_COMPACT, stderr);
    fputc('\n', stderr);
    json_decref(object);
}

void cli_watch_warning(void *context, const bst_diag *warning) {
    cli_watch *watch = context;
    bst_strbuf text = BST_STRBUF_INIT;

    if (watch->json) {
        warn_json(warning);
        return;
    }
    cli_progress_end(&watch->progress);
    bst_diag_format_text(warning, NULL, 0, &text);
    if (text.failed)
        cli_out_of_memory();
    fwrite(text.text, 1, text.len, stderr);
    bst_strbuf_release(&text);
}

void cli_watch_end(cli_watch *watch) {
    cli_progress_end(&watch->progress);
    if (watch->json && watch->last.read > 0) /* whoever reads along sees the end */
        show_json("end", &watch->last, cli_progress_seconds(&watch->progress));
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
    handle(SIGUSR1, SIG_IGN);
}

/* ---- ending early */

/* How far it came is said of chunks by the run itself, when those under way are done. */
static bst_status interrupted(const cli_watch *watch, const bst_run_figures *f) {
    bst_diag_add(watch->call->diags, BST_RETRY, BST_ERROR, "interrupted", NULL,
                 watch->chunked ? "the run was told to end"
                                : "the run was told to end after %s rows",
                 cli_number(f->read).text);
    bst_diag_hint(watch->call->diags,
                  watch->chunked ? "Chunks that are done stay: the same command goes on with the "
                                   "others."
                                 : "Nothing was written: the same command begins anew.");
    return BST_RETRY;
}

static bool too_many(const cli_watch *watch, const bst_run_figures *f) {
    const bool enough = f->read >= SHARE_ROWS_MIN || f->progress >= 1;

    return watch->limited && (f->quarantined > watch->most ||
                              (enough && (double)f->quarantined > watch->share * (double)f->read));
}

static bst_status refuse(const cli_watch *watch, const bst_run_figures *f) {
    bst_diag_add(watch->call->diags, BST_INVALID, BST_ERROR, "too-much-quarantine", NULL,
                 "%s of the %s rows read so far would go to quarantine",
                 cli_number(f->quarantined).text, cli_number(f->read).text);
    bst_diag_hint(watch->call->diags,
                  "backstory plan groups them by reason; %s, or raise --max-quarantine.",
                  watch->chunked ? "mend the mapping and give --restart" : "mend the mapping");
    return BST_INVALID;
}

bst_status cli_watch_progress(void *context, const bst_run_figures *figures) {
    cli_watch *watch = context;

    watch->last = *figures;
    show(watch, figures);
    if (stop_asked)
        return interrupted(watch, figures);
    return too_many(watch, figures) ? refuse(watch, figures) : BST_OK;
}

/* ---- the proof after it */

void cli_watch_verify(cli_watch *watch) {
    cli_progress_end(&watch->progress);
    watch->loading = watch->progress;
    watch->verifying = true;
    watch->progress.what = "verify";
    watch->progress.start = cli_now();
    watch->progress.last = watch->progress.terminal ? 0 : watch->progress.start;
}

bst_status cli_watch_verify_progress(cli_watch *watch, const bst_run_figures *figures) {
    show(watch, figures);
    if (!stop_asked)
        return BST_OK;
    bst_diag_add(watch->call->diags, BST_RETRY, BST_ERROR, "interrupted", NULL,
                 "the proof was told to end after %s rows", cli_number(figures->read).text);
    bst_diag_hint(watch->call->diags, "What was loaded stays: the same command %s.",
                  watch->chunked ? "makes up for the proof" : "loads and proves it anew");
    return BST_RETRY;
}

void cli_watch_verified(cli_watch *watch) {
    cli_progress_end(&watch->progress);
    watch->progress = watch->loading;
    watch->verifying = false;
}
