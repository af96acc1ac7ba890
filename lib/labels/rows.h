/* Rows of cells, from a table of text (csv.h), JSON (json_rows.h) or a .mat file (mat_rows.h). */
#ifndef MIEN_LABELS_ROWS_H
#define MIEN_LABELS_ROWS_H

#include "csv.h"

struct rows {
    struct csv *csv; /* one of them, the others NULL */
    struct json_rows *json;
    struct mat_rows *mat;
};

/* As csv_new, csv_read and csv_line; JSON is what begins with a brace or a bracket. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int rows_open(struct rows *r, int fd, const void *head, size_t n, int sep,
                           struct mien_err *e);
void rows_close(struct rows *r);
MIEN_CHECKED int rows_read(struct rows *r, const struct csv_cell **cell, size_t *n,
                           struct mien_err *e);
uint64_t rows_line(const struct rows *r);

/* What rows_line counts: "line", or "entry" where a file has no lines. */
const char *rows_unit(const struct rows *r);

#endif
