/* The progress line. Drawn at most ten times a second on a terminal, and never wider than it: what
 * is wrapped cannot be cleared. A line every ten seconds in a log, and on a terminal that clears
 * none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backstory/clock.h"
#include "backstory/shown.h"

#include "cli.h"

#define BAR_WIDTH      24
#define BAR_WIDTH_MIN  6
#define TERMINAL_WIDTH 80   /* of one that does not say */
#define SHARE_MIN      0.01 /* of less nobody can tell how long it takes */

double cli_now(void) {
    return (double)bst_clock_us() / 1e6;
}

static bool can_clear(void) {
    const char *const term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

static size_t terminal_width(void) {
    struct winsize size;
    const bool told = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return told ? size.ws_col : TERMINAL_WIDTH;
}

void cli_progress_begin(cli_progress *progress, const cli_call *call, const char *what) {
    *progress = (cli_progress){.on = !call->quiet, .terminal = can_clear(), .what = what};
    progress->start = cli_now();
    progress->last = progress->terminal ? 0 : progress->start;
}

/* As wide as the rest leaves room for. */
static void add_bar(double share, size_t rest, bst_strbuf *line) {
    const size_t taken = line->len + rest + strlen(" []") + 1;
    const size_t width = terminal_width();
    const int room = taken + BAR_WIDTH <= width ? BAR_WIDTH : (int)width - (int)taken;

    if (room < BAR_WIDTH_MIN)
        return;
    bst_strbuf_adds(line, " [");
    for (int i = 0; i < room; i++)
        bst_strbuf_addc(line, i < (int)(share * room) ? '#' : '.');
    bst_strbuf_addc(line, ']');
}

/* As much of it as stands in one line; the cursor takes the last column. */
static void print_within(const bst_strbuf *line, size_t width) {
    size_t room = width - 1;

    for (size_t at = 0; at < line->len;) {
        const bst_glyph next = bst_glyph_at(line->text + at, line->len - at);
        if (next.width > room)
            return;
        fwrite(next.shown, 1, next.shown_len, stderr);
        room -= next.width;
        at += next.size;
    }
}

void cli_progress_line(cli_progress *progress, const bst_strbuf *line) {
    progress->shown = true;
    if (progress->terminal) {
        fputs(CLI_CLEAR_LINE, stderr);
        print_within(line, terminal_width());
    } else {
        cli_fprintf(stderr, "%s\n", line->text);
    }
    fflush(stderr);
}

double cli_seconds_left(double spent, double share, uint64_t rows, uint64_t before) {
    if (share < SHARE_MIN || rows <= before)
        return -1;
    const double own = share * (double)(rows - before) / (double)rows;
    return spent / own * (1 - share);
}

static void add_figures(const cli_progress *progress, double share, uint64_t rows,
                        const char *extra, bst_strbuf *out) {
    const double spent = cli_progress_seconds(progress);
    const double left = cli_seconds_left(spent, share, rows, progress->before);

    if (share >= 0)
        bst_strbuf_addf(out, progress->terminal ? " %3d %%" : " %d %%", (int)(share * 100));
    bst_strbuf_addf(out, "  %s rows", cli_number(rows).text);
    if (spent > 0.5)
        bst_strbuf_addf(out, "  %s/s",
                        cli_number((uint64_t)((double)(rows - progress->before) / spent)).text);
    if (left >= 0 && share < 1 && spent > 1)
        bst_strbuf_addf(out, "  %s left", cli_seconds(left).text);
    if (extra)
        bst_strbuf_addf(out, "  %s", extra);
}

void cli_progress_show(cli_progress *progress, double share, uint64_t rows, const char *extra) {
    const double now = cli_now();
    bst_strbuf figures = BST_STRBUF_INIT;
    bst_strbuf line = BST_STRBUF_INIT;

    if (!progress->on || now - progress->last < (progress->terminal ? 0.1 : 10))
        return;
    progress->last = now;
    add_figures(progress, share, rows, extra, &figures);
    bst_strbuf_adds(&line, progress->what);
    if (share >= 0 && progress->terminal)
        add_bar(share, figures.len, &line);
    bst_strbuf_adds(&line, figures.text);
    cli_progress_line(progress, &line);
    bst_strbuf_release(&figures);
    bst_strbuf_release(&line);
}

void cli_progress_end(cli_progress *progress) {
    if (progress->shown && progress->terminal)
        fputs(CLI_CLEAR_LINE, stderr);
    progress->shown = false;
}

double cli_progress_seconds(const cli_progress *progress) {
    return cli_now() - progress->start;
}
