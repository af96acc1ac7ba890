/*
 * A MATLAB struct as rows of a table: its fields are the columns. It holds an array of values each,
 * as CACD's celebrityImageData does, numbers, cells or the rows of a char matrix; or there is one
 * struct a row. The variables of a file, too, may be the columns.
 *
 * A cell is text, or up to MAT_ROWS_NUMBERS numbers, which come separated by blanks; what is
 * neither becomes an empty one. Fields of another length than the texts, such as a matrix of
 * features, are left out.
 *
 * Columns come one after another, so all are held, as text.
 */
#ifndef MIEN_LABELS_MAT_ROWS_H
#define MIEN_LABELS_MAT_ROWS_H

#include <stddef.h>

#include "csv.h"
#include "mat.h"

#define MAT_ROWS_NUMBERS 8 /* such as the corners of a box */

struct mat_rows;

/* Reads the struct var, whose fields were read. *out is the caller's to free, and NULL where it
   isn't such a struct. Returns 0, MIEN_ERR_LIMIT where it is too large, or as mat_child. */
MIEN_CHECKED int mat_rows_read(struct mat *m, const struct mat_array *var,
                               const struct mat_fields *fields, struct mat_rows **out,
                               struct mien_err *e);
void mat_rows_free(struct mat_rows *r); /* NULL is harmless */

/* A table without columns; NULL where there is no memory. */
struct mat_rows *mat_rows_new(struct mien_err *e);

/* Adds the variable var as a column, if it can be one. Returns 0, or as mat_child where the file
   can't be read on. */
MIEN_CHECKED int mat_rows_add(struct mat_rows *r, struct mat *m, struct mat_array *var,
                              struct mien_err *e);

/* Ends adding. Returns how many rows there are; 0 where no column is of words. */
size_t mat_rows_end(struct mat_rows *r);

/* How many rows there are. */
size_t mat_rows_count(const struct mat_rows *r);

/* The next row, of which the first is the names: as csv_read, without errors. */
int mat_rows_next(struct mat_rows *r, const struct csv_cell **cell, size_t *n);

/* Which row the last one was, counted from 1. */
size_t mat_rows_row(const struct mat_rows *r);

#endif
