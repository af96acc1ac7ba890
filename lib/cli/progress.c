/* Progress: on a terminal one line that is drawn over and over, elsewhere a line now and then. */
#include "mien/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/clock.h"

#define CLEAR_TO_END "\033[K"

/* Seconds between two lines, drawn over or not. */
static const double often = 0.2, seldom = 30;

/* A terminal that can go back to the start of a line and clear it. */
static bool can_redraw(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

static size_t columns(void)
{
#ifdef TIOCGWINSZ
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
#endif
    return 80;
}

void mien_cli_progress_start(struct mien_progress *p, const struct mien_cli *c, const char *what)
{
    double now = clock_coarse();
    *p = (struct mien_progress){
        .cli = c, .start = now, .last = now, .on = !c->quiet, .redraws = can_redraw()};
    snprintf(p->what, sizeof p->what, "%s", what);
}

void mien_cli_progress(struct mien_progress *p, uint64_t done, uint64_t total, uint64_t bytes)
{
    if (!p->on)
        return;
    double now = clock_coarse(), spent = now - p->start;
    if (now - p->last < (p->redraws ? often : seldom))
        return;
    p->last = now;
    double rate = spent > 0 ? (double)done / spent : 0;
    char of[24] = "", size[32] = "", left[32] = "", line[400];
    if (total > 0)
        snprintf(of, sizeof of, "/%llu", (unsigned long long)total);
    if (bytes > 0)
        snprintf(size, sizeof size, ", %.1f MB", (double)bytes / 1e6);
    if (total > done && rate > 0)
        snprintf(left, sizeof left, ", %.0f s left", (double)(total - done) / rate);
    snprintf(line, sizeof line, "%s: %s%llu%s %s, %.0f/s%s%s", p->cli->name, p->stage,
             (unsigned long long)done, of, p->what, rate, size, left);
    if (!p->redraws) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    /* A line that wrapped could not be drawn over. */
    fprintf(stderr, "\r%.*s" CLEAR_TO_END, (int)columns() - 1, line);
    p->drawn = true;
}

void mien_cli_progress_end(struct mien_progress *p)
{
    if (p->drawn)
        fputs("\r" CLEAR_TO_END, stderr);
    p->drawn = false;
}
