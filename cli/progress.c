/* The progress line. Drawn at most ten times a second on a terminal; a line every ten seconds in a
 * log. */
#include <stdio.h>
#include <unistd.h>

#include "backstory/clock.h"

#include "cli.h"

#define BAR_WIDTH 24
#define SHARE_MIN 0.01 /* of less nobody can tell how long it takes */

double cli_now(void) {
    return (double)bst_clock_us() / 1e6;
}

void cli_progress_begin(cli_progress *progress, const cli_call *call, const char *what) {
    *progress =
        (cli_progress){.on = !call->quiet, .terminal = isatty(STDERR_FILENO) == 1, .what = what};
    progress->start = cli_now();
    progress->last = progress->terminal ? 0 : progress->start;
}

static void draw_bar(double share) {
    const int full = (int)(share * BAR_WIDTH);

    fputs(" [", stderr);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < full ? '#' : '.', stderr);
    cli_fprintf(stderr, "] %3d %%", (int)(share * 100));
}

double cli_seconds_left(double spent, double share, uint64_t rows, uint64_t before) {
    if (share < SHARE_MIN || rows <= before)
        return -1;
    const double own = share * (double)(rows - before) / (double)rows;
    return spent / own * (1 - share);
}

void cli_progress_show(cli_progress *progress, double share, uint64_t rows, const char *extra) {
    const double now = cli_now();

    if (!progress->on || now - progress->last < (progress->terminal ? 0.1 : 10))
        return;
    progress->last = now;
    progress->shown = true;
    const double spent = now - progress->start;
    fputs(progress->terminal ? CLI_CLEAR_LINE : "", stderr);
    cli_fprintf(stderr, "%s", progress->what);
    if (share >= 0 && progress->terminal)
        draw_bar(share);
    else if (share >= 0)
        cli_fprintf(stderr, " %d %%", (int)(share * 100));
    cli_fprintf(stderr, "  %s rows", cli_number(rows).text);
    if (spent > 0.5)
        cli_fprintf(stderr, "  %s/s",
                    cli_number((uint64_t)((double)(rows - progress->before) / spent)).text);
    const double left = cli_seconds_left(spent, share, rows, progress->before);
    if (left >= 0 && share < 1 && spent > 1)
        cli_fprintf(stderr, "  %s left", cli_seconds(left).text);
    if (extra)
        cli_fprintf(stderr, "  %s", extra);
    if (!progress->terminal)
        fputc('\n', stderr);
    fflush(stderr);
}

void cli_progress_end(cli_progress *progress) {
    if (progress->shown && progress->terminal)
        fputs(CLI_CLEAR_LINE, stderr);
    progress->shown = false;
}

double cli_progress_seconds(const cli_progress *progress) {
    return cli_now() - progress->start;
}
