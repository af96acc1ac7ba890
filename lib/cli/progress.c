/* Progress: on a terminal one line that is drawn over and over, elsewhere a line now and then. */
#include "cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/state.h"
#include "util/clock.h"

#define CLEAR_LINE   "\r\033[K"
#define CLEAR_TO_END "\033[K"

/* Seconds between two lines, drawn over or not. */
static const double often = 0.2, seldom = 30;

/* A terminal that can go back to the start of a line and clear it. */
static bool can_redraw(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

static int columns(void)
{
#ifdef TIOCGWINSZ
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
#endif
    return 80;
}

/* --- Whose line it is ---------------------------------------------------------------------- */

/*
 * The programs of a pipe share a terminal, on which only one may draw. They settle that by locks on
 * two bytes of the terminal, which are those of the shell's job: the last program of the pipe, whose
 * output isn't one, holds LAST from its beginning to its end, so that no other draws, also not into
 * what it prints there; where it is no program of this kind, whoever is first holds OTHER.
 */
enum byte { LAST, OTHER };

static struct flock lock_of(enum byte byte)
{
    return (struct flock){.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = 2 * (off_t)getpgrp() + byte,
                          .l_len = 1};
}

/* Whether this program holds the lock from now on, or there are no locks. */
static bool take(enum byte byte)
{
    struct flock l = lock_of(byte);
    return fcntl(STDERR_FILENO, F_SETLK, &l) == 0 || (errno != EACCES && errno != EAGAIN);
}

static bool another_has(enum byte byte)
{
    struct flock l = lock_of(byte);
    return fcntl(STDERR_FILENO, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool is_last(void)
{
    struct stat st;
    return fstat(STDOUT_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Whether this program is the one that draws. A job in the background doesn't. */
static bool may_draw(void)
{
    pid_t foreground = tcgetpgrp(STDERR_FILENO);
    if (foreground > 0 && foreground != getpgrp())
        return false;
    return is_last() ? take(LAST) : !another_has(LAST) && take(OTHER);
}

void cli_progress_claim(void)
{
    if (can_redraw() && is_last())
        (void)take(LAST);
}

const char *cli_progress_clear(void)
{
    return can_redraw() && (another_has(LAST) || another_has(OTHER)) ? CLEAR_LINE : "";
}

/* --- The line ------------------------------------------------------------------------------ */

void mien_cli_progress_start(struct mien_progress *p, const struct mien_cli *c, const char *what)
{
    double now = clock_coarse();
    *p = (struct mien_progress){
        .cli = c, .start = now, .last = now, .on = !c->quiet, .redraws = can_redraw()};
    snprintf(p->what, sizeof p->what, "%s", what);
}

void mien_cli_progress_stage(struct mien_progress *p, const char *stage, const char *what)
{
    char text[sizeof p->stage];
    snprintf(text, sizeof text, "%s: ", stage);
    if (strcmp(text, p->stage) != 0) {
        mien_cli_progress_end(p);
        mien_cli_progress_start(p, p->cli, what);
        memcpy(p->stage, text, sizeof text);
    }
    snprintf(p->what, sizeof p->what, "%s", what);
}

void mien_cli_progress_input(struct mien_progress *p, int fd)
{
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    const struct mien_cli_state *s = p->cli->state;
    if (s != NULL && s->ranged)
        p->size = s->bytes;
    else if (at >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > at)
        p->size = (uint64_t)(st.st_size - at);
}

/* "40 s left", of this share of the whole. */
static void time_left(char *s, size_t size, double spent, double share)
{
    double left = spent / share - spent;
    if (left < 100)
        snprintf(s, size, ", %.0f s left", left);
    else if (left < 6000)
        snprintf(s, size, ", %.0f min left", left / 60);
    else
        snprintf(s, size, ", %.1f h left", left / 3600);
}

void mien_cli_progress(struct mien_progress *p, uint64_t done, uint64_t total, uint64_t bytes)
{
    if (!p->on)
        return;
    double now = clock_coarse();
    if (done < p->done)
        p->start = now;
    p->done = done;
    if (now - p->last < (p->redraws ? often : seldom))
        return;
    p->last = now;
    double spent = now - p->start, rate = spent > 0 ? (double)done / spent : 0;
    char of[24] = "", size[32] = "", left[32] = "", line[400];
    if (total > 0)
        snprintf(of, sizeof of, "/%llu", (unsigned long long)total);
    if (bytes > 0)
        snprintf(size, sizeof size, ", %.1f MB", (double)bytes / 1e6);
    if (total > done && rate > 0)
        time_left(left, sizeof left, spent, (double)done / (double)total);
    else if (p->size > bytes && bytes > 0 && spent > 0)
        time_left(left, sizeof left, spent, (double)bytes / (double)p->size);
    snprintf(line, sizeof line, "%s: %s%llu%s %s, %.0f/s%s%s", p->cli->name, p->stage,
             (unsigned long long)done, of, p->what, rate, size, left);
    if (!p->redraws) {
        fprintf(stderr, "%s\n", line);
    } else if (may_draw()) {
        /* A line that wrapped could not be drawn over. */
        fprintf(stderr, "\r%.*s" CLEAR_TO_END, columns() - 1, line);
        p->drawn = true;
    }
}

void mien_cli_progress_end(struct mien_progress *p)
{
    if (p->drawn)
        fputs(CLEAR_LINE, stderr);
    p->drawn = false;
}
