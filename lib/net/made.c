#include "made.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"
#include "util/file.h"
#include "util/printable.h"

#define MAX_TEXT ((size_t)4 << 20)

/* Reads the rest of a description, of which head has the first n bytes. */
static int read_description(struct net *net, int fd, const char *head, size_t n, const char *path,
                            struct mien_err *e)
{
    struct mien_buf text = {0};
    struct mien_err why;
    int rc = mien_buf_append(&text, head, n);
    if (rc < 0)
        rc = mien_err_mem(e, n, "a description");
    else
        rc = file_slurp(fd, &text, MAX_TEXT, path, e);
    if (rc == 0 && (rc = net_parse(net, (const char *)text.data, text.len, &why)) < 0)
        rc = mien_err_set(e, rc, "'%s': %s", path, why.msg);
    mien_buf_free(&text);
    return rc;
}

int model_or_description(struct model *m, const char *name, struct mien_err *e)
{
    char head[9] = "", found[4096];
    const char *path = model_find(name, found, sizeof found);
    int fd = file_open(path, e), rc;
    if (fd < 0)
        return fd;
    ssize_t n = file_read(fd, head, sizeof head);
    if (n < 0)
        rc = mien_err_sys(e, "cannot read '%s'", path);
    else if (strncmp(head, "MIEN", 4) == 0)
        rc = mien_err_set(e, MIEN_ERR_FORMAT,
                          "'%s' is a stream of records, not a model or description", path);
    else if (n == sizeof head && head[7] == '\0' && head[8] == '{') /* a length, and JSON */
        rc = model_load(m, path, e);
    else
        rc = read_description(&m->net, fd, head, (size_t)n, path, e);
    close(fd);
    return rc;
}

int model_init(struct model *m, uint64_t seed, size_t max_bytes, struct mien_err *e)
{
    if (m->net.nweights > max_bytes / sizeof *m->weights) {
        char need[NET_BYTES_TEXT], most[NET_BYTES_TEXT];
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "the weights take %s of memory, more than the limit of %s",
                            net_bytes((double)m->net.nweights * sizeof *m->weights, need),
                            net_bytes((double)max_bytes, most));
    }
    m->weights = net_weights_new(&m->net, e);
    if (m->weights == NULL)
        return MIEN_ERR_MEM;
    net_init(&m->net, m->weights, seed);
    return 0;
}

int model_tell(struct model *m, const char *made, const struct model *of, int n, struct mien_err *e)
{
    struct mien_buf history = {0};
    char *copy = strdup(made);
    int rc = copy == NULL ? MIEN_ERR_MEM : 0;
    for (int i = 0; i < n; i++)
        rc |= mien_buf_printf(&history, "of ") | model_origin(&of[i], &history);
    if (n > 0)
        rc |= mien_buf_append(&history, "", 1);
    if (rc < 0) {
        rc = mien_err_mem(e, history.len, "the model's history");
        free(copy);
        mien_buf_free(&history);
        return rc;
    }
    free(m->made);
    free(m->history);
    m->made = copy;
    m->history = (char *)history.data;
    return 0;
}

int model_about(const struct model *m, struct mien_buf *out)
{
    int rc = 0;
    if (m->prep.text[0] != '\0')
        rc = mien_buf_printf(out, "preprocessing: %s\n", m->prep.text);
    for (const char *line = m->made; line != NULL && *line != '\0' && rc == 0;) {
        size_t n = strcspn(line, "\n");
        if (line == m->made)
            rc = mien_buf_append(out, "made by: ", strlen("made by: "));
        if (rc < 0 || (rc = mien_buf_reserve(out, n + 1)) < 0)
            break;
        out->len += printable((char *)out->data + out->len, n + 1, line, n);
        rc = mien_buf_append(out, "\n", 1);
        line += n + (line[n] == '\n');
    }
    return rc;
}
