/*
 * Rows from JSON: objects one after another, a line each or not, or in an array; or an object whose
 * members are objects, two or more or one named like an image, and whose names are a member "key" of
 * each. The first row is the names of their members, as a table's header.
 *
 * Those of the first 256 objects, or 256 KB, are collected; one that only a later object has is left
 * out. An object in an object becomes members named "outer.inner". An array becomes its values,
 * separated by blanks, null an empty cell. An object may have 256 KB of text.
 */
#ifndef MIEN_LABELS_JSON_ROWS_H
#define MIEN_LABELS_JSON_ROWS_H

#include "csv.h"

struct json_rows;

/* As csv_new, csv_read and csv_line. */
struct json_rows *json_rows_new(int fd, const void *head, size_t n, struct mien_err *e);
void json_rows_free(struct json_rows *j); /* NULL is harmless */
MIEN_CHECKED int json_rows_read(struct json_rows *j, const struct csv_cell **cell, size_t *n,
                                struct mien_err *e);
uint64_t json_rows_line(const struct json_rows *j);

#endif
