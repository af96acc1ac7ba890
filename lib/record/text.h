/*
 * Records as text: lines of tab-separated values, or of JSON. mien-view(1) documents both.
 *
 * Each function appends to out and returns 0 or MIEN_ERR_MEM.
 */
#ifndef MIEN_RECORD_TEXT_H
#define MIEN_RECORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "col.h"
#include "mien/buf.h"
#include "mien/record.h"

/* The columns' names (see col.h), separated by tabs, and a newline. */
MIEN_CHECKED int text_header(struct mien_buf *out, const struct column *cols, size_t n);

/* The record's values of n columns, separated by tabs, and a newline. An absent one is empty. In
   text, backslash, tab, newline and return are written \\ \t \n \r, the bytes of other controls
   (see drives_terminal) and those that aren't UTF-8 \xHH. An array of more than 16 elements, an
   image and pixels are given by their shape, such as 224x224x3. Scores and confidences have four
   decimals, other floats the fewest digits that read back the same. */
MIEN_CHECKED int text_tsv(struct mien_buf *out, const struct mien_rec *r, const struct column *cols,
                          size_t n);

/* One JSON object and a newline: the values of n columns, or, with n 0, every field in its order.
   Absent ones are left out, numbers that aren't finite are null, bytes that aren't UTF-8 become
   U+FFFD, controls \uHHHH. Images and pixels are {"shape":[...]}; full adds their bytes in base64.
   */
MIEN_CHECKED int text_json(struct mien_buf *out, const struct mien_rec *r,
                           const struct column *cols, size_t n, bool full);

/* Where no columns are chosen, a table's are the fields that its first records have: so many of them,
   or as many as make so many bytes of text. */
enum { TEXT_FIRST = 1000, TEXT_FIRST_BYTES = 1 << 20, TEXT_COLUMNS = 64 };

/* A table of records: above the first one the columns' names, where it has any. */
struct text_table {
    bool json;          /* a JSON object a record, else tab-separated values */
    bool full;          /* JSON: images and pixels in full */
    bool no_header;     /* TSV: no names */
    struct column *col; /* NULL: in TSV those that the first records have, in JSON all fields */
    size_t ncol;

    /* The rest is the table's own. */
    bool begun;                /* has a record */
    bool finding, settled;     /* col: being found; found */
    uint64_t tags;             /* bits of the fields seen, but for `fields` */
    size_t nseen;              /* col has those, too, that only later records had */
    char *name[TEXT_COLUMNS];  /* copies of those that col has */
    struct mien_buf held;      /* rows until the columns are found */
    uint8_t cells[TEXT_FIRST]; /* how many values each of these has; the others are empty */
    size_t nheld;
};

/* Appends a record, now or with a later one, or at the end. */
MIEN_CHECKED int text_table_add(struct text_table *t, const struct mien_rec *r,
                                struct mien_buf *out);

/* Appends the records that haven't been: behind the last one, or when no more are to be waited
   for. */
MIEN_CHECKED int text_table_settle(struct text_table *t, struct mien_buf *out);

/* Appends the names, separated by commas, of fields that only later records had, which therefore
   aren't shown; error isn't among them. */
MIEN_CHECKED int text_table_unseen(const struct text_table *t, struct mien_buf *out);

/* Whether one of its columns is chosen; all are where none are. */
bool text_table_has(const struct text_table *t, int col);

/* Leaves the record the fields alone that are chosen. */
void text_table_keep(const struct text_table *t, struct mien_rec *r);

/* Frees the columns. */
void text_table_free(struct text_table *t);

/* A JSON string with its quotes, of len bytes of any text. */
MIEN_CHECKED int text_json_string(struct mien_buf *out, const char *s, size_t len);

/* The same text as a value of text_tsv. */
MIEN_CHECKED int text_tsv_string(struct mien_buf *out, const char *s, size_t len);

#endif
