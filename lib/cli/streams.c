#include "cli/streams.h"

#include <string.h>
#include <unistd.h>

#include "cli/state.h"
#include "mien/filter.h"
#include "util/file.h"

const char *const *cli_paths(int *n, char **argv)
{
    static const char *const standard_input[] = {"-"};
    if (*n > 0)
        return (const char *const *)argv + 1;
    *n = 1;
    return standard_input;
}

int cli_input_open(struct cli_input *in, const struct mien_cli *c, const char *path, size_t limit,
                   struct mien_err *e)
{
    *in = (struct cli_input){.path = path, .fd = file_open(path, e), .cli = c};
    if (in->fd < 0)
        return in->fd;
    mien_cli_check_input(c, in->fd);
    in->reader = mien_filter_reader(c, in->fd, limit, e);
    if (in->reader != NULL)
        return 0;
    cli_input_close(in);
    return MIEN_ERR_SYS;
}

void cli_input_resync(struct cli_input *in)
{
    mien_reader_resync(in->reader);
    in->resync = true;
}

int cli_input_read(struct cli_input *in, struct mien_rec *r, struct mien_err *e)
{
    struct mien_err why;
    int rc;
    while ((rc = mien_read(in->reader, r, &why)) < 0) {
        if (in->fd == STDIN_FILENO)
            mien_err_set(e, rc, "%s", why.msg);
        else
            mien_err_set(e, rc, "%s: %s", in->path, why.msg);
        if (!in->resync || rc != MIEN_ERR_FORMAT)
            break;
        mien_cli_warn(in->cli, "%s", e->msg);
        in->cli->state->damage.places++;
    }
    return rc;
}

void cli_input_close(struct cli_input *in)
{
    if (in->resync) {
        in->cli->state->damage.skipped += mien_reader_skipped(in->reader);
        in->cli->state->damage.of += mien_reader_bytes(in->reader);
    }
    mien_reader_free(in->reader);
    if (in->fd != STDIN_FILENO)
        close(in->fd);
}

int cli_input_each(const struct mien_cli *c, const char *path, size_t limit,
                   int (*fn)(void *ctx, const struct mien_rec *r, struct mien_err *e), void *ctx,
                   struct mien_err *e)
{
    struct mien_progress progress;
    struct cli_input in;
    struct mien_rec r = {0};
    int rc = cli_input_open(&in, c, path, limit, e);
    if (rc < 0)
        return rc;
    mien_cli_progress_start(&progress, c, "records");
    mien_cli_progress_input(&progress, in.fd);
    while (rc >= 0 && (rc = cli_input_read(&in, &r, e)) > 0) {
        rc = fn(ctx, &r, e);
        mien_cli_progress(&progress, mien_reader_count(in.reader), 0, mien_reader_bytes(in.reader));
    }
    mien_cli_progress_end(&progress);
    mien_filter_history(c, in.reader, NULL);
    cli_input_close(&in);
    mien_rec_free(&r);
    return rc;
}

void cli_check_record(const struct mien_cli *c, uint64_t number, const struct mien_rec *r, int rc,
                      const struct mien_err *e)
{
    if (rc == MIEN_ERR_FORMAT)
        mien_filter_report(c, number, r, e->msg);
    else if (rc < 0)
        mien_cli_die(c, "%s", e->msg);
}

void cli_output_open(struct cli_output *o, const struct mien_cli *c, bool strict)
{
    struct mien_err e;
    *o = (struct cli_output){.cli = c, .strict = strict};
    mien_cli_check_output(c, STDOUT_FILENO);
    if ((o->writer = mien_filter_writer(c, STDOUT_FILENO, &e)) == NULL)
        mien_cli_die(c, "%s", e.msg);
}

void cli_output_put(struct cli_output *o, const struct mien_rec *r)
{
    struct mien_err e;
    if (mien_write(o->writer, r, &e) < 0)
        mien_cli_die_output(o->cli, &e);
    o->count++;
}

static void stop_if_strict(struct cli_output *o)
{
    if (o->strict)
        cli_output_die(o, "stopped at the first bad record, as --strict asks");
}

void cli_output_report(struct cli_output *o, uint64_t number, const struct mien_rec *r,
                       const char *cause)
{
    mien_filter_report(o->cli, number, r, cause);
    stop_if_strict(o);
}

void cli_output_bad(struct cli_output *o, const char *where, const char *cause)
{
    mien_cli_bad(o->cli, where, cause);
    stop_if_strict(o);
}

_Noreturn void cli_output_die(struct cli_output *o, const char *why)
{
    struct mien_err e;
    if (mien_writer_flush(o->writer, &e) < 0)
        mien_cli_die_output(o->cli, &e);
    mien_cli_die(o->cli, "%s", why);
}

void cli_output_end(struct cli_output *o)
{
    struct mien_err e;
    mien_filter_history(o->cli, NULL, o->writer);
    if (mien_writer_end(o->writer, &e) < 0)
        mien_cli_die_output(o->cli, &e);
    mien_writer_free(o->writer);
    o->writer = NULL;
}

void cli_note_lines(const struct mien_cli *c, struct mien_buf *lines)
{
    const char *line = (const char *)lines->data;
    for (size_t i = 0; i < lines->len; i++) {
        if (lines->data[i] != '\n')
            continue;
        lines->data[i] = '\0';
        mien_cli_note(c, "%s", line);
        line = (const char *)lines->data + i + 1;
    }
    mien_buf_free(lines);
}

void cli_print(const struct mien_cli *c, struct mien_buf *text)
{
    struct mien_err e;
    if (file_write(STDOUT_FILENO, text->data, text->len) < 0) {
        mien_err_sys(&e, "cannot write");
        mien_cli_die_output(c, &e);
    }
    mien_buf_clear(text);
}
