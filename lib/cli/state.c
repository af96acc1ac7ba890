#include "cli/state.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mien/filter.h"
#include "util/num.h"
#include "util/utf8.h"

/* Of one cause, so many are named, and then one in so many. */
enum { FIRST = 5, EVERY = 1000 };

/* --- Options ------------------------------------------------------------------------------- */

int cli_set_output(void *dst, const char *arg, struct mien_err *e)
{
    struct mien_cli_state *s = dst;
    if (*arg == '\0')
        return mien_err_set(e, MIEN_ERR_ARG, "the name of an output file is empty");
    s->output = strcmp(arg, "-") == 0 ? NULL : arg;
    return 0;
}

/* A number from 1 on. */
static int positive(const char *arg, uint64_t *out, struct mien_err *e)
{
    long long n;
    int rc = num_int(arg, 1, INT64_MAX, &n, e);
    if (rc == 0)
        *out = (uint64_t)n;
    return rc;
}

int cli_set_segment(void *dst, const char *arg, struct mien_err *e)
{
    struct mien_cli_state *s = dst;
    return positive(arg, &s->segment, e);
}

int cli_set_range(void *dst, const char *arg, struct mien_err *e)
{
    struct mien_cli_state *s = dst;
    size_t n = strcspn(arg, ":");
    char first[32];
    long long offset;
    if (arg[n] == '\0' || n >= sizeof first)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not OFFSET:BYTES", arg);
    snprintf(first, sizeof first, "%.*s", (int)n, arg);
    int rc = num_int(first, 0, INT64_MAX, &offset, e);
    if (rc == 0)
        rc = positive(arg + n + 1, &s->bytes, e);
    s->offset = rc == 0 ? (uint64_t)offset : 0;
    s->ranged = true;
    return rc;
}

/* A number from 0 on, which a double holds. */
static int num_whole(const char *arg, double *out, struct mien_err *e)
{
    long long n;
    int rc = num_int(arg, 0, 1LL << 53, &n, e);
    if (rc == 0)
        *out = (double)n;
    return rc;
}

int cli_set_max_bad(void *dst, const char *arg, struct mien_err *e)
{
    struct mien_cli_state *s = dst;
    size_t n = strlen(arg);
    char number[32];
    s->most = s->percent = 0;
    if (n == 0 || n >= sizeof number || arg[n - 1] != '%')
        return num_whole(arg, &s->most, e);
    snprintf(number, sizeof number, "%.*s", (int)n - 1, arg);
    return num_real(number, 0, 100, &s->percent, e);
}

/* --- Output -------------------------------------------------------------------------------- */

static void make(struct mien_cli *c)
{
    c->state = calloc(1, sizeof *c->state);
    if (c->state == NULL)
        mien_cli_die(c, "out of memory");
    c->state->out.fd = -1;
}

void cli_state_make(struct mien_cli *c)
{
    if (c->uses != 0)
        make(c);
}

void cli_output_to(struct mien_cli *c, const char *path)
{
    struct mien_err e;
    if (c->state == NULL)
        make(c);
    if (cli_set_output(c->state, path, &e) < 0)
        mien_cli_die(c, "--output: %s", e.msg);
    cli_state_open(c);
}

void cli_state_open(struct mien_cli *c)
{
    struct mien_cli_state *s = c->state;
    struct mien_err e;
    if (s == NULL || s->output == NULL)
        return;
    if (file_create(&s->out, s->output, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    if (dup2(s->out.fd, STDOUT_FILENO) < 0) {
        mien_err_sys(&e, "cannot write '%s'", s->output);
        mien_cli_die(c, "%s", e.msg);
    }
}

void cli_state_abort(const struct mien_cli *c)
{
    if (c->state != NULL && c->state->out.tmp != NULL)
        unlink(c->state->out.tmp);
}

/* --- What is bad --------------------------------------------------------------------------- */

/* Whether two causes are the same but for numbers outside of quotes. */
static bool same_cause(const char *a, const char *b)
{
    bool quoted = false;
    while (*a != '\0' && *b != '\0') {
        if (!quoted && isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
            continue;
        }
        if (*a != *b)
            return false;
        quoted ^= *a == '\'';
        a++;
        b++;
    }
    return *a == *b;
}

static struct cli_cause *cause_of(struct mien_cli_state *s, const char *text)
{
    char cut[sizeof s->cause->text];
    size_t n = utf8_fit(text, strlen(text), sizeof cut - 1), i = 0;
    snprintf(cut, sizeof cut, "%.*s", (int)n, text);
    while (i < s->ncause && !same_cause(s->cause[i].text, cut))
        i++;
    if (i < s->ncause || i == CLI_CAUSES)
        return &s->cause[i];
    s->ncause++;
    memcpy(s->cause[i].text, cut, sizeof cut);
    return &s->cause[i];
}

void mien_cli_bad(const struct mien_cli *c, const char *where, const char *cause)
{
    if (c->state == NULL) {
        mien_cli_warn(c, "%s: %s", where, cause);
        return;
    }
    struct cli_cause *k = cause_of(c->state, cause);
    c->state->bad++;
    k->n++;
    if (k->n > FIRST && k->n % EVERY != 0)
        return;
    k->named++;
    if (k->n <= FIRST)
        mien_cli_warn(c, "%s: %s", where, cause);
    else
        mien_cli_warn(c, "%s: %s (%llu so far)", where, cause, (unsigned long long)k->n);
}

int mien_cli_end(struct mien_cli *c, uint64_t total)
{
    struct mien_cli_state *s = c->state;
    struct mien_err e;
    if (s == NULL)
        return MIEN_EXIT_OK;
    for (size_t i = 0; i <= CLI_CAUSES; i++) {
        const struct cli_cause *k = &s->cause[i];
        if (k->n > k->named)
            mien_cli_warn(c, "%llu more: %s", (unsigned long long)(k->n - k->named),
                          i < CLI_CAUSES ? k->text : "other causes");
    }
    if (s->output != NULL && file_commit(&s->out, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    double most = s->percent > 0 ? s->percent / 100 * (double)total : s->most;
    int status = (double)s->bad > most ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
    free(s);
    c->state = NULL;
    return status;
}

/* --- Streams ------------------------------------------------------------------------------- */

struct mien_reader *mien_filter_reader(const struct mien_cli *c, int fd, size_t limit,
                                       struct mien_err *e)
{
    struct mien_cli_state *s = c->state;
    if (s != NULL && s->ranged && s->range_read) {
        mien_err_set(e, MIEN_ERR_ARG, "--range is for one input");
        return NULL;
    }
    struct mien_reader *rd = mien_reader_new(fd, limit, e);
    if (s != NULL)
        s->range_read = true;
    if (rd == NULL || s == NULL || !s->ranged || mien_reader_range(rd, s->offset, s->bytes, e) == 0)
        return rd;
    mien_reader_free(rd);
    return NULL;
}

struct mien_writer *mien_filter_writer(const struct mien_cli *c, int fd, struct mien_err *e)
{
    struct mien_writer *w = mien_writer_new(fd, e);
    if (w != NULL && c->state != NULL)
        mien_writer_segment(w, c->state->segment);
    return w;
}
