#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mien/buf.h"
#include "csv.h"
#include "util/file.h"

#define CHUNK   65536
#define MAX_ROW ((size_t)1 << 20)

struct csv {
    int fd;
    int sep; /* 0 until the first line was looked at */
    bool eof;
    uint64_t line, row_line;
    size_t pos, len;
    struct mien_buf text;  /* the row's cells, each with a zero byte behind it */
    struct mien_buf ends;  /* size_t: where each ends in text */
    struct mien_buf cells; /* struct csv_cell */
    unsigned char in[CHUNK];
};

struct csv *csv_new(int fd, const void *head, size_t n, struct mien_err *e)
{
    struct csv *c = calloc(1, sizeof *c);
    if (!c) {
        mien_err_mem(e, sizeof *c, "a table reader");
        return NULL;
    }
    c->fd = fd;
    c->line = 1;
    memcpy(c->in, head, n);
    c->len = n;
    return c;
}

void csv_free(struct csv *c)
{
    if (!c)
        return;
    mien_buf_free(&c->text);
    mien_buf_free(&c->ends);
    mien_buf_free(&c->cells);
    free(c);
}

uint64_t csv_line(const struct csv *c)
{
    return c->row_line;
}

/* Makes in[] hold more bytes behind what it has. Returns 1, 0 at the end of input or
   MIEN_ERR_SYS. */
static int fill(struct csv *c, struct mien_err *e)
{
    ssize_t n;
    if (c->eof)
        return 0;
    if (c->pos == c->len)
        c->pos = c->len = 0;
    n = file_read(c->fd, c->in + c->len, sizeof c->in - c->len);
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    c->eof = n == 0;
    c->len += (size_t)n;
    return n > 0;
}

/* The next byte, -1 at the end, or -2 with the error in e. */
static int next(struct csv *c, struct mien_err *e)
{
    if (c->pos == c->len) {
        int rc = fill(c, e);
        if (rc <= 0)
            return rc < 0 ? -2 : -1;
    }
    return c->in[c->pos++];
}

/* Skips a byte order mark and finds the separator. */
static int begin(struct csv *c, struct mien_err *e)
{
    bool quoted = false;
    int rc = 1;
    while (c->len < sizeof c->in && (rc = fill(c, e)) > 0)
        ;
    if (rc < 0)
        return rc;
    if (c->len >= 3 && !memcmp(c->in, "\xef\xbb\xbf", 3))
        c->pos = 3;
    c->sep = ',';
    for (size_t i = c->pos; i < c->len && (quoted || c->in[i] != '\n'); i++) {
        if (c->in[i] == '"')
            quoted = !quoted;
        if (c->in[i] == '\t' && !quoted)
            c->sep = '\t';
    }
    return 0;
}

static int put(struct csv *c, int ch, struct mien_err *e)
{
    unsigned char b = (unsigned char)ch;
    if (c->text.len >= MAX_ROW)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "line %llu: a row of more than %zu bytes; is a quote open?",
                            (unsigned long long)c->row_line, MAX_ROW);
    if (mien_buf_append(&c->text, &b, 1))
        return mien_err_mem(e, 1, "a row");
    return 0;
}

static int end_cell(struct csv *c, struct mien_err *e)
{
    size_t end = c->text.len;
    int rc = put(c, 0, e);
    if (rc < 0)
        return rc;
    return mien_buf_append(&c->ends, &end, sizeof end) < 0 ? mien_err_mem(e, sizeof end, "a row")
                                                           : 0;
}

/* Reads one line's cells. Returns 1; 0 at the end of input; MIEN_ERR_FORMAT and so on as
   csv_read. */
static int read_row(struct csv *c, struct mien_err *e)
{
    enum { START, PLAIN, QUOTED, CLOSED } state = START;
    const char *bad = NULL;
    bool cr = false; /* the last byte was a CR, which belongs to the line's end if an LF follows */
    int ch, rc = 0;

    mien_buf_clear(&c->text);
    mien_buf_clear(&c->ends);
    c->row_line = c->line;
    for (;; cr = ch == '\r' && state != QUOTED) {
        ch = next(c, e);
        if (ch == -2)
            return MIEN_ERR_SYS;
        if (ch == '\n')
            c->line++;
        if (ch == -1 || (ch == '\n' && state != QUOTED))
            break;
        if (state == QUOTED && ch == '"') {
            state = CLOSED;
        } else if (state == QUOTED) {
            rc = put(c, ch, e);
        } else if (state == CLOSED && ch == '"') {
            state = QUOTED; /* doubled: one quote of the text */
            rc = put(c, ch, e);
        } else if (ch == c->sep) {
            state = START;
            rc = end_cell(c, e);
        } else if (state == START && ch == '"' && c->sep == ',') {
            state = QUOTED;
        } else {
            if (state == CLOSED && ch != '\r')
                bad = "text behind a closing quote";
            if (state == START)
                state = PLAIN;
            rc = put(c, ch, e);
        }
        if (rc < 0)
            return rc;
    }
    if (state == QUOTED)
        bad = "a quote is open at the end of the file";
    if (bad)
        return mien_err_set(e, MIEN_ERR_FORMAT, "line %llu: %s", (unsigned long long)c->row_line,
                            bad);
    if (ch == -1 && state == START && c->ends.len == 0)
        return 0;
    if (cr)
        c->text.len--;
    rc = end_cell(c, e);
    return rc < 0 ? rc : 1;
}

int csv_read(struct csv *c, const struct csv_cell **cell, size_t *n, struct mien_err *e)
{
    const size_t *end;
    size_t start = 0;
    int rc;
    if (!c->sep && (rc = begin(c, e)) < 0)
        return rc;
    do {
        rc = read_row(c, e);
        if (rc <= 0)
            return rc;
    } while (c->text.len == 1 && c->ends.len == sizeof *end); /* an empty line */
    *n = c->ends.len / sizeof *end;
    mien_buf_clear(&c->cells);
    if (mien_buf_reserve(&c->cells, *n * sizeof **cell))
        return mien_err_mem(e, *n * sizeof **cell, "a row");
    end = (const size_t *)(void *)c->ends.data;
    for (size_t i = 0; i < *n; i++) {
        struct csv_cell one = {(char *)c->text.data + start, end[i] - start};
        mien_buf_append(&c->cells, &one, sizeof one);
        start = end[i] + 1;
    }
    *cell = (const struct csv_cell *)(void *)c->cells.data;
    return 1;
}
