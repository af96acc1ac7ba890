#include "cli/streams.h"

#include <string.h>
#include <unistd.h>

#include "mien/filter.h"
#include "util/file.h"

int cli_input_open(struct cli_input *in, const struct mien_cli *c, const char *path, size_t limit,
                   struct mien_err *e)
{
    *in = (struct cli_input){.path = path, .fd = file_open(path, e)};
    if (in->fd < 0)
        return in->fd;
    mien_cli_check_input(c, in->fd);
    in->reader = mien_filter_reader(c, in->fd, limit, e);
    if (in->reader != NULL)
        return 0;
    cli_input_close(in);
    return MIEN_ERR_SYS;
}

int cli_input_read(struct cli_input *in, struct mien_rec *r, struct mien_err *e)
{
    struct mien_err why;
    int rc = mien_read(in->reader, r, &why);
    if (rc >= 0)
        return rc;
    return in->fd == STDIN_FILENO ? mien_err_set(e, rc, "%s", why.msg)
                                  : mien_err_set(e, rc, "%s: %s", in->path, why.msg);
}

void cli_input_close(struct cli_input *in)
{
    mien_reader_free(in->reader);
    if (in->fd != STDIN_FILENO)
        close(in->fd);
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
