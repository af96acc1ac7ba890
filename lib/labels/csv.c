#include "csv.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mien/buf.h"
#include "text_in.h"

#define CHUNK   65536
#define MAX_ROW ((size_t)1 << 20)

struct csv {
    struct text_in text_in;
    int sep; /* 0 until the first lines were looked at */
    bool begun, eof;
    bool stop[256]; /* what ends a run of plain characters */
    uint64_t line, row_line;
    size_t pos, len;
    struct mien_buf text;  /* the row's cells, each with a zero byte behind it */
    struct mien_buf ends;  /* size_t: where each ends in text */
    struct mien_buf cells; /* struct csv_cell */
    unsigned char in[CHUNK];
};

struct csv *csv_new(int fd, const void *head, size_t n, int sep, struct mien_err *e)
{
    struct csv *c = calloc(1, sizeof *c);
    if (!c) {
        mien_err_mem(e, sizeof *c, "a table reader");
        return NULL;
    }
    text_in_start(&c->text_in, fd, head, n);
    c->line = 1;
    c->sep = sep;
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

int csv_separator(const struct csv *c)
{
    return c->sep;
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
    n = text_in_read(&c->text_in, c->in + c->len, sizeof c->in - c->len, e);
    if (n < 0)
        return (int)n;
    c->eof = n == 0;
    c->len += (size_t)n;
    return n > 0;
}

/* --- The separator -------------------------------------------------------------------------- */

enum { SAMPLE = 10 }; /* lines that are looked at */

/* What a line holds outside of quotes. */
struct tally {
    size_t tab, comma, semicolon, bar, words;
    bool decimal; /* every comma stands between two digits */
};

static struct tally count_line(const unsigned char *s, size_t n)
{
    struct tally t = {.decimal = true};
    bool quoted = false, blank = true;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        t.tab += s[i] == '\t';
        t.semicolon += s[i] == ';';
        t.bar += s[i] == '|';
        if (s[i] == ',') {
            t.comma++;
            t.decimal = t.decimal && i > 0 && i + 1 < n && isdigit(s[i - 1]) && isdigit(s[i + 1]);
        }
        t.words += s[i] != ' ' && blank;
        blank = s[i] == ' ';
    }
    return t;
}

/* The first line decides: a tab, else the most frequent of comma, semicolon and bar, where commas
   in decimal numbers don't count if there is a semicolon. Blanks separate where there is none of
   these and all lines have as many words. */
static int find_separator(const unsigned char *s, size_t n)
{
    struct tally first = {0};
    bool even = true;
    size_t lines = 0;
    for (size_t at = 0; at < n && lines < SAMPLE;) {
        size_t end = at;
        bool quoted = false;
        for (; end < n && (quoted || (s[end] != '\n' && s[end] != '\r')); end++)
            quoted ^= s[end] == '"';
        if (end == n && lines > 0)
            break; /* it may go on */
        struct tally t = count_line(s + at, end - at);
        at = end + 1;
        if (t.words == 0)
            continue;
        if (lines++ == 0)
            first = t;
        even = even && t.words == first.words;
    }
    size_t comma = first.decimal && first.semicolon > 0 ? 0 : first.comma;
    if (first.tab > 0)
        return '\t';
    if (first.semicolon > comma && first.semicolon >= first.bar)
        return ';';
    if (first.bar > comma)
        return '|';
    return comma == 0 && even && first.words > 1 ? ' ' : ',';
}

static size_t line_length(const unsigned char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] != '\n' && s[i] != '\r')
        i++;
    return i;
}

/* Skips the first line, of this length. */
static void skip_line(struct csv *c, size_t n)
{
    const unsigned char *end = c->in + c->pos + n;
    c->pos += n + 1 + (c->pos + n + 1 < c->len && end[0] == '\r' && end[1] == '\n');
    c->line++;
}

/* A first line sep=; is Excel's, and no row. */
static void take_separator(struct csv *c)
{
    const unsigned char *s = c->in + c->pos;
    size_t n = c->len - c->pos, first = line_length(s, n);
    if (first != 5 || first == n || strncasecmp((const char *)s, "sep=", 4) != 0 ||
        memchr(",;|\t", s[4], 4) == NULL)
        return;
    if (c->sep == 0)
        c->sep = s[4];
    skip_line(c, first);
}

/* Skips a first line that is a number alone, and no row: CelebA's tables begin with the number of
   their rows. */
static void skip_count(struct csv *c)
{
    const unsigned char *s = c->in + c->pos;
    size_t n = c->len - c->pos, first = line_length(s, n), digits = 0;
    while (digits < first && isdigit(s[digits]))
        digits++;
    if (digits == 0 || digits < first || first == n)
        return;
    size_t next = first + 1 + (s[first] == '\r' && first + 1 < n && s[first + 1] == '\n');
    struct tally t = count_line(s + next, line_length(s + next, n - next));
    if (t.tab + t.comma + t.semicolon + t.bar == 0 && t.words < 2)
        return;
    skip_line(c, first);
}

static int begin(struct csv *c, struct mien_err *e)
{
    int rc = 1;
    c->begun = true;
    while (c->len < sizeof c->in - 8 && (rc = fill(c, e)) > 0)
        ;
    if (rc < 0)
        return rc;
    take_separator(c);
    skip_count(c);
    if (c->sep == 0)
        c->sep = find_separator(c->in + c->pos, c->len - c->pos);
    c->stop[c->sep] = c->stop['\n'] = c->stop['\r'] = true;
    return 0;
}

/* --- Rows ----------------------------------------------------------------------------------- */

static int put(struct csv *c, const unsigned char *s, size_t n, struct mien_err *e)
{
    if (c->text.len + n > MAX_ROW)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "line %llu: a row of more than %zu bytes; is a quote open?",
                            (unsigned long long)c->row_line, MAX_ROW);
    return mien_buf_append(&c->text, s, n) < 0 ? mien_err_mem(e, n, "a row") : 0;
}

static int end_cell(struct csv *c, struct mien_err *e)
{
    size_t end = c->text.len;
    int rc = put(c, (const unsigned char *)"", 1, e);
    if (rc < 0)
        return rc;
    return mien_buf_append(&c->ends, &end, sizeof end) < 0 ? mien_err_mem(e, sizeof end, "a row")
                                                           : 0;
}

/* The next byte without taking it, -1 at the end, or -2 with the error in e. */
static int peek(struct csv *c, struct mien_err *e)
{
    if (c->pos == c->len) {
        int rc = fill(c, e);
        if (rc <= 0)
            return rc < 0 ? -2 : -1;
    }
    return c->in[c->pos];
}

/* Takes the characters up to the next that c->stop has, as far as they are in in[]. */
static int plain(struct csv *c, struct mien_err *e)
{
    size_t from = c->pos;
    while (c->pos < c->len && !c->stop[c->in[c->pos]])
        c->pos++;
    return put(c, c->in + from, c->pos - from, e);
}

/* The same within quotes, up to the next quote. */
static int quoted(struct csv *c, struct mien_err *e)
{
    size_t from = c->pos;
    for (; c->pos < c->len && c->in[c->pos] != '"'; c->pos++)
        c->line += c->in[c->pos] == '\n';
    return put(c, c->in + from, c->pos - from, e);
}

/* Takes the line's end at in[pos], where a lone CR is one, too. */
static int line_end(struct csv *c, struct mien_err *e)
{
    bool cr = c->in[c->pos++] == '\r';
    c->line++;
    int ch = cr ? peek(c, e) : 0;
    c->pos += cr && ch == '\n';
    return ch == -2 ? MIEN_ERR_SYS : 0;
}

/* Reads one line's cells. Returns 1; 0 at the end of input; MIEN_ERR_FORMAT and so on as
   csv_read. */
static int read_row(struct csv *c, struct mien_err *e)
{
    enum { START, PLAIN, QUOTED, CLOSED } state = START;
    const bool quotes = c->sep != '\t', blanks = c->sep == ' ';
    const char *bad = NULL;
    int ch, rc = 0;

    mien_buf_clear(&c->text);
    mien_buf_clear(&c->ends);
    c->row_line = c->line;
    while ((ch = peek(c, e)) >= 0) {
        if (state == QUOTED && ch != '"') {
            rc = quoted(c, e);
        } else if (state == QUOTED) {
            state = CLOSED;
            c->pos++;
        } else if (state == CLOSED && ch == '"') {
            state = QUOTED; /* doubled: one quote of the text */
            c->pos++;
            rc = put(c, (const unsigned char *)"\"", 1, e);
        } else if (ch == '\n' || ch == '\r') {
            rc = line_end(c, e);
            if (rc < 0)
                return rc;
            break;
        } else if (ch == c->sep) {
            c->pos++;
            rc = blanks && state == START ? 0 : end_cell(c, e);
            state = START;
        } else if (state == START && ch == '"' && quotes) {
            state = QUOTED;
            c->pos++;
        } else {
            if (state == CLOSED)
                bad = "text behind a closing quote";
            state = PLAIN;
            rc = plain(c, e);
        }
        if (rc < 0)
            return rc;
    }
    if (ch == -2)
        return MIEN_ERR_SYS;
    if (state == QUOTED)
        bad = "a quote is open at the end of the file";
    if (bad)
        return mien_err_set(e, MIEN_ERR_FORMAT, "line %llu: %s", (unsigned long long)c->row_line,
                            bad);
    if (ch == -1 && state == START && c->ends.len == 0)
        return 0;
    if (blanks && state == START && c->ends.len > 0)
        return 1; /* behind the last cell there were blanks */
    rc = end_cell(c, e);
    return rc < 0 ? rc : 1;
}

int csv_read(struct csv *c, const struct csv_cell **cell, size_t *n, struct mien_err *e)
{
    const size_t *end;
    size_t start = 0;
    int rc;
    if (!c->begun && (rc = begin(c, e)) < 0)
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
    struct csv_cell *out = (struct csv_cell *)(void *)c->cells.data;
    for (size_t i = 0; i < *n; i++) {
        out[i] = (struct csv_cell){(char *)c->text.data + start, end[i] - start};
        start = end[i] + 1;
    }
    *cell = out;
    return 1;
}
