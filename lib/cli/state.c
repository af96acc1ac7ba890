#include "cli/state.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "mien/filter.h"
#include "mien/version.h"
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

void cli_state_make(struct mien_cli *c)
{
    size_t n = 1; /* -q and others are always there */
    while (cli_option(c, n) != NULL)
        n++;
    c->state = calloc(1, sizeof *c->state);
    if (c->state == NULL)
        mien_cli_die(c, "out of memory");
    c->state->out.fd = -1;
    c->state->given = calloc(n, sizeof *c->state->given);
    if (c->state->given == NULL)
        mien_cli_die(c, "out of memory");
}

static void free_state(struct mien_cli *c)
{
    free(c->state->given);
    free(c->state);
    c->state = NULL;
}

static void open_output(struct mien_cli *c)
{
    struct mien_cli_state *s = c->state;
    struct mien_err e;
    if (s->output == NULL)
        return;
    if (file_create(&s->out, s->output, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    if (dup2(s->out.fd, STDOUT_FILENO) < 0) {
        mien_err_sys(&e, "cannot write '%s'", s->output);
        mien_cli_die(c, "%s", e.msg);
    }
}

void cli_state_open(struct mien_cli *c)
{
    if (c->uses != 0)
        open_output(c);
    else
        free_state(c);
}

void cli_output_to(struct mien_cli *c, const char *path)
{
    struct mien_err e;
    if (c->state == NULL)
        cli_state_make(c);
    if (cli_set_output(c->state, path, &e) < 0)
        mien_cli_die(c, "--output: %s", e.msg);
    open_output(c);
}

void cli_state_abort(const struct mien_cli *c)
{
    if (c->state != NULL && c->state->out.tmp != NULL)
        unlink(c->state->out.tmp);
}

/* --- History ------------------------------------------------------------------------------ */

struct cli_given *cli_given(const struct mien_cli *c, const struct mien_option *o)
{
    size_t i = 0;
    for (; cli_option(c, i) != o; i++)
        assert(cli_option(c, i) != NULL);
    return &c->state->given[i];
}

/* Whether results depend on an option, and it isn't the name of a file, which may have any. */
static bool tells(const struct mien_option *o)
{
    static const char *const others[] = {"jobs", "strict",  "max-record", "batch",
                                         "keep", "records", NULL};
    static const char *const files[] = {"FILE", "FOLDER", "MODEL", "PACK", "TABLE", NULL};
    for (int i = 0; others[i] != NULL; i++)
        if (strcmp(o->name, others[i]) == 0)
            return false;
    for (int i = 0; o->arg != NULL && files[i] != NULL; i++)
        if (strcmp(o->arg, files[i]) == 0)
            return false;
    return true;
}

void mien_cli_history(struct mien_cli *c, const char *fmt, ...)
{
    struct mien_buf b = {0};
    va_list ap;
    if (c->state == NULL)
        cli_state_make(c);
    int rc = mien_buf_printf(&b, "%s %s", c->name, c->version != NULL ? c->version : MIEN_VERSION);
    for (size_t i = 0; i < c->nopts; i++) {
        const char *value = c->state->given[i].value;
        if (value == NULL || c->opts[i].name == NULL || !tells(&c->opts[i]))
            continue;
        const char *quote = strpbrk(value, " '\"\\$|&;<>()*?[]#~") != NULL ? "'" : "";
        rc |= mien_buf_printf(&b, " --%s", c->opts[i].name);
        if (*value != '\0')
            rc |= mien_buf_printf(&b, " %s%s%s", quote, value, quote);
    }
    if (fmt != NULL) {
        char text[HISTORY_MAX];
        va_start(ap, fmt);
        utf8_vprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        rc |= mien_buf_printf(&b, ": %s", text);
    }
    rc |= mien_buf_append(&b, "\n", 1);
    if (rc < 0)
        mien_cli_die(c, "out of memory");
    c->state->step.text[0] = '\0';
    history_merge(&c->state->step, (const char *)b.data, b.len);
    mien_buf_free(&b);
}

void mien_filter_history(const struct mien_cli *c, const struct mien_reader *rd,
                         struct mien_writer *w)
{
    struct mien_cli_state *s = c->state;
    if (s == NULL)
        return;
    if (rd != NULL)
        history_merge(&s->from, mien_reader_history(rd), strlen(mien_reader_history(rd)));
    if (w != NULL)
        mien_writer_history(w, s->from.text, s->step.text);
}

int cli_history_text(const struct mien_cli *c, struct mien_buf *out)
{
    const char *text = c->state->from.text;
    if (text[0] == '\0')
        mien_cli_note(c, "the stream doesn't say how its records were made");
    return mien_buf_append(out, text, strlen(text));
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
    const struct cli_damage *d = &s->damage;
    if (d->places > 0)
        mien_cli_note(c, "damaged in %llu places; %llu of %llu bytes skipped",
                      (unsigned long long)d->places, (unsigned long long)d->skipped,
                      (unsigned long long)d->of);
    if (s->output != NULL && file_commit(&s->out, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    double most = s->percent > 0 ? s->percent / 100 * (double)total : s->most;
    int status = (double)s->bad > most || d->places > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
    free_state(c);
    return status;
}

/* --- Streams ------------------------------------------------------------------------------- */

struct mien_reader *mien_filter_reader(const struct mien_cli *c, int fd, size_t limit,
                                       struct mien_err *e)
{
    struct mien_cli_state *s = c->state;
    if (s != NULL && s->ranged && s->range_read) {
        mien_err_set(e, MIEN_ERR_ARG, "--range takes one input");
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
    if (w != NULL)
        mien_filter_history(c, NULL, w);
    return w;
}
