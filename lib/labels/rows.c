#include "rows.h"

#include <ctype.h>
#include <stdbool.h>

#include "json_rows.h"
#include "mat_rows.h"

/* Whether text begins as JSON does, behind blanks, zero bytes of UTF-16 and byte order marks. */
static bool is_json(const unsigned char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (isspace(s[i]) || s[i] == 0 || s[i] == 0xef || s[i] == 0xbb || s[i] == 0xbf ||
                     s[i] == 0xfe || s[i] == 0xff))
        i++;
    return i < n && (s[i] == '{' || s[i] == '[');
}

int rows_open(struct rows *r, int fd, const void *head, size_t n, int sep, struct mien_err *e)
{
    *r = (struct rows){0};
    if (is_json(head, n))
        r->json = json_rows_new(fd, head, n, e);
    else
        r->csv = csv_new(fd, head, n, sep, e);
    return r->csv == NULL && r->json == NULL ? MIEN_ERR_MEM : 0;
}

void rows_close(struct rows *r)
{
    csv_free(r->csv);
    json_rows_free(r->json);
    mat_rows_free(r->mat);
}

int rows_read(struct rows *r, const struct csv_cell **cell, size_t *n, struct mien_err *e)
{
    return r->csv != NULL    ? csv_read(r->csv, cell, n, e)
           : r->json != NULL ? json_rows_read(r->json, cell, n, e)
                             : mat_rows_next(r->mat, cell, n);
}

uint64_t rows_line(const struct rows *r)
{
    return r->csv != NULL    ? csv_line(r->csv)
           : r->json != NULL ? json_rows_line(r->json)
                             : mat_rows_row(r->mat);
}

const char *rows_unit(const struct rows *r)
{
    return r->mat != NULL ? "entry" : "line";
}
